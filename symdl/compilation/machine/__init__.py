"""Vector instructions for emitted code: small pieces of LLVM IR, as functions that Numba compiles into their callers.

Nothing but emitted modules imports what is in here, since it imports Numba.
"""
