"""Shares of a dataset in words: "80 % training set, 20 % validation set, 20 % test set"."""

from __future__ import annotations

import re
from collections.abc import Iterator

_FIGURE = r"(\d{1,3}(?:\.\d+)?)\s*\\?%"
_SET = r"(train(?:ing)?|validation|val|dev(?:elopment)?|test(?:ing)?|hold-?out)\b"
_OTHER = r"(?!\s*(?:\w+\s+)?(?:accuracy|error|loss|score|precision|recall|performance|time))"
_FORWARDS = re.compile(
    rf"{_FIGURE}\s*(?:(?:of (?:the |all )?data|as|for|to|in|goes to|the|a)\s+){{0,4}}{_SET}{_OTHER}", re.I
)
_BACKWARDS = re.compile(
    rf"{_SET}{_OTHER}(?:\s*(?:set|data|split|part|samples))?\s*(?:of|is|has|gets|:|=|\()?\s*{_FIGURE}", re.I
)
_SPLITS = re.compile(
    r"\b(?:split|splits|divide|divided|partition|partitioned|(?:training|train|test)\s*(?:set|data))\b", re.I
)
_OF_A_PART = re.compile(
    r"\b(?:of which|of whom|thereof|remaining|the rest|of (?:the|this|these|those) (?:train|former|latter))", re.I
)
_REACH = 120
"""Characters between two shares of the same whole."""


def shares(text: str) -> Iterator[tuple[int, int, str]]:
    r"""Start, end and claim of each split of a whole into training, test and perhaps other data.

    One that leaves something over, or of parts of a part, claims nothing.

    >>> list(shares("We split: 80% training set, 20% validation set and 20% test set."))
    [(10, 59, '80\\% + 20\\% + 20\\% = 100\\%')]
    >>> list(shares("It has 99% training accuracy and 80% test accuracy on this split."))
    []
    """
    for pattern, figure, part in ((_FORWARDS, 1, 2), (_BACKWARDS, 2, 1)):
        group: list[re.Match[str]] = []
        for found in pattern.finditer(text):
            if group and (
                found.start() - group[-1].end() > _REACH or _name(found[part]) in {_name(g[part]) for g in group}
            ):
                yield from _claim(text, group, figure, part)
                group = []
            group.append(found)
        yield from _claim(text, group, figure, part)


def _claim(text: str, group: list[re.Match[str]], figure: int, part: int) -> Iterator[tuple[int, int, str]]:
    if not {"tr", "te"} <= {_name(found[part]) for found in group}:
        return
    start, end = group[0].start(), group[-1].end()
    if _OF_A_PART.search(text, max(0, start - _REACH), end + _REACH) or sum(float(f[figure]) for f in group) < 100:
        return
    if _SPLITS.search(text, max(0, start - _REACH), end + _REACH):
        yield start, end, " + ".join(rf"{found[figure]}\%" for found in group) + r" = 100\%"


def _name(part: str) -> str:
    return part[:2].lower()
