"""The Numba target: one readable Python module for a definition; its functions are compiled when first called.

This module writes text only. It imports nothing of Numba.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from symdl.compilation.plan import Plan
from symdl.compilation.statements import Contraction
from symdl.compilation.targets import (
    accumulators,
    compensated,
    formcode,
    helpers as library,
    lanes as of_lanes,
    products,
    slides,
    waves,
    wide,
    workspace,
)
from symdl.compilation.targets.careful import WideEmitter
from symdl.compilation.targets.descents import operands_types, parted
from symdl.compilation.targets.emit import Emitter, Function
from symdl.compilation.targets.epoch import EpochArguments, EpochEmitter
from symdl.compilation.targets.flat import FlatEmitter, flat_width
from symdl.compilation.targets.kernels import ENTRY, FEW, IMPORT as OF_UNITS, SIZED, Kernels, decorators
from symdl.compilation.targets.lanes import Lanes
from symdl.compilation.targets.lanes_epoch import LaneEpochEmitter, gradient_of
from symdl.compilation.targets.scalars import UNSIGNED
from symdl.compilation.targets.sized import shapes_of
from symdl.compilation.targets.teams import LARGE, PART_OF, SHARE, SHARING, SHARING_ANY
from symdl.compilation.targets.together import TeamEmitter
from symdl.compilation.targets.together_epoch import TeamEpochEmitter
from symdl.library.optimisers import Optimizer

#: Functions whose results are exact: not even a multiplication and an addition may become one.
EXACTLY = '@njit(forceinline=True, error_model="numpy")'

#: The same, where they are too long to be copied into every caller.
APART = '@njit(error_model="numpy")'

#: Of all modules.
NJIT = "from symdl.compilation.machine.compiling import njit"
#: Of modules with products of matrices.
SHARED = "from symdl.compilation.shared import"
#: Of modules whose nests are shared.
WORK = "from symdl.compilation.machine.parts import work_of"

INLINED = '@njit(forceinline=True, error_model="numpy", fastmath={"contract"})'


@dataclass(frozen=True)
class Module:
    """An emitted module and how its functions are called."""

    source: str
    functions: dict[str, Function]
    epoch: EpochArguments | None


def emit_module(
    plans: dict[str, Plan],
    dtype: str,
    optimizer: Optimizer | None = None,
    gradients: dict[str, str] | None = None,
    careful: bool = False,
    special: Plan | None = None,
    lanes: Lanes | None = None,
) -> Module:
    """Source with one function for each plan, and `epoch` around the one called "gradient" if there is an optimiser.

    Args:
        plans: by function name.
        dtype: "float64" or "float32".
        optimizer: for `epoch`.
        gradients: gradient output by parameter name.
        careful: in wide numbers (see `careful`).
        special: a `flat` plan of the gradient, for a loop with lengths in its code as well (see `sized`).
        lanes: how the gradient does things beside each other, for such a loop in vectors (see `targets.lanes`).
    """
    kernels = Kernels() if not careful and max(len(plan.items) for plan in plans.values()) > FEW else None
    shared = kernels or Kernels()
    emitters: dict[str, Emitter] = {
        n: WideEmitter(plan, dtype) if careful else TeamEmitter(plan, dtype, kernels, shared)
        for n, plan in plans.items()
    }
    functions = {name: emitter.function(name) for name, emitter in emitters.items()}
    apart = Kernels(shared)
    loop: EpochEmitter | None = None
    if optimizer is not None and gradients is not None:
        made = (plans["gradient"], functions["gradient"], gradients, optimizer, dtype)
        loop = EpochEmitter(*made) if careful else TeamEpochEmitter(*made, parts=apart)
    parts: list[str] = []
    trains = loop is not None
    for name, function in functions.items():
        parts.append("\n".join(_without_idle(function.size_lines)))
        called = trains and name == "gradient"  # by the training loop
        if called and not careful:
            parts.append("\n".join(_without_idle(tuple(emitters[name].kept_lines(name)))))
        types = emitters[name].argument_types()
        if called and isinstance(loop, TeamEpochEmitter) and loop.descents:
            parts += _parted(emitters[name], function, loop.descents)
        else:
            parts.append("\n".join([*decorators(types, name=ENTRY), *_without_idle(function.lines)]))
    arguments = None
    if loop is not None and optimizer is not None and gradients is not None:
        update, lines = loop.update_lines(), loop.lines()
        parts.append("\n".join([*decorators(loop.update_types(), "int64"), *update]))
        parts += apart.sources
        parts.append("\n".join([*loop.decorators(), *lines]))
        arguments = loop.arguments
        given = (plans["gradient"], gradients, optimizer, dtype)
        sized = _of_lanes(lanes, *given) if lanes is not None and not careful else None
        if sized is None and special is not None and kernels is None and not careful:
            sized, lanes = _of_lengths(special, *given), None
        if sized is not None:
            parts += sized
            shapes = shapes_of(plans["gradient"])
            names = (*arguments.data, *arguments.fixed, *arguments.parameters)
            arguments = replace(arguments, sizes={n: shapes[n] for n in names})
    parts = [*shared.sources, *parts]
    text = "\n".join(parts)
    helpers = [accumulators.ADDED] if "= added(" in text else []
    helpers += wide.used(text, APART, EXACTLY) if careful else _called(plans, text, dtype)
    header = _header(plans, dtype, optimizer)
    if f"{UNSIGNED}(" in text:
        header += f"\n{UNSIGNED} = np.uint64  # of subscripts, none of which counts from the end"
    if f"{products.PRODUCT}(" in text:
        maker = SHARING if any(_is_large(plan) for plan in plans.values()) else "shared_product"
        header = _with_import(header, f"{SHARED} {maker}") + f'\n{products.PRODUCT} = {maker}("{dtype}")'
    for name, maker in ((slides.SPREAD, slides.MAKER_SPREAD), (slides.DOTS, slides.MAKER_DOTS)):
        if f"{name}(" in text:
            header = _with_import(header, f"{SHARED} {maker}") + f'\n{name} = {maker}("{dtype}")'
    if f"{SHARE}(" in text:
        helpers.append(PART_OF)
        header = _with_import(header, f"{SHARED} {SHARING_ANY}\n{WORK}") + f'\n{SHARE} = {SHARING_ANY}("{dtype}")'
    if vectors := of_lanes.header(text, dtype, lanes.width if lanes else flat_width(dtype)):
        header = "\n".join([_with_import(header, vectors[0]), *vectors[1]])
    if taken := library.imported("\n".join(helpers)):
        header = _with_import(header, taken)
    header = _with_import(header, OF_UNITS)
    if re.search(r"\b(apart|carray|joined|strand|view)\(", text):
        header = _with_import(header, workspace.IMPORT)
    text = "\n\n\n".join([header, *helpers, *parts])
    return Module(text + "\n", functions, arguments)


def _parted(emitter: Emitter, function: Function, products: Mapping[str, Contraction]) -> list[str]:
    """The functions of a gradient whose last products are the training loop's, those first that others call."""
    types = emitter.argument_types()
    opening, whole, operands = (_without_idle(tuple(lines)) for lines in parted(emitter, function, products))
    heads = [decorators(types), decorators(types, name=ENTRY), decorators(operands_types(types))]
    return ["\n".join([*head, *lines]) for head, lines in zip(heads, (opening, whole, operands), strict=True)]


def _of_lengths(special: Plan, plan: Plan, gradients: dict[str, str], optimizer: Optimizer, dtype: str) -> list[str]:
    """The functions of a loop with lengths in its code, those first that others call."""
    shapes = {**shapes_of(plan), **shapes_of(special)}
    inner = FlatEmitter(special, dtype, shapes).function(f"gradient{SIZED}")
    outer = EpochEmitter(plan, inner, gradients, optimizer, dtype, sized=shapes)
    in_vectors = "\n".join(line for line in inner.lines if f"{of_lanes.SUFFIX}(" in line)
    called = of_lanes.used(in_vectors, dtype, flat_width(dtype)) or []
    functions = [*(source.split("\n") for source in called), inner.lines, outer.update_lines()]
    made = ["\n".join([INLINED, *lines]) for lines in functions]
    return [*made, "\n".join(inner.size_lines), "\n".join([*outer.decorators(), *outer.lines()])]


def _of_lanes(
    lanes: Lanes, plan: Plan, gradients: dict[str, str], optimizer: Optimizer, dtype: str
) -> list[str] | None:
    """The functions of a loop in vectors, those first that others call; None where something has no form for them."""
    inner, apart = gradient_of(lanes, dtype), Kernels()
    outer = LaneEpochEmitter(lanes, plan, inner, gradients, optimizer, dtype, shapes_of(plan), parts=apart)
    functions = ["\n".join([INLINED, *lines]) for lines in (inner.lines, outer.update_lines())]
    called = of_lanes.used("\n".join(functions), dtype, lanes.width)
    if called is None:
        return None
    loop = "\n".join([*outer.decorators(), *outer.lines()])
    helpers = [f"{INLINED}\n{source}" for source in called]
    return [*helpers, "\n".join(inner.size_lines), *functions, *apart.sources, loop]


def _with_import(header: str, line: str) -> str:
    return header.replace(f"{NJIT}\n", f"{NJIT}\n\n{line}\n")


def _is_large(plan: Plan) -> bool:
    """Whether a plan has products that are shared with other threads, where the extents are those that are expected."""
    for item in plan.items:
        if isinstance(item, Contraction):
            sizes = [plan.axes.expected_size(i) for i in (*item.rows, *item.columns, *item.inner)]
            if math.prod(sizes) >= LARGE:
                return True
    return False


def _called(plans: dict[str, Plan], text: str, dtype: str) -> list[str]:
    """The functions that a text calls, those first that others call."""
    called = [formcode.source(f.__name__, f.form, dtype) for f in formcode.forms_in(plans.values())]
    helpers = []
    for name in library.used("\n".join([text, *called])):
        helpers.append(f"{EXACTLY if name in compensated.EXACT else INLINED}\n{library.for_processor(dtype)[name]}")
    for name, source in waves.used("\n".join(called), dtype).items():
        helpers.append(f"{EXACTLY if name == waves.EXACT else APART}\n{source}")
    return helpers + [f"{INLINED}\n{function}" for function in called]


def _header(plans: dict[str, Plan], dtype: str, optimizer: Optimizer | None) -> str:
    trained = f", trained by {optimizer.name}" if optimizer else ""
    titles = dict.fromkeys(p.definition.name for p in plans.values())
    return "\n".join(
        [
            f'"""{", ".join(titles)} in {dtype}{trained}; written by symdl from the equations in the comments.',
            "",
            "Every function writes its results into its last arguments; `work` is scratch of NAME_size(…) numbers.",
            '"""',
            "",
            "import math",
            "",
            "import numpy as np",
            NJIT,
            "",
            f"real = np.{dtype}",
        ]
    )


def _without_idle(lines: tuple[str, ...]) -> list[str]:
    """The lines without extents that nothing uses."""
    kept = list(lines)
    for line in reversed(lines):
        match = re.fullmatch(r"    (\w+) = \w+(\.shape\[\d+\])?", line)
        if match and not any(re.search(rf"\b{match[1]}\b", other) for other in kept if other is not line):
            kept.remove(line)
    return kept
