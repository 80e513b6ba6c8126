"""symdl: derive, check, prove and compile the mathematics of neural networks from one definition.

The public names are listed once, in `__init__.pyi`, which type checkers read too. Each is imported when it is first
used, so `import symdl` itself is cheap.

>>> import symdl as sd
>>> issubclass(sd.ShapeError, sd.SymdlError)
True
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
