"""What documents write in other words than the rest of the checker reads: φ = tanh, f′|_{out}, (I ∗ K)(i, j), ∀ x.

Each spelling says one thing wherever it stands, so that a formula may be put in the usual one before anything is asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from symdl.verification.meaning.functions import library_name, named
from symdl.verification.meaning.names import FUNCTION_LETTERS, text_of
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk

_ALL = tree.Symbol("∀")
#: What functions are functions of.
_VARIABLES = frozenset(map(tree.Symbol, "xyt"))
#: What stands for no value at all.
_NO_VALUE = frozenset({"undefined", "undef", "undef.", "not defined", "DNE"})
#: Operations of whole signals, which are applied to a place: (x ∗ w)(t).
_SIGNALS = frozenset({"*", "∗", "⋆", "★", "⊛"})
#: Relations by which a name becomes more or less by something.
_INCREASES = frozenset({"+=", "-="})
#: What stands for the argument of a function that is set equal to another one.
_PLACE = "x"


@dataclass(frozen=True)
class Spellings:
    """What a whole document shows of its spellings.

    Args:
        applied: letters that stand in front of brackets somewhere.
        degrees: names after a d that make one name with it: df of df(λ) = ….
        heads: what is set equal to something.
        signals: entries of a convolution that the document defines: (I ∗ K)_{ij} = Σ_m Σ_n ….
    """

    applied: frozenset[str]
    degrees: frozenset[str]
    heads: frozenset[Node] = frozenset()
    signals: frozenset[Node] = frozenset()

    def of(self, node: Node) -> Node:
        """A formula in the usual spelling.

        >>> from symdl.verification.notation import parse, unicode
        >>> texts = r"\\phi = \\tanh", r"(I * K)(i) = 2", r"a_i > 0\\ \\forall i", r"\\delta_t \\big|_{\\text{out}} = 1"
        >>> found = spellings_of([parse(r"\\phi(a) I(i) K(i)")])
        >>> [unicode(found.of(parse(t))) for t in texts]
        ['φ(x) = tanh(x)', 'I*K(i) = 2', 'aᵢ > 0', 'δ|outₜ = 1']
        """
        if isinstance(node, tree.Chain):
            node = self._with_argument(_without_all(_increased(node)))
            node = replace(node, sides=(self._joined(node.sides[0]), *node.sides[1:]))
            if (inner := self._inside(node)) is not None:
                return tree.Statements(
                    (self.of(inner), self.of(replace(node, sides=node.sides[:2], relations=("=",)))), (",",)
                )
        node = tree.mapped(node, self.of)
        if isinstance(node, tree.Cases):
            return _with_values(node)
        if isinstance(node, tree.Evaluated):
            return _at_a_word(node)
        if node in self.signals and isinstance(node, tree.Scripted):
            return _signal(node)
        return self._of_signals(node) if isinstance(node, tree.Product) else node

    def _inside(self, chain: tree.Chain) -> tree.Chain | None:
        """z = W x + b of a = σ(z) = σ(W x + b), where nothing else says what z is.

        Not of sin(a) = sin(b + c), which is so for other a as well, nor of an x or t of which f is a function.
        """
        if len(chain.sides) != 3 or chain.relations != ("=", "="):
            return None
        calls = [_call(side) for side in chain.sides[1:]]
        (first, name), (second, value) = (call or (None, None) for call in calls)
        if name is None or not isinstance(value, (tree.Sum, tree.Product)) or first != second or not _activates(first):
            return None
        base = name.base if isinstance(name, tree.Scripted) else name
        if not isinstance(base, tree.Symbol) or name in _VARIABLES or name in self.heads:
            return None
        made_of_it = any(n in (name, chain.sides[0]) for n in walk(value))
        return None if made_of_it else tree.Chain((name, value), ("=",))

    def _with_argument(self, chain: tree.Chain) -> tree.Chain:
        """φ(x) = tanh(x) for φ = tanh, of a φ that is applied to something elsewhere."""
        if len(chain.sides) != 2 or chain.relations[0] not in ("=", ":=", "≡"):
            return chain
        left, right = chain.sides
        if not isinstance(left, tree.Symbol) or not isinstance(right, tree.Symbol):
            return chain
        if left.name not in self.applied & FUNCTION_LETTERS or left.accents or named(right.name) is None:
            return chain
        argument = tree.Group(tree.Symbol(_PLACE))
        return replace(chain, sides=(tree.Product((left, argument), ("",)), tree.Applied(right, argument)))

    def _joined(self, head: Node) -> Node:
        """df(λ) with df as one name."""
        factors = head.factors if isinstance(head, tree.Product) and set(head.ops) == {""} else ()
        if len(factors) != 3 or factors[0] != tree.Symbol("d") or not isinstance(factors[2], tree.Group):
            return head
        name = factors[1].name if isinstance(factors[1], tree.Symbol) else ""
        return tree.Product((tree.Symbol(f"d{name}"), factors[2]), ("",)) if name in self.degrees else head

    def _of_signals(self, node: tree.Product) -> Node:
        """(I ∗ K)(i, j) with I∗K as the name of a function, where I(i, j) and K(i, j) stand too."""
        if len(node.factors) != 2 or node.ops != ("",):
            return node
        first, second = node.factors
        inner = first.body if isinstance(first, tree.Group) and first.open == "(" else None
        if not isinstance(inner, tree.Product) or not isinstance(second, tree.Group) or not set(inner.ops) <= _SIGNALS:
            return node
        names = [f.name if isinstance(f, tree.Symbol) and not f.accents else "" for f in inner.factors]
        if not self.applied.issuperset(names) or not _is_place(second.body):
            return node
        return replace(node, factors=(tree.Symbol(inner.ops[0].join(names)), second))


def spellings_of(formulas: Iterable[Node]) -> Spellings:
    """One pass over the formulas of a document."""
    nodes = [node for formula in formulas for node in walk(formula)]
    products = [n for n in nodes if isinstance(n, tree.Product)]
    applied = {name for p in products for a, b, op in p.neighbours if (name := _applied(a, b, op))}
    chains = [n for n in nodes if isinstance(n, tree.Chain)]
    heads = {n.sides[0] for n in chains}
    summed = {n.sides[0] for n in chains if n.relations[0] == "=" and _ends_in_a_sum(n.sides[1])}
    signals = {head for head in summed if isinstance(head, tree.Scripted) and _inner_signal(head) is not None}
    return Spellings(frozenset(applied), frozenset(_degrees(nodes)), frozenset(heads), frozenset(signals))


def _inner_signal(node: tree.Scripted) -> tree.Product | None:
    """I ∗ K of (I ∗ K)_{ij}."""
    inner = node.base.body if isinstance(node.base, tree.Group) and node.base.open == "(" else None
    plain = isinstance(inner, tree.Product) and len(inner.factors) == 2 and set(inner.ops) <= _SIGNALS
    names = inner.factors if plain and isinstance(inner, tree.Product) else ()
    one = node.sub is not None and node.sup is None and not node.primes
    lone = bool(names) and all(isinstance(f, tree.Symbol) for f in names)
    return inner if one and lone and isinstance(inner, tree.Product) else None


def _ends_in_a_sum(side: Node) -> bool:
    """Σ_m Σ_n …, with something added or not."""
    first = side.terms[0][1] if isinstance(side, tree.Sum) else side
    return isinstance(first, tree.Big) and first.op == "sum"


def _signal(node: tree.Scripted) -> Node:
    """(I ∗ K)_{ij} with I∗K as a name."""
    inner = _inner_signal(node)
    assert inner is not None
    names = [f.name for f in inner.factors if isinstance(f, tree.Symbol)]
    return replace(node, base=tree.Symbol(inner.ops[0].join(names)))


def _activates(function: Node | None) -> bool:
    """Whether a function is a letter, or an activation."""
    name = function.name if isinstance(function, tree.Symbol) else ""
    return name in FUNCTION_LETTERS or (len(name) > 2 and name not in ("sin", "cos") and library_name(name) is not None)


def _call(side: Node) -> tuple[Node, Node] | None:
    """σ and z of σ(z)."""
    if isinstance(side, tree.Applied):
        inner = side.argument
        return side.function, inner.body if isinstance(inner, tree.Group) else inner
    if not isinstance(side, tree.Product) or len(side.factors) != 2 or side.ops != ("",):
        return None
    name, group = side.factors
    plain = isinstance(name, tree.Symbol) and isinstance(group, tree.Group)
    return (name, group.body) if plain and isinstance(group, tree.Group) else None


def _applied(name: Node, group: Node, op: str) -> str:
    """φ of φ(a) and φ′(a)."""
    base = name.base if isinstance(name, tree.Scripted) and name.sub is name.sup is None else name
    return base.name if isinstance(base, tree.Symbol) and isinstance(group, tree.Group) and op == "" else ""


def _degrees(nodes: list[Node]) -> set[str]:
    """f of df(λ) = …, where f and d stand nowhere else."""
    found, behind = set(), set[int]()
    for chain in (n for n in nodes if isinstance(n, tree.Chain) and n.relations[:1] == ("=",)):
        head = chain.sides[0]
        factors = head.factors if isinstance(head, tree.Product) and set(head.ops) == {""} else ()
        if len(factors) == 3 and factors[0] == tree.Symbol("d") and isinstance(factors[1], tree.Symbol):
            found |= {factors[1].name} if isinstance(factors[2], tree.Group) else set()
            behind |= {id(factors[0]), id(factors[1])}
    others = {n.name for n in nodes if isinstance(n, tree.Symbol) and id(n) not in behind}
    return set() if "d" in others else found - others


def _increased(chain: tree.Chain) -> tree.Chain:
    """s ← s + x for s += x, as programs write it."""
    first, *others = chain.relations or ("",)
    if first not in _INCREASES:
        return chain
    step = tree.Sum((("+", chain.sides[0]), (first[0], tree.Group(chain.sides[1]))))
    return replace(chain, sides=(chain.sides[0], step, *chain.sides[2:]), relations=("←", *others))


def _without_all(chain: tree.Chain) -> tree.Chain:
    """a > 0 of a > 0 ∀ x ∈ ℝ: it is said of all that there are in any case; not of a > 0 ∀ x > 1."""
    for k, side in enumerate(chain.sides):
        kept = _before_all(side) if k and _says_no_more(chain, k) else None
        if kept is not None:
            return replace(chain, sides=(*chain.sides[:k], kept), relations=chain.relations[:k])
    return chain


def _before_all(side: Node) -> Node | None:
    """What stands before ∀; None where nothing does."""
    if isinstance(side, tree.List) and _begins(side.items[-1]):
        one = len(side.items) == 2
        return side.items[0] if one else replace(side, items=side.items[:-1], separators=side.separators[:-1])
    if isinstance(side, tree.Product) and _ALL in side.factors[1:]:
        place = side.factors.index(_ALL)
        return side.factors[0] if place == 1 else tree.Product(side.factors[:place], side.ops[: place - 1])
    return None


def _says_no_more(chain: tree.Chain, k: int) -> bool:
    """Whether nothing follows a side, or ∈ ℝ."""
    return chain.relations[k:] == () or (chain.relations[k:] == ("∈",) and chain.sides[-1] == tree.Symbol("R", "bb"))


def _begins(node: Node) -> bool:
    return isinstance(node, tree.Product) and node.factors[0] == _ALL


def _with_values(node: tree.Cases) -> tree.Cases:
    """The cases that have a value."""
    rows = tuple((value, told) for value, told in node.rows if not _is_no_value(value) or told is None)
    return replace(node, rows=rows) if rows else node


def _is_no_value(value: Node) -> bool:
    text = value.text if isinstance(value, tree.Text) else value.name if isinstance(value, tree.Symbol) else ""
    return text.strip() in _NO_VALUE


def _at_a_word(node: tree.Evaluated) -> Node:
    """δ_t|_{out} as a name: a part of δ_t, of which the word says which one."""
    at, body = node.at, node.body
    word = at.text if isinstance(at, tree.Text) else at.name if isinstance(at, tree.Symbol) and len(at.name) > 1 else ""
    base = body.base if isinstance(body, tree.Scripted) else body
    if not word.strip() or not isinstance(base, tree.Symbol):
        return node
    name = replace(base, name=f"{text_of(base)}|{word.strip()}", accents=())
    return replace(body, base=name) if isinstance(body, tree.Scripted) else name


def _is_place(node: Node) -> bool:
    items = node.items if isinstance(node, tree.List) else (node,)
    return all(isinstance(i, tree.Symbol) and i.name.islower() for i in items)
