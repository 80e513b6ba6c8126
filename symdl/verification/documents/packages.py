r"""Commands of LaTeX packages, and short names that many use, for documents that do not define them themselves."""

from __future__ import annotations

STANDARD = r"""
\newcommand{\dv}[3][]{\frac{d^{#1} #2}{d #3^{#1}}}
\newcommand{\pdv}[3][]{\frac{\partial^{#1} #2}{\partial #3^{#1}}}
\newcommand{\odv}[3][]{\frac{d^{#1} #2}{d #3^{#1}}}
\newcommand{\dd}{\mathrm{d}}
\newcommand{\diff}{\mathrm{d}}
\DeclarePairedDelimiter{\abs}{\left|}{\right|}
\DeclarePairedDelimiter{\norm}{\left\|}{\right\|}
\newcommand{\vb}[1]{\mathbf{#1}}
\newcommand{\vv}[1]{\vec{#1}}
\newcommand{\given}{\mid}
\newcommand{\R}{\mathbb{R}}
\newcommand{\N}{\mathbb{N}}
\newcommand{\Z}{\mathbb{Z}}
\newcommand{\E}{\mathbb{E}}
\newcommand{\reals}{\mathbb{R}}
\DeclareMathOperator{\tr}{tr}
\DeclareMathOperator{\Tr}{Tr}
\DeclareMathOperator{\rank}{rank}
\DeclareMathOperator{\diag}{diag}
\DeclareMathOperator{\sgn}{sgn}
\DeclareMathOperator{\sign}{sign}
\DeclareMathOperator{\softmax}{softmax}
\DeclareMathOperator{\sigmoid}{sigmoid}
\DeclareMathOperator{\softplus}{softplus}
\DeclareMathOperator{\relu}{relu}
\DeclareMathOperator{\ReLU}{ReLU}
\DeclareMathOperator{\Var}{Var}
\DeclareMathOperator{\var}{var}
\DeclareMathOperator{\Cov}{Cov}
\newcommand{\ensuremath}[1]{#1}
\newcommand{\mathrel}[1]{#1}
\newcommand{\mathbin}[1]{#1}
\newcommand{\mathord}[1]{#1}
\newcommand{\class}[2]{#2}
\newcommand{\htmlId}[2]{#2}
\newcommand{\require}[1]{}
\newcommand{\displaylimits}{}
\newcommand{\qedhere}{}
"""
