"""The softmax as documents write it: σ of σ(z)_i = e^{z_i} / Σ_j e^{z_j}, which is no sigmoid then, and softmax_j."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from symdl.verification.meaning.names import letter_of
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk

_SOFTMAX = tree.Symbol("softmax", "rm")


def softmaxes_named(formulas: Iterable[Node]) -> dict[str, tree.Symbol | None]:
    """The letters, where nothing else is said of them, with the z whose softmax ∂σ_i/∂z_j is about where that stands.

    >>> from symdl.verification.notation import parse
    >>> softmaxes_named([parse(r"\\sigma(z)_i = \\frac{e^{z_i}}{\\sum_j e^{z_j}}")])
    {'σ': None}
    """
    found, others = dict[str, tree.Symbol](), set[str]()
    formulas = list(formulas)
    for chain in (n for formula in formulas for n in walk(formula) if isinstance(n, tree.Chain)):
        for left, right in zip(chain.sides, chain.sides[1:], strict=False):
            name = _applied(left)
            if name is not None and _is_softmax(right, name[1]):
                found.setdefault(name[0], tree.Symbol(name[1][0]))
            elif left is chain.sides[0] and isinstance(left, tree.Product) and len(left.factors) == 2:
                first, second = left.factors
                listed = any(isinstance(n, tree.List) for n in walk(right))  # σ(z) = (0.7, 0.3) is a softmax still
                again = any(n == first for n in walk(right))  # σ(z) = σ(z + c) says nothing else of σ
                plain = isinstance(first, tree.Symbol) and isinstance(second, tree.Group)
                if plain and isinstance(first, tree.Symbol) and not listed and not again:
                    others.add(first.name)
    slopes = {pair for formula in formulas for n in walk(formula) if (pair := _entries_of_a_slope(n)) is not None}
    return {s: z if (s, z.name) in slopes else None for s, z in found.items() if s not in others}


def _entries_of_a_slope(node: Node) -> tuple[str, str] | None:
    """σ and z of ∂σ_i/∂z_j."""
    if not isinstance(node, tree.Derivative) or len(node.by) != 1:
        return None
    bases = [n.base for n in (node.of, node.by[0][0]) if isinstance(n, tree.Scripted) and n.sub is not None]
    names = [b.name for b in bases if isinstance(b, tree.Symbol)]
    return (names[0], names[1]) if len(names) == 2 else None


def softmaxes_written(node: Node, names: Mapping[str, tree.Symbol | None]) -> Node:
    """A formula with softmax(z) for σ(z), softmax(z)_i for σ_i, and softmax_j(s_{ij}) by its quotient."""
    if not names and not any(isinstance(n, tree.Applied) and _over(n) is not None for n in walk(node)):
        return node
    node = tree.mapped(node, lambda inner: softmaxes_written(inner, names))
    if isinstance(node, tree.Applied):
        letter = _over(node)
        return node if letter is None else _quotient(node.argument, letter)
    if isinstance(node, tree.Scripted) and isinstance(node.base, tree.Symbol) and node.base.name in names:
        z = names[node.base.name] if not node.base.accents and node.sup is None and not node.primes else None
        entry = z is not None and isinstance(node.sub, tree.Symbol)
        return replace(node, base=tree.Applied(_SOFTMAX, tree.Group(z))) if z is not None and entry else node
    if not isinstance(node, tree.Product):
        return node
    for k, (first, second) in enumerate(zip(node.factors, node.factors[1:], strict=False)):
        group = second.base if isinstance(second, tree.Scripted) else second
        if isinstance(first, tree.Symbol) and first.name in names and isinstance(group, tree.Group) and not node.ops[k]:
            applied: Node = tree.Applied(_SOFTMAX, group)
            applied = replace(second, base=applied) if isinstance(second, tree.Scripted) else applied
            factors = (*node.factors[:k], applied, *node.factors[k + 2 :])
            ops = (*node.ops[:k], *node.ops[k + 1 :])
            made = replace(node, factors=factors, ops=ops) if len(factors) > 1 else factors[0]
            return softmaxes_written(made, names) if len(factors) > 1 else made
    return node


def _over(node: tree.Applied) -> tree.Symbol | None:
    """j of softmax_j(s_{ij}): the index that it runs over, at which it is taken too; None of anything else."""
    function = node.function
    if not isinstance(function, tree.Scripted) or function.sup is not None or function.primes:
        return None
    named = function.base if isinstance(function.base, tree.Symbol) else None
    letter = function.sub if isinstance(function.sub, tree.Symbol) else None
    if named is None or named.name != "softmax" or letter is None:
        return None
    return letter if letter.name in _indices(node.argument) else None


def _indices(node: Node) -> set[str]:
    scripts = [s for n in walk(node) if isinstance(n, tree.Scripted) for s in (n.sub, n.sup) if s is not None]
    return {letter_of(n) for script in scripts for n in walk(script)} - {""}


def _quotient(argument: Node, letter: tree.Symbol) -> Node:
    """e^{s_{ij}} / Σ_{j'} e^{s_{ij'}}."""
    own = argument.body if isinstance(argument, tree.Group) else argument
    primes = 1
    while letter.name + "'" * primes in _indices(own):
        primes += 1
    other = tree.Scripted(letter, primes=primes)

    def renamed(node: Node) -> Node:
        if isinstance(node, tree.Scripted):
            sub, sup = (None if s is None else _replaced(s, letter, other) for s in (node.sub, node.sup))
            return replace(node, base=renamed(node.base), sub=sub, sup=sup)
        return tree.mapped(node, renamed)

    over, under = (tree.Applied(tree.Symbol("exp", "rm"), tree.Group(side)) for side in (own, renamed(own)))
    return tree.Quotient(over, tree.Big("sum", other, None, under))


def _replaced(node: Node, name: Node, by: Node) -> Node:
    return by if node == name else tree.mapped(node, lambda inner: _replaced(inner, name, by))


def _applied(node: Node) -> tuple[str, tuple[str, str]] | None:
    """σ, z and i of σ(z)_i."""
    if not isinstance(node, tree.Product) or len(node.factors) != 2 or node.ops != ("",):
        return None
    first, second = node.factors
    if not isinstance(first, tree.Symbol) or not isinstance(second, tree.Scripted) or second.sup is not None:
        return None
    group, sub = second.base, second.sub
    if not isinstance(group, tree.Group) or not isinstance(group.body, tree.Symbol) or not isinstance(sub, tree.Symbol):
        return None
    return first.name, (group.body.name, sub.name)


def _is_softmax(node: Node, entry: tuple[str, str]) -> bool:
    """e^{z_i} / Σ_j e^{z_j}."""
    if not isinstance(node, tree.Quotient) or not isinstance(node.under, tree.Big) or node.under.op != "sum":
        return False
    over, under = _exponent(node.over), _exponent(node.under.body)
    if over is None or under is None or over != entry or under[0] != entry[0]:
        return False
    sub = node.under.sub
    letter = sub.sides[0] if isinstance(sub, tree.Chain) else sub
    return isinstance(letter, tree.Symbol) and letter.name == under[1]


def _exponent(node: Node) -> tuple[str, str] | None:
    """z and i of e^{z_i} and of exp(z_i)."""
    power: Node | None = None
    if isinstance(node, tree.Scripted) and node.base == tree.Symbol("e") and node.sub is None:
        power = node.sup
    elif isinstance(node, tree.Applied) and isinstance(node.function, tree.Symbol) and node.function.name == "exp":
        power = node.argument.body if isinstance(node.argument, tree.Group) else node.argument
    if not isinstance(power, tree.Scripted) or power.sup is not None:
        return None
    base, sub = power.base, power.sub
    if not isinstance(base, tree.Symbol) or not isinstance(sub, tree.Symbol):
        return None
    return base.name, sub.name
