# The public API, listed once: type checkers read this file, and so does symdl/__init__.py when it runs.
# `from .package import name as name` exports a function or a class, `from . import module as module` a module.

from . import errors as errors
from .errors import (
    CrossCheckError as CrossCheckError,
    DataError as DataError,
    DefinitionError as DefinitionError,
    KinkError as KinkError,
    MissingDependencyError as MissingDependencyError,
    NotProvedError as NotProvedError,
    OutputError as OutputError,
    ShapeError as ShapeError,
    SymdlError as SymdlError,
    UnsupportedError as UnsupportedError,
)

__version__: str
