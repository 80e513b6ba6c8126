"""Helpers for tests, of the library and of one's own functions: how accurate compiled functions are, and whether
hand-written backward code is the gradient of a definition (`assert_gradient`).

The names are listed in `__init__.pyi` and imported when they are first used: where symdl is installed, pytest loads
`symdl.testing.plugin` in every run, and must not wait for SymPy.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
