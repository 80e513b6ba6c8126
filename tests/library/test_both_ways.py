"""Chain rule and expansion give the same gradients: proved for all extents, for every entry of the layer families."""

from __future__ import annotations

import pytest
from support.layers import both_ways

from symdl.derivation.derive import derive
from symdl.derivation.seeds import vjp
from symdl.library.definitions import definition, definitions
from symdl.verification import equal

KINDS = {"linear", "convolution", "pooling", "composition"}
SMALL = {"size": 12, "kernel": 3, "channels": (2, 3), "units": (4, 3), "classes": 3}
STRIDED = {"kernel": 3, "stride": 2, "padding": 1}
CASES = [
    *((e.name, {}) for e in definitions() if e.kind in KINDS),
    ("conv1d", {"kernel": 2, "groups": 2}),
    ("conv2d", STRIDED),
    ("conv2d", {"kernel": (2, 1), "dilation": 2, "bias": False}),
    ("depthwise_conv2d", STRIDED),
    ("conv_transpose1d", {**STRIDED, "output_padding": 1}),
    ("max_pool1d", {"size": 3, "stride": 2, "padding": 1}),
    ("avg_pool2d", {"size": 3, "stride": 2, "padding": 1}),
    ("avg_pool1d", {"size": 3, "stride": 2, "padding": 1, "count_include_pad": False}),
    ("adaptive_avg_pool1d", {"size": 3}),
    ("group_norm", {}),
    ("multi_head", {}),
]

#: Networks and recurrences by some of what lies deepest in them; every input and parameter takes minutes.
DEEP = [
    ("lstm", {}, {"t": 2}, ["W_f"]),
    ("gru", {}, {"t": 2}, ["W_r"]),
    ("lenet5", {"act": "relu", "pool": "max", **SMALL}, {}, ["K2"]),
    ("lenet5", {}, {}, ["b1"]),
    ("residual_block", {}, {}, ["K1", "x"]),
    ("transformer_block", {}, {}, ["x"]),
    ("gpt", {"blocks": 1, "heads": 1, "width": 2, "context": 2, "vocabulary": 2}, {}, ["W1_k"]),
    ("gpt", {"blocks": 2}, {}, ["E"]),
]


@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_both_ways_are_proved_equal_for_all_extents(name, options):
    verdict = both_ways(definition(name, **options)).require()
    assert "=" not in verdict.scope, verdict.scope  # a proof at some extents says at which


@pytest.mark.parametrize(("name", "options", "extents", "wrt"), DEEP, ids=str)
def test_both_ways_of_deep_networks_are_proved_equal(name, options, extents, wrt):
    """For all extents but those that are given: the number of times of a recurrence."""
    made = definition(name, **options).at(**extents)
    gradient = derive if not made.target.rank else vjp
    verdict = equal(gradient(made, wrt), gradient(made, wrt, via="expand"), budget=60).require()
    assert "and all extents" in verdict.scope, verdict.scope
