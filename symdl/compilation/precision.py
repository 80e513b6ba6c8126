"""The precision in which a GPU multiplies matrices: that of the numbers, or factors with fewer digits on request."""

from __future__ import annotations

from typing import Literal

from symdl.errors import DefinitionError, UnsupportedError

Precision = Literal["exact", "tf32", "bfloat16"]

#: Bits of the fraction that factors keep, by what is asked for: those of TF32 (NVIDIA, "CUDA C++ Programming Guide",
#: alternate floating point) and of bfloat16.
FRACTION: dict[str, int] = {"tf32": 10, "bfloat16": 7}
PRECISIONS = ("exact", *FRACTION)
#: What a sum in float32 loses by one addition, relative to its terms: tensor cores cut off where others round.
ADDED = 2.0**-23


def lost(products: str, terms: int) -> float:
    """The largest error of a sum of products of rounded factors, relative to Σ |a b|.

    A factor a becomes a(1 + e) with |e| ≤ u = 2^−bits, whether it is rounded to nearest (|e| ≤ u/2) or cut off; each of
    the additions in float32 changes a term by one part in 2²³ at the most: (1 + u)²(1 + 2^−23)^terms − 1.

    >>> f"{lost('tf32', 1):.3e} {lost('bfloat16', 1):.3e} {lost('exact', 1):.3e}"
    '1.954e-03 1.569e-02 1.192e-07'
    """
    unit = 2.0 ** -FRACTION[products] if products in FRACTION else 0.0
    return float((1 + unit) ** 2 * (1 + ADDED) ** terms - 1)


def check_precision(products: str, dtype: str, target: str) -> None:
    """Refuse what can't be asked for.

    Raises:
        DefinitionError: an unknown name.
        UnsupportedError: rounded factors on the processor, or of float64.
    """
    if products not in PRECISIONS:
        raise DefinitionError(f"no products '{products}'", where="compile", remedy=f"one of {', '.join(PRECISIONS)}")
    if products == "exact":
        return
    if target != "cuda":
        raise UnsupportedError(
            f"products='{products}' is not there for the target '{target}'",
            where="compile",
            why="only GPUs multiply factors with fewer digits faster",
            remedy="compile with target='cuda', or leave out products",
        )
    if dtype != "float32":
        raise UnsupportedError(
            f"products='{products}' is not there for {dtype}",
            where="compile",
            why="factors of float32 are rounded, and added up in float32",
            remedy="compile with dtype='float32', or leave out products",
        )
