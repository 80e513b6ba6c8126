"""Calling a function that someone wrote: plain Python and NumPy, Numba, `torch.autograd.Function`.

Nothing that it does may end the check: what it raises is kept, and what it writes into its arguments is seen.
PyTorch is never imported here: who passes one of its functions has imported it.
"""

from __future__ import annotations

import sys
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from symdl.core.definitions import Definition
from symdl.core.tensors import Role, Tensor
from symdl.errors import DataError
from symdl.testing.handwritten.binding import Binding, unpacked

Array = npt.NDArray[Any]
Values = Mapping[str, Array]

LAYOUTS = ("C", "Fortran-ordered", "non-contiguous", "read-only")


class MismatchError(DataError):
    """Another number of things is returned than was said: not a mistake in numbers."""


@dataclass(frozen=True)
class Outcome:
    """What one call gave.

    Args:
        values: what was returned, by name; None where it returned nothing for one.
        error: what was raised, in words; empty where nothing was.
        place: the line of the user's text where it was raised.
        wrote: the argument that was written into, with the first entry.
        refused: a compiled function that is not declared for such arrays: it was not called.
        overflow: what was raised says that a number is too large.
    """

    values: Mapping[str, Array | None] = field(default_factory=dict)
    error: str = ""
    place: str = ""
    wrote: str = ""
    refused: bool = False
    overflow: bool = False


@dataclass(frozen=True)
class Code:
    """A function with what is known of it.

    Args:
        run: from the argument for the name of a tensor to what is returned.
        name: for messages.
        returns: the names of what it returns, in order: slopes by these, or forward values.
        binding: what is passed for its parameters.
        tensors: all that can be passed, by name.
        torch: whether it is a `torch.autograd.Function`.
        spare: how it is run number by number, in case it takes no arrays.
        slopes: by outputs, that it gets in another way than as arguments.
    """

    run: Callable[[Callable[[str], Any]], Any]
    name: str
    returns: tuple[str, ...]
    binding: Binding
    tensors: Mapping[str, Tensor]
    torch: bool = False
    spare: Callable[[Callable[[str], Any]], Any] | None = None
    slopes: tuple[str, ...] = ()

    @property
    def given(self) -> tuple[str, ...]:
        """The names of all tensors that it gets."""
        return tuple(dict.fromkeys((*self.binding.given(), *self.slopes)))

    def call(self, values: Values, dtype: str, layout: str = "C") -> Outcome:
        """Call it with arrays of a dtype and a layout.

        Args:
            values: of all tensors that it may be given, by name.
            dtype: of the real ones; whole numbers stay int64.
            layout: one of LAYOUTS.

        Raises:
            DataError: it returns another number of things than it should.
        """
        given: dict[str, Any] = {}

        def argument(name: str) -> Any:
            if name not in given:
                given[name] = made(values[name], self.tensors[name], dtype, layout)
            return given[name]

        for name in self.given:
            argument(name)
        before = {n: np.array(a) for n, a in given.items()}
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                result = self.run(argument)
        except MismatchError:
            raise
        except (Exception, SystemExit) as error:
            return _raised(error, self.name)
        found = {n: _array(v) for n, v in unpacked(result, self.returns).items()}
        return Outcome(found, wrote=_written(before, given))


def made(value: Array, tensor: Tensor, dtype: str, layout: str) -> Any:
    """An argument: a fresh array of that dtype and layout, or a number where the tensor is one.

    >>> x = Tensor("x", ())
    >>> made(np.array(0.5), x, "float32", "C")
    np.float32(0.5)
    """
    kind = np.dtype(np.int64 if tensor.integer else dtype)
    plain = np.array(value).astype(np.float64 if not tensor.integer else np.int64).astype(kind)
    if tensor.rank == 0:
        # hyperparameters are what people write as plain numbers
        if tensor.role is Role.HYPERPARAMETER:
            return int(plain) if tensor.integer else float(np.array(value).astype(np.float64))
        return plain[()]
    if layout == "Fortran-ordered":
        return np.array(plain, order="F")
    if layout == "non-contiguous":
        gaps = np.full([2 * n for n in plain.shape], -1 if tensor.integer else np.nan, dtype=kind)
        view = gaps[tuple(slice(1, None, 2) for _ in plain.shape)]
        view[...] = plain
        return view
    if layout == "read-only":
        plain.flags.writeable = False
    return plain


def _array(value: Any) -> Array | None:
    """What was returned as an array; NaN of no shape where it is no array of numbers."""
    if value is None:
        return None
    try:
        found = np.asarray(value)
    except Exception:
        return np.array("unreadable")
    return np.array(found)


def _written(before: Mapping[str, Array], after: Mapping[str, Any]) -> str:
    for name, old in before.items():
        new = np.asarray(after[name])
        if new.shape == old.shape and not np.array_equal(new, old, equal_nan=new.dtype.kind == "f"):
            place = tuple(int(k) for k in np.argwhere(new != old)[0])
            return f"{name}{list(place) or ''} was {old[place]!s} and is {new[place]!s}"
    return ""


def _raised(error: BaseException, name: str) -> Outcome:
    words = str(error).strip()
    first = next((line for line in words.splitlines() if line.strip()), "")
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if f.filename not in (__file__,) and "site-packages" not in f.filename]
    last = own[-1] if own else None
    place = f"line {last.lineno}: {last.line}" if last is not None and last.line and last.filename != __file__ else ""
    refused = "No matching definition" in words and type(error).__name__ == "TypeError"
    return Outcome(
        error=f"{type(error).__name__}: {first}"[:400],
        place=place,
        refused=refused,
        overflow=isinstance(error, OverflowError),
    )


def is_torch(function: Any) -> bool:
    """Whether it is a subclass of `torch.autograd.Function`; PyTorch is not imported to find out."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(function, type) and issubclass(function, torch.autograd.Function)


def plain(function: Callable[..., Any], binding: Binding) -> Callable[[Callable[[str], Any]], Any]:
    """How a function on arrays is run."""

    def run(argument: Callable[[str], Any]) -> Any:
        positional, named = binding.arguments(argument)
        return function(*positional, **named)

    return run


def one_by_one(
    function: Callable[..., Any], binding: Binding, tensors: Mapping[str, Tensor], count: int
) -> Callable[[Callable[[str], Any]], Any]:
    """How a function on plain numbers is run: for each entry of arrays of one axis.

    Args:
        count: how many things it returns.
    """

    def run(argument: Callable[[str], Any]) -> Any:
        length = max((len(argument(n)) for n in binding.given() if tensors[n].rank), default=1)
        rows = []
        for k in range(length):
            positional, named = binding.arguments(lambda n, k=k: _entry(argument(n), tensors[n], k))  # type: ignore[misc]
            result = function(*positional, **named)
            rows.append(result if isinstance(result, tuple | list) else (result,))
        columns = tuple(np.array([r[c] for r in rows]) for c in range(count))
        return columns[0] if count == 1 else columns

    return run


def _entry(value: Any, tensor: Tensor, k: int) -> Any:
    entry = value[k] if tensor.rank else value
    return float(entry) if not tensor.integer else int(entry)


def through_autograd(
    function: Any,
    binding: Binding,
    definition: Definition,
    wrt: Sequence[str],
    outputs: Sequence[str],
    upstream: Mapping[str, str],
) -> Callable[[Callable[[str], Any]], Any]:
    """How a `torch.autograd.Function` is run: `apply`, then backward with the upstream slopes.

    What it returns are the slopes by `wrt`, then the outputs of its forward function.
    """
    torch = sys.modules["torch"]

    def run(argument: Callable[[str], Any]) -> Any:
        leaves: dict[str, Any] = {}

        def tensor(name: str) -> Any:
            value = argument(name)
            if definition.tensors[name].role is Role.HYPERPARAMETER:
                return value
            if name not in leaves:
                leaf = torch.from_numpy(value) if isinstance(value, np.ndarray) else torch.tensor(value)
                leaves[name] = leaf.requires_grad_() if name in wrt else leaf
            return leaves[name]

        positional, named = binding.arguments(tensor)
        result = function.apply(*positional, *named.values())
        results = list(result) if isinstance(result, tuple | list) else [result]
        if len(results) < len(outputs):
            raise MismatchError(
                f"forward returns {len(results)} things, not {len(outputs)}",
                where="check_code",
                why=f"the outputs are {', '.join(outputs)}",
                remedy="say outputs=[…] in the order in which forward returns them",
            )
        results = results[: len(outputs)]
        seeds = [
            torch.as_tensor(np.asarray(argument(upstream[o]))).to(r.dtype)
            for o, r in zip(outputs, results, strict=True)
        ]
        asked = [leaves[w] for w in wrt]
        slopes = torch.autograd.grad(results, asked, grad_outputs=seeds, allow_unused=True)
        return (*(None if s is None else s.numpy() for s in slopes), *(r.detach().numpy() for r in results))

    return run
