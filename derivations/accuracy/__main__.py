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

#: Where no stable form is computed, and why, by name and part: differences of independent numbers, whose digits no
#: arithmetic of a fixed length keeps at every point.
NONE_FOUND: dict[tuple[str, str], str] = {
    ("snake", "slope"): "1 + sin 2ax, where 2ax is beyond the largest number: (sin ax + cos ax)², whose terms cancel",
    ("triplet_margin", "slope"): "the difference of two unit vectors, which are nearly the same for a far anchor; by "
    "hand it is one of products of two entries each, as many as the square of their number, which is not computed",
    ("giou", "slope"): "what is left of shares of the hull and of the boxes, where one box is all but the hull",
}
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
where the value can be represented). ‡: no stable form is there, for the reason below, which also
says the error in units of what counts then. `symdl accuracy NAME` measures again. Figures are rounded up.

"""
WHY = """
## Where no stable form is there

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
            mark = "‡" if (found.name, part) in NONE_FOUND else ""
            beside = f" ({figure(max(peers))})" if peers else ""
            cells.append(figure(max(r.worst for r in rows)) + mark + beside)
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
    return "".join([HEAD, TABLE, *one, SEVERAL, TABLE, *several, WHY, *(why(f) for f in found)])


def why(found: sd.Accuracy) -> str:
    """The reasons for which a function has no stable form, with what its errors are relative to."""
    lines = []
    for part in ("value", "slope"):
        rows = [r for r in found.rows if r.part.startswith(part) and not r.passed]
        if (found.name, part) in NONE_FOUND and rows:
            relative = figure(max(r.relative or 0.0 for r in rows))
            share = max(r.above[-1] for r in rows)
            numbers = ", ".join(f"{condition(r.condition)} in {r.dtype}" for r in rows)
            lines.append(
                f"- `{found.name}`, {part}: {NONE_FOUND[found.name, part]}. {share:.1%} of the points are beyond 4 "
                f"ulps; in ulps of the sum of \\|terms\\| the largest error is {relative}. "
                f"Condition number at the largest error: {numbers}.\n"
            )
    return "".join(lines)


def condition(number: float | None) -> str:
    """
    >>> condition(30.0), condition(float("inf"))
    ('3e+01', '∞')
    """
    return "∞" if number is None or math.isinf(number) else f"{number:.0e}"


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
    kept = (r.passed or (r.conditioned and (f.name, r.part.split()[0]) in NONE_FOUND) for f in found for r in f.rows)
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
