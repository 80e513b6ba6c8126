"""LaTeX as it is read: definitions and the lines of a backpropagation, kept as golden files."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sympy

from symdl.core.define import (
    Hyper,
    Input,
    Param,
    Sum,
    absolute,
    amax,
    define,
    exp,
    let,
    log,
    maximum,
    mean,
    switch,
    tanh,
)
from symdl.core.definitions import Definition
from symdl.core.equations import Equation, equation
from symdl.core.functions import Delta, InRange, Switch
from symdl.core.indices import Index
from symdl.core.tensors import Role, Tensor, reduction
from symdl.derivation.derive import derive
from symdl.errors import UnsupportedError
from symdl.library.activations import sigmoid
from symdl.library.layers import dense, sequential
from symdl.library.losses import cross_entropy, softmax
from symdl.rendering import latex, markdown
from symdl.rendering.mathprinter import MathPrinter, print_math

Golden = Callable[[str, str], None]


@define
def neuron(x=Input("n i"), t=Input("n"), w=Param("i"), b=Param()):  # type: ignore[no-untyped-def]
    n, i = x.indices
    s = let("s[n]", Sum(w[i] * x[n, i], i) + b)
    a = let("a[n]", sigmoid(s[n]))
    return let("L", mean((t[n] - a[n]) ** 2, n))


@define
def classifier(z=Input("n k"), y=Input("n k", facts=["sums_to_one"])):  # type: ignore[no-untyped-def]
    n, k = z.indices
    p = let("p[n,k]", softmax(z[n, k], k))
    return let("L", cross_entropy(y[n, k], p[n, k], n, [k]))


@define
def shifted(z=Input("n k")):  # type: ignore[no-untyped-def]
    n, k = z.indices
    m = let("m[n]", amax(z[n, k], k))
    return let("r[n,k]", z[n, k] - m[n] - log(Sum(exp(z[n, k] - m[n]), k)))


NETWORK = sequential(dense(None, "tanh"), dense(None), loss="softmax_cross_entropy")


@pytest.mark.parametrize(
    ("name", "definition"),
    [("neuron", neuron), ("classifier", classifier), ("shifted", shifted), ("network", NETWORK)],
)
def test_definitions(name: str, definition: Definition, golden: Golden) -> None:
    golden(f"rendering/{name}.tex", latex(definition) + "\n")


@pytest.mark.parametrize(("name", "definition"), [("neuron", neuron), ("network", NETWORK)])
@pytest.mark.parametrize("via", ["chain", "expand"])
def test_derivations(name: str, definition: Definition, via: str, golden: Golden) -> None:
    golden(f"rendering/{name}_{via}.md", markdown(derive(definition, via=via)))  # type: ignore[arg-type]


def test_matrix_notation(golden: Golden) -> None:
    golden("rendering/network_matrix.tex", latex(derive(NETWORK).gradient, notation="matrix") + "\n")


n, i, j = Index("n"), Index("i"), Index("j")
W, x, h = Tensor("W", (j, i), Role.PARAMETER), Tensor("x", (n, i), Role.INPUT), Tensor("h", (n, j))
h_bar = Tensor("h_bar", (n, j), cotangent_of=("L", "h"))
s_bar = Tensor("s_bar", (n, j), cotangent_of=("L", "s"))
W_bar = Tensor("W_bar", (j, i), cotangent_of=("L", "W"))
t, a = Tensor("t", (n,), Role.INPUT), Tensor("a", (n,))


@pytest.mark.parametrize(
    ("eq", "expected"),
    [
        (equation(s_bar, h_bar[n, j] * (1 - h[n, j] ** 2)), r"\bar{s}_{nj} = \left(1 - h_{nj}^{2}\right) \bar{h}_{nj}"),
        (
            equation(W_bar, reduction("sum", x[n, i] * s_bar[n, j], [n])),
            r"\bar{W}_{ji} = \sum_{n} \bar{s}_{nj} x_{ni}",
        ),
        (
            equation(Tensor("a_bar", (n,), cotangent_of=("L", "a")), -2 * (t[n] - a[n]) / n.extent),
            r"\bar{a}_{n} = -\frac{2}{N} \left(t_{n} - a_{n}\right)",
        ),
    ],
)
def test_the_lines_of_a_chain(eq: Equation, expected: str) -> None:
    assert latex(eq) == expected


def test_cotangents_as_fractions() -> None:
    eq = equation(W_bar, reduction("sum", x[n, i] * s_bar[n, j], [n]))
    assert latex(eq, derivative="fraction") == (
        r"\frac{\partial L}{\partial W_{ji}} = \sum_{n} \frac{\partial L}{\partial s_{nj}} x_{ni}"
    )


def test_the_bound_index_of_a_softmax_never_shadows_the_free_one() -> None:
    """L20: e^{y_i} / Σ_i e^{y_i} is what the lecture prints."""
    z = Tensor("z", (i,))
    text = latex(equation(Tensor("p", (i,)), softmax(z[i], i)))
    assert text == r"p_{i} = \frac{e^{z_{i}}}{\sum_{i'} e^{z_{i'}}}"


S = sympy.Symbol("s", real=True)
w = Tensor("w", (i,), Role.PARAMETER)
b = Tensor("b", (), Role.PARAMETER)
W10 = Tensor("W1", (j, i), Role.PARAMETER)

FORMS = [
    (W10[j, i] ** 2, r"\left(W^{(1)}_{ji}\right)^{2}"),
    (W10[10, 2], r"W^{(1)}_{10,2}"),
    (w[i + 1] * w[2 * i], r"w_{2 i} w_{i+1}"),
    (sigmoid(S) * (1 - sigmoid(S)), r"\sigma\left(s\right) \left(1 - \sigma\left(s\right)\right)"),
    (1 / (1 + sympy.exp(-S)), r"\frac{1}{1 + e^{-s}}"),
    (1 - sympy.tanh(S) ** 2, r"1 - \tanh^{2}\left(s\right)"),
    (maximum(0, S, kink="left"), r"\max\left(0, s\right)"),
    (absolute(t[n] - a[n], kink="mid"), r"\left|t_{n} - a_{n}\right|"),
    (switch(S, 0, 1, kink="left"), r"\left[s > 0\right]"),
    (switch(S, 0, 1, kink="right"), r"\left[s \ge 0\right]"),
    (switch(S, 0, b.element(), kink="left"), r"\left[s > 0\right] b"),
    (switch(S, -1, 1, kink="mid"), r"\operatorname{sign}\left(s\right)"),
    (Switch(S, sympy.Rational(1, 100), 1, 0), r"\begin{cases} 0.01 & s \le 0 \\ 1 & s > 0 \end{cases}"),
    (Delta(i, j), r"\delta_{ij}"),
    (Delta(i, j + 1), r"\delta_{i,j+1}"),
    (InRange(i - 1, i.extent), r"\left[i \ge 1\right]"),
    (sympy.Rational(3, 4) * S, r"\frac{3}{4} s"),
    (S / 10, r"0.1 s"),
    (sympy.Rational(44715, 1000000) * S, r"0.044715 s"),
    (2 * S / 5, r"\frac{2}{5} s"),
    (sympy.exp(-(S**2) / 2) / sympy.sqrt(2 * sympy.pi), r"\frac{\exp\left(-\frac{1}{2} s^{2}\right)}{\sqrt{2 \pi}}"),
    (sympy.sqrt(2 / sympy.pi) * S, r"\sqrt{\frac{2}{\pi}} s"),
    (S * (1 + sympy.tanh(S)) / 2, r"\frac{1}{2} s \left(1 + \tanh\left(s\right)\right)"),
    (sympy.sqrt(S**2 + 1), r"\sqrt{1 + s^{2}}"),
    (sympy.exp(S**2 * (1 + S) / 2), r"\exp\left(\frac{1}{2} \left(1 + s\right) s^{2}\right)"),
    (reduction("max", h[n, j], [j]), r"\max_{j} h_{nj}"),
    (a[n] * (1 - a[n]) * s_bar[n, j], r"a_{n} \left(1 - a_{n}\right) \bar{s}_{nj}"),
    (a[n] * sympy.tanh(t[n]) * h[n, j], r"a_{n} h_{nj} \tanh\left(t_{n}\right)"),
    (Tensor("W_f", (j, i))[j, i] * Tensor("sigma2", (n,))[n], r"W^{(f)}_{ji} \sigma^{2}_{n}"),
    (Tensor("x_dot", (n,))[n] + Tensor("h_bar_dot", (n,))[n], r"\dot{\bar{h}}_{n} + \dot{x}_{n}"),
    (Tensor("mask_bar", (n,))[n] * Tensor("beta_1")._sympy_(), r"\beta_{1} \, \overline{\mathrm{mask}}_{n}"),
    (2 * a[n] - 2 * t[n], r"-2 \left(t_{n} - a_{n}\right)"),
    (h[n, j] - t[n], r"h_{nj} - t_{n}"),
    (b + a[n] + 1, r"1 + a_{n} + b"),
    (-w[i] - 1, r"-1 - w_{i}"),
    (Tensor("y_hat", (n,))[n] + Tensor("y_tilde", (n,))[n], r"\hat{y}_{n} + \tilde{y}_{n}"),
    (
        Tensor("eta", (), Role.HYPERPARAMETER).element() * Tensor("lr", (), Role.HYPERPARAMETER).element(),
        r"\eta \, \mathrm{lr}",
    ),
    (sympy.log(h[n, j]) * t[n], r"t_{n} \log h_{nj}"),
    (sympy.log(h[n, j]) * sympy.log(t[n]), r"\log\left(h_{nj}\right) \log t_{n}"),
]


@pytest.mark.parametrize(("expr", "expected"), FORMS)
def test_forms(expr: sympy.Expr, expected: str) -> None:
    assert print_math(expr) == expected


def test_worked_numbers() -> None:
    """The lecture's unit: x = (1, 1, 3), w = (2, 2, 2), b = 4."""
    xs = Tensor("x", (Index("i", 3),), Role.INPUT)
    total = w[0] * xs[0] + w[1] * xs[1] + w[2] * xs[2] + b
    given = {w[0]: 2, w[1]: 2, w[2]: 2, xs[0]: 1, xs[1]: 1, xs[2]: 3, b.element(): 4}
    assert print_math(total) == r"w_{0} x_{0} + w_{1} x_{1} + w_{2} x_{2} + b"
    assert print_math(total, values=given) == r"2 \cdot 1 + 2 \cdot 1 + 2 \cdot 3 + 4"
    assert print_math((t[0] - a[0]) ** 2, values={t[0]: 10, a[0]: -4}) == r"\left(10 - \left(-4\right)\right)^{2}"
    assert (
        print_math(w[0] * a[0], values={w[0]: sympy.Rational(1, 3), a[0]: sympy.Rational(8, 5)})
        == r"0.333333 \cdot 1.6"
    )


def test_what_is_not_known_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="besselj"):
        print_math(sympy.besselj(0, S))
    with pytest.raises(UnsupportedError, match="Integral"):
        print_math(sympy.Integral(S, S))


def test_one_printer_for_the_sides_of_an_equation() -> None:
    lhs, rhs = MathPrinter().sides(a[n], reduction("sum", t[n], [n]))
    assert (lhs, rhs) == ("a_{n}", r"\sum_{n'} t_{n'}")


def test_unused_names_of_the_language(golden: Golden) -> None:
    """Every function of the author's language has a form."""

    @define
    def everything(u=Input("n"), c=Hyper()):  # type: ignore[no-untyped-def]
        (m,) = u.indices
        v = let("v[n]", tanh(u[m]) * exp(-(u[m] ** 2) / 2) + maximum(u[m], c, kink="mid"))
        return let("L", mean(absolute(v[m], kink="left") + log(1 + exp(v[m])), m))

    golden("rendering/everything.tex", latex(everything) + "\n")
