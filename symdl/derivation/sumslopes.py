"""An expansion that is too long to be written: the one expression is differentiated with its sums under their names.

Put in everywhere, a sum that is used in many places is written, and differentiated, in each of them. Here it keeps its
name, and so does its slope by an element of the parameter, from what is deepest to the target: ∂v[n]/∂x[k] is
Σ ∂v/∂u · ∂u/∂x[k]. A δ(n, k) that all of such a slope has stands in front of it, and its tensor has no axis for k.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import sympy

from symdl.core.definitions import Definition
from symdl.core.equations import Equation, Named, flatten, namer, unused
from symdl.core.functions import Delta
from symdl.core.indices import Index
from symdl.core.recurrence import groups
from symdl.core.tensors import Element, Reduction, Role, Tensor, aligned, elements_in, reduction, refreshed, rename
from symdl.derivation.chain import active_names
from symdl.derivation.deltas import contract, pinned
from symdl.derivation.slopes import local_slope
from symdl.derivation.steps import Partial, Step
from symdl.derivation.tidy import apply_facts, cancel_exponentials

#: An expansion is repetitive where it writes more sums than this, and each of them more often than that on average.
MOST_SUMS, MOST_REPEATED = 12, 1.4


@dataclass
class _Slopes:
    """The slopes by one element of one tensor, by the name of what is sloped, at its own indices."""

    definition: Definition
    of: Element
    by: Element
    names: set[str]
    known: Named
    found: dict[str, sympy.Expr] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    equations: list[Equation] = field(default_factory=list)

    def at(self, element: Element) -> sympy.Expr:
        """The slope of an element; 0 where nothing is known of one."""
        if element.tensor == self.by.tensor:
            pairs = zip(element.subscripts, self.by.subscripts, strict=True)
            return sympy.Mul(*[Delta(a, b) for a, b in pairs])
        slope = self.found.get(element.name, sympy.S.Zero)
        if slope == 0:
            return slope
        own = self.definition[element.name].indices
        return rename(refreshed(slope), dict(zip(own, element.subscripts, strict=True)))

    def of_equation(self, eq: Equation) -> sympy.Expr:
        """Its slope at its own indices, δs eliminated."""
        total = sympy.S.Zero
        for term in eq.terms:
            for element in elements_in(term.body):
                slope = sympy.S.Zero if element.tensor.integer else self.at(element)
                if slope != 0:
                    total += reduction("sum", refreshed(local_slope(eq, term, element) * slope), term.bound)
        contracted = pinned(contract(cancel_exponentials(aligned(total))))
        return sympy.Add(*_summands(contracted))

    def push(self, eq: Equation) -> None:
        """Adds the slope of an equation: as it is where it is short, else as a tensor with what is common in front."""
        value, conditions = apply_facts(self.of_equation(eq))
        self.found[eq.name] = value
        if eq.out == self.of.tensor or not value.has(Element):
            return
        shared, rest = _split(value, eq.indices)
        merged = {b: a for a, b in shared}
        rest = contract(rename(rest, dict(merged)))
        inside = rest.free_symbols
        free = [i for i in (*eq.indices, *self.by.subscripts) if i in inside]
        fresh = dict(zip(free, [i.fresh() for i in free], strict=True))
        name = unused(f"{eq.name}_dot", self.names)
        self.names.add(name)
        tensor = Tensor(name, tuple(fresh.values()), Role.INTERMEDIATE, tangent_of=eq.name)
        value = rename(refreshed(rest), dict(fresh))
        partial = Partial(rename(eq.lhs, dict(fresh)), rename(rename(self.by, dict(merged)), dict(fresh)))
        self.steps.append(Step("E'", tensor.element(), partial, value, "; ".join(conditions)))
        self.equations += flatten(tensor, aligned(value), namer(self.names), "expanded", self.known)
        self.found[eq.name] = sympy.Mul(*[Delta(a, b) for a, b in shared], tensor[tuple(free)])


def _summands(expr: sympy.Expr) -> list[sympy.Expr]:
    """The summands of a slope, each with its δs of free indices in front."""
    if not expr.has(Delta):
        return [expr]
    if expr.is_Add:
        return [s for a in expr.args for s in _summands(a)]
    if isinstance(expr, Reduction) and expr.op == "sum":
        found = []
        for part in _summands(expr.body):
            factors = sympy.Mul.make_args(part)
            outside = [f for f in factors if isinstance(f, Delta) and not f.free_symbols & set(expr.bound)]
            body = sympy.Mul(*[f for f in factors if f not in outside])
            found.append(sympy.Mul(*outside, Reduction(expr.args[0], body, *expr.args[2:])))
        return found
    if expr.is_Mul:
        products = [sympy.S.One]
        for factor in expr.args:
            products = [p * s for p in products for s in _summands(factor)]
        return products
    return [expr]


def _split(value: sympy.Expr, own: tuple[Index, ...]) -> tuple[list[tuple[Index, Index]], sympy.Expr]:
    """The δs of an own index and another one that every summand has, as pairs, and what is left without them."""
    parts = sympy.Add.make_args(value)
    shared = set.intersection(*[set(sympy.Mul.make_args(p)) for p in parts])
    pairs: list[tuple[Index, Index]] = []
    for delta in sorted((f for f in shared if isinstance(f, Delta)), key=sympy.default_sort_key):
        a, b = sorted(delta.args, key=lambda i: i not in own)
        taken = {i for pair in pairs for i in pair}
        if isinstance(a, Index) and isinstance(b, Index) and a in own and b not in own and not {a, b} & taken:
            pairs.append((a, b))
    gone = [Delta(a, b) for a, b in pairs] + [Delta(b, a) for a, b in pairs]
    rest = sympy.Add(*[sympy.Mul(*[f for f in sympy.Mul.make_args(p) if f not in gone]) for p in parts])
    return pairs, rest


def is_repetitive(definition: Definition, of: Element) -> bool:
    """Whether an expansion would write its sums over and over. Recurrences are always put in, time after time.

    >>> from symdl.core.define import define, exp, Input, Sum, let
    >>> @define
    ... def nested(x=Input("i")):
    ...     (i,) = x.indices
    ...     a = let("a", Sum(x[i], i))
    ...     for k in range(5):
    ...         a = let(f"b{k}", Sum(x[i] * a * exp(a), i))
    ...     return a
    >>> is_repetitive(nested, nested.target.element())
    True
    """
    if any(g.direction for g in groups(definition.equations)):
        return False
    written: dict[str, int] = {}
    for eq in definition.equations:
        inside = [e for t in eq.terms for e in sympy.preorder_traversal(t.body) if isinstance(e, Element)]
        written[eq.name] = sum(bool(t.bound) for t in eq.terms) + sum(written.get(e.name, 0) for e in inside)
    own = sum(bool(t.bound) for eq in definition.equations for t in eq.terms)
    return written.get(of.name, 0) > max(MOST_SUMS, MOST_REPEATED * own)


def sum_slopes(
    definition: Definition, of: Element, tensor: Tensor, names: set[str], known: Named
) -> tuple[list[Step], list[Equation], sympy.Expr, Element]:
    """The slope of `of` by an element of `tensor`, its sums under names.

    Args:
        definition: without recurrences, and without maxima that have no policy.
        of: what is differentiated.
        tensor: what it is differentiated by.
        names: those that are taken; new ones are added.
        known: reductions that have names already.

    Returns:
        The steps and equations of the slopes that it reads, the slope, and the element that it is by.

    Raises:
        KinkError: a maximum without a policy for ties.
    """
    by = tensor[tuple(i.fresh() for i in tensor.indices)] if tensor.indices else tensor.element()
    state = _Slopes(definition, of, by, names, known)
    active = active_names(definition, (tensor,))
    for eq in definition.equations:
        if eq.name in active and eq.out != tensor:
            state.push(eq)
    return state.steps, state.equations, state.at(of), by
