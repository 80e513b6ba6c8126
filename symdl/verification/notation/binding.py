"""From a row of elements to a tree: what binds tighter, as people read it.

A row is split at separators, then at relations, then at signs; `term` orders what is left. Nothing here recurses into a
formula: every node that comes in is bound already.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from symdl.verification.notation import tree
from symdl.verification.notation.layout import Element, arranged
from symdl.verification.notation.reader import Lexeme
from symdl.verification.notation.symbols import LONE, NEGATED
from symdl.verification.notation.term import At, Function, Operator, term
from symdl.verification.notation.tree import Node
from symdl.verification.notation.unread import refuse

__all__ = ["At", "Element", "Function", "Operator", "Row", "bind", "spliced"]


@dataclass(frozen=True)
class Row:
    """Elements that stand side by side, not ordered yet."""

    elements: tuple[Element, ...]
    start: int = field(default=0, kw_only=True)
    end: int = field(default=0, kw_only=True)


def spliced(row: Row) -> Row:
    """What bare braces leave: they are not seen, so they do not group; \\over inside them does."""
    if any(isinstance(e, Lexeme) and e.kind == "OVER" for e in row.elements):
        return Row((bind(row, "group"),))
    return row


def bind(row: Row, place: str) -> Node:
    """The tree of a row.

    Args:
        row: elements, already bound inside.
        place: "top" for a whole formula, "group", "script", "cell" or "noted" for a part of one.
    """
    elements = _negated(row.elements)
    span = {"start": elements[0].start, "end": elements[-1].end} if elements else {"start": row.start, "end": row.end}
    for i, element in enumerate(elements):
        if isinstance(element, Lexeme) and element.kind == "OVER":
            return _over(elements, i, span)
    if len(elements) == 1 and (name := _lone(elements[0])):
        return name
    if place == "script" and [str(e) for e in (*elements[:1], *elements[-1:]) if isinstance(e, Lexeme)] == ["<", ">"]:
        return tree.Group(bind(Row(elements[1:-1]), "group"), "⟨", "⟩", **span)
    elements = arranged(_trimmed(elements, place), place)
    if not elements:
        return tree.Empty(**span)
    if len(elements) == 1 and (name := _lone(elements[0])):
        return name
    parts, separators = _split(elements, lambda e: e.kind in ("SEP", "WORD"))
    if len(bars := [mark for mark in separators if mark.value in "|‖"]) > 1:
        refuse(bars[1].start, bars[1].value, "a second bar, which may close the first or not")
    if place in ("group", "script") and (ends := [mark for mark in separators if mark.value == "\n"]):
        refuse(ends[0].start, "\\\\", "a row ends inside brackets")
    if len(parts) == 1:
        return _chain(parts[0], span)
    if place in ("top", "noted") or any(s.kind == "WORD" or s.value in " \n" for s in separators):
        return _statements(parts, separators, span)
    return _list(parts, separators, span)


def _over(elements: tuple[Element, ...], i: int, span: dict[str, int]) -> Node:
    from_, to = Row(elements[:i]), Row(elements[i + 1 :])
    mark = elements[i]
    assert isinstance(mark, Lexeme)
    if any(isinstance(e, Lexeme) and e.kind == "OVER" for e in to.elements):
        refuse(mark.start, f"\\{mark.value}", "two fractions without braces")
    if any(_separates(e, "\n") for e in elements):
        refuse(mark.start, f"\\{mark.value}", "a fraction over several rows")
    if mark.value == "over":
        return tree.placed(tree.Quotient(bind(from_, "group"), bind(to, "group")), **span)
    if mark.value == "choose":
        return tree.Binomial(bind(from_, "group"), bind(to, "group"), **span)
    refuse(mark.start, "\\atop", "\\atop has no meaning here")


def _lone(element: Element) -> Node | None:
    """A sign all by itself is a name: the + of x^+, the dot of f(·)."""
    if isinstance(element, Lexeme):
        if element.kind == "WORD":
            return tree.Symbol(
                element.value, "rm" if element.value.isalpha() else "", start=element.start, end=element.end
            )
        value = LONE.get(element.value) or (
            element.value if element.kind in ("OP", "REL", "SIGN") or element.value in ":," else None
        )
        return tree.Symbol(value, start=element.start, end=element.end) if value else None
    return None


def _negated(elements: tuple[Element, ...]) -> tuple[Element, ...]:
    """\\not before a relation."""
    if not any(isinstance(e, Lexeme) and e.kind == "NOT" for e in elements):
        return elements
    kept: list[Element] = []
    waiting: Lexeme | None = None
    for element in elements:
        if isinstance(element, Lexeme) and element.kind == "NOT":
            waiting = element
        elif waiting is not None:
            if not (isinstance(element, Lexeme) and element.kind == "REL" and element.value in NEGATED):
                refuse(waiting.start, "\\not", "\\not before what is no relation")
            kept.append(replace(element, value=NEGATED[element.value], start=waiting.start))
            waiting = None
        else:
            kept.append(element)
    if waiting is not None:
        refuse(waiting.start, "\\not", "\\not before nothing")
    return tuple(kept)


def _trimmed(elements: tuple[Element, ...], place: str) -> tuple[Element, ...]:
    """Punctuation at the end of a formula, and wide space at its ends, say nothing."""
    first, last = 0, len(elements)
    blank = ".,; \n" if place == "top" else " \n"
    while last > first and _separates(elements[last - 1], blank):
        last -= 1
    while first < last and _separates(elements[first], " \n"):
        first += 1
    return elements[first:last]


def _separates(element: Element, values: str) -> bool:
    return isinstance(element, Lexeme) and element.kind == "SEP" and element.value in values


def _split(
    elements: tuple[Element, ...], parts_at: Callable[[Lexeme], bool]
) -> tuple[list[tuple[Element, ...]], list[Lexeme]]:
    parts: list[tuple[Element, ...]] = []
    marks: list[Lexeme] = []
    start = 0
    for i, element in enumerate(elements):
        if isinstance(element, Lexeme) and parts_at(element):
            parts.append(elements[start:i])
            marks.append(element)
            start = i + 1
    parts.append(elements[start:])
    return parts, marks


# ── separators ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _list(parts: list[tuple[Element, ...]], separators: list[Lexeme], span: dict[str, int]) -> Node:
    items = []
    for part, mark in zip(parts, [*separators, separators[-1]], strict=True):
        items.append(
            _chain(part, {"start": part[0].start, "end": part[-1].end})
            if part
            else tree.Empty(start=mark.start, end=mark.start)
        )
    for separator in separators:
        if separator.value not in ",;|:‖":
            refuse(separator.start, separator.value, f"{separator.value!r} can not stand here")
    return tree.List(tuple(items), "".join(s.value for s in separators), **span)


def _statements(parts: list[tuple[Element, ...]], separators: list[Lexeme], span: dict[str, int]) -> Node:
    """Claims with commas, wide space or words between them; without any claim, a list."""
    items: list[tuple[Element, ...]] = []
    between: list[Lexeme] = []
    for part, mark in zip(parts, [*separators, None], strict=True):
        worded = mark.kind == "WORD" if mark is not None and not items else between[-1:] and between[-1].kind == "WORD"
        if part or (worded and (mark is None or not items)):
            items.append(part)
            between += [mark] if mark is not None else []
        elif mark is not None:
            _merge(items, between, mark)
        elif between and between[-1].value not in ",; \n":
            refuse(between[-1].start, between[-1].value, f"nothing stands after {between[-1].value!r}")
    del between[max(len(items) - 1, 0) :]
    if not any(items):
        refuse(separators[0].start, separators[0].value, "words without a formula")
    bound = [_side(item, span) for item in items]
    if len(bound) == 1:
        return bound[0]
    plain = all(mark.kind == "SEP" and mark.value in ",;|:‖" for mark in between)
    if plain and not any(isinstance(node, tree.Chain) for node in bound):
        return tree.List(tuple(bound), "".join(mark.value for mark in between), **span)
    return _gathered(bound, [mark.value for mark in between], span)


def _merge(items: list[tuple[Element, ...]], between: list[Lexeme], mark: Lexeme) -> None:
    """ ", \\quad" and ", and" are one separator: the word counts, then the comma."""
    if mark.kind == "SEP" and mark.value in ":|‖":
        refuse(mark.start, mark.value, f"nothing stands before {mark.value!r}")
    if not between:
        if mark.kind == "WORD" or mark.value not in " \n":
            refuse(mark.start, mark.value, f"nothing stands before {mark.value!r}")
        return
    if mark.kind == "WORD" or between[-1].value in " \n":
        if between[-1].kind == "WORD" and mark.kind == "WORD":
            if len(between[-1].value) > 60:
                refuse(mark.start, mark.value, "words without a formula")
            between[-1] = replace(between[-1], value=f"{between[-1].value} {mark.value}")
        elif between[-1].kind != "WORD":
            between[-1] = mark
    elif between[-1].kind != "WORD" and mark.value not in " \n.":
        refuse(mark.start, mark.value, f"nothing stands between {between[-1].value!r} and {mark.value!r}")


def _gathered(bound: list[Node], between: list[str], span: dict[str, int]) -> Node:
    """Items without a relation belong to a neighbour: the 2, …, n of i = 1, 2, …, n, and the a of a, b > 0."""
    items: list[Node] = [bound[0]]
    marks: list[str] = []
    for mark, node in zip(between, bound[1:], strict=True):
        last = items[-1]
        if mark in (",", ";") and isinstance(last, tree.Chain) and not isinstance(node, tree.Chain):
            items[-1] = _appended(last, node, mark)
        elif (
            mark == ","
            and not isinstance(last, (tree.Chain, tree.Text))
            and isinstance(node, tree.Chain)
            and not isinstance(node.sides[0], tree.Empty)
        ):
            first = _joined(last, node.sides[0], mark)
            items[-1] = replace(node, sides=(first, *node.sides[1:]), start=first.start)
        elif mark == "," and not isinstance(last, tree.Chain) and not isinstance(node, tree.Chain):
            items[-1] = _joined(last, node, mark)
        elif mark in (":", "|", "‖"):
            items[-1] = _related(last, node, mark)
        else:
            items.append(node)
            marks.append(mark)
    if len(items) == 1:
        return items[0]
    return tree.Statements(tuple(items), tuple(marks), **span)


def _appended(chain: tree.Chain, node: Node, mark: str) -> Node:
    last = _joined(chain.sides[-1], node, mark)
    return replace(chain, sides=(*chain.sides[:-1], last), end=node.end)


def _joined(first: Node, second: Node, mark: str) -> Node:
    items, marks = (first.items, first.separators) if isinstance(first, tree.List) else ((first,), "")
    return tree.List((*items, second), marks + mark, start=first.start, end=second.end)


def _related(first: Node, second: Node, mark: str) -> Node:
    """f: X → Y, p(y | x) without brackets."""
    if mark != ":":
        return tree.List((first, second), mark, start=first.start, end=second.end)
    left = (first.sides, first.relations) if isinstance(first, tree.Chain) else ((first,), ())
    right = (second.sides, second.relations) if isinstance(second, tree.Chain) else ((second,), ())
    return tree.Chain((*left[0], *right[0]), (*left[1], mark, *right[1]), start=first.start, end=second.end)


def _side(part: tuple[Element, ...], span: dict[str, int]) -> Node:
    if not part:
        return tree.Empty(start=span["start"], end=span["start"])
    return _chain(part, {"start": part[0].start, "end": part[-1].end})


# ── relations and signs ──────────────────────────────────────────────────────────────────────────────────────────────


def _chain(elements: tuple[Element, ...], span: dict[str, int]) -> Node:
    if len(elements) == 1 and (name := _lone(elements[0])):
        return name
    sides, marks = _split(elements, lambda e: e.kind == "REL")
    if not marks:
        return _sum(elements)
    found: list[Node] = []
    for place, side in enumerate(sides):
        if side:
            found.append(_sum(side))
        elif place in (0, len(sides) - 1):
            at = marks[0].start if place == 0 else marks[-1].end
            found.append(tree.Empty(start=at, end=at))
        else:
            refuse(
                marks[place].start,
                marks[place].value,
                f"nothing stands between {marks[place - 1].value} and {marks[place].value}",
            )
    return tree.Chain(tuple(found), tuple(mark.value for mark in marks), **span)


def _sum(elements: tuple[Element, ...]) -> Node:
    """Terms with signs; a sign right behind an operator belongs to the factor."""
    if len(elements) == 1 and (name := _lone(elements[0])):
        return name
    terms: list[tuple[str, Node]] = []
    waiting: list[Element] = []
    pending: list[Lexeme] = []
    for element in elements:
        before = waiting[-1] if waiting else None
        if isinstance(element, Lexeme) and element.kind == "SIGN" and not _holds(before):
            if waiting:
                terms.append(_signed(pending, waiting))
                pending, waiting = [], []
            pending.append(element)
        else:
            waiting.append(element)
    if not waiting:
        refuse(elements[-1].start, str(elements[-1]), "a sign with nothing behind it")
    terms.append(_signed(pending, waiting))
    if len(terms) == 1 and not pending:
        return terms[0][1]
    return tree.Sum(tuple(terms), start=elements[0].start, end=elements[-1].end)


def _holds(before: Element | None) -> bool:
    """Whether a sign behind this belongs to a factor: 2 · −3, ∑ −x."""
    if isinstance(before, (Function, Operator)) or (isinstance(before, tree.Derivative) and before.of is None):
        return True
    return isinstance(before, Lexeme) and before.kind == "OP"


def _signed(signs: list[Lexeme], elements: list[Element]) -> tuple[str, Node]:
    node = term(tuple(elements))
    for sign in reversed(signs[1:]):
        node = tree.Sum(((sign.value, node),), start=sign.start, end=node.end)
    return (signs[0].value if signs else "+"), node
