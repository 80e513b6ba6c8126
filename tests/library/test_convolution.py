"""Convolutions against PyTorch on random strides, paddings, dilations, groups and extents, those of 1 included."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings, strategies as st
from support.layers import agrees_with_torch, both_ways

from symdl.compilation.targets.reference import evaluate
from symdl.core.define import Input, Param, define
from symdl.errors import DefinitionError, ShapeError
from symdl.library import layers
from symdl.library.definitions import definition

CONV = {1: torch.nn.functional.conv1d, 2: torch.nn.functional.conv2d, 3: torch.nn.functional.conv3d}
TRANSPOSED = {1: torch.nn.functional.conv_transpose1d, 2: torch.nn.functional.conv_transpose2d}


@st.composite
def steps(draw, rank, *, largest=3):
    """Stride, padding, dilation, kernel and input extents along each axis, such that the window fits."""

    def numbers(low, high):
        return tuple(draw(st.integers(low, high)) for _ in range(rank))

    kernel, space = numbers(1, 3), numbers(1, 6 - rank)
    stride, padding, dilation = numbers(1, largest), numbers(0, 2), numbers(1, 2)
    assume(all(h + 2 * p - d * (r - 1) >= 1 for h, p, d, r in zip(space, padding, dilation, kernel, strict=True)))
    return kernel, space, {"stride": stride, "padding": padding, "dilation": dilation}


def arrays(rng, shapes):
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


@pytest.mark.parametrize("rank", [1, 2, 3])
@settings(max_examples=12)
@given(st.data())
def test_convolution_against_pytorch(rank, data):
    kernel, space, options = data.draw(steps(rank))
    groups, each, outputs = (data.draw(st.integers(1, 2)) for _ in range(3))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    layer = definition(f"conv{rank}d", groups=groups, **options)
    shapes = {"x": (2, groups * each, *space), "K": (groups * outputs, each, *kernel), "b": (groups * outputs,)}
    agrees_with_torch(layer, arrays(rng, shapes), lambda x, K, b: CONV[rank](x, K, b, groups=groups, **options), rng)


@pytest.mark.parametrize("rank", [1, 2])
@settings(max_examples=15)
@given(st.data())
def test_transposed_convolution_against_pytorch(rank, data):
    kernel, space, options = data.draw(steps(rank))
    limits = [max(s, d) - 1 for s, d in zip(options["stride"], options["dilation"], strict=True)]
    options["output_padding"] = tuple(data.draw(st.integers(0, limit)) for limit in limits)
    sizes = zip(space, kernel, *(options[o] for o in ("stride", "padding", "dilation", "output_padding")), strict=True)
    extents = [(h - 1) * s - 2 * p + d * (r - 1) + more + 1 for h, r, s, p, d, more in sizes]
    assume(min(extents) >= 1)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    layer = definition(f"conv_transpose{rank}d", **options)
    shapes = {"x": (2, 2, *space), "K": (2, 3, *kernel), "b": (3,)}
    agrees_with_torch(layer, arrays(rng, shapes), lambda x, K, b: TRANSPOSED[rank](x, K, b, **options), rng)


@pytest.mark.parametrize("rank", [1, 2, 3])
@settings(max_examples=8)
@given(st.data())
def test_depthwise_convolution_against_pytorch(rank, data):
    kernel, space, options = data.draw(steps(rank))
    channels = data.draw(st.integers(1, 3))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    layer = definition(f"depthwise_conv{rank}d", **options)
    shapes = {"x": (2, channels, *space), "K": (channels, *kernel), "b": (channels,)}
    agrees_with_torch(
        layer, arrays(rng, shapes), lambda x, K, b: CONV[rank](x, K[:, None], b, groups=channels, **options), rng
    )


def test_one_image_without_a_batch(rng):
    @define
    def layer(x=Input("c h w"), K=Param("o c r=3 s=3")):
        return layers.conv2d(x, K, padding=1)

    shapes = {"x": (2, 4, 5), "K": (3, 2, 3, 3)}
    agrees_with_torch(layer, arrays(rng, shapes), lambda x, K: CONV[2](x, K, padding=1), rng)


def test_two_layers_in_one_definition_and_extents_by_the_padding(rng):
    """Padding (R − 1)/2 keeps the extents, so the second layer's output can be added to the input."""

    @define
    def block(x=Input("n c h w"), K=Param("o c r=3 s=3"), Z=Param("c o r s")):
        y = layers.conv2d(x, K, name="y", padding=1)
        return layers.conv2d(y, Z, name="z", padding=1)

    assert block["z"].shape == block["x"].shape
    shapes = {"x": (2, 2, 3, 4), "K": (3, 2, 3, 3), "Z": (2, 3, 3, 3)}
    agrees_with_torch(block, arrays(rng, shapes), lambda x, K, Z: CONV[2](CONV[2](x, K, padding=1), Z, padding=1), rng)


#: Name, options, and extents small enough to write both ways out.
CASES = [
    ("conv1d", {}, {"n": 2, "i": 2, "o": 2, "h": 4, "r": 2}),
    ("conv2d", {}, {"n": 1, "i": 2, "o": 2, "h": 3, "w": 2, "r": 2, "s": 1}),
    ("conv3d", {}, {"n": 1, "i": 1, "o": 2, "d": 2, "h": 3, "w": 2, "q": 1, "r": 2, "s": 2}),
    ("conv1d", {"kernel": 2, "groups": 2}, {"n": 1, "i": 2, "h": 3}),
    ("depthwise_conv1d", {}, {"n": 2, "i": 2, "h": 4, "r": 2}),
    ("depthwise_conv2d", {}, {"n": 1, "i": 2, "h": 3, "w": 2, "r": 2, "s": 1}),
    ("depthwise_conv3d", {}, {"n": 1, "i": 1, "d": 2, "h": 3, "w": 2, "q": 1, "r": 2, "s": 2}),
    ("conv_transpose1d", {"stride": 2}, {"n": 2, "i": 2, "o": 2, "h": 3, "r": 2}),
    ("conv_transpose2d", {"padding": 1}, {"n": 1, "i": 1, "o": 2, "h": 2, "w": 3, "r": 2, "s": 2}),
]


@pytest.mark.parametrize(("name", "options", "extents"), CASES, ids=str)
def test_both_ways_are_proved_equal(name, options, extents):
    layer = definition(name, **options)
    both_ways(layer.at(**{i: e for i, e in extents.items() if layer.extents[i].is_Symbol})).require()


def refused(kind, words, axes, kernel, layer=layers.conv2d, **options):
    with pytest.raises(kind) as caught:

        @define
        def wrong(x=Input(axes), K=Param(kernel)):
            return layer(x, K, **options)

    assert all(w in str(caught.value) for w in words) and caught.value.remedy, str(caught.value)


def test_bad_input_is_one_clear_error():
    sizes = ("n c=3 h=4 w=4", "o=4 c=3 r=3 s=3")
    refused(ShapeError, ["larger than axis h", "5 entries", "has 4"], sizes[0], "o=4 c=3 r=5 s=3")
    refused(ShapeError, ["larger than axis h", "reach over 5"], *sizes, dilation=2)
    refused(ShapeError, ["x has 3 channels", "for 2"], sizes[0], "o=4 i=2 r=3 s=3")
    refused(ShapeError, ["x has 3 channels", "groups"], sizes[0], "o=4 i=2 r=3 s=3", groups=2)
    refused(ShapeError, ["3 output channels", "2 groups"], "n c=4 h=4 w=4", "o=3 i=2 r=3 s=3", groups=2)
    refused(ShapeError, ["4 axes", "3"], sizes[0], "o=4 c=3 r=3")
    refused(DefinitionError, ["stride=0"], *sizes, stride=0)
    refused(DefinitionError, ["padding=-1"], *sizes, padding=-1)
    refused(DefinitionError, ["dilation=0"], *sizes, dilation=(1, 0))
    refused(DefinitionError, ["groups=0"], *sizes, groups=0)
    refused(DefinitionError, ["stride=(1, 1, 1)", "3 numbers", "2 axes"], *sizes, stride=(1, 1, 1))
    refused(DefinitionError, ["stride=1.5"], *sizes, stride=1.5)
    refused(DefinitionError, ["defined twice"], *sizes, name="x")
    up = layers.conv_transpose2d
    refused(
        ShapeError, ["output_padding=2", "stride is 2"], *sizes[:1], "c o=2 r=3 s=3", up, stride=2, output_padding=2
    )
    refused(ShapeError, ["nothing is left"], "n c=3 h=1 w=1", "c o=2 r=3 s=3", up, padding=2)
    refused(ShapeError, ["x has 3 channels"], sizes[0], "i=2 o=2 r=3 s=3", up)
    refused(ShapeError, ["x has 3 channels"], sizes[0], "i=2 r=3 s=3", layers.depthwise_conv2d)


def test_a_window_that_does_not_fit_the_arrays(rng):
    layer = definition("conv1d")
    with pytest.raises(ShapeError, match=r"the kernel is larger than the input.*H = 2 is less than R = 3"):
        evaluate(layer, arrays(rng, {"x": (1, 1, 2), "K": (1, 1, 3), "b": (1,)}))
    with pytest.raises(ShapeError, match="index u has extent 0"):
        layer.at(h=2, r=3)


def test_unknown_options_and_names():
    with pytest.raises(DefinitionError, match=r"no option 'strides'.*stride=1"):
        definition("conv2d", strides=2)
    with pytest.raises(DefinitionError, match="no option 'kernel'"):
        definition("sigmoid", kernel=2)
    with pytest.raises(DefinitionError, match="outside a definition"):
        layers.conv1d(definition("conv1d")["x"], definition("conv1d")["K"])
