"""Forward mode and products with the Hessian, for layers, against torch.func."""

from __future__ import annotations

import pytest
import torch
from support.layers import close

from symdl.compilation.targets.reference import evaluate
from symdl.derivation.forward import hvp, jvp
from symdl.derivation.seeds import seeded
from symdl.library.definitions import definition

F = torch.nn.functional
OPTIONS = {"stride": 2, "padding": 1}
CONV = (
    definition("conv2d", **OPTIONS),
    {"x": (2, 2, 4, 3), "K": (3, 2, 3, 2), "b": (3,)},
    lambda x, K, b: F.conv2d(x, K, b, **OPTIONS),
)
SWIGLU = (
    definition("swiglu"),
    {"x": (3, 4), "W": (2, 4), "V": (2, 4)},
    lambda x, W, V: F.silu(x @ W.T) * (x @ V.T),
)
POOL = (definition("max_pool2d"), {"x": (2, 2, 4, 4)}, lambda x: F.max_pool2d(x, 2))
UP = (
    definition("upsample_bilinear"),
    {"x": (1, 2, 2, 3)},
    lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"),
)


def drawn(shapes, rng):
    return {n: rng.normal(size=s) for n, s in shapes.items()}


@pytest.mark.parametrize(("layer", "shapes", "peer"), [CONV, SWIGLU, POOL, UP], ids=["conv", "swiglu", "pool", "up"])
def test_forward_mode(layer, shapes, peer, rng):
    at, along = drawn(shapes, rng), drawn(shapes, rng)
    rates = jvp(layer, list(shapes))
    found = evaluate(rates.gradient, {**at, **{f"{n}_dot": v for n, v in along.items()}})
    value, rate = torch.func.jvp(peer, *(tuple(map(torch.tensor, d.values())) for d in (at, along)))
    close(found["y"], value.numpy())
    close(found["y_dot"], rate.numpy())


UNBIASED = (
    definition("conv2d", bias=False, **OPTIONS),
    {"x": (2, 2, 4, 3), "K": (3, 2, 3, 2)},
    lambda x, K: F.conv2d(x, K, **OPTIONS),
)


@pytest.mark.parametrize(("layer", "shapes", "peer"), [UNBIASED, SWIGLU], ids=["conv", "swiglu"])
def test_product_with_the_hessian(layer, shapes, peer, rng):
    """Of L = Σ ȳ·y by all inputs at once; the convolution is linear in each, so only mixed derivatives count."""
    at, along = drawn(shapes, rng), drawn(shapes, rng)
    point, direction = (tuple(map(torch.tensor, d.values())) for d in (at, along))
    bar = torch.tensor(rng.normal(size=tuple(peer(*point).shape)))
    gradient = torch.func.grad(lambda *inputs: (bar * peer(*inputs)).sum(), argnums=tuple(range(len(point))))
    _, wanted = torch.func.jvp(gradient, point, direction)
    product = hvp(seeded(layer), list(shapes))
    inputs = {**at, **{f"{n}_dot": v for n, v in along.items()}, "y_bar": bar.numpy()}
    found = evaluate(product.gradient, {t.name: inputs[t.name] for t in product.gradient.inputs})
    for name, slope in zip(shapes, wanted, strict=True):
        close(found[product.names[f"{name}_bar"]], slope.numpy(), name)
