"""Calls of named functions in equations, replaced by the forms that keep their digits.

Before differentiation a function whose slope loses digits is exchanged for a twin, equal to it, whose slope is a named
function of its own; afterwards each call that has a better form becomes a call of that form.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any, ClassVar

import sympy

from symdl.core.accurate import NODES
from symdl.core.definitions import Definition
from symdl.core.functions import ScalarFunction, scalar_function
from symdl.core.tensors import Element
from symdl.derivation.accurate.kept import searched
from symdl.derivation.accurate.records import Form, Search
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
    """The definition with every named function that has a better form computed by it, and every wave of a multiple of
    a tensor: sin 30x, whose product is rounded."""
    made = _mapped(definition, _form_call)
    equations = tuple(e.map(_waves) for e in made.equations)
    return made if equations == made.equations else replace(made, equations=equations)


def _waves(body: sympy.Expr) -> sympy.Expr:
    """sin kT and cos kT for a number k and an element T → calls of forms that know kT to all digits."""
    found = {}
    for call in body.atoms(sympy.sin, sympy.cos):
        k, rest = call.args[0].as_independent(Element, as_Add=False)
        if isinstance(rest, Element) and k.is_number and abs(k) != 1:
            made = _wave_form(call.func, k)
            found[call] = call if made is None else made(rest)
    return body.xreplace(found) if found else body


@cache
def _wave_form(wave: Any, k: sympy.Expr) -> Any:
    """The class of calls of the form of sin kx or cos kx; None where the product is exact and doesn't overflow."""
    search = _searched(wave.__name__, wave(k * _X), wave(k * _X))
    return None if search is None or search.form is None else _class_of(search.form, (k,))


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
        return searched(name, definition, _X, [computed(used)])
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
    _SLOPES[slope] = found, parameters
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


#: The searches of slopes with the parameters of their functions, and what twins are twins of.
_SLOPES: dict[Any, tuple[Search, tuple[sympy.Expr, ...]]] = {}
_TWINS: dict[Any, tuple[Any, tuple[sympy.Expr, ...]]] = {}


def _partial(form: Callable[..., sympy.Expr] | None, parameters: tuple[sympy.Expr, ...]) -> Any:
    return None if form is None else lambda x: form(x, *parameters)


@cache
def form_of(function: Any, parameters: tuple[sympy.Expr, ...] = ()) -> Any:
    """The class of calls of a function's better form; None where it has none or needs none."""
    if function in _TWINS:
        return form_of(*_TWINS[function])
    found: Search | None
    found, chosen = _SLOPES.get(function) or (value_search(function, parameters), parameters)
    return None if found is None or found.form is None else _class_of(found.form, chosen)


def _class_of(form: Form, parameters: tuple[sympy.Expr, ...]) -> Any:
    """A class whose name is that of no other one: a network may hold a function with two values of a parameter, and two
    authors may have chosen one name."""
    name = "_".join([form.name, *map(_spelled, parameters), "form"])
    count = _TAKEN[name] = _TAKEN.get(name, 0) + 1
    unique = name if count == 1 else f"{name}{count}"
    return type(unique, (FormCall,), {"form": form, "__module__": __name__})


#: How often each name was given.
_TAKEN: dict[str, int] = {}
#: How operations are spelled in the name of a function.
_SIGNS = {"*": "_times_", "/": "_over_", "+": "_plus_", "-": "minus_", " ": ""}


def _spelled(number: sympy.Expr) -> str:
    """
    >>> _spelled(sympy.Rational(-3, 10)), _spelled(sympy.sqrt(2) / 2), _spelled(sympy.Rational(10507009873, 10**10))
    ('minus_3_over_10', 'sqrt_2__over_2', '1_0507')
    """
    text = str(number) if len(str(number)) < 12 else f"{float(number):.5g}"
    return re.sub(r"\W", "_", "".join(_SIGNS.get(c, c) for c in text))
