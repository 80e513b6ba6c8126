"""What Numba is spared when it compiles emitted functions, and that it is left as it was."""

from __future__ import annotations

import operator
import platform
from typing import Any

import llvmlite.binding  # type: ignore[import-untyped]
import numba
import numpy as np
from numba import int64
from numba.core.compiler import DefaultPassBuilder
from numba.core.registry import cpu_target

from symdl.compilation.machine import compiling


def test_passes_that_are_left_out_are_passes_of_numbas() -> None:
    """One that has another name in a later version would be run again, and nobody would see it."""
    names: list[str] = []

    class Recording(compiling.Plain):
        def define_pipelines(self) -> list[Any]:
            names.extend(p.name() for p, _ in DefaultPassBuilder.define_nopython_pipeline(self.state).passes)
            return super().define_pipelines()

    made = numba.njit("int64(int64)", pipeline_class=Recording)(lambda x: x + 1)
    assert made(41) == 42
    assert set(names) >= compiling.IDLE | {compiling.COUNTING}


def test_an_operator_on_numbers_is_asked_for_once(monkeypatch: Any) -> None:
    context, asked = cpu_target.typing_context, []
    ask = type(context).resolve_function_type

    def counted(self: Any, function: Any, given: Any, named: Any) -> Any:
        asked.append((getattr(function, "typing_key", function), given))
        return ask(self, function, given, named)

    monkeypatch.setattr(type(context), "resolve_function_type", counted)
    monkeypatch.setattr(compiling, "_SIGNATURES", {})
    with compiling.types_remembered():
        made = [compiling.njit("int64(int64, int64)")(lambda a, b: a * b + a * (b + a)) for _ in range(2)]
    assert [f(2, 3) for f in made] == [16, 16]
    assert [asked.count((op, (int64, int64))) for op in (operator.mul, operator.add)] == [1, 1]


def test_numba_is_left_as_it_was() -> None:
    context = cpu_target.typing_context
    before = dict(vars(context))
    with compiling.types_remembered(), compiling.types_remembered():
        assert "resolve_function_type" in vars(context)
    assert dict(vars(context)).keys() == before.keys()
    assert "resolve_function_type" not in vars(context)


def test_loops_take_all_lanes_of_the_processor() -> None:
    """Where LLVM would halve them by what it knows of the processor's model."""

    def doubled(x: Any, y: Any) -> None:
        for i in range(x.shape[0]):
            y[i] = 2 * x[i]

    made = compiling.njit("(float32[::1], float32[::1])")(doubled)
    (signature,) = made.signatures
    assert compiling.WIDE in made.inspect_llvm(signature)
    registers = "zmm" if llvmlite.binding.get_host_cpu_features().get("avx512f") else "mm"
    assert platform.machine() not in ("x86_64", "AMD64") or registers in made.inspect_asm(signature)


@compiling.njit
def cubed_form(x: float) -> float:
    return x * x * x


def test_long_innermost_loops_take_several_vectors_at_a_time(monkeypatch: Any) -> None:
    """A loop around it, and one without a form, are left to LLVM."""

    def with_form(x: Any, y: Any) -> None:
        for i in range(x.shape[0]):
            for k in range(x.shape[1]):
                y[i, k] = cubed_form(x[i, k])

    def without(x: Any, y: Any) -> None:
        for i in range(x.shape[0]):
            y[i] = x[i] * x[i] * x[i]

    told: list[Any] = []
    tell = compiling._interleave
    monkeypatch.setattr(compiling, "_interleave", lambda module, branch: (tell(module, branch), told.append(branch)))
    for function, kind, shape in ((with_form, "float64[:, ::1]", (7, 50)), (without, "float64[::1]", (350,))):
        made = compiling.njit(f"({kind}, {kind})")(function)
        x, y = np.full(shape, 3.0), np.zeros(shape)
        made(x, y)
        assert (y == 27).all()
    (branch,) = told
    loop = branch.metadata["llvm.loop"]
    assert loop.operands[0] is loop and loop.operands[1].operands[1].constant == compiling.VECTORS
