"""Sliding windows with random strides, paddings, dilations and extents: values, gradients, and nothing read outside.

The emitted source runs as plain Python, on arrays that refuse negative and too large subscripts.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import assume, given, settings, strategies as st
from support.recurrences import states
from support.strict import run_strictly
from support.threads import two_threads as two_threads

from symdl.compilation import compile, team
from symdl.compilation.targets import teams
from symdl.compilation.targets.products import tiles
from symdl.core.define import Param, Sum, amax, define, delta, in_range, index, let, mean, tanh
from symdl.core.definitions import Definition
from symdl.derivation.derive import derive
from symdl.errors import ShapeError

sys.path.insert(0, str(Path(__file__).parent))
import constructs

torch, slid = constructs.torch, constructs.slid
functional = torch.nn.functional
EXAMPLES = settings(max_examples=15, deadline=None)
steps = st.integers(1, 3)
paddings = st.integers(0, 3)


def correlated(stride: int, padding: int, dilation: int) -> Definition:
    """Convolution in one dimension over symbolic extents."""

    @define
    def conv(x=Param("n c h"), k=Param("o c r")):
        n, c, h = x.indices
        o, _, r = k.indices
        u = index("u", slid(h.extent, r.extent, stride, padding, dilation))
        at = stride * u + dilation * r - padding
        y = let("y[n,o,u]", Sum(k[o, c, r] * x[n, c, at] * in_range(at, h.extent), c, r))
        return let("L", Sum(y[n, o, u] ** 2, n, o, u)), y

    return conv


def agrees(definition: Definition, arrays: dict[str, np.ndarray], peer: Any, expected: int = 1) -> None:
    """Forward and gradient against PyTorch; the gradient's program computes both.

    `expected`: the extents that decisions assume; where they are large, tiles read what the window slides over.
    """
    derivation = derive(definition, wrt=list(arrays))
    found = {**run_strictly(definition, arrays, expected), **run_strictly(derivation.gradient, arrays, expected)}
    tensors = {n: torch.tensor(a, requires_grad=True) for n, a in arrays.items()}
    y = peer(**tensors)
    (y**2).sum().backward()
    np.testing.assert_allclose(found["y"], y.detach().numpy(), rtol=1e-11, atol=1e-12)
    for name, tensor in tensors.items():
        np.testing.assert_allclose(found[derivation.names[name]], tensor.grad.numpy(), rtol=1e-11, atol=1e-11)


@EXAMPLES
@given(
    n=st.integers(1, 2),
    c=st.integers(1, 2),
    o=st.integers(1, 2),
    length=st.integers(1, 7),
    kernel=st.integers(1, 4),
    stride=steps,
    padding=paddings,
    dilation=steps,
    seed=st.integers(0, 99),
    expected=st.sampled_from((1, 64, 64)),
)
def test_convolution_in_one_dimension(
    n: int, c: int, o: int, length: int, kernel: int, stride: int, padding: int, dilation: int, seed: int, expected: int
) -> None:
    definition = correlated(stride, padding, dilation)
    rng = np.random.default_rng(seed)
    arrays = {"x": rng.normal(size=(n, c, length)), "k": rng.normal(size=(o, c, kernel))}
    if length + 2 * padding < dilation * (kernel - 1) + 1:
        with pytest.raises(ShapeError, match="the kernel is larger than the input"):
            run_strictly(definition, arrays)
        return
    agrees(definition, arrays, lambda x, k: functional.conv1d(x, k, None, stride, padding, dilation), expected)


@EXAMPLES
@given(
    rows=st.tuples(st.integers(1, 3), st.integers(1, 2), st.integers(1, 4), st.integers(1, 5)),
    filters=st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3)),
    padding=st.tuples(paddings, paddings),
    seed=st.integers(0, 99),
)
def test_filters_over_images_are_read_by_tiles(
    rows: tuple[int, int, int, int], filters: tuple[int, int, int], padding: tuple[int, int], seed: int
) -> None:
    """Samples stand last in memory there, and both filters slide over tensors of the program's own."""
    o, r, s = filters
    assume(all(2 * p + size >= 2 * k - 1 for p, size, k in zip(padding, rows[2:], (r, s), strict=True)))
    (top, side), c = padding, rows[1]

    @define
    def net(x=Param("n c h w"), k=Param(f"o c r={r} s={s}"), q=Param(f"z o r={r} s={s}")):
        n, c, h, w = x.indices
        o, _, r, s = k.indices
        z = q.indices[0]
        u = index("u", slid(h.extent, r.extent, 1, top, 1))
        v = index("v", slid(w.extent, s.extent, 1, side, 1))
        at = (u + r - top, v + s - side)
        inside = in_range(at[0], h.extent) * in_range(at[1], w.extent)
        a = let("a[n,o,u,v]", Sum(k[o, c, r, s] * x[n, c, *at] * inside, c, r, s))
        b = let("b[n,o,u,v]", a[n, o, u, v] ** 2)
        e = index("e", slid(u.extent, r.extent, 1, 0, 1))
        f = index("f", slid(v.extent, s.extent, 1, 0, 1))
        y = let("y[n,z,e,f]", Sum(q[z, o, r, s] * b[n, o, e + r, f + s], o, r, s))
        return let("L", Sum(y[n, z, e, f] ** 2, n, z, e, f)), y

    rng = np.random.default_rng(seed)
    arrays = {"x": rng.normal(size=rows), "k": rng.normal(size=(o, c, r, s)), "q": rng.normal(size=(2, o, r, s))}
    agrees(net, arrays, lambda x, k, q: functional.conv2d(functional.conv2d(x, k, None, 1, padding) ** 2, q), 64)


@define
def signals(x=Param("n c h"), k=Param("o c r"), b=Param("o"), q=Param("z o s")):
    """Two filters, the first with a border of zeros."""
    n, c, h = x.indices
    o, _, r = k.indices
    z, _, s = q.indices
    u = index("u", slid(h.extent, r.extent, 1, 1, 1))
    inside = in_range(u + r - 1, h.extent)
    a = let("a[n,o,u]", b[o] + Sum(k[o, c, r] * x[n, c, u + r - 1] * inside, c, r))
    f = let("f[n,o,u]", tanh(a[n, o, u]))
    e = index("e", slid(u.extent, s.extent, 1, 0, 1))
    y = let("y[n,z,e]", Sum(q[z, o, s] * f[n, o, e + s], o, s))
    return let("L", mean(y[n, z, e] ** 2, n, z, e))


def torch_signals(x: Any, k: Any, b: Any, q: Any) -> Any:
    return (functional.conv1d(torch.tanh(functional.conv1d(x, k, b, padding=1)), q) ** 2).mean()


def torch_states(x: Any, U: Any) -> Any:
    h, found = torch.zeros_like(x[:, 0]), []
    for t in range(x.shape[1]):
        h = torch.tanh(x[:, t] + h @ U.T)
        found.append(h)
    return (torch.stack(found) ** 2).mean()


@pytest.mark.skipif(tiles("float32") is None or not teams.shares(), reason="BLAS multiplies here, or nothing is shared")
@pytest.mark.parametrize(
    ("definition", "peer", "shapes"),
    [
        (signals, torch_signals, {"x": (35, 3, 60), "k": (9, 3, 3), "b": (9,), "q": (5, 9, 4)}),
        (states, torch_states, {"x": (19, 5, 40), "U": (40, 40)}),
    ],
)
def test_whole_tiles_on_two_threads_have_the_bits_of_one(
    definition: Definition, peer: Any, shapes: dict[str, tuple[int, ...]], two_threads: None, rng: np.random.Generator
) -> None:
    """At extents as they are in use, those of the cross-check being smaller than a tile."""
    arrays = {n: (rng.normal(size=s) / np.sqrt(np.prod(s[1:]) or 1)).astype("float32") for n, s in shapes.items()}
    extents = {i.name: size for t in definition.parameters for i, size in zip(t.indices, shapes[t.name], strict=True)}
    free = {n: size for n, size in extents.items() if definition.extents[n].is_Symbol}
    code = compile(definition, wrt=list(arrays), dtype="float32", extents=free)
    assert "window_product(" in code.source
    found = [code.gradient(**arrays) for _ in range(3)]
    with team.alone():
        alone = code.gradient(**arrays)
    tensors = {n: torch.tensor(a.astype(float), requires_grad=True) for n, a in arrays.items()}
    peer(**tensors).backward()
    for name, tensor in tensors.items():
        wanted = tensor.grad.numpy()
        np.testing.assert_allclose(alone[name], wanted, atol=1e-5 * abs(wanted).max())
        assert all(f[name].tobytes() == alone[name].tobytes() for f in found), name


@EXAMPLES
@given(
    shape=st.tuples(st.integers(1, 5), st.integers(1, 6)),
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.tuples(steps, steps),
    padding=st.tuples(paddings, paddings),
    dilation=st.tuples(steps, steps),
    seed=st.integers(0, 99),
)
def test_convolution_in_two_dimensions(
    shape: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    seed: int,
) -> None:
    assume(all(h + 2 * p >= d * (r - 1) + 1 for h, p, d, r in zip(shape, padding, dilation, kernel, strict=True)))

    @define
    def conv(x=Param("h w"), k=Param(f"r={kernel[0]} s={kernel[1]}")):
        h, w = x.indices
        r, s = k.indices
        u = index("u", slid(h.extent, kernel[0], stride[0], padding[0], dilation[0]))
        v = index("v", slid(w.extent, kernel[1], stride[1], padding[1], dilation[1]))
        a = stride[0] * u + dilation[0] * r - padding[0]
        b = stride[1] * v + dilation[1] * s - padding[1]
        y = let("y[u,v]", Sum(k[r, s] * x[a, b] * in_range(a, h.extent) * in_range(b, w.extent), r, s))
        return let("L", Sum(y[u, v] ** 2, u, v)), y

    rng = np.random.default_rng(seed)
    arrays = {"x": rng.normal(size=shape), "k": rng.normal(size=kernel)}
    agrees(conv, arrays, lambda x, k: functional.conv2d(x[None], k[None, None], None, stride, padding, dilation)[0])


@EXAMPLES
@given(
    length=st.integers(1, 6),
    kernel=st.integers(1, 4),
    stride=steps,
    padding=st.integers(0, 2),
    more=st.integers(0, 2),
    seed=st.integers(0, 99),
)
def test_transposed_convolution(length: int, kernel: int, stride: int, padding: int, more: int, seed: int) -> None:
    assume(more < stride and stride * (length - 1) + kernel - 2 * padding + more >= 1)

    @define
    def conv(x=Param("c u"), k=Param("c o r")):
        c, u = x.indices
        _, o, r = k.indices
        p = index("p", stride * (u.extent - 1) + r.extent - 2 * padding + more)
        y = let("y[o,p]", Sum(x[c, u] * k[c, o, r] * delta(p, stride * u + r - padding), c, u, r))
        return let("L", Sum(y[o, p] ** 2, o, p)), y

    rng = np.random.default_rng(seed)
    arrays = {"x": rng.normal(size=(2, length)), "k": rng.normal(size=(2, 3, kernel))}
    agrees(conv, arrays, lambda x, k: functional.conv_transpose1d(x, k, None, stride, padding, more))


@EXAMPLES
@given(length=st.integers(1, 8), kernel=st.integers(1, 4), stride=steps, seed=st.integers(0, 99), data=st.data())
def test_the_largest_of_a_window(length: int, kernel: int, stride: int, seed: int, data: st.DataObject) -> None:
    padding = data.draw(st.integers(0, kernel // 2))
    assume(length + 2 * padding >= kernel)

    @define
    def pool(x=Param("h")):
        (h,) = x.indices
        r, u = index("r", kernel), index("u", slid(h.extent, kernel, stride, padding))
        at = stride * u + r - padding
        y = let("y[u]", amax(x[at], r, ties="share", where=in_range(at, h.extent)))
        return let("L", Sum(y[u] ** 2, u)), y

    arrays = {"x": np.random.default_rng(seed).normal(size=length)}
    agrees(pool, arrays, lambda x: functional.max_pool1d(x[None, None], kernel, stride, padding)[0, 0])


def test_one_program_serves_every_shape() -> None:
    """The machine code, at shapes from 1 up."""
    code = compile(correlated(2, 1, 2), wrt=["x", "k"])
    rng = np.random.default_rng(0)
    for length, kernel in [(1, 2), (3, 1), (8, 3), (9, 4), (40, 5)]:
        arrays = {"x": rng.normal(size=(2, 3, length)), "k": rng.normal(size=(4, 3, kernel))}
        found = code.gradient(**arrays)
        tensors = {n: torch.tensor(a, requires_grad=True) for n, a in arrays.items()}
        (functional.conv1d(*tensors.values(), None, 2, 1, 2) ** 2).sum().backward()
        for name, tensor in tensors.items():
            np.testing.assert_allclose(found[name], tensor.grad.numpy(), rtol=1e-11, atol=1e-11)
    with pytest.raises(ShapeError, match=r"would be 0, since H \+ 2 = 3 is less than 2\*R - 1 = 5"):
        code(x=np.ones((1, 1, 1)), k=np.ones((1, 1, 3)))


def test_extents_that_no_array_shows_are_an_error() -> None:
    @define
    def lost(x=Param("h")):
        (h,) = x.indices
        q = index("q", 2 * sympy.Symbol("Q", integer=True, positive=True))
        y = let("y[q]", Sum(x[h], h) + q)
        return let("L", Sum(y[q], q)), y

    with pytest.raises(ShapeError, match="can't be read from the inputs"):
        compile(lost)
