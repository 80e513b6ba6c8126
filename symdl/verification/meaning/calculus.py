"""∂L/∂w, f'(x), ∇L and Jacobians: derivatives of what names stand for, by names.

A derivative by a name that has a definition itself (∂L/∂ŷ) goes through the definitions that lead to it and stops
there; everything else stays a name, so that both sides of a claim are in the same names.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

import sympy

from symdl.core.indices import Index, provably_nonnegative
from symdl.core.tensors import Element, Reduction, reduction
from symdl.errors import UnsupportedError
from symdl.verification.meaning import cotangents, functionals, sums
from symdl.verification.meaning.arrays import Array, scalar
from symdl.verification.meaning.errors import MeaningError, ShapesError
from symdl.verification.meaning.functions import objective
from symdl.verification.meaning.literals import literal
from symdl.verification.meaning.names import function_letter
from symdl.verification.meaning.reader import Reader
from symdl.verification.meaning.scope import Formula, Scope, element
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
    if node.letter is not None:
        raise MeaningError("a derivative of an order that is a letter")
    slot = functionals.slope_by_argument(reader, node)
    if slot is not None:
        return slot
    whole = _of(reader, node.of, [name for name, _ in node.by])
    for by, order in node.by:
        if not 1 <= order <= 4:
            raise MeaningError(f"a derivative of order {order}")
        for _ in range(order):
            whole = _once(reader, whole, by)
    return whole


def chained(reader: Reader, nodes: tuple[Node, ...]) -> Array:
    """prod(∂z/∂y, ∂y/∂x): the product of slopes that the chain rule means, over all entries of y.

    Raises:
        MeaningError: what one is by is not what the next one is of.
    """
    first, *others = nodes
    whole = reader.value(first)
    for before, node in zip(nodes, others, strict=False):
        assert isinstance(before, tree.Derivative) and isinstance(node, tree.Derivative)
        if len(before.by) != 1 or before.by[0][1] != 1 or node.of != before.by[0][0]:
            raise MeaningError("a product of slopes that are no chain")
        rank = reader.value(before.by[0][0]).rank
        found = reader.value(node).fresh()
        kept, over = whole.axes[: whole.rank - rank], whole.axes[whole.rank - rank :]
        for i, j in zip(over, found.axes[:rank], strict=True):
            reader.scope.fit(i.extent, j.extent)
        body = whole.body * found.at((*over, *found.axes[rank:]))
        body = reduction("sum", body, list(over)) if over else body
        whole = Array((*kept, *found.axes[rank:]), body, row=found.row and not kept)
    return whole


def chained_arrays(reader: Reader, nodes: tuple[Node, ...]) -> Array | None:
    """∂L/∂z ∂z/∂w by the chain rule, where z is an array: over all entries of z; None where all of them are numbers."""
    between = [node.by[0][0] for node in nodes[:-1] if isinstance(node, tree.Derivative)]
    return chained(reader, nodes) if any(reader.value(by).axes for by in between) else None


def gradient(reader: Reader, node: tree.Gradient) -> Array:
    """∇_w L, of a number by an array; its shape is that of w."""
    found = functionals.gradient(reader, node)
    if found is not None:
        return found
    if node.by is None:
        by = _argument_of(reader, node.of)
        try:
            return _formal(reader, node.of) if by is None else gradient(reader, replace(node, by=by))
        except MeaningError:
            if by is None or isinstance(node.of, tree.Product):
                raise
            return _formal(reader, node.of)  # C(w, b), of which the formulas do not show how it hangs on w and b
    by = node.by
    if node.order == 2:
        return _hessian(reader, node.of, by)
    if node.order != 1:
        raise MeaningError(f"∇ of order {node.order}")
    if isinstance(by, tree.List):  # ∇f(x, y) is (∂f/∂x, ∂f/∂y)
        parts = [_once(reader, _of(reader, node.of, [name]), name) for name in by.items]
        if any(p.axes for p in parts) or not all(isinstance(reader.number(n), Element) for n in by.items):
            raise MeaningError("∇ by something that is no list of names")
        return literal([[p.body for p in parts]])
    whole = _of(reader, node.of, [by])
    if whole.rank == 1:
        slopes = _once(reader, whole, by)  # ∇_x y has a column for each entry of y, so that ∇_x A x = Aᵀ
        return replace(slopes, axes=(*slopes.axes[1:], slopes.axes[0]), row=False)
    if whole.axes:
        raise MeaningError(f"∇ of {whole.kind}")
    return _once(reader, whole, by)


def _hessian(reader: Reader, of: Node, by: Node) -> Array:
    """∇²f: the matrix of second derivatives of a number by a vector.

    Raises:
        MeaningError: of something else, of which ∇² may be the Laplacian.
    """
    whole, rank = _of(reader, of, [by]), 0 if isinstance(by, tree.List) else reader.value(by).rank
    if whole.axes or rank != 1:
        raise MeaningError("∇² of something else than a number by a vector")
    return replace(_once(reader, _once(reader, whole, by), by), row=False)


def _formal(reader: Reader, of: Node) -> Array:
    """∇C of a loss, by names that the text does not tell here: a vector of which nothing is known but that ∇ is linear.

    Raises:
        MeaningError: of something else than such a loss.
    """
    parts = reader.parts(of)
    whole = reader.value(of).body if parts is not None and objective(parts.name) else None
    if not isinstance(whole, Element):
        raise MeaningError("∇ without what it is by", remedy="write ∇_w L")
    axis = sums.new_index("a0", reader.scope.extent("∇", 0, 1))
    made = reader.scope.expanded(whole, lambda e, formula: e == whole and not formula.given)
    losses = [e for e in made.atoms(Element) if objective(e.name)]
    if not losses or not _linear(made, losses):
        made, losses = whole, [whole]
    place = axis + reader.usage.base
    return Array((axis,), made.xreplace({e: element(f"∇{e.name}", (*e.subscripts, place)) for e in losses}))


#: Letters that say how many there are of something, where no sum says so.
_NUMBERS = frozenset("nmNMTKB")


def _linear(expr: sympy.Expr, parts: Collection[Element]) -> bool:
    """Whether an expression is a sum of some elements times numbers of things."""
    if expr in parts:
        return True
    if isinstance(expr, sympy.Add):
        return all(_linear(term, parts) for term in expr.args)
    if isinstance(expr, Reduction):
        return expr.op == "sum" and _linear(expr.body, parts)
    if isinstance(expr, sympy.Mul):
        inside = [f for f in expr.args if {e.name for e in f.atoms(Element)} - _NUMBERS]
        return len(inside) == 1 and _linear(inside[0], parts)
    return False


def _argument_of(reader: Reader, of: Node) -> Node | None:
    """What ∇f(x) and ∇f are by: the one vector that f takes, the names that it takes; None where that is not known."""
    if isinstance(of, tree.Product) and len(of.factors) == 2 and isinstance(of.factors[1], tree.Group):
        return of.factors[1].body
    parts = reader.parts(of)
    function = reader.scope.functions.get(parts.name) if parts is not None else None
    if function is not None and len(function.parameters) > 1:
        return tree.List(tuple(map(tree.Symbol, function.parameters)), "," * (len(function.parameters) - 1))
    formula = reader.scope.formulas.get((parts.name, 0)) if parts is not None else None
    if formula is None or len(formula.parameters) != 1:
        return None
    return tree.Symbol(formula.parameters[0], "bf")


def is_factor(reader: Reader, node: tree.Derivative, group: tree.Group) -> bool:
    """Whether brackets behind a slope are a factor, ∂L/∂x̂_i (x_i − μ), and not the place where it is taken.

    A sum is no place to take the slope of a name at that stands for no function, by a name that is made of others.

    Raises:
        MeaningError: it may be either, dy/dx (x + 1) of y = x².
    """
    of = reader.parts(node.of) if node.of is not None else None
    by = [reader.parts(name) for name, _ in node.by]
    if of is None or len(by) != 1 or by[0] is None or not isinstance(group.body, tree.Sum) or of.primes:
        return False
    scope, name = reader.scope, of.name
    formulas = scope.all_of(name, len(of.subscripts))
    applied = name in reader.usage.applied - reader.usage.bare or name in scope.functions.keys() | scope.functionals
    if applied or function_letter(name) or any(f.parameters for f in formulas):
        return False
    if formulas and not scope.all_of(by[0].name, len(by[0].subscripts)):
        raise MeaningError("brackets behind a slope that is no function's", remedy="write · for a product")
    return True


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
        if not (isinstance(statement, tree.Chain) and set(statement.relations) == {"="}):
            raise MeaningError("a bar without a condition x = a")
        *places, value = (reader.number(side) for side in statement.sides)  # m = v = 0 says it of both
        if not all(isinstance(place, Element) for place in places):
            raise MeaningError("a bar with something that is no name")
        for place in places:
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
            steps = [_latest(s) - p for s, p in zip(e.subscripts, place.subscripts, strict=False)]
            ended = any(s.is_Integer and s <= 0 for s in steps)  # no h_t comes after h_T
            steps = [s - p for s, p in zip(e.subscripts, place.subscripts, strict=False)]
            through = not ended and not any(s.is_Integer for s in steps)
        else:
            together = e.free_symbols & place.free_symbols
            through = not together and scope.depends(e.name, len(e.subscripts), place.name)
        if through and not _is_before(scope, e, place):
            raise MeaningError(f"a derivative by {place.name} through all steps of {e.name}")


def _latest(subscript: sympy.Expr) -> sympy.Expr:
    """T of t + 1, where t counts T steps from 0; another subscript as it is."""
    indices = [i for i in subscript.free_symbols if isinstance(i, Index)]
    ends = {i: i.extent - 1 for i in indices if (subscript - i).is_Integer}
    return subscript.xreplace(ends)


def _is_before(scope: Scope, e: Element, place: Element) -> bool:
    """Whether a_0 hangs on nothing that has a 1 below it, since each step is made of the one before and its own."""
    if not all(s.is_Integer for x in (e, place) for s in x.subscripts):
        return False
    if len(e.subscripts) != 1 or len(place.subscripts) != 1 or not e.subscripts[0] < place.subscripts[0]:
        return False
    seen, ahead = set[tuple[str, int]](), [(e.name, 1)]
    while ahead:
        key = ahead.pop()
        formula = scope.formulas.get(key)
        if key in seen or formula is None or formula.given:
            continue
        seen.add(key)
        own = [axis + start for axis, start in zip(formula.value.axes, formula.starts, strict=True)]
        used = formula.value.body.atoms(Element)
        if len(own) != 1 or any(not _is_up_to(u, own[0]) for u in used if u.subscripts):
            return False
        ahead += [(u.name, len(u.subscripts)) for u in used]
    return True


def _is_up_to(e: Element, place: sympy.Expr) -> bool:
    """Whether an entry stands at a place or before it."""
    return len(e.subscripts) == 1 and bool((e.subscripts[0] - place).is_Integer and e.subscripts[0] - place <= 0)


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
    return reader.value(_at_its_own_argument(reader, node))


def _at_its_own_argument(reader: Reader, node: Node) -> Node:
    """log f(x) for log f, of an f that was said to be f(x) = …."""
    inner = node.argument if isinstance(node, tree.Applied) else None
    parts = reader.parts(inner) if isinstance(inner, (tree.Symbol, tree.Accented)) else None
    if not isinstance(node, tree.Applied) or inner is None or parts is None or parts.primes:
        return node
    function = reader.scope.functions.get(parts.name)
    if function is None or len(function.parameters) != 1 or (parts.name, 0) in reader.scope.formulas:
        return node
    argument = tree.Group(tree.Symbol(function.parameters[0]))
    return replace(node, argument=tree.Product((inner, argument), ("",)))


def _once(reader: Reader, whole: Array, by: Node) -> Array:
    target = reader.value(by)
    if not target.axes:
        place = target.body
        if not isinstance(place, Element):
            raise MeaningError("a derivative by something that is no name")
        checked_to_be_there(reader.scope, place)
        return derived(reader, whole, place)
    target = target.fresh()
    place = target.body
    if not isinstance(place, Element):
        raise MeaningError(f"a derivative by {target.kind} that is no name")
    found = derived(reader, whole, place)
    return Array((*found.axes, *target.axes), found.body, row=target.row and not found.axes)


def checked_to_be_there(scope: Scope, place: Element) -> None:
    """That Σ_i ∂L/∂y_i does not run over more than there are: a slope by an entry that is not there is none.

    Raises:
        ShapesError: it does.
    """
    for axis, sub in enumerate(place.subscripts):
        index, length = sub - scope.base(place.name), scope.extent(place.name, axis, len(place.subscripts))
        if isinstance(index, Index) and provably_nonnegative(scope.root(index.extent) - 1 - length):
            raise ShapesError(f"{index.name} runs over {index.extent} entries of {place.name}, which has {length}")


def _is_unset(scope: Scope, e: Element) -> bool:
    return scope.formula_of(e) is None and e.name not in scope.functions


def derived(reader: Reader, whole: Array, place: Element) -> Array:
    """∂whole/∂place, through all definitions that lead to it.

    Raises:
        MeaningError: whole does not hang on it, as far as is known.
    """
    body = whole.body
    if any(cotangents.is_slope(e.name) for e in body.atoms(Element)):
        raise MeaningError("a second derivative of what is not defined here")
    loss = isinstance(body, Element) and (not body.subscripts or cotangents.is_loss(body))
    if loss and _is_unset(reader.scope, body):
        body = cotangents.seeded(reader.scope, body, place)
        expr = opened(reader.scope, body, place)
        _checked_in_time(reader.scope, expr, place)
        return Array(whole.axes, slope(expr, place), whole.row)
    expr = opened(reader.scope, body, place)
    _checked_in_time(reader.scope, expr, place)
    mine = place.name, len(place.subscripts)
    if not any((e.name, len(e.subscripts)) == mine for e in expr.atoms(Element)):
        if isinstance(body, Element) and not body.subscripts and objective(body.name):
            whole_loss = reader.scope.expanded(body, lambda e, formula: not formula.given)
            if any(
                cotangents.is_loss(e) and e != body and _is_unset(reader.scope, e) for e in whole_loss.atoms(Element)
            ):
                # J = L + s hangs on what L does
                return Array(whole.axes, _through_losses(reader.scope, whole_loss, place), whole.row)
            return _through_what_is_not_shown(reader, whole, body, place)
        names = ", ".join(sorted({e.name for e in whole.body.atoms(Element)})) or "a number"
        if any(reader.scope.formula_of(e) is None for e in whole.body.atoms(Element)):
            raise MeaningError(f"{names} is not defined here by {place.name}", remedy="define it before its derivative")
        if whole.body.atoms(Element):
            raise MeaningError(f"{names} does not hang on {place} here")
    return Array(whole.axes, slope(expr, place) + _through_losses(reader.scope, expr, place), whole.row)


def _through_what_is_not_shown(reader: Reader, whole: Array, loss: Element, place: Element) -> Array:
    """∂C/∂b of a loss whose formulas do not lead to b, though the text says that it hangs on it: by the chain rule."""
    expr = opened(reader.scope, cotangents.seeded(reader.scope, loss, place), place)
    _checked_in_time(reader.scope, expr, place)
    return Array(whole.axes, slope(expr, place), whole.row)


def _through_losses(scope: Scope, expr: sympy.Expr, place: Element) -> sympy.Expr:
    """What a loss inside a formula adds that is not defined itself: L of L + λ ‖w‖²."""
    added = sympy.S.Zero
    for e in sorted(filter(cotangents.is_loss, expr.atoms(Element)), key=str):
        beside = place in expr.atoms(Element) and not _is_unset(scope, place)  # J = L + s: L does not hang on s
        if e.name != place.name and _is_unset(scope, e) and not beside:
            inner = opened(scope, cotangents.seeded(scope, e, place), place)
            _checked_in_time(scope, inner, place)
            added += slope(expr, e) * slope(inner, place)
    return added
