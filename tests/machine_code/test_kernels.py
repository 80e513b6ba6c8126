"""Every kind of kernel as machine code for two generations of GPUs, by NVIDIA's compiler and without a GPU.

`.ci/kernels` runs this in an environment of its own; elsewhere it is skipped for want of the compiler.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "conformance"))
import definitions
import kernels
import products

from symdl.errors import DefinitionError, UnsupportedError
from symdl.library.optimisers import adam

pytest.importorskip("numba_cuda")

EVERY = {d.name: d for d in (*definitions.EVERY, *products.EVERY)}
#: Each shape of item once: teams and all threads, products of a block and of a grid, scatters of both kinds, maxima.
CASES = (
    ("unit_tanh", "float32", "block", False, (9, 0)),
    ("net_softmax_cross_entropy", "float64", "grid", False, (8, 0)),
    ("embedding", "float32", "grid", False, (9, 0)),
    ("embedding", "float64", "block", True, (8, 0)),
    ("scores", "float32", "grid", False, (9, 0)),
    ("scores", "float64", "block", False, (8, 0)),
    ("padded", "float32", "block", False, (8, 0)),
    ("product_and_maximum", "float64", "grid", False, (9, 0)),
    ("net_l2", "float32", "graph", False, (9, 0)),
    ("product_and_maximum", "float64", "graph", False, (8, 0)),
    ("unit_tanh", "float64", "graph", False, (8, 0)),
)


@pytest.mark.parametrize(("name", "dtype", "scope", "ordered", "capability"), CASES)
def test_kernels_become_machine_code(
    name: str, dtype: str, scope: str, ordered: bool, capability: tuple[int, int]
) -> None:
    try:
        module, plans = kernels.emit(EVERY[name], dtype, scope, adam(1e-3), ordered)
    except (DefinitionError, UnsupportedError):  # nothing to take batches of
        module, plans = kernels.emit(EVERY[name], dtype, scope, None, ordered)
    last = "train_shared_kernel" if module.epoch and scope == "block" else "train_kernel" if module.epoch else ""
    wanted = ("gradient_kernel", last) if last else ("gradient_kernel",)
    if scope == "graph":
        wanted = tuple(k.name for k in module.kernels if not k.name.startswith(("evaluate", "predict")))
    found = kernels.machine_code(module, plans, dtype, capability, wanted)
    assert set(found) == set(wanted)
    for ptx, cubin in found.values():
        assert f".target sm_{capability[0]}{capability[1]}" in ptx
        assert cubin[:4] == b"\x7fELF"


def test_a_kernel_that_can_not_be_compiled_is_noticed() -> None:
    module, plans = kernels.emit(EVERY["unit_tanh"], "float64", "block")
    broken = kernels.replaced(module, "    evaluate(cuda", "    evaluate_unknown(cuda")
    with pytest.raises(Exception, match="evaluate_unknown"):
        kernels.machine_code(broken, plans, "float64", (9, 0), ("evaluate_kernel",))
