"""symdl: derive, check, prove and compile the mathematics of neural networks from one definition.

The public names are listed once, in `__init__.pyi`, which type checkers read too. Each is imported when it is first
used, so `import symdl` itself is cheap.

>>> import symdl as sd
>>> issubclass(sd.ShapeError, sd.SymdlError)
True
"""

from typing import Any

import lazy_loader

from symdl.core.pauses import collection_paused

__version__ = "0.1.0"

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    with collection_paused():
        return _load(name)
