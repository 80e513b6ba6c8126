"""A deadline for what may take long, looked at where the work is done.

Whoever has a budget opens `until(deadline)`; what runs inside calls `in_time()` once for each piece of work that is
small. Without an open deadline there is none: a derivation takes the time that it takes.

The clock counts processor time of this thread, so that what else runs on the machine changes no verdict.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from symdl.errors import BudgetError

_NEVER = float("inf")
_DEADLINE: ContextVar[float] = ContextVar("deadline", default=_NEVER)

#: What `now` reads; tests put a clock here that counts work, and so runs alike on every machine.
_clock = time.thread_time


def now() -> float:
    """Seconds of the clock that deadlines are told in."""
    return _clock()


@contextmanager
def until(deadline: float) -> Iterator[None]:
    """Let `in_time` raise after `deadline`, a value of `now()`; one that is open already stays in force.

    >>> with until(now() - 1):
    ...     in_time()
    Traceback (most recent call last):
    symdl.errors.BudgetError: out of time. Remedy: give a larger budget.
    """
    token = _DEADLINE.set(min(deadline, _DEADLINE.get()))
    try:
        yield
    finally:
        _DEADLINE.reset(token)


def deadline() -> float:
    """The deadline in force, as a value of `now()`; infinite where there is none."""
    return _DEADLINE.get()


def in_time() -> None:
    """Go on, or stop.

    Raises:
        BudgetError: the deadline has passed.
    """
    end = _DEADLINE.get()
    if end != _NEVER and now() > end:
        raise BudgetError("out of time", remedy="give a larger budget")
