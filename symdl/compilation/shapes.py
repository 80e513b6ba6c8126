"""Calls whose arguments are in shape already: what was worked out for the same shapes before is looked up.

Ten thousand numbers take less time than checking the arguments of a call by name and axis. Arrays of the dtype of the
program that are whole in memory need their shapes compared and no more, as long as there are no whole numbers among
them that have to be looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from symdl.compilation import aligned
from symdl.compilation.objects import FAILED
from symdl.core.tensors import Role, Tensor

Array = npt.NDArray[Any]
Shapes = tuple[tuple[int, ...], ...]
#: Of how many shapes of arguments is remembered what a call needs.
MOST = 256


@dataclass(frozen=True)
class Known:
    """What a call on arguments of some shapes needs: the function, its results by name, the size of its work space,
    and what makes arrays for these."""

    function: Callable[..., Any]
    results: tuple[tuple[str, tuple[int, ...]], ...]
    work: int
    makers: tuple[Callable[..., Array], ...] = ()
    room: Callable[..., Array] = aligned.empty


@dataclass
class ReadyCalls:
    """One emitted function, called on arguments that are in shape.

    Args:
        tensors: the inputs of the definition that a caller gives, all of them.
        names: those that the function takes, in order.
        dtype: of the program.
    """

    tensors: Sequence[Tensor]
    names: tuple[str, ...]
    dtype: str
    known: dict[Shapes, Known] = field(default_factory=dict)

    def __post_init__(self) -> None:
        plain = not any(t.integer or (t.rank == 0 and t.role is Role.HYPERPARAMETER) for t in self.tensors)
        self._given = tuple(t.name for t in self.tensors) if plain else ()
        self._real = np.dtype(self.dtype)
        self._has_numbers = any(t.rank == 0 for t in self.tensors)
        self._nothing = np.empty(0, self._real)

    def learn(self, shapes: Shapes, known: Known) -> None:
        """Remember what calls of these shapes need; of many shapes, the last ones."""
        while len(self.known) >= MOST:
            self.known.pop(next(iter(self.known)), None)
        makers = tuple(aligned.maker(shape, self._real) for _, shape in known.results)
        self.known[shapes] = replace(known, makers=makers, room=aligned.maker((known.work,), self._real))

    def shapes(self, arrays: Mapping[str, Any]) -> Shapes | None:
        """The shapes of arguments that are in shape; None where one of them has to be looked at."""
        if len(arrays) != len(self._given) or not arrays:
            return None
        found, real = [], self._real
        for name in self._given:
            value = arrays.get(name)
            if type(value) is not np.ndarray or value.dtype is not real or not value.flags.carray:
                return None
            found.append(value.shape)
        return tuple(found)

    def results(self, arrays: Mapping[str, Any]) -> dict[str, Array] | None:
        """What the function gives, by name; None where arguments are not in shape, or of shapes that are not known."""
        shapes = self.shapes(arrays)
        known = self.known.get(shapes) if shapes is not None else None
        if known is None:
            return None
        real = self._real
        passed = [arrays[n] for n in self.names]
        if self._has_numbers:
            passed = [a if a.ndim else a.reshape(1) for a in passed]
        results = {}
        for (name, shape), empty in zip(known.results, known.makers, strict=True):
            passed.append(made := empty(shape or 1, real))
            results[name] = made if shape else made.reshape(())
        # numbers are passed as arrays of one
        if known.function(*passed, known.room(known.work, real) if known.work else self._nothing) == FAILED:
            raise RuntimeError("compiled code failed")
        return results
