"""Plans → a CUDA module, and back from the cache: what the pipeline asks of the target "cuda"."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from symdl.compilation.cuda_graph_session import GraphProgram
from symdl.compilation.cuda_models import Layout
from symdl.compilation.cuda_runtime import CudaProgram, threads_of_a_block
from symdl.compilation.cuda_session import TrainingProgram
from symdl.compilation.fusion import statements_in
from symdl.compilation.plan import Plan
from symdl.compilation.records import record_of
from symdl.compilation.runtime import Program, load_source, signatures_of
from symdl.compilation.statements import Contraction
from symdl.compilation.targets.cuda import CudaModule, emit_module
from symdl.compilation.targets.cuda_graph import is_by_library
from symdl.library.optimisers import Optimizer

#: Up to so many bodies in all its loops, a function is run by one block: waiting for the whole grid takes longer.
SMALL = 2**22
#: What runs larger ones: "graph" or "grid".
LARGE = "graph"


def emitted(
    plans: Mapping[str, Plan],
    dtype: str,
    optimizer: Optimizer | None,
    gradients: Mapping[str, str],
    ordered: bool,
) -> CudaModule:
    """The module for plans, for one block or as launches by the work that is expected."""
    scope = "block" if max(work(plan) for plan in plans.values()) <= SMALL else LARGE
    return emit_module(plans, dtype, optimizer, gradients, scope, ordered, threads_of_a_block())


def work(plan: Plan) -> int:
    """How many bodies a plan evaluates on the extents that are expected.

    >>> from symdl.compilation.plan import make_plan
    >>> from symdl.core.define import Input, Sum, define, let
    >>> @define
    ... def total(x=Input("n i")):
    ...     n, i = x.indices
    ...     return let("s", Sum(x[n, i], n, i))
    >>> work(make_plan(total, {"n": 10, "i": 20}, parallel=True))
    201
    """
    size = plan.axes.expected_size
    found = 0
    for item in plan.items:
        if isinstance(item, Contraction):
            found += math.prod(size(i) for i in (*item.loops, *item.rows, *item.columns, *item.inner))
        else:
            found += sum(math.prod(size(i) for i in s.loops) for s in statements_in(item))
    return found


def products_by_library(plans: Mapping[str, Plan], module: CudaModule) -> dict[str, frozenset[str]]:
    """The equations, by function, whose products the library computes; "" for one that the plan has none of."""
    if module.scope != "graph":
        return {}
    found = {}
    for name, plan in plans.items():
        equations = {repr(eq): eq.name for eq in plan.definition.equations}
        large = [i for i in plan.items if isinstance(i, Contraction) and is_by_library(plan, i)]
        if large:
            found[name] = frozenset(equations.get(i.source, "") for i in large)
    return found


def signatures(module: CudaModule, gradients: Mapping[str, str], products: str = "exact") -> dict[str, Any]:
    """What is needed beside the source to call a module."""
    return {
        **record_of(module.functions, module.epoch, gradients),
        "scope": module.scope,
        "free": [n for n, f in module.functions.items() if f.free],
        "spread": [n for n, f in module.functions.items() if f.spread],
        "layout": asdict(module.layout) if module.layout else None,
        "products": products,
    }


def exactly(program: Program) -> Program:
    """The same program with exact products."""
    return replace(program, products="exact") if isinstance(program, CudaProgram) else program


def loaded(source: str, path: str, record: Mapping[str, Any], dtype: str, key: str) -> TrainingProgram:
    """A module in memory; its kernels are compiled when they are first launched."""
    functions, epoch = signatures_of(record)
    space, layout = load_source(source, path, key), record["layout"]
    made = GraphProgram if record["scope"] == "graph" else TrainingProgram
    return made(
        dtype,
        source,
        functions,
        epoch,
        dict(record["gradients"]),
        space,
        scope=record["scope"],
        free=tuple(record["free"]),
        spread=tuple(record["spread"]),
        layout=Layout(*(tuple(layout[n]) for n in ("pairs", "parts", "whole", "numbers"))) if layout else None,
        products=record["products"],
    )
