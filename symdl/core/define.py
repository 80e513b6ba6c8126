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
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import sympy
from sympy.codegen import cfunctions

from symdl.core.builder import Builder, Declared
from symdl.core.definitions import Definition
from symdl.core.functions import Delta, InRange, Masked, Switch, kink_weight
from symdl.core.guards import settled
from symdl.core.indices import Index
from symdl.core.tensors import Fact, Role, Tensor, _as_scalar, reduction
from symdl.errors import DefinitionError, one_of


def Input(
    axes: str = "", *, integer: bool = False, facts: Iterable[Fact | str] = (), mask: float | str | None = None
) -> Any:
    """Data: index names, with extents where they are fixed (`"n i"`, `"n i=3"`); no text: a scalar.

    `"j k=j"` gives k the extent of j: a square matrix with two indices of its own.
    `facts` may hold "sums_to_one" (over the last axis), "nonnegative", "positive", "fraction" (between 0 and 1),
    "binary" (0 or 1), "sign" (−1 or 1), "box" (lower corner, then upper corner). `integer=True` is for data that
    subscripts.
    `mask` is for what training draws, 1 or 0 anew for each batch (dropout): the probability of 1, a number or the name
    of a hyperparameter.
    """
    if isinstance(mask, bool) or (mask is not None and not isinstance(mask, str) and not 0 < mask <= 1):
        raise DefinitionError(
            f"mask = {mask!r}",
            why="it is the probability of 1, above 0 and at most 1",
            remedy="give a number such as 0.8, or the name of a hyperparameter",
        )
    return Declared(axes, Role.INPUT, integer, frozenset(_fact(f) for f in facts), mask)


def Param(axes: str = "", *, start: float | None = None) -> Any:
    """A parameter that training changes; `axes` as for `Input`.

    `start` is the value that training starts each of its entries from; by default, a draw where it is a weight.
    """
    if isinstance(start, bool) or not (start is None or (isinstance(start, (int, float)) and math.isfinite(start))):
        raise DefinitionError(f"start = {start!r}", where="sd.Param", remedy="give a number, or leave it out")
    return Declared(axes, Role.PARAMETER, start=start)


def Hyper(axes: str = "", *, facts: Iterable[Fact | str] = ()) -> Any:
    """A hyperparameter: given, not learned (a learning rate, a slope); `facts` as for `Input`."""
    return Declared(axes, Role.HYPERPARAMETER, False, frozenset(_fact(f) for f in facts))


def _fact(fact: Fact | str) -> Fact:
    if isinstance(fact, Fact):
        return fact
    try:
        return Fact[fact.upper()]
    except KeyError:
        names = ", ".join(f.name.lower() for f in Fact)
        raise DefinitionError(f"unknown fact '{fact}'", remedy=f"one of {names}") from None


_CURRENT: ContextVar[Builder | None] = ContextVar("symdl_builder", default=None)


def _builder(verb: str) -> Builder:
    builder = _CURRENT.get()
    if builder is None:
        raise DefinitionError(
            f"sd.{verb} is called outside a definition", remedy="call it in a function under @sd.define"
        )
    return builder


@contextmanager
def writing(builder: Builder) -> Iterator[Builder]:
    """Let `let`, `state` and `index` write to a builder: for definitions whose signature depends on options.

    >>> with writing(Builder("sums")) as sums:
    ...     x, y = [sums.declare(name, Input("n")) for name in ("x", "y")]
    ...     (n,) = x.indices
    ...     out = let("z[n]", x[n] + y[n])
    >>> sums.build([out.name])
    sums(x[n], y[n]) -> z:
        z[n] = x[n] + y[n]
    """
    token = _CURRENT.set(builder)
    try:
        yield builder
    finally:
        _CURRENT.reset(token)


def let(left: str, right: Any, note: str = "", *, shorter: bool = False) -> Tensor:
    """Write one equation: `let("s[n,j]", Sum(W[j, i] * x[n, i], i) + b[j])`. Returns the tensor on the left.

    Args:
        left: the tensor that it defines, with its indices.
        right: an expression of tensor elements, numbers and sums.
        note: words that a derivation attaches to it.
        shorter: True where an index is meant to run over the beginning of a longer axis only; else that is an error.

    Raises:
        DefinitionError, ShapeError, KinkError: naming the equation, the index and both extents.
    """
    return _builder("let").let(left, right, note, shorter=shorter)


def state(left: str, *, backwards: bool = False) -> Tensor:
    """Announce a tensor that a recurrence defines, so that its past can be used before: `h = state("h[n,t,j]")`.

    Its definition follows as `let("h[n,t,j]", …)`. Which index is time, `@define(time="t")` says. What is before the
    first time is left out by a guard: `h[n, t - 1, k] * in_range(t - 1, t.extent)`.

    Args:
        left: as for `let`.
        backwards: True for a recurrence that runs from the last time to the first, and reads t + 1.

    >>> @define(time="t")
    ... def decay(x=Input("t"), a=Hyper()):
    ...     (t,) = x.indices
    ...     h = state("h[t]")
    ...     return let("h[t]", x[t] + a * h[t - 1] * in_range(t - 1, t.extent))
    >>> decay
    decay(x[t], a) -> h:
        h[t] = InRange(t - 1, T)*a*h[t - 1] + x[t]
    """
    return _builder("state").state(left, backwards=backwards)


def index(name: str, extent: Any = None, *, sequential: bool = False) -> Index:
    """The index of that name in the definition being written, with an extent if it is new and fixed."""
    return _builder("index").index(name, extent, sequential=sequential)


def new_index(name: str, extent: Any = None) -> Index:
    """An index that the definition being written does not have yet: `name`, or `name2`, `name3`, … if that is taken.

    For functions that write equations into any definition, whatever letters its author has used.
    """
    return _builder("new_index").new_index(name, extent)


def define(
    function: Callable[..., Any] | None = None,
    *,
    kinks: Mapping[str, Any] | None = None,
    time: str = "",
    extends: Definition | None = None,
) -> Any:
    """Make a `Definition` of a function whose defaults are `Input`, `Param` or `Hyper`.

    Args:
        function: returns the target (a tensor made by `let`), or a tuple of outputs, the target first.
        kinks: policy by equation name ('left', 'right', 'mid' or a weight) where the body states none.
        time: the name of the index that is time, for recurrences.
        extends: a definition that this one goes on from (a gradient, say); arguments without a declaration are its
            tensors of those names.

    Raises:
        DefinitionError: an argument without a declaration, or a return value that is not from `let`.
    """

    def make(body: Callable[..., Any]) -> Definition:
        builder = Builder(body.__name__, kinks=dict(kinks or {}), time=time)
        if extends is not None:
            builder.go_on_from(extends)
        arguments: dict[str, Tensor] = {}
        for name, argument in inspect.signature(body).parameters.items():
            if extends is not None and argument.default is argument.empty:
                arguments[name] = extends[name]
                continue
            if not isinstance(argument.default, Declared):
                raise DefinitionError(
                    f"argument {name} has no declaration",
                    where=f"definition {body.__name__}",
                    remedy=f"write {name}=sd.Input('n i') or sd.Param('i')",
                )
            arguments[name] = builder.declare(name, argument.default)
        with writing(builder):
            result = body(**arguments)
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
                remedy=one_of(name, builder.names),
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


def amax(body: Any, *indices: Index, ties: str = "", where: Any = 1) -> sympy.Expr:
    """Maximum over indices. `ties="share"` splits its slope evenly among equal entries.

    `where` is a guard (`in_range`, `delta`, or a product of them): only entries where it is 1 count.

    Without a policy it can only be differentiated where its slope provably cancels (the shift of a softmax).
    """
    if ties not in ("", "share"):
        raise DefinitionError(f"unknown policy for ties '{ties}'", remedy="say ties='share'")
    return reduction("max", Masked(_as_scalar(body), _as_scalar(where)), _checked(indices), ties)


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
    return settled(InRange(_as_scalar(subscript), _as_scalar(extent)))


def delta(a: Any, b: Any) -> sympy.Expr:
    """Kronecker's δ of two index expressions: 1 where they are equal, else 0; how index maps are written.

    >>> @define
    ... def flatten(x=Input("c h")):
    ...     c, h = x.indices
    ...     k = index("k", c.extent * h.extent)
    ...     return let("y[k]", Sum(x[c, h] * delta(k, c * h.extent + h), c, h))
    >>> flatten.equations[0]
    y[k] = Sum_{c, h}(Delta(k, c*H + h)*x[c, h])
    """
    return settled(Delta(_as_scalar(a), _as_scalar(b)))


def symbol(name: str) -> sympy.Symbol:
    """A real number without a value, for formulas outside a definition: `sd.equal(sd.exp(x) * sd.exp(-x), 1)`."""
    return sympy.Symbol(name, real=True)


def exp(x: Any) -> sympy.Expr:
    """eˣ of a scalar expression."""
    return sympy.exp(_as_scalar(x))


def log(x: Any) -> sympy.Expr:
    """The natural logarithm."""
    return sympy.log(_as_scalar(x))


def expm1(x: Any) -> sympy.Expr:
    """eˣ − 1, computed without the difference: for stable forms."""
    return cfunctions.expm1(_as_scalar(x))


def log1p(x: Any) -> sympy.Expr:
    """log(1 + x), computed without the sum: for stable forms."""
    return cfunctions.log1p(_as_scalar(x))


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
