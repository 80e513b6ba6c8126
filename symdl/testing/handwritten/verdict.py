"""What is said of a hand-written function: a verdict, the first wrong element, the largest errors, a guess."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symdl.errors import NotProvedError
from symdl.verification.verdict import Status, Verdict

#: So many numbers are written as JSON.
FEW = 1000


@dataclass(frozen=True)
class WrongElement:
    """The first element that is wrong.

    Args:
        output: the slope, as `W_bar`, or a forward value.
        index: of the element.
        returned: what the function has there.
        exact: what is right, in 20 digits.
        ulps: how far apart they are, in units in the last place of the largest entry; infinite where NaN was returned.
        dtype: of the arguments.
        shapes: of the arguments, by name.
        point: what the arguments are like, in words.
        arguments: the very arrays, by the name of the tensor, to call the function again.
    """

    output: str
    index: tuple[int, ...]
    returned: float
    exact: str
    ulps: float
    dtype: str
    shapes: Mapping[str, tuple[int, ...]]
    point: str
    arguments: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def to_json(self) -> dict[str, Any]:
        """A dictionary of text, numbers and lists; the arguments where they are few numbers."""
        few = sum(np.size(a) for a in self.arguments.values()) <= FEW
        return {
            "output": self.output,
            "index": list(self.index),
            "returned": repr(self.returned),
            "exact": self.exact,
            "ulps": self.ulps if self.ulps < float("inf") else None,
            "dtype": self.dtype,
            "shapes": {n: list(s) for n, s in self.shapes.items()},
            "point": self.point,
            "arguments": {n: np.asarray(a).tolist() for n, a in self.arguments.items()} if few else None,
        }

    @property
    def element(self) -> str:
        return f"{self.output}[{', '.join(map(str, self.index))}]" if self.index else self.output

    def __str__(self) -> str:
        far = f", {self.ulps:.3g} ulps away" if self.ulps < float("inf") else ""
        return f"{self.element} is {self.returned!r}, exact is {self.exact}{far}"


@dataclass(frozen=True)
class Error:
    """The largest error of one output in one dtype, where it was accepted at ordinary numbers.

    Args:
        output: as in `WrongElement`.
        dtype: of the arguments.
        ulps: in units in the last place of the largest entry.
        point: where.
    """

    output: str
    dtype: str
    ulps: float
    point: str


@dataclass(frozen=True)
class CodeVerdict:
    """The answer about a function; `print` it. It is true where nothing was refuted; code is never proved by points.

    Args:
        verdict: `refuted` or `consistent`.
        function: its name.
        definition: the name of what it was checked against.
        wrt: what the slopes are by.
        wrong: the first wrong element; None where something else is wrong (a shape, an exception), or nothing.
        guess: what the mistake is, verified by numbers; empty where none was found.
        notes: what is no error: digits lost, other choices at kinks, float64 returned for float32.
        points: at how many points it was compared.
        errors: the largest ones.
        shapes: the shapes of the arguments that were tried.
        layouts: how arrays lay in memory.
        dtypes: of the arguments.
    """

    verdict: Verdict
    function: str
    definition: str
    wrt: tuple[str, ...]
    wrong: WrongElement | None
    guess: str
    notes: tuple[str, ...]
    points: int
    errors: tuple[Error, ...]
    shapes: tuple[Mapping[str, tuple[int, ...]], ...]
    layouts: tuple[str, ...]
    dtypes: tuple[str, ...]

    @property
    def status(self) -> Status:
        return self.verdict.status

    @property
    def consistent(self) -> bool:
        return self.status is Status.CONSISTENT

    def __bool__(self) -> bool:
        """True only where nothing was found to be wrong, so that `assert sd.check_code(…)` fails where it should."""
        return self.consistent

    @property
    def worst(self) -> float:
        """The largest error in ulps over all that was accepted at ordinary numbers."""
        return max((e.ulps for e in self.errors), default=0.0)

    def require(self) -> CodeVerdict:
        """This verdict if it is `consistent`.

        Raises:
            NotProvedError: it is refuted; with all that is known.
        """
        if self.consistent:
            return self
        raise NotProvedError(
            f"{self.function} is no gradient of {self.definition}",
            where=self.verdict.scope,
            why=f"{self.verdict.reason}{'; ' + self.guess if self.guess else ''}",
            remedy="compare it with the derivation: sd.derive, or sd.vjp for a layer",
        )

    def to_json(self) -> dict[str, Any]:
        """A dictionary of text, numbers and lists."""
        return {
            "function": self.function,
            "definition": self.definition,
            "wrt": list(self.wrt),
            **self.verdict.to_json(),
            "wrong": self.wrong and self.wrong.to_json(),
            "guess": self.guess,
            "notes": list(self.notes),
            "points": self.points,
            "errors": [{"output": e.output, "dtype": e.dtype, "ulps": e.ulps, "point": e.point} for e in self.errors],
            "shapes": [{n: list(v) for n, v in s.items()} for s in self.shapes],
            "layouts": list(self.layouts),
            "dtypes": list(self.dtypes),
        }

    def __str__(self) -> str:
        about = f"{self.function} as the gradient of {self.definition} by {', '.join(self.wrt)}"
        lines = [f"{about}: {self.status}"]
        if self.verdict.reason:
            lines.append(f"  {self.verdict.reason}")
        if self.guess:
            lines.append(f"  a guess, verified by numbers: {self.guess}")
        if self.consistent:
            for dtype in self.dtypes:
                some = [e for e in self.errors if e.dtype == dtype]
                each = ", ".join(f"{e.output} {e.ulps:.2g}" for e in some)
                lines.append(f"  largest errors in {dtype}, in ulps of the largest entry: {each}")
        lines.append(f"  tried: {self.verdict.scope}")
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines)


def shapes_in_words(shapes: Mapping[str, tuple[int, ...]]) -> str:
    """
    >>> shapes_in_words({"x": (3, 5), "W": (7, 5), "b": (7,)})
    'x (3, 5), W (7, 5), b (7,)'
    """
    return ", ".join(f"{n} {s}" for n, s in shapes.items() if s)
