"""`check`: the verdict on every claim of some documents."""

from __future__ import annotations

import math
import os
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import closing, nullcontext
from dataclasses import replace

from symdl.errors import DataError
from symdl.verification import coq
from symdl.verification.documents import Document, read
from symdl.verification.judging.judge import judge
from symdl.verification.judging.process import Task
from symdl.verification.judging.report import Judged, Report
from symdl.verification.judging.workers import verdicts

__all__ = ["BUDGET", "MEMORY", "Progress", "check"]

#: Seconds of processor time, and megabytes, for one formula.
BUDGET, MEMORY = 10.0, 1024

#: Called with the formulas that are done, those there are, and the verdicts on the last one. It is called while nothing
#: is done as well, some times a second, so that a clock can run.
Progress = Callable[[int, int, tuple[Judged, ...]], object]


def check(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    budget: float = BUDGET,
    memory: int = MEMORY,
    jobs: int | None = None,
    seed: int = 0,
    prove: bool = False,
    progress: Progress | None = None,
) -> Report:
    r"""Judge every formula of documents: Markdown, LaTeX, Jupyter notebooks and plain text.

    Args:
        paths: a file or several.
        budget: seconds of processor time for each formula; one that takes longer is `undecided`.
        memory: megabytes for each formula.
        jobs: how many processes; by default one for each core.
        seed: of the random points.
        prove: have Coq check what is proved; the method of such a verdict is Coq's version.
        progress: see `Progress`.

    Raises:
        DataError: a file can't be read, is no document, or there is none; nothing has been judged then.
        MissingDependencyError: Coq is asked for and absent.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = f"{folder}/notes.md"
    ...     _ = open(path, "w").write("With $y = 14$ the loss is\n$$\n(10 - y)^2 = 15.\n$$\n")
    ...     report = check(path)
    >>> print(report)
    2 claims: 1 refuted, 1 definition
    >>> report.of("refuted")[0].line
    3
    """
    files = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    _settings(files, budget, memory, jobs)
    started = time.monotonic()
    if prove:
        coq.version()
    documents = tuple(read(file) for file in files)
    task = Task(documents, judge, seed=seed, seconds=budget, megabytes=memory, prove=prove)
    # a worker that is killed removes nothing; only what Coq reads is ever written
    with tempfile.TemporaryDirectory(prefix="symdl-") if prove else nullcontext("") as folder:
        judged = _gathered(replace(task, folder=folder), jobs, progress)
    return Report(
        tuple(document.file for document in documents),
        tuple(judged),
        time.monotonic() - started,
        tuple(line for document in documents for line in _problems(document)),
        documents,
    )


def _settings(files: list[str | os.PathLike[str]], budget: float, memory: int, jobs: int | None) -> None:
    if not files:
        raise DataError("there is no document", where="check", remedy="name at least one file")
    for name, value in (("budget", budget), ("memory", memory), ("jobs", 1 if jobs is None else jobs)):
        if not (value > 0 and math.isfinite(value)):
            raise DataError(f"{name} is {value}", where="check", remedy=f"give a {name} above 0")


def _gathered(task: Task, jobs: int | None, progress: Progress | None) -> list[Judged]:
    total, done = sum(len(document.spans) for document in task.documents), 0
    found: list[Judged] = []
    tell = progress or (lambda done, total, judged: None)
    with closing(verdicts(task, jobs=jobs, tick=lambda: tell(done, total, ()))) as steps:
        for step in steps:
            done += 1
            found.extend(step.judged)
            tell(done, total, step.judged)
    return found


def _problems(document: Document) -> list[str]:
    """What could not be read, with its place, as a compiler tells it."""
    places = ((f"cell {p.cell}:" if p.cell else "") + f"{p.line}:{p.column}" for p in document.problems)
    return [f"{document.file}:{place}: {p.text}" for place, p in zip(places, document.problems, strict=True)]
