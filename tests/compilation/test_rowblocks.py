"""Which items run by blocks of rows, what of them is computed again, and what that saves."""

from __future__ import annotations

import numpy as np
import pytest
from support.attention import scores

from symdl.compilation import rowblocks
from symdl.compilation.gradients import programs_for
from symdl.compilation.plan import Plan, make_plan, readers, writers
from symdl.compilation.plan_check import check_plan
from symdl.compilation.targets.cuda import emit_module
from symdl.core.definitions import Definition
from symdl.library.layers import dense, sequential
from symdl.library.transformer import gpt

EXTENTS = {"n": 4, "t": 8192, "e": 64}


def gradient_of(definition: Definition, extents: dict[str, int]) -> Plan:
    names = tuple(p.name for p in definition.parameters)
    return make_plan(programs_for(definition, names, predicts=True).stable["gradient"], extents, parallel=True)


def numbers_of(plan: Plan, shapes: dict[str, tuple[int, ...]]) -> int:
    """Numbers of the work space of the emitted module, for inputs of these shapes."""
    module = emit_module({"gradient": plan}, "float32", scope="grid")
    sizes: dict[str, object] = {}
    exec("\n".join(module.functions["gradient"].size_lines), sizes)
    size = sizes["gradient_size"]
    assert callable(size)
    return int(size(*[np.broadcast_to(np.float32(0), shapes[t.name]) for t in plan.inputs]))


def test_scores_of_long_sequences_never_exist_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = gradient_of(scores, EXTENTS)
    check_plan(plan)
    forward, backward = plan.blocks
    assert (forward.axes, forward.rows) == ({"z": 1, "p": 1}, 512)  # 4 · 512 · 8192 = 2²⁴
    assert set(backward.axes) == {"z_again", "p_again", "p_bar", "z_bar"}
    again = {n for n in writers(plan.items) if n.endswith("_again")}
    assert again == {"z_again", "p_again"}  # maxima and sums of rows are kept
    read, written = readers(plan.items), writers(plan.items)
    for blocks in plan.blocks:
        for name in blocks.axes:
            assert all(blocks.first <= p < blocks.stop for p in (*read.get(name, []), *written[name])), name
    shapes = {"x": (4, 8192, 8), "y": (4, 8192, 64), **dict.fromkeys("QKV", (64, 8))}
    tiled = numbers_of(plan, shapes)
    monkeypatch.setattr(rowblocks, "LARGE", 2**62)
    whole = numbers_of(gradient_of(scores, EXTENTS), shapes)
    assert whole >= 2 * 4 * 8192**2
    assert tiled <= 4 * 2**24 + 16 * 4 * 8192 * 64


def test_every_layer_of_a_network_has_blocks_of_its_own() -> None:
    network = gpt(blocks=2, heads=2, width=32, context=4096, vocabulary=16)
    plan = gradient_of(network, {"n": 2})
    check_plan(plan)
    assert [next(iter(b.axes)) for b in plan.blocks] == ["z1", "z2", "z2_again", "z1_again"]


def test_what_is_small_or_made_of_large_things_stays_whole() -> None:
    assert not gradient_of(scores, {"n": 4, "t": 64, "e": 64}).blocks
    wide = sequential(dense(4096, "tanh"), dense(1), loss="mse", name="wide")
    assert not gradient_of(wide, {"n": 65_536, "i": 4096}).blocks
