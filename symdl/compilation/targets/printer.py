"""SymPy scalars → Python source in the arithmetic of one dtype, on `math` and on the functions of `helpers`.

Every number is written in the dtype of the program (a bare 2 would turn float32 into float64), and a kink is a
conditional expression that passes NaN on.
"""

from __future__ import annotations

import math
from typing import Any, NoReturn

import sympy
from sympy.printing.precedence import PRECEDENCE, precedence
from sympy.printing.pycode import PythonCodePrinter

from symdl.core.accurate import PRINTED
from symdl.core.functions import Delta, InRange, ScalarFunction, Switch, sech2
from symdl.core.indices import Index
from symdl.derivation.accurate.calls import FormCall
from symdl.errors import UnsupportedError


class ScalarPrinter(PythonCodePrinter):  # type: ignore[misc]
    """Prints a scalar body; `names` gives the text for symbols, indices and extents.

    >>> x = sympy.Symbol("x", real=True)
    >>> ScalarPrinter("float64").doprint(2 * sympy.exp(-x) / (1 + x) ** 2)
    '2.0*exp(-x)/(x + 1.0)**2'
    >>> ScalarPrinter("float32").doprint(x / 4)
    'real(0.25)*x'
    >>> ScalarPrinter("float64").doprint(Switch(x, 0, x, sympy.Rational(1, 2)))
    '(0.0 if x < 0.0 else x)'
    >>> ScalarPrinter("float64").doprint(Switch(x, 0, x, 0)), ScalarPrinter("float64").doprint(Switch(x, 0, 1, 1))
    ('(0.0 if x <= 0.0 else x)', '(0.0 if x < 0.0 else 1.0 if x >= 0.0 else x)')
    >>> y = sympy.Symbol("y", real=True)
    >>> ScalarPrinter("float64").doprint(x / 5 - y / 5), ScalarPrinter("float64").doprint(x / 4 - y / 4)
    ('0.2*(x - y)', '0.25*x - 0.25*y')
    """

    #: Named functions that it prints by their names.
    named: tuple[Any, ...] = (*PRINTED, sech2)

    def __init__(self, dtype: str, names: dict[sympy.Symbol, str] | None = None) -> None:
        super().__init__({"fully_qualified_modules": True, "allow_unknown_functions": False})
        self.wrap = dtype != "float64"
        self.names = {} if names is None else names

    def number(self, value: float) -> str:
        """A non-negative constant in the dtype of the program."""
        text = "math.inf" if math.isinf(value) else repr(value)
        return f"real({text})" if self.wrap else text

    def _constant(self, value: Any, level: int = 0) -> str:
        as_float = float(value)
        if as_float < 0 or (as_float == 0 and math.copysign(1, as_float) < 0):
            text = f"-{self.number(-as_float)}"
            return f"({text})" if level > PRECEDENCE["Add"] else text
        return self.number(as_float)

    def _print_Integer(self, expr: Any) -> str:
        return self._constant(expr)

    def _print_Rational(self, expr: Any) -> str:
        return self._constant(expr)

    def _print_Float(self, expr: Any) -> str:
        return self._constant(expr)

    def _print_NumberSymbol(self, expr: Any) -> str:
        return self._constant(expr.evalf(20))

    _print_Pi = _print_Exp1 = _print_NumberSymbol

    def _print_Infinity(self, expr: Any) -> str:
        return self.number(math.inf)

    def _print_NegativeInfinity(self, expr: Any) -> str:
        return f"-{self.number(math.inf)}"

    def _print_Symbol(self, expr: Any) -> str:
        if expr in self.names:
            return f"real({self.names[expr]})"
        return str(expr.name)

    def _print_Index(self, expr: Index) -> str:
        return f"real({self.names[expr]})"

    def parenthesize(self, item: Any, level: int, strict: bool = False) -> str:
        if isinstance(item, sympy.Number) and item.is_Number:
            return self._constant(item, level)
        return str(super().parenthesize(item, level, strict))

    def _print_Add(self, expr: Any, order: Any = None) -> str:
        factor = _spread(expr)
        if factor is None:
            return str(super()._print_Add(expr, order))
        inside = sympy.Add(*[a / factor for a in expr.args])
        return f"{self._constant(factor)}*({super()._print_Add(inside, order)})"

    def _print_Mul(self, expr: Any) -> str:
        guards = [f for f in expr.args if isinstance(f, (InRange, Delta))]
        if guards:
            rest = self._print(sympy.Mul(*[f for f in expr.args if f not in guards]))
            return f"({rest} if {' and '.join(self.condition(g) for g in guards)} else {self.number(0.0)})"
        coefficient, _ = expr.as_coeff_Mul()
        sign = "-" if coefficient.is_negative else ""
        coefficient = abs(coefficient)
        above: list[str] = []
        below: list[Any] = []
        for factor in expr.args:
            if factor.is_Number:
                continue
            base, exponent = factor.as_base_exp() if factor.is_Pow else (factor, sympy.S.One)
            if exponent.is_Number and exponent.is_negative:
                below.append(sympy.Pow(base, -exponent))
            else:
                above.append(self.parenthesize(factor, PRECEDENCE["Mul"]))
        if coefficient != 1 or not above:
            above.insert(0, self._constant(coefficient))
        text = sign + "*".join(above)
        if not below:
            return text
        texts = [self.parenthesize(b, PRECEDENCE["Mul"], strict=False) for b in below]
        if len(below) == 1 and precedence(below[0]) > PRECEDENCE["Mul"]:
            return self.divided(text, texts[0])
        return self.divided(text, f"({'*'.join(texts)})")

    def divided(self, above: str, below: str) -> str:
        """A quotient; what is below binds closer than a product."""
        return f"{above}/{below}"

    def root(self, inside: str) -> str:
        """A square root."""
        return f"math.sqrt({inside})"

    def _print_Pow(self, expr: Any, rational: bool = False) -> str:
        base, exponent = expr.as_base_exp() if expr.base != sympy.E else (expr.base, expr.exp)
        if base == sympy.E:
            return f"exp({self._print(exponent)})"
        if exponent.is_negative and exponent.is_Number:
            below = self.parenthesize(sympy.Pow(base, -exponent), PRECEDENCE["Mul"], strict=False)
            return self.divided(self.number(1.0), below)
        if exponent == sympy.S.Half:
            return self.root(self._print(base))
        inner = self.parenthesize(base, PRECEDENCE["Pow"], strict=False)
        if exponent.is_Integer and 2 <= int(exponent) <= 64:
            return f"{inner}**{int(exponent)}"
        if exponent.is_Rational and exponent.q == 2:
            whole = int(exponent - sympy.S.Half)
            return f"(math.sqrt({self._print(base)})*{inner}{f'**{whole}' if whole > 1 else ''})"
        return f"math.pow({self._print(base)}, {self._print(exponent)})"

    def _print_own(self, expr: Any) -> str:
        """A function of one number that stands at the head of the module."""
        return f"{type(expr).__name__}({self._print(expr.args[0])})"

    _print_exp = _print_expm1 = _print_log = _print_log1p = _print_tanh = _print_erf = _print_erfc = _print_own
    _print_sech2 = _print_own

    def _print_Switch(self, expr: Switch) -> str:
        x, below, above, weight = expr.args
        if above == x and below == -x:
            return f"abs({self._print(x)})"
        if above == -x and below == x:
            return f"(-abs({self._print(x)}))"
        at_zero = (1 - weight) * below + weight * above
        *tests, last = branches(x, below, at_zero, above)
        value, zero = self.parenthesize(x, PRECEDENCE["Relational"]), self.number(0.0)
        chosen = "".join(f"{self._print(e)} if {value} {relation} {zero} else " for relation, e in tests)
        return f"({chosen}{self._print(last[1])})"

    def _print_gap(self, expr: Any) -> str:
        first, second = (self.parenthesize(a, PRECEDENCE["Mul"], strict=False) for a in expr.args)
        return f"({first} - {second})"

    def _print_quotient(self, expr: Any) -> str:
        above, below = expr.args
        return (
            f"{self.parenthesize(above, PRECEDENCE['Mul'])}/{self.parenthesize(below, PRECEDENCE['Pow'], strict=True)}"
        )

    def _print_exp_gap(self, expr: Any) -> str:
        return f"exp_gap({', '.join(self._print(a) for a in expr.args)})"

    def condition(self, guard: sympy.Expr) -> str:
        """A guard as a condition on integers; any other number as whether it is not 0."""
        if isinstance(guard, InRange):
            return f"0 <= {self.integer(guard.args[0])} < {self.integer(guard.args[1])}"
        if isinstance(guard, Delta):
            return f"{self.integer(guard.args[0])} == {self.integer(guard.args[1])}"
        return f"{self.parenthesize(guard, PRECEDENCE['Relational'])} != {self.number(0.0)}"

    def _print_Delta(self, expr: Delta) -> str:
        return f"({self.number(1.0)} if {self.condition(expr)} else {self.number(0.0)})"

    _print_InRange = _print_Delta

    def _print_floor(self, expr: Any) -> str:
        """A rounded-down quotient of indices and extents; of real numbers it has no slope, and no place here."""
        if not all(s.is_integer for s in expr.free_symbols):
            return self._print_not_supported(expr)
        return f"real({self.integer(expr)})"

    def integer(self, expr: sympy.Expr) -> str:
        """An index expression, in integers: what stands in a subscript."""
        return str(_IntegerPrinter(self.names).doprint(expr))

    def _print_Function(self, expr: Any) -> str:
        if isinstance(expr, FormCall):
            return f"{type(expr).__name__}({self._print(expr.args[0])})"
        if isinstance(expr, ScalarFunction):
            return str(self._print(expr.computed()))
        return self._print_not_supported(expr)

    def _print_not_supported(self, expr: Any) -> NoReturn:
        raise UnsupportedError(
            f"{type(expr).__name__} can't be compiled",
            where=str(expr)[:60],
            remedy="write it with exp, log, tanh, sqrt, erf, sin, cos or sd.switch",
        )

    emptyPrinter = _print_not_supported


def branches(x: sympy.Expr, below: sympy.Expr, at_zero: sympy.Expr, above: sympy.Expr) -> list[tuple[str, sympy.Expr]]:
    """What a switch is where x < 0, x = 0, x > 0 and where x is not a number, with as few comparisons as do.

    The first relation to 0 that holds counts; the last value, behind "", is for all that is left, NaN among it.

    >>> x = sympy.Symbol("x", real=True)
    >>> branches(x, x / 4, x / 2, x)
    [('<=', x/4), ('', x)]
    """

    def same(value: sympy.Expr) -> bool:
        """Whether a value is the one at 0, of either sign."""
        if value == at_zero:
            return True
        ratio = value.coeff(x) / at_zero.coeff(x) if at_zero.coeff(x) != 0 else sympy.S.Zero
        return bool(value == value.coeff(x) * x and at_zero == at_zero.coeff(x) * x and ratio.is_positive)

    if same(below):
        found = [("<=", below), (">", above)]
    elif same(above):
        found = [("<", below), (">=", above)]
    else:
        found = [("<", below), ("==", at_zero), (">", above)]
    return [*(f for f in found if f[1] != x), ("", x)]


def _spread(total: sympy.Expr) -> sympy.Rational | None:
    """The number that SymPy multiplies into every summand, as it does with that of 0.3 (y − t): 0.3 y − 0.3 t would be
    rounding errors where y is t. None where there is none, or it is a power of two, whose products are exact."""
    sizes = {abs(a.as_coeff_Mul()[0]) for a in total.args}
    (size, *others) = sizes
    if others or size == 1 or not size.is_Rational or all(n & (n - 1) == 0 for n in (int(size.p), int(size.q))):
        return None
    return size


class _IntegerPrinter(sympy.printing.str.StrPrinter):  # type: ignore[misc]
    """Index expressions, affine or with rounded-down quotients; `names` are those of indices and extents.

    >>> h = sympy.Symbol("H", integer=True, positive=True)
    >>> _IntegerPrinter({}).doprint(sympy.floor((h - 3) / sympy.Integer(2)) + 1)
    '((H - 3)//2) + 1'
    """

    # an Index prints itself by its own name; here the name of its loop is wanted
    printmethod = "_loop_name"

    def __init__(self, names: dict[sympy.Symbol, str]) -> None:
        super().__init__()
        self.names = names

    def _print_Symbol(self, expr: Any) -> str:
        return self.names.get(expr, str(expr.name))

    def _print_Index(self, expr: Index) -> str:
        return self.names[expr]

    def _print_floor(self, expr: Any) -> str:
        above, below = sympy.fraction(sympy.together(expr.args[0]))
        return f"({self.parenthesize(above, PRECEDENCE['Pow'])}//{self.parenthesize(below, PRECEDENCE['Pow'])})"

    def _print_Rational(self, expr: Any) -> str:
        if expr.q == 1:
            return str(expr.p)
        raise UnsupportedError(f"a fraction {expr} in a subscript")
