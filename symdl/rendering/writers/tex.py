"""Documents as complete LaTeX articles that pdflatex compiles as they are."""

from __future__ import annotations

import re
import unicodedata

from symdl.rendering.document import (
    Code,
    Document,
    Figure,
    Formula,
    Heading,
    Items,
    Link,
    Paragraph,
    Row,
    Table,
    pieces,
    visible_length,
)
from symdl.rendering.names import GREEK

_PREAMBLE = r"""\documentclass[11pt,a4paper,fleqn]{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{lmodern}
\usepackage[margin=22mm]{geometry}
\usepackage{amsmath,amssymb,graphicx,xcolor}
%TIKZ%\setlength{\parindent}{0pt}
\setlength{\mathindent}{0pt}
\setlength{\parskip}{6pt plus 2pt}
\definecolor{note}{gray}{0.4}
\newcommand{\why}[1]{\text{\footnotesize\color{note}#1}}
% a formula wider than the page is scaled down to it
\allowdisplaybreaks
\newsavebox{\formulabox}
\newcommand{\fitted}[1]{\sbox{\formulabox}{$\displaystyle #1$}%
  \ifdim\wd\formulabox>\linewidth\resizebox{\linewidth}{!}{\usebox{\formulabox}}\else\usebox{\formulabox}\fi}
\begin{document}
"""
_TIKZ = "\\usepackage{tikz}\n\\usetikzlibrary{arrows.meta}\n"
#: Wider than this (in characters), a line of a formula stands alone, so that it does not shrink its neighbours.
_WIDE = 72

#: Signs that a Latin font lacks, as mathematics.
SIGNS = {
    "−": "-",
    "∂": r"\partial",
    "Σ": r"\Sigma",
    "Π": r"\Pi",
    "≥": r"\ge",
    "≤": r"\le",
    "≠": r"\ne",
    "≈": r"\approx",
    "≡": r"\equiv",
    "→": r"\to",
    "←": r"\leftarrow",
    "⇒": r"\Rightarrow",
    "∈": r"\in",
    "∞": r"\infty",
    "√": r"\surd",
    "·": r"\cdot",
    "×": r"\times",
    "⊙": r"\odot",
    "ᵀ": r"^{\top}",
    "…": r"\dots",
    "∇": r"\nabla",
    "‖": r"\Vert",
    "²": "^{2}",
    "³": "^{3}",
    "⁻": "^{-}",
    "ˣ": "^{x}",
    "′": "'",
}
SIGNS |= {
    unicodedata.lookup(f"GREEK {case} LETTER {'LAMDA' if name.lower() == 'lambda' else name.upper()}"): f"\\{name}"
    for name in GREEK
    for case in ("CAPITAL" if name[0].isupper() else "SMALL",)
}
_TEXT = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "–": "--",
    "—": "---",
    "“": "``",
    "”": "''",
    "’": "'",
    "„": r"\quotedblbase{}",
}
_COMBINING = {
    "\N{COMBINING MACRON}": r"\bar",
    "\N{COMBINING CIRCUMFLEX ACCENT}": r"\hat",
    "\N{COMBINING TILDE}": r"\tilde",
}


def to_tex(document: Document) -> str:
    """A complete LaTeX article; it needs amsmath, graphicx, xcolor and, for figures, TikZ."""
    has_figure = any(isinstance(b, Figure) for b in document.blocks)
    parts = [_PREAMBLE.replace("%TIKZ%", _TIKZ if has_figure else "")]
    parts.append(rf"\section*{{\LARGE {_words(document.title)}}}")
    parts += [_block(block) for block in document.blocks]
    parts.append(r"\end{document}")
    return "\n\n".join(parts) + "\n"


def _block(block: object) -> str:
    match block:
        case Heading(text, level):
            return rf"\{'sub' * (level - 2)}section*{{{_words(text)}}}"
        case Paragraph(text):
            return _words(text)
        case Items(entries):
            body = "\n".join(rf"\item {_words(e)}" for e in entries)
            return f"\\begin{{itemize}}\n{body}\n\\end{{itemize}}"
        case Link(text, target):
            return rf"{_words(text)}: \texttt{{{escaped(target)}}}"
        case Formula(rows):
            return _formula(rows)
        case Figure(_, tikz, caption):
            under = f"\n\n{{\\small {_words(caption)}}}" if caption else ""
            return f"\\begin{{center}}\n{_boxed(tikz.strip())}{under}\n\\end{{center}}"
        case Table(head, rows, caption):
            return _table(head, rows, caption)
        case Code(text, _):
            return f"\\begin{{verbatim}}\n{_ascii(text.rstrip())}\n\\end{{verbatim}}"
    raise AssertionError(f"no way to write {block!r}")


def _formula(rows: tuple[Row, ...]) -> str:
    """Aligned rows; where one is wider than the page, each row on a line of its own, scaled to the page."""
    if any(visible_length(row.left + row.right) > _WIDE for row in rows):
        lines = []
        for row in rows:
            why = rf"\hfill\(\why{{{_words(row.note)}}}\)\nopagebreak\par" if row.note else ""
            lines.append(rf"{why}\fitted{{{row.left} {row.relation} {row.right}}}\par")
        return "{\\parskip=8pt\n" + "\n".join(lines) + "}"
    body = " \\\\[3pt]\n".join(
        rf"{row.left} &{row.relation} {row.right}"
        + (rf" \tag*{{\footnotesize\color{{note}}{_words(row.note)}}}" if row.note else "")
        for row in rows
    )
    return f"\\begin{{align*}}\n{body}\n\\end{{align*}}"


def _table(head: tuple[str, ...], rows: tuple[tuple[str, ...], ...], caption: str) -> str:
    lines = [" & ".join(_words(c) for c in line) + r" \\" for line in (head, *rows)]
    body = "\n".join([r"\hline", lines[0], r"\hline", *lines[1:], r"\hline"])
    under = f"\n\n{{\\small {_words(caption)}}}" if caption else ""
    table = f"\\begin{{tabular}}{{{'l' * len(head)}}}\n{body}\n\\end{{tabular}}"
    return f"\\begin{{center}}\n{_boxed(table)}{under}\n\\end{{center}}"


def _boxed(text: str) -> str:
    """A picture or a table, scaled down where it is wider than the page."""
    box = r"\usebox{\formulabox}"
    return (
        f"\\sbox{{\\formulabox}}{{{text}}}%\n\\ifdim\\wd\\formulabox>\\linewidth"
        f"\\resizebox{{\\linewidth}}{{!}}{{{box}}}\\else{box}\\fi"
    )


def _words(text: str) -> str:
    return "".join(f"${t}$" if is_math else escaped(t) for is_math, t in pieces(text))


def escaped(text: str) -> str:
    r"""Words that pdflatex prints as they are.

    >>> escaped("50 % of x_1 ≥ δ")
    '50 \\% of x\\_1 $\\ge$ $\\delta$'
    """
    return "".join(_character(c) for c in _accented(text))


def _accented(text: str) -> list[str]:
    """Characters, each with the combining accents that follow it."""
    return re.findall(r".[\u0300-\u036f]*", unicodedata.normalize("NFC", text), re.DOTALL)


def _character(char: str) -> str:
    if char in _TEXT:
        return _TEXT[char]
    if char in SIGNS:
        return f"${SIGNS[char]}$"
    if len(char) == 2 and char[1] in _COMBINING:
        return f"${_COMBINING[char[1]]}{{{SIGNS.get(char[0], char[0])}}}$"
    if all(c in "\n\t" or " " <= c <= "~" or "\xa1" <= c <= "\u017f" for c in char):
        return char
    plain = unicodedata.normalize("NFKD", char)
    if plain != char and all(" " <= c <= "~" for c in plain):
        return escaped(plain)
    return rf"\texttt{{[U+{ord(char[0]):04X}]}}"


def _ascii(text: str) -> str:
    """Program text for verbatim, where no command helps."""
    text = text.replace(r"\end{verbatim}", r"\end {verbatim}")
    return "".join(c if c in "\n\t" or " " <= c <= "~" or "\xa1" <= c <= "\xff" else f"<U+{ord(c):04X}>" for c in text)
