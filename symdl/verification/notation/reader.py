"""The state of one reading of a text: where it is, what is open, how many arguments are still due."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from symdl.verification.notation.unread import refuse

#: Longest text, in characters, deepest nesting of brackets, and of typefaces, that is read.
LENGTH, DEPTH, FACES = 20_000, 200, 10

_SPACE = re.compile(r"(?:[ \t\r\n\xa0\u2000-\u200b\u202f\u3000~]|%[^\n]*(?:\n|$))+")
#: Not a comment, which TeX makes of it: nothing of a formula is cut.
_PERCENT = re.compile(r"\d%(?!\s*\n)")


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


class Reader:
    """One reading. `step` takes one lexeme from it.

    `open` holds what closes each open brace or environment, how many arguments are due outside it, and its value.
    """

    def __init__(self, text: str, step: Callable[[Reader], None], depth: int = 0) -> None:
        if len(text) > LENGTH:
            refuse(LENGTH, "length", f"a formula of {len(text):,} characters; at most {LENGTH:,} are read")
        self.text, self.step, self.depth, self.at, self.due = text, step, depth, 0, 0
        self.found: list[Lexeme] = []
        self.open: list[tuple[str, int, str]] = []
        self.cased: list[int] = []  # how much was open outside each array that is read as cases

    def read(self) -> list[Lexeme]:
        """All lexemes of the text."""
        while self.at < len(self.text):
            if _PERCENT.match(self.text, self.at - 1) and self.at:
                self.put("PERCENT", "%", self.at + 1)
            elif space := _SPACE.match(self.text, self.at):
                self.at = space.end()
            else:
                self.step(self)
        if self.open:
            refuse(len(self.text), "end", f"the formula ends before {self.open[-1][0]!r}")
        return self.found

    def nested(self, text: str, start: int) -> list[Lexeme]:
        """The lexemes of a part, with the places that they have in this text."""
        if self.depth >= FACES:
            refuse(start, "nesting", f"more than {FACES} levels of typefaces and texts")
        inner = Reader(text, self.step, self.depth + 1).read()
        return [Lexeme(x.kind, x.value, x.start + start, x.end + start, x.face) for x in inner]

    def put(self, kind: str, value: str, end: int, face: str = "", arguments: int = 0) -> None:
        """Add a lexeme that ends at `end`, and expect `arguments` after it."""
        self.found.append(Lexeme(kind, value, self.at, end, face))
        self.due = max(self.due - 1, 0) + arguments if kind not in ("SUB", "SUP") else self.due + 1
        self.at = end

    def mark(self, kind: str, value: str, end: int) -> None:
        """Add an operator or a relation; as a script without braces (x^*) it is a name."""
        self.put("SYMBOL" if self.scripting() else kind, value, end)

    def scripting(self) -> bool:
        """Whether the next lexeme is a script without braces."""
        return bool(self.due and self.found and self.found[-1].kind in ("SUB", "SUP"))

    def skip(self, end: int) -> None:
        """Go on behind what says nothing."""
        self.at = end

    def push(self, closer: str, end: int, kind: str, value: str) -> None:
        """Open a brace or an environment."""
        if len(self.open) >= DEPTH:
            refuse(self.at, "nesting", f"more than {DEPTH} levels of braces")
        self.open.append((closer, self.due, value))
        self.put(kind, value, end)
        self.due = 0

    def close(self, closer: str, kind: str, end: int) -> None:
        """Close what is open."""
        if not self.open or self.open[-1][0] != closer:
            refuse(self.at, self.text[self.at : end], f"{self.text[self.at : end]!r} closes nothing")
        _, due, _ = self.open.pop()
        self.put(kind, closer, end)
        self.due = due if kind == "OPTCLOSE" else max(due - 1, 0)

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
