"""Proofs that leave shared sums closed: what they must prove, and what they must never prove."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
import sympy
from derivation.test_random_networks import STAGES, arrays_for, network
from hypothesis import given, settings, strategies as st

import symdl as sd
from symdl.compilation.targets.reference import evaluate
from symdl.core.deadlines import until
from symdl.core.functions import InRange
from symdl.core.indices import Index
from symdl.core.tensors import Element
from symdl.derivation.canonical import canonical
from symdl.errors import BudgetError, UnsupportedError
from symdl.verification.balls import Evaluator
from symdl.verification.indexed import _Translation
from symdl.verification.numbering import Numbering, is_unknown
from symdl.verification.points import Point, small_extents
from symdl.verification.real import UndefinedError
from symdl.verification.shared import equal_over_time, equal_with_shared_sums

SECONDS = 20
#: For each random claim: a proof takes less, and where there is none all of them are spent.
SECONDS_FOR_A_FAULT = 2


def proved(a, b, name_a, name_b, seconds=SECONDS):
    with until(time.monotonic() + seconds):
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
    rng = np.random.default_rng(seed)
    definition = network(stages, embedded=False).at(t=2)
    source = definition.inputs[0].name
    honest = sd.derive(definition, source).gradient
    backward = [e.name for e in honest.equations if e.name not in definition.by_name]
    arrays = arrays_for(definition, rng)
    bar = f"{source}_bar"
    try:
        wrong = with_fault(honest, backward[which % len(backward)], fault)
    except sd.ShapeError:  # a definition that lost a guard is refused as such, mostly
        return
    try:
        values = [evaluate(d, arrays)[bar].astype(float) for d in (honest, wrong)]
        different = not np.allclose(*values, rtol=1e-9, atol=1e-12)
    except (sd.SymdlError, IndexError):  # the changed equation reads what is not there
        return
    try:
        claimed = proved(honest, wrong, bar, bar, SECONDS_FOR_A_FAULT)
    except (sd.SymdlError, BudgetError):
        return
    assert not (claimed and different), (stages, fault.__name__, wrong)


@pytest.mark.parametrize("stages", [["normed", "dense"], ["dense", "attended"]])
def test_both_ways_of_a_random_network_are_proved(stages):
    """The faults above would also go unproved if nothing ever were."""
    definition = network(stages, embedded=False).at(t=2)
    source = definition.inputs[0].name
    full, chain = (sd.derive(definition, source, via=via).gradient for via in ("expand", "chain"))
    assert proved(full, chain, f"{source}_bar", f"{source}_bar")


@pytest.mark.parametrize("stages", [["normed", "dense"], ["dense", "attended"], ["remembered", "dense"]])
def test_an_unknown_stands_for_the_value_that_it_replaces(stages, monkeypatch):
    """Each pattern, read at its subscripts, against the value that got its name, in balls at a random point."""
    checked = []
    honest = Numbering.unknown

    def unknown(self, value, sign=None):
        named = honest(self, value, sign)
        number, element = named.as_coeff_Mul()
        if isinstance(element, Element) and is_unknown(element):
            opened = self._opened(value)
            indices = sorted({i for i in opened.free_symbols if isinstance(i, Index)}, key=str)
            at = {i: 2 + k for k, i in enumerate(indices)}
            point = Point(1, "integers", small_extents([opened]))
            try:
                balls = [Evaluator(point).value(e, at) for e in (opened, number * self.value(element))]
            except (UnsupportedError, UndefinedError):  # E and Step are of the canonical form alone; 1/0 has no value
                return named
            assert (balls[0] - balls[1]).contains(0), (value, named, self.value(element))
            checked.append(named)
        return named

    monkeypatch.setattr(Numbering, "unknown", unknown)
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
    with until(time.monotonic() + SECONDS):
        assert not equal_with_shared_sums(plain, plain, outputs, _Translation(plain, plain))
