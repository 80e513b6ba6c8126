"""How expansion grows: against figures that were measured with SymPy's own `diff` and `count_ops`, and by hand."""

from __future__ import annotations

import json

import pytest

from symdl.library.layers import dense, sequential
from symdl.rendering.growth import growth, plot_growth


def network(depth):
    return sequential(*[dense(None, "tanh")] * depth, dense(1), loss="l2")


#: Width, layers → operations expanded, operations by the chain rule: a trial with plain SymPy, which simplifies more.
MEASURED = {
    (2, 1): (217, 31),
    (2, 3): (3_881, 83),
    (4, 2): (14_963, 175),
    (8, 2): (307_267, 603),
    (8, 3): (4_706_507, 947),
}


@pytest.fixture(scope="module")
def measured():
    return growth(network, depths=(1, 2, 3), widths=(1, 2, 4, 8), limit=300)


@pytest.mark.parametrize("size", MEASURED)
def test_operations_against_plain_sympy(measured, size):
    row = next(r for r in measured.rows if (r.width, r.depth) == size)
    expanded, chain = MEASURED[size]
    assert row.expand_operations == pytest.approx(expanded, rel=0.12)
    assert row.chain_operations == pytest.approx(chain, abs=2)


def test_one_weight_by_hand(measured):
    """1 unit, 1 layer: s1 = W1 x + b1, h1 = tanh s1, ŷ = W2 h1 + b2, L = (y − ŷ)²/N: 2 + 1 + 2 + 3 forward.

    Backward: ȳ = 2 (ŷ − y)/N: 3, W̄2 = ȳ h1: 1, h̄ = ȳ W2: 1, s̄ = (1 − h²) h̄: 3, W̄1 = s̄ x: 1; the biases are free, and
    a sum over one example adds nothing. That makes 17; with N = 1 its divisions are gone, and one or two less.
    """
    row = next(r for r in measured.rows if (r.width, r.depth) == (1, 1))
    assert row.chain_operations in range(15, 18)


def test_only_small_expansions_are_built(measured):
    for row in measured.rows:
        built = row.expand_operations <= 300
        assert (row.expand_seconds is not None) == (row.expand_characters is not None) == built
        assert row.chain_characters > 0


def test_plot_and_json(measured, tmp_path):
    path = plot_growth(measured, tmp_path / "growth.svg")
    assert "<svg" in path.read_text(encoding="utf-8")
    assert len(json.loads(json.dumps(measured.to_json()))) == len(measured.rows) == 12
