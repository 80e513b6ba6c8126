"""What each rule of the grammar makes of its parts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeVar

from symdl.verification.notation import tree
from symdl.verification.notation.binding import At, Element, Function, Operator, Row, bind, spliced
from symdl.verification.notation.derivatives import quotient
from symdl.verification.notation.latex import latex
from symdl.verification.notation.reader import Lexeme
from symdl.verification.notation.symbols import OTHERWISE
from symdl.verification.notation.tree import Node
from symdl.verification.notation.unread import refuse

_MARKS = frozenset({"REL", "OP", "SIGN"})
_OPENING, _CLOSING = frozenset("([{⟨"), frozenset(")]}⟩")

S = TypeVar("S", tree.Scripted, Operator)


@dataclass(frozen=True)
class Script:
    """One script, before it is put on its base."""

    kind: str
    body: Row | None
    count: int
    start: int
    end: int


class Builder:
    """The callbacks of the grammar. Children are tokens (their `value` is a lexeme), rows of elements, and nodes."""

    def start(self, parts: list[Any]) -> Node:
        return bind(parts[0], "top")

    def line(self, parts: list[Any]) -> Row:
        elements: list[Element] = []
        for part in parts:
            if isinstance(part, Row):
                elements += part.elements
            else:
                elements.append(_element(part))
        return Row(tuple(elements))

    def braced(self, parts: list[Any]) -> Row:
        return replace(spliced(parts[1]), start=parts[0].value.start, end=parts[2].value.end)

    def script(self, parts: list[Any]) -> Script:
        lexeme: Lexeme = parts[0].value
        if lexeme.kind in ("SUB", "SUP"):
            body = _row(parts[1])
            return Script(lexeme.kind, body, 0, lexeme.start, body.end or lexeme.end)
        return Script(lexeme.kind, None, len(lexeme.value), lexeme.start, lexeme.end)

    def scripted(self, parts: list[Any]) -> Row | Node:
        base, scripts = _element(parts[0]) if not isinstance(parts[0], Row) else parts[0], parts[1:]
        if isinstance(base, Row):
            if not scripts:
                return base
            if not base.elements:
                return Row((_put(tree.Empty(start=base.start, end=base.end), scripts),))
            *before, last = base.elements
            if not isinstance(last, Node):
                refuse(scripts[0].start, last.value, "a script on a sign")
            return Row((*before, _put(_enclosed(last, scripts), scripts)))
        assert isinstance(base, Node)
        return _put(base, scripts)

    def evaluated(self, parts: list[Any]) -> Lexeme | Node:
        at = _row(parts[2])
        return At(bind(at, "script"), start=parts[0].value.start, end=at.end)

    def group(self, parts: list[Any]) -> Node:
        first, last = parts[0].value, parts[2].value
        span = {"start": first.start, "end": last.end}
        pair = (first.value, last.value)
        if pair in (("|", "|"), ("‖", "‖"), ("⌊", "⌋"), ("⌈", "⌉")):
            kind = {"|": tree.Abs, "‖": tree.Norm, "⌊": tree.Floor, "⌈": tree.Ceil}[first.value]
            return kind(bind(parts[1], "group"), **span)
        if (first.value in _OPENING and last.value in _CLOSING) or pair in (("", "|"),):
            return tree.Group(bind(parts[1], "group"), *pair, **span)
        refuse(
            last.start, last.value or "\\right.", f"{first.value or 'nothing'} is closed by {last.value or 'nothing'}"
        )

    def fraction(self, parts: list[Any]) -> Node:
        over, under = (_row(part) for part in parts[1:])
        start = parts[0].value.start
        return quotient(bind(over, "group"), bind(under, "group"), slash=False, start=start, end=under.end)

    def binomial(self, parts: list[Any]) -> Node:
        over, under = (_row(part) for part in parts[1:])
        return tree.Binomial(bind(over, "group"), bind(under, "group"), start=parts[0].value.start, end=under.end)

    def root(self, parts: list[Any]) -> Node:
        body = _row(parts[1])
        return tree.Root(bind(body, "group"), start=parts[0].value.start, end=body.end)

    def root_of(self, parts: list[Any]) -> Node:
        body = _row(parts[4])
        return tree.Root(bind(body, "group"), bind(parts[2], "group"), start=parts[0].value.start, end=body.end)

    def accented(self, parts: list[Any]) -> Node:
        lexeme, body = parts[0].value, _row(parts[1])
        return _accent(bind(body, "group"), lexeme.value, lexeme.start, body.end)

    def noted(self, parts: list[Any]) -> Node:
        lexeme, body = parts[0].value, _row(parts[1])
        if lexeme.value in ("abs", "norm"):
            kind = tree.Abs if lexeme.value == "abs" else tree.Norm
            return kind(bind(body, "group"), start=lexeme.start, end=body.end)
        return tree.Noted(bind(body, "noted"), None, lexeme.value, start=lexeme.start, end=body.end)

    def noted_with(self, parts: list[Any]) -> Node | Row:
        lexeme, note, body = parts[0].value, _row(parts[1]), _row(parts[2])
        if len(body.elements) == 1 and isinstance(mark := body.elements[0], Lexeme) and mark.kind in _MARKS:
            defined = "def" in latex(bind(note, "script")) and mark.value == "="
            return Row((replace(mark, value=":=" if defined else mark.value, start=lexeme.start, end=body.end),))
        if len(body.elements) == 1 and isinstance(body.elements[0], Operator):
            return _put(
                body.elements[0],
                [Script("SUB" if lexeme.value == "underset" else "SUP", note, 0, note.start, note.end)],
            )
        return tree.Noted(bind(body, "noted"), bind(note, "script"), lexeme.value, start=lexeme.start, end=body.end)

    def coloured(self, parts: list[Any]) -> Node:
        lexeme, body = parts[0].value, _row(parts[1])
        return tree.Noted(bind(body, "noted"), tree.Text(lexeme.value), "color", start=lexeme.start, end=body.end)

    def cells(self, parts: list[Any]) -> list[list[Row]]:
        rows: list[list[Row]] = [[parts[0]]]
        for separator, cell in zip(parts[1::2], parts[2::2], strict=True):
            if separator.value.value == "&":
                rows[-1].append(cell)
            else:
                rows.append([cell])
        return rows

    def environment(self, parts: list[Any]) -> Node:
        first, rows, last = parts[0].value, parts[1], parts[2].value
        if "cases" in first.value:
            if all(len(row) == 1 and _is_claim(row[0]) for row in rows):
                claims = tuple((bind(_without_comma(row[0]), "cell"),) for row in rows)
                return tree.Matrix(claims, "cases", start=first.start, end=last.end)
            found = tuple(_case(row, first.start) for row in rows)
            return tree.Cases(found, start=first.start, end=last.end)
        cells = tuple(tuple(bind(cell, "cell") for cell in row) for row in rows)
        return tree.Matrix(cells, first.value.rstrip("*"), start=first.start, end=last.end)


def _is_claim(row: Row) -> bool:
    """Whether a row is one of a system, without a condition: its first mark is a relation."""
    marks = [e.kind for e in row.elements if isinstance(e, Lexeme) and e.kind in ("REL", "SEP", "WORD")]
    return marks[:1] == ["REL"] and "WORD" not in marks


def _case(row: list[Row], start: int) -> tuple[Node, Node | None]:
    if len(row) > 2:
        row = [row[0], Row(tuple(element for cell in row[1:] for element in cell.elements))]
    if len(row) == 1:
        row = _parted(row[0], start)
    value = _without_comma(row[0])
    condition = _without_comma(row[1]).elements
    words = [e.value for e in condition if isinstance(e, Lexeme) and e.kind == "WORD"]
    if len(condition) == 1 and (
        (words and words[0].lower() in OTHERWISE)
        or (isinstance(condition[0], tree.Text) and condition[0].text in OTHERWISE)
    ):
        return bind(value, "group"), None
    kept = tuple(
        e
        for i, e in enumerate(condition)
        if not (
            isinstance(e, Lexeme) and e.kind == "WORD" and i == 0 and e.value.lower() in ("if", "for", "when", "where")
        )
    )
    if not kept:
        return bind(value, "group"), None
    return bind(value, "group"), bind(_without_comma(Row(kept)), "top")


def _parted(row: Row, start: int) -> list[Row]:
    """A case without &: the condition begins at its word, or at a comma."""
    for place, element in enumerate(row.elements):
        if isinstance(element, Lexeme) and (element.kind == "WORD" or element.kind == "SEP"):
            cut = place if element.kind == "WORD" else place + 1
            return [Row(row.elements[:place]), Row(row.elements[cut:])]
    refuse(start, "cases", "a case without a condition")


def _without_comma(row: Row) -> Row:
    elements = row.elements
    while elements and isinstance(elements[-1], Lexeme) and elements[-1].kind == "SEP":
        elements = elements[:-1]
    while elements and isinstance(elements[0], Lexeme) and elements[0].kind == "SEP" and elements[0].value in " \n":
        elements = elements[1:]
    return replace(row, elements=elements)


def _element(part: Any) -> Element:
    """A node or a mark of a token or a node."""
    if isinstance(part, Node):
        return part
    lexeme: Lexeme = part.value if not isinstance(part, Lexeme) else part
    span = {"start": lexeme.start, "end": lexeme.end}
    if lexeme.kind == "NUMBER":
        return tree.Number(lexeme.value, **span)
    if lexeme.kind == "SYMBOL":
        return tree.placed(tree.Symbol(lexeme.value, lexeme.face), **span)
    if lexeme.kind == "TEXT":
        return tree.Text(lexeme.value, **span)
    if lexeme.kind == "DOTS":
        return tree.Dots(**span)
    if lexeme.kind == "FN":
        return Function(tree.placed(tree.Symbol(lexeme.value, lexeme.face or "rm"), **span), **span)
    if lexeme.kind in ("BIG", "NABLA"):
        return tree.placed(Operator(lexeme.value), **span)
    return lexeme


def _row(part: Any) -> Row:
    if isinstance(part, Row):
        return part
    element = _element(part)
    return Row((element,), start=element.start, end=element.end)


def _put(base: Node, scripts: list[Script]) -> Node:
    """A base with its scripts."""
    for script in scripts:
        base = _put_one(base, script)
    return base


def _enclosed(base: Node, scripts: list[Script]) -> Node:
    """{w^l}^T has two scripts at one place, one on the other's base."""
    if isinstance(base, tree.Scripted):
        taken = {"SUB": base.sub is not None, "SUP": base.sup is not None}
        if any(taken.get(script.kind, False) for script in scripts):
            return tree.Scripted(base, start=base.start, end=base.end)
    return base


def _put_one(base: Node, script: Script) -> Node:
    span = {"start": base.start, "end": script.end}
    if script.kind in ("BANG", "PERCENT") and isinstance(base, (Function, Operator, tree.Empty)):
        refuse(script.start, "!" if script.kind == "BANG" else "%", "nothing that has a value stands before it")
    if isinstance(base, Function):
        return Function(_put_one(base.name, script), **span)
    if script.kind == "BANG":
        return tree.Factorial(base, **span)
    if script.kind == "PERCENT":
        return tree.Percent(base, **span)
    if script.kind == "PRIME":
        return _primed(base, script.count, span)
    assert script.body is not None
    body = bind(script.body, "script")
    if script.kind == "SUP" and (primes := _primes(body)):
        return _primed(base, primes, span)
    label, primes = _label_with_primes(body) if script.kind == "SUP" else (body, 0)
    if primes:  # the slope of g^{[l]}
        base = _primed(base, primes, span)
    return _below_or_above(base, script, label, span)


def _below_or_above(base: Node, script: Script, body: Node, span: dict[str, int]) -> Node:
    side = "sub" if script.kind == "SUB" else "sup"
    if isinstance(base, tree.Group) and base.open == "" and side == "sub":
        return tree.Evaluated(base.body, body, **span)
    if isinstance(base, tree.Noted) and base.kind in ("underbrace", "overbrace") and base.note is None:
        return tree.placed(replace(base, note=body), **span)
    if isinstance(base, Operator):
        if getattr(base, side) is not None:
            refuse(script.start, "_" if side == "sub" else "^", "two limits at one place")
        return _filled(base, side, body, span)
    if not isinstance(base, tree.Scripted):
        base = tree.Scripted(base)
    if getattr(base, side) is not None:
        refuse(script.start, "_" if side == "sub" else "^", "two scripts at one place")
    return _filled(base, side, body, span)


def _filled(base: S, side: str, body: Node, span: dict[str, int]) -> S:
    return tree.placed(replace(base, sub=body) if side == "sub" else replace(base, sup=body), **span)


def _primed(base: Node, count: int, span: dict[str, int]) -> Node:
    if isinstance(base, tree.Scripted):
        return tree.placed(replace(base, primes=base.primes + count), **span)
    if isinstance(base, Operator):
        refuse(span["end"] - 1, "'", "a prime on an operator")
    return tree.placed(tree.Scripted(base, primes=count), **span)


def _primes(body: Node) -> int:
    parts = body.factors if isinstance(body, tree.Product) else (body,)
    return len(parts) if all(part == tree.Symbol("′") for part in parts) else 0


def _label_with_primes(body: Node) -> tuple[Node, int]:
    """[l] and 1 of g^{[l]'} and g^{[l]\\prime}; anything else as it is, with 0."""
    if isinstance(body, tree.Scripted) and isinstance(body.base, tree.Group) and body.sub is body.sup is None:
        return body.base, body.primes
    if isinstance(body, tree.Product) and isinstance(body.factors[0], tree.Group) and set(body.ops) == {""}:
        primes = _primes(tree.Product(body.factors[1:], body.ops[1:]))
        return (body.factors[0], primes) if primes else (body, 0)
    return body, 0


def _accent(body: Node, accent: str, start: int, end: int) -> Node:
    """The hat over y_i is over y: accents go to the name."""
    if isinstance(body, tree.Symbol):
        return replace(body, accents=(*body.accents, accent), start=start, end=end)
    if isinstance(body, tree.Scripted) and isinstance(body.base, tree.Symbol) and accent != "bar":
        return replace(body, base=_accent(body.base, accent, body.base.start, body.base.end), start=start, end=end)
    return tree.Accented(body, accent, start=start, end=end)
