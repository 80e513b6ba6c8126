"""Matrices and vectors that only the words speak of: "let A and B be square matrices".

A name without a shape is read as a number. What is linear in it holds for matrices as well; that A B = B A, or that
(A + B)² = A² + 2AB + B², says something else of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from symdl.errors import SymdlError
from symdl.verification.documents import Document
from symdl.verification.judging.worded import names_said
from symdl.verification.meaning.matrices import MINUS_ONE
from symdl.verification.meaning.naming import names_in
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.statements import Reading
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk

_NAMED = r"\$[^$]+\$"
_LIST = rf"({_NAMED}(?:(?:, and|,| and) {_NAMED})*)"
_ONE, _MANY = r"(?:matrix|(?:column |row )?vector)\b", r"(?:matrices|(?:column |row )?vectors)\b"
#: What stands between "be" and "matrices": no words that say that it is something of a matrix.
_SOME = (
    rf"(?:(?!(?:of|in|on|for|with|from|to|that|which|not|number|scalar|constant|integer)\b)[\w×-]+ |{_NAMED} ){{0,5}}"
)
_SAID = (
    re.compile(rf"{_LIST} (?:is|are|be|denotes?) {_SOME}(?:{_ONE}|{_MANY})", re.IGNORECASE),
    re.compile(rf"\b{_ONE} ({_NAMED})", re.IGNORECASE),
    # of "matrices $A$, $B$ and $c$ a number" the last one is none
    re.compile(rf"\b{_MANY} {_LIST}(?! (?:is |be )?an? )", re.IGNORECASE),
)


def called_arrays(document: Document) -> Iterator[tuple[Node, tuple[int, ...]]]:
    """The names of which the words say that they are matrices or vectors, each with its section.

    >>> from symdl.verification.documents import read_text
    >>> text = "Let $A$ and $B$ be real $n$ by $n$ matrices, $v$ a vector, $k$ the number of rows of the matrix $C$."
    >>> [node.name for node, _ in called_arrays(read_text(text, "markdown"))]
    ['A', 'B', 'C']
    """
    return names_said(document, _SAID)


def taken_for_numbers(reading: Reading, link: Meaning) -> str:
    """Why a verdict on numbers says nothing: the words call them matrices or vectors, and they are multiplied with each
    other, or divided by; empty: it does."""
    said = {name for name, section in reading.arrays if section[:1] == reading.section[:1]}
    reader = reading.reader()
    for node in (*walk(link.left), *walk(link.right)):
        parts: tuple[Node, ...] = ()
        if isinstance(node, tree.Product):
            parts = node.factors
        elif isinstance(node, tree.Scripted) and (isinstance(node.sup, tree.Number) or node.sup == MINUS_ONE):
            parts = (node.base, node.base)
        elif isinstance(node, tree.Quotient):
            parts = (node.under, node.under)
        found = [said & names_in(reader, (part,)) for part in parts]
        if sum(map(bool, found)) < 2:
            continue
        numbers = sorted(n for n in set().union(*found) if _is_number(reading, n))
        if numbers:
            return f"the words call {', '.join(numbers)} a matrix or a vector, of which no shape is said"
    return ""


def _is_number(reading: Reading, name: str) -> bool:
    try:
        return not reading.reader().value(tree.Symbol(name)).axes
    except SymdlError:
        return False
