"""Changes of an exact gradient as a whole: turned axes, factors, sums left out, digits cut off, contributions lost."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symdl.core.equations import Equation
from symdl.core.functions import Delta
from symdl.core.indices import Index
from symdl.errors import SymdlError
from symdl.testing.handwritten import quick
from symdl.testing.handwritten.evidence import Evidence, agrees
from symdl.testing.handwritten.judging import Judge

Array = npt.NDArray[Any]
#: What the mistake is, with {0} for the slopes and {1} for "is" or "are", and what it makes of what is right.
Candidate = tuple[str, Callable[[Evidence], "Array | None"]]


def changes(judge: Judge, name: str, evidence: Sequence[Evidence]) -> Iterator[Candidate]:
    """The changes that are tried, the most likely ones first.

    Args:
        judge: with the function and the gradient.
        name: of the slope, or of the forward value, that is wrong.
        evidence: where.
    """
    yield from _shapes(judge, name, evidence)
    yield from _multiples(judge, name, evidence)
    yield from _others(judge, name, evidence)


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
