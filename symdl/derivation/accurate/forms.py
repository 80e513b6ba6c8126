"""A form that keeps its digits, found from a definition: pieces, each the safest of the candidates on its interval.

Where every candidate cancels (at a root, or near 0) a polynomial takes over, whose error is proved; where all overflow
and the function has settled (gelu is x from some point on) the value that it has settled to, which is proved as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise

import sympy

from symdl.core.accurate import scaled_exp
from symdl.core.functions import Switch
from symdl.derivation.accurate.candidates import (
    candidates,
    conjugate_waves,
    conjugates,
    exact_waves,
    in_turn,
    opened,
    without_switches,
)
from symdl.derivation.accurate.points import LARGEST, grid, scale_of, within_domain
from symdl.derivation.accurate.prices import price
from symdl.derivation.accurate.records import HARD, Form, Piece, Search
from symdl.derivation.accurate.rounding import Analysis
from symdl.derivation.accurate.series import Polynomial, order_at, polynomial, root_between
from symdl.derivation.accurate.settling import fading, settled
from symdl.errors import UnsupportedError

#: Worst-case ulps beyond which a form is looked for. The worst case counts every rounding in the same direction:
#: what is measured is about half of it.
LIMIT = 5.5
#: What a polynomial is off at most, by dtype, as a power of two: a small part of half an ulp.
BITS = {"float64": 57, "float32": 28}
#: Errors up to this cost nothing, and a change of the form costs as much as this many ulps at one point of the grid.
FINE, CHANGE = 4.5, 24.0
#: What a multiplication of a new form is worth, in ulps at one point of the grid.
PRICE = 0.6
#: How often an interval is halved in search of a polynomial.
HALVINGS = 4
#: More stretches than this on one side (the roots of a sine) are left as they are.
MOST = 6
#: Beyond this no polynomial is tried.
FAR = 64.0
#: Next to 0 a value may vanish, and its error with it; what is done beyond is done up to 0.
NOTHING = 1e-290
MEDIUM = 2.0**20


def find(name: str, definition: sympy.Expr, x: sympy.Symbol, given: Sequence[sympy.Expr] = ()) -> Search:
    """The form of a function of one number that loses the fewest digits.

    Args:
        name: of the function.
        definition: what it is.
        x: the variable.
        given: other ways to write it, the one that is in use first; without any, it is the definition.

    Raises:
        UnsupportedError: an operation whose rounding is not known.

    >>> x = sympy.Symbol("x", real=True)
    >>> print(find("log_of_sum", sympy.log(1 + sympy.exp(x)), x).form)
    log1p(exp(x))  for -inf ≤ x < 0
    x + log1p(exp(-x))  for 0 ≤ x < inf
    """
    used = [*given] or [definition]
    tried = grid(scale_of(definition, x))
    points = [at for at in tried if within_domain(definition, x, at)]
    measured = _Measured(x)
    before = [measured(used[0], at) for at in points]
    worst = max(before)
    at = min((p for p, e in zip(points, before, strict=True) if e == worst), key=abs)
    if worst <= HARD:
        return Search(worst, at, None)
    try:
        form = _form(name, opened(definition), x, used, tried, measured)
    except UnsupportedError:
        return Search(worst, at, None)
    after = _errors(form, points, measured)
    better = sum(e > HARD for e in after) < sum(e > HARD for e in before)
    most = max(after)
    if not better:
        return Search(worst, at, None)
    return Search(worst, at, replace(form, worst=most, at=points[after.index(most)], lost=_stretches(after, points)))


class _Measured:
    """The worst case of expressions at points, in ulps, each looked at once."""

    def __init__(self, x: sympy.Symbol) -> None:
        self.x = x
        self.known: dict[sympy.Expr, tuple[Analysis, dict[tuple[type, float], float]]] = {}

    def __call__(self, expr: sympy.Expr, at: float) -> float:
        if expr not in self.known:
            self.known[expr] = Analysis(expr, self.x), {}
        analysis, found = self.known[expr]
        place = type(at), at  # a `Single` point is looked at in float32 as well
        if place not in found:
            found[place] = analysis.ulps(at)
        return found[place]


def _stretches(errors: list[float], points: list[float]) -> tuple[tuple[float, float], ...]:
    """Neighbours with errors beyond `HARD`, each stretch as its first and its last point.

    >>> _stretches([20, 20, 1, 30], [-2.0, -1.0, 0.0, 1.0])
    ((-2.0, -1.0), (1.0, 1.0))
    """
    found: list[tuple[float, float]] = []
    previous = False
    for error, at in zip(errors, points, strict=True):
        if error > HARD:
            found = [*found[:-1], (found[-1][0], at)] if previous else [*found, (at, at)]
        previous = error > HARD
    return tuple(found)


def _form(
    name: str,
    definition: sympy.Expr,
    x: sympy.Symbol,
    given: list[sympy.Expr],
    tried: list[float],
    measured: _Measured,
) -> Form:
    breaks = _breaks(definition, x)
    pieces: list[Piece] = []
    for low, high in zip([-math.inf, *breaks], [*breaks, math.inf], strict=True):
        pieces += _region(definition, x, given, [p for p in tried if low < p < high], low, high, measured)
    joined = _joined(pieces)
    kinks = tuple((b, v) for b in breaks if (v := _at_break(definition, x, b, joined)) is not None)
    return Form(name, x, tuple(joined), kinks, 0.0, 0.0)


def _errors(form: Form, points: list[float], measured: _Measured) -> list[float]:
    """The worst case at each point; that of a polynomial is known."""
    exprs = [None if p.near or p.expr.free_symbols != {form.x} else p.expr for p in form.pieces]
    found = []
    for at in points:
        expr = exprs[next(k for k, p in enumerate(form.pieces) if p.low <= at < p.high)]
        found.append(4.0 if expr is None else measured(expr, at))
    return found


def _breaks(definition: sympy.Expr, x: sympy.Symbol) -> list[float]:
    """0, and where the condition of a switch changes its sign."""
    found = {0.0}
    for switch in definition.atoms(Switch):
        condition = switch.args[0]
        if condition.has(Switch) or condition.free_symbols != {x} or not condition.is_polynomial(x):
            raise UnsupportedError("a switch on something else than a polynomial")
        for root in sympy.Poly(condition, x).real_roots():
            place = float(root.evalf(30))
            if sympy.Rational(place) != root:
                raise UnsupportedError("a kink between two numbers")
            found.add(place)
    return sorted(found)


def _region(
    definition: sympy.Expr,
    x: sympy.Symbol,
    given: list[sympy.Expr],
    tried: list[float],
    low: float,
    high: float,
    measured: _Measured,
) -> list[Piece]:
    middle = sympy.Rational(_inside(low, high))
    local = without_switches(definition, x, middle)
    if local.free_symbols != {x}:
        return [Piece(low, high, local)]
    sign = 1 if middle > 0 else -1
    forms = list(dict.fromkeys([*[without_switches(g, x, middle) for g in given], *_written(local, x, sign)]))
    points = [p for p in tried if within_domain(local, x, p)]
    if not points:
        return [Piece(low, high, local)]
    forms = _promising(forms, points, measured)
    crest, whole = conjugate_waves(local), list[sympy.Expr]()
    if crest != local:
        whole = list(dict.fromkeys([exact_waves(crest, x, all_of_them=False), exact_waves(crest, x)]))
        forms = [*whole, *[f for f in forms if f not in whole]]
    tables = {form: [measured(form, p) for p in points] for form in forms}
    rows = [tables[f] for f in forms]
    path = [_first(rows, len(whole), k) for k in range(len(points))] if whole else _path(rows, forms)
    path = _outwards(path, sign) if len(whole) == 2 else path
    errors = [tables[forms[f]][k] for k, f in enumerate(path)]
    pieces = _segments(low, high, points, [forms[f] for f in path])
    runs = _runs(errors)
    for first, last in runs if len(runs) <= MOST else []:
        a = low if first == 0 or abs(points[first - 1]) < NOTHING else points[first - 1]
        b = high if last == len(points) - 1 or abs(points[last + 1]) < NOTHING else points[last + 1]
        for mended in _mended(local, forms[path[first]], x, a, b):
            pieces = _put_in(pieces, mended)
    return _short_of_overflow(pieces, [local, *forms], x)


def _first(tables: list[list[float]], count: int, k: int) -> int:
    """The first of so many forms without cancellation that does not overflow, else the best of all: between two points
    of the grid a wave has many roots, so that errors at points say little."""
    whole = [f for f in range(count) if math.isfinite(tables[f][k])]
    return whole[0] if whole else min(range(len(tables)), key=lambda f: tables[f][k])


def _outwards(path: list[int], sign: int) -> list[int]:
    """A form that is needed from some |x| on, where the first overflows in float32, stays in use from there."""
    made: list[int] = []
    for form in path[::sign]:
        made.append(1 if form == 0 and made and made[-1] == 1 else form)
    return made[::sign]


def _short_of_overflow(pieces: list[Piece], forms: list[sympy.Expr], x: sympy.Symbol) -> list[Piece]:
    """Where a form overflows next to the largest number, it does so in each dtype at another, and another form that
    does not is a piece for a handful of numbers: what the function settles to takes over before."""
    for side, wanted in ((-1, -math.inf), (1, math.inf)):
        if wanted not in (pieces[0].low, pieces[-1].high):
            continue
        piece = next((p for p in pieces if p.low <= side * MEDIUM < p.high), None)
        last = pieces[-1] if side > 0 else pieces[0]
        if piece is None or piece.near or not last.expr.free_symbols:
            continue
        if last != piece or math.isinf(Analysis(piece.expr, x).ulps(side * LARGEST)):
            ends = sorted((side * MEDIUM, wanted))
            for mended in next(filter(None, (_mended(f, piece.expr, x, *ends) for f in forms)), []):
                pieces = _put_in(pieces, mended)
    return pieces


def _path(tables: list[list[float]], forms: list[sympy.Expr]) -> list[int]:
    """Which form to use at each point: small errors, few changes and little to compute (Viterbi's algorithm)."""
    every = range(len(forms))
    changes = [[CHANGE + PRICE * price(f, g) for g in forms] for f in forms]
    total = [PRICE * price(f) for f in forms]
    back: list[list[int]] = []
    for k in range(len(tables[0])):
        came = [min(every, key=lambda g: total[g] + (changes[f][g] if g != f else 0.0)) for f in every]
        total = [
            total[g] + (changes[f][g] if g != f else 0.0) + min(max(tables[f][k] - FINE, 0.0), 100.0)
            for f, g in zip(every, came, strict=True)
        ]
        back.append(came)
    found = [min(every, key=total.__getitem__)]
    for came in back[:0:-1]:
        found.append(came[found[-1]])
    return found[::-1]


def _segments(low: float, high: float, points: list[float], forms: list[sympy.Expr]) -> list[Piece]:
    starts = [k for k in range(1, len(points)) if forms[k] != forms[k - 1]]
    ends = [low, *[points[k] for k in starts], high]
    return [Piece(a, b, forms[k]) for (a, b), k in zip(pairwise(ends), [0, *starts], strict=True)]


def _put_in(pieces: list[Piece], new: Piece) -> list[Piece]:
    """The pieces with a new one in the place of what was there."""
    kept = [replace(p, high=min(p.high, new.low)) for p in pieces if p.low < new.low]
    rest = [replace(p, low=max(p.low, new.high)) for p in pieces if p.high > new.high]
    return [*kept, new, *rest]


def _promising(forms: list[sympy.Expr], points: list[float], measured: _Measured, keep: int = 6) -> list[sympy.Expr]:
    """The forms that lose digits at the fewest of some points."""
    some = points[:: max(len(points) // 30, 1)]
    lost = {f: sum(measured(f, p) > HARD for p in some) for f in forms}
    return sorted(forms, key=lambda f: (lost[f], price(f)))[:keep]


def _inside(low: float, high: float) -> float:
    """A number within an interval."""
    if math.isinf(low) and math.isinf(high):
        return 1.0
    if math.isinf(low):
        return high - 1 - abs(high)
    return low + 1 + abs(low) if math.isinf(high) else (low + high) / 2


def _written(local: sympy.Expr, x: sympy.Symbol, sign: int) -> list[sympy.Expr]:
    forms = [*candidates(local, x, sign), *conjugates(local, x)]
    forms += [f for f in map(in_turn, forms) if f not in forms]
    return [*forms, *[f for f in map(partial(_exact_exponents, x=x), forms) if f not in forms]]


def _exact_exponents(form: sympy.Expr, x: sympy.Symbol) -> sympy.Expr:
    """e^u with u that is rounded: u with twice the digits."""

    def rounded(node: sympy.Expr) -> bool:
        if not (isinstance(node, sympy.exp) and node.has(x)):
            return False
        return not _free_of_rounding(node.args[0], x) and bool(node.args[0].is_polynomial(x))

    return form.replace(rounded, lambda node: scaled_exp(sympy.S.One, node.args[0]))


def _free_of_rounding(u: sympy.Expr, x: sympy.Symbol) -> bool:
    ratio = u / x
    return bool(ratio.is_Rational) and all(n & (n - 1) == 0 for n in (abs(int(ratio.p)), int(ratio.q)))


def _runs(errors: list[float]) -> list[tuple[int, int]]:
    """First and last of each stretch beyond `HARD`, extended to where the error stays within `LIMIT` again.

    An error in ulps is twice as large at the lower end of a binade as at its upper end: two points may be better.

    >>> _runs([1, 12, 20, 1, 12, 1, 1, 1, 30])
    [(1, 4), (8, 8)]
    """
    runs: list[tuple[int, int]] = []
    k = 0
    while k < len(errors):
        if errors[k] <= LIMIT:
            k += 1
            continue
        first = k
        while max(errors[k : k + 3], default=0.0) > LIMIT:
            k += 1
        if max(errors[first:k]) > HARD:
            runs.append((first, max(j for j in range(first, k) if errors[j] > LIMIT)))
    return runs


def _mended(local: sympy.Expr, used: sympy.Expr, x: sympy.Symbol, low: float, high: float) -> list[Piece]:
    """Pieces for an interval on which every form loses digits; none where nothing helps."""
    if low >= -FAR and high <= FAR:
        return _polynomials(local, x, low, high, HALVINGS)
    if low < 0 < high:
        return []
    side, nearest = (-1, abs(high)) if high <= 0 else (1, abs(low))
    found = None
    if math.isinf(low) or math.isinf(high):
        found = settled(used, x, side, nearest) or settled(local, x, side, nearest)
    found = found or fading(local, x, side, nearest)
    if found is None:
        return []
    start, target = found
    return [Piece(-math.inf, -start, target) if side < 0 else Piece(start, math.inf, target)]


def _polynomials(local: sympy.Expr, x: sympy.Symbol, low: float, high: float, halvings: int) -> list[Piece]:
    """Polynomials that cover an interval, all of it or nothing."""
    centre, order = _centre(local, x, low, high)
    made = {d: polynomial(local, x, low, high, centre, order, b) for d, b in BITS.items()}
    near = tuple((d, p) for d, p in made.items() if p is not None and _level(p))
    if len(near) == len(made):
        return [Piece(low, high, local, near)]
    if not halvings:
        return []
    # halves next to a root at an end are not of the same size: the relative error matters
    middle = (low + high) / 2
    left = _polynomials(local, x, low, middle, halvings - 1)
    right = _polynomials(local, x, middle, high, halvings - 1) if left else []
    return [*left, *right] if right else []


def _centre(local: sympy.Expr, x: sympy.Symbol, low: float, high: float) -> tuple[sympy.Rational, int]:
    """Where to expand: at a root in the interval, else in its middle."""
    if low <= 0 <= high and (order := order_at(local, x, sympy.S.Zero)):
        return sympy.S.Zero, order
    root = root_between(local, x, low, high)
    if root is not None:
        return root, max(order_at(local, x, root), 1)
    return sympy.Rational((low + high) / 2), 0


def _level(made: Polynomial) -> bool:
    """Whether Horner's rule does not cancel: the terms add up to little more than the sum."""
    for end in (made.low, made.high):
        t = float(sympy.Rational(end) - made.centre)
        terms = [float(a) * t**k for k, a in enumerate(made.coefficients)]
        if sum(map(abs, terms[1:])) > 1.5 * abs(sum(terms)):
            return False
    return True


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Neighbours with the same expression as one piece."""
    found: list[Piece] = []
    for piece in pieces:
        if found and not piece.near and not found[-1].near and found[-1].expr == piece.expr:
            found[-1] = replace(found[-1], high=piece.high)
        else:
            found.append(piece)
    return found


def _at_break(definition: sympy.Expr, x: sympy.Symbol, at: float, pieces: list[Piece]) -> sympy.Expr | None:
    """The value where two sides meet, unless the piece on its right has it."""
    exact = sympy.Rational(at)
    value = definition.subs(x, exact)
    right = next(p for p in pieces if p.low <= at < p.high)
    return None if _near(value, opened(right.expr).subs(x, exact)) else value


def _near(a: sympy.Expr, b: sympy.Expr) -> bool:
    difference = (a - b).evalf(40)
    return bool(difference.is_finite and abs(difference) < 1e-30)
