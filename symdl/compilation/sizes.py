"""Which training steps get a loop with lengths in its code (see `targets.sized`)."""

from __future__ import annotations

from symdl.compilation.counts import operations
from symdl.compilation.plan import Plan
from symdl.compilation.targets.sized import Shapes, is_known, shapes_of

#: Scalar operations of a step up to which it is worth it. Processor time of a step, float32, one core of an AMD Zen 5:
#: 2-8-1, batch 4 (794 operations) 0.32 µs instead of 0.77; 64 networks 4-16-1 side by side (529,410) 39 instead of 174;
#: 8-64-64-1, batch 32, Adam (909,474) 9.4 instead of 10.6.
SMALL = 1_000_000


def is_small(plan: Plan) -> bool:
    """Whether all lengths of a step are known, and it takes few operations."""
    return is_known(plan) and operations(plan, lengths_of(plan, shapes_of(plan))) <= SMALL


def lengths_of(plan: Plan, shapes: Shapes) -> dict[str, int]:
    """The lengths of axes by the names of their indices."""
    return {i.name: n for b in plan.buffers for i, n in zip(b.tensor.indices, shapes[b.name], strict=True)}
