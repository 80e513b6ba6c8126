"""Documents judged by processes that can be killed: one claim that takes all time or memory costs its own budget only.

Each worker walks through every formula, since a formula may define what later ones need; which of them it judges is
given out as it gets there, so the workers share the claims evenly. A worker that dies or is killed leaves the formula
that it was at `undecided`; another takes its place, and steps over that formula.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import sys
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field

from symdl.verification.documents import Span
from symdl.verification.judging.limits import MEGABYTE, keeps_memory, resident, spent
from symdl.verification.judging.machine import SECONDS as PROOFS
from symdl.verification.judging.messages import judged_from, message_of
from symdl.verification.judging.process import JUDGE, READ, SKIP, STOP, Place, Process, Task, start
from symdl.verification.judging.report import Judged, readable
from symdl.verification.verdict import Status, Verdict

__all__ = ["Step", "cores", "verdicts"]

#: Formulas for each worker, at least: starting another one for fewer does not pay.
_SHARE = 4

#: How much longer than its processor time a formula may take on the wall clock, and a little more; and the share of
#: that it has to be at work, to be given more. So a machine that is busy with other things changes no verdict, and who
#: waits for nothing is ended all the same.
_PATIENCE, _GRACE, _AT_WORK = 3.0, 2.0, 0.02

_TICK = 0.1

#: Number of the formula while a worker is not at any yet.
_OPENS = -1


@dataclass(frozen=True)
class Step:
    """The formula at `place` is done; `judged` is empty where it defines and claims nothing."""

    place: Place
    judged: tuple[Judged, ...]


@dataclass
class _Worker:
    process: Process
    place: Place  # the formula that it is at; number -1: it opens the document
    told: str = READ  # what it is to do there
    found: list[Judged] = field(default_factory=list)
    since: float = field(default_factory=time.monotonic)
    spent: float = 0.0  # seconds of processor time that it had taken by then
    heard: bytes = b""
    reason: str = ""  # why it was ended, or what it said at last


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def verdicts(task: Task, *, jobs: int | None = None, tick: Callable[[], object] = lambda: None) -> Generator[Step]:
    """One step for each formula of each document, in order, each as soon as it and all before it are done.

    Args:
        task: documents, judge and budget.
        jobs: how many processes; by default one a core, and fewer for a short document.
        tick: called some times a second while nothing is done.
    """
    pool = _Pool(task, jobs)
    try:
        yield from pool.run(tick)
    finally:
        pool.end()


class _Pool:
    """The workers of one run, and which formula is with whom."""

    def __init__(self, task: Task, jobs: int | None) -> None:
        self.task = task
        self.order = [(d, k) for d, document in enumerate(task.documents) for k in range(len(document.spans))]
        self.open = dict.fromkeys(self.order)
        self.done: dict[Place, tuple[Judged, ...]] = {}
        self.skip: set[Place] = set()
        self.jobs = jobs or max(1, min(cores(), len(self.order) // _SHARE))
        self.workers: list[_Worker] = []
        self.selector = selectors.DefaultSelector()
        self.looked = time.monotonic()

    def run(self, tick: Callable[[], object]) -> Iterator[Step]:
        for place in self.order:
            while place not in self.done:
                self._staff()
                self._listen()
                self._watch()
                tick()
            yield Step(place, self.done.pop(place))

    def end(self) -> None:
        for worker in list(self.workers):
            self._dismiss(worker)
        self.selector.close()

    # ── workers come and go ──────────────────────────────────────────────────────────────────────────────────────────

    def _staff(self) -> None:
        while self.open and len(self.workers) < self.jobs:
            first = next(iter(self.open))[0]
            others = [w.process.channel for w in self.workers]
            worker = _Worker(start(self.task, first, self.skip, others), (first, _OPENS))
            self.workers.append(worker)
            self.selector.register(worker.process.channel, selectors.EVENT_READ, worker)

    def _dismiss(self, worker: _Worker) -> int:
        self.workers.remove(worker)
        self.selector.unregister(worker.process.channel)
        return worker.process.end()

    def _bury(self, worker: _Worker) -> None:
        """A worker is dead: what it was at is undecided, unless it has sent its verdict before."""
        place, code = worker.place, self._dismiss(worker)
        reason = worker.reason or _cause(code, self.task)
        if worker.told == JUDGE:
            self._settle(place, worker.found or [_undecided(self._span(place), reason)])
        if worker.told == SKIP or place[1] == _OPENS:
            # it does not get into the document, or not past a formula that it has to step over: no other one would
            for other in [p for p in self.open if p[0] == place[0]]:
                self._settle(other, [_undecided(self._span(other), reason)])
        else:
            self.skip.add(place)

    def _watch(self) -> None:
        """End whoever is beyond the budget: of time by the wall clock, and of memory where the system does not."""
        now = time.monotonic()
        for worker in [w for w in self.workers if w.told != STOP]:
            allowed = self.task.opening if worker.place[1] == _OPENS else self.task.seconds
            waiting = _PATIENCE * allowed + _GRACE + (PROOFS if self.task.prove else 0)
            if now - worker.since > waiting:
                taken = spent(worker.process.number) - worker.spent
                if _AT_WORK * (now - worker.since) < taken < allowed + _GRACE:  # its own clock will end it
                    continue
                worker.reason = _out_of_time(self.task)
                self._bury(worker)
            elif not keeps_memory() and now - self.looked > 5 * _TICK:
                self.looked = now
                if resident(worker.process.number) > self.task.megabytes * MEGABYTE:
                    worker.reason = _out_of_memory(self.task)
                    self._bury(worker)

    # ── what they say ────────────────────────────────────────────────────────────────────────────────────────────────

    def _listen(self) -> None:
        for key, _ in self.selector.select(_TICK):
            worker: _Worker = key.data
            try:
                heard = worker.process.channel.recv(2**16)
            except ConnectionResetError:
                heard = b""
            if not heard:
                self._dismiss(worker) if worker.told == STOP else self._bury(worker)
                continue
            *lines, worker.heard = (worker.heard + heard).split(b"\n")
            for line in lines:
                self._hear(worker, message_of(line))

    def _hear(self, worker: _Worker, message: list[object]) -> None:
        worker.since, worker.spent = time.monotonic(), spent(worker.process.number)
        match message:
            case ["judged", int(_), int(_), dict(judged)]:
                if worker.told == JUDGE:
                    worker.found.append(judged_from(judged))
            case ["at", int(d), int(k)]:
                self._move(worker, (d, k))
                self._answer(worker)
            case ["open", int(d)]:
                self._move(worker, (d, _OPENS))
            case ["done"]:
                self._move(worker, (len(self.task.documents), _OPENS))
                self._dismiss(worker)
            case ["failed", str(words)]:
                worker.reason = _out_of_memory(self.task) if words == "memory" else f"the checker fails here: {words}"

    def _move(self, worker: _Worker, to: Place) -> None:
        """What it was given is done, and what it has passed without a question defines and claims nothing."""
        if worker.told == JUDGE:
            self._settle(worker.place, worker.found)
        worker.place, worker.told, worker.found = to, READ, []
        while self.open and (place := next(iter(self.open))) < to:
            self._settle(place, [])

    def _answer(self, worker: _Worker) -> None:
        place = worker.place
        if not self.open:
            worker.told = STOP
        elif place in self.skip:
            worker.told = SKIP
        elif place in self.open:
            worker.told = JUDGE
            del self.open[place]
        with contextlib.suppress(OSError):  # it has died meanwhile, which the end of the channel will tell
            worker.process.channel.sendall(worker.told.encode("ascii") + b"\n")

    def _settle(self, place: Place, judged: list[Judged]) -> None:
        self.open.pop(place, None)
        self.done.setdefault(place, tuple(judged))

    def _span(self, place: Place) -> Span:
        return self.task.documents[place[0]].spans[place[1]]


def _undecided(span: Span, reason: str) -> Judged:
    """The formula and why there is no verdict on it; only its notation is read again, which takes bounded time."""
    verdict = Verdict(Status.UNDECIDED, "none", "nothing", reason=reason)
    where = (span.file, span.line, span.column)
    return Judged(*where, span.latex, readable(span.latex), verdict, block=span.block, row=span.row, cell=span.cell)


def _cause(code: int, task: Task) -> str:
    """Why a worker has died, by its exit code or, where that is negative, its signal."""
    if code == -signal.SIGPROF:
        return _out_of_time(task)
    if code in (-signal.SIGABRT, -signal.SIGKILL, -signal.SIGSEGV, -signal.SIGBUS):
        return f"{_out_of_memory(task)}, or too deeply nested (its process ended by {signal.Signals(-code).name})"
    return f"its process ended with {code}"


def _out_of_time(task: Task) -> str:
    return f"out of time: it takes more than {task.seconds:g} s"


def _out_of_memory(task: Task) -> str:
    return f"out of memory: it takes more than {task.megabytes} MB"
