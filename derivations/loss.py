"""What an entry of the gallery says of a loss: both derivations, the slope by hand, a plot, kink policy and source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sympy

from derivations.activation import ACCURACY
from derivations.lesson import PATIENCE, Lesson
from derivations.sliced import SLICES
from derivations.slopes import SLOPES, Slope
from derivations.tables import property_blocks
from symdl.core.tensors import elements_in
from symdl.library.losses import LOSSES, Loss
from symdl.rendering.document import Block, Figure, Heading, Items
from symdl.rendering.mathprinter import MathPrinter
from symdl.rendering.plot import plot_figure
from symdl.testing.curves import S, curve_lines
from symdl.testing.portraits import split_at_zero


@dataclass(frozen=True)
class LossEntry:
    """One loss of the library with its first slope of `derivations.slopes`.

    Args:
        name: of the loss.
        words: what a lecturer says before it.
        closed_words: what there is to see in the slope.
        plotted: numbers for the inputs other than the prediction, of which value and slope are drawn; None: along the
            line of `derivations.sliced`.
        small: as for `Lesson`.
        values: numbers to work through, by tensor name.
    """

    name: str
    words: str = ""
    closed_words: str = ""
    plotted: Mapping[str, Any] | None = None
    small: Mapping[str, int] | None = field(default_factory=dict)
    values: Mapping[str, Any] | None = None

    @cached_property
    def slope(self) -> Slope:
        return next(s for s in SLOPES if s.name == self.name)

    @cached_property
    def loss(self) -> Loss:
        return LOSSES[self.name].make(**self.slope.options)

    def blocks(self) -> Iterator[Block]:
        """The section.

        Raises:
            NotProvedError: the two ways differ, or the slope by hand is not the derived one.
        """
        family = LOSSES[self.name]
        summary = f"{family.summary[0].upper()}{family.summary[1:]}."
        yield from Lesson(
            self.name.replace("_", " "),
            self.slope.loss,
            f"{summary} {self.words}".strip(),
            wrt=self.slope.wrt,
            closed=self.slope.body,
            closed_words=self.closed_words or self.slope.body.__doc__ or "",
            small=self.small,
            matrix=False,
            values=self.values,
        ).blocks()
        yield Heading("Value and slope", 3)
        yield self.figure
        yield from property_blocks(self.name)
        kink = [f"Kink: {self.loss.kink}"] if self.loss.kink else []
        yield Items((*kink, f"Source: {self.loss.source}"))
        yield ACCURACY

    @cached_property
    def figure(self) -> Figure:
        """The loss of one entry and its slope, by the prediction."""
        if self.plotted is None:
            return SLICES[self.name].figure(self.name, "L")
        (equation,) = LOSSES[self.name].chosen(**self.slope.options).entries().equations
        numbers = {n: sympy.sympify(v) for n, v in self.plotted.items()}
        body = equation.rhs.xreplace({e: numbers.get(e.name, S) for e in elements_in(equation.rhs)})
        lines, highest = curve_lines(split_at_zero(body), "L", PATIENCE)
        printed = MathPrinter().math
        given = ", ".join(f"${printed(sympy.Symbol(n))} = {printed(v)}$" for n, v in numbers.items())
        words = f"The loss of one entry, blue, and its slope, red, by ${printed(sympy.Symbol(self.slope.wrt))}$"
        return plot_figure(lines, f"{words}; {given}.", f"{self.name}.svg", highest)


def page(title: str, words: str, *entries: LossEntry) -> tuple[str, list[LossEntry]]:
    """Title with introduction, and the entries of one page."""
    return f"{title}\n\n{words}", list(entries)
