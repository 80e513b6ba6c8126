"""Linear layers against PyTorch: bilinear, embedding, low-rank updates, and the tokens that name rows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from support.layers import agrees_with_torch

from symdl.core.define import Input, Param, define
from symdl.derivation.derive import derive
from symdl.derivation.seeds import seeded, vjp
from symdl.errors import DefinitionError, ShapeError
from symdl.library import layers
from symdl.library.definitions import definition

F = torch.nn.functional
few = st.integers(1, 4)
seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=10)
@given(few, few, few, seeds)
def test_linear(n, i, j, seed):
    rng = np.random.default_rng(seed)
    values = {"x": rng.normal(size=(n, i)), "W": rng.normal(size=(j, i)), "b": rng.normal(size=j)}
    agrees_with_torch(definition("linear"), values, lambda x, W, b: F.linear(x, W, b), rng)


@settings(max_examples=10)
@given(few, few, few, few, seeds)
def test_bilinear(n, i, j, k, seed):
    rng = np.random.default_rng(seed)
    shapes = {"x": (n, i), "z": (n, j), "A": (k, i, j), "b": (k,)}
    values = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    agrees_with_torch(definition("bilinear"), values, lambda x, z, A, b: F.bilinear(x, z, A, b), rng)


@settings(max_examples=10)
@given(few, few, few, few, seeds)
def test_embedding(n, t, v, d, seed):
    """Rows that are named several times gather slopes; rows that are not named have none."""
    rng = np.random.default_rng(seed)
    values = {"tok": rng.integers(0, v, size=(n, t)), "E": rng.normal(size=(v, d))}
    agrees_with_torch(definition("embedding"), values, lambda tok, E: F.embedding(tok, E), rng)


@settings(max_examples=10)
@given(few, few, few, few, seeds)
def test_lora(n, i, j, r, seed):
    rng = np.random.default_rng(seed)
    shapes = {"x": (n, i), "W": (j, i), "A": (r, i), "B": (j, r), "b": (j,), "alpha": ()}
    values = {name: np.array(rng.normal(size=shape)) for name, shape in shapes.items()}

    def peer(x, W, A, B, b, alpha):
        return F.linear(x, W + alpha / r * B @ A, b)

    agrees_with_torch(definition("lora"), values, peer, rng)


def test_linear_keeps_the_axes_before_the_last(rng):
    @define
    def layer(x=Input("n t i"), W=Param("j i")):
        return layers.linear(x, W)

    values = {"x": rng.normal(size=(2, 3, 4)), "W": rng.normal(size=(2, 4))}
    agrees_with_torch(layer, values, lambda x, W: F.linear(x, W), rng)


def refused(kind, words, body):
    with pytest.raises(kind) as caught:
        define(body)
    assert all(w in str(caught.value) for w in words), str(caught.value)


def test_bad_input_is_one_clear_error():
    def real_tokens(tok=Input("n t"), E=Param("v d")):
        return layers.embedding(tok, E)

    def wrong_table(tok=Input("n t", integer=True), E=Param("v")):
        return layers.embedding(tok, E)

    def wrong_units(x=Input("n i=3"), W=Param("j l=4")):
        return layers.linear(x, W)

    def wrong_batch(x=Input("n i"), z=Input("m j"), A=Param("k i j")):
        return layers.bilinear(x, z, A)

    def wrong_low(x=Input("n i"), W=Param("j i"), A=Param("r=2 i"), B=Param("j q=3")):
        return layers.lora(x, W, A, B)

    refused(DefinitionError, ["tok is real-valued", "integer=True"], real_tokens)
    refused(ShapeError, ["E has 1 axes", "[v d]"], wrong_table)
    refused(ShapeError, ["axis i of x", "axis l of W", "3 and 4"], wrong_units)
    refused(ShapeError, ["axis n of x", "axis m of z"], wrong_batch)
    refused(ShapeError, ["axis r of A", "axis q of B", "2 and 3"], wrong_low)
    with pytest.raises(DefinitionError, match="tok has no gradient"):
        vjp(definition("embedding"), "tok")
    with pytest.raises(DefinitionError, match="tok has no gradient"):
        derive(seeded(definition("embedding")), "tok")
