"""From what was worked out back to a formula, in the names and with the subscripts of the document.

Used to say what would be right. Whoever shows such a formula has read it again first, so that what is written here is
checked by the way in which every formula is.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy

from symdl.core.functions import Delta
from symdl.core.indices import Index
from symdl.core.tensors import Element, Reduction
from symdl.errors import SymdlError
from symdl.verification.judging.counting import start_of
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node

_CALLED = {
    sympy.log: "log",
    sympy.sin: "sin",
    sympy.cos: "cos",
    sympy.tan: "tan",
    sympy.sinh: "sinh",
    sympy.cosh: "cosh",
    sympy.tanh: "tanh",
}
_TWO = tree.Number("2")
_LETTERS = "ikjmpqrst"


class UnwrittenError(SymdlError):
    """There is no notation here for what has to be written."""


def written(expr: sympy.Expr, names: Mapping[str, Node]) -> Node:
    """A formula for an expression.

    Args:
        expr: with subscripts that count as the document does.
        names: how the document writes them, without their subscripts.

    Raises:
        UnwrittenError: something in it has no notation here.

    >>> from symdl.verification.notation import unicode
    >>> x = sympy.Symbol("x", real=True)
    >>> unicode(written(2 * sympy.exp(2 * x) / (sympy.exp(2 * x) + 1) ** 2 - 1, {}))
    '−1 + 2e²ˣ/(e²ˣ + 1)²'
    """
    lettered = _with_letters(expr)
    return _Writer(names, {s.name for s in lettered.free_symbols}).node(lettered)


def _with_letters(expr: sympy.Expr) -> sympy.Expr:
    """Letters that count from where the subscripts do, in place of free indices, which count from 0."""
    free = {i for i in expr.free_symbols if isinstance(i, Index)}
    return expr.xreplace({i: sympy.Symbol(i.name, integer=True) - _start(expr, i) for i in free})


def _start(expr: sympy.Expr, index: Index) -> sympy.Integer:
    start = start_of([expr], index)
    if start is None:
        raise UnwrittenError(f"{index.name} counts from several numbers")
    return sympy.Integer(start)


class _Writer:
    """Writes one expression."""

    def __init__(self, names: Mapping[str, Node], taken: set[str]) -> None:
        self.names, self.taken = names, taken

    def node(self, expr: sympy.Expr) -> Node:
        if expr.is_Rational:
            return _number(expr)
        if isinstance(expr, Element):
            return self._element(expr)
        if expr.is_Symbol and not isinstance(expr, Index):
            return self._name(expr.name)
        if expr.is_Add:
            return self._sum(expr)
        if expr.is_Mul:
            return self._product(expr)
        if isinstance(expr, sympy.exp) or (expr.is_Pow and expr.base == sympy.E):
            return tree.Scripted(tree.Symbol("e"), sup=self.node(expr.exp))
        if expr.is_Pow:
            return self._power(expr)
        if isinstance(expr, Reduction) and expr.op == "sum" and len(expr.bound) == 1:
            return self._big(expr)
        if isinstance(expr, Delta):
            less = min(a.as_coeff_Add()[0] for a in expr.args)
            a, b = (self.node(a - less) for a in expr.args)
            return tree.Scripted(tree.Symbol("δ"), sub=tree.Product((a, b), ("",)))
        if type(expr) in _CALLED:
            return tree.Applied(tree.Symbol(_CALLED[type(expr)]), tree.Group(self.node(expr.args[0])))
        raise UnwrittenError(f"there is no notation for {type(expr).__name__}")

    def _name(self, name: str) -> Node:
        node = self.names.get(name)
        if node is None and (len(name) > 1 or not name.isalpha()):
            raise UnwrittenError(f"nobody writes {name}")
        return node or tree.Symbol(name)

    def _element(self, expr: Element) -> Node:
        base = self._name(expr.name)
        if not expr.subscripts:
            return base
        subs = [self.node(s) for s in expr.subscripts]
        plain = all(isinstance(s, tree.Symbol) for s in subs)
        several = tree.Product(tuple(subs), ("",) * (len(subs) - 1)) if plain else tree.List(tuple(subs), ",")
        sub = subs[0] if len(subs) == 1 else several
        if isinstance(base, tree.Scripted):
            if base.sub is not None:
                raise UnwrittenError(f"{expr.name} has something below it already")
            return tree.Scripted(base.base, sub=sub, sup=base.sup)
        return tree.Scripted(base, sub=sub)

    def _sum(self, expr: sympy.Expr) -> Node:
        terms = []
        for term in expr.as_ordered_terms():
            negative = term.could_extract_minus_sign()
            terms.append(("-" if negative else "+", self.node(-term if negative else term)))
        return tree.Sum(tuple(terms))

    def _product(self, expr: sympy.Expr) -> Node:
        coefficient, factors = expr.as_coeff_mul()
        if coefficient.is_negative:
            return tree.Sum((("-", self.node(-expr)),))
        over = [self.node(sympy.Integer(coefficient.p))] if coefficient.p != 1 else []
        under = [self.node(sympy.Integer(coefficient.q))] if coefficient.q != 1 else []
        for f in sorted(factors, key=_late):
            below = f.is_Pow and f.base != sympy.E and f.exp.could_extract_minus_sign()
            (under if below else over).append(self._factor(1 / f if below else f))
        if not under:
            return _juxtaposed(over)
        sums = [f for f in over if isinstance(f, tree.Big)]  # they stand behind the fraction
        rest = [f for f in over if f not in sums]
        top = _juxtaposed(rest) if rest else tree.Number("1")
        return _juxtaposed([tree.Quotient(_bare(top), _bare(_juxtaposed(under))), *sums])

    def _factor(self, expr: sympy.Expr) -> Node:
        made = self.node(expr)
        return tree.Group(made) if isinstance(made, tree.Sum) else made

    def _power(self, expr: sympy.Expr) -> Node:
        if expr.exp.could_extract_minus_sign():
            return tree.Quotient(tree.Number("1"), self.node(1 / expr))
        if expr.exp == sympy.S.Half:
            return tree.Root(self.node(expr.base))
        base = self.node(expr.base)
        plain = isinstance(base, tree.Symbol) or (isinstance(base, tree.Number) and base.text.isdigit())
        if isinstance(base, tree.Scripted) and base.sup is None:
            return tree.Scripted(base.base, sub=base.sub, sup=self.node(expr.exp))
        return tree.Scripted(base if plain else tree.Group(base), sup=self.node(expr.exp))

    def _big(self, expr: Reduction) -> Node:
        (index,) = expr.bound
        start = _start(expr.body, index)
        letter = next((x for x in (index.name, *_LETTERS) if len(x) == 1 and x not in self.taken), "")
        if not letter:
            raise UnwrittenError("no letter is left for a sum")
        self.taken.add(letter)
        body = self._factor(expr.body.xreplace({index: sympy.Symbol(letter, integer=True) - start}))
        self.taken.discard(letter)
        try:
            last = self.node(index.extent + start - 1)
        except UnwrittenError:  # over all that there are: nobody says how many
            return tree.Big("sum", tree.Symbol(letter), None, body)
        return tree.Big("sum", tree.Chain((tree.Symbol(letter), self.node(start)), ("=",)), last, body)


def _number(value: sympy.Rational) -> Node:
    if value.is_negative:
        return tree.Sum((("-", _number(-value)),))
    if value.q == 1:
        return tree.Number(str(value.p))
    return tree.Quotient(tree.Number(str(value.p)), tree.Number(str(value.q)))


def _late(factor: sympy.Expr) -> tuple[int, str]:
    """The order in which factors are written: names, then brackets and functions, sums over indices last."""
    rank = 0 if factor.is_Symbol or isinstance(factor, Element) else 1
    return (2 if factor.has(Reduction) else rank), str(factor)


def _juxtaposed(factors: list[Node]) -> Node:
    return factors[0] if len(factors) == 1 else tree.Product(tuple(factors), ("",) * (len(factors) - 1))


def _bare(node: Node) -> Node:
    """Without brackets, which a fraction does not need."""
    return node.body if isinstance(node, tree.Group) else node
