"""From a definition to checked machine code: derive, stabilise, plan, emit, compile, cross-check, cache."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from symdl.compilation import cache, cuda_build, devices, team
from symdl.compilation.compiled import Compiled
from symdl.compilation.crosscheck import Call, Findings, Subject, check_functions, check_gradient
from symdl.compilation.crosscheck_epoch import check_epoch
from symdl.compilation.crosscheck_sized import check_sized
from symdl.compilation.extents import Axes, resized, sizes_from_names, small_shapes, unreadable
from symdl.compilation.functions import Functions, linked
from symdl.compilation.gradients import Programs, checked_wrt, programs_for
from symdl.compilation.plan import Plan, make_plan
from symdl.compilation.plan_check import check_plan
from symdl.compilation.records import record_of, signatures_of
from symdl.compilation.report import Report
from symdl.compilation.runtime import Program, load_source, prepared
from symdl.compilation.serialise import canonical
from symdl.compilation.shared import MAKERS, symbol_of
from symdl.compilation.sizes import is_small
from symdl.compilation.targets.numba import emit_module
from symdl.core.definitions import Definition
from symdl.errors import DefinitionError, MissingDependencyError, UnsupportedError
from symdl.library.optimisers import Optimizer

DTYPES = ("float64", "float32")
#: Work that programs share is cut for so many threads in the cross-check; the caller takes what nobody else does.
THREADS = 3
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

    Raises:
        CrossCheckError: the code disagrees with the equations.
        DefinitionError, UnsupportedError: what cannot be compiled.
        MissingDependencyError: Numba or SciPy is not installed; there is no GPU that can be used.
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
    }
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
        }
    )
    entry = cache.find(key)
    program = _found(entry, target, dtype) if entry is not None else None
    if entry is not None and program is not None:
        report = Report.from_json(entry.record["report"])
        path = str(entry.folder / cache.PROGRAM)
        return Compiled(definition, dtype, optimizer, report, path, key, True, program)
    predicts = predict or optimizer is not None
    begun = time.perf_counter()
    programs = programs_for(definition, names, predicts, careful)
    if target == "cuda":
        plans = {n: _planned(d, extents or {}, parallel=True) for n, d in programs.stable.items()}
        module = cuda_build.emitted(plans, dtype, optimizer, programs.gradients, deterministic)
        record = cuda_build.signatures(module, programs.gradients)
        source = module.source
    else:
        source, record = _emitted(programs, dtype, optimizer, extents or {}, careful)
    return _build(definition, programs, optimizer, dtype, key, target, source, record, begun)


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


def _build(
    definition: Definition,
    programs: Programs,
    optimizer: Optimizer | None,
    dtype: str,
    key: str,
    target: str,
    source: str,
    record: dict[str, Any],
    begun: float,
) -> Compiled:
    with cache.building(source) as folder:
        program = _load(target)(source, str(folder / cache.PROGRAM), record, dtype, key)
        with team.in_parts(THREADS):
            findings = _cross_check(definition, programs, program, optimizer)
            kept = optimizer is not None and check_sized(definition, program, optimizer, findings)
        if program.epoch and not kept:
            program, record = replace(program, epoch=replace(program.epoch, sizes={})), _without_sizes(record)
        if isinstance(program.space, Functions):
            record = {**record, "machine": _stored(program.space, folder)}
        report = _report(findings, definition, time.perf_counter() - begun)
        path = cache.publish(folder, key, {**record, "report": report.to_json()})
    return Compiled(definition, dtype, optimizer, report, str(path / cache.PROGRAM), key, False, program)


def _without_sizes(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record of a program whose loop with lengths in its code is not used."""
    return {**record, "epoch": {**record["epoch"], "sizes": {}}}


def _emitted(
    programs: Programs, dtype: str, optimizer: Optimizer | None, extents: Mapping[str, int], careful: bool
) -> tuple[str, dict[str, Any]]:
    """The source for the processor, and what is needed beside it to call it."""
    plans = {name: _planned(d, extents, not careful) for name, d in programs.stable.items()}
    special = None
    if optimizer is not None and not careful and is_small(plans["gradient"]):
        special = _planned(programs.stable["gradient"], extents, flat=True)
    module = emit_module(plans, dtype, optimizer, dict(programs.gradients), careful, special)
    return module.source, record_of(module.functions, module.epoch, programs.gradients)


def _stored(functions: Functions, folder: Path) -> dict[str, Any]:
    """The record of a program's machine code, which is written into the folder."""
    record, data = functions.stored()
    (folder / cache.MACHINE).write_bytes(data)
    return {**record, "shared": [maker for maker in MAKERS if maker in functions]}


def _found(entry: cache.Entry, target: str, dtype: str) -> Program | None:
    """A program of the cache; None where its machine code is not what was recorded, or cannot be linked here."""
    if target == "cuda":
        path = str(entry.folder / cache.PROGRAM)
        return cuda_build.loaded(entry.source, path, entry.record, dtype, entry.record["key"])
    record, data = entry.record.get("machine"), entry.machine()
    if record is None or data is None:
        return None
    made = {maker: symbol_of(maker, dtype) for maker in record["shared"]}
    if (found := linked(record, data, entry.source)) is None:
        return None
    functions, epoch = signatures_of(entry.record)
    return Program(dtype, entry.source, functions, epoch, dict(entry.record["gradients"]), {**found, **made})


def _load(target: str) -> Callable[[str, str, Mapping[str, Any], str, str], Program]:
    return cuda_build.loaded if target == "cuda" else _program


def _planned(
    definition: Definition,
    extents: Mapping[str, int],
    products: bool = True,
    parallel: bool = False,
    flat: bool = False,
) -> Plan:
    known = {n: e for n, e in extents.items() if n in definition.extents}
    plan = make_plan(definition, known, products=products, parallel=parallel, flat=flat)
    check_plan(plan)
    return plan


def _program(source: str, path: str, record: Mapping[str, Any], dtype: str, key: str) -> Program:
    try:
        space = load_source(source, path, key)
    except ImportError as error:
        raise MissingDependencyError(
            f"{error.name or 'Numba'} is not installed",
            why="it compiles the code that symdl writes",
            remedy="pip install 'symdl[compile]'",
        ) from error
    functions, epoch = signatures_of(record)
    return Program(dtype, source, functions, epoch, dict(record["gradients"]), Functions(space))


def _cross_check(definition: Definition, programs: Programs, program: Program, optimizer: Optimizer | None) -> Findings:
    """Every function of the program, or an error."""
    findings = Findings(program.dtype)
    shapes = small_shapes(Axes(definition))
    check_functions({n: Subject(_caller(program, n, d), d) for n, d in programs.written.items()}, shapes, findings)
    if "gradient" in programs.written:
        check_gradient(definition, programs.written["gradient"], programs.gradients, shapes, findings)
    if optimizer is not None:
        check_epoch(definition, programs, program, optimizer, shapes, findings)
    return findings


def _caller(program: Program, name: str, equations: Definition) -> Call:
    """A function of the program as one of arrays by name."""

    def call(arrays: Mapping[str, Any]) -> Mapping[str, Any]:
        given = {t.name: prepared(t, arrays[t.name], program.dtype) for t in equations.inputs}
        from_inputs = {n: np.shape(a) for n, a in given.items()}
        outputs = {n: _shape(equations, n, from_inputs) for n in program.functions[name].outputs}
        return {**given, **program.call(name, given, outputs)}

    return call


def _shape(definition: Definition, name: str, shapes: Mapping[str, tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(int(s) for s in resized(definition, shapes)[name].shape)


def _report(findings: Findings, definition: Definition, seconds: float) -> Report:
    return Report(
        findings.dtype,
        small_shapes(Axes(definition)),
        findings.points,
        tuple(findings.worst.values()),
        findings.gradient_error,
        tuple(findings.overflows),
        round(seconds, 3),
    )
