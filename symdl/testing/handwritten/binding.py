"""Which argument of a hand-written function is which tensor, and which of the things it returns is which slope."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symdl.core.definitions import Definition
from symdl.errors import DataError

#: What a parameter for the slope of a loss by the output y is called.
_UPSTREAM = ("{}_bar", "d{}", "d_{}", "grad_{}", "{}_grad", "dL_d{}", "dLd{}", "g_{}", "g{}")
#: What it is called where there is one output.
_THE_UPSTREAM = (
    *("grad_output", "grad_outputs", "grad_out", "dout", "d_out", "upstream", "upstream_grad", "upstream_gradient"),
    *("grad", "g", "cotangent", "dy", "gy", "next_dz", "next_grad"),
)
#: What the slope by w is called in a dictionary.
_SLOPE = ("{}", "{}_bar", "d{}", "d_{}", "grad_{}", "{}_grad", "dL_d{}", "dLd{}", "g_{}", "g{}")

#: The name of a tensor, a tuple or dictionary of such names (a cache), or anything else, which is passed as it is.
Meaning = Any


@dataclass(frozen=True)
class Cotangent:
    """Stands for the slope of the loss by an output until its name is known."""

    output: str


@dataclass(frozen=True)
class Binding:
    """What is passed for each parameter.

    Args:
        meanings: by parameter, in the order of the signature.
        by_name: parameters that can only be passed by name.
        upstream: the outputs whose slopes are passed.
    """

    meanings: Mapping[str, Meaning]
    by_name: frozenset[str]
    upstream: tuple[str, ...]

    def given(self) -> tuple[str, ...]:
        """The names of all tensors that are passed, in the order of the signature."""
        return tuple(dict.fromkeys(n for m in self.meanings.values() for n in _names(m)))

    def arguments(self, arrays: Callable[[str], Any]) -> tuple[list[Any], dict[str, Any]]:
        """Positional and named arguments; `arrays` gives the value for the name of a tensor."""
        made = {p: _filled(m, arrays) for p, m in self.meanings.items()}
        return [v for p, v in made.items() if p not in self.by_name], {p: made[p] for p in self.by_name}


class Constant:
    """Anything that is passed as it is."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _names(meaning: Meaning) -> list[str]:
    if isinstance(meaning, str):
        return [meaning]
    if isinstance(meaning, Mapping):
        return [n for m in meaning.values() for n in _names(m)]
    return [n for m in meaning for n in _names(m)] if isinstance(meaning, tuple | list) else []


def _filled(meaning: Meaning, arrays: Callable[[str], Any]) -> Any:
    if isinstance(meaning, Constant):
        return meaning.value
    if isinstance(meaning, str):
        return arrays(meaning)
    if isinstance(meaning, Mapping):
        return {k: _filled(m, arrays) for k, m in meaning.items()}
    return type(meaning)(_filled(m, arrays) for m in meaning)


def bind(
    function: Callable[..., Any],
    definition: Definition,
    mapping: Mapping[str, Meaning],
    *,
    outputs: Sequence[str] = (),
    skip: int = 0,
) -> Binding:
    """Read the signature of a function.

    Args:
        function: whose parameters are named after tensors of the definition, forward values among them, and after
            outputs as `y_bar`, `dy`, `grad_y`, or `dout` where there is one.
        definition: what it is about.
        mapping: what parameters mean that are named otherwise.
        outputs: those whose slopes the function may get; empty: any.
        skip: how many parameters at the front are not of interest (the context of an autograd function).

    Raises:
        DataError: a parameter that means nothing known; the message lists what could be meant.
    """
    parameters = _parameters(function)[skip:]
    known = [p.name for p in parameters]
    for name in mapping:
        if name not in known:
            raise DataError(
                f"the function has no parameter '{name}'",
                where="mapping",
                remedy=f"its parameters are {', '.join(known) or 'none'}",
            )
    upstream = tuple(outputs) or definition.outputs
    meanings: dict[str, Meaning] = {}
    for p in parameters:
        if p.kind is p.VAR_POSITIONAL or p.kind is p.VAR_KEYWORD:
            continue
        if p.name in mapping:
            meanings[p.name] = _meant(mapping[p.name], definition, p.name)
            continue
        found = _found(p.name, definition, upstream)
        if found is not None:
            meanings[p.name] = found
        elif p.default is p.empty:
            raise _unknown(p.name, function, definition, upstream)
    return _named(meanings, frozenset(p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.name in meanings))


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        raise DataError(
            f"{getattr(function, '__name__', function)!s} has no signature",
            where="check_code",
            why="its parameters say what it wants",
            remedy="wrap it in a function with named parameters",
        ) from None


def _found(name: str, definition: Definition, upstream: Sequence[str]) -> Meaning | None:
    if name in definition.tensors:
        return name
    if name.endswith("_") and name[:-1] in definition.tensors:  # lambda is a word of Python
        return name[:-1]
    for output in upstream:
        if name in {form.format(output) for form in _UPSTREAM}:
            return Cotangent(output)
    if name in _THE_UPSTREAM:
        return Cotangent(upstream[0])
    return None


def _meant(meaning: Meaning, definition: Definition, parameter: str) -> Meaning:
    """A meaning that the user states, with slopes by outputs recognised; text that is no name is an error."""
    if isinstance(meaning, str):
        found = _found(meaning, definition, definition.outputs)
        if found is None:
            raise DataError(
                f"'{meaning}' is no tensor of {definition.name}",
                where=f"mapping, parameter {parameter}",
                remedy=f"one of {_choices(definition, definition.outputs)}",
            )
        return found
    if isinstance(meaning, Mapping):
        return {k: _meant(m, definition, parameter) for k, m in meaning.items()}
    if isinstance(meaning, tuple | list):
        return tuple(_meant(m, definition, parameter) for m in meaning)
    return Constant(meaning)


def _named(meanings: Mapping[str, Meaning], by_name: frozenset[str]) -> Binding:
    upstream: dict[str, None] = {}

    def visit(meaning: Meaning) -> None:
        if isinstance(meaning, Cotangent):
            upstream[meaning.output] = None
        elif isinstance(meaning, Mapping):
            for m in meaning.values():
                visit(m)
        elif isinstance(meaning, tuple):
            for m in meaning:
                visit(m)

    for meaning in meanings.values():
        visit(meaning)
    return Binding(meanings, by_name, tuple(upstream))


def settled(binding: Binding, upstream: Mapping[str, str]) -> Binding:
    """The binding with the names that the slopes by outputs have in the gradient."""

    def visit(meaning: Meaning) -> Meaning:
        if isinstance(meaning, Cotangent):
            return upstream[meaning.output]
        if isinstance(meaning, Mapping):
            return {k: visit(m) for k, m in meaning.items()}
        return tuple(visit(m) for m in meaning) if isinstance(meaning, tuple) else meaning

    return Binding({p: visit(m) for p, m in binding.meanings.items()}, binding.by_name, binding.upstream)


def _choices(definition: Definition, upstream: Sequence[str]) -> str:
    return ", ".join([*definition.tensors, *(f"{o}_bar" for o in upstream)])


def _unknown(name: str, function: Callable[..., Any], definition: Definition, upstream: Sequence[str]) -> DataError:
    return DataError(
        f"what is the parameter '{name}' of {getattr(function, '__name__', 'the function')}?",
        where=f"check_code against {definition.name}",
        why=f"it is none of {_choices(definition, upstream)}",
        remedy=f"name it so, or say mapping={{'{name}': …}}, with the name of a tensor, a tuple of names or a constant",
    )


def unpacked(result: Any, names: Sequence[str]) -> dict[str, Any]:
    """What a function returned, by name.

    Args:
        result: one thing for one name, a tuple or list in the order of the names, or a dictionary or named tuple.
        names: of what is differentiated by, or of forward values.

    Raises:
        DataError: another number of things, or a dictionary without one of the names.

    >>> unpacked({"dW": 1, "db": 2}, ["W", "b"])
    {'W': 1, 'b': 2}
    """
    if hasattr(result, "_asdict"):
        fields = result._asdict()
        if all(_key(fields, n) is not None for n in names):
            result = fields
    if isinstance(result, Mapping):
        return {n: result[_required(result, n)] for n in names}
    if len(names) == 1 and not (isinstance(result, tuple | list) and len(result) == 1):
        if isinstance(result, tuple):
            raise _count(len(result), names)
        return {names[0]: result}
    if not isinstance(result, tuple | list):
        raise _count(1, names)
    if len(result) != len(names):
        raise _count(len(result), names)
    return dict(zip(names, result, strict=True))


def _key(result: Mapping[Any, Any], name: str) -> str | None:
    return next((k for form in _SLOPE if (k := form.format(name)) in result), None)


def _required(result: Mapping[Any, Any], name: str) -> str:
    key = _key(result, name)
    if key is None:
        raise DataError(
            f"the function returns nothing for {name}",
            where="the dictionary that it returns",
            why=f"its keys are {', '.join(map(str, result))}",
            remedy=f"call it {name}, d{name} or {name}_bar, or leave {name} out of wrt",
        )
    return key


def _count(number: int, names: Iterable[str]) -> DataError:
    wanted = list(names)
    return DataError(
        f"the function returns {number} thing{'s' * (number != 1)}, not {len(wanted)}",
        where="check_code",
        why=f"the slopes by {', '.join(wanted)} are asked for, in this order",
        remedy="say wrt=[…] in the order in which they are returned, or returns=[…] where other values are among them",
    )
