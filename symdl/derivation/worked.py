"""Worked numbers: symbols = substitution = value, as on paper, in exact arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import sympy

from symdl.core.definitions import Definition
from symdl.core.display import Displayed
from symdl.core.functions import ScalarFunction
from symdl.core.tensors import Element, Tensor
from symdl.core.unroll import subscripts, unrolled
from symdl.derivation.inline import inline
from symdl.errors import DataError, DefinitionError, ShapeError

Section = Literal["forward", "backward", "update"]


@dataclass(frozen=True)
class WorkedLine:
    """`lhs = expr = value`: the equation of one element, and what it comes to.

    `value` is an exact rational where the arithmetic is rational, a 15-digit decimal where it is not, and an expression
    in what is not given where values are left open.
    """

    lhs: Element
    expr: sympy.Expr
    value: sympy.Expr
    section: Section


@dataclass(frozen=True)
class Worked(Displayed):
    """A calculation written out, with the value of every element that has one.

    >>> from symdl.core.define import define, Input, Param, Sum, let
    >>> @define
    ... def unit(x=Input("i=3"), w=Param("i"), b=Param()):
    ...     (i,) = x.indices
    ...     return let("s", Sum(w[i] * x[i], i) + b)
    >>> line = work(unit, {"x": [1, 1, 3], "w": [2, 2, 2], "b": 4}).lines[0]
    >>> line.lhs, line.expr, line.value
    (s, b + w[0]*x[0] + w[1]*x[1] + w[2]*x[2], 14)
    """

    name: str
    definition: Definition
    lines: tuple[WorkedLine, ...]
    values: Mapping[Element, sympy.Expr]

    def __repr__(self) -> str:
        return "\n".join(f"{line.lhs} = {line.expr} = {line.value}" for line in self.lines)

    def __getitem__(self, element: str) -> sympy.Expr:
        """The value of an element by its text, such as "w_bar[2]" or "L"; an expression where values are open.

        Raises:
            DefinitionError: there is no such element.
        """
        wanted = element.replace(" ", "")
        found = {**{line.lhs: line.value for line in self.lines}, **self.values}
        for known, value in found.items():
            if str(known).replace(" ", "") == wanted:
                return value
        raise DefinitionError(f"no element '{element}'", where=self.name, remedy="write 'w[0]' or 'L'")


def work(
    definition: Definition,
    values: Mapping[str, Any],
    *,
    extents: Mapping[str, int] | None = None,
    equations: Iterable[tuple[Element, sympy.Expr]] | None = None,
    name: str = "",
) -> Worked:
    """Write a definition out for given values; what is not given stays a symbol.

    Args:
        definition: any definition; its extents are taken from `extents` and from the shapes of the values.
        values: by tensor name: a number, or nested lists or an array of the tensor's shape. Floats are read by their
            shortest decimal, so that 0.04 is 1/25.
        extents: by index name, where no value tells them.
        equations: written-out equations to use in place of the definition's own.

    Raises:
        DefinitionError, ShapeError, DataError: unknown names, shapes that do not fit, values that are not finite.
    """
    concrete = definition.at(**_all_extents(definition, values, dict(extents or {})))
    _check_shapes(concrete, values)
    known: dict[Element, sympy.Expr] = {}
    for tensor in concrete.inputs:
        if tensor.name in values:
            known.update(_entries(tensor, values[tensor.name]))
    lines: list[WorkedLine] = []
    for lhs, expr in equations if equations is not None else unrolled(concrete):
        value = evaluate(expr, known)
        if not value.atoms(Element):
            known[lhs] = value
        lines.append(WorkedLine(lhs, _as_read(expr), value, "backward" if lhs.tensor.cotangent_of else "forward"))
    return Worked(name or definition.name, concrete, tuple(lines), known)


class UpdateRule(Protocol):
    """An optimiser, as far as one update needs it: equations from θ, g, state and hyperparameters to θ_new."""

    @property
    def update(self) -> Definition: ...

    @property
    def hyper(self) -> Mapping[str, float]: ...

    @property
    def step(self) -> Definition | None: ...

    @property
    def start(self) -> Mapping[str, float]: ...


def updated(worked: Worked, gradients: Mapping[str, str], rule: UpdateRule) -> Worked:
    """The calculation with one update of every parameter, w_new = w − lr·w̄, written out at its end.

    Args:
        worked: values of parameters and gradients.
        gradients: the gradient tensor by parameter name.
        rule: the optimiser; its states start at 0, and the count of steps at 1.
    """
    known = dict(worked.values)
    lines = list(worked.lines)
    target = rule.update["theta_new"].element()
    body = inline(rule.update, target)
    shared = _of_the_step(rule, [v for e, v in known.items() if e.name in gradients.values()])
    given = {t.element(): exact(rule.hyper[t.name]) for t in rule.update.inputs if t.name in rule.hyper}
    given |= {t.element(): shared[t.name] for t in rule.update.inputs if t.name in shared}
    others = [t for t in rule.update.inputs if t.element() not in given]
    start = {t.element(): _begun(rule, t.name) for t in others}
    known.update(given)
    for name, gradient in gradients.items():
        tensor, slope = worked.definition[name], worked.definition[gradient]
        new = replace(tensor, name=f"{name}_new")
        for where in subscripts(tensor.indices):
            old = {rule.update["theta"].element(): tensor[where], rule.update["g"].element(): slope[where]}
            expr = body.xreplace(old).xreplace(start)
            known[new[where]] = evaluate(expr, known)
            lines.append(WorkedLine(new[where], expr, known[new[where]], "update"))
    return replace(worked, lines=tuple(lines), values=known)


def _of_the_step(rule: UpdateRule, slopes: list[sympy.Expr]) -> dict[str, sympy.Expr]:
    """What all entries share in the first step: scheduled hyperparameters, the scale of a clipped gradient."""
    if rule.step is None:
        return {}
    squares = {"gg": sympy.Add(*[s**2 for s in slopes])}
    known = {
        t.element(): squares.get(t.name, exact(rule.hyper[t.name]) if t.name in rule.hyper else _begun(rule, t.name))
        for t in rule.step.inputs
    }
    for eq in rule.step.equations:
        known[eq.out.element()] = evaluate(eq.rhs, known)
    return {e.name: v for e, v in known.items() if e.name in rule.step.by_name}


def _begun(rule: UpdateRule, name: str) -> sympy.Expr:
    """Where a state starts; the count of steps starts at 1."""
    return sympy.S.One if name == "t" else exact(rule.start.get(name, 0))


def _as_read(expr: sympy.Expr) -> sympy.Expr:
    """2a − 2b → 2(a − b): SymPy multiplies a number into a sum once 1/N has become a number."""
    if expr.is_Add and expr.as_content_primitive()[0] != 1:
        content, rest = expr.as_content_primitive()
        return sympy.Mul(content, rest, evaluate=False)
    return expr


def evaluate(expr: sympy.Expr, known: Mapping[Element, sympy.Expr]) -> sympy.Expr:
    """Put values in; rational arithmetic stays exact, the rest is rounded to 15 digits."""
    at = {e: known[e] for e in expr.atoms(Element) if e.tensor.integer and e in known}
    value = expr.xreplace(at)  # first what subscripts: E[tok[n]] is E[3] then
    value = value.xreplace({e: known[e] for e in value.atoms(Element) if e in known})
    if value.atoms(Element):
        return sympy.expand_mul(value) if value.is_polynomial() and value.is_Add else value
    if value.is_Rational:
        return value
    opened = value.replace(lambda e: isinstance(e, ScalarFunction), lambda e: e.defined())
    return opened if opened.is_Rational else opened.evalf(15)


def _all_extents(definition: Definition, values: Mapping[str, Any], extents: dict[str, int]) -> dict[str, int]:
    """Extents from the shapes of the values, next to those that are given; they must agree."""
    for name, value in values.items():
        tensor = definition[name]
        shape = _shape(value)
        if len(shape) != tensor.rank:
            raise ShapeError(
                f"the value of {name} has {len(shape)} axes, {tensor.element()} has {tensor.rank}",
                where=f"the values for {definition.name}",
                remedy="nest the lists as the indices are",
            )
        for index, size in zip(tensor.indices, shape, strict=True):
            wanted = extents.get(index.name, index.extent if index.extent.is_Integer else size)
            if wanted != size:
                raise ShapeError(
                    f"axis {index.name} of {name} has {size} values",
                    where=f"the values for {definition.name}",
                    why=f"index {index.name} has extent {wanted}",
                    remedy="give as many values as the extent says",
                )
            extents[index.name] = size
    derived = [n for n in extents if n in definition.extents and not definition.extents[n].is_Symbol]
    return {n: size for n, size in extents.items() if n not in derived or definition.extents[n].is_Integer}


def _check_shapes(concrete: Definition, values: Mapping[str, Any]) -> None:
    """The extents that follow from others, U = H − R + 1, have to be those of the values."""
    for name, value in values.items():
        for index, size in zip(concrete[name].indices, _shape(value), strict=True):
            if index.extent != size:
                raise ShapeError(
                    f"axis {index.name} of {name} has {size} values",
                    where=f"the values for {concrete.name}",
                    why=f"the other extents make it {index.extent}",
                    remedy="give as many values as the extent says",
                )


def _shape(value: Any) -> tuple[int, ...]:
    if hasattr(value, "shape"):
        return tuple(value.shape)
    if isinstance(value, list | tuple):
        inner = {_shape(v) for v in value}
        if len(inner) != 1:
            raise ShapeError("a value has rows of different lengths", remedy="make all rows equally long")
        return (len(value), *inner.pop())
    return ()


def _entries(tensor: Tensor, value: Any) -> dict[Element, sympy.Expr]:
    entries: dict[Element, sympy.Expr] = {}
    for where in subscripts(tensor.indices):
        entry = value
        for position in where:
            entry = entry[int(position)]
        entries[tensor[where]] = exact(entry, tensor.name)
    return entries


def exact(number: Any, name: str = "a value") -> sympy.Expr:
    """A number as an exact rational: 0.04 is 1/25, not the nearest binary fraction.

    >>> exact(0.04), exact(3), exact("1.5")
    (1/25, 3, 3/2)
    """
    try:
        rational = sympy.Rational(number if isinstance(number, str) else repr(_plain(number)))
    except (TypeError, ValueError):
        raise DataError(f"{number!r} is no finite number", where=name, remedy="give numbers") from None
    return rational


def _plain(number: Any) -> Any:
    return number.item() if hasattr(number, "item") else number
