"""The checks that every `Definition` passes: names, index and extent agreement, ranges, kink policies.

Each failure names the equation, the index and both extents, and says what to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import sympy

from symdl.core.equations import Equation, Term
from symdl.core.functions import UNSTATED, InRange, Masked, Switch, switches_in
from symdl.core.guards import decided, guarded, stays_within
from symdl.core.indices import Index, indices_in, value_range
from symdl.core.recurrence import groups
from symdl.core.tensors import Element, Reduction, Tensor
from symdl.errors import DefinitionError, KinkError, ShapeError

#: SymPy functions whose value or slope at a kink is SymPy's decision and not the author's.
_SYMPY_KINKS = (sympy.Abs, sympy.Max, sympy.Min, sympy.Piecewise, sympy.Heaviside, sympy.sign, sympy.DiracDelta)


def check_definition(
    name: str, inputs: Iterable[Tensor], equations: Iterable[Equation], outputs: tuple[str, ...]
) -> None:
    """Raise the first thing that is wrong with a definition."""
    where = f"definition {name}"
    known: dict[str, Tensor] = {}
    for tensor in inputs:
        _introduce(tensor, known, where)
    for group in groups(equations):
        together = {e.name: e.out for e in group.equations} if group.direction else {}
        for eq in group.equations:
            check_equation(eq, {**known, **together}, shorter=True)
        for eq in group.equations:
            _introduce(eq.out, known, where)
    for output in outputs:
        if output not in known:
            raise DefinitionError(f"output '{output}' is not defined", where=where, remedy=f"one of {', '.join(known)}")
    if not outputs:
        raise DefinitionError("nothing is returned", where=where, remedy="return sd.let('L', …)")


def _introduce(tensor: Tensor, known: dict[str, Tensor], where: str) -> None:
    if tensor.name in known:
        raise DefinitionError(
            f"'{tensor.name}' is defined twice", where=where, why="every name has one meaning", remedy="rename one"
        )
    known[tensor.name] = tensor


def check_equation(eq: Equation, known: dict[str, Tensor], *, shorter: bool = False) -> None:
    """Check one equation against the tensors that stand before it.

    With `shorter`, an index may run over the beginning of a longer axis. In what an author writes that is a slip more
    often than not; derivation makes such equations, of concatenation for instance: x̄[i] = ȳ[i] for i < I.
    """
    where = f"equation {eq.lhs}"
    if len(set(eq.indices)) != len(eq.indices):
        raise ShapeError("an index stands twice on the left", where=where, remedy="give each axis an index of its own")
    if len(eq.terms) > 1 and any(t.op in ("max", "prod") for t in eq.terms):
        raise DefinitionError(
            "a maximum or a product stands beside other terms",
            where=where,
            remedy="name it: sd.let('m[…]', sd.amax(…))",
        )
    for term in eq.terms:
        for element, guards in guarded(term.body):
            _check_element(element, guards, known, where, shorter)
        _check_free_indices(eq, term, where)
        _check_functions(term, where)


def _check_free_indices(eq: Equation, term: Term, where: str) -> None:
    if term.body.has(Reduction):
        raise DefinitionError("a sum stands inside the body", where=where, remedy="name it: sd.let('S[…]', sd.Sum(…))")
    for index in indices_in(term.body):
        if index not in eq.indices and index not in term.bound:
            twin = next((i for i in (*eq.indices, *term.bound) if i.name == index.name), None)
            if twin is not None:
                raise ShapeError(
                    f"two different indices are called {index.name}",
                    where=where,
                    why=f"one has extent {twin.extent}, the other {index.extent}",
                    remedy="take one index object, or rename one of them",
                )
            raise ShapeError(
                f"index {index.name} stands on the right but not on the left",
                where=where,
                why=f"its extent is {index.extent} and nothing sums over it",
                remedy=f"sum over it, or write {eq.name}[…, {index.name}]",
            )


def _check_element(
    element: Element, guards: frozenset[sympy.Expr], known: dict[str, Tensor], where: str, shorter: bool
) -> None:
    tensor = element.tensor
    if tensor.name not in known:
        raise DefinitionError(
            f"'{tensor.name}' is not defined", where=where, why="it stands on the right", remedy="define it before"
        )
    if known[tensor.name] != tensor:
        raise DefinitionError(f"two different tensors are called '{tensor.name}'", where=where, remedy="rename one")
    if len(element.subscripts) != tensor.rank:
        axes = ", ".join(f"{i.name} of extent {i.extent}" for i in tensor.indices) or "none"
        raise ShapeError(
            f"{element} has {len(element.subscripts)} subscripts, {tensor.name} has {tensor.rank} axes",
            where=where,
            why=f"its axes are {axes}",
            remedy=f"write {tensor.element()}",
        )
    for axis, subscript in zip(tensor.indices, element.subscripts, strict=True):
        _check_subscript(element, axis, subscript, guards, where, shorter)


def _check_subscript(
    element: Element, axis: Index, subscript: sympy.Expr, guards: frozenset[sympy.Expr], where: str, shorter: bool
) -> None:
    if (guards or shorter) and not subscript.atoms(Element) and stays_within(subscript, axis.extent, guards):
        return
    if isinstance(subscript, Index):
        if sympy.expand(subscript.extent - axis.extent) != 0:
            raise ShapeError(
                f"index {subscript.name} does not fit axis {axis.name} of {element}",
                where=where,
                why=f"index {subscript.name} has extent {subscript.extent}, axis {axis.name} has extent {axis.extent}",
                remedy="use an index of the same extent",
            )
        return
    if isinstance(subscript, Element):
        if not subscript.tensor.integer:
            raise ShapeError(
                f"{subscript} is no subscript",
                where=where,
                why="it is real-valued",
                remedy="declare it with integer=True",
            )
        return
    bounds = value_range(subscript, indices_in(subscript))
    if bounds is None:
        raise ShapeError(
            f"subscript {subscript} of {element} is not affine", where=where, remedy="write a·index + b·index + c"
        )
    if decided(InRange(subscript, axis.extent)) is not True:
        raise ShapeError(
            f"subscript {subscript} of {element} can leave axis {axis.name}",
            where=where,
            why=f"it runs from {bounds[0]} to {bounds[1]}, the axis has extent {axis.extent}",
            remedy=f"choose extents that fit, or guard it: · sd.in_range({subscript}, {axis.extent})",
        )


def _check_functions(term: Term, where: str) -> None:
    masks = term.body.atoms(Masked)
    if masks and not (term.op == "max" and isinstance(term.body, Masked) and len(masks) == 1):
        raise DefinitionError(
            "a mask stands outside a maximum",
            where=where,
            why="−∞ is no value that anything can be computed with",
            remedy="mask what a maximum is taken of: sd.amax(x, i, where=guard); multiply by the guard elsewhere",
        )
    for node in _kinked(term.body):
        raise KinkError(
            f"{_described(node)} has a kink and no policy",
            where=where,
            why="its slope at the kink is a decision, and yours",
            remedy="say kink='left', 'right', 'mid' or a weight: sd.maximum(a, b, kink='left'), "
            "sd.absolute(x, kink='mid'), or @sd.define(kinks={'a': 'left'})",
        )


def _described(node: sympy.Basic) -> str:
    if isinstance(node, Switch):
        x, below, above, _ = node.args
        return f"the function that is {below} for {x} < 0 and {above} for {x} > 0"
    return str(node)


def _kinked(body: sympy.Expr) -> Iterator[sympy.Basic]:
    yield from (node for _, node in switches_in(body) if node.weight == UNSTATED)
    yield from body.atoms(*_SYMPY_KINKS)
