"""How much memory training takes, by what for: what `Compiled.memory` returns.

The bytes are those of the arrays that the training loop is called with (see `runtime`), so they are what is measured,
apart from what Python, NumPy and machine code take whatever the sizes are.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

#: What each part is, for the reader, in the order of the fields.
_TOLD = {
    "parameters": "parameters",
    "state": "state of the optimiser",
    "gradients": "gradients",
    "before": "parameters and state as the epoch began",
    "batch": "rows of a batch",
    "kept": "kept for the backward pass",
    "scratch": "other intermediate values",
}


@dataclass(frozen=True)
class Memory:
    """Bytes that a training step needs; the data that batches are cut from are the caller's and not counted.

    Args:
        parameters: all of them.
        state: of the optimiser.
        gradients: by all parameters at once, since an update may need the norm of all.
        before: copies of parameters and state. A step whose results are not finite is undone with them.
        batch: the rows of one step.
        kept: intermediate values that are there when the loss is known and are read after that.
        scratch: what the work space holds beside them at the same time.

    >>> print(Memory(4000, 8000, 4000, 12000, 512, 2048, 1024))
    30.8 KiB at most in a training step
       3.9 KiB  parameters
       7.8 KiB  state of the optimiser
       3.9 KiB  gradients
      11.7 KiB  parameters and state as the epoch began
       0.5 KiB  rows of a batch
       2.0 KiB  kept for the backward pass
       1.0 KiB  other intermediate values
    """

    parameters: int
    state: int
    gradients: int
    before: int
    batch: int
    kept: int
    scratch: int

    @property
    def peak(self) -> int:
        """All of it, which is there at the same time."""
        return sum(getattr(self, f.name) for f in fields(self))

    @property
    def least(self) -> int:
        """What any plan of these equations has to hold: parameters, state, and what the backward pass reads."""
        return self.parameters + self.state + self.kept

    def __str__(self) -> str:
        unit, name = next(
            (u, n) for u, n in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")) if u <= self.peak or u == 2**10
        )
        lines = [f"  {getattr(self, f) / unit:6,.1f} {name}  {told}" for f, told in _TOLD.items()]
        return "\n".join([f"{self.peak / unit:,.1f} {name} at most in a training step", *lines])
