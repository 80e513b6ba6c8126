"""The library's own statements, a file for each entry: slopes of activations and losses, and other ways to write them.

>>> made = proof_file("tanh")
>>> made.statements["tanh_slope"]
'forall (x : R), is_derive (fun x : R => tanh x) x (1 - tanh x ^ 2)'
>>> proof_file("relu").theorems
('relu_slope_1', 'relu_slope_2')
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import sympy

from symdl.core.definitions import Definition
from symdl.core.functions import ScalarFunction
from symdl.core.tensors import Element, Fact, elements_in
from symdl.errors import DefinitionError, UnsupportedError, one_of
from symdl.library.activations import ACTIVATIONS, Activation
from symdl.library.losses import LOSSES
from symdl.library.losses.record import Family
from symdl.verification.coq.bounds import bounded, bounds_of
from symdl.verification.coq.files import File
from symdl.verification.coq.theorems import Theorem, equality, slope
from symdl.verification.coq.writer import Writer, formal

#: What stands after the name of an activation in the name of the file of its bounds.
BOUNDS = "_bounds"
_CLAIMS = ("stable", "complement", "logarithm")


def provable() -> tuple[str, ...]:
    """The names of all files: every activation of one number, every loss with a value for each element, and bounds."""
    losses = (name for name, family in LOSSES.items() if name not in ACTIVATIONS and _element(family))
    return (*ACTIVATIONS, *losses, *(name + BOUNDS for name in bounded()))


def files_of(name: str) -> tuple[str, ...]:
    """The files of one entry: that of its slope, and that of its bounds if there is one."""
    return (name, name + BOUNDS) if name in bounded() else (name,)


def proof_file(name: str) -> File:
    """The theorems of one entry of the library.

    Args:
        name: of an activation of one number, or of a loss whose value is one of single elements; with "_bounds" after
            the name of an activation, its range and steepness.

    Raises:
        DefinitionError: there is no such entry.
        UnsupportedError: a loss of whole vectors.
    """
    if name in ACTIVATIONS:
        return _of_activation(ACTIVATIONS[name])
    if name.endswith(BOUNDS) and name.removesuffix(BOUNDS) in ACTIVATIONS:
        return bounds_of(name.removesuffix(BOUNDS))
    if name not in LOSSES:
        remedy = one_of(name, provable(), otherwise="see `symdl prove --list`")
        raise DefinitionError(f"no activation or loss '{name}'", remedy=remedy)
    found = _element(LOSSES[name])
    if found is None:
        raise UnsupportedError(
            f"{name} has no proof in Coq",
            why="its value is made of sums over an index",
            remedy="use sd.derive, sd.equal",
        )
    return _of_loss(name, LOSSES[name], *found)


def _of_activation(activation: Activation) -> File:
    x = sympy.Symbol("x", real=True)
    parameters = {name: sympy.Symbol(name, real=True) for name in activation.parameters}
    domain = _facts(activation.facts, parameters)
    call = activation(x, *parameters.values())
    writer = Writer()
    parts = [*slope(f"{activation.name}_slope", call, x, call.diff(x), domain, writer)]
    for cls in _own(call, activation.name):
        parts += _claims(cls, activation, call, writer)
    return File(tuple(parts), writer, _about(f"The activation {activation.name}.", parts))


def _claims(cls: type[ScalarFunction], activation: Activation, call: sympy.Expr, writer: Writer) -> Iterator[Theorem]:
    """What a named function says of itself beside its definition."""
    arguments = formal(cls)
    domain = _facts(activation.facts, {a.name: a for a in arguments})
    made, x = cls(*arguments), arguments[0]
    if made.xreplace(dict(zip(arguments, call.args, strict=False))) != call and cls.slope is not None:
        own = f"{cls.__name__}_itself" if cls.__name__ == activation.name else cls.__name__
        yield from slope(f"{own}_slope", made, x, cls.slope(*arguments), domain, writer)
    truths = {"stable": made, "complement": 1 - made, "logarithm": sympy.log(made)}
    for claim in _CLAIMS:
        written = getattr(cls, claim)
        if written is not None:
            yield equality(f"{cls.__name__}_{claim}", truths[claim], written(*arguments), domain, writer)


def _own(call: sympy.Expr, name: str) -> list[type[ScalarFunction]]:
    """The named functions of a call, down through definitions, that are no activations with a file of their own."""
    found: dict[type[ScalarFunction], None] = {}
    waiting = [call]
    while waiting:
        for node in sorted(waiting.pop().atoms(ScalarFunction), key=sympy.default_sort_key):
            cls = type(node)
            if cls in found or (cls.__name__ != name and cls.__name__ in ACTIVATIONS):
                continue
            found[cls] = None
            arguments = formal(cls)
            ways = [cls.definition, *(w for c in ("slope", *_CLAIMS) if (w := getattr(cls, c)) is not None)]
            waiting += [sympy.sympify(way(*arguments), strict=True) for way in ways]
    return list(found)


def _facts(facts: Mapping[str, str], symbols: Mapping[str, sympy.Symbol]) -> list[sympy.Basic]:
    """What is stated of parameters, as relations."""
    made: list[sympy.Basic] = []
    for name, symbol in symbols.items():
        stated = facts.get(name, "").split()
        made += [symbol > 0] if {"positive", "fraction"} & set(stated) else []
        made += [symbol >= 0] if "nonnegative" in stated else []
        made += [symbol < 1] if "fraction" in stated else []
    return made


def _element(family: Family) -> tuple[sympy.Expr, Element] | None:
    """The value of one element, and the prediction in it; None where a loss has no such value."""
    loss = family.make(reduction="none")
    if not loss.pointwise or loss.probabilities:
        return None
    made: Definition = loss.definition()
    if len(made.equations) != 1:
        return None
    value = made.equations[0].rhs
    prediction = list(loss.inputs)[1]
    (element,) = {e for e in elements_in(value) if e.name == prediction}
    return value, element


def _of_loss(name: str, family: Family, value: sympy.Expr, prediction: Element) -> File:
    writer = Writer()
    symbols = {e: sympy.Symbol(e.name, real=True) for e in sorted(elements_in(value), key=str)}
    domain = []
    for element, symbol in symbols.items():
        facts = element.tensor.facts
        domain += [symbol > 0] if facts & {Fact.POSITIVE, Fact.FRACTION} else []
        domain += [symbol >= 0] if facts & {Fact.NONNEGATIVE, Fact.BINARY} else []
        domain += [symbol < 1] if Fact.FRACTION in facts else []
    f, y = value.xreplace(symbols), symbols[prediction]
    parts = slope(f"{name}_slope", f, y, f.diff(y), domain, writer)
    parts += tuple(
        part
        for cls in _own(f, name)
        for part in _claims(cls, Activation(name, cls.definition, cls, ""), f, writer)
        if cls.__name__ not in ACTIVATIONS
    )
    about = f"The loss {name}, of one element, and its slope by the prediction {writer.names.of(y)}."
    return File(parts, writer, _about(about, parts))


def _about(first: str, parts: Sequence[Theorem]) -> tuple[str, ...]:
    """Of names and words of our own only: a comment is text for Coq too."""
    lines = (first, "Made from its definition in the library; Coq is what checks it.")
    return (*lines, "Slopes hold on open pieces between kinks.") if any(p.conditions for p in parts) else lines
