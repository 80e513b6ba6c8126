"""How accurate compiled functions are, over all numbers of a dtype.

>>> from symdl.library.activations import ACTIVATIONS
>>> made = sweep(ACTIVATIONS["relu"], points=200)
>>> made.passed, made.worst
(True, 0.0)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy
from flint import arb

from symdl.compilation.pipeline import DTYPES, compile
from symdl.core.define import Input, define, let
from symdl.core.definitions import Definition
from symdl.core.functions import Switch
from symdl.derivation.seeds import seeded
from symdl.errors import DefinitionError
from symdl.library.activations import ACTIVATIONS, ENTRIES, Activation, activation as named
from symdl.library.losses import LOSSES, Loss, loss
from symdl.testing import peers
from symdl.testing.conditions import magnitude
from symdl.testing.fields import sweep_fields
from symdl.testing.floats import around, between, crossings, grid, tidy
from symdl.testing.records import LIMIT, Accuracy, Swept, conditioned, summary
from symdl.testing.ulps import FORMATS, distances
from symdl.verification.real import UnclearError, UndefinedError
from symdl.verification.truth import Truth, opened

Array = npt.NDArray[Any]
Call = Callable[[Array], Array]

POINTS = 1500
#: An example of several positions stands for so many of one.
TOGETHER = 6
#: Points with the largest errors whose surroundings are looked at again, and how often.
AGAIN, ROUNDS = 8, 3
PARTS = ("value", "slope")


def sweep(
    which: Activation | Loss | str,
    *,
    dtypes: Sequence[str] = DTYPES,
    points: int = POINTS,
    peer: bool = False,
    **options: Any,
) -> Accuracy:
    """Compile a function and its slope, and compare both with their definition over all finite numbers.

    Args:
        which: an activation or a loss, or the name of one of the library.
        dtypes: "float64", "float32".
        points: about how many. Of one number: of the grid (see `symdl.testing.floats.grid`); kinks, roots and the
            surroundings of the largest errors come on top. Of several: examples (see `symdl.testing.examples`).
        peer: measure PyTorch's function and its slope on the same points, where it is installed and has them.
        options: of a loss that is named, other than its reduction.

    Raises:
        DefinitionError: no such function or dtype, or too few points.
    """
    if points < 12 or not set(dtypes) <= set(DTYPES):
        raise DefinitionError(
            f"no sweep of {points} points in {', '.join(dtypes)}", remedy=f"at least 12 points, {' or '.join(DTYPES)}"
        )
    if isinstance(which, Loss) or which in LOSSES or which in ACROSS:
        return _of_several(which, dtypes, points, peer, options)
    entry = with_values(named(which) if isinstance(which, str) else which)
    truths = truths_of(entry)
    rows = []
    for dtype in dtypes:
        functions = compiled(entry, dtype)
        other = peers.functions(entry.name, dtype) if peer else {}
        for part in PARTS:
            rows.append(measure(part, functions[part], truths, dtype, points, other.get(part)))
    return Accuracy(entry.name, tuple(rows))


def _of_several(which: Loss | str, dtypes: Sequence[str], points: int, peer: bool, options: dict[str, Any]) -> Accuracy:
    """A loss, or an activation of several numbers."""
    title = ", ".join([which if isinstance(which, str) else which.name, *(f"{n}={v}" for n, v in options.items())])
    other = peers.field(which, options) if peer and isinstance(which, str) else None
    if isinstance(which, str) and which in ACROSS:
        return sweep_fields(ACROSS[which].definition(), dtypes=dtypes, points=points, peer=other, title=title)
    chosen = loss(which, **options, reduction="none") if isinstance(which, str) else replace(which, reduction="none")
    return sweep_fields(
        chosen.definition(),
        dtypes=dtypes,
        points=points // TOGETHER if chosen.between_examples else points,
        peer=other,
        title=title,
        together=chosen.between_examples,
    )


def with_values(entry: Activation) -> Activation:
    """The activation with 1/4 for each parameter that has no value (a slope that is learned begins there)."""
    return entry.chosen(**{n: sympy.Rational(1, 4) for n, v in entry.parameters.items() if v is None})


#: Activations of several numbers.
ACROSS = {e.name: e for e in ENTRIES if e.name not in ACTIVATIONS}


def swept() -> tuple[str, ...]:
    """The names of the library's activations and losses, in the order of `symdl list`."""
    return (*ACTIVATIONS, *ACROSS, *LOSSES)


def truths_of(entry: Activation) -> dict[str, Truth]:
    """The value and the slope as the definition has them: no stated slope or stable form is looked at."""
    x = sympy.Symbol("x", real=True)
    definition = opened(sympy.sympify(entry.defined(x), strict=True))
    return {"value": Truth(definition, x), "slope": Truth(definition.diff(x), x)}


def compiled(entry: Activation, dtype: str) -> dict[str, Call]:
    """The value and the slope as networks compute them: the slope is what backpropagation multiplies by."""
    made = compile(summed(entry), wrt="s", dtype=dtype)  # type: ignore[arg-type]

    def value(x: Array) -> Array:
        return made(s=x, a_bar=np.ones_like(x))["a"]

    def slope(x: Array) -> Array:
        return np.broadcast_to(made.gradient(s=x, a_bar=np.ones_like(x))["s"], x.shape)

    return {"value": value, "slope": slope}


def summed(entry: Activation) -> Definition:
    """a[n] = f(s[n]) and L = Σ_n ā[n] a[n], so that the gradient by s is f'(s[n]) ā[n]."""

    def body(s: Any = Input("n")) -> Any:
        (n,) = s.indices
        return let("a[n]", entry(s[n]))

    body.__name__ = entry.name
    applied: Definition = define(body)
    return seeded(applied)


def measure(
    part: str, call: Call, truths: dict[str, Truth], dtype: str, points: int = POINTS, peer: Call | None = None
) -> Swept:
    """Compare one function with its true values.

    Args:
        part: a key of `truths`.
        call: an array of numbers to an array of numbers, of the dtype.
        truths: whose kinks and roots are tried as well.
        dtype, points: as for `sweep`.
        peer: another function to measure on the same points.
    """
    truth, known = truths[part], dict[float, arb | None]()
    x = grid(dtype, points, special(truths, dtype, points))
    values = _true(truth, x, dtype, known)
    x = tidy(np.concatenate([x, special_roots(values, truth, x, dtype)]), dtype)
    for _ in range(ROUNDS):
        off, _lost = distances(call(x), _true(truth, x, dtype, known), dtype)
        order = np.argsort(np.nan_to_num(off, nan=-1.0, posinf=0.0))
        x = tidy(np.concatenate([x, between(x, order[-AGAIN:].tolist())]), dtype)
    values = _true(truth, x, dtype, known)
    made = summary(part, dtype, x.tolist(), call(x), values, None if peer is None else peer(x))
    return made if made.passed else _conditioned(made, truth, x, call(x), values)


def _conditioned(made: Swept, truth: Truth, x: Array, got: Array, values: list[arb | None]) -> Swept:
    """The record with the largest errors in ulps of the sum of |terms| that the value is what is left of."""
    size = Truth(magnitude(truth.expr), truth.x)
    off, _ = distances(got, values, made.dtype)
    beyond = np.flatnonzero(off > LIMIT)
    sizes = _true(size, x[beyond], made.dtype, {})
    return conditioned(made, off[beyond], got[beyond], [values[k] for k in beyond], sizes)


def _true(truth: Truth, x: Array, dtype: str, known: dict[float, arb | None]) -> list[arb | None]:
    """The true values; None where the function has none. `known` keeps them."""
    for at in x.tolist():
        if at not in known:
            try:
                known[at] = truth(at, FORMATS[dtype].tight)
            except UndefinedError:
                known[at] = None
    return [known[at] for at in x.tolist()]


def special(truths: dict[str, Truth], dtype: str, points: int) -> list[float]:
    """The kinks: where the condition of a switch of the definition changes its sign."""
    nodes = {n.args[0] for t in truths.values() for n in t.expr.atoms(Switch)}
    coarse = grid(dtype, points // 4)
    found = []
    for node in sorted(nodes, key=sympy.default_sort_key):
        (x,) = node.free_symbols or (None,)
        if x is not None and node != x:
            found += crossings(partial(_sign, Truth(node, x), dtype), coarse)
    return found


def special_roots(values: list[arb | None], truth: Truth, x: Array, dtype: str) -> Array:
    """The roots of the function, with the numbers next to them, where the relative error is hardest to keep."""
    known = {at: (0 if v is None else _side(v)) for at, v in zip(x.tolist(), values, strict=True)}

    def sign(at: float) -> int:
        return known[at] if at in known else _sign(truth, dtype, at)

    return around(crossings(sign, x)[:32], dtype)


def _sign(truth: Truth, dtype: str, at: float) -> int:
    try:
        return _side(truth(at, FORMATS[dtype].tight))
    except (UndefinedError, UnclearError):
        return 0


def _side(value: arb) -> int:
    return 1 if value > 0 else -1 if value < 0 else 0
