"""The canonical form does not depend on how an index expression is written: random ones, rewritten at random.

Strides, dilations and paddings, several to an equation, guards, δs and nested index maps. A rewriting renames and
permutes bound indices, nests sums, distributes products over sums, eliminates δs by any index or brings new ones in,
and writes guards in other ways: from the other end, looser where a range allows it, beside others that they imply.

What several guards with strides say together of integers is more than one rule decides: there is one guard a term here
(and those that it implies), besides those that come from δs.
"""

from __future__ import annotations

import random
from itertools import product

import numpy as np
import pytest
import sympy
from hypothesis import example, given, settings, strategies as st
from support.oracles import Floats, evaluate
from support.rewriting import nested

from symdl.core.define import tanh
from symdl.core.functions import Delta, InRange
from symdl.core.indices import Index, extent_symbol, provably_nonnegative, value_range
from symdl.core.tensors import Tensor, reduction
from symdl.core.unroll import elements, unroll
from symdl.derivation.canonical import canonical
from symdl.verification import Status, equal

A, B, H = map(extent_symbol, "abh")
NUMBERS = [sympy.Integer(2), sympy.Integer(3)]
SIZES = [*NUMBERS, sympy.Integer(4), sympy.Integer(5)]
OPEN = [sympy.Integer(2), A, B, A + 1, A + B - 1]


class Drawn:
    """Σ over `bound` of factors under equations (expressions that are 0) and guards (expression, extent)."""

    def __init__(self, rng: random.Random, sizes: list[sympy.Expr], least: int = 1) -> None:
        """`least`: indices in an equation or guard. One alone fixes an index, which says something of open extents."""
        self.sizes, self.least = sizes, least
        self.free = [Index(f"f{k}", rng.choice(sizes)) for k in range(rng.randint(0, 2) if least == 1 else 0)]
        self.bound = [Index(f"b{k}", rng.choice(sizes)) for k in range(rng.randint(least, 4))]
        self.equations = [self._affine(rng) for _ in range(rng.choice([0, 1, 1, 2]))]
        self.guards = [(self._affine(rng), rng.choice(sizes)) for _ in range(rng.choice([0, 1, 1]))]
        if rng.random() < 0.4:
            self._add_map(rng)
        self.tensors: list[Tensor] = []
        self.factors = [self._factor(rng, i) for i in self.bound]

    def _affine(self, rng: random.Random) -> sympy.Expr:
        """s·u + d·r − p over bound and free indices, with steps of 1, 2 or 3 to either side."""
        among = self.bound + self.free
        chosen = rng.sample(among, min(rng.randint(self.least, 3), len(among)))
        steps = [rng.choice([1, 1, 1, 2, 3]) * rng.choice([1, 1, -1]) for _ in chosen]
        return sympy.Add(*[s * i for s, i in zip(steps, chosen, strict=True)]) + rng.choice([0, 0, 1, -1, -2])

    def _add_map(self, rng: random.Random) -> None:
        """k = c·(2 U) + (2 u + r), flattening what was enlarged by 2; or the flattening or the enlarging alone."""
        c, u, r = Index("c", rng.choice(self.sizes)), Index("u", rng.choice(self.sizes)), Index("r", 2)
        inner, size = (2 * u + r, 2 * u.extent) if rng.random() < 0.7 else (u, u.extent)
        outer, whole = (c * size + inner, c.extent * size) if inner == u or rng.random() < 0.7 else (inner, size)
        outer = sympy.expand(outer)
        self.bound += [i for i in (c, u, r) if outer.has(i)]
        k = Index("k", sympy.expand(whole))
        (self.free if rng.random() < 0.3 else self.bound).append(k)
        self.equations.append(k - outer)

    def _factor(self, rng: random.Random, index: Index) -> list[sympy.Expr]:
        """Summands of one factor that reads the index, maybe beside another one."""
        beside = [i for i in self.bound + self.free if i is not index]
        summands = []
        for _ in range(rng.choice([1, 1, 1, 2])):
            axes = (index, rng.choice(beside)) if beside and rng.random() < 0.3 else (index,)
            tensor = Tensor(f"T{len(self.tensors)}", axes)
            self.tensors.append(tensor)
            summands.append(tanh(tensor[axes]) if rng.random() < 0.2 else tensor[axes])
        return summands

    def written(self, rng: random.Random, fault: int = 0) -> sympy.Expr:
        """One way of writing it; `fault` shifts one equation or guard."""
        fresh = {i: Index(rng.choice("abcxyz"), i.extent) for i in self.bound}
        bound = list(fresh.values())
        equations = [e.xreplace(fresh) for e in self.equations]
        guards = [(e.xreplace(fresh), size) for e, size in self.guards]
        if fault and equations:
            equations[0] += fault
        elif fault and guards:
            guards[0] = guards[0][0] + fault, guards[0][1]
        factors = [sympy.Add(*[s.xreplace(fresh) for s in summands]) for summands in self.factors]
        factors += [f for e, size in guards for f in _guard(e, size, bound, rng)]
        factors += _implied(guards, rng)
        factors, bound = _solved(equations, factors, bound, rng)
        return _summed(factors, bound, rng)


def _guard(e: sympy.Expr, size: sympy.Expr, bound: list[Index], rng: random.Random) -> list[sympy.Expr]:
    """[0 ≤ e < size] in one of its ways."""
    if rng.random() < 0.15:  # Σ_v δ(v, e)
        bound.append(Index("v", size))
        return [Delta(bound[-1], e)]
    below, above = _ends(e, size)
    shift = rng.randint(1, 2) if below and rng.random() < 0.5 else 0
    longer = rng.choice([rng.randint(0, 2), above]) if above is not None and rng.random() < 0.5 else 0
    e, size = e + shift, sympy.expand(size + shift + longer)
    if rng.random() < 0.4:
        e = sympy.expand(size - 1 - e)
    return [InRange(e, size)]


def _ends(e: sympy.Expr, size: sympy.Expr) -> tuple[bool, sympy.Expr | None]:
    """Whether e ≥ 0 is certain, and by how much the guard may be moved where e < size is, so that it touches."""
    low, high = value_range(e, sorted(e.free_symbols & e.atoms(Index), key=str))
    spare = sympy.expand(high + 1 - size)
    return provably_nonnegative(low), spare if provably_nonnegative(-spare) and high.is_nonnegative else None


def _implied(guards: list[tuple[sympy.Expr, sympy.Expr]], rng: random.Random) -> list[sympy.Expr]:
    """Guards that those there are imply: wider ones."""
    made = []
    for e, size in guards:
        if rng.random() < 0.2:
            made.append(InRange(e + 1, size + rng.randint(1, 3)))
    return made


def _solved(
    equations: list[sympy.Expr], factors: list[sympy.Expr], bound: list[Index], rng: random.Random
) -> tuple[list[sympy.Expr], list[Index]]:
    """Some equations solved for some index, with its guard; the others as δs, maybe beside a guard that they imply."""
    equations = list(equations)
    for _ in range(len(equations)):
        k = rng.randrange(len(equations))
        difference = sympy.expand(equations[k])
        units = [i for i in bound if difference.coeff(i, 1) in (1, -1)]
        if not units or rng.random() < 0.3:
            continue
        index = rng.choice(units)
        equations.pop(k)
        value = sympy.expand(index - difference / difference.coeff(index, 1))
        bound.remove(index)
        factors = [f.xreplace({index: value}) for f in factors] + [InRange(value, index.extent)]
        equations = [e.xreplace({index: value}) for e in equations]
        if not equations:
            break
    return factors + [_delta(sympy.expand(e), rng) for e in equations], bound


def _delta(difference: sympy.Expr, rng: random.Random) -> sympy.Expr:
    if rng.random() < 0.5:
        return Delta(difference, 0)
    part = rng.choice(sympy.Add.make_args(difference))
    return Delta(-part, difference - part)


def _summed(factors: list[sympy.Expr], bound: list[Index], rng: random.Random) -> sympy.Expr:
    """The sum, some factors multiplied out, in nests of random order."""
    if rng.random() < 0.5:
        for k, factor in enumerate(factors):
            if factor.is_Add:
                rest = [*factors[:k], *factors[k + 1 :]]
                return sympy.Add(*[_renamed([*rest, part], bound, rng) for part in factor.args])
    return nested(factors, bound, rng)


def _renamed(factors: list[sympy.Expr], bound: list[Index], rng: random.Random) -> sympy.Expr:
    fresh = {i: Index(rng.choice("abcxyz"), i.extent) for i in bound}
    return _summed([f.xreplace(fresh) for f in factors], list(fresh.values()), rng)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_every_way_of_writing_has_one_form(seed):
    rng = random.Random(seed)
    drawn = Drawn(rng, SIZES)
    first, second = drawn.written(rng), drawn.written(rng)
    assert canonical(first) == canonical(second)


def _open_pair(seed):
    rng = random.Random(seed)
    drawn = Drawn(rng, OPEN, least=2)
    return drawn.written(rng), drawn.written(rng)


@settings(max_examples=12)
@given(st.integers(0, 2**32 - 1))
@example(1582)  # guards of extents alone
@example(498)  # an end of a guard that the others imply, written two further away
@example(989)  # 3 − 2a ≥ 0 leaves a = 1 alone, which is seen in one of the two ways of writing it
@example(1235)  # 3a + 5b = 1 has no natural numbers
def test_every_way_of_writing_has_one_form_for_open_extents(seed):
    first, second = _open_pair(seed)
    assert canonical(first) == canonical(second)


@settings(max_examples=6)
@example(686)
@example(1343)
@given(st.integers(0, 2**32 - 1))
def test_what_has_two_forms_for_open_extents_is_not_refuted(seed):
    """Some strided guards say together of integers what no one rule decides.

    On 26 November 2026 two of the seeds 0 to 1,999 had two forms, 686 and 1343 (`make fuzz` can fall on such a one in
    the test above).
    """
    first, second = _open_pair(seed)
    if canonical(first) != canonical(second):
        assert equal(first, second, budget=5).status is not Status.REFUTED


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0, 1, -1]))
def test_one_form_has_one_value(seed, fault):
    """The rewritings here keep the value, the form keeps it, and what has another value has another form."""
    rng = random.Random(seed)
    drawn = Drawn(rng, NUMBERS)
    first, second = drawn.written(rng), drawn.written(rng, fault)
    draw = np.random.default_rng(seed).normal
    known = Guarded({e: float(draw()) for t in drawn.tensors for e in elements(t)})
    values = [_values(e, known, drawn.free) for e in (first, canonical(first), second, canonical(second))]
    assert values[1] == pytest.approx(values[0], rel=1e-9, abs=1e-9)
    assert values[3] == pytest.approx(values[2], rel=1e-9, abs=1e-9)
    same = values[2] == pytest.approx(values[0], rel=1e-9, abs=1e-9)
    assert same or fault
    if canonical(first) == canonical(second):
        assert same


class Guarded(dict):
    """Values of elements; what is outside of its axis is never used, and so may be anything."""

    def __missing__(self, key):
        return 1e30


def _values(expr, known, free):
    places = product(*[map(sympy.Integer, range(int(i.extent))) for i in free])
    return [
        float(evaluate(unroll(expr.xreplace(dict(zip(free, where, strict=True)))), known, Floats)) for where in places
    ]


T = extent_symbol("t")
t, s_ = Index("t", T), Index("s", T)
x_ = Tensor("x", (Index("t", T),))

GUARDS = {
    "an end that is never reached": (InRange(t - 1, T), InRange(t - 1, T - 1)),
    "the end after": (InRange(t - 1, T), InRange(t, T + 2) * InRange(t - 1, T + 5)),
    "from the other end": (InRange(T - 1 - t, T - 1), InRange(t - 1, T)),
    "what the sum of two implies": (
        InRange(t - 1, T) * InRange(s_ - 1, T),
        InRange(t - 1, T) * InRange(s_ - 1, T) * InRange(t + s_ - 2, 2 * T),
    ),
    "beside the read": (InRange(t - s_, T), InRange(t - s_, T) * InRange(t - s_ + 1, T + 1)),
}


@pytest.mark.parametrize("name", GUARDS)
def test_guards_that_say_the_same_are_proved_equal(name):
    first, second = (g * x_[t] for g in GUARDS[name])
    assert canonical(first) == canonical(second)
    for left, right in ((first, second), (reduction("sum", first, [t]), reduction("sum", second, [t]))):
        verdict = equal(left, right)
        assert verdict.proved, verdict
        assert "all extents" in verdict.scope


def test_guards_that_do_not_say_the_same_are_refuted():
    assert equal(InRange(t - 1, T) * x_[t], InRange(t - 1, T - 2) * x_[t]).status is Status.REFUTED
