"""Rates of change put in from the outside, so that what stands before each of them is one coefficient.

The chain rule adds up what flows back into a value, Σ_v ∂L/∂v ∂v/∂u, before it goes on to u. An expansion with its
sums under names goes the other way: ∂u/∂x first, then ∂v/∂x = Σ ∂v/∂u ∂u/∂x. Put in from the inputs upwards, such a
gradient is a sum over all paths. From the target downwards it is linear in what is still to be put in: all summands
with one rate are collected, their coefficient gets its canonical form, and only then is that rate put in. The
coefficients are then the values of the chain rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sympy

from symdl.core.deadlines import in_time
from symdl.core.definitions import Definition
from symdl.core.equations import Equation
from symdl.core.functions import Delta
from symdl.core.tensors import Element, Reduction, reduction
from symdl.errors import UnsupportedError

Change = Callable[[sympy.Expr], sympy.Expr]


def rates_of(definition: Definition, output: str) -> tuple[Equation, ...]:
    """The equations of rates that an output is made of, in order: those that are marked, and those that read one."""
    found: dict[str, Equation] = {}
    for eq in definition.only([output]).equations:
        if eq.name != output and (eq.out.tangent_of or eq.used_names & found.keys()):
            found[eq.name] = eq
    return tuple(found.values())


def put_in_from_outside(
    form: sympy.Expr, rates: Sequence[tuple[Element, Callable[[], sympy.Expr]]], canonical: Change, named: Change
) -> sympy.Expr:
    """The canonical form of an expression with rates put in, the last first.

    Args:
        form: in canonical form, linear in the elements of rates.
        rates: an element at its own indices, and what gives its value there, by rates before it.
        canonical: brings an expression to its canonical form.
        named: what stands for a form, if it has a name.

    Raises:
        UnsupportedError: it is not linear in them.
    """
    for element, value in reversed(rates):
        mine = [m for m in sympy.Add.make_args(form) if any(e.name == element.name for e in m.atoms(Element))]
        if mine:
            rest = form - sympy.Add(*mine)
            in_time()
            form = rest + canonical(_put_in(mine, element, value(), canonical, named))
    return form


def _put_in(
    monomials: Sequence[sympy.Expr], element: Element, value: sympy.Expr, canonical: Change, named: Change
) -> sympy.Expr:
    """Σ_q c(q) v(q): the summands, each of them some Σ g v[f], with c(q) = Σ g δ(q, f)."""
    parts = [_around(m, element.name) for m in monomials]
    at = [e.subscripts for _, _, _, e in parts]
    bound = {i for _, _, b, _ in parts for i in b}
    kept = {
        own: at[0][axis]
        for axis, own in enumerate(element.subscripts)
        if len({s[axis] for s in at}) == 1 and not at[0][axis].free_symbols & bound
    }
    summed = [own for own in element.subscripts if own not in kept]
    coefficient = sympy.S.Zero
    for outside, inside, indices, read in parts:
        deltas = [Delta(own, s) for own, s in zip(element.subscripts, read.subscripts, strict=True) if own not in kept]
        coefficient += outside * reduction("sum", sympy.Mul(inside, *deltas), indices)
    collected = named(canonical(coefficient))
    return reduction("sum", collected * value.xreplace(kept), summed)


def _around(monomial: sympy.Expr, name: str) -> tuple[sympy.Expr, sympy.Expr, Sequence[sympy.Expr], Element]:
    """A monomial c Σ_b g v[f] as c, g, b and v[f].

    Raises:
        UnsupportedError: v stands elsewhere, or more than once.
    """
    factors = sympy.Mul.make_args(monomial)
    mine = [f for f in factors if any(e.name == name for e in f.atoms(Element))]
    outside = sympy.Mul(*[f for f in factors if f not in mine])
    if len(mine) == 1 and isinstance(mine[0], Element) and mine[0].name == name:
        return outside, sympy.S.One, (), mine[0]
    if len(mine) == 1 and isinstance(mine[0], Reduction) and mine[0].op == "sum":
        within, inside, indices, element = _around(mine[0].body, name)
        if within != 1 or not indices:
            return outside, within * inside, (*mine[0].bound, *indices), element
    raise UnsupportedError(f"{monomial} is not linear in {name}")
