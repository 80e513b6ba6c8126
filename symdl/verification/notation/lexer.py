"""LaTeX text to lexemes: commands, names, figures, and brackets that know whether they open or close.

What TeX leaves to context is settled here, so that the grammar needs none: `\\frac12` takes one digit each, x^23
raises to 2, `exp(` is a word and `xy` two letters, and | opens, closes, or parts a condition (`bars`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from symdl.verification.notation import symbols as sym
from symdl.verification.notation.unread import UnreadError, refuse

#: Longest text, in characters, and deepest nesting that is read.
LENGTH, DEPTH = 20_000, 200


@dataclass(frozen=True, slots=True)
class Lexeme:
    """One lexeme: its kind (the grammar's terminal), its meaning (`value`), the face of a name, and where it stands."""

    kind: str
    value: str
    start: int
    end: int
    face: str = ""

    def __str__(self) -> str:
        return self.value


_COMMAND = re.compile(r"\\(?:[A-Za-z]+\*?|.)", re.DOTALL)
_NUMBER = re.compile(r"(?:\d+(?:(?:\\,|\{,\})\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d+(?![A-Za-z\d]))?|\.\d+")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?![\d,.])")
_WORD = re.compile(r"[A-Za-z]+")
_SPACE = re.compile(r"(?:[ \t\r\n\xa0\u2000-\u200b\u202f\u3000~]|%[^\n]*(?:\n|$))+")
_WIDE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef，。；：、（）]+")
_SIZE = re.compile(r"\\(?:big|Big|bigg|Bigg)[lrm]?(?![A-Za-z])")
_SWITCH = re.compile(r"\\(bf|rm|it|cal|sf|tt)(?![A-Za-z])\s*")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9\-_]*$|[A-Za-z0-9]$")
_BRACKET = re.compile(r"\\[A-Za-z]+|\\.|.", re.DOTALL)
_VOWEL = re.compile(r"[aeiouAEIOU]")
_DIMENSION = re.compile(r"\s*(?:\{[^{}]*\}|-?[\d.]+\s*(?:em|ex|pt|mu|in|cm|mm))")
_ENVIRONMENT = re.compile(r"\s*\{([A-Za-z]+\*?)\}")
_COLUMNS = re.compile(r"\s*(?:\[[^\]]*\])?\s*\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}")


class Lexer:
    """The state of one reading: where it is, what is open, how many arguments are still due."""

    def __init__(self, text: str) -> None:
        if len(text) > LENGTH:
            refuse(LENGTH, "length", f"a formula of {len(text):,} characters; at most {LENGTH:,} are read")
        self.text, self.at = text, 0
        self.found: list[Lexeme] = []
        self.open: list[
            tuple[str, int]
        ] = []  # what closes each open brace or environment, and the arguments due outside it
        self.due = 0

    def read(self) -> list[Lexeme]:
        """All lexemes of the text."""
        while self.at < len(self.text):
            if space := _SPACE.match(self.text, self.at):
                self.at = space.end()
                continue
            self._one()
        if self.open:
            refuse(len(self.text), "end", f"the formula ends before {self.open[-1][0]!r}")
        return self.found

    def put(self, kind: str, value: str, end: int, face: str = "", arguments: int = 0) -> None:
        """Add a lexeme that ends at `end`, and expect `arguments` after it."""
        self.found.append(Lexeme(kind, value, self.at, end, face))
        self.due = max(self.due - 1, 0) + arguments if kind not in ("SUB", "SUP") else self.due + 1
        self.at = end

    def _one(self) -> None:
        text, at = self.text, self.at
        char = text[at]
        if char == "\\":
            self._command()
        elif char.isascii() and (char.isdigit() or char == "."):
            self._number()
        elif char.isascii() and char.isalpha():
            self._letters()
        elif char == "{":
            self._brace()
        elif char == "}":
            self._close("}")
        else:
            self._character(char)

    # ── characters ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _character(self, char: str) -> None:
        end = self.at + 1
        if char in "_^":
            self.put("SUB" if char == "_" else "SUP", char, end)
        elif char in "'′’":
            self.put("PRIME", "'", end)
        elif char == "″":
            self.put("PRIME", "''", end)
        elif char == "&":
            self._cell("&", end)
        elif char == "$":
            refuse(self.at, "$", "a dollar sign inside a formula")
        elif char == "!" and not self.text.startswith("!=", self.at):
            self.put("BANG", "!", end)
        elif char == "%":  # not reached: a comment is space
            refuse(self.at, "%", "a stray per cent sign")
        elif not (self._relation(char) or self._bracket(char, end) or self._sign(char, end) or self._other(char, end)):
            refuse(self.at, char, f"no meaning is known for {char!r}")

    def _relation(self, char: str) -> bool:
        for run, value in sym.RELATION_RUNS.items():
            if self.text.startswith(run, self.at) and not self.due:
                self.put("REL", value, self.at + len(run))
                return True
        if char in sym.RELATIONS:
            self._mark("REL", sym.RELATIONS[char], self.at + 1)
            return True
        return False

    def _bracket(self, char: str, end: int) -> bool:
        if char in sym.OPENING:
            self.put("OPEN", sym.OPENING[char], end)
        elif char in sym.CLOSING:
            if char == "]" and self.open and self.open[-1][0] == "]":
                self._close("]")
            else:
                self.put("CLOSE", sym.CLOSING[char], end)
        elif char in sym.BARS:
            double = char == "|" and self.text.startswith("||", self.at)
            self.put("BAR", "||" if double else sym.BARS[char], end + double)
        else:
            return False
        return True

    def _sign(self, char: str, end: int) -> bool:
        if char in sym.SIGNS:
            self._mark("SIGN", sym.SIGNS[char], end)
        elif char in sym.OPERATORS:
            self._mark("OP", sym.OPERATORS[char], end)
        elif char in ",;，；、":
            self.put("SEP", {"，": ",", "、": ",", "；": ";"}.get(char, char), end)
        elif char in ":：":
            self.put("SEP", ":", end)
        else:
            return False
        return True

    def _mark(self, kind: str, value: str, end: int) -> None:
        """An operator or relation; as a script without braces (x^*) it is a name."""
        if self.due and self.found and self.found[-1].kind in ("SUB", "SUP"):
            kind = "SYMBOL"
        self.put(kind, value, end)

    def _other(self, char: str, end: int) -> bool:
        if char in "…⋯⋮":
            self.put("DOTS", "…", end)
        elif char in sym.BIG_CHARACTERS:
            self.put("BIG", sym.BIG_CHARACTERS[char], end)
        elif char == "∇":
            self.put("NABLA", char, end)
        elif char == "√":
            self.put("SQRT", char, end, arguments=1)
        elif char in sym.SUPERSCRIPTS or char in sym.SUBSCRIPTS:
            self._raised(char)
        elif wide := _WIDE.match(self.text, self.at):
            self.put("TEXT", wide.group().strip("，。、"), wide.end())
        elif char in "∞∂ℓ∅⊤⊥†°∀∃¬′ℝℕℤ𝔼" or (char.isalpha() and not char.isascii()):
            name, face = {"ℝ": ("R", "bb"), "ℕ": ("N", "bb"), "ℤ": ("Z", "bb"), "𝔼": ("E", "bb")}.get(char, (char, ""))
            self.put("SYMBOL", name, end, face)
        else:
            return False
        return True

    def _raised(self, char: str) -> None:
        """x² and w₁₀: scripts of one character each."""
        table, kind = (sym.SUPERSCRIPTS, "SUP") if char in sym.SUPERSCRIPTS else (sym.SUBSCRIPTS, "SUB")
        end = self.at
        while end < len(self.text) and self.text[end] in table:
            end += 1
        inner = "".join(table[c] for c in self.text[self.at : end])
        start = self.at
        self.found += [Lexeme(kind, kind, start, start), Lexeme("LBRACE", "{", start, start)]
        for lexeme in Lexer(inner).read():
            self.found.append(Lexeme(lexeme.kind, lexeme.value, start, end, lexeme.face))
        self.found.append(Lexeme("RBRACE", "}", end, end))
        self.at = end

    # ── figures and names ────────────────────────────────────────────────────────────────────────────────────────────

    def _number(self) -> None:
        text, at = self.text, self.at
        if self.due and text[at].isdigit():
            self.put("NUMBER", text[at], at + 1)
            return
        if not self.open and (thousands := _THOUSANDS.match(text, at)):
            self.put("NUMBER", thousands.group().replace(",", ""), thousands.end())
            return
        found = _NUMBER.match(text, at)
        if found is None:
            if text.startswith("...", at):
                self.put("DOTS", "…", at + 3)
            elif not text[at + 1 :].strip() or self.open:
                self.put("SEP", ".", at + 1)
            else:
                self.put("SEP", ".", at + 1)
            return
        self.put("NUMBER", found.group().replace("\\,", "").replace("{,}", ""), found.end())

    def _letters(self) -> None:
        text, at = self.text, self.at
        if self.due:
            self.put("SYMBOL", text[at], at + 1)
            return
        found = _WORD.match(text, at)
        assert found is not None
        run, end = found.group(), found.end()
        called = text[end : end + 6].lstrip().startswith(("(", "[", "\\left", "{("))
        inside_script = (
            len(self.found) > 1 and self.found[-1].kind == "LBRACE" and self.found[-2].kind in ("SUB", "SUP")
        )
        if run in sym.WORDS and (called or len(run) > 2):
            self.put("FN", run, end)
        elif (inside_script and run in sym.SCRIPT_WORDS) or (len(run) >= 4 and _VOWEL.search(run)):
            self.put("SYMBOL", run, end, "it")
        else:
            self._letter()

    def _letter(self) -> None:
        """One letter; a figure right behind it is its index: x1 is x₁."""
        text, at = self.text, self.at
        self.put("SYMBOL", text[at], at + 1)
        digits = re.compile(r"\d+(?![\d.])").match(text, self.at)
        if digits and not self.open_exponent():
            self.found.append(Lexeme("SUB", "_", self.at, self.at))
            self.found.append(Lexeme("NUMBER", digits.group(), self.at, digits.end()))
            self.at = digits.end()

    def open_exponent(self) -> bool:
        """Whether a name stands where a script of it would be none: never, so far."""
        return False

    # ── braces ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _brace(self) -> None:
        self._push("}", self.at + 1, "LBRACE", "{")
        if switch := _SWITCH.match(self.text, self.at):
            inner, end = self.balanced(switch.end())
            self._worded(sym.FACES[switch.group(1)], inner, switch.end(), end)

    def _push(self, closer: str, end: int, kind: str, value: str) -> None:
        if len(self.open) >= DEPTH:
            refuse(self.at, "nesting", f"more than {DEPTH} levels of braces")
        self.open.append((closer, self.due))
        self.put(kind, value, end)
        self.due = 0

    def _close(self, closer: str) -> None:
        if not self.open or self.open[-1][0] != closer:
            refuse(self.at, closer, f"{closer!r} closes nothing")
        _, due = self.open.pop()
        self.put("RBRACE" if closer == "}" else "OPTCLOSE", closer, self.at + 1)
        self.due = max(due - 1, 0) if closer == "}" else due

    def _cell(self, value: str, end: int) -> None:
        """& and \\\\: cells of a matrix, or the layout of rows, which says nothing but where a row ends."""
        if self.open and self.open[-1][0] in sym.MATRICES | sym.CASES:
            self.put("CELL", value, end)
        elif value == "&":
            self.at = end
        else:
            self.put("SEP", "\n", end)

    def balanced(self, at: int) -> tuple[str, int]:
        """The text from `at` up to the brace that closes what is open there, and the offset of that brace."""
        depth, end = 0, at
        while end < len(self.text):
            char = self.text[end]
            if char == "\\":
                end += 2
                continue
            if char == "}" and depth == 0:
                return self.text[at:end], end
            depth += (char == "{") - (char == "}")
            end += 1
        refuse(at, "{", "a brace that is never closed")

    # ── commands ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _command(self) -> None:
        found = _COMMAND.match(self.text, self.at)
        if found is None:
            refuse(self.at, "\\", "a backslash at the end")
        name, end = found.group()[1:], found.end()
        if size := _SIZE.match(self.text, self.at):
            self.at = size.end()
            if _SPACE.match(self.text, self.at) is None and self.at >= len(self.text):
                refuse(self.at, "\\big", "a size with nothing after it")
            return
        if name.endswith("*") and name not in ("operatorname*", "hspace*"):
            name, end = name[:-1], end - 1
        for rule in _RULES:
            if rule(self, name, end):
                return
        refuse(self.at, f"\\{name}", f"no meaning is known for \\{name}")

    def _plain(self, name: str, end: int) -> bool:
        """Commands that are one lexeme."""
        if name in sym.GREEK:
            self.put("SYMBOL", sym.GREEK[name], end)
        elif name in sym.OPERATOR_COMMANDS:
            self._mark("OP", sym.OPERATOR_COMMANDS[name], end)
        elif name in sym.SIGN_COMMANDS:
            self._mark("SIGN", sym.SIGN_COMMANDS[name], end)
        elif name in sym.NAMES:
            self.put("SYMBOL", sym.NAMES[name], end)
        elif name in sym.RELATION_COMMANDS and name != "stackrel":
            self._mark("REL", sym.RELATION_COMMANDS[name], end)
        elif name in sym.FUNCTIONS:
            self.put("FN", name, end)
        elif name in sym.DOTS:
            self.put("DOTS", "…", end)
        elif name == "nabla":
            self.put("NABLA", "∇", end)
        elif name == "prime":
            self.put("SYMBOL", "′", end)
        elif name == "%":
            self.put("PERCENT", "%", end)
        elif name in ("uparrow", "downarrow"):
            self.put("SYMBOL", {"uparrow": "↑", "downarrow": "↓"}[name], end)
        else:
            return False
        return True

    def _ranging(self, name: str, end: int) -> bool:
        """∑, max, arg max: what may have limits."""
        if name == "arg":
            follow = re.compile(r"(?:\\[,;!: ]|\s)*\\(max|min)(?![A-Za-z])").match(self.text, end)
            if follow:
                self.put("BIG", "arg" + follow.group(1), follow.end())
                return True
            return False
        if name in sym.BIG or name in sym.LIMITED:
            self.put("BIG", name, end)
            return True
        return False

    def _spacing(self, name: str, end: int) -> bool:
        if name in sym.QUADS:
            if name not in ("quad", "qquad") and (size := _DIMENSION.match(self.text, end)):
                end = size.end()
            if self.found and self.found[-1].kind == "SEP" and self.found[-1].value in (" ", "\n"):
                self.at = end
            elif self.found:
                self.put("SEP", " ", end)
            else:
                self.at = end
        elif name in ("\\", "cr", "newline"):
            gap = re.compile(r"\s*\[-?[\d.]+\s*[a-z]{2}\]").match(self.text, end)
            self._cell("\\\\", gap.end() if gap else end)
        elif name in sym.SPACES or name.isspace():
            self.at = end
        else:
            return False
        return True

    def _built(self, name: str, end: int) -> bool:
        """Commands with arguments that the grammar reads."""
        if name in ("frac", "dfrac", "tfrac", "cfrac", "nicefrac", "sfrac"):
            self.put("FRAC", "slash" if name in ("nicefrac", "sfrac") else "", end, arguments=2)
        elif name in ("binom", "dbinom", "tbinom"):
            self.put("BINOM", "", end, arguments=2)
        elif name == "sqrt":
            self.put("SQRT", "", end, arguments=1)
            if optional := re.compile(r"\s*\[").match(self.text, end):
                self.at = optional.end() - 1
                due, self.due = self.due, 0
                self._push("]", self.at + 1, "OPTOPEN", "[")
                self.open[-1] = ("]", due)
        elif name in sym.ACCENTS:
            self.put("ACCENT", sym.ACCENTS[name], end, arguments=1)
        elif name == "not":
            self.put("NOT", "", end)
        elif name in ("over", "atop", "choose"):
            self.put("OVER", name, end)
        else:
            return False
        return True

    def _noted(self, name: str, end: int) -> bool:
        if name not in sym.NOTES:
            return False
        kind = sym.NOTES[name]
        if name in ("color", "textcolor", "colorbox"):
            argument = re.compile(r"\s*(?:\[[^\]]*\])?\s*\{([^{}]*)\}").match(self.text, end)
            if argument is None:
                refuse(self.at, f"\\{name}", "a colour without a name")
            self.put(
                "COLOR", argument.group(1).strip(), argument.end(), arguments=1
            ) if name != "color" else self._skip(argument.end())
        elif kind == "phantom":
            refuse(self.at, "\\phantom", "what is invisible says nothing")
        elif kind in ("underset", "overset"):
            self.put("NOTE2", kind, end, arguments=2)
        elif name == "smash":
            self.at = end
        else:
            self.put("NOTE1", kind, end, arguments=1)
        return True

    def _skip(self, end: int) -> None:
        self.at = end

    def _faced(self, name: str, end: int) -> bool:
        """Typefaces: a name in one is one lexeme; around anything longer, the face is the grammar's matter."""
        if name not in sym.FACES:
            return False
        face = sym.FACES[name]
        brace = re.compile(r"\s*\{").match(self.text, end)
        if name in sym.SWITCHES and not brace:
            inner, stop = self.balanced(end) if self.open else (self.text[end:], len(self.text))
            self._worded(face, inner.strip(), end, stop)
            return True
        if not brace:
            one = re.compile(r"\s*(\\[A-Za-z]+|[A-Za-z0-9])").match(self.text, end)
            if one is None:
                refuse(self.at, f"\\{name}", "a typeface without a text")
            self._worded(face, one.group(1), end, one.end())
            return True
        inner, stop = self.balanced(brace.end())
        self._worded(face, inner, brace.end(), stop + 1)
        return True

    def _worded(self, face: str, inner: str, start: int, end: int) -> None:
        """The inner text of a typeface, which ends at `end`."""
        text = inner.strip()
        bare = re.sub(r"\\[,;!: ]", " ", text).strip() if face in ("text", "op") else text
        if face in ("text", "op", "rm") and (bare in sym.WORDS or bare.replace(" ", "") in ("argmax", "argmin")):
            bare = bare.replace(" ", "")
            self.put("BIG" if bare in sym.LIMITED else "FN", bare, end)
        elif face == "op" and _NAME.match(bare):
            self.put("FN", bare, end)
        elif face == "text":
            self._prose(inner, start, end)
        elif _NAME.match(text):
            self.put("SYMBOL", text, end, "rm" if face == "op" else face)
        elif text.startswith("\\") and text[1:] in sym.GREEK:
            self.put("SYMBOL", sym.GREEK[text[1:]], end, face)
        elif face == "op":
            refuse(self.at, text, "an operator whose name is more than a word")
        elif not text:
            self.at = end
        else:
            self._faces(face, inner, start, end)

    def _faces(self, face: str, inner: str, start: int, end: int) -> None:
        """A face over a formula: \\mathbf{W x}. It is read for itself, and every name in it gets the face."""
        if len(self.open) >= 20:
            refuse(self.at, "nesting", "typefaces nested too deep")
        self.found.append(Lexeme("LBRACE", "{", self.at, start))
        nested = Lexer(inner)
        nested.open = []
        for lexeme in nested.read():
            kept = lexeme.face if lexeme.kind != "SYMBOL" or lexeme.face not in ("", "it") else face
            self.found.append(Lexeme(lexeme.kind, lexeme.value, lexeme.start + start, lexeme.end + start, kept))
        self.found.append(Lexeme("RBRACE", "}", end, end))
        self.due = max(self.due - 1, 0)
        self.at = end

    def _prose(self, inner: str, start: int, end: int) -> None:
        text = " ".join(re.sub(r"\\[,;!: ]|~|\\quad|\\qquad", " ", inner).split())
        word = text.strip(" .,:;")
        if "$" in text:
            self._mixed(inner, start, end)
        elif word.lower() in sym.CONNECTIVES | sym.OTHERWISE:
            self.put("WORD", word.lower(), end)
        elif not word:
            self.at = end if not text else self.at
            if text:
                self.put("SEP", text[0], end)
        elif _NAME.match(text) and not inner.startswith((" ", "~")):
            self.put("SYMBOL", text, end, "rm")
        else:
            self.put("TEXT", text, end)

    def _mixed(self, inner: str, start: int, end: int) -> None:
        """\\text{if $x > 0$}: prose and formulas by turns."""
        parts = inner.split("$")
        if len(parts) % 2 == 0:
            refuse(start, "$", "a dollar sign that is never closed")
        at = start
        for turn, part in enumerate(parts):
            if turn % 2 == 0:
                if part.strip():
                    self._prose(part, at, at + len(part))
            else:
                for lexeme in Lexer(part).read():
                    self.found.append(
                        Lexeme(lexeme.kind, lexeme.value, lexeme.start + at, lexeme.end + at, lexeme.face)
                    )
            at += len(part) + 1
        self.at = end

    def _delimited(self, name: str, end: int) -> bool:
        """\\left ( and \\right ), \\{, \\|, \\mid."""
        if name in ("left", "right", "middle"):
            space = _SPACE.match(self.text, end)
            found = _BRACKET.match(self.text, space.end() if space else end)
            if found is None:
                refuse(self.at, f"\\{name}", "a bracket is missing")
            self._sized(name, found.group(), found.end())
        elif name == "mid":
            self.put("SEP", "|", end)
        elif (char := f"\\{name}") in sym.OPENING:
            self.put("OPEN", sym.OPENING[char], end)
        elif char in sym.CLOSING:
            self.put("CLOSE", sym.CLOSING[char], end)
        elif char in sym.BARS:
            self.put("BAR", sym.BARS[char], end)
        else:
            return False
        return True

    def _sized(self, name: str, bracket: str, end: int) -> None:
        either = sym.OPENING.get(bracket) or sym.CLOSING.get(bracket) or sym.BARS.get(bracket) or {".": ""}.get(bracket)
        if either is None:
            refuse(self.at, f"\\{name}", f"no bracket: {bracket!r}")
        if name == "middle":
            self.put("SEP", "|", end)
        else:
            self.put("OPEN" if name == "left" else "CLOSE", either, end)

    def _environment(self, name: str, end: int) -> bool:
        if name not in ("begin", "end"):
            return False
        found = _ENVIRONMENT.match(self.text, end)
        if found is None:
            refuse(self.at, f"\\{name}", "an environment without a name")
        kind, stop = found.group(1), found.end()
        layout = kind in sym.LAYOUTS
        if not layout and kind not in sym.MATRICES | sym.CASES:
            refuse(self.at, f"\\{name}{{{kind}}}", f"no meaning is known for the environment {kind}")
        if name == "begin":
            if kind in ("array", "alignedat", "alignat") and (columns := _COLUMNS.match(self.text, stop)):
                stop = columns.end()
            self._push(kind, stop, "LBRACE" if layout else "BEGIN", kind)
        else:
            if not self.open or self.open[-1][0] != kind:
                refuse(self.at, f"\\end{{{kind}}}", "it ends what has not begun")
            self._strip_last_row()
            _, due = self.open.pop()
            self.put("RBRACE" if layout else "END", kind, stop)
            self.due = max(due - 1, 0)
        return True

    def _strip_last_row(self) -> None:
        """\\\\ before \\end begins no row."""
        while self.found and (
            (self.found[-1].value == "\\\\" and self.found[-1].kind == "CELL") or self.found[-1].value == "\n"
        ):
            self.found.pop()


_RULES: tuple[Callable[[Lexer, str, int], bool], ...] = (
    Lexer._ranging,
    Lexer._plain,
    Lexer._spacing,
    Lexer._built,
    Lexer._faced,
    Lexer._delimited,
    Lexer._noted,
    Lexer._environment,
)

__all__ = ["Lexeme", "Lexer", "UnreadError"]
