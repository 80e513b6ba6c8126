"""Gradients of the library with one changed equation, as functions: refuted, or the same function in other words.

A run takes a few of them; SYMDL_HYPOTHESIS_PROFILE=thorough takes 25 of each definition of the library (some minutes).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symdl as sd
from symdl.core.tensors import Role
from symdl.errors import SymdlError
from symdl.testing.handwritten import quick
from symdl.testing.handwritten.arithmetic import sizes_of
from symdl.testing.handwritten.mutations import mutations
from symdl.testing.handwritten.subject import Subject, lifted, subject

THOROUGH = os.environ.get("SYMDL_HYPOTHESIS_PROFILE") == "thorough"
FEW = ("batch_norm", "max_pool1d", "prelu", "rms_norm")
#: Too slow for a round of the whole library, or with extents that shapes do not say.
LEFT_OUT = (
    "gpt",
    "lenet5",
    "transformer_block",
    "conv3d",
    "depthwise_conv3d",
    "group_norm",
    "residual_block",
    "lstm",
    "gru",
)
OPTIONS: dict[str, dict[str, Any]] = {"conv1d": {"kernel": 3}, "conv2d": {"kernel": 3, "stride": 2}}
NAMES = [e.name for e in sd.definitions() if e.name not in LEFT_OUT] if THOROUGH else FEW
COUNT = 25 if THOROUGH else 5


def real_inputs(definition: Any) -> list[str]:
    return [t.name for t in definition.inputs if not t.integer and t.role is not Role.HYPERPARAMETER]


def as_function(about: Subject, equations: Any, far: list[float]) -> Callable[..., Any]:
    """The slopes by changed equations; `far` gets how far they were from the right ones, relative to the largest."""
    names = [t.name for t in about.gradient.inputs]
    parameters = [n + "_" * (n == "lambda") for n in names]

    def run(*arrays: Any) -> Any:
        given = {n: np.asarray(a) for n, a in zip(names, arrays, strict=True)}
        sizes = sizes_of(about.gradient, given)
        found = quick.evaluate(equations, given, sizes)
        right = quick.evaluate(about.gradient.equations, given, sizes)
        for slope in about.slopes.values():
            size = float(np.max(np.abs(right[slope]), initial=0.0))
            off = float(np.max(np.abs(found[slope] - right[slope]), initial=0.0))
            # beyond 1e100 and below 1e-100, and where something overflows, both are what rounding makes of them
            if 1e-100 < size < 1e100 and np.isfinite(off):
                far.append(off / size)
        return tuple(found[s] for s in about.slopes.values())

    space: dict[str, Any] = {"run": run}
    exec(f"def changed({', '.join(parameters)}):\n    return run({', '.join(parameters)})", space)
    return space["changed"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", NAMES)
def test_changed_gradients_are_refuted_or_no_others(name: str) -> None:
    definition = sd.definition(name, **OPTIONS.get(name, {}))
    wide = lifted(definition)
    about = subject(wide, real_inputs(wide), wide.outputs[:1] if wide.target.rank else ())
    forward = wide.by_name
    every = [
        (e.name, m)
        for e in about.gradient.equations
        if e.name not in (*forward, about.gradient.outputs[0])
        for m in mutations(about, e)
        if not m.square
    ]
    rng = np.random.default_rng(20261126)
    refuted = 0
    for k in rng.permutation(len(every))[:COUNT]:
        changed, mutation = every[k]
        equations = [mutation.equation if e.name == changed else e for e in about.gradient.equations]
        far: list[float] = []
        try:
            found = sd.check_code(as_function(about, equations, far), definition, about.wrt, explain=False)
        except SymdlError:
            continue  # equations that read themselves
        refuted += not found
        assert not found or max(far) < 1e-6, f"{name}: {mutation.words}, {max(far):.1e}: {found}"
    assert refuted
