"""The nodes of a matrix formula, and their LaTeX. Every node stands for a matrix; vectors are columns.

Functions act entry by entry; a number added to a matrix is added to every entry, as people write 1 − H ⊙ H.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import singledispatch

import sympy

from symdl.core.indices import Index
from symdl.core.tensors import Tensor
from symdl.rendering.conditions import beneath, condition
from symdl.rendering.mathprinter import MathPrinter
from symdl.rendering.names import GREEK, Name, parse_name
from symdl.rendering.pieces import ADD, ATOM, MUL, OPEN, POWER, Tex, product, wrapped
from symdl.rendering.subscripts import index_text

#: Stands for the matrix inside the template of an `Apply`.
ENTRY = sympy.Symbol("entry", real=True)


@dataclass(frozen=True)
class Named:
    """A tensor as a scalar, a column or a matrix: Y, or Y_n, y_nt for one that has more axes.

    `at` holds None for an axis that is a row or a column, else the label on that axis; empty: there are no labels.
    """

    tensor: Tensor
    at: tuple[sympy.Expr | None, ...] = ()

    @property
    def rank(self) -> int:
        return self.at.count(None) if self.at else self.tensor.rank


@dataclass(frozen=True)
class Constant:
    """A scalar without indices: numbers, extents, elements of rank 0."""

    value: sympy.Expr


@dataclass(frozen=True)
class Ones:
    """A column of ones."""

    index: Index


@dataclass(frozen=True)
class Transpose:
    of: Node


@dataclass(frozen=True)
class Matmul:
    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Hadamard:
    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Divide:
    """Entry by entry."""

    upper: Node
    lower: Node


@dataclass(frozen=True)
class Plus:
    """Terms with their signs: True for minus."""

    terms: tuple[tuple[bool, Node], ...]


@dataclass(frozen=True)
class Scale:
    """A scalar times a matrix."""

    factor: Node
    of: Node


@dataclass(frozen=True)
class Apply:
    """A function entry by entry; the template is an expression in `ENTRY`."""

    template: sympy.Expr
    of: Node


@dataclass(frozen=True)
class Diagonal:
    """diag(v), or its inverse."""

    of: Node
    inverse: bool = False


@dataclass(frozen=True)
class SquaredNorm:
    """The sum of the squares of all entries."""

    of: Node
    rank: int


@dataclass(frozen=True)
class Triangle:
    """The entries on and below the diagonal; above it where `upper`."""

    of: Node
    upper: bool = False


@dataclass(frozen=True)
class SumOver:
    """A sum over labels, where the guards hold."""

    indices: tuple[Index, ...]
    guards: tuple[sympy.Expr, ...]
    of: Node


@dataclass(frozen=True)
class Blocks:
    """Matrices beside each other; below each other where `stacked`."""

    parts: tuple[Node, ...]
    stacked: bool = False


Node = (
    Named
    | Constant
    | Ones
    | Transpose
    | Matmul
    | Hadamard
    | Divide
    | Plus
    | Scale
    | Apply
    | Diagonal
    | SquaredNorm
    | Triangle
    | SumOver
    | Blocks
)


def tensor_name(tensor: Tensor, rank: int | None = None) -> Name:
    r"""Bold, a matrix in capitals and a vector in small letters: X, w; a scalar as in index form.

    `rank` counts the axes that are no labels; None: all of them.

    >>> n, i = Index("n"), Index("i")
    >>> tensor_name(Tensor("x", (n, i))).tex(), tensor_name(Tensor("b1_bar", (i,))).tex()
    ('\\mathbf{X}', '\\bar{\\mathbf{b}}^{(1)}')
    """
    rank = tensor.rank if rank is None else rank
    if rank == 0:
        return parse_name(tensor.name, layered=tensor.rank > 0)

    def bold(word: str) -> str:
        if word in GREEK:
            return rf"\boldsymbol{{\{word}}}"
        cased = word.upper() if rank == 2 else word.lower()
        return rf"\mathbf{{{cased if len(word) == 1 else word}}}"

    return parse_name(tensor.name, layered=True, letters=bold)


def holds(node: object, *kinds: type) -> bool:
    """Whether a formula has a node of some kind."""
    parts = [getattr(node, f.name) for f in fields(node)] if is_dataclass(node) else node
    return isinstance(node, kinds) or (isinstance(parts, list | tuple) and any(holds(p, *kinds) for p in parts))


def named_in(node: object) -> Iterator[Named]:
    """The tensors of a formula, as often as each is written."""
    if isinstance(node, Named):
        yield node
    else:
        parts = [getattr(node, f.name) for f in fields(node)] if is_dataclass(node) else node
        for part in parts if isinstance(parts, list | tuple) else ():
            yield from named_in(part)


def matmul(*parts: Node) -> Node:
    """A product of matrices, without products of products."""
    flat = tuple(p for part in parts for p in (part.parts if isinstance(part, Matmul) else (part,)))
    return Matmul(flat) if len(flat) > 1 else flat[0]


def matrix_latex(node: Node) -> str:
    """LaTeX of a matrix formula."""
    return _tex(node).text


@singledispatch
def _tex(node: object) -> Tex:
    raise AssertionError(f"no way to print {node!r}")


@_tex.register
def _named(node: Named) -> Tex:
    name = tensor_name(node.tensor, node.rank)
    return Tex(name.tex(*_labels(node)), POWER if name.superscript else ATOM)


def _labels(node: Named) -> list[str]:
    printer = MathPrinter()
    return [index_text(a, printer.math) for a in node.at if a is not None]


@_tex.register
def _constant(node: Constant) -> Tex:
    text = MathPrinter().math(node.value)
    if node.value.is_Add or text.startswith("-"):
        return Tex(text, ADD)
    return Tex(text, ATOM if node.value.is_Integer or node.value.is_Symbol else POWER, number=node.value.is_Integer)


@_tex.register
def _ones(node: Ones) -> Tex:
    return Tex(r"\mathbf{1}", ATOM)


@_tex.register
def _transpose(node: Transpose) -> Tex:
    if isinstance(node.of, Named):
        name = tensor_name(node.of.tensor, node.of.rank)
        return Tex(replace(name, superscript=name.superscript + r"\top").tex(*_labels(node.of)), POWER)
    return Tex(rf"{wrapped(_tex(node.of), ATOM)}^{{\top}}", POWER)


@_tex.register
def _matmul(node: Matmul) -> Tex:
    parts = [_tex(p) for p in node.parts]
    return Tex(" ".join(wrapped(p, POWER) for p in parts), MUL)


@_tex.register
def _hadamard(node: Hadamard) -> Tex:
    return Tex(r" \odot ".join(wrapped(_tex(p), POWER) for p in node.parts), OPEN)


@_tex.register
def _divide(node: Divide) -> Tex:
    return Tex(rf"{wrapped(_tex(node.upper), POWER)} \oslash {wrapped(_tex(node.lower), POWER)}", OPEN)


@_tex.register
def _plus(node: Plus) -> Tex:
    text = ""
    for negative, term in node.terms:
        part = wrapped(_tex(term), OPEN)
        text += (" - " if negative else " + ") + part if text else ("-" if negative else "") + part
    return Tex(text, ADD)


@_tex.register
def _scale(node: Scale) -> Tex:
    if node.factor == Constant(sympy.S.Zero):
        return Tex(r"\mathbf{0}", ATOM)
    inside = _tex(node.of)
    if isinstance(node.of, Hadamard | Divide | Plus):
        inside = Tex(wrapped(inside), ATOM)
    return Tex(product([_tex(node.factor), inside]).text, MUL)


@_tex.register
def _apply(node: Apply) -> Tex:
    inside = _tex(node.of)
    if isinstance(node.template, sympy.exp) and node.template.args[0] == ENTRY:
        return Tex(rf"\exp{wrapped(inside)}", ATOM)
    if isinstance(node.template, sympy.log):
        return Tex(rf"\log{wrapped(inside)}", ATOM)
    if isinstance(node.template, sympy.Pow):
        if node.template.exp == sympy.Rational(1, 2):
            return Tex(rf"\sqrt{{{inside.text}}}", POWER)
        exponent = MathPrinter().math(node.template.exp)
        return Tex(rf"{wrapped(inside, ATOM)}^{{\odot {exponent}}}", POWER)
    text = MathPrinter(verbatim={ENTRY: inside}).math(node.template)
    return Tex(text, ADD if text.startswith(r"\begin") else ATOM)


@_tex.register
def _diagonal(node: Diagonal) -> Tex:
    text = rf"\operatorname{{diag}}{wrapped(_tex(node.of))}"
    return Tex(text + "^{-1}", POWER) if node.inverse else Tex(text, POWER)


@_tex.register
def _norm(node: SquaredNorm) -> Tex:
    below = "_{F}" if node.rank == 2 else ""
    return Tex(rf"\left\lVert {_tex(node.of).text} \right\rVert{below}^{{2}}", POWER)


@_tex.register
def _triangle(node: Triangle) -> Tex:
    return Tex(rf"\operatorname{{tri{'u' if node.upper else 'l'}}}{wrapped(_tex(node.of))}", ATOM)


@_tex.register
def _sum_over(node: SumOver) -> Tex:
    printer = MathPrinter()
    below = beneath(node.indices, [condition(g, node.indices, printer.math) for g in node.guards], printer.math)
    return Tex(rf"\sum_{{{below}}} {wrapped(_tex(node.of), OPEN)}", OPEN)


@_tex.register
def _blocks(node: Blocks) -> Tex:
    between = r" \\ " if node.stacked else " & "
    return Tex(rf"\begin{{bmatrix}} {between.join(_tex(p).text for p in node.parts)} \end{{bmatrix}}", ATOM)
