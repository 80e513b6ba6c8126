"""What is so of a function whose parameters have no values: for all of them at once.

In each piece the slope may be c·g(s), where c holds the parameters and g none of them: then it is |c| sup |g| steep.
"""

from __future__ import annotations

import sympy

from symdl.core.functions import Switch
from symdl.verification.decide import equal
from symdl.verification.pieces import Piece, pieces_of
from symdl.verification.shape import Curve, lipschitz
from symdl.verification.terms import UndecidedError, Work


def steepest(formula: sympy.Expr, s: sympy.Symbol, work: Work) -> sympy.Expr:
    """The Lipschitz constant in the parameters, whatever they are; ∞ where there is none.

    Raises:
        UndecidedError: the parameters stand elsewhere in the slope, or it jumps for some of them.

    >>> s, a = sympy.symbols("s a", real=True)
    >>> steepest(Switch(s, a * s, s, 0), s, Work())
    Max(1, Abs(a))
    >>> steepest(Switch(s, a * (sympy.exp(s) - 1), 2 * s, 0), s, Work())
    Max(2, Abs(a))
    """
    found = pieces_of(formula, s)
    for kink in found.kinks:
        for piece in (p for p in found.pieces if kink.at in (p.low, p.high)):
            if not equal(piece.value.subs(s, kink.at), kink.value):
                raise UndecidedError(f"whether it jumps at {kink.at}")
    return sympy.Max(*[_of_piece(piece, s, work) for piece in found.pieces])


def _of_piece(piece: Piece, s: sympy.Symbol, work: Work) -> sympy.Expr:
    """sup |c g| of a slope on its piece."""
    outside, inside = sympy.factor_terms(sympy.expand(piece.slope)).as_independent(s, as_Add=False)
    if inside.free_symbols - {s}:
        raise UndecidedError(f"the slope {piece.slope} is no product of a function of {s} and one of the parameters")
    if not inside.has(s):
        return sympy.Abs(outside * inside)
    # the function with that slope has the Lipschitz constant sup |g| on the piece, and none outside
    alone = piece.value / outside
    height = [alone.subs(s, end) if end.is_finite else None for end in (piece.low, piece.high)]
    for end, value, where in ((piece.low, height[0], 1), (piece.high, height[1], -1)):
        if value is not None:
            alone = Switch(s - end, *((value, alone) if where > 0 else (alone, value)), 0)
    bound = lipschitz(Curve.of(pieces_of(alone, s), s, work))
    if bound is None or bound.exact is None:
        raise UndecidedError(f"how large {inside} gets for {piece.low} < {s} < {piece.high} has no name")
    return sympy.Abs(outside) * bound.exact
