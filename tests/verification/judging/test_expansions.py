"""Dots, series, expansions in vectors, places in brackets, and names without formulas: right statements, and slips of
them, none of which passes."""

from __future__ import annotations

import pytest

from symdl.verification.documents import read_text
from symdl.verification.judging.judge import judge

PASSES = {"proved", "consistent"}


def last(before: str, claim: str) -> str:
    """The verdict on the last formula of a document."""
    return [str(j.status) for _, j in judge(read_text(f"{before}\n\n$$ {claim} $$\n", "markdown"))][-1]


SIGMOIDS = r"""
$$ z_j = w_j a_{j-1} + b_j $$
$$ a_j = \sigma(z_j) $$
"""
QUADRATIC = r"$f(x_1, x_2) = a + b_1 x_1 + b_2 x_2 + c x_1^2 x_2$"
TWO = r"$f(x, y) = x e^{-x^2-y^2}$"
LAYERS = r"""
$$ z^l_j = \sum_k w^l_{jk} a^{l-1}_k + b^l_j $$
$$ a^l_j = \sigma(z^l_j) $$
$$ \delta^l_j = \frac{\partial C}{\partial z^l_j} $$
where the last layer is $a^L$ and
$$ C = \frac{1}{2} \sum_j (y_j - a_j)^2 $$
"""
LOSS = r"""
The scores are $y = (y_1, \dots, y_n)$ and $t = (t_1, \dots, t_n)$, with entries $y_i$ and $t_i$.
$$ L(y, t) = \frac{1}{2} (y - t)^2 $$
"""
SOFTMAX = r"$$ \hat{\mathbf{y}} = \mathrm{softmax}(\mathbf{o}) $$"
WEIGHTS = r"The weights $w_j$ make up $w$."
NORMAL = r"$$ \partial_\mathbf{w} \|\mathbf{y} - \mathbf{X}\mathbf{w}\|^2 = 2 \mathbf{X}^\top (\mathbf{X} \mathbf{w}"
CHAIN = r"\frac{\partial L}{\partial z} = \frac{\partial L}{\partial u} \frac{\partial u}{\partial z}"

RIGHT_AND_SLIPS = {
    "dots between factors": (
        SIGMOIDS,
        r"\frac{\partial C}{\partial b_1} = \sigma'(z_1) w_2 \sigma'(z_2) \ldots \sigma'(z_4) \frac{\partial "
        r"C}{\partial a_4}",
        (
            r"\frac{\partial C}{\partial b_1} = \sigma'(z_1) w_2 \sigma'(z_2) \ldots \sigma'(z_5) "
            r"\frac{\partial C}{\partial a_4}",
            r"\frac{\partial C}{\partial b_1} = \sigma'(z_1) w_1 \sigma'(z_2) \ldots \sigma'(z_4) "
            r"\frac{\partial C}{\partial a_4}",
            r"\frac{\partial C}{\partial b_1} = \sigma'(z_1) w_2 \sigma(z_2) \ldots \sigma(z_4) "
            r"\frac{\partial C}{\partial a_4}",
        ),
    ),
    "a value at numbers": (QUADRATIC, "f(2, 1) = a + 2 b_1 + b_2 + 4 c", ("f(2, 1) = a + 2 b_1 + b_2 + 2 c",)),
    "a gradient at numbers": (
        QUADRATIC,
        r"\nabla f(2, 1) = \begin{bmatrix} b_1 + 4 c \\ b_2 + 4 c \end{bmatrix}",
        (
            r"\nabla f(2, 1) = \begin{bmatrix} b_1 + 2 c \\ b_2 + 4 c \end{bmatrix}",
            r"\nabla f(2, 1) = \begin{bmatrix} b_2 + 4 c \\ b_1 + 4 c \end{bmatrix}",
        ),
    ),
    "second derivatives at a place": (
        TWO,
        r"\mathbf{H} f(x, y) = e^{-x^2-y^2} \begin{pmatrix} 4x^3 - 6x & 4x^2y - 2y \\ 4x^2y - 2y & 4xy^2 - 2x "
        r"\end{pmatrix}",
        (
            r"\mathbf{H} f(x, y) = e^{-x^2-y^2} \begin{pmatrix} 4x^3 - 6x & 4x^2y + 2y \\ 4x^2y - 2y & 4xy^2 "
            r"- 2x \end{pmatrix}",
            r"\mathbf{H} f(x, y) = e^{-x^2-y^2} \begin{pmatrix} 4x^3 - 2x & 4x^2y - 2y \\ 4x^2y - 2y & 4xy^2 "
            r"- 2x \end{pmatrix}",
        ),
    ),
    "functions of functions": (
        "",
        r"f(u(a+\epsilon, b), v(a+\epsilon, b)) \approx f\left(u(a, b) + \epsilon\frac{\partial u}{\partial "
        r"a}(a, b), v(a, b) + \epsilon\frac{\partial v}{\partial a}(a, b)\right)",
        (
            r"f(u(a+\epsilon, b), v(a+\epsilon, b)) \approx f\left(u(a, b) + \epsilon\frac{\partial "
            r"u}{\partial a}(a, b), v(a, b) - \epsilon\frac{\partial v}{\partial a}(a, b)\right)",
            r"f(u(a+\epsilon, b), v(a+\epsilon, b)) \approx f\left(u(a, b) + \epsilon\frac{\partial "
            r"u}{\partial b}(a, b), v(a, b) + \epsilon\frac{\partial v}{\partial a}(a, b)\right)",
            r"f(u(a+\epsilon, b), v(a+\epsilon, b)) \approx f\left(u(a, b) + 2\epsilon\frac{\partial "
            r"u}{\partial a}(a, b), v(a, b) + \epsilon\frac{\partial v}{\partial a}(a, b)\right)",
        ),
    ),
    "an expansion in a vector": (
        WEIGHTS,
        r"C(w+\Delta w) = C(w) + \nabla C \cdot \Delta w + \frac{1}{2} \Delta w^T H \Delta w + \ldots",
        (
            r"C(w+\Delta w) = C(w) + \nabla C \cdot \Delta w + \Delta w^T H \Delta w + \ldots",
            r"C(w+\Delta w) = C(w) - \nabla C \cdot \Delta w + \frac{1}{2} \Delta w^T H \Delta w + \ldots",
            r"C(w+\Delta w) \approx C(w) + 2 \nabla C \cdot \Delta w",
        ),
    ),
    "an expansion in entries": (
        WEIGHTS,
        r"C(w+\Delta w) = C(w) + \sum_j \frac{\partial C}{\partial w_j} \Delta w_j + \frac{1}{2} \sum_{jk} "
        r"\Delta w_j \frac{\partial^2 C}{\partial w_j \partial w_k} \Delta w_k + \ldots",
        (
            r"C(w+\Delta w) = C(w) + \sum_j \frac{\partial C}{\partial w_j} \Delta w_j + \sum_{jk} \Delta w_j "
            r"\frac{\partial^2 C}{\partial w_j \partial w_k} \Delta w_k + \ldots",
            r"C(w+\Delta w) = C(w) + \sum_j \frac{\partial C}{\partial w_j} \Delta w_j + \frac{1}{2} "
            r"\sum_{jk} \Delta w_j \frac{\partial^2 C}{\partial w_j \partial w_j} \Delta w_k + \ldots",
        ),
    ),
    "the series of exp": (
        "",
        r"e^{x} = \sum_{n=0}^\infty \frac{x^n}{n!} = 1 + x + \frac{x^2}{2} + \frac{x^3}{6} + \cdots",
        (
            r"e^{x} = \sum_{n=1}^\infty \frac{x^n}{n!}",
            r"e^{x} = \sum_{n=0}^\infty \frac{2 x^n}{n!}",
            r"e^{x} = \sum_{n=0}^\infty \frac{x^n}{(n+1)!}",
            r"e^{x} = \sum_{n=0}^\infty \frac{x^n}{n!} = 1 + x + \frac{x^2}{2} + \frac{x^3}{3} + \cdots",
        ),
    ),
    "the chain rule of names": (
        "",
        CHAIN,
        (
            r"\frac{\partial L}{\partial z} = \frac{\partial L}{\partial u} \frac{\partial z}{\partial u}",
            r"\frac{\partial L}{\partial z} = \frac{\partial L}{\partial u} + \frac{\partial u}{\partial z}",
            r"\frac{\partial L}{\partial z} = \frac{\partial L}{\partial u} \frac{\partial v}{\partial z}",
            rf"{CHAIN} + \frac{{\partial L}}{{\partial u}} \frac{{\partial u}}{{\partial z}}",
        ),
    ),
    "all ways": (
        "",
        rf"{CHAIN} + \frac{{\partial L}}{{\partial v}} \frac{{\partial v}}{{\partial z}}",
        (rf"{CHAIN} - \frac{{\partial L}}{{\partial v}} \frac{{\partial v}}{{\partial z}}",),
    ),
    "the last layer": (
        LAYERS,
        r"\frac{\partial C}{\partial a^L_j} = a_j - y_j",
        (r"\frac{\partial C}{\partial a^L_j} = y_j - a_j", r"\frac{\partial C}{\partial a^L_j} = 2 (a_j - y_j)"),
    ),
    "a loss of vectors": (
        LOSS,
        r"\frac{\partial L}{\partial y_i} = y_i - t_i",
        (r"\frac{\partial L}{\partial y_i} = t_i - y_i", r"\frac{\partial L}{\partial y_i} = 2 (y_i - t_i)"),
    ),
    "one largest entry": (
        SOFTMAX,
        r"\operatorname*{argmax}_j \hat{y}_j = \operatorname*{argmax}_j (2 o_j + 3)",
        (
            r"\operatorname*{argmax}_j \hat{y}_j = \operatorname*{argmin}_j o_j",
            r"\operatorname*{argmax}_j \hat{y}_j = \operatorname*{argmax}_j (3 - 2 o_j)",
            r"\operatorname*{argmax}_j \hat{y}_j = \operatorname*{argmax}_j o_j^2",
            r"\operatorname*{argmax}_j \hat{y}_j = \operatorname*{argmax}_j w_j o_j",
        ),
    ),
    "the identity matrix": (
        "",
        r"(\mathbf{I} + \mathbf{A})(\mathbf{I} - \mathbf{A}) = \mathbf{I} - \mathbf{A}\mathbf{A}",
        (
            r"(\mathbf{I} + \mathbf{A})(\mathbf{I} - \mathbf{A}) = \mathbf{I} + \mathbf{A}\mathbf{A}",
            r"(\mathbf{I} + \mathbf{A})(\mathbf{I} - \mathbf{B}) = \mathbf{I} - \mathbf{A}\mathbf{B}",
        ),
    ),
    "the normal distribution": (
        "",
        r"\frac{d}{ds} \operatorname{GELU}(s) = \frac{s \exp(-\frac{1}{2} s^2)}{\sqrt{2 \pi}} + \Phi(s)",
        (
            r"\frac{d}{ds} \operatorname{GELU}(s) = \frac{s \exp(-\frac{1}{2} s^2)}{\sqrt{2 \pi}} - \Phi(s)",
            r"\frac{d}{ds} \operatorname{GELU}(s) = \frac{s \exp(-\frac{1}{2} s^2)}{\sqrt{\pi}} + \Phi(s)",
            r"\Phi(-x) = \Phi(x)",
        ),
    ),
    "several names at one value": (
        r"$$ f(m, v, x) = m^2 + 2 v x + x $$",
        r"f(m, v, x)\big|_{m = v = 1} = 1 + 3 x",
        (r"f(m, v, x)\big|_{m = v = 1} = 1 + 2 x", r"f(m, v, x)\big|_{m = v = 0} = 1 + 3 x"),
    ),
    "what is said of every j": (
        r"$$ |w_j| < 1 $$",
        r"w_j \sigma'(z_j) < 1/4",
        (r"w_j \sigma'(z_j) < 1/5", r"w_j \sigma'(z_j) > 1/4", r"w_j \sigma(z_j) < 1/4"),
    ),
}


@pytest.mark.parametrize("name", RIGHT_AND_SLIPS)
def test_right_statements_pass_and_slips_do_not(name):
    before, right, slips = RIGHT_AND_SLIPS[name]
    assert last(before, right) in PASSES
    for slip in slips:
        assert last(before, slip) not in PASSES, slip


def test_what_follows_from_a_condition():
    right = NORMAL + r" - \mathbf{y}) = 0 \textrm{ and hence } "
    right += r"\mathbf{X}^\top \mathbf{y} = \mathbf{X}^\top \mathbf{X} \mathbf{w} $$"
    slips = right.replace(r"\mathbf{X} \mathbf{w} $$", r"\mathbf{w} $$"), right.replace(r"y} = \m", r"y} = -\m")
    assert [str(j.status) for _, j in judge(read_text(right, "markdown"))] == ["proved"]
    for slip in slips:
        assert slip != right
        assert [str(j.status) for _, j in judge(read_text(slip, "markdown"))][-1] not in PASSES


WAYS = rf"$$ {CHAIN} + \frac{{\partial L}}{{\partial v}} \frac{{\partial v}}{{\partial z}} $$"


@pytest.mark.parametrize("before", [WAYS, "$$ v = z^2 $$", "$$ L = u + v $$", "$$ L = \\operatorname{loss}_3(u, z) $$"])
def test_ways_that_are_left_out(before):
    """The document speaks of a way from z to L that is not through u."""
    assert last(before, CHAIN) not in PASSES


@pytest.mark.parametrize(
    ("before", "claim"),
    [
        # the last name that f takes hangs on the first: at numbers, nothing is known of it
        (r"$z = w x_1$" + "\n\n" + r"$f(x_1, x_2) = z + x_2$", "f(0, 0) = w x_1"),
        # a is something else here than a^L
        (
            LAYERS.replace("where", r"$$ a_j = b_j^2 $$" + "\nwhere"),
            r"\frac{\partial C}{\partial a^L_j} = a_j "
            r"- y_j",
        ),
        (r"$$ \mathbf{I} = \mathbf{A} + \mathbf{B} $$", r"\mathbf{I} \mathbf{z} = \mathbf{z}"),
        # an image, and a matrix that is not square
        (r"The image $I_{ij}$ is grey.", r"I_{ij} = I_{ji}"),
        (r"Let $\mathbf{I} \in \mathbb{R}^{h \times w}$.", r"\mathbf{I} \mathbf{z} = \mathbf{z}"),
    ],
)
def test_names_that_stand_for_something_else(before, claim):
    assert last(before, claim) not in PASSES


DEEP = r"""
$$ \mathbf{z}^{i+1} = \mathbf{z}^i \mathbf{W}^i + \mathbf{b}^i $$
$$ \mathbf{y} = \mathbf{z}^n $$
$$ a_i = e^{y_i}/\sum_k e^{y_k} $$
with $\mathbf{z}^{n-1}$ before it, and
$$ L(\mathbf{y}, \mathbf{y}^*) = - \sum_i y^*_i \log a_i $$
"""


@pytest.mark.parametrize(
    ("claim", "status"),
    [
        (r"\frac{\partial L}{\partial \mathbf{y}} = \mathbf{a} - \mathbf{y}^*", "conditional"),
        (r"\frac{\partial L}{\partial y_j} = - y^*_j + \sum_i y^*_i a_j", "proved"),
        (r"\frac{\partial L}{\partial y_j} = y^*_j + \sum_i y^*_i a_j", "refuted"),
        (r"\frac{\partial L}{\partial \mathbf{y}} = \mathbf{y}^* - \mathbf{a}", "refuted"),
    ],
)
def test_targets_below_several_layers(claim, status):
    """Names of weights below do not hide that Σ y* = 1 makes it right: it was refuted once."""
    assert last(DEEP, claim) == status


REGRESSION = r"""
Let $\mathbf{X} \in \mathbb{R}^{n \times d}$, $\mathbf{y} \in \mathbb{R}^n$ and $\mathbf{w} \in \mathbb{R}^d$.
$$ L = \frac{1}{2} (\mathbf{X} \mathbf{w} - \mathbf{y})^{\top} (\mathbf{X} \mathbf{w} - \mathbf{y}) $$
"""


@pytest.mark.parametrize(
    "claim",
    [
        r"L = \frac{1}{2} (\mathbf{X} \mathbf{w} - \mathbf{y}) (\mathbf{X} \mathbf{w} - \mathbf{y})",
        r"L = \frac{1}{2} (\mathbf{X} \mathbf{w} - \mathbf{w})^{\top} (\mathbf{X} \mathbf{w} - \mathbf{y})",
        r"L = \frac{1}{2} (\mathbf{X} \odot \mathbf{w} - \mathbf{y})^{\top} (\mathbf{X} \mathbf{w} - \mathbf{y})",
    ],
)
def test_shapes_that_cannot_be_are_no_other_meaning(claim):
    assert last(REGRESSION, claim) in {"undecided", "refuted"}


def test_what_holds_on_a_condition_is_no_other_meaning():
    before = r"$$ L = \log(\sum_k e^{z_k}) \sum_j t_j - \sum_j t_j z_j $$"
    assert last(before, r"L = \log(\sum_k e^{z_k}) - \sum_j t_j z_j") == "conditional"


@pytest.mark.parametrize(
    "claim", [r"\frac{\partial p}{\partial z} = p (+0)", r"\frac{\partial p}{\partial z} = p (0 - 0)"]
)
def test_a_number_is_no_function_of_what_stands_in_brackets_behind_it(claim):
    """It was read as the slope of p(0), which is 0."""
    before = r"$$ z = w x + b $$" + "\n\n" + r"$$ p = \sigma(z) $$" + "\n\n" + r"$$ L = -y \log p $$"
    assert last(before, claim) not in PASSES
    assert last(before, r"\frac{\partial p}{\partial z} = p (1 - p)") == "proved"


@pytest.mark.parametrize(
    "text",
    [
        "$x_{i+1} = x_i + x_{i+2}$ and $x_{i+2} = x_{i+1}$, so $x_i = (\\sigma(0.5))$",
        "$a = \\log(-1)$ and $h < a$, then $\\sum_i \\theta h \\approx h$",
        "$h(y, x_1) = y \\mathbf{x}$ with $y_i$, then $h \\leq \\frac{\\partial L}{\\partial x_i}$",
    ],
)
def test_texts_that_mean_nothing_get_verdicts(text):
    """Kinds of texts that random ones were found to break it with."""
    assert list(judge(read_text(text, "markdown")))
