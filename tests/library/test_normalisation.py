"""Normalisation layers against PyTorch; both ways of deriving against each other; bad input."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from support.peers import agree, both_ways, drawn, real_inputs
from torch.nn import functional as F

from symdl.core.define import Hyper, Input, Param, define, let
from symdl.derivation.seeds import vjp
from symdl.errors import DefinitionError, ShapeError
from symdl.library.normalisation import ENTRIES, batch_norm, group_norm, layer_norm, rms_norm

MAKE = {e.name: e.definition for e in ENTRIES}
EPS = 0.03
#: [n, c, places]
SHAPES = {0: [(5, 3), (2, 1)], 1: [drawn(3, 1, 2), (1, 1, 2)], 2: [drawn(4, 2, 2), (1, 4, 1, 2)], 3: [(2, 2, 1, 2, 3)]}


def affine(rng, x, inside):
    return {"x": x, "gamma": rng.normal(size=inside), "beta": rng.normal(size=inside), "eps": np.array(EPS)}


def cases(least=0):
    return [(spatial, shape) for spatial, shapes in SHAPES.items() if spatial >= least for shape in shapes]


@pytest.mark.parametrize("spatial,shape", cases())
def test_batch_norm(spatial, shape, rng):
    def peer(x, gamma, beta, eps):
        return F.batch_norm(x, None, None, gamma, beta, training=True, eps=eps.item())

    agree(MAKE["batch_norm"](spatial=spatial), peer, affine(rng, rng.normal(size=shape), shape[1]), rng)


@pytest.mark.parametrize("spatial,shape", cases())
def test_batch_norm_inference(spatial, shape, rng):
    def peer(x, gamma, beta, eps, m, v):
        return F.batch_norm(x, m, v, gamma, beta, training=False, eps=eps.item())

    def wanted(x, gamma, beta, eps, m, v):
        """By hand, since PyTorch has no gradient by the running statistics."""
        c = (-1, *[1] * (x.ndim - 2))
        return (x - m.view(c)) / (v.view(c) + eps).sqrt() * gamma.view(c) + beta.view(c)

    arrays = affine(rng, rng.normal(size=shape), shape[1])
    arrays |= {"m": rng.normal(size=shape[1]), "v": rng.uniform(0.1, 2, size=shape[1])}
    layer = MAKE["batch_norm_inference"](spatial=spatial)
    agree(layer, peer, arrays, rng, wrt=["x", "gamma", "beta"])
    agree(layer, wanted, arrays, rng)


@pytest.mark.parametrize("spatial,shape", [(0, (5, 3)), (2, (2, 3, 2, 3)), (1, (1, 1, 2))])
def test_running_statistics(spatial, shape, rng):
    """PyTorch updates them in place, without a gradient: that is compared with one by hand."""

    def update(x, m, v, alpha):
        new_m, new_v = m.detach().clone(), v.detach().clone()
        F.batch_norm(x, new_m, new_v, training=True, momentum=alpha.item())
        return new_m, new_v

    def by_hand(x, m, v, alpha):
        over = [k for k in range(x.ndim) if k != 1]
        return (1 - alpha) * m + alpha * x.mean(over), (1 - alpha) * v + alpha * x.var(over, unbiased=True)

    arrays = {"x": rng.normal(size=shape), "m": rng.normal(size=shape[1]), "v": rng.uniform(1, 2, size=shape[1])}
    arrays["alpha"] = np.array(0.1)
    given = {n: torch.tensor(a) for n, a in arrays.items()}
    for mine, theirs in zip(by_hand(**given), update(**given), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-12, atol=1e-12)
    agree(MAKE["batch_norm_running"](spatial=spatial), by_hand, arrays, rng, compiled=spatial == 2)


@pytest.mark.parametrize("axes,shape", [(1, drawn(2, 3, 2)), (1, (2, 1)), (2, drawn(3, 4)), (3, (2, 2, 3, 1))])
def test_layer_norm(axes, shape, rng):
    def peer(x, gamma, beta, eps):
        return F.layer_norm(x, shape[-axes:], gamma, beta, eps=eps.item())

    agree(MAKE["layer_norm"](axes=axes), peer, affine(rng, rng.normal(size=shape), shape[-axes:]), rng)


@pytest.mark.parametrize("spatial,shape", [c for c in cases(1) if np.prod(c[1][2:]) > 1])
def test_instance_norm(spatial, shape, rng):
    def peer(x, gamma, beta, eps):
        return F.instance_norm(x, weight=gamma, bias=beta, eps=eps.item())

    agree(MAKE["instance_norm"](spatial=spatial), peer, affine(rng, rng.normal(size=shape), shape[1]), rng)


@pytest.mark.parametrize("groups,shape", [(2, (2, 4, 2, 3)), (1, (2, 3, 1, 2)), (3, (1, 3, 2, 2)), (2, (3, 6))])
@pytest.mark.parametrize("stated", [True, False])
def test_group_norm(groups, shape, stated, rng):
    def peer(x, gamma, beta, eps):
        return F.group_norm(x, groups, gamma, beta, eps=eps.item())

    layer = MAKE["group_norm"](groups=groups if stated else None, spatial=len(shape) - 2)
    if not stated:
        layer = layer.at(g=groups)
    agree(layer, peer, affine(rng, rng.normal(size=shape), shape[1]), rng)


@pytest.mark.parametrize("shape", [drawn(2, 5), (2, 1), (1, 4)])
def test_rms_norm(shape, rng):
    def peer(x, gamma, eps):
        return F.rms_norm(x, shape[1:], gamma, eps=eps.item())

    arrays = {"x": rng.normal(size=shape), "gamma": rng.normal(size=shape[1]), "eps": np.array(EPS)}
    agree(MAKE["rms_norm"](), peer, arrays, rng)


@pytest.mark.parametrize("shape", [drawn(2, 5), (2, 1), (1, 4)])
def test_weight_norm(shape, rng):
    def peer(V, g):
        return torch._weight_norm(V, g[:, None], 0)

    agree(MAKE["weight_norm"](), peer, {"V": rng.normal(size=shape), "g": rng.normal(size=shape[0])}, rng)


@pytest.mark.parametrize("name", sorted(set(MAKE) - {"group_norm", "instance_norm"}))
def test_both_ways_are_proved_equal_for_all_extents(name):
    verdict = both_ways(MAKE[name]())
    assert verdict.proved, verdict


@pytest.mark.parametrize("name", ["instance_norm", "group_norm"])
def test_both_ways_are_proved_equal_for_small_extents(name):
    options = {"groups": 2} if name == "group_norm" else {}
    sizes = {"n": 1, "c": 2} if name == "instance_norm" else {"n": 1, "q": 1}
    verdict = both_ways(MAKE[name](spatial=1, **options).at(**sizes, h=2))
    assert verdict.proved, verdict


@pytest.mark.parametrize("entry", [e for e in ENTRIES if "affine" in e.options], ids=lambda e: e.name)
def test_parameters_can_be_left_out(entry):
    layer = entry.definition(affine=False)
    assert not layer.parameters
    assert vjp(layer, "x").names == {"x": "x_bar"}


@pytest.mark.parametrize("name", ["batch_norm", "layer_norm", "rms_norm"])
def test_compiled_gradients(name, rng):
    def peer(x, gamma, eps, beta=None):
        if name == "batch_norm":
            return F.batch_norm(x, None, None, gamma, beta, training=True, eps=eps.item())
        norm = F.rms_norm if name == "rms_norm" else partial(F.layer_norm, bias=beta)
        return norm(x, (5,), gamma, eps=eps.item())

    arrays = affine(rng, rng.normal(size=(3, 5)), 5)
    if name == "rms_norm":
        del arrays["beta"]
    agree(MAKE[name](), peer, arrays, rng, compiled=True)


def test_two_layers_in_one_definition():
    @define
    def two(x=Input("n i"), gamma=Param("i"), beta=Param("i"), eps=Hyper(facts=["positive"])):
        y = layer_norm(x, gamma, beta, eps, label="1")
        return rms_norm(y, gamma, eps, label="2")

    assert two.outputs == ("y2",)
    assert {"mu1", "sigma2_1", "x1_hat", "y1", "s2", "x2_hat"} <= set(two.tensors)
    assert real_inputs(two) == ["x", "gamma", "beta"]


def test_bad_input():
    with pytest.raises(DefinitionError, match="no option 'group'"):
        next(e for e in ENTRIES if e.name == "group_norm").definition(group=2)
    for options in ({"groups": 0}, {"groups": 2.5}):
        with pytest.raises(DefinitionError, match="groups="):
            MAKE["group_norm"](**options)
    with pytest.raises(DefinitionError, match="spatial=7"):
        MAKE["batch_norm"](spatial=7)
    with pytest.raises(DefinitionError, match="axes=0"):
        MAKE["layer_norm"](axes=0)

    def writes(layer, *arguments):
        @define
        def bad(x=Input("n c=4"), v=Input("n"), gamma=Param("c"), beta=Param("c=4"), eps=Hyper()):
            return layer(x, v, gamma, beta, eps)

        return bad

    with pytest.raises(ShapeError, match="4 channels can't be split into 3 groups"):
        writes(lambda x, v, gamma, beta, eps: group_norm(x, gamma, beta, eps, 3))
    with pytest.raises(ShapeError, match="v has no channel axis"):
        writes(lambda x, v, gamma, beta, eps: batch_norm(v, gamma, beta, eps))
    with pytest.raises(DefinitionError, match="axes=3"):
        writes(lambda x, v, gamma, beta, eps: layer_norm(x, gamma, beta, eps, axes=3))


def test_a_scale_of_another_extent_is_refused():
    with pytest.raises(ShapeError, match=r"index k stands on the right but not on the left"):

        @define
        def bad(x=Input("n c"), gamma=Param("k"), beta=Param("c"), eps=Hyper()):
            return let("z[n,c]", layer_norm(x, gamma, beta, eps).element())
