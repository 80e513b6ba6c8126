"""Value numbering: equal sums get the same name, wherever they stand and at whatever subscripts they are read.

Σ_i W[j,i] x[n,i] and Σ_k W[2u+r,k] x[m,k] are one function of two positions, read at (j, n) and at (2u+r, m). Its
*pattern* has places for those positions; sums of one pattern are elements of one unknown tensor. What holds for an
unknown holds for the sum that it stands for, so a proof may leave it closed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice, permutations, product

import sympy

from symdl.core.functions import Delta, InRange
from symdl.core.indices import Index
from symdl.core.tensors import Element, Fact, Head, Reduction, Tensor, refreshed
from symdl.derivation.canonical import canonical
from symdl.derivation.ordering import named_text

#: Orders of places that are compared where nothing tells them apart; beyond, equal sums may get two names.
MOST_ORDERS = 24
#: A sum that may be 0 is opened so often, and while it has no more summands than this.
MOST_OPENED, MOST_TERMS = 3, 40
#: Sums over more indices are not opened further to be compared.
MOST_BOUND = 10


@dataclass(frozen=True)
class Unknown:
    """A tensor that stands for a value: its pattern in terms of the places `axes`."""

    tensor: Tensor
    pattern: sympy.Expr

    @property
    def inner(self) -> frozenset[str]:
        """The names of the unknowns in its pattern."""
        return frozenset(e.name for e in self.pattern.atoms(Element) if is_unknown(e))


def is_unknown(element: Element) -> bool:
    return element.name.startswith("#")


@dataclass
class Numbering:
    """The unknowns so far, by pattern. Those that are `settled` stay closed in the patterns of others."""

    known: dict[tuple[sympy.Expr, str], Unknown] = field(default_factory=dict)
    by_name: dict[str, Unknown] = field(default_factory=dict)
    settled: frozenset[str] = frozenset()

    def unknown(self, value: sympy.Expr, sign: Fact | None = None) -> sympy.Expr:
        """The element that stands for a value in canonical form; a number times it, or 0, where the value is a sum.

        A value with guards of its free indices has no name and comes back as it is: what a guard says depends on the
        ranges of indices, and a position has none.

        >>> from symdl.core.tensors import reduction
        >>> i, j, u = Index("i"), Index("j"), Index("u")
        >>> w, x = Tensor("w", (i,)), Tensor("x", (j, i))
        >>> numbering = Numbering()
        >>> a = canonical(reduction("sum", w[i] * x[j, i], [i]))
        >>> b = canonical(reduction("sum", w[i] * x[2 * u + 1, i], [i]))
        >>> numbering.unknown(a), numbering.unknown(b), numbering.unknown(canonical(reduction("sum", w[i], [i])))
        (#1[j], #1[2*u + 1], #2)
        """
        at_zero = {i: sympy.S.Zero for i in value.free_symbols if isinstance(i, Index) and i.extent == 1}
        if at_zero:
            value = value.xreplace(at_zero)
        if value.is_Add and sign is None:
            content, primitive = _primitive(self.multiplied_out(value))
            if content != 1:
                named = self.unknown(primitive)
                return value if named == primitive else content * named
        if _has_free_guard(value):
            return value
        if self._cancels(value):
            return sympy.S.Zero
        if sign is None:
            sign = Fact.POSITIVE if value.is_positive else Fact.NONNEGATIVE if value.is_nonnegative else None
        pattern, positions = self._pattern(self._opened(value))
        if _has_free_guard(pattern):
            return value
        key = pattern, str(sign)
        if key not in self.known:
            name = f"#{len(self.known) + 1}"
            axes = tuple(_axis(k, _range(pattern, _place(k))) for k in range(len(positions)))
            tensor = Tensor(name, axes, facts=frozenset([sign] if sign else []))
            self.known[key] = self.by_name[name] = Unknown(tensor, pattern)
        return self.known[key].tensor[tuple(positions)]

    def multiplied_out(self, value: sympy.Expr) -> sympy.Expr:
        """A sum with the sums of terms among its factors put in, one in each summand, but for those that are settled.

        a + r (b + c) and a + r b + r c have one pattern, however a derivation groups them.
        """
        if not self.settled:
            return value
        parts = []
        for part in sympy.Add.make_args(value):
            inside = [f for f in sympy.Mul.make_args(part) if isinstance(f, Element) and self._opens(f)]
            opened = {inside[0]: self.value(inside[0])} if len(inside) == 1 else {}
            parts.append(sympy.expand_mul(part.xreplace(opened), deep=False) if opened else part)
        return sympy.Add(*parts)

    def _opens(self, element: Element) -> bool:
        unknown = self.by_name.get(element.name)
        return unknown is not None and unknown.pattern.is_Add and element.name not in self.settled

    def value(self, element: Element) -> sympy.Expr:
        """What an element of an unknown stands for, in terms of unknowns before it."""
        places = {_place(k): s for k, s in enumerate(element.subscripts)}
        return refreshed(self.by_name[element.name].pattern).xreplace(places)

    def _cancels(self, value: sympy.Expr) -> bool:
        """Whether a sum of one unknown that is itself a sum is 0, term by term: Σ (x − mean x)."""
        if not (isinstance(value, Reduction) and value.op == "sum" and isinstance(value.body, Element)):
            return False
        unknown = self.by_name.get(value.body.name)
        if unknown is None or not unknown.pattern.is_Add:
            return False
        value = refreshed(value)  # what is put in has bound indices of the same names
        opened = value.func(value.args[0], self.value(value.body), *value.args[2:])
        form = canonical(opened, open_kinks=False, named=self.unknown)
        for _ in range(MOST_OPENED):
            form = refreshed(form)  # once more: what is put in next has the same names again
            terms = sympy.Add.make_args(form)
            inside = {e for t in terms for f in sympy.Mul.make_args(t) for e in self._summed(f)}
            if form == 0 or not inside or len(terms) > MOST_TERMS:
                break
            form = canonical(form.xreplace({e: self.value(e) for e in inside}), open_kinks=False)
        return bool(form == 0)

    def _summed(self, factor: sympy.Expr) -> list[Element]:
        """The unknown that a factor is, or is the sum of, where it is a sum itself."""
        bare = factor.body if isinstance(factor, Reduction) and factor.op == "sum" else factor
        return [bare] if isinstance(bare, Element) and is_unknown(bare) else []

    def _opened(self, value: sympy.Expr) -> sympy.Expr:
        """A sum of a product with the sums among its factors put in: Σ_n Σ_i has one pattern, however it is written."""
        if not (isinstance(value, Reduction) and value.op == "sum"):
            return value
        inside = {}
        value = refreshed(value)  # what is put in has bound indices of the same names
        count = len(value.bound)
        for factor in sympy.Mul.make_args(value.body):
            unknown = self.by_name.get(factor.name) if isinstance(factor, Element) else None
            if unknown is None or not isinstance(unknown.pattern, Reduction) or unknown.pattern.op != "sum":
                continue
            count += len(unknown.pattern.bound)
            if count <= MOST_BOUND:
                inside[factor] = self.value(factor)
        return value.func(value.args[0], value.body.xreplace(inside), *value.args[2:]) if inside else value

    def _pattern(self, value: sympy.Expr) -> tuple[sympy.Expr, list[sympy.Expr]]:
        places = _Places()
        places.visit(value, frozenset(), "")
        body = places.visit(value, frozenset(), "")
        best: tuple[str, sympy.Expr, list[sympy.Expr]] | None = None
        for order in islice(_orders(places.roles), MOST_ORDERS):
            mapping = {places.marks[p]: _place(k) for k, p in enumerate(order)}
            form = canonical(body.xreplace(mapping), open_kinks=False)
            text = named_text(form)
            if best is None or text < best[0]:
                best = text, form, order
        assert best is not None
        return best[1], [position + places.least[position] for position in best[2]]


def _primitive(value: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
    """A sum as what all of its summands have in common, and the rest, whose first summand has no minus."""
    content, primitive = value.as_content_primitive()
    powers = [dict(f.as_base_exp() for f in sympy.Mul.make_args(part)) for part in primitive.args]
    shared = sympy.S.One
    for base in powers[0]:
        exponents = [p.get(base, sympy.S.Zero) for p in powers]
        if base.is_Rational or not all(e.is_Rational for e in exponents):
            continue
        least = min(exponents) if min(exponents) > 0 else min(max(exponents), sympy.S.Zero)
        shared *= base**least
    if shared != 1:
        primitive = sympy.Add(*[part / shared for part in primitive.args])
    if primitive.could_extract_minus_sign():
        content, primitive = -content, sympy.expand_mul(-primitive, deep=False)
    return content * shared, primitive


def _has_free_guard(expr: sympy.Expr) -> bool:
    """Whether there is a guard outside every sum, wherever it stands."""
    if isinstance(expr, (Delta, InRange)):
        return True
    return not isinstance(expr, (Reduction, Element)) and any(_has_free_guard(a) for a in expr.args)


@lru_cache(maxsize=256)
def _place(number: int) -> sympy.Dummy:
    """A position of an unknown: any whole number, since a subscript beside a guard may leave its axis."""
    return sympy.Dummy(f"p{number}", integer=True)


@lru_cache(maxsize=4096)
def _axis(number: int, extent: sympy.Expr) -> Index:
    return Index(f"p{number}", extent)


def _range(pattern: sympy.Expr, place: sympy.Dummy) -> sympy.Expr:
    """The extent of the axes that a place subscripts, where it does nothing else; ∞ where any whole number may do."""
    if any(place in g.free_symbols for g in pattern.atoms(Delta, InRange)):
        return sympy.oo
    pairs = [p for e in pattern.atoms(Element) for p in zip(e.subscripts, e.tensor.indices, strict=True)]
    read = [(s, axis.extent) for s, axis in pairs if place in s.free_symbols]
    found = {extent for _, extent in read}
    return found.pop() if len(found) == 1 and all(s == place for s, _ in read) else sympy.oo


@lru_cache(maxsize=256)
def _mark(number: int) -> sympy.Dummy:
    return sympy.Dummy(f"m{number}", integer=True)


def _orders(roles: Mapping[sympy.Expr, list[str]]) -> Iterator[list[sympy.Expr]]:
    """Orders of the positions that their roles allow: which tensors they are subscripts of, and where."""
    told: dict[tuple[str, ...], list[sympy.Expr]] = {}
    for position, places in roles.items():
        told.setdefault(tuple(sorted(places)), []).append(position)
    for parts in product(*[permutations(told[role]) for role in sorted(told)]):
        yield [position for part in parts for position in part]


@dataclass
class _Places:
    """The positions of an expression: what subscripts and guards say of free indices, and subscripts that are numbers.

    Of h in x[h + k − 1] y[h] the position is h − 1, so that x[k] y[k'] with other constants has the same pattern read
    elsewhere: `least` is the smallest constant beside a position. To be visited twice, since it is known at the end.
    Subscripts that are numbers (times that are written out) are constants beside the position 0.
    """

    roles: dict[sympy.Expr, list[str]] = field(default_factory=dict)
    marks: dict[sympy.Expr, sympy.Dummy] = field(default_factory=dict)
    least: dict[sympy.Expr, sympy.Integer] = field(default_factory=dict)

    def visit(self, node: sympy.Expr, bound: frozenset[Index], role: str) -> sympy.Expr:
        """The expression with a mark for each position."""
        if node.is_Integer:
            return self._at(sympy.S.Zero, node, role) if role.endswith("]") else node
        if node.is_Atom and (node in bound or not isinstance(node, Index)):
            return node
        if isinstance(node, Index):
            return self._at(node, sympy.S.Zero, role)
        if isinstance(node, Delta):
            row = sympy.expand(node.args[0] - node.args[1])
            position = _position(row, bound)
            if position:
                row = -row if _faces_down(position) else row
                return Delta(self.visit(row, bound, f"{role}/Delta"), 0)
        elif role and (node.is_Add or node.is_Mul):
            position = _position(node, bound)
            if position == 0:
                return node
            if position is not None:
                constant, rest = sympy.expand(node - position).as_coeff_Add()
                return rest + self._at(position, constant, role)
        inner = bound | set(node.bound) if isinstance(node, Reduction) else bound
        parts = []
        for k, argument in enumerate(node.args):
            kept = not isinstance(argument, sympy.Expr) or isinstance(argument, Head)
            parts.append(argument if kept else self.visit(argument, inner, _role(role, node, k)))
        return node.func(*parts)

    def _at(self, position: sympy.Expr, constant: sympy.Expr, role: str) -> sympy.Expr:
        self.roles.setdefault(position, []).append(role)
        self.least[position] = min(constant, self.least.get(position, constant))
        return self.marks.setdefault(position, _mark(len(self.marks))) + constant - self.least[position]


def _role(outer: str, node: sympy.Expr, argument: int) -> str:
    """Where an argument stands; subscripts of elements end in a bracket."""
    if isinstance(node, Element):
        return f"{outer}/{node.name}[{argument}]"
    return f"{outer}/{type(node).__name__}.{argument}" if isinstance(node, (InRange, Delta)) else outer.rstrip("]")


def _position(row: sympy.Expr, bound: frozenset[Index]) -> sympy.Expr | None:
    """The part of an affine expression that hangs on free indices: h of h + k − 1; None where it is not affine."""
    free = [a for a in sympy.Add.make_args(row) if (a.free_symbols - bound) & a.atoms(Index)]
    affine = all(len(a.atoms(Index)) == 1 and _slope(a) is not None for a in free)
    return sympy.Add(*free) if affine else None


def _slope(part: sympy.Expr) -> sympy.Expr | None:
    """c of c·i, for one index i; None where that is not what it is."""
    (index,) = part.atoms(Index)
    slope = part / index
    return None if slope.has(Index) or slope.has(Element) else slope


def _faces_down(position: sympy.Expr) -> bool:
    """Whether an equation is better read with its sign turned round, so that one equation has one position."""
    slopes = [_slope(a) for a in sympy.Add.make_args(position)]
    down = sum(s is not None and s.could_extract_minus_sign() for s in slopes)
    return bool(2 * down > len(slopes))
