"""L-BFGS: SciPy's, on all rows at once, with the compiled value and gradient."""

from __future__ import annotations

import math
from dataclasses import dataclass

from symdl.errors import DefinitionError


@dataclass(frozen=True)
class LBFGS:
    """Steps H∇L with an H made of the last changes of θ and ∇L, along a line search.

    Args:
        history: how many changes it keeps.
        gradient: it ends where no entry of the gradient is larger.
        change: it ends where the loss falls by a smaller share of itself.
    """

    history: int = 10
    gradient: float = 1e-8
    change: float = 1e-12
    source: str = "Liu and Nocedal 1989; Byrd, Lu, Nocedal and Zhu 1995, as in SciPy's L-BFGS-B"

    @property
    def name(self) -> str:
        return "lbfgs"


def lbfgs(*, history: int = 10, gradient: float = 1e-8, change: float = 1e-12) -> LBFGS:
    """L-BFGS on all rows at once; an epoch of `sd.train` is one of its iterations.

    Raises:
        DefinitionError: a history that is not a whole number from 1, or limits that are not finite from 0.
    """
    if isinstance(history, bool) or not isinstance(history, int) or history < 1:
        raise DefinitionError(f"history = {history!r}", where="lbfgs", why="it is a whole number from 1")
    for name, value in (("gradient", gradient), ("change", change)):
        if not isinstance(value, int | float) or not 0 <= value < math.inf:
            raise DefinitionError(f"{name} = {value!r}", where="lbfgs", why="it is a finite number from 0")
    return LBFGS(history, gradient, change)
