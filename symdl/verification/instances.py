"""A definition at one example: the value of an output as an expression of what runs in its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy

from symdl.core.definitions import Definition
from symdl.core.tensors import Role
from symdl.core.unroll import unrolled
from symdl.verification.terms import UndecidedError


def instance(
    definition: Definition, given: Mapping[str, Any], place: tuple[int, ...] = (), *, together: bool = False
) -> sympy.Expr:
    """The first output of the first example, written out.

    Args:
        definition: whose data have the examples as their first axis, unless they have none.
        given: every input by name, as nested lists of numbers and expressions, data without the axis of examples.
        place: the entry of the output.
        together: whether data are given with that axis.

    >>> from symdl.library.losses import loss
    >>> made = loss("softmax_cross_entropy", reduction="none").definition()
    >>> instance(made, {"y": [1, 0], "z": [sympy.Symbol("s", real=True), 0]})
    -log(exp(s)/(exp(s) + 1))
    """
    arrays = {t.name: _array(given[t.name], one=t.role is Role.INPUT and not together) for t in definition.inputs}
    extents = {
        i.name: size
        for t in definition.inputs
        for i, size in zip(t.indices, arrays[t.name].shape, strict=False)
        if i.extent.is_Symbol
    }
    for tensor in definition.inputs:  # 2·J of an axis of four numbers: J = 2
        for index, size in zip(tensor.indices, arrays[tensor.name].shape, strict=False):
            for symbol in index.extent.free_symbols:
                (solution,) = sympy.solve(index.extent - size, symbol) if index.extent != symbol else (size,)
                names = [i for i, e in definition.extents.items() if e == symbol]
                extents |= {n: int(solution) for n in names}
    small = definition.at(**extents) if extents else definition
    known: dict[sympy.Expr, sympy.Expr] = {}
    for tensor in small.inputs:
        array = arrays[tensor.name] if tensor.rank else arrays[tensor.name].reshape(())
        for at in np.ndindex(array.shape):
            known[tensor[tuple(map(sympy.Integer, at))] if at else tensor.element()] = array[at]
    wanted = small.target[tuple(map(sympy.Integer, (0, *place)))] if small.target.rank else small.target.element()
    for element, expr in unrolled(small):
        known[element] = _put_in(expr, known)
    if wanted not in known:
        raise UndecidedError(f"{definition.name} has no {wanted} there")
    return known[wanted]


def _array(value: Any, *, one: bool) -> np.ndarray[Any, np.dtype[Any]]:
    numbers = np.array(value, dtype=object)
    exact = np.vectorize(_number, otypes=[object])
    made = np.asarray(exact(numbers), dtype=object)
    return made[None] if one else made


def _number(value: Any) -> sympy.Expr:
    return sympy.Rational(value) if isinstance(value, str) else sympy.sympify(value, strict=True)


def _put_in(expr: sympy.Expr, known: Mapping[sympy.Expr, sympy.Expr]) -> sympy.Expr:
    """An entry that is chosen by a number, p[n, c[n]], takes two rounds."""
    while (new := expr.xreplace(known)) != expr:
        expr = new
    return expr
