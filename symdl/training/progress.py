"""A progress bar over epochs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

Progress = bool | Literal["force"]


@contextmanager
def bar(progress: Progress, epochs: int, seed: int) -> Iterator[Callable[[float], None]]:
    """A bar on the error stream; what it gives is called with the loss after each epoch."""
    if progress is False or (progress != "force" and not sys.stderr.isatty()):
        yield lambda loss: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress as Bar, TextColumn, TimeRemainingColumn

    columns = (TextColumn(f"training, seed {seed}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, TextColumn("loss {task.fields[loss]}"), console=Console(stderr=True)) as shown:
        task = shown.add_task("epochs", total=epochs, loss="…")
        yield lambda loss: shown.update(task, advance=1, loss=f"{loss:.4g}")
