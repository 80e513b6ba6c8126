"""A function that someone wrote, called once with symbols: what is wrong with it is said where it was written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy

from symdl.core.functions import UNSTATED
from symdl.errors import DefinitionError, SymdlError

_REMEDY = "return an expression: write it with sd.exp, sd.log, sd.tanh, sd.sin, sd.switch and the like"


def tried(where: str, function: Callable[[], Any], arguments: Sequence[sympy.Symbol], remedy: str) -> sympy.Expr:
    """The real scalar expression that a call gives.

    Args:
        where: what is being defined, for messages: "activation mine".
        function: makes the call.
        arguments: the symbols that the expression may hold.
        remedy: how a number that has no value becomes a parameter; its name takes the place of {}.

    Raises:
        DefinitionError: the call fails, or gives something else.
        KinkError: a kink without a policy.

    >>> x = sympy.Symbol("x", real=True)
    >>> tried("activation three", lambda: 3, [x], "")
    3
    """
    try:
        value = function()
    except SymdlError:
        raise
    except Exception as error:
        why = "it is called with an expression, not with a number"
        raise DefinitionError(f"its function fails: {error}", where=where, why=why, remedy=_REMEDY) from error
    if isinstance(value, bool) or not isinstance(value, (sympy.Expr, int, float)):
        raise DefinitionError(
            f"its function gives {value!r}, which is no scalar expression", where=where, remedy=_REMEDY
        )
    made = sympy.sympify(value)
    if made.has(sympy.I, sympy.zoo, sympy.nan, sympy.oo, -sympy.oo):
        raise DefinitionError(f"its function gives {made}, which is no real number", where=where, remedy=_REMEDY)
    unknown = sorted(s.name for s in made.free_symbols - set(arguments) - {UNSTATED})
    if unknown:
        raise DefinitionError(f"{unknown[0]} has no value", where=where, remedy=remedy.format(unknown[0]))
    return made
