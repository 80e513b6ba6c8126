"""A whole file for Coq: what it needs, the functions by their definitions, the theorems.

>>> import sympy
>>> from symdl.verification.coq.theorems import slope
>>> x = sympy.Symbol("x", real=True)
>>> writer = Writer()
>>> made = File(slope("square", x**2, x, 2 * x, [], writer), writer)
>>> made.theorems, made.text.splitlines()[-1]
(('square',), 'Qed.')
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from symdl.verification.coq.prelude import prelude
from symdl.verification.coq.theorems import Theorem
from symdl.verification.coq.writer import Writer


@dataclass(frozen=True)
class File:
    """Theorems that share one writer.

    Args:
        parts: the theorems, in order.
        writer: that has written all of them.
        about: lines of a comment at the top, of plain words.
        bounds: with what inequalities need.
        interval: with interval arithmetic.
        more: lemmas that some proofs need, as text.
    """

    parts: Sequence[Theorem]
    writer: Writer = field(repr=False)
    about: tuple[str, ...] = ()
    bounds: bool = False
    interval: bool = False
    more: tuple[str, ...] = ()

    @property
    def theorems(self) -> tuple[str, ...]:
        """The names of the theorems."""
        return tuple(part.name for part in self.parts)

    @property
    def statements(self) -> dict[str, str]:
        """What each theorem states, by its name."""
        return {part.name: part.statement for part in self.parts}

    @property
    def text(self) -> str:
        """The file."""
        comment = [f"(* {line} *)" for line in self.about]
        definitions = self.writer.definitions()
        blocks = [
            "\n".join(comment),
            prelude(self.writer.prelude, bounds=self.bounds, interval=self.interval, more=self.more).rstrip(),
            definitions,
        ]
        return "\n\n".join(b for b in [*blocks, *(part.text for part in self.parts)] if b) + "\n"
