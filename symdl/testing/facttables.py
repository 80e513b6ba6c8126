"""What is proved of a function, as tables with formulas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy

from symdl.rendering.document import Block, Paragraph, Table
from symdl.rendering.mathprinter import MathPrinter
from symdl.verification.properties import Properties
from symdl.verification.ranges import Span, Value
from symdl.verification.sections import FieldProperties, Section

HEAD = ("property", "what is proved")
ONE = {
    "range": "range",
    "bounded": "bounded",
    "symmetry": "symmetry",
    "zero_centred": "zero-centred",
    "monotone": "monotone",
    "limits": "limits",
    "slope_limits": "limits of the slope",
    "lipschitz": "Lipschitz constant",
    "fixed_points": "fixed points",
}
SEVERAL = {
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


def property_tables(found: Properties | FieldProperties) -> Iterator[Block]:
    """The tables of a record of properties."""
    if isinstance(found, Properties):
        yield Table(HEAD, tuple((words, told(name, getattr(found, name))) for name, words in ONE.items()))
        return
    if found.convex is not None:
        yield Paragraph(f"Convex in the prediction: {told('convex', found.convex)}.")
    for section in found.sections:
        yield Paragraph(f"Along $s$, which is {section.of}:")
        yield Table(HEAD, tuple(_rows(section)))


def _rows(section: Section) -> Iterator[tuple[str, str]]:
    for name, fact in section.facts():
        yield SEVERAL[name], told(name, fact)


def told(name: str, fact: Any) -> str:
    """A property with formulas."""
    if not fact:
        return f"not decided: {fact.how}"
    match name:
        case "range":
            return " ∪ ".join(map(span_tex, fact.value))
        case "convex":
            return f"{fact.text}, by {fact.how}" if fact.value else str(fact.text)
        case "minimum":
            places = " ∪ ".join(map(span_tex, fact.value.at))
            return f"{value_tex(fact.value.value)} at {places}" if fact.value.value is not None else str(fact.value.why)
        case "bend":
            changes = ", ".join(map(value_tex, fact.value.changes))
            return f"{fact.value.word}: its bend changes at {changes}" if changes else str(fact.value.word)
        case "limits" | "slope_limits":
            sides = zip((fact.value.at_minus, fact.value.at_plus), fact.value.ends, strict=True)
            return ", ".join(f"{value_tex(v) if v else 'none'} at ${ENDS.get(e, e)}$" for v, e in sides)
        case "lipschitz" | "smoothness":
            return "none" if fact.value is None else value_tex(fact.value)
        case "fixed_points":
            spans, period = fact.value
            again = f", and again after each ${sympy.latex(period)}$" if period is not None else ""
            return (" ∪ ".join(map(span_tex, spans)) or "none") + again
        case "monotone":
            made = fact.value
            turns = [f"{'rises' if t.rises else 'falls'} from {value_tex(t.at)}" for t in made.turns]
            again = f", and again after each ${sympy.latex(made.period)}$" if made.period is not None else ""
            return f"{made.word}: it {', '.join(turns)}{again}" if turns else str(made.word)
    return str(fact.text)


def value_tex(value: Value) -> str:
    """A number: its name where it has a short one, its digits where that is no fraction."""
    if value.infinite:
        return r"$\infty$" if value.exact is sympy.oo else r"$-\infty$"
    digits = value.digits.replace("−", "-").replace("…", r"\dots")
    exact = value.exact
    if exact is None or (exact.is_Rational and exact.q > 10**6) or sympy.count_ops(exact) > 20:
        return f"${digits}$"
    return f"${MathPrinter().math(exact)}$" if exact.is_Rational else f"${MathPrinter().math(exact)} = {digits}$"


def span_tex(span: Span) -> str:
    low, high = (value_tex(v).strip("$") for v in (span.low, span.high))
    if span.single:
        return rf"$\{{{low}\}}$"
    return f"${'[' if span.low_closed else '('}{low}, {high}{']' if span.high_closed else ')'}$"
