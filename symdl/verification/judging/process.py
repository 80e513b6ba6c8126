"""A worker: a process that walks through documents and judges the formulas that its parent gives it.

It says where it is (`at`, document, formula), hears what to do there (judge, read or skip it), and sends verdicts. A
budget is set before each formula and kept by the system. It leads a process group, so that what it starts ends with
it. On Linux a worker is a fork of its parent, which takes
milliseconds; elsewhere, and where the parent has several threads, it is a new interpreter.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from symdl.verification.documents import Document, read_text
from symdl.verification.judging.limits import arm, disarm, secure
from symdl.verification.judging.messages import line_of, message_of, packed
from symdl.verification.judging.report import Judged

__all__ = ["JUDGE", "READ", "SKIP", "STOP", "Judge", "Place", "Process", "Task", "forks", "start"]

#: A formula: number of the document and number of the formula in it.
Place = tuple[int, int]

#: What the parent answers to `at`.
JUDGE, READ, SKIP, STOP = "judge", "read", "skip", "stop"

_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from symdl.verification.judging.process import begin; begin(int(sys.argv[2]))"
)


class Judge(Protocol):
    """See the package's description: it walks all formulas, and judges those for which `only` says yes."""

    def __call__(
        self,
        document: Document,
        *,
        only: Callable[[int], bool],
        skip: Collection[int],
        seed: int,
        prove: bool,
        budget: float,
    ) -> Iterable[tuple[int, Judged]]: ...


@dataclass(frozen=True)
class Task:
    """What the workers of one run have in common.

    Args:
        documents: to be walked through.
        judge: a function of a module, so that a new interpreter finds it by name.
        seed: of the random points.
        seconds: processor time for each formula.
        megabytes: memory for each formula, beyond what the process has before it.
        prove: have Coq check what is proved; it has seconds of its own, since it runs in processes of its own.
        folder: for temporary files, by default where the system has them; who starts the workers removes it.
    """

    documents: tuple[Document, ...]
    judge: Judge
    seed: int = 0
    seconds: float = 10.0
    megabytes: int = 1024
    prove: bool = False
    folder: str = ""

    @property
    def opening(self) -> float:
        """Seconds of processor time for what comes before the first formula: loading, and reading the prose."""
        return 3 * self.seconds + 20


@dataclass(frozen=True)
class Process:
    """A running worker, as its parent sees it."""

    number: int
    channel: socket.socket
    wait: Callable[[], int]

    def end(self) -> int:
        """Kill it and whatever it has started (Coq), and return how it ended: an exit code, or minus the signal."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.number, signal.SIGKILL)
        self.channel.close()
        return self.wait()


def start(task: Task, first: int, skip: Collection[Place], others: Iterable[socket.socket] = ()) -> Process:
    """A worker that begins with document `first`; `others` are the parent's channels to its other workers."""
    ours, theirs = socket.socketpair()
    try:
        if forks():
            return _forked(task, first, skip, ours, theirs, others)
        return _spawned(task, first, skip, ours, theirs)
    finally:
        theirs.close()


def forks() -> bool:
    """Whether a worker may be a fork: a lock that another thread holds would stay locked in it for ever."""
    return sys.platform == "linux" and threading.active_count() == 1


def _forked(
    task: Task,
    first: int,
    skip: Collection[Place],
    ours: socket.socket,
    theirs: socket.socket,
    others: Iterable[socket.socket],
) -> Process:
    with warnings.catch_warnings():
        # the pool of a linear algebra library counts as threads; it is made to be forked
        warnings.simplefilter("ignore", DeprecationWarning)
        number = os.fork()
    if number:
        _lead(number)
        return Process(number, ours, lambda: os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]))
    try:
        _lead(0)
        # a sibling that holds this end would hide the parent's death
        for channel in (ours, *others):
            channel.close()
        _serve(task, first, skip, theirs)
    finally:
        os._exit(0)


def _lead(process: int) -> None:
    """Make a worker the first of a group of its own; both it and its parent do, so that it is done for both."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.setpgid(process, process)


def _spawned(task: Task, first: int, skip: Collection[Place], ours: socket.socket, theirs: socket.socket) -> Process:
    inside = theirs.fileno()
    command = [sys.executable, "-P", "-c", _BOOT, json.dumps(sys.path), str(inside)]
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=(inside,), process_group=0
    )
    with contextlib.suppress(OSError):  # a child that has died already is told by the end of its channel
        ours.sendall(line_of(_described(task), first, [list(place) for place in skip]))
    return Process(child.pid, ours, child.wait)


def _described(task: Task) -> dict[str, Any]:
    return {
        "documents": [[d.text, d.kind, d.file] for d in task.documents],
        "judge": [task.judge.__module__, task.judge.__qualname__],  # type: ignore[attr-defined]
        "seed": task.seed,
        "seconds": task.seconds,
        "megabytes": task.megabytes,
        "prove": task.prove,
        "folder": task.folder,
    }


def begin(channel: int) -> None:
    """Where a new interpreter begins: it hears its task and serves."""
    ours = socket.socket(fileno=channel)
    with ours.makefile("rb") as heard:
        described, first, skip = message_of(heard.readline())
    module, name = described.pop("judge")
    judge = getattr(importlib.import_module(module), name)
    documents = tuple(read_text(*parts) for parts in described.pop("documents"))
    _serve(Task(documents, judge, **described), first, {(d, k) for d, k in skip}, ours)
    os._exit(0)


def _serve(task: Task, first: int, skip: Collection[Place], channel: socket.socket) -> None:
    """Walk through the documents and answer; whatever is printed goes nowhere."""
    secure()
    tempfile.tempdir = task.folder or None
    gc.freeze()  # what was loaded before stays, and need not be looked through again
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    heard = channel.makefile("rb")
    try:
        for message in _walk(task, first, skip, channel, heard.readline):
            channel.sendall(line_of(*message))
        channel.sendall(line_of("done"))
    except MemoryError:
        channel.sendall(line_of("failed", "memory"))
    except Exception as error:
        channel.sendall(line_of("failed", f"{type(error).__name__}: {error}"[:300]))


def _walk(
    task: Task, first: int, skip: Collection[Place], channel: socket.socket, answer: Callable[[], bytes]
) -> Iterator[list[Any]]:
    for d, document in enumerate(task.documents):
        if d < first:
            continue
        skipped = {k for place, k in skip if place == d}

        def only(k: int, d: int = d, skipped: set[int] = skipped) -> bool:
            disarm()
            channel.sendall(line_of("at", d, k))
            told = answer().decode("ascii").strip()
            if told in ("", STOP):  # nothing is left to do, or the parent is gone
                os._exit(0)
            if told == SKIP:
                skipped.add(k)
            arm(task.seconds, task.megabytes)
            return told == JUDGE

        yield ["open", d]
        arm(task.opening, task.megabytes)
        settings: dict[str, Any] = {"seed": task.seed, "prove": task.prove, "budget": task.seconds}
        for k, judged in task.judge(document, only=only, skip=skipped, **settings):
            yield ["judged", d, k, packed(judged)]
    disarm()
