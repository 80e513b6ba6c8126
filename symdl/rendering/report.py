"""One document out of several results: both derivations, the verdict on them, worked numbers, figures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from symdl.derivation.steps import Derivation
from symdl.derivation.worked import Worked
from symdl.rendering.describe import describe_derivation, describe_worked
from symdl.rendering.document import Block, Document, Figure, Heading, Paragraph, Table
from symdl.rendering.drawing import svg, tikz
from symdl.rendering.graph import layout
from symdl.rendering.names import parse_name

_WAYS = {
    "chain": "Second possibility: the chain rule",
    "expand": "First possibility: expand, then differentiate",
}


def report(
    derivations: Sequence[Derivation],
    *,
    worked: Mapping[str, Worked] | None = None,
    verdict: Any = None,
    figures: Iterable[Figure] = (),
    notation: str = "index",
    title: str = "",
) -> Document:
    """Put results of one definition into one document.

    Args:
        derivations: one, or both ways of the same gradient.
        worked: calculations with numbers, by heading.
        verdict: what was decided on their equality; shown in its own words.
        figures: drawings, shown after the definition.
        notation: "index" or "matrix".
        title: of the document; by default from the definition.
    """
    # the first possibility first, as a lecture has it
    ordered = sorted(derivations, key=lambda d: d.via != "expand")
    parts = [describe_derivation(d, notation) for d in ordered]
    if len(parts) == 1:
        (part,) = parts
        return Document(title or part.title, (*figures, *part.blocks, *_numbers(worked or {})))
    blocks: list[Block] = [*figures]
    if verdict is not None:
        blocks += [Heading("Are both the same?"), Paragraph(verdict_words(verdict, derivations[0].gradient.tensors))]
    blocks += [Heading("What they cost"), _costs(ordered)]
    for derivation, part in zip(ordered, parts, strict=True):
        blocks.append(Heading(_WAYS[derivation.via]))
        blocks += [Heading(b.text, 3) if isinstance(b, Heading) else b for b in part.blocks]
    name = derivations[0].source.name.replace("_", " ")
    return Document(title or f"{name}: the gradient, both ways", (*blocks, *_numbers(worked or {})))


def verdict_words(verdict: Any, names: Iterable[str]) -> str:
    """A verdict in its own words, the tensors of its scope set as formulas.

    Args:
        verdict: has a `scope` and is written by `str`.
        names: of the tensors.

    >>> class Verdict:
    ...     scope = "W_bar, all real x[n, i], a and all extents"
    ...     __str__ = lambda self: f"proved for {self.scope} (a normal form)"
    >>> print(verdict_words(Verdict(), ["W_bar", "x", "a"]))
    proved for $\\bar{W}$, all real $x_{ni}$, $a$ and all extents (a normal form)
    >>> print(verdict_words(Verdict(), []))
    proved for W_bar, all real x[n, i], a and all extents (a normal form)
    """
    called = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    if not called:
        return str(verdict)
    name = re.compile(rf"\b(?P<name>{called})\b(?:\[(?P<at>[^\]]*)\])?")
    return str(verdict).replace(verdict.scope, name.sub(_as_formula, verdict.scope), 1)


def _as_formula(found: re.Match[str]) -> str:
    subscripts = re.findall(r"\w+", found["at"] or "")
    return f"${parse_name(found['name'], layered=True).tex(*subscripts)}$"


def graph_figure(derivation: Derivation, values: Mapping[str, Any], caption: str = "", link: str = "") -> Figure:
    """The computation graph of a derivation with its numbers: values on the wires, slopes beneath them.

    Args:
        derivation: by the chain rule, of a scalar.
        values: as for `Derivation.at`.
        caption: under the drawing.
        link: the file that Markdown points to; empty: Markdown holds the drawing itself.
    """
    worked = derivation.at(values)
    concrete = derivation.source.at(
        **{n: int(e) for n, e in worked.definition.extents.items() if n in _symbolic(derivation)}
    )
    placed = layout(concrete, worked.values)
    words = caption or "Values stand above the wires, the slopes of the loss beneath them."
    return Figure(svg(placed), tikz(placed), words, link)


def _symbolic(derivation: Derivation) -> set[str]:
    return {name for name, extent in derivation.source.extents.items() if extent.is_Symbol}


def _numbers(worked: Mapping[str, Worked]) -> list[Block]:
    blocks: list[Block] = []
    for title, one in worked.items():
        blocks.append(Heading(title))
        blocks += [Heading(b.text, 3) if isinstance(b, Heading) else b for b in describe_worked(one).blocks]
    return blocks


def _costs(derivations: Sequence[Derivation]) -> Table:
    rows = tuple((_WAYS[d.via], str(d.cost.operations), str(d.cost.operations_shared)) for d in derivations)
    return Table(("way", "operations as written", "with common subexpressions shared"), rows)
