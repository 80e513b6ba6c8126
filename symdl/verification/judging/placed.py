"""Letters that stand below names and were set to numbers: t of x_t = 2 t + 1, where the text begins at t = 0.

Such a letter is any t, or the one that was set. What is refuted is refuted in both readings. What is so where t is the
number that was set is proved only where a number is claimed, 2 t + 1 = 7: of formulas it says too little, since
x_t = aᵗ x_0 is so at t = 0 whatever x is.
"""

from __future__ import annotations

from dataclasses import replace

from symdl.verification.judging.induction import INDUCTION
from symdl.verification.judging.rules import Judging
from symdl.verification.meaning.naming import names_in
from symdl.verification.meaning.stated import Meaning
from symdl.verification.notation import tree
from symdl.verification.notation.tree import walk
from symdl.verification.verdict import Status, Verdict


def at_given_places(judge: Judging, link: Meaning, found: Verdict) -> Verdict:
    """The verdict with such letters as the numbers that were given, where it is not so for all of them."""
    reader = judge.reading.reader()
    named = (n for side in (link.left, link.right) for n in walk(side) if isinstance(n, tree.Symbol))
    letters = sorted({n.name for n in named if reader.counts_places(n.name)})
    if not letters or found.method == INDUCTION:
        return found
    other = judge.read_in(replace(judge.reading, at_values=True), link)
    if other.proved and not all(names_in(reader, (side,)) for side in (link.left, link.right)):
        return other
    if found.status is not Status.REFUTED or other.status is Status.REFUTED or link.redefines:
        return found  # another meaning of a name is seen to by who asks
    reason = f"{', '.join(letters)} may be what was set before, or any such index"
    return replace(found, status=Status.UNDECIDED, method="none", reason=reason, witness=None)
