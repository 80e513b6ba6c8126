"""Index arithmetic as people write it: 2u + r − 1, (cH + h)W + w, ⌊(H − R)/2⌋ + 1.

An index stands before an extent and a number at the end, unlike in a product of values. Subscripts and what stands
beneath a Σ are set without spaces.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import sympy

from symdl.core.indices import Index
from symdl.core.tensors import Element, Reduction

Print = Callable[[sympy.Expr], str]


def is_index_arithmetic(expr: sympy.Basic) -> bool:
    """True for sums and products of indices, extents and integers, with floors and quotients of such."""
    free = expr.free_symbols
    return (
        bool(free)
        and all(isinstance(s, Index) or (s.is_Symbol and not s.is_Dummy and s.is_integer) for s in free)
        and not expr.has(Element, Reduction, sympy.exp)
        and not any(not isinstance(f, sympy.floor | sympy.ceiling | sympy.Mod) for f in expr.atoms(sympy.Function))
    )


def index_text(expr: sympy.Expr, atom: Print) -> str:
    """LaTeX of an index expression, without spaces; `atom` prints what is no sum, product or floor.

    >>> u, r, H = Index("u"), Index("r"), sympy.Symbol("H", integer=True, positive=True)
    >>> index_text(r - 1 + 2 * u, str), index_text(u * H + r, str)
    ('2 u+r-1', 'uH+r')
    >>> index_text(sympy.floor((H - 3) / 2) + 1, str)
    '\\\\left\\\\lfloor \\\\frac{H-3}{2} \\\\right\\\\rfloor+1'
    """
    if expr.is_Add:
        parts = sorted((_signed(a) for a in expr.args), key=lambda part: _term_key(*part))
        if parts[0][0] and not parts[-1][0]:  # 1 − c, not −c + 1
            parts = [parts[-1], *parts[:-1]]
        text = ""
        for negative, size in parts:
            text += ("-" if negative else "+" if text else "") + index_text(size, atom)
        return text
    if expr.is_Mul:
        return _product(expr, atom)
    if isinstance(expr, sympy.floor | sympy.ceiling):
        side = "floor" if isinstance(expr, sympy.floor) else "ceil"
        return rf"\left\l{side} {_quotient(expr.args[0], atom)} \right\r{side}"
    if isinstance(expr, sympy.Mod):
        left, right = (_grouped(a, atom) for a in expr.args)
        return rf"{left} \bmod {right}"
    return atom(expr)


def _signed(term: sympy.Expr) -> tuple[bool, sympy.Expr]:
    return (True, -term) if term.could_extract_minus_sign() else (False, term)


def _term_key(negative: bool, size: sympy.Expr) -> tuple[Any, ...]:
    """Numbers last; else what has a sign after what has none, the strides before the rest, and the alphabet."""
    weight = sum(1 for a in sympy.preorder_traversal(size) if a.is_Symbol or (a.is_Integer and a != 1))
    return (size.is_number, negative, -weight, str(size))


def _product(expr: sympy.Expr, atom: Print) -> str:
    negative, size = _signed(expr)
    above, below = sympy.fraction(size)
    if below != 1:
        text = _quotient(size, atom)
    else:
        factors = sorted(sympy.Mul.make_args(above), key=_factor_key)
        pieces = [_grouped(f, atom) for f in factors]
        text = pieces[0]
        for before, piece in zip(factors, pieces[1:], strict=False):
            text += (" " if before.is_number or (text[-1].isalpha() and "\\" in text) else "") + piece
    return ("-" if negative else "") + text


def _factor_key(factor: sympy.Expr) -> tuple[Any, ...]:
    """2, then indices and sums of them, then extents."""
    return (not factor.is_number, not factor.has(Index), factor.is_Add, str(factor))


def _grouped(expr: sympy.Expr, atom: Print) -> str:
    text = index_text(expr, atom)
    return f"({text})" if expr.is_Add else text


def _quotient(expr: sympy.Expr, atom: Print) -> str:
    """H/2 − 3/2, as SymPy keeps it, as the quotient (H − 3)/2."""
    above, below = sympy.fraction(sympy.together(expr))
    if below == 1:
        return index_text(above, atom)
    return rf"\frac{{{index_text(above, atom)}}}{{{index_text(below, atom)}}}"


def spaced(text: str) -> str:
    """The same outside subscripts: `t + 1`."""
    return re.sub(r"(?<=[^{(\s])([+-])", r" \1 ", text)
