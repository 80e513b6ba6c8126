"""One term: factors, named operators with their arguments, big operators with their bodies, fractions a/b, derivatives.

How far an operator reaches:

- ∑, ∏, ∫, lim and d/dx take the rest of the term, to the next + or −;
- log, sin, … and max, min with limits take the brackets that follow, or else what is juxtaposed (log x y), and no
  further than the next operator or named operator (log x · y is (log x) · y; sin x cos y has two factors);
- ∇ and ∂_i take one name, with the brackets behind it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from symdl.verification.notation import tree
from symdl.verification.notation.derivatives import is_differential, product, quotient
from symdl.verification.notation.reader import Lexeme
from symdl.verification.notation.tree import Node
from symdl.verification.notation.unread import refuse

Element = Node | Lexeme

#: Names that are functions nearly always, so that 1/f(x) is 1/(f(x)), while 1/n (x + y) is (1/n)(x + y).
_FUNCTION_NAMES = frozenset(["f", "g", "h", "F", "G", "H", "σ", "φ", "ϕ", "ψ", "Φ", "p", "q", "P", "Q", "Γ"])
_GREEDY = frozenset(
    {
        "sum",
        "prod",
        "int",
        "iint",
        "iiint",
        "oint",
        "lim",
        "bigcup",
        "bigcap",
        "bigoplus",
        "bigotimes",
        "coprod",
        "bigvee",
        "bigwedge",
    }
)


#: Most operators that reach over one another: ∑ ∑ ∑ log …
_REACH = 40


@dataclass(frozen=True)
class Function(Node):
    """A named operator that has not got its argument yet."""

    name: Node


@dataclass(frozen=True)
class Operator(Node):
    """∑, max, ∇ with its limits, without its body."""

    op: str
    sub: Node | None = None
    sup: Node | None = None
    note: object = field(default=None)


@dataclass(frozen=True)
class At(Node):
    """A bar with what holds there, behind what it is about."""

    at: Node


def term(elements: tuple[Element, ...], depth: int = 0) -> Node:
    """The tree of a term without + and − at its own level; `depth` operators reach over it."""
    return _Term(elements, depth).read()


class _Term:
    def __init__(self, elements: tuple[Element, ...], depth: int) -> None:
        self.elements, self.at, self.depth = elements, 0, depth
        self.factors: list[Node] = []
        self.ops: list[str] = []

    def read(self) -> Node:
        """All factors to the end."""
        while self.at < len(self.elements):
            element = self.elements[self.at]
            if isinstance(element, At):
                self._evaluate(element)
            elif isinstance(element, Lexeme):
                self._operator(element)
            else:
                self._add("", self._factor())
        return product(tuple(self.factors), tuple(self.ops))

    def _add(self, op: str, node: Node) -> None:
        if self.factors:
            before = self.factors[-1]
            if op == "" and _figure(node) and isinstance(before, (tree.Number, tree.Percent)):
                refuse(node.start, "figures", "two figures side by side")
            self.ops.append(op)
        self.factors.append(node)

    def _operator(self, mark: Lexeme) -> None:
        if mark.kind != "OP":
            refuse(mark.start, mark.value, f"{mark.value!r} can not stand here")
        self.at += 1
        if self.at >= len(self.elements):
            refuse(mark.start, mark.value, f"nothing stands after {mark.value}")
        if not self.factors:
            refuse(mark.start, mark.value, f"nothing stands before {mark.value}")
        if mark.value == "/":
            self._slash()
        else:
            self._add(mark.value, self._factor())

    # ── factors ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _factor(self) -> Node:
        """The factor at this place, with all that belongs to it."""
        self.depth += 1
        if self.depth > _REACH:
            refuse(self.elements[0].start, "nesting", f"more than {_REACH} operators over one term")
        found = self._factor_here()
        self.depth -= 1
        return found

    def _factor_here(self) -> Node:
        element = self._next()
        if isinstance(element, Lexeme):
            if element.kind == "SIGN":
                inner = self._factor()
                return tree.Sum(((element.value, inner),), start=element.start, end=inner.end)
            refuse(element.start, element.value, f"{element.value!r} can not stand here")
        if isinstance(element, At):
            refuse(element.start, "|", "a bar with nothing before it")
        if isinstance(element, Function):
            return self._applied(element.name)
        if isinstance(element, Operator):
            return self._nabla(element) if element.op == "∇" else self._big(element)
        if isinstance(element, tree.Derivative) and element.of is None:
            return self._derived(element)
        if (
            isinstance(element, tree.Scripted)
            and element.base == tree.Symbol("∂")
            and element.sub is not None
            and element.sup is None
            and self._more()
        ):
            of = self._named()
            return tree.Derivative("∂", of, ((element.sub, 1),), True, start=element.start, end=of.end)
        return element

    def _next(self) -> Element:
        if self.at >= len(self.elements):
            last = self.elements[-1]
            refuse(last.end, "end", "the term ends too early")
        self.at += 1
        return self.elements[self.at - 1]

    def _more(self) -> bool:
        """Whether a factor follows at once."""
        return (
            self.at < len(self.elements)
            and isinstance(self.elements[self.at], Node)
            and not isinstance(self.elements[self.at], At)
        )

    def _peek(self) -> Element | None:
        return self.elements[self.at] if self.at < len(self.elements) else None

    def _applied(self, name: Node) -> Node:
        """A named operator with its argument; alone, it is a name."""
        if not self._more():
            return name
        follow = self._peek()
        group = follow.base if isinstance(follow, tree.Scripted) else follow
        if isinstance(group, tree.Group):
            self.at += 1
            return _lifted(name, follow, group)
        argument = self._juxtaposed()
        return tree.Applied(name, argument, start=name.start, end=argument.end)

    def _juxtaposed(self) -> Node:
        """What stands side by side up to the next operator, sign, or named operator."""
        found = [self._factor()]
        while (
            self._more()
            and not self._reaches()
            and isinstance(found[-1], (tree.Symbol, tree.Scripted, tree.Number, tree.Group, tree.Accented))
        ):
            found.append(self._factor())
        return product(tuple(found), ("",) * (len(found) - 1))

    def _reaches(self) -> bool:
        """Whether what follows is an operator with something to reach over; a lone name is a factor."""
        after = self.elements[self.at + 1] if self.at + 1 < len(self.elements) else None
        peek = self._peek()
        return isinstance(peek, Operator) or (isinstance(peek, Function) and isinstance(after, Node))

    def _named(self) -> Node:
        """One factor, with the brackets behind it: f(x)."""
        found = [self._factor()]
        follow = self._peek()
        if isinstance(found[0], (tree.Symbol, tree.Scripted)) and isinstance(follow, tree.Group):
            found.append(self._factor())
        return product(tuple(found), ("",) * (len(found) - 1))

    def _rest(self) -> Node:
        """The rest of the term, up to a bar that evaluates it."""
        stop = self.at
        while stop < len(self.elements) and not isinstance(self.elements[stop], At):
            stop += 1
        part = self.elements[self.at : stop]
        if isinstance(part[0], Lexeme) and part[0].kind == "SIGN":
            if len(part) == 1:
                refuse(part[0].start, part[0].value, "a sign with nothing behind it")
            inner = term(part[1:], self.depth)
            node: Node = tree.Sum(((part[0].value, inner),), start=part[0].start, end=inner.end)
        else:
            node = term(part, self.depth)
        self.at = stop
        return node

    def _big(self, operator: Operator) -> Node:
        span = {"start": operator.start, "end": operator.end}
        bare = operator.sub is None and operator.sup is None
        follow = self._peek()
        if bare and operator.op == "E" and not self._more():
            return tree.Symbol("E", "bb", start=operator.start, end=operator.end)
        if bare and operator.op not in _GREEDY and operator.op != "E":
            return self._applied(tree.Symbol(operator.op, "rm", start=operator.start, end=operator.end))
        if follow is None or isinstance(follow, At) or (isinstance(follow, Lexeme) and follow.kind != "SIGN"):
            return tree.Big(
                operator.op, operator.sub, operator.sup, tree.Empty(start=operator.end, end=operator.end), **span
            )
        if operator.op in _GREEDY or isinstance(follow, Lexeme):
            body = self._rest()
        elif isinstance(follow, tree.Group):
            body = self._factor()
        else:
            body = self._juxtaposed()
        return tree.Big(operator.op, operator.sub, operator.sup, body, start=operator.start, end=body.end)

    def _nabla(self, operator: Operator) -> Node:
        span = {"start": operator.start, "end": operator.end}
        order = 1
        if operator.sup is not None:
            if operator.sup != tree.Number("2"):
                refuse(operator.start, "\\nabla", "∇ with something else than 2 above it")
            order = 2
        if not self._more():
            alone = tree.Symbol("∇", start=operator.start, end=operator.end)
            return (
                alone
                if operator.sub is None and operator.sup is None
                else tree.Scripted(alone, operator.sub, operator.sup, **span)
            )
        # ∇ of ½ ‖…‖² is of all of it
        of = self._rest() if _constant(self._peek()) else self._named()
        return tree.Gradient(of, operator.sub, order, start=operator.start, end=of.end)

    def _derived(self, operator: tree.Derivative) -> Node:
        """d/dx before something: brackets, or the rest of the term."""
        if not self._more():
            return operator
        of = self._factor() if isinstance(self._peek(), tree.Group) else self._rest()
        return replace(operator, of=of, end=of.end)

    # ── a/b and bars ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _slash(self) -> None:
        """a b/c: all that is juxtaposed on the left; ∂L/∂w: back to the ∂."""
        kind = self._differential_ahead()
        first = len(self.factors) - 1
        while first > 0 and self.ops[first - 1] == "":
            first -= 1
        places = [i for i in range(first, len(self.factors)) if kind and is_differential(self.factors[i]) == kind]
        under = self._under(kind) if places else self._denominator()
        first = places[-1] if places else first
        over = product(tuple(self.factors[first:]), tuple(self.ops[first:]))
        found = quotient(over, under, slash=True, start=over.start, end=under.end)
        del self.factors[first:], self.ops[first:]
        if isinstance(found, tree.Derivative) and found.of is None:
            found = self._derived(found)
        self.factors.append(found)

    def _differential_ahead(self) -> str:
        follow = self._peek()
        return is_differential(follow) if isinstance(follow, Node) and self.at + 1 < len(self.elements) else ""

    def _under(self, kind: str) -> Node:
        """∂w_j ∂w_k behind a slash: as many pairs as there are."""
        found: list[Node] = []
        while self._more() and self._differential_ahead() == kind:
            found.append(self._factor())
            if not self._more():
                break
            found.append(self._factor())
        return product(tuple(found), ("",) * (len(found) - 1))

    def _denominator(self) -> Node:
        node = self._factor()
        base = node.base if isinstance(node, tree.Scripted) else node
        follow = self._peek()
        group = follow.base if isinstance(follow, tree.Scripted) else follow
        if isinstance(base, tree.Symbol) and base.name in _FUNCTION_NAMES and isinstance(group, tree.Group):
            return product((node, self._factor()), ("",))
        return node

    def _evaluate(self, bar: At) -> None:
        """dy/dx|_{x=0}, f(x)|_{x=0}: what stands right before the bar, a name with its brackets."""
        self.at += 1
        if not self.factors:
            refuse(bar.start, "|", "a bar with nothing before it")
        first = len(self.factors) - 1
        if (
            first > 0
            and self.ops[first - 1] == ""
            and isinstance(self.factors[first], tree.Group)
            and isinstance(self.factors[first - 1], (tree.Symbol, tree.Scripted))
        ):
            first -= 1
        body = product(tuple(self.factors[first:]), tuple(self.ops[first:]))
        del self.factors[first:], self.ops[first:]
        self.factors.append(tree.Evaluated(body, bar.at, start=body.start, end=bar.end))


def _constant(element: Element | None) -> bool:
    """Whether a number stands there, or a fraction of two."""
    if isinstance(element, tree.Quotient):
        return _constant(element.over) and _constant(element.under)
    return isinstance(element, tree.Number)


def _figure(node: Node) -> bool:
    base = node.base if isinstance(node, tree.Scripted) else node
    return isinstance(base, (tree.Number, tree.Percent))


def _lifted(name: Node, follow: Element | None, group: tree.Group) -> Node:
    """max(0, x)² is the square of max(0, x)."""
    applied = tree.Applied(name, group, start=name.start, end=group.end)
    if isinstance(follow, tree.Scripted):
        return replace(follow, base=applied, start=name.start)
    return applied
