"""Products of what windows slide over: exact on whole numbers around the edges of tiles, and which sums become some."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.recurrences import states
from support.routines import called_from_c

import symdl as sd
from symdl.compilation.crosscheck_slides import ROWS, check_dots, check_slides, check_spread
from symdl.compilation.plan import Loop, Plan, make_plan
from symdl.compilation.plan_check import check_plan
from symdl.compilation.runtime import load_source
from symdl.compilation.statements import Statement, Windowed
from symdl.compilation.targets import slides
from symdl.compilation.targets.products import Tiles, tiles
from symdl.compilation.targets.together import cut_of
from symdl.core.define import Param, Sum, define, in_range, index, let
from symdl.core.indices import Index
from symdl.derivation.derive import derive
from symdl.errors import CrossCheckError

Two = tuple[Callable[..., Any], Callable[..., Any]]


def loaded(folder: Path, dtype: str, change: tuple[str, str] = ("", "")) -> Two:
    """Both products that programs call, with a planted change."""
    source = slides.source(dtype)
    assert change[0] in source
    text, path = source.replace(*change), folder / "program.py"
    path.write_text(text)
    made = called_from_c(load_source(text, str(path), f"slides_{dtype}_{abs(hash((source, change)))}"))
    return made[slides.SPREAD], made[slides.DOTS]


pytestmark = pytest.mark.skipif(tiles("float32") is None, reason="BLAS multiplies on this processor")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Two:
    return loaded(tmp_path_factory.mktemp("slides"), "float32")


def test_the_cross_check_passes(both: Two, tmp_path: Path) -> None:
    assert check_slides(*both, "float32") == 8 * len(ROWS)
    assert check_slides(*loaded(tmp_path, "float64"), "float64") == 8 * len(ROWS)


def test_tiles_of_processors_with_fewer_registers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slides, "tiles", lambda dtype: Tiles(8, 4))
    check_slides(*loaded(tmp_path, "float32"), "float32")


@pytest.mark.parametrize(
    "change",
    [
        ("min(3, rows - row)", "3"),
        ("column % m2", "column % m1"),
        ("done += 32", "done += 33"),
    ],
)
def test_planted_faults_are_refused(change: tuple[str, str], tmp_path: Path) -> None:
    made = tiles("float32")
    if made is None or made != Tiles(16, 8):
        pytest.skip("the faults are in the source for vectors of 64 bytes")
    with pytest.raises(CrossCheckError, match="what a window slides over is wrong"):
        check_slides(*loaded(tmp_path, "float32", change), "float32")


def test_nan_stays_in_its_row_and_column(both: Two, rng: np.random.Generator) -> None:
    """Rows that a tile repeats and lanes that it leaves out add nothing."""
    spread, dots = both
    a, b = np.ones((2, 3), "float32"), np.ones((3, 21), "float32")
    a[1, 1] = b[2, 20] = np.nan
    c = np.zeros((2, 21), "float32")
    spread(a.ctypes.data, 0, 3, 0, 0, 1, b.ctypes.data, 0, 0, 0, 21, c.ctypes.data, 0, 21, 2, 21, 1, 1, 3)
    np.testing.assert_array_equal(c, [[3.0] * 20 + [np.nan], [np.nan] * 21])
    check_spread(spread, "float32", 5, 33, rng)
    check_dots(dots, "float32", 5, 33, rng)


@define
def filters(x=Param("n c h w"), k=Param("o c r=3 s=3"), b=Param("o")):
    """A filter with a border of zeros, its channels beside each other."""
    n, c, h, w = x.indices
    o, _, r, s = k.indices
    u, v = index("u", h.extent), index("v", w.extent)
    at = (u + r - 1, v + s - 1)
    inside = in_range(at[0], h.extent) * in_range(at[1], w.extent)
    y = let("y[n,o,u,v]", b[o] + Sum(k[o, c, r, s] * x[n, c, *at] * inside, c, r, s))
    z = let("z[n,o,u,v]", sd.tanh(y[n, o, u, v]))
    i, j = index("i", h.extent - 2), index("j", w.extent - 2)
    q = let("q[n,o,i,j]", Sum(k[o, c, r, s] * z[n, o, i + r, j + s], c, r, s))
    return let("L", Sum(q[n, o, i, j] ** 2, n, o, i, j))


def planned(n: int = 32, windows: bool = True) -> Plan:
    gradient = derive(filters, wrt=["k", "b", "x"]).gradient
    return make_plan(gradient, {"n": n, "c": 4, "o": 6, "h": 12, "w": 12}, windows=windows)


def windows_of(plan: Plan) -> dict[str, Windowed]:
    return {item.out.name: item for item in plan.items if isinstance(item, Windowed)}


def test_samples_stand_last_and_borders_are_zeros_or_shorter_loops() -> None:
    plan = planned()
    check_plan(plan)
    found = windows_of(plan)
    assert {"y", "k_bar_part", "z_bar"} <= set(found) or {"y", "k_bar"} <= set(found)
    for name in ("y", "z", "y_bar"):
        assert [i.name for i in plan.by_name[name].tensor.indices] == ["o", "u", "v", "n"]
    assert [i.name for i in found["y"].run] == ["v", "n"]
    assert found["y"].right.name == "x_apart"
    assert not found["y"].guards


def test_few_samples_and_other_targets_have_none() -> None:
    assert not windows_of(planned(n=4))
    assert not windows_of(planned(windows=False))


def test_a_wrong_window_is_refused() -> None:
    plan = planned()
    item = windows_of(plan)["y"]
    (c, r, s), (v, n) = item.inner, item.run
    wrong = [
        replace(item, run=(n,), loops=(*item.loops, v), guards=(), right=item.right.xreplace({r: r + 1})),
        replace(item, run=(v,), inner=item.inner, loops=(*item.loops, n)),
        replace(item, out=item.out.xreplace({v: n})),
        replace(item, row=c, inner=(item.row, r, s)),
        replace(item, left=item.right, right=item.left),
    ]
    for other in wrong:
        items = tuple(other if i is item else i for i in plan.items)
        with pytest.raises(CrossCheckError):
            check_plan(replace(plan, items=items))


def in_time(change: Callable[[tuple[Any, ...], Windowed, Index], tuple[Any, ...]]) -> Plan:
    """The plan with what runs at one time changed."""
    plan = make_plan(states, {"n": 16, "t": 8, "i": 32}, windows=True)
    (at,) = [k for k, item in enumerate(plan.items) if isinstance(item, Loop) and item.direction]
    loop = plan.items[at]
    assert isinstance(loop, Loop)
    (product,) = [c for c in loop.children if isinstance(c, Windowed)]
    changed = replace(loop, children=change(loop.children, product, loop.index))
    return replace(plan, items=(*plan.items[:at], changed, *plan.items[at + 1 :]))


def test_states_are_multiplied_by_weights_at_each_time() -> None:
    plan = in_time(lambda children, product, t: children)
    check_plan(plan)
    nest = next(item for item in plan.items if isinstance(item, Loop) and item.direction)
    assert [type(c).__name__ for c in nest.children] == ["Loop", "Windowed", "Loop"]
    assert (
        len({c.row if isinstance(c, Windowed) else c.index for c in nest.children if not isinstance(c, Statement)}) == 1
    )
    assert [i.name for i in plan.by_name["before"].tensor.indices] == ["t", "n", "k"]  # what is visited at once
    cut = cut_of(nest, plan.axes, "float32")
    assert cut is not None
    assert cut.index.name == "n"


def test_products_at_another_time_or_too_early_are_refused() -> None:
    def ahead(children: tuple[Any, ...], product: Windowed, t: Index) -> tuple[Any, ...]:
        return tuple(replace(c, left=c.left.xreplace({t: t + 1})) if c is product else c for c in children)

    def first(children: tuple[Any, ...], product: Windowed, t: Index) -> tuple[Any, ...]:
        return (product, *(c for c in children if c is not product))

    for change in (ahead, first):
        with pytest.raises(CrossCheckError):
            check_plan(in_time(change))
