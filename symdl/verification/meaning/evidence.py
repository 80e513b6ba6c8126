"""What single habits of notation show of the names of a document: settings, strides, indices, vectors that lie down."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from symdl.verification.meaning.names import INDEX_LETTERS, Labels, is_transpose, letter_of, parts_of
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk

#: The numbers of subscripts that a name is seen with.
Ranks = Callable[[str], set[int]]


def settings(nodes: Iterable[Node], labels: Labels) -> set[str]:
    """Names that are set to more than one number: η of η = 0.1, η = 0.5 and so on."""
    numbers: dict[str, set[str]] = {}
    for node in nodes:
        if isinstance(node, tree.Chain) and node.relations == ("=",) and isinstance(node.sides[1], tree.Number):
            parts = parts_of(node.sides[0], labels)
            if parts is not None and not parts.subscripts and parts.power is None:
                numbers.setdefault(parts.name, set()).add(node.sides[1].text)
    return {name for name, found in numbers.items() if len(found) > 1}


def listed_letters(node: tree.Scripted) -> set[str]:
    """m, n, c and d of W_{m,n,c,d}: three letters or more with commas between them are indices, whatever they are."""
    items = node.sub.items if isinstance(node.sub, tree.List) else ()
    letters = {letter_of(item).rstrip("'") for item in items}
    plain = all(len(x) == 1 and x.isascii() and x.islower() for x in letters) and len(letters) == len(items)
    return letters if plain and len(items) > 2 else set()


def classes(nodes: Iterable[Node]) -> set[str]:
    r"""y of p_y beside p_i and [i = y] or δ_{iy}: what is compared with an index, and stands below a name as one does.

    >>> from symdl.verification.notation import parse
    >>> texts = (r"-\log p_y", r"p_i - \delta_{iy}", "w_o")
    >>> classes(n for text in texts for n in walk(parse(text)))
    {'y'}
    """
    below: dict[Node, set[str]] = {}
    compared: set[frozenset[str]] = set()
    for node in nodes:
        if isinstance(node, tree.Chain) and len(node.sides) == 2 and node.relations[0] in ("=", "≠"):
            compared.add(frozenset(map(letter_of, node.sides)))
        elif isinstance(node, tree.Scripted) and isinstance(node.sub, tree.Symbol):
            below.setdefault(node.base, set()).add(letter_of(node.sub))
        elif isinstance(node, tree.Scripted) and node.base == tree.Symbol("δ") and isinstance(node.sub, tree.Product):
            compared.add(frozenset(map(letter_of, node.sub.factors)))
    beside = {letter for letters in below.values() if letters & INDEX_LETTERS for letter in letters - INDEX_LETTERS}
    pairs = {letter for pair in compared if len(pair) == 2 and pair & INDEX_LETTERS for letter in pair - INDEX_LETTERS}
    return {letter for letter in beside & pairs if len(letter) == 1 and letter.isascii() and letter.islower()}


def strides(sub: Node, labels: Labels, letters: set[str]) -> Iterator[str]:
    """s_1 of z_{i s_1 + m}: what an index is multiplied by is a whole number, as numbers of things are."""
    for product in (n for n in walk(sub) if isinstance(n, tree.Product) and len(n.factors) == 2):
        if not any(letter_of(f) in letters for f in product.factors):
            continue
        for factor in (f for f in product.factors if isinstance(f, tree.Scripted)):
            parts = parts_of(factor, labels)
            entry = parts is not None and parts.power is None and bool(parts.subscripts)
            if parts is not None and entry and all(isinstance(s, tree.Number) for s in parts.subscripts):
                yield parts.name


#: The letter that counts steps.
TIME = "t"


def stepping_letters(nodes: Iterable[Node]) -> set[str]:
    """The letters that count the steps of recurrences: t of m_t = β m_{t−1} + g_t.

    >>> from symdl.verification.notation import parse
    >>> sorted(stepping_letters(parse(t) for t in ("m_t = b m_{t-1} + g_t", "x_n = y_{n-1}", "x_{k+1} = x_k")))
    ['k', 't']
    """
    found = set()
    for chain in nodes:
        head = chain.sides[0] if isinstance(chain, tree.Chain) and chain.relations[0] in ("=", ":=", "←") else None
        if not isinstance(chain, tree.Chain) or not isinstance(head, tree.Scripted):
            continue
        letter = _stepped(head.sub)
        value = (n for n in walk(chain.sides[1]) if isinstance(n, tree.Scripted) and n.base == head.base)
        sums = (n for n in walk(chain.sides[1]) if isinstance(n, tree.Big) and n.sup is not None)
        if letter == TIME and head.sub == tree.Symbol(TIME) and any(letter_of(n.sup) == TIME for n in sums if n.sup):
            found.add(letter)  # m_t = Σ_{i=1}^t g_i
        found |= {letter} if letter and any(n.sub != head.sub and _stepped(n.sub) == letter for n in value) else set()
    return found


def earlier_steps(nodes: Iterable[Node], stepping: set[str]) -> set[str]:
    """k of ∂h_t/∂h_k, where t counts steps: it counts them as well.

    >>> from symdl.verification.notation import parse
    >>> texts = r"\\frac{\\partial h_t}{\\partial h_k}", r"\\frac{\\partial h_t}{\\partial w_o}"
    >>> earlier_steps((n for text in texts for n in walk(parse(text))), {"t"})
    {'k'}
    """
    found = set()
    for node in (n for n in nodes if isinstance(n, tree.Derivative) and len(n.by) == 1):
        of, by = node.of, node.by[0][0]
        if isinstance(of, tree.Scripted) and isinstance(by, tree.Scripted) and of.base == by.base:
            letter = _stepped(by.sub)
            found |= {letter} if letter and _stepped(of.sub) in stepping else set()
    return found - stepping


def _stepped(sub: Node | None) -> str:
    """t of t, t − 1 and t + 1; empty of anything else."""
    if isinstance(sub, tree.Sum) and len(sub.terms) == 2 and isinstance(sub.terms[1][1], tree.Number):
        sub = sub.terms[0][1]
    letter = "" if sub is None else letter_of(sub)
    return letter if len(letter) == 1 and letter.islower() else ""


def columns(nodes: Iterable[Node]) -> dict[str, bool]:
    """Whether capitals hold examples in their columns, wᵀ X, or in their rows, X w and Xᵀ r; none that do both.

    >>> from symdl.verification.notation import parse
    >>> texts = "w^T X", "A w", "B^T (y - p)", "C (y - p)", "D w + w^T D"
    >>> found = columns(n for text in texts for n in walk(parse(text)))
    >>> sorted(found.items())
    [('A', False), ('B', False), ('C', True), ('X', True)]
    """
    before, behind, turned, seen = set[str](), set[str](), set[str](), set[str]()
    for product in (n for n in nodes if isinstance(n, tree.Product)):
        for factor in product.factors:
            name, above = _capital(factor)
            seen |= {name}
            turned |= {name} if is_transpose(above) else set()
        for first, second, op in product.neighbours:
            if op == "":
                (left, above), (right, over) = _capital(first), _capital(second)
                small = second.name.islower() if isinstance(second, tree.Symbol) else False
                before |= {left} if above is None and small else set()
                flat = isinstance(first, tree.Scripted) and is_transpose(first.sup) and not left
                behind |= {right} if over is None and flat else set()
    every = seen - {""} - (before & behind)
    return {name: name in behind or (name not in before and name not in turned) for name in every}


def _capital(node: Node) -> tuple[str, Node | None]:
    """X and what stands above it."""
    base, above = (node.base, node.sup) if isinstance(node, tree.Scripted) and node.sub is None else (node, None)
    name = base.name if isinstance(base, tree.Symbol) else ""
    return (name if len(name) == 1 and name.isupper() else "", above)


def lying(nodes: Iterable[Node], labels: Labels, ranks: Ranks) -> bool:
    """Whether vectors are rows here: z W stands somewhere, with a vector z and a matrix W, and W z nowhere."""
    products = [node for node in nodes if isinstance(node, tree.Product)]
    beside = {pair for node in products for pair in _ranks_beside(node, labels, ranks)}
    return (1, 2) in beside and (2, 1) not in beside


def _ranks_beside(node: tree.Product, labels: Labels, ranks: Ranks) -> Iterator[tuple[int, int]]:
    """(1, 2) of z W, by what subscripts they have elsewhere."""
    found = [_rank(factor, labels, ranks) for factor in node.factors]
    for first, second, op in zip(found, found[1:], node.ops, strict=False):
        if op == "" and {first, second} == {1, 2}:
            yield first, second


def _rank(node: Node, labels: Labels, ranks: Ranks) -> int:
    """1 of a vector, 2 of a matrix; 0 of what is transposed, an entry, or neither for sure."""
    parts = parts_of(node, labels) if isinstance(node, (tree.Symbol, tree.Scripted)) else None
    if parts is None or parts.subscripts or parts.power is not None or parts.primes:
        return 0
    seen = ranks(parts.name)
    rank = next(iter(seen)) if len(seen) == 1 else 0
    return rank if rank == 2 or not parts.transposed else 0
