"""Losses of vectors that should be near each other, or far apart: pairs, triplets, rankings, contrasts.

>>> margin_ranking(1, 3, 5, margin=1)
3
"""

from __future__ import annotations

from typing import Any

import sympy

from symdl.core.define import Input, Sum, absolute, let, log, minimum, sqrt
from symdl.core.tensors import Element, Tensor
from symdl.errors import DefinitionError
from symdl.library.activations import softmax
from symdl.library.losses.binary import positive_part
from symdl.library.losses.parameters import Parameters
from symdl.library.losses.pointwise import pointwise
from symdl.library.losses.record import Family, Loss, checked


def margin_ranking(t: Any, x1: Any, x2: Any, margin: Any = 0) -> sympy.Expr:
    """max(0, m − t (x₁ − x₂)): x₁ is to be above x₂ where t is 1, below where it is −1."""
    return positive_part(margin - t * (x1 - x2), kink="right")


def cosine_embedding(*, margin: float | None = None, eps: float | None = 1e-12, reduction: str = "mean") -> Loss:
    """1 − cos(x₁, x₂) where t is 1, max(0, cos(x₁, x₂) − m) where it is −1; ε is added to both squared lengths."""
    made = Parameters("cosine_embedding", {"eps": "positive"}, margin=margin, eps=eps)

    def value(t: Tensor, x1: Tensor, x2: Tensor, *others: Tensor) -> sympy.Expr:
        given = made.values(others)
        n, d = x1.indices
        lengths = [let(f"{name}[n]", Sum(x[n, d] ** 2, d) + given["eps"]) for name, x in (("A", x1), ("B", x2))]
        product = let("D[n]", Sum(x1[n, d] * x2[n, d], d))
        cosine = let("s[n]", product[n] / sqrt(lengths[0][n] * lengths[1][n]))
        apart = positive_part(cosine[n] - given["margin"], kink="right")
        return (1 + t[n]) / 2 * (1 - cosine[n]) + (1 - t[n]) / 2 * apart

    inputs = {"t": Input("n", facts=["sign"]), "x1": Input("n d"), "x2": Input("n d"), **made.open}
    source = "Payne et al. 2006 for the cosine; the loss of that name in PyTorch"
    return Loss(
        "cosine_embedding",
        inputs,
        value,
        False,
        checked(reduction),
        source=source,
        careful=True,
        kink="slope 1 by the cosine where it is the margin, as PyTorch's clamp has it",
    )


def _distance(a: Element, b: Element, over: Any, power: int, eps: sympy.Expr) -> sympy.Expr:
    """(Σ |a − b + ε|^p)^{1/p}."""
    difference = a - b + eps
    size = difference if power % 2 == 0 else absolute(difference, kink="mid")
    total = Sum(size**power, over)
    return total if power == 1 else sqrt(total) if power == 2 else total ** sympy.Rational(1, power)


def triplet_margin(
    *,
    power: int = 2,
    swap: bool = False,
    margin: float | None = None,
    eps: float | None = 1e-6,
    reduction: str = "mean",
) -> Loss:
    """max(0, d(a, p) − d(a, q) + m): an anchor is to be nearer to its like p than to another q.

    Args:
        power: p of the distance (Σ |x − y + ε|^p)^{1/p}, a whole number from 1.
        swap: whether d(p, q) counts for d(a, q) where it is less.
        margin, eps: m and ε; None leaves one a hyperparameter.
        reduction: one of `REDUCTIONS`.

    Raises:
        DefinitionError: an option out of range.
    """
    if isinstance(power, bool) or not isinstance(power, int) or power < 1:
        raise DefinitionError(f"power={power!r}", where="triplet_margin", remedy="give a whole number from 1")
    made = Parameters("triplet_margin", {"margin": "positive", "eps": "positive"}, margin=margin, eps=eps)

    def value(a: Tensor, p: Tensor, q: Tensor, *others: Tensor) -> sympy.Expr:
        given = made.values(others)
        n, d = a.indices
        near = let("d_p[n]", _distance(a[n, d], p[n, d], d, power, given["eps"]))
        far = let("d_q[n]", _distance(a[n, d], q[n, d], d, power, given["eps"]))
        least = far[n]
        if swap:
            other = let("d_pq[n]", _distance(p[n, d], q[n, d], d, power, given["eps"]))
            least = minimum(far[n], other[n], kink="mid")
        return positive_part(near[n] - least + given["margin"], kink="right")

    inputs = {"a": Input("n d"), "p": Input("n d"), "q": Input("n d"), **made.open}
    return Loss(
        "triplet_margin",
        inputs,
        value,
        False,
        checked(reduction),
        source="Balntas et al. 2016, section 2.2",
        careful=True,
        kink="slope 1 on the margin, as PyTorch's clamp has it; with swap the mean of both slopes at equal distances",
    )


def info_nce(
    *, normalise: bool = False, symmetric: bool = False, tau: float | None = None, reduction: str = "mean"
) -> Loss:
    """−log of the softmax of q·k/τ over all k, at the k of the same example; the others are what it is told from.

    Args:
        normalise: whether q and k are divided by their lengths, so that q·k is a cosine.
        symmetric: whether the mean with the same loss of k among all q is taken, as CLIP has it.
        tau: the temperature; None leaves it a hyperparameter.
        reduction: one of `REDUCTIONS`.
    """
    made = Parameters("info_nce", {"tau": "positive"}, tau=tau)

    def value(q: Tensor, k: Tensor, *others: Tensor) -> sympy.Expr:
        n, d = q.indices
        m = k.indices[0]
        if normalise:
            q, k = (_normalised(x, name) for x, name in ((q, "u"), (k, "v")))
        s = let("s[n,m]", Sum(q[n, d] * k[m, d], d) / made.values(others)["tau"])
        p = let("p[n,m]", softmax(s[n, m], m))
        if not symmetric:
            return -log(p[n, n])
        r = let("r[n,m]", softmax(s[n, m], n))
        return -(log(p[n, n]) + log(r[n, n])) / 2

    inputs = {"q": Input("n d"), "k": Input("m=n d"), **made.open}
    source = "van den Oord, Li and Vinyals 2018 (arXiv 1807.03748), equation 4; Radford et al. 2021 for symmetric"
    return Loss(
        "info_nce", inputs, value, False, checked(reduction), between_examples=True, source=source, careful=True
    )


def _normalised(x: Tensor, name: str) -> Tensor:
    row, d = x.indices
    length = let(f"{name}_length[{row.name}]", sqrt(Sum(x[row, d] ** 2, d)))
    return let(f"{name}[{row.name},d]", x[row, d] / length[row])


FAMILIES = (
    pointwise(
        "margin_ranking",
        margin_ranking,
        "how far two scores are from the right order",
        facts={"t": "sign"},
        source="Herbrich, Graepel and Obermayer 2000; the loss of that name in PyTorch",
        kink="slope of the sloping side on the margin, as PyTorch's clamp has it",
    ),
    Family(
        "cosine_embedding",
        "one minus the cosine of alike vectors, the cosine beyond a margin of others",
        cosine_embedding,
        {"margin": 0},
    ),
    Family(
        "triplet_margin",
        "how much farther an anchor is from its like than from another, with a margin",
        triplet_margin,
        {"margin": 1},
    ),
    Family(
        "info_nce",
        "cross-entropy of telling the partner of a vector from those of all others",
        info_nce,
        {"tau": sympy.Rational(7, 100)},
    ),
)
