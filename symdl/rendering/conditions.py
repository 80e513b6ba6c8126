"""What stands beneath a Σ or max: its indices, and the guards of its body as conditions on them.

A guard says only what the ranges of its indices leave open: [0 ≤ t − s < T] of two indices below T reads s ≤ t, and
[0 ≤ t − 1 < T] reads t ≥ 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sympy

from symdl.core.functions import Delta, InRange
from symdl.core.indices import Index, indices_in, provably_nonnegative, value_range
from symdl.rendering.document import visible_length
from symdl.rendering.subscripts import Print, index_text

#: Characters beneath a Σ up to which its indices and a condition stand on one line.
_LINE = 11


@dataclass(frozen=True)
class Condition:
    """A guard in words of indices; `names` is the index that it introduces, such as s in s ≤ t."""

    text: str
    names: Index | None = None


def is_guard(factor: sympy.Expr) -> bool:
    """A guard that reads better as a condition: every one but δ_ij of plain indices and numbers."""
    if isinstance(factor, Delta):
        return not all(isinstance(a, Index | sympy.Integer) for a in factor.args)
    return isinstance(factor, InRange)


def take_guards(body: sympy.Expr, bound: Sequence[Index]) -> tuple[list[sympy.Expr], sympy.Expr]:
    """The guards among the factors of a body that depend on a bound index, and the rest of the body."""
    inside = set(bound)
    factors = sympy.Mul.make_args(body)
    guards = [f for f in factors if is_guard(f) and f.free_symbols & inside]
    rest = sympy.Mul(*[f for f in factors if f not in guards]) if guards else body
    order = list(bound)

    def place(guard: sympy.Expr) -> tuple[int, str]:
        return min(order.index(i) for i in guard.free_symbols & inside), str(guard)

    return sorted(guards, key=place), rest


def condition(guard: sympy.Expr, bound: Iterable[Index], atom: Print) -> Condition:
    r"""A guard as a condition; a bound index stands on its left where it can.

    >>> t = Index("t"); s = Index("s", t.extent)
    >>> condition(InRange(t - s, t.extent), [s], str).text, condition(InRange(t - 1, t.extent), [], str).text
    ('s \\le t', 't \\ge 1')
    >>> condition(Delta(t, 2 * s), [s], str).text
    '2 s = t'
    """
    inside = set(bound)
    if isinstance(guard, Delta):
        a, b = sorted(
            guard.args, key=lambda e: (not e.free_symbols & inside, isinstance(e, Index) or e.is_number, str(e))
        )
        return Condition(f"{index_text(a, atom)} = {index_text(b, atom)}")
    if not isinstance(guard, InRange):  # a mask that is data: 1 where an entry counts
        return Condition(f"{atom(guard)} = 1")
    e, extent = guard.args
    below, above = _open_sides(e, extent)
    if below and not above:
        return _nonnegative(e, inside, atom)
    if above and not below:
        number = e.as_coeff_Add()[0]  # t < T − 1, not t + 1 < T
        left, right = e - number, sympy.expand(extent - number)
        return Condition(f"{index_text(left, atom)} < {index_text(right, atom)}", left if left in inside else None)
    middle = index_text(e, atom)
    return Condition(rf"0 \le {middle} < {index_text(extent, atom)}")


def _open_sides(e: sympy.Expr, extent: sympy.Expr) -> tuple[bool, bool]:
    """Which of 0 ≤ e and e < extent the ranges of the indices leave open."""
    limits = value_range(e, indices_in(e))
    if limits is None:
        return True, True
    low, high = limits
    return not provably_nonnegative(low), not provably_nonnegative(sympy.expand(extent - 1 - high))


def _nonnegative(e: sympy.Expr, inside: set[Index], atom: Print) -> Condition:
    """e ≥ 0 with what is subtracted on the other side: s ≤ t, t ≥ 1."""
    terms = sympy.Add.make_args(sympy.expand(e))
    minus = -sympy.Add(*[t for t in terms if t.could_extract_minus_sign()])
    plus = sympy.Add(*[t for t in terms if not t.could_extract_minus_sign()])
    left, sign, right = (plus, r"\ge", minus)
    if minus.free_symbols & inside or (minus.free_symbols and not plus.free_symbols & inside):
        left, sign, right = minus, r"\le", plus
    return Condition(f"{index_text(left, atom)} {sign} {index_text(right, atom)}", left if left in inside else None)


def beneath(bound: Sequence[Index], conditions: Sequence[Condition], atom: Print) -> str:
    r"""What stands under the operator: `n,t`, `s \le t`, `k,r:\,0 \le p-r < U`, on lines where that is long.

    >>> n, t = Index("n"), Index("t")
    >>> beneath([n, t], [Condition("t \\ge 1", t)], str), beneath([n, t], [Condition("2 t = n")], str)
    ('n,t \\ge 1', 'n,t:\\,2 t = n')
    """
    named = {}
    for known in conditions:
        if known.names is not None and known.names in bound and known.names not in named:
            named[known.names] = known
    names = ",".join(named[i].text if i in named else atom(i) for i in bound)
    rest = [known.text for known in conditions if known not in named.values()]
    if not rest:
        return names
    if len(rest) > 1 or visible_length(names + rest[0]) > _LINE:
        lines = r" \\ ".join([names, *rest])
        return rf"\substack{{{lines}}}"
    return rf"{names}:\,{rest[0]}"
