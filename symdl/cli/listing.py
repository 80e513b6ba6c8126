"""`symdl list`: what the library holds, definitions first, then what trains and measures them."""

from __future__ import annotations

import argparse
import inspect
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import symdl as sd


@dataclass(frozen=True)
class Line:
    """One entry of the list."""

    name: str
    kind: str
    summary: str
    options: dict[str, Any]


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser("list", help="list what the library holds")
    command.add_argument("--json", action="store_true", help="as JSON")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print name, kind, summary and options of every entry."""
    entries = [*(Line(e.name, e.kind, e.summary, e.options) for e in sd.definitions()), *functions()]
    if arguments.json:
        listed = [{"name": e.name, "kind": e.kind, "summary": e.summary, "options": e.options} for e in entries]
        print(json.dumps(listed, indent=2, default=str))
        return 0
    widths = [max(len(getattr(e, key)) for e in entries) for key in ("name", "kind")]
    for entry in entries:
        print(f"{entry.name:<{widths[0]}}  {entry.kind:<{widths[1]}}  {entry.summary}{_options(entry.options)}")
    return 0


def functions() -> Iterator[Line]:
    """Optimisers, schedules, initialisers, regularisers and metrics, by the names under which they are called."""
    optimisers = [*sd.optimisers.OPTIMISERS.values(), sd.lbfgs, sd.clip_norm, sd.clip_value]
    penalties = [sd.regularisers.l1, sd.regularisers.l2, sd.regularisers.elastic_net]
    metrics = [sd.accuracy, sd.top_k, sd.precision, sd.recall, sd.f1, sd.roc_auc, sd.confusion_matrix, sd.iou]
    metrics += [sd.mse, sd.rmse, sd.mae, sd.r2, sd.box_iou, sd.mean_average_precision]
    yield from (_line("optimiser", "sd", f) for f in optimisers)
    yield from (_line("schedule", "sd.schedules", f) for f in sd.schedules.SCHEDULES.values())
    yield from (_line("initialiser", "sd.initialisers", f) for f in sd.initialisers.INITIALISERS.values())
    yield from (_line("regulariser", "sd.regularisers", f) for f in penalties)
    yield from (_line("regulariser", "sd", f) for f in (sd.dropout, sd.early_stopping))
    yield from (_line("metric", "sd", f) for f in metrics)


def _line(kind: str, where: str, function: Any) -> Line:
    """The first sentence of its docstring, and the arguments that have a default."""
    summary = " ".join((inspect.getdoc(function) or "").split("\n\n")[0].split()).rstrip(".")
    parameters = inspect.signature(function).parameters.values()
    options = {p.name: p.default for p in parameters if p.default is not p.empty}
    return Line(f"{where}.{function.__name__}", kind, summary, options)


def _options(options: dict[str, Any]) -> str:
    return f" ({', '.join(f'{name}={default!r}' for name, default in options.items())})" if options else ""
