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

#: Seconds that one way is tried for, those after which the other one is tried again, and those of a piece of work at
#: most: a trial takes a small part of the time.
TRIAL, AGAIN, PIECE = 0.003, 0.5, 0.25
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
        self._since = 0.0

    def next(self, left: int) -> tuple[bool, int]:
        """Whether the next steps are shared, and how many they are, of so many that are left."""
        shared, seconds = self._way()
        known = self._recent[shared] or self._recent[not shared]
        steps = math.ceil(seconds / statistics.median(known)) if known else 1
        return shared, min(left, steps)

    def _way(self) -> tuple[bool, float]:
        """Whether to share, and for how many seconds."""
        for way in (True, False):
            if len(self._recent[way]) < RECENT:
                return way, TRIAL
        middle = {way: statistics.median(found) for way, found in self._recent.items()}
        faster = middle[True] <= middle[False]
        if self._recent[faster][-1] > middle[not faster]:  # chance, or the machine has other work now
            return faster, TRIAL
        if self._since >= AGAIN:
            self._since = 0.0
            return not faster, TRIAL
        return faster, PIECE

    def note(self, shared: bool, steps: int, seconds: float) -> None:
        """So many steps took so long."""
        self._recent[shared].append(max(seconds, 1e-9) / steps)
        self._since += seconds
