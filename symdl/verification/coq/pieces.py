"""Inequalities about functions that hold an integral: interval arithmetic bounds it at points, but not over ranges.

The range is cut into pieces. On each of them a function is at most as far from its value in the middle as two slopes
allow: |f(x) − f(c)| ≤ r (|f′(c)| + r M), where M bounds |f″| there. f and f′ are looked at in the middle only; f″ has
no integral any more, so interval arithmetic bounds it over the piece.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sympy
from flint import arb, fmpq

from symdl.errors import SymdlError, UnsupportedError
from symdl.verification.balls import evaluate
from symdl.verification.coq.theorems import Theorem, slope
from symdl.verification.coq.writer import Writer

#: Halvings of the range, and what has to be left of a bound once a piece is accepted.
DEEPEST, SPARE = 14, fmpq(1, 10**7)

#: What both theorems below rest on; they are written into a file that uses them.
LEMMAS = """\
Lemma near : forall f df : R -> R, (forall y, is_derive f y (df y)) ->
  forall c r M x : R, (forall y, c - r <= y <= c + r -> Rabs (df y) <= M) -> c - r <= x <= c + r ->
  Rabs (f x - f c) <= r * M.
Proof.
  intros f df D c r M x B H. destruct (MVT_gen f c x df) as [y [Y E]].
  - intros z _. apply D.
  - intros z _. apply derivable_continuous_pt. exists (df z). apply is_derive_Reals. apply D.
  - rewrite E, Rabs_mult, (Rmult_comm r M). apply Rmult_le_compat; try apply Rabs_pos.
    + apply B. unfold Rmin, Rmax in Y. destruct (Rle_dec c x); lra.
    + apply Rabs_le. lra.
Qed.
Lemma piece : forall f df d2f : R -> R, (forall y, is_derive f y (df y)) -> (forall y, is_derive df y (d2f y)) ->
  forall c r M x : R, (forall y, c - r <= y <= c + r -> Rabs (d2f y) <= M) -> c - r <= x <= c + r ->
  Rabs (f x - f c) <= r * (Rabs (df c) + r * M).
Proof.
  intros f df d2f D E c r M x B H. apply (near f df D); [| exact H].
  intros y Y. generalize (near df d2f E c r M y B Y). generalize (Rabs_triang (df y - df c) (df c)).
  replace (df y - df c + df c) with (df y) by ring. lra.
Qed.
Lemma piece_above : forall f df d2f : R -> R, (forall y, is_derive f y (df y)) ->
  (forall y, is_derive df y (d2f y)) -> forall c r M b x : R, (forall y, c - r <= y <= c + r -> Rabs (d2f y) <= M) ->
  b <= f c - r * (Rabs (df c) + r * M) -> c - r <= x <= c + r -> b <= f x.
Proof.
  intros f df d2f D E c r M b x B L H. generalize (piece f df d2f D E c r M x B H).
  unfold Rabs at 1. destruct (Rcase_abs (f x - f c)); lra.
Qed.
Lemma piece_within : forall f df d2f : R -> R, (forall y, is_derive f y (df y)) ->
  (forall y, is_derive df y (d2f y)) -> forall c r M a b x : R, (forall y, c - r <= y <= c + r -> Rabs (d2f y) <= M) ->
  Rabs (f c) + r * (Rabs (df c) + r * M) <= b -> a = - b -> c - r <= x <= c + r -> a <= f x <= b.
Proof.
  intros f df d2f D E c r M a b x B L S H. generalize (piece f df d2f D E c r M x B H). rewrite S.
  unfold Rabs at 1. generalize (Rabs_maj2 (f c)) (Rle_abs (f c)). destruct (Rcase_abs (f x - f c)); lra.
Qed.
"""


@dataclass(frozen=True)
class _Piece:
    """From `middle` − `reach` to `middle` + `reach`, and a bound of |f″| there."""

    middle: sympy.Rational
    reach: sympy.Rational
    most: sympy.Rational


class _Ball:
    """A point at which the variable is a ball."""

    def __init__(self, ball: arb) -> None:
        self.ball = ball

    def symbol(self, symbol: sympy.Symbol) -> arb:
        return self.ball

    def element(self, element: sympy.Expr, subscripts: tuple[int, ...]) -> arb:
        raise UnsupportedError(f"{element} has no value")


def slopes(name: str, f: sympy.Expr, x: sympy.Symbol, writer: Writer) -> tuple[Theorem, ...]:
    """What f, f′ and f″ have for slopes: theorems that the proofs of inequalities about f and f′ call."""
    made: list[Theorem] = []
    for order in range(1, 4):
        made += slope(f"{name}_slope_{order}", f, x, f.diff(x), (), writer)
        f = f.diff(x)
    return tuple(made)


def by_pieces(
    f: sympy.Expr,
    x: sympy.Symbol,
    low: sympy.Rational,
    high: sympy.Rational | None,
    width: int,
    by: tuple[str, str],
    unfold: str,
    writer: Writer,
) -> list[str]:
    """The tactics for low ≤ f, or for −high ≤ f ≤ high, where −width ≤ x ≤ width.

    Args:
        by: the theorems about the slopes of f and f′.
        unfold: the tactic that writes everything out.
        writer: of the file.

    Raises:
        UnsupportedError: two ends that are not opposite, or nothing is shown by small pieces.
    """
    if high is not None and low != -high:
        raise UnsupportedError(f"{low} and {high} are not opposite")
    values = f"cbv beta delta {unfold}; integral with (i_prec 30, i_degree 8)"
    steps = [f"[intros y Y; cbv beta delta {unfold}; interval with (i_bisect y, i_prec 40)", values, "lra"]
    lemma, steps = ("piece_above", steps) if high is None else ("piece_within", [*steps[:2], "lra", "lra"])
    lines = []
    found = pieces(f, x, low, width, within=high is not None)
    for k, piece in enumerate(found):
        numbers = " ".join(f"({writer.text(n)})" for n in (piece.middle, piece.reach, piece.most))
        applied = f"apply ({lemma} _ _ _ {' '.join(by)} {numbers}); {' | '.join(steps)}]."
        if k < len(found) - 1:
            lines.append(f"destruct (Rle_lt_dec x ({writer.text(piece.middle + piece.reach)})) as [? | ?].")
            applied = f"{{ {applied} }}"
        lines.append(applied)
    return lines


def pieces(
    f: sympy.Expr, x: sympy.Symbol, low: sympy.Rational, width: int, *, within: bool = False
) -> tuple[_Piece, ...]:
    """Pieces of −width ≤ x ≤ width, from left to right, on each of which low ≤ f, and f ≤ −low if it is `within`.

    Raises:
        UnsupportedError: so many pieces do not show it.

    >>> x = sympy.Symbol("x", real=True)
    >>> len(pieces(sympy.erf(x), x, sympy.Rational(-11, 10), 8, within=True))
    14
    """
    df = f.diff(x)
    d2f = df.diff(x)

    def cut(middle: sympy.Rational, reach: sympy.Rational, depth: int) -> Iterator[_Piece]:
        c, r = _exact(middle), _exact(reach)
        try:
            value, steep, bend = (evaluate(g, _Ball(b)) for g, b in ((f, arb(c)), (df, arb(c)), (d2f, arb(c, r))))
            most = _above(bend)
            away = r * (abs(steep) + r * _exact(most)) + SPARE
            if (-abs(value) if within else value) - away > _exact(low):
                yield _Piece(middle, reach, most)
                return
        except SymdlError:
            pass  # no bound over so wide a piece
        if depth == DEEPEST:
            raise UnsupportedError(f"no bound of {f} is found near {middle}")
        for side in (-1, 1):
            yield from cut(middle + side * reach / 2, reach / 2, depth + 1)

    return tuple(cut(sympy.S.Zero, sympy.Integer(width), 0))


def _above(ball: arb) -> sympy.Rational:
    """A number with few digits that is above all absolute values in a ball.

    Raises:
        UnsupportedError: they are too large to be of use.
    """
    if not abs(ball) < 1000:
        raise UnsupportedError("no useful bound")
    return sympy.Rational(int(float(abs(ball).upper()) * 1000) + 2, 1000)


def _exact(value: sympy.Rational) -> fmpq:
    return fmpq(int(value.p), int(value.q))
