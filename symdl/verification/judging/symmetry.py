"""∂²C/∂v_j ∂v_k = ∂²C/∂v_k ∂v_j, of a C of which nothing is known but that its second derivatives are continuous."""

from __future__ import annotations

from collections import Counter

from symdl.verification.meaning.stated import Meaning
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node
from symdl.verification.verdict import Status, Verdict

#: Derivatives in brackets are followed so deep.
_DEEPEST = 8


def by_symmetry(link: Meaning) -> Verdict | None:
    """The proof that both sides are the derivatives of one thing by the same names, in another order; None else.

    >>> from symdl.verification.notation import parse
    >>> texts = (r"\\frac{d^2 f}{dx dy} = \\frac{d^2 f}{dy dx}", r"\\frac{d^2 f}{dx dy} = \\frac{d^2 f}{dy dy}")
    >>> [by_symmetry(Meaning(*parse(text).sides, "=")) is not None for text in texts]
    [True, False]
    """
    if link.relation not in ("=", "≡"):
        return None
    left, right = _flat(link.left), _flat(link.right)
    if left is None or right is None or left != right or sum(left[1].values()) < 2:
        return None
    return Verdict(Status.PROVED, "symmetry of derivatives", "every function whose derivatives are continuous")


def _flat(node: Node) -> tuple[Node, Counter[Node]] | None:
    """What is differentiated, and how often by what: d/dx (df/dy) is d²f/dx dy."""
    by: Counter[Node] = Counter()
    for _ in range(_DEEPEST):
        if isinstance(node, tree.Group) and by and isinstance(node.body, tree.Derivative):
            node = node.body
        if not isinstance(node, tree.Derivative) or node.of is None:
            break
        for name, order in node.by:
            by[name] += order
        node = node.of
    return (node, by) if by else None
