"""The functions of a program: as they are compiled, and as they are linked again.

While a program is built, each is compiled when it is first called, unless a helper has done it. What is called is the
object files that go into the cache, linked in as another process links them: nothing else is checked.
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
        self._made: dict[str, Any] = {}
        self._ways_in: dict[str, bytes] = {}
        self._linker = Linker()
        self._entries: dict[str, Entry] = {}

    def __getitem__(self, name: str) -> Any:
        if name in self._entries:
            return self._entries[name]
        return _Waiting(self, name) if name in self._units else self.space[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.space)

    def __len__(self) -> int:
        return len(self.space)

    def compiled(self, name: str) -> Entry:
        """A function, compiled and linked with all that it calls."""
        unit = self._units[name]
        with collection_paused(), machine.compiling.types_remembered():  # what Numba makes stays
            new = self._called(name)
            self._made |= new
            self._ways_in[name] = machine.entries.way_in(unit)
        if missing := self._linker.missing(self._external()):
            raise RuntimeError(f"compiled code refers to {missing[0]}, which nothing has")
        self._linker.add([*(made.data for made in new.values()), self._ways_in[name]])
        self._entries[name] = Entry(self._linker, machine.entries.code_of(unit))
        return self._entries[name]

    def _called(self, name: str) -> dict[str, Any]:
        """The machine code of a function and of what it calls, as far as it is not linked yet."""
        names = {unit.symbol: n for n, unit in self._units.items()}
        found: dict[str, Any] = {}
        waiting = [name]
        while waiting:
            name = waiting.pop()
            if name not in found and name not in self._made:
                found[name] = self.crew.made(name)
                waiting += [names[symbol] for symbol in found[name].needed if symbol in names]
        return found

    def _external(self) -> list[str]:
        """What the code refers to and does not define."""
        defined = {symbol for made in self._made.values() for symbol in made.defined}
        return sorted({symbol for made in self._made.values() for symbol in made.needed} - defined)

    def stored(self) -> tuple[dict[str, Any], bytes]:
        """What was compiled, for `linked`: a record as JSON can hold it, and the object files in one.

        They stand in the order of the module, whatever was compiled first.
        """
        made = [self._made[n].data for n in self._units if n in self._made]
        data, lengths = packed([*made, *(self._ways_in[n] for n in self._units if n in self._ways_in)])
        codes = {n: asdict(machine.entries.code_of(self._units[n])) for n in self._entries}
        return {"codes": codes, "lengths": lengths, "external": self._external()}, data


class _Waiting:
    """A function that is compiled when it is called."""

    def __init__(self, functions: Functions, name: str) -> None:
        self.functions, self.name = functions, name

    def __call__(self, *arguments: Any) -> int:
        return self.functions.compiled(self.name)(*arguments)

    @property
    def ready(self) -> Any:
        return self


def stored_routines(units: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The units of a module, for `routines`: a record as JSON can hold it, and the object files in one."""
    with collection_paused(), machine.compiling.types_remembered():
        made = {name: machine.making.compiled(unit) for name, unit in units.items()}
    data, lengths = packed([m.data for m in made.values()])
    called = {n: unit for n, unit in units.items() if unit.from_c is not None}
    codes = {n: {"symbol": unit.from_c, "count": len(unit.sig.args)} for n, unit in called.items()}
    defined = {symbol for m in made.values() for symbol in m.defined}
    needed = {symbol for m in made.values() for symbol in m.needed}
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
