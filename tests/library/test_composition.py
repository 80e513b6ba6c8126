"""How layers are put together, against PyTorch: residuals, dropout, gates, concatenation, index maps, upsampling."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from support.layers import agrees_with_torch, both_ways

from symdl.core.define import Hyper, Input, Param, define
from symdl.errors import DefinitionError, ShapeError
from symdl.library import layers
from symdl.library.definitions import definition

F = torch.nn.functional
few = st.integers(1, 3)
seeds = st.integers(0, 2**32 - 1)


def normal(rng, **shapes):
    return {name: np.array(rng.normal(size=shape)) for name, shape in shapes.items()}


@settings(max_examples=8)
@given(few, few, seeds)
def test_residual(n, i, seed):
    rng = np.random.default_rng(seed)
    values = normal(rng, x=(n, i), W=(i, i), b=(i,))
    agrees_with_torch(definition("residual"), values, lambda x, W, b: x + torch.tanh(F.linear(x, W, b)), rng)


@settings(max_examples=8)
@given(few, few, seeds)
def test_dropout(n, i, seed):
    """By the mask that PyTorch has drawn: its output divided by its input."""
    rng = np.random.default_rng(seed)
    keep = 0.6
    torch.manual_seed(seed % 2**31)
    mask = F.dropout(torch.ones(n, i, dtype=torch.float64), 1 - keep) * keep
    values = {**normal(rng, x=(n, i)), "m": mask.numpy(), "p": np.array(keep)}
    agrees_with_torch(definition("dropout"), values, lambda x, m, p: m * x / p, rng)
    drawn = F.dropout(torch.ones(n, i, dtype=torch.float64), 1 - keep)
    assert set(np.unique(np.round(drawn.numpy() * keep, 12))) <= {0.0, 1.0}


@settings(max_examples=8)
@given(few, few, seeds)
def test_glu(n, j, seed):
    rng = np.random.default_rng(seed)
    agrees_with_torch(definition("glu"), normal(rng, x=(n, 2 * j)), lambda x: F.glu(x), rng)


@settings(max_examples=8)
@given(few, few, few, seeds)
def test_swiglu(n, i, j, seed):
    rng = np.random.default_rng(seed)
    values = normal(rng, x=(n, i), W=(j, i), V=(j, i))
    agrees_with_torch(definition("swiglu"), values, lambda x, W, V: F.silu(x @ W.T) * (x @ V.T), rng)


@settings(max_examples=8)
@given(few, few, few, seeds)
def test_concat(n, i, j, seed):
    rng = np.random.default_rng(seed)
    agrees_with_torch(definition("concat"), normal(rng, x=(n, i), z=(n, j)), lambda x, z: torch.cat([x, z], 1), rng)


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_concat_and_glu_along_any_axis(axis, rng):
    shape = [2, 4, 3]
    other = [*shape]
    other[axis] = 5

    @define
    def joined(
        x=Input("a=2 b=4 c=3"),
        z=Input(" ".join(f"{n}{k}={e}" for k, (n, e) in enumerate(zip("pqr", other, strict=True)))),
    ):
        return layers.concat(x, z, axis=axis)

    agrees_with_torch(joined, normal(rng, x=shape, z=other), lambda x, z: torch.cat([x, z], axis), rng)

    @define
    def gated(x=Input("a=2 b=4 c=6")):
        return layers.glu(x, axis=axis)

    agrees_with_torch(gated, normal(rng, x=(2, 4, 6)), lambda x: F.glu(x, axis), rng)


@settings(max_examples=8)
@given(few, few, few, few, seeds)
def test_flatten_and_reshape(n, c, h, w, seed):
    rng = np.random.default_rng(seed)
    values = normal(rng, x=(n, c, h, w))
    agrees_with_torch(definition("flatten"), values, lambda x: x.flatten(1), rng)
    agrees_with_torch(definition("reshape"), values, lambda x: x.reshape(n, h, c * w), rng)


def test_reshape_of_one_axis_and_to_one_axis(rng):
    @define
    def split(x=Input("n k=6")):
        return layers.reshape(x, {"a": 2, "b": 3})

    @define
    def merged(x=Input("n a=2 b=3")):
        return layers.reshape(x, {"k": 6})

    agrees_with_torch(split, normal(rng, x=(2, 6)), lambda x: x.reshape(2, 2, 3), rng)
    agrees_with_torch(merged, normal(rng, x=(2, 2, 3)), lambda x: x.reshape(2, 6), rng)


@settings(max_examples=12)
@given(st.tuples(few, st.integers(1, 4)), st.tuples(few, few), seeds)
def test_nearest(factor, space, seed):
    rng = np.random.default_rng(seed)
    layer = definition("upsample_nearest", factor=factor)
    peer = lambda x: x.repeat_interleave(factor[0], 2).repeat_interleave(factor[1], 3)  # noqa: E731
    agrees_with_torch(layer, normal(rng, x=(1, 2, *space)), peer, rng)
    if factor[0] == factor[1]:
        again = lambda x: F.interpolate(x, scale_factor=factor[0], mode="nearest")  # noqa: E731
        agrees_with_torch(layer, normal(rng, x=(1, 2, *space)), again, rng)


@settings(max_examples=12)
@given(st.tuples(few, st.integers(1, 5)), st.tuples(few, few), seeds)
def test_bilinear(factor, space, seed):
    rng = np.random.default_rng(seed)

    def peer(x):
        return F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)

    agrees_with_torch(definition("upsample_bilinear", factor=factor), normal(rng, x=(1, 2, *space)), peer, rng)


@settings(max_examples=8)
@given(st.integers(1, 5), st.integers(1, 4), seeds)
def test_linear_between_neighbours(factor, h, seed):
    rng = np.random.default_rng(seed)

    def peer(x):
        return F.interpolate(x, scale_factor=factor, mode="linear", align_corners=False)

    agrees_with_torch(definition("upsample_linear", factor=factor), normal(rng, x=(1, 2, h)), peer, rng)


#: Name, options, and extents small enough to write both ways out.
CASES = [
    ("concat", {}, {"n": 2, "i": 2, "j": 3}),
    ("flatten", {}, {"n": 1, "c": 2, "h": 3, "w": 2}),
    ("reshape", {}, {"n": 1, "c": 2, "h": 3, "w": 2}),
    ("upsample_nearest", {}, {"n": 1, "c": 1, "h": 2, "w": 2}),
    ("upsample_linear", {"factor": 3}, {"n": 1, "c": 1, "h": 3}),
]


@pytest.mark.parametrize(("name", "options", "extents"), CASES, ids=str)
def test_both_ways_are_proved_equal(name, options, extents):
    both_ways(definition(name, **options).at(**extents)).require()


def refused(kind, words, body):
    with pytest.raises(kind) as caught:
        define(body)
    assert all(w in str(caught.value) for w in words) and caught.value.remedy, str(caught.value)


def test_bad_input_is_one_clear_error():
    def odd(x=Input("n k=5")):
        return layers.glu(x)

    def unknown(x=Input("n k")):
        return layers.glu(x)

    def apart(x=Input("n i"), z=Input("m j")):
        return layers.concat(x, z)

    def skipped(x=Input("n i=2"), z=Input("n j=3")):
        return layers.residual(x, z)

    def masked(x=Input("n i=2"), m=Input("n j=3"), p=Hyper()):
        return layers.dropout(x, m, p)

    def entries(x=Input("n k=6")):
        return layers.reshape(x, {"a": 2, "b": 2})

    def nowhere(x=Input("n k")):
        return layers.flatten(x, first=2)

    def shrunk(x=Input("n h w")):
        return layers.upsample_nearest(x, 0)

    def ranks(x=Input("n i"), z=Param("i")):
        return layers.residual(x, z)

    refused(ShapeError, ["axis k of x", "halved", "5"], odd)
    refused(ShapeError, ["axis k of x", "halved", "2·J"], unknown)
    refused(ShapeError, ["axis n of x", "axis m of z", "N and M"], apart)
    refused(ShapeError, ["axis i of x", "2 and 3"], skipped)
    refused(ShapeError, ["axis j of m", "2 and 3"], masked)
    refused(ShapeError, ["6 entries", "not 4"], entries)
    refused(DefinitionError, ["x has no axis 2"], nowhere)
    refused(DefinitionError, ["factor=0"], shrunk)
    refused(ShapeError, ["x has 2 axes and z 1"], ranks)
