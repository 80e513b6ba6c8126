"""The functions at the head of an emitted module: which a text calls, with all that they call in turn."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache

from symdl.compilation.targets import compensated, elementary

#: By dtype and name, in an order in which they can be defined.
SOURCES = {dtype: elementary.SOURCES[dtype] | compensated.SOURCES[dtype] for dtype in elementary.SOURCES}
NAMES = tuple(SOURCES["float64"])
#: What they and forms take from `machine`, and the module it stands in.
MACHINE = {"fma": "arithmetic", "ldexp": "arithmetic", "chosen": "lanes"}


@cache
def for_processor(dtype: str) -> dict[str, str]:
    """The functions as this processor computes them best."""
    import llvmlite.binding  # type: ignore[import-untyped]

    at_once = llvmlite.binding.get_host_cpu_features().get("avx512f")
    return SOURCES[dtype] | ({"raised": elementary.RAISED_AT_ONCE[dtype]} if at_once else {})


def imported(text: str) -> str | None:
    """The lines that import what a text takes from `machine`; None where it takes nothing.

    >>> imported("return fma(a, b, c)")
    'from symdl.compilation.machine.arithmetic import fma'
    """
    found = _direct(text, tuple(MACHINE))
    modules = {m: [n for n, where in MACHINE.items() if where == m and n in found] for m in MACHINE.values()}
    lines = [f"from symdl.compilation.machine.{m} import {', '.join(names)}" for m, names in modules.items() if names]
    return "\n".join(lines) or None


def _direct(text: str, names: Sequence[str]) -> set[str]:
    return set(re.findall(rf"(?<![\w.])({'|'.join(names)})\(", text))


def used(text: str, sources: Mapping[str, str] = SOURCES["float64"], names: Sequence[str] = NAMES) -> list[str]:
    """The names of the functions that a text calls, those first that others call.

    Args:
        text: source.
        sources: of these functions, by name.
        names: of all of them, in an order in which they can be defined.

    >>> used("h = tanh(s)")
    ['exp_core', 'raised', 'twice_gap', 'tanh']
    >>> used("y = math.log(x) + wide_exp(x)")
    []
    """
    found: set[str] = set()
    new = _direct(text, names)
    while new:
        found |= new
        new = set().union(*(_direct(sources[n].split("\n", 1)[1], names) for n in new)) - found
    return [n for n in names if n in found]
