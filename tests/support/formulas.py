"""Formulas worked out in numbers by a second reader, which shares nothing with the checker but the tree.

Names are given as numbers, lists or lists of lists; functions as Python functions. Derivatives are taken by
differences.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import mpmath
from mpmath import mp, mpf

from symdl.verification.notation import tree

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": mpmath.exp,
    "log": mpmath.log,
    "ln": mpmath.log,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tanh": mpmath.tanh,
    "coth": mpmath.coth,
    "sinh": mpmath.sinh,
    "cosh": mpmath.cosh,
    "σ": lambda x: 1 / (1 + mpmath.exp(-x)),
}


class Unknown(Exception):
    """A formula that this reader does not work out."""


class Numbers:
    """Works out trees at one point.

    Args:
        names: name → number, list (subscripts from 1), or list of lists.
        defined: name → function of no arguments (a formula), or of one (f(x)).
        sizes: letter → how far a sum over it runs.
    """

    def __init__(self, names: Mapping[str, Any], defined: Mapping[str, Any], sizes: Mapping[str, int]) -> None:
        self.names, self.defined, self.sizes = dict(names), dict(defined), dict(sizes)
        self.letters: dict[str, int] = {}

    def value(self, node: tree.Node) -> Any:
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise Unknown(type(node).__name__)
        return method(node)

    def _number(self, node):
        return mpf(node.text)

    def _group(self, node):
        if isinstance(node.body, tree.List):
            raise Unknown("list")
        return self.value(node.body)

    def _sum(self, node):
        total = mpf(0)
        for sign, term in node.terms:
            if sign not in "+-":
                raise Unknown(sign)
            total = total + self.value(term) if sign == "+" else total - self.value(term)
        return total

    def _product(self, node):
        result, k = mpf(1), 0
        while k < len(node.factors):
            follows = node.factors[k + 1] if k + 1 < len(node.factors) and node.ops[k] == "" else None
            applied = self._application(node.factors[k], follows) if follows is not None else None
            result *= self.value(node.factors[k]) if applied is None else applied
            k += 1 if applied is None else 2
        return result

    def _application(self, head, follows):
        group = follows.base if isinstance(follows, tree.Scripted) else follows
        if not isinstance(group, tree.Group):
            return None
        power = self.value(follows.sup) if isinstance(follows, tree.Scripted) else mpf(1)
        primes = head.primes if isinstance(head, tree.Scripted) else 0
        base = head.base if isinstance(head, tree.Scripted) else head
        if not isinstance(base, tree.Symbol):
            return None
        function = self.defined.get(base.name) or FUNCTIONS.get(base.name)
        if function is None or not callable(function):
            return None
        if isinstance(head, tree.Scripted) and head.sup is not None:
            power *= self.value(head.sup)
        at = self.value(group.body)
        return (mpmath.diff(function, at, primes) if primes else function(at)) ** power

    def _quotient(self, node):
        return self.value(node.over) / self.value(node.under)

    def _root(self, node):
        return mpmath.sqrt(self.value(node.body))

    def _abs(self, node):
        return abs(self.value(node.body))

    def _applied(self, node):
        function, power = node.function, mpf(1)
        if isinstance(function, tree.Scripted):
            function, power = function.base, self.value(function.sup)
        if function.name in ("max", "min"):
            inner = node.argument.body
            pick = max if function.name == "max" else min
            return pick(self.value(i) for i in inner.items)
        if function.name not in FUNCTIONS:
            raise Unknown(function.name)
        return FUNCTIONS[function.name](self.value(node.argument)) ** power

    def _symbol(self, node):
        name = node.name
        if name in self.letters:
            raise Unknown("an index as a number")
        if name == "e":
            return mp.e
        if name in self.defined:
            found = self.defined[name]()
            if isinstance(found, list):
                raise Unknown(name)
            return found
        if not isinstance(self.names.get(name), mpf):
            raise Unknown(name)
        return self.names[name]

    def _scripted(self, node):
        if not isinstance(node.base, tree.Symbol):
            if node.sub is not None or node.primes:
                raise Unknown("scripts")
            return self.value(node.base) ** self.value(node.sup)
        value = self.entry(node.base.name, node.sub) if node.sub is not None else self._symbol(node.base)
        if node.primes:
            raise Unknown("prime")
        return value if node.sup is None else value ** self.value(node.sup)

    def entry(self, name, sub):
        subs = sub.factors if isinstance(sub, tree.Product) else (sub,)
        places = []
        for s in subs:
            if isinstance(s, tree.Symbol) and s.name in self.letters:
                places.append(self.letters[s.name])
            elif isinstance(s, tree.Number):
                places.append(int(s.text))
            else:
                raise Unknown("subscript")
        whole = self.defined[name]() if name in self.defined else self.names.get(name)
        for place in places:
            if not isinstance(whole, list) or not 1 <= place <= len(whole):
                raise Unknown(f"{name} at {places}")
            whole = whole[place - 1]
        if isinstance(whole, list):
            raise Unknown(name)
        return whole

    def _big(self, node):
        letter, first, last = self._limits(node)
        before, total = dict(self.letters), mpf(0)
        for place in range(first, last + 1):
            self.letters[letter] = place
            total += self.value(node.body)
        self.letters = before
        return total

    def _limits(self, node):
        if node.op != "sum":
            raise Unknown(node.op)
        if isinstance(node.sub, tree.Symbol) and node.sup is None and node.sub.name in self.sizes:
            return node.sub.name, 1, self.sizes[node.sub.name]
        if isinstance(node.sub, tree.Chain) and node.sup is not None and isinstance(node.sub.sides[0], tree.Symbol):
            return node.sub.sides[0].name, int(self.value(node.sub.sides[1])), int(self.value(node.sup))
        raise Unknown("limits")

    def _derivative(self, node):
        if len(node.by) != 1 or node.of is None:
            raise Unknown("derivative")
        by, order = node.by[0]
        return self._slope(node.of, by, order)

    def _slope(self, of, by, order):
        base = by.base if isinstance(by, tree.Scripted) else by
        if base.name in self.defined:
            return self._through(of, base.name, by)
        saved = self.names[base.name]
        places = []
        if isinstance(by, tree.Scripted):
            subs = by.sub.factors if isinstance(by.sub, tree.Product) else (by.sub,)
            places = [self.letters[s.name] - 1 if isinstance(s, tree.Symbol) else int(s.text) - 1 for s in subs]

        def at(x):
            self.names[base.name] = _put(saved, places, x)
            try:
                return self.value(of) if not self._function(of) else self.defined[of.name](x)
            finally:
                self.names[base.name] = saved

        return mpmath.diff(at, _get(saved, places), order)

    def _function(self, of):
        found = self.defined.get(of.name) if isinstance(of, tree.Symbol) else None
        return found is not None and getattr(found, "of_one", False)

    def _through(self, of, name, by):
        """∂L/∂h_j, where h has a definition: that is held fixed at other values."""
        saved = self.defined[name]
        whole = saved()
        places = [self.letters[by.sub.name] - 1] if isinstance(by, tree.Scripted) else []

        def at(x):
            changed = _put(whole, places, x)
            self.defined[name] = lambda: changed
            try:
                return self.value(of)
            finally:
                self.defined[name] = saved

        return mpmath.diff(at, _get(whole, places))


def _get(whole, places):
    for place in places:
        whole = whole[place]
    return whole


def _put(whole, places, x):
    if not places:
        return x
    changed = list(whole)
    changed[places[0]] = _put(changed[places[0]], places[1:], x)
    return changed
