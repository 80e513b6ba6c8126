"""Whole networks, written with the layers of the library: LeNet-5 and a residual block.

>>> [t.name for t in lenet5().parameters]
['K1', 'b1', 'K2', 'b2', 'W3', 'b3', 'W4', 'b4', 'W5', 'b5']
"""

from __future__ import annotations

from functools import partial

from symdl.core.builder import Builder
from symdl.core.define import Hyper, Input, Param, Sum, let, writing
from symdl.core.definitions import Definition
from symdl.core.tensors import Tensor
from symdl.errors import DefinitionError, ShapeError
from symdl.library.activations import activation, relu
from symdl.library.composition import residual
from symdl.library.convolution import conv2d
from symdl.library.entries import Entry, written
from symdl.library.linear import linear
from symdl.library.losses import cross_entropy, softmax
from symdl.library.naming import left
from symdl.library.normalisation import batch_norm
from symdl.library.pooling import avg_pool2d, max_pool2d
from symdl.library.windows import per_axis

_POOLS = {"average": avg_pool2d, "max": max_pool2d}


def lenet5(
    *,
    act: str = "tanh",
    pool: str = "average",
    size: int = 28,
    kernel: int = 5,
    channels: tuple[int, int] = (6, 16),
    units: tuple[int, int] = (120, 84),
    classes: int = 10,
) -> Definition:
    """LeNet-5 (LeCun et al. 1998): two convolutions with pooling, three dense layers, softmax, cross-entropy.

    As in today's practice, pooling has no weights, every map of the second convolution sees all maps of the first, and
    the output is a softmax; images of 28×28 are padded to 32×32 by the first convolution.

    Args:
        act: activation by name, "tanh" or "relu" for instance.
        pool: "average" or "max" (ties share the slope).
        size: height and width of the images.
        kernel: of both convolutions, odd.
        channels: maps of the first and of the second convolution.
        units: of the two hidden dense layers.
        classes: of the output.

    Returns:
        Inputs x[n, c, h, w] with one channel, and y[n, k], one-hot; outputs: the loss L and probabilities p[n, k]. The
        first dense layer has its weights by map and place, W3[j, b, …]: flattening is in the sum.

    Raises:
        ShapeError: images that are too small.
        DefinitionError: an option that is out of range.
    """
    if pool not in _POOLS:
        raise DefinitionError(f"no pooling '{pool}'", where="lenet5", remedy=f"one of {', '.join(_POOLS)}")
    if kernel % 2 == 0:
        raise DefinitionError(f"kernel={kernel} is even", where="lenet5", remedy="give an odd number")
    (a, b), (j, l) = (per_axis(n, v, 2, 1, "lenet5") for n, v in (("channels", channels), ("units", units)))
    side = (size // 2 - kernel + 1) // 2
    if side < 1:
        raise ShapeError(
            f"images of {size}×{size} are too small",
            where="lenet5",
            why=f"the second convolution, {kernel}×{kernel}, sees half of that, and its result is halved again",
            remedy=f"give at least {2 * kernel + 2}, or a smaller kernel",
        )
    sizes = {"h": size, "w": size, "a": a, "b": b, "j": j, "l": l, "k": classes}
    return _general(act, pool, kernel).at(**sizes)


def _general(act: str, pool: str, kernel: int) -> Definition:
    """The network for images and layers of any extent."""
    function, pooled = activation(act), _POOLS[pool]
    with writing(Builder("lenet5")) as builder:

        def learned(name: str, axes: str) -> Tensor:
            return builder.declare(name, Param(axes))

        def active(s: Tensor, number: int) -> Tensor:
            return let(left(f"h{number}", s.indices), function(s.element()))

        x = builder.declare("x", Input("n c=1 h w"))
        y = builder.declare("y", Input("n k", facts=["sums_to_one"]))
        K1, b1 = learned("K1", f"a c r={kernel} s={kernel}"), learned("b1", "a")
        K2, b2 = learned("K2", "b a r s"), learned("b2", "b")
        h1 = active(conv2d(x, K1, b1, name="s1", padding=kernel // 2), 1)
        h2 = active(conv2d(pooled(h1, 2, name="q1"), K2, b2, name="s2"), 2)
        q2 = pooled(h2, 2, name="q2")
        n, *inner = q2.indices
        W3, b3 = learned("W3", f"j {' '.join(i.name for i in inner)}"), learned("b3", "j")
        (j,) = b3.indices
        s3 = let(f"s3[{n.name},j]", Sum(W3[(j, *inner)] * q2[(n, *inner)], *inner) + b3[j])
        h4 = active(linear(active(s3, 3), learned("W4", "l j"), learned("b4", "l"), name="s4"), 4)
        z = linear(h4, learned("W5", "k l"), learned("b5", "k"), name="z")
        k = z.indices[1]
        p = let("p[n,k]", softmax(z[n, k], k))
        loss = let("L", cross_entropy(y[n, k], p[n, k], n, [k]))
        return builder.build([loss.name, p.name])


def residual_block(*, kernel: int = 3) -> Definition:
    """The basic block of a ResNet (He et al. 2015): y = ReLU(x + BN(K₂ * ReLU(BN(K₁ * x)))), extents unchanged.

    Args:
        kernel: of both convolutions, odd; the padding is (kernel − 1)/2.

    Returns:
        Input x[n, c, h, w], parameters K1, gamma1, beta1, K2, gamma2, beta2, hyperparameter eps; output y[n, c, h, w].

    Raises:
        DefinitionError: the kernel is even or below 1.
    """
    per_axis("kernel", kernel, 1, 1, "residual_block")
    if kernel % 2 == 0:
        raise DefinitionError(f"kernel={kernel} is even", where="residual_block", remedy="give an odd number")
    declared = {
        "x": Input("n c h w"),
        "K1": Param(f"o=c c r={kernel} s={kernel}"),
        "gamma1": Param("o"),
        "beta1": Param("o"),
        "K2": Param("c o r s"),
        "gamma2": Param("c"),
        "beta2": Param("c"),
        "eps": Hyper(facts=["positive"]),
    }
    return written("residual_block", declared, partial(_residual_block, kernel // 2))


def _residual_block(padding: int, x: Tensor, *rest: Tensor) -> Tensor:
    K1, gamma1, beta1, K2, gamma2, beta2, eps = rest
    s = conv2d(x, K1, name="s1", padding=padding)
    a = batch_norm(s, gamma1, beta1, eps, name="a", label="1")
    h = let(left("h", a.indices), relu(a.element()))
    f = batch_norm(conv2d(h, K2, name="s2", padding=padding), gamma2, beta2, eps, name="a", label="2")
    z = residual(x, f, name="z")
    return let(left("y", z.indices), relu(z.element()))


_entry = partial(Entry, kind="network")

ENTRIES = (
    _entry("lenet5", summary="two convolutions with pooling, three dense layers, softmax, cross-entropy", make=lenet5),
    _entry("residual_block", summary="two convolutions with batch norm and ReLU, and a skip", make=residual_block),
)
