"""One suite for every target: each definition × dtype against the reference target, and against PyTorch where it can.

`compile` cross-checks by itself; here the comparison is made again from the outside, on other points and shapes.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest

from symdl.compilation import compile, devices
from symdl.compilation.accuracy import deviation
from symdl.compilation.extents import Axes, small_shapes
from symdl.compilation.samples import sample
from symdl.compilation.targets.products import PRODUCT, tiles
from symdl.compilation.targets.reference import evaluate
from symdl.core.definitions import Definition
from symdl.derivation.derive import derive
from symdl.errors import CrossCheckError

sys.path.insert(0, str(Path(__file__).parent))
import definitions as d
import products

NO_GPU = next((f"no GPU: {g.why}" for g in devices.devices() if g.target == "cuda" and not g.usable), "")
TARGETS = ["numba", pytest.param("cuda", marks=pytest.mark.skipif(bool(NO_GPU), reason=NO_GPU))]


def multiplies(target: str, dtype: str) -> str:
    """What emitted code calls for a matrix product: on a processor whose vectors are not known, BLAS."""
    return "product_" if target == "cuda" else PRODUCT if tiles(dtype) else "np.dot"


ALL = [*d.EVERY, *products.EVERY]
DTYPES = ["float64", "float32"]
#: Ulps of the largest entry of an output, at inputs of scale 1: units that begin to saturate lose some digits.
ALLOWED = {"float64": 2000.0, "float32": 2000.0}


def gradient_of(definition: Definition) -> Definition:
    return derive(definition).gradient


def at_random(definition: Definition, dtype: str, seed: int = 5) -> dict[str, Any]:
    shapes = small_shapes(Axes(definition), resizing=False)
    return sample(definition, shapes, 1.0, dtype, np.random.default_rng(seed))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("definition", d.EVERY, ids=lambda e: e.name)
def test_values_and_gradients_agree_with_the_reference(definition: Definition, dtype: str, target: str) -> None:
    check(definition, dtype, target, size=2)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("definition", d.WITH_PRODUCTS, ids=lambda e: e.name)
def test_matrix_products_agree_with_the_reference(definition: Definition, dtype: str, target: str) -> None:
    assert multiplies(target, dtype) in check(definition, dtype, target, size=64)


@pytest.mark.parametrize("definition", d.WITH_PRODUCTS, ids=lambda e: e.name)
def test_matrix_products_by_blas_agree_with_the_reference(
    definition: Definition, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As on a processor whose vectors are not known."""
    monkeypatch.setattr("symdl.compilation.targets.multiplying.tiles", lambda dtype: None)
    monkeypatch.setenv("SYMDL_CACHE_DIR", str(tmp_path / "cache"))
    assert "np.dot" in check(definition, "float32", "numba", size=64)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("definition", products.EVERY, ids=lambda e: e.name)
def test_batches_of_products_agree_with_the_reference(definition: Definition, dtype: str, target: str) -> None:
    assert multiplies(target, dtype) in check(definition, dtype, target, size=32)


def check(definition: Definition, dtype: str, target: str, size: int) -> str:
    """Compile for extents of that size, compare all outputs and gradients; returns the source."""
    symbolic = {n: size for n, e in definition.extents.items() if e.is_Symbol}
    names = [p.name for p in definition.parameters]
    code = compile(definition, wrt=names, dtype=dtype, target=target, extents=symbolic)
    arrays = at_random(definition, dtype)
    values, slopes = code(**arrays), code.gradient(**arrays)
    derivation = derive(definition)
    exact = {**evaluate(definition, arrays), **evaluate(derivation.gradient, arrays)}
    assert list(values) == list(definition.outputs)
    for name, result in {**values, **{derivation.names[n]: slopes[n] for n in names}}.items():
        assert result.dtype == dtype
        assert deviation(result, exact[name], dtype).normwise < ALLOWED[dtype]
    return code.source


def test_a_gradient_definition_is_compiled_as_any_other() -> None:
    gradient = gradient_of(d.DEEP)
    code = compile(gradient)
    arrays = at_random(d.DEEP, "float64")
    exact = evaluate(gradient, arrays)
    for name, result in code(**arrays).items():
        assert deviation(result, exact[name], "float64").normwise < ALLOWED["float64"]


def test_both_ways_of_deriving_give_the_same_numbers() -> None:
    unit = d.UNITS[1]
    chain = compile(derive(unit, via="chain").gradient)
    full = compile(derive(unit, via="expand").gradient)
    arrays = at_random(unit, "float64")
    for name, result in chain(**arrays).items():
        np.testing.assert_allclose(full(**arrays)[name], result, rtol=1e-12)


def test_second_derivatives_compile() -> None:
    first = derive(d.UNITS[2], wrt="b").gradient
    second = derive(first.only([first.outputs[1]]), wrt="b").gradient
    arrays = at_random(d.UNITS[2], "float64")
    exact = evaluate(second, arrays)
    for name, result in compile(second)(**arrays).items():
        assert deviation(result, exact[name], "float64").normwise < ALLOWED["float64"]


def test_nan_and_infinity_are_passed_on() -> None:
    relu = compile(d.UNITS[3])
    arrays = at_random(d.UNITS[3], "float64")
    arrays["b"] = np.array(np.nan)
    assert np.isnan(relu(**arrays)["a"]).all()
    softmax = compile(d.NETWORKS[3])
    arrays = at_random(d.NETWORKS[3], "float64")
    arrays["W2"][0, 0] = np.nan
    assert np.isnan(softmax(**arrays)["p"]).all()


def test_large_scores_do_not_overflow() -> None:
    network = d.NETWORKS[3]
    arrays = at_random(network, "float64")
    arrays["b2"] = np.array([1000.0, -1000.0, 500.0])
    code = compile(network, wrt=["b2"])
    results = code.gradient(**arrays)
    exact = evaluate(gradient_of(network), arrays)
    assert np.isfinite(results["b2"]).all()
    assert abs(float(results["L"]) - float(mpmath.mpf(exact["L"][()]))) < 1e-9 * abs(float(results["L"])) + 1e-9


# ── PyTorch ──────────────────────────────────────────────────────────────────────────────────────────────────────────

torch = pytest.importorskip("torch")


def torch_unit(act: Any, *, x: Any, t: Any, w: Any, b: Any) -> Any:
    return ((t - act(x @ w + b)) ** 2).mean()


ACTS = {
    "identity": lambda s: s,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": lambda s: torch.nn.functional.leaky_relu(s, 0.01),
}


def torch_convolution(x: Any, t: Any, w: Any) -> Any:
    return ((t - torch.nn.functional.conv1d(x, w)) ** 2).mean()


def torch_attention(Q: Any, K: Any, V: Any) -> Any:
    return ((torch.softmax(Q @ K.T / Q.shape[1] ** 0.5, dim=1) @ V) ** 2).sum()


def torch_normalisation(x: Any, g: Any) -> Any:
    v, m = torch.var_mean(x, dim=1, correction=0, keepdim=True)
    return ((g * (x - m) / torch.sqrt(v + 0.01)) ** 3).sum()


def torch_deep(x: Any, y: Any, W1: Any, b1: Any, W2: Any, b2: Any, W3: Any, b3: Any) -> Any:
    h = torch.relu(torch.tanh(x @ W1.T + b1) @ W2.T + b2)
    return torch.nn.functional.cross_entropy(h @ W3.T + b3, y)


def torch_embedding(tok: Any, E: Any) -> Any:
    return (torch.nn.functional.embedding(tok, E) ** 2).mean()


def torch_attended(x: Any, Q: Any, K: Any, V: Any, O: Any) -> Any:
    q, k, v = (torch.einsum("nti,hei->nhte", x, W) for W in (Q, K, V))
    u = torch.nn.functional.scaled_dot_product_attention(q, k, v)
    return (torch.einsum("nhte,ohe->nto", u, O) ** 2).mean()


def torch_batched(A: Any, B: Any) -> Any:
    return (torch.bmm(A, B) ** 2).sum()


PEERS = {
    **{f"unit_{n}": partial(torch_unit, act) for n, act in ACTS.items()},
    "convolution": torch_convolution,
    "attention": torch_attention,
    "normalisation": torch_normalisation,
    "embedding": torch_embedding,
    "batched": torch_batched,
    "attended": torch_attended,
    "deep": torch_deep,
}


@pytest.mark.parametrize("definition", [e for e in ALL if e.name in PEERS], ids=lambda e: e.name)
def test_values_and_gradients_agree_with_pytorch(definition: Definition) -> None:
    names = [p.name for p in definition.parameters]
    code = compile(definition, wrt=names, extents={n: 32 for n, e in definition.extents.items() if e.is_Symbol})
    arrays = at_random(definition, "float64", seed=9)
    results = code.gradient(**arrays)
    tensors = {n: torch.tensor(a, requires_grad=n in names) for n, a in arrays.items()}
    loss = PEERS[definition.name](**tensors)
    loss.backward()
    np.testing.assert_allclose(results[definition.target.name], loss.item(), rtol=1e-10)
    for name in names:
        expected = tensors[name].grad.numpy()
        np.testing.assert_allclose(results[name], expected, rtol=1e-10, atol=1e-12 * max(1, abs(expected).max()))


def test_every_peer_is_compared() -> None:
    assert set(PEERS) <= {e.name for e in ALL}


def test_a_wrong_gradient_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A derivation that goes wrong is caught by differences of the forward equations alone."""
    from symdl.compilation import gradients

    right = gradients.derive

    def wrong(definition: Definition, **options: Any) -> Any:
        from dataclasses import replace

        derivation = right(definition, **options)
        equations = [e.map(lambda body: -body) if e.name == "s_bar" else e for e in derivation.gradient.equations]
        return replace(derivation, gradient=replace(derivation.gradient, equations=tuple(equations)))

    monkeypatch.setattr(gradients, "derive", wrong)
    fresh = d.UNITS[0].renamed({}, "unit_with_a_wrong_rule")
    with pytest.raises(CrossCheckError, match="is not the derivative"):
        compile(fresh, wrt="w")
