"""The functions of a program: as they are compiled, one after the other, and as they are linked again.

While a program is built, each function is compiled when it is first called, for arguments as it is given then. What is
called is the object file that goes into the cache, linked in as another process links it: nothing else is checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from symdl.compilation import machine
from symdl.compilation.objects import Code, Entry, Linker, Routine, packed, routine, unpacked
from symdl.core.pauses import collection_paused

#: The beginning of a function that says how large a work space is.
SIZE = re.compile(r"def \w+_size\(")


class Functions(Mapping[str, Any]):
    """The functions of a module of Numba's by name: they take arrays and numbers, and return a whole number."""

    def __init__(self, space: Mapping[str, Any]) -> None:
        self.space = space
        for function in space.values():  # entries are the way in; those that Numba makes take as long to compile
            if hasattr(function, "targetoptions"):
                function.targetoptions.update(no_cpython_wrapper=True, no_cfunc_wrapper=True)
        self._codes: dict[str, Code] = {}
        self._files: list[bytes] = []
        self._defined: set[str] = set()
        self._needed: set[str] = set()
        self._linker = Linker()
        self._entries: dict[str, Entry] = {}

    def __getitem__(self, name: str) -> Any:
        if name in self._entries:
            return self._entries[name]
        return _Waiting(self, name) if hasattr(self.space[name], "overloads") else self.space[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.space)

    def __len__(self) -> int:
        return len(self.space)

    def compiled(self, name: str, arguments: tuple[Any, ...]) -> Entry:
        """A function compiled for arguments like these."""
        function = self.space[name]
        # Numba loads its tables, and what it makes stays
        with collection_paused(), machine.compiling.types_remembered():
            code, library, way_in = machine.entries.called_with(function, name, arguments)
            new = [] if self._codes else machine.entries.libraries_apart(self.space)
            if not machine.linking.is_apart(function):
                new.append(library)
            self._link([*map(self._object, new), way_in])
        self._codes[name] = code
        self._entries[name] = Entry(self._linker, code)
        return self._entries[name]

    def _object(self, library: Any) -> bytes:
        defined, needed = machine.entries.symbols_of(library)
        self._defined |= defined
        self._needed |= needed
        return bytes(machine.entries.object_of(library))

    def _link(self, files: list[bytes]) -> None:
        if missing := self._linker.missing(self._external()):
            raise RuntimeError(f"compiled code refers to {missing[0]}, which nothing has")
        self._linker.add(files)
        self._files += files

    def _external(self) -> list[str]:
        """What the code refers to and does not define."""
        return sorted(self._needed - self._defined)

    def stored(self) -> tuple[dict[str, Any], bytes]:
        """What was compiled, for `linked`: a record as JSON can hold it, and the object files in one."""
        data, lengths = packed(self._files)
        codes = {name: asdict(code) for name, code in self._codes.items()}
        return {"codes": codes, "lengths": lengths, "external": self._external()}, data


class _Waiting:
    """A function that is compiled when it is called."""

    def __init__(self, functions: Functions, name: str) -> None:
        self.functions, self.name = functions, name

    def __call__(self, *arguments: Any) -> int:
        return self.functions.compiled(self.name, arguments)(*arguments)

    @property
    def ready(self) -> Any:
        return self


def stored_routines(functions: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Numba's `cfunc`s of whole numbers, for `routines`: a record as JSON can hold it, and the object files in one."""
    defined: set[str] = set()
    needed: set[str] = set()
    for function in functions.values():
        ours, others = machine.entries.symbols_of(function._library)
        defined, needed = defined | ours, needed | others
    data, lengths = packed([machine.entries.object_of(f._library) for f in functions.values()])
    codes = {n: {"symbol": f.native_name, "count": len(f._sig.args)} for n, f in functions.items()}
    return {"codes": codes, "lengths": lengths, "external": sorted(needed - defined)}, data


def routines(record: Mapping[str, Any], data: bytes) -> dict[str, Routine] | None:
    """Functions that were stored; None where this process lacks something that they call."""
    linker = _with_files(record, data)
    codes = record["codes"].items()
    return None if linker is None else {n: routine(linker, c["symbol"], c["count"]) for n, c in codes}


def linked(record: Mapping[str, Any], data: bytes, source: str) -> dict[str, Any] | None:
    """The functions of a program that was stored; None where this process lacks something that they call.

    Those that say how large a work space is are Python functions, and stand in the source.
    """
    linker = _with_files(record, data)
    if linker is None:
        return None
    codes = {name: Code(c["symbol"], tuple(c["kinds"])) for name, c in record["codes"].items()}
    return {**_sizes(source), **{name: Entry(linker, code) for name, code in codes.items()}}


def _sizes(source: str) -> dict[str, Any]:
    """The functions of an emitted module that say how large a work space is.

    >>> source = "import os\\n\\n\\ndef f_size(n):\\n    return max(n, 8)\\n\\n\\ndef f(n):\\n    return n\\n"
    >>> [(name, f(3)) for name, f in _sizes(source).items()]
    [('f_size', 8)]
    """
    space: dict[str, Any] = {"__builtins__": {"max": max}}
    parts = [part for part in source.split("\n\n\n") if SIZE.match(part)]
    exec(compile("\n".join(parts), "<sizes>", "exec"), space)
    return {name: f for name, f in space.items() if name != "__builtins__"}


def _with_files(record: Mapping[str, Any], data: bytes) -> Linker | None:
    linker = Linker()
    if linker.missing(record["external"]):
        machine.entries.prepare()
    if linker.missing(record["external"]):
        return None
    linker.add(unpacked(data, record["lengths"]))
    return linker
