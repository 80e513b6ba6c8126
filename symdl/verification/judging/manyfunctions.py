"""f_i(𝐱) of functions that a letter counts: f(𝐱) = (1/n) Σ_i f_i(𝐱), and ∇f(𝐱) = (1/n) Σ_i ∇f_i(𝐱).

Each f_i is an unknown function of its own, f of i and 𝐱. What f is made of is put in, and ∇ goes to the terms of sums,
since it is linear. What is then equal is so for all functions f_i; nothing is refuted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from symdl.verification.judging.doubts import Pair
from symdl.verification.judging.lengths import at_three
from symdl.verification.meaning.generic import argument_of
from symdl.verification.meaning.names import function_letter
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.statements import Reading
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk
from symdl.verification.verdict import Verdict

#: What follows the letter of such functions, which no name has.
_MARK = "‥"


def of_many_functions(reading: Reading, link: Meaning, decide: Callable[[Pair], Verdict]) -> Verdict | None:
    """The proof for all functions f_i; None where there is none, or where no such function stands in a link.

    Args:
        decide: judges an equality.
    """
    if link.relation not in ("=", "≡"):
        return None
    made = {head: value for head, value in reading.unread.items() if any(map(_is_one, walk(value)))}
    sides = [_put_in(reading, side, made) for side in (link.left, link.right)]
    if sides == [link.left, link.right] and not any(_is_one(n) for side in sides for n in walk(side)):
        return None
    left, right = map(_with_numbers, sides)
    found = at_three(reading, replace(link, left=left, right=right), decide)
    names = {n.factors[0].base.name for side in sides for n in walk(side) if _is_one(n)}  # type: ignore[attr-defined]
    told = f"all functions {', '.join(f'{name}_i' for name in sorted(names))}"
    return None if found is None else replace(found, scope=f"all real values; {told}; vectors of 3 entries")


def _is_one(node: Node) -> bool:
    """f_i(𝐱)."""
    if (call := tree.called(node)) is None:
        return False
    name, group = call
    plain = isinstance(name, tree.Scripted) and name.sup is None and not name.primes
    if not plain or not isinstance(name, tree.Scripted) or not isinstance(name.base, tree.Symbol):
        return False
    letter = isinstance(name.sub, tree.Symbol) and len(name.sub.name) == 1
    return letter and function_letter(name.base.name) and group.open == "("


def _put_in(reading: Reading, node: Node, made: dict[Node, Node]) -> Node:
    """A side with what f(𝐱) is made of, and ∇ before single functions; the mean over i as one over all of them."""
    if node in made:
        return tree.Group(made[node])
    if isinstance(node, tree.Gradient) and node.order == 1:
        of = tree.Group(made[node.of]) if node.of in made else node.of
        by = node.by if node.by is not None else argument_of(node.of)
        inner = None if by is None else _sloped(of, by)
        return tree.mapped(node, lambda n: _put_in(reading, n, made)) if inner is None else inner
    if isinstance(node, tree.Big) and node.op == "E" and isinstance(node.sub, tree.Symbol):
        over = _mean_over(reading, node.sub, made)
        if over is not None:
            body = _put_in(reading, node.body, made)
            return tree.Product((over[0], replace(over[1], body=body)), ("",))
    return tree.mapped(node, lambda n: _put_in(reading, n, made))


def _mean_over(reading: Reading, letter: tree.Symbol, made: dict[Node, Node]) -> tuple[Node, tree.Big] | None:
    """1/n and Σ_{i=1}^n of 𝔼_i, where words say that i is drawn uniformly."""
    if letter.name not in reading.moments.uniform:
        return None
    for value in made.values():
        for node in (n for n in walk(value) if isinstance(n, tree.Big) and n.op == "sum" and n.sup is not None):
            if isinstance(node.sub, tree.Chain) and node.sub.sides == (letter, tree.Number("1")):
                return tree.Quotient(tree.Number("1"), node.sup), node  # type: ignore[arg-type]
    return None


def _sloped(node: Node, by: Node) -> Node | None:
    """∇ of a sum of single functions, term by term; None of anything else."""
    if _is_one(node):
        return tree.Gradient(node, by)
    if isinstance(node, tree.Group):
        inner = _sloped(node.body, by)
        return None if inner is None else tree.Group(inner)
    if isinstance(node, tree.Sum):
        terms = [(sign, _sloped(term, by)) for sign, term in node.terms]
        plain = [(sign, term) for sign, term in terms if term is not None]
        return tree.Sum(tuple(plain)) if len(plain) == len(terms) else None
    if isinstance(node, tree.Big) and node.op == "sum":
        inner = _sloped(node.body, by)
        return None if inner is None else replace(node, body=inner)
    if isinstance(node, tree.Product):
        inside = [k for k, factor in enumerate(node.factors) if any(map(_is_one, walk(factor)))]
        beside = [f for k, f in enumerate(node.factors) if k not in inside]
        if len(inside) != 1 or any(n == by for f in beside for n in walk(f)):
            return None
        inner = _sloped(node.factors[inside[0]], by)
        made = tuple(inner if k == inside[0] else f for k, f in enumerate(node.factors))
        return None if inner is None else tree.Product(made, node.ops)  # type: ignore[arg-type]
    return None


def _with_numbers(node: Node) -> Node:
    """f(i, 𝐱) for f_i(𝐱)."""
    node = tree.mapped(node, _with_numbers)
    if not _is_one(node) or not isinstance(node, tree.Product):
        return node
    name, group = node.factors
    assert isinstance(name, tree.Scripted) and isinstance(name.base, tree.Symbol) and isinstance(group, tree.Group)
    items = group.items
    assert name.sub is not None
    inner = tree.List((name.sub, *items), "," * len(items))
    return tree.Product((tree.Symbol(name.base.name + _MARK), replace(group, body=inner)), ("",))
