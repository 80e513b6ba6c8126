"""Forms that keep their digits, as source: one function of one number, with a case for each piece."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import sympy
from sympy.printing.precedence import PRECEDENCE

from symdl.compilation.plan import Plan
from symdl.compilation.targets import waves
from symdl.compilation.targets.printer import ScalarPrinter
from symdl.core.accurate import cos_of, scaled_exp, sin_of
from symdl.derivation.accurate.calls import FormCall
from symdl.derivation.accurate.forms import Form, Piece
from symdl.derivation.accurate.series import Polynomial

#: Bits of each part of a number that is subtracted exactly: they are numbers of every dtype.
PART = 22


def forms_in(plans: Iterable[Plan]) -> list[type[FormCall]]:
    """The forms that plans call, each once."""
    found: dict[str, type[FormCall]] = {}
    for plan in plans:
        for equation in plan.definition.equations:
            for term in equation.terms:
                for call in term.body.atoms(FormCall):
                    found[type(call).__name__] = type(call)
    return [found[name] for name in sorted(found)]


def source(name: str, form: Form, dtype: str) -> str:
    """The function of a form; NaN passes through the piece that comes last."""
    printer = FormPrinter(dtype)
    lines = [f"def {name}(x):", f'    """{form.name}, rewritten so that it keeps its digits."""']
    for place, value in form.kinks:
        lines += [f"    if x == {_float(printer, place)}:", f"        return {printer.doprint(value)}"]
    main = max(
        (k for k, p in enumerate(form.pieces) if p.expr.free_symbols), key=lambda k: not form.pieces[k].near, default=0
    )
    for piece in form.pieces[:main]:
        lines += [f"    if x < {_float(printer, piece.high)}:", *_indented(_piece(piece, form.x, dtype, printer))]
    for piece in form.pieces[:main:-1]:
        lines += [f"    if x >= {_float(printer, piece.low)}:", *_indented(_piece(piece, form.x, dtype, printer))]
    return "\n".join([*lines, *_piece(form.pieces[main], form.x, dtype, printer)])


def _float(printer: ScalarPrinter, value: float) -> str:
    return printer.number(value) if value >= 0 else f"-{printer.number(-value)}"


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _piece(piece: Piece, x: sympy.Symbol, dtype: str, printer: FormPrinter) -> list[str]:
    """The lines that return the value of a piece."""
    if piece.near:
        return _polynomial(dict(piece.near)[dtype], printer)
    symbols = (sympy.Symbol(f"t{k}", real=True) for k in range(1, 100))
    shared, (value,) = sympy.cse([printer.prepared(piece.expr)], symbols=symbols, order="none")
    return [f"    {s} = {printer.doprint(v)}" for s, v in shared] + [f"    return {printer.doprint(value)}"]


def _polynomial(made: Polynomial, printer: FormPrinter) -> list[str]:
    """Horner's rule in the distance from the centre, which is subtracted in exact parts."""
    lines = []
    if made.centre != 0:
        lines.append(f"    t = x{''.join(_subtracted(printer, part) for part in parts(made.centre))}")
    t = "t" if made.centre != 0 else "x"
    first, *rest = reversed(made.coefficients)
    lines.append(f"    p = {printer.constant(first)}")
    for k in range(0, len(rest), 2):
        text = "p"
        for number in rest[k : k + 2]:
            text = f"({text})*{t}" if " " in text else f"{text}*{t}"
            text += _subtracted(printer, -number)
        lines.append(f"    p = {text}")
    factor = "*".join([t] * made.order)
    product = f"({factor})*p" if made.order > 1 else f"{t}*p"
    return [*lines, f"    return {product if made.order else 'p'}"]


def _subtracted(printer: FormPrinter, part: sympy.Rational) -> str:
    return f" - {printer.constant(part)}" if part > 0 else f" + {printer.constant(-part)}"


def parts(value: sympy.Rational) -> list[sympy.Rational]:
    """A number as a sum of numbers of few bits, the largest first; subtracting them in turn loses nothing.

    >>> [float(p) for p in parts(sympy.Rational(1, 4))], len(parts(sympy.Rational(1, 3)))
    ([0.25], 5)
    """
    found: list[sympy.Rational] = []
    while value != 0 and len(found) < 5:
        size = math.floor(math.log2(abs(float(value)))) - PART + 1
        unit = sympy.Integer(2) ** size
        part = sympy.Rational(round(value / unit)) * unit
        found.append(part)
        value -= part
    return found


class FormPrinter(ScalarPrinter):
    """As for any scalar body; numbers are multiplied beforehand, divisions are made one by one, and exponents of scaled
    exponentials are pairs.

    >>> x = sympy.Symbol("x", real=True)
    >>> FormPrinter("float64").doprint(scaled_exp(x, -x**2 / 2))
    'scaled_exp(x, pair_product((-0.5, 0.0), pair_product((x, 0.0), (x, 0.0))))'
    """

    def __init__(self, dtype: str) -> None:
        super().__init__(dtype)
        self.held: dict[sympy.Symbol, sympy.Expr] = {}

    def prepared(self, expr: sympy.Expr) -> sympy.Expr:
        """The expression with numbers that are not rational, and the exponents of scaled exponentials, as symbols: they
        stay as they are when common subexpressions are sought."""
        if expr.is_Rational or expr.is_Symbol:
            return expr
        if not expr.free_symbols:
            return self._held(expr)
        if isinstance(expr, scaled_exp):
            return expr.func(self.prepared(expr.args[0]), self._held(expr.args[1]))
        if isinstance(expr, sin_of | cos_of):
            return expr.func(self.prepared(expr.args[0]), expr.args[1])
        if expr.is_Mul:
            number, rest = expr.as_independent(*expr.free_symbols, as_Add=False)
            factors = [self.prepared(f) for f in sympy.Mul.make_args(rest)]
            return sympy.Mul(number if number.is_Rational else self._held(number), *factors)
        return expr.func(*[self.prepared(a) for a in expr.args])

    def _held(self, expr: sympy.Expr) -> sympy.Symbol:
        known = {e: s for s, e in self.held.items()}
        if expr not in known:
            known[expr] = sympy.Dummy(f"c{len(self.held)}", real=True, positive=expr.is_positive)
            self.held[known[expr]] = expr
        return known[expr]

    def _print_Symbol(self, expr: Any) -> str:
        if expr not in self.held:
            return str(super()._print_Symbol(expr))
        text = self._number(abs(self.held[expr]))
        return f"(-{text})" if self.held[expr].is_negative else text

    _print_Dummy = _print_Symbol

    def constant(self, value: sympy.Expr, level: int = 0) -> str:
        """A number in the dtype."""
        return str(self._constant(value, level))

    def _print_Mul(self, expr: Any) -> str:
        number, rest = expr.as_independent(*expr.free_symbols, as_Add=False)
        if not rest.is_Mul and not (rest.is_Pow and rest.exp.is_negative):
            return super()._print_Mul(expr) if number.is_Rational else self._scaled(number, rest)
        above, below = [], []
        for factor in sympy.Mul.make_args(rest):
            base, exponent = factor.as_base_exp() if factor.is_Pow else (factor, sympy.S.One)
            if exponent.is_Number and exponent.is_negative:
                below.append(self.parenthesize(sympy.Pow(base, -exponent), PRECEDENCE["Pow"], strict=True))
            else:
                above.append(self.parenthesize(factor, PRECEDENCE["Mul"]))
        sign = "-" if number.is_negative else ""
        if abs(number) != 1 or not above:
            above.insert(0, self._number(abs(number)))
        return sign + "/".join(["*".join(above), *below])

    def _scaled(self, number: sympy.Expr, rest: sympy.Expr) -> str:
        sign = "-" if number.is_negative else ""
        return f"{sign}{self._number(abs(number))}*{self.parenthesize(rest, PRECEDENCE['Mul'])}"

    def _number(self, value: sympy.Expr) -> str:
        return self.constant(value if value.is_Rational else sympy.Float(value.evalf(40), 40))

    def _print_scaled_exp(self, expr: Any) -> str:
        return f"scaled_exp({self._print(expr.args[0])}, {self._pair(expr.args[1])})"

    def _print_sin_of(self, expr: Any) -> str:
        x, k = expr.args
        ahead = int(isinstance(expr, cos_of))
        return f"wave({self._print(x)}, {waves.arguments(k, 'float32' if self.wrap else 'float64')}, {ahead})"

    _print_cos_of = _print_sin_of

    def _print_erfcx(self, expr: Any) -> str:
        return f"erfcx({self._print(expr.args[0])})"

    def _print_hypot(self, expr: Any) -> str:
        return f"math.hypot({', '.join(self._print(a) for a in expr.args)})"

    def _pair(self, expr: sympy.Expr) -> str:
        """An expression with twice the digits: sums, products and powers of exact numbers."""
        expr = self.held.get(expr, expr)
        if not expr.free_symbols:
            return self._pair_of_number(expr)
        if expr.is_Symbol or _negated(expr):
            return f"({self._print(expr)}, {self.number(0.0)})"
        if expr.is_Add:
            return self._folded("pair_sum", [self._pair(a) for a in expr.args])
        if expr.is_Mul:
            number, rest = expr.as_independent(*expr.free_symbols, as_Add=False)
            factors = [self._pair(f) for f in sympy.Mul.make_args(rest)]
            return self._folded("pair_product", [*([] if number == 1 else [self._pair(number)]), *factors])
        if expr.is_Pow and expr.exp.is_Integer and expr.exp > 0:
            return self._folded("pair_product", [self._pair(expr.base)] * int(expr.exp))
        return str(self._print_not_supported(expr))

    def _folded(self, function: str, texts: list[str]) -> str:
        total = texts[-1]
        for text in reversed(texts[:-1]):
            total = f"{function}({text}, {total})"
        return total

    def _pair_of_number(self, value: sympy.Expr) -> str:
        first = _rounded(value, self.wrap)
        second = _rounded(value - first, self.wrap)
        return f"({self.constant(first)}, {self.constant(second)})"


def _negated(expr: sympy.Expr) -> bool:
    """A symbol times a power of two."""
    number, rest = expr.as_coeff_Mul()
    return bool(rest.is_Symbol) and all(n & (n - 1) == 0 for n in (abs(int(number.p)), int(number.q)))


def _rounded(value: sympy.Expr, single: bool) -> sympy.Rational:
    """The number of the dtype next to a value."""
    exact = sympy.Rational(value) if value.is_Rational else sympy.Rational(str(value.evalf(60)))
    if exact == 0:
        return sympy.S.Zero
    size = math.floor(math.log2(abs(float(exact)))) - (23 if single else 52)
    unit = sympy.Integer(2) ** size
    return sympy.Rational(round(exact / unit)) * unit
