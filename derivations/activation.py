"""What an entry of the gallery says of an activation: slope both ways, kink policy, properties, plot and source."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy

import symdl as sd
from derivations.lesson import PATIENCE, Lesson, decided
from symdl.core.functions import ScalarFunction
from symdl.library.activations import Activation
from symdl.rendering.document import Block, Figure, Formula, Heading, Items, Link, Paragraph, Row, Table
from symdl.rendering.mathprinter import MathPrinter
from symdl.rendering.plot import plot_figure
from symdl.rendering.report import verdict_words
from symdl.testing.curves import S, curve_lines
from symdl.verification.truth import opened

WAYS = {"stable": "the form that is computed", "complement": "1 minus it", "logarithm": "its log"}


#: The slope by the value a, where that is simpler: a, s, *parameters → the slope.
BY_VALUE: dict[str, Callable[..., sympy.Expr]] = {
    "sigmoid": lambda a, s: a * (1 - a),
    "log_sigmoid": lambda a, s: 1 - sympy.exp(a),
    "tanh": lambda a, s: 1 - a**2,
    "tanhshrink": lambda a, s: (s - a) ** 2,
    "softplus": lambda a, s, beta: 1 - sympy.exp(-beta * a),
    "gaussian": lambda a, s: -2 * s * a,
}
ACCURACY = Link("Accuracy in float32 and float64", "../accuracy/accuracy.md")


@dataclass(frozen=True)
class Entry:
    """One activation; parameters that have no value yet are shown and plotted for the `usual` ones."""

    activation: Activation
    usual: dict[str, Any]
    link: str

    @cached_property
    def plain(self) -> Activation:
        return self.activation.chosen(**self.usual)

    def blocks(self) -> Iterator[Block]:
        """The section.

        Raises:
            NotProvedError: the two ways differ, or a form that stands beside the definition is not equal to it.
        """
        a = self.activation
        definition = a.entry.definition()
        (variable, *_) = (t.name for t in definition.inputs)
        lesson = Lesson(a.name.replace("_", " "), definition, wrt=variable)
        yield from lesson.blocks()
        yield from self._slope()
        if proved := tuple(self._proved()):
            yield Items(proved)
        yield Heading("Properties", 3)
        yield Paragraph(f"Derived{self._values()}; each has a proof, by symdl properties {a.name}{self._options()}.")
        yield Table(("property", "what is proved"), tuple(self._rows()))
        yield self.figure
        kink = [f"Kink: {a.kink}"] if a.kink else []
        yield Items((*kink, f"Source: {a.source}"))
        yield ACCURACY

    def _proved(self) -> Iterator[str]:
        """The other forms that the function has, each proved equal to the definition."""
        call = self.activation.call
        if isinstance(call, type) and issubclass(call, ScalarFunction):
            for claim, verdict in sd.check_function(call, budget=PATIENCE).items():
                if claim == "slope":
                    continue
                words = WAYS[claim][0].upper() + WAYS[claim][1:]
                start = f"{words}, as the library has it, follows from the definition: proved for all real "
                yield f"{start}{_scope(verdict.require(), self.activation)} ({verdict.method})."

    def _slope(self) -> Iterator[Block]:
        """The slope in the form that readers expect, and by the value where that is simpler; proved."""
        a, names = self.activation, [sympy.Symbol(n.rstrip("_"), real=True) for n in self.activation.parameters]
        known = [_fact(a, key, n) for n, key in zip(names, a.parameters, strict=True)]
        whole, definition = a.call(S, *known), opened(sympy.sympify(a.formula(S, *known)))
        slope = sympy.sympify(whole).diff(S)
        printed = MathPrinter().math
        rows, claims = (
            [Row(rf"\frac{{d}}{{ds}} {printed(whole)}", printed(slope))],
            [("The slope in closed form", slope)],
        )
        if a.name in BY_VALUE:
            value = sympy.Symbol("a", real=True)
            rows.append(Row("", printed(BY_VALUE[a.name](value, S, *known))))
            claims.append(("The slope by the value", BY_VALUE[a.name](definition, S, *known)))
        yield Heading("The slope in closed form", 3)
        yield Formula(tuple(rows))
        verdicts = [(c, sd.equal(e, definition.diff(S), budget=PATIENCE).require()) for c, e in claims]
        shown = {"s", *(n.name for n in names)}
        yield Items(tuple(f"{c} follows from the definition: {verdict_words(v, shown)}." for c, v in verdicts))

    def _options(self) -> str:
        return f" --set {' '.join(f'{n}={v}' for n, v in self.usual.items())}" if self.usual else ""

    def _values(self) -> str:
        printed = MathPrinter().math
        values = {n: v for n, v in self.plain.parameters.items() if v is not None}
        told = ", ".join(f"${printed(sympy.Symbol(n.rstrip('_')))} = {printed(v)}$" for n, v in values.items())
        return f" for {told}" if told else ""

    def _rows(self) -> Iterator[tuple[str, str]]:
        return decided(sd.properties(self.plain))

    @cached_property
    def figure(self) -> Figure:
        """The activation and its slope."""
        lines, highest = curve_lines(self.plain.defined(S), "a", PATIENCE, "s")
        return plot_figure(lines, "The activation, blue, and its slope, red.", self.link, highest)


def _fact(activation: Activation, key: str, symbol: sympy.Symbol) -> sympy.Symbol:
    """The symbol of a parameter with what is stated of it."""
    return sympy.Symbol(symbol.name, positive=True) if activation.facts.get(key) == "positive" else symbol


def _scope(verdict: sd.Verdict, activation: Activation) -> str:
    """The unknowns of a claim about a named function, which are x, a1, a2, …, by the names of its parameters."""
    names = {"x": "s", **{f"a{k}": n.rstrip("_") for k, n in enumerate(activation.parameters, 1)}}
    printed = MathPrinter().math
    # two sides without an unknown, such as the slope 0 of a step, are equal whatever s is
    scope, condition, _ = verdict.scope.partition(", where ")
    unknowns = scope.removeprefix("all real ").split(", ") if scope != "these numbers" else ["x"]
    assert all(u in names for u in unknowns), verdict.scope
    told = ", ".join(f"${printed(sympy.Symbol(names[u]))}$" for u in unknowns)
    return told + (" for which both sides have a value" if condition else "")
