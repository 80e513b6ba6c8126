"""How the two possibilities grow: operations, seconds and characters of LaTeX, by depth and width.

The network is the one of the lecture: `width` inputs, `depth` hidden layers of `width` tanh units, one output, squared
loss, one example, everything written out (w_00 x_0 + w_01 x_1 + …). "It gets complex quite quickly": this says how.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import sympy

from symdl.core.definitions import Definition
from symdl.core.equations import Equation
from symdl.core.files import write_bytes_atomic
from symdl.core.tensors import Element, Tensor, outermost_reductions
from symdl.core.unroll import elements, unroll
from symdl.derivation.cost import operations
from symdl.derivation.derive import derive
from symdl.derivation.inline import inline
from symdl.derivation.steps import Derivation
from symdl.rendering.mathprinter import MathPrinter

#: An expansion of more operations than this is counted, not built.
BUILD_LIMIT = 20_000


@dataclass(frozen=True)
class GrowthRow:
    """One network. Operations of the expansion are exact, counted without building it; its seconds and characters are
    measured where it has at most `BUILD_LIMIT` operations, else None."""

    width: int
    depth: int
    expand_operations: int
    expand_seconds: float | None
    expand_characters: int | None
    chain_operations: int
    chain_seconds: float
    chain_characters: int


@dataclass(frozen=True)
class Growth:
    """All rows, by width and depth."""

    rows: tuple[GrowthRow, ...]

    def to_json(self) -> list[dict[str, Any]]:
        """One object a row."""
        return [asdict(r) for r in self.rows]


def growth(
    network: Callable[[int], Definition],
    *,
    depths: Iterable[int] = range(1, 9),
    widths: Iterable[int] = (1, 2, 4, 8, 16),
    limit: int = BUILD_LIMIT,
    progress: Callable[[str], None] = lambda _: None,
) -> Growth:
    """Measure both ways.

    Args:
        network: depth → a definition whose hidden indices have symbolic extents and whose batch index is n.
        depths, widths: what to measure.
        limit: operations up to which an expansion is really built and printed.
        progress: called with a few words before each network.
    """
    rows = []
    for depth in depths:
        progress(f"depth {depth}: deriving with Σ")
        started = time.perf_counter()
        definition = network(depth)
        chain = derive(definition)
        chain_seconds = time.perf_counter() - started
        whole = derive(definition, via="expand")
        for width in widths:
            progress(f"depth {depth}, width {width}")
            rows.append(_row(depth, width, chain, whole, chain_seconds, limit))
    return Growth(tuple(sorted(rows, key=lambda r: (r.width, r.depth))))


def _row(depth: int, width: int, chain: Derivation, whole: Derivation, seconds: float, limit: int) -> GrowthRow:
    free = {name for name, extent in chain.gradient.extents.items() if extent.is_Symbol}
    extents = {name: 1 if name == "n" else width for name in free}
    short = chain.gradient.at(**extents)
    expanded = expanded_operations(whole, {chain.gradient.extents[name]: size for name, size in extents.items()})
    built: tuple[float | None, int | None] = (None, None)
    if expanded <= limit:
        built = _build(whole.gradient.at(**extents))
    return GrowthRow(width, depth, expanded, *built, chain_operations(short), seconds, _characters(short))


def expanded_operations(whole: Derivation, extents: Mapping[sympy.Symbol, int]) -> int:
    """Operations of all gradients, each written out as one expression over the inputs, without building them."""
    final = {step.subject.name: step.after for step in whole.steps if step.rule in ("E'", "R3", "R6")}
    written = {name: inline(whole.gradient, final[whole.names[name]]) for name in whole.wrt}
    return sum(_written(written[name], extents) * _size(whole[name], extents) for name in whole.wrt)


def _written(expr: sympy.Expr, extents: Mapping[sympy.Symbol, int]) -> int:
    """Operations of an expression whose sums are written out."""
    total = operations(expr)
    for node in outermost_reductions(expr):
        times = 1
        for index in node.bound:
            times *= int(index.extent.subs(extents))
        # `operations` counts a sum as one operation and its body once
        total += times * _written(node.body, extents) + times - 1 - 1 - operations(node.body)
    return total


def chain_operations(gradient: Definition) -> int:
    """Operations of all equations, written out, each value computed once and used where it is needed."""
    return sum(_own(eq) * _size(eq.out) for eq in gradient.equations)


def _own(eq: Equation) -> int:
    """Operations of one element of an equation with concrete extents."""
    return sum(_written(t.expr, {}) for t in eq.terms) + len(eq.terms) - 1


def _size(tensor: Tensor, extents: Mapping[sympy.Symbol, int] | None = None) -> int:
    count = 1
    for extent in tensor.shape:
        count *= int(extent.subs(extents or {}))
    return count


def _build(gradient: Definition) -> tuple[float, int]:
    """Seconds to write the target out and differentiate it by every element, and the characters of what comes out."""
    target = unroll(inline(gradient, gradient.target.element()))
    sources = [e for t in gradient.parameters for e in elements(t)]
    started = time.perf_counter()
    atoms = {e: sympy.Symbol(f"v{k}", real=True) for k, e in enumerate(sorted(target.atoms(Element), key=str))}
    scalar = target.xreplace(atoms)
    slopes = [scalar.diff(atoms[e]) for e in sources]
    seconds = time.perf_counter() - started
    back = {v: k for k, v in atoms.items()}
    printer = MathPrinter()
    return seconds, sum(len(printer.math(s.xreplace(back))) for s in slopes)


def _characters(gradient: Definition) -> int:
    """Characters of all equations written out: one element of each tensor is printed, and counted for all of them."""
    printer = MathPrinter()
    total = 0
    for eq in gradient.equations:
        element = next(elements(eq.out))
        total += len(printer.math(unroll(eq.at(element.subscripts)))) * _size(eq.out)
    return total


def plot_growth(measured: Growth, path: str | Path) -> Path:
    """Operations over depth, one curve a width, both ways on one logarithmic axis; .svg, .png or .pdf."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    ends = []
    for key, colour, label in (("expand_operations", "#D55E00", "expanded"), ("chain_operations", "#0072B2", "chain")):
        for width in sorted({r.width for r in measured.rows}):
            rows = [r for r in measured.rows if r.width == width]
            axes.plot([r.depth for r in rows], [getattr(r, key) for r in rows], color=colour, marker="o", ms=3, lw=1.3)
            ends.append((float(getattr(rows[-1], key)), f"{label}, width {width}", colour))
    deepest = max(r.depth for r in measured.rows)
    for height, text, colour in _apart(ends):
        axes.text(deepest * 1.02 + 0.05, height, text, va="center", fontsize=8, color=colour)
    axes.set_xticks(sorted({r.depth for r in measured.rows}))
    axes.set_yscale("log")
    axes.set_xlabel("hidden layers")
    axes.set_ylabel("operations in all gradients")
    axes.set_title("It gets complex quite quickly: expansion against the chain rule", loc="left", fontsize=11)
    axes.margins(x=0.02)
    axes.set_xlim(right=deepest * 1.3)
    axes.spines[["top", "right"]].set_visible(False)
    drawn = BytesIO()
    figure.savefig(drawn, format=Path(path).suffix.lstrip(".") or "svg")
    return write_bytes_atomic(path, drawn.getvalue())


def _apart(ends: list[tuple[float, str, str]]) -> list[tuple[float, str, str]]:
    """Labels moved up where they would touch, on a logarithmic axis: at least a 28th of its height apart."""
    ordered = sorted(ends)
    gap = (ordered[-1][0] / ordered[0][0]) ** (1 / 28)
    placed: list[tuple[float, str, str]] = []
    for height, text, colour in ordered:
        lowest = placed[-1][0] * gap if placed else height
        placed.append((max(height, lowest), text, colour))
    return placed
