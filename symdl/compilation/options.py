"""What a definition is differentiated by, checked."""

from __future__ import annotations

from symdl.core.definitions import Definition
from symdl.errors import DefinitionError, one_of


def checked_wrt(definition: Definition, wrt: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    """The names to differentiate by: all parameters where none are given.

    Raises:
        DefinitionError: an unknown name, nothing to differentiate by, or a target that is not a scalar.
    """
    names = (wrt,) if isinstance(wrt, str) else tuple(wrt) if wrt is not None else ()
    names = names or tuple(t.name for t in definition.parameters)
    known = [t.name for t in definition.inputs if not t.integer]
    for name in names:
        if name not in known:
            raise DefinitionError(
                f"no input '{name}'", where=f"definition {definition.name}", remedy=one_of(name, known)
            )
    if not names:
        raise DefinitionError(f"{definition.name} has no parameters", remedy="declare one with sd.Param")
    if definition.target.rank:
        raise DefinitionError(
            f"the target {definition.target.element()} is not a scalar",
            where=f"definition {definition.name}",
            why="only a scalar has a gradient",
            remedy="return a loss, or compile sd.seeded(definition): the loss is then any, with its slope as an input",
        )
    return names
