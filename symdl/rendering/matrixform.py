"""The matrix form of an index equation: S = X Wᵀ + 1 bᵀ. Recognised in the equation, never derived a second time.

A product under a sum is a graph: its indices are the nodes, a factor with two indices is an edge. Where that graph is
a path from the row of the left side to its column, the sum is a product of matrices along the path. What has no such
form gives None, and the index form is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, permutations

import sympy

from symdl.core.equations import Equation
from symdl.core.functions import Delta, InRange, Switch
from symdl.core.indices import Index, indices_in
from symdl.core.tensors import Element, Reduction, Role, outermost_reductions, reduction
from symdl.rendering.conditions import take_guards
from symdl.rendering.matrixblocks import blocks_along
from symdl.rendering.matrixframes import Label, frames, labelled, outer_sums, unlabelled
from symdl.rendering.matrixtree import (
    ENTRY,
    Apply,
    Blocks,
    Constant,
    Diagonal,
    Divide,
    Hadamard,
    Named,
    Node,
    Ones,
    Plus,
    Scale,
    SquaredNorm,
    SumOver,
    Transpose,
    Triangle,
    holds,
    matmul,
    matrix_latex,
)
from symdl.rendering.ordering import Factors, factors_of, term_key

_Axis = Index | None


class _NoForm(Exception):
    """Raised inside, where an expression has no matrix form."""


@dataclass(frozen=True)
class MatrixEquation:
    """`left = right` in matrices."""

    left: Node
    right: Node


@lru_cache(maxsize=4096)
def recognise(eq: Equation) -> MatrixEquation | None:
    """The matrix form of an equation, or None; without a sum over labels where it can be."""
    found: list[tuple[int, MatrixEquation]] = []
    for form in _forms(eq):
        found.append((_strangeness(form, eq.out.rank), form))
        if not found[-1][0]:
            break
    return min(found, key=lambda f: f[0])[1] if found else None


def _strangeness(form: MatrixEquation, rank: int) -> int:
    """0 for a formula in matrices; then y_nm = x_nᵀ W_m z_n, Σ_h O_nh W_hᵀ, sums of diagonals, other entries."""
    if isinstance(form.left, Named) and form.left.rank == 0 < rank:
        return 4 if holds(form.right, Ones, SumOver) else 1
    if not holds(form.right, SumOver):
        return 0
    return 3 if holds(form.right, Diagonal) else 2


def _forms(eq: Equation) -> Iterator[MatrixEquation]:
    for labels in frames(eq):
        row, col = (*(i for i in eq.indices if i not in labels), None, None)[:2]
        try:
            right = _joined(labelled(eq.rhs, labels), row, col)
        except _NoForm:
            continue
        if not isinstance(right, Constant):
            yield MatrixEquation(_named(labelled(eq.lhs, labels)), right)


def matrix_form(eq: Equation) -> tuple[str, str] | None:
    r"""LaTeX of both sides in matrix form, or None where none is recognised.

    >>> from symdl.core.equations import equation
    >>> from symdl.core.tensors import Tensor, reduction
    >>> n, i, j = Index("n"), Index("i"), Index("j")
    >>> x, s = Tensor("x", (n, i)), Tensor("s_bar", (n, j))
    >>> matrix_form(equation(Tensor("W_bar", (j, i)), reduction("sum", s[n, j] * x[n, i], [n])))
    ('\\bar{\\mathbf{W}}', '\\bar{\\mathbf{S}}^{\\top} \\mathbf{X}')
    """
    made = [t for t in (eq.out, *eq.uses) if t.cotangent_of and t.role is not Role.INPUT]
    if any(t.cotangent_of and t.name != f"{t.cotangent_of[1]}_bar" for t in made):
        return None  # ∂w̄/∂w has no letter of its own
    found = recognise(eq)
    return (matrix_latex(found.left), matrix_latex(found.right)) if found else None


# ── one case for each kind of expression; row and col are the indices of the result ──────────────────────────────────


def _joined(expr: sympy.Expr, row: _Axis, col: _Axis) -> Node:
    """Blocks beside or below each other, or one matrix."""
    for axis, stacked in ((col, False), (row, True)):
        if axis is None or (parts := blocks_along(expr, axis)) is None:
            continue
        return Blocks(
            tuple(_matrix(body, *((i, col) if stacked else (row, i))) for i, body in parts),
            stacked,
        )
    return _matrix(expr, row, col)


def _matrix(expr: sympy.Expr, row: _Axis, col: _Axis) -> Node:
    if any(r.op != "sum" for r in expr.atoms(Reduction)) or not _allowed(_outside(expr)):
        raise _NoForm
    if expr.is_Add:
        whole = factors_of(expr)
        if [*whole.above, *whole.over] != [expr] or whole.negative or whole.number != 1:
            return _signed(whole, row, col)
        return _plus(expr, row, col)
    return _signed(factors_of(expr), row, col)


def _allowed(expr: sympy.Expr) -> bool:
    """No δ, gathers or fixed subscripts, and no reduction but sums."""
    if any(indices_in(d) for d in expr.atoms(Delta)) or any(r.op != "sum" for r in expr.atoms(Reduction)):
        return False
    return all(_is_matrix(e) for e in expr.atoms(Element) if indices_in(e))


def _outside(expr: sympy.Expr) -> sympy.Expr:
    """What stands in no sum: the sums are looked at one by one."""
    return expr.xreplace({r: sympy.Dummy() for r in outermost_reductions(expr)})


def _is_matrix(element: Element) -> bool:
    """At most two axes, each with an index of its own that runs along all of it; every other one has a label.

    A fixed time is a label too: h_{n,T−1} is a column.
    """
    axes = list(zip(element.subscripts, element.tensor.indices, strict=True))
    mine = [s for s, _ in axes if isinstance(s, Index)]
    if any(isinstance(s, Index) and sympy.expand(s.extent - i.extent) != 0 for s, i in axes):
        return False  # Ȳ has more columns than X̄ where y joins x and z
    rest = [(s, i) for s, i in axes if not isinstance(s, Index)]
    fixed = all(not indices_in(s) and (s.atoms(Label) or i.sequential) for s, i in rest)
    return len(set(mine)) == len(mine) <= 2 and fixed


def _named(element: Element) -> Named:
    """T[n, i] with the label n as T_n."""
    if all(isinstance(s, Index) for s in element.subscripts):
        return Named(element.tensor)
    return Named(element.tensor, tuple(None if isinstance(s, Index) else unlabelled(s) for s in element.subscripts))


def _number(value: sympy.Expr) -> Constant:
    return Constant(unlabelled(value))


def _plus(expr: sympy.Add, row: _Axis, col: _Axis) -> Node:
    terms = sorted(((t, factors_of(t)) for t in expr.args), key=lambda pair: term_key(*pair))
    made: list[tuple[bool, Node]] = []
    for term, factors in terms:
        if term.is_number:  # 1 − H ⊙ H: added to every entry
            made.append((bool(term < 0), _number(abs(term))))
        else:
            made.append((factors.negative, _product(factors, row, col)))
    return Plus(tuple(made))


def _signed(factors: Factors, row: _Axis, col: _Axis) -> Node:
    node = _product(factors, row, col)
    return Plus(((True, node),)) if factors.negative else node


def _product(factors: Factors, row: _Axis, col: _Axis) -> Node:
    """c · entrywise product, without its sign."""
    scalars = [f for f in factors.over if not indices_in(f)]
    below = [f for f in factors.under if not indices_in(f)]
    sums = [f for f in scalars if f.has(Reduction)]
    if any(f.has(Reduction) for f in below):
        raise _NoForm
    constant = sympy.Mul(
        factors.number,
        *factors.above,
        *[f for f in scalars if f not in sums],
        *[1 / f for f in (*factors.below, *below)],
    )
    over = [f for f in factors.over if f not in scalars]
    under = [f for f in factors.under if f not in below]
    parts: list[Node] = [_factor(f, None, None) for f in sums]
    if over or under:
        parts.append(_entrywise(over, under, row, col))
    elif row is not None or col is not None:
        parts.append(_ones(row, col))
    if not parts:
        return _number(constant)
    node = parts[-1]
    for scalar in reversed(parts[:-1]):
        node = Scale(scalar, node)
    return node if constant == 1 else Scale(_number(constant), node)


def _ones(row: _Axis, col: _Axis) -> Node:
    if row is not None and col is not None:
        return matmul(Ones(row), Transpose(Ones(col)))
    if row is not None:
        return Ones(row)
    assert col is not None
    return Transpose(Ones(col))


def _entrywise(over: list[sympy.Expr], under: list[sympy.Expr], row: _Axis, col: _Axis) -> Node:
    """Factors over the same entries; one with only one of two indices is a diagonal matrix beside the rest."""
    wanted = {i for i in (row, col) if i is not None}
    found = {i for f in (*over, *under) for i in indices_in(f)}
    if not found <= wanted:
        raise _NoForm
    if row is None or col is None:
        if found != wanted:
            raise _NoForm
        return _quotient([_factor(f, row, col) for f in over], [_factor(f, row, col) for f in under])

    def among(factors: Iterable[sympy.Expr], *indices: Index) -> list[sympy.Expr]:
        return [f for f in factors if set(indices_in(f)) == set(indices)]

    masks = [f for f in among(over, row, col) if isinstance(f, InRange)]
    full = [_factor(f, row, col) for f in among(over, row, col) if f not in masks]
    full_under = [_factor(f, row, col) for f in among(under, row, col)]
    left, left_under = among(over, row), among(under, row)
    right, right_under = among(over, col), among(under, col)
    if not full and not full_under:
        outer = matmul(_column(left, left_under, row), Transpose(_column(right, right_under, col)))
        return _masked(outer, masks, row, col)
    node = _masked(_quotient(full, full_under), masks, row, col)
    parts = [*_diagonals(left, left_under, row), node, *_diagonals(right, right_under, col)]
    return matmul(*parts)


def _masked(node: Node, masks: list[sympy.Expr], row: Index, col: Index) -> Node:
    for mask in masks:
        node = Triangle(node, upper=_is_upper(mask, row, col))
    return node


def _is_upper(mask: InRange, row: Index, col: Index) -> bool:
    """[row ≥ col] is the lower triangle, [col ≥ row] the upper one; any other guard has no form."""
    e, extent = mask.args
    if sympy.expand(extent - row.extent) == 0 == sympy.expand(extent - col.extent):
        for upper, difference in ((False, row - col), (True, col - row)):
            if sympy.expand(e - difference) == 0:
                return upper
    raise _NoForm


def _quotient(over: list[Node], under: list[Node]) -> Node:
    upper = Hadamard(tuple(over)) if len(over) > 1 else over[0] if over else Constant(sympy.S.One)
    if not under:
        return upper
    return Divide(upper, Hadamard(tuple(under)) if len(under) > 1 else under[0])


def _column(over: list[sympy.Expr], under: list[sympy.Expr], index: Index) -> Node:
    if not over and not under:
        return Ones(index)
    return _entrywise(over, under, index, None)


def _diagonals(over: list[sympy.Expr], under: list[sympy.Expr], index: Index) -> Iterator[Node]:
    if over:
        yield Diagonal(_column(over, [], index))
    if under:
        yield Diagonal(_column(under, [], index), inverse=True)


def _factor(expr: sympy.Expr, row: _Axis, col: _Axis) -> Node:
    """A factor that has exactly the indices row and col."""
    if isinstance(expr, Element):
        axes = tuple(i for i in (row, col) if i is not None)
        node = _named(expr)
        if tuple(s for s in expr.subscripts if isinstance(s, Index)) == axes:
            return Transpose(node) if row is None and col is not None else node
        return Transpose(node)
    if isinstance(expr, Reduction):
        return _contraction(expr, row, col)
    if isinstance(expr, sympy.Pow) and expr.exp.is_number:
        base = _factor(expr.base, row, col) if not expr.base.is_Add else _matrix(expr.base, row, col)
        if row is None and col is None:
            raise _NoForm
        return (
            Hadamard((base, base))
            if expr.exp == 2 and isinstance(base, Named | Transpose)
            else Apply(ENTRY**expr.exp, base)
        )
    if isinstance(expr, sympy.Function) and not isinstance(expr, InRange):
        return _applied(expr, row, col)
    if expr.is_Add or expr.is_Mul:
        return _matrix(expr, row, col)
    raise _NoForm


def _applied(expr: sympy.Function, row: _Axis, col: _Axis) -> Node:
    """f(argument) entry by entry; further arguments are numbers, the pieces of a switch functions of its argument."""
    argument = expr.args[0]
    pieces = [_in_entry(a, argument) for a in expr.args] if isinstance(expr, Switch) else expr.args
    template = expr.func(*pieces).xreplace({argument: ENTRY})
    if template.has(Element, Reduction, Index) or (isinstance(expr, Switch) and template.args[0] != ENTRY):
        raise _NoForm
    return Apply(template, _matrix(argument, row, col))


def _in_entry(piece: sympy.Expr, argument: sympy.Expr) -> sympy.Expr:
    """x − y and y − x in terms of x − y."""
    return -ENTRY if sympy.expand(piece + argument) == 0 else piece.xreplace({argument: ENTRY})


# ── sums ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _contraction(expr: Reduction, row: _Axis, col: _Axis) -> Node:
    """A sum whose constants stand in front of it already."""
    in_time = any(i.sequential for i in expr.bound)
    if not in_time and (node := _matrix_product(expr, row, col)) is not None:
        return node
    for outer in outer_sums(expr, row, col):
        node = _sum_over(expr, outer, row, col)
        if node is not None and not holds(node.of, SumOver):  # one Σ in front, not several
            return node
    if in_time and (node := _matrix_product(expr, row, col)) is not None:
        return node
    raise _NoForm


def _sum_over(expr: Reduction, outer: tuple[Index, ...], row: _Axis, col: _Axis) -> SumOver | None:
    """Σ over labels of what is a product of matrices without it."""
    known = {a.name for a in (*expr.atoms(Label), *indices_in(expr))}
    if len({i.name for i in outer} | known) < len(outer) + len(known):
        return None  # two indices would share a letter
    guards, rest = take_guards(expr.body, outer)
    if any(set(indices_in(g)) - set(outer) for g in guards):
        return None
    inner = reduction("sum", labelled(rest, outer), [i for i in expr.bound if i not in outer])
    try:
        node = _matrix(inner, row, col)
    except _NoForm:
        return None
    return SumOver(outer, tuple(unlabelled(g) for g in guards), node)


def _matrix_product(expr: Reduction, row: _Axis, col: _Axis) -> Node | None:
    if not _allowed(expr):
        return None
    factors = factors_of(expr.body)
    if factors.negative or factors.number != 1 or factors.above or factors.below:
        return None
    try:
        squared = _square(factors)
        if squared is not None and row is None and col is None and set(indices_in(squared)) == set(expr.bound):
            inner = (*expr.bound, None)[:2]
            return SquaredNorm(_matrix(squared, *inner), len(expr.bound)) if len(expr.bound) <= 2 else None
        for order in permutations(expr.bound):
            path = [i for i in (row, *order, col) if i is not None]
            node = _along(path, factors, row, col)
            if node is not None:
                return node
    except _NoForm:
        return None
    return None


def _square(factors: Factors) -> sympy.Expr | None:
    if len(factors.over) == 1 and not factors.under and isinstance(factors.over[0], sympy.Pow):
        return factors.over[0].base if factors.over[0].exp == 2 else None
    return None


def _along(path: list[Index], factors: Factors, row: _Axis, col: _Axis) -> Node | None:
    """The product of matrices along a path of indices; None where the factors are no such path."""
    groups: dict[frozenset[Index], tuple[list[sympy.Expr], list[sympy.Expr]]] = {}
    for place, part in enumerate((factors.over, factors.under)):
        for factor in part:
            groups.setdefault(frozenset(indices_in(factor)), ([], []))[place].append(factor)
    edges = [frozenset(pair) for pair in pairwise(path)]
    if {g for g in groups if len(g) != 1} != set(edges):
        return None
    if len(path) == 1 and row is None and col is None:
        return _inner(*groups.get(frozenset(path), ([], [])), path[0])
    parts: list[Node] = []
    for place, index in enumerate(path):
        over, under = groups.get(frozenset((index,)), ([], []))
        if place == 0 and row is None:
            parts.append(Transpose(_column(over, under, index)))
        elif place == len(path) - 1 and col is None and index is not row:
            parts.append(_column(over, under, index))
        else:
            parts += _diagonals(over, under, index)
        if place < len(edges):
            parts.append(_entrywise(*groups[edges[place]], index, path[place + 1]))
    return matmul(*parts)


def _inner(over: list[sympy.Expr], under: list[sympy.Expr], index: Index) -> Node:
    """Σ_i w_i x_i = wᵀ x."""
    if len(over) > 1:
        return matmul(Transpose(_column(over[:1], [], index)), _column(over[1:], under, index))
    return matmul(Transpose(Ones(index)), _column(over, under, index))
