"""Products of factors with fewer digits: what is asked for, what it may lose, and what stands in for the library."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import mpmath
import numpy as np
import pytest
from support.rounded_products import StandIn, rounded

from symdl.compilation import compile, cublas, devices, pipeline
from symdl.compilation.crosscheck_rounded import Limits, Signs
from symdl.compilation.cublas import Matrix, Product
from symdl.compilation.precision import FRACTION, lost
from symdl.compilation.report import Loss, Report
from symdl.compilation.targets.reference import evaluate
from symdl.core.define import Input, Param, Sum, define, let, mean
from symdl.errors import (
    CrossCheckError,
    DefinitionError,
    DomainError,
    MissingDependencyError,
    SymdlError,
    UnsupportedError,
)
from symdl.training.many import train_many


@define
def scores(x=Input("n i"), t=Input("n j"), W=Param("j i")):
    n, i = x.indices
    j, _ = W.indices
    s = let("s[n,j]", Sum(W[j, i] * x[n, i], i))
    return let("L", mean((t[n, j] - s[n, j]) ** 2, n, j)), s


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if there were a GPU, up to where something is asked of it."""
    monkeypatch.setattr(devices, "require_gpu", lambda: None)
    monkeypatch.setattr(devices, "environment", lambda: "a GPU")


@pytest.mark.parametrize(
    ("options", "error", "what"),
    [
        ({"products": "fp8", "target": "cuda"}, DefinitionError, "no products 'fp8'"),
        ({"products": "tf32", "target": "cuda"}, UnsupportedError, "not there for float64"),
        ({"products": "bfloat16", "dtype": "float32"}, UnsupportedError, "target 'numba'"),
    ],
)
def test_what_can_not_be_asked_for_is_refused_with_a_remedy(
    options: dict[str, Any], error: type[SymdlError], what: str
) -> None:
    with pytest.raises(error, match=what) as caught:
        compile(scores, **options)
    assert caught.value.remedy


def test_many_models_take_the_same_option() -> None:
    with pytest.raises(UnsupportedError, match="products='tf32' is not there for the target 'numba'"):
        train_many(scores, np.ones((4, 2)), np.ones((4, 3)), epochs=1, seeds=[0], dtype="float32", products="tf32")


def test_without_the_library_rounded_products_are_refused(gpu: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cublas, "missing", lambda: "it is not installed")
    with pytest.raises(MissingDependencyError, match="needs cuBLAS") as caught:
        compile(scores, dtype="float32", target="cuda", products="tf32")
    assert caught.value.why == "it is not installed"
    assert "leave out products" in str(caught.value.remedy)


def test_each_precision_is_a_program_of_its_own(gpu: None, monkeypatch: pytest.MonkeyPatch) -> None:
    keys: list[str] = []

    def found(key: str) -> None:
        keys.append(key)
        raise LookupError

    monkeypatch.setattr(pipeline.cache, "find", found)
    for products in ("exact", "tf32", "bfloat16"):
        with pytest.raises(LookupError):
            compile(scores, dtype="float32", target="cuda", products=products)
    assert len(set(keys)) == 3


@pytest.mark.parametrize(("bits", "kept"), [(10, 1 + 2.0**-10), (7, 1 + 2.0**-7)])
def test_the_stand_in_rounds_to_nearest_and_ties_to_even(bits: int, kept: float) -> None:
    half = 2.0 ** -(bits + 1)
    given = np.array([kept, 1 + half, 1 + 3 * half, 1 + half * 1.001, -1 - half, 0.0, 3e38], np.float32)
    assert rounded(given, bits)[:6].tolist() == [kept, 1.0, 1 + 4 * half, kept, -1.0, 0.0]
    drawn = np.random.default_rng(0).normal(size=1000).astype(np.float32)
    off = np.abs(rounded(drawn, bits).astype(float) - drawn) / np.abs(drawn)
    assert half / 4 < off.max() <= half


def test_the_stand_in_multiplies_matrices_where_they_stand() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 3, 4)).astype(np.float32), rng.normal(size=(2, 5, 4)).astype(np.float32)
    out = np.zeros((2, 3, 5), np.float32)
    places = (
        Matrix(a.ctypes.data, 4, False, 12),
        Matrix(b.ctypes.data, 4, True, 20),
        Matrix(out.ctypes.data, 5, False, 15),
    )
    StandIn("float32", "exact").multiply(Product(3, 5, 4, *places, 2), 0, None)
    np.testing.assert_allclose(out, a @ b.transpose(0, 2, 1), rtol=1e-5)


@pytest.mark.parametrize("products", FRACTION)
def test_no_product_loses_more_than_its_bound_and_five_bits_do(products: str) -> None:
    """Two factors cut off or rounded: 2u + u² of the terms, and a little for adding up in float32."""
    rng = np.random.default_rng(2)
    a, b = (rng.normal(size=(64, 64)).astype(np.float32) for _ in range(2))
    size = np.abs(a).astype(float) @ np.abs(b)

    def off(bits: int, cut: bool = False) -> float:
        x, y = (
            rounded(m, bits) if not cut else (m.view(np.uint32) >> (23 - bits) << (23 - bits)).view(np.float32)
            for m in (a, b)
        )
        return float((np.abs(x.astype(float) @ y - a.astype(float) @ b) / size).max())

    assert off(FRACTION[products]) < off(FRACTION[products], cut=True) < lost(products, 64)
    ones, few = np.float32(2 ** (FRACTION[products] + 1) - 1), rounded(np.float32(2 ** (FRACTION[products] + 1) - 1), 5)
    assert rounded(ones, FRACTION[products]) == ones != few


def test_sums_of_the_named_equations_are_moved_by_all_of_their_terms_up_and_down() -> None:
    arrays = {"x": np.array([[1.0, -2.0]]), "t": np.zeros((1, 1)), "W": np.array([[3.0, 4.0]])}
    moved = [evaluate(scores, arrays, shift=Signs("bfloat16", frozenset({"s"}), draw))["s"][0, 0] for draw in range(2)]
    by = lost("bfloat16", 0) * 11  # |3·1| + |4·2|, around 3 − 8
    assert sorted(float(m) for m in moved) == pytest.approx([-5 - by, -5 + by], rel=1e-15)
    other = evaluate(scores, arrays, shift=Signs("bfloat16", frozenset({"L"}), 0))
    assert other["s"][0, 0] == mpmath.mpf(-5)


def test_equations_that_rounding_may_take_out_of_their_domain_are_refused() -> None:
    def evaluated(shift: Any) -> Any:
        raise DomainError("log(s) has no real value", where="L = log(s)")

    code: Any = SimpleNamespace(products="tf32", names=None, definition=scores)
    with pytest.raises(CrossCheckError, match="may leave what it is defined for") as caught:
        Limits(code, {}, evaluated, 0.0)
    assert "log(s) has no real value" in str(caught.value)
    assert "products='exact'" in str(caught.value)


def test_a_report_says_what_is_lost_and_is_read_again() -> None:
    loss = Loss("evaluate", "s", 5000.0, 0.5, 1e-3, 2e-2)
    report = Report("float32", {"x": (2,)}, 3, (), None, (), 0.1, "tf32", (loss,))
    assert Report.from_json(report.to_json()) == report
    assert report.worst == 5000
    assert "large products in tf32" in str(report)
    assert "evaluate.s: 5e+03 ulps of its largest entry (0.5 with exact products), 1.00e-03 of the terms" in str(report)
    assert "all are small, and exact" in str(Report("float32", {}, 3, (), None, (), 0.1, "tf32"))
