"""Tables of what is proved of a loss or of an activation of several numbers, section by section."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import symdl as sd
from derivations.activation import span_tex, told, value_tex
from symdl.rendering.document import Block, Heading, Paragraph, Table
from symdl.verification.sections import FieldProperties, Section

ROWS = {
    "range": "range",
    "minimum": "minimum",
    "bend": "bend",
    "monotone": "monotone",
    "limits": "limits",
    "slope_limits": "limits of the slope",
    "lipschitz": "Lipschitz constant",
    "smoothness": "Lipschitz constant of the slope",
}
ENDS = {"−∞": r"-\infty", "∞": r"\infty"}


def property_blocks(name: str) -> Iterator[Block]:
    """The section on properties of an entry of the library."""
    found: FieldProperties = sd.properties(name)
    yield Heading("Properties", 3)
    yield Paragraph(f"Derived; each has a proof, by symdl properties {name}.")
    if found.convex is not None:
        yield Paragraph(f"Convex in the prediction: {_fact('convex', found.convex)}.")
    for section in found.sections:
        yield Paragraph(f"Along $s$, which is {section.of}:")
        yield Table(("property", "what is proved"), tuple(_rows(section)))


def _rows(section: Section) -> Iterator[tuple[str, str]]:
    for name, fact in section.facts():
        yield ROWS[name], _fact(name, fact)


def _fact(name: str, fact: Any) -> str:
    if not fact:
        return f"not decided: {fact.how}"
    match name:
        case "convex":
            return f"{fact.text}, by {fact.how}" if fact.value else str(fact.text)
        case "minimum":
            places = " ∪ ".join(map(span_tex, fact.value.at))
            return f"{value_tex(fact.value.value)} at {places}" if fact.value.value is not None else fact.value.why
        case "bend":
            changes = ", ".join(map(value_tex, fact.value.changes))
            return f"{fact.value.word}: its bend changes at {changes}" if changes else fact.value.word
        case "smoothness":
            return told("lipschitz", fact)
        case "limits" | "slope_limits":
            sides = zip((fact.value.at_minus, fact.value.at_plus), fact.value.ends, strict=True)
            return ", ".join(f"{value_tex(v) if v else 'none'} at ${ENDS.get(e, e)}$" for v, e in sides)
    return told(name, fact)
