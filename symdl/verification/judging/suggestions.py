"""What would make a refuted link true: one small edit ("did you mean"), else what is right in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

import sympy

from symdl.core.deadlines import now, until
from symdl.core.tensors import Element, Reduction
from symdl.derivation.canonical import E, canonical
from symdl.errors import SymdlError
from symdl.verification.judging.edits import edits, fitting, further, scaled
from symdl.verification.judging.figures import correct, half_unit
from symdl.verification.judging.links import Judge
from symdl.verification.judging.written import written
from symdl.verification.meaning.arrays import Array, scalar
from symdl.verification.meaning.interpret import Interpreter
from symdl.verification.meaning.naming import head
from symdl.verification.meaning.scope import element
from symdl.verification.meaning.stated import EQUALITIES, Meaning
from symdl.verification.meaning.values import is_open, opened, valued
from symdl.verification.notation import latex, tree, unicode
from symdl.verification.notation.tree import Node, walk

#: For all edits of one link and for each of them: the part of the seconds of a decision. How many are tried.
ALL, EACH, MOST = 0.75, 0.25, 120
#: The same for all edits where shapes do not go together: few of them mend that, and each may take a proof.
LONGER = 2.0
#: What is right is worked out of expressions up to so many operations, and shown up to so many characters.
LARGEST, LONGEST = 80, 160


def suggestion(judging: Judge, link: Meaning) -> str:
    """The link with one small edit that is proved, as LaTeX; empty where none is found.

    Args:
        judging: in the scope in which the link was refuted.
        link: with two sides that were understood.
    """
    if link.relation not in EQUALITIES or (link.values is None and not (link.unfit or link.named)):
        return ""
    figure = _figure(judging, link)
    if figure is not None:
        return _written(link, link.left, *figure)
    if link.relation == "≈":
        return ""
    deadline = now() + (LONGER if link.unfit else ALL) * judging.seconds
    quick = judging if link.unfit else replace(judging, budget=EACH * judging.budget, quick=True)
    begun = cache(lambda: _begun(judging, link))
    for right in _candidates(judging, link):
        if now() > deadline:
            return ""
        if not _says_nothing(link, _tidy(right)) and _holds(quick, link, right, begun):
            return _written(link, link.left, _tidy(right))
    return ""


def in_its_place(judging: Judge, link: Meaning) -> str:
    """What is right in place of the right side of a refuted link, in words; empty where that can't be told shortly."""
    if link.values is None or link.relation not in EQUALITIES:
        return ""
    begun = cache(lambda: _begun(judging, link))
    for right in _worked_out(judging, link):
        text = unicode(right)
        if (
            len(text) <= LONGEST
            and not _says_nothing(link, right)
            and _holds(replace(judging, budget=EACH * judging.budget), link, right, begun)
        ):
            return f"right is {text}"
    return ""


def _says_nothing(link: Meaning, right: Node) -> bool:
    """Whether a right side is the left one as it is read: C D = C D is no help to who wrote C D = D C."""
    return unicode(right) == unicode(link.left)


def _candidates(judging: Judge, link: Meaning) -> Iterator[Node]:
    """The right side edited: whole factors first, and what also makes other statements last."""
    letters = sorted(
        {i.name for i in link.free}
        | {n.name for n in walk(link.right) if isinstance(n, tree.Symbol) and n.name in "ijkmn"}
    )
    made = sorted([*scaled(link.right), *edits(link.right, letters)][:MOST], key=lambda each: each[0] == "digit")
    if link.named:
        made = [*further(link.right), *made]
    elif not (link.redefines or link.unfit):
        made += list(further(link.right, letters))[:MOST]
    stated = {
        n.name for n in walk(link.right) if isinstance(n, tree.Symbol) and judging.reading.scope.is_stated(n.name)
    }
    if stated:
        made += list(fitting(link.right, stated))[:MOST]
    seen: set[Node] = {link.right}
    for _, right in made:
        if right not in seen:
            seen.add(right)
            yield right
    if not (link.named or link.redefines or link.unfit):
        yield from _by_a_factor(judging, link)


#: A reader that has read the left side, and what that is; None where it can't be read.
_Begun = tuple[Interpreter, Array] | None


def _begun(judging: Judge, link: Meaning) -> _Begun:
    """The left side, which is the same for all edits: a second derivative takes longer to read than to compare."""
    reader = judging.reading.reader()
    try:
        return reader, reader.value(link.left)
    except SymdlError:
        return None


def _holds(judging: Judge, link: Meaning, right: Node, begun: Callable[[], _Begun]) -> bool:
    if link.named:
        return _is_the_named(judging, link, right)
    if (start := begun()) is None:
        return False
    reader = start[0].copied()
    try:
        values = start[1], reader.value(right)
    except SymdlError:
        return False
    free = tuple(reader.free.values())
    edited = replace(link, right=right, values=values, free=free, starts=(), notes=(), named="")
    found = judging.verdict(edited)
    # x³ is xˣ where x = 1 is stated, which does not make one a slip for the other
    return found.proved and not (link.redefines and "stated values" in found.scope)


def _is_the_named(judging: Judge, link: Meaning, right: Node) -> bool:
    """Whether the function on the left is the one that the words name if `right` stands for it."""
    reader = judging.reading.reader()
    found = head(reader, link.left)
    argument = reader.parts(found[1][0]) if found is not None and found[1] else None
    if argument is None:
        return False
    reader.arguments[argument.name] = scalar(element(argument.name))
    try:
        body = reader.number(right)
    except SymdlError:
        return False
    return judging.is_the_named(link, argument.name, body).proved


# ── figures ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _figure(judging: Judge, link: Meaning) -> tuple[Node, str] | None:
    """The right side, where it is one figure, with the digits that it should have, and the relation that then holds."""
    if half_unit(link.right) is None or link.values is None:
        return None
    value = valued(judging.reading.scope, link.values[0].body)
    return None if is_open(value) else correct(link.right, value, link.relation)


# ── what both sides are ──────────────────────────────────────────────────────────────────────────────────────────────


def _by_a_factor(judging: Judge, link: Meaning) -> Iterator[Node]:
    """The right side with a number changed, or with a factor, by which the left one differs from it: 7/n for 2/n."""
    assert link.values is not None
    left, right = (_simple(judging, v.body) for v in link.values)
    if left is None or right is None or left == 0 or right == 0:
        return
    factor = sympy.cancel(left / right)
    if factor.is_Rational:
        for node in _leading(link.right):
            value = sympy.Rational(node.text) * factor
            if value.is_Integer and value > 0:
                yield _replaced(link.right, node, tree.Number(str(value)))
    if sympy.count_ops(factor) <= 4:
        try:
            told = written(factor, judging.reading.usage.spelled)
        except SymdlError:
            return
        if isinstance(told, tree.Quotient) and told.over == tree.Number("1"):
            for node in _leading(link.right):
                yield _replaced(link.right, node, tree.Quotient(node, told.under))
        inner = tree.Group(link.right) if isinstance(link.right, tree.Sum) else link.right
        told = tree.Group(told) if isinstance(told, tree.Sum) and len(told.terms) > 1 else told
        apart = any(isinstance(n, tree.Quotient) for n in (told, inner))
        yield tree.Product((told, inner), ("·" if apart else "",))


def _leading(node: Node) -> Iterator[tree.Number]:
    """The whole numbers that a formula as a whole is multiplied with."""
    if isinstance(node, tree.Number) and node.text.isdigit():
        yield node
    elif isinstance(node, tree.Product):
        for f in node.factors:
            yield from _leading(f)
    elif isinstance(node, tree.Quotient):
        yield from _leading(node.over)
    elif isinstance(node, tree.Sum) and len(node.terms) == 1:
        yield from _leading(node.terms[0][1])


def _replaced(node: Node, old: Node, new: Node) -> Node:
    """A formula with another number at one of the places that `_leading` names."""
    if node is old:
        return new
    if isinstance(node, tree.Product):
        return replace(node, factors=tuple(_replaced(f, old, new) for f in node.factors))
    if isinstance(node, tree.Quotient):
        return replace(node, over=_replaced(node.over, old, new))
    if isinstance(node, tree.Sum):
        return replace(node, terms=tuple((sign, _replaced(t, old, new)) for sign, t in node.terms))
    return node


def _worked_out(judging: Judge, link: Meaning) -> Iterator[Node]:
    """The left side worked out, the shortest form first."""
    assert link.values is not None
    if link.values[0].axes:
        return
    scope = judging.reading.scope
    expr = opened(scope, link.values[0].body)
    if not is_open(expr) or sympy.count_ops(expr) > LARGEST:
        return
    forms = [expr, _simple(judging, link.values[0].body)]
    forms += [_drawn_out(f) for f in forms if f is not None]
    for form in sorted({f for f in forms if f is not None}, key=_length):
        try:
            yield written(form, judging.reading.usage.spelled)
        except SymdlError:
            continue


def _drawn_out(expr: sympy.Expr) -> sympy.Expr:
    """With brackets drawn out, and out of sums what does not hang on their index."""
    if isinstance(expr, Reduction):
        if expr.op != "sum":
            return expr
        inner, outer = sympy.factor(_drawn_out(expr.body)).as_independent(*expr.bound)[::-1]
        return outer * expr.func(expr.args[0], inner, *expr.args[2:])
    if not expr.has(Reduction):
        return sympy.factor(expr)
    if expr.args and not isinstance(expr, Element):
        expr = expr.func(*[_drawn_out(a) if isinstance(a, sympy.Expr) else a for a in expr.args])
    return sympy.factor(expr) if sympy.count_ops(expr) <= LARGEST else expr


def _length(expr: sympy.Expr) -> tuple[int, str]:
    """How much there is to read, and an order among equals."""
    return sum(1 for _ in sympy.preorder_traversal(expr)), str(expr)


def _simple(judging: Judge, body: sympy.Expr) -> sympy.Expr | None:
    """What a side is, by its names: sums over δ done, fractions reduced; None where that would take long."""
    expr = opened(judging.reading.scope, body)
    if sympy.count_ops(expr) > LARGEST:
        return None
    if not any(not s.is_Integer for e in expr.atoms(Element) for s in e.subscripts):
        return sympy.cancel(expr)
    try:
        with until(now() + EACH * judging.seconds):
            return canonical(expr).replace(E, sympy.exp)
    except SymdlError:
        return None


def _tidy(node: Node) -> Node:
    """Without the plus sign that is left where a minus sign was turned."""
    if isinstance(node, tree.Sum) and len(node.terms) == 1 and node.terms[0][0] == "+":
        return _tidy(node.terms[0][1])
    return tree.mapped(node, _tidy)


def _written(link: Meaning, left: Node, right: Node, relation: str = "") -> str:
    return latex(tree.Chain((left, right), (relation or link.relation,)))
