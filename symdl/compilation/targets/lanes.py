"""Functions for one of many things beside each other (see `compilation.beside`), with a vector in place of each number.

They are emitted as any function with lengths in its code, and then written for vectors line by line: what decides by
comparing becomes `chosen`, functions get their forms for vectors.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from symdl.compilation.beside import Beside, total
from symdl.compilation.plan import Plan
from symdl.compilation.statements import Statement
from symdl.compilation.targets import elementary, helpers, lanes_functions
from symdl.compilation.targets.accumulators import Accumulator
from symdl.compilation.targets.emit import Emitter, Function
from symdl.compilation.targets.printer import ScalarPrinter
from symdl.compilation.targets.sized import Shapes
from symdl.compilation.targets.workspace import tuple_of
from symdl.core.indices import Index
from symdl.core.tensors import Element

#: Names of functions that take vectors end with this.
SUFFIX = "_lanes"
#: In emitted code: what is done to vectors, by the name of what is done to numbers.
INSTEAD = {"np.floor": "floor_of", "abs": "size_of", "math.sqrt": "root_of", "math.copysign": "copysign_of"}
#: What emitted code takes from `machine.lanes`, beside these.
MORE = ("chosen", "numbers", "total", "any_lane", "raised_of", "fraction_of", "fused_of", "turned")
IMPORT = "from symdl.compilation.machine.lanes import"
#: In emitted code: makes an array of vectors; takes a row of numbers for one of vectors.
ROOM, VECTORS = "room", "vectors"
#: Numbers of one thing side by side in memory up to which vectors are made of them by exchanging lanes.
FEW = 8
#: Exponents that are written as products.
POWERS = range(2, 9)
#: Names that no tensor may have.
TAKEN = frozenset({*INSTEAD.values(), *MORE, ROOM, VECTORS})
#: Functions for which there is no form for vectors.
_WITHOUT = ("log_parts", "fma", "pair_sum")


@dataclass(frozen=True)
class Lanes:
    """How things beside each other are done.

    Args:
        beside: what they are.
        plan: of the equations of one of them.
        width: how many of them make a vector.
        shapes: of the tensors of the plan.
    """

    beside: Beside
    plan: Plan
    width: int
    shapes: Shapes

    @property
    def blocks(self) -> int:
        return self.beside.count // self.width

    def is_vector(self, name: str) -> bool:
        """Whether entries of a tensor are vectors: of things beside each other the target as well."""
        return self.beside.axes[name] >= 0 or (self.beside.apart and name == self.plan.definition.outputs[0])

    def array(self, name: str, tensor: str, dtype: str, shape: tuple[int, ...] | None = None) -> str:
        """The line that makes an array on the stack, of vectors or of numbers."""
        lengths = (self.shapes[tensor] if shape is None else shape) or (1,)
        if self.is_vector(tensor):
            return f"{name} = {ROOM}({prod(lengths) * self.width * np.dtype(dtype).itemsize}, {_tuple(lengths)})"
        return f"{name} = carray(stack({prod(lengths) * np.dtype(dtype).itemsize}), {_tuple(lengths)}, real)"


class LaneEmitter(Emitter):
    """Emits a function of arrays of vectors."""

    taken = TAKEN

    def __init__(self, lanes: Lanes, dtype: str) -> None:
        super().__init__(lanes.plan, dtype, sized=lanes.shapes)
        self.lanes = lanes
        self.printer = LanePrinter(dtype, self.text)

    def function(self, name: str) -> Function:
        """As any function, for vectors; it takes no work space."""
        made = super().function(name)
        return replace(made, lines=tuple(for_lanes(made.lines)), size_lines=(made.size_lines[0], "    return 0"))

    def _sizes(self) -> list[str]:
        lines = super()._sizes()
        return [line for line in lines if " = view(" not in line]

    def _rooms(self) -> list[str]:
        return [self.lanes.array(n, b.name, self.dtype) for n, b in self.space.kept.items()]

    def _accumulator(self, statement: Statement, around: tuple[Index, ...], known: dict[Element, str]) -> Accumulator:
        made = super()._accumulator(statement, around, known)
        return LaneAccumulator(made.name, made.op, made.home)

    def _assignment(self, statement: Statement, target: str, value: str) -> list[str]:
        if statement.op == "max" and statement.out not in self.running:
            return [f"{target} = {_larger(target, value)}"]
        return super()._assignment(statement, target, value)


class LaneAccumulator(Accumulator):
    """What an innermost loop adds up; a maximum asks in each lane whether there is a number."""

    def step(self, value: str) -> list[str]:
        return [f"{self.name} = {_larger(self.name, value)}"] if self.op == "max" else super().step(value)


def _larger(a: str, b: str) -> str:
    """The larger one; NaN where one is."""
    return f"chosen(({b} > {a}) | ({b} != {b}), {b}, {a})"


def _tuple(lengths: tuple[int, ...]) -> str:
    return tuple_of([str(n) for n in lengths])


class LanePrinter(ScalarPrinter):
    """As for numbers, and sums over lanes."""

    named = (*ScalarPrinter.named, total)

    def _print_total(self, expr: Any) -> str:
        return f"total({self._print(expr.args[0])})"


def for_lanes(lines: Iterable[str]) -> list[str]:
    """Lines of emitted code, written for vectors.

    >>> for_lanes(["    y[n] = tanh(s)**2 if s > real(0.0) else abs(s)  "])
    ['    y[n] = chosen(s > real(0.0), tanh_lanes(s) * tanh_lanes(s), size_of(s))']
    """
    return [_line(line) for line in lines]


def _line(line: str) -> str:
    text = line.strip()
    if text.endswith(":") and text.startswith("def "):
        return _renamed_head(line)
    if not text or text.startswith(("#", '"', ")")) or text.endswith((":", "(", ",")):
        return line
    tree = ast.parse(text)
    changed = _ForLanes().visit(tree)
    written = ast.unparse(changed)
    same = ast.dump(ast.parse(text)) == ast.dump(ast.parse(written))
    return line if same else f"{line[: len(line) - len(line.lstrip())]}{written}"


def _renamed_head(line: str) -> str:
    name = line.strip()[4:].split("(")[0]
    return line.replace(name, f"{name}{SUFFIX}", 1) if name in helpers.NAMES else line


class _ForLanes(ast.NodeTransformer):
    """Functions and decisions of numbers as those of vectors."""

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        parts = [self.visit(n) for n in (node.test, node.body, node.orelse)]
        return ast.Call(ast.Name("chosen", ast.Load()), parts, [])

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        values = [self.visit(v) for v in node.values]
        made: ast.expr = values[0]
        for value in values[1:]:
            made = ast.BinOp(made, ast.BitOr() if isinstance(node.op, ast.Or) else ast.BitAnd(), value)
        return made

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        left, right = self.visit(node.left), self.visit(node.right)
        power = right.value if isinstance(right, ast.Constant) else None
        if isinstance(node.op, ast.Pow) and isinstance(power, int) and power in POWERS:
            made: ast.expr = left
            for _ in range(power - 1):
                made = ast.BinOp(made, ast.Mult(), left)
            return made
        return ast.BinOp(left, node.op, right)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        name = ast.unparse(node.func)
        arguments = [self.visit(a) for a in node.args]
        if name in INSTEAD:
            return ast.Call(ast.Name(INSTEAD[name], ast.Load()), arguments, [])
        if name in helpers.NAMES:
            return ast.Call(ast.Name(f"{name}{SUFFIX}", ast.Load()), arguments, [])
        return ast.Call(node.func, arguments, [])


#: In place of what is done to the bits of numbers.
_RAISED = '''
def raised_lanes(value, t):
    """value·2**n for n = t − ROUNDING."""
    return raised_of(value, t - real(ROUNDING))
'''.strip()


def used(text: str, dtype: str, width: int) -> list[str] | None:
    """The sources of the functions for vectors that a text calls, those first that others call; None where one is
    called that has no such form."""
    own = lanes_functions.sources(dtype, width)
    left = re.findall(r"\b(?:math|np)\.(?!inf\b|nan\b)\w+|\b\w+_form\b", text)
    names = helpers.used(re.sub(rf"(\w){SUFFIX}\(", r"\1(", text), helpers.SOURCES[dtype] | own)
    if left or any(n in _WITHOUT for n in names):
        return None
    shared = [own["power"]] if set(names) & set(own) else []
    return [*shared, *(own.get(n) or _translated(n, dtype) for n in names)]


def _translated(name: str, dtype: str) -> str:
    if name == "raised":
        return _RAISED.replace("ROUNDING", elementary.ROUNDING[dtype])
    return "\n".join(for_lanes(helpers.SOURCES[dtype][name].split("\n")))


def header(text: str, dtype: str, width: int) -> tuple[str, list[str]] | None:
    """The line that imports what a text takes from `machine.lanes`, and those that make what is for its vectors."""
    names = [n for n in dict.fromkeys((*INSTEAD.values(), *MORE)) if re.search(rf"\b{n}\(", text)]
    makers = {ROOM: "rooms", VECTORS: "views"}
    made = {n: maker for n, maker in makers.items() if re.search(rf"\b{n}\(", text)}
    lines = [f'{name} = {maker}("{dtype}", {width})' for name, maker in made.items()]
    return (f"{IMPORT} {', '.join([*names, *made.values()])}", lines) if made else None
