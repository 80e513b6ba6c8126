"""Building a program: derive, stabilise, plan, emit, compile, cross-check, publish in the cache."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from symdl.compilation import cache, cuda_build, helpers, team
from symdl.compilation.beside import beside, inside
from symdl.compilation.compiled import Compiled
from symdl.compilation.counts import operations
from symdl.compilation.crosscheck import Findings, Subject, caller, check_functions, check_gradient
from symdl.compilation.crosscheck_epoch import check_epoch
from symdl.compilation.crosscheck_rounded import Rounded, check_rounded
from symdl.compilation.crosscheck_sized import check_sized
from symdl.compilation.extents import Axes, small_shapes
from symdl.compilation.functions import Functions, units_of
from symdl.compilation.gradients import Programs, programs_for
from symdl.compilation.lanes import TINY, lanes_for
from symdl.compilation.plan import Plan, make_plan
from symdl.compilation.plan_check import check_plan
from symdl.compilation.records import record_of
from symdl.compilation.report import Report
from symdl.compilation.runtime import Program, load_source, signatures_of
from symdl.compilation.shared import MAKERS
from symdl.compilation.signs import with_signs_of_results
from symdl.compilation.sizes import is_small, lengths_of
from symdl.compilation.slopes import with_slopes_kept
from symdl.compilation.targets.lanes import Lanes
from symdl.compilation.targets.lanes_epoch import is_apart
from symdl.compilation.targets.numba import emit_module
from symdl.compilation.targets.products import tiles
from symdl.compilation.targets.sized import is_known, shapes_of
from symdl.core.definitions import Definition
from symdl.errors import MissingDependencyError
from symdl.library.optimisers.record import Optimizer

#: Work that programs share is cut for so many threads in the cross-check; the caller takes what nobody else does.
THREADS = 3


@dataclass(frozen=True)
class Wanted:
    """What is to be built; extents as expected lengths by index name."""

    definition: Definition
    names: tuple[str, ...] | None
    optimizer: Optimizer | None
    dtype: str
    target: str
    extents: Mapping[str, int]
    products: str = "exact"


def built(wanted: Wanted, key: str, predict: bool, careful: bool, deterministic: bool) -> Compiled:
    """The program, in the cache under that key; arguments and errors as for `pipeline.compile`."""
    with helpers.crew(helpers.count() if wanted.target == "numba" else 0) as crew:
        return _built(wanted, key, predict, careful, deterministic, crew)


def _built(wanted: Wanted, key: str, predict: bool, careful: bool, deterministic: bool, crew: helpers.Crew) -> Compiled:
    begun = time.perf_counter()
    definition, optimizer, dtype = wanted.definition, wanted.optimizer, wanted.dtype
    programs = programs_for(definition, wanted.names, predict or optimizer is not None, careful)
    if wanted.target == "cuda":
        plans = {n: _planned(d, wanted.extents, parallel=True) for n, d in programs.stable.items()}
        module = cuda_build.emitted(plans, dtype, optimizer, programs.gradients, deterministic)
        record = cuda_build.signatures(module, programs.gradients, wanted.products)
        source, rounded = module.source, cuda_build.products_by_library(plans, module)
    else:
        source, record = _emitted(programs, dtype, optimizer, wanted.extents, careful)
        rounded = {}
    with cache.building(source) as folder:
        load = cuda_build.loaded if wanted.target == "cuda" else partial(_program, crew)
        program = load(source, str(folder / cache.PROGRAM), record, dtype, key)
        # with rounded products, everything else is what the same code gives with exact ones
        exact = cuda_build.exactly(program)
        with team.in_parts(THREADS):
            findings = _cross_check(definition, programs, exact, optimizer)
            kept = optimizer is not None and check_sized(definition, exact, optimizer, findings)
        if wanted.products != "exact":
            check_rounded(Rounded(definition, programs, program, exact, optimizer, rounded), findings)
        if program.epoch and not kept:
            program, record = replace(program, epoch=replace(program.epoch, sizes={})), _without_sizes(record)
        if isinstance(program.space, Functions):
            record = {**record, "machine": _stored(program.space, folder)}
        report = _report(findings, definition, wanted.products, time.perf_counter() - begun)
        path = cache.publish(folder, key, {**record, "report": report.to_json()})
    return Compiled(definition, dtype, optimizer, report, str(path / cache.PROGRAM), key, False, program)


def _without_sizes(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record of a program whose loop with lengths in its code is not used."""
    return {**record, "epoch": {**record["epoch"], "sizes": {}}}


def _emitted(
    programs: Programs, dtype: str, optimizer: Optimizer | None, extents: Mapping[str, int], careful: bool
) -> tuple[str, dict[str, Any]]:
    """The source for the processor, and what is needed beside it to call it."""
    stable = {n: d if careful else with_signs_of_results(with_slopes_kept(d)) for n, d in programs.stable.items()}
    windows = not careful and tiles(dtype) is not None
    plans = {n: _planned(d, extents, not careful, windows=windows) for n, d in stable.items()}
    special = lanes = None
    if optimizer is not None and not careful and is_known(plans["gradient"]):
        lanes = _lanes(stable["gradient"], plans["gradient"], dtype) if is_apart(optimizer) else None
        special = _planned(stable["gradient"], extents, flat=True) if is_small(plans["gradient"]) else None
    module = emit_module(plans, dtype, optimizer, dict(programs.gradients), careful, special, lanes)
    return module.source, record_of(module.functions, module.epoch, programs.gradients)


def _lanes(gradient: Definition, plan: Plan, dtype: str) -> Lanes | None:
    """How a gradient does what it treats alike, if it has anything of the kind."""
    apart = beside(gradient, plan.axes)
    whole = operations(plan, lengths_of(plan, shapes_of(plan)))
    parts = inside(gradient, plan.axes) if whole <= TINY else ()
    for found in [apart] if apart is not None else parts:
        lengths = {i.name: plan.axes.expected_size(i) for t in found.one.tensors.values() for i in t.indices}
        one = _planned(found.one, lengths, products=False, lanes=True)
        if (lanes := lanes_for(found, one, shapes_of(one), dtype, whole)) is not None:
            return lanes
    return None


def _stored(functions: Functions, folder: Path) -> dict[str, Any]:
    """The record of a program's machine code, which is written into the folder."""
    record, data = functions.stored()
    (folder / cache.MACHINE).write_bytes(data)
    return {**record, "shared": [maker for maker in MAKERS if maker in functions]}


def _planned(
    definition: Definition,
    extents: Mapping[str, int],
    products: bool = True,
    **options: bool,
) -> Plan:
    known = {n: e for n, e in extents.items() if n in definition.extents}
    plan = make_plan(definition, known, products=products, **options)
    check_plan(plan)
    return plan


def _program(crew: helpers.Crew, source: str, path: str, record: Mapping[str, Any], dtype: str, key: str) -> Program:
    try:
        space = load_source(source, path, key)
    except ImportError as error:
        raise MissingDependencyError(
            f"{error.name or 'Numba'} is not installed",
            why="it compiles the code that symdl writes",
            remedy="pip install 'symdl[compile]'",
        ) from error
    crew.start((source, path, key), units_of(space))
    functions, epoch = signatures_of(record)
    return Program(dtype, source, functions, epoch, dict(record["gradients"]), Functions(space, crew))


def _cross_check(definition: Definition, programs: Programs, program: Program, optimizer: Optimizer | None) -> Findings:
    """Every function of the program, or an error.

    Exact values come first: helpers compile meanwhile, and who calls a function waits for all of them.
    """
    findings = Findings(program.dtype)
    shapes = small_shapes(Axes(definition))
    subjects = {n: Subject(caller(program, n, d), d) for n, d in programs.written.items()}
    comparisons = [check_functions(subjects, shapes, findings)]
    if "gradient" in programs.written:
        check_gradient(definition, programs.written["gradient"], programs.gradients, shapes, findings)
    if optimizer is not None:
        comparisons.append(check_epoch(definition, programs, program, optimizer, shapes, findings))
    for compare in comparisons:
        compare()
    return findings


def _report(findings: Findings, definition: Definition, products: str, seconds: float) -> Report:
    return Report(
        findings.dtype,
        small_shapes(Axes(definition)),
        findings.points,
        tuple(findings.worst.values()),
        findings.gradient_error,
        tuple(findings.overflows),
        round(seconds, 3),
        products,
        tuple(findings.losses),
    )
