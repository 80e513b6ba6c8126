"""How accurate compiled functions of several numbers are: losses, and activations that mix numbers.

>>> from symdl.library.losses import LOSSES
>>> made = sweep_fields(LOSSES["l1"].chosen(reduction="none").definition(), dtypes=["float64"], points=60)
>>> made.passed, made.worst
(True, 0.5)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from flint import arb

from symdl.compilation.compiled import Compiled
from symdl.compilation.pipeline import DTYPES, compile
from symdl.core.definitions import Definition
from symdl.core.tensors import Tensor
from symdl.derivation.derive import derive
from symdl.derivation.seeds import seeded
from symdl.testing.conditions import with_magnitude
from symdl.testing.examples import each, examples, slopes_by, width
from symdl.testing.peers import Peer, run_peer
from symdl.testing.records import LIMIT, Accuracy, Place, Swept, conditioned, summary
from symdl.testing.ulps import FORMATS, Format, distances
from symdl.verification.balls import Evaluator, Fixed
from symdl.verification.real import UnclearError, UndefinedError, exact

Array = npt.NDArray[Any]

#: Bits to begin with, and the most that are tried: the exponential of the largest number needs a thousand.
FIRST, LAST = 192, 1 << 13


def sweep_fields(
    definition: Definition,
    *,
    dtypes: Sequence[str] = DTYPES,
    points: int,
    peer: Peer | None = None,
    title: str = "",
    together: bool = False,
) -> Accuracy:
    """Compile a definition and its gradient, and compare both with its equations at many examples.

    Args:
        definition: with one value, or a vector, for each position of the first axis of its inputs.
        dtypes: "float64", "float32".
        points: about how many examples, each of which gives every entry of the value and of the slopes.
        peer: the same function of someone else, measured at the same examples.
        title: of the record; the name of the definition where none is given.
        together: as for `examples`.
    """
    wrt, whole = slopes_by(definition), seeded(definition)
    gradient = derive(whole, wrt=wrt)
    (output,) = definition.outputs
    wanted = [(whole, output), *((gradient.gradient, gradient.names[n]) for n in wrt)]
    seed = next(t.name for t in whole.inputs if t.cotangent_of and t.cotangent_of[1] == output)
    rows = []
    for dtype in dtypes:
        arrays = examples(definition, dtype, points, together)
        problems = list(each(_with_seeds(arrays, whole[seed], dtype, together), whole, together))
        known = [true_values(problem, whole, wanted, FORMATS[dtype]) for problem in problems]
        code = compile(whole, wrt=wrt, dtype=dtype)  # type: ignore[arg-type]
        ours = _collected(partial(_run, code, output, wrt), problems)
        others = None if peer is None else _collected(partial(run_peer, peer, seed, wrt), problems)
        for k, part in enumerate(["value", *(f"slope by {n}" for n in wrt)]):
            truths = [t for one in known for t in one[k]]
            places = [_place(p, seed, k > 0) for p, one in zip(problems, known, strict=True) for _ in one[k]]
            made = summary(part, dtype, places, ours[k], truths, others and others[k])
            rows.append(made if made.passed else _conditioned(made, problems, whole, wanted[k], ours[k], truths))
    return Accuracy(title or definition.name, tuple(rows))


def _conditioned(
    row: Swept,
    problems: Sequence[Mapping[str, Array]],
    whole: Definition,
    wanted: tuple[Definition, str],
    got: Array,
    truths: Sequence[arb | None],
) -> Swept:
    """The record with the errors in ulps of the sum of |terms|, where those of the value are beyond the limit."""
    form, (definition, name) = FORMATS[row.dtype], wanted
    sized, size = with_magnitude(definition, name)
    width = len(truths) // len(problems)
    off, _ = distances(got, truths, row.dtype)
    beyond = np.flatnonzero(off > LIMIT).tolist()
    try:
        sizes = [true_values(problems[k // width], whole, [(sized, size.name)], form)[0][k % width] for k in beyond]
    except UnclearError:  # a term is so near to 0 that its sign is not clear
        return row
    return conditioned(row, off[beyond], got[beyond], [truths[k] for k in beyond], sizes)


def _with_seeds(arrays: Mapping[str, Array], seed: Tensor, dtype: str, together: bool) -> dict[str, Array]:
    """Each entry of the value of an example is differentiated in turn: a slope of 1 by it, and 0 by the others."""
    count = max(len(a) for a in arrays.values() if a.ndim)
    shape = tuple(width(i.extent) for i in seed.indices[not together :])
    unit = np.eye(math.prod(shape), dtype=dtype)
    return {**arrays, seed.name: np.array([unit[k % len(unit)].reshape(shape) for k in range(count)])}


def _run(code: Compiled, output: str, wrt: Sequence[str], problem: Mapping[str, Array]) -> list[Array]:
    with np.errstate(all="ignore"):
        slopes = code.gradient(**problem)
        return [code(**problem)[output], *[slopes[n] for n in wrt]]


def _collected(call: Callable[[Mapping[str, Array]], list[Array]], problems: Sequence[Mapping[str, Array]]) -> Any:
    """The results of every problem, one after the other, for each part."""
    found = [call(p) for p in problems]
    return [np.concatenate([np.ravel(one[k]) for one in found]) for k in range(len(found[0]))]


def _place(problem: Mapping[str, Array], seed: str, slope: bool) -> Place:
    return {n: a.tolist() for n, a in problem.items() if slope or n != seed}


def true_values(
    problem: Mapping[str, Array], whole: Definition, wanted: Sequence[tuple[Definition, str]], form: Format
) -> list[list[arb | None]]:
    """Every entry of each part, as the equations have it; None where it has no value."""
    extents: dict[Any, int] = {}
    values: dict[Any, Any] = {}
    for t in whole.inputs:
        extents |= {i.extent: n for i, n in zip(t.indices, problem[t.name].shape, strict=True) if i.extent.is_Symbol}
        whole_numbers = np.asarray(problem[t.name])
        values |= {(t.name, k): exact(v.item()) for k, v in np.ndenumerate(whole_numbers)}
    found, point = [], Fixed(values | extents)
    known: dict[tuple[int, int], Evaluator] = {}  # entries share what they are computed from
    for definition, name in wanted:
        sizes = [int(i.extent.subs(extents)) for i in definition[name].indices]
        elements = [definition[name][k] for k in np.ndindex(*sizes)]
        found.append([_tight(definition, e, point, form, known) for e in elements])
    return found


def _tight(
    definition: Definition, element: Any, point: Fixed, form: Format, known: dict[tuple[int, int], Evaluator]
) -> arb | None:
    """The value with as many bits as it takes; `known` keeps an evaluator for each definition and number of bits."""
    bits = FIRST
    while True:
        key = id(definition), bits
        if key not in known:
            known[key] = Evaluator(point, definition, precision=bits)
        try:
            ball = known[key].value(element)
            if form.tight(ball) or abs(ball) > arb(2) ** (form.beyond + 1):
                return ball
        except UndefinedError:
            return None
        except UnclearError:
            pass
        if bits >= LAST:
            raise UnclearError(f"{element} of {definition.name} is not clear in {bits} bits", where=str(point.values))
        bits *= 2
