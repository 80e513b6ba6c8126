"""What each vertical bar of a formula is: it opens or closes an absolute value or a norm, parts p(y | x), or evaluates.

A bar after nothing that it could close opens (but the one of f(· | x) has a sign for an item). After an operand it
closes what is open at its level, or evaluates if a subscript follows; else it opens if another one follows, and parts a
condition if none does.
"""

from __future__ import annotations

from collections import Counter

from symdl.verification.notation.reader import Lexeme

_OPERANDS = frozenset(
    {"NUMBER", "SYMBOL", "TEXT", "DOTS", "CLOSE", "RBRACE", "END", "PRIME", "BANG", "PERCENT", "OPTCLOSE"}
)
#: What is an operand where nothing follows that it reaches over.
_NAMELESS = frozenset({"OP", "FN", "BIG", "NABLA"})
_OPENERS = frozenset({"OPEN", "LBRACE", "BEGIN", "OPTOPEN"})
_CLOSERS = frozenset({"CLOSE", "RBRACE", "END", "OPTCLOSE"})


def settled(lexemes: list[Lexeme]) -> list[Lexeme]:
    """The lexemes with each BAR made an OPEN, CLOSE, SEP or EVAL."""
    if not any(lexeme.kind == "BAR" for lexeme in lexemes):
        return lexemes
    levels = _levels(lexemes)
    waiting: dict[int, list[str]] = {}
    left = Counter((level, lexeme.value) for lexeme, level in zip(lexemes, levels, strict=True) if lexeme.kind == "BAR")
    done: list[Lexeme] = []
    skipped: Lexeme | None = None
    for place, lexeme in enumerate(lexemes):
        if lexeme is skipped:
            continue
        if lexeme.kind != "BAR":
            done.append(lexeme)
            continue
        level = levels[place]
        left[level, lexeme.value] -= 1
        skipped = _second(lexemes, place) if not waiting.get(level) and left[level, lexeme.value] == 1 else None
        if skipped is not None and _before(done) in _OPERANDS:  # D(p‖‖q), as it is typed by some
            left[level, lexeme.value] -= 1
            done.append(Lexeme("SEP", "‖", lexeme.start, skipped.end))
            continue
        skipped = None
        after = lexemes[place + 1].kind if place + 1 < len(lexemes) else ""
        done += _settle(lexeme, _before(done), after, waiting.setdefault(level, []), left[level, lexeme.value])
    return done


def _second(lexemes: list[Lexeme], place: int) -> Lexeme | None:
    """The second one of two double bars that stand side by side in front of an operand."""
    pair = lexemes[place : place + 3]
    double = len(pair) == 3 and pair[0].value == pair[1].value == "‖" and pair[1].kind == "BAR"
    return pair[1] if double and pair[2].kind in ("SYMBOL", "OPEN", "NUMBER") else None


def _before(done: list[Lexeme]) -> str:
    """The kind of what stands before; the sign in {=} is a sign."""
    seen = [lexeme.kind for lexeme in done[-2:]]
    return seen[0] if seen[1:] == ["RBRACE"] and seen[0] in ("OP", "REL", "SIGN") else "".join(seen[-1:])


def _settle(bar: Lexeme, before: str, after: str, waiting: list[str], left: int) -> list[Lexeme]:
    value = "‖" if bar.value == "||" else bar.value
    shown = "|" if value == "mid" else value
    if bar.value == "||" and waiting[-1:] == ["|"]:  # |x||y|: one closes, one opens
        middle = bar.start + 1
        return [Lexeme("CLOSE", "|", bar.start, middle), Lexeme("OPEN", "|", middle, bar.end)]
    if before not in _OPERANDS and (left or before not in _NAMELESS):
        waiting.append(value)
        return [Lexeme("OPEN", shown, bar.start, bar.end)]
    if waiting and waiting[-1] == value and before in _OPERANDS:
        waiting.pop()
        return [Lexeme("CLOSE", shown, bar.start, bar.end)]
    if after == "SUB" and value != "mid":
        return [Lexeme("EVAL", value, bar.start, bar.end)]
    if left:
        waiting.append(value)
        return [Lexeme("OPEN", shown, bar.start, bar.end)]
    return [Lexeme("SEP", shown, bar.start, bar.end)]


def _levels(lexemes: list[Lexeme]) -> list[int]:
    """A number for the bracket or cell that each lexeme stands in."""
    levels, stack, last = [], [0], 0
    for lexeme in lexemes:
        if lexeme.kind in _CLOSERS and len(stack) > 1:
            stack.pop()
        levels.append(stack[-1])
        if lexeme.kind in _OPENERS:
            last += 1
            stack.append(last)
        elif lexeme.kind == "CELL" or lexeme.kind == "REL" or (lexeme.kind == "SEP" and lexeme.value != "|"):
            last += 1
            stack[-1] = last
    return levels
