"""Proofs that leave shared sums closed: what they must prove, and what they must never prove."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
import sympy
from derivation.test_random_networks import STAGES, arrays_for, network
from hypothesis import given, settings, strategies as st

import symdl as sd
from symdl.compilation.targets.reference import evaluate
from symdl.core.deadlines import now, until
from symdl.core.functions import InRange
from symdl.core.indices import Index
from symdl.core.recurrence import groups
from symdl.derivation import expand
from symdl.derivation.canonical import canonical
from symdl.errors import BudgetError, UnsupportedError
from symdl.verification.balls import Evaluator
from symdl.verification.indexed import _Translation
from symdl.verification.numbering import Numbering, _place
from symdl.verification.points import Point, small_extents
from symdl.verification.real import UndefinedError
from symdl.verification.shared import equal_over_time, equal_with_shared_sums

SECONDS = 20
#: For each random claim: a proof takes less, and where there is none all of them are spent.
SECONDS_FOR_A_FAULT = 2


def proved(a, b, name_a, name_b, seconds=SECONDS):
    with until(now() + seconds):
        return equal_over_time(a, b, (name_a, name_b), _Translation(a, b))


def doubled(expr):
    return 2 * expr


def turned(expr):
    return -expr


def unguarded(expr):
    """Every guard dropped: a read that leaves its axis is then of a value that the padding hid."""
    return expr.xreplace(dict.fromkeys(expr.atoms(InRange), sympy.S.One))


def loosened(expr):
    return expr.xreplace({g: InRange(g.args[0] + 1, g.args[1]) for g in expr.atoms(InRange)})


def without_a_term(expr):
    return sympy.Add(*sympy.Add.make_args(expr)[1:])


def squared(expr):
    return expr**2


def without_times(definition, of):
    """In place of `is_repetitive`: every expansion keeps its sums under names, but for recurrences."""
    return not any(g.direction for g in groups(definition.equations))


FAULTS = [doubled, turned, unguarded, loosened, without_a_term, squared]


def with_fault(definition, name, fault):
    """The definition with one of its equations changed, in the body of its first term."""
    eq = definition.by_name[name]
    first, *rest = eq.terms
    changed = replace(eq, terms=(replace(first, body=fault(first.body)), *rest))
    return replace(definition, equations=tuple(changed if e.name == name else e for e in definition.equations))


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.sampled_from(STAGES), min_size=1, max_size=3),
    st.sampled_from(FAULTS),
    st.integers(0, 100),
    st.integers(0, 2**32 - 1),
)
def test_what_differs_in_value_is_never_proved(stages, fault, which, seed):
    """A random network's gradient against itself with one equation changed."""
    definition = network(stages, embedded=False).at(t=2)
    honest = sd.derive(definition, definition.inputs[0].name).gradient
    refute_or_leave(definition, honest, honest, fault, which, seed)


def refute_or_leave(definition, honest, other, fault, which, seed):
    """Puts a fault into one equation of a gradient: if that changes its value, it is not proved equal to `other`."""
    backward = [e.name for e in honest.equations if e.name not in definition.by_name]
    arrays = arrays_for(definition, np.random.default_rng(seed))
    bar = f"{definition.inputs[0].name}_bar"
    try:
        wrong = with_fault(honest, backward[which % len(backward)], fault)
    except sd.ShapeError:  # a definition that lost a guard is refused as such, mostly
        return
    try:
        values = [evaluate(d, arrays)[bar].astype(float) for d in (other, wrong)]
        different = not np.allclose(*values, rtol=1e-9, atol=1e-12)
    except (sd.SymdlError, IndexError):  # the changed equation reads what is not there
        return
    try:
        claimed = proved(other, wrong, bar, bar, SECONDS_FOR_A_FAULT)
    except (sd.SymdlError, BudgetError):
        return
    assert not (claimed and different), (fault.__name__, wrong)


@settings(max_examples=8, deadline=None)
@given(
    st.lists(st.sampled_from([s for s in STAGES if s not in ("remembered", "foreseen")]), min_size=1, max_size=3),
    st.sampled_from(FAULTS),
    st.booleans(),
    st.integers(0, 100),
    st.integers(0, 2**32 - 1),
)
def test_what_differs_from_rates_put_in_is_never_proved(stages, fault, on_rates, which, seed):
    """The same with an expansion whose sums keep their names on one side, the fault on either."""
    definition = network(stages, embedded=False).at(t=2)
    source = definition.inputs[0].name
    chain = sd.derive(definition, source).gradient
    with mock.patch.object(expand, "is_repetitive", without_times):
        rates = sd.derive(definition, source, via="expand").gradient
    honest, other = (rates, chain) if on_rates else (chain, rates)
    refute_or_leave(definition, honest, other, fault, which, seed)


@pytest.mark.parametrize("stages", [["normed", "dense"], ["dense", "attended"]])
def test_both_ways_of_a_random_network_are_proved(stages):
    """The faults above would also go unproved if nothing ever were."""
    definition = network(stages, embedded=False).at(t=2)
    source = definition.inputs[0].name
    full, chain = (sd.derive(definition, source, via=via).gradient for via in ("expand", "chain"))
    assert proved(full, chain, f"{source}_bar", f"{source}_bar")


@pytest.mark.parametrize("stages", [["attended", "dense"], ["bent", "attended", "dense"]])
def test_sums_under_names_are_proved_where_put_in_sums_hide_what_is_shared(stages):
    definition = network(stages, embedded=False).at(t=2)
    with mock.patch.object(expand, "is_repetitive", without_times):
        full = sd.derive(definition, "x", via="expand").gradient
    chain = sd.derive(definition, "x").gradient
    assert proved(full, chain, "x_bar", "x_bar") and proved(chain, full, "x_bar", "x_bar")


class Patterns:
    """The unknowns of a numbering as the equations of a definition, for `Evaluator`."""

    def __init__(self, numbering):
        self.by_name = {name: self.equation(u) for name, u in numbering.by_name.items()}

    @staticmethod
    def equation(unknown):
        axes = unknown.tensor.indices
        return SimpleNamespace(indices=axes, rhs=unknown.pattern.xreplace({_place(k): i for k, i in enumerate(axes)}))


@pytest.mark.parametrize(
    ("stages", "repetitive"),
    [
        (["normed", "dense"], False),
        (["dense", "attended"], False),
        (["remembered", "dense"], False),
        (["normed", "dense"], True),
        (["attended"], True),
    ],
)
def test_an_unknown_stands_for_the_value_that_it_replaces(stages, repetitive, monkeypatch):
    """What is named and its name, every unknown evaluated as its pattern says, in balls at a random point."""
    checked = []
    honest = Numbering.unknown

    def unknown(self, value, sign=None):
        named = honest(self, value, sign)
        if named != value:
            indices = sorted({i for i in value.free_symbols if isinstance(i, Index)}, key=str)
            at = {i: 2 + k for k, i in enumerate(indices)}
            at |= {i: 0 for i in indices if i.extent == 1}
            point = Point(1, "integers", small_extents([value, *(u.pattern for u in self.by_name.values())]))
            try:
                balls = [Evaluator(point, Patterns(self)).value(e, at) for e in (value, named)]
            except (UnsupportedError, UndefinedError):  # E and Step are of the canonical form alone; 1/0 has no value
                return named
            assert (balls[0] - balls[1]).contains(0), (value, named)
            checked.append(named)
        return named

    monkeypatch.setattr(Numbering, "unknown", unknown)
    if repetitive:
        monkeypatch.setattr(expand, "is_repetitive", without_times)
    definition = network(stages, embedded=False).at(t=2)
    source = definition.inputs[0].name
    full, chain = (sd.derive(definition, source, via=via).gradient for via in ("expand", "chain"))
    proved(full, chain, f"{source}_bar", f"{source}_bar")
    assert len(checked) > 5


def test_equal_sums_have_one_name_wherever_they_are_read():
    i, h, u, r = Index("i"), Index("h"), Index("u"), Index("r", 2)
    W, x = sd.Tensor("W", (i,)), sd.Tensor("x", (Index("p", 20),))
    numbering = Numbering()

    def name(at):
        return numbering.unknown(canonical(sd.Sum(W[i] * x[at + i], i)))

    first = name(h)
    assert str(first) == "#1[h]"
    assert str(name(2 * u + r)) == "#1[r + 2*u]"
    assert str(name(h - 1)) == "#1[h - 1]"
    assert str(numbering.unknown(canonical(sd.Sum(W[i] * x[h + 2 * i], i)))) == "#2[h]"
    assert str(numbering.unknown(canonical(sd.Sum(W[i] * x[h + i] ** 2, i)))) == "#3[h]"


def test_a_sum_that_is_another_sum_summed_has_its_name():
    """Σ_n Σ_i and Σ_{n,i}: an expansion flattens what a definition writes in two equations."""
    n, i = Index("n"), Index("i")
    W, x = sd.Tensor("W", (i,)), sd.Tensor("x", (n, i))
    numbering = Numbering()
    row = numbering.unknown(canonical(sd.Sum(W[i] * x[n, i], i)))
    outer = numbering.unknown(canonical(sd.Sum(row, n)))
    flat = numbering.unknown(canonical(sd.Sum(W[i] * x[n, i], n, i)))
    assert outer == flat and outer != row


def test_a_root_needs_a_sign():
    """√s with s of unknown sign: where it is defined is not known, so nothing is claimed."""

    @sd.define
    def plain(v=sd.Input("i"), w=sd.Input("i")):
        (i,) = v.indices
        s = sd.let("s", sd.Sum(v[i] * w[i], i))
        return sd.let("y", sd.sqrt(s))

    outputs = plain["y"].element(), plain["y"].element()
    with until(now() + SECONDS):
        assert not equal_with_shared_sums(plain, plain, outputs, _Translation(plain, plain))
