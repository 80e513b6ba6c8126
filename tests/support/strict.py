"""Emitted code as plain Python on arrays that refuse whatever leaves them: negative subscripts too.

Compiled code reads memory without asking, so that it stays in range is shown here and not by running it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np

from symdl.compilation.extents import Axes, sizes_from_shapes
from symdl.compilation.plan import make_plan
from symdl.compilation.plan_check import check_plan
from symdl.compilation.targets.emit import is_number
from symdl.compilation.targets.kernels import ENTRY, IMPORT as OF_UNITS, KERNEL
from symdl.compilation.targets.numba import NJIT, SHARED, WORK, emit_module
from symdl.compilation.targets.slides import MAKER_DOTS, MAKER_SPREAD
from symdl.compilation.targets.teams import SHARING, SHARING_ANY
from symdl.compilation.targets.workspace import IMPORT
from symdl.core.definitions import Definition
from symdl.derivation.stable import stabilise


class OutOfRangeError(Exception):
    """A subscript that no entry has."""


class Strict(np.ndarray):
    """An array that takes whole subscripts within its shape, and slices."""

    def _check(self, key: Any) -> None:
        keys = key if isinstance(key, tuple) else (key,)
        for k, size in zip(keys, self.shape, strict=False):
            if not isinstance(k, slice) and not 0 <= k < size:
                raise OutOfRangeError(f"{key} of shape {self.shape}")

    def __getitem__(self, key: Any) -> Any:
        self._check(key)
        return super().__getitem__(key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._check(key)
        super().__setitem__(key, value)

    @property
    def ctypes(self) -> Any:
        """Whose `data` stands for the address: the array itself, so that what reads from there can be checked."""
        return SimpleNamespace(data=self)


class MeetingError(Exception):
    """An entry that was said to be of one strand of an array is read or written through another one."""


class Strand(Strict):
    """An array by one of the names of a group, each for entries of its own (see `machine.addresses.strand`)."""

    known: dict[Any, int]
    number: int

    def _check(self, key: Any) -> None:
        super()._check(key)
        place = tuple(map(int, key if isinstance(key, tuple) else (key,)))
        if self.known.setdefault(place, self.number) != self.number:
            raise MeetingError(f"{place} is of strands {self.known[place]} and {self.number}")


def strands() -> Any:
    """What stands for `strand` in emitted code; the names of a group are given one after the other."""
    groups: dict[tuple[int, int], dict[Any, int]] = {}

    def strand(array: Any, group: int, number: int, count: int) -> Strand:
        assert 0 <= number < count
        key = array.__array_interface__["data"][0], group
        if number == 0:
            groups[key] = {}
        made = np.asarray(array).view(Strand)
        made.known, made.number = groups[key], number
        return made

    return strand


def multiply_strictly(
    a: Any, a_row: int, a_inner: int, b: Any, b_inner: int, b_column: int, c: Any, c_row: int,
    rows: int, columns: int, inner: int,
) -> None:  # fmt: skip
    """The product of emitted modules, from arrays and steps in bytes."""
    left = _matrix(a, (rows, inner), (a_row, a_inner))
    right = _matrix(b, (inner, columns), (b_inner, b_column))
    _matrix(c, (rows, columns), (c_row, c.itemsize))[...] = left @ right


def _matrix(array: Any, shape: tuple[int, int], steps: tuple[int, int]) -> Any:
    last = sum((n - 1) * s for n, s in zip(shape, steps, strict=True))
    if min(shape) and not (array.flags.c_contiguous and min(steps) >= 0 and 0 <= last < array.nbytes):
        raise OutOfRangeError(f"a matrix {shape} with steps {steps} of {array.nbytes} bytes")
    return np.lib.stride_tricks.as_strided(np.asarray(array), shape, steps)


def windows_strictly(
    a: Any, a_at: int, a_row: int, a0: int, a1: int, a2: int, b: Any, b_at: int, b0: int, b1: int, b2: int,
    c: Any, c_at: int, c_row: int, rows: int, columns: int, n0: int, n1: int, n2: int,
) -> None:  # fmt: skip
    """The product of what a window slides over whose lanes are columns, from places and steps in numbers."""
    inner = [(max(n, 0), *steps) for n, *steps in ((n0, a0, b0), (n1, a1, b1), (n2, a2, b2))]
    left = _read(a, a_at, [(rows, a_row), *((n, s) for n, s, _ in inner), (1, 0)])
    right = _read(b, b_at, [(1, 0), *((n, s) for n, _, s in inner), (columns, 1)])
    places = _places(c, c_at, [(rows, c_row), (columns, 1)])
    np.asarray(c).reshape(-1)[places] = (left * right).sum(axis=(1, 2, 3))


def dots_strictly(
    a: Any, a_at: int, a_row: int, a0: int, a1: int, b: Any, b_at: int, b0: int, b1: int, s0: int, s1: int, s2: int,
    c: Any, c_at: int, c_row: int, c_column: int, rows: int, m0: int, m1: int, m2: int, n0: int, n1: int, length: int,
) -> None:  # fmt: skip
    """The same whose lanes are inner indices."""
    left = _read(a, a_at, [(rows, a_row), (1, 0), (1, 0), (1, 0), (n0, a0), (n1, a1), (length, 1)])
    right = _read(b, b_at, [(1, 0), (m0, s0), (m1, s1), (m2, s2), (n0, b0), (n1, b1), (length, 1)])
    found = (left * right).sum(axis=(4, 5, 6)).reshape(rows, m0 * m1 * m2)
    np.asarray(c).reshape(-1)[_places(c, c_at, [(rows, c_row), (m0 * m1 * m2, c_column)])] = found


def _read(array: Any, start: int, steps: list[tuple[int, int]]) -> Any:
    return np.asarray(array).reshape(-1)[_places(array, start, steps)]


def _places(array: Any, start: int, steps: list[tuple[int, int]]) -> Any:
    """Which numbers of an array stand at a start and so many steps from it along each of some axes."""
    found = np.asarray(start)
    for count, step in steps:
        found = found[..., None] + np.arange(count) * step
    if found.size and not (array.flags.c_contiguous and found.min() >= 0 and found.max() < array.size):
        raise OutOfRangeError(f"{found.min()} to {found.max()} of {array.size} numbers")
    return found


def _viewed(array: Any, start: int, shape: tuple[int, ...]) -> Any:
    """The numbers of an array from `start` on, in that shape."""
    size = math.prod(shape)
    if start < 0 or start + size > array.size:
        raise OutOfRangeError(f"{shape} from {start} on of {array.size} numbers")
    return array.reshape(-1)[start : start + size].reshape(shape)


def share_strictly(function: Any, given: tuple[Any, ...], parts: int, work: int) -> None:
    """What shares work out in emitted modules: all parts, one after the other."""
    for number in range(parts or 3):
        function(number, parts or 3, *given)


def strict(array: Any) -> Any:
    return np.asarray(array).view(Strict)


def fused(a: float, b: float, c: float) -> float:
    """a·b + c, rounded once."""
    if not all(map(math.isfinite, (a, b, c))):
        return a * b + c
    return float(Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c)))


def run_strictly(definition: Definition, arrays: Mapping[str, Any], products: int = 1) -> dict[str, np.ndarray]:
    """The outputs of a definition by its emitted source, without Numba.

    Args:
        definition: forward equations, or those of a gradient.
        arrays: every input.
        products: the extent that decisions assume: small ones emit loops, large ones matrix products.
    """
    stable = stabilise(definition)
    symbolic = {n: products for n, e in stable.extents.items() if e.is_Symbol}
    plan = make_plan(stable, symbolic, windows=True)
    check_plan(plan)
    module = emit_module({"evaluate": plan}, "float64")
    source = module.source
    windows = {MAKER_SPREAD: windows_strictly, MAKER_DOTS: dots_strictly}
    makers = [f"{SHARED} {maker}\n" for maker in ("shared_product", SHARING, SHARING_ANY, *windows)]
    for head in (NJIT, *makers, WORK, IMPORT, OF_UNITS):
        source = source.replace(head, "")
    space: dict[str, Any] = {"njit": lambda *types, **options: lambda function: function, "math": math}
    space |= dict.fromkeys((ENTRY, KERNEL), lambda signature: lambda function: function)
    space |= {"view": _viewed, "stack": lambda size: None, "work_of": lambda function, given: (function, given)}
    space["carray"] = lambda room, shape, kind: strict(np.full(shape, np.nan))
    space |= {maker: lambda dtype, made=made: made for maker, made in windows.items()}
    space[SHARING_ANY] = lambda dtype: share_strictly
    space["joined"] = lambda array, shape: _viewed(array, 0, shape)
    space["apart"] = lambda array: array
    space["strand"] = strands()
    space |= dict.fromkeys(("shared_product", SHARING), lambda dtype: multiply_strictly)
    exec(compile(source, "<emitted>", "exec"), space)
    space |= {"fma": fused, "ldexp": np.ldexp}
    signature = module.functions["evaluate"]
    axes = Axes(definition)
    sizes = sizes_from_shapes(axes, {n: np.shape(a) for n, a in arrays.items()})
    shapes = {n: tuple(axes.size(i, sizes) or 0 for i in definition[n].indices) for n in signature.outputs}
    results = {n: strict(np.full(s or (1,), np.nan)) for n, s in shapes.items()}
    inputs = [
        float(arrays[n]) if is_number(definition[n]) else strict(np.atleast_1d(arrays[n])) for n in signature.inputs
    ]
    work = strict(np.full(space["evaluate_size"](*inputs), np.nan))
    space["evaluate"](*inputs, *results.values(), work)
    return {n: np.asarray(r).reshape(shapes[n]) for n, r in results.items()}
