"""A scalar expression as Coq text, and the functions it calls as Coq definitions.

Only nodes that are known here are written; anything else is an error, and no text of a user's goes through.

>>> from symdl.library.activations import silu
>>> x = sympy.Symbol("x", real=True)
>>> writer = Writer()
>>> writer.text(silu(x).diff(x))
'(x * (1 - sigmoid x) + 1) * sigmoid x'
>>> print(writer.definitions())
Definition sigmoid (x : R) : R := 1 / (1 + exp (- x)).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field

import sympy
from sympy.codegen import cfunctions

from symdl.core.functions import UNSTATED, ScalarFunction, Switch
from symdl.core.tensors import Element
from symdl.errors import UnsupportedError
from symdl.verification.coq.names import Names, function
from symdl.verification.piecewise import as_switches

#: How tight a place binds: a sum, a product, the base of a power, an argument.
SUM, PRODUCT, BASE, ARGUMENT = range(4)
#: Larger exponents are repeated products that Coq's tactics don't end with.
LARGEST_POWER = 64

_HALF = sympy.Rational(1, 2)
_KINKED = (sympy.Abs, sympy.Max, sympy.Min, sympy.sign, sympy.Heaviside, sympy.Piecewise)
#: Functions that Coq's library or the prelude has.
CALLS = {
    sympy.exp: "exp",
    sympy.log: "ln",
    sympy.sin: "sin",
    sympy.cos: "cos",
    sympy.erf: "erf",
    sympy.tanh: "tanh",
    sympy.sinh: "sinh",
    sympy.cosh: "cosh",
}
#: Functions that are others in disguise.
_REWRITTEN: dict[type, Callable[..., sympy.Expr]] = {
    cfunctions.expm1: lambda u: sympy.exp(u) - 1,
    cfunctions.log1p: lambda u: sympy.log(1 + u),
    sympy.erfc: lambda u: 1 - sympy.erf(u),
    sympy.tan: lambda u: sympy.sin(u) / sympy.cos(u),
    sympy.cot: lambda u: sympy.cos(u) / sympy.sin(u),
    sympy.sec: lambda u: 1 / sympy.cos(u),
    sympy.csc: lambda u: 1 / sympy.sin(u),
    sympy.coth: lambda u: sympy.cosh(u) / sympy.sinh(u),
    sympy.sech: lambda u: 1 / sympy.cosh(u),
    sympy.csch: lambda u: 1 / sympy.sinh(u),
}


def plain(node: sympy.Expr) -> sympy.Expr:
    """A node by what is written for it: kinked functions of SymPy's as switches, and the like.

    >>> x = sympy.Symbol("x", real=True)
    >>> plain(sympy.Max(0, x)), plain(x**sympy.Rational(1, 3))
    (Switch(x, 0, x, 0), exp(log(x)/3))
    """
    if isinstance(node, _KINKED):
        return as_switches(node)
    if node.func in _REWRITTEN:
        return _REWRITTEN[node.func](*node.args)
    if isinstance(node, sympy.Float):
        return sympy.Rational(node)
    if node is sympy.E:
        return sympy.exp(1, evaluate=False)
    if node.is_Pow and not isinstance(node, sympy.exp) and not (2 * node.exp).is_Integer:
        return sympy.exp(node.exp * sympy.log(node.base, evaluate=False), evaluate=False)
    return node


@dataclass
class Writer:
    """Writes expressions; remembers the names of variables and the functions that were called.

    Args:
        names: of the variables; capital letters stand for values that a proof has named.
        functions: of each class of functions, its name in Coq and the text of its definition, in the order of need.
    """

    names: Names = field(default_factory=Names)
    functions: dict[type[ScalarFunction], tuple[str, str]] = field(default_factory=dict)
    prelude: dict[str, None] = field(default_factory=dict)

    def definitions(self) -> str:
        """The definitions of all functions that were called."""
        return "\n".join(text for _, text in self.functions.values())

    def text(self, expr: sympy.Expr, place: int = SUM) -> str:
        """The expression, in brackets where its place needs them.

        Raises:
            UnsupportedError: a node that has no form in Coq here.
        """
        node = plain(expr)
        if node is not expr:
            return self.text(node, place)
        if node.is_Symbol or isinstance(node, Element):
            if node == UNSTATED:
                raise UnsupportedError("a kink has no policy", remedy="say kink='left', 'right' or 'mid'")
            return self.names.of(node)
        if node.is_Rational:
            return self._number(node, place)
        if node is sympy.pi:
            return "PI"
        if node.is_Add:
            return _bracketed(self._sum(node), place > SUM)
        if node.is_Mul or (node.is_Pow and not isinstance(node, sympy.exp) and node.exp.is_negative):
            return self._product(node, place)
        if node.is_Pow and not isinstance(node, sympy.exp):
            return self._power(node, place)
        return self._call(node, place)

    def _number(self, number: sympy.Rational, place: int) -> str:
        size = str(abs(number.p)) + (f" / {number.q}" if number.q != 1 else "")
        if number < 0:
            return _bracketed(f"- {size}", place > SUM)
        return _bracketed(size, number.q != 1 and place > PRODUCT)

    def _sum(self, node: sympy.Expr) -> str:
        first, *rest = node.as_ordered_terms()
        if first.could_extract_minus_sign():
            ahead = next((t for t in rest if not t.could_extract_minus_sign()), None)
            if ahead is not None:
                rest[rest.index(ahead)] = first
                first = ahead
        text = self.text(first)
        for term in rest:
            minus = term.could_extract_minus_sign()
            text += f" {'-' if minus else '+'} {self.text(-term if minus else term, PRODUCT)}"
        return text

    def _product(self, node: sympy.Expr, place: int) -> str:
        coefficient, rest = node.as_coeff_Mul()
        if coefficient.is_Rational and coefficient < 0:
            inner = self.text(-node, PRODUCT)
            return _bracketed(f"- {inner}", place > SUM)
        over: list[sympy.Expr] = []
        under: list[sympy.Expr] = []
        if coefficient.is_Rational:
            over += [sympy.Integer(coefficient.p)] if coefficient.p != 1 else []
            under += [sympy.Integer(coefficient.q)] if coefficient.q != 1 else []
            factors = sympy.Mul.make_args(rest) if rest != 1 else ()
        else:
            factors = node.args
        for factor in sorted(factors, key=lambda f: (bool(f.is_Function), sympy.default_sort_key(f))):
            negative = factor.is_Pow and not isinstance(factor, sympy.exp) and factor.exp.is_Rational
            if negative and factor.exp < 0:
                under.append(sympy.Pow(factor.base, -factor.exp))
            else:
                over.append(factor)
        text = " * ".join(self.text(f, BASE if len(over) + len(under) > 1 else place) for f in over) or "1"
        if under:
            below = " * ".join(self.text(f, BASE) for f in under)
            text += f" / {_bracketed(below, len(under) > 1)}"
        return _bracketed(text, place > PRODUCT and (len(over) > 1 or bool(under)))

    def _power(self, node: sympy.Expr, place: int) -> str:
        base, exponent = node.base, node.exp
        if abs(exponent) > LARGEST_POWER:
            raise UnsupportedError(f"the power {exponent}", why=f"it is larger than {LARGEST_POWER}")
        if exponent.is_Integer:
            return _bracketed(
                f"{self.text(base, ARGUMENT if not base.is_Function else BASE)} ^ {exponent}", place > BASE
            )
        root = f"sqrt {self.text(base, ARGUMENT)}"
        if exponent == _HALF:
            return _bracketed(root, place > BASE)
        return _bracketed(f"{root} ^ {2 * exponent}", place > BASE)

    def _call(self, node: sympy.Expr, place: int) -> str:
        if isinstance(node, Switch):
            name = "switch"
            self.prelude["switch"] = None
        elif node.func in CALLS:
            name = CALLS[node.func]
            self.prelude[name] = None
        elif isinstance(node, ScalarFunction):
            name = self._function(type(node))
        else:
            raise UnsupportedError(f"'{type(node).__name__}' has no form in Coq here")
        return _bracketed(" ".join([name, *(self.text(a, ARGUMENT) for a in node.args)]), place > BASE)

    def _function(self, cls: type[ScalarFunction]) -> str:
        if cls not in self.functions:
            parameters = formal(cls)
            inner = Writer(Names(), self.functions, self.prelude)
            heads = [inner.names.of(p) for p in parameters]
            body = inner.text(sympy.sympify(cls.definition(*parameters), strict=True))
            name = function(cls.__name__, {n for n, _ in self.functions.values()})
            self.functions[cls] = name, f"Definition {name} ({' '.join(heads)} : R) : R := {body}."
        return self.functions[cls][0]


def formal(cls: type[ScalarFunction]) -> list[sympy.Symbol]:
    """Symbols for the arguments of a named function."""
    return [sympy.Symbol(name, real=True) for name in inspect.signature(cls.definition).parameters]


def _bracketed(text: str, needed: bool) -> str:
    return f"({text})" if needed else text
