"""Matrix products in tiles: every extent around the edges of a tile, exact on whole numbers."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.routines import called_from_c

import symdl as sd
from symdl.compilation.crosscheck_products import check_product, check_products, extents
from symdl.compilation.runtime import load_source
from symdl.compilation.targets import products
from symdl.compilation.targets.products import PRODUCT, VECTORS, Tiles, tiles
from symdl.errors import CrossCheckError

Case = tuple[str, Callable[..., Any]]


def loaded(folder: Path, dtype: str, change: tuple[str, str] = ("", "")) -> Callable[..., Any]:
    """The product that programs call, with a planted change."""
    source = products.source(dtype)
    assert change[0] in source
    text = source.replace(*change)
    path = folder / "program.py"
    path.write_text(text)
    return called_from_c(load_source(text, str(path), f"test_{dtype}_{abs(hash(change))}"))[PRODUCT]


@pytest.fixture(scope="module", params=["float32", "float64"])
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    if tiles(request.param) is None:
        pytest.skip("BLAS multiplies on this processor")
    return request.param, loaded(tmp_path_factory.mktemp("products"), request.param)


def test_all_extents_around_a_tile(case: Case, rng: np.random.Generator) -> None:
    dtype, product = case
    made = tiles(dtype)
    assert made is not None
    wide = made.lanes * VECTORS
    rows = (1, 2, made.rows - 1, made.rows, made.rows + 1, 2 * made.lanes + 1)
    columns = (1, made.lanes - 1, made.lanes, made.lanes + 1, wide - 1, wide, wide + 1, 2 * wide + 3)
    inner = (0, 1, made.lanes - 1, made.lanes, 2 * made.lanes + 5)
    for sizes in itertools.product(rows, columns, inner):
        for turned in itertools.product((False, True), repeat=2):
            check_product(product, dtype, sizes, turned, rng)


def test_extents_of_the_cross_check(case: Case) -> None:
    dtype, product = case
    assert check_products(product, dtype) == 12


def test_nan_and_infinity_stay_in_their_row_and_column(case: Case) -> None:
    dtype, product = case
    a, b, out = np.ones((13, 21), dtype), np.ones((21, 37), dtype), np.zeros((13, 37), dtype)
    a[4, 3], b[20, 36] = np.nan, np.inf
    steps = (a.ctypes.data, *a.strides, b.ctypes.data, *b.strides, out.ctypes.data, out.strides[0])
    product(*steps, 13, 37, 21)
    assert np.array_equal(np.isnan(out), np.arange(13)[:, None] + np.zeros(37) == 4)
    assert np.array_equal(np.isinf(out), (np.arange(13)[:, None] != 4) & (np.arange(37) == 36))


@pytest.mark.parametrize(
    "change",
    [
        ("held = min({rows}, rows - m)", "held = {rows}"),
        ("last = width - {lanes}", "last = {lanes}"),
        ("part, held, width, first)", "part, held, width, 0)"),
        ("part, held)\n    else", "part, 1)\n    else"),
        ("part, width)\n    else", "part, 1)\n    else"),
        ("part, min({lanes}, width - k)", "part, 1"),
        ("first*b_inner", "0"),
        ("left = blocks + (m//", "left = blocks + (0*m//"),
    ],
)
def test_a_planted_fault_is_found(change: tuple[str, str], tmp_path: Path) -> None:
    made = tiles("float32")
    if made is None:
        pytest.skip("BLAS multiplies on this processor")
    filled = tuple(c.replace("{rows}", str(made.rows)).replace("{lanes}", str(made.lanes)) for c in change)
    product = loaded(tmp_path, "float32", (filled[0], filled[1]))
    with pytest.raises(CrossCheckError, match="matrix product"):
        check_products(product, "float32")


def test_extents_reach_every_branch() -> None:
    sizes = list(extents(Tiles(16, 8), "float32"))
    assert {(c % 32 == 0, c % 32 > 16, 0 < c % 32 <= 16) for _, c, _ in sizes} == {
        (True, False, False), (False, True, False), (False, False, True),
    }  # fmt: skip
    assert any(k > products.DEPTH for *_, k in sizes)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_network_of_several_tiles(dtype: str, rng: np.random.Generator) -> None:
    """Extents that are no multiples of anything, against backpropagation by hand in float64."""
    net = sd.sequential(sd.dense(67, "tanh"), sd.dense(41), loss="mse", inputs=35)
    code = sd.compile(net, wrt=["W1", "b1", "W2", "b2"], dtype=dtype, extents={"n": 53})  # type: ignore[arg-type]
    x, y, W1, b1, W2, b2 = (
        rng.normal(size=s).astype(dtype) for s in ((53, 35), (53, 41), (67, 35), (67,), (41, 67), (41,))
    )
    found = code.gradient(x=x, y=y, W1=W1, b1=b1, W2=W2, b2=b2)
    wide = [a.astype(np.float64) for a in (x, y, W1, b1, W2, b2)]
    h = np.tanh(wide[0] @ wide[2].T + wide[3])
    up = 2 * (h @ wide[4].T + wide[5] - wide[1]) / 53
    down = up @ wide[4] * (1 - h**2)
    wanted = {"W1": down.T @ wide[0], "b1": down.sum(axis=0), "W2": up.T @ h, "b2": up.sum(axis=0)}
    for name, value in wanted.items():
        atol = 100 * np.finfo(dtype).eps * abs(value).max()
        np.testing.assert_allclose(found[name], value, rtol=0, atol=atol, err_msg=name)
    assert not tiles(dtype) or PRODUCT in code.source
