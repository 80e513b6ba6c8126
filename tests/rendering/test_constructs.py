"""Guards, index maps, gathers, windows, masks and time, each as a person writes it (the right-hand texts)."""

from __future__ import annotations

import pytest
import sympy

from symdl.core.define import Hyper, Input, Param, Sum, amax, define, exp, in_range, index, let, mean, sqrt, state, tanh
from symdl.core.equations import Equation, equation
from symdl.core.functions import Delta, InRange, Masked
from symdl.core.indices import Index, extent_symbol
from symdl.core.tensors import Role, Tensor, reduction
from symdl.derivation.derive import derive
from symdl.derivation.forward import jvp
from symdl.derivation.seeds import vjp
from symdl.library.definitions import definition as library
from symdl.rendering import latex, markdown
from symdl.rendering.conditions import beneath, condition
from symdl.rendering.indexmaps import index_map

n, c, o, r, s, d, i, j, k, v = (Index(a) for a in "ncorsdijkv")
H, W, T = (extent_symbol(a) for a in "hwt")
p, q, h, w = Index("p", H), Index("q", W), Index("h"), Index("w")
u = Index("u", sympy.floor((H + 2 - r.extent) / 2) + 1)
t, time, key = Index("t"), Index("t", sequential=True), Index("s", T)


def total(body: sympy.Expr, *indices: Index) -> sympy.Expr:
    return reduction("sum", body, indices)


def bar(name: str, *indices: Index) -> Tensor:
    return Tensor(f"{name}_bar", indices, cotangent_of=("L", name))


def param(name: str, *indices: Index) -> Tensor:
    return Tensor(name, indices, Role.PARAMETER)


def given(name: str, *indices: Index, integer: bool = False) -> Tensor:
    return Tensor(name, indices, Role.INPUT, integer)


x1 = given("x", n, c, p)
CONVOLUTION = equation(
    Tensor("y", (n, o, u)),
    total(param("W", o, c, r)[o, c, r] * x1[n, c, 2 * u + r - 1] * InRange(2 * u + r - 1, H), c, r) + param("b", o)[o],
)
CONVOLUTION_INPUT = equation(
    bar("x", n, c, p),
    total(bar("y", n, o, u)[n, o, u] * param("W", o, c, r)[o, c, r] * Delta(p, 2 * u + r - 1), o, u, r),
)
full = Index("u", H - r.extent + 1)
CONVOLUTION_FULL = equation(
    bar("x", n, p),
    total(bar("y", n, full)[n, p - r] * param("K", r)[r] * InRange(p - r, full.extent), r),
)
tok = given("tok", n, t, integer=True)
EMBEDDING = equation(Tensor("y", (n, t, d)), param("E", v, d)[tok[n, t], d])
EMBEDDING_BACK = equation(bar("E", v, d), total(bar("y", n, t, d)[n, t, d] * Delta(v, tok[n, t]), n, t))
flat = Index("k", c.extent * H * W)
FLATTEN = equation(
    Tensor("y", (n, flat)), total(given("x", n, c, h, w)[n, c, h, w] * Delta(flat, (c * H + h) * W + w), c, h, w)
)
both = Index("l", i.extent + j.extent)
CONCAT = equation(
    Tensor("y", (n, both)),
    total(given("a", n, i)[n, i] * Delta(both, i), i) + total(given("b", n, j)[n, j] * Delta(both, i.extent + j), j),
)
a2, u2 = Index("a", 2), Index("u", 2 * H)
UPSAMPLE = equation(Tensor("y", (n, c, u2)), total(x1[n, c, p] * Delta(u2, 2 * p + a2), p, a2))
units = Index("j", k.extent)
hidden = Tensor("h", (n, time, k))
RECURRENCE = equation(
    Tensor("s", (n, time, units)),
    total(param("W", units, i)[units, i] * given("x", n, time, i)[n, time, i], i)
    + total(param("U", units, k)[units, k] * hidden[n, time - 1, k] * InRange(time - 1, T), k)
    + param("b", units)[units],
)
s_bar = bar("s", n, time, units)
THROUGH_TIME = equation(
    bar("h", n, time, k),
    bar("y", n, time, k)[n, time, k]
    + total(param("U", units, k)[units, k] * s_bar[n, time + 1, units] * InRange(time + 1, T), units),
)
RECURRENT_WEIGHT = equation(
    bar("U", units, k), total(s_bar[n, time, units] * hidden[n, time - 1, k] * InRange(time - 1, T), n, time)
)
z, m = Tensor("z", (n, t, key)), Tensor("m", (n, t))
CAUSAL = equation(Tensor("S", (n, t)), total(sympy.exp(z[n, t, key] - m[n, t]) * InRange(t - key, T), key))
CAUSAL_WEIGHT = equation(
    Tensor("p", (n, t, key)),
    InRange(t - key, T) * sympy.exp(z[n, t, key] - m[n, t]) / Tensor("S", (n, t))[n, t],
)
VALUE = equation(bar("V", n, key, d), total(Tensor("p", (n, t, key))[n, t, key] * bar("y", n, t, d)[n, t, d], t))
mask = given("mask", n, key)
CAUSAL_MAX = equation(m, reduction("max", Masked(z[n, t, key], InRange(t - key, T)), [key]))
PADDED_MAX = equation(m, reduction("max", Masked(z[n, t, key], mask[n, key] * InRange(t - key, T)), [key]))
WINDOW = equation(
    Tensor("y", (n, u)), reduction("max", Masked(given("x", n, p)[n, 2 * u + r], InRange(2 * u + r, H)), [r])
)
POSITION = equation(Tensor("y", (t, d)), sympy.sin(t / sympy.Integer(10000) ** (2 * d / d.extent)))

FORMS: list[tuple[Equation, str]] = [
    (
        CONVOLUTION,
        r"y_{nou} = \sum_{\substack{c,r \\ 0 \le 2 u+r-1 < H}} W_{ocr} x_{n,c,2 u+r-1} + b_{o}",
    ),
    (CONVOLUTION_INPUT, r"\bar{x}_{ncp} = \sum_{\substack{o,u,r \\ 2 u+r-1 = p}} \bar{y}_{nou} W_{ocr}"),
    (CONVOLUTION_FULL, r"\bar{x}_{np} = \sum_{\substack{r \\ 0 \le p-r < H-R+1}} \bar{y}_{n,p-r} K_{r}"),
    (EMBEDDING, r"y_{ntd} = E_{\mathrm{tok}_{nt},d}"),
    (EMBEDDING_BACK, r"\bar{E}_{vd} = \sum_{n,t:\,\mathrm{tok}_{nt} = v} \bar{y}_{ntd}"),
    (FLATTEN, r"y_{n,(cH+h)W+w} = x_{nchw}"),
    (UPSAMPLE, r"y_{n,c,2 p+a} = x_{ncp}"),
    (
        RECURRENCE,
        r"s_{ntj} = \sum_{i} W_{ji} x_{nti} + \left[t \ge 1\right] \sum_{k} U_{jk} h_{n,t-1,k} + b_{j}",
    ),
    (
        THROUGH_TIME,
        r"\bar{h}_{ntk} = \bar{y}_{ntk} + \left[t < T-1\right] \sum_{j} \bar{s}_{n,t+1,j} U_{jk}",
    ),
    (RECURRENT_WEIGHT, r"\bar{U}_{jk} = \sum_{n,t \ge 1} \bar{s}_{ntj} h_{n,t-1,k}"),
    (CAUSAL, r"S_{nt} = \sum_{s \le t} e^{z_{nts} - m_{nt}}"),
    (CAUSAL_WEIGHT, r"p_{nts} = \frac{\left[s \le t\right] e^{z_{nts} - m_{nt}}}{S_{nt}}"),
    (CAUSAL_MAX, r"m_{nt} = \max_{s \le t} z_{nts}"),
    (PADDED_MAX, r"m_{nt} = \max_{s \le t:\,\mathrm{mask}_{ns} = 1} z_{nts}"),
    (WINDOW, r"y_{nu} = \max_{r:\,2 u+r < H} x_{n,2 u+r}"),
    (VALUE, r"\bar{V}_{nsd} = \sum_{t} \bar{y}_{ntd} p_{nts}"),
    (POSITION, r"y_{td} = \sin\left(\frac{t}{10000^{2 d/D}}\right)"),
]


@pytest.mark.parametrize(("eq", "expected"), FORMS, ids=[e.split(" =")[0] for _, e in FORMS])
def test_forms(eq: Equation, expected: str) -> None:
    assert latex(eq) == expected


def test_a_concatenation_is_one_line_for_each_part() -> None:
    assert latex(CONCAT) == "\\begin{aligned}\ny_{ni} &= a_{ni} \\\\\ny_{n,I+j} &= b_{nj}\n\\end{aligned}"


def test_what_is_interleaved_is_one_line_for_each_part() -> None:
    """Even places sine, odd ones cosine, as in the positions of Vaswani et al. (2017)."""
    m = Index("m")
    axis = Index("k", 2 * m.extent)
    sine, cosine = (f(t * given("w", m)[m]) for f in (sympy.sin, sympy.cos))
    eq = equation(
        Tensor("P", (t, axis)), total(sine * Delta(axis, 2 * m), m) + total(cosine * Delta(axis, 2 * m + 1), m)
    )
    text = latex(eq)
    assert r"P_{t,2 m} &= \sin\left(t w_{m}\right)" in text
    assert r"P_{t,2 m+1} &= \cos\left(t w_{m}\right)" in text


@pytest.mark.parametrize(
    "eq",
    [
        equation(Tensor("y", (u2,)), total(given("x", p)[p] * Delta(u2, 2 * p), p)),  # leaves out the odd entries
        equation(Tensor("y", (i,)), total(given("x", j)[j] * Delta(i, j), j)),  # another extent
        equation(Tensor("y", (u2,)), total(given("x", p, a2)[p, a2] * Delta(u2, 2 * p + 1 + a2), p, a2)),  # shifted
        equation(Tensor("y", (both,)), total(given("a", i)[i] * Delta(both, i), i)),  # the rest stays 0
        equation(Tensor("y", (u2,)), total(given("x", u2, p, a2)[u2, p, a2] * Delta(u2, 2 * p + a2), p, a2)),
        equation(Tensor("y", (u2,)), total(given("x", p, a2, i)[p, a2, i] * Delta(u2, 2 * p + a2), p, a2, i)),
        EMBEDDING_BACK,
        CONVOLUTION_INPUT,
    ],
    ids=["strided", "extents", "shifted", "half", "diagonal", "summed", "gather", "convolution"],
)
def test_what_fills_no_axis_exactly_is_no_map(eq: Equation) -> None:
    assert index_map(eq) is None


def test_guards_say_only_what_the_ranges_leave_open() -> None:
    def said(e: sympy.Expr, extent: sympy.Expr, *bound: Index) -> str:
        return condition(InRange(e, extent), bound, str).text

    assert said(t - key, T, key) == r"s \le t"
    assert said(t - key, T, t) == r"t \ge s"
    assert said(t - 1, T) == r"t \ge 1"
    assert said(t + 1, T) == "t < T-1"
    assert said(p - r, H) == r"r \le p"
    assert said(p + r, H) == "p+r < H"
    assert said(p + r - 1, H) == r"0 \le p+r-1 < H"
    assert said(t - key, Index("w").extent, key) == r"0 \le t-s < W"


def test_long_conditions_stand_on_lines_of_their_own() -> None:
    guards = [InRange(2 * u + r - 1, H), InRange(2 * q + s - 1, W)]
    found = [condition(g, [r, s], str) for g in guards]
    assert beneath([c, r, s], found, str) == (r"\substack{c,r,s \\ 0 \le 2 u+r-1 < H \\ 0 \le 2 q+s-1 < W}")


def test_extents_with_a_floor() -> None:
    assert latex(u.extent) == r"\left\lfloor \frac{H - R}{2} \right\rfloor + 2"


@define(time="t")
def elman(x=Input("n t i"), W=Param("j i"), U=Param("j k=j"), b=Param("j")):  # type: ignore[no-untyped-def]
    (n, t, i), (j, k) = x.indices, U.indices
    h = state("h[n,t,j]")
    past = Sum(U[j, k] * h[n, t - 1, k] * in_range(t - 1, t.extent), k)
    s = let("s[n,t,j]", Sum(W[j, i] * x[n, t, i], i) + past + b[j])
    return let("h[n,t,j]", tanh(s[n, t, j]))


@define
def pool(x=Input("n p")):  # type: ignore[no-untyped-def]
    n, p = x.indices
    u, r = index("u", sympy.floor((p.extent - 1) / 2) + 1), index("r", 3)
    at = 2 * u + r - 1
    return let("y[n,u]", amax(x[n, at], r, ties="share", where=in_range(at, p.extent)))


def test_a_recurrence_stands_under_its_times() -> None:
    """The equations of Elman (1990), evaluated in the order of time."""
    assert latex(elman) == (
        "\\text{For $t = 0, 1, \\dots, T - 1$, one after the other:}\n\n\\begin{aligned}\n"
        "s_{ntj} &= \\sum_{i} W_{ji} x_{nti} + \\left[t \\ge 1\\right] \\sum_{k} U_{jk} h_{n,t-1,k} + b_{j} \\\\\n"
        "h_{ntj} &= \\tanh\\left(s_{ntj}\\right)\n\\end{aligned}"
    )


def test_backpropagation_through_time_runs_backwards_and_tells_both_slopes_apart() -> None:
    text = markdown(vjp(elman))
    assert r"For $t = T - 1, \dots, 1, 0$, one after the other:" in text
    assert r"$L$ is any loss whose slope by $h_{ntj}$, $\bar{h}^{(L)}_{ntj}$, is given" in text
    assert r"\bar{h}_{ntj} &= \bar{h}^{(L)}_{ntj} + \left[t < T-1\right] \sum_{j'} \bar{s}_{n,t+1,j'} U_{j'j}" in text
    assert "A bracket is 1 where what stands in it holds" in text


def test_slopes_of_a_window() -> None:
    text = markdown(vjp(pool))
    assert r"\left[x_{n,2 u+r-1} \ge y_{nu}\right]" in text
    assert text.count("Decided for") == 0  # the indicator of the maximum is none of the author's kinks


def test_forward_mode() -> None:
    text = markdown(jvp(elman, "W"))
    assert text.startswith("# elman: rates of change, forward mode")
    assert r"\dot{h}_{ntj} &= \left(1 - h_{ntj}^{2}\right) \dot{s}_{ntj}" in text
    assert "A dot is the rate" in text


def test_second_derivatives_wear_two_bars() -> None:
    @define
    def cube(w=Param("i")):  # type: ignore[no-untyped-def]
        (i,) = w.indices
        return let("L", Sum(w[i] ** 3, i))

    gradient = derive(cube).gradient
    again = vjp(gradient, "w", outputs="w_bar")
    assert r"\bar{\bar{w}}_{i}" in latex(again)


def test_the_matrix_form_of_a_recurrence_says_what_its_letters_are() -> None:
    text = markdown(vjp(elman))
    assert r"$\mathbf{s}_{nt}$ is one column for every $n$, $t$" in text
    cell = r"\mathbf{W} \mathbf{x}_{nt} + \left[t \ge 1\right] \mathbf{U} \mathbf{h}_{n,t-1} + \mathbf{b}"
    assert rf"\mathbf{{s}}_{{nt}} &= {cell}" in text
    assert "What has no such form" not in text


@define
def layer_norm(x=Input("n d"), gamma=Param("d"), beta=Param("d"), eps=Hyper(facts=["positive"])):  # type: ignore[no-untyped-def]
    n, d = x.indices
    mu = let("mu[n]", mean(x[n, d], d))
    variance = let("sigma2[n]", mean((x[n, d] - mu[n]) ** 2, d))
    sigma = let("sigma[n]", sqrt(variance[n] + eps))
    scaled = let("x_hat[n,d]", (x[n, d] - mu[n]) / sigma[n])
    return let("y[n,d]", gamma[d] * scaled[n, d] + beta[d])


def test_layer_norm_reads_like_its_paper() -> None:
    """Ba et al. (2016), and its gradient in the closed form that implementations use."""
    text = markdown(vjp(layer_norm, ["x", "gamma"]))
    assert r"\sigma^{2}_{n} &= \frac{1}{D} \sum_{d} \left(x_{nd} - \mu_{n}\right)^{2}" in text
    assert r"\hat{x}_{nd} &= \frac{x_{nd} - \mu_{n}}{\sigma_{n}}" in text
    closed = (
        r"\frac{1}{\sigma_{n}} \left(\bar{\hat{x}}_{nd} - \frac{1}{D} \hat{x}_{nd} \sum_{d'} "
        r"\bar{\hat{x}}_{nd'} \hat{x}_{nd'} - \frac{1}{D} \sum_{d'} \bar{\hat{x}}_{nd'}\right)"
    )
    assert closed in text
    assert text.count("a sum that vanishes") == text.count(r"$\sum_{d} \left(x_{nd} - \mu_{n}\right) = 0$") == 1
    assert text.count("= 0$") == 1


def test_bold_letters_are_told_apart() -> None:
    """s_n and the sum S_n would both be a bold s."""

    @define
    def twice(x=Input("n i"), y=Input("n i")):  # type: ignore[no-untyped-def]
        n, i = x.indices
        s = let("s[n]", Sum(x[n, i], i))
        return let("L", Sum(s[n] * exp(Sum(x[n, i] * y[n, i], i)), n))

    text = markdown(derive(twice, ["x"]))
    left = [line.split(" &=")[0] for line in text[text.index("In matrix form") :].splitlines() if " &=" in line]
    assert len(left) == len(set(left))
    assert "$S$ is $S^{(2)}$ here" in text


def test_a_tensor_is_labelled_in_one_way_in_a_document() -> None:
    """Y_nc is one matrix for every n and c: no line takes n and h as its labels."""
    text = markdown(vjp(library("instance_norm"), ["x", "gamma", "beta"]))
    assert r"\bar{\mathbf{Y}}_{nc}" in text
    assert r"\mathbf{Y}}_{nh}" not in text
    assert "What has no such form stands as it is" in text


def test_what_is_differentiated_is_named_at_its_own_subscripts():
    """∂w̄_d/∂w_{d'} = Σ_n … + ∂w̄_d/∂w_{d'}: the last of them, directly, is not that of w̄_{d'}."""

    @define
    def ridge(X=Input("n d"), y=Input("n"), w=Param("d")):
        n_, d_ = X.indices
        r_ = let("r[n]", Sum(X[n_, d_] * w[d_], d_) - y[n_])
        return let("J", mean(r_[n_] ** 2, n_) + Sum(w[d_] ** 2, d_))

    hessian = derive(derive(ridge, "w").gradient, "w", of="w_bar[k]")
    direct = (
        r"\frac{\partial r_{n}}{\partial w_{d'}} + \frac{\partial \bar{w}_{d}}{\partial w_{d'}} && \text{chain rule}"
    )
    assert direct in latex(hessian)
