"""Claims about recurrences through all of their steps, at the third step of four: proved there, and never refuted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import sympy

from symdl.errors import SymdlError
from symdl.verification.judging.doubts import Pair
from symdl.verification.judging.increments import first_order_change
from symdl.verification.judging.lengths import several_arguments
from symdl.verification.meaning.functions import objective
from symdl.verification.meaning.interpret import Interpreter
from symdl.verification.meaning.names import letter_of
from symdl.verification.meaning.scope import Scope, count
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.statements import Reading
from symdl.verification.meaning.steps import STEP, STEPS, at_steps, stepped
from symdl.verification.meaning.values import opened, written_out
from symdl.verification.notation import tree
from symdl.verification.notation.tree import walk
from symdl.verification.verdict import Verdict

#: The step of a letter that comes before another one.
FIRST = 1

Decide = Callable[[Pair], Verdict]


def by_steps(reading: Reading, link: Meaning, decide: Decide) -> Verdict | None:
    """The proof at numbered steps; None where there is none, or no recurrence of numbers is in it.

    Args:
        decide: judges an equality.
    """
    try:
        return _by_steps(reading, link, decide)
    except (SymdlError, ValueError):
        return None


def _by_steps(reading: Reading, link: Meaning, decide: Decide) -> Verdict | None:
    scope, reader = reading.scope, reading.reader()
    letters, numbers, counts = _steps(reader, scope, link)
    steps = numbered(reader, link, letters)
    if steps is None or not (letters or numbers or counts):
        return None
    found = _at(reading, link, decide, steps, numbers, counts)
    if found is None or not found.proved:
        return None
    # what is so at one step may be so there only: ∂h_t/∂h_1 = w² at t = 3
    before = {letter: k - 1 if k == STEP else k for letter, k in steps.items()}
    if letters:
        try:
            other = _at(reading, link, decide, before, numbers, counts)
        except (SymdlError, ValueError):  # three steps before this one there is none
            other = found
        if other is None or not other.proved:
            return None
    told = "at " + " and ".join(f"{letter} = {k}" for letter, k in steps.items()) if len(steps) > 1 else ""
    told = told or (f"at step {STEP}" if letters else "")
    told = ", ".join(filter(None, (told, f"of {STEPS} steps" if counts else "")))
    return replace(found, scope=f"{found.scope}; {told}" if told else found.scope)


def _at(
    reading: Reading, link: Meaning, decide: Decide, steps: dict[str, int], numbers: set[int], counts: set[str]
) -> Verdict | None:
    """The verdict with numbers for the letters of steps."""
    scope, reader = reading.scope, reading.reader()
    env = {**steps, **dict.fromkeys(counts, STEPS)}
    left, right = (at_steps(side, env) for side in (link.left, link.right))
    # a loss hangs on the steps that follow as well
    last = max(numbers | {STEPS if counts or _of_a_loss(reader, link) else STEP})
    made, names = stepped(scope, last, {count(name): sympy.Integer(STEPS) for name in counts})
    made.functionals = frozenset(name for side in (left, right) for name in several_arguments(reader, side))
    usage = replace(reading.usage, vectors=reading.usage.vectors | names)
    inner = replace(reading, scope=made, usage=usage)
    if link.relation not in ("=", "≡"):
        again = replace(link, left=left, right=right)
        return first_order_change(inner, again, lambda p: decide((opened(made, p[0]), opened(made, p[1]))))
    a, b = inner.reader().value(left), inner.reader().value(right)
    if a.axes or b.axes:
        return None
    pair = tuple(written_out(made.settled(opened(made, v.body))) for v in (a, b))
    return decide((pair[0], pair[1]))


def numbered(reader: Interpreter, link: Meaning, letters: set[str]) -> dict[str, int] | None:
    """3 for t, and 1 for the k of ∂h_t/∂h_k, which comes before it; None where no slope says which comes first.

    At one step for both, a product from k + 1 to t would be empty, and one from k + 2 as well.
    """
    if len(letters) < 2:
        return dict.fromkeys(letters, STEP)
    later = set[tuple[str, str]]()
    for node in (n for side in (link.left, link.right) for n in walk(side) if isinstance(n, tree.Derivative)):
        of, by = _letters_below(reader, node.of), _letters_below(reader, node.by[0][0])
        later |= {(a, b) for a in of & letters for b in by & letters if a != b}
    pair = next(iter(later), None)
    if len(letters) > 2 or pair is None or len(later) != 1:
        return None
    return {pair[0]: STEP, pair[1]: FIRST}


def _letters_below(reader: Interpreter, node: tree.Node | None) -> set[str]:
    parts = None if node is None else reader.parts(node)
    return set() if parts is None else {n.name for s in parts.subscripts for n in walk(s) if isinstance(n, tree.Symbol)}


def _of_a_loss(reader: Interpreter, link: Meaning) -> bool:
    """Whether a link is about slopes of a loss."""
    nodes = (n for side in (link.left, link.right) for n in walk(side))
    of = (reader.parts(n.of) for n in nodes if isinstance(n, (tree.Derivative, tree.Gradient)) and n.of is not None)
    return any(p is not None and objective(p.name) for p in of)


def running_over(link: Meaning) -> tuple[set[str], set[str]]:
    """The letters that sums and products run over, and the names in the ends of those."""
    bound, ends = set[str](), set[str]()
    for node in (n for side in (link.left, link.right) for n in walk(side)):
        if isinstance(node, tree.Big) and isinstance(node.sub, tree.Chain):
            bound.add(letter_of(node.sub.sides[0]))
            ends |= {n.name for n in walk(node.sup) if isinstance(n, tree.Symbol)} if node.sup is not None else set()
    return bound, ends


def _steps(reader: Interpreter, scope: Scope, link: Meaning) -> tuple[set[str], set[int], set[str]]:
    """The letters and the numbers below recurrent names, and the names of numbers of steps."""
    recurrent = {name for (name, rank), f in scope.formulas.items() if rank == 1 and f.recurrent}
    letters, numbers = set[str](), set[int]()
    bound, counts = running_over(link)
    for node in (n for side in (link.left, link.right) for n in walk(side)):
        parts = reader.parts(node) if isinstance(node, tree.Scripted) else None
        if parts is None or len(parts.subscripts) != 1:
            continue
        touched = parts.name in recurrent or any(scope.depends(parts.name, 1, r) for r in recurrent)
        if touched or parts.name.removeprefix("Δ") in recurrent:
            numbers |= {int(n.text) for n in walk(parts.subscripts[0]) if isinstance(n, tree.Number) and touched}
            letters |= {n.name for n in walk(parts.subscripts[0]) if isinstance(n, tree.Symbol)}
    if not letters | numbers:
        return set(), set(), set()
    small = {n for n in numbers if n <= 2 * STEPS}
    return letters - bound, {n for n in small if n > 1} if letters else small, counts - letters - bound
