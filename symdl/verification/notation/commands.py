"""What each LaTeX command adds to the lexemes."""

from __future__ import annotations

import re
from collections.abc import Callable

from symdl.verification.notation import symbols as sym
from symdl.verification.notation.reader import Reader
from symdl.verification.notation.typefaces import face
from symdl.verification.notation.unread import refuse

_COMMAND = re.compile(r"\\(?:[A-Za-z]+\*?|.)", re.DOTALL)
_SIZE = re.compile(r"\\(?:big|Big|bigg|Bigg)[lrm]?(?![A-Za-z])")
_BRACKET = re.compile(r"\s*(\\[A-Za-z]+|\\.|.)", re.DOTALL)
_DIMENSION = re.compile(r"\s*(?:\{[^{}]*\}|-?[\d.]+\s*(?:em|ex|pt|mu|in|cm|mm))")
_GAP = re.compile(r"\s*\[-?[\d.]+\s*[a-z]{2}\]")
_ENVIRONMENT = re.compile(r"\s*\{([A-Za-z]+\*?)\}")
_COLUMNS = re.compile(r"\s*(?:\[[^\]]*\])?\s*\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}")
_LIMIT = re.compile(r"(?:\\[,;!: ]|\s)*\\(max|min)(?![A-Za-z])")
_SPACES = re.compile(r"(?:\s*\\\s)+")
_SIDE = re.compile(r"\\(left|right)(?![A-Za-z])\s*(.)")
_RIGHT = re.compile(r"\s*\\right\s*\.")
_BRACE = re.compile(r"\s*\{")
_OPTIONAL = re.compile(r"\s*\[")
_COLOUR = re.compile(r"\s*(?:\[[^\]]*\])?\s*\{([^{}]*)\}")


def command(reader: Reader) -> None:
    """Take the command that stands at the reader's place."""
    if size := _SIZE.match(reader.text, reader.at):
        reader.skip(size.end())
        return
    found = _COMMAND.match(reader.text, reader.at)
    if found is None:
        refuse(reader.at, "\\", "a backslash at the end")
    name, end = found.group()[1:], found.end()
    if name.endswith("*") and name not in ("operatorname*", "hspace*", "*"):
        name, end = name[:-1], end - 1
    for rule in _RULES:
        if rule(reader, name, end):
            return
    refuse(reader.at, f"\\{name}", f"no meaning is known for \\{name}")


def cell(reader: Reader, value: str, end: int) -> None:
    """& and \\\\\\\\: cells of a matrix, or the layout of rows, which says nothing but where a row ends."""
    if reader.open and reader.open[-1][0] in sym.MATRICES | sym.CASES:
        reader.put("CELL", value, end)
    elif value == "&":
        reader.skip(end)
    elif _stacked(reader):
        reader.put("SEP", ",", end)
    elif reader.depth or (reader.open and reader.open[-1][0] not in sym.LAYOUTS):
        refuse(reader.at, value, "a row ends inside braces")
    else:
        reader.put("SEP", "\n", end)


def _stacked(reader: Reader) -> bool:
    """Whether the brace that is open is one of \\\\substack, whose rows are several conditions."""
    return bool(reader.open) and reader.open[-1][2] == "substack"


def _plain(reader: Reader, name: str, end: int) -> bool:
    """Commands that are one lexeme."""
    if name in sym.GREEK:
        reader.put("SYMBOL", sym.GREEK[name], end)
    elif name in sym.OPERATOR_COMMANDS:
        reader.mark("OP", sym.OPERATOR_COMMANDS[name], end)
    elif name in sym.SIGN_COMMANDS:
        reader.mark("SIGN", sym.SIGN_COMMANDS[name], end)
    elif name in sym.NAMES:
        reader.put("SYMBOL", sym.NAMES[name], end)
    elif name in sym.RELATION_COMMANDS:
        reader.mark("REL", sym.RELATION_COMMANDS[name], end)
    elif name in sym.FUNCTIONS:
        reader.put("FN", name, end)
    elif name in sym.DOTS:
        reader.put("DOTS", "…", end)
    elif name in _SINGLE:
        reader.put(*_SINGLE[name], end)
    elif name in ("R", "N", "Z"):
        reader.put("SYMBOL", name, end, "bb")
    else:
        return False
    return True


_SINGLE = {
    "nabla": ("NABLA", "∇"),
    "prime": ("SYMBOL", "′"),
    "%": ("PERCENT", "%"),
    "uparrow": ("SYMBOL", "↑"),
    "downarrow": ("SYMBOL", "↓"),
    "parallel": ("SEP", "‖"),
    "colon": ("SEP", ":"),
    "not": ("NOT", "\\not"),
    "over": ("OVER", "over"),
    "choose": ("OVER", "choose"),
    "mid": ("BAR", "mid"),
    "therefore": ("WORD", "therefore"),
    "because": ("WORD", "because"),
    "_": ("SUB", "_"),
}


def _ranging(reader: Reader, name: str, end: int) -> bool:
    """∑, max, arg max: what may have limits."""
    if name == "arg" and (follow := _LIMIT.match(reader.text, end)):
        reader.put("BIG", "arg" + follow.group(1), follow.end())
    elif name in sym.BIG or name in sym.LIMITED:
        reader.put("BIG", name, end)
    else:
        return False
    return True


def _spacing(reader: Reader, name: str, end: int) -> bool:
    if name == "\\" and _escaped_brace(reader, end):
        return True
    if name in ("\\", "cr", "newline"):
        gap = _GAP.match(reader.text, end)
        cell(reader, "\\\\", gap.end() if gap else end)
    elif name in sym.QUADS:
        size = _DIMENSION.match(reader.text, end) if name not in ("quad", "qquad") else None
        _wide(reader, size.end() if size else end)
    elif name.isspace() and (more := _SPACES.match(reader.text, end)):
        _wide(reader, more.end())
    elif name in sym.SPACES or name.isspace():
        reader.skip(end)
    else:
        return False
    return True


def _escaped_brace(reader: Reader, end: int) -> bool:
    """\\\\{ … \\\\}, as Markdown makes people write set braces: no row ends before a closing brace."""
    brace = reader.text[end : end + 1]
    if brace == "{" and "\\\\}" in reader.text[end:]:
        reader.put("OPEN", "{", end + 1)
        return True
    if brace == "}" and "\\\\{" in reader.text[: reader.at]:
        reader.put("CLOSE", "}", end + 1)
        return True
    return False


def _wide(reader: Reader, end: int) -> None:
    """Wide space parts statements; once is enough, and at the beginning it parts nothing."""
    last = reader.found[-1] if reader.found else None
    if last is None or (last.kind == "SEP" and last.value in " \n"):
        reader.skip(end)
    else:
        reader.put("SEP", " ", end)


def _built(reader: Reader, name: str, end: int) -> bool:
    """Commands with arguments that the grammar reads."""
    if name in sym.FRACTIONS:
        reader.put("FRAC", "", end, arguments=2)
    elif name in ("binom", "dbinom", "tbinom"):
        reader.put("BINOM", "", end, arguments=2)
    elif name == "sqrt":
        reader.put("SQRT", "", end, arguments=1)
        if optional := _OPTIONAL.match(reader.text, end):
            reader.at = optional.end() - 1
            reader.push("]", optional.end(), "OPTOPEN", "[")
    elif name == "substack":
        brace = _BRACE.match(reader.text, end)
        if brace is None:
            refuse(reader.at, "\\substack", "braces are missing")
        reader.push("}", brace.end(), "LBRACE", "substack")
    elif name in sym.ACCENTS:
        reader.put("ACCENT", sym.ACCENTS[name], end, arguments=1)
    else:
        return False
    return True


def _noted(reader: Reader, name: str, end: int) -> bool:
    """Braces, boxes and colours."""
    if name in ("color", "textcolor", "colorbox"):
        argument = _COLOUR.match(reader.text, end)
        if argument is None:
            refuse(reader.at, f"\\{name}", "a colour without a name")
        if name == "color":
            reader.skip(argument.end())
        else:
            reader.put("COLOR", argument.group(1).strip(), argument.end(), arguments=1)
    elif name in ("underset", "overset", "stackrel"):
        reader.put("NOTE2", "overset" if name == "stackrel" else name, end, arguments=2)
    elif name == "smash":
        reader.skip(end)
    elif name in sym.NOTES:
        reader.put("NOTE1", sym.NOTES[name], end, arguments=1)
    else:
        return False
    return True


def _delimited(reader: Reader, name: str, end: int) -> bool:
    """\\\\left ( and \\\\right ), \\\\{, \\\\|."""
    char = f"\\{name}"
    if name in ("left", "right", "middle"):
        found = _BRACKET.match(reader.text, end)
        if found is None:
            refuse(reader.at, char, "a bracket is missing")
        _sized(reader, name, found.group(1), found.end())
    elif char in sym.OPENING:
        reader.put("OPEN", sym.OPENING[char], end)
    elif char in sym.CLOSING:
        reader.put("CLOSE", sym.CLOSING[char], end)
    elif char in sym.BARS:
        reader.put("BAR", sym.BARS[char], end)
    else:
        return False
    return True


def _sized(reader: Reader, name: str, bracket: str, end: int) -> None:
    bracket = {"<": "⟨", ">": "⟩"}.get(bracket, bracket)
    value = sym.OPENING.get(bracket) or sym.CLOSING.get(bracket) or sym.BARS.get(bracket)
    if value is None and bracket != ".":
        refuse(reader.at, f"\\{name}", f"no bracket: {bracket!r}")
    if name == "middle":
        reader.put("SEP", "|", end)
    else:
        reader.put("OPEN" if name == "left" else "CLOSE", value or "", end, name)


def _environment(reader: Reader, name: str, end: int) -> bool:
    if name not in ("begin", "end"):
        return False
    found = _ENVIRONMENT.match(reader.text, end)
    if found is None:
        refuse(reader.at, f"\\{name}", "an environment without a name")
    kind, stop = found.group(1), found.end()
    layout = kind in sym.LAYOUTS
    if not layout and kind not in sym.MATRICES | sym.CASES:
        refuse(reader.at, f"\\{name}{{{kind}}}", f"no meaning is known for the environment {kind}")
    if name == "begin":
        cased = kind in ("array", "matrix") and _braced_left(reader)
        columns = _COLUMNS.match(reader.text, stop) if kind in ("array", "alignedat", "alignat") else None
        reader.push(
            kind, columns.end() if columns else stop, "LBRACE" if layout else "BEGIN", "cases" if cased else kind
        )
    else:
        _without_last_row(reader)
        reader.close(kind, "RBRACE" if layout else "END", stop)
        if reader.cased and reader.cased[-1] == len(reader.open):
            _unbraced_right(reader)
    return True


def _braced_left(reader: Reader) -> bool:
    """\\\\left\\{ right before an array makes cases of it; \\\\right. has to end them."""
    last = reader.found[-1] if reader.found else None
    braced = last is not None and (last.kind, last.value, last.face) == ("OPEN", "{", "left")
    if braced and _rest_is_open(reader):
        reader.found.pop()
        reader.cased.append(len(reader.open))
        return True
    return False


def _rest_is_open(reader: Reader) -> bool:
    """Whether the first \\\\right behind this place that is not another \\\\left's is \\\\right."""
    depth = 0
    for side in _SIDE.finditer(reader.text, reader.at):
        depth += 1 if side[1] == "left" else -1
        if depth < 0:
            return side[2] == "."
    return False


def _unbraced_right(reader: Reader) -> None:
    found = _RIGHT.match(reader.text, reader.at)
    if found is None:
        refuse(reader.at, "\\end{array}", "cases without \\right.")
    reader.cased.pop()
    reader.skip(found.end())


def _without_last_row(reader: Reader) -> None:
    """\\\\\\\\ before \\\\end begins no row."""
    found = reader.found
    while found and (found[-1].kind, found[-1].value) in (("CELL", "\\\\"), ("SEP", "\n")):
        found.pop()


def _known(reader: Reader, name: str, end: int) -> bool:
    """Names that many documents define, and some forget to: \\\\softmax."""
    if name in sym.WORDS:
        reader.put("FN", name, end)
    return name in sym.WORDS


_RULES: tuple[Callable[[Reader, str, int], bool], ...] = (
    _ranging,
    _plain,
    _spacing,
    _built,
    face,
    _delimited,
    _noted,
    _environment,
    _known,
)
