"""What is printed means what it was made from: the LaTeX itself is evaluated (tests/support/latex_reader.py)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import sympy
from hypothesis import assume, example, given, settings, strategies as st

from symdl.core.functions import Delta, InRange, ScalarFunction, Switch, scalar_function
from symdl.core.indices import Index
from symdl.core.tensors import Element, Reduction, Role, Tensor, reduction
from symdl.rendering.mathprinter import MathPrinter, print_math
from tests.support.latex_reader import REDUCE, SIZES, entry, read

N, I, J = Index("n"), Index("i"), Index("j")
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
SIGMA = scalar_function("sigma", lambda x: 1 / (1 + sympy.exp(-x)), latex=r"\sigma")


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


# ── expressions drawn at random ──────────────────────────────────────────────────────────────────────────────────────


KINDS = [*["add"] * 2, *["mul"] * 3, "minus", "power", "inverse", "root", "exp", "log", "tanh", "sigma", *["sum"] * 2]
KINDS += ["mean", "max", "switch", "relu", "abs", "sign", "delta", *["guard"] * 3]


@st.composite
def guards(draw: st.DrawFn, visible: tuple[Index, ...]) -> sympy.Expr:
    """A range test or a δ of index arithmetic."""
    a, b, c = (draw(st.sampled_from(visible)) for _ in range(3))
    e = draw(st.sampled_from([a - 1, a + 1, a - b, a + b, 2 * a - b + 1, a + b - c, 2 * a - 1, 1 - a]))
    if draw(st.booleans()):
        return Delta(e, draw(st.sampled_from([*visible, sympy.Integer(1)])))
    return InRange(e, draw(st.sampled_from([N.extent, I.extent, J.extent, sympy.Integer(2)])))


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
        case "guard":
            return draw(guards(visible)) * part()
        case _:
            return Delta(draw(st.sampled_from(visible)), draw(st.sampled_from([*visible, sympy.Integer(1)])))


def _well_posed(expr: sympy.Expr) -> bool:
    return not expr.has(sympy.nan, sympy.zoo, sympy.oo, sympy.I)


@given(expressions())
@example(-((TENSORS[3] * TENSORS[1][0]) ** 3) * -1)
# a guard makes the condition 0 on a whole range, where the policy counts
@example(Switch(InRange(N - 1, N.extent) * TENSORS[0][N, 0], 0, TENSORS[0][N, 0], sympy.Rational(1, 2)))
@example(Switch(Delta(N, 1) * TENSORS[3].element(), -1, 1, 0) + 2)
# cases would take in what is added after them
@example(Switch(TENSORS[3].element(), 1, 5, 0) + Switch(TENSORS[1][N], 3, 7, 0) + Switch(TENSORS[5][N], 2, 9, 0))
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
    t = [entry("t", (k,)) for k in range(2)]
    assert read(r"\sum_{n:\,2 n = i} t_{n}", {"i": 2}) == pytest.approx(t[1])
    assert read(r"\sum_{n \ge 1} t_{n} + t_{0}", {}) == pytest.approx(t[0] + t[1])
    assert read(r"\sum_{\substack{n \\ 0 \le n-1 < N}} t_{n}", {}) == pytest.approx(t[1])
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
