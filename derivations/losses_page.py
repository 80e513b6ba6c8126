"""The generated part of docs/losses.md: every loss with its formula, its slope as it is derived, kink and source."""

from __future__ import annotations

from collections.abc import Iterator

import symdl as sd
from symdl.library.losses import LOSSES, Family


def losses_list() -> str:
    """One section for each loss of the library, in the order of `symdl list`."""
    return "\n".join(line for family in LOSSES.values() for line in _section(family))


def _section(family: Family) -> Iterator[str]:
    loss = family.make()
    definition = family.entry.definition()
    prediction = "z" if loss.probabilities else list(loss.inputs)[1]
    slope = sd.derive(definition, prediction)
    options = ", ".join(f"`{name}={default!r}`" for name, default in family.entry.options.items())
    usual = ", ".join(f"{name} = {value}" for name, value in family.usual.items())
    yield from (f"### `{family.name}`", "", f"{family.summary[0].upper()}{family.summary[1:]}.", "")
    yield from ("$$", sd.latex(slope.gradient), "$$", "")
    yield f"- Options: {options}" + (f"; in a network {usual}" if usual else "")
    yield from (f"- Kink: {loss.kink}" for _ in [0] if loss.kink)
    yield from (f"- Source: {loss.source}", "")
