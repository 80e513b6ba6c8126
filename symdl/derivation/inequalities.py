"""What inequalities between integers imply, by elimination of unknowns (Fourier and Motzkin).

Indices are below their extents and extents are at least 1. A product of unknowns, such as c·W, is an unknown of its
own, of which it is known that it is c times W with c below its extent. Constants are rounded down where the other
coefficients have a common divisor, since the unknowns are integers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from math import gcd

import sympy

from symdl.core.deadlines import in_time
from symdl.core.indices import Index

#: A linear form that is ≥ 0: integer coefficients by unknown, with 1 for the constant.
Form = dict[sympy.Expr, int]

#: More inequalities than this, and nothing is decided.
MOST = 60


def implied(wanted: sympy.Expr, given: Iterable[sympy.Expr]) -> bool:
    """True where `wanted` ≥ 0 follows from `given` ≥ 0 and the ranges of what stands in them. False says nothing.

    >>> T, U = sympy.symbols("T U", integer=True, positive=True)
    >>> t, u = Index("t", T), Index("u", U)
    >>> implied(T + U - 2 - t - u, ()), implied(t - 1, ()), implied(t - 1, (t - u, u - 1))
    (True, False, True)
    """
    wanted = sympy.expand(wanted)
    return bool(wanted >= 0) if wanted.is_number else _implied(wanted, frozenset(given))


@lru_cache(maxsize=16384)
def _implied(wanted: sympy.Expr, given: frozenset[sympy.Expr]) -> bool:
    forms = [_form(-wanted - 1), *map(_form, given), *map(_form, _ranges((wanted, *given)))]
    if any(f is None for f in forms):
        return False
    return _contradict([f for f in forms if f is not None])


def _ranges(expressions: Sequence[sympy.Expr]) -> list[sympy.Expr]:
    """What is known of the unknowns in some expressions, of those in what is known, and so on."""
    known: dict[sympy.Expr, None] = {}
    seen: set[sympy.Expr] = set()
    ahead = list(expressions)
    while ahead:
        for unknown in {m for e in (ahead.pop(),) for m in sympy.expand(e).as_coefficients_dict() if m != 1} - seen:
            seen.add(unknown)
            for fact in _facts(unknown):
                known[fact] = None
                ahead.append(fact)
    return list(known)


def _facts(unknown: sympy.Expr) -> list[sympy.Expr]:
    if isinstance(unknown, Index):
        return [unknown, sympy.expand(unknown.extent - 1 - unknown)]
    if unknown.is_Symbol:
        return [unknown - 1] if unknown.is_positive else []
    facts = [unknown] if unknown.is_nonnegative else []
    for index in (f for f in sympy.Mul.make_args(unknown) if isinstance(f, Index)):
        rest = unknown / index
        if rest.is_nonnegative and not rest.has(Index):
            facts.append(sympy.expand((index.extent - 1 - index) * rest))
    return facts


def _form(expr: sympy.Expr) -> Form | None:
    parts = {k: sympy.Rational(c) for k, c in sympy.expand(expr).as_coefficients_dict().items() if c != 0}
    if not all(c.is_Rational for c in parts.values()):
        return None
    scale = sympy.ilcm(1, *[c.q for c in parts.values()])
    return _tight({k: int(c * scale) for k, c in parts.items()})


def _tight(form: Form) -> Form:
    shared = gcd(*[c for k, c in form.items() if k != 1])
    if shared <= 1:
        return form
    return {k: c // shared for k, c in form.items() if k != 1 or c // shared}


def _contradict(forms: list[Form]) -> bool:
    """Whether no integers satisfy all of them, as far as combinations of two at a time show it."""
    while True:
        in_time()
        if any(set(f) <= {sympy.S.One} and f.get(sympy.S.One, 0) < 0 for f in forms):
            return True
        counts: dict[sympy.Expr, list[int]] = {}
        for form in forms:
            for key, c in form.items():
                if key != 1:
                    counts.setdefault(key, [0, 0])[c < 0] += 1
        if not counts:
            return False
        chosen = min(counts, key=lambda k: (counts[k][0] * counts[k][1], str(k)))
        forms = _without(chosen, forms)
        if len(forms) > MOST:
            return False


def _without(unknown: sympy.Expr, forms: list[Form]) -> list[Form]:
    above = [f for f in forms if f.get(unknown, 0) > 0]
    below = [f for f in forms if f.get(unknown, 0) < 0]
    made = [f for f in forms if unknown not in f]
    made += [_sum(a, -b[unknown], b, a[unknown]) for a in above for b in below]
    strongest: dict[frozenset[tuple[sympy.Expr, int]], Form] = {}
    for form in made:
        slopes = frozenset((k, c) for k, c in form.items() if k != 1)
        other = strongest.get(slopes)
        if other is None or form.get(sympy.S.One, 0) < other.get(sympy.S.One, 0):
            strongest[slopes] = form
    return list(strongest.values())


def _sum(a: Form, m: int, b: Form, n: int) -> Form:
    total = {k: m * c for k, c in a.items()}
    for k, c in b.items():
        total[k] = total.get(k, 0) + n * c
    return _tight({k: c for k, c in total.items() if c})
