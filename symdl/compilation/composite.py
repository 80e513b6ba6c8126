"""Composite extents, H − R + 1 or ⌊(H + 2·p − R)/s⌋ + 1: solved from shapes, checked, and kept from vanishing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sympy

from symdl.core.definitions import Definition
from symdl.core.equations import Equation
from symdl.core.indices import Index
from symdl.core.tensors import Element
from symdl.errors import ShapeError

#: How much small extents may be enlarged.
_LARGEST = 64


def solved(sizes: Mapping[Any, int], name: str) -> dict[Any, int]:
    """The sizes, and those of the symbols that stand alone on no axis: R from an axis of extent H − R + 1.

    Args:
        sizes: by key (see `Axes.key`).
        name: of the definition, for errors.

    Raises:
        ShapeError: no extent fits.

    >>> H, R = (sympy.Symbol(n, integer=True, positive=True) for n in "HR")
    >>> solved({H: 9, H - R + 1: 7}, "d")[R]
    3
    """
    known = {k: v for k, v in sizes.items() if k.is_Symbol and not isinstance(k, Index)}
    composite = {k: v for k, v in sizes.items() if not k.is_Symbol}
    for _ in range(len(composite)):
        for expr, value in composite.items():
            rest = sympy.expand(expr.xreplace(integers(known)) - value)
            unknown = sorted(rest.free_symbols, key=str)
            if len(unknown) != 1 or not (step := rest.coeff(unknown[0], 1)).is_Integer:
                continue
            found = -sympy.expand(rest - step * unknown[0]) / step
            if not found.is_number:
                continue  # within a rounded-down quotient: it does not say which one
            if not found.is_Integer or found < 1:
                raise ShapeError(f"no extent {unknown[0]} gives {expr} = {value}", where=f"definition {name}")
            known[unknown[0]] = int(found)
    return {**sizes, **known}


def check_extents(composite: Iterable[Index], sizes: Mapping[Any, int], name: str) -> None:
    """Raise where a composite extent comes out below 1, or as another number than the arrays have.

    Args:
        composite: indices with such an extent.
        sizes: as `solved` gives them.
        name: of the definition, for errors.

    Raises:
        ShapeError: names the index, and the two numbers that do not fit.

    >>> H, R = (sympy.Symbol(n, integer=True, positive=True) for n in "HR")
    >>> check_extents([Index("u", H - R + 1)], {H: 3, R: 5}, "d")
    Traceback (most recent call last):
        ...
    symdl.errors.ShapeError: the kernel is larger than the input; in definition d, index u: its extent H - R + 1 would
    be -1, since H = 3 is less than R = 5. Remedy: pass a larger input, a smaller kernel or more padding.
    """
    known = integers({k: v for k, v in sizes.items() if k.is_Symbol and not isinstance(k, Index)})
    for index in composite:
        value = index.extent.xreplace(known)
        if not value.is_Integer:
            continue
        if value < 1:
            large, small = _sides(index.extent)
            raise ShapeError(
                "the kernel is larger than the input",
                where=f"definition {name}, index {index.name}",
                why=f"its extent {index.extent} would be {value}, since {_at(large, known)} is less than "
                f"{_at(small, known)}",
                remedy="pass a larger input, a smaller kernel or more padding",
            )
        given = sizes.get(sympy.expand(index.extent))
        if given is not None and given != value:
            raise ShapeError(
                f"extent {index.extent} is {given} in the arrays",
                where=f"definition {name}, index {index.name}",
                why=f"it has to be {value}",
                remedy="pass arrays whose axes agree",
            )


def divisors(definition: Definition) -> list[tuple[sympy.Expr, Equation]]:
    """What equations divide by that depends on extents only and may be 0, as the N − 1 of an unbiased variance.

    >>> from symdl.core.define import Input, Sum, define, let
    >>> @define
    ... def spread(x=Input("n")):
    ...     (n,) = x.indices
    ...     return let("s", Sum(x[n] ** 2 / (n.extent - 1), n))
    >>> [str(divisor) for divisor, _ in divisors(spread)]
    ['N - 1']
    """
    return [
        (power.base, eq)
        for eq in definition.equations
        for term in eq.terms
        for power in sorted(term.body.atoms(sympy.Pow), key=str)
        if power.exp.is_negative
        and not power.base.is_positive
        and power.base.free_symbols
        and not power.base.has(Element, Index)
    ]


def check_divisors(found: Iterable[tuple[sympy.Expr, Equation]], sizes: Mapping[Any, int], name: str) -> None:
    """Raise where something that equations divide by (see `divisors`) is 0 at these sizes.

    Raises:
        ShapeError: names the equation and the extents.
    """
    known = integers({k: v for k, v in sizes.items() if k.is_Symbol and not isinstance(k, Index)})
    for divisor, eq in found:
        if divisor.xreplace(known) == 0:
            extents = ", ".join(f"{s} = {known[s]}" for s in sorted(divisor.free_symbols, key=str))
            raise ShapeError(
                f"{eq.name} divides by {divisor}, which is 0",
                where=f"definition {name}, equation {eq!r}",
                why=f"the arrays have {extents}",
                remedy="pass more entries along those axes",
            )


def _sides(extent: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
    """The two numbers of which the first has to reach the second: H + 2·p and d·(R − 1) + 1."""
    whole = sympy.expand(extent) - 1
    quotients = [f for f in sympy.Add.make_args(whole) if isinstance(f, sympy.floor)]
    if len(quotients) == 1:
        # ⌊a/s⌋ + c ≥ 0 where a + s·c ≥ 0
        above, below = sympy.fraction(sympy.together(quotients[0].args[0]))
        whole = sympy.expand(above + below * (whole - quotients[0]))
    small = -sympy.Add(*[p for p in sympy.Add.make_args(whole) if p.could_extract_minus_sign()])
    if small.free_symbols:
        # d·R of a kernel with dilation d: what it covers is d·(R − 1) + 1
        small = sympy.expand(sum(small.coeff(r, 1) * (r - 1) for r in small.free_symbols) + 1)
    return sympy.expand(whole + small), small


def _at(expr: sympy.Expr, known: Mapping[sympy.Symbol, sympy.Integer]) -> str:
    return str(expr) if expr.is_Integer else f"{expr} = {expr.xreplace(dict(known))}"


def enlarged(symbols: dict[Any, int], extents: Iterable[sympy.Expr], name: str) -> dict[Any, int]:
    """Small extents made larger until every composite one is at least 2, or at least 1 where it can be no more.

    Raises:
        ShapeError: one of them stays below 1.

    >>> H, R = (sympy.Symbol(n, integer=True, positive=True) for n in "HR")
    >>> enlarged({H: 3, R: 3}, [sympy.floor((H - R) / sympy.Integer(2)) + 1], "d")[H]
    5
    """
    wanted = sorted(set(extents), key=str)
    for least in (2, 1):
        found = _enlarged(dict(symbols), wanted, least)
        if found is not None:
            return found
    raise ShapeError(
        f"no small extents fit {name}",
        why=f"one of {', '.join(map(str, wanted))} stays below 1",
        remedy="state extents for which it is at least 1",
    )


def _enlarged(symbols: dict[Any, int], extents: list[sympy.Expr], least: int) -> dict[Any, int] | None:
    for _ in range(_LARGEST):
        values = [(e, e.xreplace(integers(symbols))) for e in extents]
        low = [e for e, value in values if value.is_Integer and value < least]
        if not low:
            return symbols
        growing = [s for s in sorted(low[0].free_symbols, key=str) if s in symbols and _grows(low[0], s, symbols)]
        if not growing:
            return None
        for symbol in growing:
            symbols[symbol] += 1
    return None


def _grows(extent: sympy.Expr, symbol: Any, symbols: Mapping[Any, int]) -> bool:
    """Whether the extent is larger where the symbol is, in the long run: rounding down hides single steps."""
    larger = {**symbols, symbol: symbols[symbol] + _LARGEST}
    return bool(extent.xreplace(integers(larger)) > extent.xreplace(integers(symbols)))


def integers(values: Mapping[Any, int]) -> dict[Any, sympy.Integer]:
    """Sizes as SymPy has numbers, to put them in."""
    return {k: sympy.Integer(v) for k, v in values.items()}
