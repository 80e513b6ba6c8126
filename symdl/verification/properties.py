"""What is so of an activation as a whole: range, symmetry, slope, limits and fixed points, each with its proof.

Nothing is typed in and nothing is guessed: what has no proof is undecided, and says where the proof ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, overload

import sympy

from symdl.core.text import plain_text
from symdl.library.activations import Activation, activation as named
from symdl.library.lines import LINES
from symdl.library.losses import LOSSES, Loss
from symdl.library.spelling import known
from symdl.verification.decide import equal
from symdl.verification.facts import LIMITS, ZEROS, Fact, Limits, fact, following, monotone, of_curve, spans, steep
from symdl.verification.openparameters import steepest
from symdl.verification.pieces import pieces_of
from symdl.verification.ranges import Span, Value
from symdl.verification.sections import FieldProperties, field_properties, loss_properties
from symdl.verification.shape import Curve, fixed_points, limits_of, lipschitz, range_of
from symdl.verification.terms import UndecidedError, Work
from symdl.verification.truth import opened
from symdl.verification.verdict import Status

#: Seconds for each property.
PATIENCE = 120.0


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
        lipschitz: a `Value`, the least L with |a(s) − a(t)| ≤ L |s − t|; None where there is none. An expression in
            the parameters where those have no values.
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
            "formula": plain_text(self.formula),
            **{n: {"is": f.text or None, "status": str(f.status), "how": f.how} for n, f in self.facts()},
        }

    def __str__(self) -> str:
        lines = [f"{name.replace('_', ' '):<13} {fact}" for name, fact in self.facts()]
        return "\n".join([f"{self.name}(s) = {plain_text(self.formula)}", *lines])


@overload
def properties(which: Activation, **parameters: Any) -> Properties: ...
@overload
def properties(which: Loss, **parameters: Any) -> FieldProperties: ...
@overload
def properties(which: str, **parameters: Any) -> Any: ...
def properties(which: str | Activation | Loss, **parameters: Any) -> Properties | FieldProperties:
    """Derive what is so of an activation or of a loss as a whole.

    Args:
        which: a name of the library, or one of one's own (`sd.activation("mine", lambda s: …)`, `sd.loss(…)`).
        parameters: values of its parameters; of an activation whose parameters have no values only that is said
            which is so for all of them, a loss has usual ones.

    Returns:
        A record with a `Fact` for each property: proved, or undecided with the reason. `Properties` of a function of
        one number; `FieldProperties` of a loss, with a section for each number that it is looked at along, and of an
        activation of several numbers.

    Raises:
        DefinitionError: no such activation or loss, or a parameter that it has not.

    >>> found = properties("sigmoid")
    >>> print(found.range, found.monotone, found.lipschitz, found.zero_centred, sep="; ")
    (0, 1); increasing; 1/4; no
    >>> print(properties("silu").range)
    [−0.278464542761…, ∞)
    >>> print(properties("log_cosh").sections[0].smoothness, properties("prelu").lipschitz)
    1 max(1, |alpha|)
    """
    if isinstance(which, Loss):
        return loss_properties(which)
    if isinstance(which, str) and (loss := known(which, LOSSES)) in LOSSES:
        return loss_properties(loss, **parameters)
    if isinstance(which, str) and (name := known(which, LINES)) in LINES and not parameters:
        return field_properties(name)
    made = named(which, **parameters) if isinstance(which, str) else which.chosen(**parameters)
    s = sympy.Symbol("s", real=True)
    if open_ones := [n for n, value in made.parameters.items() if value is None]:
        return _for_all(made, open_ones, s)
    formula = made.defined(s)
    curve = fact(lambda: Curve.of(pieces_of(formula, s), s, Work(PATIENCE)), lambda c: "", "")
    symmetry = fact(lambda: _symmetry(formula, s), str, "both sides compared by the checker")
    span = of_curve(curve, range_of, spans, f"{ZEROS}; {LIMITS}")
    return Properties(
        made.name,
        formula,
        range=span,
        bounded=following(span, _bounded, str),
        symmetry=symmetry,
        zero_centred=following(symmetry, lambda word: word == "odd", lambda odd: "yes" if odd else "no"),
        at_zero=fact(lambda: _at_zero(formula, s), str, "by substitution"),
        monotone=of_curve(curve, monotone, str, ZEROS),
        limits=of_curve(curve, lambda c: Limits(*limits_of(c, slope=False)), str, LIMITS),
        slope_limits=of_curve(curve, lambda c: Limits(*limits_of(c, slope=True)), str, LIMITS),
        lipschitz=of_curve(curve, lipschitz, steep, f"{ZEROS}'s slope; {LIMITS}"),
        fixed_points=of_curve(curve, fixed_points, _places, "every zero of a(s) − s, by Rolle's theorem"),
    )


def _for_all(made: Activation, names: list[str], s: sympy.Symbol) -> Properties:
    """What is so whatever the values of some parameters are."""
    symbols = {n: sympy.Symbol(n, real=True, positive=made.facts.get(n) == "positive" or None) for n in names}
    formula = made.defined(s, **symbols)
    one = f"properties('{made.name}', {names[0]}=…)"
    depends = Fact(None, "", Status.UNDECIDED, f"it depends on {', '.join(names)}: give numbers, {one}")
    others = {f.name: depends for f in fields(Properties) if f.name not in ("name", "formula")}
    zero = fact(lambda: sympy.simplify(opened(formula).subs(s, 0)), plain_text, "by substitution")
    steepness = fact(lambda: steepest(formula, s, Work(PATIENCE)), plain_text, f"{ZEROS}'s slope, piece by piece")
    return Properties(made.name, formula, **{**others, "at_zero": zero, "lipschitz": steepness})


def _symmetry(formula: sympy.Expr, s: sympy.Symbol) -> str:
    plain = opened(formula)
    for word, other in (("odd", -plain), ("even", plain)):
        verdict = equal(plain.subs(s, -s), other)
        if verdict:
            return word
        if verdict.status is not Status.REFUTED:
            raise UndecidedError(f"whether it is {word}: {verdict.reason or verdict.status}")
    return "neither"


def _at_zero(formula: sympy.Expr, s: sympy.Symbol) -> Value:
    value = sympy.simplify(opened(formula).subs(s, 0))
    if not (value.is_finite and value.is_real):
        raise UndecidedError("it has no value there")
    return Value(value)


def _bounded(found: tuple[Span, ...]) -> str:
    below, above = not found[0].low.infinite, not found[-1].high.infinite
    return "bounded" if below and above else "from below" if below else "from above" if above else "unbounded"


def _places(found: tuple[tuple[Span, ...], sympy.Expr | None]) -> str:
    places, period = found
    return spans(places) + (f", again after each {period}" if period is not None else "")
