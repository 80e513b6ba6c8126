"""Switches as people write them: max, min, |x|, sign, an Iverson bracket, else cases."""

from __future__ import annotations

from collections.abc import Callable

import sympy

from symdl.core.functions import Delta, InRange, Switch
from symdl.core.tensors import Element
from symdl.rendering.pieces import ADD, ATOM, Tex


def switch_form(node: Switch, tex: Callable[[sympy.Expr], str]) -> Tex:
    r"""LaTeX of a switch; in a bracket or a sign the policy at 0 is left to the legend.

    >>> x = sympy.Symbol("x", real=True)
    >>> switch_form(Switch(x, 0, x, 0), str).text, switch_form(Switch(x, 0, 1, 0), str).text
    ('\\max\\left(0, x\\right)', '\\left[x > 0\\right]')
    """
    x, below, above, weight = node.args
    named = _named(x, below, above)
    if named:
        operator, first, second = named
        return Tex(rf"{operator}\left({tex(first)}, {tex(second)}\right)", ATOM)
    if _is_absolute(x, below, above):
        return Tex(rf"\left|{tex(x)}\right|", ATOM)
    if not _named_at_zero(node):
        return Tex(_cases(node, tex), ADD)
    if (below, above) == (0, 1):
        sign = ">" if weight != 1 else r"\ge"
        return Tex(rf"\left[{_compared(x, sign, tex)}\right]", ATOM)
    if (below, above) == (1, 0):
        sign = "<" if weight != 0 else r"\le"
        return Tex(rf"\left[{_compared(x, sign, tex)}\right]", ATOM)
    if (below, above) == (-1, 1):
        return Tex(rf"\operatorname{{sign}}\left({tex(x)}\right)", ATOM)
    return Tex(_cases(node, tex), ADD)


def _compared(x: sympy.Expr, sign: str, tex: Callable[[sympy.Expr], str]) -> str:
    """x > 0, and a > b for a difference."""
    minus = [t for t in sympy.Add.make_args(x) if t.could_extract_minus_sign()]
    if not 0 < len(minus) < len(sympy.Add.make_args(x)):
        return f"{tex(x)} {sign} 0"
    right = -sympy.Add(*minus)
    return f"{tex(x + right)} {sign} {tex(right)}"


def as_product(node: Switch) -> sympy.Expr | None:
    """[x > 0]·e, [x < 0]·e or sign(x)·e, where a switch is one of these; None where it is not, or is named."""
    x, below, above, weight = node.args
    if _named(x, below, above) or _is_absolute(x, below, above) or not _named_at_zero(node):
        return None
    if below == 0 and above != 1:
        return sympy.Mul(Switch(x, below, 1, weight), above)
    if above == 0 and below != 1:
        return sympy.Mul(Switch(x, 1, above, weight), below)
    if below == -above and not (above.is_number and abs(above) == 1):
        return sympy.Mul(Switch(x, -1, 1, weight), above)
    if (below, above) == (1, -1):
        return -Switch(x, -1, 1, weight)
    return None


def _named_at_zero(node: Switch) -> bool:
    """Whether a bracket, or a sign, may leave the policy at 0 to the legend: where a guard makes x 0 on a whole range,
    the value there counts."""
    x, below, above, weight = node.args
    if not x.has(Delta, InRange):
        return True
    return bool(weight == sympy.Rational(1, 2) if below == -above else weight in (0, 1))


def _is_absolute(x: sympy.Expr, below: sympy.Expr, above: sympy.Expr) -> bool:
    return bool(sympy.expand(above - x) == 0 and sympy.expand(below + x) == 0)


def _named(x: sympy.Expr, below: sympy.Expr, above: sympy.Expr) -> tuple[str, sympy.Expr, sympy.Expr] | None:
    """max(a, b) is the switch of a − b between b and a; numbers stand first, and x_00 before x_01."""
    for operator, low, high in ((r"\max", below, above), (r"\min", above, below)):
        if sympy.expand(high - low - x) == 0:
            return (operator, high, low) if high.is_number or _stands_before(high, low) else (operator, low, high)
    return None


def _stands_before(entry: sympy.Expr, other: sympy.Expr) -> bool:
    """x_00 stands before x_01."""
    if not (isinstance(entry, Element) and isinstance(other, Element) and entry.tensor == other.tensor):
        return False
    places = (entry.subscripts, other.subscripts)
    return all(s.is_Integer for at in places for s in at) and tuple(places[0]) < tuple(places[1])


def _cases(node: Switch, tex: Callable[[sympy.Expr], str]) -> str:
    x, below, above, weight = node.args
    at = tex(x)
    rows = {
        sympy.S.Zero: [(below, r"\le 0"), (above, "> 0")],
        sympy.S.One: [(below, "< 0"), (above, r"\ge 0")],
    }.get(weight, [(below, "< 0"), ((1 - weight) * below + weight * above, "= 0"), (above, "> 0")])
    body = r" \\ ".join(rf"{tex(value)} & {at} {where}" for value, where in rows)
    return rf"\begin{{cases}} {body} \end{{cases}}"
