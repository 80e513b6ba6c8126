"""What a second reading of a document adds to the first one: proofs, where the first one leaves a claim open.

And doubts: W δ = Wᵀ δ holds of numbers, which proves nothing where W is a matrix by what the document does with it.
"""

from __future__ import annotations

from dataclasses import replace

from symdl.verification.judging.report import Judged, Link, worst
from symdl.verification.verdict import Status, Verdict

_BETTER = frozenset({Status.PROVED, Status.CONSISTENT, Status.CONDITIONAL, Status.DEFINITION})
#: What may be so of numbers alone.
_HELD = frozenset({Status.PROVED, Status.CONSISTENT})


def undecided(judged: Judged) -> bool:
    """Whether something of a formula is open."""
    return judged.status is Status.UNDECIDED


def proved(judged: Judged | None) -> bool:
    """Whether all of a formula is proved."""
    return judged is not None and judged.status is Status.PROVED


def held(judged: Judged) -> bool:
    """Whether something of a formula is proved, which may be so of numbers alone."""
    return any(v.status in _HELD for v in (judged.verdict, *(link.verdict for link in judged.links)))


def with_proofs_of(judged: Judged, better: Judged, told: str, proofs: bool = True) -> Judged:
    """A formula with what a second reading proves of it, and without proofs of what it refutes.

    Args:
        told: how that one reads it, in words.
        proofs: whether it is trusted with proofs; its doubts count in any case.
    """
    if not judged.links or len(judged.links) != len(better.links):
        found = _better(judged.verdict, better.verdict, told, proofs)
        return replace(judged, verdict=found) if found is not judged.verdict and not judged.links else judged
    pairs = zip(judged.links, better.links, strict=True)
    links = tuple(replace(a, verdict=_better(a.verdict, b.verdict, told, proofs)) for a, b in pairs)
    decisive: Link = worst(list(links))
    return replace(judged, verdict=decisive.verdict, links=links, suggestion=decisive.suggestion)


def _better(first: Verdict, second: Verdict, told: str, proofs: bool) -> Verdict:
    if first.status in _HELD and second.status is Status.REFUTED:
        reason = f"so for numbers, but not as names are used here: {told}"
        return replace(second, status=Status.UNDECIDED, method="none", scope="", reason=reason)
    if not proofs or first.status is not Status.UNDECIDED or second.status not in _BETTER:
        return first
    return replace(second, scope=f"{second.scope}; {told}", seconds=first.seconds + second.seconds)
