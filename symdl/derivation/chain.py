"""The second possibility: backpropagation, one reverse loop over the equations and the rules R1 to R6."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import sympy

from symdl.core.definitions import Definition
from symdl.core.equations import Equation, Term, flatten, namer, unused
from symdl.core.functions import Delta
from symdl.core.indices import Index
from symdl.core.recurrence import Group, groups
from symdl.core.tensors import Element, Reduction, Role, Tensor, elements_in, reduction, refreshed, rename
from symdl.derivation.canonical import is_zero
from symdl.derivation.closing import Rewriting, closed_form, neighbourhood, program, without_vanishing
from symdl.derivation.deltas import contract, eliminate, pinned
from symdl.derivation.inline import inline
from symdl.derivation.slopes import local_slope
from symdl.derivation.solving import solve_out
from symdl.derivation.steps import Partial, Step
from symdl.derivation.tidy import apply_facts, collect, divisions, put_in, reuse, settled_sums, weight


@dataclass
class Backward:
    """The state of the reverse loop: equations written so far, steps, and what flows into each cotangent."""

    definition: Definition
    of: Element
    steps: list[Step] = field(default_factory=list)
    equations: list[Equation] = field(default_factory=list)
    cotangents: dict[str, Tensor] = field(default_factory=dict)
    incoming: dict[str, list[Contribution]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    recurrent: set[str] = field(default_factory=set)
    earlier: list[Equation] = field(default_factory=list)  # those that may be put in: none of a recurrence

    def given(self, tensor: Tensor) -> Tensor | None:
        """The input that was declared as this cotangent (`seeded`), if there is one."""
        wanted = (self.of.name, tensor.name)
        return next((t for t in self.definition.inputs if t.cotangent_of == wanted), None)

    @property
    def free(self) -> tuple[Index, ...]:
        """The free indices of what is differentiated: none for a scalar, those of a Jacobian's rows otherwise."""
        return tuple(s for s in self.of.subscripts if isinstance(s, Index))

    def cotangent(self, tensor: Tensor) -> Tensor:
        """The tensor for ∂of/∂tensor, made at first mention."""
        if tensor.name not in self.cotangents:
            name = unused(f"{tensor.name}_bar", self.names)
            self.names.add(name)
            self.cotangents[tensor.name] = Tensor(
                name, (*self.free, *tensor.indices), Role.INTERMEDIATE, cotangent_of=(self.of.name, tensor.name)
            )
        return self.cotangents[tensor.name]

    def at(self, tensor: Tensor, subscripts: Iterable[sympy.Expr]) -> sympy.Expr:
        """The cotangent of an element: 1 or a product of δs for the target itself."""
        where = tuple(subscripts)
        if tensor == self.of.tensor and tensor.name not in self.recurrent:
            return self.seed(where)
        return self.cotangent(tensor)[(*self.free, *where)]

    def seed(self, where: Iterable[sympy.Expr]) -> sympy.Expr:
        """The slope of the target by an element of itself."""
        return sympy.Mul(*[Delta(a, b) for a, b in zip(self.of.subscripts, where, strict=True)])


@dataclass(frozen=True)
class Contribution:
    """What one equation sends to one cotangent: with ∂v/∂u unopened, with the slope in, and δs eliminated."""

    partial: sympy.Expr
    sloped: sympy.Expr
    contracted: sympy.Expr
    rules: tuple[str, ...]


def backpropagate(definition: Definition, of: Element, wrt: Iterable[Tensor]) -> tuple[list[Step], list[Equation]]:
    """The steps, and the equations for the cotangents of `wrt` (and those they need), in evaluation order."""
    sources = tuple(wrt)
    state = Backward(definition, of, names=set(definition.tensors))
    active = active_names(definition, sources)
    for group in reversed(groups(definition.equations)):
        if group.direction:
            _through_time(state, group, active)
            continue
        (eq,) = group.equations
        if eq.name in active and (eq.out == of.tensor or eq.name in state.incoming):
            _finish(state, eq.out)
            if not _is_still(state, eq.out):
                _send_back(state, eq, active)
    for tensor in sources:
        if tensor.name not in definition.by_name:
            _finish(state, tensor)
    return state.steps, state.equations


def _through_time(state: Backward, group: Group, active: set[str]) -> None:
    """R7: the cotangents of a recurrence need each other at the opposite times, so all are sent back first."""
    members = {e.name: e for e in group.equations if e.name in active}
    reached = [n for n in members if n in state.incoming or n == state.of.name]
    for name in reached:
        reached += [n for n in members if n in members[name].used_names and n not in reached]
    if not reached:
        return
    state.recurrent.update(reached)
    backward = [e for e in reversed(group.equations) if e.name in reached]
    for eq in backward:
        _send_back(state, eq, active)
    for eq in backward:
        _finish(state, eq.out)


def active_names(definition: Definition, sources: tuple[Tensor, ...]) -> set[str]:
    """The names of the tensors that depend on a source through real-valued elements."""
    names = {t.name for t in sources}
    for group in groups(definition.equations):
        for _ in group.equations:  # once round a recurrence for each of its equations reaches them all
            for eq in group.equations:
                if any(t.name in names and not t.integer for t in eq.uses):
                    names.add(eq.name)
    return names


def _is_still(state: Backward, tensor: Tensor) -> bool:
    """True where the cotangent came out as zero, so that nothing flows on."""
    made = state.cotangents.get(tensor.name)
    last = state.equations[-1] if state.equations else None
    return made is not None and last is not None and last.out == made and last.rhs == 0


def _send_back(state: Backward, eq: Equation, active: set[str]) -> None:
    """R2 for every tensor that the equation uses."""
    used: dict[Tensor, None] = {}
    for term in eq.terms:
        for element in elements_in(term.body):
            if element.name in active and not element.tensor.integer:
                used[element.tensor] = None
    if any(t.op == "max" and not t.ties for t in eq.terms) and _cancels(state, eq):
        return
    for tensor in used:
        state.incoming.setdefault(tensor.name, []).append(_contribution(state, eq, tensor))


def _cancels(state: Backward, eq: Equation) -> bool:
    """R4*: prove that the slope through a maximum is zero, by the canonical form of its cotangent."""
    made = state.cotangent(eq.out)
    total = state.equations[-1].rhs if state.equations and state.equations[-1].out == made else None
    if total is None:
        return False
    so_far = Definition(
        "so_far",
        (*state.definition.equations, *state.equations),
        state.definition.inputs,
        (made.name,),
    )
    opened = inline(so_far, total, keep={eq.name})
    if not is_zero(opened):
        return False
    state.steps.append(Step("R4*", made.element(), total, sympy.S.Zero))
    state.equations[-1] = Equation(made, (Term(sympy.S.Zero),), "R4*")
    return True


def _contribution(state: Backward, eq: Equation, tensor: Tensor) -> Contribution:
    """Σ v̄ ∂v/∂u δ over the indices of the equation and of its sums; see `Contribution` for the three forms."""
    total: list[Contribution] = []
    for term in eq.terms:
        for element in elements_in(term.body):
            if element.tensor == tensor:
                total.append(_occurrence(state, eq, term, element))
    partials = {c.partial for c in total}
    partial = total[0].partial if len(partials) == 1 else _untied_partial(state, eq, tensor)
    return Contribution(
        partial,
        sympy.Add(*[c.sloped for c in total]),
        sympy.Add(*[c.contracted for c in total]),
        tuple(dict.fromkeys(r for c in total for r in c.rules)),
    )


def _occurrence(state: Backward, eq: Equation, term: Term, element: Element) -> Contribution:
    """One mention of a tensor in one term, differentiated as an atom of its own."""
    outer = {i: i.fresh() for i in eq.indices}
    inner = {i: i.fresh() for i in term.bound}
    local = local_slope(eq, term, element)
    fresh = {**outer, **inner}
    deltas = [
        Delta(rename(subscript, fresh), index)
        for subscript, index in zip(element.subscripts, element.tensor.indices, strict=True)
    ]
    upstream = state.at(eq.out, outer.values())
    body = sympy.Mul(upstream, rename(refreshed(local), fresh), *deltas)
    tied, left = eliminate(body, tuple(outer.values()))
    sloped = _summed(tied, left, tuple(inner.values()))
    marker = Partial(rename(eq.lhs, outer), element.tensor.element())
    # what is differentiated by itself is so at its own subscripts: δ_{dd'} of ∂w̄_d/∂w_{d'} belongs inside as well
    ties = [] if eq.out == state.of.tensor else deltas
    partial_body, partial_left = eliminate(sympy.Mul(upstream, marker, *ties), tuple(outer.values()))
    # a δ that is left ties an index of the equation's own sums: it belongs inside ∂v/∂u
    visible = sympy.Mul(*[f for f in sympy.Mul.make_args(partial_body) if not isinstance(f, Delta)])
    partial = reduction("sum", visible, partial_left)
    return Contribution(partial, sloped, contract(sloped), ("R4",) if term.op == "max" else ("R1",))


def _summed(body: sympy.Expr, outer: tuple[Index, ...], inner: tuple[Index, ...]) -> sympy.Expr:
    """Σ over the equation's indices that are left, then Σ over those of its own sum, as the two are read."""
    factors = sympy.Mul.make_args(body)
    moved = [f for f in factors if set(inner) & f.free_symbols]
    outside = sympy.Mul(*[f for f in factors if f not in moved])
    nested = reduction("sum", sympy.Mul(*moved), inner) if inner else sympy.Mul(*moved)
    return reduction("sum", outside * nested, outer)


def _untied_partial(state: Backward, eq: Equation, tensor: Tensor) -> sympy.Expr:
    outer = [i.fresh() for i in eq.indices]
    lhs = rename(eq.lhs, dict(zip(eq.indices, outer, strict=True)))
    return reduction("sum", state.at(eq.out, outer) * Partial(lhs, tensor.element()), outer)


def _finish(state: Backward, tensor: Tensor) -> None:
    """All that flows into a cotangent is known: add it up, simplify by name, write its equation."""
    if tensor == state.of.tensor and tensor.name not in state.recurrent:
        return
    parts = state.incoming.get(tensor.name, [])
    seed = state.given(tensor)
    whole = sympy.Add(*[p.contracted for p in parts])
    if seed is not None and tensor.name not in state.recurrent and whole == seed.element():
        state.cotangents[tensor.name] = seed
        return
    bar = state.cotangent(tensor)
    subject = bar.element()
    own = state.seed(tensor.indices) if tensor == state.of.tensor else sympy.S.Zero
    partial = sympy.Add(own, *[p.partial for p in parts])
    sloped = sympy.Add(own, *[p.sloped for p in parts])
    value = sympy.Add(own, *[p.contracted for p in parts])
    whole = Partial(state.of, tensor.element())
    _advance(state, "R2", subject, whole, partial)
    rules = {r for p in parts for r in p.rules}
    _advance(state, "R4" if "R4" in rules else "R1", subject, partial, sloped)
    _advance(state, "R7" if tensor.name in state.recurrent else "R3", subject, sloped, value)
    value = _simplify(state, subject, value)

    made = flatten(bar, value, namer(state.names), "backward")
    state.equations.extend(made)
    if tensor.name not in state.recurrent:
        state.earlier.extend(made)


def _advance(
    state: Backward, rule: str, subject: Element, before: sympy.Expr, after: sympy.Expr, note: str = ""
) -> None:
    if before != after:
        state.steps.append(Step(rule, subject, before, after, note))


def _simplify(state: Backward, subject: Element, value: sympy.Expr) -> sympy.Expr:
    """R5 and R6 on the value; then the same with earlier cotangents put in, kept only where that is lighter."""
    forward = state.definition.equations
    reused = _reused(value, forward)
    _advance(state, "R5", subject, value, reused)
    plain, conditions = apply_facts(reused)
    _advance(state, "R6", subject, reused, plain, "; ".join(conditions))
    plain = _without_zero_sums(state, subject, plain)
    earlier = state.earlier
    near = neighbourhood(plain, earlier)
    pointwise = _with_pointwise(state, plain, near)
    forms = [pointwise, closed_form(plain, subject, near, forward)]  # on a tie the shorter way
    if value != plain:  # collecting may have multiplied out what would have been a factor
        forms.append(closed_form(value, subject, near, forward))
    found = [(program(steps[-1].after, near), steps) for steps in forms if steps]
    cost, best = min(found, key=lambda f: f[0], default=(0.0, []))
    if best is pointwise or cost < program(plain, near):
        for step in best:
            _advance(state, step.rule, subject, plain, step.after, step.note)
            plain = step.after
    return plain


def _without_zero_sums(state: Backward, subject: Element, value: sympy.Expr) -> sympy.Expr:
    """The value without sums that the definitions of the forward values make zero."""
    sums = [f for p in sympy.Add.make_args(value) for f in sympy.Mul.make_args(p) if isinstance(f, Reduction)]
    if not any(f.body.has(sympy.Add) for f in sums):
        return value
    kept, zeros = without_vanishing(value, state.definition.equations)
    if not zeros:
        return value
    left = sympy.Add(*kept)
    _advance(state, "Z", subject, value, left, "; ".join(zeros))
    return left


def _with_pointwise(state: Backward, plain: sympy.Expr, earlier: list[Equation]) -> list[Rewriting]:
    """The form with the earlier, pointwise cotangents put in, where that is lighter."""
    forward = state.definition.equations
    opened = put_in(plain, [e for e in earlier if e.pointwise])
    opened = pinned(contract(opened)) if opened.has(Delta) else opened
    if opened == plain:
        return []
    known = reuse(_normal(opened), forward)
    settled, of_sums = settled_sums(known, forward)
    fact, of_facts = apply_facts(settled)
    conditions = (*of_sums, *of_facts)
    lighter = collect(reuse(collect(fact), forward))
    if not _better(lighter, plain, state.equations):
        return []
    if conditions:
        return [Rewriting("S", known), Rewriting("R6", lighter, "; ".join(conditions))]
    return [Rewriting("S", lighter)]


def _reused(value: sympy.Expr, forward: tuple[Equation, ...]) -> sympy.Expr:
    """R5: forward values where they stand as they are, or where an exponential can be read off from one."""
    plain = collect(reuse(value, forward))
    solved = solve_out(value, forward)
    return solved if weight(solved) < weight(plain) else plain


def _better(opened: sympy.Expr, plain: sympy.Expr, cotangents: list[Equation]) -> bool:
    """Lighter, or with fewer divisions by computed values once those of the cotangents put in are counted."""
    used = {e.name for e in elements_in(plain)}
    risk = divisions(plain) + sum(divisions(e.rhs) for e in cotangents if e.name in used and e.pointwise)
    return weight(opened) < weight(plain) or divisions(opened) < risk


def _normal(expr: sympy.Expr) -> sympy.Expr:
    """Products over sums multiplied out where that lets factors cancel, inside reductions too."""
    if isinstance(expr, Reduction):
        return Reduction(expr.args[0], _normal(expr.body), *expr.args[2:])
    if expr.is_Add:
        return sympy.Add(*[_normal(a) for a in expr.args])
    if expr.is_Mul and any(f.is_Add for f in expr.args) and len(expr.args) < 12:
        expanded = sympy.expand_mul(expr)
        return expanded if weight(expanded) < weight(expr) else expr
    return expr
