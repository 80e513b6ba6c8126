"""The activations by name, and how one of one's own is made."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import sympy

from symdl.core.functions import scalar_function
from symdl.errors import DefinitionError, SymdlError, one_of
from symdl.library.activations import clipped, gated, gates, rectifiers, sigmoids, units, vectors, waves
from symdl.library.activations.record import Activation
from symdl.library.activations.vectors import ACROSS
from symdl.library.numbers import number
from symdl.library.spelling import known, refuse_taken
from symdl.library.tried import tried

#: In the order of `symdl list`.
_ALL: tuple[Activation, ...] = (
    *rectifiers.ACTIVATIONS,
    *sigmoids.ACTIVATIONS,
    *clipped.ACTIVATIONS,
    *units.ACTIVATIONS,
    *gates.ACTIVATIONS,
    *waves.ACTIVATIONS,
)

ACTIVATIONS = {a.name: a for a in _ALL}
ENTRIES = (*(a.entry for a in _ALL), *vectors.ENTRIES, *gated.ENTRIES)


def activation(
    name: str,
    definition: Callable[..., sympy.Expr] | None = None,
    *,
    slope: Callable[..., sympy.Expr] | None = None,
    stable: Callable[..., sympy.Expr] | None = None,
    complement: Callable[..., sympy.Expr] | None = None,
    logarithm: Callable[..., sympy.Expr] | None = None,
    latex: str = "",
    source: str = "",
    kink: str = "",
    learned: str | Iterable[str] = (),
    facts: dict[str, str] | None = None,
    **values: Any,
) -> Activation:
    """The activation of that name; with a `definition`, a new one of the author's own.

    Args:
        name: of an activation of the library (`symdl list` shows them; "Leaky ReLU" will do), or a new one; the
            definition that the library has under that name is that of the library.
        definition: s, then parameters, which may have usual values → the value. Functions with a kink are written with
            `sd.switch`, `sd.maximum` or `sd.absolute` and a stated policy.
        slope, stable, complement, logarithm: other ways of writing what follows from the definition; claims that
            `sd.check_function(made.call)` decides.
        latex: the name of the operator; by default `name`, upright.
        source, kink: where the formula is from, and what was decided at a kink, in words.
        learned: parameters that training changes, from the value that they have: `sd.dense` makes each one a parameter
            of the layer.
        facts: what parameters have to be, by name: {"a": "positive"}.
        values: of parameters.

    Returns:
        What `sd.dense(64, …)` takes, a function of a scalar as well; `.definition()` is a = f(s) by itself, to derive,
        print, prove and compile.

    >>> swish = activation("swish_by_hand", lambda s: s * sigmoids.sigmoid(s))
    >>> s = sympy.Symbol("s", real=True)
    >>> swish(s).diff(s)
    s*(1 - sigmoid(s))*sigmoid(s) + sigmoid(s)
    >>> activation("snake_by_hand", lambda s, a: s + sympy.sin(a * s) ** 2 / a, a=2)
    snake_by_hand(s) = sin(2*s)**2/2 + s
    >>> activation("leaky_relu", alpha=0.2)(s).diff(s).subs(s, -3)
    1/5

    Raises:
        DefinitionError: no activation of that name, one of the library is defined anew, what is given is no function of
            scalars, or a parameter is unknown or has an impossible value.
        KinkError: a kink without a policy.
    """
    taken = {e.name for e in (*vectors.ENTRIES, *gated.ENTRIES)}
    if definition is None:
        name = known(name, (*ACTIVATIONS, *taken))
        if name in taken:
            raise DefinitionError(
                f"{name} is no function of one number",
                why="it needs several of them",
                remedy=f"write sd.definition('{name}')" + (f", or sd.dense(10, '{name}')" if name in ACROSS else ""),
            )
        if name not in ACTIVATIONS:
            raise DefinitionError(f"no activation '{name}'", remedy=one_of(name, ACTIVATIONS, "define it"))
        return ACTIVATIONS[name].chosen(**values)
    if name in ACTIVATIONS and _is_library_s(ACTIVATIONS[name], definition):
        return ACTIVATIONS[name].chosen(**values)
    refuse_taken("activation", name, (*ACTIVATIONS, *taken))
    usual = _parameters(name, definition)
    call = scalar_function(
        name,
        definition,
        slope=slope,
        stable=stable,
        complement=complement,
        logarithm=logarithm,
        latex=latex,
        source=source,
    )
    words = [learned] if isinstance(learned, str) else list(learned)
    unknown = [n for n in (*words, *(facts or {})) if n not in usual]
    if unknown:
        raise DefinitionError(
            f"activation {name} has no parameter '{unknown[0]}'",
            remedy=f"its parameters are {', '.join(usual)}" if usual else f"write lambda s, {unknown[0]}: …",
        )
    made = Activation(name, definition, call, source or "the author", kink, usual, facts=facts or {}).chosen(**values)
    made = replace(made, learned={n: _start(made, n) for n in words})
    made = replace(made, parameters={n: None if n in words else value for n, value in made.parameters.items()})
    _tried(made)
    return made


def _start(made: Activation, name: str) -> sympy.Expr:
    """The value that a learned parameter starts from.

    Raises:
        DefinitionError: it has none.
    """
    value = made.parameters[name]
    if value is None:
        raise DefinitionError(
            f"learned parameter {name} of activation {made.name} has no value to start from",
            remedy=f"write lambda s, {name}=1: …, or {name}=1",
        )
    return value


def _parameters(name: str, formula: Callable[..., sympy.Expr]) -> dict[str, sympy.Expr | None]:
    """The parameters of a function that an author wrote, with their usual values.

    Raises:
        DefinitionError: it is no function of a number and parameters that have names.
    """
    where = f"activation {name}"
    if not callable(formula):
        raise DefinitionError(
            f"{formula!r} is no function", where=where, remedy=f"write sd.activation('{name}', lambda s: …)"
        )
    arguments = list(inspect.signature(formula).parameters.values())
    odd = [str(p) for p in arguments if p.kind in _NAMELESS]
    if not arguments or odd:
        raise DefinitionError(
            f"it takes {odd[0] if odd else 'no number'}",
            where=where,
            why="its arguments are the number that it is a function of, then parameters, each with a name",
            remedy="write lambda s, a: …",
        )
    usual = {p.name: p.default for p in arguments[1:]}
    unset = (inspect.Parameter.empty, None)
    return {n: None if value in unset else number(where, n, value) for n, value in usual.items()}


_NAMELESS = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def _tried(made: Activation) -> None:
    """Write the definition once, so that what is wrong with it is said here and not in a network.

    Raises:
        DefinitionError: it fails, or gives no scalar expression.
        KinkError: a kink without a policy.
    """
    arguments = [sympy.Symbol(n, real=True) for n in ("x", *made.parameters)]
    tried(
        f"activation {made.name}", lambda: made.formula(*arguments), arguments, "make it a parameter: lambda s, {}: …"
    )
    made.definition()


def _is_library_s(known: Activation, definition: Callable[..., sympy.Expr]) -> bool:
    """Whether someone has written down the very definition of the library, such as that of snake.

    >>> snake = ACTIVATIONS["snake"]
    >>> _is_library_s(snake, lambda s, a: s + sympy.sin(a * s) ** 2 / a), _is_library_s(snake, lambda s, a: s + a)
    (True, False)
    """
    s, *rest = (sympy.Dummy(real=True) for _ in (None, *known.parameters))
    try:
        return bool(sympy.expand(definition(s, *rest) - known.formula(s, *rest)) == 0)
    except (TypeError, SymdlError):
        return False
