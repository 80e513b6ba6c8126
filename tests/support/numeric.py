"""Formulas worked out in numbers by a second reader, which shares nothing with the checker but the tree.

Numbers are mpmath's, vectors and matrices NumPy arrays of them (a vector is a column), derivatives are taken by
differences. What a definition stands for is worked out anew from its tree wherever its name is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import mpmath
import numpy as np
from mpmath import mp, mpf

from symdl.verification.notation import tree

FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "exp": lambda c, x: c.exp(x),
    "log": lambda c, x: c.log(x),
    "ln": lambda c, x: c.log(x),
    "sin": lambda c, x: c.sin(x),
    "cos": lambda c, x: c.cos(x),
    "tan": lambda c, x: c.tan(x),
    "sinh": lambda c, x: (c.exp(x) - c.exp(-x)) / 2,
    "cosh": lambda c, x: (c.exp(x) + c.exp(-x)) / 2,
    "tanh": lambda c, x: 1 - 2 / (c.exp(2 * x) + 1),
    "coth": lambda c, x: 1 / (1 - 2 / (c.exp(2 * x) + 1)),
    "σ": lambda c, x: 1 / (1 + c.exp(-x)),
    "sigmoid": lambda c, x: 1 / (1 + c.exp(-x)),
    "softplus": lambda c, x: c.log(1 + c.exp(x)),
    "ReLU": lambda c, x: x if x > 0 else x * 0,
}
#: How numbers are compared.
ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    "≤": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    "≥": lambda a, b: a >= b,
    "≠": lambda a, b: a != b,
}


class Unknown(Exception):
    """A formula that this reader does not work out."""


class Misfit(Exception):
    """Shapes that do not meet: the formula says nothing at all."""


#: What the arithmetic itself raises where a formula has no value at a point.
FAILURES = (ZeroDivisionError, KeyError, AttributeError, TypeError, ValueError, OverflowError, IndexError)


def heads(node: tree.Node) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """The name that a left side defines, its subscripts, and its arguments.

    >>> from symdl.verification.notation import parse
    >>> heads(parse("z_j = 1").sides[0]), heads(parse("f(x) = 1").sides[0])
    (('z', ('j',), ()), ('f', (), ('x',)))
    """
    arguments: tuple[str, ...] = ()
    if isinstance(node, tree.Product) and len(node.factors) == 2 and isinstance(node.factors[1], tree.Group):
        inner = node.factors[1].body
        arguments = tuple(i.name for i in (inner.items if isinstance(inner, tree.List) else (inner,)))
        node = node.factors[0]
    if isinstance(node, tree.Scripted):
        return node.base.name, tuple(s.name for s in subscripts(node.sub)), arguments
    return node.name, (), arguments


def subscripts(sub: tree.Node) -> tuple[tree.Node, ...]:
    """One node for each subscript: two of w_{ji}."""
    if isinstance(sub, tree.Product):
        return sub.factors
    return sub.items if isinstance(sub, tree.List) else (sub,)


class Numbers:
    """Works out trees at one point.

    Args:
        given: a name, and subscripts from 1 or none → a number.
        shapes: of the given names, the letters of their axes: "ji" for w_{ji}; bold names are vectors and matrices.
        sizes: letter → how long such an axis is.
        definitions: trees `name = formula`, in order.
        context: of mpmath, for numbers or for intervals.
        exact: figures that no interval stands for.
    """

    def __init__(
        self,
        given: Callable[..., Any],
        shapes: Mapping[str, str],
        sizes: Mapping[str, int],
        definitions: tuple[tree.Chain, ...] = (),
        context: Any = mp,
        exact: frozenset[str] = frozenset(),
    ) -> None:
        self.exact = exact
        self.given, self.shapes, self.sizes, self.context = given, dict(shapes), dict(sizes), context
        self.defined = {}
        for chain in definitions:
            name, subs, arguments = heads(chain.sides[0])
            self.defined[name] = (subs, arguments, chain.sides[1])
        self.fixed: dict[tuple[Any, ...], Any] = {}
        self.whole: dict[str, Any] = {}
        self.arguments: dict[str, Any] = {}
        self.letters: dict[str, int] = {}

    def value(self, node: tree.Node) -> Any:
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise Unknown(type(node).__name__)
        return method(node)

    def scalar(self, node: tree.Node) -> Any:
        found = self.value(node)
        if isinstance(found, np.ndarray):
            raise Misfit("an array where a number is needed")
        return found

    # ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _symbol(self, node):
        name = node.name
        if name in self.arguments:
            return self.arguments[name]
        if name in self.letters:
            return mpf(self.letters[name])
        if name in self.whole:
            return self.whole[name]
        if name == "e" and name not in self.defined:
            return self.context.exp(1)
        if name == "π":
            return self.context.pi
        if name in self.defined:
            subs, arguments, body = self.defined[name]
            if arguments:
                raise Unknown(f"{name} without arguments")
            if subs:
                if node.face != "bf":
                    raise Unknown(f"{name} without subscripts")
                return self._filled(name, [self.length(name, k) for k in range(len(subs))])
            if (name,) in self.fixed:
                return self.fixed[name,]
            return self._apart(body)
        if self.shapes.get(name):
            if node.face != "bf":
                raise Unknown(f"{name} without subscripts")
            return self._filled(name, [self.length(name, k) for k in range(len(self.shapes[name]))])
        if name in self.sizes:
            return mpf(self.sizes[name])
        return self.entry(name, ())

    def _apart(self, body, letters=None, arguments=None):
        """The value of a definition, in which letters and arguments of outside mean nothing."""
        before = self.letters, self.arguments
        self.letters, self.arguments = letters or {}, arguments or {}
        try:
            return self.value(body)
        finally:
            self.letters, self.arguments = before

    def _filled(self, name, lengths):
        made = np.empty(lengths if len(lengths) > 1 else (*lengths, 1), dtype=object)
        for place in np.ndindex(*lengths):
            made[place if len(lengths) > 1 else (*place, 0)] = self.entry(name, tuple(p + 1 for p in place))
        return made

    def entry(self, name, places):
        if (name, *places) in self.fixed:
            return self.fixed[(name, *places)]
        if name in self.whole:
            return self._picked(self.whole[name], places)
        if name in self.defined:
            subs, arguments, body = self.defined[name]
            if subs and len(subs) == len(places) and not arguments:
                return self._apart(body, dict(zip(subs, places, strict=True)))
            if not subs and not arguments:
                return self._picked(self._apart(body), places)
            raise Unknown(f"{name} with {len(places)} subscripts")
        if name not in self.shapes or len(self.shapes[name]) != len(places):
            raise Unknown(f"{name} with {len(places)} subscripts")
        return self.given(name, *places)

    def _picked(self, whole, places):
        if not places:
            return whole
        if isinstance(whole, np.ndarray):
            if whole.shape[1] == 1 and len(places) == 1:
                places = (*places, 1)
            if len(places) == 2 and all(1 <= p <= n for p, n in zip(places, whole.shape, strict=True)):
                return whole[places[0] - 1, places[1] - 1]
        raise Unknown(f"an entry at {places}")

    def length(self, name, axis):
        """How long an axis is."""
        if name in self.defined:
            subs, _, body = self.defined[name]
            if subs:
                found = self._over(subs[axis], body)
                if found is None:
                    raise Unknown(f"the length of {name}")
                return found
            return self._apart(body).shape[axis]
        return self.sizes[self.shapes[name][axis]]

    def _over(self, letter, body):
        """How far a letter runs, by what it subscripts in a body; None where it subscripts nothing."""
        for node in tree.walk(body):
            if not (isinstance(node, tree.Scripted) and isinstance(node.base, tree.Symbol) and node.sub is not None):
                continue
            for axis, sub in enumerate(subscripts(node.sub)):
                if isinstance(sub, tree.Symbol) and sub.name == letter and node.base.name != "δ":
                    return self.length(node.base.name, axis)
        return None

    def _scripted(self, node):
        if isinstance(node.base, tree.Norm):
            return self._of_norm(node)
        if node.primes:
            raise Unknown("prime")
        if isinstance(node.base, tree.Symbol) and node.sub is not None:
            places = tuple(self._place(s) for s in subscripts(node.sub))
            if node.base.name == "δ" and "δ" not in self.shapes and len(places) == 2:
                value = mpf(places[0] == places[1])
            else:
                value = self.entry(node.base.name, places)
        else:
            value = self.value(node.base)
            if node.sub is not None:
                value = self._picked(value, tuple(self._place(s) for s in subscripts(node.sub)))
        return value if node.sup is None else self._raised(value, node.sup)

    def _place(self, node):
        found = self.scalar(node)
        if found != int(found):
            raise Unknown("a subscript that is no whole number")
        return int(found)

    def _raised(self, value, sup):
        if isinstance(sup, tree.Symbol) and sup.name in ("⊤", "T"):
            return value.T if isinstance(value, np.ndarray) else value
        if isinstance(value, np.ndarray):
            raise Misfit("a power of an array")
        return self._power(value, self.scalar(sup))

    def _power(self, base, exponent):
        whole = exponent == int(exponent) if not isinstance(exponent, mpmath.ctx_iv.ivmpf) else False
        return base ** int(exponent) if whole else base**exponent

    # ── arithmetic ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _number(self, node):
        if self.context is mp or "." not in node.text or node.text in self.exact:
            return self.context.mpf(node.text)
        half = mpf(10) ** -len(node.text.partition(".")[2]) / 2
        return self.context.mpf([mpf(node.text) - half, mpf(node.text) + half])

    def _percent(self, node):
        return self.scalar(node.body) / 100

    def _group(self, node):
        if isinstance(node.body, tree.List):
            raise Unknown("list")
        return self.value(node.body)

    def _noted(self, node):
        return self.value(node.body)

    def _sum(self, node):
        total, bound = None, set()
        for sign, term in node.terms:
            if sign not in "+-":
                raise Unknown(sign)
            if bound & _letters(term):
                raise Unknown("what follows a sum, with its index")
            bound |= _bound(term)
            value = self.value(term)
            value = value if sign == "+" else -value
            total = value if total is None else _added(total, value)
        return total

    def _product(self, node):
        result, op, k = None, "", 0
        while k < len(node.factors):
            follows = node.factors[k + 1] if k + 1 < len(node.factors) and node.ops[k] == "" else None
            applied = self._application(node.factors[k], follows) if follows is not None else None
            value = self.value(node.factors[k]) if applied is None else applied
            result = value if result is None else _times(result, value, op)
            k += 1 if applied is None else 2
            op = node.ops[k - 1] if k <= len(node.ops) else ""
        return result

    def _application(self, head, follows):
        group = follows.base if isinstance(follows, tree.Scripted) else follows
        if not isinstance(group, tree.Group):
            return None
        primes = head.primes if isinstance(head, tree.Scripted) else 0
        base = head.base if isinstance(head, tree.Scripted) else head
        if isinstance(head, tree.Scripted) and head.sub is not None:
            return None
        if not isinstance(base, tree.Symbol) or base.name in self.arguments:
            return None
        known = base.name in self.defined and self.defined[base.name][1]
        if not known and (base.name in self.defined or base.name not in FUNCTIONS):
            return None
        items = group.body.items if isinstance(group.body, tree.List) else (group.body,)
        found = self._called(base.name, [self.value(i) for i in items], primes)
        if isinstance(head, tree.Scripted) and head.sup is not None:
            found = self._raised(found, head.sup)
        if isinstance(follows, tree.Scripted):
            if follows.sub is not None:
                found = self._picked(found, tuple(self._place(s) for s in subscripts(follows.sub)))
            found = found if follows.sup is None else self._raised(found, follows.sup)
        return found

    def _called(self, name, values, primes=0):
        if name in self.defined:
            _, arguments, body = self.defined[name]
            if len(arguments) != len(values):
                raise Unknown(f"{name} of {len(values)}")
            function = lambda *v: self._apart(body, None, dict(zip(arguments, v, strict=True)))  # noqa: E731
        else:
            function = lambda x: FUNCTIONS[name](self.context, x)  # noqa: E731
        if primes and len(values) != 1:
            raise Unknown("a prime of several arguments")
        slope = function if not primes else (lambda x: mpmath.diff(function, x, primes))
        if any(isinstance(v, np.ndarray) for v in values):
            if len(values) != 1:
                raise Unknown("arrays")
            return _each(values[0], slope)
        return slope(*values)

    def _quotient(self, node):
        over, under = self.value(node.over), self.scalar(node.under)
        return _each(over, lambda x: x / under) if isinstance(over, np.ndarray) else over / under

    def _root(self, node):
        if node.index is not None:
            raise Unknown("root")
        return self.context.sqrt(self.scalar(node.body))

    def _abs(self, node):
        return abs(self.scalar(node.body))

    def _norm(self, node):
        return self.context.sqrt(_squares(self.value(node.body)))

    def _of_norm(self, node):
        kind = node.sub.name if isinstance(node.sub, tree.Symbol) else node.sub.text if node.sub is not None else "2"
        body = self.value(node.base.body)
        if kind == "1":
            found = sum(abs(x) for x in np.ravel(body))
        elif kind in ("2", "F"):
            found = self.context.sqrt(_squares(body))
        else:
            raise Unknown("norm")
        return found if node.sup is None else self._power(found, self.scalar(node.sup))

    def _factorial(self, node):
        return mpmath.factorial(self.scalar(node.body))

    def _binomial(self, node):
        return mpmath.binomial(self.scalar(node.over), self.scalar(node.under))

    def _matrix(self, node):
        if "v" in node.kind.lower().removesuffix("matrix"):
            raise Unknown("determinant")
        return np.array([[self.scalar(c) for c in row] for row in node.rows], dtype=object)

    def _cases(self, node):
        for value, condition in node.rows:
            if condition is None or self._true(condition):
                return self.scalar(value)
        raise Unknown("no case")

    def _true(self, condition):
        if not isinstance(condition, tree.Chain):
            raise Unknown("condition")
        values = [self.scalar(s) for s in condition.sides]
        orders = {**ORDERS, "=": lambda a, b: a == b}
        return all(orders[r](a, b) for a, b, r in zip(values, values[1:], condition.relations, strict=False))

    def _applied(self, node):
        function, power = node.function, None
        if isinstance(function, tree.Scripted):
            if function.sub is not None or function.primes:
                raise Unknown("scripts")
            function, power = function.base, function.sup
        inner = node.argument.body if isinstance(node.argument, tree.Group) else node.argument
        if function.name in ("max", "min"):
            pick = max if function.name == "max" else min
            return pick(self.scalar(i) for i in inner.items)
        if function.name == "tr":
            return np.trace(self.value(inner))
        if function.name == "softmax":
            whole = _each(self.value(inner), self.context.exp)
            return _each(whole, lambda x, total=sum(np.ravel(whole)): x / total)
        if function.name not in FUNCTIONS:
            raise Unknown(function.name)
        found = self._called(function.name, [self.value(inner)])
        return found if power is None else self._raised(found, power)

    def _big(self, node):
        letter, first, last = self._limits(node)
        before, found = dict(self.letters), []
        for place in range(first, last + 1):
            self.letters[letter] = place
            found.append(self.value(node.body))
        self.letters = before
        if node.op == "prod":
            return mpmath.fprod(found)
        if node.op in ("max", "min"):
            return (max if node.op == "max" else min)(found)
        total = found[0] if found else mpf(0)
        for value in found[1:]:
            total = _added(total, value)
        return total

    def _limits(self, node):
        if node.op not in ("sum", "prod", "max", "min"):
            raise Unknown(node.op)
        if isinstance(node.sub, tree.Symbol) and node.sup is None:
            over = self._over(node.sub.name, node.body)
            if over is None:
                over = self.sizes.get(f"Σ{node.sub.name}", self.sizes.get(node.sub.name, 4))
            return node.sub.name, 1, over
        if isinstance(node.sub, tree.Chain) and node.sup is not None and isinstance(node.sub.sides[0], tree.Symbol):
            return node.sub.sides[0].name, self._place(node.sub.sides[1]), self._place(node.sup)
        raise Unknown("limits")

    # ── derivatives ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _derivative(self, node):
        if node.of is None:
            raise Unknown("derivative")

        def taken(by):
            if not by:
                return self._differentiated(node.of, node.by)
            return self._slope(lambda: taken(by[1:]), *by[0])

        return taken(node.by)

    def _differentiated(self, of, by):
        """f of df/dx is f(x)."""
        if isinstance(of, tree.Symbol) and of.name in self.defined and self.defined[of.name][1]:
            return self._called(of.name, [self._symbol(tree.Symbol(a)) for a in self.defined[of.name][1]])
        return self.value(of)

    def _gradient(self, node):
        if node.order != 1 or node.by is None:
            raise Unknown("gradient")
        return self._slope(lambda: self._differentiated(node.of, ()), node.by, 1)

    def _slope(self, of, by, order):
        base = by.base if isinstance(by, tree.Scripted) else by
        if not isinstance(base, tree.Symbol):
            raise Unknown("a derivative by no name")
        if isinstance(by, tree.Scripted):
            return self._by_entry(of, base.name, tuple(self._place(s) for s in subscripts(by.sub)), order)
        at = self._symbol(base)
        if not isinstance(at, np.ndarray):
            if base.name in self.arguments:
                return self._by(of, self.arguments, base.name, at, order)
            return self._by(of, self.fixed, (base.name,), at, order)
        slopes = np.empty(at.shape, dtype=object)
        for place in np.ndindex(*at.shape):
            subs = tuple(p + 1 for p in place) if at.shape[1] > 1 else (place[0] + 1,)
            slopes[place] = self._by_entry(of, base.name, subs, order)
        if not isinstance(slopes.flat[0], np.ndarray):
            return slopes
        if at.shape[1] == 1 and slopes.flat[0].shape[1] == 1:  # of a vector by a vector
            return np.hstack([slopes.flat[k] for k in range(at.shape[0])])
        raise Unknown("more than two axes")

    def _by_entry(self, of, name, places, order):
        at = self.entry(name, places)
        whole_by_formula = name in self.defined and not self.defined[name][0]
        if not whole_by_formula:
            return self._by(of, self.fixed, (name, *places), at, order)
        whole = self._symbol(tree.Symbol(name, "bf"))

        def changed(x):
            made = whole.copy()
            made[places[0] - 1, places[1] - 1 if len(places) == 2 else 0] = x
            return made

        return self._by(of, self.whole, name, at, order, changed)

    def _by(self, of, where, key, at, order, changed=lambda x: x):
        before = where.get(key)

        def moved(x):
            where[key] = changed(x)
            try:
                return of()
            finally:
                if before is None:
                    del where[key]
                else:
                    where[key] = before

        sample = moved(at)
        if not isinstance(sample, np.ndarray):
            return mpmath.diff(moved, at, order)
        made = np.empty(sample.shape, dtype=object)
        for place in np.ndindex(*sample.shape):
            made[place] = mpmath.diff(lambda x, p=place: moved(x)[p], at, order)
        return made


def _letters(node):
    """Letters that stand in subscripts, and that no sum there binds."""
    subs = [n.sub for n in tree.walk(node) if isinstance(n, tree.Scripted) and n.sub is not None]
    return {n.name for sub in subs for n in tree.walk(sub) if isinstance(n, tree.Symbol)} - _bound(node)


def _bound(node):
    limits = [n.sub for n in tree.walk(node) if isinstance(n, tree.Big) and n.sub is not None]
    return {n.name for sub in limits for n in tree.walk(sub) if isinstance(n, tree.Symbol)}


def _each(array, function):
    return np.array([[function(x) for x in row] for row in array], dtype=object)


def _squares(value):
    return sum(x**2 for x in np.ravel(value)) if isinstance(value, np.ndarray) else value**2


def _added(a, b):
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.shape != b.shape:
        raise Misfit(f"{a.shape} and {b.shape} added")
    return a + b


def _times(a, b, op):
    if not (isinstance(a, np.ndarray) and isinstance(b, np.ndarray)):
        return a / b if op == "÷" else a * b
    if op in ("⊙", "∘", "*"):
        if a.shape != b.shape:
            raise Misfit(f"{a.shape} ⊙ {b.shape}")
        return a * b
    if op == "·" and a.shape == b.shape and a.shape[1] == 1:
        return (a.T @ b)[0, 0]
    if a.shape[1] != b.shape[0]:
        raise Misfit(f"{a.shape} times {b.shape}")
    found = a @ b
    return found[0, 0] if found.shape == (1, 1) else found
