"""A compiled module in memory: how its functions are called, and how arguments are brought into shape for them."""

from __future__ import annotations

import ast
import math
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from symdl.compilation import aligned, machine, team
from symdl.compilation.cuda_models import Batch
from symdl.compilation.memory import Memory
from symdl.compilation.pace import Pace
from symdl.compilation.targets.kernels import SIZED
from symdl.compilation.targets.teams import SHARING, SHARING_ANY
from symdl.core.pauses import collection_paused
from symdl.core.tensors import Fact, Role, Tensor
from symdl.errors import DataError, ShapeError, UnsupportedError

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Signature:
    """The arguments of an emitted function, by tensor name: inputs, then outputs, then the work space."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class EpochSignature:
    """The tensors of the arguments of `epoch`, by name, in order (see `targets.epoch.EpochArguments`)."""

    data: tuple[str, ...]
    fixed: tuple[str, ...]
    parameters: tuple[str, ...]
    states: tuple[tuple[str, str], ...]
    hyper: tuple[str, ...]
    sizes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    passing: tuple[str, ...] = ()

    def start(self, values: Mapping[str, float], parameters: Mapping[str, Array]) -> dict[tuple[str, str], Array]:
        """The states that an optimiser starts from, by `values` of each (0 otherwise) and the shapes of parameters."""
        return {
            (p, s): np.full_like(parameters[p], values.get(s, 0.0)) if p else np.array(values.get(s, 0.0), np.float64)
            for p, s in self.states
        }

    def packs(self) -> dict[str, list[tuple[str, str]]]:
        """The states of parameters by name, each in the order of the parameters."""
        names = dict.fromkeys(s for p, s in self.states if p)
        return {name: [(p, s) for p, s in self.states if p and s == name] for name in names}


def signatures_of(record: Mapping[str, Any]) -> tuple[dict[str, Signature], EpochSignature | None]:
    """The functions of a record and its training loop, if it has one."""
    functions = {n: Signature(tuple(f["inputs"]), tuple(f["outputs"])) for n, f in record["functions"].items()}
    epoch = record["epoch"]
    if epoch is None:
        return functions, None
    return functions, EpochSignature(
        tuple(epoch["data"]),
        tuple(epoch["fixed"]),
        tuple(epoch["parameters"]),
        tuple((p, s) for p, s in epoch["states"]),
        tuple(epoch["hyper"]),
        {n: tuple(shape) for n, shape in epoch["sizes"].items()},
        tuple(epoch["passing"]),
    )


class Training(Protocol):
    """Models in training on a device: `epoch` goes on with all of them, `finish` fetches what became of them."""

    batch: Batch
    steps: int

    def epoch(self, orders: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], Array]: ...

    def renew(self, arrays: Mapping[str, Array], names: Iterable[str]) -> None: ...

    def finish(self) -> None: ...


@dataclass(frozen=True)
class Program:
    """A loaded module: `space` holds its functions, each of which returns a whole number (see `functions`)."""

    dtype: str
    source: str
    functions: Mapping[str, Signature]
    epoch: EpochSignature | None
    gradients: Mapping[str, str]
    space: Mapping[str, Any]
    pace: Pace = field(default_factory=Pace, compare=False)

    def function(self, name: str) -> Callable[..., Any]:
        """A function of the program for arguments that are known to be of the right types; nobody looks at them."""
        ready: Callable[..., Any] = self.space[name].ready
        return ready

    def work_size(self, name: str, arrays: Mapping[str, Array]) -> int | None:
        """The numbers of scratch that a function needs for prepared arguments; None where arrays live elsewhere."""
        return int(self.space[f"{name}_size"](*(_passed(arrays[n]) for n in self.functions[name].inputs)))

    def call(self, name: str, arrays: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
        """Run a function on prepared arguments; `shapes` are those of its outputs."""
        signature = self.functions[name]
        inputs = [_passed(arrays[n]) for n in signature.inputs]
        results = {n: aligned.empty(shapes[n], self.dtype) for n in signature.outputs}
        work = aligned.empty(self.space[f"{name}_size"](*inputs), self.dtype)
        self.space[name](*inputs, *(_passed(r) for r in results.values()), work)
        team.attend()
        return results

    def run_epoch(
        self,
        arrays: Mapping[str, Array],
        states: Mapping[tuple[str, str], Array],
        hyper: Mapping[str, float],
        order: npt.NDArray[np.int64],
        batch_size: int,
        first_step: int,
    ) -> tuple[int, Array]:
        """Run `epoch`, which changes the parameters in `arrays` and the states in place.

        Where there is a function for the sizes that are given, it makes the steps of whole batches.

        Returns:
            The number of completed steps, and the loss of every step that was begun.
        """
        whole = len(order) // batch_size * batch_size if self.is_sized(arrays, batch_size) else 0
        given = (arrays, states, hyper)
        order = np.ascontiguousarray(order, np.int64)
        if not whole:
            return self.run_loop("epoch", *given, order, batch_size, first_step)
        done, losses = self.run_loop(f"epoch{SIZED}", *given, order[:whole], batch_size, first_step)
        if done * batch_size < whole or whole == len(order):
            return done, losses
        last, more = self.run_loop("epoch", *given, order[whole:], batch_size, first_step + done)
        return done + last, np.concatenate([losses, more])

    def training(
        self,
        arrays: Mapping[str, Array],
        states: Mapping[tuple[str, str], Array],
        hyper: Mapping[str, float],
        rows: int,
        batch_size: int,
        first_step: int,
    ) -> Training | None:
        """One model in training, where that is more than epochs one by one: on a device that keeps what it is sent."""
        return None

    def is_sized(self, arrays: Mapping[str, Array], batch_size: int) -> bool:
        """Whether there is a function for steps of that size on arrays of these shapes."""
        assert self.epoch is not None
        sizes, data = self.epoch.sizes, self.epoch.data

        def fits(name: str, shape: tuple[int, ...]) -> bool:
            given = np.shape(arrays[name])
            return (batch_size, *given[1:]) == shape if name in data else given == shape

        return bool(sizes) and all(fits(name, shape) for name, shape in sizes.items())

    def memory(self, arrays: Mapping[str, Array], states: Mapping[tuple[str, str], Array], batch_size: int) -> Memory:
        """What `run_epoch` needs with batches of that size; of the arrays only shapes and dtypes are looked at.

        Raises:
            UnsupportedError: the program keeps its intermediate values in wide numbers, or on a GPU.
        """
        assert self.epoch is not None
        if (kept_size := self.space.get("gradient_kept_size")) is None:
            raise UnsupportedError(
                "the memory of this program is not told",
                why="its intermediate values are wide numbers, or on a GPU",
                remedy="compile the definition with target='numba' and careful=False",
            )
        one, size = np.zeros((), self.dtype), np.dtype(self.dtype).itemsize
        batch = self._batch_shapes(arrays, batch_size)
        rows = {n: np.broadcast_to(one.astype(arrays[n].dtype), shape) for n, shape in batch.items()}
        sizing = [rows.get(n, arrays[n]) for n in self.functions["gradient"].inputs]
        sized = SIZED if self.is_sized(arrays, batch_size) else ""
        work = int(self.space[f"gradient{sized}_size"](*sizing))
        kept = min(int(kept_size(*sizing)), work)
        parameters = sum(arrays[p].nbytes for p in self.epoch.parameters)
        state = sum(a.nbytes for a in states.values())
        return Memory(
            parameters=parameters,
            state=state,
            gradients=size * self._result_room(arrays)[1],
            before=parameters + state,
            batch=sum(a.nbytes for a in rows.values()),
            kept=kept * size,
            scratch=(work - kept) * size,
        )

    def _batch_shapes(self, arrays: Mapping[str, Array], batch_size: int) -> dict[str, tuple[int, ...]]:
        """The shapes of the rows of a step, by name."""
        assert self.epoch is not None
        return {n: (batch_size, *arrays[n].shape[1:]) for n in self.epoch.data}

    def _result_shapes(self, arrays: Mapping[str, Array]) -> dict[str, tuple[int, ...]]:
        """The shapes of what the gradient is written to, by name, as arrays of one axis at least."""
        of = {g: p for p, g in self.gradients.items()}
        return {n: np.shape(arrays[of[n]]) or (1,) if n in of else (1,) for n in self.functions["gradient"].outputs}

    def _result_room(self, arrays: Mapping[str, Array]) -> tuple[dict[str, slice], int]:
        """Where each result stands in one array for all of them, and how long that is.

        Those that are never all there stand in the same place.
        """
        assert self.epoch is not None
        sizes = {n: math.prod(shape) for n, shape in self._result_shapes(arrays).items()}
        end = aligned.padded(max((sizes[n] for n in self.epoch.passing), default=0), self.dtype)
        places = {n: slice(0, sizes[n]) for n in self.epoch.passing}
        for name, size in sizes.items():
            if name not in places:
                places[name] = slice(end, end + size)
                end += aligned.padded(size, self.dtype)
        return places, end

    def _results(self, arrays: Mapping[str, Array]) -> list[Array]:
        """Arrays that the gradient is written to in a loop."""
        places, size = self._result_room(arrays)
        room = aligned.empty(size, self.dtype)
        return [room[places[n]].reshape(shape) for n, shape in self._result_shapes(arrays).items()]

    def run_loop(
        self,
        function: str,
        arrays: Mapping[str, Array],
        states: Mapping[tuple[str, str], Array],
        hyper: Mapping[str, float],
        order: npt.NDArray[np.int64],
        batch_size: int,
        first_step: int,
    ) -> tuple[int, Array]:
        """Run one of the loops of the program, as `run_epoch` does."""
        assert self.epoch is not None
        names = self.epoch
        steps = -(-len(order) // batch_size)
        losses = np.empty(steps, self.dtype)
        batches = {n: aligned.empty(s, arrays[n].dtype) for n, s in self._batch_shapes(arrays, batch_size).items()}
        packs = names.packs()
        apart = [(p, s) for p, s in names.states if not p]
        held = [*(_passed(arrays[p]) for p in names.parameters), *(_passed(states[s]) for s in apart)]
        # what is given changes when the epoch is over: an error or an interrupt leaves it as it was
        copies = [aligned.copied(array) for array in held]
        flat = [_joined(states, pack) for pack in packs.values()]
        changed = [*copies[: len(names.parameters)], *flat, *copies[len(names.parameters) :]]
        results = self._results(arrays)
        sizing = [batches.get(n, arrays[n]) for n in self.functions["gradient"].inputs]
        gradient = function.replace("epoch", "gradient")
        work = aligned.empty(self.space[f"{gradient}_size"](*sizing), self.dtype)

        def run(rows: npt.NDArray[np.int64], before: int = 0) -> int:
            done: int = self.space[function](
                *(rows, batch_size, first_step + before),
                *(arrays[n] for n in names.data),
                *batches.values(),
                *(_passed(arrays[n]) for n in names.fixed),
                *changed,
                *(np.float64(hyper[h]) for h in names.hyper),
                *results,
                *(work, losses[before:]),
            )
            return int(done)

        make = self._paced(run, batch_size) if self.space.keys() & {SHARING, SHARING_ANY} else run

        done = make(order)
        if done < 0:  # the result of a step is not finite, and stands where the last finite one stood
            done = -1 - done
            for array, numbers in zip(copies, held, strict=True):
                array[...] = numbers
            for numbers, pack in zip(flat, packs.values(), strict=True):
                numbers[...] = _joined(states, pack)
            if done and run(order[: done * batch_size]) != done:
                raise RuntimeError("steps that were finite are not when they are made again")
        for array, numbers in zip(held, copies, strict=True):
            array[...] = numbers
        for pack, numbers in zip(packs.values(), flat, strict=True):
            limits = np.cumsum([states[s].size for s in pack])
            for s, part in zip(pack, np.split(numbers, limits[:-1]), strict=True):
                states[s][...] = part.reshape(states[s].shape)
        return done, losses[: min(done + 1, steps)]

    def _paced(
        self, run: Callable[[npt.NDArray[np.int64], int], int], batch_size: int
    ) -> Callable[[npt.NDArray[np.int64]], int]:
        """Steps in pieces, with the threads of the team or without, whichever is faster; as `run` makes them."""
        if not team.may_choose():
            team.expect()
            return lambda order: run(order, 0)

        def make(order: npt.NDArray[np.int64]) -> int:
            made, steps = 0, -(-len(order) // batch_size)
            while made < steps:
                shared, count = self.pace.next(steps - made)
                with team.working() if shared else team.alone():
                    begun = time.perf_counter()
                    done = run(order[made * batch_size : (made + count) * batch_size], made)
                    self.pace.note(shared, count, time.perf_counter() - begun)
                if done < 0:
                    return done - made
                made += done
                if done < count:  # a loss is not finite
                    break
            return made

        return make


def _joined(states: Mapping[tuple[str, str], Array], pack: list[tuple[str, str]]) -> Array:
    """The states of a pack in one array."""
    parts = [np.ravel(states[s]) for s in pack]
    return np.concatenate(parts, out=aligned.empty(sum(p.size for p in parts), parts[0].dtype))


def prepared(tensor: Tensor, value: Any, dtype: str) -> Any:
    """An argument as the compiled code wants it: C-contiguous, writable, of the program's dtype; or a number.

    Raises:
        DataError: not numeric, not real, or a number with a fraction where integers are wanted.
        ShapeError: not a number where one is wanted.
    """
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise DataError(f"{tensor.name} is ragged", why="its rows differ in length") from error
    if array.dtype.kind not in "biuf":
        raise DataError(
            f"{tensor.name} is not numeric", why=f"its dtype is {array.dtype}", remedy="pass an array of real numbers"
        )
    if tensor.rank != array.ndim:
        raise ShapeError(
            f"{tensor.name} has {array.ndim} axes, not {tensor.rank}",
            why=f"its shape is {array.shape} and it is {tensor.element()}",
            remedy="pass an array with one axis for each index",
        )
    if tensor.integer and array.dtype.kind == "f" and not (array == np.floor(array)).all():
        raise DataError(f"{tensor.name} has fractions", why="it holds integers", remedy="round it first")
    if tensor.integer and Fact.BINARY in tensor.facts:
        _check_binary(tensor, array)
    wanted = np.dtype(np.int64 if tensor.integer else dtype)
    if tensor.rank == 0 and tensor.role is Role.HYPERPARAMETER:
        return wanted.type(array)
    made = np.require(array, wanted, ["C", "A", "W"])
    return made.reshape(array.shape)


def _check_binary(tensor: Tensor, array: Array) -> None:
    """A mask that holds something else would be read as one that leaves that entry out."""
    wrong = (array != 0) & (array != 1)
    if wrong.any():
        position = [int(k) for k in np.unravel_index(int(wrong.argmax()), array.shape)]
        raise DataError(
            f"{tensor.name}{position or ''} is {array[tuple(position)]}",
            where=f"row {position[0]} of {tensor.name} (counted from 0)" if position else tensor.name,
            why="it is stated to be 0 or 1",
            remedy="correct that entry",
        )


def _passed(value: Any) -> Any:
    """A scalar array as an array of one entry, on the same memory; anything else as it is."""
    return value.reshape(1) if isinstance(value, np.ndarray) and value.ndim == 0 else value


def load_source(source: str, path: str, key: str) -> dict[str, Any]:
    """Run a module's source under the name of its file; it is entered under a name made of its key.

    The source that was checked is what runs: no byte code is read from the disk.
    """
    module = ModuleType(f"symdl_compiled_{key}")
    module.__file__ = path
    sys.modules[module.__name__] = module
    with collection_paused(), machine.compiling.types_remembered():  # Numba is imported now
        tree = ast.parse(source, path)
        exec(compile(tree, path, "exec"), module.__dict__)
        machine.trees.entered(module.__dict__, tree)
    return module.__dict__
