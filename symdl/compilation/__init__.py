"""Compilation: equations → plan → source → machine code, checked against 50-digit arithmetic before anyone gets it.

The names are listed in `__init__.pyi` and imported when they are first used: a program of the cache needs few of them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
