"""Formulas typed in plain text: which parts of a line they are, and what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from symdl.verification.documents import read, read_text
from symdl.verification.documents.amid import typed_formulas
from symdl.verification.documents.typed import latex_of


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("With w₀ = 2 and x = 3 we get w₀x = 6, which is less than 14.", ["w₀ = 2", "x = 3", "w₀x = 6"]),
        ("the loss L = (1/n) Σ (ỹ_i − ŷ_i)², n = 1: (10 − 14)² = 16", [
            "L = (1/n) Σ (ỹ_i − ŷ_i)²", "n = 1", "(10 − 14)² = 16"]),
        ("∂L/∂w0 = x0 · 1 · 2 · Σ (ỹ_i − ŷ_i)²", ["∂L/∂w0 = x0 · 1 · 2 · Σ (ỹ_i − ŷ_i)²"]),
        ("sigmoid a(x) = 1 − 1/(1 + e^(−x))", ["a(x) = 1 − 1/(1 + e^(−x))"]),
        ("update with lr = 0.04: w0 = 1.68, b = 3.68", ["lr = 0.04", "w0 = 1.68", "b = 3.68"]),
        ("2.0 + 2.0 + 6.0 = 10.0.", ["2.0 + 2.0 + 6.0 = 10.0"]),
        ("  = 16", ["= 16"]),
        ("so we have: = 16", []),
        ("(where x = 3)", ["x = 3"]),
        ("(x = 3, y = 4)", ["x = 3", "y = 4"]),
        ("f(x, y) = x + y", ["f(x, y) = x + y"]),
        ("loss = mse + 0.1 * penalty", ["loss = mse + 0.1 * penalty"]),
        ("for x > 0 it is a x = 3", ["x > 0", "x = 3"]),
        ("so |x| <= 3", ["|x| <= 3"]),
        ("dL/dw = dL/dy * dy/dw", ["dL/dw = dL/dy * dy/dw"]),
        ("so do/dv1 = p1 and d²L/dw² = 2, do it", ["do/dv1 = p1", "d²L/dw² = 2"]),
        ("m = a / (sqrt(vhat) + eps), as (mostly) here", ["m = a / (sqrt(vhat) + eps)"]),
        ("softmax(z) = exp(z) / sum_j exp(z_j)", ["softmax(z) = exp(z) / sum_j exp(z_j)"]),
        ("A well-known one - or so", []),
        ("and/or = no", []),
        ("x = np.array([1, 2]) and np.x = 3", []),
        ("see https://example.org/?a=b or me@example.org", []),
        ("it maps x -> y, x => y, and 3 is 3", []),
        ("press <Esc> = 3 or <repository> and ---- = 4, x == 1.0.3", []),
        ("w0=2 w_1=2 b = 4", ["w0=2", "w_1=2", "b = 4"]),
        ("y = 2 x + 3 = 5 x", ["y = 2 x + 3 = 5 x"]),
        ("x = .3e14", ["x = .3e14"]),
        ("if a<b and c>d", ["a<b", "c>d"]),
        ("14 words and (10 - 4) of them", []),
        ("", []),
    ],
)  # fmt: skip
def test_formulas_of_a_line(line: str, expected: list[str]) -> None:
    assert [line[start:end] for start, end in typed_formulas(line)] == expected


@pytest.mark.parametrize(
    ("typed", "latex"),
    [
        ("x₁w₁ + x₁₂", "x_{1} w_{1} + x_{12}"),
        ("w0 = w_ji", "w_{0} = w_{ji}"),
        ("b_upd", r"b_{\mathrm{upd}}"),
        ("a(wᵀx + b)", r"a ( w^{\top} x + b )"),
        ("Σ_i w_i", r"\sum_{i} w_{i}"),
        ("∑ᵢ wᵢ", r"\sum_{i} w_{i}"),
        ("Σ = 2", r"\Sigma = 2"),
        ("ŷ − ỹ ≠ θ̂", r"\hat{y} - \tilde{y} \ne \hat{\theta}"),
        ("∂L/∂w₀ = dL/dw0", r"\frac{\partial L}{\partial w_{0}} = \frac{dL}{dw_{0}}"),
        ("d²L/dw₁² = ∂^2L/∂w^2", r"\frac{d^{2} L}{dw_{1}^{2}} = \frac{\partial^{2} L}{\partial w^{2}}"),
        ("d/dx tanh(x)", r"\frac{d}{dx} \tanh ( x )"),
        ("e^-x · e^(−2x)", r"e^{- x} \cdot e^{- 2 x}"),
        ("W^(1) x^T", "W^{(1)} x^T"),
        ("x**2 + x ** 3", "x^{2} + x^{3}"),
        ("x⁻¹ ± ½", r"x^{-1} \pm \frac{1}{2}"),
        ("√2 √(x + 1) sqrt(y)", r"\sqrt{2} \sqrt{x + 1} \sqrt{y}"),
        ("abs(x) ≤ ‖x‖₂", r"\left| x \right| \le \| x \|_{2}"),
        ("lr <= 0.04", r"\mathrm{lr} \le 0.04"),
        ("eta alpha log x", r"\eta \alpha \log x"),
        ("σ(z) = sigmoid(z)", r"\sigma ( z ) = \operatorname{sigmoid} ( z )"),
        ("max{0, x}", r"\max \{ 0 , x \}"),
        ("θ ← θ − η∇L", r"\theta \leftarrow \theta - \eta \nabla L"),
        ("3.57% < 1e-3", r"3.57 \% < 1e-3"),
        ("f'(x) = f′(x)", "f ' ( x ) = f ' ( x )"),
        ("x ∈ ℝ", r"x \in \mathbb{R}"),
        ("é ≠ 뫼 ü", "é \\ne 뫼 ü"),
        (r"\hat{y} = 1", r"\hat \{ y \} = 1"),
    ],
)
def test_translation(typed: str, latex: str) -> None:
    assert latex_of(typed) == latex


def test_brackets_without_end_are_bounded() -> None:
    assert len(latex_of("x^(" * 5_000)) < 50_000
    assert latex_of("sqrt(" * 300).startswith(r"\sqrt{\sqrt{")


def test_page() -> None:
    text = "Notes\n=====\n\nL = (10 − 14)²\n  = 16.\n\nThen y = 2, $z = 3$ and w0 = 4.\n# symdl: assume x > 0\n= 5\n"
    document = read_text(text, "plain")
    assert [(s.line, s.column, s.kind, s.block, s.row, s.latex) for s in document.spans] == [
        (4, 1, "display", 0, 0, "L = ( 10 - 14 )^{2}"),
        (5, 3, "display", 0, 1, "= 16"),
        (7, 6, "inline", 1, 0, "y = 2"),
        (7, 14, "inline", 2, 0, "z = 3"),
        (7, 25, "inline", 3, 0, "w_{0} = 4"),
        (9, 1, "display", 4, 0, "= 5"),
    ]
    assert [(p.line, p.text) for p in document.pragmas] == [(8, "assume x > 0")]
    assert [s.title for s in document.sections] == ["Notes"]


def test_text_of_the_lecture(reference: Path) -> None:
    """The text of the slides, of which no line is a formula by accident."""
    document = read(reference / "lecture.txt")
    displays = {span.latex for span in document.spans}
    assert {"L = (10 - 14)^2 = 16", r"a(x) = 1 - \frac{1}{1 + e^{-x}}", "b_{upd} = 3.68"} <= displays
    assert all("=" in span.latex or "lecture" not in span.latex for span in document.spans)
