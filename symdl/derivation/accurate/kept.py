"""Searches for forms, kept beyond this process where whoever asks has a place for that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

import sympy

from symdl.derivation.accurate.forms import find
from symdl.derivation.accurate.records import Search
from symdl.derivation.accurate.shipped import Shipped
from symdl.derivation.accurate.written import UnwritableError, read, request, written


class Shelf(Protocol):
    """A place for texts by key, which holds only what was put there by the same symdl."""

    def get(self, key: str) -> str | None:
        """The text of a key; None where there is none."""
        ...

    def put(self, key: str, text: str) -> None:
        """Keep a text."""
        ...


_SHELF: ContextVar[Shelf] = ContextVar("shelf of searches", default=Shipped())  # noqa: B039 (it never changes)


@contextmanager
def kept_on(shelf: Shelf) -> Iterator[None]:
    """Meanwhile what is searched for is looked up on a shelf, and put there where it is not."""
    before = _SHELF.set(shelf)
    try:
        yield
    finally:
        _SHELF.reset(before)


def searched(name: str, definition: sympy.Expr, x: sympy.Symbol, given: Sequence[sympy.Expr]) -> Search:
    """`forms.find`, unless the shelf has what it found; arguments and errors are its own."""
    shelf = _SHELF.get()
    key = request(name, definition, given)
    if (text := shelf.get(key)) is not None:
        return read(text, x)
    found = find(name, definition, x, given)
    if not found.needed:  # which is quickly seen
        return found
    try:
        text = written(found)
    except UnwritableError:
        return found
    if read(text, x) == found:  # SymPy may write what it is given in another way: that is found anew each time
        shelf.put(key, text)
    return found
