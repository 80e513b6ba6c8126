"""Names that have one meaning by custom, where a document says nothing of them: 𝐈, and Φ before brackets."""

from __future__ import annotations

from dataclasses import replace

import sympy

from symdl.core.functions import Delta
from symdl.core.tensors import Element
from symdl.verification.judging.rules import Judging
from symdl.verification.meaning.arrays import Array, scalar
from symdl.verification.meaning.naming import applied_names
from symdl.verification.meaning.scope import Formula, element
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.sums import new_index
from symdl.verification.notation import tree
from symdl.verification.notation.tree import walk
from symdl.verification.verdict import Verdict


def with_identity(judge: Judging, link: Meaning) -> Verdict | None:
    """The verdict with 𝐈 as the identity matrix, where nothing is said of it."""
    reading, scope = judge.reading, judge.reading.scope
    stands = any(e.name == "I" and len(e.subscripts) == 2 for v in link.values or () for e in v.body.atoms(Element))
    if not stands or not _bold(link, "I") or "I" in scope.opaque or "I" in scope.declared or scope.all_of("I", 2):
        return None
    scope = scope.copy()
    rows, columns = (new_index(f"a{k}", scope.extent("I", k, 2)) for k in range(2))
    scope.fit(rows.extent, columns.extent)
    starts = (scope.base("I"),) * 2
    scope.formulas["I", 2] = Formula(Array((rows, columns), Delta(rows, columns)), starts, section=reading.section)
    found = judge.read_in(replace(reading, scope=scope), link)
    return replace(found, scope=f"{found.scope}; I for the identity matrix")


def _bold(link: Meaning, name: str) -> bool:
    """Whether a name stands in a link in bold type, and nowhere else: I_{ij} is an image."""
    faces = {
        n.face for side in (link.left, link.right) for n in walk(side) if isinstance(n, tree.Symbol) and n.name == name
    }
    return faces == {"bf"}


def with_normal_distribution(judge: Judging, link: Meaning) -> Verdict | None:
    """The verdict with Φ(x) as the share of the standard normal distribution below x, where nothing is said of Φ."""
    reading = judge.reading
    reader = reading.reader()
    stands = "Φ" in applied_names(reader, (link.left, link.right))
    if not stands or reader.known("Φ") or "Φ" in reading.scope.opaque:
        return None
    scope = reading.scope.copy()
    x = element("x")
    scope.bind_function("Φ", Formula(scalar((1 + sympy.erf(x / sympy.sqrt(2))) / 2), parameters=("x",)))
    found = judge.read_in(replace(reading, scope=scope), link)
    return replace(found, scope=f"{found.scope}; Φ for the standard normal distribution")
