"""How `symdl train` trains: its options for optimiser, schedule, regularisers and metrics, and what they make."""

from __future__ import annotations

import argparse
import math
from typing import Any

import symdl as sd

OPTIMISERS = (
    *("sgd", "momentum", "nesterov", "adagrad", "adadelta", "rmsprop"),
    *("adam", "adamw", "amsgrad", "nadam", "radam", "lion", "lbfgs"),
)
SCHEDULES = ("constant", "step", "exponential", "cosine", "linear", "one_cycle", "plateau")
INITIALISERS = ("glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "orthogonal", "normal", "uniform")
#: Of SGD, where nothing is said; the other optimisers have rates of their own.
SGD_RATE = 0.5


def add_to(command: argparse.ArgumentParser) -> None:
    """Add the options to the parser of the command."""
    command.add_argument("--optimizer", choices=OPTIMISERS, default="sgd", help="default: sgd; lbfgs takes no batches")
    command.add_argument("--lr", type=float, metavar="RATE", help="learning rate (default: 0.5 for sgd, else its own)")
    command.add_argument("--schedule", choices=SCHEDULES, default="constant", help="of the learning rate, over the run")
    command.add_argument("--warmup", type=int, metavar="STEPS", help="steps in which the rate rises from 0")
    command.add_argument("--weight-decay", type=float, metavar="LAMBDA", help="added to slopes (adamw: beside them)")
    command.add_argument("--clip-norm", type=float, metavar="LIMIT", help="of the norm of all slopes")
    command.add_argument("--clip-value", type=float, metavar="LIMIT", help="of every slope")
    command.add_argument("--l1", type=float, metavar="LAMBDA", help="weight of the sum of all |w| in the loss")
    command.add_argument("--l2", type=float, metavar="LAMBDA", help="weight of half the sum of all squares in the loss")
    command.add_argument("--dropout", type=float, metavar="RATE", help="share of units left out after hidden layers")
    command.add_argument("--init", choices=INITIALISERS, help="how weights are drawn (default: glorot_uniform)")
    command.add_argument("--patience", type=int, metavar="EPOCHS", help="stop when the validation loss falls no more")
    command.add_argument("--metrics", default="", metavar="NAME,…", help="measured on all parts: f1, top_3, r2, …")


def options(arguments: argparse.Namespace, rows: int) -> dict[str, Any]:
    """What `sd.train` is given.

    Args:
        arguments: of the command.
        rows: to train on; with the batches they say how many steps there are.

    Raises:
        DefinitionError, DataError: options out of range, or that exclude each other.
    """
    chosen: dict[str, Any] = {
        "optimizer": optimizer(arguments, rows),
        "init": arguments.init,
        "penalty": penalty(arguments),
        "metrics": metrics(arguments),
    }
    if arguments.patience is not None:
        chosen["stopping"] = sd.early_stopping(arguments.patience)
    if arguments.optimizer != "lbfgs":
        chosen["batch_size"] = 32 if arguments.batch is None else arguments.batch
    elif arguments.batch is not None:
        raise sd.DefinitionError("L-BFGS takes no batches", where="--batch", remedy="leave it out")
    return chosen


def metrics(arguments: argparse.Namespace) -> list[str]:
    """The names after `--metrics`."""
    return [name.strip() for name in arguments.metrics.split(",") if name.strip()]


def penalty(arguments: argparse.Namespace) -> Any:
    """What `--l1` and `--l2` add to the loss."""
    if arguments.l1 is not None and arguments.l2 is not None:
        total = arguments.l1 + arguments.l2
        share = arguments.l1 / total if total else 0.0
        return sd.regularisers.elastic_net(total, share=share)
    if arguments.l1 is not None:
        return sd.regularisers.l1(arguments.l1)
    return None if arguments.l2 is None else sd.regularisers.l2(arguments.l2)


def optimizer(arguments: argparse.Namespace, rows: int) -> Any:
    """The optimiser with its schedule, decay and clipping."""
    name = arguments.optimizer
    if name == "lbfgs":
        given = ("lr", "warmup", "weight_decay", "clip_norm", "clip_value")
        unused = [n for n in given if getattr(arguments, n) is not None]
        unused += ["schedule"] if arguments.schedule != "constant" else []
        if unused:
            option = f"--{unused[0].replace('_', '-')}"
            raise sd.DefinitionError(
                f"L-BFGS has no {option}", why="its line search finds the length of a step", remedy="leave it out"
            )
        return sd.lbfgs()
    make = sd.optimisers.OPTIMISERS[name]
    settings: dict[str, Any] = {}
    if (rate := _rate(arguments, rows)) is not None:
        settings["lr"] = rate
    if arguments.weight_decay is not None:
        settings["weight_decay"] = arguments.weight_decay
    made = make(**settings)
    if arguments.clip_value is not None:
        made = sd.clip_value(made, arguments.clip_value)
    return made if arguments.clip_norm is None else sd.clip_norm(made, arguments.clip_norm)


def _rate(arguments: argparse.Namespace, rows: int) -> Any:
    """The learning rate, as a number or a schedule; None: what the optimiser has."""
    base = SGD_RATE if arguments.lr is None and arguments.optimizer == "sgd" else arguments.lr
    if arguments.schedule == "constant" and arguments.warmup is None:
        return base
    if base is None:
        base = sd.optimisers.OPTIMISERS[arguments.optimizer]().hyper["lr"]
    if not (math.isfinite(base) and base > 0):
        raise sd.DefinitionError(f"lr = {base}", where="--lr", why="it has to be a finite number above 0")
    batch = 32 if arguments.batch is None else max(arguments.batch, 1)
    steps = max(arguments.epochs, 1) * -(-rows // min(batch, rows))
    rate = _schedule(arguments.schedule, base, max(steps - (arguments.warmup or 0), 3))
    return rate if arguments.warmup is None else sd.schedules.warmup(rate, steps=arguments.warmup)


def _schedule(name: str, base: float, steps: int) -> Any:
    """A schedule for a run of so many steps."""
    made = {
        "constant": lambda: sd.schedules.constant(base),
        "step": lambda: sd.schedules.step(base, size=max(steps // 3, 1)),
        "exponential": lambda: sd.schedules.exponential(base, factor=0.01 ** (1 / steps)),
        "cosine": lambda: sd.schedules.cosine(base, steps=steps),
        "linear": lambda: sd.schedules.linear(base, end=0.0, steps=steps),
        "one_cycle": lambda: sd.schedules.one_cycle(base, steps=max(steps, 8)),
        "plateau": lambda: sd.schedules.plateau(base, patience=5),
    }
    return made[name]()
