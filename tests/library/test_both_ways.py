"""Chain rule and expansion give the same gradients: proved for all extents, for every entry of the layer families."""

from __future__ import annotations

import pytest
from support.layers import both_ways

from symdl.library.definitions import definition, definitions

KINDS = {"linear", "convolution", "pooling", "composition"}
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
]


@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_both_ways_are_proved_equal_for_all_extents(name, options):
    verdict = both_ways(definition(name, **options)).require()
    assert "=" not in verdict.scope, verdict.scope  # a proof at some extents says at which
