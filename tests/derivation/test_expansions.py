"""Expansions that would write the same sums over and over: sums, and their slopes, under names."""

from __future__ import annotations

import numpy as np
import pytest

import symdl as sd
from symdl.compilation.targets.reference import evaluate
from symdl.derivation.sumslopes import is_repetitive

TINY = {"heads": 1, "width": 2}


def arrays_for(definition, sizes, rng):
    arrays = {}
    for tensor in definition.inputs:
        shape = [int(sizes.get(str(e), e)) for e in tensor.shape]
        arrays[tensor.name] = rng.integers(0, 2, size=shape) if tensor.integer else rng.normal(size=shape)
    return arrays | {"eps": np.array(0.3)}


@pytest.mark.parametrize("wrt", [["x"], ["W_k", "gamma_a"]])
def test_a_transformer_block_has_the_slopes_of_the_chain_rule(wrt):
    """In 50-digit arithmetic: two ways through the same network."""
    block = sd.seeded(sd.definition("transformer_block", **TINY))
    full, chain = (sd.derive(block, wrt, via=via) for via in ("expand", "chain"))
    arrays = arrays_for(block, {"N": 1, "T": 2, "J": 2}, np.random.default_rng(1))
    found, wanted = (evaluate(way.gradient, arrays) for way in (full, chain))
    for name in wrt:
        differences = (found[full.names[name]] - wanted[chain.names[name]]).ravel()
        assert max(abs(d) for d in differences) < 1e-40


def test_it_grows_with_the_number_of_blocks_and_no_faster():
    """Written out, a second block multiplies the sums by a hundred."""
    counts = []
    for blocks in (1, 2, 3):
        gpt = sd.definition("gpt", blocks=blocks, **TINY, context=2, vocabulary=2)
        counts.append(len(sd.derive(gpt, "P", via="expand").gradient.equations))
    assert counts[2] - counts[1] == counts[1] - counts[0]


def test_rows_of_a_jacobian_keep_their_index():
    """∂y/∂x of a normed and attended sequence, one row at a time, against the chain rule's rows."""
    block = sd.definition("transformer_block", **TINY)
    arrays = arrays_for(block, {"N": 1, "T": 2, "J": 2}, np.random.default_rng(2))
    rows = [sd.derive(block, "x", via=via, of="y[0,t,i]") for via in ("expand", "chain")]
    found, wanted = (evaluate(row.gradient, arrays)["x_bar"] for row in rows)
    assert found.shape == wanted.shape == (2, 2, 1, 2, 2)
    assert max(abs(d) for d in (found - wanted).ravel()) < 1e-40


def test_short_expansions_and_recurrences_are_put_in():
    layer = sd.seeded(sd.definition("layer_norm"))
    lstm = sd.seeded(sd.definition("lstm").at(t=3))
    assert not is_repetitive(layer, layer.target.element())
    assert not is_repetitive(lstm, lstm.target.element())
