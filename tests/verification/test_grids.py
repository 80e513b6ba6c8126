"""Whole tensors in balls against the evaluator that goes entry by entry; wrong gradients of large networks."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import flint
import pytest

import symdl as sd
from symdl.verification import Status
from symdl.verification.balls import PRECISION, Evaluator
from symdl.verification.grids import Grids
from symdl.verification.points import Point, gather_limits, small_extents

STRIDED = {"kernel": 3, "stride": 2, "padding": 1}
LAYERS = {
    "conv2d": STRIDED,
    "conv_transpose1d": STRIDED,
    "max_pool1d": {"size": 3, "stride": 2, "padding": 1},
    "embedding": {},
    "concat": {},
    "upsample_nearest": {},
    "attention": {"causal": True, "padding": True},
    "rotary": {},
    "group_norm": {},
    "lenet5": {"act": "relu", "pool": "max", "size": 10, "kernel": 3, "channels": 2, "units": 2, "classes": 2},
}


def both(definition, kind="mixed"):
    """An evaluator with all arrays that could be filled, and one that goes entry by entry."""
    expressions = [e for eq in definition.equations for e in (eq.lhs, eq.rhs)]
    made = [Point(3, kind, small_extents(expressions), gather_limits(expressions)) for _ in range(2)]
    whole = Evaluator(made[0], definition)
    before, flint.ctx.prec = flint.ctx.prec, PRECISION
    try:
        grids = Grids(whole)
        grids.fill(definition)
    finally:
        flint.ctx.prec = before
    made[1].given = made[0].given  # whoever asks first draws; both see the same numbers
    return grids, Evaluator(made[1], definition)


@pytest.mark.parametrize("name", LAYERS)
def test_grids_are_what_entry_by_entry_gives(name):
    gradient = sd.vjp(sd.definition(name, **LAYERS[name])).gradient
    grids, single = both(gradient)
    assert set(grids.filled) == set(gradient.by_name), "everything is filled at a point where nothing is unclear"
    for eq in gradient.equations:
        array = grids.arrays[eq.name]
        for place in list(product(*map(range, array.shape)))[:: max(1, array.size // 12)]:
            one = single.value(eq.lhs, dict(zip(eq.indices, place, strict=True)))
            assert array[place].overlaps(one) and array[place].rad() < 1e-30 * (1 + abs(one)), (eq, place)


def wrong(gradient, name):
    """Twice what an equation says."""
    doubled = [
        replace(eq, terms=tuple(replace(t, body=2 * t.body) for t in eq.terms)) if eq.name == name else eq
        for eq in gradient.equations
    ]
    return replace(gradient, equations=tuple(doubled), general=None)


def test_extents_that_are_rounded_down_are_numbers():
    """Strides: claims for all extents are looked at for some, as others are."""
    gradient = sd.vjp(sd.definition("conv1d", **STRIDED), "K").gradient.only(["K_bar"])
    assert sd.equal(gradient, wrong(gradient, "K_bar")).status is Status.REFUTED


def test_a_wrong_gradient_of_lenet5_is_refuted_at_its_published_size():
    """10 million products: within the seconds that come before a proof is tried."""
    gradient = sd.derive(sd.definition("lenet5", pool="max"), ["K1"]).gradient.only(["K1_bar"])
    verdict = sd.equal(gradient, wrong(gradient, "s2_bar"))
    assert verdict.status is Status.REFUTED
    assert len(verdict.witness.point) > 60_000
    assert "more: left" in str(verdict)
