"""Attention and positions against PyTorch; both ways of deriving against each other; bad input."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
import torch
from support.peers import agree, both_ways, close, drawn
from torch.nn import functional as F

import symdl as sd
from symdl.compilation import compile
from symdl.compilation.targets.reference import evaluate
from symdl.core.define import Hyper, Input, Sum, define, exp, let
from symdl.errors import DataError, DefinitionError, ShapeError
from symdl.library.attention import ENTRIES, attention, rotary, rotation_table, sinusoidal

MAKE = {e.name: e.definition for e in ENTRIES}


def qkv(rng, n, h, t, s, e, d):
    return {
        "q": rng.normal(size=(n, h, t, e)),
        "k": rng.normal(size=(n, h, s, e)),
        "v": rng.normal(size=(n, h, s, d)),
    }


def padding_mask(rng, n, s):
    """0 or 1; the first key always counts, so that each query has one, causal or not."""
    mask = (rng.uniform(size=(n, s)) < 0.6).astype(np.int64)
    mask[:, 0] = 1
    return mask


def softmax_of(z, causal, mask):
    """By hand: e^z w / Σ e^z w."""
    grown = z.exp()
    if causal:
        grown = grown * torch.ones(z.shape[-2:], dtype=z.dtype).tril()
    if mask is not None:
        grown = grown * mask[:, None, None, :]
    return grown / grown.sum(-1, keepdim=True)


@pytest.mark.parametrize("sizes", [drawn(6, 8, 1, 4), (1, 1, 1, 1, 1, 1), drawn(6, 9, 1, 4)])
def test_plain(sizes, rng):
    agree(MAKE["attention"](), lambda q, k, v: F.scaled_dot_product_attention(q, k, v), qkv(rng, *sizes), rng)


@pytest.mark.parametrize("sizes", [(2, 2, 3, 3, 2, 3), (1, 1, 1, 1, 1, 1), (1, 2, 4, 4, 1, 2)])
def test_causal(sizes, rng):
    def peer(q, k, v):
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)

    agree(MAKE["attention"](causal=True), peer, qkv(rng, *sizes), rng)


def seen(q, k, mask, causal):
    keys = mask[:, None, None, :].bool().expand(-1, 1, q.shape[2], -1)
    return keys & torch.ones(q.shape[2], k.shape[2], dtype=torch.bool).tril() if causal else keys


@pytest.mark.parametrize("causal", [False, True])
def test_padding(causal, rng):
    def peer(q, k, v, mask):
        return F.scaled_dot_product_attention(q, k, v, attn_mask=seen(q, k, mask, causal))

    arrays = {**qkv(rng, 2, 2, 4, 4, 2, 3), "mask": padding_mask(rng, 2, 4)}
    agree(MAKE["attention"](causal=causal, padding=True), peer, arrays, rng)


def huge_in_padding(rng, n, h, t, e, d):
    """Scores of 10⁴ and more where the keys are padding; one row has no key at all, one none for its first query."""
    arrays = {**qkv(rng, n, h, t, t, e, d), "mask": padding_mask(rng, n, t)}
    arrays["mask"][0], arrays["mask"][1] = 0, [0, *[1] * (t - 1)]
    arrays["q"] = np.abs(arrays["q"]) + 0.5
    arrays["k"] = np.where(arrays["mask"][:, None, :, None] == 1, arrays["k"], 2e4)
    return arrays


@pytest.mark.parametrize("causal,compiled", [(False, False), (True, True)])
def test_scores_of_padding_are_never_read(causal, compiled, rng):
    """PyTorch's function computes softmax over what counts alone, and 0 for a query without any key, as we do."""

    def peer(q, k, v, mask):
        return F.scaled_dot_product_attention(q, k, v, attn_mask=seen(q, k, mask, causal))

    arrays = huge_in_padding(rng, 4, 2, 5, 2, 3)
    agree(MAKE["attention"](causal=causal, padding=True), peer, arrays, rng, compiled=compiled)


def test_padding_to_the_last_digit(rng):
    """Against softmax over the keys that count, written in 50 digits; nothing of a score of 10⁴ elsewhere is left."""
    arrays = huge_in_padding(rng, 3, 1, 4, 2, 2)
    layer = MAKE["attention"](padding=True)
    got, run = evaluate(layer, arrays)["y"], compile(layer)
    machine = run(**arrays)["y"]
    with mpmath.workdps(50):
        q, k, v = (np.vectorize(mpmath.mpf, otypes=[object])(arrays[name][:, 0]) for name in "qkv")
        for n, t, d in np.ndindex(3, 4, 2):
            keys = np.flatnonzero(arrays["mask"][n])
            grown = {s: mpmath.exp(sum(q[n, t] * k[n, s]) / mpmath.sqrt(2)) for s in keys}
            want = sum(grown[s] * v[n, s, d] for s in keys) / sum(grown.values()) if len(keys) else mpmath.mpf(0)
            assert abs(got[n, 0, t, d] - want) <= mpmath.mpf(10) ** -45
            np.testing.assert_allclose(machine[n, 0, t, d], float(want), rtol=1e-13, atol=1e-300)


def test_a_mask_of_ones_own_that_is_stated_to_be_0_or_1(rng):
    """Real-valued, a plain factor: the compiled form takes it for a guard."""

    @define
    def last(z=Input("n s"), mask=Input("n s", facts=["binary"])):
        n, s = z.indices
        grown = exp(z[n, s]) * mask[n, s]
        S = let("S[n]", Sum(grown, s))
        return let("p[n,s]", grown / S[n])

    z = rng.normal(size=(3, 4))
    mask = np.array([[1.0, 0, 1, 1], [0, 1, 1, 0], [1, 0, 0, 0]])
    want = torch.softmax(torch.tensor(np.where(mask == 1, z, -np.inf)), -1).numpy()
    got = compile(last)(z=np.where(mask == 1, z, 1e4), mask=mask)["p"]
    np.testing.assert_allclose(got, want, rtol=1e-14)


def test_masks_that_are_none(rng):
    layer = MAKE["attention"](padding=True)
    arrays = {**qkv(rng, 1, 1, 2, 3, 2, 2), "mask": np.array([[1, 0, 2]])}
    with pytest.raises(DataError, match=r"mask\[0, 2\] is 2.*row 0 of mask.*0 or 1"):
        compile(layer)(**arrays)
    with pytest.raises(DefinitionError, match=r"mask is real-valued.*integer=True"):

        @define
        def weighed(q=Input("n h t e"), k=Input("n h s e"), v=Input("n h s d"), mask=Input("n s")):
            return attention(q, k, v, mask)

    with pytest.raises(DefinitionError, match=r"mask has no gradient.*integer-valued"):
        sd.vjp(layer, ["mask"])


def weights(rng, heads, each, width, keys=True, biases=True, split=False):
    """Parameters of multi-head attention in the layout of the library."""
    inside = (each // 2, 2) if split else (each,)
    shapes = {
        "W_q": (heads, *inside, width),
        "W_k": ((heads,) if keys else ()) + (*inside, width),
        "W_v": ((heads,) if keys else ()) + (each, width),
        "W_o": (width, heads, each),
    }
    if biases:
        shapes |= {f"b_{g}": shapes[f"W_{g}"][:-1] for g in "qkv"} | {"b_o": (width,)}
    return {n: rng.normal(size=s) / 2 for n, s in shapes.items()}


@pytest.mark.parametrize("sizes", [drawn(4, 10, 1, 3), (1, 1, 1, 1), drawn(4, 11, 1, 3)])
@pytest.mark.parametrize("causal,padding", [(False, False), (True, False), (True, True), (False, True)])
def test_multi_head(sizes, causal, padding, rng):
    """`torch.nn.MultiheadAttention` with the same weights, through its functional form so that they have gradients."""
    n, t, heads, each = sizes
    width = heads * each

    def peer(x, W_q, W_k, W_v, W_o, b_q, b_k, b_v, b_o, mask=None):
        module = torch.nn.MultiheadAttention(width, heads, bias=True, batch_first=True, dtype=torch.float64)
        stacked = {
            "in_proj_weight": torch.cat([w.reshape(width, width) for w in (W_q, W_k, W_v)]),
            "in_proj_bias": torch.cat([b.reshape(width) for b in (b_q, b_k, b_v)]),
            "out_proj.weight": W_o.reshape(width, width),
            "out_proj.bias": b_o,
        }
        options = {
            "need_weights": False,
            "key_padding_mask": None if mask is None else mask == 0,
            "attn_mask": torch.ones(t, t, dtype=torch.bool).triu(1) if causal else None,
        }
        return torch.func.functional_call(module, stacked, (x, x, x), options)[0]

    arrays = {"x": rng.normal(size=(n, t, width)), **weights(rng, heads, each, width)}
    wrt = list(arrays)
    if padding:
        arrays["mask"] = padding_mask(rng, n, t)
    layer = MAKE["multi_head"](bias=True, causal=causal, padding=padding)
    agree(layer, peer, arrays, rng, wrt=wrt)


def by_hand(x, W_q, W_k, W_v, W_o, causal=False, mask=None, turn=lambda q: q):
    """Attention with one key and value for all heads, and rotary positions, by einsum."""
    q, v = torch.einsum("hei,nti->nhte", W_q, x), torch.einsum("...ei,nti->n...te", W_v, x)
    k = torch.einsum("...ei,nti->n...te", W_k, x)
    if k.ndim == 3:
        k, v = k[:, None], v[:, None]
    q, k = turn(q), turn(k)
    p = softmax_of(q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]), causal, mask)
    return torch.einsum("ihe,nhte->nti", W_o, p @ v)


@pytest.mark.parametrize("causal", [False, True])
def test_multi_query(causal, rng):
    arrays = {"x": rng.normal(size=(2, 3, 4)), **weights(rng, 2, 3, 4, keys=False, biases=False)}
    agree(MAKE["multi_query"](causal=causal), lambda **a: by_hand(**a, causal=causal), arrays, rng)


def turned(x, base):
    """Rotary positions by complex numbers, as Su et al. write them (equation 13): pairs are neighbours."""
    *_, t, d = x.shape
    angle = torch.arange(t, dtype=torch.float64)[:, None] * base ** (-2 * torch.arange(d // 2, dtype=torch.float64) / d)
    pairs = torch.view_as_complex(x.reshape(*x.shape[:-1], d // 2, 2).contiguous())
    return torch.view_as_real(pairs * torch.polar(torch.ones_like(angle), angle)).flatten(-2)


@pytest.mark.parametrize("shape", [(2, 5, 3, 2), (1, 1, 1, 2)])
def test_rotary(shape, rng):
    def peer(x, base):
        return turned(x.flatten(-2), base).reshape(x.shape)

    agree(MAKE["rotary"](), peer, {"x": rng.normal(size=shape), "base": np.array(100.0)}, rng)


@pytest.mark.parametrize("keys", [True, False])
def test_rotary_in_attention(keys, rng):
    def peer(x, W_q, W_k, W_v, W_o, base):
        flat = [w.flatten(-3, -2) for w in (W_q, W_k)]
        return by_hand(x, *flat, W_v, W_o, causal=True, turn=lambda q: turned(q, base))

    arrays = {"x": rng.normal(size=(2, 3, 4)), **weights(rng, 2, 4, 4, keys, biases=False, split=True)}
    layer = MAKE["multi_head" if keys else "multi_query"](causal=True, rotary=True)
    agree(layer, peer, {**arrays, "base": np.array(50.0)}, rng)


def test_rotary_scores_depend_on_the_distance_alone(rng):
    """What the positions are for: q at t and k at s meet as they do at t + 1 and s + 1."""
    q, k = (np.repeat(rng.normal(size=(1, 1, 3, 2)), 5, axis=1) for _ in "qk")
    turn = MAKE["rotary"]()
    values = [evaluate(turn, {"x": x, "base": np.array(10.0)})["y"][0].reshape(5, 6) for x in (q, k)]
    scores = (values[0] @ values[1].T).astype(float)
    np.testing.assert_allclose(scores[1:, 1:], scores[:-1, :-1], rtol=1e-12)
    assert abs(scores[0, 1] - scores[0, 0]) > 1e-3


@pytest.mark.parametrize("shape", [(2, 5, 6), (1, 1, 2)])
def test_sinusoidal(shape, rng):
    """Vaswani et al. 2017, section 3.5."""
    base, (_, t, d) = 30.0, shape
    want = np.empty((t, d))
    for position in range(t):
        for i in range(d // 2):
            want[position, 2 * i] = math.sin(position / base ** (2 * i / d))
            want[position, 2 * i + 1] = math.cos(position / base ** (2 * i / d))
    arrays = {"x": rng.normal(size=shape), "base": np.array(base)}
    for layer in (MAKE["sinusoidal"](), MAKE["sinusoidal"](width=d)):
        close(evaluate(layer, arrays)["y"], arrays["x"] + want, "y")
    agree(MAKE["sinusoidal"](), lambda x, base: x + torch.tensor(want), arrays, rng)


@pytest.mark.parametrize(
    "name,causal,padding",
    [("attention", False, False), *((n, both, both) for n in ("multi_head", "multi_query") for both in (False, True))],
)
def test_compiled_gradients(name, causal, padding, rng):
    """Machine code for the gradient, against the formula by hand."""
    if name == "attention":
        arrays = qkv(rng, 2, 3, 5, 5, 2, 3)
    else:
        arrays = {"x": rng.normal(size=(2, 5, 4)), **weights(rng, 3, 2, 4, name == "multi_head", biases=False)}
    wrt = list(arrays)
    if padding:
        arrays["mask"] = padding_mask(rng, 2, 5)

    def peer(mask=None, **given):
        if name == "attention":
            z = given["q"] @ given["k"].transpose(-1, -2) / math.sqrt(2)
            return softmax_of(z, causal, mask) @ given["v"]
        return by_hand(**given, causal=causal, mask=mask)

    agree(MAKE[name](causal=causal, padding=padding), peer, arrays, rng, wrt=wrt, compiled=True)


EVERY = [
    ("attention", {}),
    ("attention", {"causal": True}),
    ("attention", {"causal": True, "padding": True}),
    ("rotary", {}),
    ("sinusoidal", {}),
]


@pytest.mark.parametrize("name,options", EVERY)
def test_both_ways_are_proved_equal_for_all_extents(name, options):
    verdict = both_ways(MAKE[name](**options))
    assert verdict.proved, verdict


def test_both_ways_are_proved_equal_for_small_extents():
    """With the products by W put in, scores are polynomials of degree four in exponents: two times, and one of each."""
    verdict = both_ways(MAKE["multi_head"]().at(n=1, t=2, h=1, e=1, i=1))
    assert verdict.proved, verdict


def test_bad_input():
    with pytest.raises(DefinitionError, match="3 heads do not divide a width of 8") as caught:
        MAKE["multi_head"](heads=3, width=8)
    assert "multiple of 3" in str(caught.value)
    with pytest.raises(DefinitionError, match="heads=0"):
        MAKE["multi_query"](heads=0)
    with pytest.raises(DefinitionError, match="a width of 7 is odd"):
        MAKE["rotary"](width=7)
    with pytest.raises(DefinitionError, match="a width of 3 is odd"):
        MAKE["multi_head"](heads=2, width=6, rotary=True)
    with pytest.raises(ShapeError, match="5 features are no pairs"):
        MAKE["sinusoidal"](width=5)
    with pytest.raises(DefinitionError, match="no option 'mask'"):
        next(e for e in ENTRIES if e.name == "attention").definition(mask=True)


def test_axes_that_do_not_fit_are_refused():
    def writes(body, k="n h s e"):
        @define
        def bad(q=Input("n h t e"), k=Input(k), v=Input("n h s d"), base=Hyper()):
            return body(q, k, v, base)

        return bad

    with pytest.raises(ShapeError, match="do not fit"):
        writes(lambda q, k, v, base: attention(q, k, v), k="n h s d")
    with pytest.raises(ShapeError, match="a causal mask between T queries and S keys"):
        writes(lambda q, k, v, base: attention(q, k, v, causal=True))
    with pytest.raises(ShapeError, match="axis e of q has extent E, not 2"):
        writes(lambda q, k, v, base: rotary(q, *rotation_table(q.indices[2], q.indices[3], base)))
    with pytest.raises(ShapeError, match="E features are no pairs"):
        writes(lambda q, k, v, base: sinusoidal(q.indices[2], q.indices[3], base))
