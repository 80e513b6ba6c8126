"""Formulas that are typed among words: which parts of a line they are.

>>> line = "With w₀ = 2 and x = 3 we get w₀x = 6, which is less than 14."
>>> [line[start:end] for start, end in typed_formulas(line)]
['w₀ = 2', 'x = 3', 'w₀x = 6']
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from symdl.verification.documents.typed import DERIVATIVE, FUNCTIONS, GREEK_NAMES, TOKEN

_KNOWN = FUNCTIONS | GREEK_NAMES | {"sqrt", "abs", "sum", "prod"}
_RELATIONS = {"=", "≈", "<", ">", "≤", "≥", "≠", "<=", ">=", "!=", "==", ":=", "<-", "~=", "←", "≡", "∈", "∼", "∝"}
_GO_ON = {"=", "≈", "≤", "≥", "<=", ">="}
_OPERATORS = set("+-−–*/^·⋅×⊙∘⊗÷±∓()[]{}|'′″‖√∂∇∑∏∫∞…%!½¼⅓ℝℓ⊤⌊⌋⌈⌉") | {"**", "..."}
_TIED = {"*", "/", "^", "**", "·", "×", "+"} | _RELATIONS
"""Signs that make a word in front of them a name."""
_OPEN, _CLOSE = "([{", ")]}"
_NEVER_FIRST = set(")]}*/^,!%·×⊙'") | {"**"}
_NEVER_LAST = set("([{+-−–*/^,·×⊙√∂∇∑∏") | _RELATIONS | {"**"}
_SMALL = frozenset(
    re.findall(r"\w+", "is of in to at we so if or by as an on be it no do for and the with then than where when")
)
_NO_FORMULA = re.compile(r"\b[A-Za-z]+://\S+|\S+@\S+\.\S+|<[A-Za-z][\w:+/-]*>|[-=_*~#]{3,}|\d+(?:\.\d+){2,}")
"""Addresses, <places to fill in>, rules, numbers of versions."""

Token = re.Match[str]


def typed_formulas(line: str) -> list[tuple[int, int]]:
    """Start and end of each formula in the line: a relation with names, numbers and signs on both sides.

    One that begins with = is there as well, if the line begins with it: it goes on with the formula of the line above.
    """
    blank = _NO_FORMULA.sub(lambda found: '"' * len(found[0]), line)
    made: list[tuple[int, int]] = []
    for run in _runs([token for token in TOKEN.finditer(blank) if token.lastgroup != "space"], blank):
        made += _formulas(run, blank)
    return made


def _runs(tokens: list[Token], line: str) -> Iterator[list[Token]]:
    """The longest parts without a word of prose."""
    run: list[Token] = []
    for i, token in enumerate(tokens):
        before = tokens[i - 1] if i else None
        after = tokens[i + 1] if i + 1 < len(tokens) else None
        if _belongs(token, before, after, line):
            run.append(token)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _belongs(token: Token, before: Token | None, after: Token | None, line: str) -> bool:
    text = token[0]
    if token.lastgroup == "sign":
        arrow = after is not None and after[0] == ">" and after.start() == token.end() and text in {"=", "-"}
        arrow |= before is not None and text == ">" and before.end() == token.start() and before[0] in {"=", "-"}
        return (text in _OPERATORS or text in _RELATIONS or text == ",") and not arrow and not _is_hyphen(token, line)
    if token.lastgroup != "word":
        return True
    letters = text.rstrip("0123456789")
    if len(letters) <= 1 or letters in _KNOWN or DERIVATIVE.match(line, token.start()):
        return True
    if letters.lower() in _SMALL:
        return False
    touches = after is not None and after.start() == token.end()
    if after is not None and ((touches and after[0] in {"_", "("}) or (touches and after.lastgroup == "low")):
        return True
    if after is not None and after[0] in _TIED:
        return True
    if before is None:
        return False
    inside = line[token.start() - 1] == "(" and line[token.end() : token.end() + 1] == ")"
    if inside and re.search(r"[^\W_]\($", line[: token.start()]):
        return True  # sqrt(name)
    tied = before.end() == token.start() and before.lastgroup in {"number", "low", "high", "under"}
    return tied or before[0] in _TIED - _RELATIONS or (len(letters) == 2 and letters[0] == "d" and before[0] == "/")


def _is_hyphen(token: Token, line: str) -> bool:
    """Whether it joins two words, as in well-known."""
    return token[0] in "-–" and bool(
        re.search(r"[^\W\d_]{2}\Z", line[: token.start()]) and re.match(r"[^\W\d_]{2}", line[token.end() :])
    )


def _formulas(run: list[Token], line: str) -> Iterator[tuple[int, int]]:
    """The formulas of one run: cut at commas outside of brackets, and where brackets do not match."""
    part: list[Token] = []
    depth = 0
    run = _unwrapped(run)
    for i, token in enumerate(run):
        depth += (token[0] in _OPEN) - (token[0] in _CLOSE)
        if depth == 0 and _starts_anew(run, i, part):
            yield from _formula(part, line)
            part = []
        if depth < 0 or (depth == 0 and token[0] == ","):
            yield from _formula(part, line)
            part, depth = [], max(0, depth)
        else:
            part.append(token)
    yield from _formula(part, line)


def _starts_anew(run: list[Token], i: int, part: list[Token]) -> bool:
    """Whether a name after a value begins the next of several statements, as in w0=2 w1=2."""
    if not part or part[-1].lastgroup != "number" or run[i].lastgroup != "word" or part[-1].end() == run[i].start():
        return False
    scripts = ("low", "under")
    after = i + 1
    while after < len(run) and (run[after].lastgroup in scripts or run[after - 1].lastgroup == "under"):
        after += 1
    return after < len(run) and run[after][0] == "=" and any(token[0] in _RELATIONS for token in part)


def _unwrapped(run: list[Token]) -> list[Token]:
    """Without a bracket that opens in front and holds relations, as in (x = 3, y = 4)."""
    for _ in range(3):
        if not run or run[0][0] not in _OPEN:
            break
        depth, inner = 0, []
        for token in run:
            depth += (token[0] in _OPEN) - (token[0] in _CLOSE)
            if depth == 0:
                break
            inner.append(token[0])
        if _RELATIONS.isdisjoint(inner):
            break
        run = run[1:]
    return run


def _formula(part: list[Token], line: str) -> Iterator[tuple[int, int]]:
    first = bool(part) and not line[: part[0].start()].strip() and part[0][0] in _GO_ON
    while part and (part[0][0] in _NEVER_FIRST or (part[0][0] in _RELATIONS and not first) or _is_article(part)):
        part = part[1:]
    while part and part[-1][0] in _NEVER_LAST:
        part = part[:-1]
    places = [i for i, token in enumerate(part) if token[0] in _RELATIONS]
    if not places or (places[0] == 0 and not first) or len(part) < 2:
        return
    start, end = part[0].start(), part[-1].end()
    # part of a longer name, as in np.x = 3 or x = np.array(…)
    if re.match(r"[.\w\"`]\w", line[end:]) or re.search(r"[\w\"`][.\"`]\Z", line[:start]):
        return
    yield start, end


def _is_article(part: list[Token]) -> bool:
    """Whether it begins with the word a, A or I."""
    if len(part) < 2 or part[0][0] not in {"a", "A", "I"} or part[1].start() == part[0].end():
        return False
    return part[1].lastgroup in {"word", "number"}
