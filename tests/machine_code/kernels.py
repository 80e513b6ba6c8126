"""Emitted kernels → PTX and cubin by NVIDIA's compiler, without a GPU.

Numba asks the current device for its compute capability when it compiles a device function; here it is told one.
"""

from __future__ import annotations

import importlib
import sysconfig
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from symdl.compilation.cuda_build import emitted
from symdl.compilation.gradients import programs_for
from symdl.compilation.plan import Plan, make_plan
from symdl.compilation.runtime import load_source
from symdl.compilation.targets.cuda import CudaModule, emit_module
from symdl.compilation.targets.emit import is_number
from symdl.core.definitions import Definition
from symdl.library.optimisers import Optimizer


def emit(
    definition: Definition,
    dtype: str,
    scope: str | None = None,
    optimizer: Optimizer | None = None,
    ordered: bool = False,
) -> tuple[CudaModule, dict[str, Plan]]:
    """The module of a definition, its gradient and its prediction, for a scope or the one that its size asks for."""
    programs = programs_for(definition, tuple(p.name for p in definition.parameters), predicts=True)
    plans = {n: make_plan(d, {}, parallel=True) for n, d in programs.stable.items()}
    if scope is None:
        return emitted(plans, dtype, optimizer, programs.gradients, ordered), plans
    return emit_module(plans, dtype, optimizer, programs.gradients, scope, ordered), plans


def replaced(module: CudaModule, old: str, new: str) -> CudaModule:
    """The module with another text in its source."""
    return replace(module, source=module.source.replace(old, new))


def types_of(name: str, module: CudaModule, plans: dict[str, Plan], dtype: str) -> tuple[Any, ...]:
    """The types of the arguments of a kernel."""
    types = importlib.import_module("numba").types
    real, whole, wide = (types.Array(getattr(types, t), 1, "C") for t in (dtype, "int64", "float64"))

    def of(plan: Plan, tensor: str) -> Any:
        found = plan.definition.tensors[tensor]
        return getattr(types, dtype) if is_number(found) else whole if found.integer else real

    if known := {k.name: k for k in module.kernels}:
        made = [a.partition("[") for a in known[name].arguments.values()]
        return tuple(types.Array(getattr(types, t), 1, "C") if array else getattr(types, t) for t, array, _ in made)
    function = name.removesuffix("_kernel")
    if function in module.functions:
        plan, made = plans[function], module.functions[function]
        return (wide, whole, *(of(plan, n) for n in made.inputs), *(real for _ in made.outputs), real)
    assert module.epoch is not None and module.layout is not None
    given = [*module.epoch.data, *(n for n in module.epoch.fixed if n not in module.layout.numbers)]
    arrays = [of(plans["gradient"], n) for n in given]
    if "sized" in name:
        numbers = [types.int64] * 4
        return (wide, *numbers, whole, types.int64, *arrays, real, real, whole, wide, wide, real, whole, whole)
    scratch = [] if "shared" in name else [real]
    tail = (real, real, *scratch, whole, wide, wide, real, whole, whole)
    return (wide, whole, whole, whole, whole, types.int64, *arrays, *tail)


def machine_code(
    module: CudaModule, plans: dict[str, Plan], dtype: str, capability: tuple[int, int], kernels: Iterable[str] = ()
) -> dict[str, tuple[str, bytes]]:
    """The PTX and the cubin of each kernel of a module, or of those named."""
    from numba import cuda

    dispatcher = importlib.import_module("numba.cuda.dispatcher")
    dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=capability)
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "program.py")  # kernels keep their machine code beside the file that they stand in
        path.write_text(module.source, encoding="utf-8")
        for name, kernel in load_source(module.source, str(path), "machine_code").items():
            if name in kernels or (not kernels and name.endswith("_kernel")):
                ptx, _ = cuda.compile_ptx(kernel.py_func, types_of(name, module, plans, dtype), cc=capability)
                found[name] = (ptx, linked(ptx, capability))
    return found


def linked(ptx: str, capability: tuple[int, int]) -> bytes:
    """PTX as machine code, by nvJitLink."""
    from cuda.bindings import nvjitlink

    site = sysconfig.get_paths()["purelib"]
    handle = nvjitlink.create(1, [f"-arch=sm_{capability[0]}{capability[1]}"])
    try:
        text = ptx.encode() + b"\0"
        nvjitlink.add_data(handle, nvjitlink.InputType.PTX, text, len(text), "kernel")
        if "cudaCG" in ptx:  # waiting for a whole grid is a function of NVIDIA's runtime for devices
            runtime = next(Path(site, "nvidia").rglob("libcudadevrt.a")).read_bytes()
            nvjitlink.add_data(handle, nvjitlink.InputType.LIBRARY, runtime, len(runtime), "cudadevrt")
        nvjitlink.complete(handle)
        code = bytearray(nvjitlink.get_linked_cubin_size(handle))
        nvjitlink.get_linked_cubin(handle, code)
        return bytes(code)
    finally:
        nvjitlink.destroy(handle)
