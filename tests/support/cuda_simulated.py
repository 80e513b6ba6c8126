"""Run in a process of its own, with NUMBA_ENABLE_CUDASIM=1: compile definitions for the target "cuda", check included.

Arguments: `name:dtype:scope[:option]…`, with the name of a definition of tests/conformance; tests has to be on the
path. Options: ordered, broken, many, train, rows, misplaced; tf32 and bfloat16 with a stand-in for cuBLAS, which keeps
K bits with bitsK and is not looked at by itself with unseen, and without a training loop with untrained. Prints a line
of JSON for each: what the cross-check found, or what it refused.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from support import attention
from support.rounded_products import StandIn
from symdl.compilation import (
    compile,
    crosscheck_rounded,
    cublas,
    cuda_build,
    cuda_feed,
    cuda_runtime,
    cuda_session,
    devices,
    rowblocks,
)
from symdl.compilation.cuda_models import Batch
from symdl.compilation.report import Loss
from symdl.compilation.targets import cuda_graph, cuda_helpers, cuda_rows, cuda_sums
from symdl.core.define import Input, Param, Sum, define, let, mean
from symdl.core.definitions import Definition
from symdl.errors import BudgetError, CrossCheckError, DefinitionError, UnsupportedError
from symdl.library.optimisers import adam
from symdl.library.schedules import plateau
from symdl.training.loop import train
from symdl.training.many import ManyFits, train_many

sys.path.insert(0, str(Path(__file__).parents[1] / "conformance"))
import constructs
import definitions
import products

EVERY = {d.name: d for d in (*definitions.EVERY, *products.EVERY, *(made for made, _ in constructs.PEERS.values()))}
TREE, FIRST_ROW = cuda_helpers._TEAM, cuda_rows.RowEmitter._first_row
COLUMNS = cuda_sums._COLUMNS
SEND = cuda_feed.Feed._send
LIBRARY_ABOVE, AT_HAND, CHECK_PRODUCTS = cuda_graph.LIBRARY_ABOVE, cublas.at_hand, crosscheck_rounded.check_products


def main() -> None:
    folder = Path(os.environ["SYMDL_CACHE_DIR"])
    for number, argument in enumerate(sys.argv[1:]):
        # a cache of its own: what is patched here is nothing that programs are told apart by
        os.environ["SYMDL_CACHE_DIR"] = str(folder / str(number))
        name, dtype, scope, *options = argument.split(":")
        cuda_build.SMALL = 2**62 if scope == "block" else -1
        cuda_build.LARGE = scope if scope != "block" else "graph"
        # a fault in how a team adds up its parts: the last pair of them is left out
        cuda_helpers._TEAM = TREE.replace("while half > 0", "while half > 1") if "broken" in options else TREE
        cuda_sums._COLUMNS = COLUMNS.replace("half >= width", "half > width") if "broken" in options else COLUMNS
        precision = next((o for o in options if o in ("tf32", "bfloat16")), "")
        stand_in(precision, options)
        if precision:
            found = lossy(name, precision, untrained="untrained" in options)
        elif "rows" in options or "misplaced" in options:
            found = by_rows(attention.scores, dtype, "misplaced" in options)
        elif "train" in options:
            found = trained(dtype)
        else:
            found = many(name, dtype) if "many" in options else checked(name, dtype, "ordered" in options)
        print(json.dumps({"case": argument, **found}), flush=True)


def stand_in(precision: str, options: list[str]) -> None:
    """Put something in the place of cuBLAS that rounds, or take it away again."""
    bits = next((int(o.removeprefix("bits")) for o in options if o.startswith("bits")), None)
    cuda_graph.LIBRARY_ABOVE = 0 if precision else LIBRARY_ABOVE

    def library(dtype: str, products: str = "exact") -> StandIn:
        return StandIn(dtype, products, bits if products != "exact" else None)

    cublas.at_hand = library if precision else AT_HAND
    unseen = Loss("product", "unseen", 0.0, 0.0, 0.0, 0.0)
    crosscheck_rounded.check_products = (lambda *given: unseen) if "unseen" in options else CHECK_PRODUCTS


def lossy(name: str, products: str, untrained: bool) -> dict[str, object]:
    """What products of rounded factors lose, as it is reported."""
    definition = EVERY[name]
    trained = {} if untrained else {"optimizer": adam(0.01)}
    try:
        code = compile(definition, dtype="float32", target="cuda", products=products, **trained)
    except CrossCheckError as error:
        return {"refused": str(error)}
    exact = max(c.ulps_of_largest for c in code.report.checked if c.scale <= 2)
    again = compile(definition, dtype="float32", target="cuda", products=products, **trained)
    kept = again.from_cache and again.report == code.report and again.program.products == products
    return {
        "losses": [vars(loss) for loss in code.report.losses],
        "told": str(code.report),
        "exact": exact,
        "kept": kept,
    }


def by_rows(definition: Definition, dtype: str, misplaced: bool) -> dict[str, object]:
    """How far values and slopes by blocks of four rows, the last one of three, are from those of the processor."""
    rowblocks.LARGE, rowblocks.BLOCK, rowblocks.FEWEST, rowblocks.GROWN = 100, 4 * 2 * 11, 2, 0
    # a fault: products of every block read the first rows of what exists as a whole
    cuda_rows.RowEmitter._first_row = (lambda self, item, operand: "") if misplaced else FIRST_ROW
    rng = np.random.default_rng(0)
    sizes = {"n": 2, "t": 11, "s": 11, "e": 32, "i": 3}
    arrays = {t.name: rng.normal(size=[sizes[i.name] for i in t.indices]) for t in definition.inputs}
    names, extents = [p.name for p in definition.parameters], {"n": 2, "t": 11, "e": 32}
    found = []
    for target in ("cuda", "numba"):
        try:
            code = compile(definition, target=target, dtype=dtype, wrt=names, extents=extents)
        except CrossCheckError as error:
            return {"refused": str(error)}
        found.append(code.gradient(**arrays))
        assert target == "numba" or "for first_row in range" in code.source, "no blocks"
    one, other = found
    return {"off": max(float(abs(one[n] - other[n]).max()) for n in other)}


def checked(name: str, dtype: str, ordered: bool) -> dict[str, object]:
    definition = EVERY[name]
    options = {"dtype": dtype, "target": "cuda", "deterministic": ordered}
    try:
        try:
            code = compile(definition, optimizer=adam(0.01), **options)
        except (DefinitionError, UnsupportedError):  # nothing to take batches of
            code = compile(definition, wrt=[p.name for p in definition.parameters], **options)
    except CrossCheckError as error:
        return {"refused": str(error)}
    source = {"atomic": "cuda.atomic.add" in code.source, "grid": "this_grid" in code.source}
    return {"ulps": code.report.worst, "trains": code.optimizer is not None, **source}


def trained(dtype: str) -> dict[str, object]:
    """How far a model is from what the processor trains: masks drawn anew, and a rate that falls between epochs."""

    @define
    def thinned(x=Input("n i"), t=Input("n"), w=Param("i"), m=Input("n i", mask=0.5)):
        n, i = x.indices
        a = let("a[n]", Sum(w[i] * m[n, i] * x[n, i], i))
        return let("L", mean((t[n] - a[n]) ** 2, n))

    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(7, 3)), rng.normal(size=7)
    rule = adam(plateau(0.05, factor=0.5, patience=0))
    fits = []
    for target in ("numba", "cuda"):
        code = compile(thinned, optimizer=rule, dtype=dtype, target=target, extents={"n": 3, "i": 3})
        fits.append(train(code, X, y, epochs=3, batch_size=3, validation=(X, -y), progress=False))
    one, other = fits
    # the same in chunks of two batches: of 6 rows and of 1, from the host, with masks that change there
    apart = replace(code, program=replace(code.program, chunk=6))
    cuda_runtime.free_memory = lambda: 420  # bytes: 4 rows can be measured at a time
    chunked = train(apart, X, y, epochs=3, batch_size=3, validation=(X, -y), progress=False)
    try:
        code(x=X, t=y, w=one.parameters["w"], m=np.ones((7, 3)))
        whole = "fits"
    except BudgetError as error:
        whole = str(error)
    cuda_runtime.free_memory = devices.free_memory
    measured = chunked.history.training_loss / other.history.training_loss - 1
    same = chunked.parameters["w"].tobytes() == other.parameters["w"].tobytes()
    same &= chunked.history.step_loss.tobytes() == other.history.step_loss.tobytes()
    off = float(abs(one.parameters["w"] / other.parameters["w"] - 1).max())
    losses = [fit.history.step_loss for fit in fits]
    steps = [len(each) for each in losses]
    return {
        "off": off,
        "loss": float(abs(losses[0] - losses[1]).max()),
        "steps": steps,
        "same": same,
        "whole": whole,
        "measured": float(abs(measured).max()),
    }


def many(name: str, dtype: str) -> dict[str, object]:
    """How far three models, one of which diverges, are from those that the processor trains."""
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(7, 3)), rng.normal(size=7)
    settings = {"lr": [0.01, 0.02, 1e200]}

    def ran(target: str) -> ManyFits:
        options = {"hyperparameters": settings, "batch_size": 3, "dtype": dtype, "target": target}
        return train_many(EVERY[name], X, y, epochs=2, seeds=[4, 5, 6], **options)

    one, other = ran("numba"), ran("cuda")
    off = [float((abs(one.parameters[p] / other.parameters[p] - 1)).max()) for p in one.parameters]
    steps = [one.steps.tolist(), other.steps.tolist()]
    found = {"off": max(off), "loss": float(np.nanmax(abs(one.loss - other.loss))), "steps": steps}
    return found | with_little_memory(other, {"x": X.astype(dtype), "t": y.astype(dtype)}, lambda: ran("cuda"))


def with_little_memory(wanted: ManyFits, data: dict[str, Any], again: Callable[[], ManyFits]) -> dict[str, object]:
    """The same models where the device holds one at a time and two batches of data, and where it holds less."""
    code = wanted.code
    arrays = {**data, **wanted.parameters_of(0)}
    batch = Batch({n: a[:1] for n, a in wanted.parameters.items()}, {}, {}, {})
    chunk = sum(code.program.needs(arrays, batch, 7, 3).in_chunks(3).values())
    sent: list[int] = []
    found: dict[str, object] = {"sent": sent}
    cuda_feed.Feed._send = lambda feed, place, rows: (sent.append(len(rows)), SEND(feed, place, rows))
    for what, budget in (("chunks", chunk), ("less", chunk - 1)):
        cuda_feed.free_memory = cuda_session.free_memory = lambda budget=budget: budget
        try:
            made = again()
            found[what] = [made.parameters[n].tobytes() == a.tobytes() for n, a in wanted.parameters.items()]
            found[what] += [made.loss.tobytes() == wanted.loss.tobytes(), (made.steps == wanted.steps).all().item()]
        except BudgetError as error:
            found[what] = str(error)
    cuda_feed.Feed._send = SEND
    cuda_feed.free_memory = cuda_session.free_memory = devices.free_memory
    return found


if __name__ == "__main__":
    main()
