"""Regions of a text → spans in the order of reading, with sections and macros."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from symdl.verification.documents.cleaning import RELATION_AFTER, cleaned
from symdl.verification.documents.macros import ExpansionError, Macros
from symdl.verification.documents.prose import Numbering, Prose, tidy
from symdl.verification.documents.regions import Heading, Lines, Region, Scan
from symdl.verification.documents.rows import rows
from symdl.verification.documents.spans import Pragma, Problem, Section, Span
from symdl.verification.documents.typed import latex_of

MOST_FORMULAS = 20_000
"""Of one document."""


@dataclass
class Assembly:
    """What has been read so far: a notebook adds cell after cell, and macros and sections run on."""

    file: str
    markdown: bool
    macros: Macros = field(default_factory=Macros)
    numbering: Numbering = field(default_factory=Numbering)
    spans: list[Span] = field(default_factory=list)
    pragmas: list[Pragma] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    block: int = -1
    row: int = 0
    last: Region | None = None

    def add(self, text: str, scan: Scan, cell: int = 0) -> None:
        """Take in one text, of which `scan` says what lies where."""
        lines, prose = Lines(text), Prose(text, scan)
        self.last = None
        for offset, what in scan.problems:
            self.problems.append(Problem(*lines.at(offset), what, cell))
        # at one place, a heading comes before what stands in it
        steps: list[tuple[int, int, Callable[[], object]]] = []
        steps += [(h.start, 0, partial(self._add_heading, h, lines, cell)) for h in scan.headings]
        steps += [(at, 1, partial(self._add_remark, remark, lines.at(at), cell)) for at, remark in scan.remarks]
        steps += [(start, 2, partial(self.macros.define, text, start)) for start, _ in scan.definitions]
        steps += [(r.start, 3, partial(self._add_region, text, r, lines, prose, cell)) for r in scan.regions]
        for _, _, step in sorted(steps, key=lambda one: one[:2]):
            step()

    def _add_heading(self, heading: Heading, lines: Lines, cell: int) -> None:
        number = self.numbering.next(heading.level)
        self.sections.append(Section(number, tidy(heading.title), lines.at(heading.start)[0], cell))

    def _add_remark(self, remark: str, place: tuple[int, int], cell: int) -> None:
        self.pragmas.append(Pragma(self.file, *place, self.numbering.current, remark, cell))

    def _add_region(self, text: str, region: Region, lines: Lines, prose: Prose, cell: int) -> None:
        if len(self.spans) >= MOST_FORMULAS:
            self._full(lines.at(region.start), cell)
            return
        body = text[region.inner : region.outer]
        if region.quoted:  # blanks for the marks, so that offsets stay what they are
            body = _QUOTE.sub(lambda mark: " " * len(mark[0]), body)
        parts, environment = _parts(body, region)
        found = []
        for start, end in parts:
            place = lines.at(region.inner + start)
            if latex := self._cleaned(body[start:end], region, environment, place, cell):
                found.append((place, latex, text[region.inner + start : region.inner + end]))
        if found:
            self._number(text, region, found[0][1])
            section, around = self.numbering.current, (prose.before(region), prose.after(region))
            for place, latex, source in found:
                number = self.block, self.row
                self.spans.append(Span(self.file, *place, region.kind, latex, source, section, *number, *around, cell))
                self.row += 1

    def _number(self, text: str, region: Region, latex: str) -> None:
        """The next block, or the last one again where a display that begins with = follows another at once."""
        last, self.last = self.last, region
        joined = last is not None and last.kind == region.kind == "display" and last.end <= region.start
        if not (joined and last and not text[last.end : region.start].strip(" \t\n>") and RELATION_AFTER.match(latex)):
            self.block, self.row = self.block + 1, 0

    def _full(self, place: tuple[int, int], cell: int) -> None:
        what = f"the document has more than {MOST_FORMULAS:,} formulas: those from here on are not read"
        if not any(problem.text == what for problem in self.problems[-1:]):
            self.problems.append(Problem(*place, what, cell))

    def _cleaned(self, raw: str, region: Region, environment: str, place: tuple[int, int], cell: int) -> str:
        """The formula; one whose macros do not end is left as it stands, and noted."""
        settings = {"markdown": self.markdown, "escaped": region.escaped}
        if region.meant:
            return region.meant
        if region.translate:
            raw = latex_of(raw)
        try:
            return cleaned(raw, self.macros, environment=environment, **settings)
        except ExpansionError as error:
            self.problems.append(Problem(*place, str(error), cell))
            return cleaned(raw, None, environment=environment, **settings)


def _parts(body: str, region: Region) -> tuple[list[tuple[int, int]], str]:
    """Where the formulas of a region lie in it, and the environment that they stand in."""
    if region.meant:
        return [(0, len(body))], ""
    if region.translate:
        return list(_lines(body)), ""
    return rows(body, 0, len(body), region.environment)


def _lines(text: str) -> Iterator[tuple[int, int]]:
    """Where the lines lie, without blanks around them."""
    at = 0
    for line in text.split("\n"):
        if line.strip():
            yield at + len(line) - len(line.lstrip()), at + len(line.rstrip())
        at += len(line) + 1


_QUOTE = re.compile(r"(?<=\n)[ \t]*(?:>[ \t]?)+")
