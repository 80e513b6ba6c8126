"""Measure every activation and write accuracy.md: `python -m derivations.accuracy`.

Other than the rest of the gallery this is not compared letter by letter: the last digit of an error hangs on the
processor and on the C library's functions. The test reads the table, holds every line to the bound, and measures some
of them again.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path

import symdl as sd

#: What no stable form was found for: 1 + sin(2 a x), the slope of snake, has double roots without end.
NONE_FOUND = {("snake", "slope")}

PAGE = Path(__file__).resolve().parent / "accuracy.md"
HEAD = """# Accuracy

The largest errors of compiled activations and of their slopes, in units in the last place (ulps), over all finite
numbers of each dtype: a logarithmic grid of both signs with subnormal numbers and ±0, the edges of overflow and
underflow, kinks, roots and their neighbours, random bit patterns, and the surroundings of the largest errors once more.
A correctly rounded result is at most 0.5 off; at most 4 are allowed, and no NaN or infinity where the value can be
represented. True values come from the definition in ball arithmetic, with as many digits as it takes.

PyTorch's operation and its autograd, on the same points and on the same processor, stand beside (†: NaN, or infinite,
where the value can be represented). ‡: no stable form was found;
it is computed as the derivation has it. `symdl accuracy NAME` measures again. Figures are rounded up.

| function | value, float64 | slope, float64 | value, float32 | slope, float32 |
| --- | ---: | ---: | ---: | ---: |
"""


def line(found: sd.Accuracy) -> str:
    """One function: our errors, and PyTorch's in parentheses."""
    cells = [
        figure(r.worst)
        + ("‡" if (found.name, r.part) in NONE_FOUND else "")
        + (f" ({figure(r.peer)})" if r.peer is not None else "")
        for r in found.rows
    ]
    return f"| `{found.name}` | {' | '.join(cells)} |"


def figure(error: float) -> str:
    """
    >>> figure(1.21), figure(9007199254740992.0), figure(float("inf"))
    ('1.3', '1e+16', '†')
    """
    if math.isinf(error):
        return "†"
    if error < 1000:
        return f"{math.ceil(10 * error) / 10:.1f}"
    size = 10 ** math.floor(math.log10(error))
    return f"{math.ceil(error / size) * size:.0e}"


def page(found: Sequence[sd.Accuracy]) -> str:
    """The whole page."""
    return HEAD + "\n".join(map(line, found)) + "\n"


def main() -> int:
    """Write the page; 1 where an error is beyond the bound."""
    found = []
    for name in sd.swept():
        print(name, file=sys.stderr)
        found.append(sd.sweep(name, peer=True))
    PAGE.write_text(page(found), encoding="utf-8")
    return 0 if all(r.passed or (f.name, r.part) in NONE_FOUND for f in found for r in f.rows) else 1


if __name__ == "__main__":
    sys.exit(main())
