"""What is so of an activation as a whole: range, symmetry, slope, limits and fixed points, each with its proof.

Nothing is typed in and nothing is guessed: what has no proof is undecided, and says where the proof ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any

import sympy

from symdl.errors import SymdlError
from symdl.library.activations import Activation, activation as named
from symdl.verification.decide import equal
from symdl.verification.pieces import pieces_of
from symdl.verification.ranges import Span, Value
from symdl.verification.shape import Curve, Turn, fixed_points, limits_of, lipschitz, range_of, turns_of
from symdl.verification.terms import UndecidedError, Work
from symdl.verification.truth import opened
from symdl.verification.verdict import Status

#: Seconds for each property.
PATIENCE = 120.0
_ZEROS = "every zero of the slope, by Rolle's theorem"
_LIMITS = "limits by growth or SymPy's gruntz, checked at large numbers"


@dataclass(frozen=True)
class Fact:
    """One property.

    Args:
        value: what was found; None where it is undecided.
        text: the same in words.
        status: proved or undecided.
        how: the method, or where the proof ended.
    """

    value: Any
    text: str
    status: Status
    how: str

    def __bool__(self) -> bool:
        """Whether it is decided."""
        return self.status is Status.PROVED

    def __str__(self) -> str:
        return self.text if self else f"undecided: {self.how}"


@dataclass(frozen=True)
class Limits:
    """At −∞ and at ∞; None where there is no limit."""

    at_minus: Value | None
    at_plus: Value | None

    def __str__(self) -> str:
        return ", ".join(
            f"{'none' if v is None else v} at {end}" for v, end in ((self.at_minus, "−∞"), (self.at_plus, "∞"))
        )


@dataclass(frozen=True)
class Monotone:
    """How it runs: increasing, non-decreasing, constant, non-increasing, decreasing or neither; and where it turns."""

    word: str
    turns: tuple[Turn, ...] = ()
    period: sympy.Expr | None = None

    def __str__(self) -> str:
        told = ", ".join(f"{'rises' if t.rises else 'falls'} from {t.at}" for t in self.turns)
        again = f", again after each {self.period}" if self.period is not None else ""
        return f"{self.word}: it {told}{again}" if told else self.word


@dataclass(frozen=True)
class Properties:
    """The properties of a(s), each a `Fact`.

    Args:
        name: of the activation.
        formula: a(s), written out.
        range: a tuple of intervals (`Span`), of which each end is a `Value` and open or closed.
        bounded: "bounded", "from below", "from above" or "unbounded".
        symmetry: "odd" (a(−s) = −a(s)), "even" or "neither"; at kinks too.
        zero_centred: whether it is odd: inputs spread evenly about 0 then give outputs of mean 0.
        at_zero: a(0).
        monotone: `Monotone`.
        limits, slope_limits: `Limits` of a and of a′.
        lipschitz: a `Value`, the least L with |a(s) − a(t)| ≤ L |s − t|; None where there is none.
        fixed_points: a tuple of intervals (`Span`) on which a(s) = s.
        period: after which the fixed points come again, or None.
    """

    name: str
    formula: sympy.Expr
    range: Fact
    bounded: Fact
    symmetry: Fact
    zero_centred: Fact
    at_zero: Fact
    monotone: Fact
    limits: Fact
    slope_limits: Fact
    lipschitz: Fact
    fixed_points: Fact

    def facts(self) -> Iterator[tuple[str, Fact]]:
        """Name and fact, in the order of the table."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Fact):
                yield field.name, value

    def to_json(self) -> dict[str, Any]:
        """A dictionary of text."""
        return {
            "name": self.name,
            "formula": str(self.formula),
            **{n: {"is": f.text or None, "status": str(f.status), "how": f.how} for n, f in self.facts()},
        }

    def __str__(self) -> str:
        lines = [f"{name.replace('_', ' '):<13} {fact}" for name, fact in self.facts()]
        return "\n".join([f"{self.name}(s) = {self.formula}", *lines])


def properties(activation: str | Activation, **parameters: Any) -> Properties:
    """Derive what is so of an activation as a whole.

    Args:
        activation: a name of the library, or one of one's own (`sd.activation("mine", lambda s: …)`).
        parameters: values of its parameters; each needs one.

    Returns:
        A record with a `Fact` for each property: proved, or undecided with the reason.

    Raises:
        DefinitionError: no such activation, or a parameter without a value.

    >>> found = properties("sigmoid")
    >>> print(found.range, found.monotone, found.lipschitz, found.zero_centred, sep="; ")
    (0, 1); increasing; 1/4; no
    >>> print(properties("silu").range)
    [−0.278464542761…, ∞)
    """
    made = named(activation, **parameters) if isinstance(activation, str) else activation.chosen(**parameters)
    s = sympy.Symbol("s", real=True)
    formula = made.defined(s)
    curve = _fact(lambda: Curve.of(pieces_of(formula, s), s, Work(PATIENCE)), lambda c: "", "")
    symmetry = _fact(lambda: _symmetry(formula, s), str, "both sides compared by the checker")
    span = _of(curve, range_of, _spans, f"{_ZEROS}; {_LIMITS}")
    return Properties(
        made.name,
        formula,
        range=span,
        bounded=_with(span, _bounded, str),
        symmetry=symmetry,
        zero_centred=_with(symmetry, lambda word: word == "odd", lambda odd: "yes" if odd else "no"),
        at_zero=_fact(lambda: Value(sympy.simplify(opened(formula).subs(s, 0))), str, "by substitution"),
        monotone=_of(curve, _monotone, str, _ZEROS),
        limits=_of(curve, lambda c: Limits(*limits_of(c, slope=False)), str, _LIMITS),
        slope_limits=_of(curve, lambda c: Limits(*limits_of(c, slope=True)), str, _LIMITS),
        lipschitz=_of(curve, lipschitz, _steep, f"{_ZEROS}'s slope; {_LIMITS}"),
        fixed_points=_of(curve, fixed_points, _places, "every zero of a(s) − s, by Rolle's theorem"),
    )


def _fact(find: Callable[[], Any], words: Callable[[Any], str], how: str) -> Fact:
    """A property, or where its proof ended."""
    try:
        value = find()
        return Fact(value, words(value), Status.PROVED, how)
    except SymdlError as error:
        return Fact(None, "", Status.UNDECIDED, str(error).rstrip("."))


def _of(curve: Fact, find: Callable[[Curve], Any], words: Callable[[Any], str], how: str) -> Fact:
    if not curve:
        return curve

    def found() -> Any:
        for arc in curve.value.arcs:
            arc.work.again()
        return find(curve.value)

    return _fact(found, words, how)


def _with(fact: Fact, follows: Callable[[Any], Any], words: Callable[[Any], str]) -> Fact:
    """What follows from another property."""
    return _fact(lambda: follows(fact.value), words, fact.how) if fact else fact


def _symmetry(formula: sympy.Expr, s: sympy.Symbol) -> str:
    plain = opened(formula)
    for word, other in (("odd", -plain), ("even", plain)):
        verdict = equal(plain.subs(s, -s), other)
        if verdict:
            return word
        if verdict.status is not Status.REFUTED:
            raise UndecidedError(f"whether it is {word}: {verdict.reason or verdict.status}")
    return "neither"


def _bounded(spans: tuple[Span, ...]) -> str:
    below, above = not spans[0].low.infinite, not spans[-1].high.infinite
    return "bounded" if below and above else "from below" if below else "from above" if above else "unbounded"


def _monotone(curve: Curve) -> Monotone:
    turns, signs, period = turns_of(curve)
    if {1, -1} <= signs:
        return Monotone("neither", turns, period)
    word = {1: "increasing", -1: "decreasing"}.get(sum(signs), "constant")
    if 0 in signs and len(signs) > 1:
        word = "non-decreasing" if 1 in signs else "non-increasing"
    return Monotone(word)


def _steep(value: Value | None) -> str:
    return "none: it jumps or its slope is unbounded" if value is None else str(value)


def _spans(spans: tuple[Span, ...]) -> str:
    return " ∪ ".join(map(str, spans)) or "none"


def _places(found: tuple[tuple[Span, ...], sympy.Expr | None]) -> str:
    spans, period = found
    return _spans(spans) + (f", again after each {period}" if period is not None else "")
