"""Expressions as one line of text, with kinks as a reader writes them."""

from __future__ import annotations

import sympy
from sympy.printing.str import StrPrinter

from symdl.core.functions import Switch


def plain_text(expr: sympy.Expr) -> str:
    """The expression in a line: `Switch` as |x|, max(0, x) or what is below and above 0.

    >>> x = sympy.Symbol("x", real=True)
    >>> print(plain_text(Switch(x, 0, x, 0) - 1), plain_text(Switch(x, -x, x, 0) + sympy.E), sep="; ")
    max(0, x) - 1; |x| + e
    >>> print(plain_text(Switch(x - 1, x**2, 2 * x - 1, 0)), plain_text(Switch(x, -1, 1, 0)), sep="; ")
    (x**2 if x - 1 <= 0 else 2*x - 1); (-1 if x <= 0 else 1)
    >>> print(plain_text(Switch(x, -1, 1, sympy.Rational(1, 2))))
    (-1 if x < 0 else 1 if x > 0 else 0)
    >>> print(plain_text(sympy.Max(1, sympy.Abs(x))))
    max(1, |x|)
    """
    return str(_Plain().doprint(expr))


class _Plain(StrPrinter):  # type: ignore[misc]
    def _print_Exp1(self, expr: sympy.Expr) -> str:
        return "e"

    def _print_Abs(self, expr: sympy.Expr) -> str:
        return f"|{self._print(expr.args[0])}|"

    def _print_Max(self, expr: sympy.Expr) -> str:
        return f"max({', '.join(self._print(a) for a in sorted(expr.args, key=sympy.default_sort_key))})"

    def _print_Switch(self, expr: Switch) -> str:
        x, below, above, weight = expr.args
        if sympy.expand(below + x) == 0 and sympy.expand(above - x) == 0:
            return f"|{self._print(x)}|"
        at, under, over = (self._print(part) for part in (x, below, above))
        if below == 0 and above == x:
            return f"max(0, {at})"
        if above == 0 and below == x:
            return f"min({at}, 0)"
        if weight in (0, 1):
            return f"({under} if {at} {'<=' if weight == 0 else '<'} 0 else {over})"
        between = self._print((1 - weight) * below + weight * above)
        return f"({under} if {at} < 0 else {over} if {at} > 0 else {between})"
