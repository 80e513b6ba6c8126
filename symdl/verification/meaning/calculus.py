"""∂L/∂w, f'(x), ∇L and Jacobians: derivatives of what names stand for, by names.

A derivative by a name that has a definition itself (∂L/∂ŷ) goes through the definitions that lead to it and stops
there; everything else stays a name, so that both sides of a claim are in the same names.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy

from symdl.core.tensors import Element
from symdl.errors import UnsupportedError
from symdl.verification.meaning import cotangents
from symdl.verification.meaning.arrays import Array, scalar
from symdl.verification.meaning.errors import MeaningError
from symdl.verification.meaning.functions import objective
from symdl.verification.meaning.names import function_letter
from symdl.verification.meaning.reader import Reader
from symdl.verification.meaning.scope import Formula, Scope
from symdl.verification.meaning.unknown import unknown
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node
from symdl.verification.partials import partial


def slope(expr: sympy.Expr, by: Element) -> sympy.Expr:
    """∂expr/∂by, every other name held fixed."""
    if isinstance(expr, sympy.Piecewise):
        return sympy.Piecewise(*[(slope(value, by), condition) for value, condition in expr.args])
    if expr.has(sympy.Piecewise):
        raise MeaningError("the derivative of cases inside a formula")
    try:
        return partial(expr, by)
    except UnsupportedError as error:
        raise MeaningError(str(error)) from error


def opened(scope: Scope, expr: sympy.Expr, by: Element) -> sympy.Expr:
    """An expression with the definitions put in that lead to `by`, and no others."""
    return scope.expanded(expr, _leading_to(scope, by))


def derivative(reader: Reader, node: tree.Derivative) -> Array:
    """d or ∂ of something by one variable or several, from left to right.

    Raises:
        MeaningError: what is differentiated, or by what, is not known here.
    """
    if node.of is None:
        raise MeaningError("a derivative of nothing")
    whole = _of(reader, node.of, [name for name, _ in node.by])
    for by, order in node.by:
        if not 1 <= order <= 4:
            raise MeaningError(f"a derivative of order {order}")
        for _ in range(order):
            whole = _once(reader, whole, by)
    return whole


def gradient(reader: Reader, node: tree.Gradient) -> Array:
    """∇_w L, of a number by an array; its shape is that of w."""
    by = node.by if node.by is not None else _argument_of(reader, node.of)
    if node.order != 1:
        raise MeaningError(f"∇ of order {node.order}")
    whole = _of(reader, node.of, [by])
    if whole.axes:
        raise MeaningError(f"∇ of {whole.kind}")
    return _once(reader, whole, by)


def _argument_of(reader: Reader, of: Node) -> Node:
    """What ∇f(x) and ∇f are by: the one vector that f takes.

    Raises:
        MeaningError: that is not known.
    """
    if isinstance(of, tree.Product) and len(of.factors) == 2 and isinstance(of.factors[1], tree.Group):
        return of.factors[1].body
    parts = reader.parts(of)
    formula = reader.scope.formulas.get((parts.name, 0)) if parts is not None else None
    if formula is None or len(formula.parameters) != 1:
        raise MeaningError("∇ without what it is by", remedy="write ∇_w L")
    return tree.Symbol(formula.parameters[0], "bf")


def evaluated_at(reader: Reader, node: Node, group: tree.Group) -> Array:
    """(df/dx)(a): the derivative, and then a for x."""
    if not isinstance(node, tree.Derivative) or len(node.by) != 1:
        raise MeaningError("brackets after a fraction", remedy="write · for a product")
    by = reader.value(node.by[0][0])
    if by.axes or not isinstance(by.body, Element):
        raise MeaningError("a derivative by something that is no name")
    place = by.body
    found = derivative(reader, node)
    at = reader.number(group.body)
    return found.mapped(lambda x: opened(reader.scope, x, place).xreplace({place: at}))


def evaluated(reader: Reader, node: tree.Evaluated) -> Array:
    """A value with numbers for names: f'(x)|_{x=0}."""
    at = node.at
    statements = at.items if isinstance(at, (tree.Statements, tree.List)) else (at,)
    found = reader.value(node.body)
    for statement in statements:
        if not (isinstance(statement, tree.Chain) and statement.relations == ("=",)):
            raise MeaningError("a bar without a condition x = a")
        place, value = reader.number(statement.sides[0]), reader.number(statement.sides[1])
        if not isinstance(place, Element):
            raise MeaningError("a bar with something that is no name")
        found = found.mapped(lambda x, p=place, v=value: opened(reader.scope, x, p).xreplace({p: v}))  # type: ignore[misc]
    return found


def _leading_to(scope: Scope, place: Element) -> Callable[[Element, Formula], bool]:
    """Whether a name is defined by `place`, but is not one of its entries."""
    own = place.name, len(place.subscripts)

    def wanted(e: Element, formula: Formula) -> bool:
        mine = e.name, len(e.subscripts)
        if mine == own:
            return formula.recurrent and _is_later(e, place)
        return scope.depends(*mine, place.name)

    return wanted


def _is_later(e: Element, place: Element) -> bool:
    """Whether an entry comes after another one: h_t after h_{t−1}."""
    apart = [s - p for s, p in zip(e.subscripts, place.subscripts, strict=True)]
    return any(d.is_Integer and d > 0 for d in apart)


def _checked_in_time(scope: Scope, expr: sympy.Expr, place: Element) -> None:
    """What is kept of a recurrence must not hang on what is differentiated by.

    Raises:
        MeaningError: it does, through all steps before.
    """
    for e in expr.atoms(Element):
        formula = scope.formula_of(e)
        if formula is None or not formula.recurrent:
            continue
        if e.name == place.name:
            steps = [s - p for s, p in zip(e.subscripts, place.subscripts, strict=False)]
            through = not any(s.is_Integer for s in steps)
        else:
            together = e.free_symbols & place.free_symbols
            through = not together and scope.depends(e.name, len(e.subscripts), place.name)
        if through:
            raise MeaningError(f"a derivative by {place.name} through all steps of {e.name}")


def _of(reader: Reader, node: Node, by: list[Node]) -> Array:
    """What is differentiated: a formula, or the body of a function at its own argument."""
    parts = reader.parts(node)
    if parts is not None and not parts.subscripts and parts.name in reader.scope.functions and not parts.primes:
        function = reader.scope.functions[parts.name]
        return function.value.fresh()
    if parts is not None and not parts.subscripts and not reader.known(parts.name) and function_letter(parts.name):
        at = reader.value(by[0]) if len(set(by)) == 1 else None
        if at is not None and not at.axes:  # df/dx of an f that nobody defined is f′(x)
            return scalar(unknown(parts.name + "′" * parts.primes)(at.body))
    return reader.value(node)


def _once(reader: Reader, whole: Array, by: Node) -> Array:
    target = reader.value(by)
    if not target.axes:
        place = target.body
        if not isinstance(place, Element):
            raise MeaningError("a derivative by something that is no name")
        return _checked(reader, whole, place)
    target = target.fresh()
    place = target.body
    if not isinstance(place, Element):
        raise MeaningError(f"a derivative by {target.kind} that is no name")
    found = _checked(reader, whole, place)
    return Array((*found.axes, *target.axes), found.body, row=target.row and not found.axes)


def _is_unset(scope: Scope, e: Element) -> bool:
    return scope.formula_of(e) is None and e.name not in scope.functions


def _checked(reader: Reader, whole: Array, place: Element) -> Array:
    body = whole.body
    if any(cotangents.is_slope(e.name) for e in body.atoms(Element)):
        raise MeaningError("a second derivative of what is not defined here")
    if isinstance(body, Element) and not body.subscripts and _is_unset(reader.scope, body):
        body = cotangents.seeded(reader.scope, body, place)
        expr = opened(reader.scope, body, place)
        _checked_in_time(reader.scope, expr, place)
        return Array(whole.axes, slope(expr, place), whole.row)
    expr = opened(reader.scope, body, place)
    _checked_in_time(reader.scope, expr, place)
    mine = place.name, len(place.subscripts)
    if not any((e.name, len(e.subscripts)) == mine for e in expr.atoms(Element)):
        names = ", ".join(sorted({e.name for e in whole.body.atoms(Element)})) or "a number"
        if any(reader.scope.formula_of(e) is None for e in whole.body.atoms(Element)):
            raise MeaningError(f"{names} is not defined here by {place.name}", remedy="define it before its derivative")
        if whole.body.atoms(Element):
            raise MeaningError(f"{names} does not hang on {place} here")
    return Array(whole.axes, slope(expr, place) + _through_losses(reader.scope, expr, place), whole.row)


def _through_losses(scope: Scope, expr: sympy.Expr, place: Element) -> sympy.Expr:
    """What a loss inside a formula adds that is not defined itself: L of L + λ ‖w‖²."""
    added = sympy.S.Zero
    for e in sorted((e for e in expr.atoms(Element) if not e.subscripts and objective(e.name)), key=str):
        if e.name != place.name and _is_unset(scope, e):
            inner = opened(scope, cotangents.seeded(scope, e, place), place)
            _checked_in_time(scope, inner, place)
            added += slope(expr, e) * slope(inner, place)
    return added
