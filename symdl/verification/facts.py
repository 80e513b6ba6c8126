"""What is so of a function: decided or not, with the method; and the kinds of what was found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sympy

from symdl.errors import SymdlError
from symdl.verification.ranges import Span, Value
from symdl.verification.shape import Curve, Turn, turns_of
from symdl.verification.verdict import Status

ZEROS = "every zero of the slope, by Rolle's theorem"
LIMITS = "limits by growth or SymPy's gruntz, checked at large numbers"


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
    """At both ends, −∞ and ∞ unless said otherwise; None where there is no limit."""

    at_minus: Value | None
    at_plus: Value | None
    ends: tuple[str, str] = ("−∞", "∞")

    def __str__(self) -> str:
        pairs = zip((self.at_minus, self.at_plus), self.ends, strict=True)
        return ", ".join(f"{'none' if v is None else v} at {end}" for v, end in pairs)


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


def fact(find: Callable[[], Any], words: Callable[[Any], str], how: str) -> Fact:
    """A property, or where its proof ended."""
    try:
        value = find()
        return Fact(value, words(value), Status.PROVED, how)
    except SymdlError as error:
        return Fact(None, "", Status.UNDECIDED, str(error).rstrip("."))


def of_curve(curve: Fact, find: Callable[[Curve], Any], words: Callable[[Any], str], how: str) -> Fact:
    """A property of a curve, or where its proof ended."""
    if not curve:
        return curve

    def found() -> Any:
        for arc in curve.value.arcs:
            arc.work.again()
        return find(curve.value)

    return fact(found, words, how)


def following(known: Fact, follows: Callable[[Any], Any], words: Callable[[Any], str]) -> Fact:
    """What follows from another property."""
    return fact(lambda: follows(known.value), words, known.how) if known else known


def monotone(curve: Curve) -> Monotone:
    """How it runs."""
    turns, signs, period = turns_of(curve)
    if {1, -1} <= signs:
        return Monotone("neither", turns, period)
    word = {1: "increasing", -1: "decreasing"}.get(sum(signs), "constant")
    if 0 in signs and len(signs) > 1:
        word = "non-decreasing" if 1 in signs else "non-increasing"
    return Monotone(word)


def steep(value: Value | None) -> str:
    """A Lipschitz constant in words."""
    return "none: it jumps or its slope is unbounded" if value is None else str(value)


def spans(found: tuple[Span, ...]) -> str:
    """A set in words."""
    return " ∪ ".join(map(str, found)) or "none"
