"""What the checker says of a claim: a status, how it was found, for which values, and a witness where there is one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from symdl.errors import NotProvedError


class Status(StrEnum):
    """The seven answers (DESIGN.md §5). Only `proved` lets a gate open."""

    PROVED = "proved"
    CONSISTENT = "consistent"
    REFUTED = "refuted"
    CONDITIONAL = "conditional"
    UNDECIDED = "undecided"
    UNREAD = "unread"
    DEFINITION = "definition"


#: Weakest first: a claim of several parts is as strong as its weakest part.
WEAKEST_FIRST = (
    Status.REFUTED,
    Status.CONDITIONAL,
    Status.UNREAD,
    Status.UNDECIDED,
    Status.CONSISTENT,
    Status.PROVED,
    Status.DEFINITION,
)

#: The scope of what says only which values are meant.
A_CONDITION = "a condition"

#: A scope as its unknowns and the rest, and what stands between unknowns.
_REAL = re.compile(r"all real (.+?)((?: with | and all integer | and all extents|, where ).*)?")
_COMMA = re.compile(r", (?![^\[]*\])")

_REMEDY = {
    Status.REFUTED: "evaluate both sides at the witness",
    Status.CONDITIONAL: "state the assumption, as domain=[x > 0] or with a positive symbol",
    Status.CONSISTENT: "accept agreement at points by reading .status, or split the claim into smaller steps",
    Status.UNDECIDED: "give a larger budget, or split the claim into smaller steps",
}


#: Values of a witness that its text tells; `Witness.point` has them all.
MOST_TOLD = 60


@dataclass(frozen=True)
class Witness:
    """A point where the two sides differ by more than the certified error of both.

    Args:
        point: the exact value of every unknown, by name, as text (`-3/8`).
        left, right: certified balls, `[midpoint +/- radius]`, or "undefined".
    """

    point: Mapping[str, str]
    left: str
    right: str

    def __str__(self) -> str:
        told = [f"{name} = {value}" for name, value in self.point.items()]
        more = f", and {len(told) - MOST_TOLD:,} more" if len(told) > MOST_TOLD else ""
        at = ", ".join(told[:MOST_TOLD]) + more
        return f"at {at or 'every point'}: left {self.left}, right {self.right}"


@dataclass(frozen=True)
class Verdict:
    """The answer to one claim.

    Args:
        status: see `Status`.
        method: what decided it, in words.
        scope: the values and extents that the answer is about, in words.
        witness: for `refuted` and `conditional`.
        reason: why, where the status alone does not say it.
        seconds: how long it took.

    >>> v = Verdict(Status.PROVED, "normal form", "all real x")
    >>> bool(v), v.require() is v, str(v)
    (True, True, 'proved for all real x (normal form)')
    """

    status: Status
    method: str
    scope: str
    witness: Witness | None = None
    reason: str = ""
    seconds: float = field(default=0.0, compare=False)

    @property
    def proved(self) -> bool:
        return self.status is Status.PROVED

    def __bool__(self) -> bool:
        """True only where the claim is proved, so that a gate written as `if verdict:` fails closed."""
        return self.proved

    def require(self) -> Verdict:
        """This verdict if it is `proved`.

        Raises:
            NotProvedError: any other status; it says why, with the witness.
        """
        if self.proved:
            return self
        why = "; ".join(str(part) for part in (self.reason, self.witness) if part)
        raise NotProvedError(
            f"the claim is {self.status}, not proved",
            where=self.scope,
            why=why or self.method,
            remedy=_REMEDY.get(self.status, "state the claim in another way"),
        )

    def to_json(self) -> dict[str, Any]:
        """A dictionary of text and numbers.

        >>> Verdict(Status.UNDECIDED, "none", "all real x", reason="out of time").to_json()["reason"]
        'out of time'
        """
        witness = self.witness and {
            "point": dict(self.witness.point),
            "left": self.witness.left,
            "right": self.witness.right,
        }
        return {
            "status": str(self.status),
            "method": self.method,
            "scope": self.scope,
            "witness": witness,
            "reason": self.reason,
            "seconds": self.seconds,
        }

    def __str__(self) -> str:
        claimed = "for" if self.proved else "as a claim about"
        text = f"{self.status} {claimed} {self.scope} ({self.method})"
        text += f": {self.reason}" if self.reason else ""
        return text + (f"; {self.witness}" if self.witness else "")


def weakest(parts: Sequence[tuple[str, Verdict]], seconds: float) -> Verdict:
    """One verdict for a claim of several named parts: that of the weakest part, with a scope that names all of them.

    What is so for all real x is so for all real x, y too, where y does not occur: the unknowns are told together.

    >>> a, b = Verdict(Status.PROVED, "m", "all real x"), Verdict(Status.UNDECIDED, "none", "all real x")
    >>> str(weakest([("w_bar", a), ("b_bar", b)], 0.1))
    'undecided as a claim about w_bar and b_bar, all real x (none): b_bar undecided, w_bar proved'
    >>> more = Verdict(Status.PROVED, "m", "all real x, y[n, i] and all extents")
    >>> less = Verdict(Status.PROVED, "m", "all real y[n, i], z and all extents")
    >>> str(weakest([("x_bar", more), ("y_bar", less)], 0.1))
    'proved for x_bar and y_bar, all real x, y[n, i], z and all extents (m)'
    """
    if not parts:
        return Verdict(Status.UNDECIDED, "none", "nothing", reason="there is nothing to compare", seconds=seconds)
    worst = min((v for _, v in parts), key=lambda v: WEAKEST_FIRST.index(v.status))
    names = [name for name, _ in parts]
    named = ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else names[0]
    scopes = list(_together(dict.fromkeys(v.scope for _, v in parts if v.status is worst.status)))
    methods = list(dict.fromkeys(v.method for _, v in parts if v.status is worst.status))
    reason = worst.reason
    if len({v.status for _, v in parts}) > 1:
        by_status = sorted(parts, key=lambda p: WEAKEST_FIRST.index(p[1].status))
        told = ", ".join(f"{name} {v.status}" for name, v in by_status)
        reason = f"{told}; {reason}" if reason else told
    return replace(
        worst,
        method="; ".join(methods),
        scope=f"{named}, {'; '.join(scopes)}",
        reason=reason,
        seconds=seconds,
    )


def _together(scopes: Iterable[str]) -> Iterator[str]:
    """Scopes that differ only in their unknowns as one: all real x and all extents, all real y and all extents."""
    names: dict[str, dict[str, None]] = {}
    for scope in scopes:
        found = _REAL.fullmatch(scope)
        if found is None or found[1].endswith(" more"):
            yield scope
        else:
            names.setdefault(found[2] or "", {}).update(dict.fromkeys(_COMMA.split(found[1])))
    yield from (f"all real {', '.join(some)}{rest}" for rest, some in names.items())
