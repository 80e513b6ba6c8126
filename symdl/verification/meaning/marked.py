"""dW and δh_t for ∂L/∂W and ∂L/∂h_t, as course notes and code name the slopes of the one loss that they speak of.

d may be a dimension and dW a differential; so what a document does has to show that slopes are meant: it says
dW = ∂L/∂W, it steps against dW, or slopes of what a formula is made of come from the slope of what it makes, never the
other way round. With (1/m) between dW and dZ, one of them is the slope of a mean over m examples and the other one that
of a single example: then dZ is m times the slope of the mean.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

from symdl.verification.meaning.functions import objective
from symdl.verification.meaning.generic import replaced
from symdl.verification.meaning.names import is_transpose, text_of
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk

#: What stands before a name for the slope by it.
MARKS = ("d", "δ")

_SET = frozenset({"=", ":=", "≡", "≜", "←"})
#: Numbers of examples.
_EXAMPLES = frozenset("mnNMB")

#: What dZ = A − Y says where nothing says what the loss is.
_GIVEN = tree.Text("the slope of a loss that is not written down")

#: A name as it is written, without transposes and powers.
Name = Node


@dataclass(frozen=True)
class Marked:
    """Which names have slopes that are written with a mark.

    Args:
        mark: d or δ.
        loss: what they are slopes of.
        scaled: letters whose marked slopes are those of single examples, with the number of examples.
        given: a name whose slope is given outright where nothing says what the loss is: dZ = A − Y.
    """

    mark: str
    loss: tree.Symbol
    scaled: Mapping[str, tree.Symbol] = field(default_factory=dict)
    given: tuple[Name, ...] = ()

    def of(self, node: Node) -> Node:
        """A formula with ∂L/∂W for dW.

        >>> from symdl.verification.notation import parse, unicode
        >>> unicode(Marked("d", tree.Symbol("L")).of(parse("dW_1 = x^T dy")))
        '∂L/∂W₁ = xᵀ ∂L/∂y'
        """
        if isinstance(node, tree.Chain):
            node = _by_entries(node, self.mark)
            said = {by: side for side in node.sides if (by := _variable(side)) is not None}
            sides = tuple(said[n] if (n := _lone(side, self.mark)) in said else side for side in node.sides)
            first = _lone(sides[0], self.mark)
            if first is not None and first in self.given:
                return tree.Chain((_joined(self.mark, first), _GIVEN), ("=",))
            return replace(node, sides=tuple(self.of(side) for side in sides))
        if isinstance(node, tree.Scripted):  # v_{dW} is a name
            return replace(node, base=self.of(node.base))
        node = tree.mapped(node, self.of)
        return self._in_product(node) if isinstance(node, tree.Product) else node

    def _in_product(self, node: tree.Product) -> Node:
        factors: list[Node] = []
        ops: list[str] = []
        marks = _places(node, self.mark)
        for k, factor in enumerate(node.factors):
            after_mark = k - 1 in marks
            if k in marks:
                continue
            if factors:
                ops.append(node.ops[k - 2] if after_mark and k > 1 else node.ops[k - 1])
            factors.append(self._slope(factor) if after_mark else factor)
        if len(factors) == 1:
            return factors[0]
        return apart_from_brackets(replace(node, factors=tuple(factors), ops=tuple(ops)))

    def _slope(self, name: Node) -> Node:
        plain, above = without_scripts_above(name)
        return slope_of(self.loss, plain, above, self.scaled.get(_letter(plain)))


def slope_of(loss: tree.Symbol, by: Name, above: Node | None = None, times: Node | None = None) -> Node:
    """∂L/∂W, so many times, with a transpose or power above it."""
    slope: Node = tree.Derivative("∂", loss, ((by, 1),))
    if times is not None:
        slope = tree.Group(tree.Product((times, slope), ("",)))
    if above is None:
        return slope
    return tree.Scripted(slope if isinstance(slope, tree.Group) else tree.Group(slope), sup=above)


def apart_from_brackets(node: tree.Product) -> tree.Product:
    """∂L/∂z · (a)ᵀ for ∂L/∂z (a)ᵀ, which would be the slope at a place."""
    ops = list(node.ops)
    for k, (first, second) in enumerate(pairwise(node.factors)):
        inner = second.base if isinstance(second, tree.Scripted) else second
        if ops[k] == "" and isinstance(first, tree.Derivative) and isinstance(inner, tree.Group):
            ops[k] = "·"
    return node if tuple(ops) == node.ops else replace(node, ops=tuple(ops))


def slopes_marked(formulas: Iterable[Node]) -> Marked | None:
    """What the formulas of a document show of such marks; None where they show nothing, or another meaning of d.

    >>> from symdl.verification.notation import parse
    >>> texts = (r"z = W x", r"dW = dz\\, x^T", r"W := W - \\alpha dW")
    >>> slopes_marked([parse(t) for t in texts]).mark
    'd'
    >>> slopes_marked([parse(t) for t in ("z = x y", "dz = x dy + y dx", "dz = 2 dx")]) is None
    True
    """
    formulas = list(formulas)
    nodes = [node for formula in formulas for node in walk(formula)]
    for mark in MARKS:
        if not any(isinstance(n, tree.Product) and _places(n, mark) for n in nodes) or _otherwise_used(formulas, mark):
            continue
        chains = [c for c in nodes if isinstance(c, tree.Chain) and c.relations and c.relations[0] in _SET]
        if not _are_slopes(chains, mark):
            continue
        loss, defined = _loss(nodes, chains)
        given = () if defined else _given(chains, mark)
        return Marked(mark, loss, _levels(chains, mark), given)
    return None


def _places(node: tree.Product, mark: str) -> set[int]:
    """Where a mark stands right before a name."""
    pairs = enumerate(node.neighbours)
    return {k for k, (a, b, op) in pairs if op == "" and _is_mark(a, mark) and _is_name(b) and not _is_mark(b, mark)}


def _is_mark(node: Node, mark: str) -> bool:
    return isinstance(node, tree.Symbol) and node.name == mark and not node.accents


def _is_name(node: Node) -> bool:
    base = node.base if isinstance(node, tree.Scripted) else node
    return isinstance(base, (tree.Symbol, tree.Accented)) and not (isinstance(node, tree.Scripted) and node.primes)


def _otherwise_used(formulas: Iterable[Node], mark: str) -> bool:
    """Whether a mark is a quantity or a differential somewhere: that of √d and ∫ f dx, not of ℝ^d and W[i, d]."""
    stack = list(formulas)
    while stack:
        node = stack.pop()
        if isinstance(node, tree.Scripted):
            if _is_mark(node.base, mark) and node.sub is None:
                return True
            stack += [] if _is_mark(node.base, mark) else [node.base]  # d_k is another name
            continue
        if isinstance(node, tree.Big) and node.op == "int" and mark == "d":
            return True
        if _is_mark(node, mark):
            return True
        if isinstance(node, tree.Group) and node.open == "[" and isinstance(node.body, tree.List):
            continue  # W[v, d] is an entry of W
        marks = _places(node, mark) if isinstance(node, tree.Product) else set()
        stack += [n for k, n in enumerate(tree.children(node)) if k not in marks]
    return False


def without_scripts_above(node: Node) -> tuple[Name, Node | None]:
    """A name, and the transpose or power above it, where there is one."""
    if not isinstance(node, tree.Scripted) or node.sup is None:
        return node, None
    bare = node.base if node.sub is None else replace(node, sup=None)
    if is_transpose(node.sup) or isinstance(node.sup, tree.Number):
        return bare, node.sup
    if isinstance(node.sup, tree.Product) and len(node.sup.factors) == 2 and is_transpose(node.sup.factors[1]):
        return replace(node, sup=node.sup.factors[0]), node.sup.factors[1]
    return node, None


def _lone(side: Node, mark: str) -> Name | None:
    """W of dW; None of anything else."""
    if not isinstance(side, tree.Product) or len(side.factors) != 2 or 0 not in _places(side, mark):
        return None
    plain, scripts = without_scripts_above(side.factors[1])
    return plain if scripts is None else None


def _marked(node: Node, mark: str) -> Iterator[Name]:
    """The names whose slopes stand in a formula."""
    if isinstance(node, tree.Scripted):
        yield from _marked(node.base, mark)
        return
    if isinstance(node, tree.Product):
        yield from (without_scripts_above(node.factors[k + 1])[0] for k in sorted(_places(node, mark)))
    for child in tree.children(node):
        yield from _marked(child, mark)


def _variable(side: Node) -> Name | None:
    """W of ∂L/∂W, of a loss."""
    if not isinstance(side, tree.Derivative) or len(side.by) != 1 or side.by[0][1] != 1:
        return None
    return side.by[0][0] if isinstance(side.of, tree.Symbol) and objective(text_of(side.of)) else None


def _joined(mark: str, name: Name) -> Node:
    """dW as one name."""
    base = name.base if isinstance(name, tree.Scripted) else name
    one = tree.Symbol(mark + text_of(base), base.face if isinstance(base, tree.Symbol) else "")
    return replace(name, base=one) if isinstance(name, tree.Scripted) else one


def _by_entries(chain: tree.Chain, mark: str) -> tree.Chain:
    """db_j = Σ_i dZ_{ji} of db = Σ_i dZ^{(i)}, where Z^{(i)} is the column of Z for example i."""
    name = _lone(chain.sides[0], mark)
    inner = _columns(chain.sides[1], mark) if len(chain.sides) == 2 else None
    if name is None or inner is None or (isinstance(name, tree.Scripted) and name.sub is not None):
        return chain
    example, column = inner
    row = tree.Symbol("k" if example == tree.Symbol("j") else "j")
    whole, marks = column.base, [f for f in _above(column) if f != tree.Group(example)]
    sup = marks[0] if marks else None
    entry = tree.Scripted(whole, tree.Product((row, example), ("",)), sup)
    head = tree.Scripted(name.base, row, name.sup) if isinstance(name, tree.Scripted) else tree.Scripted(name, row)
    sides = (replaced(chain.sides[0], name, head), replaced(chain.sides[1], column, entry))
    return replace(chain, sides=sides)


def _above(node: tree.Scripted) -> tuple[Node, ...]:
    return node.sup.factors if isinstance(node.sup, tree.Product) else () if node.sup is None else (node.sup,)


def _columns(side: Node, mark: str) -> tuple[tree.Symbol, tree.Scripted] | None:
    """i and Z^{(i)} of (1/m) Σ_i dZ^{(i)}; None of anything else."""
    factors = side.factors if isinstance(side, tree.Product) else (side,)
    big = factors[-1]
    if not isinstance(big, tree.Big) or big.op != "sum" or not all(isinstance(f, tree.Quotient) for f in factors[:-1]):
        return None
    letter = big.sub.sides[0] if isinstance(big.sub, tree.Chain) else big.sub
    name = _lone(big.body, mark)
    if not isinstance(letter, tree.Symbol) or not isinstance(name, tree.Scripted) or name.sub is not None:
        return None
    marks = _above(name)
    return (letter, name) if _letter(name).isupper() and len(marks) < 3 and tree.Group(letter) in marks else None


# ── what shows that slopes are meant ─────────────────────────────────────────────────────────────────────────────────


def _are_slopes(chains: list[tree.Chain], mark: str) -> bool:
    made = _made_of(chains)
    backward, sure = set[Name](), False
    for chain in chains:
        lone = _lone(chain.sides[0], mark)
        name = lone if lone is not None else _variable(chain.sides[0])  # ∂L/∂V = Aᵀ dZ
        if name is None:
            sure |= _steps_against(chain, mark)
            continue
        if objective(_letter(name)):
            return False  # dL = … is a differential
        used = {n for side in chain.sides[1:] for n in _marked(side, mark)}
        if not used.isdisjoint(made.get(name, ())):
            return False  # dz of z = W x, made from dW
        sure |= lone is not None and any(_variable(side) == name for side in chain.sides)
        backward |= {name} if any(name in made.get(u, ()) for u in used) else set()
    return sure or len(backward) > 1


def _made_of(chains: list[tree.Chain]) -> dict[Name, set[Name]]:
    """The names that each name is made of, where its formula stands."""
    found: dict[Name, set[Name]] = {}
    for chain in chains:
        head = chain.sides[0]
        if _is_name(head) and len(chain.sides) > 1:
            inner = {without_scripts_above(n)[0] for side in chain.sides[1:] for n in walk(side) if _is_name(n)}
            found.setdefault(head, set()).update(inner - {head})
    return found


def _letter(node: Node) -> str:
    """A name without anything above it, and without numbers and letters below: Z of Z_1 and of Z^{[l]}."""
    return text_of(node.base if isinstance(node, tree.Scripted) else node)


def _steps_against(chain: tree.Chain, mark: str) -> bool:
    """W := W − α dW."""
    head, value = chain.sides[0], chain.sides[-1]
    if not _is_name(head) or not isinstance(value, tree.Sum) or ("+", head) not in value.terms:
        return False
    return any(sign == "-" and head in set(_marked(term, mark)) for sign, term in value.terms)


# ── what they are slopes of ──────────────────────────────────────────────────────────────────────────────────────────


def _loss(nodes: list[Node], chains: list[tree.Chain]) -> tuple[tree.Symbol, bool]:
    """The loss that the document differentiates, or defines, and whether it defines it; else a name for it."""
    slopes = (n.of for n in nodes if isinstance(n, tree.Derivative) and isinstance(n.of, tree.Symbol))
    of = Counter(n for n in slopes if objective(text_of(n)))
    heads = [_head(c.sides[0]) for c in chains]
    defined = [h for h in heads if isinstance(h, tree.Symbol) and objective(text_of(h))]
    if of:
        found = of.most_common(1)[0][0]
        return found, found in defined
    return (defined[0], True) if defined else (tree.Symbol("L", "cal"), False)


def _head(side: Node) -> Node:
    """L of L and of L(a, y)."""
    if isinstance(side, tree.Product) and len(side.factors) == 2 and isinstance(side.factors[1], tree.Group):
        return side.factors[0]
    return side


def _given(chains: list[tree.Chain], mark: str) -> tuple[Name, ...]:
    """Z of the first dZ = A − Y, whose right side is made of no slopes."""
    for chain in chains:
        name = _lone(chain.sides[0], mark)
        if name is None or len(chain.sides) != 2:
            continue
        of_slopes = any(isinstance(n, tree.Derivative) for side in chain.sides for n in walk(side))
        of_slopes = of_slopes or any(True for side in chain.sides[1:] for _ in _marked(side, mark))
        return () if of_slopes else (name,)
    return ()


# ── means over examples ──────────────────────────────────────────────────────────────────────────────────────────────


def _levels(chains: list[tree.Chain], mark: str) -> dict[str, tree.Symbol]:
    """The letters whose slopes are those of single examples; none where formulas do not agree on that."""
    steps: dict[str, list[tuple[str, int]]] = {}
    number: tree.Symbol | None = None
    for chain in chains:
        name = _lone(chain.sides[0], mark)
        if name is None or len(chain.sides) < 2:
            continue
        side = chain.sides[1]
        for _, term in side.terms if isinstance(side, tree.Sum) else (("+", side),):
            mean = _number_of_examples(term)
            number = number or mean
            for other in _marked(term, mark):
                step = 1 if mean is not None else 0
                steps.setdefault(_letter(name), []).append((_letter(other), step))
                steps.setdefault(_letter(other), []).append((_letter(name), -step))
    levels = _reached(steps) if number is not None else None
    if levels is None or number is None or set(levels.values()) - {0, 1}:
        return {}
    return {letter: number for letter, level in levels.items() if level == 1}


def _number_of_examples(term: Node) -> tree.Symbol | None:
    """m of (1/m) dZ Aᵀ."""
    for factor in term.factors if isinstance(term, tree.Product) else (term,):
        under = factor.under if isinstance(factor, tree.Quotient) else None
        if isinstance(under, tree.Symbol) and under.name in _EXAMPLES:
            return under
    return None


def _reached(steps: Mapping[str, list[tuple[str, int]]]) -> dict[str, int] | None:
    """How many means lie between letters, from the lowest one in each group; None where ways differ."""
    levels: dict[str, int] = {}
    for start in steps:
        if start in levels:
            continue
        group, ahead = {start: 0}, [start]
        while ahead:
            letter = ahead.pop()
            for other, step in steps[letter]:
                if other not in group:
                    ahead.append(other)
                if group.setdefault(other, group[letter] + step) != group[letter] + step:
                    return None
        lowest = min(group.values())
        levels |= {letter: level - lowest for letter, level in group.items()}
    return levels
