"""Dollars: which of them begin a formula, and which are money.

As Pandoc has it, the first dollar of an inline formula has no blank behind it, and the last none before it and no digit
behind it. Blanks on both sides are taken as well, unless what stands between them is words.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from symdl.verification.documents.regions import Region

LONGEST_INLINE = 2_000
_MARK = re.compile(r"\\.|[${}]", re.DOTALL)
_COMMANDS = re.compile(r"\\[A-Za-z]+\s*\{[^{}]*\}|\\[A-Za-z]+|[_^]\s*(?:\{[^{}]*\}|\w+)")
_WORD = re.compile(r"(?<![A-Za-z_\\])[A-Za-z]{3,}(?![A-Za-z_({\\])")
_SMALL_WORD = re.compile(r"(?<=\s)(?:a|and|or|to|in|is|of|for|the|at|per|on|by|with|from)(?=\s|\Z)")
_KNOWN = {"exp", "log", "sin", "cos", "tan", "tanh", "max", "min", "softmax", "sigmoid", "ReLU", "relu", "sqrt", "sum"}
_SUFFIX = re.compile(r"(?:th|st|nd|rd|s)?(?![A-Za-z])")


def dollars(
    text: str, at: int, find: Callable[[str, int], int], paragraph_end: Callable[[int], int]
) -> tuple[Region | None, int, str]:
    """The formula that the dollars at `at` begin, if they do; where to go on; what is wrong, if something is."""
    if text.startswith("$$", at):
        return _display(text, at, find)
    if text.startswith("$`", at):
        end = text.find("`$", at + 2, min(paragraph_end(at), at + LONGEST_INLINE))
        if end >= 0:
            return Region(at, at + 2, end, end + 2, "inline"), end + 2, ""
    end = closing_dollar(text, at + 1, min(paragraph_end(at + 1), at + LONGEST_INLINE), "$")
    if end < 0 or not _is_formula(text, at, end):
        return None, at + 1, ""
    return Region(at, at + 1, end, end + 1, "inline"), end + 1, ""


def _display(text: str, at: int, find: Callable[[str, int], int]) -> tuple[Region | None, int, str]:
    end = find("$$", at + 2)
    while end > 0 and text[end - 1] == "\\" and text[end - 2] != "\\":
        end = find("$$", end + 1)
    if end < 0:
        return None, at + 2, "$$ begins a formula that never ends"
    body = text[at + 2 : end]
    if not body.strip():
        return None, at + 2, ""
    if re.search(r"\n[ \t]*\n", body) and looks_like_words(body, most=4):
        return None, at + 2, "$$ begins a formula that does not end before the next paragraph"
    return Region(at, at + 2, end, end + 2, "display"), end + 2, ""


def closing_dollar(text: str, at: int, limit: int, wanted: str) -> int:
    r"""The next dollars outside of braces (as in \text{if $x$}), or the next where braces do not close; or -1."""
    depth, inner, first = 0, 0, -1
    for mark in _MARK.finditer(text, at, limit):
        if mark[0] == "$":
            if not text.startswith(wanted, mark.start()):
                continue
            if depth <= 0:
                return mark.start()
            first = mark.start() if first < 0 else first
            inner += 1
            if inner > 8:  # those who nest so many must not make this slow
                break
        else:
            depth += {"{": 1, "}": -1}.get(mark[0], 0)
    return first


def _is_formula(text: str, at: int, end: int) -> bool:
    body, after = text[at + 1 : end], text[end + 1 : end + 4]
    if not body.strip() or after[:1].isdigit():
        return False
    if looks_like_words(body):
        return False
    blanks = body[0].isspace(), body[-1].isspace()
    if any(blanks) and not (all(blanks) and (at == 0 or not text[at - 1].isalnum())):
        return False
    # money: "$5 and $10"; a path: "$HOME/bin:$PATH"
    if body[0].isdigit() and _SMALL_WORD.search(_COMMANDS.sub(" ", body)):
        return False
    follows_word = after[:1].isascii() and after[:1].isalpha() and not _SUFFIX.match(after)
    return not (follows_word and _WORD.search(_COMMANDS.sub(" ", body)))


def looks_like_words(body: str, most: int = 1) -> bool:
    r"""Whether more than `most` plain words stand in it outside of commands.

    >>> looks_like_words("see the appendix"), looks_like_words(r"x = \text{if one or the other}")
    (True, False)
    """
    words = [word for word in _WORD.findall(_COMMANDS.sub(" ", body)) if word not in _KNOWN]
    return len(words) > most
