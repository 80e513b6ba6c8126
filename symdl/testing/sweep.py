"""How accurate a compiled function of one number is, over all numbers of its dtype.

>>> from symdl.library.activations import ACTIVATIONS
>>> made = sweep(ACTIVATIONS["relu"], points=200)
>>> made.passed, made.worst
(True, 0.0)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
from symdl.errors import DefinitionError, SymdlError
from symdl.library.activations import ACTIVATIONS, Activation, activation as named
from symdl.testing import peers
from symdl.testing.floats import around, between, crossings, grid, tidy
from symdl.testing.ulps import FORMATS, distances
from symdl.verification.real import UnclearError, UndefinedError
from symdl.verification.truth import Truth, opened

Array = npt.NDArray[Any]
Call = Callable[[Array], Array]

#: The largest error that an entry of the library may have.
LIMIT = 4.0
POINTS = 1500
#: Points with the largest errors whose surroundings are looked at again, and how often.
AGAIN, ROUNDS = 8, 3
PARTS = ("value", "slope")


@dataclass(frozen=True)
class Swept:
    """What was found for one function in one dtype.

    Args:
        part: "value" or "slope".
        dtype: of the arithmetic.
        points: how many were tried.
        worst: the largest error in ulps; infinite where a representable value came out as NaN or infinity.
        at, computed, truth: of the largest error.
        above: the shares of points that are more than 0.5, 1 and 4 ulps off.
        lost: how many representable values came out as NaN or infinity.
        peer: the largest error of PyTorch on the same points; None where it was not asked or has no such function.
    """

    part: str
    dtype: str
    points: int
    worst: float
    at: float
    computed: float
    truth: str
    above: tuple[float, float, float]
    lost: int
    peer: float | None = None

    @property
    def passed(self) -> bool:
        return self.worst <= LIMIT and not self.lost


@dataclass(frozen=True)
class Accuracy:
    """The errors of one activation and of its slope, in each dtype."""

    name: str
    rows: tuple[Swept, ...]

    @property
    def passed(self) -> bool:
        """Every error is at most 4 ulps, and no representable value is lost."""
        return all(r.passed for r in self.rows)

    @property
    def worst(self) -> float:
        """The largest error in ulps."""
        return max(r.worst for r in self.rows)

    def require(self) -> Accuracy:
        """This record.

        Raises:
            SymdlError: it did not pass.
        """
        for row in self.rows:
            if not row.passed:
                raise SymdlError(
                    f"the {row.part} of {self.name} is {row.worst:.3g} ulps off in {row.dtype}",
                    where=f"x = {row.at!r}",
                    why=f"it computes {row.computed!r}, and the value is {row.truth}",
                    remedy="state a stable form",
                )
        return self

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        rows = [{**vars(r), "above": list(r.above), "passed": r.passed} for r in self.rows]
        return {"name": self.name, "passed": self.passed, "rows": rows}

    def __str__(self) -> str:
        return sweep_table([self])


def sweep(
    which: Activation | str,
    *,
    dtypes: Sequence[str] = DTYPES,
    points: int = POINTS,
    peer: bool = False,
) -> Accuracy:
    """Compile an activation and its slope, and compare both with their definition over all finite numbers.

    Args:
        which: an activation, or the name of one of the library.
        dtypes: "float64", "float32".
        points: about how many of the grid (see `symdl.testing.floats.grid`); kinks, roots and the surroundings of the
            largest errors come on top.
        peer: measure PyTorch's function and its slope on the same points, where it is installed and has them.

    Raises:
        DefinitionError: no such activation or dtype, or too few points.
    """
    entry = with_values(named(which) if isinstance(which, str) else which)
    if points < 12 or not set(dtypes) <= set(DTYPES):
        raise DefinitionError(
            f"no sweep of {points} points in {', '.join(dtypes)}", remedy=f"at least 12 points, {' or '.join(DTYPES)}"
        )
    truths = truths_of(entry)
    rows = []
    for dtype in dtypes:
        functions = compiled(entry, dtype)
        other = peers.functions(entry.name, dtype) if peer else {}
        for part in PARTS:
            rows.append(measure(part, functions[part], truths, dtype, points, other.get(part)))
    return Accuracy(entry.name, tuple(rows))


def with_values(entry: Activation) -> Activation:
    """The activation with 1/4 for each parameter that has no value (a slope that is learned begins there)."""
    return entry.chosen(**{n: sympy.Rational(1, 4) for n, v in entry.parameters.items() if v is None})


def swept() -> tuple[str, ...]:
    """The names of the library's activations, in the order of `symdl list`."""
    return tuple(ACTIVATIONS)


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
    return _summary(part, x, call(x), values, dtype, peer)


def _summary(part: str, x: Array, got: Array, values: list[arb | None], dtype: str, peer: Call | None) -> Swept:
    off, lost = distances(got, values, dtype)
    other = None if peer is None else float(np.nanmax(distances(peer(x), values, dtype)[0]))
    worst = int(np.nanargmax(off))
    truth = values[worst]
    shares = tuple(float(np.mean(off[~np.isnan(off)] > limit)) for limit in (0.5, 1.0, LIMIT))
    return Swept(
        part,
        dtype,
        int((~np.isnan(off)).sum()),
        float(off[worst]),
        float(x[worst]),
        float(got[worst]),
        "" if truth is None else str(truth.mid().str(20, radius=False)),
        shares,  # type: ignore[arg-type]
        int(lost.sum()),
        other,
    )


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


def sweep_table(found: Sequence[Accuracy]) -> str:
    """A table of many sweeps: the largest errors in ulps, where, and how many points are beyond 0.5, 1 and 4."""
    peer = any(r.peer is not None for a in found for r in a.rows)
    head = ["function", "", "dtype", "points", "largest", "at x =", "> 0.5", "> 1", "> 4", "NaN or inf"]
    lines = [head + (["PyTorch"] if peer else [])]
    for one in found:
        for r in one.rows:
            cells = [one.name, r.part, r.dtype, f"{r.points:,}", _ulps(r.worst), f"{r.at:.6g}"]
            cells += [f"{share:.2%}" for share in r.above] + [str(r.lost or "")]
            lines.append(cells + ([_ulps(r.peer) if r.peer is not None else ""] if peer else []))
    widths = [max(len(line[k]) for line in lines) for k in range(len(lines[0]))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines)


def _ulps(value: float) -> str:
    return f"{value:.2f}" if value < 100 else f"{value:.1e}"
