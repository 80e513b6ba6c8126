"""Functions of which nothing is known but their names: f(x), with a derivative f′(x) of which no more is known.

The rules of calculus hold for them: (f(g(x)))′ = f′(g(x)) g′(x) is proved for all differentiable f and g.
"""

from __future__ import annotations

from functools import lru_cache

import sympy


class UnknownFunction(sympy.Function):  # type: ignore[misc]
    """Base of the functions that a document applies and does not define."""

    is_real = True
    nargs = None

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """The derivative by one of the arguments, as another unknown function; that by two is the same in either order.

        >>> x, y = sympy.symbols("x y", real=True)
        >>> f = unknown("f")
        >>> f(x).diff(x, 2), f(x, y).diff(y, x), f(x, y).diff(x, y)
        (f′′(x), f′1′2(x, y), f′1′2(x, y))
        """
        name, *marks = type(self).__name__.split("′")
        marks = ["", *marks] if len(self.args) == 1 else sorted([*marks, str(argindex)])  # in any order
        derivative: sympy.Expr = unknown("′".join([name, *marks]))(*self.args)
        return derivative


@lru_cache(maxsize=1024)
def unknown(name: str) -> type[UnknownFunction]:
    """The unknown function of a name.

    >>> x = sympy.Symbol("x", real=True)
    >>> f, g = unknown("f"), unknown("g")
    >>> f(g(x)).diff(x)
    f′(g(x))*g′(x)
    """
    return type(name, (UnknownFunction,), {})
