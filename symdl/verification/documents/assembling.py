"""Regions of a text → spans in the order of reading, with sections and macros."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from symdl.verification.documents.cleaning import cleaned
from symdl.verification.documents.macros import ExpansionError, Macros
from symdl.verification.documents.prose import Numbering, Prose, tidy
from symdl.verification.documents.regions import Lines, Region, Scan
from symdl.verification.documents.rows import rows
from symdl.verification.documents.spans import Pragma, Problem, Section, Span


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
    blocks: int = 0

    def add(self, text: str, scan: Scan, cell: int = 0) -> None:
        """Take in one text, of which `scan` says what lies where."""
        lines, prose = Lines(text), Prose(text, scan)
        for offset, what in scan.problems:
            self.problems.append(Problem(*lines.at(offset), what, cell))
        # at one place, a heading comes before what stands in it
        steps = [(heading.start, 0, heading) for heading in scan.headings]
        steps += [(offset, 1, (offset, remark)) for offset, remark in scan.remarks]
        steps += [(start, 2, start) for start, _ in scan.definitions]
        steps += [(region.start, 3, region) for region in scan.regions]
        for _, kind, step in sorted(steps, key=lambda one: one[:2]):
            if kind == 0:
                number = self.numbering.next(step.level)
                self.sections.append(Section(number, tidy(step.title), lines.at(step.start)[0], cell))
            elif kind == 1:
                self.pragmas.append(Pragma(self.file, *lines.at(step[0]), self.numbering.current, step[1], cell))
            elif kind == 2:
                self.macros.define(text, step)
            else:
                self._add_region(text, step, lines, prose, cell)

    def _add_region(self, text: str, region: Region, lines: Lines, prose: Prose, cell: int) -> None:
        whole = _unquoted(text, region) if region.quoted else text
        parts, environment = rows(whole, region.inner, region.outer, region.environment)
        before = after = None
        number = 0
        for start, end in parts:
            latex = self._cleaned(whole[start:end], region, environment, lines.at(start), cell)
            if not latex:
                continue
            if before is None or after is None:
                before, after = prose.before(region), prose.after(region)
            self.spans.append(
                Span(
                    self.file,
                    *lines.at(start),
                    region.kind,
                    latex,
                    text[start:end],
                    self.numbering.current,
                    self.blocks,
                    number,
                    before,
                    after,
                    cell,
                )
            )
            number += 1
        self.blocks += number > 0

    def _cleaned(self, raw: str, region: Region, environment: str, place: tuple[int, int], cell: int) -> str:
        """The formula; one whose macros do not end is left as it stands, and noted."""
        settings = {"markdown": self.markdown, "escaped": region.escaped}
        display = region.kind == "display"
        try:
            return cleaned(raw, self.macros, environment=environment, display=display, **settings)
        except ExpansionError as error:
            self.problems.append(Problem(*place, str(error), cell))
            return cleaned(raw, Macros(), environment=environment, display=display, **settings)


_QUOTE = re.compile(r"(?<=\n)[ \t]*(?:>[ \t]?)+")


def _unquoted(text: str, region: Region) -> str:
    """The text with blanks for the marks of quotation in the region, so that offsets stay what they are."""
    return text[: region.inner] + _QUOTE.sub(lambda mark: " " * len(mark[0]), text[region.inner : region.outer])
