"""Arrays as a definition takes them: X and y by the names of its inputs, labels as one-hot rows, masks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from symdl.compilation.compiled import Compiled
from symdl.compilation.runtime import prepared
from symdl.core.definitions import Definition
from symdl.core.tensors import Fact, Tensor
from symdl.errors import DataError, DefinitionError, ShapeError, UnsupportedError
from symdl.training.arrays import check_array, check_arrays, one_hot

Array = npt.NDArray[Any]


#: X: the first data input of a definition, or a table of its data inputs by name.
Inputs: TypeAlias = "npt.ArrayLike | Mapping[str, npt.ArrayLike]"


class Rows:
    """X and y as the compiled code takes them, by the names of the definition.

    Args:
        definition: its data inputs are X, and y where it has a second one; more of them come as a table by name, from
            which one may be left out for y. What does not begin with the axis of the rows is the same for all of them.
        X, y: see `sd.train`.
        dtype: of the code.
        shapes: of parameters, by name.
    """

    def __init__(
        self,
        definition: Definition,
        X: Inputs,
        y: npt.ArrayLike | None,
        dtype: str,
        shapes: Mapping[str, tuple[int, ...]],
    ) -> None:
        self.labels: npt.NDArray[np.int64] | None = None
        by_name, others = _table(definition, X, y)
        first, *rest = [t for t in definition.data if t.rank]
        target = next((t for t in rest if t.name not in by_name), None)
        arrays = {first.name: check_array(by_name[first.name], _shown(first, X), rank=first.rank)}
        if target is not None and y is not None:
            both = self._with_target([first, target], by_name[first.name], y, dtype, shapes)
            arrays |= dict(zip((first.name, target.name), both, strict=True))
        arrays |= {t.name: check_array(by_name[t.name], t.name, rank=t.rank) for t in others}
        self.arrays = {t.name: prepared(t, arrays[t.name], dtype) for t in definition.data}
        self.target: Array | None = self.arrays[target.name] if target is not None else None
        self.shapes = {n: a.shape for n, a in self.arrays.items()}
        self.rows = len(self.arrays[first.name])
        for tensor in others:
            count = len(self.arrays[tensor.name]) if tensor.rank else self.rows
            if tensor.rank and tensor.indices[0] == first.indices[0] and count != self.rows:
                raise ShapeError(
                    f"{tensor.name} has {count} rows",
                    where=f"training {definition.name}",
                    why=f"{first.name} has {self.rows}",
                    remedy="pass as many of each",
                )

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


def _shown(first: Tensor, X: Inputs) -> str:
    return first.name if isinstance(X, Mapping) else "X"


def _table(definition: Definition, X: Inputs, y: npt.ArrayLike | None) -> tuple[dict[str, npt.ArrayLike], list[Tensor]]:
    """What is given by name, and the tensors beside the first one that it is for.

    Raises:
        UnsupportedError: data that can't be rows.
        DataError: something is missing, or belongs to nothing.
    """
    where, tensors = f"training {definition.name}", list(definition.data)
    names = [t.name for t in tensors]
    if not tensors or not tensors[0].rank:
        raise UnsupportedError(
            f"{definition.name} has {len(tensors)} data inputs, the first of which has no axis"
            if tensors
            else f"{definition.name} has no data inputs",
            where="train",
            why="it trains on rows of data",
        )
    if not isinstance(X, Mapping):
        if len(tensors) > 2 or not all(t.rank for t in tensors):
            raise UnsupportedError(
                f"{definition.name} has {len(tensors)} data inputs",
                where="train",
                why="X and y are two of them",
                remedy=f"pass a table by name as X: {{{', '.join(f'{n!r}: …' for n in names)}}}",
            )
        if (y is None) == (len(tensors) == 2):
            raise DataError(
                "y is missing" if y is None else "there is no target for y",
                where=where,
                why=f"its data are {', '.join(names)}",
            )
        return {names[0]: X}, []
    unknown = [n for n in X if n not in names]
    left = [n for n in names if n not in X]
    if unknown or len(left) > (y is not None) or names[0] in left or (y is not None and not left):
        what = f"'{unknown[0]}' is none of them" if unknown else f"'{left[0]}' is missing" if left else "y is left over"
        raise DataError(what, where=where, why=f"its data are {', '.join(names)}", remedy="name each one")
    return dict(X), [t for t in tensors[1:] if t.name in X]


def check_alike(data: Rows, held_out: Rows) -> None:
    """Rows for validation have the shape of rows for training."""
    for name, shape in data.shapes.items():
        other = held_out.shapes[name]
        if len(other) != len(shape) or other[1:] != shape[1:]:
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
