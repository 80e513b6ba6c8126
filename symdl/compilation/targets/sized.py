"""Functions for the extents that are expected: their lengths are numbers in the code, beside the one that takes any.

LLVM unrolls and vectorises short loops whose lengths and steps it knows. On long ones that gains nothing, so only small
steps of training get such functions (ADR 21 says how they are checked).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from symdl.compilation.composite import integers
from symdl.compilation.extents import Axes, Key
from symdl.core.indices import Index

#: What the names of these functions end with.
SIZED = "_sized"
#: Bytes of the stack that a function takes at most.
ROOM = 65_536
Shapes = Mapping[str, tuple[int, ...]]
IMPORT = "from numba import carray\nfrom symdl.compilation.machine.addresses import pointer, stack\n"
_AXES = "abcdef"


def size_of(axes: Axes, key: Key) -> int | None:
    """The expected length of a group of axes."""
    if key in axes.expected:
        return axes.expected[key]
    value = key.extent if isinstance(key, Index) else key
    value = value.xreplace(integers({k: v for k, v in axes.expected.items() if k.is_Symbol}))
    return int(value) if value.is_Integer else None


def shaped(name: str, kind: str, shape: tuple[int | str, ...]) -> str:
    """The line that gives an array its lengths."""
    return f"{name} = shaped{len(shape)}({name}, {kind}, {', '.join(map(str, shape))})"


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
        return f"{name} = carray(stack({size}), ({', '.join(map(str, shape))},), {kind})"


def helpers_used(text: str) -> list[str]:
    """Source of the helpers that a text calls, one for each number of axes.

    >>> print(helpers_used("x = shaped2(x, real, 4, 2)")[0])
    def shaped2(array, kind, a, b):
        \"\"\"The array with these lengths, which it has.\"\"\"
        return carray(pointer(array, 0), (a, b), kind)
    """
    found = []
    for name, rank in sorted(set(re.findall(r"\b(shaped|room)(\d)\(", text))):
        axes = ", ".join(_AXES[: int(rank)])
        tuple_of = f"({axes},)" if rank == "1" else f"({axes})"
        if name == "shaped":
            head, note = f"def shaped{rank}(array, kind, {axes}):", "The array with these lengths, which it has."
            value = f"carray(pointer(array, 0), {tuple_of}, kind)"
        else:
            head, note = f"def room{rank}(work, start, {axes}):", "The numbers from `start` on as an array."
            value = f"carray(pointer(work, start), {tuple_of}, real)"
        found.append("\n".join([head, f'    """{note}"""', f"    return {value}"]))
    return found
