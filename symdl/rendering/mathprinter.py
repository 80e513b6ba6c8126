"""Formulas as a person writes them: LaTeX of SymPy scalars over tensor elements.

SymPy's own printer keeps SymPy's order of terms, which no reader expects, and knows nothing of bound indices. This one
orders terms and factors (`ordering`), names indices apart (`names`), pulls signs and constants out of sums, and sets
parentheses by the level of what stands inside. What it does not know, it refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, singledispatchmethod
from typing import Any, Literal

import sympy
from sympy.codegen import cfunctions

from symdl.core.functions import Delta, InRange, Masked, ScalarFunction, Switch
from symdl.core.indices import Index
from symdl.core.tensors import Element, Head, Reduction, Role, Tensor
from symdl.derivation.steps import Partial
from symdl.errors import UnsupportedError
from symdl.rendering.conditions import beneath, condition, take_guards
from symdl.rendering.names import Scope, parse_name
from symdl.rendering.numerals import decimal, is_decimal
from symdl.rendering.ordering import Factors, factors_of, term_key
from symdl.rendering.pieces import ADD, ATOM, MUL, OPEN, POWER, Tex, fraction, product, wrapped
from symdl.rendering.piecewise import as_product, switch_form
from symdl.rendering.subscripts import index_text, is_index_arithmetic, spaced

Derivative = Literal["bar", "fraction"]

#: Standard functions: their command, and whether f²(x) is usual.
_FUNCTIONS: dict[type[sympy.Function], str] = {
    sympy.log: r"\log",
    sympy.tanh: r"\tanh",
    sympy.sinh: r"\sinh",
    sympy.cosh: r"\cosh",
    sympy.coth: r"\coth",
    sympy.sech: r"\operatorname{sech}",
    sympy.sin: r"\sin",
    sympy.cos: r"\cos",
    sympy.tan: r"\tan",
    sympy.atan: r"\arctan",
    sympy.asin: r"\arcsin",
    sympy.acos: r"\arccos",
    sympy.atanh: r"\operatorname{artanh}",
    sympy.asinh: r"\operatorname{arsinh}",
    sympy.erf: r"\operatorname{erf}",
    sympy.erfc: r"\operatorname{erfc}",
    sympy.sign: r"\operatorname{sign}",
    sympy.Max: r"\max",
    sympy.Min: r"\min",
    cfunctions.log1p: r"\operatorname{log1p}",
    cfunctions.expm1: r"\operatorname{expm1}",
}
_OPERATORS = {"prod": r"\prod", "max": r"\max"}
_SHORT = 30  # characters of an exponent up to which e^{…} is easier to read than exp(…)


@dataclass(frozen=True)
class MathPrinter:
    """Prints expressions; one printer for one way of writing.

    Args:
        derivative: cotangents as "bar" (x̄) or "fraction" (∂L/∂x).
        values: numbers to print in place of elements and extents, as in a worked example.
        tensors: the tensors of the definition, which tell how many subscripts of a cotangent belong to its target,
            and the order of factors.
        verbatim: LaTeX that stands in place of a symbol.
    """

    derivative: Derivative = "bar"
    values: Mapping[sympy.Expr, Any] = field(default_factory=dict)
    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    verbatim: Mapping[sympy.Symbol, Tex] = field(default_factory=dict)

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return {name: place for place, name in enumerate(self.tensors)}

    def math(self, expr: sympy.Expr, scope: Scope | None = None) -> str:
        """LaTeX of one expression."""
        return self._tex(expr, scope or Scope.of(expr)).text

    def sides(self, *expressions: sympy.Expr) -> list[str]:
        """LaTeX of the sides of one equation or chain: an index has the same name in all of them."""
        scope = Scope.of(*expressions)
        return [self._tex(e, scope).text for e in expressions]

    # ── one method for each kind of node ─────────────────────────────────────────────────────────────────────────

    @singledispatchmethod
    def _tex(self, expr: sympy.Basic, scope: Scope) -> Tex:
        raise UnsupportedError(
            f"no way to print {type(expr).__name__}", where=str(expr)[:80], remedy="write it with symdl's functions"
        )

    @_tex.register(sympy.Number)
    def _number(self, expr: sympy.Expr, scope: Scope) -> Tex:
        if expr.is_Integer or not expr.is_Rational or is_decimal(expr):
            return _numeral(decimal(expr)[0])
        text = fraction(str(abs(expr.p)), str(expr.q))
        return Tex("-" + text, ADD) if expr < 0 else Tex(text, POWER)

    @_tex.register(sympy.NumberSymbol)
    def _constant(self, expr: sympy.Expr, scope: Scope) -> Tex:
        if expr not in (sympy.pi, sympy.E):
            raise UnsupportedError(f"no way to print the constant {expr}")
        return Tex(r"\pi" if expr == sympy.pi else "e", ATOM)

    @_tex.register(sympy.Symbol)
    def _symbol(self, expr: sympy.Symbol, scope: Scope) -> Tex:
        if expr in self.verbatim:
            return self.verbatim[expr]
        if expr in self.values:
            return _numeral(decimal(self.values[expr])[0])
        return Tex(parse_name(expr.name, layered=False).tex(), ATOM)

    @_tex.register(Index)
    def _index(self, expr: Index, scope: Scope) -> Tex:
        return Tex(scope.tex(expr), ATOM)

    @_tex.register(Head)
    def _head(self, expr: Head, scope: Scope) -> Tex:
        return Tex(parse_name(expr.tensor.name, layered=expr.tensor.rank > 0).tex(), POWER)

    @_tex.register(Element)
    def _element(self, expr: Element, scope: Scope) -> Tex:
        if expr in self.values or (expr := self._looked_up(expr)) in self.values:
            return _numeral(decimal(self.values[expr])[0])
        subscripts = [self._subscript(s, scope) for s in expr.subscripts]
        made = expr.tensor.cotangent_of
        given = expr.tensor.role is Role.INPUT  # it has a name of its own
        if made and not given and (self.derivative == "fraction" or expr.name != f"{made[1]}_bar"):
            return Tex(self._derivative(expr.tensor, made, subscripts), POWER)
        name = parse_name(expr.name, layered=expr.tensor.rank > 0)
        return Tex(name.tex(*subscripts), POWER if name.superscript else ATOM)

    def _looked_up(self, expr: Element) -> Element:
        """E[tok[n]] with the number that tok[n] is."""
        given = {e: self.values[e] for s in expr.subscripts for e in s.atoms(Element) if e in self.values}
        return expr.tensor[tuple(s.xreplace(given) for s in expr.subscripts)] if given else expr

    def _derivative(self, tensor: Tensor, made: tuple[str, str], subscripts: list[str]) -> str:
        of = self.tensors.get(made[1])
        free = max(0, tensor.rank - of.rank) if of else 0
        upper = parse_name(made[0], layered=free > 0).tex(*subscripts[:free])
        lower = parse_name(made[1], layered=tensor.rank > free).tex(*subscripts[free:])
        return fraction(rf"\partial {upper}", rf"\partial {lower}")

    def _subscript(self, expr: sympy.Expr, scope: Scope) -> str:
        plain = MathPrinter()
        return index_text(expr, lambda e: plain._tex(e, scope).text)

    @_tex.register(Partial)
    def _partial(self, expr: Partial, scope: Scope) -> Tex:
        upper, lower = (MathPrinter(tensors=self.tensors)._tex(a, scope).text for a in (expr.of, expr.by))
        return Tex(fraction(rf"\partial {upper}", rf"\partial {lower}"), POWER)

    @_tex.register(sympy.Add)
    def _sum_of_terms(self, expr: sympy.Add, scope: Scope) -> Tex:
        if is_index_arithmetic(expr) and not self.values:
            return Tex(spaced(self._subscript(expr, scope)), ADD)
        whole = factors_of(expr, self._places)
        if [*whole.above, *whole.over] != [expr] or whole.negative or whole.number != 1:  # 2 a − 2 t is −2 (t − a)
            return self._product(whole, scope)
        terms = [(term, factors_of(term, self._places)) for term in expr.args]
        text = ""
        for _, factors in sorted(terms, key=lambda pair: term_key(pair[0], pair[1], self._places)):
            part = self._unsigned(factors, scope)
            if factors.negative or text:
                sign = "-" if factors.negative else "+"
                text += (f" {sign} " if text else sign) + wrapped(part, OPEN)
            else:
                text = wrapped(part, OPEN) if len(terms) > 1 else part.text  # cases reach to the next sign
        return Tex(text, ADD)

    @_tex.register(sympy.floor)
    @_tex.register(sympy.ceiling)
    @_tex.register(sympy.Mod)
    def _whole(self, expr: sympy.Expr, scope: Scope) -> Tex:
        return Tex(self._subscript(expr, scope), ATOM)

    @_tex.register(sympy.Mul)
    def _mul(self, expr: sympy.Expr, scope: Scope) -> Tex:
        return self._product(factors_of(expr, self._places), scope)

    def _product(self, factors: Factors, scope: Scope) -> Tex:
        part = self._unsigned(factors, scope)
        return Tex("-" + wrapped(part, OPEN), ADD) if factors.negative else part

    def _unsigned(self, factors: Factors, scope: Scope) -> Tex:
        """A product without its sign: c · over / under."""
        over, under = list(factors.over), list(factors.under)
        number = factors.number
        split = number.is_Rational and not is_decimal(number)
        above = [number.p if split else number, *factors.above]
        below = [number.q if split else sympy.S.One, *factors.below]
        reaching = [f for f in over if _reaches(f)] if under else []
        if any(isinstance(f, Reduction) for f in under):
            reaching = []
        inside = [f for f in over if f not in reaching]
        if under and not (inside and (factors.above or factors.below)):  # one fraction for everything
            return product(
                [self._fraction([*above, *inside], [*below, *under], scope), *self._factors(reaching, scope)]
            )
        front = self._fraction(above, below, scope)
        parts = [] if front.text == "1" and (over or under) else [front]
        if under:
            return product([*parts, self._fraction(inside, under, scope), *self._factors(reaching, scope)])
        return product(parts + self._factors(over, scope))

    def _fraction(self, above: list[Any], below: list[Any], scope: Scope) -> Tex:
        upper = product(self._factors([sympy.sympify(a) for a in above if a != 1], scope))
        lower = product(self._factors([sympy.sympify(b) for b in below if b != 1], scope))
        if not lower.text:
            return upper if upper.text else Tex("1", ATOM, number=True)
        return Tex(fraction(upper.text or "1", lower.text), POWER)

    def _factors(self, factors: list[sympy.Expr], scope: Scope) -> list[Tex]:
        """Each factor, with what reaches to the right closed everywhere but at the end."""
        return [self._factor(f, scope, last=k == len(factors) - 1) for k, f in enumerate(factors)]

    def _factor(self, expr: sympy.Expr, scope: Scope, last: bool) -> Tex:
        if isinstance(expr, sympy.log) and not last:
            return Tex(rf"\log{wrapped(self._tex(expr.args[0], scope))}", ATOM)
        if isinstance(expr, Reduction) and expr.op == "sum":
            return self._sum(expr, scope)
        return self._tex(expr, scope)

    @_tex.register(sympy.Pow)
    def _power(self, expr: sympy.Pow, scope: Scope) -> Tex:
        base, exponent = expr.base, expr.exp
        if (apart := factors_of(expr, self._places)).under or apart.below:
            return self._product(apart, scope)
        if exponent == sympy.Rational(1, 2):
            return Tex(rf"\sqrt{{{self._tex(base, scope).text}}}", POWER)
        above, below = sympy.fraction(exponent)
        upper = self._tex(exponent, scope).text
        if below != 1 and (exponent.is_Rational or is_index_arithmetic(exponent)):  # 10000^{2d/D}
            upper = f"{self._subscript(above, scope)}/{wrapped(self._tex(below, scope), POWER)}"
        command = _FUNCTIONS.get(type(base))
        if command and exponent.is_Integer:
            return Tex(rf"{command}^{{{upper}}}{self._arguments(base, scope)}", POWER)
        return Tex(f"{wrapped(self._tex(base, scope), ATOM)}^{{{upper}}}", POWER)

    @_tex.register(sympy.exp)
    def _exp(self, expr: sympy.Expr, scope: Scope) -> Tex:
        argument = self._tex(expr.args[0], scope).text
        if len(argument) <= _SHORT and not any(c in argument for c in (r"\frac", r"\sum", r"\left", r"\max")):
            return Tex(f"e^{{{argument}}}", POWER)
        return Tex(rf"\exp\left({argument}\right)", ATOM)

    @_tex.register(sympy.log)
    def _log(self, expr: sympy.Expr, scope: Scope) -> Tex:
        argument = expr.args[0]
        inside = self._tex(argument, scope)
        if isinstance(argument, Element | sympy.Symbol) and inside.level >= POWER:
            return Tex(rf"\log {inside.text}", OPEN)
        return Tex(rf"\log{wrapped(inside)}", ATOM)

    @_tex.register(sympy.Abs)
    def _abs(self, expr: sympy.Expr, scope: Scope) -> Tex:
        return Tex(rf"\left|{self._tex(expr.args[0], scope).text}\right|", ATOM)

    @_tex.register(ScalarFunction)
    def _named(self, expr: ScalarFunction, scope: Scope) -> Tex:
        return Tex(f"{type(expr).latex_name}{self._arguments(expr, scope)}", ATOM)

    @_tex.register(sympy.Function)
    @_tex.register(sympy.Max)
    @_tex.register(sympy.Min)
    def _function(self, expr: sympy.Expr, scope: Scope) -> Tex:
        if type(expr) not in _FUNCTIONS:
            raise UnsupportedError(
                f"no way to print the function {type(expr).__name__}", remedy="define it with sd.scalar_function"
            )
        return Tex(f"{_FUNCTIONS[type(expr)]}{self._arguments(expr, scope)}", ATOM)

    def _arguments(self, expr: sympy.Expr, scope: Scope) -> str:
        return rf"\left({', '.join(self._tex(a, scope).text for a in expr.args)}\right)"

    @_tex.register(Switch)
    def _switch(self, expr: Switch, scope: Scope) -> Tex:
        if as_product(expr) is not None:
            return self._product(factors_of(expr, self._places), scope)
        return switch_form(expr, lambda e: self._tex(e, scope).text)

    @_tex.register(Delta)
    def _delta(self, expr: Delta, scope: Scope) -> Tex:
        if any(not isinstance(e - e.as_coeff_Add()[0], Index) and not e.is_Integer for e in expr.args):
            return self._guard(expr, scope)  # [tok_nt = v]
        a, b = sorted((self._subscript(e, scope) for e in expr.args), key=lambda t: (len(t), t))
        plain = len(a) == len(b.rstrip("'")) == 1
        return Tex(rf"\delta_{{{a}{'' if plain else ','}{b}}}", ATOM)

    @_tex.register(InRange)
    def _guard(self, expr: sympy.Expr, scope: Scope) -> Tex:
        def text(e: sympy.Expr) -> str:
            return self._tex(e, scope).text if e in self.values else self._subscript(e, scope)

        known = condition(expr, (), text)
        return Tex(rf"\left[{known.text}\right]", ATOM)

    @_tex.register(Reduction)
    def _reduction(self, expr: Reduction, scope: Scope) -> Tex:
        if expr.op == "sum":
            return self._product(factors_of(expr, self._places), scope)
        inner = scope.bind(expr.bound)
        masked = isinstance(expr.body, Masked)  # its guard says over which entries the maximum is
        body, guards = (expr.body.args[0], sympy.Mul.make_args(expr.body.args[1])) if masked else (expr.body, ())
        below = self._beneath(expr.bound, guards, inner)
        return Tex(f"{_OPERATORS[expr.op]}_{{{below}}} {wrapped(self._tex(body, inner), POWER)}", OPEN)

    def _sum(self, expr: Reduction, scope: Scope) -> Tex:
        """A sum that has no constants left inside; sums that follow each other stand under one Σ."""
        bound: list[Index] = []
        guards: list[sympy.Expr] = []
        body: sympy.Expr = expr
        while isinstance(body, Reduction) and body.op == "sum":
            bound += body.bound
            found, body = take_guards(body.body, bound)
            guards += found
        inner = scope.bind(bound)
        return Tex(rf"\sum_{{{self._beneath(bound, guards, inner)}}} {wrapped(self._tex(body, inner), OPEN)}", OPEN)

    def _beneath(self, bound: Sequence[Index], guards: Iterable[sympy.Expr], scope: Scope) -> str:
        def text(expr: sympy.Expr) -> str:
            return self._subscript(expr, scope)

        return beneath(bound, [condition(g, bound, text) for g in guards], text)


def _reaches(factor: sympy.Expr) -> bool:
    """What would make a fraction tall: a Σ, and a group with one."""
    return isinstance(factor, Reduction) or (factor.is_Add and factor.has(Reduction))


def _numeral(text: str) -> Tex:
    if text.startswith("-"):
        return Tex(text, ADD, number=True)
    return Tex(text, MUL if r"\cdot" in text else ATOM, number=True)


def print_math(
    expr: sympy.Expr,
    *,
    derivative: Derivative = "bar",
    values: Mapping[sympy.Expr, Any] | None = None,
) -> str:
    r"""LaTeX of a scalar expression over tensor elements.

    Args:
        expr: the expression.
        derivative: how cotangents are written: "bar" (x̄) or "fraction" (∂L/∂x).
        values: numbers that stand in place of elements, as in a worked example.

    Raises:
        UnsupportedError: a function or node that has no form here.

    >>> from symdl.core.tensors import reduction
    >>> i, n = Index("i"), Index("n")
    >>> w, x = Tensor("w", (i,)), Tensor("x", (n, i))
    >>> print_math(reduction("sum", w[i] * x[n, i] * 2, [i]))
    '2 \\sum_{i} w_{i} x_{ni}'
    >>> print_math(w[0] * x[0, 0] - 3, values={w[0]: 2, x[0, 0]: -1})
    '2 \\cdot \\left(-1\\right) - 3'
    """
    return MathPrinter(derivative, values or {}).math(expr)
