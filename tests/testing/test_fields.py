"""The sweep of functions of several numbers: its examples, true values against mpmath, and faults that it catches."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest

import symdl as sd
from symdl.core.tensors import Fact
from symdl.derivation.seeds import seeded
from symdl.library.losses import LOSSES
from symdl.testing.examples import each, examples, slopes_by
from symdl.testing.fields import sweep_fields, true_values
from symdl.testing.sweep import ACROSS
from symdl.testing.ulps import FORMATS

SOFTMAX = ACROSS["softmax"].definition


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_examples_are_within_what_is_stated(dtype: str) -> None:
    for name in ("binary_cross_entropy", "hinge", "softmax_cross_entropy", "iou", "jensen_shannon", "gaussian_nll"):
        definition = LOSSES[name].chosen(reduction="none").definition()
        made = examples(definition, dtype, 200)
        for t in definition.inputs:
            values = made[t.name]
            assert values.dtype == dtype and np.isfinite(values).all()
            if Fact.BINARY in t.facts:
                assert set(values.tolist()) == {0.0, 1.0}
            if Fact.SIGN in t.facts:
                assert set(values.tolist()) == {-1.0, 1.0}
            if Fact.FRACTION in t.facts:
                assert ((values > 0) & (values < 1)).all() and values.min() < 1e-40 and values.max() > 1 - 2e-7
            if Fact.POSITIVE in t.facts:
                assert (values > 0).all()
            if Fact.SUMS_TO_ONE in t.facts:
                assert (values.sum(axis=-1) == 1).all()
            if Fact.BOX in t.facts:
                assert (values[:, :2] <= values[:, 2:]).all()


def test_numbers_run_over_their_whole_range() -> None:
    z = examples(SOFTMAX(), "float64", 1500)["z"]
    sizes = np.abs(z[z != 0])
    assert sizes.min() < 1e-300 and sizes.max() > 1e300 and (z < 0).any()
    assert slopes_by(SOFTMAX()) == ["z"]
    assert slopes_by(LOSSES["poisson_nll"].chosen(reduction="none").definition()) == ["y_hat"]


def test_the_truth_has_the_digits_of_mpmath() -> None:
    whole = seeded(SOFTMAX())
    z = np.array([[1e4, -3.25, 9999.5]])
    problem = {"z": z, "p_bar": np.array([[0.0, 0.0, 1.0]])}
    (values,) = true_values(problem, whole, [(whole, "p")], FORMATS["float64"])
    with mpmath.workdps(60):
        powers = [mpmath.exp(mpmath.mpf(v) - 10**4) for v in z[0]]
        for got, power in zip(values, powers, strict=True):
            assert got is not None
            assert abs(mpmath.mpf(got.mid().str(40, radius=False)) / (power / sum(powers)) - 1) < 1e-18


def naive_softmax(z: Any) -> Any:
    import torch

    powers = torch.exp(z)
    return powers / powers.sum(-1, keepdim=True)


def test_a_form_without_a_shift_is_caught() -> None:
    """The planted fault: e^z overflows, and ∞/∞ is NaN."""
    pytest.importorskip("torch")
    made = sweep_fields(SOFTMAX(), dtypes=["float64"], points=120, peer=naive_softmax)
    assert made.passed
    assert all(r.peer == float("inf") for r in made.rows)


@pytest.mark.parametrize("name", ["log_softmax", "softmax_cross_entropy", "binary_cross_entropy_logits"])
def test_digits_are_kept_where_the_usual_form_loses_all(name: str) -> None:
    made = sd.sweep(name, points=150, dtypes=["float32"], peer=True).require()
    assert max(r.peer or 0.0 for r in made.rows) > 1e6


def test_examples_come_one_by_one() -> None:
    definition = SOFTMAX()
    made = examples(definition, "float32", 60)
    assert [one["z"].shape for one in each(made, definition)] == [(1, 3)] * len(made["z"])
    together = LOSSES["info_nce"].chosen(reduction="none").definition()
    whole = examples(together, "float32", 60, together=True)
    assert {one["q"].shape for one in each(whole, together, together=True)} == {(3, 3)}


@pytest.mark.parametrize(("name", "options"), [("smooth_l1", {"beta": 0.3}), ("dice", {"squared": True})])
def test_options_other_than_the_usual_ones_are_within_four_ulps(name: str, options: dict[str, Any]) -> None:
    """0.3 (y − t) is no difference of products, whose rounding is all that is left where y is t."""
    assert sd.sweep(name, points=40, dtypes=["float32"], **options).passed


def test_smoothed_classes_keep_their_digits_to_the_largest_scores() -> None:
    """1/K before a sum of K terms would let that pass the largest number; the slope is p − q, with Σ q = 1 settled."""
    options: dict[str, Any] = {"target": "classes", "label_smoothing": 0.1}
    assert sd.sweep("softmax_cross_entropy", points=200, **options).passed
    gradient = sd.derive(sd.definition("softmax_cross_entropy", **options), wrt=["z"])
    assert str(gradient.gradient).endswith("z_bar[n, k] = (p[n, k] - q[n, k])/N")


def test_a_number_without_axes_is_an_input_as_others_are() -> None:
    swept = sd.sweep("softmax_cross_entropy", points=40, dtypes=["float64"], label_smoothing=None)
    assert swept.rows[0].passed


def test_a_number_taken_out_of_a_sum_leaves_none_above_1_in_it() -> None:
    """9 y + 1/3 outside of 1/10 overflows for the largest score, 9 y/10 + 1/30 does not."""
    code = sd.compile(sd.definition("softmax_cross_entropy", label_smoothing=0.1, reduction="none"))
    largest = np.finfo(np.float64).max
    found = code(z=[[largest, 0.0, 0.0]], y=[[0.0, 1.0, 0.0]])["L"]
    assert found == pytest.approx([largest * (0.9 + 0.2 / 3)], rel=1e-15)
