"""A pause of the garbage collector, for the moments in which very many lasting objects are made."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collection_paused() -> Iterator[None]:
    """Do not look for garbage meanwhile.

    Loading SymPy or Numba makes some hundred thousand objects that all stay; going through them again and again
    while they are made takes a fifth of the time from starting Python to the first training step.

    >>> with collection_paused():
    ...     gc.isenabled()
    False
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
