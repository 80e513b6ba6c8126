"""A document in the typesetting that says most: vectors that are known as such, labels and times where they belong.

Other authors leave it to the reader which names are vectors. What a document does with them shows it (`shaping`,
`restated`), but may show it wrongly; so what is read like that proves, and never refutes.
"""

from __future__ import annotations

from dataclasses import dataclass

from symdl.verification.meaning.restated import Times, restated, times_of
from symdl.verification.meaning.shaping import shapes_of, with_shapes
from symdl.verification.meaning.usage import Usage, usage_of
from symdl.verification.notation.tree import Node


@dataclass(frozen=True)
class Typeset:
    """Another typesetting of a document.

    Args:
        times: what stands at a time.
        usage: how names are used then.
        told: what is read so, in words.
    """

    times: Times
    usage: Usage
    told: str

    def of(self, node: Node) -> Node:
        """A formula in it."""
        return restated(node, self.times)


def otherwise_typeset(formulas: list[Node]) -> Typeset | None:
    """Another typesetting of formulas; None where it would be the one that they have."""
    times = times_of(formulas)
    changed = [restated(formula, times) for formula in formulas]
    usage = usage_of(changed)
    shapes = shapes_of(changed, usage)
    if not shapes.rows and changed == formulas:
        return None
    names = ", ".join(sorted(shapes.rows | shapes.vectors))
    return Typeset(times, with_shapes(usage, shapes), f"{names} as vectors" if names else "with labels above names")
