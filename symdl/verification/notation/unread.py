"""The one error of this package: a formula that is not read, with the place and the construct that is to blame."""

from __future__ import annotations

from typing import NoReturn

from symdl.errors import SymdlError


class UnreadError(SymdlError):
    """A formula that is not read. `column` is the offset into its text, `construct` what stands there.

    >>> error = UnreadError("a brace is never closed", column=4, construct="{")
    >>> error.column, error.construct
    (4, '{')
    """

    def __init__(self, what: str, *, column: int, construct: str) -> None:
        super().__init__(what, where=f"column {column + 1}")
        self.column, self.construct = column, construct


def refuse(column: int, construct: str, what: str) -> NoReturn:
    """Raise `UnreadError`."""
    raise UnreadError(what, column=column, construct=construct)
