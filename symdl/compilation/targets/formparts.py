"""What the pieces of a form have in common: equal calls, and the division or the power of e that they end with.

LLVM computes all pieces of a form for a whole vector and chooses for each number, so that what each piece has of its
own is what the form costs. Of one form, and of a function and its slope in one loop, equal calls are one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

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
    pieces = [p if p.near else replace(p, expr=p.expr.xreplace(doubled)) for p in pieces]
    found = Counter(call for p in pieces if not p.near for call in _calls(p.expr))
    whole = set().union(*(p.expr.atoms(*_EVEN) for p in pieces if not p.near))
    calls = sorted((c for c, times in found.items() if times > 1 and c in whole), key=sympy.default_sort_key)
    shared = [(sympy.Symbol(f"e{k}", real=True), c) for k, c in enumerate(calls, 1)]
    symbols = {c: s for s, c in shared}
    return [p if p.near else replace(p, expr=p.expr.xreplace(symbols)) for p in pieces], shared


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
    """A piece as value/below + plus, times a power of e where `tail`; what no piece has is None."""

    value: sympy.Expr | None
    below: sympy.Expr | None
    plus: sympy.Expr | None
    tail: bool | None


@dataclass(frozen=True)
class Ends:
    """What pieces end with: whether two or more divide, whether one of them adds something to the quotient, and the
    exponent that two or more have in common."""

    divide: bool
    add: bool
    exponents: tuple[sympy.Expr, ...]

    def of(self, expr: sympy.Expr) -> End:
        """The end of a piece."""
        tail = bool(self.exponents) and isinstance(expr, scaled_exp) and expr.args[1] == self.exponents[0]
        value = expr.args[0] if tail else expr
        if not self.divide:
            return End(value, None, None, tail if self.exponents else None)
        above, below, plus = _divided(value)
        if below is None:
            above, below, plus = value, sympy.S.One, sympy.S.Zero
        return End(above, below, plus if self.add else None, tail if self.exponents else None)

    def of_value(self, value: sympy.Expr | None) -> End:
        """The end of a piece that is a value and nothing else; None: one that is set already."""
        below, plus = (sympy.S.One, sympy.S.Zero) if self.divide else (None, None)
        return End(value, below, plus if self.add else None, False if self.exponents else None)


def merged_ends(pieces: list[Piece]) -> Ends:
    """What at least two pieces end with."""
    plain = {p.expr for p in pieces if not p.near}
    exponents = Counter(e.args[1] for e in plain if isinstance(e, scaled_exp))
    dividing = [e for e in plain if _divided(e.args[0] if isinstance(e, scaled_exp) else e)[1] is not None]
    common = tuple(
        u
        for u, times in exponents.most_common(1)
        if times > 1 or (len(dividing) > 1 and any(isinstance(e, scaled_exp) and e.args[1] == u for e in dividing))
    )
    inner = {e.args[0] if isinstance(e, scaled_exp) and e.args[1] in common else e for e in plain}
    quotients = [q for q in map(_divided, inner) if q[1] is not None]
    divide = len(quotients) > 1
    return Ends(divide, divide and any(plus != 0 for _, _, plus in quotients), common)


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
