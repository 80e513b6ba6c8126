"""Slips that people make in formulas, beyond those that the checker itself tries when it looks for what was meant.

Wrong names, functions, bounds, indices, transposes, products and digits; each is planted wherever it can stand.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from symdl.verification.judging.edits import edits, scaled
from symdl.verification.notation import UnreadError, latex, parse, tree
from symdl.verification.notation.tree import Node

_FUNCTIONS = {
    "tanh": ("σ", "sin"),
    "exp": ("log", "sinh"),
    "log": ("exp", "sin"),
    "sin": ("tanh", "exp"),
    "cos": ("sin", "cosh"),
    "cosh": ("cos",),
    "sinh": ("sin",),
}
_TOP = tree.Symbol("⊤")


@dataclass(frozen=True)
class Words:
    """What may be mixed up in a formula.

    Args:
        letters: of indices.
        names: of numbers and lists.
    """

    letters: Sequence[str] = ()
    names: Sequence[str] = ()


def slips(node: Node, words: Words) -> Iterator[tuple[str, Node]]:
    """Every formula that is one slip of this kind away, with the kind."""
    yield from _here(node, words)
    for part in fields(node):
        value = getattr(node, part.name)
        if isinstance(value, Node):
            for kind, other in slips(value, words):
                yield kind, replace(node, **{part.name: other})
        elif isinstance(value, tuple):
            for kind, changed in _inside(value, words):
                yield kind, replace(node, **{part.name: changed})


def _inside(values: tuple[Any, ...], words: Words) -> Iterator[tuple[str, tuple[Any, ...]]]:
    for k, value in enumerate(values):
        if isinstance(value, Node):
            changed = slips(value, words)
        elif isinstance(value, tuple):
            changed = _inside(value, words)
        else:
            continue
        for kind, other in changed:
            yield kind, (*values[:k], other, *values[k + 1 :])


def _here(node: Node, words: Words) -> Iterator[tuple[str, Node]]:
    if isinstance(node, tree.Applied):
        yield from _of_function(node)
    elif isinstance(node, tree.Product):
        yield from _of_product(node)
    elif isinstance(node, tree.Big):
        yield from _of_bounds(node)
    elif isinstance(node, tree.Scripted):
        yield from _of_scripts(node, words)
    elif isinstance(node, tree.Number):
        yield from _of_digits(node)
    elif isinstance(node, tree.Symbol):
        if node.name == "σ" and not node.face:
            yield "function", replace(node, name="tanh")
        for name in words.names if node.name in words.names else ():
            if name != node.name:
                yield "name", replace(node, name=name)
    elif isinstance(node, tree.Root):
        yield "exponent", node.body
    elif isinstance(node, tree.Quotient):
        yield "factor", node.over
    elif isinstance(node, tree.Group) and not isinstance(node.body, (tree.List, tree.Symbol)):
        yield "transpose", tree.Scripted(node, sup=_TOP)


def _of_function(node: tree.Applied) -> Iterator[tuple[str, Node]]:
    scripted = isinstance(node.function, tree.Scripted)
    symbol = node.function.base if scripted else node.function
    for name in _FUNCTIONS.get(symbol.name, ()):
        if name == "σ":
            if isinstance(node.argument, tree.Group) and not scripted:
                yield "function", tree.Product((tree.Symbol("σ"), node.argument), ("",))
            continue
        other = replace(symbol, name=name)
        yield "function", replace(node, function=replace(node.function, base=other) if scripted else other)
    if not scripted:
        yield "function", node.argument
    if symbol.name == "max":
        inner = node.argument.body
        if isinstance(inner, tree.List):
            yield "function", tree.Group(inner.items[-1])


def _of_product(node: tree.Product) -> Iterator[tuple[str, Node]]:
    for k, op in enumerate(node.ops):
        pair = node.factors[k + 1], node.factors[k]
        yield "order", replace(node, factors=(*node.factors[:k], *pair, *node.factors[k + 2 :]))
        if op == "⊙":
            yield "product", replace(node, ops=(*node.ops[:k], "", *node.ops[k + 1 :]))
        elif op == "":
            yield "product", replace(node, ops=(*node.ops[:k], "⊙", *node.ops[k + 1 :]))
    if node.ops and set(node.ops) <= {"", "·", "⊙"}:
        yield "sum", tree.Group(tree.Sum((("+", node.factors[0]), ("+", _rest(node)))))


def _rest(node: tree.Product) -> Node:
    return node.factors[1] if len(node.factors) == 2 else replace(node, factors=node.factors[1:], ops=node.ops[1:])


def _of_bounds(node: tree.Big) -> Iterator[tuple[str, Node]]:
    if isinstance(node.sub, tree.Chain):
        letter, first = node.sub.sides
        for other in _near(first):
            yield "bound", replace(node, sub=replace(node.sub, sides=(letter, other)))
    for other in _near(node.sup) if node.sup is not None else ():
        yield "bound", replace(node, sup=other)
    if node.op == "sum":
        yield "function", replace(node, op="prod")


def _near(node: Node) -> Iterator[Node]:
    """One more and one less."""
    if isinstance(node, tree.Number) and node.text.isdigit():
        yield tree.Number(str(int(node.text) + 1))
        if int(node.text):
            yield tree.Number(str(int(node.text) - 1))
    elif isinstance(node, tree.Symbol):
        for sign in "+-":
            yield tree.Sum((("+", node), (sign, tree.Number("1"))))


def _of_scripts(node: tree.Scripted, words: Words) -> Iterator[tuple[str, Node]]:
    subs = _subscripts(node.sub)
    for k, sub in enumerate(subs):
        if not isinstance(sub, tree.Symbol) or sub.name not in words.letters:
            continue
        for letter in words.letters:
            if letter != sub.name:
                yield "index", _with_sub(node, k, replace(sub, name=letter))
        if len(subs) == 1:
            for sign in "+-":
                yield "index", _with_sub(node, k, tree.Sum((("+", sub), (sign, tree.Number("1")))))
    if len(subs) == 1 and isinstance(node.sub, tree.Number) and node.sub.text.isdigit():
        yield "index", replace(node, sub=tree.Number(str(int(node.sub.text) + 1)))
    if node.primes:
        lower = replace(node, primes=node.primes - 1)
        yield "function", node.base if not lower.primes and node.sub is node.sup is None else lower
    if isinstance(node.sup, tree.Sum) and len(node.sup.terms) == 1:
        yield "exponent", replace(node, sup=node.sup.terms[0][1])
    if node.sup is not None and node.sub is None and not node.primes:
        yield "exponent", node.base


def _subscripts(sub: Node | None) -> tuple[Node, ...]:
    if sub is None:
        return ()
    return sub.factors if isinstance(sub, tree.Product) else (sub,)


def _with_sub(node: tree.Scripted, k: int, other: Node) -> Node:
    subs = _subscripts(node.sub)
    made = (*subs[:k], other, *subs[k + 1 :])
    return replace(node, sub=made[0] if len(made) == 1 else replace(node.sub, factors=made))


def _of_digits(node: tree.Number) -> Iterator[tuple[str, Node]]:
    text = node.text
    for k, digit in enumerate(text):
        if not digit.isdigit():
            continue
        for other in {(int(digit) + 1) % 10, (int(digit) + 5) % 10, (int(digit) - 1) % 10}:
            yield "digit", replace(node, text=text[:k] + str(other) + text[k + 1 :])
    if "." in text and len(text.partition(".")[2]) > 1:
        whole, _, decimals = text.partition(".")
        yield "point", replace(node, text=f"{whole}{decimals[0]}.{decimals[1:]}".lstrip("0") or "0")
        yield "digit", replace(node, text=text[:-1])


def mutants(chain: tree.Chain, words: Words, most: int, draw: random.Random) -> list[tuple[str, tree.Chain]]:
    """A claim with slips on a side behind its first: some with one, and the rest with two."""
    once = list(_slipped(chain, words))
    draw.shuffle(once)
    seen, found = {chain}, []
    for kind, made in once:
        if len(found) >= 2 * most / 3:
            break
        if made not in seen and written(made):
            seen.add(made)
            found.append((kind, made))
    for _ in range(4 * most):
        if len(found) >= most:
            break
        kind, first = draw.choice(once)
        second, made = draw.choice(list(_slipped(first, words)) or [("", chain)])
        if made not in seen and written(made):
            seen.add(made)
            found.append((f"{kind}, {second}", made))
    return found


def _slipped(chain: tree.Chain, words: Words) -> Iterator[tuple[str, tree.Chain]]:
    for k in range(1, len(chain.sides)):
        side = chain.sides[k]
        for kind, other in [*scaled(side), *edits(side, words.letters), *slips(side, words)]:
            yield kind, replace(chain, sides=(*chain.sides[:k], other, *chain.sides[k + 1 :]))


def written(node: Node) -> bool:
    """Whether a slip leaves something that can be written down: 2 5 is one number or none."""
    try:
        return parse(latex(node)) == node
    except (UnreadError, ValueError):
        return False
