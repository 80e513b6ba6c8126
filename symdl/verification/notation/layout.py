"""What only lays out: rows that go on, wide space, prose between claims, arrows that conclude, numbers of equations.

It works on one row of elements before that row is split, so that `binding` sees separators only where claims part.
"""

from __future__ import annotations

from dataclasses import replace

from symdl.verification.notation import tree
from symdl.verification.notation.reader import Lexeme
from symdl.verification.notation.tree import Node

Element = Node | Lexeme

#: Arrows that say what follows from what, wherever they stand between claims.
CONCLUDING = frozenset(["⇒", "⟺", "⇐"])
#: Arrows that do so between wide spaces only.
_LEADING = frozenset(["→", "↔", "⇝"])


def arranged(elements: tuple[Element, ...], place: str) -> tuple[Element, ...]:
    """The elements of a row with separators where claims part, and nowhere else."""
    if place == "script":
        return elements
    if place == "group":
        return _joined(elements)
    elements = _unnumbered(_joined(elements))
    return _apart(tuple(_concluding(elements, i) for i in range(len(elements))))


def _kind(elements: tuple[Element, ...], i: int) -> str:
    """The kind of the mark at a place; "node" for a node, "" outside."""
    if not 0 <= i < len(elements):
        return ""
    element = elements[i]
    return element.kind if isinstance(element, Lexeme) else "node"


def _blank(elements: tuple[Element, ...], i: int, values: str = " \n") -> bool:
    return _kind(elements, i) == "SEP" and str(elements[i]) in values


def _joined(elements: tuple[Element, ...]) -> tuple[Element, ...]:
    """Without the ends of rows, and the space, behind which a formula goes on."""
    elements = tuple(e for i, e in enumerate(elements) if not (_blank(elements, i) and _blank(elements, i + 1)))
    elements = tuple(e for i, e in enumerate(elements) if not (_blank(elements, i) and _goes_on(elements, i)))
    return tuple(e for i, e in enumerate(elements) if not (_blank(elements, i, ",") and _relates(elements, i + 1)))


def _relates(elements: tuple[Element, ...], i: int) -> bool:
    """Whether a relation stands here: a comma before it, left from the end of a row, parts nothing."""
    return _kind(elements, i) == "REL" and str(elements[i]) not in CONCLUDING | _LEADING


def _goes_on(elements: tuple[Element, ...], i: int) -> bool:
    before, after = _kind(elements, i - 1), _kind(elements, i + 1)
    if before in ("SIGN", "OP") or after == "OP":
        return True
    if before == "REL":
        return str(elements[i - 1]) not in CONCLUDING | _LEADING
    if after == "REL":  # a new row that begins with a relation stays a row
        return str(elements[i]) == " " and _relates(elements, i + 1)
    return after == "SIGN" and (str(elements[i + 1]) == "+" or not _claims(elements, i + 1))


def _claims(elements: tuple[Element, ...], i: int) -> bool:
    """Whether a relation stands in the part that begins here."""
    while i < len(elements) and not _blank(elements, i):
        if _kind(elements, i) == "REL":
            return True
        i += 1
    return False


def _concluding(elements: tuple[Element, ...], i: int) -> Element:
    """An arrow between claims parts them as a word does."""
    element = elements[i]
    if isinstance(element, Lexeme) and element.kind == "REL":
        alone = (i == 0 or _blank(elements, i - 1)) and _blank(elements, i + 1, " ")
        if element.value in CONCLUDING or (element.value in _LEADING and alone):
            return replace(element, kind="WORD")
    return element


def _unnumbered(elements: tuple[Element, ...]) -> tuple[Element, ...]:
    """Without the number of an equation behind wide space: \\\\quad (16), as without a tag."""
    kept: list[Element] = []
    for i, element in enumerate(elements):
        ends = i + 1 == len(elements) or _blank(elements, i + 1, "\n")
        if ends and i > 1 and _blank(elements, i - 1, " ") and _is_number(element):
            kept.pop()
        else:
            kept.append(element)
    return tuple(kept)


def _is_number(element: Element) -> bool:
    number = element.body if isinstance(element, tree.Group) and element.open == "(" else None
    return isinstance(number, tree.Number) and number.text.isdigit()


def _apart(elements: tuple[Element, ...]) -> tuple[Element, ...]:
    """Prose between claims, or behind one, stands apart; next to a sign or relation it is what that is about."""
    found: list[Element] = []
    for i, element in enumerate(elements):
        if not isinstance(element, tree.Text) or _operand(elements, i):
            found.append(element)
            continue
        if _kind(elements, i - 1) == "node":
            found.append(Lexeme("SEP", " ", element.start, element.start))
        found.append(element)
        if _kind(elements, i + 1) == "node":
            found.append(Lexeme("SEP", " ", element.end, element.end))
    return tuple(found)


def _operand(elements: tuple[Element, ...], i: int) -> bool:
    marks = ("SIGN", "OP", "REL")
    return _kind(elements, i - 1) in marks or _kind(elements, i + 1) in marks
