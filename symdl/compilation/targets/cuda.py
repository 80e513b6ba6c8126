"""The CUDA target: one readable Python module of numba-cuda device functions and kernels for a definition.

This module writes text only. It imports nothing of CUDA.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from symdl.compilation.plan import Plan
from symdl.compilation.targets import cuda_helpers, cuda_sized_epoch, cuda_sums
from symdl.compilation.targets.cuda_emit import CudaEmitter, DeviceFunction
from symdl.compilation.targets.cuda_epoch import CudaEpochEmitter, numbers_among
from symdl.compilation.targets.cuda_graph import GraphEmitter, Kernel, product_kernels
from symdl.compilation.targets.cuda_graph_epoch import GraphEpochEmitter
from symdl.compilation.targets.emit import is_number
from symdl.compilation.targets.epoch import EpochArguments
from symdl.compilation.targets.scalars import UNSIGNED, indented
from symdl.compilation.targets.sized import shapes_of
from symdl.library.optimisers import Optimizer

#: What `steps` says, in order: how many models there are, and how far the arrays of one are from those of the next.
#: "home" is what of a model outlives a launch, "space" what it needs during one.
STEPS = ("models", "order", "numbers", "home", "space", "whole", "wide", "hyper", "losses")


def _run_by(whom: str) -> tuple[str, ...]:
    return (
        f"A device function is run by all threads of {whom}. Arrays are flat; `sizes` holds the extents that",
        "NAME_extents(…) gives, and `work` is scratch of NAME_size(…) numbers.",
    )


_ABOUT = {
    "block": _run_by("one block"),
    "grid": _run_by("all blocks of a grid"),
    "graph": (
        "A function NAME(run, …) of the host launches kernels and matrix products, by `run`, which may put them into a",
        "graph. Arrays are flat; NAME_extents(…) gives the extents, and `work` is scratch of NAME_size(…) numbers.",
    ),
}


@dataclass(frozen=True)
class CudaLayout:
    """What `space` and `whole` hold, by name, in order.

    Args:
        pairs: parameters, then `parameter.state`; each twice over.
        parts: of `space`: the pairs, batches of data, the outputs of `gradient`, "work".
        whole: batches of integers.
        numbers: inputs that are numbers, of which each model has its own.
    """

    pairs: tuple[str, ...]
    parts: tuple[str, ...]
    whole: tuple[str, ...]
    numbers: tuple[str, ...]


@dataclass(frozen=True)
class CudaModule:
    """An emitted module and how its kernels are called; `kernels` are those that functions of the host launch."""

    source: str
    functions: dict[str, DeviceFunction]
    epoch: EpochArguments | None
    layout: CudaLayout | None
    scope: str
    kernels: tuple[Kernel, ...] = ()


def emit_module(
    plans: Mapping[str, Plan],
    dtype: str,
    optimizer: Optimizer | None = None,
    gradients: Mapping[str, str] | None = None,
    scope: str = "block",
    ordered: bool = False,
    threads: int = cuda_helpers.THREADS,
) -> CudaModule:
    """Source with a device function and a kernel for each plan, and `train` kernels if there is an optimiser.

    Args:
        plans: by function name, made with `parallel`.
        dtype: "float64" or "float32".
        optimizer: for `train`.
        gradients: gradient output by parameter name.
        scope: "block" where one block runs a function, "grid" where all of them do.
        ordered: see `CudaEmitter`.
        threads: of a block: a power of two.
    """
    if scope == "graph":
        return _of_graphs(plans, dtype, optimizer, gradients, ordered, threads)
    functions = {name: CudaEmitter(plan, dtype, ordered, scope, threads).function(name) for name, plan in plans.items()}
    parts: list[str] = []
    for name, function in functions.items():
        parts += ["\n".join(function.size_lines), "\n".join(function.extent_lines)]
        parts += [*function.bodies, "\n".join(["@device", *function.lines]), _kernel(name, function)]
    arguments = layout = None
    if optimizer is not None and gradients is not None:
        emitter = CudaEpochEmitter(plans["gradient"], functions["gradient"], dict(gradients), optimizer, dtype)
        arguments = emitter.arguments
        numbers = numbers_among(plans["gradient"], arguments.fixed)
        layout = CudaLayout(emitter.pairs, emitter.parts, emitter.whole, numbers)
        parts.append("\n".join(["@device", *emitter.lines()]))
        parts.append(_train(emitter, layout, dtype, scope, shared=False))
        if scope == "block":
            parts.append(_train(emitter, layout, dtype, scope, shared=True))
            given = (plans["gradient"], functions["gradient"], dict(gradients), optimizer, dtype)
            sized = cuda_sized_epoch.sources(*given, ordered, threads)
            if sized:
                parts += sized
                shapes = shapes_of(plans["gradient"])
                names = (*arguments.data, *arguments.fixed, *arguments.parameters)
                arguments = replace(arguments, sizes={n: shapes[n] for n in names})
    text = "\n".join(parts)
    helpers = cuda_helpers.sources(text, plans.values(), dtype, scope, threads)
    if arguments is not None and arguments.sizes:
        helpers = [*helpers, *cuda_sized_epoch.helpers(text, dtype, threads)]
    header = _header(plans, dtype, optimizer, scope, threads, cuda_helpers.instructions([*helpers, *parts]))
    source = "\n\n\n".join([header, *helpers, *parts]) + "\n"
    return CudaModule(source, functions, arguments, layout, scope)


def _of_graphs(
    plans: Mapping[str, Plan],
    dtype: str,
    optimizer: Optimizer | None,
    gradients: Mapping[str, str] | None,
    ordered: bool,
    threads: int,
) -> CudaModule:
    """The module whose functions launch kernels and products (see `targets.cuda_graph`)."""
    functions = {name: GraphEmitter(plan, dtype, ordered, threads).function(name) for name, plan in plans.items()}
    kernels: list[Kernel] = []
    parts: list[str] = []
    for function in functions.values():
        kernels += function.kernels
        parts += [*function.bodies, *(k.source for k in function.kernels)]
        parts += ["\n".join(lines) for lines in (function.size_lines, function.extent_lines, function.lines)]
    arguments = layout = None
    if optimizer is not None and gradients is not None:
        emitter = GraphEpochEmitter(plans["gradient"], functions["gradient"], dict(gradients), optimizer, dtype)
        arguments = emitter.arguments
        whole = tuple(n for n in arguments.data if emitter.tensors[n].integer)
        layout = CudaLayout((), (), whole, numbers_among(plans["gradient"], arguments.fixed))
        kernels += emitter.kernels()
        parts += [*(k.source for k in emitter.kernels()), "\n".join(emitter.lines())]
    products = product_kernels("\n".join(parts), dtype)
    parts = [*(k.source for k in products), *parts]
    text = "\n".join(parts)
    helpers = [*cuda_helpers.sources(text, plans.values(), dtype, "graph", threads), *cuda_sums.sources(text)]
    header = _header(plans, dtype, optimizer, "graph", threads, cuda_helpers.instructions([*helpers, *parts]))
    source = "\n\n\n".join([header, *helpers, *parts]) + "\n"
    return CudaModule(source, dict(functions), arguments, layout, "graph", (*products, *kernels))


def _header(
    plans: Mapping[str, Plan], dtype: str, optimizer: Optimizer | None, scope: str, threads: int, imports: list[str]
) -> str:
    trained = f", trained by {optimizer.name}" if optimizer else ""
    titles = dict.fromkeys(p.definition.name for p in plans.values())
    return "\n".join(
        [
            f'"""{", ".join(titles)} in {dtype} on CUDA{trained}; written by symdl from the equations in the comments.',
            "",
            *_ABOUT[scope],
            '"""',
            "",
            "import math",
            "",
            "import numpy as np",
            "from numba import cuda, types",
            "from numba.core import config",
            "",
            *([*imports, ""] if imports else []),
            f"real = np.{dtype}",
            f"{UNSIGNED} = np.uint64  # of subscripts, none of which counts from the end",
            f"THREADS = {threads}  # of a block",
            f"registers = {{}} if config.ENABLE_CUDASIM else {{'max_registers': {cuda_helpers.REGISTERS}}}",
            "device, kernel = cuda.jit(device=True), cuda.jit(cache=True, **registers)",
        ]
    )


def _kernel(name: str, function: DeviceFunction) -> str:
    arrays = ", ".join(function.arrays)
    return "\n".join(
        [
            "@kernel",
            f"def {name}_kernel(meet, sizes, {arrays}):",
            *indented(
                [
                    "parts = cuda.shared.array(THREADS, np.float64)",
                    f"{name}(cuda.grid(1), cuda.gridsize(1), parts, meet, sizes, 0, {arrays})",
                ]
            ),
        ]
    )


def _train(emitter: CudaEpochEmitter, layout: CudaLayout, dtype: str, scope: str, *, shared: bool) -> str:
    """The kernel that trains models, each in one block, or one after the other in the whole grid."""
    data = [emitter.py[n] for n in emitter.arguments.data]
    fixed = [emitter.py[n] for n in emitter.arguments.fixed]
    arrays = [emitter.py[n] for n in emitter.arguments.fixed if n not in layout.numbers]
    given = "".join(f"{n}, " for n in (*data, *arrays))
    block = scope == "block"
    step = {name: f"steps[{k}]" for k, name in enumerate(STEPS)}
    of_block = "cuda.blockIdx.x" if block else "0"
    space = f"cuda.shared.array(0, types.{dtype})" if shared else f"scratch[{of_block}*{step['space']}:]"
    passed = [*data, *fixed]
    each = [
        *(f"{emitter.py[n]} = numbers[model*{step['numbers']} + {k}]" for k, n in enumerate(layout.numbers)),
        "begin, before = model*kept, done[model]",
        "for entry in range(thread, kept, threads):",
        f"    space[{UNSIGNED}(entry)] = home[{UNSIGNED}(begin + entry)]",
        "barrier()",
        "completed = epoch(",
        f"    thread, threads, parts, meet, sizes, starts, order[model*{step['order']}:],",
        "    first_step + before, before,",
        *(f"    {', '.join(passed[k : k + 8])}," for k in range(0, len(passed), 8)),
        f"    space, whole[{of_block}*{step['whole']}:], wide[model*{step['wide']}:], hyper[model*{step['hyper']}:],",
        f"    losses[model*{step['losses']}:], broken_at[model:],",
        ")",
        "barrier()",
        "for entry in range(thread, kept, threads):",
        f"    home[{UNSIGNED}(begin + entry)] = space[{UNSIGNED}(entry)]",
        "if thread == 0:",
        "    done[model] = before + completed",
        "barrier()",
    ]
    models = f"range(cuda.blockIdx.x, {step['models']}, cuda.gridDim.x)" if block else f"range({step['models']})"
    lines = [
        "parts = cuda.shared.array(THREADS, np.float64)",
        "thread, threads = cuda.threadIdx.x, cuda.blockDim.x"
        if block
        else "thread, threads = cuda.grid(1), cuda.gridsize(1)",
        f"space, kept = {space}, {step['home']}",
        f"for model in {models}:",
        *indented(each),
    ]
    return "\n".join(
        [
            "@kernel",
            f"def {'train_shared_kernel' if shared else 'train_kernel'}(",
            f"    meet, sizes, starts, steps, order, first_step, {given}".rstrip(),
            f"    numbers, home, {'' if shared else 'scratch, '}whole, wide, hyper, losses, broken_at, done,",
            "):",
            *indented(lines),
        ]
    )


__all__ = ["STEPS", "CudaLayout", "CudaModule", "emit_module", "is_number"]
