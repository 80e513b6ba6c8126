"""How an author writes a definition: `@define`, `Input`, `Param`, `Hyper`, `let`, `Sum`, `mean`, `amax`, …

>>> @define
... def neuron(x=Input("n i"), t=Input("n"), w=Param("i"), b=Param()):
...     n, i = x.indices
...     s = let("s[n]", Sum(w[i] * x[n, i], i) + b)
...     return let("L", mean((t[n] - s[n]) ** 2, n))
>>> neuron
neuron(x[n, i], t[n], w[i], b) -> L:
    s[n] = b + Sum_{i}(w[i]*x[n, i])
    L = Sum_{n}((-s[n] + t[n])**2/N)
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import sympy

from symdl.core.checks import check_equation
from symdl.core.definitions import Definition
from symdl.core.equations import Equation, flatten, namer
from symdl.core.functions import UNSTATED, InRange, Switch, kink_weight
from symdl.core.indices import Index
from symdl.core.tensors import Fact, Role, Tensor, _as_scalar, reduction
from symdl.errors import DefinitionError

_AXIS = re.compile(r"([A-Za-z]+[0-9]*)(?:=([0-9]+))?")
_LHS = re.compile(r"\s*([A-Za-z]\w*)\s*(?:\[([^\]]*)\])?\s*")


@dataclass(frozen=True)
class Declared:
    """What stands in the signature of a definition: a tensor without its name."""

    axes: str
    role: Role
    integer: bool = False
    facts: frozenset[Fact] = frozenset()


def Input(axes: str = "", *, integer: bool = False, facts: Iterable[Fact | str] = ()) -> Any:
    """Data: index names, with extents where they are fixed (`"n i"`, `"n i=3"`); no text: a scalar.

    `facts` may hold "sums_to_one", "nonnegative", "positive"; `integer=True` for data that subscripts.
    """
    return Declared(axes, Role.INPUT, integer, frozenset(_fact(f) for f in facts))


def Param(axes: str = "") -> Any:
    """A parameter that training changes; `axes` as for `Input`."""
    return Declared(axes, Role.PARAMETER)


def Hyper(axes: str = "") -> Any:
    """A hyperparameter: given, not learned (a learning rate, a slope)."""
    return Declared(axes, Role.HYPERPARAMETER)


def _fact(fact: Fact | str) -> Fact:
    if isinstance(fact, Fact):
        return fact
    try:
        return Fact[fact.upper()]
    except KeyError:
        names = ", ".join(f.name.lower() for f in Fact)
        raise DefinitionError(f"unknown fact '{fact}'", remedy=f"one of {names}") from None


@dataclass
class Builder:
    """Collects equations while the body of a definition runs; also used by `sequential` to write one."""

    name: str
    indices: dict[str, Index] = field(default_factory=dict)
    inputs: list[Tensor] = field(default_factory=list)
    equations: list[Equation] = field(default_factory=list)
    kinks: dict[str, Any] = field(default_factory=dict)

    def index(self, name: str, extent: Any = None, *, sequential: bool = False) -> Index:
        """The index of that name, made at first use; a second extent for it is an error."""
        if name not in self.indices:
            self.indices[name] = Index(name, extent, sequential=sequential)
        known = self.indices[name]
        if extent is not None and known.extent != extent:
            raise DefinitionError(
                f"index {name} is given two extents",
                where=f"definition {self.name}",
                why=f"{known.extent} before, {extent} now",
                remedy="use another letter",
            )
        return known

    def declare(self, name: str, declared: Declared) -> Tensor:
        """Make a tensor of what the signature declares and take it as an input."""
        indices: list[Index] = []
        for part in declared.axes.replace(",", " ").split():
            match = _AXIS.fullmatch(part)
            if match is None:
                raise DefinitionError(
                    f"'{part}' is not an axis", where=f"{name} of {self.name}", remedy="write names such as 'n i=3'"
                )
            indices.append(self.index(match[1], sympy.Integer(match[2]) if match[2] else None))
        tensor = Tensor(name, tuple(indices), declared.role, declared.integer, declared.facts)
        self.inputs.append(tensor)
        return tensor

    @property
    def names(self) -> dict[str, Tensor]:
        return {t.name: t for t in (*self.inputs, *(e.out for e in self.equations))}

    def let(self, left: str, right: Any, note: str = "") -> Tensor:
        """Add `left = right`; nested reductions become equations of their own."""
        match = _LHS.fullmatch(left)
        if match is None:
            raise DefinitionError(f"'{left}' can't stand on the left", where=self.name, remedy="write 's[n,j]' or 'L'")
        name, subscripts = match[1], [p for p in re.split(r"[\s,]+", match[2] or "") if p]
        unknown = [s for s in subscripts if s not in self.indices]
        if unknown:
            raise DefinitionError(
                f"unknown index {unknown[0]}",
                where=f"equation {left.strip()}",
                why=f"the indices of {self.name} are {', '.join(self.indices) or 'none'}",
                remedy=f"declare it with an input or sd.index('{unknown[0]}', extent)",
            )
        if name in self.names:
            raise DefinitionError(f"'{name}' is defined twice", where=f"definition {self.name}", remedy="rename one")
        out = Tensor(name, tuple(self.indices[s] for s in subscripts))
        body = self._with_policy(name, _as_scalar(right))
        for eq in flatten(out, body, namer({name, *self.names}), note):
            check_equation(eq, self.names)
            self.equations.append(eq)
        return out

    def _with_policy(self, name: str, body: sympy.Expr) -> sympy.Expr:
        """Put the policy of `@define(kinks={name: …})` where the body leaves a kink open."""
        if name not in self.kinks:
            return body
        weight = kink_weight(self.kinks[name])
        return body.replace(
            lambda e: isinstance(e, Switch) and e.weight == UNSTATED, lambda e: Switch(*e.args[:3], weight)
        )

    def build(self, outputs: Iterable[str]) -> Definition:
        return Definition(self.name, tuple(self.equations), tuple(self.inputs), tuple(outputs))


_CURRENT: ContextVar[Builder | None] = ContextVar("symdl_builder", default=None)


def _builder(verb: str) -> Builder:
    builder = _CURRENT.get()
    if builder is None:
        raise DefinitionError(
            f"sd.{verb} is called outside a definition", remedy="call it in a function under @sd.define"
        )
    return builder


def let(left: str, right: Any, note: str = "") -> Tensor:
    """Write one equation: `let("s[n,j]", Sum(W[j, i] * x[n, i], i) + b[j])`. Returns the tensor on the left.

    Raises:
        DefinitionError, ShapeError, KinkError: naming the equation, the index and both extents.
    """
    return _builder("let").let(left, right, note)


def index(name: str, extent: Any = None, *, sequential: bool = False) -> Index:
    """The index of that name in the definition being written, with an extent if it is new and fixed."""
    return _builder("index").index(name, extent, sequential=sequential)


def define(function: Callable[..., Any] | None = None, *, kinks: Mapping[str, Any] | None = None) -> Any:
    """Make a `Definition` of a function whose defaults are `Input`, `Param` or `Hyper`.

    Args:
        function: returns the target (a tensor made by `let`), or a tuple of outputs, the target first.
        kinks: policy by equation name ('left', 'right', 'mid' or a weight) where the body states none.

    Raises:
        DefinitionError: an argument without a declaration, or a return value that is not from `let`.
    """

    def make(body: Callable[..., Any]) -> Definition:
        builder = Builder(body.__name__, kinks=dict(kinks or {}))
        arguments: dict[str, Tensor] = {}
        for name, argument in inspect.signature(body).parameters.items():
            if not isinstance(argument.default, Declared):
                raise DefinitionError(
                    f"argument {name} has no declaration",
                    where=f"definition {body.__name__}",
                    remedy=f"write {name}=sd.Input('n i') or sd.Param('i')",
                )
            arguments[name] = builder.declare(name, argument.default)
        token = _CURRENT.set(builder)
        try:
            result = body(**arguments)
        finally:
            _CURRENT.reset(token)
        outputs = result if isinstance(result, tuple) else (result,)
        for output in outputs:
            if not isinstance(output, Tensor):
                raise DefinitionError(
                    f"it returns {type(output).__name__}, not a tensor",
                    where=f"definition {body.__name__}",
                    remedy="return what sd.let gave you",
                )
        _refuse_idle_kinks(builder)
        return builder.build(o.name for o in outputs)

    return make if function is None else make(function)


def _refuse_idle_kinks(builder: Builder) -> None:
    for name in builder.kinks:
        if name not in builder.names:
            raise DefinitionError(
                f"a kink policy is given for '{name}', which is no equation",
                where=f"definition {builder.name}",
                remedy=f"one of {', '.join(builder.names)}",
            )


def Sum(body: Any, *indices: Index) -> sympy.Expr:
    """Σ over indices; bound indices are renamed apart, so a body may reuse a letter that is free outside."""
    return reduction("sum", _as_scalar(body), _checked(indices))


def prod(body: Any, *indices: Index) -> sympy.Expr:
    """Π over indices."""
    return reduction("prod", _as_scalar(body), _checked(indices))


def mean(body: Any, *indices: Index) -> sympy.Expr:
    """(1/N) Σ over indices, N the product of their extents."""
    return Sum(_as_scalar(body) / sympy.Mul(*[i.extent for i in _checked(indices)]), *indices)


def amax(body: Any, *indices: Index, ties: str = "") -> sympy.Expr:
    """Maximum over indices. `ties="share"` splits its slope evenly among equal entries.

    Without a policy it can only be differentiated where its slope provably cancels (the shift of a softmax).
    """
    if ties not in ("", "share"):
        raise DefinitionError(f"unknown policy for ties '{ties}'", remedy="say ties='share'")
    return reduction("max", _as_scalar(body), _checked(indices), ties)


def _checked(indices: tuple[Index, ...]) -> tuple[Index, ...]:
    for i in indices:
        if not isinstance(i, Index):
            raise DefinitionError(f"{i!r} is not an index", remedy="pass indices: n, i = x.indices")
    if not indices:
        raise DefinitionError("no index to reduce over", remedy="name at least one index")
    return indices


def switch(x: Any, below: Any, above: Any, *, kink: Any = None) -> sympy.Expr:
    """`below` where x < 0, `above` where x > 0; at 0 the policy decides, for the value and for every slope."""
    return Switch(_as_scalar(x), _as_scalar(below), _as_scalar(above), kink_weight(kink))


def maximum(a: Any, b: Any, *, kink: Any = None) -> sympy.Expr:
    """The larger of two scalars; `kink` weighs the slope of `a` against that of `b` where they are equal."""
    first, second = _as_scalar(a), _as_scalar(b)
    return Switch(first - second, second, first, kink_weight(kink))


def minimum(a: Any, b: Any, *, kink: Any = None) -> sympy.Expr:
    """The smaller of two scalars; `kink` weighs the slope of `b` against that of `a` where they are equal."""
    first, second = _as_scalar(a), _as_scalar(b)
    return Switch(first - second, first, second, kink_weight(kink))


def absolute(x: Any, *, kink: Any = None) -> sympy.Expr:
    """|x|; slope −1 left, 1 right, and with kink='mid' 0 at 0."""
    value = _as_scalar(x)
    return Switch(value, -value, value, kink_weight(kink))


def in_range(subscript: Any, extent: Any) -> sympy.Expr:
    """The guard [0 ≤ subscript < extent] as 1 or 0."""
    return InRange(_as_scalar(subscript), _as_scalar(extent))


def symbol(name: str) -> sympy.Symbol:
    """A real number without a value, for formulas outside a definition: `sd.equal(sd.exp(x) * sd.exp(-x), 1)`."""
    return sympy.Symbol(name, real=True)


def exp(x: Any) -> sympy.Expr:
    """eˣ of a scalar expression."""
    return sympy.exp(_as_scalar(x))


def log(x: Any) -> sympy.Expr:
    """The natural logarithm."""
    return sympy.log(_as_scalar(x))


def tanh(x: Any) -> sympy.Expr:
    """The hyperbolic tangent."""
    return sympy.tanh(_as_scalar(x))


def sqrt(x: Any) -> sympy.Expr:
    """The square root."""
    return sympy.sqrt(_as_scalar(x))


def erf(x: Any) -> sympy.Expr:
    """The error function."""
    return sympy.erf(_as_scalar(x))


def sin(x: Any) -> sympy.Expr:
    """The sine."""
    return sympy.sin(_as_scalar(x))


def cos(x: Any) -> sympy.Expr:
    """The cosine."""
    return sympy.cos(_as_scalar(x))
