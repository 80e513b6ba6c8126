"""Plots of functions of several numbers: one of them runs, the others stay or follow, and one value is drawn with its
slope. Both are evaluated from the equations, entry by entry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

import symdl as sd
from symdl.compilation.targets.reference import evaluate
from symdl.derivation.derive import derive
from symdl.derivation.seeds import seeded
from symdl.errors import DomainError
from symdl.library.lines import Line as Along
from symdl.rendering.document import Figure
from symdl.rendering.plot import Line, Point, plot_figure
from symdl.testing.curves import HIGHEST, LEFT, RIGHT, label

#: Points of a curve, so that whole numbers and halves are among them.
POINTS = 120
#: How much larger a step has to be than those beside it to be a jump.
JUMP, LEAST = 6.0, 0.04


@dataclass(frozen=True)
class _Equations:
    """A value and its slope: the equations, the names of both in them, and what the slope is multiplied by."""

    wanted: sd.Definition
    output: str
    slope: str
    seed: Any

    @property
    def data(self) -> set[str]:
        return {t.name for t in self.wanted.inputs if t.role == "input"}


@dataclass(frozen=True)
class Slice:
    """A line through the inputs of a definition.

    Args:
        line: what runs, and what stays.
        words: what is seen, in words and formulas.
        low, high: the ends that are drawn.
        stretch: units of the plot for each unit of the line.
    """

    line: Along
    words: str
    low: float = LEFT
    high: float = RIGHT
    stretch: int = 1

    def figure(self, name: str, letter: str) -> Figure:
        """The value, blue, and its slope, red.

        Args:
            name: of the definition, and of the file.
            letter: what the value is called.
        """
        found = list(self._along(np.linspace(self.low, self.high, POINTS + 1).tolist(), name))
        lines = [
            Line(label(letter, prime), kind, *_runs([(x * self.stretch, pair[k]) for x, pair in found]))
            for k, (prime, kind) in ((1, ("′", "backward")), (0, ("", "forward")))
        ]
        return plot_figure(lines, f"{self.words}.", f"{name}.svg", HIGHEST, self.stretch)

    def _along(self, places: list[float], name: str) -> Iterator[tuple[float, tuple[float, float]]]:
        """Place, value and slope; nothing where there are none. All places are computed at once where they can be."""
        whole = seeded(sd.definition(name, **self.line.options))
        output, wrt = whole.outputs[1], self.line.wrt[0]
        seed = next(t for t in whole.inputs if t.cotangent_of and t.cotangent_of[1] == output)
        made = derive(whole, wrt=wrt)
        equations = _Equations(made.gradient.only([output, *made.names.values()]), output, made.names[wrt], seed)
        given = [{n: np.asarray(v) for n, v in _numbers(self.line.given(x)).items()} for x in places]
        apart = not self.line.together and wrt in equations.data
        same = all(n in equations.data or np.array_equal(v, given[0][n]) for row in given for n, v in row.items())
        if apart and same:
            try:
                yield from zip(places, self._at(given, equations), strict=True)
                return
            except DomainError:  # somewhere
                pass
        for x, numbers in zip(places, given, strict=True):
            with suppress(DomainError):
                yield x, self._at([numbers], equations)[0]

    def _at(self, given: list[dict[str, Any]], equations: _Equations) -> list[tuple[float, float]]:
        """The value and the slope for the inputs of each example, or the one input of all examples."""
        many, data = self.line.together, equations.data
        arrays = {n: np.stack([g[n] for g in given]) if n in data and not many else v for n, v in given[0].items()}
        rows = len(next(iter(arrays.values()))) if many else len(given)
        seed = equations.seed
        unit = np.zeros((rows, *(self._length(i, arrays, equations.wanted) for i in seed.indices[1:])))
        looked = [(row, *self.line.value) for row in range(len(given))]
        for place in looked:
            unit[place] = 1.0
        made = evaluate(equations.wanted, {**arrays, seed.name: unit}, digits=20)
        value, slope = made[equations.output], made[equations.slope]
        entry = self.line.wrt[1]
        return [(float(value[p]), float(slope[entry if many else (p[0], *entry)])) for p in looked]

    @staticmethod
    def _length(index: Any, arrays: Mapping[str, Any], wanted: sd.Definition) -> int:
        for t in wanted.inputs:
            for k, i in enumerate(t.indices):
                if t.name in arrays and i.extent == index.extent:
                    return int(arrays[t.name].shape[k])
                if t.name in arrays and (i.extent / index.extent).is_Integer:
                    return int(arrays[t.name].shape[k] // (i.extent / index.extent))
        raise AssertionError(index)


def _numbers(given: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers where a line has fractions."""

    def number(value: Any) -> Any:
        if isinstance(value, list):
            return [number(v) for v in value]
        return float(Fraction(value)) if isinstance(value, str) else value

    return {name: number(value) for name, value in given.items()}


def _runs(points: list[Point]) -> tuple[tuple[tuple[Point, ...], ...], tuple[tuple[float, float, bool], ...]]:
    """The parts of a curve between its jumps; a point that stands alone between two of them is a dot."""
    steps = [abs(b[1] - a[1]) for a, b in pairwise(points)]
    runs: list[list[Point]] = [[points[0]]]
    for k, point in enumerate(points[1:]):
        beside = [steps[j] for j in (k - 2, k + 2) if 0 <= j < len(steps)]
        if steps[k] > LEAST and steps[k] > JUMP * max([*beside, LEAST / JUMP]):
            runs.append([])
        runs[-1].append(point)
    dots = tuple((*run[0], True) for run in runs if len(run) == 1)
    return tuple(tuple(run) for run in runs if len(run) > 1), dots
