"""What is said of a wrong statement: the slip that it is away from a right one, or what is right in its place."""

from __future__ import annotations

import pytest

from symdl.verification import Status
from symdl.verification.documents import read_text
from symdl.verification.judging.judge import judge

LOSS = r"The loss is $L = \frac{1}{n} \sum_{i=1}^n (y_i - t_i)^2$."
SOFTMAX = r"With $p_i = \frac{e^{z_i}}{\sum_k e^{z_k}}$"

#: What is said before, a wrong claim, and what is meant: the edits are those of issue 5, and some neighbours.
SLIPS = [
    (LOSS, r"\frac{\partial L}{\partial y_i} = 2 (y_i - t_i)", "∂L/∂yᵢ = 2/n (yᵢ − tᵢ)"),
    (LOSS, r"\frac{\partial L}{\partial y_i} = \frac{7}{n} (y_i - t_i)", "∂L/∂yᵢ = 2/n (yᵢ − tᵢ)"),
    (LOSS, r"\frac{\partial L}{\partial y_i} = \frac{2}{n} (y_j - t_j)", "∂L/∂yᵢ = 2/n (yᵢ − tᵢ)"),
    ("With $f(x) = x^3 + 2x$", "f'(x) = 3x + 2", "f′(x) = 3x² + 2"),
    ("For every $x$", r"\frac{d}{dx} \sin(x^2) = \cos(x^2)", "d/dx [sin(x²)] = 2x cos(x²)"),
    ("With $s(x) = 1/(1 + e^{-x})$", "s''(x) = s(x) (1 - s(x))^2", "s′′(x) = (1 − eˣ)s(x)(1 − s(x))²"),
    ("For every $r$", r"\sum_{k=0}^{n} r^k = \frac{1 - r^n}{1 - r}", "∑ₖ₌₀ⁿ rᵏ = (1 − rⁿ⁺¹)/(1 − r)"),
    ("The sigmoid is", r"s(x) = \frac{1}{1 + e^x}", "s(x) = 1/(1 + e⁻ˣ)"),
    ("So", r"-7 \cdot 3 = -20.5", "−7 · 3 = −21.0"),
    ("So", r"\sqrt{2} \approx 1.44", "√2 ≈ 1.41"),
    ("So", r"10 / 3 = 3", "10/3 ≈ 3.333"),
    ("So", r"60 \% + 20 \% = 90 \%", "60 % + 20 % = 80 %"),
    ("So", r"2 \cdot 6.02 \cdot 10^{23} = 1.304 \cdot 10^{24}", "2 · 6.02 · 10²³ = 1.204 · 10²⁴"),
]
#: Wrong in more than one place.
RIGHT = [
    (SOFTMAX, r"\frac{\partial p_i}{\partial z_j} = p_i (1 - p_j)", "e^(zᵢ)(−e^(zⱼ) + δᵢⱼ ∑ₖ e^(zₖ))/(∑ₖ e^(zₖ))²"),
    (r"With $g(x) = x \tanh(x)$", r"g'(x) = \tanh(x) + x", "−x(tanh(x))² + tanh(x) + x"),
    ("With $h(x) = x^3 + 2 x$", r"h'(x) = 4 x^2 - 1", "3x² + 2"),
]


def judged(before, claim):
    (*_, found) = (j for _, j in judge(read_text(f"{before}\n\n$$\n{claim}\n$$\n", "markdown")))
    return found


@pytest.mark.parametrize(("before", "claim", "meant"), SLIPS)
def test_one_slip_away_from_a_right_statement(before, claim, meant):
    found = judged(before, claim)
    assert found.status is Status.REFUTED
    assert found.suggested == meant
    assert judged(before, found.suggestion).status is Status.PROVED  # and so it reads


@pytest.mark.parametrize(("before", "claim", "right"), RIGHT)
def test_what_is_right_in_its_place(before, claim, right):
    found = judged(before, claim)
    assert found.status is Status.REFUTED and not found.suggestion
    assert found.verdict.reason == f"right is {right}"


@pytest.mark.parametrize("claim", ["M N = N M", r"u v^T = v u^T"])
def test_the_left_side_once_more_is_no_suggestion(claim):
    found = judged(r"Let $M, N \in \mathbb{R}^{n \times n}$ and $u, v \in \mathbb{R}^n$.", claim)
    assert found.status is Status.REFUTED and not found.suggestion


def test_a_witness_counts_as_the_document_does():
    point = judged(LOSS, r"\frac{\partial L}{\partial y_i} = 2 (y_i - t_i)").verdict.witness.point
    assert point["i"] == "1" and {"y[1]", "t[1]"} <= set(point)
