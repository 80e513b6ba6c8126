"""The losses by name, and how one of one's own is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy

from symdl.errors import DefinitionError, one_of
from symdl.library.losses import binary, classes, distances, divergences, regions, regression
from symdl.library.losses.pointwise import pointwise
from symdl.library.losses.record import Family, Loss
from symdl.library.spelling import known, refuse_taken
from symdl.library.tried import tried

#: In the order of `symdl list`.
_FAMILIES: tuple[Family, ...] = (
    *regression.FAMILIES,
    *binary.FAMILIES,
    *classes.FAMILIES,
    *distances.FAMILIES,
    *divergences.FAMILIES,
    *regions.FAMILIES,
)

LOSSES = {family.name: family for family in _FAMILIES}
ENTRIES = tuple(family.entry for family in _FAMILIES)


def loss(
    name: str,
    definition: Callable[..., sympy.Expr] | None = None,
    *,
    source: str = "the author",
    kink: str = "",
    facts: dict[str, str] | None = None,
    careful: bool = False,
    **options: Any,
) -> Loss:
    """The loss of that name with options; with a `definition`, a new one of the author's own.

    Args:
        name: of a loss of the library (`symdl list` shows them with their options; "MSE" will do), or a new one.
        definition: target, prediction and parameters → the loss of one entry. Functions with a kink are written with
            `sd.switch`, `sd.maximum` or `sd.absolute` and a stated policy.
        source, kink: where the formula is from, and what was decided at a kink, in words.
        facts: what is stated of the arguments of `definition`, by name: {"t": "binary"}.
        careful: whether the new loss by itself is compiled with twice the digits (see `symdl.compile`).
        options: `reduction` (one of "mean", "batchmean", "sum", "none"), `axes`, and the parameters of the loss.

    Returns:
        What `sd.sequential(…, loss=…)` takes; `.definition()` is the loss by itself, to derive, prove and compile.

    >>> cubic = loss("cubic", lambda t, y, a=1: a * (t - y) ** 4, a=3)
    >>> cubic.definition()
    cubic(t[n], y[n]) -> L:
        L = Sum_{n}(3*(t[n] - y[n])**4/N)
    >>> loss("l2", reduction="sum").definition()
    l2(t[n], y_hat[n]) -> L:
        L = Sum_{n}((t[n] - y_hat[n])**2)

    Raises:
        DefinitionError: no loss of that name, one of the library is defined anew, or an option that it does not have.
    """
    if definition is None:
        name = known(name, LOSSES)
        if name not in LOSSES:
            raise DefinitionError(
                f"no loss '{name}'",
                remedy=one_of(name, LOSSES, f"define it: sd.loss('{name}', lambda t, y: …)"),
            )
        return LOSSES[name].chosen(**options)
    refuse_taken("loss", name, LOSSES)
    made = pointwise(name, definition, facts=facts, source=source, kink=kink, careful=careful).chosen(**options)
    _tried(made, definition)
    return made


def _tried(made: Loss, definition: Callable[..., sympy.Expr]) -> None:
    """Write the definition once, so that what is wrong with it is said here and not in a network.

    Raises:
        DefinitionError: it fails, gives no scalar expression, or does not depend on the prediction.
        KinkError: a kink without a policy.
    """
    where = f"loss {made.name}"
    tensors = {n: sympy.Symbol(n, real=True) for n in made.inputs}
    value = tried(where, lambda: made.value(*map(_Scalar, tensors.values())), list(tensors.values()), _PARAMETER)
    target, prediction, *_ = tensors.values()
    if not value.has(prediction):
        raise DefinitionError(
            f"its value, {value}, does not depend on {prediction}",
            where=where,
            why=f"{target} is the target and {prediction} the prediction: nothing could be learned",
            remedy="write the target first: lambda t, y: (t - y)**2",
        )
    made.definition()


_PARAMETER = "make it a parameter with its usual value: lambda t, y, {}=1: …"


class _Scalar:
    """A symbol in the place of the entry of a tensor."""

    def __init__(self, symbol: sympy.Symbol) -> None:
        self.symbol = symbol

    def element(self) -> sympy.Symbol:
        return self.symbol
