"""Functions for the extents that are expected: their lengths are numbers in the code, beside the one that takes any.

LLVM unrolls and vectorises short loops whose lengths and steps it knows. On long ones that gains nothing, so only small
steps of training get such functions (ADR 21 says how they are checked).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from symdl.compilation.composite import integers
from symdl.compilation.extents import Axes, Key
from symdl.compilation.plan import Plan
from symdl.compilation.targets.workspace import tuple_of, viewed
from symdl.core.indices import Index

#: Bytes of the stack that a function takes at most.
ROOM = 65_536
Shapes = Mapping[str, tuple[int, ...]]


def size_of(axes: Axes, key: Key) -> int | None:
    """The expected length of a group of axes."""
    if key in axes.expected:
        return axes.expected[key]
    value = key.extent if isinstance(key, Index) else key
    value = value.xreplace(integers({k: v for k, v in axes.expected.items() if k.is_Symbol}))
    return int(value) if value.is_Integer else None


def shapes_of(plan: Plan) -> Shapes:
    """The expected shapes of all tensors of a plan, by name; 0 stands for a length that is not known."""
    axes = plan.axes
    return {b.name: tuple(axes.size(i, axes.expected) or 0 for i in b.tensor.indices) for b in plan.buffers}


def is_known(plan: Plan) -> bool:
    """Whether all lengths of a step are known."""
    axes, shapes = plan.axes, shapes_of(plan)
    return all(0 not in s for s in shapes.values()) and all(size_of(axes, e.key) is not None for e in plan.extents)


def shaped(name: str, shape: tuple[int | str, ...]) -> str:
    """The line that gives an array its lengths.

    >>> shaped("x", (4, 2))
    'x = view(x, 0, (4, 2))'
    """
    return f"{name} = {viewed(name, '0', [str(s) for s in shape])}"


def flat(array: str, start: str, size: str) -> str:
    """Entries of an array as a row of numbers."""
    return viewed(array, start, [size])


class Stack:
    """Hands out arrays on the stack, up to `ROOM` bytes in all; they are where LLVM sees best what happens to them."""

    def __init__(self, dtype: str) -> None:
        self.size, self.left = np.dtype(dtype).itemsize, ROOM

    def array(self, name: str, shape: tuple[int, ...], kind: str = "real") -> str | None:
        """The line that makes an array; None where there is no room for it."""
        size = int(np.prod(shape)) * (self.size if kind == "real" else 8)
        if size > self.left:
            return None
        self.left -= size
        return f"{name} = carray(stack({size}), {tuple_of([str(s) for s in shape])}, {kind})"
