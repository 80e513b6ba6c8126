"""What the checker says of a document: a verdict for each formula that claims something, and their sum."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from symdl.errors import NotProvedError
from symdl.verification.documents import Document
from symdl.verification.notation import UnreadError, parse, unicode
from symdl.verification.verdict import A_CONDITION, WEAKEST_FIRST, Status, Verdict

__all__ = ["EXIT_OPEN", "EXIT_PASSED", "EXIT_REFUTED", "Judged", "Link", "Report", "readable", "worst"]

#: Exit codes of `symdl check`; 2 stands for bad input, as in every command.
EXIT_PASSED, EXIT_REFUTED, EXIT_OPEN = 0, 1, 3

#: Formulas up to here are read again to be shown as Unicode.
_LONGEST = 2000

#: What `--strict` does not let pass: nothing is wrong there, but nothing is shown either.
_OPEN = (Status.UNREAD, Status.UNDECIDED, Status.CONDITIONAL)


@dataclass(frozen=True)
class Link:
    """One link of a chain: of a = b = 3.2 the links are a = b and b = 3.2.

    Args:
        text: the link as Unicode, in one line.
        latex: the same as LaTeX.
        verdict: what the checker says of it.
        suggestion: the edit that would make it true, as LaTeX; empty where none is known.
        chained: it is an order, and one of several links of one chain.
    """

    text: str
    latex: str
    verdict: Verdict
    suggestion: str = ""
    chained: bool = False

    @property
    def suggested(self) -> str:
        """The suggestion as Unicode, in one line."""
        return readable(self.suggestion)

    def to_json(self) -> dict[str, Any]:
        """Text, verdict and suggestion, with the keys of a claim."""
        return _told(self.verdict) | {"text": self.text, "suggestion": self.suggestion or None}


@dataclass(frozen=True)
class Judged:
    """A formula of a document (a displayed one, a line of a displayed one, or one within a sentence) and its verdict.

    Args:
        file: the path as it was given.
        line, column: where the formula begins, counted from 1; in a notebook within the source of the cell.
        latex: the formula, macros expanded.
        text: the same as Unicode, in one line.
        verdict: of a chain, that of its worst link.
        links: of a chain with two links or more, each of them.
        suggestion: the edit that would make it true, as LaTeX; empty where none is known.
        block, row: the rows of one display have the same block, and are counted from 0.
        cell: in a notebook, the number of the cell, counted from 1; elsewhere 0.

    >>> from symdl.verification.verdict import Witness
    >>> wrong = Verdict(Status.REFUTED, "exact arithmetic", "these numbers", Witness({}, "16", "15"))
    >>> judged = Judged("notes.md", 3, 1, "(10 - 14)^2 = 15", "(10 − 14)² = 15", wrong, suggestion="(10 - 14)^2 = 16")
    >>> judged.place, judged.to_json()["witness"]
    ('notes.md:3:1', {'point': {}, 'left': '16', 'right': '15'})
    """

    file: str
    line: int
    column: int
    latex: str
    text: str
    verdict: Verdict
    links: tuple[Link, ...] = ()
    suggestion: str = ""
    block: int = 0
    row: int = 0
    cell: int = 0

    @property
    def status(self) -> Status:
        return self.verdict.status

    @property
    def suggested(self) -> str:
        """The suggestion as Unicode, in one line."""
        return readable(self.suggestion)

    @property
    def place(self) -> str:
        """Where it is, in the form that editors open."""
        cell = f"cell {self.cell}:" if self.cell else ""
        return f"{self.file}:{cell}{self.line}:{self.column}"

    def to_json(self) -> dict[str, Any]:
        """The claim as issue trackers and editors read it: text, numbers and lists only."""
        made: dict[str, Any] = {"file": self.file, "line": self.line}
        if self.cell:
            made["cell"] = self.cell
        made |= _told(self.verdict) | {"text": self.text, "suggestion": self.suggestion or None}
        return made | {"links": [link.to_json() for link in self.links]}


@dataclass(frozen=True)
class Report:
    """The verdicts of some documents, in the order in which the formulas stand there.

    Args:
        files: the paths as they were given.
        judged: one entry for each formula that defines or claims something.
        seconds: how long it took.
        problems: what was wrong with the documents themselves (an environment that is never closed, …), as lines.
        documents: what was read, for showing the verdicts where they belong.

    >>> fine = Verdict(Status.PROVED, "exact arithmetic", "these numbers")
    >>> report = Report(("a.md",), (Judged("a.md", 1, 1, "1 + 1 = 2", "1 + 1 = 2", fine),), 0.1)
    >>> print(report)
    1 claim: 1 proved
    >>> report.exit_code(), report.require() is report
    (0, True)
    """

    files: tuple[str, ...]
    judged: tuple[Judged, ...]
    seconds: float = field(default=0.0, compare=False)
    problems: tuple[str, ...] = ()
    documents: tuple[Document, ...] = field(default=(), compare=False, repr=False)

    def __iter__(self) -> Iterator[Judged]:
        return iter(self.judged)

    def __len__(self) -> int:
        return len(self.judged)

    def __bool__(self) -> bool:
        """True where nothing is refuted and nothing is open, so that a gate written as `if report:` fails closed."""
        return self.exit_code(strict=True) == EXIT_PASSED

    @property
    def summary(self) -> dict[str, int]:
        """How many have each status, all seven of them, the worst first."""
        counts = Counter(j.status for j in self.judged)
        return {str(status): counts[status] for status in WEAKEST_FIRST}

    def of(self, *statuses: str) -> tuple[Judged, ...]:
        """The entries with one of these statuses."""
        return tuple(j for j in self.judged if j.status in statuses)

    def exit_code(self, strict: bool = False) -> int:
        """1: something is refuted; 3, with `strict`: something is undecided, unread or conditional; 0: neither."""
        if self.of(Status.REFUTED):
            return EXIT_REFUTED
        return EXIT_OPEN if strict and self.of(*_OPEN) else EXIT_PASSED

    def require(self, strict: bool = False) -> Report:
        """This report if nothing in it is refuted (with `strict`: and nothing is open).

        Raises:
            NotProvedError: something is; it tells the first of them.
        """
        if self.exit_code(strict) == EXIT_PASSED:
            return self
        found = self.of(Status.REFUTED) or self.of(*_OPEN)
        first, failed = found[0], f"{len(found)} of {_count(len(self.judged), 'claim')} did not pass"
        raise NotProvedError(
            f"{failed}; the first is {first.status}: {first.text}",
            where=first.place,
            why="; ".join(str(part) for part in (first.verdict.reason, first.verdict.witness) if part),
            remedy=f"did you mean {first.suggestion}" if first.suggestion else "look at the report",
        )

    def to_json(self) -> dict[str, Any]:
        """`{"claims": […], "summary": {…}}`, each claim as `Judged.to_json` has it; no times, so that runs compare."""
        summary: dict[str, Any] = {"files": list(self.files), "claims": len(self.judged)} | self.summary
        return {
            "claims": [j.to_json() for j in self.judged],
            "summary": summary | {"problems": list(self.problems)},
        }

    def __str__(self) -> str:
        """One line: how many of each status occur."""
        told = [f"{count} {status}" for status, count in self.summary.items() if count]
        told = [f"{part}s" if part.endswith("definition") and part[:2] != "1 " else part for part in told]
        return f"{_count(len(self.judged), 'claim')}: {', '.join(told) or 'nothing was found to judge'}"


def worst(links: Sequence[Link]) -> Link:
    """The link that decides what a chain is worth, the first one where several are equally bad.

    What is read as a condition claims nothing, and a chain that has it in it is not proved: b > a > 4.

    >>> fine = Link("a = b", "a = b", Verdict(Status.PROVED, "normal form", "all real b"))
    >>> open_ = Link("b = c", "b = c", Verdict(Status.UNDECIDED, "none", "all real b", reason="out of time"))
    >>> worst([fine, open_]).text
    'b = c'
    """
    return min(links, key=_strength)


def _strength(link: Link) -> int:
    condition = link.chained and link.verdict.status is Status.DEFINITION and link.verdict.scope == A_CONDITION
    return 2 * WEAKEST_FIRST.index(Status.CONSISTENT if condition else link.verdict.status) - condition


def readable(latex: str) -> str:
    r"""A formula as Unicode in one line, or as it is where the notation does not have it.

    >>> readable(r"(10 - 14)^2 = 16"), readable(r"\frac{1}{")
    ('(10 − 14)² = 16', '\\frac{1}{')
    """
    if latex and len(latex) <= _LONGEST:
        with suppress(UnreadError):
            return unicode(parse(latex))
    return " ".join(latex.split())


def _told(verdict: Verdict) -> dict[str, Any]:
    told = verdict.to_json()
    return {key: told[key] for key in ("status", "method", "scope", "reason", "witness")}


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
