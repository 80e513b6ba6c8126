"""What words and tables say of names."""

from __future__ import annotations

from pathlib import Path

import pytest

from symdl.verification.documents import read, read_text
from symdl.verification.documents.spans import DocumentKind
from symdl.verification.documents.values import stated


def said(text: str, kind: DocumentKind = "markdown") -> list[tuple[str, str, str]]:
    return [(each.kind, each.name, each.value) for each in stated(read_text(text, kind))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"the learning rate $\eta$ of 0.5.", [("meaning", r"\eta", "learning rate"), ("value", r"\eta", "0.5")]),
        (r"where $n$ is the batch size, and", [("meaning", "n", "batch size")]),
        (r"Here $n$ is 3 and $b$ equals $-4.5$.", [("value", "n", "3"), ("value", "b", "-4.5")]),
        (r"We set $\beta_1$ to 0.9 in all.", [("value", r"\beta_1", "0.9")]),
        (r"The slope at $x$ is 3.", []),
        (r"$x$ is 2-dimensional and $y$ is 3 times $x$.", []),
        (r"with $w_0 = 2$ and $\eta = 0.5$", []),
        (r"for $x > 0$, $f(x) > 0$", [("domain", "x", "x > 0")]),
        (r"If $a \ne 0$", [("domain", "a", r"a \ne 0")]),
        (r"for all $x \in \mathbb{R}$", [("domain", "x", r"x \in \mathbb{R}")]),
        (r"so $x > 0$ holds", []),
        (r"labels with $\sum_k y_k = 1$", [("domain", "y_k", r"\sum_k y_k = 1")]),
        (r"and $n v / 2 = 1$ is wanted, such that $f(x) = 0$", [
            ("domain", "n", "n v / 2 = 1"), ("domain", "f", "f(x) = 0")]),
        (r"with $w_0 = 2$, if $f(x) = x^2$, so that $a b = 6$", []),
        (r"a positive real $a$ and a non-negative $b$", [("domain", "a", "a > 0"), ("domain", "b", r"b \ge 0")]),
        (r"$\lambda$ is strictly positive", [("domain", r"\lambda", r"\lambda > 0")]),
        (r"$\mathbf{W}, V \in \mathbb{R}^{m \times d}$", [
            ("shape", r"\mathbf{W}", r"m \times d"), ("shape", "V", r"m \times d")]),
        (r"$x\in\mathbb R^d$", [("shape", "x", "d")]),
        (r"$b \in \R^{d_1}$", [("shape", "b", "d_1")]),
        (r"an $m \times n$ matrix $W$", [("shape", "W", r"m \times n")]),
        (r"$W$ is an $m \times n$ matrix", [("shape", "W", r"m \times n")]),
        (r"vectors $v$ of length $k$", [("shape", "v", "k"), ("meaning", "k", "length")]),
        (r"$X$ has shape (3, 4)", [("shape", "X", r"3 \times 4")]),
        (r"A learning rate of 0.1, batch size: 32, and $x$.", [
            ("value", r"\text{learning rate}", "0.1"), ("value", r"\text{batch size}", "32")]),
        ("with the learning rate $\\eta$.\n\nHere the learning rate is $0.1$.", [
            ("meaning", r"\eta", "learning rate"), ("value", r"\eta", "0.1")]),
        ("```\nlearning rate = 3\n```\n<!-- bias = 2 -->", []),
        (r"the batch size is $n$, a momentum of $\mu$", [
            ("meaning", "n", "batch size"), ("meaning", r"\mu", "momentum")]),
    ],
)  # fmt: skip
def test_words(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert said(text) == expected


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("The sigmoid is\n\n$$a(x) = 1$$", "sigmoid"),
        ("The logistic function $a$ is defined as $$a(x) = 1$$", "sigmoid"),
        ("**Tanh:** $a(x) = 1$", "tanh"),
        ("# ReLU (rectified linear unit)\n\n$$a(x) = 1$$", "relu"),
        ("# Leaky ReLU\n\nIt is defined as\n\n$$a(x) = 1$$", "leaky_relu"),
        ("# Tanh\n\n$$b(x) = 2$$\n\n$$a(x) = 1$$", None),
        ("# Tanh\n\nConsider the function\n\n$$a(x) = 1$$", None),
        ("# Tanh\n\n$$a'(x) = 1$$", None),
        ("Unlike the sigmoid, this one is odd:\n\n$$a(x) = 1$$", None),
        ("With a sigmoid, the output is $$a(x) = 1$$", None),
        ("The sigmoid of $x$ is $y = 1$", None),
    ],
)
def test_function_that_is_named(text: str, entry: str | None) -> None:
    found = [(each.name, each.value) for each in stated(read_text(text, "markdown")) if each.kind == "function"]
    assert [value for name, value in found if name == "a"] == ([entry] if entry else [])


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("| name | value |\n|---|---|\n| $w_0$ | 2 |\n| $b$ | −4.5 |\n", "markdown", [("w_0", "2"), ("b", "-4.5")]),
        ("$x$ | $y$\n:-:|-\n3 | `4`\n", "markdown", [("x", "3"), ("y", "4")]),
        (
            "| $x_1$ | $x_2$ | note |\n|-|-|-|\n| 0 | 1 | a |\n| 1 | 1 | b |",
            "markdown",
            [("x_1", "(0, 1)"), ("x_2", "(1, 1)")],
        ),
        ("| w1 | x₂ | loss |\n|-|-|-|\n| 0.5 | 1 | 3 |", "markdown", [("w_{1}", "0.5"), ("x_{2}", "1")]),
        ("| | before | after |\n|-|-|-|\n| $w$ | 1 | 2 |", "markdown", []),
        ("| $|x|$ | $y$ |\n|-|-|\n| 1 | 2 |", "markdown", [("y", "2")]),
        ("a | b\n\n1 | 2", "markdown", []),
        (
            "\\begin{tabular}{ll}\\hline\n$w_0$ & 2 \\\\ \\hline\n$b$ & $4$\n\\end{tabular}",
            "latex",
            [("w_0", "2"), ("b", "4")],
        ),
        ("\\begin{tabular}{ll} $w_0$ & 2", "latex", []),
    ],
)
def test_tables(text: str, kind: DocumentKind, expected: list[tuple[str, str]]) -> None:
    assert [
        (each.name, each.value) for each in stated(read_text(text, kind)) if each.kind in {"value", "column"}
    ] == expected


def test_place_and_section() -> None:
    text = "# One\n\n$x$\n\n## Two\n\nWords.\n\n| a | value |\n|---|---|\n| $w$ | 2 |\n"
    (value,) = stated(read_text(text, "markdown"))
    assert (value.kind, value.line, value.column, value.section) == ("value", 11, 3, (1, 1))


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        ("We split the data: 80 % training, 20 % validation and 20 % test.", [r"80\% + 20\% + 20\% = 100\%"]),
        ("Split:\n\n- 80% training set\n- 10% validation set\n- 10% test set", [r"80\% + 10\% + 10\% = 100\%"]),
        ("A training set of 80 %, a test set of 20 %", [r"80\% + 20\% = 100\%"]),
        ("The split: 80% for training, 10% for testing", []),
        ("We split: 80% training, 20% test, and 20% of the training data for validation", []),
        ("90% train accuracy, 80% test accuracy, on a split", []),
        ("On the training set 5% of all, on the rest 7%", []),
        ("```\n80% training set, 30% test set\n```", []),
    ],
)
def test_shares_of_a_split_claim_to_be_all_of_it(text: str, claims: list[str]) -> None:
    assert [span.latex for span in read_text(text, "markdown").spans] == claims


def test_lecture(reference: Path) -> None:
    """Of the slides, the shares that come to 120 %."""
    found = [(span.line, span.latex) for span in read(reference / "lecture.txt").spans if "100" in span.latex]
    assert found == [(377, r"80\% + 20\% + 20\% = 100\%")]
