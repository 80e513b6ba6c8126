"""The section on what is proved of a loss or of an activation of several numbers."""

from __future__ import annotations

from collections.abc import Iterator

import symdl as sd
from symdl.rendering.document import Block, Heading, Paragraph
from symdl.testing.facttables import property_tables


def property_blocks(name: str) -> Iterator[Block]:
    """The section on properties of an entry of the library."""
    yield Heading("Properties", 3)
    yield Paragraph(f"Derived; each has a proof, by symdl properties {name}.")
    yield from property_tables(sd.properties(name))
