"""LaTeX, Markdown, HTML and PDF of expressions, equations, definitions, derivations and worked examples.

>>> import sympy
>>> latex(sympy.Symbol("x") ** 2 - 1)
'x^{2} - 1'
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import sympy

from symdl.core.definitions import Definition
from symdl.core.equations import Equation
from symdl.core.files import write_bytes_atomic, write_text_atomic
from symdl.derivation.steps import Derivation
from symdl.derivation.worked import Worked
from symdl.errors import UnsupportedError
from symdl.library.activations import Activation
from symdl.rendering.describe import (
    describe_definition,
    describe_derivation,
    describe_equation,
    describe_expression,
    describe_worked,
    equation_rows,
)
from symdl.rendering.document import Block, Document, Formula, Lead
from symdl.rendering.mathprinter import Derivative, MathPrinter, print_math
from symdl.rendering.writers.html import page, to_html
from symdl.rendering.writers.markdown import aligned, to_markdown
from symdl.rendering.writers.mathml import mathml
from symdl.rendering.writers.pdf import to_pdf
from symdl.rendering.writers.tex import to_tex

__all__ = ["describe", "html", "latex", "markdown", "mathml", "page", "print_math", "write"]

Notation = Literal["index", "matrix"]


def describe(obj: Any, *, notation: Notation = "index", derivative: Derivative = "bar") -> Document:
    """The document of an expression, equation, definition, activation, derivation or worked example.

    Args:
        obj: what to show; a Document is itself.
        notation: "index", or "matrix" for equations whose matrix form is recognised.
        derivative: cotangents as "bar" (x̄) or "fraction" (∂L/∂x).

    Raises:
        UnsupportedError: something else.
    """
    match obj:
        case Document():
            return obj
        case Equation():
            return describe_equation(obj, notation, derivative)
        case Definition():
            return describe_definition(obj, notation, derivative)
        case Activation():
            return describe_definition(obj.definition(), notation, derivative)
        case Derivation():
            return describe_derivation(obj, notation, derivative)
        case Worked():
            return describe_worked(obj)
        case sympy.Expr():
            return describe_expression(obj, derivative)
    raise UnsupportedError(
        f"no way to show {type(obj).__name__}",
        remedy="give an expression, Equation, Definition, Activation, Derivation, worked example or Document",
    )


def latex(obj: Any, *, notation: Notation = "index", derivative: Derivative = "bar") -> str:
    """LaTeX for a formula environment: of an expression, an equation, or aligned equations.

    For a derivation: the chains of its steps. A complete document is what `write(obj, "file.tex")` makes.
    """
    if isinstance(obj, sympy.Expr):
        return MathPrinter(derivative).math(obj)
    if isinstance(obj, Equation):
        rows = tuple(equation_rows(MathPrinter(derivative), obj, notation))
        return aligned(rows)
    blocks = describe(obj, notation=notation, derivative=derivative).blocks
    return "\n\n".join(text for b in blocks if (text := _in_formulas(b)))


def _in_formulas(block: Block) -> str:
    """A formula as it is; of the words, those that belong to one: for t = 0, …, T − 1."""
    if isinstance(block, Formula):
        return aligned(block.rows)
    return rf"\text{{{block.text}}}" if isinstance(block, Lead) else ""


def markdown(obj: Any, *, notation: Notation = "index", derivative: Derivative = "bar") -> str:
    """Markdown with `$$` blocks."""
    return to_markdown(describe(obj, notation=notation, derivative=derivative))


def html(obj: Any, *, notation: Notation = "index", derivative: Derivative = "bar") -> str:
    """One self-contained HTML page, with MathML and no network."""
    return to_html(describe(obj, notation=notation, derivative=derivative))


def write(obj: Any, path: str | os.PathLike[str], **options: Any) -> Path:
    """Write `obj` to a file, whole or not at all: .tex (a complete article), .md, .html or .pdf.

    Raises:
        UnsupportedError: another suffix.
        MissingDependencyError: .pdf without TeX.
        OutputError: the file can't be written, or TeX stopped.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in (".tex", ".md", ".html", ".pdf"):
        raise UnsupportedError(
            f"no writer for '{suffix or os.fspath(path)}'", where=os.fspath(path), remedy="use .tex, .md, .html or .pdf"
        )
    document = describe(obj, **options)
    if suffix == ".pdf":
        return write_bytes_atomic(path, to_pdf(to_tex(document)))
    writer = {".tex": to_tex, ".md": to_markdown, ".html": to_html}[suffix]
    return write_text_atomic(path, writer(document))
