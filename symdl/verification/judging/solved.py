"""What follows from the equations that a document sets: ∂S/∂b = 0, set so, and then Σ y = n b + m Σ x.

Such an equation says which values are meant. What is shown to hold wherever it does is proved, and the scope tells it.
Of what is not found to follow nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Protocol, TypeGuard

import sympy

from symdl.core.deadlines import now
from symdl.core.indices import Index
from symdl.core.tensors import Element, Reduction, atoms_in
from symdl.errors import SymdlError
from symdl.verification.consequences import follows
from symdl.verification.judging import assumptions, rules
from symdl.verification.judging.abstraction import without_functions
from symdl.verification.judging.customs import IDENTITY, MEANS, identity_scope
from symdl.verification.judging.independence import factored
from symdl.verification.meaning.arrays import Array
from symdl.verification.meaning.equations import Equation, is_zero
from symdl.verification.meaning.expectation import means_opened
from symdl.verification.meaning.naming import names_in
from symdl.verification.meaning.scope import CHAPTER, Formula, Scope
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.telling import moment_of
from symdl.verification.meaning.unknown import UnknownFunction
from symdl.verification.meaning.values import opened
from symdl.verification.notation import tree, unicode
from symdl.verification.notation.tree import Node
from symdl.verification.verdict import Status, Verdict

#: The share of the time of one decision that this may take, and how many equations are looked at.
SHARE, MOST = 0.25, 8


class Judging(rules.Judging, Protocol):
    """`symdl.verification.judging.links.Judge`, as far as it is needed here."""

    zeros: list[Array]

    @property
    def seconds(self) -> float: ...


def by_equations(judge: Judging, link: Meaning) -> Verdict | None:
    """The proof that a link holds wherever equations do that were set before it; None where none is found."""
    if link.relation not in ("=", "≡") or not _anything_set(judge):
        return None
    before = judge.reading.scope.as_before()  # with vectors as long as in the chapter that defined them
    readings = [judge, *([] if before is None else [_with_scope(judge, before)])]
    for left, right, told in _without_an_inverse(link):
        for each in readings:
            found = _in_scope(each, link, left, right)
            if found is not None:
                return replace(found, scope=f"{found.scope}{told}")
    return None


def without_an_inverse(judge: Judging, link: Meaning) -> Verdict | None:
    """The proof of M N = I for M⁻¹ = N, with I as the identity matrix, and of M w = v for w = M⁻¹ v."""
    for left, right, told in _without_an_inverse(link):
        values = _values(judge, left, right) if told else None
        scope = None if values is None else identity_scope(judge.reading, values)
        each = judge if scope is None else _with_scope(judge, scope)
        if values is None:
            continue
        found = each.read_in(each.reading, replace(link, left=left, right=right))
        if found.proved:
            return replace(found, scope=f"{found.scope}{told}")
    return None


def _anything_set(judge: Judging) -> bool:
    return bool(judge.zeros or judge.reading.equations or judge.reading.independent)


def _with_scope(judge: Judging, scope: Scope) -> Judging:
    return replace(judge, reading=replace(judge.reading, scope=scope))  # type: ignore[type-var]


def _without_an_inverse(link: Meaning) -> Iterator[tuple[Node, Node, str]]:
    """M w = v of w = M⁻¹ v, and the sides as they stand where there is no inverse."""
    left = link.solves or link.left
    for one, other in ((left, link.right), (link.right, left)):
        factors = one.factors if isinstance(one, tree.Product) and not any(one.ops) else (one,)
        for k, step in ((0, 1), (-1, -1)):
            matrix = _inverted(factors[k])
            if matrix is None:
                continue
            rest = factors[1:] if step == 1 else factors[:-1]
            inner = tree.Product(rest, ("",) * (len(rest) - 1)) if len(rest) > 1 else (*rest, tree.Symbol("I"))[0]
            pair = (tree.Group(matrix), tree.Group(other))[::step]
            yield tree.Product(pair, ("",)), inner, f"; {unicode(matrix)} has an inverse"
            return
    yield left, link.right, ""


def _inverted(node: Node) -> Node | None:
    """M of M⁻¹."""
    minus = tree.Sum((("-", tree.Number("1")),))
    plain = isinstance(node, tree.Scripted) and node.sub is None and node.sup == minus
    if not plain or not isinstance(node, tree.Scripted):
        return None
    return node.base.body if isinstance(node.base, tree.Group) else node.base


def _in_scope(judge: Judging, link: Meaning, left: Node, right: Node) -> Verdict | None:
    """The proof, with I as the identity matrix and x̄ as a mean where they stand and nothing is said of them."""
    told = ""
    for custom in (IDENTITY, MEANS):
        values = _values(judge, left, right)
        scope = None if values is None else custom.scope(judge.reading, values)
        if scope is not None:
            judge, told = _with_scope(judge, scope), f"{told}; {custom.told}"
    values = _values(judge, left, right)
    found = None if values is None else _followed(judge, link, values)
    return None if found is None else replace(found, scope=f"{found.scope}{told}")


def _values(judge: Judging, left: Node, right: Node) -> tuple[Array, Array] | None:
    reader = judge.reading.reader()
    try:
        return reader.value(left), reader.value(right)
    except SymdlError:
        return None


def _followed(judge: Judging, link: Meaning, values: tuple[Array, Array]) -> Verdict | None:
    claimed = _difference(judge, *values)
    if claimed is None or not _is_plain(claimed.body):
        return None
    given = list(_given(judge, link, claimed))[:MOST]
    if claimed.body == 0:
        return None
    scope, deadline = judge.reading.scope, now() + SHARE * judge.seconds
    side = opened(scope, scope.settled(values[0].body))
    # settled again, since axes were found to be as long as each other
    whole = [means_opened(scope.settled(e)) for e in (claimed.body, side, *(zero for _, zero in given))]
    apart = list(factored(whole, judge.reading.independent))
    given += apart
    if not given:
        return None
    body, side, *zeros = without_functions([*whole, *(zero for _, zero in apart)])
    try:
        found = follows(zeros, body, deadline, _signs(judge, body, zeros))
        # ∂L/∂w = 2 w, so only since both are 0 there: it speaks of every w, and of 3 w it would be so too
        vanishing = not is_zero(link.right) and (side == 0 or follows(zeros, side, deadline) is not None)
        if found is None or found.apart or vanishing:
            return None
    except SymdlError:
        return None
    told = " and ".join(dict.fromkeys(given[k][0] for k in sorted(found.used)))
    return Verdict(Status.PROVED, "elimination", f"all real values, where {told}")


def _signs(judge: Judging, claimed: sympy.Expr, zeros: list[sympy.Expr]) -> list[tuple[sympy.Expr, str]]:
    """What the document says of signs: α_i > 0."""
    stated = assumptions.domain(judge.reading, (claimed, sympy.Add(*zeros)))
    known = {sympy.Gt: "+", sympy.Ge: "0+", sympy.Lt: "-", sympy.Le: "0-"}
    return [(c.args[0] - c.args[1], known[type(c)]) for c in stated if type(c) in known]


def _given(judge: Judging, link: Meaning, claimed: Array) -> Iterator[tuple[str, sympy.Expr]]:
    """What was set to 0, the latest first, in words and as it stands for the axes of what is claimed."""
    for zero in reversed(judge.zeros):
        body = _placed(judge, zero, claimed)
        if body is not None:
            yield "the condition before it holds", body
    for equation in reversed(judge.reading.equations):
        itself = equation.link.left is link.left and equation.link.right is link.right
        if itself or not _still_speaks(judge, link, equation):
            continue
        difference = _set_to_zero(judge, equation)
        body = None if difference is None else _placed(judge, difference, claimed)
        if body is not None and (
            equation.sure or judge.read_in(judge.reading, equation.link).status is Status.DEFINITION
        ):
            left, right = map(unicode, (equation.link.equated or equation.link.left, equation.link.right))
            yield f"{left} = {right}", body


def _still_speaks(judge: Judging, link: Meaning, equation: Equation) -> bool:
    """Whether the names of an equation stand for what they stood for where it was set.

    In another chapter another L may have the name: there it counts for what is said of its own names alone, and where
    none of them was given a formula since, but for what the equations were solved for. What is assumed of a mean holds
    on, as 𝔼[ε] = 0 does of the noise ε.
    """
    reading = judge.reading
    if not reading.scope.chapter_over(equation.section):
        return True
    scope, reader = reading.scope, reading.reader()
    names = names_in(reader, equation.sides) | scope.counts
    of_them = all(_made_of(scope, n) <= names for n in names_in(reader, (link.left, link.right)) - names)
    since = [
        f
        for n in names
        for f in _formulas(scope, n)
        if f.section[:CHAPTER] > equation.section[:CHAPTER] and (n, f.line) not in reading.solved
    ]
    return equation.sure and (of_them or moment_of(equation.link.left) is not None) and not since


def _formulas(scope: Scope, name: str) -> list[Formula]:
    return [f for rank in scope.ranks.get(name, ()) for f in scope.all_of(name, rank)]


def _made_of(scope: Scope, name: str) -> set[str]:
    """The names that the formulas of a name are made of: itself where it has none."""
    formulas = _formulas(scope, name)
    return {e.name for f in formulas for e in atoms_in(f.value.body, Element)} if formulas else {name}


def _set_to_zero(judge: Judging, equation: Equation) -> Array | None:
    """What an equation sets to 0; a slope is what the formulas say, whatever is written beside it."""
    reader, link = judge.reading.reader(), equation.link
    if is_derivative(link.equated):
        with suppress(SymdlError):
            slope = reader.value(link.equated)
            body = opened(judge.reading.scope, slope.body)
            if body.atoms(Element) and _is_plain(body):
                return replace(slope, body=body)
    try:
        left, right = reader.value(link.left), reader.value(link.right)
    except SymdlError:
        return None
    difference = _difference(judge, left, right)
    if difference is None or not difference.body.atoms(Element) or not _is_plain(difference.body):
        return None
    as_written = {e.name for e in difference.body.atoms(Element)} == {
        e.name for side in (left, right) for e in side.body.atoms(Element)
    }
    # 2 μ = 0 of c + μ p = 0 with c = μ p: rather than that μ is 0, one of both is not as it is written
    return difference if as_written or _is_sum(difference.body) else None


def _is_sum(body: sympy.Expr) -> bool:
    """Whether several terms stand in an expression, or in a factor of it, or in what a sum is over."""
    if isinstance(body, Reduction):
        return body.op == "sum" and _is_sum(body.body)
    return isinstance(body, sympy.Add) or (isinstance(body, sympy.Mul) and any(map(_is_sum, body.args)))


def _difference(judge: Judging, left: Array, right: Array) -> Array | None:
    """left − right with definitions put in; None where their shapes do not go together."""
    scope = judge.reading.scope
    if left.rank != right.rank:
        number = left if right.axes else right
        if number.axes or number.body != 0:
            return None
        left, right = (left, right) if left.axes else (right, left)
        return Array(left.axes, opened(scope, scope.settled(left.body)))
    if not all(scope.fit(i.extent, j.extent) for i, j in zip(left.axes, right.axes, strict=True)):
        return None
    try:
        return Array(left.axes, opened(scope, scope.settled(left.body - right.at(left.axes))))
    except SymdlError:
        return None


def _placed(judge: Judging, zero: Array, claimed: Array) -> sympy.Expr | None:
    """What is 0, at the axes of what is claimed."""
    if zero.rank != claimed.rank and zero.axes:
        return None
    fits = all(judge.reading.scope.fit(i.extent, j.extent) for i, j in zip(zero.axes, claimed.axes, strict=False))
    return zero.at(claimed.axes) if zero.axes and fits else zero.body if not zero.axes else None


def _is_plain(body: sympy.Expr) -> bool:
    """Whether an expression is made of quantities, and functions of which no index chooses the argument."""
    return not body.has(sympy.Piecewise) and all(not c.args[0].has(Index) for c in body.atoms(UnknownFunction))


def is_derivative(node: Node | None) -> TypeGuard[Node]:
    """Whether a side is a slope or a gradient, alone."""
    return isinstance(node, (tree.Derivative, tree.Gradient))
