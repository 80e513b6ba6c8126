"""Pooling against PyTorch on random windows, and ties by the stated policy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings, strategies as st
from support.layers import agrees_with_torch, both_ways, close

from symdl.compilation.targets.reference import evaluate
from symdl.core.define import Input, define
from symdl.derivation.seeds import vjp
from symdl.errors import DefinitionError, ShapeError
from symdl.library import layers
from symdl.library.definitions import definition

F = torch.nn.functional
MAX = {1: F.max_pool1d, 2: F.max_pool2d}
AVERAGE = {1: F.avg_pool1d, 2: F.avg_pool2d}
ADAPTIVE = {1: F.adaptive_avg_pool1d, 2: F.adaptive_avg_pool2d}


def windows(data, rank, dilation=1):
    """Sizes, extents and options of windows that fit."""

    def numbers(low, high):
        return tuple(data.draw(st.integers(low, high)) for _ in range(rank))

    size, stride, space = numbers(1, 3), numbers(1, 3), numbers(1, 7 - 2 * rank)
    padding = tuple(data.draw(st.integers(0, r // 2)) for r in size)
    spread = numbers(1, dilation)
    rows = zip(space, size, padding, spread, strict=True)
    assume(all(h + 2 * p - d * (r - 1) >= 1 for h, r, p, d in rows))
    return space, {"size": size, "stride": stride, "padding": padding}, spread


@pytest.mark.parametrize("rank", [1, 2])
@settings(max_examples=12)
@given(st.data())
def test_maximum(rank, data):
    space, options, dilation = windows(data, rank, 2)
    # a dilated window can lie in the padding with all its entries: PyTorch says −∞ there, and so do we, without a slope
    assume(all(p == 0 or d == 1 for p, d in zip(options["padding"], dilation, strict=True)))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    layer = definition(f"max_pool{rank}d", **options, dilation=dilation)
    values = {"x": rng.permutation(2 * 2 * np.prod(space)).reshape(2, 2, *space).astype(float)}  # no ties

    def peer(x):
        return MAX[rank](x, options["size"], options["stride"], options["padding"], dilation)

    agrees_with_torch(layer, values, peer, rng)


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("rank", [1, 2])
@settings(max_examples=10)
@given(st.data())
def test_average(rank, counted, data):
    space, options, _ = windows(data, rank)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    layer = definition(f"avg_pool{rank}d", **options, count_include_pad=counted)

    def peer(x):
        return AVERAGE[rank](x, options["size"], options["stride"], options["padding"], count_include_pad=counted)

    agrees_with_torch(layer, {"x": rng.normal(size=(2, 2, *space))}, peer, rng)


@pytest.mark.parametrize("rank", [1, 2])
@settings(max_examples=12)
@given(st.data())
def test_adaptive_average(rank, data):
    """As many windows as are asked for: fewer than the axis has entries, as many, or more."""
    space, size = (tuple(data.draw(st.integers(1, 5)) for _ in range(rank)) for _ in range(2))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    layer = definition(f"adaptive_avg_pool{rank}d", size=size)
    agrees_with_torch(layer, {"x": rng.normal(size=(1, 2, *space))}, lambda x: ADAPTIVE[rank](x, size), rng)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_global_average(axes, rng):
    for space in [(3, 2, 4)[:axes], (1,) * axes]:
        values = {"x": rng.normal(size=(2, 3, *space))}
        agrees_with_torch(
            definition("global_avg_pool", axes=axes), values, lambda x: x.mean(dim=tuple(range(2, 2 + axes))), rng
        )


def test_the_stride_is_the_size_where_none_is_given():
    assert definition("max_pool2d", size=3).at(h=7, w=6)["y"].shape[-2:] == (2, 2)


def test_ties_share_the_slope():
    """By hand: the windows (1, 1, 0) and (0, 2, 2), each with a tie of two: half the slope each."""
    gradient = vjp(definition("max_pool1d", size=3), "x").gradient
    values = {"x": [[[1.0, 1.0, 0.0, 0.0, 2.0, 2.0]]], "y_bar": [[[1.0, 3.0]]]}
    close(evaluate(gradient, values)["x_bar"], [[[0.5, 0.5, 0, 0, 1.5, 1.5]]])


#: Name, options, and extents small enough to write both ways out.
CASES = [
    ("max_pool1d", {}, {"n": 1, "c": 2, "h": 4}),
    ("max_pool1d", {"size": 3, "stride": 1, "padding": 1}, {"n": 1, "c": 1, "h": 4}),
    ("max_pool2d", {}, {"n": 1, "c": 1, "h": 4, "w": 2}),
    ("avg_pool1d", {"size": 3, "padding": 1, "count_include_pad": False}, {"n": 1, "c": 2, "h": 5}),
    ("adaptive_avg_pool1d", {"size": 3}, {"n": 1, "c": 1, "h": 5}),
    ("adaptive_avg_pool2d", {"size": 2}, {"n": 1, "c": 1, "h": 3, "w": 2}),
]


@pytest.mark.parametrize(("name", "options", "extents"), CASES, ids=str)
def test_both_ways_are_proved_equal(name, options, extents):
    both_ways(definition(name, **options).at(**extents)).require()


def test_a_maximum_states_its_policy():
    assert definition("max_pool2d").kinks == ("y[n, c, u, v]: ties of the maximum: share",)


def refused(kind, words, axes, size, layer=layers.max_pool2d, **options):
    with pytest.raises(kind) as caught:

        @define
        def wrong(x=Input(axes)):
            return layer(x, size, **options)

    assert all(w in str(caught.value) for w in words) and caught.value.remedy, str(caught.value)


def test_bad_input_is_one_clear_error():
    refused(ShapeError, ["larger than axis h", "has 2"], "n c h=2 w=4", 3)
    refused(ShapeError, ["padding=2", "half"], "n c h w", 3, padding=2)
    refused(ShapeError, ["padding=1", "half"], "n c h w", 1, layers.avg_pool2d, padding=1)
    refused(ShapeError, ["x has 1 axes"], "n", 2)
    refused(DefinitionError, ["size=0"], "n c h w", 0)
    refused(DefinitionError, ["size=0"], "n c h w", 0, layers.adaptive_avg_pool2d)
    refused(DefinitionError, ["stride=0"], "n c h w", 2, stride=0)
    refused(DefinitionError, ["unknown policy for ties 'first'"], "n c h w", 2, ties="first")
    with pytest.raises(DefinitionError, match="axes=4"):
        definition("global_avg_pool", axes=4)
