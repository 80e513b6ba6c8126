"""For which numbers a statement is made: what is assumed of variables, and where formulas have a value.

>>> x, b = sympy.symbols("x b", real=True)
>>> needed([sympy.log(1 + sympy.exp(x)) + 1 / (x**2 + b)], [b > 0])
[]
>>> needed([1 / x + sympy.sqrt(b)], [])
[b >= 0, Ne(x, 0)]
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence

import sympy

from symdl.core.functions import ScalarFunction, Switch
from symdl.core.tensors import Element
from symdl.verification.coq.writer import plain
from symdl.verification.truth import opened

_HALF = sympy.Rational(1, 2)
#: Numbers that are tried for variables, to see that hypotheses can hold at all.
_TRIED = tuple(map(sympy.Rational, ("1/3", "2", "-1/2", "7", "-3", "3/4", "0", "1", "-1", "1/8", "20", "-15")))
_MOST_TRIED = 4000
_WORDS = {"==": "=", "!=": "≠", "<=": "≤", ">=": "≥"}


def variables_of(*expressions: sympy.Basic) -> list[sympy.Expr]:
    """Symbols and elements, in the order of their names."""
    found = set().union(*(e.atoms(sympy.Symbol) | e.atoms(Element) for e in expressions))
    elements = {s for e in found if isinstance(e, Element) for s in e.atoms(sympy.Symbol)}
    return sorted(found - elements, key=lambda v: (str(v), sympy.default_sort_key(v)))


def stated(variables: Iterable[sympy.Expr]) -> list[sympy.Basic]:
    """What symbols say of themselves, as relations: a positive symbol b is one with b > 0.

    >>> stated([sympy.Symbol("b", positive=True), sympy.Symbol("x", real=True)])
    [b > 0]
    """
    found: list[sympy.Basic] = []
    for v in variables:
        free = sympy.Dummy(str(v), real=True)
        for known, relation in (
            (v.is_positive, free > 0),
            (v.is_negative, free < 0),
            (v.is_nonnegative and not v.is_positive, free >= 0),
            (v.is_nonpositive and not v.is_negative, free <= 0),
            (v.is_nonzero and not (v.is_positive or v.is_negative), sympy.Ne(free, 0)),
        ):
            if known:
                found.append(relation.func(v, 0, evaluate=False))
    return found


def signed(variables: Iterable[sympy.Expr], relations: Sequence[sympy.Basic]) -> dict[sympy.Expr, sympy.Symbol]:
    """Variables as symbols that know the sign which relations with 0 give them."""
    made = {}
    for v in variables:
        known: dict[str, bool] = {"real": True}
        for relation in relations:
            for word, holds in _signs(v, relation):
                known[word] = holds
        made[v] = sympy.Symbol(str(getattr(v, "name", v)), **known)
    return made


def _signs(variable: sympy.Expr, relation: sympy.Basic) -> Iterable[tuple[str, bool]]:
    left, right = relation.args
    if isinstance(relation, sympy.Ne) and {left, right} == {variable, sympy.S.Zero}:
        yield "zero", False
    if not isinstance(relation, (sympy.StrictGreaterThan, sympy.GreaterThan, sympy.StrictLessThan, sympy.LessThan)):
        return
    strict = isinstance(relation, (sympy.StrictGreaterThan, sympy.StrictLessThan))
    if relation.gts == variable and relation.lts.is_nonnegative:
        yield ("positive" if strict or relation.lts.is_positive else "nonnegative"), True
    if relation.lts == variable and relation.gts.is_nonpositive:
        yield ("negative" if strict or relation.gts.is_negative else "nonpositive"), True


def needed(
    expressions: Sequence[sympy.Expr], relations: Sequence[sympy.Basic], *, strict: bool = False
) -> list[sympy.Basic]:
    """Relations without which expressions have no value, unless they follow from those given.

    Args:
        expressions: scalars without switches.
        relations: what is assumed.
        strict: whether roots are needed of positive numbers only, as slopes do.
    """
    found = list(dict.fromkeys(_unknown(expressions, relations, strict)))
    for relation in list(found):  # x > 0 makes x² > 0 obvious
        others = [*relations, *(r for r in found if r != relation)]
        if sympy.false not in found and relation not in _unknown(expressions, others, strict):
            found.remove(relation)
    return found


def _unknown(expressions: Sequence[sympy.Expr], relations: Sequence[sympy.Basic], strict: bool) -> list[sympy.Basic]:
    """What is needed and does not follow from signs, or from a relation that says the same."""
    symbols = signed(variables_of(*expressions, *relations), relations)
    known = {(r.gts - r.lts).expand(): r for r in relations if hasattr(r, "gts")}
    found: dict[sympy.Basic, None] = {}
    for kind, what in (part for e in expressions for part in _partial(e, strict)):
        seen = opened(what).xreplace(symbols)
        seen = seen if seen.is_positive else sympy.together(seen)
        rule = known.get(sympy.expand(what))
        if kind == "nonzero" and not (seen.is_nonzero or _strictly(rule) or _strictly(known.get(sympy.expand(-what)))):
            found[sympy.Ne(what, 0)] = None
        if kind == "positive" and not (seen.is_positive or _strictly(rule)):
            found[sympy.StrictGreaterThan(what, 0)] = None
        if kind == "nonnegative" and not (seen.is_nonnegative or rule is not None):
            found[sympy.GreaterThan(what, 0)] = None
    return [r for r in found if r != sympy.true]


def _strictly(relation: sympy.Basic | None) -> bool:
    return isinstance(relation, (sympy.StrictGreaterThan, sympy.StrictLessThan))


def _partial(expr: sympy.Expr, strict: bool) -> Iterable[tuple[str, sympy.Expr]]:
    """What has to be positive, non-negative or other than 0, by the functions that are not defined everywhere."""
    node = plain(expr)
    for argument in node.args if not isinstance(node, Element) else ():
        yield from _partial(argument, strict)
    if isinstance(node, ScalarFunction):
        yield from _partial(node.defined(), strict)
    elif isinstance(node, sympy.log):
        yield "positive", node.args[0]
    elif node.is_Pow and not isinstance(node, sympy.exp):
        if not node.exp.is_Integer:
            yield ("positive" if strict or node.exp.is_negative else "nonnegative"), node.base
        elif node.exp.is_negative:
            yield "nonzero", node.base


def possible(relations: Sequence[sympy.Basic]) -> bool:
    """Whether some point was found where all relations hold: of nothing, anything can be proved.

    >>> x = sympy.Symbol("x", real=True)
    >>> possible([x > 0, x < 1]), possible([x > 1, x < 0])
    (True, False)
    """
    unknowns = variables_of(*relations)
    points = itertools.islice(itertools.product(_TRIED, repeat=len(unknowns)), _MOST_TRIED)
    return any(_holds(relations, dict(zip(unknowns, point, strict=True))) for point in points)


def _holds(relations: Sequence[sympy.Basic], point: Mapping[sympy.Expr, sympy.Expr]) -> bool:
    for relation in relations:
        left, right = (side.xreplace(dict(point)) for side in relation.args)
        try:
            difference = (left - right).evalf(30, maxn=200)
        except (ValueError, ZeroDivisionError):
            return False
        if not difference.is_Float and not difference.is_Rational:
            return False
        if relation.func(difference, 0) != sympy.true:
            return False
    return True


def in_words(relations: Sequence[sympy.Basic], show: Mapping[sympy.Expr, str] | None = None) -> str:
    """Relations as people write them.

    >>> x = sympy.Symbol("x", real=True)
    >>> in_words([x > 0, sympy.Ne(x, 3)])
    'x > 0 and x ≠ 3'
    """
    texts = [f"{r.args[0]} {_WORDS.get(r.rel_op, r.rel_op)} {r.args[1]}" for r in relations]
    return " and ".join(texts)


def has_switch(expr: sympy.Expr) -> bool:
    """Whether a case distinction is written in it, or in a function that it calls."""
    node = plain(expr)
    if isinstance(node, Switch):
        return True
    if isinstance(node, ScalarFunction) and has_switch(node.defined()):
        return True
    return any(has_switch(a) for a in node.args if not isinstance(node, Element))
