"""A part of the cross-check: products of rounded factors, against the equations, within what rounding can do to them.

Everything else has been checked with exact products, by the same code. What is left to find out is how far the library
rounds: on products by themselves, and then whether functions are off by no more than that explains.

- A factor that has no more digits than were promised has to be multiplied exactly: products of whole numbers.
- With u = 2^−bits, a sum Σ a b may be off by ((1 + u)² − 1) Σ |a b|. Where an output moves by d for each such sum, it
  is off by Σ |d| at the most, to first order, which is √N · (Σ d²)^½ or less for N sums. Over all signs, the mean of
  (Σ ± d)² is Σ d²: so the equations are evaluated in 50 digits with all sums moved by their bounds, up or down at
  random, a few times.

Inputs of extreme scale are left out: rounded, they have no digits in common with the exact result.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import mpmath
import numpy as np
import numpy.typing as npt

from symdl.compilation.accuracy import TOLERANCES, deviation, ulp
from symdl.compilation.crosscheck import Findings, caller
from symdl.compilation.crosscheck_epoch import drawn
from symdl.compilation.cuda_graphs import one_by_one
from symdl.compilation.cuda_launches import Launches
from symdl.compilation.devices import numba_cuda
from symdl.compilation.extents import Axes, small_shapes
from symdl.compilation.gradients import Programs
from symdl.compilation.precision import FRACTION, lost
from symdl.compilation.report import Loss
from symdl.compilation.runtime import Program
from symdl.compilation.samples import within_domain
from symdl.compilation.targets.reference import DIGITS, Shift, evaluate
from symdl.core.definitions import Definition
from symdl.core.equations import Equation
from symdl.errors import CrossCheckError, DomainError
from symdl.library.optimisers import Optimizer

Array = npt.NDArray[Any]
#: Standard deviations of random inputs.
SCALES = (0.5, 2.0)
#: How often the equations are evaluated with other signs, and how often before a result is refused: in opposite pairs,
#: so that kinks are met from both sides.
DRAWS, MOST = 4, 16
#: Rows, columns and terms of products that are looked at by themselves, and how many at a time.
EXTENTS = ((1, 1, 1, 1), (5, 3, 7, 1), (4, 6, 9, 3), (33, 48, 65, 1), (64, 64, 256, 1))
#: The largest of the other factor where one is a whole number of all digits: sums stay below 2²⁴.
SMALL = 3


@dataclass(frozen=True)
class Rounded:
    """A program with rounded products.

    Args:
        definition, programs, optimizer: what it was made of.
        program: it.
        exact: the same with exact products.
        equations: by function, those whose products are rounded.
    """

    definition: Definition
    programs: Programs
    program: Program
    exact: Program
    optimizer: Optimizer | None
    equations: Mapping[str, frozenset[str]]

    @property
    def products(self) -> str:
        return str(getattr(self.program, "products", "exact"))

    @property
    def names(self) -> frozenset[str] | None:
        """The equations; None for all, where a form that keeps its digits has equations of its own."""
        known = {e.name for d in self.programs.written.values() for e in d.equations}
        found = frozenset().union(*self.equations.values())
        return found if found <= known else None


def check_rounded(rounded: Rounded, findings: Findings) -> None:
    """Measure what is lost, and note it in the findings.

    Raises:
        CrossCheckError: more than rounding can explain.
    """
    libraries = [p.launches() for p in (rounded.program, rounded.exact) if hasattr(p, "launches")]
    if not rounded.equations or not libraries or libraries[0].library is None:
        return  # nothing calls the library
    findings.losses.append(check_products(rounded.products, libraries[0], libraries[1]))
    shapes = small_shapes(Axes(rounded.definition))
    found = check_functions(rounded, shapes)
    if rounded.optimizer is not None:
        found |= check_steps(rounded, rounded.optimizer, shapes)
    findings.losses += found.values()


# ── products by themselves ───────────────────────────────────────────────────────────────────────────────────────────


def check_products(products: str, launches: Launches, exact: Launches) -> Loss:
    """Products of whole numbers with as many digits as factors keep, and of random numbers, whose loss is returned.

    Raises:
        CrossCheckError: a whole number that is wrong, or a sum that is further off than rounded factors can be.
    """
    rng = np.random.default_rng(29)
    most = 2 ** (FRACTION[products] + 1)
    worst = Loss("product", "", 0.0, 0.0, 0.0, 0.0)
    for number, (rows, columns, terms, count) in enumerate(EXTENTS):
        turned = (number % 2 == 1, number % 3 == 1)
        shapes = (count, rows, terms), (count, terms, columns)
        what = f"{rows}×{terms} by {terms}×{columns}"
        for sizes in ((most, SMALL + 1), (SMALL + 1, most)):
            a, b = (rng.integers(1 - s, s, size=shape) for s, shape in zip(sizes, shapes, strict=True))
            if not np.array_equal(_multiplied(launches, a, b, turned), a @ b):
                raise _refused(products, what, f"whole numbers of {FRACTION[products] + 1} bits are multiplied wrongly")
        a, b = (rng.normal(size=shape).astype(np.float32).astype(float) for shape in shapes)
        off, size = abs(_multiplied(launches, a, b, turned) - a @ b), abs(a) @ abs(b)
        found, allowed = float((off / size).max()), lost(products, terms)
        if not found <= allowed:
            why = f"a sum is off by {found:.2e} of its terms, {allowed:.2e} are allowed"
            raise _refused(products, what, why)
        if found >= worst.of_terms:
            unit = np.spacing(np.float32(abs(a @ b).max()))
            exactly = abs(_multiplied(exact, a, b, turned) - a @ b).max()
            name = f"{rows}×{terms}×{columns}"
            worst = Loss("product", name, float(off.max() / unit), float(exactly / unit), found, allowed)
    return worst


def _multiplied(launches: Launches, a: Array, b: Array, turned: tuple[bool, bool]) -> Array:
    """Products of matrices, one for each of the first axis, by the library; `turned` operands stand transposed."""
    cuda = numba_cuda()
    (count, rows, terms), columns = a.shape, b.shape[-1]
    stored = [m.swapaxes(1, 2) if t else m for m, t in zip((a, b), turned, strict=True)]
    left, right = (cuda.to_device(np.ascontiguousarray(m, np.float32).reshape(-1)) for m in stored)
    out = cuda.device_array(count * rows * columns, np.float32)
    run = Launches(launches.dtype, launches.threads, launches.multiprocessors, launches.library)
    run.product(
        *(None, (rows, columns, terms)),
        *((left, turned[0], stored[0].shape[2]), (right, turned[1], stored[1].shape[2]), out),
        loops=((count, rows * terms, terms * columns, rows * columns),) if count > 1 else (),
        library=True,
    )
    one_by_one(run.found)
    return np.asarray(out.copy_to_host(), float).reshape(count, rows, columns)


def _refused(products: str, what: str, why: str) -> CrossCheckError:
    return CrossCheckError(
        f"the product {what} in {products} is not what it is said to be",
        where="the cross-check of rounded products",
        why=why,
        remedy="report this with the GPU and the version of cuBLAS, and compile with products='exact'",
    )


# ── functions, and the training loop ─────────────────────────────────────────────────────────────────────────────────


@dataclass
class Signs:
    """Moves each sum by all that rounding can do to it, up or down; draws 2k and 2k + 1 have opposite signs.

    Args:
        products: to what factors are rounded.
        names: the equations whose sums are moved; None for all.
        draw: its number.
    """

    products: str
    names: frozenset[str] | None
    draw: int
    calls: Counter[str] = field(default_factory=Counter)
    count: int = 0

    def __call__(self, name: str, sizes: Array) -> Array:
        if self.names is not None and name not in self.names:
            return sizes * 0
        rng = np.random.default_rng([self.draw // 2, zlib.crc32(name.encode()), self.calls[name]])
        self.calls[name] += 1
        self.count += len(sizes)
        signs = (2 * rng.integers(2, size=len(sizes)) - 1) * (-1) ** self.draw
        moved: Array = sizes * signs.astype(object) * mpmath.mpf(lost(self.products, 0))
        return moved


#: Outputs by function and name.
Values = dict[tuple[str, str], Array]
Losses = dict[tuple[str, str], Loss]


class Limits:
    """How far outputs may be from exact ones.

    Args:
        rounded: the program.
        exact: what the equations give.
        evaluated: the same with sums moved.
        ulps: of the largest entry, that are allowed beside what is lost.
    """

    def __init__(self, rounded: Rounded, exact: Values, evaluated: Callable[[Shift], Values], ulps: float) -> None:
        self.rounded, self.exact, self.evaluated, self.ulps = rounded, exact, evaluated, ulps
        self.moved: list[Values] = []
        self.share = lost(rounded.products, 0) * max(self._draw() for _ in range(DRAWS)) ** 0.5

    def _draw(self) -> int:
        """Evaluate with other signs; how many sums were moved."""
        signs = Signs(self.rounded.products, self.rounded.names, len(self.moved))
        try:
            self.moved.append(self.evaluated(signs))
        except DomainError as error:
            name, products = self.rounded.definition.name, self.rounded.products
            raise CrossCheckError(
                f"{name} may leave what it is defined for with products in {products}",
                where=error.where,
                why=f"{error.what} where sums are as far off as rounded factors allow",
                remedy="compile it with products='exact'",
            ) from error
        return signs.count

    def loss(self, function: str, name: str, computed: Array, exactly: Array) -> Loss:
        """What an output loses; `exactly` is the same with exact products.

        Raises:
            CrossCheckError: more than is allowed.
        """
        dtype, products, exact = self.rounded.program.dtype, self.rounded.products, self.exact[function, name]
        found = deviation(computed, exact, dtype).normwise
        terms = self._carried(function, name) / lost(products, 0)
        while not found <= self.ulps + self.share * terms and len(self.moved) < MOST:
            self._draw()
            terms = self._carried(function, name) / lost(products, 0)
        if not found <= (limit := self.ulps + self.share * terms):
            raise CrossCheckError(
                f"the compiled {function} with products in {products} disagrees with the equations in {name}",
                where="the cross-check of rounded products",
                why=f"it is off by {found:.3g} ulps, rounded factors allow {limit:.3g}",
                remedy="report this with the definition and the GPU, and compile with products='exact'",
            )
        exact_ulps = deviation(exactly, exact, dtype).normwise
        return Loss(function, name, found, exact_ulps, found / terms if terms else 0.0, self.share)

    def _carried(self, function: str, name: str) -> float:
        """(Σ d²)^½ of the entry for which it is largest, in ulps of the largest entry."""
        with mpmath.workdps(DIGITS):
            exact, *moved = (v[function, name].ravel() for v in (self.exact, *self.moved))
            squares = [mpmath.fsum([(m[k] - v) ** 2 for m in moved]) for k, v in enumerate(exact)]
            size = ulp(max(abs(v) for v in exact), self.rounded.program.dtype)
            return float(mpmath.sqrt(max(squares) / len(moved)) / size)


def check_functions(rounded: Rounded, shapes: dict[str, tuple[int, ...]]) -> Losses:
    """Every function at random points; the worst loss of each output.

    Raises:
        CrossCheckError: more than rounding explains.
    """
    rng, found = np.random.default_rng(20261127), Losses()
    functions, dtype = rounded.programs.written, rounded.program.dtype
    for scale in SCALES:
        arrays, exact = within_domain(
            rounded.definition, shapes, scale, dtype, rng, lambda given: _evaluated(functions, given)
        )
        moved = partial(_evaluated, functions, arrays)
        limits = Limits(rounded, exact, moved, TOLERANCES[dtype].ulps)
        for function, equations in functions.items():
            given = {t.name: arrays[t.name] for t in equations.inputs}
            one, other = (caller(p, function, equations)(given) for p in (rounded.program, rounded.exact))
            for name in equations.outputs:
                loss = limits.loss(function, name, one[name], other[name])
                known = found.get((function, name))
                if known is None or loss.of_terms > known.of_terms:
                    found[function, name] = loss
    return found


def _evaluated(functions: Mapping[str, Definition], arrays: Mapping[str, Array], shift: Shift | None = None) -> Values:
    """The outputs of all functions; what they have in common is computed once."""
    known: dict[Equation, Array] = {}
    results = {f: evaluate(d, arrays, known=known, shift=shift) for f, d in functions.items()}
    return {(f, n): v for f, values in results.items() for n, v in values.items()}


def check_steps(rounded: Rounded, optimizer: Optimizer, shapes: dict[str, tuple[int, ...]]) -> Losses:
    """Losses, parameters and states after three steps of the training loop.

    Raises:
        CrossCheckError: more than rounding explains.
    """
    steps, exact = drawn(rounded.definition, rounded.programs, rounded.program, optimizer, shapes)

    def named(values: Mapping[str, Array]) -> Values:
        return {("epoch", n): v for n, v in values.items()}

    ulps = TOLERANCES[rounded.program.dtype].ulps_per_step * steps.count
    limits = Limits(rounded, named(exact), lambda shift: named(steps.exactly(shift)), ulps)
    one, other = steps.by(rounded.program), steps.by(rounded.exact)
    return {("epoch", n): limits.loss("epoch", n, one[n], other[n]) for n in exact}
