"""Inlining: equations put into an expression, bound indices renamed apart each time."""

from __future__ import annotations

from collections.abc import Container, Mapping

import sympy

from symdl.core.deadlines import in_time
from symdl.core.definitions import Definition
from symdl.core.guards import settled
from symdl.core.recurrence import Group, groups
from symdl.core.tensors import Element, Reduction, elements_in, refreshed, rename
from symdl.errors import UnsupportedError


def inline(definition: Definition, expr: sympy.Expr, keep: Container[str] = ()) -> sympy.Expr:
    """Put the equations of `definition` into `expr`, until only inputs and the tensors named in `keep` are left.

    A recurrence is put in time after time, down to the first; for that its times have to be numbers, so a sum over
    time is written out.

    Raises:
        UnsupportedError: a recurrence whose number of times is a symbol.

    >>> from symdl.core.define import define, Input, let
    >>> @define
    ... def d(x=Input()):
    ...     a = let("a", x**2)
    ...     return let("L", a + 1)
    >>> inline(d, d["L"].element())
    x**2 + 1
    """
    for group in reversed(groups(definition.equations)):
        in_time()
        if group.direction:
            expr = _inline_recurrence(group, expr, keep)
            continue
        (eq,) = group.equations
        if eq.name in keep:
            continue
        mine = [e for e in elements_in(expr) if e.tensor == eq.out]
        if mine:
            expr = expr.xreplace({e: eq.at(e.subscripts) for e in mine})
    return expr


def _inline_recurrence(group: Group, expr: sympy.Expr, keep: Container[str]) -> sympy.Expr:
    by_name = {e.name: e for e in group.equations if e.name not in keep}
    while mine := [e for e in elements_in(expr) if e.name in by_name]:
        expr = settled(written_over_time(expr, group.time))
        mine = [e for e in elements_in(expr) if e.name in by_name]
        for element in mine:
            time = element.subscripts[group.time[element.name]]
            if not time.is_Integer:
                raise UnsupportedError(
                    f"{element} can't be expanded",
                    where=f"the recurrence of {', '.join(group.names)}",
                    why=f"how many times it is put into itself depends on {time}",
                    remedy="expand it for a number of times, definition.at(t=3), or derive it by the chain rule",
                )
        expr = settled(expr.xreplace({e: by_name[e.name].at(e.subscripts) for e in mine}))
    return expr


def written_over_time(expr: sympy.Expr, axes: Mapping[str, int]) -> sympy.Expr:
    """Sums over the time of a recurrence written out, where that many times are a number.

    Args:
        expr: whose sums are written out.
        axes: which axis is time, by the names of the tensors that hang on the recurrence (`Group.time`).

    >>> from symdl.core.define import define, Hyper, Input, Sum, in_range, let, state
    >>> @define(time="t")
    ... def decay(x=Input("t=2"), a=Hyper()):
    ...     (t,) = x.indices
    ...     h = state("h[t]")
    ...     let("h[t]", x[t] + a * h[t - 1] * in_range(t - 1, t.extent))
    ...     return let("L", Sum(h[t] ** 2, t))
    >>> written_over_time(decay.by_name["L"].rhs, groups(decay.equations)[0].time)
    h[0]**2 + h[1]**2
    """
    if not expr.has(Reduction) or isinstance(expr, Element):
        return expr
    expr = expr.func(*[written_over_time(a, axes) if isinstance(a, sympy.Expr) else a for a in expr.args])
    if not isinstance(expr, Reduction) or expr.op != "sum":
        return expr
    times = {
        i for e in elements_in(expr.body) if e.name in axes for i in expr.bound if e.subscripts[axes[e.name]].has(i)
    }
    index = next((i for i in expr.bound if i in times and i.extent.is_Integer), None)
    if index is None:
        return expr
    rest = [i for i in expr.bound if i != index]
    parts = []
    for value in range(int(index.extent)):
        body = settled(rename(expr.body, {index: sympy.Integer(value)}))
        summand = Reduction(expr.args[0], body, sympy.Tuple(*rest), expr.args[3]) if rest else body
        parts.append(written_over_time(refreshed(summand), axes))
    return sympy.Add(*parts)
