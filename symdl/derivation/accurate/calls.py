"""Calls of named functions in equations, replaced by the forms that keep their digits.

Before differentiation a function whose slope loses digits is exchanged for a twin, equal to it, whose slope is a named
function of its own; afterwards each call that has a better form becomes a call of that form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any, ClassVar

import sympy

from symdl.core.accurate import NODES
from symdl.core.definitions import Definition
from symdl.core.functions import ScalarFunction, scalar_function
from symdl.derivation.accurate.forms import Form, Search, find
from symdl.derivation.stable import complemented
from symdl.errors import UnsupportedError

_X = sympy.Symbol("x", real=True)


class FormCall(sympy.Function):  # type: ignore[misc]
    """The call of a form: what compiled code computes in place of a named function."""

    nargs = 1
    is_real = True
    form: ClassVar[Form]


def with_twins(definition: Definition) -> Definition:
    """The definition with functions whose slope loses digits exchanged for twins; equal to it."""
    return _mapped(definition, _twin)


def with_forms(definition: Definition) -> Definition:
    """The definition with every named function that has a better form computed by it."""
    return _mapped(definition, _form_call)


def _mapped(definition: Definition, change: Callable[[Any], sympy.Expr]) -> Definition:
    def mapped(body: sympy.Expr) -> sympy.Expr:
        calls = body.atoms(ScalarFunction)
        return body.replace(lambda e: e in calls, change) if calls else body

    equations = tuple(e.map(mapped) for e in definition.equations)
    return definition if equations == definition.equations else replace(definition, equations=equations)


def _twin(call: Any) -> sympy.Expr:
    x, *rest = call.args
    if not all(a.is_number for a in rest):
        return call
    twin = twin_of(call.func, tuple(rest))
    return call if twin is None else twin(x)


def _form_call(call: Any) -> sympy.Expr:
    x, *rest = call.args
    if not all(a.is_number for a in rest):
        return call
    made = form_of(call.func, tuple(rest))
    return call if made is None else made(x)


@cache
def value_search(function: Any, parameters: tuple[sympy.Expr, ...] = ()) -> Search | None:
    """What is found for the values of a function; None where its rounding can't be told."""
    name = function.__name__
    definition = sympy.sympify(function.definition(_X, *parameters), strict=True)
    stable = function.stable(_X, *parameters) if function.stable is not None else definition
    return _searched(name, definition, stable)


@cache
def slope_search(function: Any, parameters: tuple[sympy.Expr, ...] = ()) -> Search | None:
    """What is found for the slope of a function; None where its rounding can't be told."""
    slope = function(_X, *parameters).diff(_X)
    return _searched(f"{function.__name__}_slope", slope, complemented(slope))


def computed(expr: sympy.Expr) -> sympy.Expr:
    """Named functions replaced by the forms that are stated for computing them, at any depth."""
    while calls := {c for c in expr.atoms(ScalarFunction) if not isinstance(c, NODES)}:
        expr = expr.xreplace({c: c.computed() for c in calls})
    return expr


def _searched(name: str, definition: sympy.Expr, used: sympy.Expr) -> Search | None:
    if definition.free_symbols != {_X}:
        return None
    try:
        return find(name, definition, _X, [computed(used)])
    except UnsupportedError:
        return None


@cache
def twin_of(function: Any, parameters: tuple[sympy.Expr, ...] = ()) -> Any:
    """A function with the same values whose slope is a named function; None where the slope keeps its digits."""
    found = slope_search(function, parameters)
    if found is None or found.form is None:
        return None
    original = function
    slope = scalar_function(
        f"{function.__name__}_slope",
        lambda x: original(_X, *parameters).diff(_X).xreplace({_X: x}),
        latex=rf"{function.latex_name}'",
        source=f"the slope of {function.__name__}",
    )
    _SLOPES[slope] = found
    twin = scalar_function(
        function.__name__,
        lambda x: original.definition(x, *parameters),
        slope=lambda x: slope(x),
        stable=_partial(function.stable, parameters),
        complement=_partial(function.complement, parameters),
        logarithm=_partial(function.logarithm, parameters),
        latex=function.latex_name,
        source=function.source,
    )
    _TWINS[twin] = (function, parameters)
    return twin


#: The searches of slopes, and what twins are twins of.
_SLOPES: dict[Any, Search] = {}
_TWINS: dict[Any, tuple[Any, tuple[sympy.Expr, ...]]] = {}


def _partial(form: Callable[..., sympy.Expr] | None, parameters: tuple[sympy.Expr, ...]) -> Any:
    return None if form is None else lambda x: form(x, *parameters)


@cache
def form_of(function: Any, parameters: tuple[sympy.Expr, ...] = ()) -> Any:
    """The class of calls of a function's better form; None where it has none or needs none."""
    if function in _SLOPES:
        found: Search | None = _SLOPES[function]
    else:
        found = value_search(*_TWINS.get(function, (function, parameters)))
    if found is None or found.form is None:
        return None
    name = f"{found.form.name}_form"
    return type(name, (FormCall,), {"form": found.form, "__module__": __name__})
