"""What a second reading of a document adds to the first one: proofs, where the first one leaves a claim open."""

from __future__ import annotations

from dataclasses import replace

from symdl.verification.judging.report import Judged, Link, worst
from symdl.verification.verdict import Status, Verdict

_BETTER = frozenset({Status.PROVED, Status.CONSISTENT, Status.CONDITIONAL, Status.DEFINITION})


def undecided(judged: Judged) -> bool:
    """Whether something of a formula is open."""
    return judged.status is Status.UNDECIDED


def proved(judged: Judged | None) -> bool:
    """Whether all of a formula is proved."""
    return judged is not None and judged.status is Status.PROVED


def with_proofs_of(judged: Judged, better: Judged, told: str) -> Judged:
    """A formula with what a second reading proves of it.

    Args:
        told: how that one reads it, in words.
    """
    if not judged.links or len(judged.links) != len(better.links):
        found = _better(judged.verdict, better.verdict, told)
        return replace(judged, verdict=found) if found is not judged.verdict and not judged.links else judged
    pairs = zip(judged.links, better.links, strict=True)
    links = tuple(replace(a, verdict=_better(a.verdict, b.verdict, told)) for a, b in pairs)
    decisive: Link = worst(list(links))
    return replace(judged, verdict=decisive.verdict, links=links, suggestion=decisive.suggestion)


def _better(first: Verdict, second: Verdict, told: str) -> Verdict:
    if first.status is not Status.UNDECIDED or second.status not in _BETTER:
        return first
    return replace(second, scope=f"{second.scope}; {told}", seconds=first.seconds + second.seconds)
