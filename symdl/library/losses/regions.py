"""Losses of overlap: of masks (Dice, Tversky) and of boxes (intersection over union).

>>> [f.name for f in FAMILIES]
['dice', 'tversky', 'iou', 'giou']
"""

from __future__ import annotations

from collections.abc import Callable

import sympy

from symdl.core.builder import Declared
from symdl.core.define import Input, Sum, let, maximum, minimum
from symdl.core.tensors import Tensor
from symdl.errors import ShapeError
from symdl.library.losses.binary import positive_part
from symdl.library.losses.parameters import Parameters
from symdl.library.losses.record import Family, Loss, checked


def dice(*, squared: bool = False, smooth: float | None = None, reduction: str = "mean") -> Loss:
    """1 − (2 Σ t p + s)/(Σ t + Σ p + s), over the places k of one example; `squared` sums t² and p² instead.

    It is written as D/(Σ t + Σ p + s) with D = Σ t (1 − p) + (1 − t) p, or Σ (t − p)², which keeps its digits where p
    is nearly t.

    Args:
        squared: as V-Net has it.
        smooth: s, so that an empty mask has a loss; None leaves it a hyperparameter.
        reduction: one of `REDUCTIONS`.
    """
    made = Parameters("dice", {"smooth": "positive"}, smooth=smooth)

    def value(t: Tensor, p: Tensor, *others: Tensor) -> sympy.Expr:
        s = made.values(others)["smooth"]
        n, k = p.indices
        power = 2 if squared else 1
        apart = (t[n, k] - p[n, k]) ** 2 if squared else t[n, k] * (1 - p[n, k]) + (1 - t[n, k]) * p[n, k]
        difference = let("D[n]", Sum(apart, k))
        size = let("U[n]", Sum(t[n, k] ** power + p[n, k] ** power, k))
        return difference[n] / (size[n] + s)

    source = "Milletari, Navab and Ahmadi 2016 (arXiv 1606.04797), section 3; Sudre et al. 2017 for sums of p"
    return Loss("dice", _masks(made), value, False, checked(reduction), source=source, careful=squared)


def tversky(
    *,
    alpha: float | None = None,
    beta: float | None = None,
    smooth: float | None = None,
    reduction: str = "mean",
) -> Loss:
    """1 − (TP + s)/(TP + α FP + β FN + s) with TP = Σ t p, FP = Σ (1 − t) p, FN = Σ t (1 − p).

    It is written as (α FP + β FN)/(TP + α FP + β FN + s), which keeps its digits where p is nearly t.
    """
    facts = dict.fromkeys(("alpha", "beta", "smooth"), "positive")
    made = Parameters("tversky", facts, alpha=alpha, beta=beta, smooth=smooth)

    def value(t: Tensor, p: Tensor, *others: Tensor) -> sympy.Expr:
        given = made.values(others)
        n, k = p.indices
        hit = let("TP[n]", Sum(t[n, k] * p[n, k], k))
        false = let("FP[n]", Sum((1 - t[n, k]) * p[n, k], k))
        missed = let("FN[n]", Sum(t[n, k] * (1 - p[n, k]), k))
        wrong = given["alpha"] * false[n] + given["beta"] * missed[n]
        return wrong / (hit[n] + wrong + given["smooth"])

    source = "Salehi, Erdogmus and Gholipour 2017 (arXiv 1706.05721), equation 3"
    return Loss("tversky", _masks(made), value, False, checked(reduction), source=source)


def _masks(made: Parameters) -> dict[str, Declared]:
    return {"t": Input("n k", facts=["binary"]), "p": Input("n k", facts=["fraction"]), **made.open}


def iou(*, eps: float | None = 1e-7, reduction: str = "mean") -> Loss:
    """1 − I/(U + ε): the area that two boxes share, over the area that they cover."""
    made = Parameters("iou", {"eps": "positive"}, eps=eps)

    def value(t: Tensor, y_hat: Tensor, *others: Tensor) -> sympy.Expr:
        n, _ = y_hat.indices
        shared, covered, _ = _areas(t, y_hat)
        return 1 - shared[n] / (covered[n] + made.values(others)["eps"])

    return Loss("iou", _boxes(made), value, False, checked(reduction), source=_IOU, kink=_KINK, careful=True)


def giou(*, eps: float | None = 1e-7, reduction: str = "mean") -> Loss:
    """1 − I/(U + ε) + (C − U)/(C + ε), C being the area of the smallest box around both.

    C − U, what lies in that box and in neither of the two, is written as D = a_t b_y + a_y b_t + I − u v: a and b are
    by how much each box is wider and higher than what they share, u and v how wide and how high that is, below 0 for
    a gap. It is no difference of areas that are nearly the same.
    """
    made = Parameters("giou", {"eps": "positive"}, eps=eps)

    def value(t: Tensor, y_hat: Tensor, *others: Tensor) -> sympy.Expr:
        eps = made.values(others)["eps"]
        n, _ = y_hat.indices
        shared, covered, (u, v) = _areas(t, y_hat)
        around = _sides("wh", t, y_hat, maximum, minimum)
        hull = let("C[n]", around[0] * around[1])
        (a_t, a_y), (b_t, b_y) = (_beyond(name, t, y_hat, axis) for axis, name in enumerate("ab"))
        neither = let("D[n]", a_t * b_y + a_y * b_t + shared[n] - u * v)
        return 1 - shared[n] / (covered[n] + eps) + neither[n] / (hull[n] + eps)

    source = "Rezatofighi et al. 2019 (arXiv 1902.09630), algorithm 1"
    return Loss("giou", _boxes(made), value, False, checked(reduction), source=source, kink=_KINK, careful=True)


_Extreme = Callable[..., sympy.Expr]
_IOU = "Jaccard 1912; Yu et al. 2016 (arXiv 1608.01471) as a loss"
_KINK = "slope 0 where boxes touch, the mean of both slopes where their sides lie on each other, as PyTorch has it"


def _areas(t: Tensor, y_hat: Tensor) -> tuple[Tensor, Tensor, tuple[sympy.Expr, ...]]:
    """The area that two boxes share, the area that they cover, and the sides of the former; corners are (left, top,
    right, bottom)."""
    n, c = y_hat.indices
    if c.extent != 4 or t.indices[1].extent != 4:
        raise ShapeError(
            f"{y_hat.element()} is no box",
            why=f"index {c.name} has extent {c.extent}, and a box is left, top, right, bottom",
            remedy="give the last layer 4 units",
        )
    sides = _sides("uv", t, y_hat, minimum, maximum)
    shared = let("I[n]", positive_part(sides[0], kink="left") * positive_part(sides[1], kink="left"))
    sizes = [(x[n, 2] - x[n, 0]) * (x[n, 3] - x[n, 1]) for x in (t, y_hat)]
    return shared, let("U[n]", sizes[0] + sizes[1] - shared[n]), sides


def _beyond(name: str, t: Tensor, y_hat: Tensor, axis: int) -> tuple[sympy.Expr, sympy.Expr]:
    """By how much the first box, and the second, reaches beyond the other along an axis, at both ends together."""
    n = y_hat.indices[0]
    low, high = (t[n, axis + c] - y_hat[n, axis + c] for c in (0, 2))
    first, second = (positive_part(s * high, kink="mid") + positive_part(-s * low, kink="mid") for s in (1, -1))
    return let(f"{name}_t[{n.name}]", first)[n], let(f"{name}_y[{n.name}]", second)[n]


def _sides(names: str, t: Tensor, y_hat: Tensor, upper: _Extreme, lower: _Extreme) -> tuple[sympy.Expr, ...]:
    """Width and height between the one of two upper corners that `upper` takes and the one of two lower corners."""
    n = y_hat.indices[0]

    def side(name: str, a: int) -> sympy.Expr:
        ends = [which(t[n, a + c], y_hat[n, a + c], kink="mid") for c, which in ((2, upper), (0, lower))]
        return let(f"{name}[{n.name}]", ends[0] - ends[1])[n]

    return tuple(side(name, a) for a, name in enumerate(names))


def _boxes(made: Parameters) -> dict[str, Declared]:
    return {"t": Input("n c=4", facts=["box"]), "y_hat": Input("n c=4", facts=["box"]), **made.open}


FAMILIES = (
    Family("dice", "one minus the Dice coefficient of a mask and probabilities", dice, {"smooth": 1}),
    Family(
        "tversky",
        "the Dice loss with weights for what is found in vain and what is missed",
        tversky,
        {"alpha": sympy.Rational(3, 10), "beta": sympy.Rational(7, 10), "smooth": 1},
    ),
    Family("iou", "one minus intersection over union of boxes", iou),
    Family("giou", "the same, with a slope for boxes that are apart", giou),
)
