"""Expressions with what the document says of their names put in: definitions first, stated numbers after that."""

from __future__ import annotations

from collections.abc import Collection

import sympy

from symdl.core.indices import Index
from symdl.core.tensors import Element, Reduction, atoms_in
from symdl.core.unroll import unroll
from symdl.errors import UnsupportedError
from symdl.verification.meaning.scope import Formula, Scope, element, resized

#: Sums over more than this are not written out.
LONGEST = 64

#: Rounds of putting in what the document says.
DEEPEST = 12


def opened(scope: Scope, expr: sympy.Expr) -> sympy.Expr:
    """With definitions put in, but no numbers."""
    return scope.settled(scope.expanded(expr, lambda e, formula: not formula.given))


def valued(scope: Scope, expr: sympy.Expr, shown: Collection[str] = ()) -> sympy.Expr:
    """With definitions and stated numbers put in, except for the names in `shown`; sums of known length written out."""
    kept = {name for name in shown if (name, 0) in scope.formulas}

    def wanted(e: Element, formula: Formula) -> bool:
        return e.name not in kept and str(e) not in shown

    expr = counted(scope, scope.settled(expr))
    for _ in range(DEEPEST):
        before = expr
        expr = scope.settled(scope.expanded(_alone(scope, written_out(expr)), wanted))
        expr = counted(scope, expr)
        if expr == before:
            return expr
    raise UnsupportedError("a name is worked out from itself", why=f"after {DEEPEST} rounds there is more")


def counted(scope: Scope, expr: sympy.Expr) -> sympy.Expr:
    """With numbers for numbers of things, where the document says them."""
    sizes: dict[sympy.Expr, sympy.Expr] = {scope.root(k): sympy.Integer(v) for k, v in scope.sizes.items()}
    for name in scope.counts:
        formula = scope.formulas.get((name, 0))
        if formula is not None and formula.given and formula.value.body.is_Integer:
            sizes[sympy.Symbol(name, integer=True, positive=True)] = formula.value.body
    return resized(expr, lambda s: sizes.get(s, s)) if sizes else expr


def _alone(scope: Scope, expr: sympy.Expr) -> sympy.Expr:
    """With ŷ for ŷ_1, where there is one example only and ŷ has a value."""
    mapping: dict[sympy.Basic, sympy.Expr] = {}
    for e in atoms_in(expr, Element):
        single, own = scope.formulas.get((e.name, 0)), scope.formula_of(e)
        if len(e.subscripts) != 1 or single is None or not e.subscripts[0].is_Integer:
            continue
        if counted(scope, scope.extent(e.name, 0, 1)) == 1 and (own is None or own.line < single.line):
            mapping[e] = element(e.name)
    return expr.xreplace(mapping)


def written_out(expr: sympy.Expr) -> sympy.Expr:
    """Sums written out where their extents are small numbers."""
    found = [r for r in atoms_in(expr, Reduction) if all(_short(i) for i in atoms_in(r, Index) if i in _bound(r))]
    for r in sorted(found, key=lambda r: len(str(r))):
        if expr.has(r):
            expr = expr.xreplace({r: unroll(r)})
    return expr


def _bound(r: Reduction) -> set[Index]:
    return {i for inner in atoms_in(r, Reduction) for i in inner.bound}


def _short(index: Index) -> bool:
    return bool(index.extent.is_Integer and index.extent <= LONGEST)


def is_open(expr: sympy.Expr) -> bool:
    """Whether an expression has names, indices or numbers of things in it."""
    return bool(atoms_in(expr, Element, Reduction) or expr.free_symbols)
