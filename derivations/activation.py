"""What an entry of the gallery says of an activation: slope both ways, kink policy, properties, plot and source."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy

import symdl as sd
from derivations.lesson import PATIENCE, Lesson
from derivations.slices import HIGHEST, LEFT, RIGHT, label
from symdl.core.functions import ScalarFunction
from symdl.library.activations import Activation
from symdl.rendering.document import Block, Figure, Formula, Heading, Items, Link, Paragraph, Row, Table
from symdl.rendering.mathprinter import MathPrinter
from symdl.rendering.plot import Line, Point, plot_figure
from symdl.rendering.report import verdict_words
from symdl.verification.pieces import pieces_of
from symdl.verification.ranges import Span, Value
from symdl.verification.shape import Arc, Curve
from symdl.verification.terms import Work
from symdl.verification.truth import opened

S = sympy.Symbol("s", real=True)
#: Points of a curve that bends.
POINTS = 160
WAYS = {"stable": "the form that is computed", "complement": "1 minus it", "logarithm": "its log"}
ROWS = {
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
        found = sd.properties(self.plain)
        for name, words in ROWS.items():
            fact = getattr(found, name)
            if not fact:
                raise sd.NotProvedError(f"{words} of {found.name}: {fact}")
            yield words, told(name, fact)

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


def told(name: str, fact: Any) -> str:
    """A property with formulas."""
    match name:
        case "range":
            return " ∪ ".join(map(span_tex, fact.value))
        case "limits" | "slope_limits":
            ends = ((fact.value.at_minus, r"-\infty"), (fact.value.at_plus, r"\infty"))
            return ", ".join(f"{value_tex(v) if v else 'none'} at ${end}$" for v, end in ends)
        case "lipschitz":
            return "none" if fact.value is None else value_tex(fact.value)
        case "fixed_points":
            spans, period = fact.value
            again = f", and again after each ${sympy.latex(period)}$" if period is not None else ""
            return (" ∪ ".join(map(span_tex, spans)) or "none") + again
        case "monotone":
            made = fact.value
            turns = [f"{'rises' if t.rises else 'falls'} from {value_tex(t.at)}" for t in made.turns]
            again = f", and again after each ${sympy.latex(made.period)}$" if made.period is not None else ""
            return made.word + (f": it {', '.join(turns)}{again}" if turns else "")
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


def curve_lines(expr: sympy.Expr, name: str, budget: float, variable: str = "") -> tuple[list[Line], int]:
    """The curves of a function of s and of its slope, and how high they are to be seen."""
    curve = Curve.of(pieces_of(expr, S), S, Work(budget))
    value = Line(label(name, "", variable), "forward", _runs(curve, "value"), tuple(_dots(curve, slope=False)))
    slope = Line(label(name, "′", variable), "backward", _runs(curve, "slope"), tuple(_dots(curve, slope=True)))
    return [slope, value], _highest(curve)


def _runs(curve: Curve, part: str) -> tuple[tuple[Point, ...], ...]:
    return tuple(_run(arc, getattr(arc.piece, part), _right(curve)) for arc in curve.arcs)


def _right(curve: Curve) -> float:
    """As far as the last kink is seen."""
    return max([RIGHT, *(float(k.at) + 1 for k in curve.kinks)])


def _highest(curve: Curve) -> int:
    return max([HIGHEST, *(math.ceil(float(k.value)) + 1 for k in curve.kinks)])


def _run(arc: Arc, expr: sympy.Expr, right: float) -> tuple[Point, ...]:
    """Points of a piece; two where it is straight. Ends are as near as a limit."""
    low, high = max(float(arc.piece.low), LEFT), min(float(arc.piece.high), right)
    count = 1 if arc.vanishes(opened(expr.diff(S, 2))) else max(2, round(POINTS * (high - low) / (RIGHT - LEFT)))
    function = sympy.lambdify(S, expr, "math")
    xs = [low + (high - low) * k / count for k in range(count + 1)]
    return tuple((x, float(function(x))) for x in xs)


def _dots(curve: Curve, *, slope: bool) -> Iterator[tuple[float, float, bool]]:
    """At a jump: the value that the policy gives, closed; the limits that it is not, open."""
    for kink, left, right in zip(curve.kinks, curve.arcs, curve.arcs[1:], strict=False):
        before, after = (left.slopes[1], right.slopes[0]) if slope else (left.ends[1], right.ends[0])
        value = kink.slope if slope else kink.value
        if before == after == value:
            continue
        yield from ((float(kink.at), float(v), False) for v in dict.fromkeys((before, after)) if v != value)
        yield float(kink.at), float(value), True
