"""The formats of numbers, and the points at which one or both of them are looked at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from flint import arb


@dataclass(frozen=True)
class Format:
    """A format of numbers, by powers of two: digits, the first number that is too large, the smallest normal one."""

    digits: int
    beyond: int
    normal: int

    @cached_property
    def unit(self) -> arb:
        """Half a unit in the last place of 1."""
        return arb(2) ** -self.digits

    @cached_property
    def largest(self) -> arb:
        return arb(2) ** self.beyond

    @cached_property
    def tiny(self) -> arb:
        return arb(2) ** self.normal

    @cached_property
    def smallest(self) -> arb:
        """The spacing of subnormal numbers."""
        return arb(2) ** (self.normal - self.digits + 1)


DOUBLE, SINGLE = Format(53, 1024, -1022), Format(24, 128, -126)
#: Where float32 is looked at too: its ends, where squares and cubes overflow, where exponentials vanish and overflow.
BOTH = frozenset(
    sign * size
    for sign in (1.0, -1.0)
    for size in (
        *(1.5 * k for k in range(56, 73)),
        *(0.25 * k for k in range(36, 60)),
        2.0**-149,
        2.0**-130,
        2.0**43,
        2.0**64,
        2.0**127 - 2.0**103,
        2.0**127,
        3.4028234663852886e38,
    )
)


class Single(float):
    """A point at which float32 is looked at too, beside those in `BOTH`."""
