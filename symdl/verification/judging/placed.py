"""Letters that stand below names and were set to numbers: t of x_t = 2 t + 1, where the text begins at t = 0.

Such a letter is any t, or the one that was set: what is so in either reading is so, and what is refuted is refuted in
both.
"""

from __future__ import annotations

from dataclasses import replace

from symdl.verification.judging.rules import Judging
from symdl.verification.meaning.stated import Meaning
from symdl.verification.notation import tree
from symdl.verification.notation.tree import walk
from symdl.verification.verdict import Status, Verdict


def at_given_places(judge: Judging, link: Meaning, found: Verdict) -> Verdict:
    """The verdict with such letters as the numbers that were given, where it is not so for all of them."""
    reader = judge.reading.reader()
    named = (n for side in (link.left, link.right) for n in walk(side) if isinstance(n, tree.Symbol))
    letters = sorted({n.name for n in named if reader.counts_places(n.name)})
    if not letters:
        return found
    other = judge.read_in(replace(judge.reading, at_values=True), link)
    if other.proved or other.status is found.status:
        return other if other.proved else found
    if found.status is not Status.REFUTED:
        return found
    reason = f"{', '.join(letters)} may be what was set before, or any such index"
    return replace(found, status=Status.UNDECIDED, method="none", reason=reason, witness=None)
