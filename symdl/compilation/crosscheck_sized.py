"""A part of the cross-check: the training loop with lengths in its code, beside the one that takes any lengths.

Both run at those lengths, on the same numbers. The general one has been compared with the equations.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from symdl.compilation.accuracy import TOLERANCES
from symdl.compilation.crosscheck import Findings
from symdl.compilation.report import Checked
from symdl.compilation.runtime import Program, prepared
from symdl.compilation.samples import NARROWER, sample
from symdl.compilation.targets.kernels import SIZED
from symdl.core.definitions import Definition
from symdl.errors import CrossCheckError
from symdl.library.optimisers import Optimizer

Array = npt.NDArray[Any]
#: Steps that are compared, and the standard deviation of random inputs.
STEPS, SCALE = 3, 0.5


def check_sized(definition: Definition, program: Program, optimizer: Optimizer, findings: Findings) -> bool:
    """Compare losses, parameters and states after three steps; whether they could be compared.

    Raises:
        CrossCheckError: the two loops disagree.
    """
    assert program.epoch is not None
    if not program.epoch.sizes:
        return False
    rng = np.random.default_rng(13)
    for narrowing in NARROWER[1:]:
        general, special = _both(definition, program, optimizer, rng, narrowing)
        if all(np.isfinite(v).all() for v in general.values()):
            break
    else:
        findings.overflows["the loop with lengths in its code is not used: no inputs were found to compare it on"] = (
            None
        )
        return False
    limit = TOLERANCES[program.dtype].ulps_per_step * STEPS
    for name, wanted in general.items():
        found = _ulps(special[name], wanted, program.dtype)
        key = (f"epoch{SIZED}", name, False)
        findings.worst[key] = Checked(f"epoch{SIZED}", name, found, found, SCALE, (0,) * wanted.ndim)
        if not found <= limit:
            raise CrossCheckError(
                f"the training loop with lengths in its code disagrees with the general one in {name}",
                where="the cross-check at its own lengths",
                why=f"after {STEPS} steps they are {found:.3g} ulps apart, {limit:g} are allowed",
                remedy="report this with the definition; the code was not returned",
            )
    return True


def _both(
    definition: Definition, program: Program, optimizer: Optimizer, rng: np.random.Generator, narrowing: Any
) -> tuple[dict[str, Array], dict[str, Array]]:
    """What both loops make of the same random inputs."""
    epoch = program.epoch
    assert epoch is not None
    batch = epoch.sizes[epoch.data[0]][0]
    rows = STEPS * batch
    shapes = {n: (rows, *s[1:]) if n in epoch.data else s for n, s in epoch.sizes.items()}
    missing = {t.name: t for t in definition.inputs if t.name not in shapes}
    full = {t.name: shapes.get(t.name, (1,) * t.rank) for t in definition.inputs}
    drawn = sample(definition, full, SCALE, program.dtype, rng)
    start = {t.name: drawn[t.name] if t.integer else narrowing(drawn[t.name]) for t in definition.inputs}
    states = epoch.start(optimizer.start, {p: np.empty(epoch.sizes[p], program.dtype) for p in epoch.parameters})
    order = rng.permutation(rows)
    found = []
    for loop in ("epoch", f"epoch{SIZED}"):
        arrays = {t.name: prepared(t, np.array(start[t.name]), program.dtype) for t in definition.inputs}
        arrays = {n: a for n, a in arrays.items() if n not in missing}
        held = {k: np.array(v) for k, v in states.items()}
        _, losses = program.run_loop(loop, arrays, held, optimizer.hyper, order, batch, 0)
        made = {"losses": losses, **{p: arrays[p] for p in epoch.parameters}}
        found.append({n: np.array(v) for n, v in (*made.items(), *((f"{p} {s}", v) for (p, s), v in held.items()))})
    return found[0], found[1]


def _ulps(found: Array, wanted: Array, dtype: str) -> float:
    """The largest difference, in units in the last place of the largest entry; infinite where a number is not."""
    if found.shape != wanted.shape or not np.isfinite(found).all():
        return float("inf")
    size = np.abs(wanted).max(initial=np.finfo(dtype).tiny)
    return float(np.abs(found.astype(float) - wanted).max(initial=0.0) / np.spacing(np.array(size, dtype)))
