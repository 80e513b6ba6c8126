"""Processor instructions that Numba has no function for, and machine code on its way in and out of Numba."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submodules={"compiling", "entries", "making", "trees", "units"}
)
