"""Sums of products in exact arithmetic: numbers that mpmath has as whole numbers with one exponent for all of them.

mpmath multiplies and adds one number at a time, each with an exponent of its own, and rounds the sum once. With one
exponent for all, products and sums are those of Python's integers, and the rounded sum is the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import mpmath
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

#: How many times as long as the numbers of the arithmetic a whole number may be; longer ones cost more than they save.
LONGER = 4


class Whole(NamedTuple):
    """The numbers entry·2^exponent, in the shape of `entries`, an array of integers of any length."""

    entries: Array
    exponent: int


def whole(values: Array) -> Whole | None:
    """Numbers as whole ones; None where one of them is not finite, or where their sizes are too different.

    >>> found = whole(np.array([mpmath.mpf(3) / 4, mpmath.mpf(-2), 5], dtype=object))
    >>> found.entries.tolist(), found.exponent
    ([3, -8, 20], -2)
    """
    parts = [_parts(v) for v in values.ravel().tolist()]
    lengths = [(exponent, exponent + count) for _, digits, exponent, count in parts if digits]
    if any(exponent and not digits for _, digits, exponent, _ in parts):
        return None  # an infinity or NaN, as mpmath writes them
    lowest = min((low for low, _ in lengths), default=0)
    if max((high for _, high in lengths), default=0) - lowest > LONGER * mpmath.mp.prec:
        return None
    made = np.empty(len(parts), dtype=object)
    made[:] = [(-d if negative else d) << (e - lowest) if d else 0 for negative, d, e, _ in parts]
    return Whole(made.reshape(values.shape), lowest)


def _parts(value: Any) -> tuple[int, int, int, int]:
    """Whether it is negative, its binary digits as a whole number, their exponent, and how many there are."""
    if isinstance(value, int):
        return int(value < 0), abs(value), 0, value.bit_length()
    sign, digits, exponent, count = value._mpf_
    return sign, digits, exponent, count


def sums_of_products(left: Whole, right: Whole, ends: Sequence[int]) -> list[Any]:
    """Σ left·right from each of `ends` up to the next, each rounded once to the digits of the arithmetic.

    >>> a = whole(np.array([mpmath.mpf(1) / 2, mpmath.mpf(3), mpmath.mpf(4)], dtype=object))
    >>> [float(s) for s in sums_of_products(a, a, [0, 2, 2, 3])]
    [9.25, 0.0, 16.0]
    """
    products, exponent = (left.entries * right.entries).tolist(), left.exponent + right.exponent
    return [mpmath.mpf((sum(products[i:j]), exponent)) for i, j in itertools.pairwise(ends)]
