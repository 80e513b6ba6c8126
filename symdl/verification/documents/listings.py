"""Values that stand in a fence of Markdown that names no language: one in each line, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator

from symdl.verification.documents.names import is_name
from symdl.verification.documents.typed import latex_of

_FENCE = re.compile(
    r"(?:`{3,}|~{3,})[ \t]*(?:text|txt|plain|plaintext)?[ \t]*\n(.*?)\n[ \t>]*(?:`{3,}|~{3,})\s*\Z", re.S
)
_SETTING = re.compile(
    r"(?P<name>[^\W\d_](?:[₀-₉]+|_?\d+|_[A-Za-z]\w{0,5})?)\s*(?:\([A-Za-z ,-]{1,40}\)\s*)?=\s*"
    r"(?P<value>[-−]?\d+(?:\.\d+)?(?:[eE][-−]?\d+)?)\s*"
)
_BETWEEN = re.compile(r"[,;]\s*|\s*$")

#: A fence of more lines than this holds data.
LONGEST = 60


def settings(text: str, hidden: list[tuple[int, int]]) -> Iterator[tuple[str, str, int]]:
    r"""Name in LaTeX, value and place of each.

    >>> text = "```\nw₁ = 0.5, b = -1\nη (learning rate) = 0.1\n```"
    >>> [(name, value) for name, value, _ in settings(text, [(0, len(text))])]
    [('w_{1}', '0.5'), ('b', '-1'), ('\\eta', '0.1')]
    >>> list(settings("```\nx = 1\nprint(x)\n```", [(0, 22)]))
    []
    """
    for start, end in hidden:
        fence = _FENCE.match(text, start, end)
        if fence is None or fence[1].count("\n") >= LONGEST:
            continue
        found: list[tuple[str, str, int]] = []
        at = fence.start(1)
        for line in fence[1].split("\n"):
            own = _of_line(line)
            if own is None:
                break
            found += [(name, value, at + offset) for name, value, offset in own]
            at += len(line) + 1
        else:
            yield from found


def _of_line(line: str) -> list[tuple[str, str, int]] | None:
    """The values that a line sets; None where it does anything else."""
    found, at = [], len(line) - len(line.lstrip())
    while at < len(line):
        setting = _SETTING.match(line, at)
        between = _BETWEEN.match(line, setting.end()) if setting is not None else None
        if setting is None or between is None:
            return None
        name = latex_of(setting["name"]).replace(" ", "")
        if not is_name(name):
            return None
        found.append((name, setting["value"].replace("−", "-"), setting.start()))
        at = between.end()
    return found
