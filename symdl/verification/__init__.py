"""Verdicts: what is proved, refuted with a witness, or left open.

The names are listed in `__init__.pyi` and imported when they are first used: `symdl check` does with a part of them.

>>> import sympy
>>> x = sympy.Symbol("x")
>>> equal(sympy.tanh(x), 2 / (1 + sympy.exp(-2 * x)) - 1).require().method
'normal form'
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
