"""Axes of a tensor by number."""

from __future__ import annotations

from symdl.core.tensors import Tensor
from symdl.errors import DefinitionError


def axis_of(x: Tensor, axis: int, where: str) -> int:
    if not -x.rank <= axis < x.rank:
        raise DefinitionError(
            f"{x.name} has no axis {axis}", where=where, why=f"it has {x.rank}", remedy=f"give 0 to {x.rank - 1}"
        )
    return axis % x.rank
