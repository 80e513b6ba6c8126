"""For people: a line for each claim (place, mark, status, formula), and under it why, where it did not pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from symdl.cli.reports.words import MARKS, clean, reason

if TYPE_CHECKING:
    import symdl as sd

__all__ = ["STYLES", "entry", "summary", "write"]

#: How a terminal with colours shows a status.
STYLES = {
    "refuted": "bold red",
    "unread": "magenta",
    "undecided": "yellow",
    "conditional": "yellow",
    "consistent": "cyan",
    "proved": "green",
    "definition": "dim",
}

_PASSED = ("consistent", "proved", "definition")
_WIDEST = max(map(len, MARKS))


def write(report: sd.Report, strict: bool) -> str:
    """The whole report without colours."""
    entries = ["".join(text for _, text in entry(judged)) for judged in report]
    return "".join([*entries, *(text for _, text in summary(report))])


def entry(judged: sd.Judged) -> Iterator[tuple[str, str]]:
    """Pieces of text with a style each; empty stands for plain."""
    status = str(judged.status)
    yield "dim", clean(judged.place)
    yield "", "  "
    yield STYLES[status], f"{MARKS[status]} {status:{_WIDEST}}"
    yield "", f"  {clean(judged.text)}"
    if status in ("consistent", "proved"):
        told = (judged.verdict.method, judged.verdict.scope, judged.verdict.reason)
        yield "dim", f"  ({'; '.join(clean(part) for part in told if part)})"
    yield "", "\n"
    bad = [link for link in judged.links if link.verdict.status not in _PASSED] if len(judged.links) > 1 else []
    for link in bad:
        status = str(link.verdict.status)
        yield STYLES[status], f"    {MARKS[status]} "
        yield "", f"{clean(link.text)}: {reason(link.verdict) or status}\n"
        yield from _suggestion(link.suggested, "      ")
    if judged.status not in ("consistent", "proved") and not bad:
        # of a definition too: that its bound index shadows a free one
        yield from (("", f"    {line}\n") for line in [reason(judged.verdict)] if line)
    if not any(link.suggestion for link in bad):
        yield from _suggestion(judged.suggested, "    ")


def summary(report: sd.Report) -> Iterator[tuple[str, str]]:
    """What was wrong with the documents themselves, and how many claims have each status."""
    yield from (("yellow", f"{clean(problem)}\n") for problem in report.problems)
    yield "", "\n" if len(report) or report.problems else ""
    yield "bold", f"{report}\n"


def _suggestion(suggestion: str, indent: str) -> Iterator[tuple[str, str]]:
    if suggestion:
        yield "bold", f"{indent}did you mean "
        yield "", f"{clean(suggestion)}\n"
