"""Einstein's summation convention: an index that stands twice in a product is summed over, with no Σ written."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from symdl.verification.meaning.interpret import Interpreter
from symdl.verification.meaning.letters import letters_of, repeated_letters
from symdl.verification.meaning.names import letter_of
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node


def plainly_used(reader: Interpreter, chain: tree.Chain) -> bool:
    """Whether a formula says the same of whole arrays and, with no Σ, of their entries: 𝐱ᵀA𝐱 = x_i a_ij x_j.

    >>> from symdl.verification.meaning.scope import Scope
    >>> from symdl.verification.meaning.usage import Usage
    >>> from symdl.verification.notation import parse
    >>> reader = Interpreter(Scope(), Usage())
    >>> texts = (r"\\mathbf{x}^\\top A \\mathbf{x} = x_i a_{ij} x_j", "s = x_i y_i")
    >>> [plainly_used(reader, parse(text)) for text in texts]
    [True, False]
    """
    if chain.relations != ("=",):
        return False
    for whole, entries in (chain.sides, chain.sides[::-1]):
        factors = entries.factors if isinstance(entries, tree.Product) else ()
        parts = [reader.parts(f) if isinstance(f, tree.Scripted) else None for f in factors]
        counts = Counter(letter_of(s) for p in parts if p is not None for s in p.subscripts)
        paired = bool(counts) and set(counts.values()) == {2} and "" not in counts
        if None in parts or not paired or letters_of(reader, whole):
            continue
        wholes = [reader.parts(f) for f in whole.factors] if isinstance(whole, tree.Product) else []
        arrays = [p.name.lower() for p in wholes if p is not None and (p.bold or p.transposed or p.name.isupper())]
        if len(arrays) == len(wholes) and sorted(arrays) == sorted(p.name.lower() for p in parts if p is not None):
            return True
    return False


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
