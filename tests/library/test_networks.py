"""LeNet-5 and the residual block, by all their parameters, against the same networks in PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.layers import agrees_with_torch

from symdl.errors import DefinitionError, ShapeError
from symdl.library.definitions import definition

F = torch.nn.functional
SMALL = {"size": 8, "kernel": 3, "channels": (2, 3), "units": (4, 3), "classes": 3}


def lenet5_in_torch(act, pool, x, y, K1, b1, K2, b2, W3, b3, W4, b4, W5, b5):
    act = {"tanh": torch.tanh, "relu": torch.relu}[act]
    pool = {"average": F.avg_pool2d, "max": F.max_pool2d}[pool]
    h = pool(act(F.conv2d(x, K1, b1, padding=K1.shape[-1] // 2)), 2)
    h = pool(act(F.conv2d(h, K2, b2)), 2).flatten(1)
    z = F.linear(act(F.linear(act(F.linear(h, W3.flatten(1), b3)), W4, b4)), W5, b5)
    return -(y * F.log_softmax(z, 1)).sum() / len(x)


def values_of(network, rng, n):
    """Random inputs; targets are one-hot in the example that they are of."""
    made = {t.name: np.array(rng.normal(size=[int(e) for e in t.shape]) / 2) for t in network.at(n=n).inputs}
    classes = made["y"].shape[1]
    return {**made, "y": np.eye(classes)[rng.integers(0, classes, size=n)]}


@pytest.mark.parametrize(("act", "pool"), [("tanh", "average"), ("relu", "max")])
def test_small_lenet5(act, pool, rng):
    network = definition("lenet5", act=act, pool=pool, **SMALL)

    def peer(**tensors):
        return lenet5_in_torch(act, pool, **tensors)

    names = [t.name for t in network.parameters]
    agrees_with_torch(network, values_of(network, rng, 2), peer, rng, wrt=names, compiled=True)


def test_lenet5_has_the_published_shapes():
    """60,000 parameters in the article, fewer connections than here in its second convolution; counted by hand:
    6·25 + 6, 16·6·25 + 16, 120·400 + 120, 84·120 + 84, 10·84 + 10."""
    network = definition("lenet5")
    counts = [int(np.prod([int(e) for e in t.shape])) for t in network.parameters]
    assert sum(counts) == 156 + 2416 + 48120 + 10164 + 850 == 61706
    shapes = {e.name: tuple(int(s) for s in e.out.shape[1:]) for e in network.equations if e.out.rank > 2}
    assert shapes["s1"] == (6, 28, 28) and shapes["q1"] == (6, 14, 14)
    assert shapes["s2"] == (16, 10, 10) and shapes["q2"] == (16, 5, 5)


def residual_block_in_torch(x, K1, gamma1, beta1, K2, gamma2, beta2, eps):
    def normalised(s, gamma, beta):
        v, m = torch.var_mean(s, dim=(0, 2, 3), correction=0, keepdim=True)
        return gamma[:, None, None] * (s - m) / torch.sqrt(v + eps) + beta[:, None, None]

    h = torch.relu(normalised(F.conv2d(x, K1, padding=1), gamma1, beta1))
    return torch.relu(x + normalised(F.conv2d(h, K2, padding=1), gamma2, beta2))


@pytest.mark.parametrize("compiled", [False, True])
def test_residual_block(compiled, rng):
    shapes = {"x": (2, 2, 3, 4), "K1": (2, 2, 3, 3), "gamma1": (2,), "beta1": (2,)}
    shapes |= {"K2": (2, 2, 3, 3), "gamma2": (2,), "beta2": (2,)}
    values = {**{n: rng.normal(size=s) for n, s in shapes.items()}, "eps": np.array(0.01)}
    agrees_with_torch(definition("residual_block"), values, residual_block_in_torch, rng, compiled=compiled)


def test_bad_input_is_one_clear_error():
    for options, kind, words in [
        ({"pool": "median"}, DefinitionError, "no pooling 'median'.*average, max"),
        ({"act": "stairs"}, DefinitionError, "no activation 'stairs'"),
        ({"size": 8}, ShapeError, "8×8 are too small.*at least 12"),
        ({"kernel": 4}, DefinitionError, "kernel=4 is even"),
        ({"channels": 0}, DefinitionError, "channels=0"),
    ]:
        with pytest.raises(kind, match=words):
            definition("lenet5", **options)
    with pytest.raises(DefinitionError, match="kernel=2 is even"):
        definition("residual_block", kernel=2)
