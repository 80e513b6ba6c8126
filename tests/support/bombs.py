"""Formulas that would take a careless checker all time or all memory, by what grows in them."""

from __future__ import annotations

#: Two primes of 40 digits; their product is not factored in seconds.
_PRIMES = 1000000000000000000000000000000000000121, 2000000000000000000000000000000000000083
_LONG = "123456789" * 45


def _nested(first: str, last: str, times: int, inner: str = "x") -> str:
    return first * times + inner + last * times


BOMBS = {
    "towers": r"9^{9^{9^9}} = 3",
    "towers of fractions": r"\left(\frac{1}{9}\right)^{9^{9^9}} = 3",
    "roots of towers": r"\sqrt{10^{10^{10}} + 1} = 3",
    "exponentials": r"\exp(\exp(\exp(\exp(\exp(10))))) = 3",
    "a wave far out": r"\sin(10^{10^{7}}) = 0.5",
    "brackets": _nested("(", ")", 10_000) + " = x",
    "fractions": _nested(r"\frac{1}{1 + ", "}", 10_000) + " = x",
    "fractions that are read": _nested(r"\frac{1}{1 + ", "}", 45) + " = x",
    "roots": _nested(r"\sqrt{1 + ", "}", 90) + " = x",
    "exponents": _nested("x^{", "}", 90) + " = x",
    "functions": r"\frac{d}{dx} " + _nested(r"\tanh(", ")", 40) + " = x",
    "functions of functions": r"\frac{d^4}{dx^4} " + _nested(r"\exp(\sin(", "))", 10) + " = x",
    "long sums": r"\sum_{i=1}^{10^9} i^2 = 3",
    "long sums of waves": r"\sum_{i=1}^{10^9} \sin(i) = 3",
    "sums of sums": r"\sum_{i=1}^{10^5} \sum_{j=1}^{10^5} \frac{1}{i + j^2} = 3",
    "products": r"\prod_{i=1}^{10^6} i = 3",
    "products of sums": r"\prod_{i=1}^{200} (x + i) = \prod_{i=1}^{200} (x - i)",
    "factorials": r"1000000! = 3",
    "factorials of factorials": r"((100!)!)! = 3",
    "binomials": r"\binom{10^9}{10^8} = 3",
    "digits": rf"{_LONG} \cdot {_LONG} = {_LONG}",
    "digits of products": r"10^{3000} \cdot 10^{3000} = 3",
    "sums of many digits": r"\sum_{i=1}^{10^{3000} 10^{3000}} i = 7",
    "more digits": "9" * 19_000 + " = 3",
    "decimals": "0." + "3" * 400 + r" \cdot 3 = 2",
    "factors": rf"\log({_PRIMES[0] * _PRIMES[1]}) = \log({_PRIMES[0]}) + \log({_PRIMES[1] + 2})",
    "roots of factors": rf"\sqrt{{{_PRIMES[0] * _PRIMES[1]}}} = 3",
    "powers": r"(a + b + c + d)^{90} = (a + b + c + d + 1)^{90}",
    "high powers": r"(x + 1)^{1000} = (x + 2)^{1000}",
    "fractions of many": r"\prod_{i=1}^{14} \frac{1}{x + i y} = \sum_{i=1}^{14} \frac{1}{x + i z}",
    "many letters": " + ".join(f"x_{{{k}}}^2" for k in range(900)) + " = 1",
    "maxima": r"\max(" + ", ".join(f"x_{{{k}}}" for k in range(14)) + r") = \max(x_3, x_5)",
    "absolute values": " + ".join(f"|x_{{{k}}} - x_{{{k + 1}}}|" for k in range(16)) + " = x_1",
    "cases": r"\frac{d}{dx} " + _nested(r"\max(0, 1 - ", ")", 20) + " = 1",
    "matrices": r"\begin{pmatrix}" + r"\\".join(["&".join(["x"] * 40)] * 40) + r"\end{pmatrix} = x",
    "traces": r"\operatorname{tr}(" + r"\mathbf{A}" * 24 + r") = 1",
}

#: Those that take what time they are given.
_SLOW = ("functions of functions", "sums of sums", "products", "many letters", "maxima", "cases")
LONG = {name: BOMBS[name] for name in _SLOW}

#: Macros that never end, or that double each time.
MACROS = r"""
\newcommand{\a}{x x}
\newcommand{\b}{\a\a\a\a\a\a\a\a\a\a}
\newcommand{\c}{\b\b\b\b\b\b\b\b\b\b}
\newcommand{\d}{\c\c\c\c\c\c\c\c\c\c}
\newcommand{\f}{\d\d\d\d\d\d\d\d\d\d}
\newcommand{\g}{\f\f\f\f\f\f\f\f\f\f}
\newcommand{\h}{\g\g\g\g\g\g\g\g\g\g}
\newcommand{\r}{\r + \r}
\newcommand{\s}[1]{\s{#1 #1}}
"""
