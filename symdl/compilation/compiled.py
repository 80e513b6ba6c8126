"""What `compile` returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from symdl.compilation.extents import Axes, Key, sizes_from_shapes
from symdl.compilation.memory import Memory
from symdl.compilation.report import Report
from symdl.compilation.runtime import Program, prepared
from symdl.compilation.shapes import Known, ReadyCalls
from symdl.core.definitions import Definition
from symdl.core.guards import gathers
from symdl.core.indices import Index
from symdl.core.tensors import Tensor
from symdl.errors import DataError, DefinitionError, ShapeError
from symdl.library.optimisers.record import Optimizer

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Compiled:
    """A definition as machine code that was checked against its equations.

    Args:
        definition: what was compiled.
        dtype: "float64" or "float32", of all real-valued arguments and results.
        optimizer: None where no training step was asked for.
        report: of the cross-check.
        path: of the readable source; `source` is its text.
        key: of the code cache.
        from_cache: True where nothing was derived or compiled this time.
    """

    definition: Definition
    dtype: str
    optimizer: Optimizer | None
    report: Report
    path: str
    key: str
    from_cache: bool
    program: Program = field(repr=False)
    _ready: dict[str, ReadyCalls] = field(default_factory=dict, init=False, repr=False)

    def __repr__(self) -> str:
        trained = f", trains with {self.optimizer.name}" if self.optimizer else ""
        return f"Compiled({self.definition.name}, {self.dtype}{trained}, at most {self.report.worst:.2g} ulps off)"

    @property
    def source(self) -> str:
        """The emitted Python module, each block under the equation it came from."""
        return self.program.source

    @cached_property
    def _axes(self) -> Axes:
        return Axes(self.definition)

    @cached_property
    def _gathers(self) -> list[tuple[str, str, Index]]:
        """The integer tensors that subscript others, the tensor and the axis that they have to stay within."""
        found = gathers(t.body for eq in self.definition.equations for t in eq.terms)
        return [place for place, watched in found.items() if not watched]

    def __call__(self, **arrays: Any) -> dict[str, Array]:
        """All outputs of the definition, by name.

        Args:
            arrays: every input by name: real arrays of any dtype, integers for integer-valued tensors.

        Raises:
            DataError, ShapeError: an argument is missing, unknown, not numeric or of the wrong shape.
        """
        results = self._results("evaluate", self.definition.inputs, arrays, {})
        return {n: results[n] if n in results else self._copied(n, arrays[n]) for n in self.definition.outputs}

    def gradient(self, **arrays: Any) -> dict[str, Array]:
        """The target under its own name, and its gradient by each parameter under the parameter's name.

        Raises:
            DefinitionError: compiled without `wrt` or an optimiser.
            DataError, ShapeError: as for a call.
        """
        self._need("gradient")
        return self._results("gradient", self.definition.inputs, arrays, self._parameter_of)

    def predict(self, **arrays: Any) -> dict[str, Array]:
        """The outputs that need no target: predictions, by name.

        Raises:
            DefinitionError: the definition returns nothing but its target.
            DataError, ShapeError: as for a call.
        """
        self._need("predict")
        wanted = [t for t in self.definition.inputs if t.name in self.program.functions["predict"].inputs]
        return self._results("predict", tuple(wanted), arrays, {})

    def _copied(self, name: str, value: Any) -> Array:
        """An input that is an output as well."""
        return np.array(prepared(self.definition[name], value, self.dtype))

    @cached_property
    def _parameter_of(self) -> dict[str, str]:
        """Parameters by the names of their gradients."""
        return {g: p for p, g in self.program.gradients.items()}

    def _results(
        self, function: str, tensors: tuple[Tensor, ...], arrays: Mapping[str, Any], called: Mapping[str, str]
    ) -> dict[str, Array]:
        """Run a function on what a caller gives; its results, those in `called` by the names that stand there."""
        if function not in self._ready:
            self._ready[function] = ReadyCalls(tensors, self.program.functions[function].inputs, self.dtype)
        ready = self._ready[function]
        if (found := ready.results(arrays)) is not None:
            return found
        shapes = ready.shapes(arrays)
        given, sizes = self._prepared(function, tensors, arrays)
        outputs = {n: self._shape(called.get(n, n), sizes) for n in self.program.functions[function].outputs}
        if shapes is not None and (work := self.program.work_size(function, given)) is not None:
            names = tuple((called.get(n, n), s) for n, s in outputs.items())
            ready.learn(shapes, Known(self.program.function(function), names, work))
        results = self.program.call(function, given, outputs)
        return {called.get(n, n): v for n, v in results.items()}

    def epoch(
        self,
        arrays: Mapping[str, Any],
        states: Mapping[tuple[str, str], Array] | None = None,
        *,
        order: npt.NDArray[np.int64],
        batch_size: int,
        first_step: int = 0,
        hyper: Mapping[str, float] | None = None,
    ) -> tuple[int, Array]:
        """Train on the rows `order` once, in place: the compiled loop that `sd.train` calls.

        Args:
            arrays: all inputs by name. Parameters are changed: C-contiguous, writable, of the dtype of the program.
            states: of the optimiser, by (parameter, state), changed as well; those of `start` where none are given.
            order: int64, which rows to use, in that order.
            batch_size: rows of a step; the last step may have fewer.
            first_step: how many steps were made before.
            hyper: of the optimiser, where other values are wanted than those it was compiled with.

        Returns:
            The number of steps that were completed, and the loss of each that was begun. Fewer steps than batches mean
            that the loss or the update was not finite; the parameters are those before that step.

        Raises:
            DefinitionError: compiled without an optimiser.
            DataError, ShapeError: as for a call; rows out of range, parameters that can't be changed in place.
        """
        if self.optimizer is None or self.program.epoch is None:
            raise _no_training()
        given, _ = self._prepared("epoch", self.definition.inputs, arrays)
        names = self.program.epoch
        for name in names.parameters:
            if given[name] is not arrays[name] and not np.shares_memory(given[name], arrays[name]):
                raise DataError(
                    f"parameter {name} can't be changed in place",
                    why=f"it is not a writable C-contiguous array of {self.dtype}",
                    remedy=f"pass np.array({name}, '{self.dtype}')",
                )
        rows = min(len(given[n]) for n in names.data)
        if batch_size < 1 or len(order) < 1 or order.dtype != np.int64 or order.min() < 0 or order.max() >= rows:
            raise DataError(
                "order or batch_size is out of range",
                where=f"epoch of {self.definition.name}",
                why=f"rows are int64 from 0 to {rows - 1}, and a batch has at least one",
            )
        held = states if states is not None else self.start(given)
        values = {**self.optimizer.hyper, **(hyper or {})}
        return self.program.run_epoch(given, held, values, order, min(batch_size, len(order)), first_step)

    def start(self, parameters: Mapping[str, Array]) -> dict[tuple[str, str], Array]:
        """The states that the optimiser starts from, by (parameter, state); "" for what belongs to no parameter.

        Raises:
            DefinitionError: compiled without an optimiser.
        """
        if self.optimizer is None or self.program.epoch is None:
            raise _no_training()
        return self.program.epoch.start(self.optimizer.start, parameters)

    def memory(self, arrays: Mapping[str, Any], *, batch_size: int) -> Memory:
        """The bytes that `epoch` needs in a step, by what for.

        Args:
            arrays: all inputs by name; only their shapes count, so that `np.broadcast_to(0.0, shape)` does.
            batch_size: rows of a step.

        Raises:
            DefinitionError: compiled without an optimiser.
            DataError, ShapeError: an input is missing or unknown, shapes do not fit each other, no rows in a step.
            UnsupportedError: compiled for a GPU or in wide numbers.
        """
        if self.optimizer is None or self.program.epoch is None:
            raise _no_training()
        names = [t.name for t in self.definition.inputs]
        self._check_names("memory", names, arrays)
        shapes = {n: np.shape(arrays[n]) for n in names}
        sizes_from_shapes(self._axes, shapes)
        if batch_size < 1:
            raise DataError("a step has no rows", why=f"batch_size is {batch_size}", remedy="batch_size=1 or more")
        kinds = {t.name: np.dtype(np.int64 if t.integer else self.dtype) for t in self.definition.inputs}
        empty = {n: np.broadcast_to(np.zeros((), kinds[n]), shape) for n, shape in shapes.items()}
        rows = min(len(empty[n]) for n in self.program.epoch.data)
        states = {(p, s): empty[p] if p else np.zeros(()) for p, s in self.program.epoch.states}
        return self.program.memory(empty, states, min(batch_size, rows))

    def check(self, arrays: Mapping[str, Any]) -> None:
        """Raise what is wrong with a full set of arguments, without computing anything.

        Raises:
            DataError, ShapeError: as for a call.
        """
        self._prepared("evaluate", self.definition.inputs, arrays)

    def shape_of(self, name: str, shapes: Mapping[str, tuple[int, ...]]) -> tuple[int, ...]:
        """The shape of a tensor of the definition, from the shapes of its inputs."""
        return self._shape(name, sizes_from_shapes(self._axes, shapes))

    def _shape(self, name: str, sizes: Mapping[Key, int]) -> tuple[int, ...]:
        lengths = [(i, self._axes.size(i, sizes)) for i in self.definition[name].indices]
        for index, length in lengths:
            if length is None:
                raise ShapeError(
                    f"extent {index.extent} of {name} can't be read from the inputs",
                    where=f"definition {self.definition.name}",
                    remedy=f"give an input the axis {index.name}",
                )
        return tuple(length for _, length in lengths if length is not None)

    def _need(self, function: str) -> None:
        if function not in self.program.functions:
            raise DefinitionError(
                f"there is no compiled {function} of {self.definition.name}",
                remedy="compile it with wrt=… or an optimizer"
                if function == "gradient"
                else "return the prediction beside the loss, and compile with an optimizer",
            )

    def _check_names(self, function: str, names: list[str], arrays: Mapping[str, Any]) -> None:
        missing = [n for n in names if n not in arrays]
        unknown = [n for n in arrays if n not in names]
        if missing or unknown:
            what = f"'{missing[0]}' is missing" if missing else f"there is no input '{unknown[0]}'"
            raise DataError(what, where=f"{function} of {self.definition.name}", remedy=f"pass {', '.join(names)}")

    def _prepared(
        self, function: str, tensors: tuple[Tensor, ...], arrays: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[Key, int]]:
        """Arguments of a function in the dtype of the program, checked against each other; the length of every axis."""
        self._check_names(function, [t.name for t in tensors], arrays)
        given = {t.name: prepared(t, arrays[t.name], self.dtype) for t in tensors}
        sizes = sizes_from_shapes(self._axes, {n: np.shape(a) for n, a in given.items()})
        for name, tensor, axis in self._gathers:
            limit = self._axes.size(axis, sizes)
            if name in given and limit is not None:
                _check_range(name, given[name], limit, axis, tensor)
        return given, sizes


def _no_training() -> DefinitionError:
    return DefinitionError("the compiled code can't train", remedy="compile it with optimizer=sd.sgd(0.1)")


def _check_range(name: str, values: Any, limit: int, axis: Index, tensor: str) -> None:
    """Compiled code reads memory without asking, so what subscripts a tensor is checked before."""
    array = np.asarray(values)
    wrong = (array < 0) | (array >= limit)
    if wrong.any():
        position = [int(k) for k in np.unravel_index(int(wrong.argmax()), array.shape)]
        raise DataError(
            f"{name}{position or ''} is {array[tuple(position)]}",
            where=f"row {position[0]} of {name} (counted from 0)" if position else name,
            why=f"it subscripts {f'axis {axis.name} of {tensor}' if tensor else f'an axis {axis.name}'}, "
            f"which runs from 0 to {limit - 1}",
            remedy="correct that entry, or enlarge the axis",
        )
