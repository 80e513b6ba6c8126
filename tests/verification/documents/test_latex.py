"""Formulas in LaTeX documents, and macros."""

from __future__ import annotations

import pytest
from support.clocks import processor_seconds

from symdl.verification.documents import read_text
from symdl.verification.documents.macros import MOST_CHARACTERS, ExpansionError, Macros


def formulas(text: str) -> list[str]:
    return [span.latex for span in read_text(text, "latex").spans]


PAGE = r"""\documentclass{article}
\usepackage{amsmath} % $no$
\newcommand{\pd}[2][L]{\frac{\partial #1}{\partial #2}}
\DeclareMathOperator{\relu}{ReLU}
\def\be{\begin{equation}}
\def\ee{\end{equation}}
\newcommand\R{\mathbb R}
\title{The loss $L$}
\begin{document}
\section{The \emph{loss}}
% symdl: assume w > 0
We know\footnote{Of $x$.} that $\pd{w_0} = 8$.  % and $not$ this
\be
  \label{eq:1}
  y = \relu(s), \quad s \in \R^\R
\ee
\subsection*{Numbers for $n=1$}
\begin{eqnarray}
  L &=& (10 - 14)^2 \nonumber \\
    &=& 16.
\end{eqnarray}
It costs \$5. \verb|$v$| \lstinline!$v$!
\begin{verbatim}
$v$
\end{verbatim}
\iffalse $v$ \fi
\begin{multline*}
 a = b \\ + c
\end{multline*}
\[ 100 \% = 1 \]
\input{more}
\section{Second}
$$z$$
\end{document}
$w$
"""


def test_page() -> None:
    document = read_text(PAGE, "latex", "notes.tex")
    found = [(s.line, s.column, s.kind, s.section, s.row, s.latex) for s in document.spans]
    assert found == [
        (12, 22, "inline", (1,), 0, "x"),
        (12, 33, "inline", (1,), 0, r"\frac{\partial L}{\partial w_0} = 8"),
        (15, 3, "display", (1,), 0, r"y = \operatorname{ReLU}(s), \quad s \in \mathbb R^{\mathbb R}"),
        (17, 27, "inline", (1, 1), 0, "n=1"),
        (19, 3, "display", (1, 1), 0, "L = (10 - 14)^2"),
        (20, 5, "display", (1, 1), 1, "= 16"),
        (28, 2, "display", (1, 1), 0, "a = b + c"),
        (30, 4, "display", (1, 1), 0, r"100 \% = 1"),
        (33, 3, "display", (2,), 0, "z"),
    ]
    assert [(p.line, p.section, p.text) for p in document.pragmas] == [(11, (1,), "assume w > 0")]
    assert [s.title for s in document.sections] == ["The loss", "Numbers for $n=1$", "Second"]
    assert [p.line for p in document.problems] == [31]
    assert document.spans[1].before == "We know that"
    assert document.spans[1].after == r". $y = \relu(s), \quad s \in \R^\R$"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$a$ and \\(b\\)", ["a", "b"]),
        (r"\begin{align}\begin{split} a &= b \\ &= c \end{split}\\ d &= e\end{align}", [
            r"\begin{split} a &= b \\ &= c \end{split}", "d = e"]),
        (r"\begin{equation}\begin{aligned}[t] a &= b \\ &= c \end{aligned}\label{x}.\end{equation}", ["a = b", "= c"]),
        (r"\[\begin{align} a &= b \\ &= c \end{align} \\ \]", ["a = b", "= c"]),
        (r"\begin{gather} a = b \\ c = d \end{gather}", ["a = b", "c = d"]),
        (r"\begin{alignat}{2} a &= b &\quad c &= d \end{alignat}", [r"a = b \quad \quad c = d"]),
        (r"\begin{equation*} a = \left[ \begin{array}{cc} 1 & 2 \\ 3 & 4 \end{array} \right] \end{equation*}", [
            r"a = \left[ \begin{array}{cc} 1 & 2 \\ 3 & 4 \end{array} \right]"]),
        (r"\begin{displaymath}\begin{array}{rcl} a & = & b \\ c & = & d \end{array}\end{displaymath}", [
            "a = b", "c = d"]),
        ("$a % b\n c$", ["a c"]),
        (r"\begin{align} a &= b \\ \intertext{where $x_{1}$ is \\ and} c &= d \tag{\ref{x}} \end{align}", [
            "a = b", "c = d"]),
        (r"\begin{IEEEeqnarray}{rCl} a & = & b \\ & = & c \end{IEEEeqnarray}", ["a = b", "= c"]),
        (r"$\dv{y}{x} + \pdv[2]{L}{w}$", [r"\frac{d y}{d x} + \frac{\partial^{2} L}{\partial w^{2}}"]),
        (r"$\abs{x} \in \R$, $\newcommand{\R}{R} \R$", [r"\left|x\right| \in \mathbb{R}", "R"]),
        (r"\providecommand{\E}{E} $\E$", ["E"]),
        (r"$a \text{ if $b$ or } c$", [r"a \text{ if $b$ or } c"]),
        ("a \\\\ $b$", ["b"]),
    ],
)  # fmt: skip
def test_formulas(text: str, expected: list[str]) -> None:
    assert formulas(text) == expected


@pytest.mark.parametrize(
    "text",
    ["$a\n\nb", "$$ a", r"\begin{equation} a", r"\def\be{\begin{align}} \be a = b", r"\begin{align} \begin{align}"],
)
def test_unclosed_is_noted(text: str) -> None:
    document = read_text(text, "latex")
    assert document.problems
    assert document.spans == ()


@pytest.mark.parametrize(
    ("definitions", "text", "expected"),
    [
        (r"\newcommand{\a}{\alpha}", r"\a b + \ab", r"\alpha b + \ab"),
        (r"\newcommand*{\v}[1]{\mathbf{#1}}", r"\v x + \v{y}", r"\mathbf{x} + \mathbf{y}"),
        (r"\newcommand{\b}[1]{\mathbf#1}", r"\b x", r"\mathbf x"),
        (r"\newcommand{\d}[2][x]{d#2/d#1}", r"\d{y} = \d[t]{y}", "dy/dx = dy/dt"),
        (r"\def\f#1#2{\frac{#1}{#2}}", r"\f12", r"\frac{1}{2}"),
        (r"\newcommand{\w}{\omega}", r"\w t", r"\omega t"),
        (r"\newcommand{\w}{\omega}", r"\w{}t", r"\omega{}t"),
        (r"\newcommand{\f}[1]{#1\cdot}", r"\f{a}b", r"a\cdot b"),
        (r"\newcommand{\R}{\mathbb{R}}", r"x^\R", r"x^{\mathbb{R}}"),
        (r"\DeclareMathOperator*{\am}{arg\,min}", r"\am_x f", r"\operatorname*{arg\,min}_x f"),
        (r"\DeclareMathOperator{\E}{\mathbb{E}}", r"\E[x]", r"\mathbb{E}[x]"),
        (r"\DeclarePairedDelimiter{\abs}{|}{|}", r"\abs{x} + \abs*{y}", r"|x| + \left|y\right|"),
        (r"\let\old\vec \renewcommand{\vec}[1]{\old{\mathbf{#1}}}", r"\vec x", r"\vec{\mathbf{x}}"),
        (r"\newcommand{\a}{1}\let\b\a\renewcommand{\a}{2}", r"\a\b", "21"),
        (r"\newcommand{\a}{1}\providecommand{\a}{2}\providecommand{\b}{3}", r"\a\b", "13"),
        (r"\NewDocumentCommand{\g}{m m}{#2#1}", r"\g{a}{b}", "ba"),
        (r"\newcommand{\a}[1]{<#1>}", r"\a{\a{b}}", "<<b>>"),
        (r"\newcommand{\a}[1]{<#1>}", r"\a", "<>"),
        (r"\newcommand{\a", r"\a", r"\a"),
    ],
)
def test_macros(definitions: str, text: str, expected: str) -> None:
    macros = Macros()
    assert macros.expand(definitions).strip() in {"", r"\newcommand{\a"} or definitions.endswith("a")
    assert macros.expand(text) == expected


@pytest.mark.parametrize(
    "definitions",
    [
        r"\def\a{\a}",
        r"\def\a{x\a}",
        r"\def\a{\b}\def\b{\a}",
        r"\def\a{\b\b}\def\b{\c\c}\def\c{\d\d}\def\d{\e\e}\def\e{\f\f}\def\f{\g\g}\def\g{" + "x" * 5_000 + "}",
        r"\def\b#1{" + "#1" * 5_000 + r"}\def\a{\b{" + "x" * 5_000 + "}}",
    ],
)
def test_macro_bomb_is_bounded(definitions: str) -> None:
    macros = Macros()
    macros.expand(definitions)

    def expand() -> None:
        with pytest.raises(ExpansionError):
            macros.expand(r"\a")

    assert processor_seconds(expand) < 2
    text = definitions + "\n" + r"$\a$ and $y = 2$ " * 500
    assert processor_seconds(lambda: read_text(text, "latex")) < 4
    document = read_text(text, "latex")
    assert [span.latex for span in document.spans][:2] == [r"\a", "y = 2"]
    assert len(document.problems) == 500
    assert all(len(span.latex) <= MOST_CHARACTERS for span in document.spans)


def test_bomb_within_one_formula() -> None:
    document = read_text(r"$\def\a{\a\a}\a$ $b$", "markdown")
    assert [span.latex for span in document.spans] == [r"\def\a{\a\a}\a", "b"]
    assert len(document.problems) == 1


def test_definitions_in_formulas_count_from_there_on() -> None:
    text = "$\\Q$\n\n$$\\newcommand{\\Q}{\\mathbb{R}}$$\n\n$x \\in \\Q$"
    assert [s.latex for s in read_text(text, "markdown").spans] == [r"\Q", r"x \in \mathbb{R}"]
