"""Sums of products as whole numbers, against fractions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest

from symdl.compilation.targets.exactsums import LONGER, sums_of_products, whole


def objects(values: list[Any]) -> np.ndarray[Any, Any]:
    made = np.empty(len(values), dtype=object)
    made[:] = values
    return made


def test_sums_are_those_of_fractions_rounded_once() -> None:
    rng = np.random.default_rng(5)
    a, b = (rng.normal(size=40) * 10.0 ** rng.integers(-6, 6, size=40) for _ in range(2))
    ends = [0, 7, 7, 23, 40]
    with mpmath.workdps(50):
        left, right = (whole(objects([mpmath.mpf(v) for v in values])) for values in (a, b))
        assert left is not None and right is not None
        found = sums_of_products(left, right, ends)
        for i, j, sum_ in zip(ends, ends[1:], found, strict=False):
            exact = sum((Fraction(x) * Fraction(y) for x, y in zip(a[i:j], b[i:j], strict=True)), Fraction(0))
            assert sum_ == mpmath.mpf(exact.numerator) / exact.denominator


def test_integers_and_negative_numbers_keep_their_values_and_shape() -> None:
    found = whole(np.array([[3, mpmath.mpf("-0.25")], [mpmath.mpf(0), -7]], dtype=object))
    assert found is not None
    assert (found.entries * Fraction(2) ** found.exponent).tolist() == [[3, Fraction(-1, 4)], [0, -7]]


@pytest.mark.parametrize("value", [mpmath.inf, -mpmath.inf, mpmath.nan])
def test_what_is_not_finite_is_no_whole_number(value: Any) -> None:
    assert whole(objects([mpmath.mpf(1), value])) is None


def test_sizes_that_are_too_different_have_no_common_exponent() -> None:
    bits = LONGER * mpmath.mp.prec
    assert whole(objects([mpmath.mpf(1), mpmath.ldexp(1, -bits)])) is None
    assert whole(objects([mpmath.mpf(1), mpmath.ldexp(1, 1 - bits)])) is not None
