"""What words say of the distributions of random names."""

from __future__ import annotations

from dataclasses import dataclass, field

from symdl.verification.notation.tree import Node

#: A name, what its mean or variance is said to be, and the section.
Said = tuple[Node, Node, tuple[int, ...]]


@dataclass(frozen=True)
class Moments:
    """What a document says of the distributions of its names.

    Args:
        means, variances: of names.
        each: names of which the entries are independent of each other.
        apart: names of which one is independent of the other.
        uniform: letters that are drawn uniformly.
    """

    means: list[Said] = field(default_factory=list)
    variances: list[Said] = field(default_factory=list)
    each: list[tuple[Node, tuple[int, ...]]] = field(default_factory=list)
    apart: list[Said] = field(default_factory=list)
    uniform: frozenset[str] = frozenset()
