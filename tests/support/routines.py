"""Modules of what programs share, as they are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from symdl.compilation.functions import routines, stored_routines, units_of

#: What was linked, which stays.
_LINKED: list[Any] = []


def called_from_c(space: Mapping[str, Any]) -> dict[str, Callable[..., Any]]:
    """The functions of a module that C calls, by name."""
    made = routines(*stored_routines(units_of(space)))
    assert made is not None
    _LINKED.append(made)
    return {name: routine.ctypes for name, routine in made.items()}
