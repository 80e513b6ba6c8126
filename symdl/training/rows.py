"""Arrays as a definition takes them: X and y by the names of its inputs, labels as one-hot rows, masks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from symdl.compilation.compiled import Compiled
from symdl.compilation.runtime import prepared
from symdl.core.definitions import Definition
from symdl.core.tensors import Fact, Tensor
from symdl.errors import DataError, DefinitionError, ShapeError, UnsupportedError
from symdl.training.arrays import check_array, check_arrays, one_hot

Array = npt.NDArray[Any]


class Rows:
    """X and y as the compiled code takes them, by the names of the definition."""

    def __init__(
        self,
        definition: Definition,
        X: npt.ArrayLike,
        y: npt.ArrayLike | None,
        dtype: str,
        shapes: Mapping[str, tuple[int, ...]],
    ) -> None:
        tensors = [t for t in definition.data if t.rank]
        if not 1 <= len(tensors) <= 2 or len(tensors) != len(definition.data):
            raise UnsupportedError(
                f"{definition.name} has {len(definition.data)} data inputs",
                where="train",
                why="it trains on inputs X and targets y, each with an axis for the rows",
            )
        if (y is None) == (len(tensors) == 2):
            raise DataError(
                "y is missing" if y is None else "there is no target for y",
                where=f"training {definition.name}",
                why=f"its data are {', '.join(t.name for t in tensors)}",
            )
        self.labels: npt.NDArray[np.int64] | None = None
        arrays = [check_array(X, "X", rank=tensors[0].rank)]
        if y is not None:
            arrays = self._with_target(tensors, X, y, dtype, shapes)
        self.arrays = {t.name: prepared(t, a, dtype) for t, a in zip(tensors, arrays, strict=True)}
        self.target: Array | None = self.arrays[tensors[1].name] if y is not None else None
        self.shapes = {n: a.shape for n, a in self.arrays.items()}
        self.rows = len(arrays[0])

    def _with_target(
        self,
        tensors: list[Tensor],
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        dtype: str,
        shapes: Mapping[str, tuple[int, ...]],
    ) -> list[Array]:
        target = tensors[1]
        as_classes = Fact.SUMS_TO_ONE in target.facts and np.ndim(y) == target.rank - 1
        if not as_classes:
            inputs, targets = check_arrays(X, y, X_rank=tensors[0].rank, y_rank=target.rank)
            if Fact.SUMS_TO_ONE in target.facts:
                self.labels = np.argmax(targets, axis=-1).astype(np.int64)
            elif target.integer and (targets >= 0).all() and (targets == np.trunc(targets)).all():
                self.labels = targets.astype(np.int64)  # numbers of classes, none of which is left out
            elif target.integer and (targets >= 0).all():  # a number below 0 stands for no class
                self.labels = targets.astype(np.int64)
            return [inputs, targets]
        extent = target.indices[-1].extent
        classes = int(extent) if extent.is_Integer else shapes.get(target.name, (0,))[-1] or None
        known = classes if classes is not None else int(np.max(np.asarray(y))) + 1 if np.size(y) else 1
        inputs, self.labels = check_arrays(X, y, classes=known, X_rank=tensors[0].rank, y_rank=target.rank - 1)
        return [inputs, one_hot(self.labels, known, dtype)]


def check_alike(data: Rows, held_out: Rows) -> None:
    """Rows for validation have the shape of rows for training."""
    for name, shape in data.shapes.items():
        other = held_out.shapes[name]
        if other[1:] != shape[1:]:
            raise ShapeError(
                f"rows of {name} have the shape {other[1:]}",
                where="the validation data",
                why=f"those for training have {shape[1:]}",
                remedy="pass data of one kind",
            )


def kept(definition: Definition, hyper: Mapping[str, float]) -> dict[str, float]:
    """For each mask of the definition the probability of 1.

    Raises:
        DefinitionError: a mask whose probability is no scalar hyperparameter, or whose first axis is not that of the
            rows.
        DataError: a hyperparameter that is no probability.
    """
    found: dict[str, float] = {}
    for mask in definition.masks:
        where = f"mask {mask.name} of {definition.name}"
        if isinstance(mask.mask, str) and mask.mask not in hyper:
            raise DefinitionError(
                f"'{mask.mask}' is no hyperparameter", where=where, remedy=f"declare {mask.mask}=sd.Hyper()"
            )
        if not mask.rank or mask.indices[0] != definition.data[0].indices[0]:
            raise DefinitionError(
                f"{mask.element()} is not drawn for every row", where=where, remedy="give it the axis of the rows first"
            )
        share = hyper[mask.mask] if isinstance(mask.mask, str) else mask.mask
        if share is None or not 0 < share <= 1:
            raise DataError(
                f"{mask.mask} = {share}", where=where, why="it is the probability of 1, above 0 and at most 1"
            )
        found[mask.name] = share
    return found


def expected(
    code: Compiled, shares: Mapping[str, float], arrays: Mapping[str, Any], names: Collection[str] | None = None
) -> dict[str, Array]:
    """The masks in prediction: each is the probability of 1 everywhere; their shapes follow from the other arrays."""
    wanted = shares if names is None else {n: s for n, s in shares.items() if n in names}
    shapes = {n: np.shape(a) for n, a in arrays.items()}
    return {n: np.full(code.shape_of(n, shapes), share, code.dtype) for n, share in wanted.items()}
