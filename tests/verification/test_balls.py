"""The evaluator against mpmath, which shares no code with it."""

from __future__ import annotations

import mpmath
import pytest
import sympy
from flint import arb, fmpq
from hypothesis import given, settings, strategies as st

from symdl.core.functions import Delta, InRange, Switch
from symdl.core.indices import Index
from symdl.core.tensors import Tensor, reduction
from symdl.errors import UnsupportedError
from symdl.verification.balls import Evaluator, Fixed, evaluate
from symdl.verification.identities import number_of
from symdl.verification.real import UnclearError, UndefinedError

x, y = sympy.symbols("x y", real=True)
UNARY = [
    sympy.exp,
    sympy.sin,
    sympy.cos,
    sympy.tanh,
    sympy.sinh,
    sympy.cosh,
    sympy.erf,
    sympy.atan,
    sympy.asinh,
    sympy.Abs,
    lambda e: sympy.log(1 + e**2),
    lambda e: sympy.sqrt(2 + sympy.cos(e)),
    lambda e: 1 / (3 + sympy.sin(e)),
    lambda e: (1 + e**2) ** sympy.Rational(2, 3),
]
LEAVES = st.sampled_from([x, y, sympy.Integer(2), sympy.Rational(-3, 7), sympy.pi, sympy.E])
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda a, b: a + b, inner, inner),
        st.builds(lambda a, b: a * b, inner, inner),
        st.builds(lambda f, a: f(a), st.sampled_from(UNARY), inner),
    ),
    max_leaves=8,
)
RATIONALS = st.fractions(min_value=-3, max_value=3, max_denominator=50)


@given(EXPRESSIONS, RATIONALS, RATIONALS)
def test_balls_contain_what_mpmath_says(expr, a, b) -> None:
    point = {x: sympy.Rational(a.numerator, a.denominator), y: sympy.Rational(b.numerator, b.denominator)}
    try:
        ball = evaluate(expr, point)
    except UnclearError:
        return
    with mpmath.workdps(120):
        function = sympy.lambdify((x, y), expr, modules="mpmath")
        values = [mpmath.mpf(v.p) / mpmath.mpf(v.q) for v in point.values()]
        value = mpmath.mpf(mpmath.re(function(*values)))
        near = abs(value) * mpmath.mpf(10) ** -100 + mpmath.mpf(10) ** -100
        error = mpmath.mpf(str(abs(ball - arb(mpmath.nstr(value, 110))).lower().str(50, radius=False)))
        assert error <= near


@pytest.mark.parametrize(
    ("expr", "problem"),
    [
        (sympy.log(x), UndefinedError),
        (1 / (x + 1), UndefinedError),
        (sympy.sqrt(x), UndefinedError),
        (sympy.asin(x - 1), UndefinedError),
        (1 / (sympy.sin(1) ** 2 + sympy.cos(1) ** 2 + x), UnclearError),
        (sympy.zeta(x), UnsupportedError),
        (sympy.Symbol("unknown"), UnsupportedError),
        (sympy.I * x, UnsupportedError),
        (sympy.Integral(x, x), UnsupportedError),
    ],
)
def test_what_has_no_value_raises(expr, problem) -> None:
    with pytest.raises(problem):
        evaluate(expr, {x: -1})


def test_switches_are_decided_only_where_they_are_certain() -> None:
    step = Switch(x, 2, 4, sympy.Rational(1, 4))
    assert [evaluate(step, {x: v}) for v in (-1, 0, 1)] == [2, fmpq(5, 2), 4]
    fuzzy = Switch(sympy.exp(x) - 21, 0, 1, 0)
    hidden = Switch(sympy.exp(x) * sympy.exp(-x, evaluate=False) - sympy.cos(x) ** 2 - sympy.sin(x) ** 2, 0, 1, 0)
    assert evaluate(fuzzy, {x: 3}) == 0
    with pytest.raises(UnclearError):
        evaluate(hidden, {x: 1})


def test_a_side_without_weight_may_be_undefined_at_the_kink() -> None:
    assert evaluate(Switch(x, 0, sympy.log(x), 0), {x: 0}) == 0


@settings(max_examples=40)
@given(EXPRESSIONS, EXPRESSIONS, st.fractions(-3, 3, max_denominator=7))
def test_what_is_identical_to_a_number_is_that_number(a, b, value) -> None:
    place = {x: fmpq(value.numerator, value.denominator), y: fmpq(1, 3)}
    for expr in ((a + b) ** 2 - a**2 - b**2 - 2 * a * b, a + b - a, a / (1 + b**2) - a, a - b):
        evaluator = Evaluator(Fixed(place))
        try:
            ball = evaluator.value(expr)
        except (UndefinedError, UnclearError):
            continue
        found = evaluator.identities.polynomial(expr, {})
        number = None if found is None else number_of(found)
        assert number is None or ball.overlaps(arb(number))


def test_a_maximum_is_the_same_number_as_its_largest_entry() -> None:
    """However it is written, whatever roots stand in it; two entries that are equal by accident stay unclear."""
    n, k = Index("n", 3), Index("k", 3)
    z = Tensor("z", (n,))
    scale = sympy.sqrt(reduction("sum", z[n] ** 2, [n]) + 1)
    other = (reduction("sum", z[k] * z[k], [k]) + 1) ** sympy.Rational(-1, 2)
    is_largest = Switch(z[n] / scale - reduction("max", z[k] * other, [k]), 0, 1, 1)
    point = {("z", (0,)): 2, ("z", (1,)): 5, ("z", (2,)): 5}
    assert [evaluate(is_largest, point, indices={n: c}) for c in range(3)] == [0, 1, 1]
    by_accident = Switch(sympy.sqrt(z[0]) * sympy.sqrt(3) - sympy.sqrt(z[1] + 1), 0, 1, 1)
    with pytest.raises(UnclearError):
        evaluate(by_accident, point)


def test_reductions_indices_and_guards() -> None:
    n, i = Index("n"), Index("i", 3)
    a = Tensor("a", (n, i))
    point = {n.extent: 2, **{("a", (r, c)): 10 * r + c for r in range(2) for c in range(3)}}
    assert evaluate(reduction("sum", a[n, i], [n, i]), point) == 36
    assert evaluate(reduction("max", a[n, i], [i]), point, indices={n: 1}) == 12
    assert evaluate(reduction("prod", 1 + a[n, i], [i]), point, indices={n: 0}) == 6
    assert evaluate(reduction("sum", Delta(n, i) * a[n, i], [n, i]), point) == 11
    assert evaluate(reduction("sum", InRange(i - 1, i.extent) * i, [i]), point) == 3
    with pytest.raises(UnsupportedError):
        evaluate(a[n, i], point)


def test_gathered_elements() -> None:
    d, v = Index("d", 2), Index("v", 3)
    table, token = Tensor("E", (v, d)), Tensor("tok", (), integer=True)
    point = {("E", (r, c)): 10 * r + c for r in range(3) for c in range(2)} | {("tok", ()): 2}
    assert evaluate(reduction("sum", table[token.element(), d], [d]), point) == 41


def test_precision_is_set_back() -> None:
    import flint

    before = flint.ctx.prec
    evaluate(sympy.exp(x), {x: 1}, precision=1000)
    assert flint.ctx.prec == before
