"""Machine code that was compiled before, linked into this process: no Numba is needed for that, only LLVM's linker.

A program is a list of object files and the entries by which its functions are called (see `machine.entries`).
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

#: In an array of NumPy's, as an object: where its numbers stand, and the lengths of its axes.
DATA = object.__basicsize__
LENGTHS = DATA + 16
#: What an entry returns where the function failed.
FAILED = -(1 << 63)
_NUMBERS: dict[str, Any] = {"int64": ctypes.c_int64, "float64": ctypes.c_double, "float32": ctypes.c_float}
#: What code calls of Numba's runtime, and what stands for it where that is not loaded. The numbers of arrays that are
#: given belong to whoever gives them, so nothing is freed as `NRT_MemInfo_call_dtor` does; and no error is ever told to
#: Python by code that other code calls: what it would take for that ends the process.
_RUNTIME = {
    "NRT_Allocate": "malloc",
    "NRT_Free": "free",
    **dict.fromkeys(["NRT_MemInfo_call_dtor", "numba_gil_ensure", "numba_gil_release", "numba_do_raise"], "abort"),
    **dict.fromkeys(["numba_unpickle", "numba_runtime_build_excinfo_struct"], "abort"),
}


@dataclass(frozen=True)
class Code:
    """An entry.

    Args:
        symbol: by which it is found.
        kinds: of the arguments: "float32" is a number, "float32 2" an array with two axes.
    """

    symbol: str
    kinds: tuple[str, ...]


class Entry:
    """A function of machine code; `ready` is the same for arguments that are known to be of the right types."""

    def __init__(self, linker: Linker, code: Code) -> None:
        self._linker = linker  # has the memory
        kinds, address = code.kinds, linker.address(code.symbol)
        self._kinds = [_kind(k) for k in kinds]
        given = [ctypes.py_object if rank is not None else _NUMBERS[dtype.name] for dtype, rank in self._kinds]
        self.ready = ctypes.CFUNCTYPE(ctypes.c_int64, *given)(address)

    def __call__(self, *arguments: Any) -> int:
        for k, ((dtype, rank), value) in enumerate(zip(self._kinds, arguments, strict=True)):
            if rank is None:
                continue
            is_one = isinstance(value, np.ndarray) and value.ndim == rank
            if not (is_one and (value.dtype is dtype or value.dtype == dtype) and value.flags.carray):
                raise TypeError(f"argument {k} of compiled code is no contiguous array of {dtype} with {rank} axes")
        found = int(self.ready(*arguments))
        if found == FAILED:
            raise RuntimeError("compiled code failed")
        return found


def _kind(text: str) -> tuple[np.dtype[Any], int | None]:
    dtype, _, rank = text.partition(" ")
    return np.dtype(dtype), int(rank) if rank else None


class Linker:
    """Object files in this process, which stay as long as the linker does."""

    def __init__(self) -> None:
        import llvmlite.binding as llvm  # type: ignore[import-untyped]

        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        machine = llvm.Target.from_default_triple().create_target_machine()
        self._llvm = llvm
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)

    def add(self, files: Iterable[bytes]) -> None:
        """Object files whose symbols are all known, here or by what was added before (see `missing`)."""
        for data in files:
            self._engine.add_object_file(self._llvm.object_file.ObjectFileRef.from_data(data))
        self._engine.finalize_object()

    def address(self, symbol: str) -> int:
        """Where a symbol stands; 0 where it is none of the object files'."""
        return int(self._engine.get_function_address(symbol))

    def missing(self, symbols: Iterable[str]) -> list[str]:
        """Symbols that are not known in this process; LLVM would end it over one of them."""
        return [s for s in symbols if not self._is_known(s)]

    def _is_known(self, symbol: str) -> bool:
        if self._llvm.address_of_symbol(symbol):
            return True
        if symbol not in _RUNTIME or sys.platform == "win32":
            return False
        library = ctypes.CDLL(None)
        self._llvm.add_symbol(symbol, ctypes.cast(getattr(library, _RUNTIME[symbol]), ctypes.c_void_p).value)
        return True


def packed(files: Sequence[bytes]) -> tuple[bytes, list[int]]:
    """Object files in one, and the length of each."""
    return b"".join(files), [len(f) for f in files]


def unpacked(data: bytes, lengths: Sequence[int]) -> list[bytes]:
    """
    >>> unpacked(*packed([b"ab", b"", b"c"]))
    [b'ab', b'', b'c']
    """
    ends = np.cumsum([0, *lengths]).tolist()
    return [data[a:b] for a, b in pairwise(ends)]


@dataclass(frozen=True)
class Routine:
    """A function of whole numbers that returns nothing: its address, and how it is called from Python."""

    address: int
    ctypes: Any
    linker: Linker


def routine(linker: Linker, symbol: str, count: int) -> Routine:
    """The function of `count` numbers with that symbol."""
    address = linker.address(symbol)
    return Routine(address, ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * count)(address), linker)
