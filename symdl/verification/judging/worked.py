"""Links that come to numbers at the stated values: what their figures stand for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import sympy

from symdl.core.tensors import Element
from symdl.errors import SymdlError
from symdl.verification.judging.doubts import Pair
from symdl.verification.judging.figures import Side, decide_numbers, half_unit, order_of
from symdl.verification.meaning.cotangents import is_slope
from symdl.verification.meaning.stated import ORDERS, Meaning
from symdl.verification.meaning.statements import Reading
from symdl.verification.meaning.values import valued
from symdl.verification.notation import tree
from symdl.verification.notation.tree import walk
from symdl.verification.verdict import A_CONDITION, Status, Verdict

#: What is within so much of 0 is taken for 0.
_NOTHING = 1e-10


def decide_figures(reading: Reading, link: Meaning, exact: Pair) -> Verdict:
    """The verdict on a link that comes to numbers, its decimals standing for what rounds to them.

    Args:
        exact: both sides with the stated values, taken as they are written.
    """
    sides = []
    for node, value in zip((link.left, link.right), exact, strict=True):
        halves: dict[sympy.Symbol, tuple[sympy.Rational, sympy.Rational]] = {}
        loose = value
        if any(isinstance(n, tree.Number) and "." in n.text for n in walk(node)):
            reader = reading.reader()
            reader.figures = halves
            try:
                loose = valued(reading.scope, reader.number(node))
            except SymdlError:
                loose, halves = value, {}
        loose = loose if not loose.atoms(Element) and loose.free_symbols <= halves.keys() else value
        half, rounding = half_unit(node), reading.rounding
        # a side that is one figure is what is claimed: it is as good as its digits
        kept = {s: v for s, (v, h) in halves.items() if half is None and not rounding.may_round(v, h)}
        settled = {s: v for s, v in kept.items() if rounding.settled(v)}
        sides.append(Side(value, loose.xreplace(kept), halves, half, loose.xreplace(settled), order_of(node)))
    found = decide_numbers(sides[0], sides[1], link.relation)
    if found.status is Status.REFUTED and (again := _as_shown(reading, link, sides)) is not None:
        found = again
    used = set().union(*[names_of(v.body) for v in link.values or ()])
    if used:
        return replace(found, scope=f"the stated values of {', '.join(sorted(used)[:6])}")
    return found


def _as_shown(reading: Reading, link: Meaning, sides: list[Side]) -> Verdict | None:
    """The verdict with the rounded figures that the document shows of names, h = σ(z) = 0.6457, in their places; None
    where it is not consistent with them either, or where none is shown.

    Each has to be a rounding of what its name stands for.
    """
    figures = [k for k, side in enumerate(sides) if side.figure]
    if link.values is None or len(figures) != 1 or link.relation in ORDERS:
        return None
    worked_out = 1 - figures[0]
    body = link.values[worked_out].body
    shown = _shown_figures(reading)
    kept = reading.scope.expanded(body, lambda e, formula: e not in shown) if shown else body
    symbols = {e: sympy.Dummy(real=True) for e in kept.atoms(Element) if e in shown}
    expr = valued(reading.scope, kept.xreplace(symbols))
    if not symbols or expr.atoms(Element) or not expr.free_symbols <= set(symbols.values()):
        return None
    halves = {symbols[e]: shown[e] for e in symbols}
    sides[worked_out] = replace(sides[worked_out], spread=expr, halves=halves, loose=None)
    found = decide_numbers(sides[0], sides[1], link.relation)
    if found.status is Status.CONSISTENT:
        return found
    figure = sides[figures[0]]
    assert figure.figure is not None
    if abs(sympy.N(sides[worked_out].exact - figure.exact, 30)) <= 2 * figure.figure:
        return undecided("off in the last digit only, as where figures are rounded at each step", found)
    return None


def _shown_figures(reading: Reading) -> dict[Element, tuple[sympy.Rational, sympy.Rational]]:
    """The names of which a figure with decimals is shown that rounds what they stand for, with half a unit of its last
    digit; what is stated and not worked out is no rounded figure."""
    found = {}
    reader, scope = reading.reader(), reading.scope
    for name, figure in ((name, figure) for name, every in reading.shown.items() for figure in every):
        half = half_unit(figure)
        try:
            element, value = reader.number(name), reader.number(figure)
        except SymdlError:
            continue
        exact = valued(scope, element)
        named = isinstance(element, Element) and value.is_Rational and exact.is_number
        if half and named and exact != value and abs(sympy.N(exact - value, 30)) <= half:
            found[element] = (value, half)
    return found


def has_figures(link: Meaning) -> bool:
    """Whether a number stands in the link that is worked out: not the 2 of a square."""
    plain = {"0", "1", "2"}
    return any(
        isinstance(n, tree.Number) and n.text not in plain for n in (*walk(link.left), *walk(link.right))
    ) or any(half_unit(side) is not None for side in (link.left, link.right))


def names_of(expr: sympy.Basic) -> set[str]:
    """The names in an expression."""
    return {e.name for e in expr.atoms(Element)}


def relations_of(condition: sympy.Basic) -> list[sympy.Basic]:
    """The relations that a condition of a case is made of."""
    if condition == sympy.true:
        return []
    return list(condition.args) if isinstance(condition, sympy.And) else [condition]


def near_fraction(ball: str, largest: int = 12) -> sympy.Rational | None:
    """The fraction with a small denominator that a ball is around, as far as its first 10 digits tell.

    >>> [near_fraction(f"[{ball}]") for ball in ("0.250000000000 +/- 1e-17", "0.1415926535 +/- 1e-12", "+/- 1e-76")]
    [1/4, None, 0]
    """
    middle, _, radius = ball.strip("[]").partition("+/-")
    text = middle.strip() or ("0" if radius and float(radius) <= _NOTHING else "")
    try:
        value = Fraction(text)
    except ValueError:
        return None
    found = value.limit_denominator(largest)
    return sympy.Rational(found.numerator, found.denominator) if abs(found - value) <= Fraction(1, 10**10) else None


def fixed_numbers(
    link: Meaning, verdict: Verdict, forms: Pair, decided: Callable[[sympy.Expr, sympy.Expr], Verdict]
) -> Pair | None:
    """The numbers that both sides are, whatever the names in them stand for: 0 of Σ_j (p_j − y_j), and 1.

    None where slopes of something open are among the names: it may hang on more than is written.
    """
    names = set().union(*map(names_of, forms))
    if verdict.witness is None or link.relation not in ("=", "≡") or any(map(is_slope, names)):
        return None
    left, right = map(near_fraction, (verdict.witness.left, verdict.witness.right))
    if left is None or right is None or not (decided(forms[0], left).proved and decided(forms[1], right).proved):
        return None
    return left, right


def sums_slopes(link: Meaning) -> bool:
    """Whether a number other than 0 is claimed of Σ_j ∂L/∂z_j, which nobody sets to it."""
    for side, other in ((link.left, link.right), (link.right, link.left)):
        summed = isinstance(side, tree.Big) and any(isinstance(n, tree.Derivative) for n in walk(side.body))
        if summed and isinstance(other, tree.Number):
            return bool(other.text.strip("0."))
    return False


def as_condition(reason: str) -> Verdict:
    """It says for which values something is meant, and claims nothing."""
    return Verdict(Status.DEFINITION, "definition", A_CONDITION, reason=reason)


def undecided(reason: str, verdict: Verdict | None = None) -> Verdict:
    """Nothing is known, in the scope of another verdict where there is one."""
    return Verdict(
        Status.UNDECIDED, "none", verdict.scope if verdict is not None else "the formula as it stands", reason=reason
    )


def at_values(verdict: Verdict, before: Pair, after: Pair) -> Verdict:
    """A proof at stated values, with the names that they were put in for."""
    gone = set().union(*[names_of(e) for e in before]) - set().union(*[names_of(e) for e in after])
    told = ", ".join(sorted(gone)[:6])
    return replace(verdict, scope=f"{verdict.scope}, at the stated values" + (f" of {told}" if told else ""))
