"""The tree of a formula: what is written, before anyone says what it means.

Every node is frozen and knows where it stands in the text (`start`, `end`: offsets, not compared). What a notation
leaves open stays open here: f(x) is a product of f and (x) until a scope says that f is a function, and x^T has a T
above it.

>>> Scripted(Symbol("w"), sub=Number("0")) == Scripted(Symbol("w", start=4, end=5), sub=Number("0"))
True
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import Any, TypeVar


@dataclass(frozen=True)
class Node:
    """Anything in a formula, from `start` (the offset of its first character) to `end` (one past its last)."""

    start: int = field(default=0, compare=False, kw_only=True, repr=False)
    end: int = field(default=0, compare=False, kw_only=True, repr=False)


@dataclass(frozen=True)
class Empty(Node):
    """Nothing where something may stand: the left side of a row that begins with =, the body of a lone ∑."""


@dataclass(frozen=True)
class Number(Node):
    """A figure as it is written, its digits kept: "0.730" is not "0.73"."""

    text: str


@dataclass(frozen=True)
class Percent(Node):
    """3.57 %."""

    body: Node


@dataclass(frozen=True)
class Symbol(Node):
    """A name: "w", "θ", "softmax".

    `face`: "", "bf", "rm", "it", "cal", "bb", "sf", "tt", "frak", "scr". `accents`: ("hat",), outermost last.
    """

    name: str
    face: str = ""
    accents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Accented(Node):
    """An accent over more than a name: the bar over x + y."""

    body: Node
    accent: str


@dataclass(frozen=True)
class Scripted(Node):
    """What stands below, above and after a base: w_{ji}^{(l)}, f'."""

    base: Node
    sub: Node | None = None
    sup: Node | None = None
    primes: int = 0


@dataclass(frozen=True)
class Sum(Node):
    """Terms with the sign before each: "+", "-", "±", "∓". −x is a sum of one term."""

    terms: tuple[tuple[str, Node], ...]


@dataclass(frozen=True)
class Product(Node):
    """Factors side by side; `ops[i]` stands between factors i and i + 1: "" (nothing), "·", "×", "*", "⊙", "∘", …"""

    factors: tuple[Node, ...]
    ops: tuple[str, ...]

    @property
    def neighbours(self) -> Iterator[tuple[Node, Node, str]]:
        """Each two factors side by side, and what stands between them."""
        return zip(self.factors, self.factors[1:], self.ops, strict=False)


@dataclass(frozen=True)
class Quotient(Node):
    """A fraction; `slash` where it is written a/b (then a/b c is (a/b) c, and a reader may doubt it)."""

    over: Node
    under: Node
    slash: bool = False


@dataclass(frozen=True)
class Root(Node):
    """√body, or the root of degree `index`."""

    body: Node
    index: Node | None = None


@dataclass(frozen=True)
class Binomial(Node):
    """n over k."""

    over: Node
    under: Node


@dataclass(frozen=True)
class Factorial(Node):
    """body!"""

    body: Node


@dataclass(frozen=True)
class Group(Node):
    """Brackets: ( ) [ ] { } ⟨ ⟩; intervals may mix them."""

    body: Node
    open: str = "("
    close: str = ")"

    @property
    def items(self) -> tuple[Node, ...]:
        """What commas or other separators part in them; of anything else, that."""
        return self.body.items if isinstance(self.body, List) else (self.body,)


@dataclass(frozen=True)
class List(Node):
    """Items with one character between each two: "," ";" "|" ":". f(x; W, b) has separators ";,"."""

    items: tuple[Node, ...]
    separators: str


@dataclass(frozen=True)
class Applied(Node):
    """A named operator and what it is applied to: log x y is log of x y, log x + y is (log x) + y."""

    function: Node
    argument: Node


@dataclass(frozen=True)
class Big(Node):
    """∑, ∏, ∫, max, min, argmax, argmin, lim, sup, inf, E with limits, over the term that follows."""

    op: str
    sub: Node | None
    sup: Node | None
    body: Node


@dataclass(frozen=True)
class Derivative(Node):
    """d or ∂ (`kind`) of something by variables, each with its order. `of` is None where the operator stands alone.

    `below`: it is written ∂_i f, where i is a variable, or the number of one. `letter`: the n of dⁿf/dxⁿ; the order of
    its one variable is 0 then, so that it is taken for no slope of a known order.
    """

    kind: str
    of: Node | None
    by: tuple[tuple[Node, int], ...]
    below: bool = False
    letter: Node | None = None


@dataclass(frozen=True)
class Gradient(Node):
    """∇ of something, by the variables below it. `order` 2 is ∇²."""

    of: Node
    by: Node | None = None
    order: int = 1


@dataclass(frozen=True)
class Evaluated(Node):
    """A bar after the body, with what holds there: dy/dx |_{x=0}."""

    body: Node
    at: Node


@dataclass(frozen=True)
class Norm(Node):
    """‖body‖; its kind stands in the scripts around it."""

    body: Node


@dataclass(frozen=True)
class Abs(Node):
    """|body|."""

    body: Node


@dataclass(frozen=True)
class Floor(Node):
    """⌊body⌋."""

    body: Node


@dataclass(frozen=True)
class Ceil(Node):
    """⌈body⌉."""

    body: Node


@dataclass(frozen=True)
class Matrix(Node):
    """Rows of cells; `kind` is the environment: "pmatrix", "bmatrix", "vmatrix" (a determinant), "array", …"""

    rows: tuple[tuple[Node, ...], ...]
    kind: str = "matrix"


@dataclass(frozen=True)
class Cases(Node):
    """Values with their conditions; None: otherwise."""

    rows: tuple[tuple[Node, Node | None], ...]


@dataclass(frozen=True)
class Noted(Node):
    """A body with a note: "underbrace", "overbrace", "underset", "overset", "boxed", "color", "cancel"."""

    body: Node
    note: Node | None
    kind: str


@dataclass(frozen=True)
class Text(Node):
    """Prose inside a formula."""

    text: str


@dataclass(frozen=True)
class Dots(Node):
    """… of any height."""


@dataclass(frozen=True)
class Chain(Node):
    """a = b < c: `relations[i]` stands between sides i and i + 1.

    A row that begins (or ends) with a relation has an `Empty` side there.
    """

    sides: tuple[Node, ...]
    relations: tuple[str, ...]


@dataclass(frozen=True)
class Statements(Node):
    """Several claims in one formula.

    `separators[i]` stands after item i: ",", ";", " " (a wide space), "\\n" (a new row), or a word: "and",
    "for", "if", "where".
    """

    items: tuple[Node, ...]
    separators: tuple[str, ...]


N = TypeVar("N", bound=Node)


def placed(node: N, start: int, end: int) -> N:
    """The node with its place in the text."""
    return replace(node, start=start, end=end)


def children(node: Node) -> list[Node]:
    """The nodes right below a node, from left to right.

    >>> [child.name for child in children(Product((Symbol("a"), Symbol("b")), ("",)))]
    ['a', 'b']
    """
    found: list[Node] = []
    kind: Any = type(node)
    for name in _parts(kind):
        value = getattr(node, name)
        if isinstance(value, Node):
            found.append(value)
        elif isinstance(value, tuple):
            _gather(value, found)
    return found


@cache
def _parts(kind: Any) -> tuple[str, ...]:
    """The fields of a kind of node that hold nodes, or tuples of them."""
    return tuple(field.name for field in fields(kind) if field.type not in ("str", "int", "bool"))


def _gather(values: tuple[object, ...], found: list[Node]) -> None:
    for value in values:
        if isinstance(value, Node):
            found.append(value)
        elif isinstance(value, tuple):
            _gather(value, found)


def called(node: Node) -> tuple[Node, Group] | None:
    """f and the brackets of f(x, y), which is read as a product; None of anything else.

    >>> called(Product((Symbol("f"), Group(Symbol("x"))), ("",)))[0].name, called(Symbol("f"))
    ('f', None)
    """
    if not isinstance(node, Product) or len(node.factors) != 2 or node.ops != ("",):
        return None
    name, group = node.factors
    return (name, group) if isinstance(group, Group) else None


def mapped(node: Node, change: Callable[[Node], Node], but: str = "") -> Node:
    """A node with each node right below it changed, what stands in the field `but` aside; itself where nothing is.

    >>> mapped(Scripted(Symbol("w"), sub=Number("0")), lambda n: Symbol("v") if n == Symbol("w") else n).base.name
    'v'
    """
    kind: Any = type(node)
    changes: dict[str, Any] = {}
    for name in _parts(kind):
        value = getattr(node, name)
        new = value if name == but else _mapped(value, change)
        if new is not value:
            changes[name] = new
    return replace(node, **changes) if changes else node


def _mapped(value: Any, change: Callable[[Node], Node]) -> Any:
    if isinstance(value, Node):
        return change(value)
    if isinstance(value, tuple):
        new = tuple(_mapped(v, change) for v in value)
        return new if any(a is not b for a, b in zip(new, value, strict=True)) else value
    return value


def walk(node: Node) -> Iterator[Node]:
    """A node and everything below it.

    >>> [type(n).__name__ for n in walk(Scripted(Symbol("w"), sub=Number("0")))]
    ['Scripted', 'Symbol', 'Number']
    """
    stack = [node]
    while stack:
        top = stack.pop()
        yield top
        below = children(top)
        below.reverse()
        stack += below
