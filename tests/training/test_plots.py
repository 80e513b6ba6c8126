"""Plots: the right things are drawn, in three formats, the same file from the same data, nothing half-written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import warnings
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import matplotlib.colors
import matplotlib.figure
import numpy as np
import pytest

from symdl.errors import DataError, MissingDependencyError, OutputError
from symdl.training.history import History
from symdl.training.plots import plot_confusion, plot_history

HISTORY = History(
    step_loss=np.ones(8),
    training_loss=np.array([2.0, 1.0, 0.5, 0.25]),
    validation_loss=np.array([2.0, 1.5, 1.25, 1.0]),
    training_accuracy=np.array([0.5, 0.75, 0.9, 1.0]),
    validation_accuracy=np.array([0.5, 0.7, 0.8, 0.875]),
)
MATRIX = np.array([[9, 1, 0], [0, 4, 0], [2, 0, 5]])
BEGINNINGS = {"svg": b"<?xml", "png": b"\x89PNG\r\n", "pdf": b"%PDF-"}


@pytest.fixture(autouse=True)
def no_warnings() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The figures that are saved, to look into."""
    saved: list[Any] = []
    original = matplotlib.figure.Figure.savefig

    def savefig(figure: Any, *args: Any, **options: Any) -> None:
        saved.append(figure)
        original(figure, *args, **options)

    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", savefig)
    return saved


def texts(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.texts]


@pytest.mark.parametrize("suffix", BEGINNINGS)
def test_both_plots_in_every_format_and_twice_the_same(tmp_path: Path, suffix: str) -> None:
    for name in ("a", "b"):
        assert plot_history(HISTORY, tmp_path / f"h{name}.{suffix}") == tmp_path / f"h{name}.{suffix}"
        plot_confusion(MATRIX, ["x", "y", "z"], str(tmp_path / f"c{name}.{suffix.upper()}"))
    for first, second in ((f"ha.{suffix}", f"hb.{suffix}"), (f"ca.{suffix.upper()}", f"cb.{suffix.upper()}")):
        data = (tmp_path / first).read_bytes()
        assert data.startswith(BEGINNINGS[suffix])
        assert data == (tmp_path / second).read_bytes()
        if suffix == "svg":
            ET.fromstring(data)
    assert len(os.listdir(tmp_path)) == 4


def test_the_curves_are_the_data(tmp_path: Path, figures: list[Any]) -> None:
    plot_history(HISTORY, tmp_path / "h.svg")
    loss, accuracy = figures[0].axes
    for axes, series in (
        (loss, (HISTORY.training_loss, HISTORY.validation_loss)),
        (accuracy, (HISTORY.training_accuracy, HISTORY.validation_accuracy)),
    ):
        assert [line.get_xdata().tolist() for line in axes.lines] == [[1, 2, 3, 4]] * 2
        assert [line.get_ydata().tolist() for line in axes.lines] == [values.tolist() for values in series]  # type: ignore[union-attr]
        styles = {(line.get_color(), str(line.get_linestyle())) for line in axes.lines}
        assert len(styles) == 2
        assert axes.get_xlabel() == "epoch"
    assert sorted(texts(loss)) == ["training 0.25", "validation 1"]
    assert sorted(texts(accuracy)) == ["training 100.0 %", "validation 87.5 %"]


def test_the_loss_alone(tmp_path: Path, figures: list[Any]) -> None:
    plot_history(History(step_loss=np.ones(1), training_loss=np.array([0.5])), tmp_path / "h.svg")
    (axes,) = figures[0].axes
    assert texts(axes) == ["training 0.5"]
    assert axes.lines[0].get_marker() == "o", "a single epoch has to be seen"
    assert axes.get_yscale() == "linear"


def test_every_metric_has_a_panel(tmp_path: Path, figures: list[Any]) -> None:
    f1, top = np.array([0.25, 0.5]), np.array([0.5, 0.75])
    metrics = {"training_f1": f1, "validation_f1": f1 / 2, "validation_top_3": top, "training_mae": f1}
    run = History(step_loss=np.ones(2), training_loss=np.array([1.0, 0.5]), metrics=metrics)
    plot_history(run, tmp_path / "h.svg")
    shown = [axes for axes in figures[0].axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in shown] == ["Loss", "f1", "top 3", "mae"]
    assert [line.get_ydata().tolist() for line in shown[1].lines] == [f1.tolist(), (f1 / 2).tolist()]
    assert [line.get_ydata().tolist() for line in shown[2].lines] == [top.tolist()]
    assert texts(shown[2]) == ["validation 0.75"]


@pytest.mark.parametrize("gap", [0.0, 1e-4, 0.02, 0.5])
def test_labels_at_the_ends_never_overlap(tmp_path: Path, figures: list[Any], gap: float) -> None:
    run = History(step_loss=np.ones(2), training_loss=np.array([1.0, 0.5]), validation_loss=np.array([1.0, 0.5 + gap]))
    plot_history(run, tmp_path / "h.png")
    (axes,) = figures[0].axes
    first, second = (text.get_window_extent() for text in axes.texts)
    assert not first.overlaps(second)


def test_a_wide_range_is_logarithmic_and_says_so(tmp_path: Path, figures: list[Any]) -> None:
    for least, scale in ((0.1, "linear"), (0.001, "log"), (0.0, "linear"), (-5.0, "linear")):
        plot_history(History(step_loss=np.ones(2), training_loss=np.array([1.0, least])), tmp_path / "h.svg")
        axes = figures[-1].axes[0]
        assert axes.get_yscale() == scale
        assert ("logarithmic" in axes.get_title("left")) == (scale == "log")


def test_a_run_that_diverged(tmp_path: Path, figures: list[Any]) -> None:
    plot_history(History(step_loss=np.ones(2), training_loss=np.array([1.0, 2.0, np.inf, np.nan])), tmp_path / "h.svg")
    assert texts(figures[0].axes[0]) == ["training 2"]
    plot_history(History(step_loss=np.ones(2), training_loss=np.array([np.nan])), tmp_path / "h.svg")
    assert texts(figures[1].axes[0]) == ["no finite value"]
    with pytest.raises(DataError, match="no epoch was completed"):
        plot_history(History(step_loss=np.ones(2), training_loss=np.array([])), tmp_path / "none.svg")
    assert not (tmp_path / "none.svg").exists()


def test_the_confusion_matrix_shows_its_counts(tmp_path: Path, figures: list[Any]) -> None:
    plot_confusion(MATRIX, ["cat", r"$\dog$", "bird_"], tmp_path / "c.svg")
    (axes,) = figures[0].axes
    cells = {
        (round(text.get_position()[1]), round(text.get_position()[0])): int(text.get_text()) for text in axes.texts
    }
    assert cells == {(0, 0): 9, (0, 1): 1, (1, 1): 4, (2, 0): 2, (2, 2): 5}
    assert [label.get_text() for label in axes.get_xticklabels()] == ["cat", r"$\dog$", "bird_"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "true")
    assert axes.get_title("left") == "18 of 21 right: 85.7 %"  # 9 + 4 + 5 of 10 + 4 + 7


def test_a_mistake_among_thousands_is_not_rounded_away(tmp_path: Path, figures: list[Any]) -> None:
    plot_confusion([[9999, 1], [0, 10_000]], ["a", "b"], tmp_path / "c.svg")
    assert figures[0].axes[0].get_title("left") == "19999 of 20000 right: > 99.9 %"


def luminance(colour: Any) -> float:
    """Relative luminance as WCAG 2 defines it."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3])
    return float(0.2126 * red + 0.7152 * green + 0.0722 * blue)


def test_every_number_can_be_read_on_its_cell(tmp_path: Path, figures: list[Any]) -> None:
    counts = np.array([[k, 100 - k] for k in range(1, 100)])
    for pair in counts[::7]:
        plot_confusion([pair, pair[::-1]], ["a", "b"], tmp_path / "c.png")
        axes = figures[-1].axes[0]
        image = axes.images[0].get_array()
        for text in axes.texts:
            column, row = (round(x) for x in text.get_position())
            ink = luminance(matplotlib.colors.to_rgb(text.get_color()))
            light, dark = sorted((ink, luminance(image[row, column])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, f"contrast of {text.get_text()} on cell {row, column}"


def test_a_hundred_classes(tmp_path: Path, figures: list[Any]) -> None:
    plot_confusion(np.eye(100) * 3, [f"class {k}" for k in range(100)], tmp_path / "c.png")
    (axes,) = figures[0].axes
    assert len(axes.texts) == 0, "numbers that nobody could read are left out"
    assert len(axes.get_xticklabels()) == 100


@pytest.mark.parametrize(
    ("matrix", "labels", "words"),
    [
        (np.zeros((2, 3)), ["a", "b"], "not square"),
        ([1, 2], ["a", "b"], "1 axis, 2 axes expected"),
        ([[0.5, 0.5], [0, 1]], ["a", "b"], "does not hold counts"),
        ([[-1, 0], [0, 1]], ["a", "b"], "does not hold counts"),
        ([[0, 0], [0, 0]], ["a", "b"], "does not hold counts"),
        ([[1, 0], [0, 1]], ["a"], "1 labels for 2 classes"),
        ([[1, np.nan], [0, 1]], ["a", "b"], "NaN"),
    ],
)
def test_bad_matrices(tmp_path: Path, matrix: Any, labels: list[str], words: str) -> None:
    with pytest.raises(DataError, match=words):
        plot_confusion(matrix, labels, tmp_path / "c.svg")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("plot.jpg", r"extension '\.jpg' is not one of \.svg"),
        ("plot", "it has no extension"),
        ("none/plot.svg", "the folder does not exist"),
        ("file/plot.svg", "a part of the path is a file"),
    ],
)
def test_paths_that_cannot_be_written(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "file").write_text("old")
    with pytest.raises(OutputError, match=words):
        plot_history(HISTORY, tmp_path / name)
    with pytest.raises(OutputError, match=words):
        plot_confusion(MATRIX, "xyz", tmp_path / name)
    assert os.listdir(tmp_path) == ["file"]


def test_a_fault_while_drawing_leaves_the_old_plot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plot_history(HISTORY, tmp_path / "h.svg")
    before = (tmp_path / "h.svg").read_bytes()

    def half(figure: Any, buffer: Any, **_: Any) -> None:
        buffer.write(before[:100])
        raise MemoryError

    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", half)
    with pytest.raises(MemoryError):
        plot_history(HISTORY, tmp_path / "h.svg")
    assert (tmp_path / "h.svg").read_bytes() == before and os.listdir(tmp_path) == ["h.svg"]


def test_matplotlib_is_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'symdl\[plot\]'"):
        plot_history(HISTORY, tmp_path / "h.svg")


def test_neither_a_window_nor_the_users_settings(tmp_path: Path) -> None:
    """In a fresh process: importing is cheap, pyplot stays out, settings come back, and do not change the plot."""
    script = (
        "import sys, numpy as np\n"
        "from symdl.training.plots import plot_history\n"
        "from symdl.training.history import History\n"
        "import symdl.training.data, symdl.training.metrics\n"
        "assert not {'matplotlib', 'sklearn', 'numba'} & set(sys.modules)\n"
        "run = History(step_loss=np.ones(1), training_loss=np.array([2.0, 1.0]))\n"
        "plot_history(run, sys.argv[1] + '/a.svg')\n"
        "import matplotlib\n"
        "matplotlib.rcParams.update({'font.size': 30, 'svg.fonttype': 'none'})\n"
        "plot_history(run, sys.argv[1] + '/b.svg')\n"
        "assert matplotlib.rcParams['font.size'] == 30 and 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-B", "-c", script, str(tmp_path)], check=True, cwd=Path(__file__).parents[2])
    first, second = ((tmp_path / name).read_text() for name in ("a.svg", "b.svg"))
    assert first == second and not re.search(
        r"https?://(?!www\.w3\.org|matplotlib\.org|purl\.org|creativecommons)", first
    )
