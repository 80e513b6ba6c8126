"""Every entry of the layer families on the Numba target: value and gradients against 50 digits and against PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.layers import agrees_with_torch

from symdl.library.definitions import definition, definitions

F = torch.nn.functional
STRIDED = {"stride": 2, "padding": 1}
UP = {**STRIDED, "output_padding": 1}

#: Entry, options, shapes of the inputs, the same in PyTorch.
CASES = [
    ("linear", {}, {"x": (3, 4), "W": (2, 4), "b": (2,)}, lambda x, W, b: F.linear(x, W, b)),
    (
        "bilinear",
        {},
        {"x": (3, 4), "z": (3, 2), "A": (5, 4, 2), "b": (5,)},
        lambda x, z, A, b: F.bilinear(x, z, A, b),
    ),
    ("embedding", {}, {"tok": (3, 4), "E": (5, 2)}, lambda tok, E: F.embedding(tok, E)),
    (
        "lora",
        {},
        {"x": (3, 4), "W": (5, 4), "A": (2, 4), "B": (5, 2), "b": (5,), "alpha": ()},
        lambda x, W, A, B, b, alpha: F.linear(x, W + alpha / 2 * B @ A, b),
    ),
    ("conv1d", {}, {"x": (2, 3, 7), "K": (4, 3, 3), "b": (4,)}, lambda x, K, b: F.conv1d(x, K, b)),
    ("conv2d", {}, {"x": (2, 3, 5, 6), "K": (4, 3, 3, 2), "b": (4,)}, lambda x, K, b: F.conv2d(x, K, b)),
    ("conv3d", {}, {"x": (1, 2, 3, 4, 3), "K": (3, 2, 2, 1, 2), "b": (3,)}, lambda x, K, b: F.conv3d(x, K, b)),
    ("conv1d", STRIDED, {"x": (2, 3, 6), "K": (4, 3, 3), "b": (4,)}, lambda x, K, b: F.conv1d(x, K, b, **STRIDED)),
    (
        "conv2d",
        {**STRIDED, "dilation": (1, 2)},
        {"x": (2, 3, 5, 6), "K": (4, 3, 3, 2), "b": (4,)},
        lambda x, K, b: F.conv2d(x, K, b, **STRIDED, dilation=(1, 2)),
    ),
    (
        "conv2d",
        {"groups": 2},
        {"x": (2, 4, 4, 3), "K": (6, 2, 2, 2), "b": (6,)},
        lambda x, K, b: F.conv2d(x, K, b, groups=2),
    ),
    (
        "depthwise_conv1d",
        STRIDED,
        {"x": (2, 3, 6), "K": (3, 3), "b": (3,)},
        lambda x, K, b: F.conv1d(x, K[:, None], b, groups=3, **STRIDED),
    ),
    (
        "depthwise_conv2d",
        {},
        {"x": (2, 3, 4, 5), "K": (3, 3, 2), "b": (3,)},
        lambda x, K, b: F.conv2d(x, K[:, None], b, groups=3),
    ),
    (
        "depthwise_conv3d",
        {},
        {"x": (1, 2, 3, 2, 3), "K": (2, 2, 1, 2), "b": (2,)},
        lambda x, K, b: F.conv3d(x, K[:, None], b, groups=2),
    ),
    (
        "conv_transpose1d",
        UP,
        {"x": (2, 3, 4), "K": (3, 2, 3), "b": (2,)},
        lambda x, K, b: F.conv_transpose1d(x, K, b, **UP),
    ),
    (
        "conv_transpose2d",
        UP,
        {"x": (2, 3, 3, 2), "K": (3, 2, 3, 3), "b": (2,)},
        lambda x, K, b: F.conv_transpose2d(x, K, b, **UP),
    ),
    ("max_pool1d", {}, {"x": (2, 3, 6)}, lambda x: F.max_pool1d(x, 2)),
    ("max_pool2d", {}, {"x": (2, 3, 4, 6)}, lambda x: F.max_pool2d(x, 2)),
    ("max_pool2d", {"size": 3, **STRIDED}, {"x": (2, 3, 4, 5)}, lambda x: F.max_pool2d(x, 3, **STRIDED)),
    ("avg_pool1d", {}, {"x": (2, 3, 6)}, lambda x: F.avg_pool1d(x, 2)),
    ("avg_pool2d", {}, {"x": (2, 3, 4, 6)}, lambda x: F.avg_pool2d(x, 2)),
    (
        "avg_pool2d",
        {"size": 3, **STRIDED, "count_include_pad": False},
        {"x": (2, 3, 4, 5)},
        lambda x: F.avg_pool2d(x, 3, **STRIDED, count_include_pad=False),
    ),
    ("global_avg_pool", {}, {"x": (2, 3, 4, 5)}, lambda x: x.mean(dim=(2, 3))),
    ("adaptive_avg_pool1d", {"size": 3}, {"x": (2, 3, 7)}, lambda x: F.adaptive_avg_pool1d(x, 3)),
    ("adaptive_avg_pool2d", {"size": (2, 3)}, {"x": (2, 3, 5, 4)}, lambda x: F.adaptive_avg_pool2d(x, (2, 3))),
    ("residual", {}, {"x": (3, 4), "W": (4, 4), "b": (4,)}, lambda x, W, b: x + torch.tanh(F.linear(x, W, b))),
    ("dropout", {}, {"x": (3, 4), "m": (3, 4), "p": ()}, lambda x, m, p: m * x / p),
    ("glu", {}, {"x": (3, 6)}, lambda x: F.glu(x)),
    ("swiglu", {}, {"x": (3, 4), "W": (2, 4), "V": (2, 4)}, lambda x, W, V: F.silu(x @ W.T) * (x @ V.T)),
    ("concat", {}, {"x": (3, 2), "z": (3, 5)}, lambda x, z: torch.cat([x, z], 1)),
    ("flatten", {}, {"x": (2, 3, 2, 5)}, lambda x: x.flatten(1)),
    ("reshape", {}, {"x": (2, 3, 2, 5)}, lambda x: x.reshape(2, 2, 15)),
    (
        "upsample_nearest",
        {"factor": 3},
        {"x": (2, 3, 2, 5)},
        lambda x: F.interpolate(x, scale_factor=3, mode="nearest"),
    ),
    ("upsample_linear", {"factor": 3}, {"x": (2, 3, 4)}, lambda x: F.interpolate(x, scale_factor=3, mode="linear")),
    (
        "upsample_bilinear",
        {},
        {"x": (2, 3, 2, 4)},
        lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"),
    ),
]


def values(name, shapes, rng):
    made = {n: np.array(rng.normal(size=shape)) for n, shape in shapes.items()}
    if name == "embedding":
        made["tok"] = rng.integers(0, shapes["E"][0], size=shapes["tok"])
    return made


@pytest.mark.parametrize(("name", "options", "shapes", "peer"), CASES, ids=lambda p: p if isinstance(p, str) else "")
def test_compiled_code_against_pytorch(name, options, shapes, peer, rng):
    agrees_with_torch(definition(name, **options), values(name, shapes, rng), peer, rng, compiled=True)


def test_every_entry_of_these_families_is_compiled():
    kinds = {"linear", "convolution", "pooling", "composition"}
    assert {c[0] for c in CASES} == {e.name for e in definitions() if e.kind in kinds}
