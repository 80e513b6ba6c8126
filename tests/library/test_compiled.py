"""Every entry of the layer families on the Numba target: value and gradients against 50 digits and against PyTorch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from support.layers import agrees_with_torch

from symdl.compilation import compile
from symdl.errors import ShapeError
from symdl.library.definitions import definition, definitions

F = torch.nn.functional


def standardised(x, dims, eps):
    variance, mean = torch.var_mean(x, dims, correction=0, keepdim=True)
    return (x - mean) / torch.sqrt(variance + eps)


def group_norm(x, gamma, beta, eps):
    """Of two groups. PyTorch's own has no gradient by ε; the values are compared in test_normalisation.py."""
    n, c, *places = x.shape
    parts = standardised(x.reshape(n, 2, c // 2, *places), (2, 3, 4), eps)
    return by_channel(gamma) * parts.reshape(x.shape) + by_channel(beta)


def by_channel(c):
    return c[:, None, None]


def angles(t, d, base):
    """t · base^(−2m/d), of a time t and a pair m of d numbers."""
    return torch.arange(t, dtype=torch.float64)[:, None] * base ** (-torch.arange(0, d, 2, dtype=torch.float64) / d)


def rotary(x, base):
    """By complex numbers: x is [n, t, pair, 2]."""
    angle = angles(x.shape[1], 2 * x.shape[2], base)
    turned = torch.view_as_complex(x) * torch.complex(angle.cos(), angle.sin())
    return torch.view_as_real(turned)


def sinusoidal(x, base):
    angle = angles(x.shape[1], x.shape[2], base)
    return x + torch.stack([angle.sin(), angle.cos()], -1).flatten(-2)


STRIDED = {"stride": 2, "padding": 1}
UP = {**STRIDED, "output_padding": 1}


def affine(*inside):
    return {"gamma": inside, "beta": inside, "eps": ()}


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
    (
        "batch_norm_inference",
        {"spatial": 1},
        {"x": (2, 3, 4), **affine(3), "m": (3,), "v": (3,)},
        lambda x, gamma, beta, eps, m, v: (
            gamma[:, None] * (x - m[:, None]) / torch.sqrt(v[:, None] + eps) + beta[:, None]
        ),
    ),
    (
        "instance_norm",
        {},
        {"x": (2, 3, 2, 3), **affine(3)},
        lambda x, gamma, beta, eps: by_channel(gamma) * standardised(x, (2, 3), eps) + by_channel(beta),
    ),
    ("group_norm", {"groups": 2}, {"x": (2, 4, 2, 3), **affine(4)}, group_norm),
    ("weight_norm", {}, {"V": (3, 5), "g": (3,)}, lambda V, g: torch._weight_norm(V, g[:, None], 0)),
    ("rotary", {}, {"x": (2, 5, 3, 2), "base": ()}, rotary),
    ("sinusoidal", {}, {"x": (2, 5, 6), "base": ()}, sinusoidal),
]

#: Entries that are compiled and compared with PyTorch in other files, and where.
ELSEWHERE = {
    "batch_norm": "test_normalisation.py",
    "batch_norm_running": "test_normalisation.py",  # two outputs
    "layer_norm": "test_normalisation.py",
    "rms_norm": "test_normalisation.py",
    "attention": "test_attention.py",
    "multi_head": "test_attention.py",
    "multi_query": "test_attention.py",
    "elman": "test_recurrent.py",
    "lstm": "test_recurrent.py",
    "gru": "test_recurrent.py",
    "transformer_block": "test_transformer.py",
    "gpt": "test_transformer.py",
    "lenet5": "test_networks.py",
    "residual_block": "test_networks.py",
    "network": "../conformance/test_targets.py",
}
#: Families that other files compile whole: units, dense layers and activations in networks (the conformance suite),
#: losses (test_losses.py).
WHOLE_FAMILIES = {"unit", "layer", "activation", "loss"}


def values(name, shapes, rng):
    made = {n: np.array(rng.normal(size=shape)) for n, shape in shapes.items()}
    if name == "embedding":
        made["tok"] = rng.integers(0, shapes["E"][0], size=shapes["tok"])
    made |= {n: np.abs(made[n]) + 0.1 for n in ("v", "eps") if n in made}
    return made | ({"base": np.array(50.0)} if "base" in made else {})


@pytest.mark.parametrize(("name", "options", "shapes", "peer"), CASES, ids=lambda p: p if isinstance(p, str) else "")
def test_compiled_code_against_pytorch(name, options, shapes, peer, rng):
    agrees_with_torch(definition(name, **options), values(name, shapes, rng), peer, rng, compiled=True)


@pytest.mark.parametrize("stated", ["at", "extents"])
def test_a_number_of_groups_that_no_array_says_is_stated(stated, rng):
    """Only G·M is an axis: G is fixed where it is known, and asked for where it is not."""
    layer = definition("group_norm")
    given = values("group_norm", {"x": (2, 4, 2, 3), **affine(4)}, rng)
    code = compile(layer.at(g=2)) if stated == "at" else compile(layer, extents={"g": 2})
    want = F.group_norm(*[torch.tensor(given[n]) for n in ("x",)], 2, eps=float(given["eps"]))
    want = by_channel(torch.tensor(given["gamma"])) * want + by_channel(torch.tensor(given["beta"]))
    np.testing.assert_allclose(code(**given)["y"], want.numpy(), rtol=1e-9, atol=1e-9)
    with pytest.raises(ShapeError, match=r"extent G can't be read.*state the extent"):
        compile(layer)


def test_every_entry_is_compiled():
    entries = {e.name for e in definitions() if e.kind not in WHOLE_FAMILIES}
    named = {c[0] for c in CASES} | set(ELSEWHERE)
    assert entries - named == set() and named <= {e.name for e in definitions()}
    for name, file in ELSEWHERE.items():
        text = (Path(__file__).parent / file).read_text()
        assert name in text and "compile" in text
