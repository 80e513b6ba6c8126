"""Which quantity a symbol with its scripts names: label, subscripts, power, transpose and primes told apart.

W_{ji}^{(l)} is the entry j, i of W⁽ˡ⁾, x^{\\top} a transpose, w_{\\text{out}} a name of its own, x^2 a power. Case,
accents and primes always tell names apart; bold type does not, since w_i is an entry of 𝐰.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from symdl.verification.notation.tree import (
    Accented,
    Big,
    Empty,
    Group,
    List,
    Node,
    Number,
    Product,
    Scripted,
    Sum,
    Symbol,
    Text,
    walk,
)

TRANSPOSES = frozenset({"⊤", "T", "′⊤", "intercal"})
#: Superscripts that are part of a name.
_LABELS = frozenset({"*", "†", "‡", "+", "-", "⋆", "∗"})
#: Subscripts that are read as indices where nothing else is known of them.
INDEX_LETTERS = frozenset("ijklmnpqrst")
#: Superscripts that count layers.
LAYERS = frozenset({"l", "ℓ", "L"})


_BOLD = frozenset({"bf", "bm", "boldsymbol"})


@dataclass(frozen=True)
class Parts:
    """A symbol taken apart.

    Args:
        name: with accents and labels: `ŷ`, `W⁽ˡ⁾`, `w_out`.
        bold: set in bold type, as vectors and matrices are.
        subscripts: the indices, as nodes.
        power: what it is raised to.
        transposed: with ᵀ.
        primes: how often it is differentiated, where it is a function.
    """

    name: str
    bold: bool = False
    subscripts: tuple[Node, ...] = ()
    power: Node | None = None
    transposed: bool = False
    primes: int = 0


def is_bold(node: Node) -> bool:
    """Whether a symbol is set in bold type, or has an arrow above it."""
    return isinstance(node, Symbol) and (node.face in _BOLD or node.accents[-1:] == ("vec",))


def is_transpose(sup: Node | None) -> bool:
    """Whether what stands above a name transposes it."""
    return isinstance(sup, Symbol) and sup.name in TRANSPOSES


def parts_of(node: Node, labels: Labels) -> Parts | None:
    """A symbol with its scripts taken apart; None where the base is no symbol.

    Args:
        labels: decides of a lone letter in a subscript whether it is part of the name.
    """
    if isinstance(node, (Symbol, Accented)):
        return Parts(text_of(node), is_bold(node))
    if isinstance(node, Big) and isinstance(node.body, Empty) and isinstance(node.sub, Symbol) and node.sup is None:
        return Parts(f"{node.op}_{node.sub.name}") if len(node.sub.name) > 1 else None  # min_val
    if not isinstance(node, Scripted) or not isinstance(node.base, (Symbol, Accented)):
        return None
    name, bold = text_of(node.base), is_bold(node.base)
    label, transposed, power = _above(node.sup, labels)
    if name == "e" and label and node.sub is None and isinstance(node.sup, (Symbol, Sum)):
        label, power = "", node.sup  # e^L is a power, whatever z^L is
    subscripts: tuple[Node, ...] = ()
    if node.sub is not None:
        own = bold and isinstance(node.sub, Number) and labels.labelled(f"{name}_{node.sub.text}", bold=True)
        last = isinstance(node.sub, Symbol) and labels.last(name + label, node.sub.name)  # δ^a_T of δ^a_t
        text, subscripts = (text_of(node.sub), ()) if own else _below(name, node.sub, labels)
        text, subscripts = ("", (node.sub,)) if last else (text, subscripts)
        name += f"_{text}" if text else ""
    name += label
    if isinstance(power, Number) and power.text == "2" and labels.squared(name):
        name, power = square_of(name), None
    return Parts(name, bold, subscripts, power, transposed, node.primes)


def square_of(name: str) -> str:
    """The name σ² beside σ.

    >>> square_of("σ")
    'σ²'
    """
    return f"{name}²"


class Labels(Protocol):
    """What is known of subscripts."""

    def bound(self, letter: str) -> bool:
        """Whether a letter is an index here: bound by a sum, or free on the left side."""

    def matrix(self, name: str) -> bool:
        """Whether a name is known to have two axes."""

    def has_rank(self, name: str, rank: int) -> bool:
        """Whether a name is seen with so many subscripts, so that h_{01} are two."""

    def labelled(self, name: str, *, bold: bool = False) -> bool:
        """Whether a name with a number below it, w_1, is a name of its own: a vector among others, as 𝐱_0 is of x_i."""

    def layer(self, letter: str) -> bool:
        """Whether a letter above a name says which layer it is of."""

    def last(self, name: str, letter: str) -> bool:
        """Whether a letter is the number of the last entry of a name: h_T, where h_t stands and t runs up to T."""

    def squared(self, name: str) -> bool:
        """Whether the square of a name is a name of its own: a variance σ²."""

    def label(self, name: str, letter: str) -> bool:
        """Whether a letter that stands beside an index below a name is part of the name: o of W_{oi}."""


#: Letters that mean functions in front of brackets, unless the document says something else.
FUNCTION_LETTERS = frozenset("fghFGHφϕψρσ")


def function_letter(name: str) -> bool:
    """Whether a name begins with a letter that usually means a function.

    >>> function_letter("f^(n)"), function_letter("W")
    (True, False)
    """
    return name[:1] in FUNCTION_LETTERS


def _named(symbol: Symbol) -> str:
    kept = symbol.accents[:-1] if symbol.accents[-1:] == ("vec",) else symbol.accents  # as bold type does
    accents = "".join(_COMBINING.get(a, f"_{a}") for a in kept)
    face = {"cal": "𝒞:", "scr": "𝒞:", "bb": "𝔹:", "frak": "𝔉:"}.get(symbol.face, "")
    return face + symbol.name + accents


_COMBINING = {
    "hat": "\u0302",
    "widehat": "\u0302",
    "tilde": "\u0303",
    "widetilde": "\u0303",
    "bar": "\u0304",
    "overline": "\u0304",
    "dot": "\u0307",
    "ddot": "\u0308",
    "check": "\u030c",
    "breve": "\u0306",
}


def _above(sup: Node | None, labels: Labels) -> tuple[str, bool, Node | None]:
    """The label, transpose or power that stands above."""
    if sup is None:
        return "", False, None
    if is_transpose(sup):
        return "", True, None
    if isinstance(sup, Symbol) and (sup.name in _LABELS or labels.layer(sup.name)):
        return f"^{sup.name}", False, None
    if isinstance(sup, Group) and isinstance(sup.body, Sum) and _arithmetic(sup.body):
        return "", False, sup.body  # w^(2 − 1), and not w⁽²⁾
    if isinstance(sup, Group) and sup.open in ("(", "[", "⟨", "{"):
        return f"^({text_of(sup.body)})", False, None
    if isinstance(sup, Sum) and any(isinstance(t, Symbol) and labels.layer(t.name) for _, t in sup.terms):
        return f"^{text_of(sup)}", False, None
    if isinstance(sup, Text):
        return f"^{sup.text}", False, None
    if isinstance(sup, List) and any(
        isinstance(n, Symbol) and labels.layer(n.name) for i in sup.items for n in walk(i)
    ):
        return f"^{text_of(sup)}", False, None  # z^{x,l}, of example x at layer l
    if isinstance(sup, Product) and len(sup.factors) == 2:
        first, second = (_above(f, labels) for f in sup.factors)
        if first[2] is None and second[2] is None:  # W^{(l)\top}
            return first[0] + second[0], first[1] or second[1], None
    return "", False, sup


def _arithmetic(node: Sum) -> bool:
    return len(node.terms) > 1 and all(isinstance(term, Number) for _, term in node.terms)


def _below(name: str, sub: Node, labels: Labels) -> tuple[str, tuple[Node, ...]]:
    """The label and the subscripts that stand below."""
    if isinstance(sub, Text):
        return sub.text, ()
    if isinstance(sub, List):
        found = [_below(name, item, labels) for item in sub.items]
        text = ",".join(t for t, _ in found if t)
        return text, tuple(s for _, some in found for s in some)
    if isinstance(sub, Product) and all(op == "" for op in sub.ops):
        factors = tuple(part for f in sub.factors for part in _figures_apart(f))
        if all(isinstance(f, Number) or letter_of(f) for f in factors):
            letters = [letter_of(f).rstrip("'") for f in factors if not isinstance(f, Number)]
            single = all(len(letter) == 1 for letter in letters)
            if single and all(letter in INDEX_LETTERS or labels.bound(letter) for letter in letters):
                return "", factors
            if single and len(factors) == 2 and name != name.upper() and labels.matrix(name.upper()):
                return "", factors  # v_{ab} of 𝐕
            others = [f for f in factors if isinstance(f, Symbol) and f.name not in INDEX_LETTERS]
            if single and len(letters) == len(factors) == 2 and len(others) == 1 and labels.label(name, others[0].name):
                return others[0].name, tuple(f for f in factors if f is not others[0])
            return "".join(text_of(f) for f in factors), ()
    if isinstance(sub, Number):
        if sub.text.isdigit() and len(sub.text) > 1 and labels.has_rank(name, len(sub.text)):
            return "", tuple(Number(d, start=sub.start, end=sub.end) for d in sub.text)
        return (sub.text, ()) if labels.labelled(f"{name}_{sub.text}") else ("", (sub,))
    if isinstance(sub, Scripted):
        base = sub.base
        if isinstance(base, Symbol) and len(base.name) > 1 and sub.primes and sub.sub is sub.sup is None:
            _, split = _below(name, base, labels)
            if len(split) > 1:  # k_{nhse'}
                return "", (*split[:-1], Scripted(split[-1], primes=sub.primes))
        return ("", (sub,)) if letter_of(sub) or _is_entry(sub, labels) else (text_of(sub), ())
    if isinstance(sub, Symbol):
        lone = len(sub.name) == 1 and not sub.accents and sub.face in ("", "it")
        if lone and (labels.bound(sub.name) or (sub.name in INDEX_LETTERS and not labels.matrix(name))):
            return "", (sub,)
        if lone and labels.last(name, sub.name):
            return "", (sub,)
        if sub.face == "it" and len(sub.name) > 1 and sub.name != "in" and all(map(labels.bound, sub.name)):
            return "", tuple(Symbol(letter) for letter in sub.name)  # k_{nhse} is no word where n, h, s, e are indices
        return text_of(sub), ()
    return "", (sub,)


def _figures_apart(node: Node) -> tuple[Node, ...]:
    """h_{n0j} is read as h with n_0 j below it, and has the indices n, 0, j."""
    if isinstance(node, Scripted) and isinstance(node.sub, Number) and isinstance(node.base, Symbol):
        plain = node.sup is None and not node.primes and node.base.name in INDEX_LETTERS
        return (node.base, node.sub) if plain else (node,)
    return (node,)


def letters_apart(sub: Node, rank: int) -> tuple[Node, ...]:
    """The subscripts of something that has so many axes, where they stand side by side: [A B]_{ij}.

    >>> from symdl.verification.notation import parse
    >>> [letter_of(s) for s in letters_apart(parse("i j"), 2)]
    ['i', 'j']
    """
    if isinstance(sub, List):
        return sub.items
    if isinstance(sub, Product) and set(sub.ops) == {""} and len(sub.factors) == rank:
        return sub.factors
    if isinstance(sub, Symbol) and len(sub.name) == rank > 1:
        return tuple(Symbol(letter) for letter in sub.name)
    return (sub,)


def _is_entry(sub: Scripted, labels: Labels) -> bool:
    """Whether a subscript is an entry itself, as in x_{n, c_n}: a number that chooses."""
    if sub.sup is not None or sub.primes or not isinstance(sub.base, Symbol):
        return False
    parts = parts_of(sub, labels)
    return parts is not None and bool(parts.subscripts) and all(letter_of(s) for s in parts.subscripts)


def letter_of(node: Node) -> str:
    """The index that a node is: i, or i' with a prime for each prime; empty where it is something else."""
    if isinstance(node, Symbol) and not node.accents:
        return node.name
    if isinstance(node, Scripted) and isinstance(node.base, Symbol) and node.primes and node.sub is None:
        return node.base.name + "'" * node.primes if node.sup is None else ""
    return ""


def text_of(node: Node) -> str:
    """A script as part of a name."""
    if isinstance(node, Symbol):
        return _named(node)
    if isinstance(node, Accented):
        return text_of(node.body) + _COMBINING.get(node.accent, f"_{node.accent}")
    if isinstance(node, Number):
        return node.text
    if isinstance(node, Text):
        return node.text
    if isinstance(node, Sum):
        return "".join(("" if k == 0 and sign == "+" else sign) + text_of(t) for k, (sign, t) in enumerate(node.terms))
    if isinstance(node, Product):
        return "".join(text_of(f) for f in node.factors)
    if isinstance(node, List):
        return ",".join(text_of(i) for i in node.items)
    if isinstance(node, Group):
        return f"({text_of(node.body)})"
    if isinstance(node, Scripted):
        below = "" if node.sub is None else f"_{text_of(node.sub)}"
        above = "" if node.sup is None else f"^{text_of(node.sup)}"
        return text_of(node.base) + below + above + "′" * node.primes
    return "?"
