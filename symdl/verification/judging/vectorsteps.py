"""Claims about recurrences of vectors through all of their steps, at t = 3 and t = 2 of four, and never refuted.

∂L/∂𝐡_t = Σ_{i=t}^T (Wᵀ)^{i−t} Vᵀ ∂L/∂𝐨_i: what 𝐡_3 does through 𝐡_4, of matrices and vectors of any size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import sympy

from symdl.errors import SymdlError
from symdl.verification.judging.doubts import Pair
from symdl.verification.judging.steps import numbered, running_over
from symdl.verification.meaning.interpret import Interpreter
from symdl.verification.meaning.scope import count
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.statements import Reading
from symdl.verification.meaning.steps import STEP, STEPS
from symdl.verification.meaning.values import opened
from symdl.verification.meaning.vectorsteps import at_vector_steps, stepped_vectors, timed
from symdl.verification.notation import tree
from symdl.verification.notation.tree import walk
from symdl.verification.verdict import Verdict

Decide = Callable[[Pair], Verdict]


def by_vector_steps(reading: Reading, link: Meaning, decide: Decide) -> Verdict | None:
    """The proof at numbered steps; None where there is none, or no recurrence of vectors is in it.

    Args:
        decide: judges an equality.
    """
    try:
        names = timed(reading.scope)
        reader = reading.reader()
        letters, counts = _letters(reader, link, {name for name, _ in names})
        steps = numbered(reader, link, letters) if letters and link.relation in ("=", "≡") else None
        if not steps:
            return None
        found = _at(reading, link, decide, steps, counts)
        if found is None or not found.proved:
            return None
        earlier = {letter: k - 1 if k == STEP else k for letter, k in steps.items()}
        other = _at(reading, link, decide, earlier, counts)
        if other is None or not other.proved:
            return None
    except (SymdlError, ValueError):
        return None
    told = " and ".join(f"{letter} = {k}" for letter, k in steps.items())
    return replace(found, scope=f"{found.scope}; at {told} of {STEPS} steps")


def _letters(reader: Interpreter, link: Meaning, names: set[str]) -> tuple[set[str], set[str]]:
    """The letters below names that are counted by steps, and the names of numbers of steps."""
    letters = set[str]()
    bound, counts = running_over(link)
    for node in (n for side in (link.left, link.right) for n in walk(side)):
        parts = reader.parts(node) if isinstance(node, tree.Scripted) else None
        if parts is not None and len(parts.subscripts) == 1 and parts.name in names:
            letters |= {n.name for n in walk(parts.subscripts[0]) if isinstance(n, tree.Symbol)}
    counts -= bound | {letter for letter in letters if letter.islower()}  # t of Π_{j=k+1}^t is a step, T their number
    return letters - bound - counts, counts


def _at(reading: Reading, link: Meaning, decide: Decide, steps: dict[str, int], counts: set[str]) -> Verdict | None:
    """The verdict with numbers for the letters of steps."""
    scope = reading.scope
    free = counts - steps.keys()
    env = {**steps, **dict.fromkeys(free, STEPS)}
    left, right = (at_vector_steps(side, env) for side in (link.left, link.right))
    numbers = {count(name): sympy.Integer(STEPS) for name in free}
    made, names = stepped_vectors(scope, timed(scope), STEPS, numbers)
    usage = replace(reading.usage, vectors=reading.usage.vectors | names)
    reader = replace(reading, scope=made, usage=usage).reader()
    a, b = reader.value(left), reader.value(right)
    fits = a.rank == b.rank and a.row == b.row
    if not fits or not all(made.fit(i.extent, j.extent) for i, j in zip(a.axes, b.axes, strict=True)):
        return None
    one, other = (made.settled(opened(made, body)) for body in (a.body, b.at(a.axes)))
    return decide((one, other))
