"""`symdl train DATA`: a fully connected network on scikit-learn's digits or on a CSV file."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import symdl as sd
from symdl.cli import settings


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser("train", help="train a network on a CSV file or on scikit-learn's digits")
    command.add_argument("data", metavar="digits|FILE.csv", help="numeric columns with a header, or the word digits")
    command.add_argument("--target", metavar="COLUMN", help="the column to predict (CSV; default: the last one)")
    command.add_argument("--layers", default="32:tanh", metavar="N:ACT,…", help="hidden layers (default: 32:tanh)")
    command.add_argument("--loss", choices=["softmax_cross_entropy", "l2", "l1"], help="default: by the target")
    command.add_argument("--epochs", type=int, default=60)
    command.add_argument("--batch", type=int, metavar="ROWS", help="rows of a step (default: 32)")
    command.add_argument("--split", default="80,10,10", metavar="A,B,C", help="training, validation, test in per cent")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--dtype", choices=["float64", "float32"], default="float64")
    command.add_argument("--json", action="store_true", help="the figures as JSON on standard output")
    command.add_argument("-o", "--output", metavar="FOLDER", help="write parameters, history and plots there")
    settings.add_to(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Read, split, train, measure, write; 0 even where training diverged after usable epochs, else 2."""
    folder = sd.ensure_folder(arguments.output) if arguments.output else None
    X, y, named = read(arguments)
    loss = arguments.loss or ("softmax_cross_entropy" if is_labels(y) else "l2")
    classify = loss == "softmax_cross_entropy"
    if classify and not is_labels(y):
        raise sd.DataError(
            f"{named} can't be classes",
            why="softmax_cross_entropy needs whole numbers from 0",
            remedy="use --loss l2, or number the classes",
        )
    shares = fractions(arguments.split)
    parts = sd.split(X, y, **shares, seed=arguments.seed, stratify=classify)
    classes = int(y.max()) + 1 if classify else 1
    fit = sd.train(
        network(arguments.layers, X.shape[1], classes, loss, arguments.dropout),
        *_pair(parts, "train", classify),
        validation=_pair(parts, "validation", classify),
        epochs=arguments.epochs,
        seed=arguments.seed,
        dtype=arguments.dtype,
        **settings.options(arguments, len(parts.train)),
    )
    figures = measure(fit, parts, classes if classify else None, settings.metrics(arguments))
    show(figures, fit, arguments.json)
    if folder is not None:
        write(folder, fit, parts, classes if classify else None, figures)
    if fit.diverged_at is not None:
        print(f"symdl: the loss is not finite at step {fit.diverged_at}; the last finite parameters are kept. "
              f"Remedy: {_smaller(arguments)}.", file=sys.stderr)  # fmt: skip
        return 2
    return 0


def read(arguments: argparse.Namespace) -> tuple[Any, Any, str]:
    """The inputs, the target, and what to call the target."""
    if arguments.data == "digits":
        return (*sd.load_digits(), "digits")
    column: str | int = arguments.target if arguments.target is not None else -1
    X, y, _ = sd.read_csv(arguments.data, target=column)
    return X, y, f"column {arguments.target or 'the last'} of {arguments.data}"


def is_labels(y: Any) -> bool:
    """True where the target is whole numbers from 0: classes."""
    return bool((y == y.round()).all() and y.min() >= 0)


def fractions(text: str) -> dict[str, float]:
    """The three shares of a split; `sd.split` refuses those that do not sum to 100 %."""
    try:
        train, validation, test = (float(part) / 100 for part in text.split(","))
    except ValueError:
        raise sd.DataError(f"'{text}' is no split", where="--split", remedy="write three numbers: 80,10,10") from None
    return {"train": train, "validation": validation, "test": test}


def _smaller(arguments: argparse.Namespace) -> str:
    if arguments.lr is None and arguments.optimizer != "sgd":
        return "a smaller --lr"
    return f"a smaller --lr than {arguments.lr or settings.SGD_RATE:g}"


def network(layers: str, inputs: int, outputs: int, loss: str, dropout: float | None = None) -> Any:
    """The definition of the network that `--layers` describes, with dropout after each of them."""
    made: list[Any] = []
    for part in filter(None, layers.split(",")):
        units, _, activation = part.partition(":")
        if not units.isdigit():
            raise sd.DataError(f"'{part}' is no layer", where="--layers", remedy="write 32:tanh,16:relu")
        made.append(sd.dense(int(units), activation or "tanh"))
        if dropout is not None:
            made.append(sd.dropout(dropout))
    return sd.sequential(*made, sd.dense(outputs), loss=loss, inputs=inputs)


def _pair(parts: Any, name: str, classify: bool) -> tuple[Any, Any]:
    X, y = getattr(parts, f"X_{name}"), getattr(parts, f"y_{name}")
    return X, y.astype(int) if classify else y.reshape(-1, 1)


def measure(fit: Any, parts: Any, classes: int | None, wanted: Sequence[str] = ()) -> dict[str, Any]:
    """The last value of each curve, and metrics on the test rows, which training never saw; None: not finite."""
    figures: dict[str, Any] = {"rows": {n: len(getattr(parts, n)) for n in ("train", "validation", "test")}}
    figures.update(fit.metrics)
    if fit.diverged_at is None:
        figures.update(_on_test_rows(fit, parts, classes))
        found = fit.measure(*_pair(parts, "test", classes is not None), wanted) if wanted else {}
        figures.update({f"test_{n}": v for n, v in found.items()})
    if fit.best_epoch is not None:
        figures["best_epoch"] = fit.best_epoch
    figures.update(seconds=fit.seconds, seed=fit.seed, diverged_at=fit.diverged_at, worst_ulps=fit.report.worst)
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in figures.items()}


def _on_test_rows(fit: Any, parts: Any, classes: int | None) -> dict[str, float]:
    if classes is not None:
        return {"test_accuracy": sd.accuracy(parts.y_test.astype(int), fit.labels(parts.X_test))}
    prediction = fit.predict(parts.X_test)[:, 0]
    return {"test_mse": sd.mse(parts.y_test, prediction), "test_mae": sd.mae(parts.y_test, prediction)}


def show(figures: dict[str, Any], fit: Any, as_json: bool) -> None:
    """Print what was measured."""
    if as_json:
        print(json.dumps(figures, indent=2, allow_nan=False))
        return
    rows = figures["rows"]
    print(f"rows: {rows['train']} training, {rows['validation']} validation, {rows['test']} test; seed {fit.seed}")
    for name, value in figures.items():
        if isinstance(value, float):
            print(f"{name.replace('_', ' '):<20} {value:.4g}")


def write(folder: Path, fit: Any, parts: Any, classes: int | None, figures: dict[str, Any]) -> None:
    """Parameters, history, figures and plots into a folder, which is made if it is not there."""
    sd.ensure_folder(folder)
    fit.save(folder / "parameters.safetensors")
    sd.write_text_atomic(folder / "figures.json", json.dumps(figures, indent=2, allow_nan=False) + "\n")
    if len(fit.history.training_loss):
        sd.plot_history(fit.history, folder / "curves.svg")
    if classes is not None and fit.diverged_at is None:
        labels = [str(k) for k in range(classes)]
        matrix = sd.confusion_matrix(parts.y_test.astype(int), fit.labels(parts.X_test), classes=classes)
        sd.plot_confusion(matrix, labels, folder / "confusion.svg")
    print(f"wrote {folder}", file=sys.stderr)
