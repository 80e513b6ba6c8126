"""A transformer block and a GPT against PyTorch; a Hessian-vector product; bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from support.peers import agree, close
from torch.nn import functional as F

from symdl.compilation import compile
from symdl.compilation.targets.reference import evaluate
from symdl.derivation.derive import derive
from symdl.derivation.forward import hvp
from symdl.errors import DataError, DefinitionError
from symdl.library.definitions import definition
from symdl.library.transformer import gpt

EPS = 1e-5
BASE = 50.0


def block(x, p, causal=True, turn=lambda q: q, approximate="tanh"):
    """A pre-norm block with PyTorch's layers; weights of the heads are [h, e, i]."""
    width = x.shape[-1]
    a = F.layer_norm(x, (width,), p["gamma_a"], p["beta_a"], eps=EPS)
    q, k, v = (
        torch.einsum("hei,nti->nhte", p[f"W_{g}"].reshape(*p["W_v"].shape), a)
        + (p[f"b_{g}"].reshape(p["W_v"].shape[:2])[:, None] if f"b_{g}" in p else 0)
        for g in "qkv"
    )
    o = F.scaled_dot_product_attention(turn(q), turn(k), v, is_causal=causal)
    h = x + torch.einsum("ihe,nhte->nti", p["W_o"], o) + p.get("b_o", 0)
    b = F.layer_norm(h, (width,), p["gamma_b"], p["beta_b"], eps=EPS)
    return h + F.linear(F.gelu(F.linear(b, p["W_u"], p["b_u"]), approximate=approximate), p["W_d"], p["b_d"])


def sinusoids(t, width):
    angle = torch.arange(t)[:, None] * BASE ** (-2 * torch.arange(width // 2, dtype=torch.float64) / width)
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(-2)


def turned(x):
    *_, t, d = x.shape
    angle = torch.arange(t)[:, None] * BASE ** (-2 * torch.arange(d // 2, dtype=torch.float64) / d)
    pairs = torch.view_as_complex(x.reshape(*x.shape[:-1], d // 2, 2).contiguous())
    return torch.view_as_real(pairs * torch.polar(torch.ones_like(angle), angle)).flatten(-2)


def of_block(arrays, number):
    """The parameters of one block without its number: W2_q → W_q."""
    tag = str(number)
    return {
        n.replace(tag, "", 1): a
        for n, a in arrays.items()
        if n.split("_")[0] in ("W" + tag, "b" + tag, "gamma" + tag, "beta" + tag)
    }


def torch_gpt(tok, after, arrays, blocks, approximate="tanh"):
    """The scores and the loss."""
    x = arrays["E"][tok]
    if "P" in arrays:
        x = x + arrays["P"]
    rotary = arrays["W1_q"].ndim == 4
    if "P" not in arrays and not rotary:
        x = x + sinusoids(x.shape[1], x.shape[2])
    for k in range(1, blocks + 1):
        x = block(x, of_block(arrays, k), turn=turned if rotary else lambda q: q, approximate=approximate)
    y = F.layer_norm(x, x.shape[-1:], arrays["gamma"], arrays["beta"], eps=EPS)
    z = F.linear(y, arrays.get("W_z", arrays["E"]))
    return F.cross_entropy(z.flatten(0, 1), after.flatten()), z


def random_parameters(network, rng):
    return {p.name: rng.normal(size=[int(s) for s in p.shape]) / 2 for p in network.parameters}


def data(network, rng, examples):
    t, v = (int(e) for e in (network["tok"].shape[1], network["E"].shape[0]))
    given = {n: rng.integers(0, v, size=(examples, t)) for n in ("tok", "next")}
    given["eps"] = np.array(EPS)
    return given | ({"base": np.array(BASE)} if "base" in network.tensors else {})


def torch_gradient(given, parameters, blocks, approximate="tanh"):
    tensors = {n: torch.tensor(a, requires_grad=True) for n, a in parameters.items()}
    loss, z = torch_gpt(torch.tensor(given["tok"]), torch.tensor(given["next"]), tensors, blocks, approximate)
    slopes = torch.autograd.grad(loss, list(tensors.values()), create_graph=True)
    return loss, z, tensors, dict(zip(tensors, slopes, strict=True))


@pytest.mark.parametrize("shape", [(2, 3, 4), (1, 1, 2)])
@pytest.mark.parametrize("options", [{}, {"causal": False}, {"bias": False}, {"rotary": True}])
def test_transformer_block(shape, options, rng):
    heads = 1 if options.get("rotary") and shape[2] == 2 else 2
    layer = definition("transformer_block", heads=heads, width=shape[2], **options)
    turn = turned if options.get("rotary") else lambda q: q

    def peer(x, eps, base=None, **p):
        return block(x, p, options.get("causal", True), turn)

    if options.get("rotary") and shape[2] == 4:
        with pytest.raises(DefinitionError, match="odd"):
            definition("transformer_block", heads=4, width=4, rotary=True)
    arrays = {"x": rng.normal(size=shape), **random_parameters(layer, rng), "eps": np.array(EPS)}
    wrt = [n for n in arrays if n != "eps"]
    if options.get("rotary"):
        arrays["base"] = np.array(BASE)
    agree(layer, peer, arrays, rng, wrt=wrt)


TINY = {"heads": 2, "width": 4, "context": 3, "vocabulary": 5}


@pytest.mark.parametrize(
    "options",
    [
        {"blocks": 2},
        {"blocks": 1, "tied": False},
        {"blocks": 1, "positions": "sinusoidal", "bias": False},
        {"blocks": 1, "positions": "rotary"},
        {"blocks": 1, "act": "gelu"},
    ],
)
def test_gpt(options, rng):
    network = gpt(**TINY, **options)
    parameters, given = random_parameters(network, rng), data(network, rng, 2)
    approximate = "none" if options.get("act") == "gelu" else "tanh"
    loss, z, _, want = torch_gradient(given, parameters, options["blocks"], approximate)
    values = evaluate(network, {**given, **parameters})
    close(values["L"], loss.item(), "L")
    close(values["z"], z.detach().numpy(), "z")
    made = derive(network)
    got = evaluate(made.gradient, {**given, **parameters})
    for name, slope in want.items():
        close(got[made.names[name]], slope.detach().numpy(), name)


def test_gpt_compiled(rng):
    network = gpt(blocks=2, heads=2, width=4, context=3, vocabulary=7)
    parameters, given = random_parameters(network, rng), data(network, rng, 3)
    loss, _, _, want = torch_gradient(given, parameters, 2)
    code = compile(derive(network).gradient)
    got = code(**given, **parameters)
    close(got["L"], loss.item(), "L")
    for name, slope in want.items():
        close(got[f"{name}_bar"], slope.detach().numpy(), name)
    for name in ("tok", "next"):  # refused before anything is computed, with the place
        wrong = given[name].copy()
        wrong[1, 2] = 7
        with pytest.raises(DataError, match=name) as caught:
            code.check({**given, **parameters, name: wrong})
        assert "7" in str(caught.value)


def test_an_untrained_gpt_knows_nothing(rng):
    """With all parameters small every character is as likely as any other: ln V nats."""
    network = gpt(blocks=1, **TINY)
    parameters = {n: a * 1e-6 for n, a in random_parameters(network, rng).items()}
    assert float(evaluate(network, {**data(network, rng, 1), **parameters})["L"][()]) == pytest.approx(math.log(5))


def test_the_future_has_no_influence(rng):
    """Causal: scores up to t are the same whatever stands behind t."""
    network = gpt(blocks=1, **TINY)
    parameters, given = random_parameters(network, rng), data(network, rng, 1)
    other = {**given, "tok": np.where(np.arange(3) < 2, given["tok"], (given["tok"] + 1) % 5)}
    first, second = (evaluate(network, {**g, **parameters})["z"].astype(float) for g in (given, other))
    np.testing.assert_allclose(first[:, :2], second[:, :2], rtol=1e-14)
    assert np.abs(first[:, 2] - second[:, 2]).max() > 1e-3


def test_hessian_vector_product(rng):
    network = gpt(blocks=1, heads=2, width=4, context=2, vocabulary=3)
    parameters, given = random_parameters(network, rng), data(network, rng, 1)
    wrt = ["E", "W1_q", "W1_u", "gamma1_a"]
    along = {n: rng.normal(size=parameters[n].shape) for n in wrt}
    product = hvp(network, wrt)
    got = evaluate(product.gradient, {**given, **parameters, **{f"{n}_dot": v for n, v in along.items()}})
    _, _, tensors, slopes = torch_gradient(given, parameters, 1)
    rate = sum((slopes[n] * torch.tensor(v)).sum() for n, v in along.items())
    for name, want in zip(wrt, torch.autograd.grad(rate, [tensors[n] for n in wrt]), strict=True):
        close(got[product.names[f"{name}_bar"]], want.numpy(), name)


def test_symbolic_extents():
    network = gpt(blocks=1, heads=None, width=None, context=None)
    assert {str(network.extents[i]) for i in "hitv"} == {"H", "I", "T", "V"}
    assert "x0_bar" in derive(network).gradient.by_name
    wide = gpt(blocks=1, heads=None, width=None, positions="sinusoidal")
    assert wide.extents["i"] == 2 * wide.extents["m"]


def test_bad_input(rng):
    for options, message in [
        ({"heads": 3}, "3 heads do not divide a width of 64"),
        ({"heads": 4, "width": 20, "positions": "rotary"}, "a width of 5 is odd"),
        ({"blocks": 0}, "blocks=0"),
        ({"vocabulary": 2.5}, "vocabulary=2.5"),
        ({"positions": "none"}, "positions='none'"),
    ]:
        with pytest.raises(DefinitionError, match=message):
            gpt(**options)
    network = gpt(blocks=1, **TINY)
    with pytest.raises(DefinitionError, match="tok has no gradient"):
        derive(network, "tok")
