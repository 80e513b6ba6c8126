"""H(p, q) = H(p) + D_KL(p ‖ q): entropies and divergences by what is summed in them, Σ_i p_i log q_i.

Each term of both sides is a number of times Σ p log p, Σ p log q and so on. H and D_KL are what everybody calls so,
unless a document says otherwise; p and q are probabilities of which none is 0 there.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from symdl.verification.judging.rules import Judging
from symdl.verification.meaning.names import letter_of
from symdl.verification.meaning.stated import Meaning
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node
from symdl.verification.verdict import Status, Verdict

#: How often Σ p log q stands in something, by p and q.
_Sums = Counter[tuple[str, str]]
_PROBABILITIES, _DIVERGENCES = frozenset("pqPQ"), frozenset({"KL", "D_KL"})


def by_entropies(judge: Judging, link: Meaning) -> Verdict | None:
    """The proof that both sides are made of the same sums; None of anything else, or where H is something else here."""
    if link.relation not in ("=", "≡"):
        return None
    reading = judge.reading
    for head, value in (*reading.sources.items(), *reading.unread.items()):
        if _value(head) is not None and _called(head) and _sums(head) != _sums(value):
            return None
    left, right = _sums(link.left), _sums(link.right)
    if left is None or right is None or left != right:
        return None
    if not (_called(link.left) or _called(link.right)) and not all(_PROBABILITIES.issuperset(pair) for pair in left):
        return None
    return Verdict(Status.PROVED, "sums of p log q", "all probabilities that are not 0")


def _called(node: Node) -> bool:
    """Whether H(p) or D_KL(p ‖ q) stands in a side."""
    return _value(node) is not None or any(_called(child) for child in tree.children(node))


def _value(node: Node) -> _Sums | None:
    """Of H(p), H(p, q) and D_KL(p ‖ q)."""
    if isinstance(node, tree.Applied):
        name, group = node.function, node.argument
    elif (call := tree.called(node)) is not None:
        name, group = call
    else:
        return None
    if not isinstance(group, tree.Group):
        return None
    items = group.items
    bar = group.body.separators if isinstance(group.body, tree.List) else ""
    if not all(isinstance(i, tree.Symbol) and len(i.name) == 1 for i in items):
        return None
    names = [i.name for i in items if isinstance(i, tree.Symbol)]
    called = name.name if isinstance(name, tree.Symbol) else ""
    if isinstance(name, tree.Scripted) and name.sup is None and isinstance(name.base, tree.Symbol):
        below = name.sub.name if isinstance(name.sub, tree.Symbol) else ""
        called = f"{name.base.name}_{below}"
    if called == "H" and bar in ("", ","):
        return Counter({(names[0], names[-1]): -1})
    if called in _DIVERGENCES and bar in ("‖", ",", "|"):
        found = Counter({(names[0], names[0]): 1})
        found[names[0], names[1]] -= 1
        return found
    return None


def _sums(node: Node) -> _Sums | None:
    """What a side is made of; None of anything else."""
    if isinstance(node, tree.Group):
        return _sums(node.body)
    if isinstance(node, tree.Sum):
        whole: _Sums = Counter()
        for sign, term in node.terms:
            found = _sums(term)
            if found is None or sign not in ("+", "-"):
                return None
            for key, times in found.items():
                whole[key] += times if sign == "+" else -times
        return Counter({key: times for key, times in whole.items() if times})
    if isinstance(node, tree.Big) and node.op == "sum" and node.sub is not None:
        letter = letter_of(node.sub.sides[0] if isinstance(node.sub, tree.Chain) else node.sub)
        return _summed(node.body, letter) if letter else None
    value = _value(node)
    return None if value is None else Counter({key: times for key, times in value.items() if times})


def _summed(body: Node, letter: str, sign: int = 1) -> _Sums | None:
    """Of p_i log q_i, of p(x) log (p(x)/q(x)), and of these with a sign before them."""
    if isinstance(body, tree.Group):
        return _summed(body.body, letter, sign)
    if isinstance(body, tree.Sum) and len(body.terms) == 1:
        return _summed(body.terms[0][1], letter, sign if body.terms[0][0] == "+" else -sign)
    if not isinstance(body, tree.Product) or len(body.factors) not in (2, 3) or not set(body.ops) <= {"", "·"}:
        return None
    first = body.factors[0] if len(body.factors) == 2 else replace(body, factors=body.factors[:2], ops=body.ops[:1])
    weight, logarithms = _entry(first, letter), _logarithms(body.factors[-1], letter)
    if not weight or logarithms is None:
        return None
    return Counter({(weight, name): sign * times for name, times in logarithms.items() if times})


def _logarithms(node: Node, letter: str) -> Counter[str] | None:
    """q and 1 of log q_i; p, 1 and q, −1 of log (p_i/q_i) and of (log p_i − log q_i)."""
    if isinstance(node, tree.Group) and isinstance(node.body, tree.Sum):
        whole: Counter[str] = Counter()
        for sign, term in node.body.terms:
            found = _logarithms(term, letter)
            if found is None or sign not in ("+", "-"):
                return None
            for name, times in found.items():
                whole[name] += times if sign == "+" else -times
        return whole
    plain = isinstance(node, tree.Applied) and isinstance(node.function, tree.Symbol)
    if not plain or not isinstance(node, tree.Applied) or node.function not in _LOGARITHMS:
        return None
    inner = node.argument.body if isinstance(node.argument, tree.Group) else node.argument
    over, under = (inner.over, inner.under) if isinstance(inner, tree.Quotient) else (inner, tree.Number("1"))
    made: Counter[str] = Counter()
    for part, times in ((over, 1), (under, -1)):
        name = _entry(part, letter)
        if not name and part != tree.Number("1"):
            return None
        if name:
            made[name] += times
    return made


_LOGARITHMS = frozenset({tree.Symbol("log", "rm"), tree.Symbol("ln", "rm")})


def _entry(node: Node, letter: str) -> str:
    """p of p_i, and of p(x)."""
    if isinstance(node, tree.Scripted) and node.sup is None and not node.primes and node.sub is not None:
        plain = isinstance(node.base, tree.Symbol) and letter_of(node.sub) == letter
        return node.base.name if plain and isinstance(node.base, tree.Symbol) else ""
    if (call := tree.called(node)) is not None:
        name, group = call
        if isinstance(name, tree.Symbol) and letter_of(group.body) == letter:
            return name.name
    return ""
