"""The claims of one formula, each with the conditions that stand beside it: "a = b, i ≠ j", "… = 0 if x < 0"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeGuard

from symdl.verification.judging.conditions import OPPOSITE, is_condition, names_of, of_indices
from symdl.verification.meaning.generic import of_what_was_set
from symdl.verification.meaning.telling import PROBLEM
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node

#: Arrows and words between a definition and what follows from it.
CONCLUDING = frozenset({"→", "⇒", "⟹", "and hence", "so"})

#: Arrows from a condition to what holds under it.
_IMPLYING, _ORDERS = frozenset({"⇒", "⟹"}), frozenset({"<", "≤", ">", "≥", "≠"})

#: Words that put what stands before them under a condition, and marks between a claim and where it holds.
_IF, _WHERE = frozenset({"if", "when", "whenever", "unless", "iff"}), frozenset({",", " ", ";", "for", "for all", "on"})
_REASONS = frozenset({"because", "since", "∵"})

#: A condition that nobody understands.
UNCLEAR = tree.Chain((tree.Text("a condition"), tree.Number("0")), ("≠",))


@dataclass(frozen=True)
class Claim:
    """One claim of a formula.

    Args:
        chain: what is claimed.
        under: the conditions beside it.
        passing: it is itself such a condition, and says nothing of what follows.
        beside: it is itself such a condition.
        aside: it says why another one holds, which what follows does not go on from.
        introduced: by "let", so that it may give a name another meaning.
    """

    chain: tree.Chain
    under: tuple[tree.Chain, ...] = ()
    passing: bool = False
    beside: bool = False
    aside: bool = False
    introduced: bool = False


def claims(node: Node) -> Iterator[Claim]:
    """What a formula claims, in order; conditions too, behind what they belong to.

    >>> from symdl.verification.notation import parse, unicode
    >>> for each in claims(parse(r"a_j = b_i, \\quad i = j")):
    ...     print(unicode(each.chain), [unicode(c) for c in each.under], each.passing)
    aⱼ = bᵢ ['i = j'] False
    i = j [] True
    """
    if isinstance(node, tree.Chain):
        yield from (Claim(chain) for chain in _implied(node))
    elif isinstance(node, tree.Noted):
        yield from claims(node.body)
    elif isinstance(node, tree.Statements):
        items = list(_concluded(node))
        marks = ("", *(mark.lower() for mark in node.separators))
        stated: list[tree.Chain] = []
        aside, constrained, k = False, False, 0
        given: list[tree.Chain] = []
        while k < len(items):
            item = items[k]
            if k + 1 < len(items) and marks[k + 1] in _IMPLYING and _is_order(item):
                given.append(item)  # x > 0 of x > 0 ⇒ |x| = x
                yield Claim(given[-1], passing=True, beside=True)
                k += 1
                continue
            constrained |= marks[k] in PROBLEM or (isinstance(item, tree.Text) and item.text.strip().lower() in PROBLEM)
            aside = marks[k] not in CONCLUDING and (aside or marks[k] in _REASONS)
            end, told, own = k + 1, list[tree.Chain](), list[Claim]()
            while end < len(items) and (found := _condition(items[k], items[end], marks[end])) is not None:
                told += found[0]
                own += found[1]
                end += 1
            if end < len(items) and marks[end] == "otherwise":
                told += _opposite(stated)
            stated += told
            told, given = [*given, *told], []
            for c in claims(items[k]):
                named = c.introduced or marks[k] == "let"
                chain = _turned(c.chain) if named else c.chain
                made = replace(c, chain=chain, under=(*c.under, *told), aside=c.aside or aside, introduced=named)
                yield replace(made, passing=True) if constrained or _is_alternative(items, marks, k) else made
            yield from own
            k = end


def _is_alternative(items: list[Node], marks: tuple[str, ...], k: int) -> bool:
    """Whether one of several values of a name stands there: x = 1 or x = 2 sets x to neither."""

    def sets(at: int) -> Node | None:
        item = items[at]
        return item.sides[0] if isinstance(item, tree.Chain) and item.relations == ("=",) else None

    beside = [at for at in (k - 1, k + 1) if 0 <= at < len(items) and marks[max(at, k)] == "or"]
    return sets(k) is not None and any(sets(at) == sets(k) for at in beside)


def last_side(node: Node) -> Node | None:
    """The side that a row which begins with a relation goes on from."""
    every = list(claims(node))
    found = [claim.chain for claim in every if not (claim.passing or claim.aside)]
    if not found:
        return None if isinstance(node, (tree.Text, tree.Empty)) or every else node
    sides = [s for s in found[-1].sides if not isinstance(s, tree.Empty)]
    return sides[-1] if sides else None


def _concluded(node: tree.Statements) -> Iterator[Node]:
    """The items, each of what follows from a definition as of that definition."""
    before: Node | None = None
    for item, mark in zip(node.items, ("", *node.separators), strict=False):
        if mark in CONCLUDING and isinstance(before, tree.Chain) and isinstance(item, tree.Chain):
            head = before.sides[0]
            item = replace(item, sides=tuple(of_what_was_set(head, side) for side in item.sides))
        before = item
        yield item


def _condition(claim: Node, item: Node, mark: str) -> tuple[list[tree.Chain], list[Claim]] | None:
    """The conditions that an item puts the claim before it under, and what is said of the item itself."""
    if not isinstance(claim, tree.Chain):
        return None
    chain = _plain(item)
    if chain is not None and is_condition(chain) and mark in _IF | _WHERE - {"unless"}:
        of_claim = not names_of(chain).isdisjoint(names_of(claim))
        if not of_claim and mark not in _IF:
            return None
        return [chain], [Claim(chain, passing=of_indices(chain) or mark in _IF, beside=True)]
    if mark in _IF:
        return [UNCLEAR], [] if chain is None else [Claim(chain, passing=True, beside=True)]
    return None


def _is_order(item: Node) -> TypeGuard[tree.Chain]:
    return isinstance(item, tree.Chain) and bool(item.relations) and set(item.relations) <= _ORDERS


def _turned(chain: tree.Chain) -> tree.Chain:
    """y = log x for "let log x = y"."""
    left, right = chain.sides[0], chain.sides[-1]
    turns = len(chain.sides) == 2 and chain.relations == ("=",) and isinstance(right, tree.Symbol)
    return replace(chain, sides=(right, left)) if turns and not isinstance(left, (tree.Symbol, tree.Empty)) else chain


def _plain(item: Node) -> tree.Chain | None:
    """i ≠ j of (i ≠ j), and x > 0 of ∀ x > 0."""
    chain = item.body if isinstance(item, tree.Group) else item
    if not isinstance(chain, tree.Chain):
        return None
    first = chain.sides[0]
    if isinstance(first, tree.Product) and first.factors[0] == tree.Symbol("∀") and len(first.factors) == 2:
        return replace(chain, sides=(first.factors[1], *chain.sides[1:]))
    return chain


def _opposite(stated: list[tree.Chain]) -> list[tree.Chain]:
    """Where none of what was stated so far holds."""
    if any(len(c.relations) != 1 or c.relations[0] not in OPPOSITE or c == UNCLEAR for c in stated):
        return [UNCLEAR]
    return [replace(c, relations=(OPPOSITE[c.relations[0]],)) for c in stated] or [UNCLEAR]


def _implied(chain: tree.Chain) -> Iterator[tree.Chain]:
    """f(x) = x² → f'(x) = 2x as two claims; w → w − η g stays one."""
    for k, relation in enumerate(chain.relations):
        before = chain.relations[:k]
        begins = k == 0 and isinstance(chain.sides[0], tree.Empty)
        if relation == "→" and set(chain.relations[k + 1 :]) >= {"="} and (begins or "=" in before):
            if before:
                yield replace(chain, sides=chain.sides[: k + 1], relations=before)
            after = [of_what_was_set(chain.sides[0], side) if before else side for side in chain.sides[k + 1 :]]
            yield from _implied(replace(chain, sides=tuple(after), relations=chain.relations[k + 1 :]))
            return
    yield chain
