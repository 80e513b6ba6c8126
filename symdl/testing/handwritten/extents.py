"""The extents at which a function is tried: distinct primes, others, squares, and axes of one entry."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import sympy

from symdl.compilation.composite import enlarged, integers
from symdl.compilation.extents import Axes, input_axes, sizes_from_shapes
from symdl.core.definitions import Definition
from symdl.core.functions import Delta
from symdl.core.indices import Index
from symdl.errors import BudgetError, SymdlError

Shapes = dict[str, tuple[int, ...]]

#: Extents in turn, the first one that keeps a point affordable: no two neighbours alike, a batch over 1, and more than
#: two numbers to normalise over.
_PRIMES = ((3, 5, 7, 2, 11, 13), (3, 5, 4, 2, 7), (3, 4, 2, 5), (3, 2), (2, 3), (2,))
_OTHERS = ((5, 3, 2, 7, 4, 3), (5, 3, 2, 4), (4, 3), (2, 3), (3, 2), (3,))
#: How many bodies a point may evaluate.
_BUDGET = 4000
#: Beyond so many, 50 digits take too long; beyond so many, anything does.
EXACT, MOST = 40_000, 4_000_000
#: Where there is one extent only, as for an activation: more numbers at once, more of them on kinks.
_ALONE = ((31,), (17,))


def trials(definition: Definition) -> Iterator[tuple[str, Shapes]]:
    """Shapes of all inputs with a word for each family; those that do not fit the definition are left out.

    >>> from symdl.library.definitions import definition
    >>> for family, shapes in trials(definition("linear")):
    ...     print(family, shapes)
    primes {'x': (3, 5), 'W': (7, 5), 'b': (7,)}
    others {'x': (5, 3), 'W': (2, 3), 'b': (2,)}
    square {'x': (3, 3), 'W': (3, 3), 'b': (3,)}
    ones {'x': (1, 1), 'W': (1, 1), 'b': (1,)}
    one n {'x': (1, 5), 'W': (7, 5), 'b': (7,)}
    one i {'x': (3, 1), 'W': (7, 1), 'b': (7,)}
    one j {'x': (3, 5), 'W': (1, 5), 'b': (1,)}
    """
    axes, free = Axes(definition), open_extents(definition)
    main = _affordable(axes, free, (*_ALONE[:1], *_PRIMES) if len(free) == 1 else _PRIMES)
    other = _affordable(axes, free, (*_ALONE[1:], *_OTHERS) if len(free) == 1 else _OTHERS)
    families = {"primes": main, "others": other}
    if free:
        families |= {family: dict.fromkeys(free, length) for family, length in (("square", 3), ("ones", 1))}
    if len(free) > 1:
        families |= {f"one {name}": {**main, s: 1} for s, name in free.items()}
    seen: list[Shapes] = []
    for family, sizes in families.items():
        shapes = shapes_of(axes, sizes)
        if shapes is not None and shapes not in seen:
            seen.append(shapes)
            yield family, shapes


def open_extents(definition: Definition) -> dict[sympy.Symbol, str]:
    """The extents that shapes decide, each with the name of an index that has it."""
    found: dict[sympy.Symbol, str] = {}
    for tensor, axis in input_axes(definition):
        index = tensor.indices[axis]
        for symbol in sorted(index.extent.free_symbols, key=str):
            found.setdefault(symbol, index.name if index.extent == symbol else str(symbol).lower())
    return found


def shapes_of(axes: Axes, sizes: Mapping[sympy.Symbol, int]) -> Shapes | None:
    """The shapes of all inputs, or None where they do not fit the definition."""
    put = integers(sizes)
    try:
        shapes = {t.name: tuple(int(i.extent.xreplace(put)) for i in t.indices) for t in axes.definition.inputs}
        sizes_from_shapes(axes, shapes)
    except (SymdlError, TypeError):
        return None
    return shapes


def _affordable(
    axes: Axes, free: Mapping[sympy.Symbol, str], choices: tuple[tuple[int, ...], ...]
) -> dict[sympy.Symbol, int]:
    composite = [i.extent for i in axes.composite]
    sizes: dict[sympy.Symbol, int] = {}
    for choice in choices:
        plain = {s: choice[k % len(choice)] for k, s in enumerate(free)}
        sizes = {k: v for k, v in enlarged(plain, composite, axes.definition.name).items() if k in free}
        if bodies(axes, sizes) <= _BUDGET:
            break
    return sizes


def affordable(definition: Definition, shapes: Shapes) -> bool:
    """Whether the equations are evaluated in 50 digits at these shapes; if not, it is in extended precision.

    Raises:
        BudgetError: too large for that, too.
    """
    axes = Axes(definition)
    sizes = sizes_from_shapes(axes, shapes)
    count = bodies(axes, {k: v for k, v in sizes.items() if k.is_Symbol and not isinstance(k, Index)})
    if count > MOST:
        raise BudgetError(
            f"{definition.name} has {count:,} bodies to evaluate at these extents",
            where="check_code",
            remedy="check the function at smaller extents: leave them open in the definition, or say extents={…}",
        )
    return count <= EXACT


def bodies(axes: Axes, sizes: Mapping[sympy.Symbol, int]) -> int:
    """How many bodies the equations evaluate at these extents; one with a δ is 0 nearly everywhere."""
    put = integers(sizes)
    total = 0
    for eq in axes.definition.equations:
        for term in eq.terms:
            extents = [i.extent.xreplace(put) for i in (*eq.indices, *term.bound)]
            count = math.prod(int(e) for e in extents if e.is_Integer)
            total += count // (8 if term.body.has(Delta) else 1)
    return total
