"""Functions of which only words say that they are convex: what follows from it, by the forms in which it is written.

f(λ x + (1 − λ) y) ≤ λ f(x) + (1 − λ) f(y), f(y) ≥ f(x) + ∇f(x)ᵀ(y − x), (f′(x) − f′(y))(x − y) ≥ 0, f″(x) ≥ 0 and
f(E[X]) ≤ E[f(X)] hold for every convex function (Boyd and Vandenberghe 2004, section 3.1); for concave ones the other
way round. Nothing else is concluded, and nothing is refuted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from symdl.verification.documents import Document
from symdl.verification.judging.rules import Judging
from symdl.verification.judging.worded import ASSERTED, NAMED, said
from symdl.verification.meaning.convexity import Bent
from symdl.verification.meaning.letters import letters_in
from symdl.verification.meaning.names import is_transpose
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.statements import Reading
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node
from symdl.verification.verdict import Status, Verdict

_BENT = r"(?<!not )(?<!non-)\b(convex|concave)\b"
_SAID = (
    re.compile(
        rf"{ASSERTED}{NAMED} (?:is|be|are) (?:an? )?(?:(?!no\b|not\b|never\b|neither\b)[\w-]+ ){{0,2}}{_BENT}(?! set)"
        rf"(?: (?:function )?in {NAMED})?",
        re.IGNORECASE,
    ),
    re.compile(
        rf"{_BENT} (?:(?:and|differentiable|smooth|real|functions?|loss|cost|objectives?) ){{0,3}}{NAMED}",
        re.IGNORECASE,
    ),
)
_ONE = tree.Number("1")


def bent(document: Document) -> Iterator[tuple[Bent, tuple[int, ...]]]:
    """The functions of which the words say that they are convex or concave, each with its section.

    >>> from symdl.verification.documents import read_text
    >>> text = "Let $f$ be convex. If $m$ is convex; as $g(s, x)$ is convex in $x$, $h$ not convex; a concave $k$."
    >>> [(b.name, b.upward, b.place) for b, _ in bent(read_text(text, "markdown"))]
    [('f', True, 0), ('g', True, 1), ('k', False, 0)]
    """
    for pattern in _SAID:
        yield from _found(document, pattern)


def _found(document: Document, pattern: re.Pattern[str]) -> Iterator[tuple[Bent, tuple[int, ...]]]:
    upward = {"convex": True, "concave": False}
    for nodes, section in said(document, (pattern,)):
        words = [n.name.lower() for n in nodes if isinstance(n, tree.Symbol) and n.name.lower() in upward]
        letters = [_bend(n) for n in nodes]
        kinds = [b for b in letters if b in upward] or words
        named = [n for n, b in zip(nodes, letters, strict=True) if n is not None and b not in upward]
        if not kinds or not named:
            continue
        call = _application(named[0])
        name = call.name if call is not None else named[0].name if isinstance(named[0], tree.Symbol) else ""
        places = [k for k, a in enumerate(call.arguments) if len(named) > 1 and a == named[1]] if call else [0]
        if name and len(places) <= 1 and (places or call is None or len(call.arguments) == 1):
            yield Bent(name, upward[kinds[0]], places[0] if places else 0), section


def _bend(node: Node | None) -> str:
    """The word itself, which a group of a pattern has read as letters side by side."""
    if isinstance(node, tree.Product) and all(isinstance(f, tree.Symbol) for f in node.factors):
        return "".join(f.name for f in node.factors if isinstance(f, tree.Symbol))
    return node.name if isinstance(node, tree.Symbol) else ""


def by_convexity(judge: Judging, link: Meaning) -> Verdict | None:
    """The proof that an inequality holds for every function that is bent so; None of any other formula."""
    if link.relation not in ("≤", "≥"):
        return None
    reading = judge.reading
    here = [b for b, section in reading.bent if section[:1] == reading.section[:1]]
    for each in here:
        both_ways = any(b.name == each.name and b.upward != each.upward for b in here)
        if reading.reader().known(each.name) or both_ways:
            continue
        less, more = (link.left, link.right) if link.relation == "≤" else (link.right, link.left)
        told = _holds(each, less, more) if each.upward else _holds(each, more, less)
        if told is None:
            continue
        scope = f"every {'convex' if each.upward else 'concave'} function {each.name}"
        if told and not _between(reading, told):
            reason = f"so where {told} is between 0 and 1"
            return Verdict(Status.CONDITIONAL, "convexity", scope, reason=reason)
        return Verdict(Status.PROVED, "convexity", scope)
    return None


def _between(reading: Reading, letter: str) -> bool:
    """Whether λ ∈ [0, 1] was stated."""
    return letter in reading.fractions


def _holds(each: Bent, less: Node, more: Node) -> str | None:
    """What has to be between 0 and 1 for it, mostly nothing; None where less ≤ more is no such form."""
    told = _chord(each, less, more)
    if told is not None:
        return told
    return "" if _tangent(each, less, more) or _means(each, less, more) or _of_slopes(each, less, more) else None


# ── the forms ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Call:
    """f(a, b)."""

    name: str
    arguments: tuple[Node, ...]
    primes: int = 0


def _application(node: Node) -> _Call | None:
    if (found := tree.called(node)) is None:
        return None
    first, group = found
    primes = first.primes if isinstance(first, tree.Scripted) and first.sub is first.sup is None else 0
    name = first.base if primes and isinstance(first, tree.Scripted) else first
    if not isinstance(name, tree.Symbol) or group.open != "(":
        return None
    return _Call(name.name, group.items, primes)


def _value(each: Bent, node: Node) -> tuple[Node, tuple[Node, ...]] | None:
    """x and the other arguments of f(ξ, x)."""
    call = _application(node)
    if call is None or call.name != each.name or call.primes or len(call.arguments) <= each.place:
        return None
    others = call.arguments[: each.place] + call.arguments[each.place + 1 :]
    return call.arguments[each.place], others


def _terms(node: Node) -> tuple[tuple[str, Node], ...]:
    inner = node.body if isinstance(node, tree.Group) else node
    return inner.terms if isinstance(inner, tree.Sum) else (("+", inner),)


def _weighted(node: Node, kept: int) -> tuple[Node, Node] | None:
    """λ and x of λ x; λ and f(x) of λ f(x), which are two factors."""
    if not isinstance(node, tree.Product) or len(node.factors) != kept + 1 or not set(node.ops) <= {"", "·"}:
        return None
    rest = node.factors[1:]
    return node.factors[0], rest[0] if kept == 1 else tree.Product(rest, node.ops[1:])


def _chord(each: Bent, less: Node, more: Node) -> str | None:
    """f(λ x + (1 − λ) y) ≤ λ f(x) + (1 − λ) f(y)."""
    value = _value(each, less)
    if value is None:
        return None
    inner = [_weighted(term, 1) for sign, term in _terms(value[0]) if sign == "+"]
    outer = [_weighted(term, 2) for sign, term in _terms(more) if sign == "+"]
    if len(inner) != 2 or len(outer) != 2 or len(_terms(value[0])) != 2 or len(_terms(more)) != 2:
        return None
    pairs = [p for p in inner if p is not None]
    values = [(w, v) for w, node in (p for p in outer if p is not None) if (v := _value(each, node)) is not None]
    if len(pairs) != 2 or len(values) != 2 or any(v[1] != value[1] for _, v in values):
        return None
    if [(w, x) for w, x in pairs] != [(w, v[0]) for w, v in values]:
        return None
    (first, _), (second, _) = pairs
    for letter, rest in ((first, second), (second, first)):
        left_over = _terms(rest) == (("+", _ONE), ("-", letter)) and isinstance(rest, tree.Group)
        if left_over and isinstance(letter, tree.Symbol):
            return letter.name
    return None


def _tangent(each: Bent, less: Node, more: Node) -> bool:
    """f(y) ≥ f(x) + ∇f(x)ᵀ(y − x)."""
    value, terms = _value(each, more), _terms(less)
    if value is None or len(terms) != 2 or any(sign != "+" for sign, _ in terms):
        return False
    for (_, at), (_, step) in (terms, terms[::-1]):
        place = _value(each, at)
        if place is not None and place[1] == value[1] and _step(each, step, at, place[0], value[0]):
            return True
    return False


def _step(each: Bent, node: Node, at: Node, x: Node, y: Node) -> bool:
    """Whether a term is the slope of f at x times y − x."""
    if isinstance(node, tree.Group) and node.open == "⟨" and isinstance(node.body, tree.List):
        factors: list[Node] = list(node.body.items)
    elif isinstance(node, tree.Product) and set(node.ops) <= {"", "·"}:
        factors = list(node.factors)
    else:
        return False
    joined = _joined(factors)
    if len(joined) != 2:
        return False
    for slope, apart in (joined, joined[::-1]):
        turned = isinstance(apart, tree.Scripted) and apart.sub is None and is_transpose(apart.sup)
        inner = apart.base if turned and isinstance(apart, tree.Scripted) else apart
        if _terms(inner) == (("+", y), ("-", x)) and _is_slope(each, slope, at, x):
            return True
    return False


def _joined(factors: list[Node]) -> list[Node]:
    """f′ and (x) as one factor, and ∇f and (x)ᵀ."""
    found: list[Node] = []
    for factor in factors:
        before = found[-1] if found else None
        turned = isinstance(factor, tree.Scripted) and factor.sub is None and is_transpose(factor.sup)
        group = factor.base if turned and isinstance(factor, tree.Scripted) else factor
        if isinstance(before, tree.Scripted) and before.primes and isinstance(factor, tree.Group):
            found[-1] = tree.Product((before, factor), ("",))
        elif isinstance(before, tree.Gradient) and isinstance(before.of, tree.Symbol) and isinstance(group, tree.Group):
            found[-1] = replace(before, of=tree.Product((before.of, group), ("",)))
        else:
            found.append(factor)
    return found


def _is_slope(each: Bent, node: Node, at: Node, x: Node) -> bool:
    """Whether f′(x), ∇f(x), ∇f(x)ᵀ or ∂_x f(x) stands there."""
    call = _application(node)
    if call is not None:
        return call.name == each.name and call.primes == 1 and call.arguments == (x,)
    if isinstance(node, tree.Group) and not isinstance(node.body, tree.List):
        return _is_slope(each, node.body, at, x)
    if isinstance(node, tree.Scripted) and node.sub is None and isinstance(node.base, tree.Group):  # (∇f(x))ᵀ
        return is_transpose(node.sup) and _is_slope(each, node.base, at, x)
    if isinstance(node, tree.Gradient):
        return node.order == 1 and node.of == at and (node.by is None or _variable(node.by, x))
    if isinstance(node, tree.Derivative):
        one = len(node.by) == 1 and node.by[0][1] == 1
        return one and node.of == at and _variable(node.by[0][0], x)
    return False


def _variable(by: Node, x: Node) -> bool:
    """Whether x is meant by what stands below ∇: x itself, or x of x_t."""
    return by == x or (isinstance(x, tree.Scripted) and x.base == by)


def _means(each: Bent, less: Node, more: Node) -> bool:
    """f(E[X]) ≤ E[f(X)]."""
    value = _value(each, less)
    inner = None if value is None else _mean(value[0])
    outer = _mean(more)
    if value is None or inner is None or outer is None or inner[0] != outer[0]:
        return False
    within = _value(each, outer[1])
    return within is not None and within == (inner[1], value[1]) and bool(letters_in(inner[1]))


def _mean(node: Node) -> tuple[tuple[str, Node | None], Node] | None:
    """Which mean, and of what."""
    if isinstance(node, tree.Big) and node.op == "E" and node.sup is None:
        body = node.body.body if isinstance(node.body, tree.Group) else node.body
        return ("E", node.sub), body
    if isinstance(node, tree.Product) and len(node.factors) == 2 and isinstance(node.factors[1], tree.Group):
        name, group = node.factors
        base = name.base if isinstance(name, tree.Scripted) and name.sup is None else name
        if isinstance(base, tree.Symbol) and base.name == "E" and isinstance(group, tree.Group):
            return ("E", name.sub if isinstance(name, tree.Scripted) else None), group.body
    return None


def _of_slopes(each: Bent, less: Node, more: Node) -> bool:
    """f″(x) ≥ 0 and (f′(x) − f′(y))(x − y) ≥ 0."""
    if not (isinstance(less, tree.Number) and not less.text.strip("0.")):
        return False
    call = _application(more)
    if call is not None:
        return call.name == each.name and call.primes == 2 and len(call.arguments) == 1
    inner = more.body.items if isinstance(more, tree.Group) and isinstance(more.body, tree.List) else ()
    factors = more.factors if isinstance(more, tree.Product) and set(more.ops) <= {"", "·"} else inner
    if len(factors) != 2:
        return False
    for slopes, places in (factors, factors[::-1]):
        first, second = (_terms(n) for n in (slopes, places))
        if [s for s, _ in first] != ["+", "-"] or [s for s, _ in second] != ["+", "-"]:
            continue
        pairs = zip(first, second, strict=True)
        if all(_is_slope(each, slope, _call_at(each, x), x) for (_, slope), (_, x) in pairs):
            return True
    return False


def _call_at(each: Bent, x: Node) -> Node:
    return tree.Product((tree.Symbol(each.name), tree.Group(x)), ("",))
