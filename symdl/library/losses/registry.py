"""The losses by name, and how one of one's own is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy

from symdl.errors import DefinitionError, one_of
from symdl.library.losses import binary, classes, distances, divergences, regions, regression
from symdl.library.losses.pointwise import pointwise
from symdl.library.losses.record import Family, Loss
from symdl.library.spelling import known

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
    if name in LOSSES:
        raise DefinitionError(f"loss '{name}' is in the library", remedy="choose another name")
    return pointwise(name, definition, facts=facts, source=source, kink=kink, careful=careful).chosen(**options)
