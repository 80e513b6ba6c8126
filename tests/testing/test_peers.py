"""What stands beside ours in the table of accuracy is PyTorch's function, with the same labels."""

from __future__ import annotations

import numpy as np
import pytest

from symdl.testing import peers

torch = pytest.importorskip("torch")


def test_labels_as_places() -> None:
    """The example of PyTorch's documentation: the classes 3 and 0 of four scores give 0.85."""
    call = peers.field("multilabel_margin", {})
    assert call is not None
    marks, scores = torch.tensor([[1.0, 0.0, 0.0, 1.0]]), torch.tensor([[0.1, 0.2, 0.4, 0.8]])
    assert float(call(y=marks, x=scores)) == pytest.approx(0.85, rel=1e-6)


@pytest.mark.parametrize(
    ("name", "value", "slope"),
    [
        ("prelu", -0.5, 0.25),
        ("rrelu", -2 * 11 / 48, 11 / 48),
        ("threshold", 0.0, 0.0),
        ("sine", -0.9092974268256817, None),
    ],
)
def test_functions_with_options(name: str, value: float, slope: float | None) -> None:
    """At −2, by hand: slopes 1/4 and (1/8 + 1/3)/2; sin(−2)."""
    made = peers.functions(name, "float64")
    at = np.array([-2.0])
    assert made["value"](at)[0] == pytest.approx(value, rel=1e-15)
    assert made["slope"](at)[0] == pytest.approx(np.cos(2.0) if slope is None else slope, rel=1e-15)


def test_what_pytorch_has_not_has_no_peer() -> None:
    assert peers.functions("snake", "float64") == {} and peers.field("dice", {}) is None
