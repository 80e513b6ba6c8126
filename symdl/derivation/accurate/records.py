"""What is found for a function: pieces, with an expression or a polynomial each, and how large rounding errors are."""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from symdl.core.accurate import kept_exp
from symdl.core.text import plain_text
from symdl.derivation.accurate.series import Polynomial

#: Beyond this a form is replaced, from there to where it is within `forms.LIMIT` again.
HARD = 9.0
#: What the functions of forms mean, for readers.
MEANINGS = {
    "sin_of": "where sin_of(x, k) is sin kx, with k·x to as many digits as it takes",
    "cos_of": "where cos_of(x, k) is cos kx, with k·x to as many digits as it takes",
    "scaled_exp": "where scaled_exp(a, u) is a·eᵘ, with u to twice the digits",
    "erfcx": "where erfcx(x) is e^{x²} erfc(x)",
    "hypot": "where hypot(x, y) is √(x² + y²) without overflow",
    "quotient": "where quotient(a, b) is a/b, divided before it is multiplied",
}


@dataclass(frozen=True)
class Piece:
    """The function for low ≤ x < high: an expression, or a polynomial (by dtype) that is as good as it."""

    low: float
    high: float
    expr: sympy.Expr
    near: tuple[tuple[str, Polynomial], ...] = ()


@dataclass(frozen=True)
class Form:
    """How a function is computed.

    Args:
        name: of the function.
        x: its variable.
        pieces: by interval, in order, from −∞ to ∞.
        kinks: values at points where two sides meet.
        worst, at: the largest error of rounding and where: a worst case, in ulps.
        lost: where the worst case is beyond `HARD`: the first and the last point of the grid of each stretch.
    """

    name: str
    x: sympy.Symbol
    pieces: tuple[Piece, ...]
    kinks: tuple[tuple[float, sympy.Expr], ...]
    worst: float
    at: float
    lost: tuple[tuple[float, float], ...] = ()

    def __str__(self) -> str:
        lines = []
        for piece in self.pieces:
            shown = (
                f"a polynomial of degree {_degree(piece)}"
                if piece.near
                else plain_text(piece.expr.replace(kept_exp, sympy.exp))
            )
            lines.append(f"{shown}  for {piece.low:.6g} ≤ x < {piece.high:.6g}")
        text = "\n".join(lines)
        return "\n".join([text, *(words for name, words in MEANINGS.items() if f"{name}(" in text)])


def _degree(piece: Piece) -> int:
    made = dict(piece.near)["float64"]
    return made.order + len(made.coefficients) - 1


@dataclass(frozen=True)
class Search:
    """What was found for a function.

    Args:
        worst, at: the largest error of rounding in the form that is in use, and where: a worst case, in ulps.
        form: a better one; None where none is needed, or none was found.
    """

    worst: float
    at: float
    form: Form | None

    @property
    def needed(self) -> bool:
        return self.worst > HARD
