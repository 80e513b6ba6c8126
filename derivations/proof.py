"""What an entry of the gallery says of a few formulas, each of which has to be proved: a lesson without a gradient."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import sympy

import symdl as sd
from derivations.lesson import PATIENCE, paragraphs
from symdl.core.tensors import elements_in
from symdl.rendering.describe import system
from symdl.rendering.document import Block, Formula, Heading, Items, Lead, Row
from symdl.rendering.mathprinter import MathPrinter
from symdl.rendering.report import verdict_words


@dataclass(frozen=True)
class Claim:
    """Two sides that are equal.

    Args:
        words: what it means, and why the next step follows.
        left: an expression, or a definition.
        right: the same kind of thing; of definitions both are shown.
        more: further forms, each equal to the one before it.
        called: a formula that stands in the place of the left expression, where SymPy has worked that out already.
    """

    words: str
    left: Any
    right: Any
    more: Sequence[Any] = ()
    called: str = ""

    @cached_property
    def verdicts(self) -> list[sd.Verdict]:
        """On each form and the one after it; nobody has looked yet whether they are proved."""
        forms = [self.left, self.right, *self.more]
        return [sd.equal(a, b, budget=PATIENCE) for a, b in pairwise(forms)]


@dataclass(frozen=True)
class Proof:
    """Equations, and claims about them.

    Args:
        title: of the section.
        words: what a lecturer says before it; formulas between dollar signs.
        shown: definitions of which the equations are shown, with a line that leads to them.
        claims: in order; each is proved when the text is made.
        closing: what follows from it.
    """

    title: str
    words: str = ""
    shown: Sequence[tuple[str, sd.Definition]] = ()
    claims: Sequence[Claim] = ()
    closing: str = ""

    def blocks(self) -> Iterator[Block]:
        """The section.

        Raises:
            NotProvedError: a claim is not proved.
        """
        yield Heading(self.title)
        yield from paragraphs(self.words)
        for lead, definition in self.shown:
            yield from _definition(lead, definition)
        for claim in self.claims:
            yield from _told(claim)
        yield from paragraphs(self.closing)


def _told(claim: Claim) -> Iterator[Block]:
    forms = [claim.left, claim.right, *claim.more]
    words = [verdict_words(v.require(), _names(forms)) for v in claim.verdicts]
    if isinstance(claim.right, sd.Definition):
        yield from _definition(claim.words, claim.right)
    else:
        yield Lead(" ".join(claim.words.split()))
        texts = [MathPrinter().math(sympy.sympify(f)) for f in forms]
        yield Formula((Row(claim.called or texts[0], texts[1]), *(Row("", t) for t in texts[2:])))
    yield Items(tuple(dict.fromkeys(f"Both sides are equal: {w}." for w in words)))


def _definition(lead: str, definition: sd.Definition) -> Iterator[Block]:
    yield Lead(" ".join(lead.split()))
    yield from system(MathPrinter("bar", tensors=definition.tensors), definition.equations)


def _names(forms: Sequence[Any]) -> set[str]:
    found: set[str] = set()
    for form in forms:
        if isinstance(form, sd.Definition):
            found |= set(form.tensors)
        else:
            expr = sympy.sympify(form)
            found |= {s.name for s in expr.free_symbols if hasattr(s, "name")} | {e.name for e in elements_in(expr)}
    return found
