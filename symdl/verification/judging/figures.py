"""Claims between numbers: exact arithmetic, and what rounded figures allow.

A figure with decimals stands for the interval that rounds to it: 0.73 is [0.725, 0.735]. Two sides are equal where one,
worked out exactly, lies in the interval of the other; where they only meet once every figure that went in, and may be
rounded by what the document shows of it, is taken so, the claim is consistent with its figures, which is less.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import flint
import sympy
from flint import arb, fmpq

from symdl.errors import SymdlError
from symdl.verification.balls import Evaluator
from symdl.verification.decide import equal
from symdl.verification.meaning.application import cut_decimal
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node
from symdl.verification.real import UnclearError, UndefinedError
from symdl.verification.verdict import Status, Verdict, Witness

#: Bits for arithmetic with numbers, and seconds for a proof that two of them are one.
PRECISION, SECONDS = 512, 1.0

_ORDERS: dict[str, Callable[[arb, arb], bool]] = {
    "<": operator.lt,
    "≤": operator.le,
    ">": operator.gt,
    "≥": operator.ge,
    "≠": operator.ne,
    "≪": operator.lt,
    "≫": operator.gt,
}
_SCOPE = "these numbers"

#: A figure that should be longer is not written out; one that has no end is shown with so many digits.
_HUGE, _SHOWN = 10**15, 4
#: What is worked out of rounded figures is not given digits of which it is so many times as unsure as they tell.
WIDE = 25
#: Nobody who works in double precision sees a smaller difference, as that of tanh(100) and 1.
_INVISIBLE = arb(2) ** -52


@dataclass(frozen=True)
class Side:
    """One side of a claim between numbers.

    Args:
        exact: with every figure taken as it stands.
        spread: with each figure that may be rounded as a symbol, and `halves` for half a unit of its last digit.
        figure: half a unit of the last digit where the side is one figure; 0 where it is a whole number; else None.
        loose: as `spread`, with those figures too of which the document does not say where they come from.
        order: the side itself where it is a power of ten that stands alone: behind ≈ an order of magnitude.
    """

    exact: sympy.Expr
    spread: sympy.Expr
    halves: dict[sympy.Symbol, tuple[sympy.Rational, sympy.Rational]]
    figure: sympy.Rational | None
    loose: sympy.Expr | None = None
    order: sympy.Rational | None = None


def order_of(node: Node) -> sympy.Rational | None:
    """10³ where nothing else stands on a side, as behind 1024 ≈.

    >>> order_of(tree.Scripted(tree.Number("10"), sup=tree.Number("3"))), order_of(tree.Number("1000"))
    (1000, None)
    """
    exponent = _power_of_ten(node)
    return None if exponent is None else sympy.Integer(10) ** exponent


def half_unit(node: Node) -> sympy.Rational | None:
    """Half a unit of the last digit of a side that is one figure; None where it is something else.

    >>> half_unit(tree.Number("0.73")), half_unit(tree.Sum((("-", tree.Number("2")),))), half_unit(tree.Symbol("x"))
    (1/200, 0, None)
    """
    if isinstance(node, tree.Sum) and len(node.terms) == 1:
        return half_unit(node.terms[0][1])
    if isinstance(node, (tree.Noted, tree.Group)):
        return half_unit(node.body)
    if isinstance(node, tree.Percent):
        half = half_unit(node.body)
        return None if half is None else half / 100
    cut = cut_decimal(node)
    if cut is not None:  # 1.5707… is less than a whole unit of its last digit away
        return sympy.Rational(1, 10 ** len(cut.partition(".")[2]))
    if isinstance(node, tree.Product) and len(node.factors) == 2 and node.ops[0] in ("·", "×", ""):
        first, power = node.factors
        half = half_unit(first)
        exponent = _power_of_ten(power)
        return None if half is None or exponent is None else half * sympy.Integer(10) ** exponent
    if not isinstance(node, tree.Number):
        return None
    _, point, decimals = node.text.partition(".")
    return sympy.Rational(1, 2 * 10 ** len(decimals)) if point else sympy.S.Zero


def correct(node: Node, value: sympy.Expr, relation: str) -> tuple[Node, str] | None:
    """A side that is one figure as it should be, and the relation that holds then; None where the value is not clear.

    >>> from symdl.verification.notation import unicode
    >>> third = sympy.Rational(1, 3)
    >>> [(unicode(n), r) for n, r in (correct(tree.Number(text), third, "=") for text in ("0.34", "1"))]
    [('0.33', '='), ('0.3333', '≈')]
    """
    if isinstance(node, (tree.Noted, tree.Group)):
        return correct(node.body, value, relation)
    if isinstance(node, tree.Sum):
        return correct(node.terms[0][1], value, relation)
    if isinstance(node, tree.Percent):
        found = correct(node.body, 100 * value, relation)
        return found and (tree.Percent(found[0]), found[1])
    if isinstance(node, tree.Product):
        power = sympy.Integer(10) ** (_power_of_ten(node.factors[1]) or 0)
        found = correct(node.factors[0], value / power, relation)
        return found and (tree.Product((found[0], node.factors[1]), node.ops), found[1])
    with _precise():
        return _correct(node, value, relation)


def _correct(node: Node, value: sympy.Expr, relation: str) -> tuple[Node, str] | None:
    digits = len(node.text.partition(".")[2]) if isinstance(node, tree.Number) else 0
    try:
        ball = arb(_rational(value)) if value.is_Rational else _value(value)
    except SymdlError:
        return None
    if not abs(ball) < _HUGE:
        return None
    if not digits and relation != "≈" and not value.is_Integer:
        ending = _terminating(value) if value.is_Rational else None
        before = len(str(int(float(abs(ball))))) if abs(ball) >= 1 else 0
        digits = len(ending.partition(".")[2]) if ending else max(0, _SHOWN - before)
        relation = relation if ending else "≈"
    units = (abs(ball) * 10**digits + arb(fmpq(1, 2))).floor().unique_fmpz()
    if units is None:
        return None
    text = str(units).rjust(digits + 1, "0")
    figure = tree.Number(f"{text[:-digits]}.{text[-digits:]}" if digits else text)
    return (tree.Sum((("-", figure),)) if ball < 0 and units else figure), relation


@contextmanager
def _precise() -> Iterator[None]:
    """Arithmetic of balls with as many bits as figures need."""
    before = flint.ctx.prec
    flint.ctx.prec = PRECISION
    try:
        yield
    finally:
        flint.ctx.prec = before


def _power_of_ten(node: Node) -> int | None:
    if not (isinstance(node, tree.Scripted) and isinstance(node.base, tree.Number) and node.base.text == "10"):
        return None
    sup, sign = node.sup, 1
    if isinstance(sup, tree.Sum) and len(sup.terms) == 1:
        sign, sup = (-1 if sup.terms[0][0] == "-" else 1), sup.terms[0][1]
    if isinstance(sup, tree.Number) and sup.text.isdigit() and int(sup.text) < 400:
        return sign * int(sup.text)
    return None


class _Figures:
    """A point at which each figure is the ball that rounds to it."""

    def __init__(self, halves: dict[sympy.Symbol, tuple[sympy.Rational, sympy.Rational]]) -> None:
        self.halves = halves

    def symbol(self, symbol: sympy.Symbol) -> arb:
        value, half = self.halves[symbol]
        return arb(_rational(value), _rational(half))

    def element(self, element: sympy.Expr, subscripts: tuple[int, ...]) -> arb:
        raise UnclearError(f"{element} has no value")


def _rational(value: sympy.Rational) -> fmpq:
    return fmpq(int(value.p), int(value.q))


def decide_numbers(left: Side, right: Side, relation: str) -> Verdict:
    """The verdict on two numbers.

    >>> def side(text):
    ...     return Side(sympy.Rational(text), sympy.Rational(text), {}, half_unit(tree.Number(text)))
    >>> third = Side(sympy.Rational(1, 3), sympy.Rational(1, 3), {}, None)
    >>> decide_numbers(third, side("0.33"), "=").status, decide_numbers(third, side("0.34"), "=").status
    (<Status.PROVED: 'proved'>, <Status.REFUTED: 'refuted'>)
    """
    before = flint.ctx.prec
    try:
        for precision in _precisions(left, right):
            flint.ctx.prec = precision
            found = _decided(left, right, relation, precision)
            if found is not None:
                return found
        reason = f"no difference is seen at {precision} bits, and no proof is found"
        return Verdict(Status.UNDECIDED, "none", _SCOPE, reason=reason)
    except UndefinedError as error:
        return Verdict(Status.UNDECIDED, "none", _SCOPE, reason=f"a side has no real value: {error}")
    except SymdlError as error:
        return Verdict(Status.UNDECIDED, "none", _SCOPE, reason=str(error))
    finally:
        flint.ctx.prec = before


def _precisions(left: Side, right: Side) -> tuple[int, ...]:
    """Bits that tell apart what is written: σ(1000) is 1 up to the 1443rd bit, and 10⁴⁰⁰ + 1 is no 10⁴⁰⁰."""
    sides = left.exact, right.exact
    if all(s.is_Rational for s in sides):
        return (PRECISION + sum(int(n).bit_length() for s in sides for n in (s.p, s.q)),)
    return PRECISION, 8 * PRECISION


def _decided(left: Side, right: Side, relation: str, precision: int) -> Verdict | None:
    """The verdict at a precision; None where it is too low to tell."""
    a, b = _value(left.exact, precision), _value(right.exact, precision)
    exact = left.exact.is_Rational and right.exact.is_Rational
    method = "exact arithmetic" if exact else "ball arithmetic"
    if relation in _ORDERS:
        return _ordered(a, b, relation, method)
    alike = left.exact == right.exact if exact else (a - b).contains(0) and _proved_alike(left.exact, right.exact)
    if alike:
        return Verdict(Status.PROVED, "exact arithmetic", _SCOPE)
    for value, side, other in ((a, right, b), (b, left, a)):
        half = _allowed(side, relation)
        if half is not None and abs(value - other) <= arb(_rational(half)):
            return Verdict(Status.PROVED, "exact arithmetic, rounded to the digits that are shown", _SCOPE)
    if relation == "≈" and (found := _of_an_order(left, right, a, b)) is not None:
        return found
    if _overlap(left, right, relation, precision, loose=False) and not _too_wide(left, right, relation, precision):
        if (a - b).contains(0) and not left.halves and not right.halves:
            return None
        reason = "the two agree once every figure that may be rounded is taken so"
        return Verdict(Status.CONSISTENT, "interval arithmetic", _SCOPE, reason=reason)
    if _overlap(left, right, relation, precision, loose=True):
        reason = f"{shown(left.exact, a)} and {shown(right.exact, b)}, unless a short figure is a rounded one"
        return Verdict(Status.UNDECIDED, "none", _SCOPE, reason=reason)
    if not exact and abs(a - b) < abs(a) * _INVISIBLE:
        return Verdict(Status.UNDECIDED, "none", _SCOPE, reason="so to more than 15 digits, and not exactly")
    return Verdict(Status.REFUTED, method, _SCOPE, Witness({}, shown(left.exact, a), shown(right.exact, b)))


def _of_an_order(left: Side, right: Side, a: arb, b: arb) -> Verdict | None:
    """1024 ≈ 10³, which says no more than how large something is."""
    for side, other in ((left, b), (right, a)):
        if side.order is None or not other > 0:
            continue
        ratio = other / arb(_rational(side.order))
        if ratio > 0.5 and ratio < 1.5:
            return Verdict(Status.CONSISTENT, "interval arithmetic", _SCOPE, reason="of that order of magnitude")
        if ratio > 0.3 and ratio < 3.2:
            reason = f"{shown(None, other)} and {shown(side.exact, arb(_rational(side.order)))}, as orders of magnitude"
            return Verdict(Status.UNDECIDED, "none", _SCOPE, reason=reason)
    return None


def _proved_alike(left: sympy.Expr, right: sympy.Expr) -> bool:
    """Whether two numbers that no ball tells apart are one, by the rules of exp, log and roots."""
    nested = sympy.sqrtdenest(left), sympy.sqrtdenest(right)
    return equal(left, right, budget=SECONDS).proved or equal(*nested, budget=SECONDS).proved


def _allowed(side: Side, relation: str) -> sympy.Rational | None:
    """How far the truth may be from a figure: half a unit of its last digit; of a whole number only after ≈."""
    if side.figure is None or (side.figure == 0 and relation != "≈"):
        return None
    return side.figure or sympy.Rational(1, 2)


def _overlap(left: Side, right: Side, relation: str, precision: int, *, loose: bool) -> bool:
    first, second = (_spread(side, relation, precision, loose=loose) for side in (left, right))
    return bool(first.overlaps(second))


def _too_wide(left: Side, right: Side, relation: str, precision: int) -> bool:
    """Whether one side is a figure that nobody would give so many digits of, were those of the other side rounded.

    tanh(0.25) is anything from 0.2401 to 0.2496 if 0.25 is rounded, and 0.2444 is no more than a slip then.
    """
    for side, other in ((left, right), (right, left)):
        if side.figure:
            return bool(_spread(other, relation, precision, loose=False).rad() > WIDE * arb(_rational(side.figure)))
    return False


def _spread(side: Side, relation: str, precision: int, *, loose: bool) -> arb:
    expr = side.loose if loose and side.loose is not None else side.spread
    value = Evaluator(_Figures(side.halves), precision=precision).value(expr)
    if relation == "≈" and side.figure == 0 and side.exact % 10 == 0 and side.exact != 0:
        zeros = len(str(abs(side.exact))) - len(str(abs(side.exact)).rstrip("0"))
        return value + arb(0, _rational(sympy.Rational(10**zeros, 2)))
    return value


def _ordered(a: arb, b: arb, relation: str, method: str) -> Verdict | None:
    if _ORDERS[relation](a, b):
        return Verdict(Status.PROVED, method, _SCOPE)
    opposite = {"<": ">=", "≤": ">", ">": "<=", "≥": "<", "≪": ">=", "≫": "<="}.get(relation)
    found = {">=": a >= b, ">": a > b, "<=": a <= b, "<": a < b, None: bool((a - b).is_zero())}[opposite]
    if found:
        return Verdict(Status.REFUTED, method, _SCOPE, Witness({}, shown(None, a), shown(None, b)))
    return None


def _value(expr: sympy.Expr, precision: int = PRECISION) -> arb:
    return Evaluator(_Figures({}), precision=precision).value(expr)


def shown(exact: sympy.Expr | None, ball: arb) -> str:
    """A number as a reader takes it in: exactly where it is short, else its first digits."""
    if exact is not None and exact.is_Rational:
        if exact.q == 1 and abs(exact) < 10**30:
            return str(exact)
        decimal = _terminating(exact)
        if decimal is not None:
            return decimal
    return str(ball.str(12, radius=False))


def _terminating(value: sympy.Rational) -> str | None:
    """0.0256 for 16/625; None where the decimals don't end soon."""
    for digits in range(1, 16):
        scaled = value * 10**digits
        if scaled.is_Integer:
            text = str(abs(scaled)).rjust(digits + 1, "0")
            return ("-" if value < 0 else "") + f"{text[:-digits]}.{text[-digits:]}"
    return None
