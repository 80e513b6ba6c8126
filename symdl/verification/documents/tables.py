"""Tables of values: `| $w_0$ | 2 |`, names in the first column or in the head, in Markdown and LaTeX."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from symdl.verification.documents.names import is_name
from symdl.verification.documents.typed import latex_of

_RULE = re.compile(r"[ \t]*+\|?[ \t]*+:?-++:?[ \t]*+(?:\|[ \t]*+:?-++:?[ \t]*+)*+\|?[ \t]*+")
_CELL = re.compile(r"\\.|\$|\|")
_TABULAR = re.compile(r"\\begin\s*\{tabular[a-z*]*\}")
_TEX_ROW = re.compile(r"\\\\(?:\[[^\]\n]*\])?")
_TEX_RULE = re.compile(r"\\(?:hline|toprule|midrule|bottomrule|cline\{[^{}]*\})")
_TYPED = re.compile(r"[^\W\d_][\w₀-₉]{0,3}")
_NUMBER = re.compile(r"[-−]?\d+(?:\.\d+)?(?:[eE][-−]?\d+)?")


@dataclass(frozen=True)
class Entry:
    """A name and its value, or its values one below the other, and the offset of the name in the text."""

    name: str
    values: tuple[str, ...]
    offset: int


Cell = tuple[int, str]


def entries(text: str, *, latex: bool) -> Iterator[Entry]:
    """What the tables of a text say of names.

    >>> table = "| unit | value |\\n| --- | --- |\\n| $w_0$ | 2 |\\n| $b$ | −4.5 |\\n"
    >>> [(entry.name, entry.values) for entry in entries(table, latex=False)]
    [('w_0', ('2',)), ('b', ('-4.5',))]
    """
    for table in _latex_tables(text) if latex else _markdown_tables(text):
        yield from _entries(table)


def _entries(table: list[list[Cell]]) -> Iterator[Entry]:
    head, *rest = table
    columns = [i for i, cell in enumerate(head) if _name(cell[1])]
    for i in columns:
        values = [_number(row[i][1]) if i < len(row) else "" for row in rest]
        if values and all(values):
            yield Entry(_name(head[i][1]), tuple(values), head[i][0])
    if len(columns) > 1:
        return
    for row in table:
        numbers = [number for _, cell in row[1:] if (number := _number(cell))]
        if row and (name := _name(row[0][1])) and len(numbers) == 1:
            yield Entry(name, (numbers[0],), row[0][0])


def _name(cell: str) -> str:
    """The name that fills the cell, in LaTeX, or ""."""
    cell = cell.strip("* `")
    if len(cell) > 2 and cell[0] == cell[-1] == "$":
        return cell[1:-1].strip() if is_name(cell[1:-1].strip()) else ""
    made = latex_of(cell) if _TYPED.fullmatch(cell) else ""
    return made if is_name(made) and (len(cell) == 1 or not cell.isalpha()) else ""


def _number(cell: str) -> str:
    cell = cell.strip("* `$")
    return cell.replace("−", "-") if _NUMBER.fullmatch(cell) else ""


def _markdown_tables(text: str) -> Iterator[list[list[Cell]]]:
    at, lines = 0, []
    for line in text.split("\n"):
        lines.append((at, line))
        at += len(line) + 1
    i = 1
    while i < len(lines):
        if "|" in lines[i][1] and "|" in lines[i - 1][1] and _RULE.fullmatch(lines[i][1]):
            table = [_cells(*lines[i - 1])]
            while i + 1 < len(lines) and "|" in lines[i + 1][1]:
                i += 1
                table.append(_cells(*lines[i]))
            yield table
        i += 1


def _cells(start: int, line: str) -> list[Cell]:
    """The cells of a row; a bar between dollars divides nothing."""
    cells, at, inside = [], 0, False
    for mark in _CELL.finditer(line):
        if mark[0] == "$":
            inside = not inside
        elif mark[0] == "|" and not inside:
            cells.append((at, line[at : mark.start()]))
            at = mark.end()
    cells.append((at, line[at:]))
    stripped = [(start + place + len(cell) - len(cell.lstrip()), cell.strip()) for place, cell in cells]
    if not stripped[0][1]:
        stripped.pop(0)
    if stripped and not stripped[-1][1]:
        stripped.pop()
    return stripped


def _latex_tables(text: str) -> Iterator[list[list[Cell]]]:
    last = 0
    while found := _TABULAR.search(text, last):
        first, last = found.end(), text.find(r"\end{tabular", found.end())
        if last < 0:
            break
        table, at = [], first
        for row in [*_TEX_ROW.finditer(text, first, last), None]:
            end = row.start() if row else last
            cells, place = [], at
            for cell in text[at:end].split("&"):
                shown = _TEX_RULE.sub(lambda rule: " " * len(rule[0]), cell)
                if place == first:  # the columns' description
                    shown = re.sub(r"\A\s*(?:\[[^\]]*\]\s*)?\{[^{}]*\}", lambda group: " " * len(group[0]), shown)
                cells.append((place + len(shown) - len(shown.lstrip()), shown.strip()))
                place += len(cell) + 1
            if any(cell for _, cell in cells):
                table.append(cells)
            at = row.end() if row else end
        if table:
            yield table
