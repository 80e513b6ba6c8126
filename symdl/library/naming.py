"""Names of what a layer's writer makes, so that a layer can stand in one definition several times."""

from __future__ import annotations

from collections.abc import Iterable

from symdl.core.define import let
from symdl.core.indices import Index
from symdl.core.tensors import Tensor


def labelled(name: str, label: str) -> str:
    """The name with a label after its first word: that is where layers are numbered, x̂⁽³⁾ is `x3_hat`.

    >>> labelled("mu", "3"), labelled("x_hat", "3_a"), labelled("mu", "a"), labelled("sigma2", "3"), labelled("mu", "")
    ('mu3', 'x3_a_hat', 'mu_a', 'sigma2_3', 'mu')
    """
    if not label:
        return name
    first, *rest = name.split("_")
    joint = "" if label[0].isdigit() and not first[-1].isdigit() else "_"
    return "_".join([f"{first}{joint}{label}", *rest])


def left(name: str, indices: Iterable[Index]) -> str:
    """The left-hand side for `let`: "y[n,j]"."""
    inside = ",".join(i.name for i in indices)
    return f"{name}[{inside}]" if inside else name


class Scribe:
    """Writes equations whose names all bear one label.

    >>> from symdl.core.define import Input, define
    >>> @define
    ... def twice(x=Input("n")):
    ...     write = Scribe("2")
    ...     y = write("y", x.indices, 2 * x.element())
    ...     return write("z_hat", x.indices, y.element() + 1)
    >>> [e.name for e in twice.equations]
    ['y2', 'z2_hat']
    """

    def __init__(self, label: str) -> None:
        self.label = label

    def __call__(self, name: str, indices: Iterable[Index], body: object, note: str = "") -> Tensor:
        return let(left(labelled(name, self.label), indices), body, note)
