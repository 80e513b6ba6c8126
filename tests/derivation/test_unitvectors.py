"""Differences of unit vectors: the rewriting is proved, and one that is wrong is refuted."""

from __future__ import annotations

from dataclasses import replace

import mpmath
import pytest

import symdl as sd
from symdl.derivation.unitvectors import with_factored_unit_vectors


def slopes(**options):
    """All slopes of the triplet margin by its three points, for any slope of the loss."""
    loss = sd.definition("triplet_margin", reduction="none", margin=1, **options)
    return sd.derive(sd.seeded(loss), wrt=["a", "p", "q"]).gradient


@pytest.mark.parametrize("swap", [False, True])
def test_the_products_are_the_difference(swap):
    written = slopes(swap=swap)
    factored = with_factored_unit_vectors(written)
    assert sum(eq.name.startswith("V") for eq in factored.equations) == 1 + swap
    assert sd.equal(written, factored).require().status == "proved"


def test_a_wrong_product_is_refuted():
    factored = with_factored_unit_vectors(slopes())
    (term,) = factored.by_name["V"].terms
    wrong = replace(factored.by_name["V"], terms=(replace(term, body=2 * term.body),))
    equations = tuple(wrong if eq.name == "V" else eq for eq in factored.equations)
    assert sd.equal(slopes(), replace(factored, equations=equations)).status == "refuted"


def test_directions_from_a_far_point_keep_their_digits():
    """Both unit vectors are (1, 0) to 200 digits; what is left of them is not."""
    code = sd.compile(sd.seeded(sd.definition("triplet_margin", reduction="none")), wrt=["a"])
    a, p, q = [1e200, 0.5], [3.0, -0.25], [-2.0, 0.75]
    slope = code.gradient(a=[a], p=[p], q=[q], L_bar=[1.0], margin=1e3)["a"][0]
    with mpmath.workdps(900):
        u, v = ([mpmath.mpf(x) - y + mpmath.mpf(10) ** -6 for x, y in zip(a, o, strict=True)] for o in (p, q))
        exact = [s / mpmath.norm(u) - t / mpmath.norm(v) for s, t in zip(u, v, strict=True)]
    assert all(abs(s - t) <= abs(t) * 2.0**-51 for s, t in zip(slope, map(float, exact), strict=True)), (slope, exact)


def test_what_is_no_difference_of_unit_vectors_stays():
    for definition in (
        sd.definition("triplet_margin", power=3),
        sd.definition("cosine_embedding"),
        sd.definition("iou"),
    ):
        assert with_factored_unit_vectors(definition) is definition
