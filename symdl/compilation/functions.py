"""The functions of a program: as they are compiled, and as they are linked again.

While a program is built, they are compiled when one of them is first called. What is called is the object files that go
into the cache, linked in as another process links them: nothing else is checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from symdl.compilation import machine
from symdl.compilation.helpers import Crew
from symdl.compilation.objects import Code, Entry, Linker, Routine, packed, routine, unpacked
from symdl.core.pauses import collection_paused

#: The beginning of a function that says how large a work space is.
SIZE = re.compile(r"def \w+_size\(")


def units_of(space: Mapping[str, Any]) -> dict[str, Any]:
    """The functions of a module that are compiled by themselves, by name (see `machine.units`)."""
    return {name: f for name, f in space.items() if hasattr(f, "is_entry")}


class Functions(Mapping[str, Any]):
    """The functions of a module of Numba's by name: they take arrays and numbers, and return a whole number.

    Args:
        space: the module.
        crew: who compiles them.
    """

    def __init__(self, space: Mapping[str, Any], crew: Crew) -> None:
        self.space, self.crew = space, crew
        self._units = units_of(space)
        self._files: list[bytes] = []
        self._external: list[str] = []
        self._entries: dict[str, Entry] = {}

    def __getitem__(self, name: str) -> Any:
        if name in self._entries:
            return self._entries[name]
        return _Waiting(self, name) if name in self._units else self.space[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.space)

    def __len__(self) -> int:
        return len(self.space)

    def compiled(self) -> None:
        """Compile all functions, and link their machine code in."""
        with collection_paused(), machine.compiling.types_remembered():  # what Numba makes stays
            made = self.crew.compiled()
            entries = [unit for unit in self._units.values() if unit.is_entry]
            self._files = [*(m.data for m in made.values()), *map(machine.entries.way_in, entries)]
        defined = {symbol for m in made.values() for symbol in m.defined}
        self._external = sorted({symbol for m in made.values() for symbol in m.needed} - defined)
        linker = Linker()
        if missing := linker.missing(self._external):
            raise RuntimeError(f"compiled code refers to {missing[0]}, which nothing has")
        linker.add(self._files)
        self._entries = {n: Entry(linker, machine.entries.code_of(u)) for n, u in self._units.items() if u.is_entry}

    def stored(self) -> tuple[dict[str, Any], bytes]:
        """What was compiled, for `linked`: a record as JSON can hold it, and the object files in one."""
        data, lengths = packed(self._files)
        codes = {name: asdict(machine.entries.code_of(self._units[name])) for name in self._entries}
        return {"codes": codes, "lengths": lengths, "external": self._external}, data


class _Waiting:
    """A function that is compiled when it is called."""

    def __init__(self, functions: Functions, name: str) -> None:
        self.functions, self.name = functions, name

    def __call__(self, *arguments: Any) -> int:
        self.functions.compiled()
        return int(self.functions[self.name](*arguments))

    @property
    def ready(self) -> Any:
        return self


def stored_routines(functions: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Numba's `cfunc`s of whole numbers, for `routines`: a record as JSON can hold it, and the object files in one."""
    defined: set[str] = set()
    needed: set[str] = set()
    for function in functions.values():
        ours, others = machine.units.symbols_of(function._library)
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
