"""A document in the typesetting that says most: vectors known as such, labels where they belong, ∂L/∂W for dW.

Other authors leave it to the reader which names are vectors. What a document does with them shows it (`shaping`,
`restated`), but may show it wrongly; so what is read like that proves, and never refutes. What is right of numbers and
wrong in it is left open.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from symdl.verification.meaning.deltas import Deltas, deltas_of
from symdl.verification.meaning.evidence import classes
from symdl.verification.meaning.marked import Marked, slopes_marked
from symdl.verification.meaning.names import parts_of
from symdl.verification.meaning.onename import Values, values_of
from symdl.verification.meaning.restated import Times, restated, times_of
from symdl.verification.meaning.shaping import numbered_biases, shapes_of, with_numbered, with_shapes
from symdl.verification.meaning.tensors import Tensors, tensors_of
from symdl.verification.meaning.usage import Usage, usage_of
from symdl.verification.notation import unicode
from symdl.verification.notation.tree import Node, walk


@dataclass(frozen=True)
class Typeset:
    """Another typesetting of a document.

    Args:
        times: what stands at a time.
        slopes: dW for ∂L/∂W.
        deltas: δ^l for ∂L/∂z^l.
        tensors: what has its indices above.
        values: f(x) that are names.
        usage: how names are used then.
        told: what is read so, in words.
        shaped: names that are vectors and matrices in it and nothing of the kind as they are written.
    """

    times: Times
    slopes: Marked | None
    deltas: Deltas | None
    tensors: Tensors | None
    values: Values | None
    usage: Usage
    told: str
    shaped: frozenset[str] = frozenset()

    def of(self, node: Node) -> Node:
        """A formula in it."""
        for other in (self.values, self.tensors, self.slopes, self.deltas):
            node = node if other is None else other.of(node)
        return restated(node, self.times)

    def shapes(self, node: Node) -> bool:
        """Whether names stand in a formula that are no numbers here, where it may matter in which order they stand."""
        names = {p.name for n in walk(self.of(node)) if (p := parts_of(n, self.usage)) is not None}
        return not names.isdisjoint(self.shaped)

    def introduces(self, node: Node) -> bool:
        """Whether a formula says what a name is that this typesetting takes for something."""
        return self.deltas is not None and self.deltas.introduced(node)

    def rests_on_it(self, node: Node) -> bool:
        """Whether such a name stands in a formula."""
        return self.deltas is not None and self.deltas.used(node)


def otherwise_typeset(formulas: list[Node]) -> Typeset | None:
    """Another typesetting of formulas; None where it would be the one that they have."""
    values = values_of(formulas)
    written = formulas if values is None else [values.of(formula) for formula in formulas]
    tensors = tensors_of(written)
    written = written if tensors is None else [tensors.of(formula) for formula in written]
    slopes = slopes_marked(written)
    written = written if slopes is None else [slopes.of(formula) for formula in written]
    deltas = deltas_of(written)
    written = written if deltas is None else [deltas.of(formula) for formula in written]
    times = times_of(written)
    changed = [restated(formula, times) for formula in written]
    usage = usage_of(changed)
    chosen = classes(n for formula in changed for n in walk(formula)) - usage.letters
    indices = frozenset() if tensors is None else tensors.letters
    usage = replace(usage, letters=usage.letters | chosen | indices, classes=chosen)
    biases = numbered_biases(changed, usage) - usage.families.numbered
    usage = with_numbered(usage, biases)
    shapes = shapes_of(changed, usage)
    new = sorted(name for name in shapes.vectors | shapes.matrices if not usage.shaped(name))
    if not (shapes.rows or new or biases or chosen) and changed == formulas:
        return None
    names = ", ".join(sorted(shapes.rows | shapes.vectors))
    told = f"{names} as vectors" if names else "with labels above names"
    told += f"; {', '.join(sorted(chosen))} as an index" if chosen else ""
    told += "" if values is None else f"; {values.told}"
    told += "" if tensors is None else "; indices above that stand twice are summed over"
    told += "" if slopes is None else f"; {slopes.mark}W for ∂{unicode(slopes.loss)}/∂W"
    told += "" if deltas is None else f"; {deltas.told}"
    return Typeset(times, slopes, deltas, tensors, values, with_shapes(usage, shapes), told, frozenset(new))
