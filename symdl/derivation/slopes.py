"""R1, local slopes: ∂body/∂element, every element an independent atom."""

from __future__ import annotations

import sympy

from symdl.core.equations import Equation, Term
from symdl.core.functions import Delta, Masked, Switch
from symdl.core.indices import Index
from symdl.core.tensors import Element, Reduction, reduction, refreshed
from symdl.errors import KinkError


def slope(body: sympy.Expr, element: Element) -> sympy.Expr:
    """∂body/∂element with every other element held fixed.

    SymPy sees symbols only: each element is a Dummy while it differentiates.

    >>> from symdl.core.tensors import Tensor
    >>> x, y = Tensor("x")._sympy_(), Tensor("y")._sympy_()
    >>> slope(x**2 * y, x)
    2*x*y
    """
    atoms = {e: _stand_in(e) for e in body.atoms(Element)}
    scalar = body.xreplace(atoms)
    back = {d: e for e, d in atoms.items()}
    result: sympy.Expr = scalar.diff(atoms[element]).xreplace(back)
    return result


def _stand_in(node: sympy.Expr) -> sympy.Dummy:
    return sympy.Dummy("u", real=True, positive=node.is_positive, nonnegative=node.is_nonnegative)


def local_slope(eq: Equation, term: Term, element: Element) -> sympy.Expr:
    """The slope of one term by one of its elements, for one value of the indices that it is summed over.

    Raises:
        KinkError: a maximum has no policy for ties.
    """
    if term.op == "max":
        return _unmasked_slope(term, element) * max_slope(term, eq.lhs, eq)
    local = slope(term.body, element)
    if term.op == "prod":
        return local * all_others(term.body, term.bound)
    return local


def _unmasked_slope(term: Term, element: Element) -> sympy.Expr:
    """The slope of what a mask lets through; the guard itself comes with the indicator of the maximum."""
    body = term.body.args[0] if isinstance(term.body, Masked) else term.body
    return slope(body, element) if element in body.atoms(Element) else sympy.S.Zero


def max_slope(term: Term, value: Element, equation: Equation) -> sympy.Expr:
    """R4: the share of each entry in the slope of a maximum: [entry = max] over the number of such entries.

    Raises:
        KinkError: the maximum has no policy for ties.
    """
    if not term.ties:
        raise KinkError(
            f"the maximum {term.expr} has no policy for ties",
            where=f"equation {equation.lhs}",
            why="its slope does not cancel, and among equal entries it is your decision",
            remedy="say sd.amax(…, ties='share')",
        )
    hit = _hit(term.body, value)
    fresh = [i.fresh() for i in term.bound]
    other = hit.xreplace(dict(zip(term.bound, fresh, strict=True)))
    return hit / reduction("sum", other, fresh)


def _hit(body: sympy.Expr, value: sympy.Expr) -> sympy.Expr:
    """1 where an entry is the maximum, else 0; an entry that is masked out never is."""
    if isinstance(body, Masked):
        return body.args[1] * Switch(body.args[0] - value, 0, 1, 1)
    return Switch(body - value, 0, 1, 1)


def all_others(body: sympy.Expr, bound: tuple[Index, ...]) -> sympy.Expr:
    """The product over `bound` of every factor but one's own: Π' (δ + (1 − δ) f'), right where a factor is 0 too.

    >>> from symdl.core.tensors import Tensor
    >>> i = Index("i", 2); x = Tensor("x", (i,))
    >>> all_others(x[i], (i,))
    Prod_{i}((1 - Delta(i, i))*x[i] + Delta(i, i))
    """
    fresh = [i.fresh() for i in bound]
    own = sympy.Mul(*[Delta(i, f) for i, f in zip(bound, fresh, strict=True)])
    other = refreshed(body).xreplace(dict(zip(bound, fresh, strict=True)))
    return reduction("prod", own + (1 - own) * other, fresh)


def differentiate(expr: sympy.Expr, by: Element) -> sympy.Expr:
    """d expr / d by, through nested reductions; an element at other subscripts gives δs, still to be eliminated.

    >>> from symdl.core.tensors import Tensor
    >>> i = Index("i"); k = i.fresh(); w = Tensor("w", (i,)); x = Tensor("x", (i,))
    >>> differentiate(reduction("sum", w[i] * x[i], [i]), w[k])
    Sum_{i}(Delta(i, i)*x[i])
    """
    if isinstance(expr, Element):
        return _element_slope(expr, by)
    parts = [a for a in _nodes(expr) if _depends(a, by)]
    if not parts:
        return sympy.S.Zero
    if isinstance(expr, Reduction):
        return _reduction_slope(expr, by)
    atoms = {p: _stand_in(p) for p in _nodes(expr)}
    scalar = expr.xreplace(atoms)
    back = {d: p for p, d in atoms.items()}
    return sympy.Add(*[scalar.diff(atoms[p]).xreplace(back) * refreshed(differentiate(p, by)) for p in parts])


def _nodes(expr: sympy.Expr) -> list[sympy.Expr]:
    """The outermost elements and reductions of an expression."""
    if isinstance(expr, (Element, Reduction)):
        return [expr]
    found: dict[sympy.Expr, None] = {}
    stack = [expr]
    while stack:
        node = stack.pop()
        if isinstance(node, (Element, Reduction)):
            found[node] = None
        else:
            stack.extend(a for a in node.args if isinstance(a, sympy.Basic))
    return sorted(found, key=sympy.default_sort_key)


def _depends(node: sympy.Expr, by: Element) -> bool:
    return any(e.tensor == by.tensor for e in node.atoms(Element))


def _element_slope(expr: Element, by: Element) -> sympy.Expr:
    if expr.tensor != by.tensor:
        return sympy.S.Zero
    return sympy.Mul(*[Delta(a, b) for a, b in zip(expr.subscripts, by.subscripts, strict=True)])


def _reduction_slope(expr: Reduction, by: Element) -> sympy.Expr:
    bound: tuple[Index, ...] = expr.bound
    if expr.op == "sum":
        return reduction("sum", differentiate(expr.body, by), bound)
    if expr.op == "prod":
        return reduction("sum", differentiate(expr.body, by) * all_others(expr.body, bound), bound)
    if not expr.ties:
        raise KinkError(
            f"the maximum {expr} has no policy for ties",
            why="its slope does not cancel, and among equal entries it is your decision",
            remedy="say sd.amax(…, ties='share')",
        )
    hit = _hit(expr.body, refreshed(expr))
    entry = expr.body.args[0] if isinstance(expr.body, Masked) else expr.body
    return reduction("sum", hit * differentiate(entry, by), bound) / reduction("sum", hit, bound)
