"""What an entry of the gallery says of an activation of several numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from derivations.activation import ACCURACY
from derivations.lesson import Lesson
from derivations.sliced import SLICES
from derivations.tables import property_blocks
from symdl.rendering.document import Block, Heading, Items


@dataclass(frozen=True)
class Several:
    """An activation of several numbers: a lesson, and where it is from.

    Args:
        lesson: both derivations, and the slope by hand.
        source: where the formula is from.
        kink: the decision at a kink, in words.
    """

    lesson: Lesson
    source: str
    kink: str = ""

    def blocks(self) -> Iterator[Block]:
        """The section.

        Raises:
            NotProvedError: a claim is not proved.
        """
        yield from self.lesson.blocks()
        name = self.lesson.title.replace(" ", "_")
        yield Heading("Value and slope", 3)
        yield SLICES[name].figure(name, self.lesson.definition.outputs[0])
        yield from property_blocks(name)
        yield Items((*([f"Kink: {self.kink}"] if self.kink else []), f"Source: {self.source}"))
        yield ACCURACY
