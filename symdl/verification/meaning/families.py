"""Which names are vectors and matrices by how they are written, and which numbers below them are part of the name.

W_1 is the first weight of a vector W, or the weight matrix of the first layer. It is a matrix of its own where it is
set in bold type, transposed, declared (W_1 ∈ ℝ^{h×d}), or set to a formula of such ones; then W_2 is one too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from symdl.verification.meaning.names import INDEX_LETTERS, is_bold, is_transpose, text_of
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk

#: Numbers that have a letter.
_NO_NAMES = frozenset({"", "e", "π", "i"})
#: Operators whose value is a number, whatever stands in them.
_NUMBERS = (tree.Norm, tree.Big, tree.Abs, tree.Derivative, tree.Gradient)


@dataclass
class Families:
    """What was found.

    Args:
        numbered: names of which the number below is part: W of W_1.
        arrays: names that stand for vectors or matrices.
        rows, bold_rows: names of vectors that a letter below counts, x of x_i ∈ ℝᵈ, and 𝐱 of 𝐱_i.
        columns: names that are vectors at each place though they are capitals: C of the cell state C_t.
        bold_numbered, bold_lettered: names in bold type with numbers below, as 𝐱_0, and with letters, as 𝐱_i.
        squares: names of which the square is what the document defines: σ of σ² = …
        labels: names with a label that stands beside an index below them, W and o of Σ_i W_{oi}, u and o of u_{o,t}.
    """

    numbered: set[str] = field(default_factory=set)
    arrays: set[str] = field(default_factory=set)
    rows: set[str] = field(default_factory=set)
    bold_rows: set[str] = field(default_factory=set)
    columns: set[str] = field(default_factory=set)
    squares: set[str] = field(default_factory=set)
    bold_numbered: set[str] = field(default_factory=set)
    bold_lettered: set[str] = field(default_factory=set)
    labels: set[tuple[str, str]] = field(default_factory=set)


def families_of(nodes: Iterable[Node]) -> Families:
    """One pass over all nodes of the formulas, and as many over the definitions as find something new.

    >>> from symdl.verification.notation import parse
    >>> found = families_of(n for text in ("Z_1 = X W_1 + b_1", "W_1^T Z_1") for n in walk(parse(text)))
    >>> sorted(found.numbered)
    ['W', 'Z']
    """
    nodes = list(nodes)
    found = Families()
    entries: set[str] = set()
    entrywise: set[str] = set()
    for node in nodes:
        found.labels |= _labels(node)
        if isinstance(node, tree.Chain):
            _declared(node, found)
        elif isinstance(node, tree.Product):
            _beside_transposed(node, found)
            entrywise |= _entry_by_entry(node)
        elif isinstance(node, tree.Applied):
            entrywise |= _on_a_diagonal(node)
        elif isinstance(node, tree.Norm):
            _array(node.body, found)
        elif isinstance(node, tree.Scripted):
            _scripted(node, found, entries)
    found.bold_rows |= entrywise - _squared(nodes)
    found.numbered -= {n for n in entries if n[:1].islower()}
    chains = [n for n in nodes if isinstance(n, tree.Chain) and n.relations[:1] == ("=",)]
    while _by_definitions(chains, found, entries) | _beside_arrays(nodes, found):
        pass
    found.squares = _squares(chains, nodes)
    return found


def _labels(node: Node) -> set[tuple[str, str]]:
    """The labels beside the index of a sum, and those that a comma parts from an index."""
    if isinstance(node, tree.Big) and node.sub is not None:
        first = node.sub.sides[0] if isinstance(node.sub, tree.Chain) else node.sub
        scripted = [n for n in walk(node.body) if isinstance(n, tree.Scripted) and isinstance(n.sub, tree.Product)]
        pairs = [(n, n.sub.factors) for n in scripted if isinstance(n.sub, tree.Product) and first in n.sub.factors]
    elif isinstance(node, tree.Scripted) and isinstance(node.sub, tree.List):
        pairs = [(node, node.sub.items)]
    else:
        return set()
    found = set()
    for scripted_, items in pairs:
        letters = [i.name for i in items if isinstance(i, tree.Symbol) and len(i.name) == 1]
        others = [letter for letter in letters if letter not in INDEX_LETTERS]
        if len(items) == 2 and len(others) == 1 and _base(scripted_) and not is_bold(scripted_.base):
            found.add((_base(scripted_), others[0]))
    return found


def _squares(chains: list[tree.Chain], nodes: list[Node]) -> set[str]:
    """σ of σ² = (1/m) Σ (x_i − μ)² and of ∂ℓ/∂σ², where neither σ = … nor ∂ℓ/∂σ stands anywhere."""
    by = [name for n in nodes if isinstance(n, tree.Derivative) for name, _ in n.by]
    heads = {_name(c.sides[0]) for c in chains if not _is_square(c.sides[0])}
    heads |= {_name(n) for n in by if not _is_square(n)}
    found = {_name(n) for n in by if _is_square(n)} - heads - _NO_NAMES
    for left, right in ((c.sides[0], c.sides[1]) for c in chains if _is_square(c.sides[0])):
        name = _name(left)
        if name not in heads and name not in _NO_NAMES and all(_name(n) != name for n in walk(right)):
            found.add(name)
    return found - {""}


def _is_square(node: Node) -> bool:
    return isinstance(node, tree.Scripted) and isinstance(node.sup, tree.Number) and node.sup.text == "2"


def _name(node: Node) -> str:
    """A name with what stands below it where that is no index, as `names.parts_of` has it."""
    if isinstance(node, tree.Scripted) and isinstance(node.sub, (tree.Text, tree.Symbol)) and _base(node):
        below = text_of(node.sub)
        return f"{_base(node)}_{below}" if below not in INDEX_LETTERS else _base(node)
    return _base(node)


def _scripted(node: tree.Scripted, found: Families, entries: set[str]) -> None:
    name = _base(node)
    if not name:
        return
    bold = is_bold(node.base)
    if bold and node.sub is not None:
        (found.bold_numbered if isinstance(node.sub, tree.Number) else found.bold_lettered).add(name)
    if isinstance(node.sub, tree.Number):
        if bold or _is_transposed(node):
            found.numbered.add(name)
    elif node.sub is not None and isinstance(node.sub, tree.Symbol) and len(node.sub.name) == 1:
        entries.add(name)
        if bold and name[:1].islower() and _is_transposed(node):
            found.bold_rows.add(name)
    elif node.sub is None and _is_transposed(node) and not bold:
        found.arrays.add(name)


def _is_transposed(node: tree.Scripted) -> bool:
    sups = node.sup.factors if isinstance(node.sup, tree.Product) else (node.sup,)
    return any(is_transpose(s) for s in sups)


def _base(node: Node) -> str:
    """The name in a symbol with scripts, without them; empty where it is something else."""
    inner = node.base if isinstance(node, tree.Scripted) else node
    return text_of(inner) if isinstance(inner, (tree.Symbol, tree.Accented)) else ""


def _array(node: Node, found: Families) -> None:
    """A name that has to be a vector or a matrix where it stands."""
    if isinstance(node, tree.Symbol) and not is_bold(node):
        found.arrays.add(_base(node))
    if isinstance(node, tree.Scripted) and node.sup is None and _base(node):
        if isinstance(node.sub, tree.Number):
            found.numbered.add(_base(node))
        elif is_bold(node.base) and _base(node)[:1].islower():
            found.bold_rows.add(_base(node))
    if isinstance(node, tree.Scripted) and node.sub is None and isinstance(node.sup, tree.Group) and _base(node):
        found.arrays.add(f"{_base(node)}^({text_of(node.sup.body)})")  # 𝐱^{(i)}, one of several examples


def _is_bold_entry(node: Node) -> bool:
    return isinstance(node, tree.Scripted) and is_bold(node.base)


def _beside_transposed(node: tree.Product, found: Families) -> None:
    for first, second, op in node.neighbours:
        if op != "":
            continue
        after_transposed = isinstance(first, tree.Scripted) and _is_transposed(first) and first.sub is None
        bold = is_bold(first.base if isinstance(first, tree.Scripted) else first)
        after_matrix = bold and _base(first)[:1].isupper() and _is_bold_entry(second)
        if after_transposed or after_matrix:
            _array(second, found)


def _entry_by_entry(node: tree.Product) -> set[str]:
    """𝐟_t ⊙ 𝐜_{t−1}: a product entry by entry is one of vectors."""
    return {_bold_row(factor) for factor in node.factors} - {""} if "⊙" in node.ops else set()


def _on_a_diagonal(node: tree.Applied) -> set[str]:
    """diag(𝐟_t) and diag(1 − 𝐡_t²): what stands on a diagonal is a vector."""
    if not isinstance(node.function, tree.Symbol) or node.function.name not in ("diag", "Diag"):
        return set()
    inner = node.argument.body if isinstance(node.argument, tree.Group) else node.argument
    terms = inner.terms if isinstance(inner, tree.Sum) else (("+", inner),)
    return {_bold_row(term) for _, term in terms} - {""}


def _bold_row(node: Node) -> str:
    plain = isinstance(node, tree.Scripted) and isinstance(node.sub, (tree.Symbol, tree.Sum))
    bold = plain and isinstance(node, tree.Scripted) and is_bold(node.base) and _base(node)[:1].islower()
    return _base(node) if bold else ""


def _squared(nodes: list[Node]) -> set[str]:
    """𝐠 of 𝐠_t², which is read as a number at each t, or as one entry; not 𝐡 of 1 − 𝐡_t²."""
    beside = {id(t) for n in nodes if isinstance(n, tree.Sum) and _has_number(n) for _, t in n.terms}
    squares = (n for n in nodes if isinstance(n, tree.Scripted) and n.sup == tree.Number("2") and id(n) not in beside)
    return {_bold_row(n) for n in squares} - {""}


def _has_number(node: tree.Sum) -> bool:
    return any(isinstance(term, tree.Number) for _, term in node.terms)


def _beside_arrays(nodes: list[Node], found: Families) -> bool:
    """X W, where X is a matrix and W a capital: one too; whether there was a new one."""
    before = len(found.arrays)
    for node in nodes:
        if not isinstance(node, tree.Product):
            continue
        for first, second, op in node.neighbours:
            name = _name(second)
            capital = len(_base(second)) == 1 and _base(second).isupper() and not _is_transposed_name(second)
            if op == "" and capital and _name(first)[:1].isupper() and _name(first) in found.arrays:
                found.arrays.add(name)
    return len(found.arrays) > before


def _is_transposed_name(node: Node) -> bool:
    return isinstance(node, tree.Scripted) and (node.sup is not None or isinstance(node.sub, tree.Number))


def _declared(node: tree.Chain, found: Families) -> None:
    if node.relations[:1] != ("∈",) or not isinstance(node.sides[1], tree.Scripted):
        return
    space = node.sides[1]
    if not (isinstance(space.base, tree.Symbol) and space.base.face == "bb" and space.sup is not None):
        return
    left = node.sides[0]
    for each in left.items if isinstance(left, tree.List) else (left,):
        if isinstance(each, tree.Scripted) and isinstance(each.sub, tree.Number):
            found.numbered.add(_base(each))
        elif isinstance(each, tree.Scripted) and isinstance(each.sub, tree.Symbol):
            (found.bold_rows if is_bold(each.base) else found.rows).add(_base(each))


def _by_definitions(chains: list[tree.Chain], found: Families, entries: set[str]) -> bool:
    """Names that are set to a formula of vectors and matrices; whether there was a new one."""
    new = False
    for chain in chains:
        left, right = chain.sides[0], chain.sides[1]
        name = _base(left)
        if not isinstance(left, tree.Scripted) or not isinstance(left.sub, tree.Number) or left.sup is not None:
            continue
        if name in found.numbered or name in entries or not name:
            continue
        if any(_is_array(n, found) for n in _shaped(right)):
            found.numbered.add(name)
            new = True
    return new


def _shaped(node: Node) -> Iterator[Node]:
    """The names in a formula that give it its shape, if they are vectors or matrices."""
    if isinstance(node, _NUMBERS) or _is_inner(node):
        return
    if isinstance(node, (tree.Symbol, tree.Accented)) or (isinstance(node, tree.Scripted) and _base(node)):
        yield node
        return
    for child in tree.children(node):
        yield from _shaped(child)


def _is_inner(node: Node) -> bool:
    """wᵀx and xᵀA y, which are numbers."""
    if not isinstance(node, tree.Product):
        return False
    first = node.factors[0]
    return isinstance(first, tree.Scripted) and _is_transposed(first) and _base(first)[:1].islower()


def _is_array(node: Node, found: Families) -> bool:
    name = _base(node)
    if isinstance(node, tree.Scripted) and node.sub is not None:
        return isinstance(node.sub, tree.Number) and name in found.numbered
    return is_bold(node) or name in found.arrays
