"""ΔC ≈ ∂C/∂v_1 Δv_1 + ∂C/∂v_2 Δv_2: the change of a number to first order in the changes of what it is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import sympy

from symdl.core.indices import Index
from symdl.core.tensors import Element
from symdl.errors import SymdlError
from symdl.verification.judging.approximate import APPROXIMATE
from symdl.verification.judging.doubts import Pair
from symdl.verification.meaning import calculus
from symdl.verification.meaning.arrays import scalar
from symdl.verification.meaning.increments import DELTA
from symdl.verification.meaning.interpret import Interpreter
from symdl.verification.meaning.scope import element
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.statements import Reading
from symdl.verification.meaning.sums import new_index
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node
from symdl.verification.verdict import Status, Verdict

Decide = Callable[[Pair], Verdict]


def first_order_change(reading: Reading, link: Meaning, decide: Decide) -> Verdict | None:
    """The proof that a change is the sum of slopes times changes; None where there is none.

    Where the document says nothing of how C hangs on what changes, this holds for every C.
    """
    of = _unchanged(link.left)
    if of is None or link.relation not in APPROXIMATE:
        return None
    for every in (False, True):
        try:
            found = _judged(_where_open(reading, of) if every else reading, of, link.right, decide)
        except SymdlError:
            continue
        if found is not None:
            return found
    return None


def _unchanged(node: Node) -> Node | None:
    """C of ΔC."""
    base = node.base if isinstance(node, tree.Scripted) else node
    if not isinstance(base, tree.Symbol) or not base.name.startswith(DELTA) or len(base.name) == 1:
        return None
    plain = replace(base, name=base.name.removeprefix(DELTA))
    return replace(node, base=plain) if isinstance(node, tree.Scripted) else plain


def _where_open(reading: Reading, of: Node) -> Reading:
    parts = reading.reader().parts(of)
    scope = reading.scope.copy()
    if parts is not None:
        scope.forget(parts.name)
        scope.opaque = {k: v for k, v in scope.opaque.items() if k != parts.name}
    return replace(reading, scope=scope)


def _judged(reading: Reading, of: Node, right: Node, decide: Decide) -> Verdict | None:
    reader = reading.reader()
    changed, total = reader.value(of), reader.value(right)
    if changed.axes or total.axes:
        return None
    changes = {e for e in total.body.atoms(Element) if e.name.startswith(DELTA) and len(e.name) > 1}
    none = total.body.xreplace(dict.fromkeys(changes, sympy.S.Zero))
    if not changes or not decide((none, sympy.S.Zero)).proved:
        return None
    for change in _each(reader, changes):
        slope = calculus.slope(total.body, change)
        if any(e.name.startswith(DELTA) for e in slope.atoms(Element)):
            return None
        place = element(change.name.removeprefix(DELTA), change.subscripts)
        wanted = calculus.derived(reader, scalar(changed.body), place).body
        if not decide((reading.scope.settled(slope), reading.scope.settled(wanted))).proved:
            return None
    names = ", ".join(sorted({e.name.removeprefix(DELTA) for e in changes}))
    return Verdict(Status.PROVED, "total differential", f"to first order, where {names} changes and nothing else")


def _each(reader: Interpreter, changes: set[Element]) -> list[Element]:
    """The changes one by one, those that are summed over with an index that is free."""
    free = set(reader.free.values())
    found: dict[tuple[str, int], Element] = {}
    single: list[Element] = []
    for e in sorted(changes, key=str):
        if all({s for s in sub.free_symbols if isinstance(s, Index)} <= free for sub in e.subscripts):
            single.append(e)
            continue
        axes = [new_index(f"k{k}", reader.scope.extent(e.name, k, len(e.subscripts))) for k in range(len(e.subscripts))]
        found[e.name, len(axes)] = element(e.name, [i + reader.scope.base(e.name) for i in axes])
    return [*single, *found.values()]
