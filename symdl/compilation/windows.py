"""Which sums are products of what windows slide over, and how they are multiplied where they stand.

Σ_{c,r,s} K[a,c,r,s] x[c, u + r, v + s, n] is a product of matrices whose right operand would hold x once for each r and
s. Instead of writing it out, tiles read it at the sums of their indices (Dukhan, The indirect convolution algorithm,
2019, has a table of places for that; three loops with steps of their own do here). Lanes of vectors are entries that
stand side by side in memory: columns of the result, or values of an inner index.

Where a border cuts a window off, the loops within the tile are shorter, unless the operand has to be copied into
another order in any case: then the copy has zeros around it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import sympy

from symdl.compilation.contractions import Context, Product
from symdl.compilation.factors import taken_out
from symdl.compilation.layouts import product
from symdl.compilation.orders import FEWEST
from symdl.compilation.places import Part
from symdl.compilation.ranges import bounds
from symdl.compilation.statements import Fixed, Statement, Windowed, placed, statement
from symdl.core.equations import Equation, Term
from symdl.core.functions import InRange
from symdl.core.indices import Index, indices_in, value_range
from symdl.core.tensors import Element, Tensor

#: Multiplications from which a product by tiles is worth calling.
ENOUGH = 1 << 13
#: Loops within a tile around the one along its lanes, by whether these are columns of the result; columns otherwise.
ACROSS, ALONG, COLUMNS = 3, 2, 3
Guards = tuple[sympy.Expr, ...]


def windowed(eq: Equation, term: Term, taken: bool, context: Context) -> Product | None:
    """The term as a product of what a window slides over; None where it is none, or loops or matrices are better."""
    if not context.windows or term.op != "sum" or product((*eq.indices, *term.bound), context.size) < ENOUGH:
        return None
    scale, body = taken_out(term.body, frozenset(term.bound))
    factors = sympy.Mul.make_args(body)
    elements = [f for f in factors if isinstance(f, Element)]
    guards = tuple(f for f in factors if isinstance(f, InRange) and not f.atoms(Element))
    if len(elements) != 2 or len(elements) + len(guards) < len(factors) or not all(map(_is_linear, elements)):
        return None
    for left, right in (elements, elements[::-1]):
        if _slides(right) and not _slides(left):
            for lanes in (_across, _along):
                made = lanes(eq, term, left, right, guards, context)
                if made is not None:
                    call, copy = made
                    out = Tensor(context.name(f"{eq.name}_part"), eq.indices) if taken else eq.out
                    return Product(_kept(copy, context), _fresh(replace(call, out=out.element()), context), scale)
    return None


def in_time(eq: Equation, term: Term, at: Fixed, names: frozenset[str], context: Context) -> Product | None:
    """A sum that needs what a recurrence computes, at one time: rows of a state times weights, a product by tiles.

    Args:
        at: what stands for the time index.
        names: of the tensors that are not known for all times.
    """
    if not context.windows or term.op != "sum" or product((*eq.indices, *term.bound), context.size) < ENOUGH:
        return None
    scale, body = taken_out(term.body, frozenset(term.bound))
    elements = sympy.Mul.make_args(body)
    if len(elements) != 2 or not all(isinstance(e, Element) and _is_linear(e) for e in elements):
        return None
    for left, right in (elements, elements[::-1]):
        alone = right.name not in names and not any(i in at for i in indices_in(right))
        made = _across(eq, term, left, right, (), context, frozenset(at)) if alone else None
        if made is not None and all(i in at for i in made[0].loops):
            call, copy = made
            out = Tensor(context.name(f"{eq.name}_part"), eq.indices).element()
            at_once = _fresh(replace(call, out=out, loops=()), context).renamed(dict(at))
            return Product(_kept(copy, context), at_once, scale)
    return None


def _fresh(item: Windowed, context: Context) -> Windowed:
    """With loops of its own."""
    return item.renamed({i: context.axes.fresh(i) for i in item.indices})


@dataclass(frozen=True)
class _Copy:
    """An element as it is read from a copy that has been made or is to be made, and the guards that are left."""

    element: Element
    guards: Guards
    key: tuple[Any, ...] = ()
    made: tuple[Statement, ...] = ()


def _kept(copy: _Copy, context: Context) -> tuple[Statement, ...]:
    """What makes a copy; other sums may read it."""
    if copy.made:
        context.copies[copy.key] = copy.element.tensor
    return copy.made


def _is_linear(element: Element) -> bool:
    """Whether an element is read at sums of multiples of indices."""
    for subscript in element.subscripts:
        rest = sympy.expand(subscript)
        for index in indices_in(subscript):
            slope = rest.coeff(index, 1)
            rest = sympy.expand(rest - slope * index)
            if indices_in(slope):
                return False
        if indices_in(rest) or subscript.atoms(Element) or subscript.atoms(sympy.floor):
            return False
    return True


def _slides(element: Element) -> bool:
    return any(not isinstance(s, Index) for s in element.subscripts)


def _alone(element: Element, index: Index) -> int | None:
    """The axis that an index subscripts by itself, if it is in no other subscript."""
    at = [k for k, s in enumerate(element.subscripts) if index in indices_in(s)]
    return at[0] if len(at) == 1 and element.subscripts[at[0]] == index else None


def _across(
    eq: Equation,
    term: Term,
    left: Element,
    right: Element,
    guards: Guards,
    context: Context,
    fixed: frozenset[Index] = frozenset(),
) -> tuple[Windowed, _Copy] | None:
    """With columns of the result as lanes: the last index of the result, which the window leaves alone.

    Rows are none of the `fixed` indices.
    """
    if not eq.indices or eq.indices[-1] in indices_in(left) or _alone(right, eq.indices[-1]) is None:
        return None
    rows = [i for i in eq.indices if i in indices_in(left) and i not in (*indices_in(right), *fixed)]
    inner = _ordered(left, term.bound)
    if context.size(eq.indices[-1]) < FEWEST or not rows or len(inner) > ACROSS:
        return None
    copy = _Copy(right, guards)
    if right.subscripts[-1] != eq.indices[-1]:
        copy = _standing(right, guards, eq.indices[-1], context)
    right, guards = copy.element, copy.guards
    run, guarded = [eq.indices[-1]], {i for g in guards for i in indices_in(g)}
    for k in range(2, min(len(eq.indices), len(right.subscripts)) + 1):
        index, subscript = eq.indices[-k], right.subscripts[-k]
        if index in guarded or index in indices_in(left) or not _moves_by_one(right, index, -k):
            break
        run.insert(0, index)
        if subscript != index:  # what stands before it is further away than this is long
            break
    row = max(rows, key=context.size)
    inner = tuple(sorted(inner, key=lambda i: i not in guarded))  # the innermost loop is a whole one
    loops = tuple(i for i in eq.indices if i != row and i not in run)
    if not all(_cuts(g, inner, loops) for g in guards):
        return None
    return Windowed(eq.out.element(), left, right, loops, row, (), inner, tuple(run), guards, repr(eq)), copy


def _along(
    eq: Equation, term: Term, left: Element, right: Element, guards: Guards, context: Context
) -> tuple[Windowed, _Copy] | None:
    """With values of an inner index as lanes: the last one of the left operand, which the window leaves alone."""
    lane = left.subscripts[-1] if left.subscripts else None
    if lane not in term.bound or _alone(left, lane) is None or _alone(right, lane) is None:
        return None
    rows = [i for i in eq.indices if i in indices_in(left) and i not in indices_in(right)]
    columns = tuple(i for i in eq.indices if i in indices_in(right) and i not in indices_in(left))
    if not rows or not columns or len(columns) > COLUMNS or eq.indices[-len(columns) :] != columns:
        return None
    if context.size(lane) < FEWEST or any(i in indices_in(right) for i in rows):
        return None
    copy = _Copy(right, guards)
    if right.subscripts[-1] != lane or guards:
        copy = _standing(right, guards, lane, context)
    right, run = copy.element, [lane]
    for k in range(2, min(len(left.subscripts), len(right.subscripts)) + 1):
        index = left.subscripts[-k]
        if index not in term.bound or _alone(left, index) is None or not _moves_by_one(right, index, -k):
            break
        run.insert(0, index)
        if right.subscripts[-k] != index:
            break
    inner = _ordered(left, tuple(i for i in term.bound if i not in run))
    if copy.guards or len(inner) > ALONG:
        return None
    row = max(rows, key=context.size)
    loops = tuple(i for i in eq.indices if i != row and i not in columns)
    return Windowed(eq.out.element(), left, right, loops, row, columns, inner, tuple(run), (), repr(eq)), copy


def _ordered(left: Element, bound: tuple[Index, ...]) -> tuple[Index, ...]:
    """Bound indices in the order in which the left operand has them."""
    found = dict.fromkeys(i for s in left.subscripts for i in indices_in(s) if i in bound)
    return (*found, *(i for i in bound if i not in found))


def _moves_by_one(element: Element, index: Index, axis: int) -> bool:
    """Whether an index is in one subscript alone, and the next value of it is the next entry of that axis."""
    at = [k for k, s in enumerate(element.subscripts) if index in indices_in(s)]
    return at == [len(element.subscripts) + axis] and sympy.expand(element.subscripts[axis]).coeff(index, 1) == 1


def _cuts(guard: sympy.Expr, inner: tuple[Index, ...], loops: tuple[Index, ...]) -> bool:
    """Whether a guard says from where to where one inner index runs, for given values of the loops."""
    own = [i for i in indices_in(guard) if i in inner]
    others = [i for i in indices_in(guard) if i not in own]
    return len(own) == 1 and set(others) <= set(loops) and bounds(guard, own[0]) is not None


def _standing(element: Element, guards: Guards, last: Index, context: Context) -> _Copy:
    """The element of a copy that has an index last, with zeros around it where guards cut something off."""
    order = sorted(range(len(element.subscripts)), key=lambda k: element.subscripts[k] == last)
    axes, places, subscripts = list[Index](), list[sympy.Expr](), list[sympy.Expr]()
    inside, done = list[sympy.Expr](), set[sympy.Expr]()
    for axis in order:
        index, subscript = element.tensor.indices[axis], element.subscripts[axis]
        guard = InRange(subscript, index.extent)
        limits = value_range(subscript, indices_in(subscript)) if guard in guards else None
        if limits is not None:
            first, end = limits
            subscript = sympy.expand(subscript - first)
            place, index = sympy.expand(index - first), Index(index.name, sympy.expand(end - first + 1))
            inside.append(InRange(place, index.extent))
            done.add(guard)
        axes.append(index)
        places.append(place if limits is not None else index)
        subscripts.append(subscript)
    left = tuple(g for g in guards if g not in done)
    key = ("standing", element.name, *places, *(a.extent for a in axes))
    if key in context.copies:
        return _Copy(context.copies[key][tuple(subscripts)], left)
    made = Tensor(context.name(f"{element.name}_apart"), tuple(axes))
    original = element.tensor.element()
    if inside:
        part = Part(tuple(places), original, "sum", element.tensor.indices, (), tuple(inside))
        zeros = statement(context.axes, made, sympy.S.Zero, "", (), f"{element.name} with zeros around it")
        units: tuple[Statement, ...] = (zeros, placed(context.axes, made, part, zeros.source))
    else:
        units = (statement(context.axes, made, original, "", (), f"{element.name} in another order"),)
    return _Copy(made[tuple(subscripts)], left, key, units)
