"""How emitted functions are linked."""

from __future__ import annotations

from functools import cache
from typing import Any

import llvmlite.binding  # type: ignore[import-untyped]


def kept_apart(kernel: Any) -> Any:
    """The compiled function, such that its callers refer to its machine code.

    Numba links the code of a callee into each caller and optimises it again there: a kernel of a network was compiled
    three times, itself, in `gradient` and in `epoch`. What a library gives for linking is emptied, so that a call is
    resolved by its symbol. Where Numba has no such attribute any more, all that changes is the time.
    """
    for result in kernel.overloads.values():
        result.library._shared_module = _nothing()
    kernel.stands_apart = True
    return kernel


def is_apart(function: Any) -> bool:
    """Whether callers refer to the function by its symbol."""
    return getattr(function, "stands_apart", False) is True


@cache
def _nothing() -> Any:
    return llvmlite.binding.parse_assembly("")
