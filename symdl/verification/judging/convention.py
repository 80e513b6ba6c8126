"""Einstein's summation convention: an index that stands twice in a product is summed over, with no Σ written."""

from __future__ import annotations

from dataclasses import replace

from symdl.verification.meaning.interpret import Interpreter
from symdl.verification.meaning.letters import repeated_letters
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node


def summed(reader: Interpreter, side: Node, kept: set[str]) -> Node:
    """A side with a Σ before each term that has an index twice; `kept` are free, however often they stand there.

    >>> from symdl.verification.meaning.scope import Scope
    >>> from symdl.verification.meaning.usage import Usage
    >>> from symdl.verification.notation import latex, parse
    >>> latex(summed(Interpreter(Scope(), Usage()), parse("a_{ij} x_j + b_i"), {"i"}))
    '\\\\sum_{j} a_{i j} x_{j} + b_{i}'
    """
    if isinstance(side, tree.Sum):
        return replace(side, terms=tuple((sign, summed(reader, term, kept)) for sign, term in side.terms))
    if isinstance(side, tree.Derivative) and side.of is not None:
        return replace(side, of=summed(reader, side.of, kept))
    letters = [letter for letter in sorted(set(repeated_letters(reader, side))) if letter not in kept]
    if not letters:
        return side
    named = tuple(map(tree.Symbol, letters))
    below = named[0] if len(named) == 1 else tree.List(named, "," * (len(named) - 1))
    return tree.Big("sum", below, None, side)
