"""Plots of a training run: loss and accuracy curves, and the confusion matrix; files only, no window.

Colours are Okabe and Ito's, which people with any colour vision can tell apart; the lines differ in their dashes too.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from symdl.core.files import write_bytes_atomic
from symdl.errors import DataError, OutputError
from symdl.training.arrays import check_array
from symdl.training.history import Floats, History
from symdl.training.optional import needs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import LayoutEngine

__all__ = ["plot_confusion", "plot_history"]

TRAINING, VALIDATION = "#0072B2", "#D55E00"
INK, QUIET, RULE = "#222222", "#666666", "#DDDDDD"
# without a date and with one seed for its ids, the same run gives the same file
METADATA = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}, ".png": {"Software": None}}
STYLE = {"svg.hashsalt": "symdl", "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"], "font.size": 11}
Pair = tuple[Floats | None, Floats | None]
KINDS: tuple[tuple[str, str, Any], ...] = (("training", TRAINING, "-"), ("validation", VALIDATION, (0, (5, 1.5))))
ACROSS = 3  # panels side by side
LABEL_GAP = 17.0  # points from one label to the next beneath it


def plot_history(history: History, path: str | os.PathLike[str]) -> Path:
    """Draw the loss of each epoch, training and validation, and what else is recorded: accuracy and metrics, each in a
    panel of its own.

    Args:
        history: of a run with at least one completed epoch. A loss that is not finite leaves a gap.
        path: the file, .svg, .png or .pdf; written whole or not at all.

    Returns:
        `path` as a `Path`.

    Raises:
        DataError: no epoch was completed.
        OutputError: another extension, or the file cannot be written.
        MissingDependencyError: matplotlib is absent.

    >>> import tempfile
    >>> history = History(step_loss=np.ones(6), training_loss=np.array([0.9, 0.4, 0.3]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plot_history(history, f"{folder}/curves.svg").name
    'curves.svg'
    """
    if history.epochs == 0:
        raise DataError(
            "there is nothing to plot",
            where="the training history",
            why=f"no epoch was completed ({history.steps} steps were)",
            remedy="train for at least one epoch",
        )
    suffix = _suffix(path)
    panels: list[tuple[str, Pair]] = [("Loss", (history.training_loss, history.validation_loss))]
    accuracies = (history.training_accuracy, history.validation_accuracy)
    if any(values is not None for values in accuracies):
        panels.append(("Accuracy", accuracies))
    panels += _metrics(history)

    with needs("matplotlib", extra="plot", purpose="plots"):
        from matplotlib import style
        from matplotlib.figure import Figure
    with style.context(["default", STYLE]):
        across = min(len(panels), ACROSS)
        down = math.ceil(len(panels) / across)
        figure = Figure(figsize=(6.0 * across, 4.2 * down), layout=_layout())
        grid = figure.subplots(down, across, squeeze=False).ravel()
        for spare in grid[len(panels) :]:
            spare.set_visible(False)
        grid = grid[: len(panels)]
        for axes, (title, pair) in zip(grid, panels, strict=True):
            _curves(axes, title, pair)
        figure.draw_without_rendering()  # lays out the panels, on which depends whether the labels would overlap
        for axes, (title, pair) in zip(grid, panels, strict=True):
            _label_ends(axes, title, pair)
        return _save(figure, path, suffix)


def _metrics(history: History) -> list[tuple[str, Pair]]:
    """A panel for each metric, on both parts of the data where both are recorded."""
    names = dict.fromkeys(name.split("_", 1)[1] for name in history.metrics)
    return [
        (name.replace("_", " "), tuple(history.metrics.get(f"{kind}_{name}") for kind, *_ in KINDS))  # type: ignore[misc]
        for name in names
    ]


def plot_confusion(matrix: npt.ArrayLike, labels: Sequence[object], path: str | os.PathLike[str]) -> Path:
    """Draw a confusion matrix: rows are the true classes, columns the predicted ones, hits blue and mistakes orange.

    The number in a cell is the count; its shade is the square root of its share of the row, so that classes of
    different size compare and a few mistakes among many samples can still be seen.

    Args:
        matrix: shape (K, K), counts, as `confusion_matrix` gives them.
        labels: the names of the K classes.
        path: the file, .svg, .png or .pdf; written whole or not at all.

    Returns:
        `path` as a `Path`.

    Raises:
        DataError: a matrix that is not square, not of counts or all zero, or another number of labels.
        OutputError: another extension, or the file cannot be written.
        MissingDependencyError: matplotlib is absent.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plot_confusion([[9, 1], [0, 5]], ["cat", "dog"], f"{folder}/confusion.svg").name
    'confusion.svg'
    """
    counts = _check_matrix(matrix, labels)
    suffix = _suffix(path)
    with needs("matplotlib", extra="plot", purpose="plots"):
        from matplotlib import style
        from matplotlib.figure import Figure
    with style.context(["default", STYLE]):
        size = min(max(2.6 + 0.46 * len(counts), 4.0), 16.0)
        figure = Figure(figsize=(size, size), layout=_layout())
        _cells(figure.subplots(), counts, [str(label) for label in labels], inches=size - 1.6)
        return _save(figure, path, suffix)


def _curves(axes: Axes, title: str, pair: Pair) -> None:
    """One panel: a line for each of the pair that is there."""
    from matplotlib.ticker import MaxNLocator, NullLocator, PercentFormatter, StrMethodFormatter

    drawn = []
    for (_, colour, dashes), values in zip(KINDS, pair, strict=True):
        if values is not None:
            finite = np.where(np.isfinite(values), values, np.nan)
            marker = "o" if len(values) <= 12 else ""  # a single epoch is a point, which a line does not show
            epochs = np.arange(1, len(values) + 1)
            axes.plot(epochs, finite, color=colour, linestyle=dashes, linewidth=2, marker=marker, markersize=4)
            drawn.append(finite)
    axes.set_xlim(0.5, len(drawn[0]) + 0.5)

    if title == "Accuracy":
        axes.yaxis.set_major_formatter(PercentFormatter(xmax=1, symbol=" %"))
    values = np.concatenate(drawn)
    values = values[np.isfinite(values)]
    logarithmic = title == "Loss" and len(values) > 0 and values.min() > 0 and values.max() > 50 * values.min()
    if logarithmic:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.yaxis.set_minor_locator(NullLocator())
    if len(values) == 0:
        axes.text(0.5, 0.5, "no finite value", transform=axes.transAxes, color=QUIET, horizontalalignment="center")
        axes.set_yticks([])
    axes.set_title(f"{title}{', logarithmic' if logarithmic else ''}", loc="left", color=INK, fontweight="bold")
    axes.set_xlabel("epoch", color=INK)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, nbins=8))
    axes.grid(axis="y", color=RULE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=QUIET, length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(RULE)


def _label_ends(axes: Axes, title: str, pair: Pair) -> None:
    """Write each line's name and last value to the right of its end, moved apart where they would overlap."""
    ends = []
    for (name, colour, _), values in zip(KINDS, pair, strict=True):
        if values is not None and np.isfinite(values).any():
            last = int(np.flatnonzero(np.isfinite(values))[-1])
            height = float(axes.transData.transform((last + 1, values[last]))[1]) * 72 / axes.figure.dpi
            value = float(values[last])
            text = f"{name} {_percent(value) if title == 'Accuracy' else f'{value:.3g}'}"
            ends.append((height, text, colour, (last + 1, value)))
    ends.sort()
    shifts = [0.0] * len(ends)
    if len(ends) == 2 and (overlap := LABEL_GAP - (ends[1][0] - ends[0][0])) > 0:
        shifts = [-overlap / 2, overlap / 2]
    for (_, text, colour, end), shift in zip(ends, shifts, strict=True):
        axes.annotate(
            text,
            end,
            xytext=(7, shift),
            textcoords="offset points",
            color=colour,
            verticalalignment="center",
            annotation_clip=False,
        )


def _cells(axes: Axes, counts: npt.NDArray[np.int64], labels: list[str], *, inches: float) -> None:
    from matplotlib import colormaps

    number = len(counts)
    shade = np.sqrt(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))
    hits = np.eye(number, dtype=bool)[..., None]
    colours = np.where(hits, colormaps["Blues"](0.9 * shade), colormaps["Oranges"](0.9 * shade))
    colours[counts == 0] = (1, 1, 1, 1)
    axes.imshow(colours, interpolation="nearest")

    cell = 72 * inches / number  # points
    if cell >= 12:
        for i, j in zip(*np.nonzero(counts), strict=True):
            text = str(counts[i, j])
            size = min(11.0, 1.3 * cell / max(len(text), 2))
            axes.text(j, i, text, ha="center", va="center", fontsize=size, color=_ink(colours[i, j]))
    size = min(11.0, max(0.8 * cell, 4.0))
    ticks: Any = range(number)
    upright = max(map(len, labels)) * size * 0.65 <= cell
    axes.set_xticks(ticks, labels, fontsize=size, rotation=0 if upright else 90, parse_math=False)
    axes.set_yticks(ticks, labels, fontsize=size, parse_math=False)
    axes.set_xticks(np.arange(number + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(number + 1) - 0.5, minor=True)
    axes.grid(which="minor", color=RULE, linewidth=0.6)
    axes.tick_params(which="both", length=0, colors=INK)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("predicted", color=INK)
    axes.set_ylabel("true", color=INK)
    right, total = int(np.trace(counts)), int(counts.sum())
    axes.set_title(f"{right} of {total} right: {_percent(right / total)}", loc="left", color=INK, fontweight="bold")


def _ink(colour: npt.NDArray[np.float64]) -> str:
    """Black or white, whichever has the higher contrast (WCAG 2: at least 4.5 : 1) on an RGBA colour."""
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    luminance = float(linear[:3] @ (0.2126, 0.7152, 0.0722))
    return "white" if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 else "black"


def _percent(share: float) -> str:
    """0.978 → 97.8 %; 0.9999 → > 99.9 %, for 100 % would deny the mistakes."""
    return "> 99.9 %" if 0.9995 <= share < 1 else f"{100 * share:.1f} %"


def _check_matrix(matrix: npt.ArrayLike, labels: Sequence[object]) -> npt.NDArray[np.int64]:
    counts = check_array(matrix, "the confusion matrix", rank=2)
    if counts.shape[0] != counts.shape[1]:
        raise DataError(
            "the confusion matrix is not square",
            why=f"its shape is {counts.shape}, and it has a row and a column for each class",
            remedy="pass what confusion_matrix returned",
        )
    if (counts < 0).any() or (counts != np.trunc(counts)).any() or not counts.any():
        raise DataError(
            "the confusion matrix does not hold counts",
            why="they have to be whole numbers from 0, and not all of them 0",
            remedy="pass what confusion_matrix returned, not divided by the row sums",
        )
    if len(labels) != len(counts):
        raise DataError(
            f"{len(labels)} labels for {len(counts)} classes",
            where="the plot of a confusion matrix",
            why="each row needs its name",
            remedy="pass one label for each class",
        )
    return counts.astype(np.int64)


def _layout() -> LayoutEngine:
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    return ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12)  # inches


def _suffix(path: str | os.PathLike[str]) -> str:
    suffix = Path(path).suffix.lower()
    if suffix not in METADATA:
        raise OutputError(
            f"cannot write {os.fspath(path)!r}",
            why=f"the extension {suffix!r} is not one of {', '.join(METADATA)}" if suffix else "it has no extension",
            remedy="end the name with one of .svg, .png and .pdf",
        )
    return suffix


def _save(figure: Figure, path: str | os.PathLike[str], suffix: str) -> Path:
    buffer = io.BytesIO()
    # tight: a title wider than a small matrix would be cut off
    figure.savefig(
        buffer, format=suffix[1:], dpi=160, metadata=METADATA[suffix], bbox_inches="tight", facecolor="white"
    )
    return write_bytes_atomic(path, buffer.getvalue())
