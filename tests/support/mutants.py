"""Right derivations, and what small slips make of them: each slip that changes a value has to be found.

Whether it changes one is decided by `support.numeric`, a second reader that works in numbers at random points; and so
is whether the two sides have, at the witness of a refutation, the values that it tells.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any
from unittest import mock

import numpy as np
from mpmath import iv, mp, mpf

from support.lessons import Lesson
from support.numeric import FAILURES, ORDERS, Misfit, Numbers, Unknown, heads, subscripts
from support.slips import Words, mutants
from symdl.verification.documents.spans import Document, Span
from symdl.verification.judging import judge as judging
from symdl.verification.judging.report import Judged
from symdl.verification.judging.suggestions import suggestion
from symdl.verification.notation import parse, tree
from symdl.verification.verdict import Witness

#: Values closer than this are taken for equal; derivatives by differences are good to about half of 50 digits.
CLOSE = mpf(10) ** -15
PRIMES = (3, 2, 5, 7, 11)
LETTERS = "ijkl"


# ── what the checker says ────────────────────────────────────────────────────────────────────────────────────────────


def verdict(lesson: Lesson, claim: str) -> Judged:
    """What the checker says of a claim that stands in a document after the definitions of its lesson."""
    texts = (*lesson.declared, *lesson.definitions, claim)
    spans = tuple(Span("lesson.md", k + 1, 1, "display", t, t, block=k) for k, t in enumerate(texts))
    last = len(spans) - 1
    told = mock.patch.object(judging, "in_its_place", lambda judge, link: "")
    with told, mock.patch.object(judging, "suggestion", _that_counts):
        found = dict(judging.judge(Document("lesson.md", "markdown", "", spans), only=lambda k: k == last))
    return found[last]


def _that_counts(judge: Any, link: Any) -> str:
    """What may have been meant, where the verdict hangs on it."""
    return suggestion(judge, link) if link.redefines else ""


def slips_of(lesson: Lesson, claim: str, most: int, seed: int = 0) -> list[tuple[str, tree.Chain]]:
    """Some of the claims that a slip or two make of one."""
    chain = parse(claim)
    used = {n.name for n in tree.walk(chain) if isinstance(n, tree.Symbol)}
    letters = [x for x in LETTERS if x in used]
    names = [n for n, axes in lesson.shapes.items() if not axes or lesson.bold]
    return mutants(chain, Words(letters, names), most, random.Random(f"{seed}/{claim}"))


# ── points ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _sizes(lesson: Lesson, chain: tree.Chain, seed: int) -> dict[str, int]:
    """How long each axis is: different ones differ, unless an index runs over both."""
    one: dict[str, str] = {}

    def root(letter: str) -> str:
        while one.get(letter, letter) != letter:
            letter = one[letter]
        return letter

    axes = {x for shape in lesson.shapes.values() for x in shape}
    for letter, axis in _uses((*_trees(lesson), chain), lesson):
        if root(letter) != root(axis):
            one[root(letter)] = root(axis)
    letters = sorted({*LETTERS, *axes, *one})
    roots = sorted({root(x) for x in letters}, key=lambda r: (r not in axes, r))
    primes = (*PRIMES[seed % 3 : 3], *PRIMES[: seed % 3], *PRIMES[3:])
    length = dict(zip(roots, primes, strict=False))
    return {x: length.get(root(x), 2) for x in letters}


def _uses(trees: tuple[tree.Node, ...], lesson: Lesson) -> Iterator[tuple[str, str]]:
    """Letters that subscript something, each with the letter of the axis that it reads."""
    shapes = dict(lesson.shapes)
    for chain in _trees(lesson):
        name, subs, _ = heads(chain.sides[0])
        shapes.setdefault(name, "".join(subs))
    for node in (n for t in trees for n in tree.walk(t)):
        if isinstance(node, tree.Scripted) and isinstance(node.base, tree.Symbol) and node.sub is not None:
            for letter, axis in zip(subscripts(node.sub), shapes.get(node.base.name, ""), strict=False):
                if isinstance(letter, tree.Symbol):
                    yield letter.name, axis


@lru_cache(maxsize=100)
def _parsed(texts: tuple[str, ...]) -> tuple[tree.Chain, ...]:
    return tuple(parse(t) for t in texts)


def _trees(lesson: Lesson) -> tuple[tree.Chain, ...]:
    return _parsed(lesson.definitions)


def _point(lesson: Lesson, chain: tree.Chain, seed: int) -> Numbers:
    """Random numbers for what is given, entries beyond its ends too, and for free letters."""

    @cache
    def given(name: str, *places: int) -> mpf:
        draw = random.Random(f"{seed}/{name}/{places}")
        value = mpf(draw.randint(-2000, 2000) or 7) / (1009 if seed < 7 else 101)
        return abs(value) if name in lesson.positive else value

    sizes = _sizes(lesson, chain, seed)
    numbers = Numbers(given, lesson.shapes, sizes, _trees(lesson))
    # at first all letters are 1: where two indices are equal counts as well
    numbers.letters = {x: 1 + (seed + k) % sizes[x] if seed else 1 for k, x in enumerate(_free(lesson, chain))}
    return numbers


def _free(lesson: Lesson, chain: tree.Chain) -> list[str]:
    return sorted({n.name for n in tree.walk(chain) if isinstance(n, tree.Symbol) and n.name in LETTERS})


def differs(lesson: Lesson, chain: tree.Chain) -> bool | None:
    """Whether it is wrong at one of some points; None where the second reader does not work it out."""
    orders = any(r in ORDERS for r in chain.relations)
    with mp.workdps(50):
        for seed in range(60 if orders else 7):
            try:
                if not _holds(lesson, chain, seed):
                    return True
            except Misfit:
                return True
            except (Unknown, *FAILURES):
                if seed == 0 or not orders:
                    return None
    return False


def _holds(lesson: Lesson, chain: tree.Chain, seed: int) -> bool:
    numbers = _point(lesson, chain, seed)
    values = [numbers.value(side) for side in chain.sides]
    derived = any(isinstance(n, (tree.Derivative, tree.Gradient)) for n in tree.walk(chain))
    for k, relation in enumerate(chain.relations):
        a, b = values[k], values[k + 1]
        if relation in ORDERS:
            if not ORDERS[relation](a, b) and abs(a - b) > CLOSE * (1 + abs(a)):
                return False
        elif not _same(a, b, layout=derived) and not _rounds(
            chain.sides[k : k + 2], values[k : k + 2], relation, _stated(lesson)
        ):
            return False
    return True


def _same(a: Any, b: Any, *, layout: bool) -> bool:
    if isinstance(a, np.ndarray) != isinstance(b, np.ndarray):
        number, array = (b, a) if isinstance(a, np.ndarray) else (a, b)
        return all(abs(x - number) <= CLOSE * (1 + abs(number)) for x in np.ravel(array))
    if not isinstance(a, np.ndarray):
        return abs(a - b) <= CLOSE * (1 + abs(a))
    if a.shape != b.shape:
        if not layout or 1 not in a.shape or a.shape != b.shape[::-1]:
            raise Misfit(f"{a.shape} = {b.shape}")
        b = b.T  # a derivative is a row or a column as the layout wants it
    return all(abs(x - y) <= CLOSE * (1 + abs(x)) for x, y in zip(np.ravel(a), np.ravel(b), strict=True))


def _stated(lesson: Lesson) -> frozenset[str]:
    """Figures that a document states are no rounded ones."""
    return frozenset(n.text for d in _trees(lesson) for n in tree.walk(d) if isinstance(n, tree.Number))


def _nothing(name: str, *places: int) -> Any:
    raise Unknown(name)


def _rounds(sides: tuple[tree.Node, ...], values: list[Any], relation: str, stated: frozenset[str]) -> bool:
    """Whether the two agree once every figure with decimals is any number that rounds to it."""
    if not any(isinstance(n, tree.Number) and ("." in n.text or relation == "≈") for s in sides for n in tree.walk(s)):
        return False
    if any(isinstance(v, np.ndarray) for v in values):
        return False
    found = []
    for side, value in zip(sides, values, strict=True):
        written = Numbers(_nothing, {}, {}, (), iv, stated)
        try:
            spread = written.value(side)
        except (Unknown, *FAILURES):
            spread = iv.mpf(value)
        if relation == "≈" and isinstance(side, tree.Number) and "." not in side.text:
            zeros = len(side.text) - len(side.text.rstrip("0"))
            spread += iv.mpf([-1, 1]) * mpf(10) ** (zeros if int(side.text) else 0) / 2
        found.append(spread)
    first, second = found
    return bool(first.a <= second.b and second.a <= first.b)


# ── witnesses ────────────────────────────────────────────────────────────────────────────────────────────────────────


def witnessed(lesson: Lesson, chain: tree.Chain, witness: Witness) -> bool | None:
    """Whether the two sides have at the witness' point the values that it tells; None where that is not worked out."""
    entries: dict[tuple[Any, ...], mpf] = {}
    extents: dict[str, int] = {}
    letters: dict[str, int] = {}
    defined = _defined(lesson)
    with mp.workdps(50):
        for name, told in witness.point.items():
            found = re.fullmatch(r"(\w+)\[(.+)\]", name)
            if found and lesson.shapes.get(found[1]) == "":
                return None  # a number that is read as a vector
            if found:
                entries[(found[1], *map(int, found[2].split(", ")))] = _number(told)
            elif name in lesson.shapes or name in defined:
                entries[name,] = _number(told)
            elif name in LETTERS:
                letters[name] = int(told)
            elif "/" in told or "-" in told:
                return None  # a name of no lesson
            else:
                extents[name] = int(told)
        sizes = _told(lesson, chain, extents, entries)
        if sizes is None:
            return None
        missing = random.Random(0)
        drawn: dict[Any, mpf] = {}

        def given(*key: Any) -> mpf:
            if key in entries:
                return entries[key]
            return drawn.setdefault(key, mpf(missing.randint(1, 999)) / 1009)

        numbers = Numbers(given, lesson.shapes, sizes, _trees(lesson))
        numbers.fixed.update({k: v for k, v in entries.items() if k[0] in numbers.defined})
        numbers.letters = {x: letters.get(x, 1) for x in _free(lesson, chain)}
        try:
            values = [numbers.value(side) for side in chain.sides]
        except (Unknown, Misfit, *FAILURES):
            return None
        if any(_are(pair, witness) for pair in pairwise(values)):
            return True
        # where a formula counts from 0, whether all names do is the document's affair
        zeros = {n.text for n in tree.walk(chain) if isinstance(n, tree.Number)} & {"0"}
        return None if zeros and any(0 in places for _, *places in entries) else False


def _are(values: tuple[Any, Any], witness: Witness) -> bool:
    for value, text in zip(values, (witness.left, witness.right), strict=True):
        told = mpf(re.sub(r"[\[\] ]|\+/-.*", "", text) or 0)
        found = np.ravel(value) if isinstance(value, np.ndarray) else [value]
        if not any(abs(v - told) <= mpf(10) ** -9 * (1 + abs(told)) for v in found):
            return False
    return True


def _defined(lesson: Lesson) -> dict[str, Any]:
    return {(found := heads(d.sides[0]))[0]: (found[1], found[2], d) for d in _trees(lesson)}


def _told(
    lesson: Lesson, chain: tree.Chain, extents: dict[str, int], entries: dict[tuple[Any, ...], mpf]
) -> dict[str, int] | None:
    """How long each axis is at a witness; None where one letter would have two lengths."""
    sizes: dict[str, set[int]] = {}
    shapes = {**{n: "".join(subs) for n, (subs, _, _) in _defined(lesson).items()}, **lesson.shapes}
    for name, told in extents.items():
        found = re.fullmatch(r"(?:n_)?(Σ?\w?)(\d*)(\.\d+)?", name)
        if found is None:
            continue
        axes = shapes.get(found[1], "")
        letter = found[1]
        if name.startswith("n_") and axes:
            letter = axes[int(found[2] or 1) - 1]
        sizes.setdefault(letter, set()).add(told)
    for name, axes in lesson.shapes.items():
        for k, letter in enumerate(axes):
            if letter not in sizes and (seen := [places[k] for n, *places in entries if n == name]):
                sizes[letter] = {max(seen)}
    if any(len(s) > 1 for s in sizes.values()):
        return None
    made = {x: s.pop() for x, s in sizes.items()}
    for letter, axis in _uses((*_trees(lesson), chain), lesson):
        for one, other in ((letter, axis), (axis, letter)):
            if one in made and other not in made:
                made[other] = made[one]
    return {**dict.fromkeys((*LETTERS, *"".join(lesson.shapes.values())), 1), **made}


def _number(text: str) -> mpf:
    over, _, under = text.partition("/")
    return mpf(over) / mpf(under or 1)
