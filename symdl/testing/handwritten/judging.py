"""One function at one point: called with both dtypes and several layouts, and compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import mpmath
import numpy as np
import numpy.typing as npt

from symdl.testing.handwritten.arithmetic import EXTENDED
from symdl.testing.handwritten.calls import LAYOUTS, Code, Outcome, made
from symdl.testing.handwritten.compare import GROSS_SINGLE, USELESS, Compared, allowed, between, compare, rounds
from symdl.testing.handwritten.points import RANDOM, Point
from symdl.testing.handwritten.subject import Subject
from symdl.testing.handwritten.truth import Exact
from symdl.testing.handwritten.verdict import Error, WrongElement, shapes_in_words

Array = npt.NDArray[Any]

_LOST = "{} is not finite where the exact one can be represented"
_KINK = "at kinks {} is another slope between the one-sided ones than the definition's"
_DIGITS = "{} loses digits"
_CANCELS = "terms of {} cancel, and the error is within what rounding does to them"

#: Units of slopes that are 0 but for what 50 digits leave.
NOTHING = 1e-40
#: So many places are told with a note.
PLACES = 4


@dataclass(frozen=True)
class Refutation:
    """Why a function is wrong; `numbers`: what it returns is wrong, or would be."""

    reason: str
    wrong: WrongElement | None = None
    numbers: bool = True


@dataclass
class Findings:
    """Collects what is found at all points."""

    points: int = 0
    refutation: Refutation | None = None
    notes: dict[str, dict[str, None]] = field(default_factory=dict)
    errors: dict[tuple[str, str], Error] = field(default_factory=dict)
    shapes: dict[tuple[Any, ...], Mapping[str, tuple[int, ...]]] = field(default_factory=dict)
    layouts: dict[str, None] = field(default_factory=dict)
    dtypes: dict[str, None] = field(default_factory=dict)
    extended: bool = False

    def refuse(self, refutation: Refutation) -> None:
        if self.refutation is None:
            self.refutation = refutation

    def note(self, words: str, where: str = "") -> None:
        """What is no error; the same words are told once, with all the places."""
        places = self.notes.setdefault(words, {})
        if where:
            places[where] = None

    def told(self) -> tuple[str, ...]:
        """The notes, each with its first places."""
        return tuple(
            f"{words} ({'; '.join([*list(where)[:PLACES], *['…'] * (len(where) > PLACES)])})" if where else words
            for words, where in self.notes.items()
        )

    def accept(self, output: str, dtype: str, found: Compared, point: Point) -> None:
        """An error within its tolerance; where terms cancel, units of what is left say little."""
        known = self.errors.get((output, dtype))
        if found.ulps > allowed(found.unit, dtype):
            if found.unit > NOTHING:
                self.note(_CANCELS.format(output), f"{point.kind.name}, {dtype}: {found.ulps:.0e} ulps")
        elif not point.kind.far and (known is None or found.ulps > known.ulps):
            self.errors[output, dtype] = Error(output, dtype, found.ulps, str(point))


@dataclass(frozen=True)
class Judge:
    """What points are judged by.

    Args:
        code: the function.
        subject: the gradient that it should compute.
        dtypes: "float64", "float32" or both.
        strict: whether NaN and infinity at huge numbers count as wrong.
    """

    code: Code
    subject: Subject
    dtypes: Sequence[str]
    strict: bool

    def at(self, point: Point, findings: Findings, layouts: Sequence[str] = ("C",)) -> None:
        """Call the function at a point and note what is found."""
        dtypes = [d for d in self.dtypes if not (point.kind.wide and d == "float32")]
        outcomes: dict[str, Outcome] = {}
        if not dtypes:
            return
        findings.points += 1
        findings.extended |= point.truth.digits == EXTENDED
        given = self._given(point)
        findings.shapes.setdefault(tuple(sorted(given.items())), given)
        for dtype in dtypes:
            outcome = self.code.call(point.truth.values, dtype)
            if outcome.refused:
                findings.note("it is not declared for some arrays, and was not tried with them", dtype)
                continue
            findings.dtypes[dtype] = None
            if not self._sound(outcome, point, dtype, "", findings):
                continue
            outcomes[dtype] = outcome
        self._compare(point, outcomes, findings)
        for layout in layouts if findings.refutation is None else ():
            self._laid_out(layout, point, outcomes, findings)

    def _sound(self, outcome: Outcome, point: Point, dtype: str, layout: str, findings: Findings) -> bool:
        """Whether it returned arrays of the right shapes, and left its arguments alone."""
        given = self._given(point)
        where = f"{dtype} {point}{', ' + layout if layout else ''}; {shapes_in_words(given)}"
        if outcome.error:
            if outcome.overflow and point.kind.far and not self.strict:
                findings.note("it raises an overflow", f"{point.kind.name}, {dtype}")
                return False
            place = f" ({outcome.place})" if outcome.place else ""
            hint = "" if point.family == "primes" else "; extents={…} says for which ones it is meant"
            findings.refuse(Refutation(f"it raises {outcome.error}{place} for {where}{hint}"))
            return False
        if outcome.wrote:
            findings.refuse(Refutation(f"it writes into its argument: {outcome.wrote}, for {where}", numbers=False))
            return False
        for name, value in outcome.values.items():
            problem = self._misshapen(name, value, point)
            if problem:
                findings.refuse(Refutation(f"{problem}, for {where}"))
                return False
            assert value is not None
            if value.dtype.kind == "f" and value.dtype != dtype:
                findings.note(f"for {dtype} arguments it returns {value.dtype}", self._label(name))
        return True

    def _misshapen(self, name: str, value: Array | None, point: Point) -> str:
        wanted = self.exact(point, name).shape
        if value is None:
            return f"it returns nothing (None) for {self._label(name)}"
        if value.dtype.kind not in "fiub":
            return f"it returns no real numbers for {self._label(name)} but {value.dtype}"
        if value.shape != wanted:
            return f"{self._label(name)} has the shape {value.shape}, not {wanted}"
        return ""

    def _compare(self, point: Point, outcomes: Mapping[str, Outcome], findings: Findings) -> None:
        for name in self.code.returns:
            exact = self.exact(point, name)
            got = {d: o.values[name] for d, o in outcomes.items()}
            compared = {d: compare(a, exact, d) for d, a in got.items() if a is not None}
            double, single = compared.get("float64"), compared.get("float32")
            if double is not None:
                self._double(name, point, got["float64"], exact, double, findings)
            if single is not None:
                self._single(name, point, got["float32"], exact, single, double, findings)

    def _other(self, name: str, point: Point, dtype: str) -> Compared | None:
        """The same output in the other dtype, to tell rounding from a wrong formula; None where there is none."""
        if point.kind.wide:
            return None
        got = self.code.call(point.truth.values, dtype).values.get(name)
        exact = self.exact(point, name)
        if got is None or got.dtype != dtype or got.shape != exact.shape:
            return None
        return compare(got, exact, dtype)

    def _double(
        self, name: str, point: Point, got: Array | None, exact: Exact, found: Compared, findings: Findings
    ) -> None:
        limit = self._limit(name, point, found, "float64")
        if found.ulps <= limit:
            findings.accept(self._label(name), "float64", found, point)
            return
        assert got is not None
        if found.lost and point.kind.far and not self.strict:
            findings.note(_LOST.format(self._label(name)), f"{point.kind.name}, float64")
            return
        if self._at_kink(name, point, got, exact, limit * found.unit):
            findings.note(_KINK.format(self._label(name)), point.kind.name)
            return
        single = self._other(name, point, "float32")
        if rounds(found, single, exact.size, self._upstream(point)) or (
            point.kind.far and single is not None and single.lost
        ):
            findings.note(_DIGITS.format(self._label(name)), f"{point.kind.name}, float64: {_part(found, exact)}")
        else:
            self._refuse(findings, name, point, got, exact, found, limit, "float64")

    def _single(
        self,
        name: str,
        point: Point,
        got: Array | None,
        exact: Exact,
        found: Compared,
        double: Compared | None,
        findings: Findings,
    ) -> None:
        limit = self._limit(name, point, found, "float32")
        if found.ulps <= limit:
            findings.accept(self._label(name), "float32", found, point)
            return
        assert got is not None
        if found.lost and (point.kind.far and not self.strict):
            findings.note(_LOST.format(self._label(name)), f"{point.kind.name}, float32")
        elif self._at_kink(name, point, got, exact, limit * found.unit):
            findings.note(_KINK.format(self._label(name)), point.kind.name)
        elif self._only_digits(name, point, found, exact, double):
            findings.note(_DIGITS.format(self._label(name)), f"{point.kind.name}, float32: {_part(found, exact)}")
        else:
            self._refuse(findings, name, point, got, exact, found, limit, "float32")

    def _only_digits(self, name: str, point: Point, found: Compared, exact: Exact, double: Compared | None) -> bool:
        """Whether an error in float32 is no wrong formula: in float64, the function is right there."""
        if double is None:
            double = self._other(name, point, "float64")
        if found.lost:
            return False
        if double is None:
            return found.largest <= GROSS_SINGLE * exact.size
        if double.ulps > self._limit(name, point, double, "float64") and not rounds(
            double, found, exact.size, self._upstream(point)
        ):
            return False
        noise = allowed(1.0, "float32") * float(np.finfo(np.float32).eps) * self._upstream(point)
        return point.kind.far or found.largest <= max(USELESS * exact.size, noise)

    def _upstream(self, point: Point) -> float:
        slopes = [np.max(np.abs(point.arrays[n])) for n in self.subject.upstream.values()]
        return max([1.0, *map(float, slopes)])

    def _limit(self, name: str, point: Point, found: Compared, dtype: str) -> float:
        base = allowed(found.unit, dtype)
        if found.ulps <= base or found.lost:
            return base
        label = self._label(name)
        return allowed(found.unit, dtype, point.truth.magnitude(label), point.truth.moved(label, dtype))

    def _at_kink(self, name: str, point: Point, got: Array, exact: Exact, slack: float) -> bool:
        if name not in self.subject.slopes:
            return False
        return between(got.astype(np.float64), point.truth.alternatives[name], exact.high, slack)

    def _laid_out(self, layout: str, point: Point, plain: Mapping[str, Outcome], findings: Findings) -> None:
        """The same numbers in another layout: the same errors are allowed."""
        if "float64" not in plain:
            return
        outcome = self.code.call(point.truth.values, "float64", layout)
        if outcome.refused:
            findings.note("it is not declared for some arrays, and was not tried with them", layout)
            return
        findings.layouts[layout] = None
        words = f"{layout} arrays"
        if outcome.error and layout == "read-only":
            findings.refuse(
                Refutation(f"it writes into its arguments: for {words} it raises {outcome.error}", numbers=False)
            )
        if not self._sound(outcome, point, "float64", words, findings):
            return
        for name, value in outcome.values.items():
            assert value is not None
            exact = self.exact(point, name)
            found = compare(value, exact, "float64")
            limit = self._limit(name, point, found, "float64")
            before = plain["float64"].values[name]
            if found.ulps > limit and not (before is not None and np.allclose(value, before, rtol=1e-6, atol=0)):
                self._refuse(findings, name, point, value, exact, found, limit, "float64", words)

    def _refuse(
        self,
        findings: Findings,
        name: str,
        point: Point,
        got: Array,
        exact: Exact,
        found: Compared,
        limit: float,
        dtype: str,
        words: str = "",
    ) -> None:
        """Note the first wrong element, if more digits say the same of what is exact."""
        if findings.refutation is not None:
            return
        if point.kind is not RANDOM and not point.truth.certain(self._label(name)):
            return
        place = found.wrong(limit)
        given = self._given(point)
        value = point.truth.values[self._label(name)]
        with mpmath.workdps(25):
            number = np.asarray(value)[place]
            right = mpmath.nstr(mpmath.mpf(number if isinstance(number, mpmath.mpf) else str(number)), 20)
        ulps = float(found.errors[place]) / found.unit
        kind = f"{point}{', ' + words if words else ''}"
        arguments = {n: made(point.truth.values[n], self.code.tensors[n], dtype, "C") for n in given}
        wrong = WrongElement(self._label(name), place, float(got[place]), right, ulps, dtype, given, kind, arguments)
        reason = f"{wrong} ({dtype} {kind}; {shapes_in_words(given)}; {limit:.3g} ulps are allowed)"
        findings.refuse(Refutation(reason, wrong))

    def _given(self, point: Point) -> dict[str, tuple[int, ...]]:
        """The shapes of what the function gets."""
        return {n: np.shape(point.truth.values[n]) for n in self.code.given}

    def exact(self, point: Point, name: str) -> Exact:
        """What should be returned under that name."""
        return point.truth.exact[name] if name in self.subject.slopes else point.truth.other(name)

    def _label(self, name: str) -> str:
        return self.subject.slopes.get(name, name)

    def repeats(self, point: Point) -> Iterator[Refutation]:
        """Two calls with the same arguments have to return the same."""
        first, second = (self.code.call(point.truth.values, self.dtypes[0]) for _ in range(2))
        for name in self.code.returns if not (first.error or second.error) else ():
            a, b = first.values[name], second.values[name]
            if a is not None and b is not None and a.shape == b.shape and not np.array_equal(a, b, equal_nan=True):
                if np.allclose(a, b, rtol=1e-9 if self.dtypes[0] == "float64" else 1e-4, equal_nan=True):
                    continue  # sums in another order, as threads do it
                yield Refutation(
                    f"two calls with the same arguments return different {self._label(name)}: something is kept "
                    "between calls, or memory is read that was never filled",
                    numbers=False,
                )


def other_layouts(code: Code) -> tuple[str, ...]:
    """The layouts besides the plain one; PyTorch has no read-only tensors."""
    return tuple(x for x in LAYOUTS[1:] if not (code.torch and x == "read-only"))


def _part(found: Compared, exact: Exact) -> str:
    size = exact.size
    return f"{found.largest / size:.0e} of the largest entry" if size else "not 0"
