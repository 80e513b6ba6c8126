"""Range and steepness of activations as theorems: for all x where algebra can, else for x from −8 to 8 by intervals.

The numbers are those that `symdl.verification.properties` derives; they are rounded outwards where they have no name.

>>> made = bounds_of("sigmoid")
>>> [part.statement for part in made.parts]
['forall (x : R), 0 < sigmoid x < 1', 'forall (x : R), - 1 / 4 <= (1 - sigmoid x) * sigmoid x <= 1 / 4']
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy

from symdl.errors import UnsupportedError
from symdl.library.activations import ACTIVATIONS
from symdl.verification.coq.domains import has_switch
from symdl.verification.coq.files import File
from symdl.verification.coq.pieces import LEMMAS, by_pieces, slopes
from symdl.verification.coq.prelude import NARROW, UNFOLDED
from symdl.verification.coq.theorems import Theorem
from symdl.verification.coq.values import named_values
from symdl.verification.coq.writer import Writer
from symdl.verification.properties import properties
from symdl.verification.ranges import Value
from symdl.verification.truth import opened

#: Interval arithmetic takes x from −WIDTH to WIDTH, and rounds numbers without a name to so many digits.
WIDTH, DIGITS = 8, 4
#: The tactic that brings tanh into the form that interval arithmetic takes in seconds.
_NARROW = "narrow."
_X = sympy.Symbol("x", real=True)


@dataclass(frozen=True)
class Bound:
    """low ≤ expression ≤ high, or < where an end is open; None where there is no end."""

    expression: sympy.Expr
    low: sympy.Rational | None
    high: sympy.Rational | None
    open_low: bool = False
    open_high: bool = False


#: Without a file, since nothing is bounded.
_LEFT_OUT = {
    "identity": "it has no bound",
    "hardshrink": "it has no bound",
    "prelu": "its parameter has no value",
}


def bounded() -> tuple[str, ...]:
    """The activations whose bounds are theorems; of the others `sd.properties` says what it has found."""
    return tuple(name for name in ACTIVATIONS if name not in _LEFT_OUT)


def bounds_of(name: str) -> File:
    """The theorems on range and steepness of one activation, with the usual values of its parameters.

    Raises:
        UnsupportedError: one of those that are left out.
    """
    if name in _LEFT_OUT:
        raise UnsupportedError(f"bounds of {name} are no theorem here", why=_LEFT_OUT[name], remedy="use sd.properties")
    activation = ACTIVATIONS[name]
    found, call = properties(name), activation(_X)
    spans, steep = found.range.value, found.lipschitz.value
    writer = Writer()
    parts: list[Theorem] = []
    turns = [t.at.exact for t in found.monotone.value.turns if t.at.exact is not None and t.at.exact.is_Rational]
    low, high = spans[0].low, spans[-1].high
    if opened(call).has(sympy.erf):
        parts += slopes(name, call, _X, writer)
    value = Bound(call, _below(low), _above(high), not spans[0].low_closed, not spans[-1].high_closed)
    if value.low is not None or value.high is not None:
        parts.append(_theorem(f"{name}_range", value, turns, writer))
    most = None if steep is None else _above(steep)
    if most is not None:
        parts.append(_theorem(f"{name}_steepness", Bound(call.diff(_X), -most, most), (), writer))
    return File(
        tuple(parts),
        writer,
        (f"The activation {name}: its range, and how steep it is.",),
        True,
        any(p.relations for p in parts),
        tuple(text for text, mark in ((NARROW, _NARROW), (LEMMAS, "piece_")) if any(mark in p.text for p in parts)),
    )


def _below(value: Value) -> sympy.Rational | None:
    return None if value.infinite else _rounded(value, -1)


def _above(value: Value) -> sympy.Rational | None:
    return None if value.infinite else _rounded(value, 1)


def _rounded(value: Value, direction: int) -> sympy.Rational:
    if value.exact is not None and value.exact.is_Rational and value.exact.q < 1000:
        return value.exact
    scale = 10**DIGITS
    ball = value.ball() * scale
    edge = ball.upper().ceil() if direction > 0 else ball.lower().floor()
    return sympy.Rational(int(edge.unique_fmpz()), scale)


def _theorem(name: str, bound: Bound, turns: Sequence[sympy.Rational], writer: Writer) -> Theorem:
    text = writer.text(bound.expression)
    kinked = has_switch(bound.expression)
    near = not kinked and not _algebraic(bound)
    claim = text
    if bound.low is not None:
        claim = f"{writer.text(bound.low)} {'<' if bound.open_low and not near else '<='} {claim}"
    if bound.high is not None:
        claim = f"{claim} {'<' if bound.open_high and not near else '<='} {writer.text(bound.high)}"
    narrow = near and "tanh" in writer.prelude
    names = [n for n, _ in writer.functions.values()]
    names += [n for n in UNFOLDED if n in writer.prelude and not (narrow and n == "tanh")]
    unfold = f"cbv beta delta [{' '.join(names)}]." if names else "cbv beta."
    if near and "erf" in writer.prelude:
        order = 2 if name.endswith("steepness") else 1
        base = name.rpartition("_")[0]
        by = f"{base}_slope_{order}", f"{base}_slope_{order + 1}"
        unfold = f"[{' '.join([*names, 'erf'])}]"
        if bound.low is None:
            raise UnsupportedError(f"a bound of {base} from above alone", remedy="use sd.properties")
        statement = f"forall (x : R), - {WIDTH} <= x <= {WIDTH} -> {claim}"
        told = by_pieces(bound.expression, _X, bound.low, bound.high, WIDTH, by, unfold, writer)
        lines = ["intros x H.", *told]
        return Theorem(name, statement, tuple(lines), (_X,), (_X >= -WIDTH, _X <= WIDTH))
    if near:
        statement = f"forall (x : R), - {WIDTH} <= x <= {WIDTH} -> {claim}"
        closed = (_NARROW,) if narrow else ()
        proof = ("intros x H.", unfold, *closed, "interval with (i_bisect x, i_autodiff x, i_depth 24, i_prec 40).")
        return Theorem(name, statement, proof, (_X,), (_X >= -WIDTH, _X <= WIDTH))
    lines = ["intros x.", unfold, *_squares(["x"], turns, writer)]
    if kinked:
        lines.append("unfold switch. repeat match goal with |- context [Rlt_dec ?a ?b] => destruct (Rlt_dec a b) end;")
        lines.append(f"{_exponentials(bound.expression, writer)}repeat split; first [ lra | nra | difference ].")
    else:
        values = named_values([bound.expression], Writer(writer.names, writer.functions, writer.prelude), {})
        folds = "; ".join(f"rename_call {f} {fact}" for f, fact in values.folds)
        lines += [*values.lines, *_squares([f[1:] for _, f in values.folds if f[1] == "G"], [sympy.S.One], writer)]
        lines.append(f"{folds}; repeat split; difference.")
    return Theorem(name, f"forall (x : R), {claim}", tuple(lines), (_X,))


def _squares(names: Sequence[str], places: Sequence[sympy.Rational], writer: Writer) -> list[str]:
    """Squares that are 0 where a function turns: arithmetic does not find them by itself."""
    return [f"generalize (pow2_ge_0 ({n} - {writer.text(p, 1)})); intro." for n in names for p in places]


def _exponentials(expression: sympy.Expr, writer: Writer) -> str:
    """What is known of exponentials: they are above 0, and at most 1 where their exponent is not above 0."""
    inside = opened(expression).atoms(sympy.exp)
    texts = [writer.text(e) for e in sorted(inside, key=sympy.default_sort_key)]
    below = "apply exp_below; lra"
    return "".join(f"assert (0 < {t}) by apply exp_pos; try (assert ({t} <= 1) by ({below})); " for t in texts)


def _algebraic(bound: Bound) -> bool:
    """Whether nothing is left but exponentials of multiples of x when values have names."""
    value = named_values([bound.expression], Writer(), {}).results[0]
    exponents = [e.args[0] for e in opened(bound.expression).rewrite(sympy.exp).atoms(sympy.exp)]
    named = all(str(s).startswith("G") for s in value.free_symbols)
    return named and all(e.is_polynomial(_X) and sympy.degree(e, _X) == 1 for e in exponents)
