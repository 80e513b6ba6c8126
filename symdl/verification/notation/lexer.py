"""LaTeX text to lexemes: commands, names, figures, and brackets that know whether they open or close.

What TeX leaves to context is settled here, so that the grammar needs none: `\\\\frac12` takes one digit each, x^23
raises to 2, `exp(` is a word and `xy` two letters, and | opens, closes, or parts a condition (`bars`).

>>> [str(lexeme) for lexeme in lexemes("x^23")]
['x', '^', '2', '3']
"""

from __future__ import annotations

import re

from symdl.verification.notation import symbols as sym
from symdl.verification.notation.bars import settled
from symdl.verification.notation.commands import cell, command
from symdl.verification.notation.reader import Lexeme, Reader
from symdl.verification.notation.typefaces import switched
from symdl.verification.notation.unread import refuse

_NUMBER = re.compile(r"(?:\d+(?:(?:\\,|\{,\})\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d+(?![A-Za-z\d]))?|\.\d+")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?![\d,.])")
#: 0{,}052 has no thousands; 0,25 in no brackets is no list.
_COMMA = re.compile(r"(?:(0)\{,\}(\d+)|(\d+)\{,\}(\d{1,2}|\d{4,}))(?![\d.])(?!\{,\})")
_PLAIN_COMMA = re.compile(r"(0),(\d{2,})(?![\d.,])")
_TIMES_TEN = re.compile(r"\\(?:mathrm|text)\s*\{\s*[eE]\s*\}\s*\{\s*([-+]?\d+)\s*\}")
_WORD = re.compile(r"[A-Za-z]+")
_WIDE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef，。；：、（）]+")
_SIZE = re.compile(r"\dx\d{2}")
_INDEX = re.compile(r"\d+(?![\d.])")
_CALLED = re.compile(r"\s*(?:\(|\[|\{\s*\(|\\left)")
#: Behind which a star is no operator: nothing stands there that it could multiply by.
_AFTER_STAR = re.compile(r"\s*(?:[),\]}=]|\\right|$)")
_VOWEL = re.compile(r"[aeiouAEIOU]")
_LETTERS = {"ℝ": "R", "ℕ": "N", "ℤ": "Z", "𝔼": "E", "ℚ": "Q", "ℂ": "C"}


def lexemes(text: str) -> list[Lexeme]:
    """The lexemes of a formula.

    Raises:
        UnreadError: a character or command without a meaning, a brace left open, or a text too long.
    """
    return settled(_rejoined(Reader(text, _one).read()))


def _rejoined(found: list[Lexeme]) -> list[Lexeme]:
    """Brackets that a new row cuts in two, \\\\right. \\\\left., are one pair again."""
    kept: list[Lexeme] = []
    for lexeme in found:
        if (lexeme.kind, lexeme.value) == ("OPEN", ""):
            before = len(kept)
            while before and (kept[before - 1].kind, kept[before - 1].value) == ("SEP", "\n"):
                before -= 1
            if before and (kept[before - 1].kind, kept[before - 1].value) == ("CLOSE", ""):
                del kept[before - 1 :]
                continue
        kept.append(lexeme)
    return kept


def _one(reader: Reader) -> None:
    """Take one lexeme."""
    char = reader.text[reader.at]
    end = reader.at + 1
    if char == "\\":
        command(reader)
    elif char.isascii() and (char.isdigit() or char == "."):
        _number(reader)
    elif char.isascii() and char.isalpha():
        _letters(reader)
    elif char == "{":
        reader.push("}", end, "LBRACE", "{")
        switched(reader)
    elif char == "}":
        reader.close("}", "RBRACE", end)
    elif char == "&":
        cell(reader, "&", end)
    elif not any(rule(reader, char, end) for rule in (_scripts, _bracket, _sign, _other)):
        refuse(reader.at, char, f"no meaning is known for {char!r}")


# ── characters ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _scripts(reader: Reader, char: str, end: int) -> bool:
    if char in "_^":
        reader.put("SUB" if char == "_" else "SUP", char, end)
    elif char in "'′’":
        if reader.due or _opens_a_script(reader):
            reader.put("SYMBOL", "′", end)
        else:
            reader.put("PRIME", "'", end)
    elif char == "″":
        reader.put("PRIME", "''", end)
    elif char == "!" and not reader.text.startswith("!=", reader.at):
        reader.put("BANG", "!", end)
    elif char in sym.SUPERSCRIPTS or char in sym.SUBSCRIPTS:
        _raised(reader, char)
    else:
        return False
    return True


def _opens_a_script(reader: Reader) -> bool:
    """Whether nothing but primes stands in the brace of a script yet: f^{'}."""
    found, at = reader.found, len(reader.found) - 1
    while at > 0 and found[at].kind == "SYMBOL" and found[at].value == "′":
        at -= 1
    return at > 0 and found[at].kind == "LBRACE" and found[at - 1].kind in ("SUB", "SUP")


def _raised(reader: Reader, char: str) -> None:
    """x² and w₁₀: scripts of one character each."""
    table, kind = (sym.SUPERSCRIPTS, "SUP") if char in sym.SUPERSCRIPTS else (sym.SUBSCRIPTS, "SUB")
    start = end = reader.at
    while end < len(reader.text) and reader.text[end] in table:
        end += 1
    inner = "".join(table[c] for c in reader.text[start:end])
    reader.found += [Lexeme(kind, kind, start, start), Lexeme("LBRACE", "{", start, start)]
    reader.found += [Lexeme(x.kind, x.value, start, end, x.face) for x in reader.nested(inner, start)]
    reader.found.append(Lexeme("RBRACE", "}", end, end))
    reader.skip(end)


def _bracket(reader: Reader, char: str, end: int) -> bool:
    if char in sym.OPENING:
        reader.put("OPEN", sym.OPENING[char], end)
    elif char == "]" and reader.open and reader.open[-1][0] == "]":
        reader.close("]", "OPTCLOSE", end)
    elif char in sym.CLOSING:
        reader.put("CLOSE", sym.CLOSING[char], end)
    elif char in sym.BARS:
        double = char == "|" and reader.text.startswith("||", reader.at)
        reader.put("BAR", "||" if double else sym.BARS[char], end + double)
    else:
        return False
    return True


def _sign(reader: Reader, char: str, end: int) -> bool:
    """Relations, signs, operators and separators."""
    if not reader.due:
        for run, value in sym.RELATION_RUNS.items():
            if char == run[0] and reader.text.startswith(run, reader.at):
                reader.put("REL", value, reader.at + len(run))
                return True
    if char in sym.RELATIONS:
        reader.mark("REL", sym.RELATIONS[char], end)
    elif char in sym.SIGNS:
        reader.mark("SIGN", sym.SIGNS[char], end)
    elif char == "*" and _labels(reader, end):
        reader.found.append(Lexeme("SUP", "^", reader.at, reader.at))
        reader.put("SYMBOL", char, end)
    elif char in sym.OPERATORS:
        reader.mark("OP", sym.OPERATORS[char], end)
    elif char in sym.SEPARATORS:
        reader.put("SEP", sym.SEPARATORS[char], end)
    else:
        return False
    return True


def _labels(reader: Reader, end: int) -> bool:
    """Whether the star of L(y, y*) is part of a name: nothing follows that it could multiply by."""
    after_name = bool(reader.found) and reader.found[-1].kind == "SYMBOL" and not reader.scripting()
    return after_name and _AFTER_STAR.match(reader.text, end) is not None


def _other(reader: Reader, char: str, end: int) -> bool:
    if char in "…⋯⋮":
        reader.put("DOTS", "…", end)
    elif char in sym.BIG_CHARACTERS:
        reader.put("BIG", sym.BIG_CHARACTERS[char], end)
    elif char == "?":
        reader.put("TEXT", char, end)
    elif char == "∇":
        reader.put("NABLA", char, end)
    elif char == "√":
        reader.put("SQRT", char, end, arguments=1)
    elif char == "𝔼":
        reader.put("BIG", "E", end)
    elif wide := _WIDE.match(reader.text, reader.at):
        text = wide.group().strip("，。、")
        reader.put("TEXT", text, wide.end()) if text else reader.put("SEP", ",", wide.end())
    elif char in _LETTERS:
        reader.put("SYMBOL", _LETTERS[char], end, "bb")
    elif char in "∞∂ℓ∅⊤⊥†°∀∃¬" or (char.isalpha() and not char.isascii()):
        reader.put("SYMBOL", char, end)
    else:
        return False
    return True


# ── figures and names ────────────────────────────────────────────────────────────────────────────────────────────────


def _number(reader: Reader) -> None:
    text, at = reader.text, reader.at
    if reader.due and text[at].isdigit():
        reader.put("NUMBER", text[at], at + 1)
    elif (thousands := _THOUSANDS.match(text, at)) and not _bracketed(reader):
        reader.put("NUMBER", thousands.group().replace(",", ""), thousands.end())
    elif (comma := _COMMA.match(text, at)) or ((comma := _PLAIN_COMMA.match(text, at)) and not _bracketed(reader)):
        reader.put("NUMBER", ".".join(part for part in comma.groups() if part), comma.end())
    elif found := _NUMBER.match(text, at):
        number, end = found.group().replace("\\,", "").replace("{,}", ""), found.end()
        if power := _TIMES_TEN.match(text, end):  # 1\mathrm{e}{-3}
            number, end = f"{number}e{power[1]}", power.end()
        reader.put("NUMBER", number, end)
    elif text.startswith("...", at):
        reader.put("DOTS", "…", at + 3)
    else:
        reader.put("SEP", ".", at + 1)


def _bracketed(reader: Reader) -> bool:
    """Whether brackets are open, so that a comma parts items: [1,100]."""
    kinds = [lexeme.kind for lexeme in reader.found]
    return bool(reader.open) or kinds.count("OPEN") > kinds.count("CLOSE")


def _letters(reader: Reader) -> None:
    """A word, if people would read one, or else one letter."""
    text, at = reader.text, reader.at
    found = _WORD.match(text, at)
    below = reader.due and reader.found[-1].kind == "SUB"
    if below and (digits := _INDEX.match(text, at + 1)):
        _numbered(reader, digits)
        return
    if reader.due or found is None:
        reader.put("SYMBOL", text[at], at + 1)
        return
    run, end = found.group(), found.end()
    inside_script = (
        len(reader.found) > 1 and reader.found[-1].kind == "LBRACE" and reader.found[-2].kind in ("SUB", "SUP")
    )
    if inside_script and (run in sym.SCRIPT_WORDS or run in sym.WORDS):
        reader.put("SYMBOL", run, end, "it")
    elif run in sym.WORDS and (_CALLED.match(text, end) or len(run) > 2):
        reader.put("BIG" if run in sym.LIMITED else "FN", run, end)
    elif len(run) >= 3 and _VOWEL.search(run) and text[end : end + 1] == "(":
        reader.put("FN", run, end)
    elif run in sym.SHORT_NAMES or (len(run) >= 4 and _VOWEL.search(run)):
        reader.put("SYMBOL", run, end, "it")
    else:
        _letter(reader)


def _numbered(reader: Reader, digits: re.Match[str]) -> None:
    """y1 of E_y1, which is not E_y times 1 to those who write it."""
    at = reader.at
    reader.found.append(Lexeme("LBRACE", "{", at, at))
    reader.found.append(Lexeme("SYMBOL", reader.text[at], at, at + 1))
    reader.found.append(Lexeme("NUMBER", digits.group(), at + 1, digits.end()))
    reader.found.append(Lexeme("RBRACE", "}", digits.end(), digits.end()))
    reader.due -= 1
    reader.skip(digits.end())


def _letter(reader: Reader) -> None:
    """One letter; a figure right behind it is its index: x1 is x₁. The x of 28x28 is a cross."""
    if _SIZE.match(reader.text, max(reader.at - 1, 0)) and reader.found and reader.found[-1].kind == "NUMBER":
        reader.put("OP", "×", reader.at + 1)
        return
    reader.put("SYMBOL", reader.text[reader.at], reader.at + 1)
    if digits := _INDEX.match(reader.text, reader.at):
        reader.found.append(Lexeme("SUB", "_", reader.at, reader.at))
        reader.found.append(Lexeme("NUMBER", digits.group(), reader.at, digits.end()))
        reader.skip(digits.end())
