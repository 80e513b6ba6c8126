"""Measure every activation and every loss and write accuracy.md: `python -m derivations.accuracy`.

Other than the rest of the gallery this is not compared letter by letter: the last digit of an error hangs on the
processor and on the C library's functions. The test reads the table, holds every line to the bound, and measures some
of them again.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import symdl as sd
from symdl.library.activations import ACTIVATIONS
from symdl.testing.records import Swept

#: Losses with options, after the line without.
OPTIONS: dict[str, dict[str, Any]] = {"softmax_cross_entropy": {"target": "classes"}}
#: How many examples are tried of functions of several numbers.
EXAMPLES = 240

PAGE = Path(__file__).resolve().parent / "accuracy.md"
HEAD = """# Accuracy

The largest errors of compiled activations and losses and of their slopes, in units in the last place (ulps), over all
finite numbers of each dtype: a logarithmic grid of both signs with subnormal numbers and ±0, the edges of overflow and
underflow, kinks, roots and their neighbours, random bit patterns, and the surroundings of the largest errors once more.
A correctly rounded result is at most 0.5 off; at most 4 are allowed, and no NaN or infinity where the value can be
represented. True values come from the definition in ball arithmetic, with as many digits as it takes.
*: compiled with twice the digits and without overflow, which these definitions ask for (`careful`).

PyTorch's operation and its autograd, on the same points and on the same processor, stand beside (†: NaN, or infinite,
where the value can be represented). `symdl accuracy NAME` measures again. Figures are rounded up.

"""
TABLE = """| function | value, float64 | slope, float64 | value, float32 | slope, float32 |
| --- | ---: | ---: | ---: | ---: |
"""
SEVERAL = """
## Functions of several numbers

Each number in turn runs over the same kinds of numbers, within what is stated of it, while the others are 0, small, of
size 1, 24 or 9000, with all digits; labels go through all that they can be, target probabilities are 1 for one class.
Every entry of the value is differentiated by every input that is no label; the largest error of all slopes is shown.

"""


def line(found: sd.Accuracy) -> str:
    """One function: our errors, and PyTorch's in parentheses; of several slopes the largest."""
    cells = []
    for dtype in ("float64", "float32"):
        for part in ("value", "slope"):
            rows = [r for r in found.rows if r.dtype == dtype and r.part.startswith(part)]
            peers = [r.peer for r in rows if r.peer is not None]
            beside = f" ({figure(max(peers))})" if peers else ""
            cells.append(figure(max(r.worst for r in rows)) + beside)
    return f"| `{found.name}`{'*' if _careful(found.name) else ''} | {' | '.join(cells)} |"


def _careful(name: str) -> bool:
    """Whether the definition asks for twice the digits."""
    return name not in ACTIVATIONS and sd.definition(name.split(",")[0]).careful


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
    one = [f"{line(f)}\n" for f in found if f.name in ACTIVATIONS]
    several = [f"{line(f)}\n" for f in found if f.name not in ACTIVATIONS]
    return "".join([HEAD, TABLE, *one, SEVERAL, TABLE, *several])


def measured(names: Sequence[str], kept: Path | None) -> Iterator[sd.Accuracy]:
    """Functions in the order of the page; what a folder has of them is not measured again."""
    for name in names:
        for options in ({}, OPTIONS[name]) if name in OPTIONS else ({},):
            file = kept and kept / f"{name}{'_options' if options else ''}.json"
            if file and file.exists():
                yield _read(file)
                continue
            print(name, file=sys.stderr)
            points = {} if name in ACTIVATIONS else {"points": EXAMPLES}
            found = sd.sweep(name, peer=True, **points, **options)
            if file:
                file.write_text(json.dumps(found.to_json()), encoding="utf-8")
            yield found


def _read(file: Path) -> sd.Accuracy:
    found = json.loads(file.read_text(encoding="utf-8"))
    rows = [{k: v for k, v in r.items() if k != "passed"} for r in found["rows"]]
    return sd.Accuracy(found["name"], tuple(Swept(**{**r, "above": tuple(r["above"])}) for r in rows))


def main(arguments: Sequence[str]) -> int:
    """Write the page; 1 where an error is beyond the bound.

    With a folder and names, those are measured and kept there; with a folder alone, the page is made of what it keeps.
    """
    folder, names = (Path(arguments[0]), arguments[1:]) if arguments else (None, [])
    found = list(measured(names or sd.swept(), folder))
    if not names:
        PAGE.write_text(page(found), encoding="utf-8")
    return 0 if all(f.passed for f in found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
