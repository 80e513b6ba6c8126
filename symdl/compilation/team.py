"""The threads that share large products and nests with whoever calls compiled code (see `targets.teams`).

They are started where such work comes up, wait for work a third of a millisecond after each, and sleep otherwise.
A process that was forked has none of them, and starts its own.
"""

from __future__ import annotations

import _thread
import atexit
import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from symdl.compilation.targets.teams import (
    BYTES,
    LEAST,
    LINE,
    MISSED,
    NEST,
    SEMAPHORE,
    STOP,
    THREADS,
    TICKET,
    UNTIL,
)
from symdl.errors import DefinitionError

#: The variables that say how many threads compute; the first that is set counts.
VARIABLES = ("SYMDL_THREADS", "OMP_NUM_THREADS")
#: How many there are where none is set: as many as have been measured.
USUAL = 2
#: Seconds that the end of the process waits for a thread.
PATIENCE = 1.0
#: Those that products lead.
_TEAMS: dict[str, Team] = {}
#: How many callers want no threads beside their own.
_alone = 0


def threads() -> int:
    """How many threads compute: as `VARIABLES` say, or two where there are as many cores for this process.

    Raises:
        DefinitionError: SYMDL_THREADS is not a number of threads.
    """
    return stated() or min(USUAL, cores())


def stated() -> int | None:
    """How many threads `VARIABLES` say; None where none of them does.

    Raises:
        DefinitionError: SYMDL_THREADS is not a number of threads.
    """
    for name in VARIABLES:
        text = os.environ.get(name, "").strip()
        if text.isdecimal() and int(text):
            return int(text)
        if text and name == VARIABLES[0]:
            raise DefinitionError(f"{name} is {text!r}", remedy="set it to a number of threads, such as 2")
    return None


def cores() -> int:
    """How many cores there are for this process."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Team:
    """The memory that threads share, and the threads beside the one that calls.

    Args:
        serve: what such a thread does until it shall end, from the address of that memory.
    """

    def __init__(self, serve: Callable[[int], Any]) -> None:
        self.serve = serve
        self.room = np.zeros(BYTES + LINE, np.uint8)
        self.address = -(-self.room.ctypes.data // LINE) * LINE
        self.ended: list[_thread.LockType] = []
        self._reset()

    def _reset(self) -> None:
        self.room[:] = 0
        self.ended = []
        ctypes.CDLL(None).sem_init(ctypes.c_void_p(self.address + SEMAPHORE), 0, 0)
        self._word(THREADS).value = 1
        self._word(LEAST).value = NEST

    def _word(self, place: int) -> ctypes.c_int64:
        return ctypes.c_int64.from_address(self.address + place)

    def lead(self, product: Callable[..., Any], share: Callable[..., Any]) -> None:
        """Tell what shares work out that it has this team."""
        tell(self.address, product, share)

    @property
    def is_missed(self) -> bool:
        """Whether something came up that could have been shared."""
        return bool(self._word(MISSED).value)

    @property
    def shared(self) -> int:
        """How many pieces of work were shared out."""
        return int(self._word(TICKET).value) >> 32

    def retry(self) -> None:
        """Share the next piece of work out, whatever became of those before it."""
        self._word(UNTIL).value = 0

    def pretend(self, count: int, least: int = NEST) -> None:
        """Share work out as if there were so many threads, nests of at least so many operations."""
        self._word(THREADS).value = count
        self._word(LEAST).value = least

    def start(self, count: int) -> None:
        """As many threads as to be `count` with the caller; those that are there stay."""
        if count > 1 and self.ended:
            self._word(THREADS).value = 1 + len(self.ended)
        while len(self.ended) < count - 1:
            lock = _thread.allocate_lock()
            lock.acquire()
            # not one of `threading`: whoever asks whether the process may be forked does not mean these
            _thread.start_new_thread(self._run, (lock,))
            self.ended.append(lock)
            self._word(THREADS).value = 1 + len(self.ended)

    def _run(self, ended: _thread.LockType) -> None:
        try:
            self.serve(self.address)
        finally:
            ended.release()

    def stop(self) -> None:
        """Ends the threads; products are computed by the caller alone from now on."""
        self._word(THREADS).value = 1
        self._word(STOP).value = 1
        for _ in self.ended:
            ctypes.CDLL(None).sem_post(ctypes.c_void_p(self.address + SEMAPHORE))
        if all(lock.acquire(timeout=PATIENCE) for lock in self.ended):
            self._reset()


def tell(address: int, product: Callable[..., Any], share: Callable[..., Any]) -> None:
    """Tell what shares work out where its team is; 0 for none."""
    product(address, *[0] * 7, -1, 0, 0)
    share(address, 0, -1, 0)


def founded(key: str, serve: Callable[[int], Any], product: Callable[..., Any], share: Callable[..., Any]) -> None:
    """A team for what shares work out, unless it has one."""
    if key not in _TEAMS:
        _TEAMS[key] = Team(serve)
        _TEAMS[key].lead(product, share)


@contextmanager
def in_parts(count: int) -> Iterator[None]:
    """Where everything is cut into so many parts, however small it is."""
    known = [(team, team._word(THREADS).value) for team in _TEAMS.values()]
    try:
        for team, _ in known:
            team.pretend(count, 0)
            team.retry()
        yield
    finally:
        for team, threads in known:
            team.pretend(threads)


def expect() -> None:
    """Large products or nests are about to come up: start the threads.

    Raises:
        DefinitionError: as for `threads`.
    """
    for team in () if _alone else list(_TEAMS.values()):
        team.start(threads())


def may_choose() -> bool:
    """Whether work may be shared or not, as it is faster: there are several threads, and SYMDL_THREADS does not say so.

    Raises:
        DefinitionError: as for `threads`.
    """
    return not _alone and not os.environ.get(VARIABLES[0], "").strip() and threads() > 1


@contextmanager
def working() -> Iterator[None]:
    """Where work is shared with the threads, unless there shall be none."""
    expect()
    yield


def attend() -> None:
    """Start the threads that were missed.

    Raises:
        DefinitionError: as for `threads`.
    """
    for team in () if _alone else list(_TEAMS.values()):
        if team.is_missed:
            team.start(threads())


@contextmanager
def alone() -> Iterator[None]:
    """Where the caller has threads of its own, each of which computes its products by itself."""
    global _alone
    _alone += 1
    try:
        for team in list(_TEAMS.values()):
            team.pretend(1)
        yield
    finally:
        _alone -= 1


def _stopped() -> None:
    """Machine code is released at the end of the process: nobody may run it then."""
    for team in list(_TEAMS.values()):
        team.stop()


def _forked() -> None:
    for team in list(_TEAMS.values()):
        team._reset()


atexit.register(_stopped)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
