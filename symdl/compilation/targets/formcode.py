"""Forms that keep their digits, as source: one function of one number, with a case for each piece."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

import sympy
from sympy.printing.precedence import PRECEDENCE

from symdl.compilation.plan import Plan
from symdl.compilation.targets import helpers, waves
from symdl.compilation.targets.formparts import MAGNITUDE, End, Ends, merged_ends, shared_calls, without_gaps
from symdl.compilation.targets.polynomials import estrin
from symdl.compilation.targets.printer import ScalarPrinter
from symdl.core.accurate import cos_of, scaled_exp, sin_of
from symdl.derivation.accurate.calls import FormCall
from symdl.derivation.accurate.records import Form, Piece
from symdl.derivation.accurate.series import Polynomial

#: What a piece sets.
PARTS = ("value", "below", "plus", "tail", "rest")
#: Functions without branches, which a piece may call and still be computed in vain.
QUICK = frozenset((*helpers.NAMES, "abs", "real", "fma"))
#: Up to so many lines, all pieces of a form are computed.
MOST = 80
_CALLED = re.compile(r"([\w.]+)\(")
_BETWEEN = re.compile(r"(\S+) <= x < (\S+)$")
_TAIL = re.compile(r"value = (scaled_exp\(.*) if tail else value")
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


@dataclass(frozen=True)
class Parts:
    """A form in parts of source: `head` stands first, then one of the branches by their conditions, or the last one;
    `after` ends with what all of them have in common."""

    head: list[str]
    branches: list[tuple[str, list[str]]]
    last: list[str]
    after: list[str]

    def within(self, functions: Collection[str]) -> bool:
        """Whether all pieces may be computed for every number: they are short, and call none but these functions."""
        lines = [line for body in (*(body for _, body in self.branches), self.last) for line in body]
        return len(lines) <= MOST and set(_CALLED.findall("\n".join(lines))) <= set(functions)


def source(name: str, form: Form, dtype: str) -> str:
    """The function of a form: what several pieces call stands first, and a division or a power of e that all of them
    end with comes once, last. So little is computed in vain where all pieces are computed, and one is chosen, as
    vectors need it. LLVM would do that of branches too, but copies what comes last into each of them before. NaN passes
    through the piece for middle sizes, which comes last of all.
    """
    made = parts_of(form, FormPrinter(dtype))
    body = selected(made, "chosen({}, {}, {})".format) if made.within(QUICK) else branching(made)
    return function_of(name, form, body)


def function_of(name: str, form: Form, body: list[str]) -> str:
    """The function with that body, which sets `value`."""
    lines = [f"def {name}(x):", f'    """{form.name}, rewritten so that it keeps its digits."""']
    return "\n".join([*lines, *_indented([*body, "return value"])])


def parts_of(form: Form, printer: FormPrinter) -> Parts:
    """A form as source."""
    pieces, shared = shared_calls(form)
    ends = merged_ends(pieces)
    head = [f"{symbol} = {printer.doprint(printer.prepared(call))}" for symbol, call in shared]
    for symbol, call in shared:
        printer.learn(symbol, call)
    if any(MAGNITUDE in e.free_symbols for e in (*(c for _, c in shared), *(p.expr for p in pieces), *ends.exponents)):
        head.insert(0, f"{MAGNITUDE} = abs(x)")
    inner, pieces = without_gaps(pieces)
    main = max((k for k, p in enumerate(pieces) if p.expr.free_symbols), key=lambda k: not pieces[k].near, default=0)
    branches = [(f"x == {_float(printer, at)}", _end(ends.of_value(v), printer)) for at, v in form.kinks]
    for piece in inner:
        condition = f"{_float(printer, piece.low)} <= x < {_float(printer, piece.high)}"
        branches.append((condition, _branch(piece, ends, printer)))
    branches += [(f"x < {_float(printer, p.high)}", _branch(p, ends, printer)) for p in pieces[:main]]
    branches += [(f"x >= {_float(printer, p.low)}", _branch(p, ends, printer)) for p in pieces[:main:-1]]
    last = _branch(pieces[main], ends, printer)
    after = [f"value = {printer.divided_last()}{' + plus' if ends.add else ''}"] if ends.divide else []
    if ends.exponents:
        (exponent,) = ends.exponents
        scaled = f"scaled_exp(value, {printer.pair(exponent)})"
        after.append(f"value = {scaled if ends.always else f'{scaled} if tail else value'}")
    after += ["value = value + rest"] if ends.rest else []
    return Parts(head, branches, last, after)


def branching(made: Parts) -> list[str]:
    """One piece, by branches."""
    lines: list[str] = []
    for k, (condition, body) in enumerate(made.branches):
        lines += [f"{'elif' if k else 'if'} {condition}:", *_indented(body)]
    pieces = [*lines, "else:", *_indented(made.last)] if lines else made.last
    return [*made.head, *pieces, *made.after]


def selected(made: Parts, choice: Callable[[str, str, str], str]) -> list[str]:
    """All pieces, and what is chosen of them; the conditions that come first count most.

    `choice(condition, a, b)` is the source of a where the condition holds, and of b elsewhere.
    """
    lines = [*made.head, *made.last]
    for k, (condition, body) in reversed([*enumerate(made.branches, 1)]):
        own = {n: f"{n}_{k}" for n in dict.fromkeys(line.split(" = ")[0] for line in body)}
        lines += [_renamed(line, own) for line in body]
        lines.append("there = " + _BETWEEN.sub(r"(x >= \1) & (x < \2)", condition))
        lines += [f"{n} = {choice('there', own[n], n)}" for n in PARTS if n in own]
    for line in made.after:
        found = _TAIL.fullmatch(line)
        lines += (
            [f"scaled_value = {found[1]}", f"value = {choice('tail', 'scaled_value', 'value')}"] if found else [line]
        )
    return lines


def _renamed(line: str, names: dict[str, str]) -> str:
    return re.sub(r"\b[a-z]\w*\b", lambda m: names.get(m[0], m[0]), line)


def _float(printer: ScalarPrinter, value: float) -> str:
    return printer.number(value) if value >= 0 else f"-{printer.number(-value)}"


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _branch(piece: Piece, ends: Ends, printer: FormPrinter) -> list[str]:
    """The lines that set the value of a piece, what it is still to be divided by, and whether a power comes last."""
    if piece.near:
        return [*_polynomial(dict(piece.near)[printer.dtype], printer), *_end(ends.of_value(None), printer)]
    return _end(ends.of(piece.expr), printer)


def _end(end: End, printer: FormPrinter) -> list[str]:
    named = {"value": end.value, "below": end.below, "plus": end.plus, "rest": end.rest}
    parts = {n: e for n, e in named.items() if e is not None}
    made = [printer.prepared(e) for e in parts.values()]
    symbols = (sympy.Symbol(f"t{k}", real=True) for k in range(1, 100))
    shared, results = sympy.cse(made, symbols=symbols, order="none")
    lines = []
    for s, v in shared:
        lines.append(f"{s} = {printer.doprint(v)}")
        printer.learn(s, v)
    lines += [f"{n} = {printer.doprint(v)}" for n, v in zip(parts, results, strict=True)]
    if end.below is not None:
        printer.ends_with(end.below)
    return lines + ([f"tail = {end.tail}"] if end.tail is not None else [])


def _polynomial(made: Polynomial, printer: FormPrinter) -> list[str]:
    """A polynomial in the distance from the centre, which is subtracted in exact parts."""
    lines = []
    if made.centre != 0:
        apart = parts(made.centre, 3 if printer.wrap else 5)
        lines.append(f"t = x{''.join(_subtracted(printer, part) for part in apart)}")
    t = "t" if made.centre != 0 else "x"
    lines += estrin([printer.constant(c) for c in made.coefficients], t)
    factor = "*".join([t] * made.order)
    product = f"({factor})*p" if made.order > 1 else f"{t}*p"
    return [*lines, f"value = {product if made.order else 'p'}"]


def _subtracted(printer: FormPrinter, part: sympy.Rational) -> str:
    return f" - {printer.constant(part)}" if part > 0 else f" + {printer.constant(-part)}"


def parts(value: sympy.Rational, most: int = 5) -> list[sympy.Rational]:
    """A number as a sum of numbers of few bits, the largest first; subtracting them in turn loses nothing. Next to a
    number of 53 bits it takes five of them until what is left does not matter, next to one of 24 bits three.

    >>> [float(p) for p in parts(sympy.Rational(1, 4))], len(parts(sympy.Rational(1, 3)))
    ([0.25], 5)
    """
    found: list[sympy.Rational] = []
    while value != 0 and len(found) < most:
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
    'scaled_exp(x, pair_times(-0.5, pair_of_product(x, x)))'
    """

    def __init__(self, dtype: str) -> None:
        super().__init__(dtype)
        self.dtype = dtype
        self.held: dict[sympy.Symbol, sympy.Expr] = {}

    def learn(self, symbol: sympy.Symbol, expr: sympy.Expr) -> None:
        """Hear what a symbol stands for."""

    def ends_with(self, below: sympy.Expr) -> None:
        """Hear what a piece is divided by in the end."""

    def divided_last(self) -> str:
        """The division that pieces end with."""
        return "value/below"

    def quotient_of(self, above: str, below: list[sympy.Expr]) -> str:
        """A quotient; divisions are made one by one."""
        texts = [self.parenthesize(b, PRECEDENCE["Pow"], strict=True) for b in below]
        return "/".join([above, *texts])

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
        above: list[str] = []
        below: list[sympy.Expr] = []
        for factor in sympy.Mul.make_args(rest):
            base, exponent = factor.as_base_exp() if factor.is_Pow else (factor, sympy.S.One)
            if exponent.is_Number and exponent.is_negative:
                below.append(sympy.Pow(base, -exponent))
            else:
                above.append(self.parenthesize(factor, PRECEDENCE["Mul"]))
        sign = "-" if number.is_negative else ""
        if abs(number) != 1 or not above:
            above.insert(0, self._number(abs(number)))
        return sign + self.quotient_of("*".join(above), below)

    def _scaled(self, number: sympy.Expr, rest: sympy.Expr) -> str:
        sign = "-" if number.is_negative else ""
        return f"{sign}{self._number(abs(number))}*{self.parenthesize(rest, PRECEDENCE['Mul'])}"

    def _number(self, value: sympy.Expr) -> str:
        return self.constant(value if value.is_Rational else sympy.Float(value.evalf(40), 40))

    def _print_kept_exp(self, expr: Any) -> str:
        return f"exp({self._print(expr.args[0])})"

    def _print_scaled_exp(self, expr: Any) -> str:
        return f"scaled_exp({self._print(expr.args[0])}, {self.pair(expr.args[1])})"

    def _print_sin_of(self, expr: Any) -> str:
        x, k = expr.args
        ahead = int(isinstance(expr, cos_of))
        return f"wave({self._print(x)}, {waves.arguments(k, 'float32' if self.wrap else 'float64')}, {ahead})"

    _print_cos_of = _print_sin_of

    def _print_erfcx(self, expr: Any) -> str:
        return f"erfcx({self._print(expr.args[0])})"

    def _print_hypot(self, expr: Any) -> str:
        return f"math.hypot({', '.join(self._print(a) for a in expr.args)})"

    def pair(self, expr: sympy.Expr) -> str:
        """An expression with twice the digits: sums, products and powers of exact numbers."""
        expr = self.held.get(expr, expr)
        if not expr.free_symbols:
            return self._pair_of_number(expr)
        if expr.is_Symbol or _negated(expr):
            return f"({self._print(expr)}, -{self.number(0.0)})"  # as `exp` has it, so that both are computed once
        if expr.is_Add:
            return self._folded("pair_sum", [self.pair(a) for a in expr.args])
        if expr.is_Mul:
            number, rest = expr.as_independent(*expr.free_symbols, as_Add=False)
            product = self._pair_of_product(list(sympy.Mul.make_args(rest)))
            if number == 1:
                return product
            if number.is_Rational and _power_of_two(number):
                return f"pair_times({self.constant(number)}, {product})"
            return f"pair_product({self.pair(number)}, {product})"
        if expr.is_Pow and expr.exp.is_Integer and expr.exp > 0:
            return self._pair_of_product([expr.base] * int(expr.exp))
        return str(self._print_not_supported(expr))

    def _pair_of_product(self, factors: list[sympy.Expr]) -> str:
        """Factors in twice the digits; what rounding leaves out of the product of two numbers is all there is to it."""
        factors = [self.held.get(f, f) for f in factors]
        if len(factors) > 1 and all(f.is_Symbol or _negated(f) for f in factors[-2:]):
            *factors, a, b = factors
            last = f"pair_of_product({self._print(a)}, {self._print(b)})"
            return self._folded("pair_product", [*map(self.pair, factors), last])
        return self._folded("pair_product", [self.pair(f) for f in factors])

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
    return bool(rest.is_Symbol) and _power_of_two(number)


def _power_of_two(number: sympy.Rational) -> bool:
    return all(n & (n - 1) == 0 for n in (abs(int(number.p)), int(number.q)))


def _rounded(value: sympy.Expr, single: bool) -> sympy.Rational:
    """The number of the dtype next to a value."""
    exact = sympy.Rational(value) if value.is_Rational else sympy.Rational(str(value.evalf(60)))
    if exact == 0:
        return sympy.S.Zero
    size = math.floor(math.log2(abs(float(exact)))) - (23 if single else 52)
    unit = sympy.Integer(2) ** size
    return sympy.Rational(round(exact / unit)) * unit
