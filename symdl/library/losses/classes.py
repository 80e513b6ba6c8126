"""Losses of several classes: the target is the number of a class, or a probability for each.

>>> softmax_cross_entropy(target="classes").definition()
softmax_cross_entropy(z[n, k], c[n]) -> L:
    S[n] = Sum_{k}(exp(z[n, k]))
    p[n, k] = exp(z[n, k])/S[n]
    L = Sum_{n}(-log(p[n, c[n]])/N)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import sympy

from symdl.core.builder import Declared
from symdl.core.define import Hyper, Input, Sum, delta, exp, in_range, let, log
from symdl.core.tensors import Element, Tensor
from symdl.errors import DefinitionError
from symdl.library.losses.binary import positive_part
from symdl.library.losses.parameters import number
from symdl.library.losses.record import Family, Loss, checked
from symdl.library.naming import left

TARGETS = ("probabilities", "classes")


@dataclass(frozen=True)
class _Choice:
    """The options that losses of classes share.

    Args:
        where: the name of the loss.
        target: "classes" for the number of a class, "probabilities" for a probability of each class.
        weights: whether each class has a weight of its own.
        smoothing: ε: the target becomes (1 − ε) y + ε/K; None where it is a hyperparameter.
        ignore: the number that stands for an example without a target.
    """

    where: str
    target: str
    weights: bool = False
    smoothing: sympy.Expr | None = sympy.S.Zero
    ignore: int | None = None

    def __post_init__(self) -> None:
        if self.target not in TARGETS:
            raise DefinitionError(f"no target '{self.target}'", where=self.where, remedy=f"one of {', '.join(TARGETS)}")
        if self.ignore is not None and self.target != "classes":
            raise DefinitionError(
                "ignore_index without classes",
                where=self.where,
                why="it is the number of no class",
                remedy="say target='classes'",
            )

    def inputs(self, prediction: str, facts: tuple[str, ...]) -> dict[str, Declared]:
        by_class = {"c": Input("n", integer=True)} if self.target == "classes" else {"y": Input("n k", facts=_SHARES)}
        made = {**by_class, prediction: Input("n k", facts=facts)}
        if self.weights:
            made["w"] = Hyper("k", facts=["positive"])
        if self.smoothing is None:
            made["eps"] = Hyper(facts=["fraction"])
        return made

    def value(self, y: Tensor, x: Tensor, others: tuple[Tensor, ...], loss: Callable[[Element], sympy.Expr]) -> Any:
        """Σ_k of weight · target · loss(prediction), for one example; with its weight in a mean where it has one."""
        rest = list(others)
        w = rest.pop(0) if self.weights else None
        epsilon = self.smoothing if self.smoothing is not None else rest.pop(0).element()
        n, k = x.indices
        weight = w[k] if w is not None else sympy.S.One
        share = epsilon / k.extent

        def smoothed(target: sympy.Expr) -> sympy.Expr:
            return let(left("q", (n, k)), target)[n, k] if epsilon != 0 else target

        if self.target == "probabilities":
            return Sum(smoothed(weight * ((1 - epsilon) * y[n, k] + share)) * loss(x[n, k]), k)
        number, counts = y[n], self.counts(y[n], k.extent)
        own = counts * w[number] if w is not None else counts
        if epsilon == 0:
            value = own * loss(x[n, number])
        else:
            q = smoothed(weight * (counts * (1 - epsilon) * delta(k, number) + counts * share))
            value = Sum(q * loss(x[n, k]), k)
        return (value, own) if self.weights or self.ignore is not None else value

    def counts(self, number: Element, classes: sympy.Expr) -> sympy.Expr:
        """1 where an example has a target, else 0; then nothing is read at its number."""
        if self.ignore is None:
            return sympy.S.One
        within = in_range(number, classes)
        return within if self.ignore < 0 else within * (1 - delta(number, self.ignore))


_SHARES = ["sums_to_one"]


def cross_entropy(
    *,
    target: str = "probabilities",
    weights: bool = False,
    label_smoothing: float | None = 0,
    ignore_index: int | None = None,
    reduction: str = "mean",
) -> Loss:
    """−Σ_k w_k y_k log p_k, from probabilities p.

    Args:
        target: "probabilities": y[n, k]; "classes": c[n], the number of a class.
        weights: whether each class has a weight w[k]; the mean over classes by number is then Σ w L / Σ w.
        label_smoothing: ε: the target becomes (1 − ε) y + ε/K; None leaves it a hyperparameter.
        ignore_index: the number that stands for an example without a target; it counts nowhere.
        reduction: one of `REDUCTIONS`.

    Raises:
        DefinitionError: an option out of range.
    """
    epsilon = _smoothing(label_smoothing)
    choice = _Choice("cross_entropy", target, weights, epsilon, ignore_index)

    def value(y: Tensor, p: Tensor, *others: Tensor) -> Any:
        return choice.value(y, p, others, lambda probability: -log(probability))

    inputs = choice.inputs("p", ("positive",) if epsilon != 0 or target == "classes" else ())
    return Loss("cross_entropy", inputs, value, False, checked(reduction), source="L21 of the lecture")


def softmax_cross_entropy(
    *,
    target: str = "probabilities",
    weights: bool = False,
    label_smoothing: float | None = 0,
    ignore_index: int | None = None,
    reduction: str = "mean",
) -> Loss:
    """The cross-entropy of p = softmax(z), from scores z; options as for `cross_entropy`."""
    made = cross_entropy(
        target=target,
        weights=weights,
        label_smoothing=label_smoothing,
        ignore_index=ignore_index,
        reduction=reduction,
    )
    return replace(made, name="softmax_cross_entropy", probabilities=True, source="L20 and L21 of the lecture")


def nll(*, weights: bool = False, ignore_index: int | None = None, reduction: str = "mean") -> Loss:
    """−w_c x_c, from logarithms x of probabilities; options as for `cross_entropy`."""
    choice = _Choice("nll", "classes", weights, ignore=ignore_index)

    def value(c: Tensor, x: Tensor, *others: Tensor) -> Any:
        return choice.value(c, x, others, lambda logarithm: -logarithm)

    source = "the negative log-likelihood of a categorical distribution"
    return Loss("nll", choice.inputs("x", ()), value, False, checked(reduction), source=source)


def softmax_focal(*, weights: bool = False, gamma: float | None = None, reduction: str = "mean") -> Loss:
    """−w_c (1 − p_c)^γ log p_c with p = softmax(z): what is classified well counts less.

    1 − p_c is written as the sum of all other probabilities, and log p_c by the logarithm of a sum, since the slope of
    either loses its digits where p_c is nearly 1 or 0.
    """
    inputs = {"c": Input("n", integer=True), "z": Input("n k")}
    if weights:
        inputs["w"] = Hyper("k", facts=["positive"])
    if gamma is None:
        inputs["gamma"] = Hyper(facts=["positive"])

    def value(c: Tensor, z: Tensor, *others: Tensor) -> sympy.Expr:
        power = others[-1].element() if gamma is None else number("softmax_focal", "gamma", gamma, ["positive"])
        n, k = z.indices
        total = let("S[n]", Sum(exp(z[n, k]), k))
        p = let(left("p", (n, k)), exp(z[n, k]) / total[n])
        wrong = let("q[n]", Sum((1 - delta(k, c[n])) * p[n, k], k))
        surprise = let("l[n]", log(total[n]) - z[n, c[n]])
        return (others[0][c[n]] if weights else 1) * wrong[n] ** power * surprise[n]

    source = "Lin et al. 2017 (arXiv 1708.02002), equation 5, for several classes"
    return Loss("softmax_focal", inputs, value, False, checked(reduction), source=source, careful=True)


def multi_margin(
    *, power: int = 1, weights: bool = False, margin: float | None = None, reduction: str = "mean"
) -> Loss:
    """(1/K) Σ_{k ≠ c} w_c max(0, m − x_c + x_k)^p, of scores x.

    Raises:
        DefinitionError: a power that is neither 1 nor 2.
    """
    if power not in (1, 2):
        raise DefinitionError(f"power={power!r}", where="multi_margin", remedy="give 1 or 2")
    inputs = {"c": Input("n", integer=True), "x": Input("n k")}
    if weights:
        inputs["w"] = Hyper("k", facts=["positive"])
    if margin is None:
        inputs["m"] = Hyper(facts=["positive"])

    def value(c: Tensor, x: Tensor, *others: Tensor) -> sympy.Expr:
        n, k = x.indices
        m = others[-1].element() if margin is None else number("multi_margin", "margin", margin, [])
        weight = others[0][c[n]] if weights else sympy.S.One
        missing = positive_part(m - x[n, c[n]] + x[n, k], kink="left") ** power
        return Sum((1 - delta(k, c[n])) * weight * missing / k.extent, k)

    source = "Crammer and Singer 2001, with the sum over classes of Weston and Watkins 1999"
    return _margins("multi_margin", inputs, value, reduction, source)


def multilabel_margin(*, reduction: str = "mean") -> Loss:
    """(1/K) Σ_j Σ_k y_j (1 − y_k) max(0, 1 − (x_j − x_k)): every class that applies above every one that does not."""

    def value(y: Tensor, x: Tensor) -> sympy.Expr:
        n, k = x.indices
        j = k.fresh()
        pair = positive_part(1 - x[n, j] + x[n, k], kink="left")
        return Sum(y[n, j] * (1 - y[n, k]) * pair / k.extent, j, k)

    inputs = {"y": Input("n k", facts=["binary"]), "x": Input("n k")}
    source = "Weston and Watkins 1999, for several classes at once"
    return _margins("multilabel_margin", inputs, value, reduction, source)


def _margins(name: str, inputs: dict[str, Declared], value: Callable[..., Any], reduction: str, source: str) -> Loss:
    kink = "slope 0 on the margin"
    return Loss(name, inputs, value, False, checked(reduction), source=source, kink=kink, careful=True)


def _smoothing(epsilon: float | None) -> sympy.Expr | None:
    if epsilon is None or epsilon == 0:
        return None if epsilon is None else sympy.S.Zero
    return number("cross_entropy", "label_smoothing", epsilon, ["fraction"])


FAMILIES = (
    Family("cross_entropy", "cross-entropy of probabilities", cross_entropy),
    Family("softmax_cross_entropy", "cross-entropy of the softmax of scores", softmax_cross_entropy),
    Family("nll", "negative log-likelihood of a class, from logarithms of probabilities", nll),
    Family(
        "softmax_focal",
        "cross-entropy of the softmax of scores, less of it where the classification is right",
        softmax_focal,
        {"gamma": 2},
    ),
    Family("multi_margin", "how far the score of a class is from above all others", multi_margin, {"margin": 1}),
    Family("multilabel_margin", "how far the scores of some classes are from above all others", multilabel_margin),
)
