"""A lesson or a proof with what every entry has beside it: plot and properties of a function, kink policy, source."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import sympy

import symdl as sd
from derivations.lesson import PATIENCE, Lesson, decided
from derivations.proof import Proof
from symdl.library.activations import Activation, activation
from symdl.rendering.document import Block, Figure, Heading, Items, Paragraph, Table
from symdl.rendering.plot import plot_figure
from symdl.testing.curves import S, curve_lines


@dataclass(frozen=True)
class Drawn:
    """What is taught, and the function of one number behind it.

    Args:
        taught: the section.
        name: of the function and of the file of its picture; empty where there is none.
        function: of a number; None where there is none.
        label: the letter of the value.
        variable: the letter of the number.
        words: under the picture.
        kink: what was decided, in words; empty for a smooth function.
        source: where the idea is from.
    """

    taught: Lesson | Proof
    source: str
    name: str = ""
    function: Callable[[sympy.Expr], sympy.Expr] | None = None
    label: str = "R"
    variable: str = "w"
    words: str = ""
    kink: str = ""

    def blocks(self) -> Iterator[Block]:
        """The section.

        Raises:
            NotProvedError: a claim, or a property, is not proved.
        """
        yield from self.taught.blocks()
        if self.function is not None:
            yield Heading("Value and slope", 3)
            yield self.figure
            yield Heading("Properties", 3)
            yield Paragraph("Derived, of the function that is drawn.")
            yield Table(("property", "what is proved"), tuple(self.rows()))
        kink = [f"Kink: {self.kink}"] if self.kink else []
        yield Items((*kink, f"Source: {self.source}"))

    @cached_property
    def plain(self) -> Activation:
        """The function as one of the reader's own, as properties are asked for."""
        assert self.function is not None
        return activation(self.name, self.function)

    def rows(self) -> Iterator[tuple[str, str]]:
        """The properties of the function, each by its name."""
        return decided(sd.properties(self.plain))

    @cached_property
    def figure(self) -> Figure:
        """The function and its slope."""
        lines, highest = curve_lines(self.plain.defined(S), self.label, PATIENCE, self.variable)
        return plot_figure(lines, self.words, f"{self.name}.svg", highest)
