"""Everything that is known of an activation or a loss, on one page: what the gallery shows of the library's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy

from symdl.core.functions import Switch
from symdl.derivation.derive import derive
from symdl.errors import SymdlError
from symdl.library.activations import Activation, activation as named
from symdl.library.losses import LOSSES, Loss, loss
from symdl.library.losses.reduced import in_numbers
from symdl.library.spelling import known
from symdl.rendering.document import Block, Code, Document, Figure, Heading, Items, Paragraph
from symdl.rendering.plot import plot_figure
from symdl.rendering.report import report
from symdl.testing.curves import S, curve_lines
from symdl.testing.facttables import property_tables
from symdl.testing.lossdigits import digits
from symdl.testing.records import sweep_table
from symdl.testing.sweep import sweep
from symdl.verification.decide import equal
from symdl.verification.properties import properties

#: Seconds for each property that a plot needs.
PATIENCE = 20.0
EVERYWHERE = (-sympy.oo, sympy.oo)


def portrait(which: str | Activation | Loss, *, points: int = 600) -> Document:
    """Both derivations with the verdict on their equality, the kink, properties, plot, lost digits and accuracy.

    Args:
        which: an activation or a loss of numbers, of one's own or of the library, whose parameters have values.
        points: of the sweep of accuracy; 0 leaves it out.

    Returns:
        A document for `sd.write(…, "wave.html")`, `sd.markdown` and the like.

    Raises:
        DefinitionError: no such activation or loss, or a parameter without a value.

    >>> page = portrait(named("bent_by_hand", lambda s: s + s**3), points=0)
    >>> [b.text for b in page.blocks if isinstance(b, Heading) and b.level == 2][-3:]
    ['Value and slope', 'Properties', 'Digits']
    """
    made = _made(which)
    if isinstance(made, Loss):
        definition, wrt = made.definition(), list(made.inputs)[1]
    else:
        definition = made.definition()
        wrt = definition.inputs[0].name
    ways = [derive(definition, wrt, via=way) for way in ("chain", "expand")]
    page = report(ways, verdict=equal(*ways), title=made.name.replace("_", " "))
    return Document(page.title, (*page.blocks, *_rest(made, wrt, points)))


def _made(which: str | Activation | Loss) -> Activation | Loss:
    if not isinstance(which, str):
        return which
    name = known(which, LOSSES)
    return loss(name) if name in LOSSES else named(which)


def _rest(made: Activation | Loss, wrt: str, points: int) -> Iterator[Block]:
    found: Any = properties(made)
    yield Heading("Value and slope", 2)
    yield from _figures(made, found)
    yield Items((f"Kink: {made.kink or 'none stated'}", f"Source: {made.source}"))
    yield Heading("Properties", 2)
    yield from property_tables(found)
    if isinstance(made, Activation) or in_numbers(made) is not None:
        yield Heading("Digits", 2)
        yield Code(str(digits(made)), "text")
    if points:
        yield Heading("Accuracy", 2)
        yield Paragraph("The largest errors of compiled code in ulps, over all finite numbers:")
        yield Code(sweep_table([sweep(made, points=points)]), "text")


def _figures(made: Activation | Loss, found: Any) -> Iterator[Figure | Paragraph]:
    """A plot for each number along which the function is known."""
    if isinstance(made, Activation):
        drawn = [("a", "The activation, blue, and its slope, red.", made.defined(S), "s", EVERYWHERE)]
    else:
        words = "The loss, blue, and its slope, red; $s$ is"
        drawn = [("L", f"{words} {s.of}.", s.formula, "", s.ends) for s in found.sections]
    for letter, words, formula, variable, ends in drawn:
        try:
            lines, highest = curve_lines(split_at_zero(formula), letter, PATIENCE, variable, ends)
        except (SymdlError, ValueError, OverflowError) as error:
            yield Paragraph(f"No plot was made: {error}")
            continue
        yield plot_figure(lines, words, highest=highest)


def split_at_zero(body: sympy.Expr) -> sympy.Expr:
    """|s| in the condition of a switch: a case for each sign of s, so that its kinks can be written down."""
    size = Switch(S, -S, S, sympy.Rational(1, 2))
    if not any(node.args[0].has(size) for node in body.atoms(Switch)):
        return body
    return Switch(S, body.xreplace({size: -S}), body.xreplace({size: S}), sympy.Rational(1, 2))
