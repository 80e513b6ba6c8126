"""Losses with a value for each pair of a target and a prediction: a function of numbers, and what is stated of these.

>>> from symdl.core.define import absolute
>>> def cubic(t, y_hat, a=2):
...     return a * absolute(t - y_hat, kink="mid") ** 3
>>> family = pointwise("cubic", cubic, "the cube of the distance", facts={"a": "positive"})
>>> family.entry.definition()
cubic(t[n], y_hat[n], a) -> L:
    L = Sum_{n}(Switch(t[n] - y_hat[n], -t[n] + y_hat[n], t[n] - y_hat[n], 1/2)**3*a/N)
>>> family.chosen(a=5, reduction="sum").definition()
cubic(t[n], y_hat[n]) -> L:
    L = Sum_{n}(5*Switch(t[n] - y_hat[n], -t[n] + y_hat[n], t[n] - y_hat[n], 1/2)**3)
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import sympy

from symdl.core.define import Hyper, Input
from symdl.core.tensors import Tensor
from symdl.errors import DefinitionError
from symdl.library.losses.parameters import number
from symdl.library.losses.record import Family, Loss, checked

#: The indices of a loss's inputs, as many as it has axes.
LETTERS = ("n", "k", "h", "w")


def pointwise(
    name: str,
    body: Callable[..., sympy.Expr],
    summary: str = "",
    *,
    facts: Mapping[str, str] | None = None,
    per_class: tuple[str, ...] = (),
    source: str = "",
    kink: str = "",
    axes: int = 1,
    careful: bool = False,
) -> Family:
    """The family of a loss that is a function of numbers.

    Args:
        name: of the loss.
        body: target, prediction and further inputs by position, parameters with their usual values → the loss of one
            entry. A parameter that is a number is an option and can stay a hyperparameter; any other is an option only.
        summary: one line.
        facts: what is stated of inputs and parameters, by name.
        per_class: parameters that have a value for each position of the last axis, where there are two axes or more.
        source, kink, careful: as for `Loss`.
        axes: how many axes the inputs have, unless told otherwise.

    Raises:
        DefinitionError: a body without a target and a prediction, or something is stated of what it does not have.
    """
    if not callable(body):
        raise DefinitionError(
            f"{body!r} is no function", where=f"loss {name}", remedy=f"write sd.loss('{name}', lambda t, y: …)"
        )
    if not name.isidentifier():
        raise DefinitionError(f"'{name}' is not a name", where="a loss", remedy="use letters and digits")
    stated = facts or {}
    arguments = [p for p in inspect.signature(body).parameters.values() if p.kind in _NAMED]
    inputs = [p.name for p in arguments if p.default is p.empty]
    usual = {p.name: p.default for p in arguments if p.default is not p.empty}
    numbers = {n: v for n, v in usual.items() if not isinstance(v, (bool, str))}
    if len(inputs) < 2:
        raise DefinitionError(
            f"loss {name} has the inputs {', '.join(inputs) or 'none'}",
            why="a loss compares a target with a prediction",
            remedy="write it as a function of both: lambda t, y: (t - y)**2",
        )

    unknown = [n for n in stated if n not in (*inputs, *usual)]
    if unknown:
        raise DefinitionError(
            f"loss {name} has no argument '{unknown[0]}'",
            why="something is stated of it",
            remedy=f"its arguments are {', '.join((*inputs, *usual))}",
        )

    def make(*, axes: int = axes, reduction: str = "mean", **options: Any) -> Loss:
        letters = _letters(name, axes)
        fixed = {**usual, **dict.fromkeys(numbers), **options}
        declared = {n: Input(letters, facts=_facts(stated, n)) for n in inputs}
        for parameter in (n for n in numbers if fixed[n] is None):
            last = letters.split()[-1] if parameter in per_class and axes > 1 else ""
            declared[parameter] = Hyper(last, facts=_facts(stated, parameter))
        known = {n: v for n, v in fixed.items() if n not in declared}
        known |= {n: number(name, n, v, _facts(stated, n)) for n, v in known.items() if n in numbers}

        def value(*tensors: Tensor) -> sympy.Expr:
            given = {n: t.element() for n, t in zip(declared, tensors, strict=True)}
            return body(*[given.pop(n) for n in inputs], **given, **known)

        return Loss(name, declared, value, True, checked(reduction), source=source, kink=kink, careful=careful)

    make.__signature__ = _signature(usual, numbers, axes)  # type: ignore[attr-defined]
    return Family(name, summary, make, numbers)


_NAMED = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def _signature(usual: Mapping[str, Any], numbers: Mapping[str, Any], axes: int) -> inspect.Signature:
    options = {**{n: None if n in numbers else v for n, v in usual.items()}, "axes": axes, "reduction": "mean"}
    return inspect.Signature(
        [inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=v) for n, v in options.items()]
    )


def _letters(name: str, axes: int) -> str:
    if isinstance(axes, bool) or not isinstance(axes, int) or not 1 <= axes <= len(LETTERS):
        raise DefinitionError(f"{name} can't have axes={axes!r}", remedy=f"give a number from 1 to {len(LETTERS)}")
    return " ".join(LETTERS[:axes])


def _facts(stated: Mapping[str, str], name: str) -> list[str]:
    return stated.get(name, "").split()
