"""Named operators with what they are applied to: log x, max(a, b), sin² x, ELU(x, α)."""

from __future__ import annotations

import sympy

from symdl.core.define import maximum, minimum
from symdl.core.tensors import reduction
from symdl.library.activations import ACTIVATIONS
from symdl.verification.meaning import application, arrays, calculus, cases
from symdl.verification.meaning.arrays import Array, scalar
from symdl.verification.meaning.errors import MeaningError
from symdl.verification.meaning.expectation import COVARIANCES, VARIANCES, covariance
from symdl.verification.meaning.functions import MIDDLE, OF_LISTS, library_name, named
from symdl.verification.meaning.reader import Reader
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node

#: What stands before a condition that is 1 where it holds and else 0.
INDICATORS = frozenset({"1", "𝟙", "𝟏"})


def indicated(node: tree.Scripted) -> tree.Chain | None:
    r"""The condition of 𝟏_{i = y}; None of anything else.

    >>> from symdl.verification.notation import parse
    >>> [indicated(parse(t)) is not None for t in (r"\mathbb{1}_{x > 0}", r"1_{\{i = y\}}", "w_i")]
    [True, True, False]
    """
    one = node.base.text if isinstance(node.base, tree.Number) else ""
    one = node.base.name if isinstance(node.base, tree.Symbol) else one
    told = node.sub.body if isinstance(node.sub, tree.Group) else node.sub
    plain = one in INDICATORS and node.sup is None and not node.primes
    return told if plain and isinstance(told, tree.Chain) else None


def applied(reader: Reader, node: tree.Applied) -> Array:
    """A named operator with what it is applied to: log x, max(a, b), sin² x."""
    function, power, base, primes = node.function, None, None, 0
    if isinstance(function, tree.Scripted) and isinstance(function.base, tree.Symbol):
        primes = function.primes
        power, base, function = function.sup, function.sub, function.base
    if not isinstance(function, tree.Symbol):
        raise MeaningError("an operator that is no name")
    if function.name in ("max", "min") and base is None and not primes:
        return _extremum(reader, function.name, node.argument)
    inner = node.argument.body if isinstance(node.argument, tree.Group) else node.argument
    if function.name in VARIANCES | COVARIANCES and base is power is None and not primes:
        return _covariance(reader, function.name, inner)
    if function.name in INDICATORS and isinstance(inner, tree.Chain) and base is power is None:
        return cases.indicator(reader, inner)
    own = reader.scope.functions.get(function.name) if named(function.name) is None and base is None else None
    if isinstance(inner, tree.List) and own is not None and power is None and not primes:
        return application.call(reader, function.name, own, [reader.value(item) for item in inner.items])
    if isinstance(inner, tree.List) and base is None and power is None and not primes:
        if function.name == "prod" and all(isinstance(item, tree.Derivative) for item in inner.items):
            return calculus.chained(reader, inner.items)
        return _with_parameters(reader, function.name, inner.items)
    argument = _argument(reader, node.argument)
    if not argument.axes and function.name in OF_LISTS:
        argument = reader.spread(inner, 1)  # z of softmax(z)_i, where z_i stands elsewhere
    if function.name == "det" and not argument.axes and (parts := reader.parts(inner)) is not None:
        argument = reader.as_array(parts, 2)
    if own is not None:
        whole = application.call(reader, function.name, own, [argument], primes)
        return whole if power is None else reader.raised(whole, power)
    if primes:
        found = application.slope_of(reader, function.name, argument, primes)
    else:
        found = application.known(reader, function.name, [argument])
    if found is None:
        raise MeaningError(f"{function.name} has no value here")
    if base is not None:
        if function.name != "log":
            raise MeaningError(f"{function.name} with a subscript")
        divisor = sympy.log(reader.number(base))
        found = found.mapped(lambda x: x / divisor)
    if power is None:
        return found
    exponent = reader.number(power)
    if exponent == -1:
        raise MeaningError(f"{function.name}⁻¹ is an inverse or a reciprocal", remedy="write which one")
    return found.mapped(lambda x: x**exponent)


def _covariance(reader: Reader, name: str, node: Node) -> Array:
    """Var(x) and Cov(x, y), of vectors as matrices; where something is given, Var(x | z)."""
    items, called = application.with_given(reader, node, "E")
    if len(items) != (2 if name in COVARIANCES else 1):
        raise MeaningError(f"{name} of {len(items)} arguments")
    first, second = reader.value(items[0]), reader.value(items[-1]).fresh()
    if first.rank > 1 or second.rank > 1:
        raise MeaningError(f"{name} of a matrix")
    return Array((*first.axes, *second.axes), covariance(first.body, second.body, called))


#: How parameters of activations are called in text.
_GREEK = {"α": "alpha", "β": "beta", "λ": "lambda_", "ω": "omega"}


def _with_parameters(reader: Reader, name: str, nodes: tuple[Node, ...]) -> Array:
    """An activation with its parameters, ELU(x, α): by name where they have theirs, else in the library's order."""
    if name.lower() in ("clip", "clamp") and len(nodes) == 3:
        x, low, high = (reader.number(n) for n in nodes)
        return scalar(minimum(maximum(x, low, kink=MIDDLE), high, kink=MIDDLE))
    known = library_name(name) if len(name) > 2 else None
    if known is None or not ACTIVATIONS[known].parameters:
        raise MeaningError("several arguments of an operator that takes one")
    order = list(ACTIVATIONS[known].parameters)
    if len(nodes) != 1 + len(order):
        raise MeaningError(f"{name} takes {len(order)} parameters")
    x, *values = (reader.number(n) for n in nodes)
    parts = [reader.parts(n) for n in nodes[1:]]
    called = [_GREEK.get(p.name, p.name) if p is not None else "" for p in parts]
    if any(c in order for c in called) and sorted(called) != sorted(order):
        raise MeaningError(f"which parameters of {name} are meant")
    names = called if sorted(called) == sorted(order) else order
    return scalar(ACTIVATIONS[known](x, **dict(zip(names, values, strict=True))))


def _argument(reader: Reader, node: Node) -> Array:
    inner = node.body if isinstance(node, tree.Group) else node
    if isinstance(inner, tree.List):
        raise MeaningError("several arguments of an operator that takes one")
    return reader.value(inner)


def _extremum(reader: Reader, name: str, argument: Node) -> Array:
    inner = argument.body if isinstance(argument, tree.Group) else argument
    if not isinstance(inner, tree.List):
        whole = reader.value(inner)
        if not whole.axes:
            raise MeaningError(f"the {name} of one number")
        sign = 1 if name == "max" else -1
        whole = whole.fresh()
        return scalar(sign * reduction("max", sign * whole.body, list(whole.axes), "share"))
    choose = maximum if name == "max" else minimum
    values = [reader.value(item) for item in inner.items]
    found = values[0]
    for value in values[1:]:
        found = arrays.entrywise(found, value, lambda a, b: choose(a, b, kink=MIDDLE), "compared", reader.scope.fit)
    return found
