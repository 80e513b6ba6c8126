"""What is stated of the data holds for random inputs: of the cross-check, and of the points of a claim."""

from __future__ import annotations

import numpy as np
import pytest

from symdl.compilation.samples import sample
from symdl.core.define import Input, define, let
from symdl.core.tensors import Element
from symdl.verification.points import KINDS, Point

HOLDS = {
    "positive": lambda v: (v > 0).all(),
    "nonnegative": lambda v: (v >= 0).all(),
    "fraction": lambda v: ((v > 0) & (v < 1)).all(),
    "binary": lambda v: np.isin(v, (0, 1)).all(),
    "sign": lambda v: np.isin(v, (-1, 1)).all(),
    "box": lambda v: (v[..., :2] < v[..., 2:]).all(),
    "sums_to_one positive": lambda v: (v > 0).all() and (v.sum(axis=-1) == 1).all(),
    "sums_to_one nonnegative": lambda v: (v >= 0).all() and (v.sum(axis=-1) == 1).all(),
}


def stated(facts):
    @define
    def d(x=Input("n c=4", facts=facts.split())):
        n, c = x.indices
        return let("y[n,c]", 2 * x[n, c])

    return d


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("scale", [0.5, 30.0])
@pytest.mark.parametrize("facts", HOLDS)
def test_inputs_of_a_cross_check(facts, scale, dtype, rng):
    drawn = sample(stated(facts), {"x": (50, 4)}, scale, dtype, rng)["x"]
    assert drawn.dtype == dtype and HOLDS[facts](drawn)


@pytest.mark.parametrize("facts", HOLDS)
def test_points_of_a_claim(facts):
    tensor = stated(facts)["x"]
    for seed, kind in enumerate(KINDS):
        point = Point(seed, kind, {tensor.indices[0].extent: 3})
        values = [[point.element(Element(*tensor[n, c].args), (n, c)) for c in range(4)] for n in range(3)]
        array = np.array([[float(v.p) / float(v.q) for v in row] for row in values])
        if facts.startswith("sums"):
            assert all(sum(row) == 1 for row in values)
            assert (array >= 0).all()
        else:
            assert HOLDS[facts](array)
