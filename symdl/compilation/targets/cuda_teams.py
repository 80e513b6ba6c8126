"""Sums that several threads share: each adds up a part of the terms; the parts are put together in a fixed order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

import sympy

from symdl.compilation.fusion import Loop, Node, statements_in
from symdl.compilation.plan import Plan
from symdl.compilation.statements import IDENTITY, Statement
from symdl.compilation.targets.blocks import Invariants
from symdl.compilation.targets.cuda_vectors import VectorEmitter
from symdl.compilation.targets.scalars import indented
from symdl.core.indices import Index
from symdl.core.tensors import Element

#: Loops over the rest of a row, and what is computed for each of its entries.
Rest = tuple[tuple[Index, ...], tuple[Node, ...]]


class TeamEmitter(VectorEmitter):
    """Emits sums by teams of threads."""

    def __init__(self, plan: Plan, dtype: str) -> None:
        super().__init__(plan, dtype)
        self.scope = "block"  # who runs the function together: a block, or the grid
        self.teamed: dict[Index, tuple[str, str]] = {}  # loops that a team shares: its lane and size

    def _reductions(self, body: tuple[Node, ...], inside: tuple[Index, ...]) -> list[Loop] | None:
        """The loops of a body, where each of them only adds up, to elements that the loops around it fix."""
        loops = [c for c in body if isinstance(c, Loop)]
        known = set(inside)
        for loop in loops:
            added = list(statements_in(loop))
            names = {s.out.name for s in added}
            if any(not s.op or not set(s.out.subscripts) <= known for s in added):
                return None
            if len(names) < len(added) or any(e.name in names for s in added for e in s.reads if e != s.out):
                return None
            if any(e.name in names for s in added for e in s.body.atoms(Element)):
                return None
        whole = all(set(c.out.subscripts) <= known for c in body if isinstance(c, Statement))
        return loops if loops and whole else None

    def _by_teams(
        self,
        shared: tuple[Index, ...],
        body: tuple[Node, ...],
        around: tuple[Index, ...],
        after: Rest | None = None,
    ) -> list[str]:
        """A sum for each value of the shared loops; then `after`: loops over the rest of a row, and what is in them."""
        inside = (*around, *shared)
        first = next(c for c in body if isinstance(c, Loop))
        count, terms = self._count(shared), self.extent_of(first.index)
        if not shared:
            return self._team_body(body, inside, ("thread", "threads", "thread == 0"), alone=True)[0]
        decode = self._decoded(shared, "entry", around)
        lines, known = self._team_body(body, inside, ("lane", "team", "mine"), alone=False)
        rows = [f"whole_row = entry < {count}"] if after else []
        return [
            *self._team_head(count, terms, self._along_rows(first)),
            f"for first in range(0, {count}, threads//team):",
            *indented(
                [
                    "entry = first + thread//team",
                    *rows,
                    f"mine = lane == 0 and entry < {count}",
                    f"entry = min(entry, {count} - 1)",
                    *decode,
                    *lines,
                    *(self._rest_of_row(*after, inside, known) if after else []),
                ]
            ),
        ]

    def _team_head(self, count: str, terms: str, along: bool) -> list[str]:
        """How many threads a team has that adds up one of `count` sums of so many terms, and which of them this is.

        `along`: the terms lie side by side.
        """
        return [f"team = {'team_of_rows' if along else 'team_of'}({count}, {terms}, threads)", "lane = thread % team"]

    def _along_rows(self, loop: Loop) -> bool:
        """Whether the terms of a sum lie side by side."""
        reads = {e for s in statements_in(loop) for e in s.reads}
        return self.scope != "block" and any(len(e.subscripts) > 1 and e.subscripts[-1] == loop.index for e in reads)

    def _rest_of_row(
        self, rest: tuple[Index, ...], body: tuple[Node, ...], inside: tuple[Index, ...], known: dict[Element, str]
    ) -> list[str]:
        """What a team computes for each entry of its row."""
        decode = self._decoded(rest, "across", inside)
        outer, fixed = self.lifting, {sympy.Symbol(v, real=True) for v in known.values()}
        self.lifting = Invariants(lambda s: s in fixed, self.names)
        lines = [*decode, *self._scope((*inside, *rest), body, known), "across += team"]
        once = self.lifting.lines(self.printer)
        self.lifting = outer
        return [
            *once,
            "across = lane if whole_row else " + self._count(rest),
            f"while across < {self._count(rest)}:",
            *indented(lines),
        ]

    def _team_body(
        self, body: tuple[Node, ...], inside: tuple[Index, ...], team: tuple[str, str, str], alone: bool
    ) -> tuple[list[str], dict[Element, str]]:
        """Statements by every thread of a team, loops shared between them, stores by the first; and the variables that
        hold what it stores."""
        mine = team[2]
        variables: dict[Element, str] = {}
        known: dict[Element, str] = {}
        begun: set[Element] = set()
        for statement in (s for c in body for s in statements_in(c)):
            if statement.out not in variables:
                variables[statement.out] = self._variable(statement.out, inside)
        outside, lines = self.gathered, self._gathers(inside, body)
        for run in _runs(body):
            child = run[0]
            if isinstance(child, Statement):
                some = [c for c in run if isinstance(c, Statement)]
                for s in some:
                    if s.op and s.out not in begun:
                        lines.append(f"{variables[s.out]} = {self.access(s.out)}")
                    begun.add(s.out)
                lines += self._block(some, known, variables)
                known = {**known, **{s.out: variables[s.out] for s in some}}
            elif isinstance(child, Loop):
                lines += self._team_loop(child, inside, known, variables, begun, team, alone)
                known = {**known, **{s.out: variables[s.out] for s in statements_in(child)}}
        stores = [f"{self.access(e)} = {v}" for e, v in variables.items() if self._needed_outside(e.name, body)]
        self.gathered = outside
        return [*lines, *([f"if {mine}:", *indented(stores)] if stores else [])], known

    def _team_loop(
        self,
        loop: Loop,
        inside: tuple[Index, ...],
        known: dict[Element, str],
        variables: dict[Element, str],
        begun: set[Element],
        team: tuple[str, str, str],
        alone: bool,
    ) -> list[str]:
        """Each thread adds up its part of the values of a loop; then the parts are put together."""
        lane, size, _ = team
        lines: list[str] = []
        after: list[str] = []
        parts: dict[Element, str] = {}
        for statement in statements_in(loop):
            whole = variables[statement.out]
            if statement.out not in begun:
                lines.append(f"{whole} = {self.access(statement.out)}")
                begun.add(statement.out)
            part = parts[statement.out] = self.names.new(f"{whole}_part")
            lines.append(f"{part} = {self.printer.doprint(IDENTITY[statement.op])}")
            made, value = self._put_together(statement.op, part, alone)
            after += [*made, *self._combined(whole, statement.op, value)]
        self.teamed[loop.index] = (lane, size)
        found = {k: v for k, v in known.items() if k not in parts} | parts
        lines += _stepped(self._loop(loop, inside, found), size)
        del self.teamed[loop.index]
        return [*lines, *after]

    def _put_together(self, op: str, part: str, alone: bool) -> tuple[list[str], str]:
        """What puts the parts of a team together: lines, and the value; `alone`: all threads are a team."""
        kind = "all" if alone else "team"
        where = "thread, threads, parts, meet" if alone else "lane, team, parts"
        return [], f"{kind}_{op}({part}, {where})"

    def _combined(self, whole: str, op: str, value: str) -> list[str]:
        if op == "max":
            return [f"{whole} = larger({whole}, {value})"]
        return [f"{whole} {'+' if op == 'sum' else '*'}= {value}"]

    def _values(self, loop: Loop, values: str) -> str:
        if loop.index not in self.teamed:
            return values
        lane, team = self.teamed[loop.index]
        inside = values.removeprefix("range(").removesuffix(")")
        start, stop = _split(inside)
        return f"range({f'{start} + ' if start not in ('', '0') else ''}{lane}, {stop}, {team})"


def _stepped(lines: list[str], step: str) -> list[str]:
    """The loop of a team over its part of some values as one that adds to a counter: Numba divides before it counts a
    range with a step.

    >>> _stepped(["s = 0.0", "for k in range(lane, min(K, N), team):", "    s += x[k]", "x = s"], "team")
    ['s = 0.0', 'k = lane', 'while k < min(K, N):', '    s += x[k]', '    k += team', 'x = s']
    """
    found: list[str] = []
    name, ended = "", True
    for line in lines:
        if not ended and not line.startswith("    "):
            found.append(f"    {name} += {step}")
            ended = True
        head = re.fullmatch(rf"for (\w+) in range\((.*), {step}\):", line)
        if head:
            name, (start, stop) = head[1], _split(head[2])
            found += [f"{name} = {start}", f"while {name} < {stop}:"]
            ended = False
        else:
            found.append(line)
    return found if ended else [*found, f"    {name} += {step}"]


def _split(arguments: str) -> tuple[str, str]:
    """First value and end of a range from the source of its arguments."""
    depth = 0
    for k, c in enumerate(arguments):
        depth += (c in "([") - (c in ")]")
        if c == "," and depth == 0:
            return arguments[:k].strip(), arguments[k + 1 :].strip()
    return "", arguments.strip()


def _runs(body: tuple[Node, ...]) -> Iterator[list[Node]]:
    """The children in order, statements that follow each other together."""
    for loop, group in groupby(body, lambda c: isinstance(c, Loop)):
        run = list(group)
        yield from ([c] for c in run) if loop else [run]
