r"""Groups in braces, and what stands between `\begin` and `\end`, by offsets into a text."""

from __future__ import annotations

import re

_BRACE = re.compile(r"\\.|[{}]|\n(?=[ \t]*\n)", re.DOTALL)
_SPACE = re.compile(r"(?:\s|%[^\n]*\n)*")
_TOKEN = re.compile(r"\\[A-Za-z@]+|\\.|.", re.DOTALL)


def group_end(text: str, at: int, limit: int | None = None) -> int:
    r"""Offset past the `}` that closes the `{` at `at`; if none does in its paragraph, where that or `limit` ends.

    >>> group_end(r"{a{b}\}}c", 0)
    8
    """
    limit = len(text) if limit is None else limit
    depth = 0
    while found := _BRACE.search(text, at, limit):
        at = found.end()
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        if found[0] == "\n" or (depth <= 0 and found[0] == "}"):
            return at
    return limit


def argument(text: str, at: int) -> tuple[str, int]:
    r"""The argument at `at` as TeX reads it, a group without its braces or a single token, and where it ends.

    >>> argument(r" {ab}c", 0), argument(r"\pi r", 0)
    (('ab', 5), ('\\pi', 3))
    """
    space = _SPACE.match(text, at)
    at = space.end() if space else at
    if text.startswith("{", at):
        end = group_end(text, at)
        return text[at + 1 : end - 1 if text[end - 1] == "}" and end - 1 > at else end], end
    token = _TOKEN.match(text, at)
    if token is None or token[0] == "}":
        return "", at
    return token[0], token.end()


def optional(text: str, at: int) -> tuple[str | None, int]:
    """The argument in square brackets at `at`, if one stands there, and where it ends.

    >>> optional("[2]{a}", 0), optional("{a}", 0)
    (('2', 3), (None, 0))
    """
    space = _SPACE.match(text, at)
    start = space.end() if space else at
    if not text.startswith("[", start):
        return None, at
    depth = 0
    for found in re.compile(r"\\.|[{}\]]", re.DOTALL).finditer(text, start + 1):
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        if found[0] == "]" and depth <= 0:
            return text[start + 1 : found.start()], found.end()
    return None, at
