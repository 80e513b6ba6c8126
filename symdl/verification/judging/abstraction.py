"""Claims about functions of which nothing is known: equal arguments give equal values, and that is all that is used.

Each f(u) becomes an unknown of its own, one for all arguments of one canonical form. What is then proved holds for
every f; what is not says nothing, since the document may mean a certain one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import sympy

from symdl.core.indices import Index
from symdl.core.tensors import Element
from symdl.derivation.canonical import canonical
from symdl.verification.meaning.scope import element
from symdl.verification.meaning.unknown import UnknownFunction

_ANY = sympy.Symbol("any", integer=True, positive=True)


def without_functions(expressions: Sequence[sympy.Expr]) -> tuple[sympy.Expr, ...]:
    """Expressions with unknowns for the values of unknown functions, the same in all of them.

    >>> from symdl.verification.meaning.unknown import unknown
    >>> x = element("x")
    >>> f = unknown("f")
    >>> without_functions((f((x + 1) ** 2), f(x**2 + 2 * x + 1) + f(x)))
    (f₁, f₁ + f₂)
    """
    known: dict[tuple[object, ...], str] = {}
    found = tuple(expressions)
    while True:
        calls = [c for e in found for c in e.atoms(UnknownFunction)]
        inner = [c for c in calls if not any(a.has(UnknownFunction) for a in c.args)]
        if not inner:
            return found
        mapping = {c: _value(c, known) for c in sorted(inner, key=str)}
        found = tuple(e.xreplace(mapping) for e in found)


def _value(call: UnknownFunction, known: dict[tuple[object, ...], str]) -> sympy.Expr:
    indices = sorted((s for s in call.free_symbols if isinstance(s, Index)), key=lambda i: (i.name, i.dummy_index))
    places = {i: _place(i.extent, k) for k, i in enumerate(indices)}
    # which range an index runs through changes no value: δ_t may be spoken of for t < T, and summed over t ≤ T
    anywhere = {place: _place(_ANY, k) for k, place in enumerate(places.values())}
    arguments = [canonical(a.xreplace(places)).xreplace(anywhere) for a in call.args]
    shifts = [_least(place, arguments) for place in anywhere.values()]
    begun = {place: place - shift for place, shift in zip(anywhere.values(), shifts, strict=True)}
    key = (type(call).__name__, *[a.xreplace(begun) for a in arguments])
    if key not in known:
        number = str(len(known) + 1).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
        known[key] = f"{type(call).__name__}{number}"
    return element(known[key], [i + shift for i, shift in zip(indices, shifts, strict=True)])


def _least(place: Index, arguments: list[sympy.Expr]) -> sympy.Integer:
    """The least c of all entries x_{i+c}: f(x_{t+1}) is what f(x_t) is, at t + 1; 0 where i stands elsewhere too."""
    offsets = [s - place for a in arguments for e in a.atoms(Element) for s in e.subscripts if place in s.free_symbols]
    hidden = [a.xreplace(dict.fromkeys(a.atoms(Element), sympy.S.Zero)) for a in arguments]
    if not offsets or not all(o.is_Integer for o in offsets) or any(place in a.free_symbols for a in hidden):
        return sympy.S.Zero
    return sympy.Integer(min(offsets))


@lru_cache(maxsize=256)
def _place(extent: sympy.Expr, number: int) -> Index:
    return Index(f"p{number}", extent)
