"""Two definitions whose outputs are compared with the sums that both compute left closed.

The chain rule and the expansion of a deep network differ in how they order its factors, not in its forward pass. Put
in down to the inputs, that pass makes every sum a sum of very many monomials; as unknowns, its values are one letter
each. Where times are numbers, recurrences are put in time after time in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import sympy

from symdl.core.deadlines import in_time
from symdl.core.definitions import Definition
from symdl.core.equations import Equation
from symdl.core.guards import settled
from symdl.core.indices import Index
from symdl.core.recurrence import groups
from symdl.core.tensors import Element, Fact, Reduction, Tensor, refreshed
from symdl.core.unroll import subscripts
from symdl.derivation.canonical import canonical
from symdl.derivation.inline import written_over_time
from symdl.errors import UnsupportedError
from symdl.verification.numbering import Numbering, is_unknown
from symdl.verification.rates import put_in_from_outside, rates_of

#: So many unknowns are put in before a difference is given up, where every sum is one and where only shared ones are.
FEW_PUT_IN, MOST_PUT_IN = 4, 12

Translate = Callable[[sympy.Expr], sympy.Expr]


@dataclass
class Values:
    """The value of each element of a definition, by inputs and unknowns.

    `closed` names the unknowns that stay; None: every sum stays one. What has a rate of change in it stays open until
    `output` puts the rates in.
    """

    definition: Definition
    numbering: Numbering
    translate: Translate
    closed: frozenset[str] | None
    rates: Mapping[str, Equation] = field(default_factory=dict)
    known: dict[tuple[str, tuple[sympy.Expr, ...]], sympy.Expr] = field(default_factory=dict)
    signs: dict[str, frozenset[Fact]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.times = _times(self.definition)

    def of(self, element: Element) -> sympy.Expr:
        """The value of an element of an equation, or the element itself where it is of an input."""
        eq = self.definition.by_name.get(element.name)
        if eq is None:
            return self.translate(element)
        if eq.name in self.rates:
            return self._rate(eq, element.subscripts)
        at = self._worked_out_at(eq, element)
        key = eq.name, at
        if key not in self.known:
            in_time()
            self.known[key] = self._value(eq, at)
        mapping = {self.translate(i): self.translate(s) for i, s in zip(at, element.subscripts, strict=True) if i != s}
        return self.known[key].xreplace(mapping)

    def output(self, element: Element) -> sympy.Expr:
        """The value of an output, with the rates that it is made of put in."""

        def value_of(eq: Equation) -> Callable[[], sympy.Expr]:
            return lambda: self._value(eq, eq.indices)

        rates = [(self._rate(eq, eq.indices), value_of(eq)) for eq in self.rates.values()]
        return put_in_from_outside(self.of(element), rates, self._canonical, self._named)

    def _rate(self, eq: Equation, subscripts: tuple[sympy.Expr, ...]) -> Element:
        indices = [self.translate(i) for i in eq.indices]
        return eq.out.with_indices(indices)[tuple(self.translate(s) for s in subscripts)]

    def _worked_out_at(self, eq: Equation, element: Element) -> tuple[sympy.Expr, ...]:
        """The subscripts that the value is worked out at: its own indices, and a number for a recurrence's time."""
        axis = self.times.get(eq.name)
        if axis is None:
            return eq.indices
        if not element.subscripts[axis].is_Integer:
            raise UnsupportedError(f"{element} at a time that is not a number")
        return (*eq.indices[:axis], element.subscripts[axis], *eq.indices[axis + 1 :])

    def _value(self, eq: Equation, at: tuple[sympy.Expr, ...]) -> sympy.Expr:
        rhs = eq.at(at)
        if self.times:
            rhs = settled(written_over_time(rhs, self.times))
        if eq.name not in self.signs:
            self.signs[eq.name] = _sign(self._signed(eq.rhs))
        return self._canonical(self._prepared(rhs))

    def _canonical(self, expr: sympy.Expr) -> sympy.Expr:
        return canonical(expr, open_kinks=False, named=self._named)

    def _named(self, form: sympy.Expr) -> sympy.Expr:
        if not (isinstance(form, Reduction) or form.is_Add) or any(e.name in self.rates for e in form.atoms(Element)):
            return form
        named = self.numbering.unknown(form)
        if named == 0 or self.closed is None:
            return named
        return named if all(e.name in self.closed for e in named.atoms(Element) if is_unknown(e)) else form

    def _prepared(self, node: sympy.Expr) -> sympy.Expr:
        """Elements replaced by their values; what stands under a root or in a logarithm gets a name and keeps its sign,
        which its canonical form does not show."""
        if isinstance(node, Element):
            return self.of(node)
        if node.is_Atom or not node.has(Element):
            return self.translate(node)
        parts = [self._prepared(a) if isinstance(a, sympy.Expr) else self.translate(a) for a in node.args]
        if node.is_Pow and not node.exp.is_Integer and node.base != sympy.E:
            parts[0] = self._under(node.base, parts[0])
        elif isinstance(node, sympy.log):
            parts[0] = self._under(node.args[0], parts[0])
        return node.func(*parts)

    def _under(self, written: sympy.Expr, value: sympy.Expr) -> sympy.Expr:
        sign = _sign(self._signed(written))
        form = self._canonical(value)
        return self.numbering.unknown(form, next(iter(sign))) if sign and form.is_Add else value

    def _signed(self, expr: sympy.Expr) -> sympy.Expr:
        """The expression with what is known of the signs of its tensors stated on them."""
        mapping = {}
        for element in expr.atoms(Element):
            facts = self.signs.get(element.name)
            if facts:
                tensor = Tensor(element.name, element.tensor.indices, facts=facts)
                mapping[element] = tensor[element.subscripts]
        return expr.xreplace(mapping)


def _sign(expr: sympy.Expr) -> frozenset[Fact]:
    if expr.is_positive:
        return frozenset([Fact.POSITIVE])
    return frozenset([Fact.NONNEGATIVE]) if expr.is_nonnegative else frozenset()


def _times(definition: Definition) -> dict[str, int]:
    """Which axis is time, of the tensors of recurrences and of those that read them at each time."""
    found = {name: axis for g in groups(definition.equations) if g.direction for name, axis in g.time.items()}
    reached = set(found)
    for eq in definition.equations:
        if eq.used_names & reached:
            reached.add(eq.name)
            time = next((axis for axis, i in enumerate(eq.indices) if i.sequential), None)
            found.update({eq.name: time} if time is not None else {})
    return found


def equal_with_shared_sums(a: Definition, b: Definition, pair: tuple[Element, Element], translate: Translate) -> bool:
    """Whether two outputs are proved equal where both are defined. False says nothing.

    Args:
        a, b: the definitions.
        pair: the elements that are compared, at the same indices.
        translate: reads an expression of b in terms of a.

    Raises:
        BudgetError: out of time.
        UnsupportedError: a recurrence whose times are no numbers.
    """
    sides = [(a, pair[0], _as_it_is), (b, pair[1], translate)]
    numbering = Numbering()
    _settle(numbering, a, b)

    def value(closed: frozenset[str] | None, side: int) -> sympy.Expr:
        definition, element, read = sides[side]
        rates = {eq.name: eq for eq in rates_of(definition, element.name)}
        try:
            return Values(definition, numbering, read, closed, rates).output(element)
        except UnsupportedError:
            if not rates:
                raise
            return Values(definition, numbering, read, closed).of(element)

    left, right = value(None, 0), value(None, 1)
    reached = [_reached(numbering, side) for side in (left, right)]
    if _known_signs(numbering, reached[0] | reached[1], left, right):
        difference = numbering.multiplied_out(left) - numbering.multiplied_out(right)
        if _vanishes(numbering, canonical(difference, open_kinks=False), FEW_PUT_IN):
            return True
    shared = reached[0] & reached[1]
    left, right = value(shared, 0), value(shared, 1)
    difference = canonical(left - right, open_kinks=False)
    return _known_signs(numbering, shared, left, right) and _vanishes(numbering, difference, MOST_PUT_IN)


def _settle(numbering: Numbering, a: Definition, b: Definition) -> None:
    """Gives names to the values of the equations that both definitions have; a derivation may group others at will."""
    forward = Values(a, numbering, _as_it_is, None)
    same: set[str] = {t.name for t in a.inputs}
    for eq in a.equations:
        other = b.by_name.get(eq.name)
        if other is not None and eq.used_names <= same and str(eq) == str(other) and eq.name not in forward.times:
            forward.of(eq.lhs)
            same.add(eq.name)
    numbering.settled = frozenset(numbering.by_name)


def _known_signs(numbering: Numbering, closed: Iterable[str], *values: sympy.Expr) -> bool:
    """Whether what stands under each root and in each logarithm is positive by the way it is written."""
    return not any(open_sign(e) for e in (*values, *(numbering.by_name[name].pattern for name in closed)))


def equal_over_time(a: Definition, b: Definition, names: tuple[str, str], translate: Translate) -> bool:
    """Whether two outputs of recurrences whose times are numbers are proved equal, time by time."""
    left, right = a[names[0]], b[names[1]]
    times = tuple(i for i in left.indices if i.sequential)
    for where in subscripts(times):
        at = dict(zip(times, where, strict=True))
        free = tuple(at.get(i, i) for i in left.indices)
        if not equal_with_shared_sums(a, b, (left[free], right[free]), translate):
            return False
    return True


def times_of(definition: Definition) -> set[Index]:
    """The indices that are time."""
    found = {i for t in definition.tensors.values() for i in t.indices}
    return {i for i in found | {i for e in definition.equations for i in e.rhs.atoms(Index)} if i.sequential}


def with_times(definition: Definition, number: int) -> Definition:
    """The definition with a number for each number of times that is a symbol."""
    sizes = {i.name: number for i in times_of(definition) if i.extent.is_Symbol}
    return definition.at(**sizes) if sizes else definition


def inlined_size(definition: Definition, name: str) -> int:
    """About how many nodes an output has once everything is put in; a recurrence counts as one time."""
    sizes: dict[str, int] = {}
    for eq in definition.equations:
        used = [e for e in sympy.preorder_traversal(eq.rhs) if isinstance(e, Element)]
        sizes[eq.name] = eq.rhs.count_ops() + 1 + sum(sizes.get(e.name, 1) for e in used)
    return sizes.get(name, 1)


def _vanishes(numbering: Numbering, difference: sympy.Expr, most: int) -> bool:
    """Whether a difference is 0, by putting its factors in one after the other: sums of terms first, then Σ."""
    for _ in range(most):
        if difference == 0:
            return True
        difference = refreshed(difference)  # what is put in has bound indices of the same names
        closed = {e for e in _factors(difference) if is_unknown(e)}
        names = {e.name for e in closed}
        ordered = sorted(names, key=lambda n: (numbering.by_name[n].pattern.is_Add, int(n[1:])), reverse=True)
        tried = []
        for name in ordered:
            chosen = {e: numbering.value(e) for e in closed if e.name == name}
            tried.append(canonical(difference.xreplace(chosen), open_kinks=False))
            if len(sympy.Add.make_args(tried[-1])) < len(sympy.Add.make_args(difference)):
                break
        if not tried:
            return False
        difference = min(tried, key=lambda d: len(sympy.Add.make_args(d)))
    return bool(difference == 0)


def _factors(expr: sympy.Expr) -> Iterator[Element]:
    """The elements of a polynomial that are not inside a function or a power of one."""
    if isinstance(expr, Element):
        yield expr
    elif (
        expr.is_Add
        or expr.is_Mul
        or isinstance(expr, Reduction)
        or (expr.is_Pow and expr.exp.is_Integer and expr.exp > 0)
    ):
        for part in (expr.body,) if isinstance(expr, Reduction) else expr.args:
            yield from _factors(part)


def open_sign(expr: sympy.Expr) -> bool:
    """Whether there is a root or a logarithm of something that is not positive by the way it is written."""
    inside = [p.base for p in expr.atoms(sympy.Pow) if not p.exp.is_Integer]
    inside += [f.args[0] for f in expr.atoms(sympy.log)]
    return any(not e.is_positive for e in inside)


def _as_it_is(expr: sympy.Expr) -> sympy.Expr:
    return expr


def _reached(numbering: Numbering, value: sympy.Expr) -> frozenset[str]:
    """The unknowns that a value hangs on."""
    found: set[str] = set()
    row = [e.name for e in value.atoms(Element) if is_unknown(e)]
    while row:
        name = row.pop()
        if name not in found:
            found.add(name)
            row.extend(numbering.by_name[name].inner)
    return frozenset(found)
