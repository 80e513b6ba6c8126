"""Which training steps get a loop with lengths in its code (see `targets.sized`)."""

from __future__ import annotations

from symdl.compilation.counts import operations
from symdl.compilation.plan import Plan
from symdl.compilation.targets.sized import size_of

#: Scalar operations of a step up to which it is worth it. Processor time of a step, float32, one core of an AMD Zen 5:
#: 2-8-1, batch 4 (794 operations) 0.32 µs instead of 0.77; 64 networks 4-16-1 side by side (529,410) 39 instead of 174;
#: 8-64-64-1, batch 32, Adam (909,474) 9.4 instead of 10.6.
SMALL = 1_000_000


def shapes_of(plan: Plan) -> dict[str, tuple[int, ...]]:
    """The expected shapes of all tensors of a plan; none where one is not known, or the step is not small."""
    axes = plan.axes
    tensors = [b.tensor for b in plan.buffers]
    found = {t.name: tuple(axes.size(i, axes.expected) or 0 for i in t.indices) for t in tensors}
    if any(0 in shape for shape in found.values()) or any(size_of(axes, e.key) is None for e in plan.extents):
        return {}
    named = {i.name: size for t in tensors for i, size in zip(t.indices, found[t.name], strict=True)}
    return found if operations(plan, named) <= SMALL else {}
