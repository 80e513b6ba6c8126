"""`parse`: a formula's text to its tree, whole or not at all.

Three stages: lexemes (`lexer`, `bars`); a LALR(1) grammar that finds scripts, arguments, brackets and environments; and
`binding`, which orders what stands in a row by how tightly it binds.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from symdl.verification.notation.build import Builder
from symdl.verification.notation.lexer import lexemes
from symdl.verification.notation.reader import DEPTH, Lexeme
from symdl.verification.notation.tree import Node, children
from symdl.verification.notation.unread import refuse

if TYPE_CHECKING:
    import lark

#: Deepest tree that is handed on: whoever walks it may recurse.
LEVELS = 100

GRAMMAR = r"""
start: line
line: element*
?element: scripted | EVAL SUB argument -> evaluated | SIGN | OP | REL | SEP | WORD | OVER | NOT
scripted: atom script*
script: SUB argument | SUP argument | PRIME | BANG | PERCENT
?argument: atom
?atom: NUMBER | SYMBOL | TEXT | DOTS | FN | BIG | NABLA
    | LBRACE line RBRACE -> braced
    | OPEN line CLOSE -> group
    | FRAC argument argument -> fraction
    | BINOM argument argument -> binomial
    | SQRT argument -> root
    | SQRT OPTOPEN line OPTCLOSE argument -> root_of
    | ACCENT argument -> accented
    | NOTE1 argument -> noted
    | NOTE2 argument argument -> noted_with
    | COLOR argument -> coloured
    | BEGIN cells END -> environment
cells: line (CELL line)*

%declare SIGN OP REL SEP WORD OVER NOT EVAL SUB SUP PRIME BANG PERCENT
%declare NUMBER SYMBOL TEXT DOTS FN BIG NABLA LBRACE RBRACE OPEN CLOSE FRAC BINOM SQRT OPTOPEN OPTCLOSE
%declare ACCENT NOTE1 NOTE2 COLOR BEGIN END CELL
"""


@lru_cache(maxsize=1)
def _parser() -> lark.Lark:
    import lark

    class Reading(lark.lexer.Lexer):
        """Hands the lexemes of a text to the grammar."""

        def __init__(self, conf: Any) -> None:
            del conf

        def lex(self, data: Any) -> Iterator[lark.Token]:  # type: ignore[override]
            for lexeme in data:
                yield lark.Token(lexeme.kind, lexeme)

    return lark.Lark(
        GRAMMAR, parser="lalr", lexer=Reading, transformer=Builder(), keep_all_tokens=True, maybe_placeholders=False
    )


def parse(latex: str) -> Node:
    """The tree of a formula in LaTeX.

    Args:
        latex: what stands between the dollars, macros expanded; at most 20,000 characters and 200 brackets deep.

    Raises:
        UnreadError: some of it has no meaning here. Nothing is ever cut.

    >>> parse(r"w_0 = 2").relations
    ('=',)
    >>> parse(r"\\frac{\\partial L}{\\partial w}").by[0][0].name
    'w'
    """
    found = lexemes(latex)
    _shallow(found)
    import lark

    try:
        node: Node = _parser().parse(found)  # type: ignore[assignment]
    except lark.exceptions.UnexpectedToken as error:
        _unexpected(latex, error.token)
    _bounded(node)
    return node


def _unexpected(latex: str, token: Any) -> None:
    lexeme = token.value if isinstance(token.value, Lexeme) else None
    if lexeme is None:
        refuse(len(latex), "end", "the formula ends too early")
    shown = latex[lexeme.start : lexeme.end] or lexeme.value or lexeme.kind
    refuse(lexeme.start, shown, f"{shown!r} can not stand here")


def _shallow(found: list[Lexeme]) -> None:
    depth = 0
    for lexeme in found:
        depth += (lexeme.kind in ("OPEN", "LBRACE", "BEGIN", "OPTOPEN")) - (
            lexeme.kind in ("CLOSE", "RBRACE", "END", "OPTCLOSE")
        )
        if depth > DEPTH:
            refuse(lexeme.start, "nesting", f"more than {DEPTH} levels of brackets")


def _bounded(node: Node) -> None:
    """A tree too deep for whoever walks it is not handed on."""
    level, depth = [node], 0
    while level:
        depth += 1
        if depth > LEVELS:
            refuse(level[0].start, "nesting", f"a tree of more than {LEVELS} levels")
        level = [child for parent in level for child in children(parent)]
