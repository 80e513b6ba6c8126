"""Special functions: what SymPy lacks, or says differently from what a neural network needs.

`Switch` is the one primitive with a kink. Its value at the kink, and the value of each derivative there, are part of
the expression (SymPy's `Max` has slope 1/2 at a tie and its `Piecewise` slope 0; neither is what an author stated).

`ScalarFunction` is the base of named functions (sigmoid, ReLU, …): each class holds its one definition as data, and
every module (derivation, printing, verification, compilation) reads it from there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, ClassVar

import sympy

from symdl.errors import DefinitionError

#: Stands for a kink policy that an author has not stated; a `Definition` refuses to hold it.
UNSTATED = sympy.Symbol("unstated", real=True)

_POLICIES = {"left": sympy.S.Zero, "right": sympy.S.One, "mid": sympy.Rational(1, 2)}


def kink_weight(policy: Any) -> sympy.Expr:
    """The weight of the right-hand side at a kink: 0 (left), 1 (right), 1/2 (mid), or a number between.

    >>> kink_weight("left"), kink_weight("mid"), kink_weight(1)
    (0, 1/2, 1)
    """
    if policy is None:
        return UNSTATED
    if isinstance(policy, str):
        if policy not in _POLICIES:
            raise DefinitionError(f"unknown kink policy '{policy}'", remedy="say 'left', 'right', 'mid' or a weight")
        return _POLICIES[policy]
    weight = sympy.nsimplify(policy, rational=True)
    if not (weight.is_Rational and 0 <= weight <= 1):
        raise DefinitionError(f"kink weight {policy} is not between 0 and 1", remedy="say 'left', 'right' or 'mid'")
    return weight


class Switch(sympy.Function):  # type: ignore[misc]
    """`below` where x < 0, `above` where x > 0, and (1 − w)·below + w·above at x = 0.

    The weight `w` is the kink policy. The derivative is the switch of the derivatives with the same weight, which at
    the kink is a convex combination of both slopes: a Clarke subgradient, closed under differentiation.

    >>> x = sympy.Symbol("x", real=True)
    >>> relu = Switch(x, 0, x, 0)
    >>> relu.diff(x), relu.diff(x).subs(x, 0), relu.diff(x).subs(x, 2)
    (Switch(x, 0, 1, 0), 0, 1)
    """

    nargs = 4

    @classmethod
    def eval(cls, x: sympy.Expr, below: sympy.Expr, above: sympy.Expr, weight: sympy.Expr) -> sympy.Expr | None:
        if below == above:
            return below
        if x.is_positive:
            return above
        if x.is_negative:
            return below
        if x.is_zero and weight != UNSTATED:
            return (1 - weight) * below + weight * above
        return None

    @property
    def weight(self) -> sympy.Expr:
        return self.args[3]

    def _eval_derivative(self, s: sympy.Symbol) -> sympy.Expr:
        x, below, above, weight = self.args
        return Switch(x, below.diff(s), above.diff(s), weight)

    def _eval_is_real(self) -> bool | None:
        return True if all(a.is_real for a in self.args[:3]) else None

    def _eval_is_nonnegative(self) -> bool | None:
        x, below, above, _ = self.args
        low = below.is_nonnegative or (below + x).is_zero  # −x where x is negative
        return True if low and (above.is_nonnegative or (above - x).is_zero) else None


class Delta(sympy.Function):  # type: ignore[misc]
    """Kronecker's δ(a, b) of two index expressions: 1 where they are equal, else 0.

    >>> i, j = sympy.symbols("i j", integer=True)
    >>> Delta(i, i), Delta(i, i + 1), Delta(i, j) == Delta(j, i)
    (1, 0, True)
    """

    nargs = 2
    is_real = True
    is_nonnegative = True

    @classmethod
    def eval(cls, a: sympy.Expr, b: sympy.Expr) -> sympy.Expr | None:
        equal = _are_equal(a, b)
        if equal is not None:
            return sympy.S.One if equal else sympy.S.Zero
        if a.sort_key() > b.sort_key():
            return cls(b, a)
        return None

    def _eval_derivative(self, s: sympy.Symbol) -> sympy.Expr:
        return sympy.S.Zero

    def _eval_power(self, exponent: sympy.Expr) -> sympy.Expr | None:
        return self if exponent.is_positive else None


@lru_cache(maxsize=16384)
def _are_equal(a: sympy.Expr, b: sympy.Expr) -> bool | None:
    """Whether two subscripts are equal, where that hangs on no values; of two different indices it always does."""
    if _is_letter(a) and _is_letter(b):
        return True if a == b else None
    return _is_zero(sympy.expand(a - b))


def _is_letter(x: sympy.Expr) -> bool:
    """A whole, nonnegative letter: an index, or an extent."""
    return bool(x.is_Symbol and x.is_integer and x.is_nonnegative)


def _is_zero(difference: sympy.Expr) -> bool | None:
    """Whether a difference of subscripts is 0, where that hangs on no values."""
    terms = _linear(difference)
    if terms is None:
        zero: bool | None = difference.is_zero
        return zero
    number, rest = terms
    if not rest:
        return bool(number == 0)
    apart = _least(difference) > 0 or _least(-difference) > 0 or number % sympy.gcd(list(rest.values())) != 0
    return False if apart else None


def _is_nonnegative(expr: sympy.Expr) -> bool | None:
    """Whether a subscript or an extent is at least 0, where that hangs on no values."""
    if _linear(expr) is None:
        above: bool | None = expr.is_nonnegative
        return above
    return True if _least(expr) >= 0 else False if _least(-expr) > 0 else None


def _least(expr: sympy.Expr) -> sympy.Expr:
    """A bound from below of an expression that is linear in letters: extents are at least 1, indices at least 0."""
    number, rest = _linear(expr) or (-sympy.oo, {})
    if any(factor < 0 for factor in rest.values()):
        return -sympy.oo
    return number + sum(factor for letter, factor in rest.items() if letter.is_positive)


@lru_cache(maxsize=16384)
def _linear(expr: sympy.Expr) -> tuple[sympy.Rational, dict[sympy.Symbol, sympy.Rational]] | None:
    """The number and the factors of letters, where an expression is made of whole, nonnegative letters and no more.

    SymPy would answer as well, by asking for one fact after another: most of the time that building a guard takes.
    """
    number, rest = expr.as_coeff_Add()
    factors = dict(term.as_coeff_Mul()[::-1] for term in sympy.Add.make_args(rest) if term != 0)
    whole = all(_is_letter(x) and f.is_Integer for x, f in factors.items())
    return (number, factors) if whole and number.is_Integer else None


class InRange(sympy.Function):  # type: ignore[misc]
    """The guard [0 ≤ e < extent] of an index expression, as 1 or 0.

    >>> InRange(sympy.Integer(3), sympy.Integer(3)), InRange(sympy.Integer(2), sympy.Integer(3))
    (0, 1)
    """

    nargs = 2
    is_real = True
    is_nonnegative = True

    @classmethod
    def eval(cls, e: sympy.Expr, extent: sympy.Expr) -> sympy.Expr | None:
        above, beyond = _is_nonnegative(e), _is_nonnegative(e - extent)
        if above is False or beyond:
            return sympy.S.Zero
        if above and _is_nonnegative(extent - 1 - e):
            return sympy.S.One
        return None

    def _eval_derivative(self, s: sympy.Symbol) -> sympy.Expr:
        return sympy.S.Zero

    def _eval_power(self, exponent: sympy.Expr) -> sympy.Expr | None:
        return self if exponent.is_positive else None


class Masked(sympy.Function):  # type: ignore[misc]
    """x where the guard is 1, −∞ where it is 0: the whole body of a maximum over some of the entries only.

    >>> x = sympy.Symbol("x", real=True)
    >>> Masked(x, sympy.S.One), Masked(x, sympy.S.Zero)
    (x, -oo)
    """

    nargs = 2
    is_extended_real = True

    @classmethod
    def eval(cls, x: sympy.Expr, guard: sympy.Expr) -> sympy.Expr | None:
        if guard == 1:
            return x
        return sympy.S.NegativeInfinity if guard == 0 else None


class ScalarFunction(sympy.Function):  # type: ignore[misc]
    """Base of the named scalar functions; made by `scalar_function`, never subclassed by hand.

    The first argument is the variable, further ones are parameters of the function (the slope of a leaky ReLU).
    """

    #: x, *parameters → the defining expression, in exact arithmetic.
    definition: ClassVar[Callable[..., sympy.Expr]]
    #: x, *parameters → f'(x) in the form that readers expect; None: differentiate the definition.
    slope: ClassVar[Callable[..., sympy.Expr] | None] = None
    #: x, *parameters → an equal expression that does not lose digits; None: the definition is safe.
    stable: ClassVar[Callable[..., sympy.Expr] | None] = None
    #: x, *parameters → 1 − f(x) without cancellation, where there is such a form.
    complement: ClassVar[Callable[..., sympy.Expr] | None] = None
    #: x, *parameters → log f(x) that neither overflows nor loses digits where f is near 0, where there is such a form.
    logarithm: ClassVar[Callable[..., sympy.Expr] | None] = None
    latex_name: ClassVar[str] = ""
    source: ClassVar[str] = ""
    is_real = True

    def defined(self) -> sympy.Expr:
        """This call written out by the definition."""
        return sympy.sympify(type(self).definition(*self.args))

    def body(self) -> tuple[dict[sympy.Dummy, sympy.Expr], sympy.Expr]:
        """The definition in variables for its arguments, and what they stand for; numbers stay in it.

        One object for all calls, where `defined` has SymPy build a new expression for each.
        """
        given = tuple(None if not a.is_Number else a for a in self.args)
        variables, body = _body(type(self).definition, given)
        return dict(zip(variables, (a for a in self.args if not a.is_Number), strict=True)), body

    def computed(self) -> sympy.Expr:
        """This call in the form that is safe to compute."""
        return sympy.sympify((type(self).stable or type(self).definition)(*self.args))

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        if argindex == 1 and type(self).slope is not None:
            return sympy.sympify(type(self).slope(*self.args))  # type: ignore[misc]
        variables, body = _body(type(self).definition, (None,) * len(self.args))
        return body.diff(variables[argindex - 1]).xreplace(dict(zip(variables, self.args, strict=True)))


@lru_cache(maxsize=1024)
def _body(
    definition: Callable[..., sympy.Expr], given: tuple[sympy.Expr | None, ...]
) -> tuple[tuple[sympy.Dummy, ...], sympy.Expr]:
    arguments = [sympy.Dummy(f"v{k}", real=True) if a is None else a for k, a in enumerate(given)]
    variables = tuple(a for a, number in zip(arguments, given, strict=True) if number is None)
    return variables, sympy.sympify(definition(*arguments))


def switches_in(body: sympy.Expr) -> list[tuple[sympy.Expr, Switch]]:
    """Every switch of a body with the expression that shows it: itself, or the named function that holds it.

    >>> x = sympy.Symbol("x", real=True)
    >>> switches_in(1 + Switch(x, 0, x, 0))
    [(Switch(x, 0, x, 0), Switch(x, 0, x, 0))]
    """
    shown = [(node, node) for node in sorted(body.atoms(Switch), key=sympy.default_sort_key)]
    for call in sorted(body.atoms(ScalarFunction), key=sympy.default_sort_key):
        shown += [(call, node) for node in sorted(call.defined().atoms(Switch), key=sympy.default_sort_key)]
    return shown


def scalar_function(
    name: str,
    definition: Callable[..., sympy.Expr],
    *,
    slope: Callable[..., sympy.Expr] | None = None,
    stable: Callable[..., sympy.Expr] | None = None,
    complement: Callable[..., sympy.Expr] | None = None,
    logarithm: Callable[..., sympy.Expr] | None = None,
    latex: str = "",
    source: str = "",
) -> type[ScalarFunction]:
    """A named scalar function from its one definition.

    `slope`, `stable`, `complement` and `logarithm` are other ways of writing what follows from `definition`: they are
    claims, and `symdl.verification.check_function` decides each one (the tests do so for every entry of the library).

    >>> square = scalar_function("square", lambda x: x**2)
    >>> x = sympy.Symbol("x", real=True)
    >>> square(x).diff(x), square(x).defined()
    (2*x, x**2)
    """
    if not name.isidentifier():
        raise DefinitionError(f"'{name}' is not a name", where="a scalar function", remedy="use letters and digits")
    space = {
        "definition": staticmethod(definition),
        "slope": slope and staticmethod(slope),
        "stable": stable and staticmethod(stable),
        "complement": complement and staticmethod(complement),
        "logarithm": logarithm and staticmethod(logarithm),
        "latex_name": latex or rf"\operatorname{{{name.replace('_', ' ')}}}",
        "source": source,
        "__doc__": f"The scalar function {name}. {source}",
        "__module__": __name__,
    }
    return type(name, (ScalarFunction,), space)


def _far(x: sympy.Expr) -> sympy.Expr:
    """e^{−2|x|}."""
    return sympy.exp(-2 * Switch(x, -x, x, sympy.Rational(1, 2)))


#: 1 − tanh², the slope of tanh, in a form that keeps its digits where tanh is 1 to the last bit.
sech2: Any = scalar_function(
    "sech2",
    lambda x: 1 - sympy.tanh(x) ** 2,
    slope=lambda x: -2 * sympy.tanh(x) * sech2(x),
    stable=lambda x: 4 * _far(x) / (1 + _far(x)) ** 2,
    latex=r"\operatorname{sech}^{2}",
    source="1 − tanh²(x) = 4 e^{−2|x|} / (1 + e^{−2|x|})²",
)
