"""∂u/∂v with ∂f(v)/∂v in its place one step on: a chain of slopes that says what u is, where nothing else does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symdl.errors import SymdlError
from symdl.verification.judging.rules import Judging
from symdl.verification.meaning import binding
from symdl.verification.meaning.newness import is_unbound
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.statements import Reading
from symdl.verification.notation import tree, unicode
from symdl.verification.notation.tree import Node, walk
from symdl.verification.verdict import Verdict


def as_the_slope_says(judge: Judging, link: Meaning) -> Verdict | None:
    """The verdict with u = f(v), where ∂L/∂u ∂u/∂v = δ ∂f(v)/∂v is claimed of a u without a formula; else None."""
    found = list(_introduced(judge.reading, link))
    if link.relation not in ("=", "≡") or len(found) != 1:
        return None
    ((name, value),) = found
    reading = replace(judge.reading, scope=judge.reading.scope.copy())
    try:
        binding.defined(reading.reader(), name, value, reading.section, 0)
    except SymdlError:
        return None
    verdict = judge.read_in(reading, link)
    return replace(verdict, scope=f"{verdict.scope}; {unicode(name)} = {unicode(value)}, as the slopes say")


def _introduced(reading: Reading, link: Meaning) -> Iterator[tuple[Node, Node]]:
    reader = reading.reader()
    for before in _slopes(link.left):
        for after in _slopes(link.right):
            same = before.by == after.by and before.of is not None and after.of is not None
            if not same or before.of is None or after.of is None or before.of == after.of:
                continue
            formula = not isinstance(after.of, (tree.Symbol, tree.Accented, tree.Scripted))
            if formula and is_unbound(reader, before.of) and all(n != before.of for n in walk(after.of)):
                yield before.of, after.of


def _slopes(side: Node) -> list[tree.Derivative]:
    factors = side.factors if isinstance(side, tree.Product) else (side,)
    return [f for f in factors if isinstance(f, tree.Derivative) and len(f.by) == 1 and f.by[0][1] == 1]
