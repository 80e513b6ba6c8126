"""Loops over entries of whole arrays, 16 bytes at a time: one load and one store for several neighbours.

What a nest computes for one entry becomes a function, which is called once for each number of a vector. Arrays that do
not begin at a multiple of 16 bytes, and the last few entries, are read one number at a time by the same function.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from symdl.compilation.fusion import Node
from symdl.compilation.plan import Plan
from symdl.compilation.statements import Statement
from symdl.compilation.targets.cuda_rows import RowEmitter
from symdl.compilation.targets.scalars import UNSIGNED, indented
from symdl.core.indices import Index
from symdl.core.tensors import Element, Tensor

#: Bytes that a thread loads or stores at once.
VECTOR = 16
_WORD = re.compile(r"(?<![\w.])[a-zA-Z_]\w*")
_ASSIGNED = re.compile(r"([a-zA-Z_]\w*) (\+|\*)?= (.*)")


@dataclass(frozen=True)
class Carried:
    """An element that a vector holds one number of: the name that stands for it, its array, and where that begins."""

    name: str
    array: str
    begin: str

    def at(self, place: str) -> str:
        """The place of an entry, as source."""
        return f"{UNSIGNED}({self.begin} + {place})" if self.begin else f"{UNSIGNED}({place})"


class VectorEmitter(RowEmitter):
    """Emits loops over entries by vectors, where every store is to the entry at hand."""

    def __init__(self, plan: Plan, dtype: str) -> None:
        self.carried: dict[Element, str] = {}
        self.named = ""  # the function that is being emitted
        self.bodies: list[str] = []  # functions of one entry
        super().__init__(plan, dtype)
        self.numbers = [b.tensor for b in plan.buffers if b.kind == "scalar" and b.tensor.rank == 0]
        self.starts_of_numbers = self.names.new("numbers") if self.numbers else ""

    # ── which entry, and where it lies ───────────────────────────────────────────────────────────────────────────

    def _decoded(
        self, shared: tuple[Index, ...], flat: str, around: tuple[Index, ...], narrow: bool = True
    ) -> list[str]:
        """The indices of the number `flat` of the shared loops, the last one running fastest.

        It is `narrow`, below 2**32, where each of its values has its own place in an array.
        """
        texts = [self.text[i] for i in around]
        names, behind = list[str](), list[str]()
        for index in shared:
            self.text[index] = self.names.loop(index.name, texts)
            texts.append(self.text[index])
            name, lines = self._counted(index, texts[-1])
            names.append(name)
            behind += lines
        lines = []
        rest = flat
        for position in reversed(range(1, len(shared))):
            extent = self.extent_of(shared[position])
            after = self.names.loop("rest", texts) if position > 1 else names[0]
            if narrow:
                lines += [f"{names[position]} = remainder({rest}, {extent})", f"{after} = quotient({rest}, {extent})"]
            else:
                lines += [f"{names[position]} = {rest} % {extent}", f"{after} = {rest}//{extent}"]
            rest = after
        return [*(lines if len(shared) > 1 else [f"{names[0]} = {flat}"]), *behind]

    def _count(self, shared: tuple[Index, ...]) -> str:
        return "*".join(self.extent_of(i) for i in shared) or "1"

    def _array(self, tensor: Tensor) -> tuple[str, str]:
        """The array that holds a tensor, and where it begins there."""
        buffer = self.plan.by_name[tensor.name]
        if buffer.slot is not None:
            return "work", self.space.starts[buffer.slot]
        if tensor in self.numbers:
            number = self.numbers.index(tensor)
            return "work", f"{self.starts_of_numbers} + {number}" if number else self.starts_of_numbers
        return self.arrays[tensor.name], ""

    # ── loops by vectors ─────────────────────────────────────────────────────────────────────────────────────────

    @property
    def vector(self) -> int:
        """How many numbers a vector holds."""
        return VECTOR // (8 if self.dtype == "float64" else 4)

    def _by_vectors(
        self, shared: tuple[Index, ...], body: tuple[Node, ...], around: tuple[Index, ...]
    ) -> list[str] | None:
        """The loop, or None where a nest is of another kind."""
        statements = [s for s in body if isinstance(s, Statement)]
        if len(statements) < len(body) or self.now is not None or any(s.guards for s in statements):
            return None
        touched = dict.fromkeys(e for s in statements for e in (*s.reads, s.out))
        found = {e: made for e in touched if (made := self._carried(e, shared, around)) is not None}
        if any(s.out not in found for s in statements):
            return None
        self.carried = {e: c.name for e, c in found.items()}
        decoded = self._decoded(shared, "entry", around)
        inner = self._scope((*around, *shared), body, {})
        self.carried = {}
        loads, stores = _uses(inner, [c.name for c in found.values()])
        if set(_words(inner)) & {self.text[i] for i in shared}:
            inner = [*decoded, *inner]
        if not stores:
            return None
        by_name = {c.name: c for c in found.values()}
        return self._vectors([by_name[n] for n in loads], [by_name[n] for n in stores], inner, self._count(shared))

    def _carried(self, element: Element, shared: tuple[Index, ...], around: tuple[Index, ...]) -> Carried | None:
        """An element that lies in its array as the entries are counted."""
        tensor, ahead = element.tensor, len(element.subscripts) - len(shared)
        if tensor.integer or ahead < 0 or element.subscripts[ahead:] != shared or element in self.locals:
            return None
        if not all(isinstance(s, Index) and s in around for s in element.subscripts[:ahead]):
            return None
        shape, lengths = self.shape_of(tensor), [self.extent_of(i) for i in shared]
        if shape[ahead:] != lengths:
            return None
        array, start = self._array(tensor)
        row = flat(shape[:ahead], [self._subscript(s) for s in element.subscripts[:ahead]])
        before = f"{factor(row)}*{self._count(shared)}" if row else ""
        return Carried(
            self.names.new(f"{self.arrays[tensor.name]}_here"), array, " + ".join(filter(None, (start, before)))
        )

    def _vectors(self, loads: list[Carried], stores: list[Carried], body: list[str], count: str) -> list[str]:
        size = self.vector
        function = f"{self.named}_entry_{len(self.bodies) + 1}"
        assigned = {m[1] for line in body if (m := _ASSIGNED.match(line))}
        given = [n for n in dict.fromkeys(_words(body)) if n in self._scope_names() and n not in assigned]
        place = ["entry"] if "entry" in _words(body) else []
        arguments = [*place, *(c.name for c in loads), *given]
        results = ", ".join(c.name for c in stores)
        text = [f"def {function}({', '.join(arguments)}):", *indented([*body, f"return {results}"])]
        self.bodies.append("\n".join(["@device", *text]))

        def called(at: str, numbers: Iterable[str]) -> str:
            return f"{function}({', '.join([*([at] if place else []), *numbers, *given])})"

        rows = [self.names.new(f"{c.array}_{size}") for c in loads]
        made = [self.names.new(f"made_{k}") for k in range(size)]
        fitting = " and ".join(f"aligned({c.array}, {c.at('0')})" for c in dict.fromkeys((*loads, *stores)))
        several = len(stores) > 1
        lines = [f"{row} = vector({c.array}, {c.at(f'{size}*group')})" for row, c in zip(rows, loads, strict=True)]
        for k, name in enumerate(made):
            entry = f"{size}*group + {k}" if k else f"{size}*group"
            lines.append(f"{name} = {called(entry, [f'{row}[{k}]' for row in rows])}")
        for j, c in enumerate(stores):
            numbers = ", ".join(f"{name}[{j}]" if several else name for name in made)
            lines.append(f"put({c.array}, {c.at(f'{size}*group')}, ({numbers}))")
        one = [f"{c.array}[{c.at('entry')}]" for c in loads]
        targets = ", ".join(f"{c.array}[{c.at('entry')}]" for c in stores)
        return [
            f"vectors = {factor(count)}//{size} if {fitting} else 0",
            "group = thread",
            "while group < vectors:",
            *indented([*lines, "group += threads"]),
            f"entry = {size}*vectors + thread",
            f"while entry < {count}:",
            *indented([f"{targets} = {called('entry', one)}", "entry += threads"]),
        ]

    def _scope_names(self) -> set[str]:
        """What the code around a loop knows by name, beside who runs it."""
        symbols = {s.name for s in self.invariants.found.values()}
        known = {"sizes", "place", "work", self.starts_of_numbers, *self.arrays.values(), *self.extent.values()}
        kept = {most for _, most in self.kept_rows.values()}
        return known | symbols | kept | {*self.space.starts, *self.text.values(), *self.locals.values()} - {""}


def _uses(lines: list[str], names: list[str]) -> tuple[list[str], list[str]]:
    """Which of these names some lines read before they set them, and which they set."""
    loads, stores = list[str](), list[str]()
    for line in lines:
        found = _ASSIGNED.match(line)
        read = set(_words([found[3] if found else line])) | ({found[1]} if found and found[2] else set())
        loads += [n for n in names if n in read and n not in stores and n not in loads]
        if found and found[1] in names and found[1] not in stores:
            stores.append(found[1])
    return loads, stores


def _words(lines: list[str]) -> list[str]:
    return [w for line in lines for w in _WORD.findall(line)]


def flat(shape: list[str], subscripts: list[str]) -> str:
    """The place of an entry of a flat array of that shape, as source; nothing without subscripts.

    >>> flat(["N", "K"], ["n", "k + 1"])
    'n*K + k + 1'
    """
    text = subscripts[0] if subscripts else ""
    for extent, subscript in zip(shape[1:], subscripts[1:], strict=True):
        text = f"{factor(text)}*{extent} + {subscript}"
    return text


def factor(text: str) -> str:
    """Source of a value as a factor of a product."""
    return text if text.replace("*", "").isidentifier() or text.isdigit() else f"({text})"
