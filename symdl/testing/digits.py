"""What a function that someone wrote loses when it is computed as it is written, and what is computed instead."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec

import numpy as np
import sympy

from symdl.compilation.targets.printer import ScalarPrinter
from symdl.core.functions import ScalarFunction
from symdl.derivation.accurate.calls import slope_search, value_search
from symdl.derivation.accurate.points import grid
from symdl.derivation.accurate.records import HARD, Search
from symdl.errors import SymdlError
from symdl.library.activations import Activation, activation as from_library
from symdl.testing.sweep import truths_of, with_values
from symdl.testing.ulps import FORMATS, ulps
from symdl.verification.truth import Truth

#: What printed expressions call, as anyone computes it who types them in.
OF_THE_C_LIBRARY = {
    "math": math,
    "exp": np.exp,
    "tanh": np.tanh,
    **{name: getattr(math, name) for name in ("expm1", "log", "log1p", "erf", "erfc")},
}

P = ParamSpec("P")
#: So many of the stretches without a form are told.
STRETCHES = 3
#: An example is worth showing when so many of the sixteen digits are wrong.
TELLING = 4
#: Nobody is warned of what happens beyond; the report says it.
ORDINARY = 1e15


class DigitsWarning(UserWarning):
    """A function loses digits as it is written; the message has an example and says what is computed instead."""


@dataclass(frozen=True)
class Loss:
    """What one function loses, as it is written.

    Args:
        part: "value" or "slope".
        at: a point; of a loss, its arguments by name.
        written: what the definition gives there in float64, as it is written.
        truth: the value, in 20 digits.
        ulps: how far apart they are.
        form: what is computed instead; None where nothing better was found.
    """

    part: str
    at: float | dict[str, float]
    written: float
    truth: str
    ulps: float
    form: Any

    @property
    def mended(self) -> bool:
        """Whether a form was found that keeps its digits everywhere."""
        return self.form is not None and self.form.worst <= HARD

    def __str__(self) -> str:
        gone = "no digit is left" if self.ulps >= 2.0**52 else f"{math.log10(max(self.ulps, 1)):.0f} digits are lost"
        at = self.at if isinstance(self.at, dict) else {"x": self.at}
        place = ", ".join(f"{n} = {v!r}" for n, v in at.items())
        lines = [f"the {self.part} at {place} is {self.truth}; as written it gives {self.written!r}: {gone}"]
        if self.form is None:
            return "\n".join([*lines, "a stable form: none found; it is computed as it is written"])
        lines += ["a stable form: " + ("found" if self.mended else f"none found {_places(self.form.lost)}; elsewhere")]
        return "\n".join([*lines, *[f"  {line}" for line in str(self.form).splitlines()]])


def _places(lost: tuple[tuple[float, float], ...]) -> str:
    """The stretches for which there is no form, in words.

    >>> _places(((-2.0, -1.0), (4.0, 4.0)))
    'for −2 ≤ x ≤ −1 and x near 4'
    """
    told = [f"x near {a:.6g}" if a == b else f"{a:.6g} ≤ x ≤ {b:.6g}" for a, b in lost[:STRETCHES]]
    more = f" and {len(lost) - STRETCHES} more stretches" if len(lost) > STRETCHES else ""
    return f"for {' and '.join(told)}{more}".replace("-", "−").replace("e−", "e-")


@dataclass(frozen=True)
class Digits:
    """What a function and its slope lose as they are written; `print` it."""

    name: str
    losses: tuple[Loss, ...]

    @property
    def keeps(self) -> bool:
        """Whether the definition keeps its digits as it is written."""
        return not self.losses

    def __str__(self) -> str:
        if self.keeps:
            return f"{self.name} keeps its digits as it is written"
        return "\n".join([f"{self.name} loses digits as it is written", *map(str, self.losses)])


def digits(which: Activation) -> Digits:
    """What an activation loses as it is written, with an example, and the form that is computed instead.

    Args:
        which: an activation; a parameter without a value is given 1/4.

    >>> from symdl.core.define import exp, log
    >>> made = from_library("log_of_sum", lambda s: log(1 + exp(s)))
    >>> print(digits(made))
    log_of_sum loses digits as it is written
    the value at x = -20.0 is 2.0611536203143807032e-9; as written it gives 2.0611536900435727e-09: 8 digits are lost
    a stable form: found
      log1p(exp(x))  for -inf ≤ x < 0
      x + log1p(exp(-x))  for 0 ≤ x < inf
    the slope at x = 800.0 is 1.0000000000000000000; as written it gives nan: no digit is left
    a stable form: found
      exp(x)/(exp(x) + 1)  for -inf ≤ x < 0
      1/(1 + exp(-x))  for 0 ≤ x < inf
    """
    entry = with_values(which)
    if not (isinstance(entry.call, type) and issubclass(entry.call, ScalarFunction)):
        return Digits(entry.name, ())
    call: Any = entry.call
    parameters = tuple(sympy.sympify(v, strict=True) for v in entry.parameters.values())
    found = {"value": value_search(call, parameters), "slope": slope_search(call, parameters)}
    truths = truths_of(entry)
    losses = [_loss(part, truths[part], search) for part, search in found.items() if search and search.needed]
    return Digits(entry.name, tuple(loss for loss in losses if loss is not None))


def _loss(part: str, truth: Truth, search: Search) -> Loss | None:
    """The example nearest to 1 that is telling, or the worst; None where computing as written goes well after all."""
    run = as_written(truth.expr, truth.x)
    best: Loss | None = None
    for at in sorted({*grid(), *ROUND}, key=lambda v: (v not in ROUND, abs(math.log(abs(v))) if v else 800.0)):
        try:
            value = truth(at, FORMATS["float64"].tight)
        except SymdlError:
            continue
        got = run(at)
        off, _ = ulps(got, value, "float64")
        if best is None or off > best.ulps:
            best = Loss(part, at, got, str(value.mid().str(20, radius=False)), off, search.form)
        if (off >= 2.0**52 / 10 ** (15 - TELLING) and at in ROUND) or off >= 2.0**52:
            break
    return best if best is not None and best.ulps > 8 else None


#: Points that an example is looked for at first.
ROUND = tuple(float(s * v) for v in (1, 0.1, 5, 10, 1e-3, 20, 40, 1e-8, 100, 800) for s in (1, -1))


def as_written(expr: sympy.Expr, x: sympy.Symbol) -> Callable[[float], float]:
    """An expression in float64, operation by operation as it stands; NaN where an operation is undefined.

    >>> x = sympy.Symbol("x", real=True)
    >>> as_written(sympy.exp(x) - 1, x)(1e-20)
    0.0
    """
    text = ScalarPrinter("float64").doprint(expr.xreplace({x: sympy.Symbol("x", real=True)}))
    space: dict[str, Any] = dict(OF_THE_C_LIBRARY)
    exec(f"def run(x):\n    return {text}", space)

    def run(at: float) -> float:
        with np.errstate(all="ignore"):
            try:
                return float(space["run"](np.float64(at)))
            except (ValueError, OverflowError, ZeroDivisionError):
                return math.nan

    return run


def _reporting(make: Callable[P, Activation]) -> Callable[P, Activation]:
    """`make`, with a warning where what was made loses digits."""

    @wraps(make)
    def made(*arguments: P.args, **options: P.kwargs) -> Activation:
        result = make(*arguments, **options)
        if len(arguments) > 1 or "definition" in options:
            report = digits(result)
            if any(isinstance(loss.at, float) and abs(loss.at) <= ORDINARY for loss in report.losses):
                warnings.warn(str(report), DigitsWarning, stacklevel=2)
        return result

    return made


#: `symdl.library.activations.activation`, with a `DigitsWarning` where the definition loses digits as it is written.
activation = _reporting(from_library)
