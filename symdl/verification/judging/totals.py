"""Links that hold where some vector sums to 1, as targets and probabilities do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from symdl.core.tensors import Element, Reduction
from symdl.errors import SymdlError
from symdl.verification.judging import assumptions
from symdl.verification.judging.doubts import Pair
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.statements import Reading
from symdl.verification.verdict import Status, Verdict

Decide = Callable[[Pair], Verdict]

#: Of so many names each is tried.
_MOST = 4


def where_it_sums_to_one(
    reading: Reading, link: Meaning, verdict: Verdict, forms: Pair, decide: Decide, told: str = ""
) -> Verdict | None:
    """What was refuted, where some vector in it sums to 1; None where that does not make it so."""
    names = sorted({e.name for f in forms for e in f.atoms(Element) if e.subscripts})
    if not names or not any(f.has(Reduction) for f in forms):
        return None
    if len(names) > _MOST:  # the weights of all layers: a target stands in the link itself
        shown = {e.name for v in link.values or () for e in v.body.atoms(Element)}
        names = [name for name in names if name in shown]
    for name in names:
        stated = assumptions.summing_to_one(name, forms, reading.scope.base(name))
        found = None if stated is None else decide(stated)
        if found is None or not found.proved:
            continue
        if name in reading.scope.sums_to_one and not told:
            return replace(found, scope=f"{found.scope}, Σ {name} = 1 as stated")
        reason = f"equal where Σ {name} = 1, which is not stated{told}"
        return replace(found, status=Status.CONDITIONAL, reason=reason, witness=verdict.witness)
    return None


def as_a_target(
    reading: Reading, link: Meaning, read: Callable[[Reading], Pair]
) -> Iterator[tuple[Reading, Pair, str]]:
    """The two sides where a vector that the document has set to something before is a target here: y of y = o + ε.

    Args:
        read: the two sides of the link in another reading.
    """
    shown = {e.name for v in link.values or () for e in v.body.atoms(Element) if e.subscripts}
    for name in sorted(shown):
        formulas = [f for rank in reading.scope.ranks.get(name, ()) for f in reading.scope.all_of(name, rank)]
        if not formulas or any(f.given for f in formulas):
            continue
        scope = reading.scope.copy()
        scope.forget(name)
        try:
            other = replace(reading, scope=scope)
            yield other, read(other), f", and {name} is a target and not what it was set to before"
        except SymdlError:
            continue
