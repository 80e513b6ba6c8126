"""Functions of their own for the nests and products of a long program.

What LLVM takes for a function grows faster than its length, so the items of a long program are compiled apart. Items
that differ in names only share one function: a transformer of twelve blocks compiles the functions of one. The types of
their arguments are stated, so that each is compiled once, apart from what calls it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

#: In emitted code: the decorators of functions that are compiled by themselves (see `machine.units`): of those that
#: nothing but other compiled code calls, and of those that Python calls.
KERNEL, ENTRY = "kernel", "entry_point"
IMPORT = f"from symdl.compilation.machine.units import {ENTRY}, {KERNEL}"
#: Names end with this, and no others do.
SUFFIX = "_kernel"
#: What the names of functions with lengths in their code end with (see `sized`).
SIZED = "_sized"
#: Programs of up to so many items stay one function.
FEW = 24

_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*")
_ASSIGNED = re.compile(r"^\s*(?:for (\w+) in |(\w+) (?:[-+*|]?=) )")
_STORED, _VIEWED = re.compile(r"^\s*(\w+)\["), re.compile(r"^(\w+) = (view\(.*\))$")
_JOINED = re.compile(r"^\s*(\w+) = (?:joined|strand)\((\w+), ")
WIDTH = 120
#: In emitted code: an array as one that nothing else refers to.
APART = "apart"
#: In emitted code: an array by another name, for entries that those by the other names of its group never are.
STRAND = "strand"


class Kernels:
    """Collects the functions of a module; none has a name of those that were collected `before`."""

    def __init__(self, before: Kernels | None = None) -> None:
        self.sources: list[str] = []
        self._names: dict[str, str] = {}  # by canonical text
        self._taken = set(before._names.values()) if before is not None else set[str]()

    def call(self, wanted: str, notes: list[str], lines: list[str], given: Mapping[str, str]) -> list[str]:
        """The call that stands for `lines`; arguments as for `function`."""
        name, arguments, results = self.function(wanted, notes, lines, given)
        target = f"{', '.join(results)} = " if results else ""
        return wrapped(f"{target}{name}(", arguments, ")")

    def function(
        self, wanted: str, notes: list[str], lines: list[str], given: Mapping[str, str], numbers: tuple[str, ...] = ()
    ) -> tuple[str, list[str], list[str]]:
        """A function that does what `lines` do, added unless there is one that differs in names only.

        Args:
            wanted: what it computes.
            notes: comments for the reader.
            lines: statements.
            given: names from outside that the lines may use, and their types. Those that the lines assign to are
                numbers, and returned.
            numbers: whole numbers that it takes first, by names that no lines give to anything else.

        Returns:
            Its name, the names that it takes after those numbers, and those of what it returns.
        """
        assigned = {name for line in lines for name in _assigned(line)}
        own = assigned | set(given)
        order = dict.fromkeys(n for line in lines for n in names_in(line) if n in own)
        fresh = _set_first(lines)
        arguments = [n for n in order if n in given and n not in fresh]
        results = [n for n in order if n in given and n in assigned]
        places = {n: f"${k}" for k, n in enumerate(order)}
        own_memory, lines = _on_their_own(lines, arguments)
        renamed = [_NAME.sub(lambda m: places.get(m[0], m[0]), line) for line in lines]
        types = [*["int64"] * len(numbers), *(given[n] for n in arguments)]
        key = "\n".join([*renamed, *(places[n] for n in (*arguments, "", *results) if n), *types])
        if key not in self._names:
            self._names[key] = self._new_name(wanted)
            end = [f"return {', '.join(results)}"] if results else []
            body = [f"    {line}" for line in (*notes, *own_memory, *lines, *end)]
            head = wrapped(f"def {self._names[key]}(", [*numbers, *arguments], "):")
            returned = result_type([given[n] for n in results])
            self.sources.append("\n".join([*decorators(types, returned), *head, *body]))
        return self._names[key], arguments, results

    def _new_name(self, wanted: str) -> str:
        name, number = f"{wanted}{SUFFIX}", 1
        while name in self._taken or name in self._names.values():
            number += 1
            name = f"{wanted}_{number}{SUFFIX}"
        return name


def array_type(dtype: str, rank: int) -> str:
    """A C-contiguous array, as Numba writes its type.

    >>> array_type("float64", 3)
    'float64[:, :, ::1]'
    """
    return f"{dtype}[{':, ' * (rank - 1)}::1]"


def decorators(types: list[str], result: str = "void", name: str = KERNEL) -> list[str]:
    """The lines before a function that is compiled by itself, from the types of its arguments and its result.

    >>> decorators(["float64[::1]", "int64"], "float64")
    ['@kernel("float64(float64[::1], int64)")']
    """
    lines = [f"{result}("]
    for text in types:
        if len(lines[-1]) + len(text) > WIDTH - 16:
            lines.append("")
        lines[-1] += f"{text}, "
    lines[-1] = f"{lines[-1].removesuffix(', ')})"
    if len(lines) == 1:
        return [f'@{name}("{lines[0]}")']
    return [f"@{name}(", *(f'    "{line}"' for line in lines), ")"]


def result_type(types: list[str]) -> str:
    """The type of what a function returns that returns so many things, as Numba writes it.

    >>> result_type([]), result_type(["int64"]), result_type(["int64", "float32"])
    ('void', 'int64', 'Tuple((int64, float32))')
    """
    if len(types) > 1:
        return f"Tuple(({', '.join(types)}))"
    return types[0] if types else "void"


def names_in(line: str) -> list[str]:
    """The identifiers of a line that are not attributes, in order."""
    return _NAME.findall(line)


def _on_their_own(lines: list[str], arguments: list[str]) -> tuple[list[str], list[str]]:
    """What says of arrays that are written that nothing else refers to their numbers: lines before, and the lines.

    No two tensors of one item share memory. LLVM can't know that, and a loop that writes several arrays and reads many
    would not be vectorised, or compare all their addresses before it begins.
    """
    written = {match[1] for line in lines if (match := _STORED.match(line))}
    written |= {match[2] for line in lines if (match := _JOINED.match(line)) and match[1] in written}
    before = [f"{name} = {APART}({name})" for name in arguments if name in written]
    made = [_VIEWED.sub(rf"\1 = {APART}(\2)", line) if (line.split(" = ")[0] in written) else line for line in lines]
    return before, made


def _set_first(lines: list[str]) -> set[str]:
    """The names that get their first value in these lines, on every way through them."""
    found: set[str] = set()
    seen: set[str] = set()
    for line in lines:
        target, _, value = line.partition(" = ")
        seen |= set(_NAME.findall(value))
        if target.isidentifier() and target not in seen:
            found.add(target)
        seen |= set(_NAME.findall(target))
    return found


def _assigned(line: str) -> Iterator[str]:
    if match := _ASSIGNED.match(line):
        yield match[1] or match[2]


def wrapped(start: str, arguments: list[str], end: str) -> list[str]:
    """`start a, b, … end`, on several lines where it is long.

    >>> wrapped("f(", ["a", "b"], ")")
    ['f(a, b)']
    """
    text = f"{start}{', '.join(arguments)}{end}"
    if len(text) <= WIDTH - 8:
        return [text]
    lines: list[str] = [start]
    for argument in arguments:
        if len(lines) == 1 or len(lines[-1]) + len(argument) > WIDTH - 16:
            lines.append("   ")
        lines[-1] += f" {argument},"
    return [*lines, end]
