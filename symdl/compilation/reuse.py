"""Function values that two loops of one row need: computed by the first, and kept where the second puts its result.

S += exp(z[k] − m), then p[k] = exp(z[k] − m)/S, becomes p[k] = exp(z[k] − m) beside S += …, then p[k] = p[k]/S: half
the exponentials, since a block shares them, and no memory but that of the result. Where S has only some of them (those
that a mask leaves), and p is 0 for all others, only those are kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import sympy

from symdl.compilation.fusion import Item, Loop, Node, statements_in
from symdl.compilation.statements import Multiplied, Statement
from symdl.core.functions import Delta, InRange, Switch
from symdl.core.indices import indices_in
from symdl.core.tensors import Element, elements_in


def keep_calls(items: tuple[Item, ...], outputs: tuple[str, ...]) -> tuple[Item, ...]:
    """The items with function values kept where that is possible without more memory."""
    uses = Counter(e.name for item in items for e in _touched(item))
    return tuple(_kept(i, _Kept(uses, outputs)) if isinstance(i, Loop) else i for i in items)


@dataclass(frozen=True)
class _Kept:
    """How often each tensor is used, and which ones have to be written out."""

    uses: Counter[str]
    outputs: tuple[str, ...]

    def has_memory(self, name: str, loop: Loop) -> bool:
        """Whether a tensor that this loop stores is used elsewhere as well, and so is no local variable."""
        return name in self.outputs or self.uses[name] > sum(e.name == name for e in _touched(loop))


def _touched(item: Item) -> list[Element]:
    if isinstance(item, Multiplied):
        return [o.tensor.element() for o in (item.left, item.right, item.result)]
    return [e for s in statements_in(item) for e in (*s.reads, s.out)]


def _kept(loop: Loop, rules: _Kept) -> Loop:
    children = [_kept(c, rules) if isinstance(c, Loop) else c for c in loop.children]
    for second in range(len(children)):
        for first in range(second):
            pair = _shared(children, first, second, rules)
            if pair is not None:
                children[first], children[second] = pair
    return replace(loop, children=tuple(children))


def _shared(children: list[Node], first: int, second: int, rules: _Kept) -> tuple[Loop, Loop] | None:
    """Two loops beside each other, with what they both compute kept by the first; None if there is nothing."""
    a, b = children[first], children[second]
    if not (isinstance(a, Loop) and isinstance(b, Loop)) or a.direction or b.direction:
        return None
    early = _conditional(a) or _block(a)
    before = {e.name for c in children[first:second] for e in _touched(c)}
    for call in _calls(early):
        same = call.xreplace({a.index: b.index})
        at = next(k for k, s in enumerate(early) if s.body.has(call))
        guards = early[at].guards
        if a.index not in indices_in(call) or _changed(call, early[at:], children[first + 1 : second + 1]):
            continue
        there = tuple(g.xreplace({a.index: b.index}) for g in guards)
        late, sources = _inlined(_block(b, masked=bool(guards)), same, lambda name: rules.has_memory(name, b))
        place = _place(b, late, same, before, rules)
        if place is not None and _only_where(late, same, there):
            out, source = place.xreplace({b.index: a.index}), (*sources, early[at].source)[0]
            kept = Statement(out, call, "", early[at].loops, source, guards)
            used = [replace(s, body=s.body.xreplace({same: place})) for s in late]
            return replace(a, children=(*early[:at], kept, *early[at:])), replace(b, children=tuple(used))
    return None


def _inlined(
    statements: list[Statement], call: sympy.Expr, has_memory: Callable[[str], bool]
) -> tuple[list[Statement], list[str]]:
    """The statements with local variables that hold the call put in, and where those came from."""
    values: dict[Element, sympy.Expr] = {}
    found: list[Statement] = []
    sources: list[str] = []
    for statement in statements:
        body = statement.body.xreplace(values)
        if not statement.op and body.has(call) and statement.out.subscripts and not has_memory(statement.out.name):
            values[statement.out] = body
            sources.append(statement.source)
        else:
            found.append(replace(statement, body=body))
    return found, sources


def _block(loop: Loop, masked: bool = False) -> list[Statement]:
    """The statements of an innermost loop; none where it holds loops or conditions, but for factors where `masked`."""
    found = [c for c in loop.children if isinstance(c, Statement) and not c.guards and (masked or not c.guarded)]
    return found if len(found) == len(loop.children) else []


def _conditional(loop: Loop) -> list[Statement]:
    """The statements of an innermost loop that all run under one condition."""
    found = [c for c in loop.children if isinstance(c, Statement) and c.guards and not c.guarded]
    return found if len(found) == len(loop.children) and len({c.guards for c in found}) == 1 else []


def _only_where(statements: list[Statement], call: sympy.Expr, guards: tuple[sympy.Expr, ...]) -> bool:
    """Whether a call is needed only where all these conditions hold, each of them a factor beside it."""
    bodies = [s.body for s in statements if s.body.has(call)]
    return all(set(guards) <= set(sympy.Mul.make_args(body)) for body in bodies)


def _calls(statements: list[Statement]) -> Iterator[sympy.Expr]:
    """Function values, those that hold others first."""
    found = dict.fromkeys(c for s in statements for c in s.body.atoms(sympy.Function, sympy.exp))
    plain = [c for c in found if not isinstance(c, (Switch, Delta, InRange))]
    return iter(sorted(plain, key=lambda c: (-sympy.count_ops(c), str(c))))


def _changed(call: sympy.Expr, after: list[Statement], behind: list[Node]) -> bool:
    """Whether something that a call reads is written once it has been computed."""
    written = {s.out.name for s in after} | {s.out.name for node in behind for s in statements_in(node)}
    return bool(written & {e.name for e in elements_in(call)})


def _place(loop: Loop, late: list[Statement], call: sympy.Expr, before: set[str], rules: _Kept) -> Element | None:
    """The element that the second loop stores from the call, where nothing else needs the call or that element."""
    users = [s for s in late if s.body.has(call)]
    if len(users) != 1:
        return None
    out = users[0].out
    reads = [e.name for s in late[: late.index(users[0]) + 1] for e in s.reads]
    once = sum(s.out.name == out.name for s in late) == 1 and out.name not in before
    whole = not users[0].op and loop.index in out.subscripts and set(out.subscripts) == set(users[0].loops)
    return out if once and whole and out.name not in reads and rules.has_memory(out.name, loop) else None
