"""Claims with indices: for all extents where the normal form decides, else for extents that are written out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sympy

from symdl.core.deadlines import in_time, now, until
from symdl.core.definitions import Definition
from symdl.core.guards import gathers
from symdl.core.indices import Index, indices_in
from symdl.core.tensors import Element, Fact, Head, Reduction, Tensor, rename
from symdl.core.unroll import subscripts, unroll
from symdl.derivation.canonical import is_zero as canonically_zero
from symdl.derivation.inline import inline
from symdl.errors import BudgetError, DefinitionError, ShapeError, SymdlError, UnsupportedError
from symdl.verification.points import small_extents
from symdl.verification.proofs import Claim, Proof, prove
from symdl.verification.recurrences import Matched, has_recurrence, matched, opened, written_over_time
from symdl.verification.scalars import FEW_EXTENTS, Question, scope_of, unified, weaker, with_domain
from symdl.verification.shared import (
    equal_over_time,
    equal_with_shared_sums,
    inlined_size,
    open_sign,
    times_of,
    with_times,
)
from symdl.verification.surveys import Side, Surveyor
from symdl.verification.verdict import Verdict

#: Written out, an expression of more elements than this is left alone.
LARGEST_WRITTEN_OUT = 4_000
#: Put in down to the inputs, definitions of more nodes than this are compared with shared sums closed first.
LARGEST_PUT_IN = 400
#: How many times a recurrence is written out for, where that is a symbol.
NUMBERS_OF_TIMES = (3, 2)
#: Seconds for the question whether two states of recurrences have equal equations.
SECONDS_FOR_A_STATE = 2.0
#: Points before a proof is tried; each is compared at several values of the free indices.
POINTS = 3


def decide_indexed(
    left: sympy.Expr,
    right: sympy.Expr,
    *,
    domain: Sequence[Any] = (),
    seed: int = 0,
    points: int,
    deadline: float,
    started: float,
) -> Verdict:
    """The verdict on two expressions with reductions or free indices."""
    left, right, conditions = unified(left, right, domain)
    free = sorted({*indices_in(left), *indices_in(right)}, key=lambda i: (i.name, i.dummy_index))
    expressions = _Sides([lambda: (left, right)], free, conditions, extents=small_extents([left, right]))
    surveyor = Surveyor(Side(left), Side(right), free, expressions.extents, conditions, seed, deadline)
    scope = scope_of(sympy.Tuple(left, right), conditions)
    expressions.positions = _positions([left, right])
    question = Question(surveyor, expressions.prove, scope, started, deadline, points, POINTS)
    question.elsewhere = lambda: _with_other_extents(surveyor, [left, right])
    return question.verdict()


def _with_other_extents(
    surveyor: Surveyor, expressions: list[sympy.Expr], translation: _Translation | None = None
) -> Iterator[Surveyor]:
    """The same comparison for sums of other lengths; none where all lengths are numbers.

    The third one is longer than what people write out: the largest of |i − 3| is 2 up to five of them. The last one
    has the lengths in another order: that n is below m is nothing that was said.
    """
    for shift, turned in ((1, False), (2, False), (5, False), (0, True)) if surveyor.extents else ():
        extents = small_extents(expressions, shift, turned=turned)
        also = {} if translation is None else translation.numbers(extents)
        yield replace(surveyor, extents={**extents, **also})


def decide_definitions(
    a: Definition, b: Definition, pairs: Sequence[tuple[str, str]], *, seed: int, points: int, budget: float
) -> list[tuple[str, Verdict]]:
    """A verdict for each pair of outputs."""
    translation = _Translation(a, b)
    recurrent = has_recurrence(a) or has_recurrence(b)
    begun = now()
    with until(begun + budget / 2):
        states = matched(a, b, translation, _same) if recurrent else None
        equal_names = frozenset() if recurrent else _same_equations(a, b, translation)
    verdicts = []
    for number, (name_a, name_b) in enumerate(pairs, start=1):
        deadline = min(now(), begun + (number - 1) * budget) + budget
        question = _question(a, b, name_a, name_b, translation, equal_names, deadline, seed, points)
        if states is not None:
            question = _over_time(question, a, b, name_a, name_b, translation, states)
        label = name_a if name_a == name_b else f"{name_a} = {name_b}"
        verdicts.append((label, question.verdict()))
    return verdicts


def _question(
    a: Definition,
    b: Definition,
    name_a: str,
    name_b: str,
    translation: _Translation,
    kept: frozenset[str],
    deadline: float,
    seed: int,
    points: int,
) -> Question:
    out_a, out_b = a[name_a], b[name_b]
    translation.check_output(out_a, out_b)
    free = out_a.indices
    element_a, element_b = out_a.element(), out_b[tuple(free)] if free else out_b.element()

    def put_in(stay: frozenset[str] = frozenset()) -> tuple[sympy.Expr, sympy.Expr]:
        return inline(a, element_a, stay), translation(inline(b, element_b, stay))

    def by_sharing() -> bool:
        return equal_with_shared_sums(a, b, (element_a, element_b), translation)

    ways = [lambda: put_in(kept), put_in] if kept else [put_in]
    expressions = _Sides(ways, free, (), by_sharing, max(inlined_size(a, name_a), inlined_size(b, name_b)))
    bodies = [*_bodies(a), *map(translation, _bodies(b))]
    expressions.extents = small_extents(bodies)
    numbers = {**expressions.extents, **translation.numbers(expressions.extents)}
    surveyor = Surveyor(Side(element_a, a), Side(element_b, b), free, numbers, (), seed, deadline)
    needed = a.only([name_a])
    used = {t for e in needed.equations for t in e.uses}
    expressions.positions = _positions(bodies)
    scope = scope_of(sympy.S.Zero, (), [t for t in a.inputs if t in used], surveyor.limits)
    question = Question(surveyor, expressions.prove, scope, now(), deadline, points, POINTS)
    question.elsewhere = lambda: _with_other_extents(surveyor, bodies, translation)
    return question


def _over_time(
    question: Question,
    a: Definition,
    b: Definition,
    name_a: str,
    name_b: str,
    translation: _Translation,
    states: Matched,
) -> Question:
    """The question about outputs of recurrences: by induction for all times, else for few that are written out."""
    free = a[name_a].indices
    left = opened(a, a[name_a].element(), states.left)
    right = opened(b, b[name_b][tuple(free)] if free else b[name_b].element(), states.right)
    sides = _Sides([], free, (), extents=dict(question.surveyor.extents))

    def prover(deadline: float) -> tuple[Proof, str, str] | None:
        if left is not None and right is not None:
            found = sides.for_all_extents(left, states(translation(right)), deadline)
            if found is not None:
                told = (
                    f"structural induction over {len(states.elements)} equal recurrences, " if states.elements else ""
                )
                return found[0], told + found[1], found[2]
        extents = _shared_over_time(a, b, name_a, name_b, deadline)
        if extents is not None:
            return Proof(cases=1), "canonical form, shared sums closed, written out in time", extents
        try:
            return _written_over_time(a, b, name_a, name_b, translation, deadline)
        except DefinitionError as error:
            raise UnsupportedError(f"not written out: {error.what}") from error

    return replace(question, prover=prover)


def _shared_over_time(a: Definition, b: Definition, name_a: str, name_b: str, deadline: float) -> str | None:
    """The extents for which two outputs are proved equal time by time, in words; None without a proof."""
    open_times = sorted({i.extent.name for i in times_of(a) | times_of(b) if i.extent.is_Symbol})
    for number in NUMBERS_OF_TIMES if open_times else NUMBERS_OF_TIMES[:1]:
        half = now() + (deadline - now()) / 2
        first, second = with_times(a, number), with_times(b, number)
        try:
            with until(half):
                if equal_over_time(first, second, (name_a, name_b), _Translation(first, second)):
                    at = "".join(f" with {name} = {number}" for name in open_times)
                    extents = f" and all extents{at}" if small_extents(_bodies(a)) else ""
                    return f"{extents}, where both sides are defined"
        except (SymdlError, RecursionError):
            continue
    return None


def _written_over_time(
    a: Definition, b: Definition, name_a: str, name_b: str, translation: _Translation, deadline: float
) -> tuple[Proof, str, str] | None:
    numbers = small_extents([*_bodies(a), *map(translation, _bodies(b))])
    times = {i.extent for i in times_of(a) | times_of(b)}
    if all(i.extent.is_Atom for d in (a, b) for t in d.tensors.values() for i in t.indices):
        numbers = {s: 3 if s in times else min(n, 2) for s, n in numbers.items()}
    first = written_over_time(a, name_a, numbers)
    second = written_over_time(b, name_b, {**numbers, **translation.numbers(numbers)})
    inputs = {(e.name, e.subscripts): e for v in first.values() for e in v.atoms(Element)}
    total, method = Proof(), "canonical form, written out in time"
    for where, left in first.items():
        right = second[where]
        right = right.xreplace({e: inputs.get((e.name, e.subscripts), e) for e in right.atoms(Element)})
        in_time()
        if not _divides(left, right) and _canonically_same(left, right):
            continue
        method = "normal form, written out in time"
        proof = prove(Claim(*_with_facts([left, right])), deadline)
        if proof is None:
            return None
        total = weaker(total, proof)
    told = ", ".join(f"{s.name} = {v}" for s, v in sorted(numbers.items(), key=str))
    return total, method, FEW_EXTENTS + told if told else ""


def _divides(*expressions: sympy.Expr) -> bool:
    """Whether something in them may be undefined: a divisor, a root or a logarithm."""
    return any(
        e.has(sympy.log) or any(p.exp.is_nonnegative is not True for p in e.atoms(sympy.Pow)) or _has_root(e)
        for e in expressions
    )


def _canonically_same(left: sympy.Expr, right: sympy.Expr) -> bool:
    try:
        return canonically_zero(left - right)
    except (SymdlError, RecursionError):
        return False


def _same(left: sympy.Expr, right: sympy.Expr) -> bool:
    if not _divides(left, right) and _canonically_same(left, right):
        return True
    proof = prove(Claim(left, right), now() + SECONDS_FOR_A_STATE)
    return proof is not None and not (proof.left or proof.right or proof.divisors)


def _bodies(definition: Definition) -> list[sympy.Expr]:
    return [e for eq in definition.equations for e in (eq.lhs, eq.rhs)]


class _Translation:
    """Reads the second definition in terms of the first: inputs by name, extents by the axes of shared inputs."""

    def __init__(self, a: Definition, b: Definition) -> None:
        self.heads: dict[sympy.Basic, sympy.Basic] = {}
        self.extents: dict[sympy.Expr, sympy.Expr] = {}
        own = {t.name: t for t in a.inputs}
        for tensor in b.inputs:
            if tensor.name in own:
                self._match(own[tensor.name], tensor)
        self._pairs = [(t, own[t.name]) for t in b.inputs if t.name in own]

    def _match(self, first: Tensor, second: Tensor) -> None:
        if first.rank != second.rank:
            raise ShapeError(
                f"input {first.name} has {first.rank} axes on one side, {second.rank} on the other",
                remedy="rename the input on one side, or give both the same axes",
            )
        for mine, other in zip(first.shape, second.shape, strict=True):
            self._match_extent(mine, other, f"input {first.name}")

    def _match_extent(self, mine: sympy.Expr, other: sympy.Expr, where: str) -> None:
        known = self.extents.get(other, mine if other.is_Symbol else other)
        if known != mine:
            raise ShapeError(
                f"the extents {mine} and {known} differ", where=where, remedy="compare definitions of the same shapes"
            )
        if other.is_Symbol:
            self.extents[other] = mine

    def check_output(self, first: Tensor, second: Tensor) -> None:
        if first.rank != second.rank:
            raise ShapeError(
                f"output {first.name} has {first.rank} axes, {second.name} has {second.rank}",
                remedy="compare outputs of the same shape",
            )
        for mine, other in zip(first.shape, second.shape, strict=True):
            if sympy.expand(mine - other.xreplace(self.extents)) != 0:
                raise ShapeError(
                    f"output {first.name} has shape {first.shape}, {second.name} has {second.shape}",
                    remedy="compare outputs of the same shape",
                )

    def __call__(self, expr: sympy.Expr) -> sympy.Expr:
        mapping: dict[sympy.Basic, sympy.Basic] = {b: a for b, a in self.extents.items() if b != a}
        if mapping:
            for index in expr.atoms(Index):
                extent = index.extent.xreplace(mapping)
                if extent != index.extent:
                    mapping[index] = self._index(index, extent)
        mapping.update({Head(b): Head(a) for b, a in self._pairs if a != b})
        return expr.xreplace(mapping) if mapping else expr

    def _index(self, index: Index, extent: sympy.Expr) -> Index:
        if index not in self.heads:
            self.heads[index] = index.with_extent(extent)
        found = self.heads[index]
        assert isinstance(found, Index)
        return found

    def numbers(self, extents: Mapping[sympy.Symbol, int]) -> dict[sympy.Symbol, int]:
        """Numbers for the extent symbols of the second definition."""
        values = {s: sympy.Integer(v) for s, v in extents.items()}
        return {b: int(a.xreplace(values)) for b, a in self.extents.items() if a.xreplace(values).is_Integer}


def _same_equations(a: Definition, b: Definition, translation: _Translation) -> frozenset[str]:
    """Names of sums that both definitions write in the same way: they may stay names in a proof."""
    same: set[str] = set()
    for eq in a.equations:
        other = b.by_name.get(eq.name)
        if other is None or eq.out.rank != other.out.rank:
            continue
        if not all(t.name in same or t in a.inputs for t in eq.uses):
            continue
        if eq == other or (eq.out == other.out and _canonically_same(eq.rhs, translation(other.rhs))):
            same.add(eq.name)
    return frozenset(name for name in same if not a.by_name[name].pointwise)


@dataclass
class _Sides:
    """Both sides as index expressions, in one or several versions that are equal by definition."""

    versions: Sequence[Callable[[], tuple[sympy.Expr, sympy.Expr]]]
    free: Sequence[Index]
    domain: Sequence[Any]
    by_sharing: Callable[[], bool] = lambda: False
    size: int = 0
    extents: dict[sympy.Symbol, int] = field(default_factory=dict)
    positions: tuple[tuple[str, sympy.Expr], ...] = ()

    def prove(self, deadline: float) -> tuple[Proof, str, str] | None:
        """For all extents if possible, else for small ones; what is large is first tried with shared sums closed."""
        if self.size > LARGEST_PUT_IN:
            found = self._shared(deadline)
            if found is not None:
                return found
        spare: tuple[Proof, str, str] | None = None
        pair = None
        for put_in in self.versions:
            pair = put_in()
            found = self.for_all_extents(*pair, deadline)
            if found is not None and not (found[0].left or found[0].right or found[0].divisors):
                return found
            spare = found or spare
        if spare is None and self.size <= LARGEST_PUT_IN:
            spare = self._shared(deadline)
        return spare or (self._written_out(*pair, deadline) if pair else None)

    def _shared(self, deadline: float) -> tuple[Proof, str, str] | None:
        half = now() + (deadline - now()) / 2
        try:
            with until(half):
                if not self.by_sharing():
                    return None
        except (SymdlError, RecursionError):
            return None
        extents = " and all extents" if self.extents else ""
        return Proof(cases=1), "canonical form, shared sums closed", extents + ", where both sides are defined"

    def for_all_extents(self, left: sympy.Expr, right: sympy.Expr, deadline: float) -> tuple[Proof, str, str] | None:
        claim = replace(with_domain(left, right, self.domain), positions=self.positions)
        extents = " and all extents" if self.extents else ""
        third = now() + (deadline - now()) / 3  # so that the canonical form has time left
        try:
            proof = prove(claim, third)
            if proof is not None:
                return proof, "normal form of sums", extents
        except (UnsupportedError, BudgetError):
            pass
        try:
            if not (open_sign(left) or open_sign(right)) and canonically_zero(left - right):
                return Proof(cases=1), "canonical form of sums", extents + ", where both sides are defined"
        except (SymdlError, RecursionError):
            pass
        return None

    def _written_out(self, left: sympy.Expr, right: sympy.Expr, deadline: float) -> tuple[Proof, str, str] | None:
        numbers = {s: sympy.Integer(v) for s, v in self.extents.items()}
        left, right = (_with_numbers(e, numbers) for e in (left, right))
        free = [_sized(i, numbers) for i in self.free]
        mapping = dict(zip(self.free, free, strict=True))
        if _size(left) + _size(right) > LARGEST_WRITTEN_OUT:
            raise BudgetError("too large to write out")
        total = Proof()
        for where in subscripts(tuple(free)):
            at = dict(zip(free, where, strict=True))
            pair = [unroll(rename(rename(e, mapping), at)) for e in (left, right)]
            proof = prove(with_domain(*_with_facts(pair), self.domain), deadline)
            if proof is None:
                return None
            total = weaker(total, proof)
        told = ", ".join(f"{s.name} = {v}" for s, v in self.extents.items())
        return total, "normal form, written out", FEW_EXTENTS + told if told else ""


def _positions(bodies: list[sympy.Expr]) -> tuple[tuple[str, sympy.Expr], ...]:
    """Integer tensors that are read as subscripts without a guard, with the extent of the axis: elsewhere than on it
    there is no value to claim anything of."""
    return tuple((name, axis.extent) for (name, _, axis), watched in gathers(bodies).items() if not watched)


def _has_root(expr: sympy.Expr) -> bool:
    return any(not p.exp.is_Integer for p in expr.atoms(sympy.Pow))


def _sized(index: Index, numbers: Mapping[sympy.Symbol, sympy.Integer]) -> Index:
    extent = index.extent.xreplace(numbers)
    return index if extent == index.extent else index.with_extent(extent)


def _with_numbers(expr: sympy.Expr, numbers: Mapping[sympy.Symbol, sympy.Integer]) -> sympy.Expr:
    bound = {i for r in expr.atoms(Reduction) for i in r.bound}
    mapping: dict[sympy.Basic, sympy.Basic] = {i: _sized(i, numbers) for i in bound}
    return expr.xreplace({**mapping, **numbers})


def _size(expr: sympy.Expr) -> int:
    """About how many nodes the expression has once it is written out."""
    inner = 1 + sum(_size(a) for a in expr.args if isinstance(a, sympy.Expr))
    if isinstance(expr, Reduction):
        for index in expr.bound:
            inner *= int(index.extent) if index.extent.is_Integer else 1
    return inner


def _with_facts(pair: list[sympy.Expr]) -> tuple[sympy.Expr, sympy.Expr]:
    """Σ_k y_k = 1 put in, as y_last = 1 − the others."""
    mapping = {}
    for element in {e for expr in pair for e in expr.atoms(Element)}:
        tensor: Tensor = element.tensor
        if Fact.SUMS_TO_ONE in tensor.facts and element.subscripts[-1].is_Integer:
            axis = tensor.indices[-1].extent
            count = max(int(e.subscripts[-1]) for expr in pair for e in expr.atoms(Element) if e.tensor == tensor) + 1
            count = int(axis) if axis.is_Integer else count
            if int(element.subscripts[-1]) == count - 1:
                others = [tensor[(*element.subscripts[:-1], k)] for k in range(count - 1)]
                mapping[element] = 1 - sympy.Add(*others)
    return pair[0].xreplace(mapping), pair[1].xreplace(mapping)
