"""Numba's knowledge of types and of the processor, as the translation asks for it."""

from __future__ import annotations

from functools import cache
from typing import Any

from numba.core import callconv
from numba.core.registry import cpu_target


@cache
def context() -> Any:
    """Numba's knowledge of the processor, for functions that count no references; a division by 0 is no error."""
    base: Any = cpu_target.target_context
    base.refresh()
    typing().refresh()
    return base.subtarget(error_model=callconv.create_error_model("numpy", base))  # type: ignore[no-untyped-call]


def typing() -> Any:
    """Numba's knowledge of types."""
    return cpu_target.typing_context
