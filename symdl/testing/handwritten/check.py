"""`check_code`: is a hand-written backward function the gradient of a definition?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from symdl.core.definitions import Definition
from symdl.core.tensors import Role
from symdl.errors import DataError, DefinitionError
from symdl.testing.handwritten.binding import bind, settled
from symdl.testing.handwritten.calls import Code, is_torch, one_by_one, plain, through_autograd
from symdl.testing.handwritten.guesses import guess
from symdl.testing.handwritten.judging import Findings, Judge, other_layouts
from symdl.testing.handwritten.points import Point, points, telling
from symdl.testing.handwritten.subject import Subject, fixed, lifted, missing, sources, subject
from symdl.testing.handwritten.verdict import CodeVerdict
from symdl.verification.verdict import Status, Verdict, Witness

DTYPES = ("float64", "float32")
_EXTENDED = f"extended precision ({np.finfo(np.longdouble).nmant + 1} bits)"


def check_code(
    backward: Callable[..., Any],
    definition: Definition,
    wrt: str | Iterable[str] | None = None,
    *,
    mapping: Mapping[str, Any] | None = None,
    returns: Sequence[str] | None = None,
    outputs: Sequence[str] | str | None = None,
    values: Mapping[str, Any] | None = None,
    extents: Mapping[str, int] | None = None,
    dtypes: Sequence[str] = DTYPES,
    strict: bool = False,
    explain: bool = True,
    seed: int = 0,
) -> CodeVerdict:
    """Check a hand-written backward function against the exact gradient of a definition.

    The gradient is derived and evaluated in 50 digits or more at random points, at zeros, on kinks and beside them, for
    tiny and large numbers, several shapes (distinct primes, axes of one entry), dtypes and memory layouts, with random
    slopes by the outputs. Agreement at points is no proof: a right function is `consistent`, never `proved`.

    Args:
        backward: a function on arrays, in Python, NumPy or Numba, or a `torch.autograd.Function`. Its parameters are
            named after tensors of the definition: inputs, forward values (`h`), and for layers the slope of the loss by
            an output y as `y_bar`, `dy`, `grad_y` or `dout`. It returns one array, a tuple in the order of `wrt`, or a
            dictionary (`{"dW": …}`).
        definition: what it should be the gradient of. Of one between numbers, such as an activation, the function gets
            arrays of one axis.
        wrt: names of what is differentiated by; None: as for `derive`, and of an autograd function all real arguments
            without facts.
        mapping: what parameters mean that are named otherwise: the name of a tensor, a tuple or dictionary of names (a
            cache), or a constant that is passed as it is.
        returns: names of what is returned, in order, where forward values are among the slopes.
        outputs: whose slopes an autograd function gets; None: the first one.
        values: inputs that are not drawn, by name: `{"eps": 1e-5}` where it stands in the text of the function. An
            array says the extents of its axes.
        extents: by index name, where the function works for some extents only.
        dtypes: of the arguments that it is called with.
        strict: NaN and infinity at huge numbers, where the gradient can be represented, are errors, not notes.
        explain: look for the mistake of a wrong function; it may take some seconds.
        seed: of what is drawn.

    Returns:
        A `CodeVerdict`, true where nothing is wrong. What the function raises is reported there.

    Raises:
        DataError: a parameter or a returned thing that is not recognised.
        DefinitionError, ShapeError: names or extents that the definition does not have.

    >>> import numpy as np
    >>> from symdl.library.definitions import definition
    >>> def right(x, W, dy):
    ...     return dy.T @ x, dy.sum(axis=0)
    >>> check_code(right, definition("linear"), ["W", "b"]).status
    <Status.CONSISTENT: 'consistent'>
    >>> def wrong(x, W, dy):
    ...     return dy.T @ x / len(x), dy.sum(axis=0)
    >>> check_code(wrong, definition("linear"), ["W", "b"]).guess
    'W_bar is too small by the factor N (the extent of n): a mean where a sum should be'
    """
    started = time.perf_counter()
    _checked(definition, dtypes)
    numbers = dict(values or {})
    about = lifted(fixed(definition, numbers, extents or {}))
    code, derived = prepared(backward, about, wrt, mapping or {}, returns, outputs)
    if about is definition:
        code = replace(code, spare=None)
    _complete(code, derived, numbers)
    judge = _elementwise(Judge(code, derived, tuple(dtypes), strict), numbers, seed)
    findings, at = look(judge, numbers, seed)
    if not findings.dtypes:
        raise DataError(
            f"{code.name} was called with no array",
            where="check_code",
            why=f"it is declared for others than {' and '.join(dtypes)} arrays of these axes",
            remedy="declare it for these, or let it be compiled for what it is given",
        )
    mistake = ""
    if explain and at is not None and findings.refutation is not None and findings.refutation.numbers:
        mistake = guess(judge, telling(derived, numbers, seed, at.kind))
    return conclusion(judge, findings, mistake, time.perf_counter() - started)


def _checked(definition: object, dtypes: Sequence[str]) -> None:
    if not isinstance(definition, Definition):
        raise DataError(
            f"{definition!r} is no definition",
            where="check_code",
            remedy="decorate a function with @sd.define, or take one of the library: sd.definition('batch_norm')",
        )
    for dtype in dtypes:
        if dtype not in DTYPES:
            raise DataError(f"dtype '{dtype}'", where="check_code", remedy="'float64' or 'float32'")
    if not dtypes:
        raise DataError("no dtype", where="check_code", remedy="'float64' or 'float32'")


def prepared(
    backward: Callable[..., Any],
    definition: Definition,
    wrt: str | Iterable[str] | None,
    mapping: Mapping[str, Any],
    returns: Sequence[str] | None,
    outputs: Sequence[str] | str | None,
) -> tuple[Code, Subject]:
    """The function with what its parameters mean, and the gradient that it should compute."""
    chosen = (outputs,) if isinstance(outputs, str) else tuple(outputs or ())
    name = getattr(backward, "__name__", type(backward).__name__)
    if is_torch(backward):
        return _autograd(backward, definition, wrt, mapping, chosen or definition.outputs[:1], name)
    if not callable(backward):
        raise DataError(f"{backward!r} is no function", where="check_code", remedy="pass the function itself")
    binding = bind(backward, definition, mapping, outputs=chosen)
    if wrt is None and returns is not None:
        wrt = [r for r in returns if r not in definition.by_name]
    if not binding.upstream and definition.target.rank:
        raise DataError(
            f"{name} gets no slope by {definition.outputs[0]}",
            where=f"check_code against {definition.name}",
            why=f"{definition.target.element()} is no scalar, and only a scalar has a gradient",
            remedy=f"add a parameter {definition.outputs[0]}_bar (or dy, dout): the slope of any loss by it",
        )
    derived = subject(definition, sources(definition, wrt), binding.upstream)
    names = tuple(returns) if returns is not None else derived.wrt
    for n in names:
        if n not in derived.slopes and n not in definition.by_name:
            raise DefinitionError(f"'{n}' is neither in wrt nor a forward value", where="returns")
    binding = settled(binding, derived.upstream)
    tensors = derived.gradient.tensors
    by_number = one_by_one(backward, binding, tensors, len(names))
    return Code(plain(backward, binding), name, names, binding, tensors, spare=by_number), derived


def _complete(code: Code, derived: Subject, values: Mapping[str, Any]) -> None:
    """Refuse a hyperparameter that the function neither gets nor is told to have in its text.

    Raises:
        DataError: with the name.
    """
    for name in missing(derived, code.given):
        if derived.tensor(name).role is Role.HYPERPARAMETER and name not in values:
            raise DataError(
                f"{code.name} does not get {name}",
                where=f"check_code against {derived.definition.name}",
                why="the gradient depends on it",
                remedy=f"add the parameter {name}, or say values={{'{name}': …}} if the number stands in its text",
            )


def _elementwise(judge: Judge, values: Mapping[str, Any], seed: int) -> Judge:
    """For a function that takes no arrays but numbers: it is called once for each entry."""
    code = judge.code
    point = next(points(judge.subject, values, seed), None) if code.spare is not None else None
    if point is None or code.spare is None or not code.call(point.truth.values, judge.dtypes[0]).error:
        return judge
    single = replace(code, run=code.spare, spare=None)
    return judge if single.call(point.truth.values, "float64").error else replace(judge, code=single)


def _autograd(
    function: Any,
    definition: Definition,
    wrt: str | Iterable[str] | None,
    mapping: Mapping[str, Any],
    outputs: Sequence[str],
    name: str,
) -> tuple[Code, Subject]:
    """A `torch.autograd.Function`: `forward(ctx, x, …)`, or `forward(x, …)` with `setup_context`."""
    own = any("setup_context" in vars(c) for c in function.__mro__ if c.__module__.partition(".")[0] != "torch")
    binding = bind(function.forward, definition, mapping, outputs=outputs, skip=0 if own else 1)
    given = binding.given()
    if wrt is None:
        wrt = [
            t.name
            for t in definition.inputs
            if t.name in given and not (t.integer or t.facts or t.role is Role.HYPERPARAMETER)
        ]
    derived = subject(definition, sources(definition, wrt), tuple(outputs))
    for source in derived.wrt:
        if source not in given:
            raise DataError(
                f"forward of {name} has no parameter for {source}", where="check_code", remedy="leave it out of wrt"
            )
    tensors = derived.gradient.tensors
    run = through_autograd(function, binding, definition, derived.wrt, outputs, derived.upstream)
    names = (*derived.wrt, *outputs)
    return Code(run, name, names, binding, tensors, torch=True, slopes=tuple(derived.upstream.values())), derived


def look(judge: Judge, values: Mapping[str, Any], seed: int) -> tuple[Findings, Point | None]:
    """Judge the function at all points, up to the one that refutes it."""
    findings = Findings()
    for point in points(judge.subject, values, seed):
        first = findings.points == 0
        judge.at(point, findings, other_layouts(judge.code) if first else ())
        if first and findings.refutation is None:
            for refutation in judge.repeats(point):
                findings.refuse(refutation)
        if findings.refutation is not None:
            return findings, point
    return findings, None


def conclusion(judge: Judge, findings: Findings, mistake: str, seconds: float) -> CodeVerdict:
    """The record of what was found."""
    refutation = findings.refutation
    dtypes = tuple(findings.dtypes)
    several, count = len(findings.shapes), findings.points
    scope = f"{count} point{'s' * (count != 1)}, {' and '.join(dtypes)}, {several} set{'s' * (several != 1)} of shapes"
    wrong = refutation.wrong if refutation else None
    witness = None
    if wrong is not None:
        witness = Witness({"element": wrong.element, "arguments": wrong.point}, repr(wrong.returned), wrong.exact)
    verdict = Verdict(
        Status.REFUTED if refutation else Status.CONSISTENT,
        f"compared with the derived gradient in {_EXTENDED if findings.extended else '50 digits or more'}",
        scope,
        witness,
        refutation.reason if refutation else "",
        seconds,
    )
    return CodeVerdict(
        verdict=verdict,
        function=judge.code.name,
        definition=judge.subject.definition.name,
        wrt=judge.subject.wrt,
        wrong=wrong,
        guess=mistake,
        notes=findings.told(),
        points=findings.points,
        errors=tuple(findings.errors.values()),
        shapes=tuple(findings.shapes.values()),
        layouts=("C", *findings.layouts),
        dtypes=dtypes,
    )


def assert_gradient(
    backward: Callable[..., Any], definition: Definition, wrt: str | Iterable[str] | None = None, **options: Any
) -> CodeVerdict:
    """`check_code` for tests: the verdict where nothing is wrong.

    Args:
        backward, definition, wrt, options: as for `check_code`.

    Raises:
        AssertionError: the function is refuted; the text says all that is known.

    >>> from symdl.library.definitions import definition
    >>> assert_gradient(lambda s, da: da * s, definition("tanh"), "s")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
        ...
    AssertionError: <lambda> as the gradient of tanh by s: refuted
    """
    found = check_code(backward, definition, wrt, **options)
    if not found:
        raise AssertionError(str(found))
    return found
