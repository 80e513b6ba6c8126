"""What the mistake is: changes of the exact gradient that give the very numbers that a function returned."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symdl.core.equations import Equation
from symdl.core.functions import Delta
from symdl.core.indices import Index
from symdl.errors import SymdlError
from symdl.testing.handwritten import quick
from symdl.testing.handwritten.judging import Judge
from symdl.testing.handwritten.mutations import constants, downstream, inputs_left_out, miscounted, mutations, readers
from symdl.testing.handwritten.points import Point
from symdl.testing.handwritten.subject import Subject

Array = npt.NDArray[Any]
Sizes = Mapping[sympy.Symbol, int]

#: Seconds for changes within equations.
BUDGET = 3.0
#: A guess has to give the returned numbers at so many points.
ENOUGH = 3


@dataclass(frozen=True)
class Evidence:
    """One point: what was returned, what is right, and every tensor in float64."""

    point: Point
    returned: Mapping[str, Array]
    exact: Mapping[str, Array]
    values: Mapping[str, Array]
    sizes: Sizes
    others: Mapping[str, int]

    def wrong(self, name: str) -> bool:
        got, exact = self.returned.get(name), self.exact[name]
        return got is not None and not (got.shape == exact.shape and agrees(got, exact))


def agrees(a: Array, b: Array, rtol: float = 1e-8) -> bool:
    """Whether two arrays are the same numbers but for rounding, that of the largest."""
    if a.shape != b.shape or not (np.all(np.isfinite(a)) and np.all(np.isfinite(b))):
        return False
    size = float(np.max(np.abs(b), initial=0.0))
    return bool(np.all(np.abs(a - b) <= rtol * size + 1e-300))


def gather(judge: Judge, points: Sequence[Point]) -> list[Evidence]:
    """Call the function in float64 at points; what it raises there is left out."""
    found = []
    for point in points:
        outcome = judge.code.call(point.truth.values, "float64")
        if outcome.error:
            continue
        returned = {n: np.asarray(v) for n, v in outcome.values.items() if v is not None and v.dtype.kind in "fiub"}
        exact = {n: judge.exact(point, n).high for n in judge.code.returns}
        values = {n: np.asarray(v).astype(float) for n, v in point.truth.values.items()}
        sizes, others = _sizes(judge, values)
        found.append(Evidence(point, returned, exact, values, sizes, others))
    return found


def _sizes(judge: Judge, values: Mapping[str, Array]) -> tuple[Sizes, dict[str, int]]:
    """Extents by symbol, and lengths of axes by the name of their index."""
    sizes: dict[sympy.Symbol, int] = {}
    named: dict[str, int] = {}
    for tensor in judge.subject.gradient.tensors.values():
        for index, length in zip(tensor.indices, np.shape(values[tensor.name]), strict=True):
            named.setdefault(index.name, length)
            if index.extent.is_Symbol:
                sizes[index.extent] = length
    return sizes, named


def guess(judge: Judge, points: Sequence[Point]) -> str:
    """The mistake in words; empty where no change that was tried explains the numbers.

    Args:
        judge: with the function.
        points: at which the function is called once more.
    """
    evidence = gather(judge, points)
    wrong = [n for n in judge.code.returns if any(e.wrong(n) for e in evidence)]
    found: dict[str, list[str]] = {}
    for name in wrong:
        words = _simple(judge, name, evidence)
        if words:
            found.setdefault(words, []).append(name)
    left = [n for n in wrong if not any(n in names for names in found.values()) and n in judge.subject.slopes]
    if left:
        for words, names in _by_equations(judge, left, evidence).items():
            found.setdefault(words, []).extend(names)
    return "; ".join(_sentence(judge, words, names) for words, names in found.items())


def _sentence(judge: Judge, words: str, names: Sequence[str]) -> str:
    labels = [judge.subject.slopes.get(n, n) for n in names]
    subject = ", ".join(labels[:-1]) + f" and {labels[-1]}" if len(labels) > 1 else labels[0]
    return words.format(subject, "is" if len(labels) == 1 else "are")


def _explains(name: str, evidence: Sequence[Evidence], change: Callable[[Evidence], Array | None]) -> bool:
    """Whether a change of what is right gives what was returned, wherever it can be tried, and is wrong there."""
    tried = wrong = 0
    for e in evidence:
        got = e.returned.get(name)
        made = change(e) if got is not None else None
        if made is None or got is None:
            continue
        if not agrees(got, np.asarray(made)):
            return False
        tried += 1
        wrong += e.wrong(name) and bool(np.any(got))
    return tried >= min(ENOUGH, len(evidence)) and wrong >= 2


def _simple(judge: Judge, name: str, evidence: Sequence[Evidence]) -> str:
    for words, change in itertools.chain(
        _shapes(judge, name, evidence), _multiples(judge, name, evidence), _others(judge, name, evidence)
    ):
        if _explains(name, evidence, change):
            return words
    return ""


Candidate = tuple[str, Callable[[Evidence], "Array | None"]]


def _shapes(judge: Judge, name: str, evidence: Sequence[Evidence]) -> Iterator[Candidate]:
    """Transposed, an axis too many or too few, exchanged with another."""
    first = next((e for e in evidence if name in e.returned), None)
    if first is None:
        return
    got, exact = first.returned[name], first.exact[name]
    if exact.ndim > 1:
        for order in itertools.permutations(range(exact.ndim)):
            if order != tuple(range(exact.ndim)):
                yield "{0} {1} transposed", lambda e, o=order: np.transpose(e.exact[name], o)  # type: ignore[misc]
    for other in judge.code.returns:
        if other != name:
            label = judge.subject.slopes.get(other, other)
            yield f"{{0}} {{1}} what {label} should be: returned in another order", lambda e, o=other: e.exact[o]  # type: ignore[misc]
    if got.ndim > exact.ndim:
        yield from _too_many(name, got, exact, evidence, _summed(judge, name))
    if got.ndim < exact.ndim:
        for count in range(1, exact.ndim + 1):
            for axes in itertools.combinations(range(exact.ndim), count):
                over = ", ".join(
                    judge.subject.tensor(judge.subject.slopes.get(name, name)).indices[a].name for a in axes
                )
                yield f"{{0}} {{1}} summed over {over} too", lambda e, a=axes: e.exact[name].sum(axis=a)  # type: ignore[misc]


def _summed(judge: Judge, name: str) -> tuple[Index, ...]:
    """The indices that the equation of a slope sums over."""
    eq = judge.subject.gradient.by_name.get(judge.subject.slopes.get(name, name))
    return tuple(dict.fromkeys(i for t in eq.terms if t.op == "sum" for i in t.bound)) if eq is not None else ()


def _too_many(
    name: str, got: Array, exact: Array, evidence: Sequence[Evidence], summed: Sequence[Index]
) -> Iterator[Candidate]:
    extra = got.ndim - exact.ndim
    for axes in itertools.combinations(range(got.ndim), extra):
        same = [e for e in evidence if name in e.returned and e.returned[name].ndim == got.ndim]
        sums = [
            n
            for n in same[0].others
            if extra == 1 and all(e.others[n] == e.returned[name].shape[axes[0]] for e in same)
        ]
        likely = [i.name for i in summed if i.name in sums] or sums
        over = likely[0] if len(likely) == 1 else f"axis {', '.join(map(str, axes))}"

        def put_back(e: Evidence, how: str, axes: tuple[int, ...] = axes) -> Array | None:
            """The returned array itself where reducing it gives what is right."""
            mine = e.returned[name]
            if mine.ndim != got.ndim:
                return None
            reduced = getattr(mine, how)(axis=axes)
            return mine if agrees(reduced, e.exact[name]) else np.full_like(mine, np.nan)

        if all(got.shape[a] == 1 for a in axes):
            words = "{0} {1} right but for an axis of length 1 that is left over (keepdims)"
            yield words, lambda e, p=put_back, a=axes: p(e, "sum") if _unit(e.returned[name], a) else None  # type: ignore[misc]
        yield f"the sum over {over} is missing in {{0}}", lambda e, p=put_back: p(e, "sum")  # type: ignore[misc]
        yield f"the mean over {over} is missing in {{0}}", lambda e, p=put_back: p(e, "mean")  # type: ignore[misc]


def _unit(array: Array, axes: Sequence[int]) -> bool:
    return all(a < array.ndim and array.shape[a] == 1 for a in axes)


def _multiples(judge: Judge, name: str, evidence: Sequence[Evidence]) -> Iterator[Candidate]:
    """A number times what is right: a sign, 2, an extent, a product of extents, a scalar of the definition."""
    factors: dict[str, Callable[[Evidence], float]] = {}
    for value, words in ((2.0, "2"), (4.0, "4"), (3.0, "3")):
        factors[words] = lambda e, v=value: v  # type: ignore[misc]
    symbols = list(evidence[0].sizes) if evidence else []
    extents: dict[str, Callable[[Evidence], float]] = {}
    for s in symbols:
        index = next((n for n, i in judge.subject.definition.extents.items() if i == s), str(s).lower())
        extents[f"{s} (the extent of {index})"] = lambda e, s=s: float(e.sizes[s])  # type: ignore[misc]
        factors[f"√{s}"] = lambda e, s=s: float(e.sizes[s]) ** 0.5  # type: ignore[misc]
    summed = _summed(judge, name)
    for count in range(1, min(len(summed), 4) + 1):
        for some in itertools.combinations(summed, count):
            if not (count == 1 and some[0].extent.is_Symbol) and any(i.extent.free_symbols for i in some):
                words = f"of the extents of {', '.join(i.name for i in some)}"
                extents[words] = lambda e, some=some: float(np.prod([quick.size_of(i, e.sizes) for i in some]))  # type: ignore[misc]
    for a, b in itertools.combinations(symbols, 2):
        factors[f"{a}·{b}"] = lambda e, a=a, b=b: float(e.sizes[a] * e.sizes[b])  # type: ignore[misc]
        factors[f"{a}/{b}"] = lambda e, a=a, b=b: e.sizes[a] / e.sizes[b]  # type: ignore[misc]
    for n, number in (evidence[0].values if evidence else {}).items():
        if np.ndim(number) == 0 and n in judge.subject.known:
            factors[n] = lambda e, n=n: float(e.values[n])  # type: ignore[misc]
    if all(not np.any(e.returned[name]) for e in evidence if name in e.returned):
        yield "{0} {1} 0 everywhere", lambda e: e.returned[name]
    yield "{0} {1} of the wrong sign", lambda e: -e.exact[name]
    for words, factor in extents.items():
        small = f"{{0}} {{1}} too small by the factor {words}: a mean where a sum should be"
        large = f"{{0}} {{1}} too large by the factor {words}: a sum where a mean should be"
        yield small, lambda e, f=factor: e.exact[name] / f(e)  # type: ignore[misc]
        yield large, lambda e, f=factor: e.exact[name] * f(e)  # type: ignore[misc]
    for sign, says in ((1, ""), (-1, " and of the wrong sign")):
        for words, factor in {**factors, **(extents if sign < 0 else {})}.items():
            large = f"{{0}} {{1}} too large by the factor {words}{says}"
            small = f"{{0}} {{1}} too small by the factor {words}{says}"
            if words in judge.subject.known:
                large = f"{{0}} {{1}} multiplied by {words} once too often{says}"
                small = f"the factor {words} is missing in {{0}}{says}"
            yield large, lambda e, f=factor, s=sign: s * e.exact[name] * f(e)  # type: ignore[misc]
            yield small, lambda e, f=factor, s=sign: s * e.exact[name] / f(e)  # type: ignore[misc]


def _others(judge: Judge, name: str, evidence: Sequence[Evidence]) -> Iterator[Candidate]:
    """A factor of each element, digits cut off, numbers clipped, a scatter that overwrites."""
    tensor = judge.subject.tensor(judge.subject.slopes.get(name, name))
    for known in judge.subject.known:
        other = judge.subject.tensor(known)
        if not other.rank or other.integer or not {i.name for i in other.indices} <= {i.name for i in tensor.indices}:
            continue

        def spread(e: Evidence, other: Any = other) -> Array:
            return _aligned(e.values[other.name], other.indices, tensor.indices)

        yield f"the factor {other.element()} is missing in {{0}}", lambda e, s=spread: _quotient(e.exact[name], s(e))  # type: ignore[misc]
        yield f"{{0}} {{1}} multiplied by {other.element()} once too often", lambda e, s=spread: e.exact[name] * s(e)  # type: ignore[misc]
    yield "{0} {1} cut off to whole numbers", lambda e: np.trunc(e.exact[name])
    bounds = [float(np.max(np.abs(e.returned[name]), initial=0.0)) for e in evidence if e.wrong(name)]
    if bounds and bounds[0] > 0 and np.allclose(bounds, bounds[0]):
        words = f"{{0}} {{1}} clipped at ±{bounds[0]:g}"
        yield words, lambda e, c=bounds[0]: np.clip(e.exact[name], -c, c)  # type: ignore[misc]
    yield (
        "{0} {1} right to the digits of float32 only: somewhere it is computed in float32",
        lambda e: e.returned[name] if _single(e.returned[name], e.exact[name]) else None,
    )
    yield from _scatters(judge, name)


def _aligned(value: Array, own: Sequence[Index], wanted: Sequence[Index]) -> Array:
    """An array with its axes where those of the same names are among others."""
    names = [i.name for i in wanted]
    order = sorted(range(len(own)), key=lambda k: names.index(own[k].name))
    turned = np.transpose(value, order)
    shape = [1] * len(names)
    for k, axis in enumerate(order):
        shape[names.index(own[axis].name)] = turned.shape[k]
    return turned.reshape(shape)


def _quotient(a: Array, b: Array) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(a / b)


def _single(got: Array, exact: Array) -> bool:
    return agrees(got, exact, 1e-5) and not agrees(got, exact, 1e-9)


def _scatters(judge: Judge, name: str) -> Iterator[Candidate]:
    """`E_bar[tok] = …` where `+=` should be: of all that falls on an element, one contribution is left."""
    slope = judge.subject.slopes.get(name)
    eq = judge.subject.gradient.by_name.get(slope or "")
    if eq is None or not any(t.body.has(Delta) and t.bound for t in eq.terms):
        return
    for words, pick in (("the last", -1), ("the first", 0)):
        yield (
            f"contributions to one element of {{0}} are not accumulated: {words} one is left",
            lambda e, p=pick, q=eq: _overwritten(q, e, p),  # type: ignore[misc]
        )


def _overwritten(eq: Equation, e: Evidence, pick: int) -> Array | None:
    try:
        (term,) = eq.terms
        deltas = sympy.Mul(*[a for a in sympy.Mul.make_args(term.body) if isinstance(a, Delta)])
        parts = quick.spread(eq, term.body, e.values, e.sizes)
        hits = quick.spread(eq, deltas, e.values, e.sizes) != 0
    except (SymdlError, ValueError, KeyError):
        return None
    free = len(eq.indices)
    parts, hits = (a.reshape((*a.shape[:free], -1)) for a in (parts, hits))
    count = hits.shape[-1]
    place = count - 1 - np.argmax(hits[..., ::-1], axis=-1) if pick else np.argmax(hits, axis=-1)
    chosen = np.take_along_axis(parts, place[..., None], axis=-1)[..., 0]
    return np.where(hits.any(axis=-1), chosen, 0.0)


def _by_equations(judge: Judge, names: Sequence[str], evidence: Sequence[Evidence]) -> dict[str, list[str]]:
    """Changed equations that explain wrong slopes: one for all of them, or else one for each as far as there is one."""
    gradient, slopes = judge.subject.gradient, judge.subject.slopes
    reads, until = readers(gradient, slopes), time.perf_counter() + BUDGET
    forward = judge.subject.definition.by_name
    backward = [e for e in reversed(gradient.equations) if e.name not in (*forward, gradient.outputs[0])]
    found: dict[str, list[str]] = {}
    for together in [list(names)] if len(names) == 1 else [list(names), *([n] for n in names)]:
        if any(set(together) <= set(some) for some in found.values()):
            continue
        for change in _changes(judge, backward, together, reads, names):
            if time.perf_counter() > until:
                return found
            if all(_explains(n, evidence, lambda e, n=n, c=change: c(e, slopes[n])) for n in together):  # type: ignore[misc]
                found.setdefault(change.words, []).extend(together)
                break
    return found


def _changes(
    judge: Judge,
    backward: Sequence[Equation],
    names: Sequence[str],
    reads: Mapping[str, frozenset[str]],
    wrong: Sequence[str],
) -> Iterator[_Changed]:
    """Changes that all of some slopes feel: constants that are none, then one equation after the other."""
    subject = judge.subject
    ends = {subject.slopes[n] for n in names}
    for words, gradient in constants(subject):
        yield _Changed(subject, words, gradient.equations, ends)
    for name in inputs_left_out(subject):
        words = f"{name} is left out"
        yield _Changed(subject, words, subject.gradient.equations, ends, given={name: 0.0})
    for eq in sorted(backward, key=lambda e: e.name not in ends):
        if not set(names) <= reads[eq.name]:
            continue
        touched = downstream(subject.gradient, eq.name)
        for m in mutations(subject, eq):
            equations = [m.equation if n == eq.name else subject.gradient.by_name[n] for n in touched]
            # the same equation is read by slopes that are right
            words = m.words if reads[eq.name] <= set(wrong) else f"where {{0}} {{1}} computed, {m.words}"
            yield _Changed(subject, words, equations, ends, square=m.square)
    for eq in subject.definition.equations:
        for m in miscounted(eq):
            equations = [m.equation if e.name == eq.name else e for e in subject.gradient.equations]
            yield _Changed(subject, m.words, equations, ends)


class _Changed:
    """Slopes by equations of which some were changed, at each point; each point is computed once."""

    def __init__(
        self,
        subject: Subject,
        words: str,
        equations: Sequence[Equation],
        ends: set[str],
        *,
        square: bool = False,
        given: Mapping[str, float] | None = None,
    ) -> None:
        self.words, self.square, self.given = words, square, dict(given or {})
        by_name = {e.name: e for e in equations}
        needed, pending = set[str](), [n for n in ends if n in by_name]
        while pending:
            name = pending.pop()
            if name in by_name and name not in needed:
                needed.add(name)
                pending.extend(by_name[name].used_names)
        self.equations = [e for e in equations if e.name in needed]
        self.known: dict[int, dict[str, Array]] = {}

    def __call__(self, e: Evidence, slope: str) -> Array | None:
        if self.square and e.point.family != "square":
            return None
        if id(e) not in self.known:
            try:
                values = {**e.values, **{n: np.asarray(v) for n, v in self.given.items()}}
                self.known[id(e)] = quick.evaluate(self.equations, values, e.sizes)
            except (SymdlError, ValueError, KeyError, IndexError):
                self.known[id(e)] = {}
        return self.known[id(e)].get(slope)
