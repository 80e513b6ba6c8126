"""Typefaces and prose: \\\\mathbf{x}, \\\\operatorname{softmax}, \\\\text{otherwise}, {\\\\rm in}.

A name in a typeface is one lexeme. Around anything longer it is read for itself, and every name in it gets the face.
"""

from __future__ import annotations

import re

from symdl.verification.notation import symbols as sym
from symdl.verification.notation.reader import Lexeme, Reader
from symdl.verification.notation.unread import refuse

_SWITCH = re.compile(r"\s*\\(bf|rm|it|cal|sf|tt)(?![A-Za-z])\s*")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9\-_]*$|[A-Za-z0-9]$")
_BRACE = re.compile(r"\s*\{")
_ONE = re.compile(r"\s*(\\[A-Za-z]+|[A-Za-z0-9])")
_THIN = re.compile(r"\\[,;!: ]|~|\\q?quad(?![A-Za-z])")
_INNER = re.compile(r"\{?\s*\\(?:textrm|mathrm|text|rm|textbf|operatorname)\s*\{?\s*([A-Za-z ]+)\s*\}?\s*\}?$")
_ARGUED = re.compile(r"\s*\\arg\s*(?:\\[,;!: ]\s*)?\\(max|min)\s*$")


def switched(reader: Reader) -> None:
    """A face that holds until the brace closes, right behind the brace: {\\\\rm in}."""
    if found := _SWITCH.match(reader.text, reader.at):
        inner, end = reader.balanced(found.end())
        _worded(reader, found.group(1), inner, found.end(), end)


def face(reader: Reader, name: str, end: int) -> bool:
    """A command that sets a typeface."""
    if name not in sym.FACES:
        return False
    brace = _BRACE.match(reader.text, end)
    if name in sym.SWITCHES and not brace:
        inner, stop = reader.balanced(end) if reader.open else (reader.text[end:], len(reader.text))
        _worded(reader, name, inner, end, stop)
    elif brace:
        inner, stop = reader.balanced(brace.end())
        _worded(reader, name, inner, brace.end(), stop + 1)
    elif one := _ONE.match(reader.text, end):
        _worded(reader, name, one.group(1), one.start(1), one.end())
    else:
        refuse(reader.at, f"\\{name}", "a typeface without a text")
    return True


def _worded(reader: Reader, name: str, inner: str, start: int, end: int) -> None:
    """The inner text of a typeface's command, which ends at `end`."""
    kind = sym.FACES[name]
    text = inner.strip().replace("\\_", "_")
    if name == "textbf" and len(text) == 1 and text.isalpha():
        kind = "bf"  # words have more letters
    if not text:
        reader.skip(end)
    elif kind in ("text", "op", "rm") and (word := _function(text, kind)):
        reader.put("BIG" if word in sym.LIMITED else "FN", word, end)
    elif kind == "text" or (kind == "rm" and (" " in text or text in sym.CLAUSES)):
        _prose(reader, inner, start, end)
    elif kind == "bb" and text == "E":
        reader.put("BIG", "E", end)
    elif kind == "bb" and text == "1":
        reader.put("FN", "1", end, "bb")
    elif _NAME.match(text):
        reader.put("SYMBOL", text, end, "rm" if kind == "op" else kind)
    elif text.startswith("\\") and text[1:] in sym.GREEK:
        reader.put("SYMBOL", sym.GREEK[text[1:]], end, "rm" if kind == "op" else kind)
    elif kind == "op" and reader.text.startswith("\\mathop", reader.at):
        reader.skip(start - 1)  # \\mathop{\\mathbb{E}}: the brace is read as it stands
    elif kind == "op":
        refuse(reader.at, text, "an operator whose name is more than a word")
    else:
        _faces(reader, kind, inner, start, end)


def _function(text: str, kind: str) -> str:
    """The name of a function: a known one in roman, any one in \\\\operatorname."""
    if argued := _ARGUED.match(text):
        return "arg" + argued.group(1)
    if kind == "op" and (within := _INNER.match(text)):
        text = within.group(1)
    bare = _THIN.sub(" ", text)
    joined = "".join(bare.split())
    if joined in sym.WORDS and (" " not in bare.strip() or joined in ("argmax", "argmin")):
        return joined
    return joined if kind == "op" and _NAME.match(joined) else ""


def _faces(reader: Reader, kind: str, inner: str, start: int, end: int) -> None:
    reader.found.append(Lexeme("LBRACE", "{", reader.at, start))
    for lexeme in reader.nested(inner, start):
        named = lexeme.kind == "SYMBOL" and lexeme.face in ("", "it") and lexeme.value[0].isalnum()
        reader.found.append(Lexeme(lexeme.kind, lexeme.value, lexeme.start, lexeme.end, kind) if named else lexeme)
    reader.found.append(Lexeme("RBRACE", "}", end, end))
    reader.due = max(reader.due - 1, 0)
    reader.skip(end)


# ── prose ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _prose(reader: Reader, inner: str, start: int, end: int) -> None:
    """A connective between claims, a name of one word, or prose."""
    text = " ".join(_THIN.sub(" ", inner).split())
    word = text.strip(" .,:;")
    apart = (not reader.found or inner.startswith((" ", "~", "\\"))) and inner.endswith((" ", "~"))
    spaced = apart or word.lower() not in sym.PREPOSITIONS
    if "$" in text:
        _mixed(reader, inner, start, end)
    elif not text:
        reader.skip(end)
    elif not word:
        reader.put("SEP", text[0], end)
    elif reader.due:
        reader.put("SYMBOL" if _NAME.match(text) else "TEXT", text, end, "rm" if _NAME.match(text) else "")
    elif spaced and (word.lower() in sym.CONNECTIVES or word.lower() in sym.OTHERWISE):
        reader.put("WORD", word, end)
    elif _NAME.match(text) and not inner.startswith((" ", "~")):
        reader.put("SYMBOL", text, end, "rm")
    else:
        reader.put("TEXT", text, end)


def _mixed(reader: Reader, inner: str, start: int, end: int) -> None:
    """\\\\text{if $x > 0$}: prose and formulas by turns."""
    parts = inner.split("$")
    if len(parts) % 2 == 0:
        refuse(start, "$", "a dollar sign that is never closed")
    at = start
    for turn, part in enumerate(parts):
        if turn % 2:
            reader.found += reader.nested(part, at)
        elif part.strip():
            _prose(reader, part, at, at + len(part))
        at += len(part) + 1
    reader.skip(end)
