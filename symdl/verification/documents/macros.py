r"""Macros of a document: `\newcommand`, `\def`, `\DeclareMathOperator` and their like, and their expansion, bounded.

>>> table = Macros()
>>> text = r"\newcommand{\grad}[2]{\frac{\partial #1}{\partial #2}} \grad{L}{w_0} = 8"
>>> table.expand(text).strip()
'\\frac{\\partial L}{\\partial w_0} = 8'
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from symdl.verification.documents.braces import argument, optional
from symdl.verification.documents.packages import STANDARD

MOST_CHARACTERS = 20_000
"""Of one formula when its macros are expanded."""
MOST_STEPS = 2_000
"""Of expansion in one formula."""
MOST_STEPS_IN_ALL = 200_000
"""Of expansion in one document."""

DEFINING = re.compile(
    r"\\(?:(?:re)?newcommand|providecommand|DeclareRobustCommand|DeclareMathOperator|DeclarePairedDelimiter|[gex]?def"
    r"|let|NewDocumentCommand|RenewDocumentCommand)(?![A-Za-z])"
)
_CONTROL = re.compile(r"\\([A-Za-z@]+|.)", re.DOTALL)
_NAME = re.compile(r"\s*(?:\{\s*\\([A-Za-z@]+|.)\s*\}|\\([A-Za-z@]+|.))", re.DOTALL)
_COUNT = re.compile(r"\s*\[\s*(\d)\s*\]")
_PARAMETERS = re.compile(r"((?:\s*#\d)*)\s*(?=\{)")
_PLACE = re.compile(r"#(\d)")
#: \DeclareMathOperator{\E}{\mathbb{E}}: an operator that is a letter in a typeface of its own, and no word.
_IN_A_FACE = re.compile(r"\s*\{?\s*\\(?:math(?:bb|bf|rm|cal|sf|scr)|mathbbm|mathds)\s*\{[^{}]*\}\s*\}?\s*")
_ENDS_IN_WORD = re.compile(r"\\[A-Za-z@]+\Z")


class ExpansionError(Exception):
    """A formula whose macros do not end, or make it too long."""


@dataclass(frozen=True)
class Macro:
    """`body` with #1, #2, … for the arguments; the first is optional where `default` is given.

    A `primitive` one stands for a command of TeX itself, which is not expanded again (`\\let\\old\\vec`). The body of
    `starred`, if any, is used for the form with a star.
    """

    arguments: int
    body: str
    default: str | None = None
    primitive: bool = False
    starred: str = ""


class Macros:
    """The macros that are known so far; a later definition of a name replaces the earlier one."""

    def __init__(self) -> None:
        self._known: dict[str, Macro] = {}
        self._steps_left = MOST_STEPS_IN_ALL

    def get(self, name: str) -> Macro | None:
        """The macro of that name, written without the backslash."""
        return self._known.get(name) or _STANDARD.get(name)

    def define(self, text: str, at: int) -> int:
        """Take in the definition that starts at `at`; where it ends."""
        name, macro, end = _definition(text, at)
        if macro is not None and name:
            if macro.primitive:
                macro = self.get(macro.body[1:]) or macro
            if not (text.startswith(r"\providecommand", at) and name in self._known):
                self._known[name] = macro
        return end

    def expand(self, text: str) -> str:
        """`text` with every macro replaced; definitions in it are taken in and removed.

        Raises:
            ExpansionError: it does not end, or grows past MOST_CHARACTERS.
        """
        out: list[str] = []
        rest, at, written, steps = text, 0, 0, 0
        while found := _CONTROL.search(rest, at):
            macro = self.get(found[1])
            defines = DEFINING.match(rest, found.start())
            if macro is None and not defines:
                out.append(rest[at : found.end()])
                written += found.end() - at
                at = found.end()
                continue
            steps += 1
            self._steps_left -= 1
            out.append(rest[at : found.start()])
            written += found.start() - at
            if macro is None:
                at = self.define(rest, found.start())
            elif macro.primitive:
                out.append(macro.body)
                at = found.end()
            else:
                replaced, end = _replacement(macro, rest, found.end())
                rest, at = _joined("".join(out[-1:]), replaced, rest, end), 0
            if steps > MOST_STEPS or self._steps_left < 0 or written + len(rest) - at > MOST_CHARACTERS:
                raise ExpansionError("its macros do not end, or make it too long")
        out.append(rest[at:])
        return "".join(out)


def _standard() -> dict[str, Macro]:
    known = {}
    for definition in DEFINING.finditer(STANDARD):
        name, macro, _ = _definition(STANDARD, definition.start())
        assert macro, definition
        known[name] = macro
    return known


def definition_end(text: str, at: int) -> int:
    """Where the definition of a macro that starts at `at` ends."""
    return _definition(text, at)[2]


def _definition(text: str, at: int) -> tuple[str, Macro | None, int]:
    """Name, macro (None where it is none that we can use) and end of the definition at `at`."""
    found = DEFINING.match(text, at)
    assert found
    command, end = found[0][1:], found.end()
    starred = text.startswith("*", end)
    name = _NAME.match(text, end + starred)
    if name is None:
        return "", None, end
    word, end = name[1] or name[2], name.end()
    if command == "let":
        value = re.compile(r"\s*=?\s*(\\(?:[A-Za-z@]+|.)|\S)", re.DOTALL).match(text, end)
        return (word, Macro(0, value[1], primitive=True), value.end()) if value else (word, None, end)
    if command == "DeclarePairedDelimiter":
        left, end = argument(text, end)
        right, end = argument(text, end)
        return word, Macro(1, f"{left}#1{right}", starred=rf"\left{left}#1\right{right}"), end
    count, default = 0, None
    if command.endswith("def"):
        parameters = _PARAMETERS.match(text, end)
        if parameters is None:  # arguments that end at a delimiter: rare, and not read
            return word, None, end
        count, end = parameters[1].count("#"), parameters.end()
    elif command.endswith("DocumentCommand"):
        signature, end = argument(text, end)
        if set(signature.split()) - {"m"}:
            return word, None, argument(text, end)[1]
        count = len(signature.split())
    elif number := _COUNT.match(text, end):
        count, end = int(number[1]), number.end()
        default, end = optional(text, end)
    body, end = argument(text, end)
    if command == "DeclareMathOperator" and not _IN_A_FACE.fullmatch(body):
        body = rf"\operatorname{'*' if starred else ''}{{{body}}}"
    return word, Macro(count, body, default), end


def _replacement(macro: Macro, text: str, at: int) -> tuple[str, int]:
    """The body with the arguments that stand at `at`, and where they end."""
    body, values = macro.body, []
    if macro.starred and text.startswith("*", at):
        body, at = macro.starred, at + 1
    if macro.default is not None:
        value, at = optional(text, at)
        values.append(macro.default if value is None else value)
    while len(values) < macro.arguments:
        value, at = argument(text, at)
        values.append(value)
    return _filled(body, values), at


def _filled(body: str, values: list[str]) -> str:
    parts, at, length = [], 0, len(body)
    for place in _PLACE.finditer(body):
        number = int(place[1])
        parts.append(body[at : place.start()])
        if 1 <= number <= len(values):
            value = values[number - 1]
            parts.append(_spaced(parts[-1], value) + value)
            length += len(value)
        at = place.end()
        parts.append(_spaced(parts[-1], body[at : at + 1]))
        if length > MOST_CHARACTERS:
            raise ExpansionError("an argument of a macro is too long")
    parts.append(body[at:])
    return "".join(parts)


def _joined(before: str, replaced: str, rest: str, end: int) -> str:
    r"""What follows from here on; a script stays one group: `x^\R` becomes `x^{\mathbb{R}}`."""
    if before.rstrip().endswith(("^", "_")) and len(replaced.strip()) > 1:
        replaced = f"{{{replaced}}}"
    return replaced + _spaced(replaced, rest[end : end + 1]) + rest[end:]


def _spaced(before: str, after: str) -> str:
    """A blank where a control word would run into the letters after it."""
    return " " if after[:1].isalpha() and _ENDS_IN_WORD.search(before[-80:]) else ""


_STANDARD = _standard()
