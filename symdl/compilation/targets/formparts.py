"""What the pieces of a form have in common: equal calls, and the division or the power of e that they end with.

LLVM computes all pieces of a form for a whole vector and chooses for each number, so that what each piece has of its
own is what the form costs. Of one form, and of a function and its slope in one loop, equal calls are one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import sympy

from symdl.core.accurate import erfcx, kept_exp, quotient, scaled_exp
from symdl.derivation.accurate.records import Form, Piece

#: |x|, in terms of which calls on both sides of 0 are the same.
MAGNITUDE = sympy.Symbol("size", real=True)
_EVEN = (kept_exp, scaled_exp, erfcx)


def shared_calls(form: Form) -> tuple[list[Piece], list[tuple[sympy.Symbol, sympy.Expr]]]:
    """The pieces of a form with what several of them call as symbols, and the calls that these stand for."""
    pieces = [p if p.near else replace(p, expr=_by_magnitude(p, form.x)) for p in form.pieces]
    exact = {u.args[1] for p in pieces if not p.near for u in p.expr.atoms(scaled_exp) if not _linear(u.args[1])}
    doubled = {kept_exp(u): scaled_exp(sympy.S.One, u) for u in exact}
    pieces = _raised_last([p if p.near else replace(p, expr=p.expr.xreplace(doubled)) for p in pieces])
    found = Counter(call for p in pieces if not p.near for call in _calls(p.expr))
    whole = set().union(*(p.expr.atoms(*_EVEN) for p in pieces if not p.near))
    calls = sorted((c for c, times in found.items() if times > 1 and c in whole), key=sympy.default_sort_key)
    shared = [(sympy.Symbol(f"e{k}", real=True), c) for k, c in enumerate(calls, 1)]
    symbols = {c: s for s, c in shared}
    return [p if p.near else replace(p, expr=p.expr.xreplace(symbols)) for p in pieces], shared


def _raised_last(pieces: list[Piece]) -> list[Piece]:
    """b e^u + c as a scaled power of e with c added to it, where other pieces are scaled by the same power: all of them
    then end with it."""
    common = {p.expr.args[1] for p in pieces if not p.near and isinstance(p.expr, scaled_exp)}

    def changed(expr: sympy.Expr) -> sympy.Expr:
        powers = {p for p in expr.atoms(scaled_exp) if p.args[0] == 1 and p.args[1] in common}
        if len(powers) != 1 or expr in powers:
            return expr
        (power,) = powers
        terms = [t for t in sympy.Add.make_args(expr) if t.has(power)]
        factor = terms[0] / power
        return expr if len(terms) > 1 or factor.has(power) else scaled_exp(factor, power.args[1]) + expr - terms[0]

    return [p if p.near else replace(p, expr=changed(p.expr)) for p in pieces]


def without_gaps(pieces: list[Piece]) -> tuple[list[Piece], list[Piece]]:
    """The polynomials between pieces of one expression, which are asked for first, and the others, joined over them."""
    inner = [p for k, p in enumerate(pieces) if p.near and 0 < k < len(pieces) - 1]
    joined: list[Piece] = []
    for piece in pieces:
        if piece in inner:
            continue
        if joined and not piece.near and not joined[-1].near and joined[-1].expr == piece.expr:
            joined[-1] = replace(joined[-1], high=piece.high)
        else:
            joined.append(piece)
    return inner, joined


def _by_magnitude(piece: Piece, x: sympy.Symbol) -> sympy.Expr:
    """Arguments of exponentials and the like in |x|, where x has one sign on the piece."""
    expr = piece.expr.replace(lambda e: isinstance(e, sympy.exp) and e.has(x), lambda e: kept_exp(e.args[0]))
    side = -1 if piece.high <= 0 else 1 if piece.low >= 0 else 0
    if side == 0:
        return expr

    def changed(call: sympy.Expr) -> sympy.Expr:
        first = [call.args[0]] if isinstance(call, scaled_exp) else []
        return call.func(*first, *[sympy.expand(a.subs(x, side * MAGNITUDE)) for a in call.args[len(first) :]])

    return expr.replace(lambda e: isinstance(e, _EVEN), changed)


def _linear(u: sympy.Expr) -> bool:
    """Whether an exponent is the number itself, up to its sign: nothing is rounded."""
    number, rest = u.as_coeff_Mul()
    return bool(abs(number) == 1 and rest.is_Symbol)


def _calls(expr: sympy.Expr) -> set[sympy.Expr]:
    """Calls of functions of |x| alone; of a scaled exponential that of e^u, which it has in it."""
    calls = expr.atoms(*_EVEN)
    powers = {scaled_exp(sympy.S.One, c.args[1]) for c in calls if isinstance(c, scaled_exp)}
    return {c for c in calls | powers if c.free_symbols == {MAGNITUDE}}


@dataclass(frozen=True)
class End:
    """A piece as value/below + plus, times a power of e where `tail`, + rest; what no piece has is None."""

    value: sympy.Expr | None
    below: sympy.Expr | None
    plus: sympy.Expr | None
    tail: bool | None
    rest: sympy.Expr | None


@dataclass(frozen=True)
class Ends:
    """What pieces end with.

    Args:
        divide: whether two or more divide.
        add: whether one of them adds something to the quotient.
        exponents: the one that two or more have in common, if any.
        always: whether all of them are scaled by that power of e.
        rest: whether something is added to what was scaled.
    """

    divide: bool
    add: bool
    exponents: tuple[sympy.Expr, ...]
    always: bool
    rest: bool

    def of(self, expr: sympy.Expr) -> End:
        """The end of a piece."""
        value, exponent, rest = _scaled(expr)
        tail = exponent is not None and exponent in self.exponents
        value, rest = (value, rest) if tail else (expr, sympy.S.Zero)
        if not self.divide:
            return self._end(value, None, None, tail, rest)
        above, below, plus = _divided(value)
        if below is None:
            above, below, plus = value, sympy.S.One, sympy.S.Zero
        if self.rest and not tail:
            plus, rest = sympy.S.Zero, plus
        return self._end(above, below, plus, tail, rest)

    def of_value(self, value: sympy.Expr | None) -> End:
        """The end of a piece that is a value and nothing else; None: one that is set already."""
        return self._end(value, sympy.S.One, sympy.S.Zero, False, sympy.S.Zero)

    def _end(self, value: Any, below: Any, plus: Any, tail: bool, rest: Any) -> End:
        return End(
            value,
            below if self.divide else None,
            plus if self.add else None,
            tail if self.exponents and not self.always else None,
            rest if self.rest else None,
        )


def merged_ends(pieces: list[Piece]) -> Ends:
    """What at least two pieces end with."""
    plain = {p.expr for p in pieces if not p.near}
    scaled = {e: _scaled(e) for e in plain}
    exponents = Counter(u for _, u, _ in scaled.values() if u is not None)
    dividing = [a for a, _, _ in scaled.values() if _divided(a)[1] is not None]
    common = tuple(u for u, times in exponents.most_common(1) if times > 1 or len(dividing) > 1)
    tails = {e: (a, rest) for e, (a, u, rest) in scaled.items() if u in common}
    quotients = [(e, _divided(tails[e][0] if e in tails else e)) for e in plain]
    quotients = [(e, q) for e, q in quotients if q[1] is not None]
    divide = len(quotients) > 1
    rest = any(rest != 0 for _, rest in tails.values())
    added = [e for e, (_, _, plus) in quotients if plus != 0 and not (rest and e not in tails)]
    always = len(tails) == len(plain) and not any(p.near for p in pieces)
    return Ends(divide, divide and bool(added), common, always, rest)


def _scaled(expr: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr | None, sympy.Expr]:
    """A scaled power of e as what is scaled, its exponent, and what is added to it; the exponent of others is None."""
    terms = [t for t in sympy.Add.make_args(expr) if isinstance(t, scaled_exp)]
    if len(terms) != 1:
        return expr, None, sympy.S.Zero
    (term,) = terms
    return term.args[0], term.args[1], expr - term


def _divided(expr: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr | None, sympy.Expr]:
    """A quotient as what stands above and below (the last of several divisors), and what is added to it."""
    if isinstance(expr, quotient):
        return expr.args[0], expr.args[1], sympy.S.Zero
    if expr.is_Add:
        parts = [(term, q) for term in expr.args if (q := _divided(term))[1] is not None]
        if len(parts) != 1:
            return expr, None, sympy.S.Zero
        ((term, (above, below, plus)),) = parts
        return above, below, expr - term + plus
    divisors = [
        f for f in sympy.Mul.make_args(expr) if f.is_Pow and f.exp.is_Integer and f.exp < 0 and f.base.free_symbols
    ]
    if not divisors:
        return expr, None, sympy.S.Zero
    return expr / divisors[-1], 1 / divisors[-1], sympy.S.Zero
