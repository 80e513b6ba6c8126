"""The emitted source and its scalar bodies."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import sympy

from symdl.compilation import compile
from symdl.compilation.targets.names import Names
from symdl.compilation.targets.printer import ScalarPrinter
from symdl.core.define import Hyper, Input, Param, Sum, define, let, maximum, mean, tanh
from symdl.core.functions import Switch
from symdl.errors import UnsupportedError
from symdl.library.activations import ACTIVATIONS

x, y = sympy.symbols("x y", real=True)


def run(text: str, dtype: str, **values: Any) -> Any:
    real = getattr(np, dtype)
    return eval(
        text,
        {"math": math, "np": np, "real": real, "exp": np.exp, "tanh": np.tanh, "log": np.log, "erf": math.erf},
        {k: real(v) for k, v in values.items()},
    )


@pytest.mark.parametrize(
    "expression",
    [
        x + y,
        x - y,
        -x * y,
        x / y,
        (x + 1) / (2 * y * (x - 3)),
        x**3 - y**-2,
        sympy.sqrt(x) * y ** sympy.Rational(3, 2),
        x ** sympy.Rational(-1, 2),
        x / y ** sympy.Rational(3, 2) - y / x ** sympy.Rational(5, 2),
        sympy.Rational(1, 3) * x - sympy.Rational(7, 2),
        sympy.exp(-x) * sympy.log(y) + sympy.pi,
        sympy.tanh(x) ** 2 - sympy.erf(y) + sympy.cos(x) * sympy.sin(y),
        x**y,
        Switch(x - y, x, -y, 1),
        -(x + y) * -(x - y),
        2 - (3 - x),
        1 / (1 + sympy.exp(-x)),
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_expressions_print_as_what_they_are(expression: sympy.Expr, dtype: str) -> None:
    for at in ((0.3, 1.7), (2.5, 0.4)):
        exact = float(expression.subs({x: sympy.Float(at[0], 40), y: sympy.Float(at[1], 40)}).evalf(30))
        got = run(ScalarPrinter(dtype).doprint(expression), dtype, x=at[0], y=at[1])
        assert math.isclose(got, exact, rel_tol=1e-14 if dtype == "float64" else 2e-6)


def test_a_kink_passes_nan_on() -> None:
    text = ScalarPrinter("float64").doprint(Switch(x, 0, x, 0))
    assert math.isnan(run(text, "float64", x=math.nan))
    assert [run(text, "float64", x=v) for v in (-2, 0, 3)] == [0, 0, 3]


@pytest.mark.parametrize("weight", [0, sympy.Rational(1, 2), 1])
@pytest.mark.parametrize("above", [sympy.S.Zero, sympy.S.One, x, -x, x / 5, 1 + x, x**2, -sympy.S.One], ids=str)
@pytest.mark.parametrize("below", [sympy.S.Zero, sympy.S.One, x, -x, x / 4, 2 - x, sympy.exp(x)], ids=str)
def test_a_kink_is_what_it_is_on_both_sides_and_at_0_with_its_sign(
    below: sympy.Expr, above: sympy.Expr, weight: sympy.Expr
) -> None:
    """Comparisons are left out where two of its values are the same expression."""
    kink = Switch(x, below, above, weight)
    text = ScalarPrinter("float64").doprint(kink)
    for at in (-2.0, -5e-324, 5e-324, 2.0):
        branch = kink if not isinstance(kink, Switch) else above if at > 0 else below
        assert run(text, "float64", x=at) == run(ScalarPrinter("float64").doprint(branch), "float64", x=at)
    at_zero = kink if not isinstance(kink, Switch) else (1 - weight) * below + weight * above
    for at in (0.0, -0.0):
        value, wanted = (run(t, "float64", x=at) for t in (text, ScalarPrinter("float64").doprint(at_zero)))
        magnitude = isinstance(kink, Switch) and {below, above} == {x, -x}
        assert value == wanted and (magnitude or math.copysign(1, value) == math.copysign(1, wanted))
    if isinstance(kink, Switch):
        assert math.isnan(run(text, "float64", x=math.nan))


def test_constants_of_float32_are_float32() -> None:
    assert ScalarPrinter("float32").doprint(2 * x + sympy.Rational(1, 3)) == "real(2.0)*x + real(0.3333333333333333)"


def test_unknown_functions_are_refused() -> None:
    with pytest.raises(UnsupportedError, match="besselj can't be compiled"):
        ScalarPrinter("float64").doprint(sympy.besselj(1, x))


def test_names_that_python_reserves_are_changed() -> None:
    names = Names()
    assert [names.new(n) for n in ("lambda", "math", "real", "W1", "W1", "e'")] == [
        "lambda_",
        "math_",
        "real_",
        "W1",
        "W1_2",
        "e_p",
    ]


@define
def awkward(lambda_=Input("n i"), work=Param("i"), real=Param(), math=Hyper()):
    """Tensors with the names that the emitted code uses."""
    n, i = lambda_.indices
    N = let("N[n]", Sum(work[i] * lambda_[n, i], i) + real)
    t = let("t[n]", tanh(N[n] * math))
    return let("range", mean(t[n] ** 2, n)), t


def test_tensors_may_have_the_names_of_anything() -> None:
    code = compile(awkward, wrt=["work", "real"])
    result = code.gradient(lambda_=np.ones((3, 2)), work=[0.5, -0.25], real=0.1, math=2.0)
    assert set(result) == {"range", "work", "real"}
    assert np.isclose(result["range"], np.tanh(0.7) ** 2)


def test_the_source_is_readable() -> None:
    @define
    def unit(x=Input("n i"), t=Input("n"), w=Param("i"), b=Param()):
        n, i = x.indices
        s = let("s[n]", Sum(w[i] * x[n, i], i) + b)
        a = let("a[n]", ACTIVATIONS["tanh"](s[n]))
        return let("L", mean((t[n] - a[n]) ** 2, n))

    code = compile(unit, wrt=["w", "b"])
    assert "# s[n] = b + Sum_{i}(w[i]*x[n, i])\n" in code.source
    assert "for n in range(N):" in code.source
    assert "# a[n] = tanh(s[n])\n" in code.source
    assert max(len(line) for line in code.source.splitlines() if "#" not in line) < 160
    compile_again = compile(unit, wrt=["w", "b"])
    assert compile_again.source == code.source
    assert compile_again.from_cache


def test_maxima_share_one_comparison() -> None:
    @define
    def clipped(x=Param("n")):
        (n,) = x.indices
        y = let("y[n]", maximum(x[n] ** 2, 1, kink="left"))
        return let("L", Sum(y[n], n))

    code = compile(clipped, wrt="x")
    result = code.gradient(x=[0.5, 1.0, 2.0])
    assert result["x"].tolist() == [0.0, 0.0, 4.0]
