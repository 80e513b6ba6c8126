"""Why a formula has no meaning here: it was read, but what it says is not known or does not fit."""

from __future__ import annotations

from symdl.errors import SymdlError


class MeaningError(SymdlError):
    """A formula whose meaning is not known: an unknown function, shapes that do not meet."""


class ShapesError(MeaningError):
    """A formula whose names are understood, and whose shapes do not go together."""
