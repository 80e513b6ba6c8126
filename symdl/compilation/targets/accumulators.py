"""Sums and maxima over the innermost loop, written so that LLVM can vectorise them.

A sum in the order of its loop is one long chain of additions, and a maximum that passes NaN on is a chain of
branches. Within one innermost loop we let the machine keep several partial sums (`added`, the one place where an order
of additions is left open), and we look for NaN beside the maximum instead of in its comparison.
"""

from __future__ import annotations

from dataclasses import dataclass

from symdl.compilation.fusion import Loop
from symdl.compilation.statements import Statement
from symdl.core.indices import Index
from symdl.core.tensors import Element

#: Source of `added`; its decorator allows what the one of the module does not: to reorder these additions.
ADDED = '''
@njit(forceinline=True, error_model="numpy", fastmath={"contract", "reassoc"})
def added(total, value):
    """total + value, where the order in which values are added up is free."""
    return total + value
'''.strip()


@dataclass(frozen=True)
class Accumulator:
    """A variable that holds what an innermost loop adds up.

    Args:
        name: the variable.
        op: "sum" or "max".
        home: where its value comes from and goes to, if it is not a variable already.
        unordered: for a maximum, the variable that says whether there was a NaN.
    """

    name: str
    op: str
    home: str = ""
    unordered: str = ""

    def before(self) -> list[str]:
        """The lines before the loop."""
        lines = [f"{self.name} = {self.home}"] if self.home else []
        return [*lines, f"{self.unordered} = False"] if self.unordered else lines

    def step(self, value: str) -> list[str]:
        """The lines that take in one value."""
        if self.op == "sum":
            return [f"{self.name} = added({self.name}, {value})"]
        lines = [] if value.isidentifier() else [f"value = {value}"]
        name = value if value.isidentifier() else "value"
        return [
            *lines,
            f"{self.name} = {name} if {name} > {self.name} else {self.name}",
            f"{self.unordered} |= {name} != {name}",
        ]

    def after(self) -> list[str]:
        """The lines after the loop."""
        lines = [f"if {self.unordered}:", f"    {self.name} = real(math.nan)"] if self.unordered else []
        return [*lines, f"{self.home} = {self.name}"] if self.home else lines


def accumulated(loop: Loop) -> list[Statement]:
    """The sums and maxima of an innermost loop whose place does not depend on it, and that nothing else there uses."""
    statements = [c for c in loop.children if isinstance(c, Statement)]
    if len(statements) < len(loop.children):
        return []
    touched = [e.name for s in statements for e in (*s.reads, s.out)]
    return [
        s
        for s in statements
        if s.op in ("sum", "max")
        and all(isinstance(i, Index) and i != loop.index for i in s.out.subscripts)
        and touched.count(s.out.name) == 2  # as its own accumulator, and as what is written
    ]


def fixed_reads(loop: Loop) -> list[Element]:
    """The array elements that an innermost loop only reads and always at the same place: read once before it."""
    statements = [c for c in loop.children if isinstance(c, Statement)]
    if len(statements) < len(loop.children):
        return []
    written = {s.out.name for s in statements}
    reads = dict.fromkeys(e for s in statements if not s.guarded for e in s.reads)
    return [
        e
        for e in reads
        if e.subscripts
        and e.name not in written
        and all(isinstance(i, Index) and i != loop.index for i in e.subscripts)
        and not e.tensor.integer
    ]
