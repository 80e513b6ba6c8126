"""Measure every activation and every loss and write accuracy.md: `python -m derivations.accuracy`.

Other than the rest of the gallery this is not compared letter by letter: the last digit of an error hangs on the
processor and on the C library's functions. The test reads the table, holds every line to the bound, and measures some
of them again.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import symdl as sd
from symdl.library.activations import ACTIVATIONS

_GATE = "a gate that is below the smallest normal number, times a large number"
_ZERO = "a product of the largest numbers overflows before it is multiplied by 0"
_MARGIN = "on the margin, three numbers cancel, and rounding decides which side it is"
_SCORES = "scores are sums of products, whose rounding the exponential magnifies, and which overflow"
_AREAS = "differences of nearly equal areas, and areas that overflow"
#: What no stable form was found for, and why, by name and part.
NONE_FOUND: dict[tuple[str, str], str] = {
    ("snake", "slope"): "twice a number beyond half of the largest one is infinite; below that it keeps its digits",
    ("glu", "value"): _GATE,
    ("swiglu", "value"): _GATE,
    ("swiglu", "slope"): _ZERO,
    ("geglu", "value"): _GATE,
    ("poisson_nll", "value"): "e^y − t y vanishes on a curve, and where both are infinite the difference is lost",
    ("poisson_nll", "slope"): "e^y − t vanishes on a curve",
    ("gaussian_nll", "value"): "log v + (t − y)²/v vanishes on a surface",
    ("softmax_focal", "value"): "the power of a sum of shares, whose roundings add up",
    ("gaussian_nll", "slope"): "v − (t − y)² vanishes on a surface",
    ("focal", "slope"): _ZERO,
    (
        "softmax_focal",
        "slope",
    ): "the slope for the right class is a difference of nearly equal terms where it is nearly 1",
    ("multi_margin", "value"): _MARGIN,
    ("multi_margin", "slope"): _MARGIN,
    ("multilabel_margin", "value"): _MARGIN,
    ("multilabel_margin", "slope"): _MARGIN,
    ("cosine_embedding", "value"): "1 − cos of nearly parallel vectors",
    ("cosine_embedding", "slope"): "what is left of one vector beside the other, and squares that overflow",
    ("triplet_margin", "value"): "a difference of nearly equal distances, and squares that overflow",
    ("triplet_margin", "slope"): "squares that overflow, or vanish, before the root is taken",
    ("kl_divergence", "value"): "where both t log t and t x are infinite, the difference is lost",
    ("info_nce", "value"): _SCORES,
    ("info_nce", "slope"): _SCORES,
    ("jensen_shannon", "value"): "logarithms of nearly 1, which cancel once more",
    ("jensen_shannon", "slope"): "the logarithm of a quotient that is nearly 1",
    ("iou", "value"): _AREAS,
    ("iou", "slope"): _AREAS,
    ("giou", "value"): _AREAS,
    ("giou", "slope"): _AREAS,
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

PyTorch's operation and its autograd, on the same points and on the same processor, stand beside (†: NaN, or infinite,
where the value can be represented). ‡: no stable form was found, for the reason below;
it is computed as the derivation has it. `symdl accuracy NAME` measures again. Figures are rounded up.

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
    one = [f"{line(f)}\n" for f in found if f.name in ACTIVATIONS]
    several = [f"{line(f)}\n" for f in found if f.name not in ACTIVATIONS]
    return "".join([HEAD, TABLE, *one, SEVERAL, TABLE, *several, why()])


def why() -> str:
    """The reasons for which no stable form was found."""
    parts: dict[tuple[str, str], list[str]] = {}
    for (name, part), reason in NONE_FOUND.items():
        parts.setdefault((name, reason), []).append(part)
    lines = [f"- `{name}`, {' and '.join(kinds)}: {reason}.\n" for (name, reason), kinds in parts.items()]
    return "".join(["\n## Where no stable form was found\n\n", *lines])


def measured() -> Iterator[sd.Accuracy]:
    """Every function, in the order of the page."""
    for name in sd.swept():
        print(name, file=sys.stderr)
        points = {} if name in ACTIVATIONS else {"points": EXAMPLES}
        yield sd.sweep(name, peer=True, **points)
        if name in OPTIONS:
            yield sd.sweep(name, peer=True, points=EXAMPLES, **OPTIONS[name])


def main() -> int:
    """Write the page; 1 where an error is beyond the bound."""
    found = list(measured())
    PAGE.write_text(page(found), encoding="utf-8")
    allowed = {(f.name, part) for f in found for part in ("value", "slope") if (f.name, part) in NONE_FOUND}
    kept = (r.passed or (f.name, r.part.split()[0]) in allowed for f in found for r in f.rows)
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
