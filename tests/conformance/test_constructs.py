"""Every construct of the index calculus: compiled values and gradients against PyTorch and against the reference."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.strict import OutOfRangeError, run_strictly, strict

from symdl.compilation import compile
from symdl.compilation.accuracy import deviation
from symdl.compilation.extents import Axes, small_shapes
from symdl.compilation.samples import sample
from symdl.compilation.targets.reference import evaluate
from symdl.core.define import Input, Param, Sum, define, exp, in_range, let, log, mean, state, tanh
from symdl.core.definitions import Definition
from symdl.derivation.derive import derive
from symdl.derivation.forward import hvp
from symdl.library.optimisers import adam

sys.path.insert(0, str(Path(__file__).parent))
import constructs

torch = constructs.torch

ALLOWED = 2000.0


def expected(peer: Any, arrays: dict[str, Any], names: list[str]) -> dict[str, np.ndarray]:
    """The loss and its gradients by PyTorch."""
    tensors = {n: torch.tensor(a, requires_grad=n in names) for n, a in arrays.items()}
    loss = peer(**tensors)
    loss.backward()
    return {"L": loss.detach().numpy(), **{n: tensors[n].grad.numpy() for n in names}}


def close(found: Any, wanted: np.ndarray) -> None:
    np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-12 * max(1, abs(wanted).max()))


def drawn(definition: Definition, seed: int, scale: float = 1.0) -> dict[str, Any]:
    shapes = small_shapes(Axes(definition), resizing=False)
    return sample(definition, shapes, scale, "float64", np.random.default_rng(seed))


@pytest.mark.parametrize("name", constructs.PEERS)
def test_compiled_code_agrees_with_pytorch_and_with_the_reference(name: str) -> None:
    definition, peer = constructs.PEERS[name]
    names = [p.name for p in definition.parameters]
    code = compile(definition, wrt=names)
    arrays = drawn(definition, 17)
    found = code.gradient(**arrays)
    for key, wanted in expected(peer, arrays, names).items():
        close(found[key], wanted)
    gradient = derive(definition, wrt=names)
    exact = {**evaluate(definition, arrays), **evaluate(gradient.gradient, arrays)}
    results = {**code(**arrays), **{gradient.names[n]: found[n] for n in names}}
    for key, result in results.items():
        assert deviation(result, exact[key], "float64").normwise < ALLOWED


@pytest.mark.parametrize("products", [1, 64])
@pytest.mark.parametrize("name", constructs.PEERS)
def test_emitted_code_stays_within_its_arrays(name: str, products: int) -> None:
    definition, peer = constructs.PEERS[name]
    names = [p.name for p in definition.parameters]
    derivation = derive(definition, wrt=names)
    arrays = drawn(definition, 23)
    found = run_strictly(derivation.gradient, arrays, products)
    for key, wanted in expected(peer, arrays, names).items():
        close(found[derivation.names.get(key, key)], wanted)


def test_an_array_that_is_left_is_noticed() -> None:
    array = strict(np.zeros((2, 3)))
    for key in [(0, -1), (2, 0), (0, 3), -1]:
        with pytest.raises(OutOfRangeError):
            array[key]
        with pytest.raises(OutOfRangeError):
            array[key] = 1.0


@pytest.mark.parametrize("name", ["conv1d", "likelihood", "rnn"])
def test_second_derivatives_compile_and_agree_with_pytorch(name: str) -> None:
    """The Hessian times a direction, compiled from its equations as any definition is."""
    definition, peer = constructs.PEERS[name]
    names = [p.name for p in definition.parameters]
    derivation = hvp(definition, names)
    arrays = drawn(definition, 29, 0.5)
    rng = np.random.default_rng(31)
    directions = {n: rng.normal(size=arrays[n].shape) for n in names}
    found = compile(derivation.gradient)(**arrays, **{f"{n}_dot": d for n, d in directions.items()})

    def loss(*parameters: Any) -> Any:
        fixed = {n: torch.tensor(a) for n, a in arrays.items() if n not in names}
        return peer(**fixed, **dict(zip(names, parameters, strict=True)))

    given = [tuple(torch.tensor(a[n]) for n in names) for a in (arrays, directions)]
    _, products = torch.autograd.functional.hvp(loss, *given)
    for n, wanted in zip(names, products, strict=True):
        close(found[f"{n}_bar_dot"], wanted.numpy())


@define(time="t")
def tagger(
    tok=Input("n t", integer=True),
    y=Input("n t", integer=True),
    E=Param("v d"),
    W=Param("j d"),
    U=Param("j k=j"),
    V=Param("c j"),
):
    """Embedding, recurrence and labels that subscript, in one network."""
    n, t = tok.indices
    (_, d), (j, k), (c, _) = E.indices, U.indices, V.indices
    h = state("h[n,t,j]")
    past = Sum(U[j, k] * h[n, t - 1, k] * in_range(t - 1, t.extent), k)
    h = let("h[n,t,j]", tanh(Sum(W[j, d] * E[tok[n, t], d], d) + past))
    z = let("z[n,t,c]", Sum(V[c, j] * h[n, t, j], j))
    p = let("p[n,t,c]", exp(z[n, t, c]) / Sum(exp(z[n, t, c]), c))
    return let("L", mean(-log(p[n, t, y[n, t]]), n, t)), p


def test_a_recurrent_network_learns_to_say_what_was_before(rng: np.random.Generator) -> None:
    code = compile(tagger, optimizer=adam(0.05))
    tok = rng.integers(0, 4, size=(64, 12))
    y = np.zeros_like(tok)
    y[:, 1:] = tok[:, :-1]
    shapes = {"E": (4, 6), "W": (16, 6), "U": (16, 16), "V": (4, 16)}
    arrays = {"tok": tok, "y": y, **{n: rng.normal(size=s) * 0.3 for n, s in shapes.items()}}
    assert code.program.epoch is not None
    states = {s: np.zeros(shapes[s[0]]) for s in code.program.epoch.states}
    for epoch in range(30):
        _, losses = code.epoch(arrays, states, order=rng.permutation(64), batch_size=16, first_step=4 * epoch)
    assert losses[-1] < 0.05
    said = code.predict(**{n: a for n, a in arrays.items() if n != "y"})["p"].argmax(axis=-1)
    assert (said == y).mean() > 0.99
