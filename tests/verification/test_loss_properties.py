"""Properties of losses and of activations of several numbers, against what is published and against samples."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import sympy
import torch

import symdl as sd
from symdl.library.lines import LINES
from symdl.library.losses import LOSSES, loss
from symdl.verification.balls import evaluate
from symdl.verification.convexity import convex_by_rules
from symdl.verification.sections import PATIENCE, S
from symdl.verification.terms import UndecidedError

NAMES = (*LOSSES, *(n for n in LINES if n not in LOSSES))
#: Too long for every run of the suite, and of the same kind as others: the focal losses.
SAMPLED = [n for n in NAMES if "focal" not in n]
#: Whether they are convex in the prediction, as textbooks have it (Boyd and Vandenberghe 2004, sections 3.1 and 7.1);
#: the others by a chord that anyone can check.
CONVEX = dict.fromkeys(LOSSES, True) | dict.fromkeys(
    ("focal", "softmax_focal", "cosine_embedding", "dice", "tversky", "iou", "giou"), False
)


@pytest.fixture(scope="module")
def found():
    return {name: sd.properties(name) for name in SAMPLED}


def test_convexity_is_what_textbooks_say(found):
    for name in SAMPLED:
        if name in LOSSES:
            assert found[name].convex and found[name].convex.value is CONVEX[name], name


@pytest.mark.parametrize(
    ("name", "options", "lipschitz", "smoothness", "least"),
    [
        ("huber", {"delta": 3}, 3, 1, "0 at {0}"),  # Huber 1964: δ bounds the influence
        ("log_cosh", {}, 1, 1, "0 at {0}"),
        ("quantile", {"tau": sympy.Rational(1, 4)}, sympy.Rational(3, 4), None, "0 at {0}"),  # max(τ, 1 − τ)
        ("binary_cross_entropy_logits", {}, 1, sympy.Rational(1, 4), "none: it comes near 0"),
        ("l2", {}, None, 2, "0 at {0}"),
        ("hinge", {}, 1, None, "0 at [1, ∞)"),
        ("squared_hinge", {}, None, 2, "0 at [1, ∞)"),
    ],
)
def test_constants_of_textbooks(name, options, lipschitz, smoothness, least):
    section = sd.properties(name, **options).sections[0]
    for fact, want in ((section.lipschitz, lipschitz), (section.smoothness, smoothness)):
        assert fact and (fact.value is None) == (want is None), (name, fact)
        assert want is None or fact.value.exact == want
    assert str(section.minimum) == least


def test_samples_obey_what_is_proved(found, rng):
    """Values lie in the range, chords above a convex function, and slopes below the bound, which some come near."""
    for name, properties in found.items():
        for section in properties.sections:
            ends = [float(e) if e.is_finite else 7.0 * (-1) ** k for k, e in enumerate(_ends(name, section), 1)]
            at = np.sort(rng.uniform(*ends, 120))
            values = np.array([float(evaluate(section.formula, {S: sympy.Rational(float(x))}).mid()) for x in at])
            if section.range:
                assert all(any(_holds(s, v) for s in section.range.value) for v in values), (name, section.of)
            steps = np.diff(values) / np.diff(at)
            if section.lipschitz and section.lipschitz.value is not None:
                bound = float(section.lipschitz.value)
                assert np.abs(steps).max() <= bound * (1 + 1e-9) + 1e-9, (name, section.of)
                assert np.abs(steps).max() >= 0.5 * bound, (name, section.of)
            if section.bend and section.bend.value.convex:
                assert np.all(np.diff(steps) >= -1e-9 * (1 + np.abs(steps[1:]))), (name, section.of)
            if section.minimum and section.minimum.value.value is not None:
                assert values.min() >= float(section.minimum.value.value) - 1e-12, (name, section.of)


def _ends(name, section):
    if " at 0," in str(section.limits) and " at 1" in str(section.limits):
        return sympy.S.Zero, sympy.S.One
    return -sympy.oo, sympy.oo


def _holds(span, value):
    low, high = (-math.inf if v.infinite and float(v) < 0 else float(v) for v in (span.low, span.high))
    return low - 1e-12 <= value <= high + 1e-12


@pytest.mark.parametrize("name", [n for n, convex in CONVEX.items() if not convex])
def test_the_rules_do_not_reach_what_is_not_convex(name):
    with pytest.raises(UndecidedError):
        convex_by_rules(loss(name))


@pytest.mark.parametrize(
    ("peer", "given"),
    [
        (lambda z: torch.nn.functional.cross_entropy(z, torch.tensor([1, 0]), reduction="sum"), (2, 3)),
        (lambda z: torch.nn.functional.multi_margin_loss(z, torch.tensor([1, 0]), reduction="sum"), (2, 3)),
        (lambda z: torch.nn.functional.triplet_margin_loss(torch.zeros(2, 3), z, torch.ones(2, 3)), (2, 3)),
    ],
)
def test_chords_of_peers_lie_above(peer, given, rng):
    """What the rules prove for all sizes, on PyTorch's own losses."""
    for a, b in itertools.pairwise(rng.normal(scale=3, size=(40, *given))):
        first, second, middle = (float(peer(torch.tensor(x))) for x in (a, b, (a + b) / 2))
        assert middle <= (first + second) / 2 + 1e-9


def test_an_own_loss_has_all_of_it():
    with pytest.warns(sd.DigitsWarning):
        welsch = sd.loss("own_welsch", lambda t, y: 1 - sd.exp(-((t - y) ** 2) / 2))
    made = sd.properties(welsch)
    (section,) = made.sections
    assert section.of == "y − t, for every target" and str(section.range) == "[0, 1)"
    assert made.convex.value is False and str(section.bend) == "neither: its bend changes at −1, 1"
    assert float(section.lipschitz.value) == pytest.approx(math.exp(-0.5), rel=1e-12)
    assert made.to_json()["sections"][0]["range"]["is"] == "[0, 1)" and "own_welsch" in str(made)


def test_a_logarithm_with_a_pole_at_both_ends():
    """By hand: 0 at (1/2, 1/2), 3/2 log 2 − 3/4 log 3 at (0, 1): the entropy of (1/4, 3/4) less half of log 2."""
    (section,) = sd.properties("jensen_shannon").sections
    (span,) = section.range.value
    assert (span.low.exact, span.low_closed, span.high_closed) == (0, True, False)
    assert float(span.high) == pytest.approx(1.5 * math.log(2) - 0.75 * math.log(3), rel=1e-14)
    assert str(section.minimum) == "0 at {1/2}" and str(section.monotone) == "neither: it rises from 1/2"


@pytest.mark.filterwarnings("ignore::symdl.testing.digits.DigitsWarning")
def test_a_pole_within_the_line_is_not_passed_over():
    """s log s² has the pole of its slope at 0, where no switch turns: nothing is claimed of it."""
    made = sd.properties(sd.loss("own_pole", lambda t, y: (y - t) * sd.log((y - t) ** 2)))
    (section,) = made.sections
    assert not section.range and not section.monotone and not section.minimum
    assert "own_pole, s = y − t, for every target: s*log(s**2)" in str(made)


@pytest.mark.filterwarnings("ignore::symdl.testing.digits.DigitsWarning")
def test_where_a_proof_ends_is_said():
    made = sd.properties(sd.loss("own_beat", lambda t, y: (y - t) * sd.sin(y - t) + sd.exp(y - t)))
    assert "undecided: " in str(made.sections[0].range) and PATIENCE < 10


def test_a_function_without_a_value_at_0_has_none():
    assert "undecided: it has no value there" in str(sd.properties(sd.activation("own_pole", lambda s: 1 / s)).at_zero)
