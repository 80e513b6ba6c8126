"""What an activation is: a function of one number, with parameters that are given, learned or left open.

>>> from symdl.core.functions import scalar_function
>>> bent = lambda x, a: x + a * x**2
>>> made = Activation("bent", bent, scalar_function("bent", bent), "the author", parameters={"a": sympy.Integer(3)})
>>> s = sympy.Symbol("s", real=True)
>>> made(s), made.defined(s), made(s, 2).diff(s)
(bent(s, 3), 3*s**2 + s, 4*s + 1)
>>> made.definition()
bent(s) -> a:
    a = 3*s**2 + s
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import sympy

from symdl.core.builder import Declared
from symdl.core.define import Hyper, Input, Param, let
from symdl.core.definitions import Definition
from symdl.core.display import Displayed
from symdl.core.tensors import Tensor
from symdl.errors import DefinitionError
from symdl.library.entries import Entry, written
from symdl.library.numbers import number

LECTURE = "the lecture's list of activation functions"


@dataclass(frozen=True, repr=False)
class Activation(Displayed):
    """A scalar function that a layer applies to each of its sums.

    Args:
        name: as in `sd.dense(64, "tanh")`.
        formula: x, *parameters → the defining expression, which a derivation of the entry starts from.
        call: x, *parameters → the expression that stands in a larger definition (a named function, so that formulas
            stay short).
        source: where the formula is from.
        kink: the decision at a kink, in words; empty for a smooth function.
        parameters: the value of each parameter, in the order in which `formula` takes them; None where it has none yet.
        learned: those that training changes, with the values that it starts from: a layer makes them parameters of its
            own.
        facts: what parameters have to be, by name: {"alpha": "positive"}.
        summary: one line on what it is.
        ordered: pairs of parameters of which the second is no less than the first.
    """

    name: str
    formula: Callable[..., sympy.Expr]
    call: Callable[..., sympy.Expr]
    source: str
    kink: str = ""
    parameters: Mapping[str, sympy.Expr | None] = field(default_factory=dict, hash=False)
    learned: Mapping[str, sympy.Expr] = field(default_factory=dict, hash=False)
    facts: Mapping[str, str] = field(default_factory=dict, hash=False)
    summary: str = ""
    ordered: tuple[tuple[str, str], ...] = ()

    def __call__(self, x: Any, *values: Any, **named: Any) -> sympy.Expr:
        """The activation of x.

        Args:
            x: a scalar expression.
            values, named: of parameters, in place of their own.

        Raises:
            DefinitionError: a parameter has no value, or there is no such parameter.
        """
        return self.call(*self._arguments(x, values, named))

    def defined(self, x: Any, *values: Any, **named: Any) -> sympy.Expr:
        """The activation of x, written out by its formula; arguments as for a call."""
        return sympy.sympify(self.formula(*self._arguments(x, values, named)), strict=True)

    def chosen(self, **values: Any) -> Activation:
        """The activation with other values of its parameters; None leaves one open, as a hyperparameter.

        Raises:
            DefinitionError: there is no such parameter, or it can't have that value.
        """
        given = {**self.parameters}
        for name, value in values.items():
            if name not in given:
                raise self._unknown(name)
            stated = self.facts.get(name, "").split()
            given[name] = None if value is None else number(f"activation {self.name}", name, value, stated)
        self._check_order(given)
        fixed = {name for name, value in values.items() if value is not None}
        learned = {name: start for name, start in self.learned.items() if name not in fixed}
        return replace(self, parameters=given, learned=learned)

    def declared(self) -> dict[str, Declared]:
        """How the parameters without a value are declared: as parameters where they are learned."""
        return {
            name: Param(start=float(self.learned[name]))
            if name in self.learned
            else Hyper(facts=self.facts.get(name, "").split())
            for name, value in self.parameters.items()
            if value is None
        }

    def definition(self) -> Definition:
        """a = f(s), written out: to derive, print, prove and compile. Parameters without a value are its inputs."""
        declared = {shown(name): made for name, made in self.declared().items()}
        variable, output = ("x" if "s" in declared else "s"), ("y" if "a" in declared else "a")

        def body(function: Callable[..., sympy.Expr], s: Tensor, *tensors: Tensor) -> Tensor:
            values = dict(zip(self.declared(), (t.element() for t in tensors), strict=True))
            return let(output, function(s.element(), **values))

        plain, named = (
            written(self.name, {variable: Input(), **declared}, partial(body, function))
            for function in (self.defined, self)
        )
        return replace(plain, named=dict(zip(plain.equations, named.equations, strict=True)))

    @property
    def entry(self) -> Entry:
        """The activation as an entry of the library; its options are the parameters, open unless a number is given."""
        make = partial(self._with_options)
        given = [inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=None) for n in self.parameters]
        make.__signature__ = inspect.Signature(given)  # type: ignore[attr-defined]
        return Entry(self.name, "activation", self.summary, make)

    def _with_options(self, **options: Any) -> Definition:
        return self.chosen(**{**dict.fromkeys(self.parameters), **options}).definition()

    def __repr__(self) -> str:
        (equation,) = self.definition().equations
        inside = ", ".join(map(str, (t.element() for t in self.definition().inputs)))
        return f"{self.name}({inside}) = {equation.rhs}"

    def _arguments(self, x: Any, values: tuple[Any, ...], named: Mapping[str, Any]) -> list[sympy.Expr]:
        if len(values) > len(self.parameters):
            raise DefinitionError(
                f"{self.name} is given {len(values)} parameters",
                why=f"it has {', '.join(self.parameters) or 'none'}",
                remedy="leave out the others",
            )
        given = {**self.parameters, **dict(zip(self.parameters, values, strict=False))}
        for name, value in named.items():
            if name not in given:
                raise self._unknown(name)
            given[name] = value
        for name, value in given.items():
            if value is None:
                raise DefinitionError(
                    f"parameter {name} of activation {self.name} has no value",
                    why="it is learned, and the layer has to make it" if name in self.learned else "none was given",
                    remedy=f"write sd.activation('{self.name}', …, {name}=1), or pass it in a call: f(s, {name}=…)",
                )
        numbers = {name: sympy.sympify(value, strict=True) for name, value in given.items()}
        self._check_order(numbers)
        return [sympy.sympify(x, strict=True), *numbers.values()]

    def _check_order(self, values: Mapping[str, sympy.Expr | None]) -> None:
        for low, high in self.ordered:
            least, most = values[low], values[high]
            if least is not None and most is not None and (most - least).is_negative:
                raise DefinitionError(
                    f"{low} = {least} is above {high} = {most}",
                    where=f"activation {self.name}",
                    why="the first is the lower end, the second the upper one",
                    remedy="exchange them",
                )

    def _unknown(self, name: str) -> DefinitionError:
        return DefinitionError(
            f"activation {self.name} has no parameter '{name}'",
            remedy=f"its parameters are {', '.join(self.parameters)}" if self.parameters else "leave it out",
        )


def shown(parameter: str) -> str:
    """The name of a parameter as a tensor: `lambda_`, so written because Python keeps the word, is λ."""
    return parameter.rstrip("_")
