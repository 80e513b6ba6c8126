"""What an entry of the gallery says of one definition, and the claims about it that have to be proved."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import symdl as sd
from symdl.core.tensors import Head, Tensor
from symdl.rendering.describe import describe_derivation, describe_worked, system
from symdl.rendering.document import Block, Heading, Items, Paragraph
from symdl.rendering.mathprinter import MathPrinter
from symdl.rendering.report import verdict_words
from symdl.rendering.seeds import given_and_computed
from symdl.testing.facttables import ONE, told
from symdl.verification.properties import Properties

#: Seconds for a proof, far more than it takes: which method decides, and so the text, must not depend on the machine.
PATIENCE = 300.0


@dataclass(frozen=True)
class Lesson:
    """One definition, its gradient by the chain rule, a closed form by hand, proofs, and numbers.

    Args:
        title: of the section.
        definition: a layer (its slope ȳ is given then), or something with a scalar target.
        words: what a lecturer says before it; formulas between dollar signs.
        wrt: as for `sd.derive`.
        outputs: those of a layer that the loss depends on; None: the first.
        closed: the gradient as a textbook has it, written by hand: as for `sd.define(extends=…)` of the seeded
            definition, so that its parameters name tensors of the definition, and given slopes such as y_bar.
        closed_words: what there is to see in it.
        small: extents for which expansion is compared with the chain rule; empty: all extents; None: not compared.
        steps: tensors whose slopes are derived step by step; empty: all.
        matrix: whether the matrix form is shown.
        values: numbers to work through, by tensor name.
    """

    title: str
    definition: sd.Definition
    words: str = ""
    wrt: str | Sequence[str] | None = None
    outputs: Sequence[str] | None = None
    closed: Callable[..., Tensor | tuple[Tensor, ...]] | None = None
    closed_words: str = ""
    small: Mapping[str, int] | None = field(default_factory=dict)
    steps: Sequence[str] = ()
    matrix: bool = True
    values: Mapping[str, Any] | None = None

    @cached_property
    def source(self) -> sd.Definition:
        """What is differentiated: a layer with the slope of its output given."""
        return sd.seeded(self.definition, self.outputs) if self.definition.target.rank else self.definition

    def derived(self, via: Literal["chain", "expand"] = "chain", **extents: int) -> sd.Derivation:
        """The gradient, for given extents where there are any."""
        return sd.derive(self.source.at(**extents) if extents else self.source, self.wrt, via=via)

    @cached_property
    def chain(self) -> sd.Derivation:
        return self.derived()

    @cached_property
    def by_hand(self) -> sd.Definition | None:
        return self.closed and sd.define(self.closed, extends=self.source)

    @cached_property
    def claims(self) -> dict[str, sd.Verdict]:
        """What the entry claims, each with the verdict on it; nobody has looked yet whether it is proved."""
        found = {}
        if self.by_hand is not None:
            found["The closed form is the derived gradient"] = sd.equal(self.chain, self.by_hand, budget=PATIENCE)
        if self.small is not None:
            at = ", ".join(f"${MathPrinter().math(e)} = {self.small[n]}$" for n, e in self._extents())
            ways = (self.derived("chain", **self.small), self.derived("expand", **self.small))
            claim = "Expanding everything first, then differentiating, gives the same" + (f" (for {at})" if at else "")
            found[claim] = sd.equal(*ways, budget=PATIENCE)
        return found

    def blocks(self) -> Iterator[Block]:
        """The section.

        Raises:
            NotProvedError: a claim is not proved.
        """
        yield Heading(self.title)
        yield from paragraphs(self.words)
        yield from self._derivation()
        if self.by_hand is not None:
            yield Heading("The closed form, by hand", 3)
            yield from paragraphs(self.closed_words)
            yield from self._shown_by_hand(self.by_hand.renamed(self._given))
        if self.claims:
            yield Heading("What is proved", 3)
            yield Items(tuple(f"{c}: {self._told(v)}." for c, v in self.claims.items()))
        if self.values is not None:
            yield Heading("With numbers", 3)
            worked = describe_worked(self.chain.at(self.values))
            yield from (Heading(b.text, 4) if isinstance(b, Heading) else b for b in worked.blocks)

    def _extents(self) -> Iterator[tuple[str, Any]]:
        return ((n, e) for n, e in self.definition.extents.items() if self.small and n in self.small)

    def _derivation(self) -> Iterator[Block]:
        left_out = {"What it cost"} | (set() if self.matrix else {"In matrix form"})
        section = ""
        for block in describe_derivation(self._shown()).blocks:
            section = block.text if isinstance(block, Heading) else section
            if section not in left_out:
                yield Heading(block.text, 3) if isinstance(block, Heading) else block

    def _shown(self) -> sd.Derivation:
        """The derivation with the steps that are to be seen."""
        if not self.steps:
            return self.chain
        wanted = {self.chain.of.name, *(f"{name}_bar" for name in self.steps)}
        return replace(self.chain, steps=tuple(s for s in self.chain.steps if s.subject.name in wanted))

    def _shown_by_hand(self, closed: sd.Definition) -> Iterator[Block]:
        """What it adds to the definition, with factors in the order of the derivation."""
        slopes = {t.name: t.cotangent_of for t in self.chain.gradient.tensors.values()}
        known = {Head(t): Head(replace(t, cotangent_of=slopes.get(t.name))) for t in closed.tensors.values()}
        new = [e.map(lambda body: body.xreplace(known)) for e in closed.equations if e.name not in self.source.by_name]
        yield from system(MathPrinter("bar", tensors=closed.tensors), new)

    @cached_property
    def _given(self) -> dict[str, str]:
        """Given slopes that are shown under another name, since the derivation computes one of the same tensor."""
        return given_and_computed(self.chain)

    def _told(self, verdict: sd.Verdict) -> str:
        """A proved verdict with formulas, the given slopes under the names that they have in the text."""
        for name, shown in self._given.items():
            verdict = replace(verdict, scope=re.sub(rf"\b{name}(?=\[)", shown, verdict.scope))
        by_hand = self.by_hand.tensors if self.by_hand else ()
        return verdict_words(verdict.require(), {*self.chain.gradient.tensors, *by_hand, *self._given.values()})


def decided(found: Properties) -> Iterator[tuple[str, str]]:
    """The properties of a function of one number, each by its name.

    Raises:
        NotProvedError: one of them is not decided.
    """
    for name, words in ONE.items():
        fact = getattr(found, name)
        if not fact:
            raise sd.NotProvedError(f"{words} of {found.name}: {fact}")
        yield words, told(name, fact)


def paragraphs(words: str) -> Iterator[Paragraph]:
    """The paragraphs of a text, which blank lines divide."""
    return (Paragraph(" ".join(part.split())) for part in words.split("\n\n") if part.strip())
