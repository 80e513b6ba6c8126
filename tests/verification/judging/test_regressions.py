"""Right statements that were once refuted: each a case of its own, with wrong ones beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from symdl.verification.documents import read, read_text
from symdl.verification.judging.judge import judge

SLOPES = [
    (r"\tanh'(x) = 1 - \tanh(x)^2", "proved"),
    (r"\sin' x = \cos x", "proved"),
    (r"\exp'(2x) = \exp(2x)", "proved"),
    (r"\tanh''(x) = -2\tanh(x)(1 - \tanh^2(x))", "proved"),
    (r"\log_2'(x) = \frac{1}{x \log 2}", "proved"),
    (r"\sin'(x) = \sin(x)", "refuted"),
    (r"\cos'(x) = \sin(x)", "refuted"),
    (r"\exp'(2x) = 2\exp(2x)", "refuted"),
    (r"\operatorname{softmax}'(x) = x", "undecided"),
]


@pytest.mark.parametrize(("latex", "status"), SLOPES)
def test_primes_of_named_operators(latex, status):
    ((_, judged),) = judge(read_text(f"$$\n{latex}\n$$\n", "markdown"))
    assert judged.status == status


AGAIN = r"""
# First example

The weights are $\mathbf{w} = (w_0, w_1) = (2, 2)$, then $w_0 = 1.68$ and $w_0 + w_1 = 3.68$.

# Second example

The weights are $\mathbf{w} = (w_0, w_1) = (7, 9)$. Then $w_0 + w_1 = 16$,
$w_0 + w_1 = 4$ and $\mathbf{w}^\top \mathbf{w} = 130$.
"""


def test_a_vector_is_given_anew_with_its_entries():
    found = [str(judged.status) for _, judged in judge(read_text(AGAIN, "markdown"))]
    assert found == ["definition", "definition", "proved", "definition", "proved", "refuted", "proved"]


INPUTS = r"""
The output is $a = \sigma(z)$ with $z = \sum_j w_j x_j + b$. The cost is summed over all training inputs $x$,

$$ C = -\frac{1}{n} \sum_x \left[ y \ln a + (1-y) \ln(1-a) \right] $$
$$ \frac{\partial C}{\partial w_j} = \frac{1}{n} \sum_x x_j (\sigma(z) - y) $$
$$ \frac{\partial C}{\partial b} = \frac{1}{n} \sum_x (\sigma(z) - y) $$
$$ \frac{\partial C}{\partial b} = \frac{1}{n} \sum_x (y - \sigma(z)) $$
"""


def test_a_sum_over_all_inputs_is_one_sum_in_every_formula():
    """From Nielsen, Neural Networks and Deep Learning, chapter 3."""
    found = [str(judged.status) for _, judged in judge(read_text(INPUTS, "markdown"))]
    assert found[-3:] == ["proved", "proved", "refuted"]


def test_a_function_whose_subscript_is_left_out_in_its_slope():
    """From the CS231n notes, where x was given a value before."""
    text = r"With $x = 4$: $f(x) = \frac{1}{x}$ and $f_c(x) = c + x$, so $\frac{df}{dx} = 1$ and $x + 1 = 6$."
    found = [str(judged.status) for _, judged in judge(read_text(text, "markdown"))]
    assert found == ["definition", "definition", "definition", "undecided", "refuted"]


def test_a_name_whose_new_meaning_is_not_understood_has_none():
    text = "$C = (y - w)^2$, and with $C = C_x$ for one input, $\\frac{\\partial C}{\\partial w} = 3 y$."
    found = [str(judged.status) for _, judged in judge(read_text(text, "markdown"))]
    assert found == ["definition", "definition", "undecided"]


NUMBERS = [
    (r"10^{400} + 1 = 10^{400}", "refuted"),
    (r"10^{400} + 1 > 10^{400}", "proved"),
    (r"10^{400} < 10^{400}", "refuted"),
    (r"\sigma(1000) = 1", "undecided"),
    (r"\tanh(1000) = 1", "undecided"),
    (r"\sigma(1000) < 1", "proved"),
    (r"\sigma(1000) = 1.000", "proved"),
    (r"\sqrt{4 + 2 \sqrt{3}} = 1 + \sqrt{3}", "proved"),
    (r"\sqrt{4 + 2 \sqrt{3}} = 1 + \sqrt{2}", "refuted"),
    (r"\exp(12345678901234567890) = 1.25", "refuted"),
]


@pytest.mark.parametrize(("latex", "status"), NUMBERS)
def test_numbers_that_are_closer_than_their_first_digits_show(latex, status):
    """σ(1000) and 1 were once taken for equal, since no difference was seen at 512 bits."""
    ((_, judged),) = judge(read_text(f"$$\n{latex}\n$$\n", "markdown"))
    assert judged.status == status


INEQUALITIES = [
    (r"e^x \ge 1 + x", "proved"),
    (r"e^x \ge 1.01 + x", "definition"),
    (r"\log a \le b + 1", "definition"),
    (r"\frac{x}{1 + |x|} < 0.999999", "definition"),
    (r"z^2 \ge z - 0.26", "proved"),
    (r"x^2 + y^2 \ge x y - 1", "consistent"),
    (r"z^2 \ge z - 0.24", "definition"),
    (r"\sigma(x) < 2", "proved"),
    (r"\sigma(x) > 2", "undecided"),
]


@pytest.mark.parametrize(("latex", "status"), INEQUALITIES)
def test_where_an_inequality_fails_is_looked_for(latex, status):
    """log x ≤ y + 1 was once consistent, since it held at all of a few random points."""
    text = f"With $a > 0$ and $b > 0$\n$$\n{latex}\n$$\n"
    assert [str(judged.status) for _, judged in judge(read_text(text, "markdown"))][-1] == status


LYING = [
    (r"\mathbf{x}^\top = \mathbf{x}", "conditional"),
    (r"(\mathbf{A} \mathbf{x})^\top = \mathbf{A} \mathbf{x}", "conditional"),
    (r"(\mathbf{A} \mathbf{x})^\top = \mathbf{x}^\top \mathbf{A}^\top", "proved"),
    (r"\nabla_{\mathbf{x}} (\mathbf{z}^\top \mathbf{A} \mathbf{x}) = \mathbf{z}^\top \mathbf{A}", "proved"),
    (r"\nabla_{\mathbf{x}} (\mathbf{z}^\top \mathbf{A} \mathbf{x}) = \mathbf{A}^\top \mathbf{z}", "proved"),
]


@pytest.mark.parametrize(("latex", "status"), LYING)
def test_a_row_is_no_column(latex, status):
    """A missing ⊤ once passed; only a slope may be either, as the layout wants it."""
    shapes = r"$\mathbf{A} \in \mathbb{R}^{m \times n}$, $\mathbf{x} \in \mathbb{R}^n$, $\mathbf{z} \in \mathbb{R}^m$"
    text = f"With {shapes}\n$$\n{latex}\n$$\n"
    assert [str(judged.status) for _, judged in judge(read_text(text, "markdown"))][-1] == status


AGAIN_BY_THE_SAME_FUNCTIONS = r"""
$$ L_i = \sum_j \max(0, 1 - y_{ij} f_j) $$
$$ L_i = \sum_j \max(0, f_j - y_{ij})^2 $$
$$ \partial L_i / \partial f_j = 2 \max(0, f_j - y_{ij}) $$
$$ J = \sum_i L_i $$
$$ \frac{\partial J}{\partial f_j} = 2 \sum_i \max(0, f_j - y_{ij}) $$
"""

AGAIN_BY_THE_SAME_NAMES = r"""
$$ L_i = \sum_j \max(0, 1 - y_{ij} f_j) $$
$$ L_i = -\sum_j y_{ij} \log(\sigma(f_j)) + (1 - y_{ij}) \log(1 - \sigma(f_j)) $$
$$ \partial L_i / \partial f_j = \sigma(f_j) - y_{ij} $$
$$ J = \sum_i L_i $$
$$ \frac{\partial J}{\partial f_j} = \sum_i (\sigma(f_j) - y_{ij}) $$
"""


def test_what_is_said_of_a_name_that_may_have_another_meaning_is_not_refuted():
    """From the notes of CS231n on losses, where L_i is another loss in each paragraph."""
    found = [str(judged.status) for _, judged in judge(read_text(AGAIN_BY_THE_SAME_FUNCTIONS, "markdown"))]
    assert found == ["definition", "undecided", "undecided", "definition", "undecided"]


@pytest.mark.parametrize(
    ("slope", "status"), [(r"\sigma(f_j) - y_{ij}", "proved"), (r"\sigma(f_j) + y_{ij}", "refuted")]
)
def test_a_name_that_is_made_of_other_functions_is_another_one(slope, status):
    """No slip makes a sum of maxima one of logarithms: the claims behind it are about the loss that stands last."""
    text = AGAIN_BY_THE_SAME_NAMES.replace(r"\sigma(f_j) - y_{ij}", slope)
    found = [str(judged.status) for _, judged in judge(read_text(text, "markdown"))]
    assert found == ["definition", "definition", status, "definition", status]


@pytest.mark.parametrize("page", ["activations/vectors.md"])
def test_what_this_project_derives_is_not_refuted(page):
    derivations = Path(__file__).parents[3] / "derivations"
    refuted = [j.text for _, j in judge(read(derivations / page)) if j.status == "refuted"]
    assert not refuted


@pytest.mark.parametrize("claim", [r"f'(x) = 2 x", r"f'(x) = 3 x"])
def test_what_a_formula_that_took_too_long_may_have_set_is_not_known_afterwards(claim):
    text = f"$f(x) = x^2$ and $g(x) = x^3$. Now $f(x) = x^3$. So ${claim}$, $g'(x) = 3 x^2$ and $g'(x) = x$."
    document = read_text(text, "markdown")
    said = {judged.latex: str(judged.status) for _, judged in judge(document, skip={2})}
    assert said[claim] == "undecided"
    assert (said["g'(x) = 3 x^2"], said["g'(x) = x"]) == ("proved", "refuted")
