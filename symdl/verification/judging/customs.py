"""Names that have one meaning by custom, where a document says nothing of them: 𝐈, and Φ before brackets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import sympy

from symdl.core.functions import Delta
from symdl.core.tensors import Element, reduction
from symdl.verification.judging.rules import Judging
from symdl.verification.meaning.arrays import Array, scalar
from symdl.verification.meaning.naming import applied_names
from symdl.verification.meaning.scope import Formula, Scope, element
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.statements import Reading
from symdl.verification.meaning.sums import new_index
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk
from symdl.verification.verdict import Verdict

#: What the density of the standard normal distribution is called beside Φ.
_DENSITIES = frozenset({"φ", "ϕ"})
#: What a name ends with that has a bar.
_BAR = "\u0304"


def with_identity(judge: Judging, link: Meaning) -> Verdict | None:
    """The verdict with 𝐈, I or I_d as the identity matrix, where nothing is said of it."""
    return _in_scope(judge, link, IDENTITY) if _whole(link, "I") else None


def identity_scope(reading: Reading, values: Iterable[Array]) -> Scope | None:
    """The scope with I as the identity matrix, where it stands for a matrix of which nothing is said; else None."""
    scope = reading.scope
    every = {e for v in values for e in v.body.atoms(Element)}
    named = {e.name for e in every if _is_identity(scope, e.name)}
    beside = any(len(e.subscripts) == 2 for e in every if e.name not in named)
    stands = any(e.name in named and (len(e.subscripts) == 2 or (beside and not e.subscripts)) for e in every)
    said = any(n in scope.opaque or n in scope.declared or scope.all_of(n, r) for n in named for r in (0, 2))
    if not stands or said:
        return None
    scope = scope.copy()
    scope.ranks = {**scope.ranks, **{n: {2} for n in named}}
    for name in sorted(named):
        rows, columns = (new_index(f"a{k}", scope.extent(name, k, 2)) for k in range(2))
        scope.fit(rows.extent, columns.extent)
        starts = (scope.base(name),) * 2
        scope.formulas[name, 2] = Formula(Array((rows, columns), Delta(rows, columns)), starts, section=reading.section)
    return scope


def _is_identity(scope: Scope, name: str) -> bool:
    """Whether a name is I, or I_d with a number of things below."""
    letter, _, below = name.partition("_")
    return letter == "I" and (not below or below in scope.counts or below.isdigit())


def with_means(judge: Judging, link: Meaning) -> Verdict | None:
    """The verdict with x̄ as the mean of the x_i, where nothing is said of x̄."""
    return _in_scope(judge, link, MEANS)


def means_scope(reading: Reading, values: Iterable[Array]) -> Scope | None:
    """The scope with x̄ as the mean of the x_i for each such name of which nothing is said; None where there is none."""
    scope = reading.scope
    made: Scope | None = None
    for name in sorted({e.name for v in values for e in v.body.atoms(Element) if e.name.endswith(_BAR)}):
        base = name.removesuffix(_BAR)
        said = name in scope.opaque or name in scope.declared or any(scope.all_of(name, rank) for rank in (0, 1))
        ranks = {1, 2} & (reading.usage.ranks.get(base, set()) | scope.ranks.get(base, set()))
        if said or len(ranks) != 1:
            continue
        made = made or scope.copy()
        (rank,) = ranks
        index, *axes = (new_index(f"a{k}", made.extent(base, k, rank)) for k in range(rank))
        entry = element(base, [i + made.base(base) for i in (index, *axes)])
        mean = reduction("sum", entry, [index]) / index.extent
        made.formulas[name, rank - 1] = Formula(Array(tuple(axes), mean), (made.base(base),) * len(axes))
    return made


@dataclass(frozen=True)
class Custom:
    """What names stand for where nothing is said of them.

    Args:
        scope: the scope with that meaning, where such a name stands in some values; else None.
        told: in words.
    """

    scope: Callable[[Reading, Iterable[Array]], Scope | None]
    told: str


IDENTITY = Custom(identity_scope, "I for the identity matrix")
MEANS = Custom(means_scope, "a bar for a mean")


def _in_scope(judge: Judging, link: Meaning, custom: Custom) -> Verdict | None:
    scope = custom.scope(judge.reading, link.values or ())
    if scope is None:
        return None
    found = judge.read_in(replace(judge.reading, scope=scope), link)
    return replace(found, scope=f"{found.scope}; {custom.told}")


def _whole(link: Meaning, name: str) -> bool:
    """Whether a name stands in a link in one type, and no entry of it: I_{ij} is an image."""
    every = [n for side in (link.left, link.right) for n in walk(side)]
    faces = {n.face for n in every if isinstance(n, tree.Symbol) and n.name == name}
    entries = (n for n in every if isinstance(n, tree.Scripted) and n.sub is not None)
    chosen = any(isinstance(n.base, tree.Symbol) and n.base.name == name and not _alone(n.sub) for n in entries)
    return len(faces) == 1 and not chosen


def _alone(sub: Node | None) -> bool:
    """Whether one letter or number stands below, which may be that of rows."""
    return isinstance(sub, (tree.Symbol, tree.Number))


def with_normal_distribution(judge: Judging, link: Meaning) -> Verdict | None:
    """The verdict with Φ(x) as the share of the standard normal distribution below x, and φ(x) beside it as its slope,
    where nothing is said of them."""
    reading = judge.reading
    reader = reading.reader()
    applied = applied_names(reader, (link.left, link.right))
    if "Φ" not in applied or reader.known("Φ") or "Φ" in reading.scope.opaque:
        return None
    scope = reading.scope.copy()
    x = element("x")
    scope.bind_function("Φ", Formula(scalar((1 + sympy.erf(x / sympy.sqrt(2))) / 2), parameters=("x",)))
    densities = sorted(n for n in _DENSITIES & applied if not reader.known(n) and n not in scope.opaque)
    for name in densities:
        density = sympy.exp(-(x**2) / 2) / sympy.sqrt(2 * sympy.pi)
        scope.bind_function(name, Formula(scalar(density), parameters=("x",)))
    found = judge.read_in(replace(reading, scope=scope), link)
    told = f"{found.scope}; Φ for the standard normal distribution"
    return replace(found, scope=f"{told} and {', '.join(densities)} for its density" if densities else told)
