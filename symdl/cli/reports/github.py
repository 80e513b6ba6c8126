"""For GitHub Actions: workflow commands that put a remark beside the line of a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symdl.cli.reports.words import clean, told

if TYPE_CHECKING:
    import symdl as sd

__all__ = ["write"]

#: GitHub shows ten remarks of a type for each step, and drops the others without a word.
_MOST = 10

_TYPES = {"refuted": "error", "conditional": "warning", "unread": "notice", "undecided": "notice"}


def write(report: sd.Report, strict: bool) -> str:
    """Errors for what is refuted, warnings for what needs an assumption, notices for what is open.

    With `--strict`, what is open is an error too.
    """
    lines: dict[str, list[str]] = {"error": [], "warning": [], "notice": []}
    for judged in report:
        kind = _TYPES.get(judged.status)
        if kind is not None:
            lines["error" if strict else kind].append(_command("error" if strict else kind, judged))
    shown = [line for some in lines.values() for line in some[:_MOST]]
    hidden = [
        f"{len(some) - _MOST} more of type {kind} are not shown\n" for kind, some in lines.items() if some[_MOST:]
    ]
    problems = [f"problem: {clean(problem)}\n" for problem in report.problems]
    return "".join([*shown, *hidden, *problems, f"{report}\n"])


def _command(kind: str, judged: sd.Judged) -> str:
    # a line within a cell is none of the file's lines
    place = "" if judged.cell else f",line={judged.line},col={judged.column}"
    cell = f"cell {judged.cell}, line {judged.line}: " if judged.cell else ""
    title = _property(f"symdl: {judged.status}")
    words = _data(f"{cell}{clean(judged.text)}: {told(judged) or judged.status}")
    return f"::{kind} file={_property(clean(judged.file))}{place},title={title}::{words}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
