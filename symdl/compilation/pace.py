"""Whether a program trains faster with the threads that share its work, or without: measured while it trains.

Sharing pays where cores are idle and pieces of work are large. Small pieces may take longer to hand over than to do,
and on a machine that is busy with other work whoever has a part keeps the others waiting; neither can be known when a
program is compiled. The results are the same bits either way (see `targets.teams`), so that steps may go on in one way
or the other at any time.
"""

from __future__ import annotations

import math
import statistics
from collections import deque

#: Seconds that one way is tried for, those after which the other one is tried again at the earliest, and those of a
#: piece of work at most.
TRIAL, AGAIN, PIECE = 0.003, 0.5, 0.25
#: A trial takes this part of the time at most: where steps are long, trials are rarer.
PART = 1 / 20
#: Of how many pieces of work of either way the middle one counts.
RECENT = 3


class Pace:
    """What is known about the steps of a program, and in which way the next ones are made.

    >>> pace = Pace()
    >>> for _ in range(2 * RECENT):
    ...     shared, steps = pace.next(1000)
    ...     pace.note(shared, steps, steps * (0.002 if shared else 0.001))
    >>> pace.next(1000)
    (False, 250)
    """

    def __init__(self) -> None:
        self._recent: dict[bool, deque[float]] = {way: deque(maxlen=RECENT) for way in (True, False)}
        self._since, self._wait = 0.0, AGAIN
        self._first: float | None = None

    def next(self, left: int) -> tuple[bool, int]:
        """Whether the next steps are shared, and how many they are, of so many that are left."""
        shared, seconds = self._way()
        known = self._recent[shared] or self._recent[not shared]
        steps = math.ceil(seconds / statistics.median(known)) if known else 1
        return shared, min(left, max(steps, 1))

    def _way(self) -> tuple[bool, float]:
        """Whether to share, and for how many seconds; 0 is a single step."""
        for way in (True, False):
            if len(self._recent[way]) < RECENT:
                return way, TRIAL
        middle = self._middle()
        faster = self._faster()
        if self._first is None and self._recent[faster][-1] > middle[not faster]:  # chance, or the machine is busy now
            return faster, TRIAL
        if self._since >= self._wait:
            return not faster, 0 if self._first is None else TRIAL
        return faster, PIECE

    def _middle(self) -> dict[bool, float]:
        return {way: statistics.median(found) for way, found in self._recent.items()}

    def _faster(self) -> bool:
        middle = self._middle()
        return middle[True] <= middle[False]

    def note(self, shared: bool, steps: int, seconds: float) -> None:
        """So many steps took so long.

        The first step of a trial wakes threads that were asleep and fetches what the other way had in its caches: of
        3 ms it took half as long again, so that the way that is better in the long run looked worse each time. What it
        takes is not counted. Of the first trials, three in a row, the middle one counts anyway.
        """
        known = all(len(found) == RECENT for found in self._recent.values())
        if known and self._since >= self._wait and shared != self._faster():
            if self._first is None:
                self._first = seconds
                return
            self._since, self._wait, self._first = 0.0, max(AGAIN, (self._first + seconds) / PART), None
        self._recent[shared].append(max(seconds, 1e-9) / steps)
        self._since += seconds
