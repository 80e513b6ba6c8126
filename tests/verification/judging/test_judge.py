"""Documents as people write them, with the verdict that each formula deserves; worked by hand or published."""

from __future__ import annotations

import pytest

from symdl.verification import Status
from symdl.verification.documents import read_text
from symdl.verification.judging.judge import judge
from symdl.verification.notation import parse


def verdicts(text, kind="markdown"):
    return [judged for _, judged in judge(read_text(text, kind))]


def statuses(text):
    return [str(j.status) for j in verdicts(text)]


NEURON = r"""
Let $x = (x_0, x_1, x_2) = (1, 1, 3)$, $w = (2, 2, 2)$ and $b = 4$; the target is $\tilde{y} = 10$.

$$ s = \sum_i w_i x_i + b $$
$$ \hat{y} = s = 2 + 2 + 6 + 4 = 14 $$
$$ L = (\tilde{y} - \hat{y})^2 = (10 - 14)^2 = 16 $$
"""

SIGMOID = r"$$ a(x) = \frac{1}{1 + e^{-x}} $$"

NET = r"""
$$ z_j = \sum_i W_{ji} x_i + b_j $$
$$ h_j = \tanh(z_j) $$
$$ L = \frac{1}{2} \sum_j (h_j - t_j)^2 $$
"""

MATRICES = r"""
$$ \mathbf{y} = \mathbf{W} \mathbf{x} $$
$$ \ell = \frac{1}{2} \|\mathbf{y} - \mathbf{t}\|^2 $$
"""

SOFTMAX = r"""
$$ p_i = \frac{e^{z_i}}{\sum_k e^{z_k}} $$
$$ L = -\sum_i t_i \log p_i $$
"""

#: what comes before, the claim, and what is to be said of it
CLAIMS = [
    # figures from names
    (NEURON, r"\frac{\partial L}{\partial \hat{y}} = -2 (\tilde{y} - \hat{y}) = 8", "proved"),
    (NEURON, r"\frac{\partial L}{\partial w_2} = 24", "proved"),
    (NEURON, r"\frac{\partial L}{\partial w_2} = 8", "refuted"),
    (NEURON, r"L = 15", "refuted"),
    (NEURON, r"L = (10 - (1 w_0 + 1 w_1 + 3 w_2 + b))^2", "proved"),
    (NEURON, r"w_0 \leftarrow w_0 - 0.04 \frac{\partial L}{\partial w_0} = 2 - 0.04 \cdot 8 = 1.68", "proved"),
    (NEURON, r"w_0 \leftarrow w_0 - 0.04 \frac{\partial L}{\partial w_0} = 1.86", "refuted"),
    (NEURON, r"\frac{\partial L}{\partial w_0} = 2 x_0 (\tilde{y} - \hat{y})", "refuted"),
    # derivatives of one variable
    (SIGMOID, r"a'(x) = a(x) (1 - a(x))", "proved"),
    (SIGMOID, r"a'(x) = a(x) (1 + a(x))", "refuted"),
    (SIGMOID, r"\frac{da}{dx} = \frac{e^{-x}}{(1 + e^{-x})^2}", "proved"),
    (SIGMOID, r"a(-x) = 1 - a(x)", "proved"),
    (SIGMOID, r"a(0) = \frac{1}{2}", "proved"),
    (SIGMOID, r"a(1) \approx 0.731", "proved"),
    (SIGMOID, r"a(1) \approx 0.713", "refuted"),
    (SIGMOID, r"a''(x) = a(x) (1 - a(x)) (1 - 2 a(x))", "proved"),
    (SIGMOID, r"0 < a(x) < 1", "proved"),
    (SIGMOID, r"a(x) > 1", "refuted"),
    ("", r"\tanh x = 2 \sigma(2x) - 1", "proved"),
    ("", r"\tanh x = 2 \sigma(x) - 1", "refuted"),
    ("", r"\max(0, x) = \frac{x + |x|}{2}", "proved"),
    ("", r"\frac{d}{dx} \log(1 + e^x) = \sigma(x)", "proved"),
    ("", r"\frac{d}{dx} x^3 = 3 x^2", "proved"),
    ("", r"\frac{d}{dx} x^3 = 2 x^2", "refuted"),
    # index notation
    (NET, r"\frac{\partial L}{\partial h_j} = h_j - t_j", "proved"),
    (NET, r"\frac{\partial L}{\partial W_{ji}} = (h_j - t_j)(1 - h_j^2) x_i", "proved"),
    (NET, r"\frac{\partial L}{\partial W_{ji}} = (h_j - t_j)(1 - h_j^2) x_j", "refuted"),
    (NET, r"\frac{\partial L}{\partial W_{ji}} = (h_j - t_j)(1 - h_j) x_i", "refuted"),
    (NET, r"\frac{\partial L}{\partial x_i} = \sum_j W_{ji} (h_j - t_j)(1 - h_j^2)", "proved"),
    (NET, r"\frac{\partial L}{\partial x_i} = (h_j - t_j)(1 - h_j^2) W_{ji}", "undecided"),
    # the softmax: its gradient needs targets that sum to 1
    (SOFTMAX, r"\frac{\partial L}{\partial z_j} = p_j \sum_i t_i - t_j", "proved"),
    (SOFTMAX, r"\frac{\partial L}{\partial z_j} = p_j - t_j", "conditional"),
    (SOFTMAX, r"\frac{\partial L}{\partial z_j} = t_j - p_j", "refuted"),
    # functions of which nothing is known
    ("", r"\frac{d}{dx} f(g(x)) = f'(g(x)) g'(x)", "proved"),
    ("", r"\frac{d}{dx} \frac{f(x)}{g(x)} = \frac{f'(x) g(x) - f(x) g'(x)}{g(x)^2}", "proved"),
    ("", r"\frac{d}{dx} (f(x) g(x)) = f'(x) g'(x)", "undecided"),
    (r"Let $y = f(u)$ and $u = g(x)$.", r"\frac{dy}{dx} = \frac{dy}{du} \frac{du}{dx}", "proved"),
    # sums with dots
    (r"$$ s = \sum_{i=1}^{n} w_i x_i $$", r"s = w_1 x_1 + w_2 x_2 + \dots + w_n x_n", "proved"),
    (r"$$ s = w_1 x_1 + \dots + w_n x_n $$", r"\frac{\partial s}{\partial w_j} = x_j", "proved"),
    (r"$$ s = w_1 x_1 + \dots + w_n x_n $$", r"s = \sum_{i=1}^{n} w_i x_i^2", "refuted"),
    (r"$$ J(\mathbf{w}) = \frac{1}{2} \|\mathbf{w}\|^2 $$", r"\nabla J = \mathbf{w}", "proved"),
    # matrices
    (MATRICES, r"\frac{\partial \ell}{\partial \mathbf{W}} = (\mathbf{y} - \mathbf{t}) \mathbf{x}^\top", "proved"),
    (MATRICES, r"\frac{\partial \ell}{\partial \mathbf{W}} = \mathbf{x} (\mathbf{y} - \mathbf{t})^\top", "conditional"),
    (MATRICES, r"\frac{\partial \ell}{\partial \mathbf{x}} = \mathbf{W}^\top (\mathbf{y} - \mathbf{t})", "proved"),
    (MATRICES, r"\frac{\partial \ell}{\partial \mathbf{x}} = \mathbf{W} (\mathbf{y} - \mathbf{t})", "refuted"),
    ("", r"(\mathbf{A} \mathbf{B})^\top = \mathbf{B}^\top \mathbf{A}^\top", "proved"),
    ("", r"\mathbf{A} \mathbf{B} = \mathbf{B} \mathbf{A}", "refuted"),
    ("", r"\|\mathbf{w}\|^2 = \mathbf{w}^\top \mathbf{w}", "proved"),
    # arithmetic
    ("", r"\frac{1}{3} \approx 0.33", "proved"),
    ("", r"\frac{1}{3} = 0.34", "refuted"),
    ("", r"0.1 + 0.2 = 0.3", "proved"),
    ("", r"80\,\% + 20\,\% + 20\,\% = 100\,\%", "refuted"),
    ("", r"3.57\,\% < 5.1\,\%", "proved"),
    ("", r"0.33 \cdot 3 = 1.00", "consistent"),
    ("", r"28 \times 28 = 784", "proved"),
]


@pytest.mark.parametrize(("before", "claim", "expected"), CLAIMS, ids=[c for _, c, _ in CLAIMS])
def test_a_claim_gets_the_verdict_that_it_deserves(before, claim, expected):
    last = verdicts(f"{before}\n\n$$ {claim} $$\n")[-1]
    assert last.status == expected, (last.verdict, last.links)


NOT_CLAIMED = {
    "a name": r"$y = 2x + 1$",
    "a function": r"$f(x) = x^2$",
    "a shape": r"$\mathbf{W} \in \mathbb{R}^{m \times d}$",
    "a condition": r"for $x > 0$",
    "a condition on open names": r"$$ \mathbf{w}^\top \mathbf{x} + b = 0 $$",
    "a condition on a function": r"with $x^2 < y$",
    "a stationary point": r"Let $f(x) = x^2$. $$ f'(x) = 0 $$",
    "a signature": r"$f: \mathbb{R} \rightarrow \mathbb{R}$",
    "a distribution": r"$\epsilon \sim \mathcal{N}(0, 1)$",
    "entries": r"$s_j = \sum_i w_{ji} x_i$",
    "a value anew": r"Let $a = 2$. Now $a = 3$.",
    "the next example": r"Let $f(x) = x^2$. Next, $f(x) = \sin x$.",
    "two of one value": r"$a = b = 2$",
}


@pytest.mark.parametrize("name", NOT_CLAIMED)
def test_what_introduces_a_name_is_a_definition(name):
    assert set(statuses(NOT_CLAIMED[name])) == {"definition"}


OPEN = {
    "a function that nobody defined": r"$$ f'(x) = 2 x $$",
    "an approximation without a bound": r"$$ e^x \approx 1 + x $$",
    "Einstein's convention": r"$$ \frac{\partial}{\partial x_k} x_i a_{ij} x_j = a_{kj} x_j + x_i a_{ik} $$",
    "a name on one side only": r"$$ (a + b)^2 = a^2 + b^2 + c $$",
    "a number too long to write out": r"$$ 9^{9^{9^9}} = 1 $$",
    "facts in words": r"For an orthogonal matrix, $$ \|\mathbf{U} \mathbf{x}\|^2 = \|\mathbf{x}\|^2 $$",
}


@pytest.mark.parametrize("name", OPEN)
def test_what_is_open_is_neither_proved_nor_refuted(name):
    assert verdicts(OPEN[name])[-1].status is Status.UNDECIDED


def test_a_wrong_definition_is_found_by_the_words_before_it():
    text = "The sigmoid is $$ a(x) = 1 - \\frac{1}{1 + e^{-x}} $$"
    (found,) = verdicts(text)
    assert found.status is Status.REFUTED
    assert "sigmoid" in found.verdict.reason
    assert found.verdict.witness is not None


@pytest.mark.parametrize(
    ("claim", "edit"),
    [
        (r"\frac{d}{dx} \cos x = \sin x", r"\frac{d}{dx} \cos x = -\sin x"),
        (r"\frac{d}{dx} x^3 = 2 x^2", r"\frac{d}{dx} x^{3} = 3 x^{2}"),
        (r"12 \cdot 12 = 414", r"12 \cdot 12 = 144"),
        (r"\frac{1}{7} = 0.134", r"\frac{1}{7} = 0.143"),
    ],
)
def test_a_small_edit_that_makes_it_true_is_told(claim, edit):
    (found,) = verdicts(f"$$ {claim} $$")
    assert found.status is Status.REFUTED
    assert parse(found.suggestion) == parse(edit)


def test_names_of_a_section_that_is_over_may_mean_something_else():
    text = (
        "# One\n\n$y = 3 x$\n\n# Two\n\n$$ \\frac{d}{dx} (x + y) = 1 + \\frac{dy}{dx} $$\n\n$y = x^2$\n\n$$ y = x^2 $$"
    )
    assert "refuted" not in statuses(text)


def test_a_bound_index_that_shadows_a_free_one_is_told():
    (found,) = verdicts(r"$$ p_i = \frac{e^{y_i}}{\sum_{i=1}^{n} e^{y_i}} $$")
    assert found.status is Status.DEFINITION
    assert "shadows" in found.verdict.reason


def test_text_is_never_run(tmp_path):
    planted = tmp_path / "planted"
    code = f"__import__('os').system('touch {planted}')"
    for text in (
        f"$x = {code}$",
        f"$$ \\text{{{code}}} = 1 $$",
        f"$\\operatorname{{{code}}}(x) = x$",
        f"<!-- symdl: assume {code} -->",
    ):
        verdicts(text)
    assert not planted.exists()
