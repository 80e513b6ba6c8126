"""The figures of a run as a table and a picture in a page of the documentation, in the place of those of the last run.

`python -m benchmarks.workloads.page RESULTS.json PAGE.md`; two comments in the page say between where all is replaced.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
matplotlib.rcParams["svg.hashsalt"] = "symdl"  # the same figures make the same file
from matplotlib import pyplot  # noqa: E402

from symdl.core.files import write_text_atomic  # noqa: E402
from symdl.errors import DataError  # noqa: E402

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
#: The picture, beside the page.
PICTURE = "images/workloads.svg"
#: Peers by the beginnings of their names, with what they look like.
KINDS = {
    "PyTorch eager": ("o", "tab:orange"),
    "PyTorch compile": ("s", "tab:red"),
    "JAX jit": ("^", "tab:blue"),
    "JAX scan": ("D", "tab:cyan"),
    "TensorFlow": ("v", "tab:green"),
    "PyTensor": ("P", "tab:purple"),
    "scikit-learn": ("*", "tab:brown"),
    "NumPy": ("x", "tab:gray"),
}
#: Whose versions are told.
PACKAGES = (
    ("PyTorch", "torch"),
    ("JAX", "jax"),
    ("scikit-learn", "scikit-learn"),
    ("TensorFlow", "peer tensorflow_cpu"),
    ("PyTensor", "peer pytensor"),
)
HEAD = (
    "| workload | symdl, µs a step | the best peer | its µs | ratio | of least | MFLOP, share | MB, share | cold, s |\n"
    "| --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: |"
)


def written(found: Sequence[dict[str, Any]], machine: dict[str, Any]) -> str:
    """What stands between the two comments."""
    parts = [BEGIN, "", about(machine), ""]
    for dtype in dict.fromkeys(f["dtype"] for f in found):
        parts += [f"In {dtype}:", "", HEAD, *(row(f) for f in found if f["dtype"] == dtype), ""]
    parts += [
        f"![How many times as long as symdl everyone takes for a step, by workload.]({PICTURE})",
        "",
        "*How many times as long as symdl everyone takes for a step, by workload (medians, logarithmic); what stands "
        "left of the line is quicker.*",
        "",
        END,
    ]
    return "\n".join(parts)


def about(machine: dict[str, Any]) -> str:
    """The machine, in a sentence."""
    packages = machine.get("packages", {}) | {f"peer {n}": v for n, v in machine.get("peers", {}).items()}
    versions = ", ".join(f"{name} {packages[p]}" for name, p in PACKAGES if p in packages)
    loads = machine.get("load", (0.0,))
    return (
        f"Measured on {machine['time']} on {machine['processor']}, {machine.get('usable_cores', '?')} cores, "
        f"Python {machine['python']}, {versions}; load {loads[0]:.1f} when it began. Medians with the range; "
        '"of least" compares the quickest rounds; shares are those of a large product and of a copy in the same run.'
    )


def row(f: dict[str, Any]) -> str:
    """A line of the table."""
    mine, peer, roof, counts = f["microseconds"]["symdl"], f["microseconds"][f["best_peer"]], f["roofline"], f["counts"]
    return (
        f"| {f['workload']} | {figure(mine['median'])} ({figure(mine['least'])} to {figure(mine['most'])}) "
        f"| {f['best_peer']} | {figure(peer['median'])} ({figure(peer['least'])} to {figure(peer['most'])}) "
        f"| {f['ratio']:.2f} | {f['ratio_of_least']:.2f} "
        f"| {figure(counts['operations'] / 1e6)}, {roof['of_peak']:.0%} "
        f"| {figure(counts['moved'] / 1e6)}, {roof['of_copy']:.0%} "
        f"| {f['compile_seconds']:.1f} |"
    )


def figure(value: float) -> str:
    """Three digits.

    >>> figure(0.08881), figure(10432.7), figure(7.0)
    ('0.0888', '10,400', '7.00')
    """
    if value == 0:
        return "0"
    digits = 2 - math.floor(math.log10(abs(value)))
    return f"{round(value, digits):,.{max(digits, 0)}f}"


def picture(found: Sequence[dict[str, Any]]) -> Any:
    """How many times as long as symdl everyone takes."""
    made, axes = pyplot.subplots(figsize=(9, 0.42 * len(found) + 1.2), layout="constrained")
    for place, f in enumerate(found):
        mine = f["microseconds"]["symdl"]["median"]
        for kind, (marker, color) in KINDS.items():
            theirs = [s["median"] / mine for n, s in f["microseconds"].items() if n.startswith(kind)]
            axes.scatter(theirs, [place] * len(theirs), marker=marker, color=color, label=kind, s=28)
    axes.axvline(1.0, color="black", linewidth=1.2)
    axes.set_xscale("log")
    axes.set_yticks(range(len(found)), [f"{f['workload']}, {f['dtype']}" for f in found])
    axes.invert_yaxis()
    axes.set_xlabel("times as long as symdl")
    axes.grid(axis="x", which="both", alpha=0.25)
    handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    axes.legend(handles.values(), handles.keys(), loc="lower right", fontsize=8)
    return made


def replaced(page: Path, results: dict[str, Any]) -> None:
    """Put the table and the picture of some results into a page.

    Raises:
        DataError: the page lacks one of the two comments.
    """
    text = page.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise DataError(f"{page} has no place for figures", remedy=f"write {BEGIN} and {END} around it")
    before, rest = text.split(BEGIN)
    made = picture(results["found"])
    (page.parent / PICTURE).parent.mkdir(exist_ok=True)
    made.savefig(page.parent / PICTURE, metadata={"Date": None})
    pyplot.close(made)
    write_text_atomic(page, before + written(results["found"], results["machine"]) + rest.split(END)[1])


def main(arguments: Sequence[str]) -> int:
    """Replace the figures of a page by those of a file."""
    if len(arguments) != 2:
        print("usage: python -m benchmarks.workloads.page RESULTS.json PAGE.md", file=sys.stderr)
        return 2
    replaced(Path(arguments[1]), json.loads(Path(arguments[0]).read_text(encoding="utf-8")))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
