"""Forms that keep their digits, for a GPU: all pieces are computed and one is chosen, without branches.

A branch costs what both of its sides cost as soon as one number of 32 takes either, and a division by a number that may
be anything has a branch of its own. Here a piece is a few multiply-adds, and divisors that can't leave a range are
divided by without tests.
"""

from __future__ import annotations

import re

import sympy

from symdl.compilation.targets import formcode
from symdl.compilation.targets.formcode import FormPrinter
from symdl.compilation.targets.formparts import MAGNITUDE
from symdl.core.accurate import kept_exp, scaled_exp
from symdl.derivation.accurate.records import Form

#: Divisors within these bounds need no tests.
SMALLEST, LARGEST = 2.0**-60, 2.0**60
#: Functions without branches, which a piece may call and still be computed in vain.
QUICK = frozenset((
    "abs", "real", "exp", "exp_gap", "over", "scaled_exp", "scaled", "pair_sum", "pair_product", "pair_of_product",
    "pair_times",
))  # fmt: skip
Range = tuple[float, float]
_EXACT = re.compile(r"scaled_exp\(([\w.()]+), \(([^(),]+), -(?:real\(0\.0\)|0\.0)\)\)")


class CudaFormPrinter(FormPrinter):
    """Divides without tests by what is known to stay within bounds.

    >>> e = sympy.Symbol("e1", real=True)
    >>> printer = CudaFormPrinter("float64")
    >>> printer.learn(e, kept_exp(-MAGNITUDE))
    >>> x = sympy.Symbol("x", real=True)
    >>> printer.doprint(x / (1 + e)), printer.doprint(1 / (1 + x) ** 2)
    ('over(x, e1 + 1.0)', '1.0/(x + 1.0)**2')
    """

    def __init__(self, dtype: str) -> None:
        super().__init__(dtype)
        self.ranges: dict[sympy.Symbol, Range] = {}
        self.ends_bounded = True

    def learn(self, symbol: sympy.Symbol, expr: sympy.Expr) -> None:
        if (found := self.range_of(expr)) is not None:
            self.ranges[symbol] = found

    def ends_with(self, below: sympy.Expr) -> None:
        self.ends_bounded &= self.bounded(below)

    def divided_last(self) -> str:
        return "over(value, below)" if self.ends_bounded else "value/below"

    def quotient_of(self, above: str, below: list[sympy.Expr]) -> str:
        if below and all(self.bounded(b) for b in below):
            for divisor in below:
                above = f"over({above}, {self._print(divisor)})"
            return above
        return super().quotient_of(above, below)

    def bounded(self, expr: sympy.Expr) -> bool:
        found = self.range_of(expr)
        return found is not None and found[0] >= SMALLEST and found[1] <= LARGEST

    def range_of(self, expr: sympy.Expr) -> Range | None:
        """Between what an expression lies for every x; None where that is not known."""
        expr = self.held.get(expr, expr)
        if not expr.free_symbols:
            return (float(expr), float(expr))
        if expr.is_Symbol:
            return self.ranges.get(expr)
        if isinstance(expr, kept_exp | scaled_exp) and _falls(expr.args[-1]):
            return (0.0, 1.0) if isinstance(expr, kept_exp) or expr.args[0] == 1 else None
        if expr.is_Pow and expr.exp.is_Integer and expr.exp > 0:
            inside = self.range_of(expr.base)
            return (inside[0] ** int(expr.exp), inside[1] ** int(expr.exp)) if inside and inside[0] >= 0 else None
        if not (expr.is_Add or expr.is_Mul):
            return None
        parts = [self.range_of(a) for a in expr.args]
        known = [p for p in parts if p is not None]
        if len(known) < len(parts):
            return None
        total = known[0]
        for part in known[1:]:
            if expr.is_Add:
                total = (total[0] + part[0], total[1] + part[1])
            else:
                ends = [a * b for a in total for b in part]
                total = (min(ends), max(ends))
        return total


def _falls(exponent: sympy.Expr) -> bool:
    """Whether it is a sum of negative multiples of powers of |x|."""
    for term in sympy.Add.make_args(exponent):
        number, rest = term.as_coeff_Mul()
        number, rest = (number, rest) if rest.is_Symbol or rest.is_Pow else term.as_independent(MAGNITUDE)
        base, power = rest.as_base_exp()
        if base != MAGNITUDE or not (power.is_Integer and power > 0) or not float(number) < 0:
            return False
    return True


def source(name: str, form: Form, dtype: str) -> str:
    """The function of a form; with branches where its pieces are long or call functions that have branches anyway."""
    made = formcode.parts_of(form, CudaFormPrinter(dtype))
    body = formcode.selected(made, "{1} if {0} else {2}".format) if made.within(QUICK) else formcode.branching(made)
    return _EXACT.sub(r"scaled(\1, \2)", formcode.function_of(name, form, body))


__all__ = ["CudaFormPrinter", "source"]
