"""Python names for tensors, indices and extents: those of the author where Python allows it."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

from symdl.compilation.targets import helpers
from symdl.compilation.targets.kernels import ENTRY, KERNEL, SUFFIX
from symdl.compilation.targets.products import PRODUCT

_RESERVED = {
    "math", "np", "njit", "abs", "added", "real", "value", "work", "range", "min", "max", "float", "int",
    "len", "at", "rows", "order", "batch_size", "losses", "done", "start", "stop", "count", "broken", "row",
    "first_step", KERNEL, ENTRY, "shared_product", "team_product", PRODUCT,
    "carray", "stack", "view", "update", *helpers.NAMES, *helpers.MACHINE,
}  # fmt: skip


class Names:
    """Hands out identifiers, each once."""

    def __init__(self, taken: set[str] | None = None) -> None:
        self.taken = set(taken or ()) | _RESERVED
        self.loops: set[str] = set()

    def new(self, wanted: str) -> str:
        """`wanted` as an identifier, with a number behind it where it is taken.

        >>> names = Names()
        >>> names.new("lambda"), names.new("w"), names.new("w"), names.new("x'")
        ('lambda_', 'w', 'w_2', 'x_p')
        """
        stem = re.sub(r"\W", "_", wanted.replace("'", "_p"))
        if not stem.isidentifier():
            stem = f"v_{stem}"
        if keyword.iskeyword(stem) or stem in _RESERVED or stem.endswith((SUFFIX, "_form")):
            stem += "_"
        name, number = stem, 1
        while name in self.taken or name in self.loops:
            number += 1
            name = f"{stem}_{number}"
        self.taken.add(name)
        return name

    def loop(self, wanted: str, around: Iterable[str]) -> str:
        """`wanted` as the variable of a loop inside of others; loops beside each other may have the same.

        >>> names = Names()
        >>> names.loop("t", []), names.loop("t", ["t"]), names.loop("t", []), names.new("t")
        ('t', 't_', 't', 't_2')
        """
        name = wanted.replace("'", "_p")
        while name in around or name in self.taken:
            name += "_"
        self.loops.add(name)
        return name
