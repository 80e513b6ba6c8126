"""Metrics of boxes, which scikit-learn does not have: intersection over union, and average precision.

A box is its two corners, x₁, y₁, x₂, y₂, with x₁ < x₂ and y₁ < y₂.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from symdl.errors import DataError
from symdl.training.arrays import Array, check_labels

__all__ = ["box_iou", "mean_average_precision"]

Floats = npt.NDArray[np.float64]
#: Boxes with labels, and boxes with labels and scores, of one picture.
Truth = tuple[npt.ArrayLike, npt.ArrayLike]
Found = tuple[npt.ArrayLike, npt.ArrayLike, npt.ArrayLike]


def box_iou(a: npt.ArrayLike, b: npt.ArrayLike) -> Floats:
    """The area that two boxes share over the area that they cover, each of a with each of b.

    Args:
        a: boxes, shape (M, 4).
        b: boxes, shape (N, 4).

    Returns:
        Shape (M, N), from 0 to 1.

    Raises:
        DataError: not of that shape, not finite, or corners in the wrong order (with the row).

    >>> box_iou([[0, 0, 2, 2]], [[1, 0, 3, 2], [5, 5, 6, 6]])
    array([[0.33333333, 0.        ]])
    """
    first, second = _boxes(a, "a"), _boxes(b, "b")
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (first, second)]
    return np.asarray(shared / (areas[0][:, None] + areas[1][None, :] - shared))


def mean_average_precision(
    truth: Sequence[Truth], found: Sequence[Found], *, threshold: float | Sequence[float] = 0.5
) -> float:
    """The mean over classes (and thresholds) of the area under the curve of precision over recall.

    Detections of a class are taken by falling score over all pictures. One is right if its intersection over union with
    a box of its class and picture that none before has claimed is at least the threshold; it claims the one where that
    is largest. The precision at a recall is the highest at that recall or beyond, and the area is exact (PASCAL VOC
    since 2010). Classes without a true box are left out.

    Args:
        truth: for each picture boxes, shape (M, 4), and their labels, shape (M,); M may be 0.
        found: for each picture boxes, shape (D, 4), their labels and their scores, shape (D,); D may be 0.
        threshold: of the intersection over union, above 0 and at most 1; of several, the mean is taken (COCO has 0.5,
            0.55, …, 0.95).

    Raises:
        DataError: numbers of pictures or rows that differ, bad boxes, labels or thresholds, or no true box at all.

    >>> truth = [([[0, 0, 2, 2], [4, 4, 6, 6]], [0, 0])]
    >>> found = [([[0, 0, 2, 2], [8, 8, 9, 9], [4, 4, 6, 6]], [0, 0, 0], [0.9, 0.8, 0.7])]
    >>> round(mean_average_precision(truth, found), 6)  # recall 1/2 at precision 1, recall 1 at precision 2/3
    0.833333
    """
    if len(truth) != len(found):
        raise DataError(
            "truth and found differ in their number of pictures",
            why=f"truth has {len(truth)}, found has {len(found)}",
            remedy="pass empty boxes for a picture without any",
        )
    thresholds = [float(t) for t in np.atleast_1d(np.asarray(threshold, dtype=float))]
    if not thresholds or not all(0 < t <= 1 for t in thresholds):
        raise DataError(f"threshold = {threshold!r}", why="it lies above 0 and at most at 1", remedy="try 0.5")
    real = [_picture(k, "truth", *given) for k, given in enumerate(truth)]
    seen = [_picture(k, "found", *given) for k, given in enumerate(found)]
    classes = np.unique(np.concatenate([labels for _, labels, _ in real])) if real else np.empty(0)
    if not len(classes):
        raise DataError("there is no true box", where="mean_average_precision", remedy="pass pictures with boxes")
    return float(np.mean([_average_precision(real, seen, c, t) for c in map(int, classes) for t in thresholds]))


def _average_precision(
    real: list[tuple[Floats, Array, Floats]], seen: list[tuple[Floats, Array, Floats]], label: int, threshold: float
) -> float:
    overlaps, scores, pictures, count = [], [], [], 0
    for number, ((boxes, labels, _), (found, given, certain)) in enumerate(zip(real, seen, strict=True)):
        mine, theirs = boxes[labels == label], found[given == label]
        count += len(mine)
        overlaps += list(box_iou(theirs, mine)) if len(theirs) and len(mine) else [np.empty(0)] * len(theirs)
        scores += list(certain[given == label])
        pictures += [number] * len(theirs)
    claimed: set[tuple[int, int]] = set()
    right = []
    for at in np.argsort(-np.array(scores), kind="stable"):
        free = [k for k in range(len(overlaps[at])) if (pictures[at], k) not in claimed]
        best = max(free, key=lambda k: overlaps[at][k], default=None)
        hit = best is not None and bool(overlaps[at][best] >= threshold)
        right.append(hit)
        if hit and best is not None:
            claimed.add((pictures[at], best))
    hits = np.cumsum(right)
    precision = hits / np.arange(1, len(right) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(envelope * np.diff(hits, prepend=0)) / count)


def _picture(
    number: int, name: str, boxes: npt.ArrayLike, labels: npt.ArrayLike, scores: npt.ArrayLike | None = None
) -> tuple[Floats, Array, Floats]:
    where = f"{name}[{number}]"
    checked = _boxes(boxes, f"the boxes of {where}")
    given = np.asarray(labels)
    classes = check_labels(given, None, f"the labels of {where}") if given.size else np.empty(0, np.int64)
    certain = np.asarray(scores if scores is not None else np.zeros(len(checked)), dtype=float)
    for what, rows in (("labels", len(classes)), ("scores", len(certain))):
        if rows != len(checked):
            raise DataError(f"{rows} {what} for {len(checked)} boxes", where=where, remedy="pass one for each box")
    if not np.isfinite(certain).all():
        raise DataError("a score is not a finite number", where=where)
    return checked, classes, certain


def _boxes(values: npt.ArrayLike, name: str) -> Floats:
    boxes = np.asarray(values, dtype=float)
    if boxes.size == 0:
        return np.empty((0, 4))
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise DataError(
            f"{name} has the shape {boxes.shape}, not (N, 4)", why="a box is x1, y1, x2, y2", remedy="one row a box"
        )
    wrong = ~np.isfinite(boxes).all(axis=1) | (boxes[:, 0] >= boxes[:, 2]) | (boxes[:, 1] >= boxes[:, 3])
    if wrong.any():
        row = int(wrong.argmax())
        shown = ", ".join("NaN" if math.isnan(v) else f"{v:g}" for v in boxes[row])
        raise DataError(
            f"({shown}) is no box",
            where=f"row {row} of {name} (counted from 0)",
            why="a box is x1, y1, x2, y2 with x1 < x2 and y1 < y2",
            remedy="for x, y, width, height pass x, y, x + width, y + height",
        )
    return boxes
