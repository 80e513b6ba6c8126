"""What is printed means what it was made from: an evaluator of the LaTeX itself, which knows nothing of SymPy.

It reads strictly: a sum, a maximum or a bare logarithm takes everything to its right up to the next + or −, so a
missing parenthesis changes the value.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import sympy
from hypothesis import assume, example, given, settings, strategies as st

from symdl.core.functions import Delta, InRange, ScalarFunction, Switch, scalar_function
from symdl.core.indices import Index
from symdl.core.tensors import Element, Reduction, Role, Tensor, reduction
from symdl.rendering.mathprinter import MathPrinter, print_math

N, I, J = Index("n"), Index("i"), Index("j")
SIZES = {"n": 2, "i": 3, "j": 2}
TENSORS = [
    Tensor("x", (N, I), Role.INPUT),
    Tensor("t", (N,), Role.INPUT),
    Tensor("W1", (J, I), Role.PARAMETER),
    Tensor("b", (), Role.PARAMETER),
    Tensor("s2", (N, J)),
    Tensor("y_hat", (N,)),
    Tensor("t_bar", (N,), cotangent_of=("L", "t")),
    Tensor("eta", (), Role.HYPERPARAMETER),
]
PRINTED = {
    "x": "x",
    "t": "t",
    "W^{(1)}": "W1",
    "b": "b",
    "s^{(2)}": "s2",
    r"\hat{y}": "y_hat",
    r"\bar{t}": "t_bar",
    r"\eta": "eta",
}
REDUCE: dict[str, Callable[[list[float]], float]] = {"sum": math.fsum, "max": max, "prod": math.prod}
SIGMA = scalar_function("sigma", lambda x: 1 / (1 + sympy.exp(-x)), latex=r"\sigma")


def entry(name: str, at: tuple[int, ...]) -> float:
    """A fixed positive number for every element; the number t of L is never needed."""
    seed = sum(ord(c) * (k + 3) for k, c in enumerate(name)) + sum((k + 2) * 7 * (a + 1) for k, a in enumerate(at))
    return 0.4 + (seed * 37 % 101) / 80


# ── the meaning of an expression ─────────────────────────────────────────────────────────────────────────────────────


def meaning(expr: sympy.Expr, at: Mapping[Index, int]) -> float:
    """The value of an expression by its tree."""
    if isinstance(expr, Index):
        return at[expr]
    if isinstance(expr, sympy.Symbol):
        return SIZES[expr.name.lower()]
    if isinstance(expr, Element):
        return entry(expr.name, tuple(int(meaning(s, at)) for s in expr.subscripts))
    if isinstance(expr, Reduction):
        spaces = [range(SIZES[i.name.rstrip("'")]) for i in expr.bound]
        values = [
            meaning(expr.body, {**at, **dict(zip(expr.bound, p, strict=True))}) for p in itertools.product(*spaces)
        ]
        return REDUCE[expr.op](values)
    if isinstance(expr, ScalarFunction):
        return meaning(expr.defined(), at)
    args = [meaning(a, at) for a in expr.args]
    if isinstance(expr, Switch):
        x, below, above, weight = args
        return below if x < 0 else above if x > 0 else (1 - weight) * below + weight * above
    if isinstance(expr, Delta):
        return float(args[0] == args[1])
    if isinstance(expr, InRange):
        return float(0 <= args[0] < args[1])
    if not args:
        return float(expr)
    plain: dict[Any, Callable[..., float]] = {
        sympy.Add: lambda *a: math.fsum(a),
        sympy.Mul: lambda *a: math.prod(a),
        sympy.Pow: lambda a, b: a**b,
        sympy.exp: math.exp,
        sympy.log: math.log,
        sympy.tanh: math.tanh,
    }
    return plain[expr.func](*args)


# ── the meaning of LaTeX ─────────────────────────────────────────────────────────────────────────────────────────────

TOKEN = re.compile(r"\\(?:left|right)\\?.|\\[A-Za-z]+|\\\\|[0-9]+(?:\.[0-9]+)?|'+|\S")
FUNCTIONS: dict[str, Callable[[float], float]] = {
    r"\log": math.log,
    r"\tanh": math.tanh,
    r"\exp": math.exp,
    r"\sigma": lambda x: 1 / (1 + math.exp(-x)),
    "sign": lambda x: (x > 0) - (x < 0),
}
RELATIONS: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "=": lambda a, b: a == b,
    r"\le": lambda a, b: a <= b,
    r"\ge": lambda a, b: a >= b,
}


class Reader:
    """A recursive descent over the LaTeX that the printer emits."""

    def __init__(self, text: str, at: Mapping[str, int]) -> None:
        self.tokens, self.place, self.at = TOKEN.findall(text), 0, dict(at)

    @property
    def next(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def take(self, expected: str = "") -> str:
        token = self.next
        assert token and (not expected or token == expected), f"{expected!r} expected, {token!r} found"
        self.place += 1
        return token

    def whole(self) -> float:
        value = self.sum()
        assert not self.next, f"left over: {self.tokens[self.place :]}"
        return value

    def sum(self) -> float:
        negative = self.next == "-" and bool(self.take())
        total = -self.product() if negative else self.product()
        while self.next in ("+", "-"):
            sign = -1 if self.take() == "-" else 1
            total += sign * self.product()
        return total

    def product(self) -> float:
        total = self.power()
        while (
            self.next
            and self.next not in ("+", "-", "}", ",", "&", "/", r"\\", r"\end", *RELATIONS)
            and not self.next.startswith(r"\right")
        ):
            dotted = self.next == r"\cdot" and bool(self.take())
            assert dotted or not self.next[0].isdigit(), "two numbers side by side"
            total *= self.power()
        return total

    def power(self) -> float:
        base = self.atom()
        return base ** self.group() if self.next == "^" and self.take() else base

    def group(self) -> float:
        """{…}, where 3/2 stands for a fraction."""
        self.take("{")
        value = self.sum()
        if self.next == "/":
            self.take()
            value /= self.sum()
        self.take("}")
        return value

    def raw(self) -> str:
        """The text of a {…} group."""
        self.take("{")
        depth, text = 1, ""
        while depth:
            token = self.take()
            depth += (token == "{") - (token == "}")
            text += token if depth else ""
        return text

    def atom(self) -> float:
        token = self.take()
        if token[0].isdigit():
            return float(token)
        if token == r"\left(":
            value = self.sum()
            self.take(r"\right)")
            return value
        if token == r"\left|":
            value = abs(self.sum())
            self.take(r"\right|")
            return value
        if token == r"\left[":
            value = self.relation()
            self.take(r"\right]")
            return value
        if token == r"\frac":
            upper = self.group()
            return upper / self.group()
        if token == r"\sqrt":
            return math.sqrt(self.group())
        if token == "e":
            assert self.next == "^"
            return math.e
        if token in (r"\sum", r"\prod", r"\max") and self.next == "_":
            return self.reduce(token)
        if token == r"\max" or token == r"\min":
            return self.several(max if token == r"\max" else min)
        if token == r"\begin":
            return self.cases()
        if token == r"\operatorname":
            return self.call(FUNCTIONS[self.raw()])
        if token in FUNCTIONS:
            return self.call(FUNCTIONS[token])
        if token == r"\delta":
            self.take("_")
            a, b = self.subscripts(self.raw())
            return float(a == b)
        return self.name(token)

    def call(self, function: Callable[[float], float]) -> float:
        power = self.group() if self.next == "^" and self.take() else 1
        if self.next != r"\left(":  # a bare logarithm reaches to the end of its product
            assert power == 1
            return function(self.product())
        self.take()
        value = self.sum()
        self.take(r"\right)")
        return function(value) ** power

    def several(self, function: Callable[..., float]) -> float:
        self.take(r"\left(")
        values = [self.sum()]
        while self.next == ",":
            self.take()
            values.append(self.sum())
        self.take(r"\right)")
        return function(values)

    def relation(self) -> float:
        values, holds = [self.sum()], True
        while self.next in RELATIONS:
            test = RELATIONS[self.take()]
            values.append(self.sum())
            holds &= test(values[-2], values[-1])
        return float(holds)

    def cases(self) -> float:
        self.take("{")
        while self.take() != "}":
            pass
        chosen, more = 0.0, True
        while more:
            value = self.sum()
            self.take("&")
            chosen += value * self.relation()
            more = self.next == r"\\" and bool(self.take())
        self.take(r"\end")
        self.raw()
        return chosen

    def reduce(self, operator: str) -> float:
        self.take("_")
        names, start, values = self.raw().split(","), self.place, []
        outer = dict(self.at)
        assert not set(names) & set(outer), "a bound index shadows another"
        for point in itertools.product(*[range(SIZES[n.rstrip("'")]) for n in names]):
            self.place = start
            self.at = {**outer, **dict(zip(names, point, strict=True))}
            values.append(self.product())
        self.at = outer
        return REDUCE[operator[1:]](values)

    def name(self, token: str) -> float:
        if token in SIZES and self.next != "_":
            raise AssertionError("a bare index")
        if token.lower() in SIZES and token.isupper():
            return float(SIZES[token.lower()])
        stem = token + ("{" + self.raw() + "}" if token in (r"\hat", r"\bar") else "")
        if self.next == "^" and self.tokens[self.place + 2] == "(":
            self.take()
            stem += "^{" + self.raw() + "}"
        at: tuple[int, ...] = ()
        if self.next == "_":
            self.take()
            at = self.subscripts(self.raw())
        return entry(PRINTED[stem], at)

    def subscripts(self, text: str) -> tuple[int, ...]:
        parts = text.split(",") if "," in text else re.findall(r"[a-z]'*|[0-9]", text)
        return tuple(
            sum(
                (-1 if sign == "-" else 1) * (int(p) if p.isdigit() else self.at[p])
                for sign, p in re.findall(r"([+-]?)([a-z]'*|[0-9]+)", part)
            )
            for part in parts
        )


def read(text: str, at: Mapping[str, int]) -> float:
    return Reader(text, at).whole()


# ── expressions drawn at random ──────────────────────────────────────────────────────────────────────────────────────


KINDS = [*["add"] * 2, *["mul"] * 3, "minus", "power", "inverse", "root", "exp", "log", "tanh", "sigma", *["sum"] * 2]
KINDS += ["mean", "max", "switch", "relu", "abs", "sign", "delta"]


@st.composite
def expressions(draw: st.DrawFn, depth: int = 4, visible: tuple[Index, ...] = (N,)) -> sympy.Expr:
    def part() -> sympy.Expr:
        return draw(expressions(depth - 1, visible))

    def element() -> sympy.Expr:
        tensor = draw(st.sampled_from(TENSORS))
        return tensor[tuple(subscript(axis) for axis in tensor.indices)]

    def subscript(axis: Index) -> sympy.Expr:
        near = [i for i in visible if i.name == axis.name]
        return draw(st.sampled_from([*near, *near, sympy.Integer(0), sympy.Integer(1)]))

    kinds = ["element", "element", "number", "extent"]
    if depth > 0:
        kinds += KINDS
    kind = draw(st.sampled_from(kinds))
    match kind:
        case "element":
            return element()
        case "number":
            return draw(st.sampled_from([sympy.Rational(p, q) for p in (-3, -1, 1, 2, 5) for q in (1, 1, 2, 100)]))
        case "extent":
            return N.extent
        case "add":
            return part() + part()
        case "mul":
            return part() * part()
        case "minus":
            return part() - part()
        case "power":
            return part() ** draw(st.integers(2, 3))
        case "inverse":
            return part() / (1 + part() ** 2)
        case "root":
            return sympy.sqrt(1 + part() ** 2)
        case "exp":
            return sympy.exp(-sympy.tanh(part())) if draw(st.booleans()) else sympy.exp(element())
        case "log":
            return sympy.log(element() if draw(st.booleans()) else 1 + part() ** 2)
        case "tanh":
            return sympy.tanh(part())
        case "sigma":
            return SIGMA(part())
        case "sum" | "mean" | "max":
            axis = draw(st.sampled_from([N, I, J])).fresh()
            body = draw(expressions(depth - 1, (*visible, axis)))
            made = reduction("max" if kind == "max" else "sum", body, [axis])
            return made / axis.extent if kind == "mean" else made
        case "switch":
            return Switch(part(), part(), part(), draw(st.sampled_from([0, 1, sympy.Rational(1, 2)])))
        case "relu":
            x = part()
            return Switch(x, 0, x, 0)
        case "abs":
            x = part()
            return Switch(x, -x, x, sympy.Rational(1, 2))
        case "sign":
            e = part()
            return Switch(part(), -e, e, sympy.Rational(1, 2))
        case _:
            return Delta(draw(st.sampled_from(visible)), draw(st.sampled_from([*visible, sympy.Integer(1)])))


def _well_posed(expr: sympy.Expr) -> bool:
    return not expr.has(sympy.nan, sympy.zoo, sympy.oo, sympy.I)


@given(expressions())
@example(-((TENSORS[3] * TENSORS[1][0]) ** 3) * -1)
@settings(max_examples=300)
def test_the_printed_formula_has_the_value_of_the_expression(expr: sympy.Expr) -> None:
    assume(_well_posed(expr))
    text = print_math(expr)
    for n in range(2):
        expected = meaning(expr, {N: n})
        assume(abs(expected) < 1e9)
        assert read(text, {"n": n} if N in expr.free_symbols else {}) == pytest.approx(expected, rel=1e-8, abs=1e-8), (
            text
        )


@given(expressions(depth=3))
def test_numbers_put_in_have_the_value_of_the_expression(expr: sympy.Expr) -> None:
    """Elements at fixed places are replaced by signed decimals; what is bound stays a symbol."""
    expr = expr.xreplace({N: sympy.Integer(1)})
    assume(_well_posed(expr))
    values = {
        e: sympy.Rational(str(round(entry(e.name, tuple(int(s) for s in e.subscripts)), 4)))
        for e in expr.atoms(Element)
        if all(s.is_Integer for s in e.subscripts)
    }
    expected = meaning(expr, {})
    assume(abs(expected) < 1e9)
    text = print_math(expr, values=values)
    assert read(text, {}) == pytest.approx(expected, rel=1e-4, abs=1e-4), text


@given(expressions(depth=3))
def test_negative_numbers_put_in_are_in_parentheses(expr: sympy.Expr) -> None:
    """b = −7/4 everywhere: a missing parenthesis shows as a wrong value or as a sign after an operator."""
    expr = expr.xreplace({N: sympy.Integer(1)})
    b = TENSORS[3].element()
    assume(_well_posed(expr) and not expr.has(sympy.log))
    text = print_math(expr, values={b: sympy.Rational(-7, 4)})
    try:
        expected = meaning(expr.xreplace({b: sympy.Rational(-7, 4)}), {})
    except (ZeroDivisionError, OverflowError):
        assume(False)
    assume(abs(expected) < 1e9)
    assert read(text, {}) == pytest.approx(expected, rel=1e-8, abs=1e-8), text


def test_the_evaluator_sees_a_missing_parenthesis() -> None:
    """The test is able to fail."""
    b = entry("b", ())
    assert read(r"2 \left(b + 1\right)", {}) == pytest.approx(2 * (b + 1))
    assert read(r"2 b + 1", {}) == pytest.approx(2 * b + 1)
    assert read(r"\log b b", {}) == pytest.approx(math.log(b * b))
    assert read(r"\sum_{i} x_{0i} b", {}) == pytest.approx(sum(entry("x", (0, i)) for i in range(3)) * b)
    with pytest.raises(AssertionError):
        read(r"2 3", {})
    with pytest.raises(AssertionError):
        read(r"\sum_{n} t_{n}", {"n": 0})


def test_second_derivatives_say_what_they_are_of() -> None:
    w, w_bar = Tensor("w", (I,)), Tensor("w_bar", (I,), cotangent_of=("L", "w"))
    other = Index("i")
    second = Tensor("w_bar2", (I, other), cotangent_of=("w_bar", "w"))
    printer = MathPrinter(tensors={"w": w, "w_bar": w_bar})
    assert printer.math(second.element()) == r"\frac{\partial \bar{w}_{i}}{\partial w_{i'}}"
