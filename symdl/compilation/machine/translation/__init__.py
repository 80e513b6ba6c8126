"""From the syntax of emitted functions to LLVM in one pass, which stands for most of Numba's front end.

Emitted code is a small part of Python: loops over ranges, numbers, subscripts, calls. The types of arguments are
stated, and each variable has one type, so that whatever stands in an expression has a type when it is met: there is no
byte code to be taken apart, and no types to be inferred. What operators, functions and intrinsics do to numbers, and
how functions call each other, is what Numba says; only what it does around that is done here. A function that holds
anything else is left to Numba (`Untranslatable`).
"""
