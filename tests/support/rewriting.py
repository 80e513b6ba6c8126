"""Ways of writing one sum."""

from __future__ import annotations

import random

import sympy

from symdl.core.indices import Index
from symdl.core.tensors import reduction


def nested(factors: list[sympy.Expr], bound: list[Index], rng: random.Random) -> sympy.Expr:
    """Σ over `bound` of the product of `factors`, as sums inside sums: in random order, at random depths."""
    bound = list(bound)
    rng.shuffle(bound)
    while bound:
        cut = rng.randint(1, len(bound))
        inner, bound = bound[:cut], bound[cut:]
        under = [f for f in factors if f.free_symbols & set(inner) or rng.random() < 0.3]
        factors = [f for f in factors if f not in under] + [reduction("sum", sympy.Mul(*under), inner)]
    return sympy.Mul(*factors)
