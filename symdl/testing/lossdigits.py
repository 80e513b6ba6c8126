"""What a loss that someone wrote loses when it is computed as it is written, and what is computed instead.

A loss of a target t and a prediction y is rewritten where it is a function of one number: of y − t, of t·y, of y/t, of
y alone, or of y for each of the two targets 0 and 1. That function gets a name, and with it what named functions get:
forms that keep their digits, for its values and for its slope.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any, ParamSpec

import numpy as np
import sympy
from flint import arb

from symdl.compilation.targets.printer import ScalarPrinter
from symdl.core.functions import ScalarFunction, scalar_function
from symdl.core.tensors import Fact
from symdl.derivation.accurate.calls import slope_search, value_search
from symdl.derivation.accurate.records import Form
from symdl.errors import SymdlError
from symdl.library.activations import Activation
from symdl.library.losses import LOSSES, Loss as LossFunction, loss as from_library
from symdl.library.losses.reduced import X, in_numbers, of_one_number
from symdl.testing import digits as of_one
from symdl.testing.digits import OF_THE_C_LIBRARY, ROUND, TELLING, Digits, DigitsWarning, Loss
from symdl.testing.ulps import FORMATS, ulps
from symdl.verification.balls import Evaluator, Fixed
from symdl.verification.real import exact
from symdl.verification.truth import opened

P = ParamSpec("P")
#: One summand of a loss: a factor, the number that the function is of, and the named function.
Part = tuple[sympy.Expr, sympy.Expr, Any]

#: Targets and further inputs that examples have, by what is stated of them.
_STAY = {Fact.BINARY: (0, 1), Fact.SIGN: (1, -1), Fact.FRACTION: (0.5, 0.25), Fact.POSITIVE: (1, 3)}
_ANY = (0, 1, -2)


def digits(which: Activation | LossFunction) -> Digits:
    """What an activation or a loss loses as it is written, with an example, and the form that is computed instead.

    Args:
        which: a parameter of an activation without a value is given 1/4. A loss that is no function of numbers, one
            value for each entry, is not looked at.

    >>> from symdl.core.define import exp, log
    >>> found = digits(from_library("logistic", lambda t, z: log(1 + exp(-t * z)), facts={"t": "sign"}))
    >>> str(found).splitlines()[0]
    'logistic loses digits as it is written'
    """
    return of_one.digits(which) if isinstance(which, Activation) else _report(which)[0]


def _report(made: LossFunction) -> tuple[Digits, tuple[Part, ...]]:
    """What a loss loses, and the parts that mend it."""
    written = in_numbers(made)
    if written is None:
        return Digits(made.name, ()), ()
    expr, symbols = written
    parts = _parts(made.name, expr, symbols)
    losses = []
    for part, search, value in (("value", value_search, expr), ("slope", slope_search, expr.diff(symbols[1]))):
        example = _example(made, opened(value), symbols)
        if example is None:
            continue
        forms = [(u, found) for _, u, call in parts if (found := search(call)) is not None and found.form is not None]
        at, got, truth, off = example
        losses.append(Loss(part, at, got, truth, off, _Forms.of(forms)))
    mended = parts if any(loss.form is not None for loss in losses) else ()
    return Digits(made.name, tuple(losses)), mended


class _Forms:
    """The forms of the parts of a loss, each with the number that it is a function of."""

    def __init__(self, forms: list[tuple[sympy.Expr, Form]]) -> None:
        self.forms = forms
        self.worst = max(f.worst for _, f in forms)
        self.at = max(forms, key=lambda f: f[1].worst)[1].at
        self.lost = tuple(stretch for _, f in forms for stretch in f.lost)

    @classmethod
    def of(cls, found: list[tuple[sympy.Expr, Any]]) -> _Forms | None:
        return cls([(u, search.form) for u, search in found]) if found else None

    def __str__(self) -> str:
        return "\n".join(f"with x = {u}:\n{form}" for u, form in self.forms)


def _parts(name: str, expr: sympy.Expr, symbols: list[sympy.Symbol]) -> tuple[Part, ...]:
    """The loss as a sum of factors times functions of one number; nothing where it is no such sum."""
    t, y, *others = symbols
    if expr.free_symbols & set(others):
        return ()
    if (single := of_one_number(expr, t, y)) is not None:
        u, function = single
        return ((sympy.S.One, u, _named(name, function)),)
    ends = [expr.subs(t, k) for k in (0, 1)]
    if all(e.is_finite is not False and not e.has(sympy.nan, sympy.zoo) for e in ends):
        affine = (1 - t) * ends[0] + t * ends[1]
        if sympy.expand(expr - affine) == 0:
            made = [(factor, y, e.xreplace({y: X})) for factor, e in zip((1 - t, t), ends, strict=True)]
            return tuple((f, u, _named(f"{name}_{k}", e)) for k, (f, u, e) in enumerate(made) if e != 0)
    return ()


def _named(name: str, function: sympy.Expr) -> type[ScalarFunction]:
    shown = rf"\operatorname{{{name.replace('_', ' ')}}}"
    return scalar_function(name, lambda x: function.xreplace({X: x}), latex=shown, source="a loss of the author's")


def _example(
    made: LossFunction, expr: sympy.Expr, symbols: list[sympy.Symbol]
) -> tuple[dict[str, float], float, str, float] | None:
    """The first telling example among round numbers: where, what comes out, the value, and how far they are apart."""
    run = _in_floats(expr, symbols)
    best: tuple[dict[str, float], float, str, float] | None = None
    for place in _places(made, symbols):
        truth = _true(expr, dict(zip(symbols, place, strict=True)))
        if truth is None:
            continue
        got = run(place)
        off, _ = ulps(got, truth, "float64")
        if best is None or off > best[3]:
            at = dict(zip((s.name for s in symbols), place, strict=True))
            best = (at, got, str(truth.mid().str(20, radius=False)), off)
        if off >= 2.0**52 / 10 ** (15 - TELLING):
            break
    return best if best is not None and best[3] >= 2.0**52 / 10 ** (15 - TELLING) else None


def _places(made: LossFunction, symbols: list[sympy.Symbol]) -> Iterator[tuple[float, ...]]:
    """Round predictions with every target; further inputs at their first value."""
    choices = {}
    for name, declared in made.inputs.items():
        facts = set(declared.facts)
        choices[name] = next((v for fact, v in _STAY.items() if fact in facts), _ANY)
    t, y, *others = (s.name for s in symbols)
    facts = set(made.inputs[y].facts)
    for value in ROUND:
        if (facts & {Fact.FRACTION} and not 0 < value < 1) or (facts & {Fact.POSITIVE, Fact.NONNEGATIVE} and value < 0):
            continue
        for target in choices[t]:
            yield (float(target), value, *(float(choices[o][0]) for o in others))


def _true(expr: sympy.Expr, at: Mapping[sympy.Symbol, float]) -> arb | None:
    """The value of an expression; None where it has none, or it is not clear."""
    for bits in (256, 4096):
        try:
            ball = Evaluator(Fixed({s: exact(v) for s, v in at.items()}), precision=bits).value(expr)
        except SymdlError:
            continue
        if FORMATS["float64"].tight(ball):
            return ball
    return None


def _in_floats(expr: sympy.Expr, symbols: list[sympy.Symbol]) -> Callable[[tuple[float, ...]], float]:
    """An expression in float64, operation by operation as it stands; NaN where an operation is undefined."""
    stand_ins = {s: sympy.Symbol(f"v{k}", real=True) for k, s in enumerate(symbols)}
    space: dict[str, Any] = dict(OF_THE_C_LIBRARY)
    names = ", ".join(s.name for s in stand_ins.values())
    exec(f"def run({names}):\n    return {ScalarPrinter('float64').doprint(expr.xreplace(stand_ins))}", space)

    def run(place: tuple[float, ...]) -> float:
        with np.errstate(all="ignore"):
            try:
                return float(space["run"](*map(np.float64, place)))
            except (ValueError, OverflowError, ZeroDivisionError):
                return math.nan

    return run


def _reporting(make: Callable[P, LossFunction]) -> Callable[P, LossFunction]:
    """`make`, with a warning where what was made loses digits, and with its parts named where that mends it."""

    @wraps(make)
    def made(*arguments: P.args, **options: P.kwargs) -> LossFunction:
        result = make(*arguments, **options)
        if result.name in LOSSES:
            return result
        report, parts = _report(result)
        if report.keeps:
            return result
        warnings.warn(str(report), DigitsWarning, stacklevel=2)
        return replace(result, value=lambda t, y, *_: _together(parts, result, t, y)) if parts else result

    return made


def _together(parts: tuple[Part, ...], made: LossFunction, t: Any, y: Any) -> sympy.Expr:
    names = list(made.inputs)
    given = {sympy.Symbol(n, real=True): e for n, e in zip(names, (t.element(), y.element()), strict=False)}
    return sympy.Add(*[factor.xreplace(given) * call(u.xreplace(given)) for factor, u, call in parts])


#: `symdl.library.losses.loss`, with a `DigitsWarning` where the definition loses digits as it is written.
loss = _reporting(from_library)
