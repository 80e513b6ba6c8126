"""L(y, t) = ½ (y − t)² of vectors y and t, whose entries the document speaks of: the sum over them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from symdl.core.tensors import Element, reduction
from symdl.verification.meaning.arrays import scalar
from symdl.verification.meaning.scope import Formula, Scope, element
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.statements import Reading
from symdl.verification.meaning.sums import new_index
from symdl.verification.notation import tree
from symdl.verification.notation.tree import walk
from symdl.verification.verdict import Verdict


def summed_over_entries(reading: Reading, link: Meaning, read: Callable[[Reading, Meaning], Verdict]) -> Verdict | None:
    """The verdict with a loss of vectors, that was defined as one of numbers, as the sum over their entries."""
    reader = reading.reader()
    slopes = [n for side in (link.left, link.right) for n in walk(side) if isinstance(n, tree.Derivative)]
    named = [reader.parts(n.of) for n in slopes if n.of is not None]
    losses = {p.name for p in named if p is not None and not p.subscripts and _is_of_vectors(reading, p.name)}
    if not losses:
        return None
    scope = reading.scope.copy()
    for name in sorted(losses):
        scope.bind(name, _summed(scope, scope.functions[name]))
    found = read(replace(reading, scope=scope), link)
    return replace(found, scope=f"{found.scope}; {', '.join(sorted(losses))} summed over the entries")


def _is_of_vectors(reading: Reading, name: str) -> bool:
    """Whether a function is of several names that have entries elsewhere, and made of nothing else."""
    function = reading.scope.functions.get(name)
    if function is None or len(function.parameters) < 2 or function.value.axes:
        return False
    vectors = all(
        1 in reading.scope.ranks.get(p, set()) | reading.usage.ranks.get(p, set()) for p in function.parameters
    )
    used = function.value.body.atoms(Element)
    return vectors and used == set(map(element, function.parameters))


def _summed(scope: Scope, function: Formula) -> Formula:
    first, *others = function.parameters
    index = new_index("a0", scope.extent(first, 0, 1))
    for name in others:
        scope.fit(scope.extent(name, 0, 1), index.extent)
    entries = {element(p): element(p, [index + scope.base(p)]) for p in function.parameters}
    body = function.value.fresh().body.xreplace(entries)
    return replace(function, value=scalar(reduction("sum", body, [index])), parameters=())
