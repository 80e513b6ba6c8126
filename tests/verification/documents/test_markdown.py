"""Formulas in Markdown: where they are, what they say, and what is none."""

from __future__ import annotations

import pytest

from symdl.verification.documents import read_text


def formulas(text: str) -> list[str]:
    return [span.latex for span in read_text(text, "markdown").spans]


PAGE = r"""---
title: the loss $a$
---
# The loss $L$

We have

$$
\begin{aligned}
L &= (10 - \hat{y})^2 \label{loss}\\
  &\quad + c \\[2pt]
  &= 16, % as before
\end{aligned} \tag{3}
$$

where $\hat{y} = 14$ and \\(w\_0\\) is known.
<!-- symdl: assume
c = 0 -->

## Slopes

> $$
> L'
> = 8
> $$
"""


def test_page() -> None:
    document = read_text(PAGE, "markdown", "notes.md")
    found = [(s.line, s.column, s.kind, s.section, s.block, s.row, s.latex) for s in document.spans]
    assert found == [
        (4, 13, "inline", (1,), 0, 0, "L"),
        (10, 1, "display", (1,), 1, 0, r"L = (10 - \hat{y})^2 \quad + c"),
        (12, 3, "display", (1,), 1, 1, "= 16"),
        (16, 8, "inline", (1,), 2, 0, r"\hat{y} = 14"),
        (16, 29, "inline", (1,), 3, 0, "w_0"),
        (23, 3, "display", (1, 1), 4, 0, "L' = 8"),
    ]
    assert {span.file for span in document.spans} == {"notes.md"}
    assert document.spans[1].before == "We have"
    assert document.spans[1].after == r"where $\hat{y} = 14$ and $w\_0$ is known."
    assert document.spans[3].before == "where"
    assert document.spans[4].after == "is known."
    assert document.spans[1].source == "L &= (10 - \\hat{y})^2 \\label{loss}\\\\\n  &\\quad + c"
    assert [(p.line, p.section, p.text) for p in document.pragmas] == [(17, (1,), "assume c = 0")]
    assert [(s.number, s.title, s.line) for s in document.sections] == [
        ((1,), "The loss $L$", 4),
        ((1, 1), "Slopes", 20),
    ]
    assert document.problems == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It costs $5 and $10.", []),
        ("It costs $5, then $7, or 3$ in all.", []),
        ("from $5-$10", []),
        ("set $HOME/bin:$PATH first", []),
        (r"\$5 and $x$", ["x"]),
        ("costs $5 and $x$ is good", ["x"]),
        ("the $i$th of $n$s", ["i", "n"]),
        ("padded $ y = 2 $ here", ["y = 2"]),
        ("one $10$ two", ["10"]),
        (r"$x \text{ if $y$ is } 1$", [r"x \text{ if $y$ is } 1"]),
        ("the code `$x$` and ``a ` $y$`` but $z$", ["z"]),
        ("```python\n$x$\n```\n$y$", ["y"]),
        ("~~~\n$x$\n```\n~~~\n$y$", ["y"]),
        ("```\n$x$", []),
        ("- item\n\n  ```\n  $x$\n  ```\n", []),
        ("text\n\n    $x$\n\n$y$", ["y"]),
        ("- item\n\n    $x$", ["x"]),
        ("```math\na = b\n```", ["a = b"]),
        ("<!-- $x$ --> $y$", ["y"]),
        ("<pre>\n$x$\n</pre> $y$", ["y"]),
        ("[a $x$](http://b/$c$) $y$", ["x", "y"]),
        ('<img alt="$x$"> $y$', ["y"]),
        ("if $a<b$ and $c>d$", ["a<b", "c>d"]),
        ("$a &lt; b$", ["a < b"]),
        ("as shown \\(see the appendix\\)", []),
        (r"as shown \[1, 3\]", []),
        (r"\(a\) and \[b\] and \\[c \\\\ d\\]", ["a", "b", "c", "d"]),
        ("$`a_1`$", ["a_1"]),
        (r"$W\_{0}$ and $\text{a\_b}$", ["W_{0}", r"\text{a\_b}"]),
        ("$3.57%$", [r"3.57\%"]),
        ("\\begin{align*}\na &= b & c &= d \\\\\ne &= f\n\\end{align*}", [r"a = b \quad c = d", "e = f"]),
        (
            r"$$a = \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} \\ b$$",
            [r"a = \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}", "b"],
        ),
        (
            r"$$\begin{cases} 0, & if \ x < 0 \\ 1 & otherwise \end{cases}$$",
            [r"\begin{cases} 0, & \text{if } x < 0 \\ 1 & \text{otherwise } \end{cases}"],
        ),
        (r"$$f = \begin{cases} 0 & x < 0 \\ 1 \end{cases}.$$", [r"f = \begin{cases} 0 & x < 0 \\ 1 \end{cases}"]),
        ("a $x\n\nb$ c", []),
        ("$$a$$ and $$b$$", ["a", "b"]),
        ("", []),
        ("$", []),
        ("$$", []),
        ("$$$$", []),
        ("$$ $$ $x$", ["x"]),
    ],
)
def test_formulas(text: str, expected: list[str]) -> None:
    assert formulas(text) == expected


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("$$ a = b", [1]),
        ("$$ a\n\nSome words that go on and on here\n\n$$", [1, 5]),
        ("\n\\begin{align} a", [2]),
        ("<!-- never", [1]),
    ],
)
def test_unclosed_is_noted(text: str, lines: list[int]) -> None:
    document = read_text(text, "markdown")
    assert ([problem.line for problem in document.problems], document.spans) == (lines, ())


def test_display_that_begins_with_a_relation_goes_on_with_the_one_before() -> None:
    text = "$$a = b$$\n\n$$= c$$\n$$\\approx d$$\n\n$$e = f$$\n\nso\n\n$$= g$$"
    found = [(span.block, span.row, span.latex) for span in read_text(text, "markdown").spans]
    assert found == [
        (0, 0, "a = b"),
        (0, 1, "= c"),
        (0, 2, r"\approx d"),
        (1, 0, "e = f"),
        (2, 0, "= g"),
    ]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (r"a &= b \\ &- c", [r"a = b - c"]),
        (r"a &= b \\ -c &= d", ["a = b", "-c = d"]),
        (r"a = \\ b", ["a = b"]),
        (r"a &= \left( b \right. \\ &\left. + c \right) \\ &= d", [r"a = \left( b + c \right)", "= d"]),
        (r"\leftarrow a \\ b", [r"\leftarrow a", "b"]),
        (r"a & = & b \\ c & = & d", ["a = b", "c = d"]),
        (r"a &= b && \text{by } c", [r"a = b \quad \text{by } c"]),
        ("w^+_6=0.4\n w^+_7 &= 0.5\n\\hat{w}_8 = 0.6", ["w^+_6=0.4", "w^+_7 = 0.5", r"\hat{w}_8 = 0.6"]),
        ("a = 3\nx + 1 = 4 x", ["a = 3 x + 1 = 4 x"]),
        ("a = b\nc = 4", ["a = b c = 4"]),
        (r"a \nonumber \\ \\ b", ["a", "b"]),
        (r"a \tag 5 \\ b \tag4 \\ c \eqno(3)", ["a", "b", "c"]),
        (r"a \ \ \ (7) \quad // so \\ b \quad //and b", ["a", "b"]),
        (r"a // b \quad (7)", [r"a // b \quad (7)"]),
    ],
)
def test_rows(rows: str, expected: list[str]) -> None:
    assert formulas(rf"$$\begin{{align}}{rows}\end{{align}}$$") == expected
