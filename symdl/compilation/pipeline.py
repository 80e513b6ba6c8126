"""From a definition to checked machine code: what was built before is linked, anything else is built (see `building`).

A process that finds its program in the cache loads nothing of what derives, emits and checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from symdl import compilation
from symdl.compilation import cache, devices
from symdl.compilation.compiled import Compiled
from symdl.compilation.extents import Axes, sizes_from_names, unreadable
from symdl.compilation.functions import linked
from symdl.compilation.options import checked_wrt
from symdl.compilation.precision import Precision, check_precision
from symdl.compilation.report import Report
from symdl.compilation.runtime import Program, signatures_of
from symdl.compilation.serialise import canonical
from symdl.compilation.shared import symbol_of
from symdl.core.definitions import Definition
from symdl.core.pauses import collection_paused
from symdl.errors import DefinitionError, UnsupportedError
from symdl.library.optimisers.record import Optimizer

DTYPES = ("float64", "float32")
TARGETS = ("numba", "cuda")


def compile(
    definition: Definition,
    *,
    wrt: str | tuple[str, ...] | list[str] | None = None,
    optimizer: Optimizer | None = None,
    dtype: Literal["float64", "float32"] = "float64",
    extents: Mapping[str, int] | None = None,
    target: str = "numba",
    predict: bool = False,
    careful: bool | None = None,
    deterministic: bool = False,
    products: Precision = "exact",
) -> Compiled:
    """Compile a definition; with `wrt` also its gradient, with `optimizer` also the training loop.

    The code runs on any shapes; `extents` decides what is multiplied as matrices. Before this returns, the very
    functions that it returns have been compared with the equations in 50-digit arithmetic (see `Compiled.report`).

    Args:
        definition: forward equations, or a gradient definition: both are only equations.
        wrt: names to differentiate the target by; with an optimiser, all parameters by default.
        optimizer: such as `sd.sgd(0.1)`.
        dtype: of all real-valued numbers.
        extents: expected lengths by index name; 32 is assumed for those that are symbolic. One that no input says (the
            number of groups of a group norm) is fixed by it.
        target: "numba", for the processor; "cuda", for an NVIDIA GPU (see docs/cuda.md).
        predict: whether the outputs that need no target are compiled apart, as they are with an optimiser.
        careful: every value between inputs and outputs has twice the digits of float64 and does not overflow, which
            takes ten to a hundred times as long; None: where the definition asks for it.
        deterministic: two runs on a GPU give the same bits also where sums go to computed places (embeddings, strided
            convolutions); on the processor they always do.
        products: of large matrices on a GPU, in float32: "exact" multiplies float32, "tf32" and "bfloat16" round
            factors to fractions of 10 and 7 bits and add up in float32, which takes less time. What that loses is
            measured, and held against what it can lose at the most: `report.losses`. Small products stay exact.

    Raises:
        CrossCheckError: the code disagrees with the equations.
        DefinitionError, UnsupportedError: what cannot be compiled.
        MissingDependencyError: Numba or SciPy is not installed; there is no GPU that can be used, or no cuBLAS for
            rounded products.
        OutputError: the code cache cannot be written.

    >>> from symdl.core.define import define, Input, Param, let, mean, tanh
    >>> @define
    ... def unit(x=Input("n"), t=Input("n"), w=Param()):
    ...     (n,) = x.indices
    ...     return let("L", mean((t[n] - tanh(w * x[n])) ** 2, n))
    >>> unit_code = compile(unit, wrt="w")
    >>> result = unit_code.gradient(x=[0.0, 1.0], t=[0.0, 1.0], w=0.5)
    >>> print(f"{result['L']:.6f} {result['w']:.6f}")
    0.144659 -0.423017
    >>> unit_code.report.worst < 10
    True
    """
    options: dict[str, Any] = {
        "wrt": wrt,
        "optimizer": optimizer,
        "dtype": dtype,
        "extents": extents,
        "target": target,
        "predict": predict,
        "careful": careful,
        "deterministic": deterministic,
        "products": products,
    }
    check_precision(products, dtype, target)
    _check_options(definition, dtype, target, extents)
    if (by_names := definition.by_names()) is not definition:
        return replace(compile(by_names, **options), definition=definition)
    if (general := definition.general) is not None:
        # what a mean divides by is tied to its axis there, so that the same code can be checked on small extents
        known = {n: e for n, e in general.extents.items() if n in general.definition.extents} | dict(extents or {})
        made = compile(_settled(general.definition, known), **{**options, "extents": known})
        return replace(made, definition=definition)
    definition = _settled(definition, extents or {})
    careful = definition.careful if careful is None else careful
    if careful and target == "cuda":
        raise _no_wide_numbers(definition)
    names = checked_wrt(definition, wrt) if wrt is not None or optimizer is not None else None
    key = cache.key_of(
        {
            "definition": canonical(definition),
            "wrt": names,
            "optimizer": optimizer and _key(optimizer),
            "dtype": dtype,
            "extents": dict(extents or {}),
            "target": target,
            **({"predict": True} if predict else {}),
            **({"careful": True} if careful else {}),
            **({"device": devices.environment(), "deterministic": deterministic} if target == "cuda" else {}),
            **({"products": products} if products != "exact" else {}),
        }
    )
    entry = cache.find(key)
    if products != "exact":
        compilation.cublas.require(products)
    program = _found(entry, target, dtype) if entry is not None else None
    if entry is not None and program is not None:
        report = Report.from_json(entry.record["report"])
        path = str(entry.folder / cache.PROGRAM)
        return Compiled(definition, dtype, optimizer, report, path, key, True, program)
    wanted = compilation.building.Wanted(definition, names, optimizer, dtype, target, dict(extents or {}), products)
    with collection_paused():  # nearly all that is made stays until the program is whole
        return compilation.building.built(wanted, key, predict, careful, deterministic)


def _no_wide_numbers(definition: Definition) -> UnsupportedError:
    return UnsupportedError(
        f"{definition.name} can't be compiled in wide numbers for a GPU",
        why="numbers with twice the digits of float64 are there for the processor only",
        remedy="compile it with target='numba', or with careful=False and the digits of float64",
    )


def _key(optimizer: Optimizer) -> list[Any]:
    """What of an optimiser is compiled: its equations, not the values of its hyperparameters."""
    step = optimizer.step and canonical(optimizer.step)
    states = [dict(optimizer.state), dict(optimizer.step_state)]
    return [canonical(optimizer.update), step, sorted(optimizer.hyper), *states]


def _settled(definition: Definition, extents: Mapping[str, int]) -> Definition:
    """The definition with those extents fixed that no array will say, such as the number of groups of a group norm."""
    known = {n: extents[n] for n in unreadable(definition) if n in extents}
    return replace(definition.at(**known), general=None) if known else definition


def _check_options(definition: Definition, dtype: str, target: str, extents: Mapping[str, int] | None) -> None:
    if dtype not in DTYPES:
        raise DefinitionError(f"no dtype '{dtype}'", where="compile", remedy=f"one of {', '.join(DTYPES)}")
    if target not in TARGETS:
        raise UnsupportedError(f"no target '{target}'", where="compile", remedy=f"one of {', '.join(TARGETS)}")
    if target == "cuda":
        devices.require_gpu()
    sizes_from_names(Axes(definition), extents or {})


def _found(entry: cache.Entry, target: str, dtype: str) -> Program | None:
    """A program of the cache; None where its machine code is not what was recorded, or cannot be linked here."""
    if target == "cuda":
        path = str(entry.folder / cache.PROGRAM)
        return compilation.cuda_build.loaded(entry.source, path, entry.record, dtype, entry.record["key"])
    record, data = entry.record.get("machine"), entry.machine()
    if record is None or data is None:
        return None
    made = {maker: symbol_of(maker, dtype) for maker in record["shared"]}
    if (found := linked(record, data, entry.source)) is None:
        return None
    functions, epoch = signatures_of(entry.record)
    return Program(dtype, entry.source, functions, epoch, dict(entry.record["gradients"]), {**found, **made})
