"""All activations of the library in one definition: one program instead of one for each."""

from __future__ import annotations

from symdl.core.define import Hyper, Param, Sum, define, let
from symdl.library.activations import ACTIVATIONS, Activation, activation


def with_numbers() -> list[Activation]:
    """Every activation; a learned slope is a number here."""
    return [activation(name, **({"alpha": 0.25} if name == "prelu" else {})) for name in ACTIVATIONS]


@define
def activations(x=Param(f"f={len(ACTIVATIONS)} n"), c=Hyper(f"f={len(ACTIVATIONS)}")):
    """Each activation on a row of its own; the gradient by x is c_f f'(x)."""
    _, n = x.indices
    values = [let(f"a_{act.name}[n]", act(x[row, n])) for row, act in enumerate(with_numbers())]
    return let("L", Sum(sum(c[row] * a[n] for row, a in enumerate(values)), n)), *values
