"""f(x + ε) ≈ f(x) + ε f′(x) and f(x + ε) = f(x) + ε f′(x) + O(ε²): equal up to an order of a small number.

How far the two sides agree is read off what is written: to the highest power of ε that stands there, or to the one
below that in O(…); where nothing is written but dots, to the last term before them. This proves, and never refutes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import sympy

from symdl.core.tensors import Element, Reduction
from symdl.errors import SymdlError
from symdl.verification.judging.assumptions import SMALL
from symdl.verification.judging.doubts import Pair
from symdl.verification.meaning import calculus
from symdl.verification.meaning.interpret import Interpreter
from symdl.verification.meaning.scope import element
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.statements import Reading
from symdl.verification.meaning.values import opened
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node
from symdl.verification.verdict import Status, Verdict

APPROXIMATE = frozenset({"≈", "≃", "≅", "≐"})
#: Orders beyond this are not looked at.
HIGHEST = 6

Decide = Callable[[Pair], Verdict]


def to_an_order(reading: Reading, link: Meaning, decide: Decide) -> Verdict | None:
    """The proof that two sides agree to the order that is written; None where there is none."""
    try:
        return _to_an_order(reading, link, decide)
    except SymdlError:
        return None


def _to_an_order(reading: Reading, link: Meaning, decide: Decide) -> Verdict | None:
    reader = reading.reader()
    left, (right, rest) = link.left, without_rest(reader, link.right)
    if rest is None and isinstance(without_rest(reader, left)[1], tree.Dots):
        left, (right, rest) = link.right, without_rest(reader, left)
    if rest is None and link.relation not in APPROXIMATE:
        return None
    pair = reader.value(left), reader.value(right)
    if pair[0].axes or pair[1].axes or any(v.body.has(Reduction) for v in pair):
        return None
    a, b = (opened(reading.scope, v.body) for v in pair)
    if isinstance(rest, tree.Dots):
        return _series(a, b, decide)
    if rest is None:
        small = {e for e in a.atoms(Element) | b.atoms(Element) if is_small(e)}
        order = order_of(b, small)
    else:
        within = opened(reading.scope, reader.number(rest))
        small, order = _smallest(within)
        order -= 1
    if not small or not 1 <= order <= HIGHEST:
        return None
    names = ", ".join(sorted(str(e) for e in small))
    return agree(a, b, small, order, decide, f"to order {order} in {names}")


def is_small(e: Element) -> bool:
    """Whether an element is called as small numbers are: ε, Δx."""
    return e.name in SMALL or (e.name.startswith("Δ") and len(e.name) > 1)


def without_rest(reader: Interpreter, side: Node) -> tuple[Node, Node | None]:
    """A sum without O(…) or dots at its end, and what stands in O, or the dots."""
    if not isinstance(side, tree.Sum) or len(side.terms) < 2 or side.terms[-1][0] != "+":
        return side, None
    last = side.terms[-1][1]
    kept = replace(side, terms=side.terms[:-1])
    if isinstance(last, tree.Dots):
        return kept, last
    if isinstance(last, tree.Product) and len(last.factors) == 2 and isinstance(last.factors[1], tree.Group):
        name, within = last.factors[0], last.factors[1].body
        if isinstance(name, tree.Symbol) and name.name == "O" and not reader.known("O"):
            return kept, within
    return side, None


def _smallest(within: sympy.Expr) -> tuple[set[Element], int]:
    """ε and 2 of O(ε²); of O(η² f′(x)²), η: what stands there to the highest power and in no function."""
    found: dict[Element, int] = {}
    for factor in sympy.Mul.make_args(within):
        base, power = factor.as_base_exp()
        if isinstance(base, Element) and power.is_Integer:
            found[base] = int(power)
    marked = [e for e in found if is_small(e)] or list(found)
    return ({marked[0]}, found[marked[0]]) if len(marked) == 1 else (set(), 0)


def order_of(expr: sympy.Expr, small: set[Element]) -> int:
    """The highest power of small numbers that is written, a product of sums counting as its longest factor.

    >>> e, a, b = element("ε"), element("a"), element("b")
    >>> order_of((1 + a * e) * (1 + b * e), {e}), order_of(1 + a * e + b * e**2, {e})
    (1, 2)
    """
    if expr in small:
        return 1
    if isinstance(expr, sympy.Add):
        return max(order_of(term, small) for term in expr.args)
    if isinstance(expr, sympy.Mul):
        sums = [order_of(f, small) for f in expr.args if isinstance(f, sympy.Add)]
        return sum(order_of(f, small) for f in expr.args if not isinstance(f, sympy.Add)) + max(sums, default=0)
    if isinstance(expr, sympy.Function) and not isinstance(expr, Reduction):
        return max((order_of(a, small) for a in expr.args), default=0)
    if isinstance(expr, sympy.Pow) and expr.exp.is_Integer and expr.exp > 0:
        return order_of(expr.base, small) * int(expr.exp)
    return 0


def agree(a: sympy.Expr, b: sympy.Expr, small: set[Element], order: int, decide: Decide, scope: str) -> Verdict | None:
    """Whether all derivatives up to an order agree where the small numbers are 0."""
    scale = element("·t")
    mapping = {e: scale * e for e in small}
    first, second = a.xreplace(mapping), b.xreplace(mapping)
    found = None
    for k in range(order + 1):
        at = [side.xreplace({scale: sympy.S.Zero}) for side in (first, second)]
        if any(side.has(sympy.nan, sympy.zoo, sympy.oo) for side in at):
            return None
        found = decide((at[0], at[1]))
        if not found.proved:
            return None
        if k < order:
            first, second = calculus.slope(first, scale), calculus.slope(second, scale)
    assert found is not None
    return Verdict(Status.PROVED, "Taylor expansion", scope)


def _series(a: sympy.Expr, b: sympy.Expr, decide: Decide) -> Verdict | None:
    """1 + x + x² + … of one name: the expansion of the left side about 0 begins with what is written."""
    names = a.atoms(Element) | b.atoms(Element)
    if len(names) != 1:
        return None
    order = order_of(b, names)
    (name,) = names
    if not 2 <= order <= HIGHEST or not b.is_polynomial(name):
        return None
    return agree(a, b, names, order, decide, f"the terms that are written, about {name} = 0")
