"""argmax_j softmax(o)_j = argmax_j o_j: two lists have their largest entry at one place.

They do where each entry of one is an increasing function, the same for all, of the entry of the other.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy

from symdl.core.indices import Index
from symdl.core.tensors import Reduction
from symdl.errors import SymdlError
from symdl.verification.judging.doubts import Pair
from symdl.verification.meaning import sums
from symdl.verification.meaning.names import letter_of
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.statements import Reading
from symdl.verification.meaning.values import opened
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node
from symdl.verification.verdict import Status, Verdict

_OPERATORS = frozenset({"argmax", "argmin"})

#: Increasing functions of one number.
_INCREASING = (sympy.exp, sympy.log, sympy.tanh, sympy.atan, sympy.sinh)


def same_place(reading: Reading, link: Meaning, decide: Callable[[Pair], Verdict]) -> Verdict | None:
    """The proof; None where there is none, or the link is about something else.

    Args:
        decide: judges an equality.
    """
    left, right = link.left, link.right
    if not isinstance(left, tree.Big) or not isinstance(right, tree.Big) or link.relation not in ("=", "≡"):
        return None
    letters = [letter_of(side.sub) if side.sub is not None else "" for side in (left, right)]
    plain = left.op == right.op and left.op in _OPERATORS and left.sup is right.sup is None
    if not plain or not letters[0] or letters[0] != letters[1]:
        return None
    try:
        forms = _entries(reading, letters[0], (left.body, right.body))
    except SymdlError:
        return None
    index, bodies = forms
    bare = [_without_increasing(body, index) for body in bodies]
    counted = all(index in b.free_symbols for b in bare)
    if not counted or (bare[0] != bare[1] and not decide((bare[0], bare[1])).proved):
        return None
    scope = f"all real values, {letters[0]} over one range"
    return Verdict(Status.PROVED, "increasing functions keep the order", scope)


def _entries(reading: Reading, letter: str, nodes: tuple[Node, Node]) -> tuple[Index, list[sympy.Expr]]:
    """Both bodies at one index."""
    reader, scope = reading.reader(), reading.scope
    index = sums.new_index(letter, scope.new_extent(f"n_{letter}"))
    with reader.binding({letter: index + reader.usage.start_of(letter, "")}):
        bodies = [opened(scope, reader.number(node)) for node in nodes]
    settled = scope.settled(index)  # as long as what it runs over
    assert isinstance(settled, Index)
    return settled, [scope.settled(body) for body in bodies]


def _without_increasing(expr: sympy.Expr, index: Index) -> sympy.Expr:
    """x of c e^x + d with a c > 0, where c and d are the same at all places."""
    while True:
        before = expr
        if isinstance(expr, sympy.Add):
            expr = sympy.Add(*[t for t in expr.args if index in t.free_symbols])
        elif isinstance(expr, sympy.Mul):
            apart = [f for f in expr.args if index not in f.free_symbols]
            if all(_is_positive(f) for f in apart):
                expr = sympy.Mul(*[f for f in expr.args if index in f.free_symbols])
        elif isinstance(expr, _INCREASING):
            expr = expr.args[0]
        if expr == before:
            return expr


def _is_positive(expr: sympy.Expr) -> bool:
    """Whether a factor is above 0 for all values: a sum of exponentials is."""
    if isinstance(expr, sympy.Pow) and expr.exp.is_Integer:
        return _is_positive(expr.base)
    if isinstance(expr, Reduction):
        return expr.op in ("sum", "prod") and _is_positive(expr.body)
    if isinstance(expr, sympy.Mul):
        return all(_is_positive(f) for f in expr.args)
    return bool(expr.is_positive)
