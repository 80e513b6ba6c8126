"""X beside x_i: the matrix that has each x_i for a row, or for a column, where a document says nothing else of X.

With it stands y for the vector of all y_i: Xᵀ(y − p) = Σ_i (y_i − p_i) x_i.
"""

from __future__ import annotations

from dataclasses import replace

from symdl.core.tensors import Element
from symdl.verification.judging.rules import Judging
from symdl.verification.meaning.arrays import Array
from symdl.verification.meaning.naming import names_in
from symdl.verification.meaning.scope import Formula, Scope, element
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.statements import Reading
from symdl.verification.meaning.sums import new_index
from symdl.verification.verdict import Verdict


def with_designs(judge: Judging, link: Meaning) -> Verdict | None:
    """The proof with X as the matrix of all x_i; None where there is none."""
    reading = judge.reading
    names = names_in(reading.reader(), (link.left, link.right))
    capitals = sorted(n for n in names if _is_design(reading, n))
    if len(capitals) != 1 or link.relation not in ("=", "≡"):
        return None
    vectors = {n for n in names if n.islower() and 1 in _ranks(reading, n) and 2 not in _ranks(reading, n)}
    families = replace(reading.usage.families, arrays=reading.usage.families.arrays | vectors)
    usage = replace(reading.usage, families=families)
    turned = reading.columns.get(capitals[0])
    if turned is None:
        return None
    scope = _scope(reading, capitals[0], turned)
    found = judge.read_in(replace(reading, scope=scope, usage=usage), link)
    told = f"{capitals[0]} for the matrix with a {'column' if turned else 'row'} for each {capitals[0].lower()}_i"
    return replace(found, scope=f"{found.scope}; {told}") if found.proved else None


def _ranks(reading: Reading, name: str) -> set[int]:
    return reading.usage.ranks.get(name, set()) | reading.scope.ranks.get(name, set())


def _is_design(reading: Reading, name: str) -> bool:
    """Whether a name is X, where x_i are vectors and nothing is said of X."""
    small, scope = name.lower(), reading.scope
    plain = len(name) == 1 and name.isupper() and name.isascii()
    rows = small in reading.usage.families.rows | reading.usage.families.bold_rows
    said = name in scope.opaque or name in scope.declared or any(scope.all_of(name, rank) for rank in range(3))
    return plain and rows and not said and not any(scope.all_of(small, rank) for rank in (1, 2))


def _scope(reading: Reading, name: str, turned: bool) -> Scope:
    """The scope with X; `turned`: each x_i is a column of it."""
    small, scope = name.lower(), reading.scope.copy()
    axes = tuple(new_index(f"a{k}", scope.extent(small, k, 2)) for k in range(2))
    entry: Element = element(small, [i + scope.base(small) for i in axes])
    order = axes[::-1] if turned else axes
    for k, axis in enumerate(order):
        scope.extents[name, k, 2] = axis.extent
        scope.where[name, k, 2] = scope.section[:2]
    scope.ranks = {**scope.ranks, name: {2}}
    scope.formulas[name, 2] = Formula(Array(order, entry), (scope.base(name),) * 2, section=reading.section)
    return scope
