"""2Xᵀ(Xw − y) = 0 and hence Xᵀy = XᵀX w: what a formula sets to 0, from which the rest of it may follow."""

from __future__ import annotations

from symdl.verification.meaning.arrays import Array
from symdl.verification.meaning.stated import Meaning
from symdl.verification.notation import tree
from symdl.verification.verdict import Status, Verdict


def condition_of_zero(link: Meaning, verdict: Verdict) -> Array | None:
    """What a condition says to be 0; None of any other link."""
    zero = isinstance(link.right, tree.Number) and link.right.text == "0" and link.relation == "="
    condition = verdict.status is Status.DEFINITION and verdict.scope == "a condition"
    return link.values[0] if zero and condition and link.values is not None else None
