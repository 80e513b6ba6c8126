"""Programs in wide numbers (see `wide`): every value between inputs and outputs has twice the digits of float64, and no
square or exponential overflows. For losses and gates whose values are small differences of large ones; loops are what
they are, matrix products are loops, and a step of arithmetic takes ten to a hundred times as long.

A wide number is a tuple of three numbers. Arrays of them have one more axis, of three, and are made where the function
begins; the results are rounded once, at its end.
"""

from __future__ import annotations

from typing import Any, NoReturn

import mpmath
import sympy
from sympy.codegen.cfunctions import expm1, log1p

from symdl.compilation.plan import Plan
from symdl.compilation.statements import Statement
from symdl.compilation.targets.accumulators import Accumulator
from symdl.compilation.targets.blocks import computed
from symdl.compilation.targets.emit import Emitter, Function, is_number
from symdl.compilation.targets.printer import ScalarPrinter
from symdl.compilation.targets.scalars import indented
from symdl.compilation.targets.wide import NAMES, triple
from symdl.core.accurate import PRINTED, exp_gap, gap, quotient
from symdl.core.functions import Delta, InRange, ScalarFunction, Switch
from symdl.core.indices import Index
from symdl.core.tensors import Element

#: Functions that wide numbers have, by their name in emitted code.
FUNCTIONS = {
    sympy.exp: "exp",
    sympy.log: "log",
    sympy.tanh: "tanh",
    sympy.erfc: "erfc",
    log1p: "log1p",
    expm1: "expm1",
    quotient: "over",
}
DIGITS = 60


class WidePrinter(ScalarPrinter):
    """Prints a scalar body as calls on wide numbers.

    >>> x, y = sympy.symbols("x y", real=True)
    >>> WidePrinter("float64").doprint(sympy.exp(y) - x * y)
    'plus(minus(times(x, y)), exp(y))'
    >>> WidePrinter("float64").doprint(x**3 / (2 * y))
    'over(times((0.5, 0.0, 0.0), power(x, 3)), y)'
    """

    named = PRINTED

    def _print(self, expr: Any, **options: Any) -> Any:
        if isinstance(expr, sympy.Expr) and expr.is_number and not expr.has(Index, ScalarFunction):
            return self._constant(expr)
        return super()._print(expr, **options)

    def _constant(self, value: Any, level: int = 0) -> str:
        if value in (sympy.oo, -sympy.oo):
            return f"({'' if value > 0 else '-'}math.inf, 0.0, 0.0)"
        with mpmath.workdps(DIGITS):
            return str(triple(sympy.sympify(value).evalf(DIGITS)._to_mpmath(int(DIGITS * 3.4))))

    def _print_Symbol(self, expr: Any) -> str:
        return f"wide({self.names[expr]})" if expr in self.names else str(expr.name)

    _print_Dummy = _print_Symbol

    def _print_Index(self, expr: Index) -> str:
        return f"wide({self.names[expr]})"

    def _print_Add(self, expr: Any, order: Any = None) -> str:
        texts = [self._print(a) for a in expr.args]
        first, *rest = texts
        if len(texts) > 2:
            return f"total(({', '.join(texts)}))"
        for text in rest:
            first = f"plus({first}, {text})"
        return str(first)

    def _print_Mul(self, expr: Any) -> str:
        guards = [f for f in expr.args if isinstance(f, (InRange, Delta))]
        if guards:
            rest = self._print(sympy.Mul(*[f for f in expr.args if f not in guards]))
            return f"({rest} if {' and '.join(self.condition(g) for g in guards)} else {triple(mpmath.mpf(0))})"
        coefficient, rest = expr.as_coeff_Mul()
        if coefficient == -1:
            return f"minus({self._print(rest)})"
        above, below = sympy.fraction(rest) if rest.is_Mul or rest.is_Pow else (rest, sympy.S.One)
        factors = [f for f in sympy.Mul.make_args(above) if f != 1]
        texts = [*([self._constant(coefficient)] if coefficient != 1 else []), *map(self._print, factors)]
        product = texts[0] if texts else self._constant(sympy.S.One)
        for text in texts[1:]:
            product = f"times({product}, {text})"
        return product if below == 1 else f"over({product}, {self._print(below)})"

    def _print_Pow(self, expr: Any, rational: bool = False) -> str:
        base, exponent = expr.base, expr.exp
        inner = self._print(base)
        if exponent.is_Rational and exponent.is_negative:
            return f"over({self._constant(sympy.S.One)}, {self._print(sympy.Pow(base, -exponent))})"
        if exponent.is_Integer:
            return f"power({inner}, {int(exponent)})"
        if exponent.is_Rational and exponent.q == 2:
            return f"root({inner})" if exponent.p == 1 else f"power(root({inner}), {int(exponent.p)})"
        return f"powered({inner}, {self._print(exponent)})"

    def _print_exp(self, expr: Any) -> str:
        return f"exp({self._print(expr.args[0])})"

    def _print_Switch(self, expr: Switch) -> str:
        x, below, above, weight = expr.args
        if above == x and below == -x:
            return f"magnitude({self._print(x)})"
        parts = [x, below, above, (1 - weight) * below + weight * above]
        return f"chosen({', '.join(self._print(p) for p in parts)})"

    def _print_Function(self, expr: Any) -> str:
        if isinstance(expr, gap | exp_gap):
            first, second = (self._print(a) for a in expr.args)
            difference = f"plus({first}, minus({second}))"
            return difference if isinstance(expr, gap) else f"exp({difference})"
        if type(expr) not in FUNCTIONS:
            return self._print_not_supported(expr)
        return f"{FUNCTIONS[type(expr)]}({', '.join(self._print(a) for a in expr.args)})"

    _print_gap = _print_exp_gap = _print_quotient = _print_log = _print_tanh = _print_erfc = _print_Function
    _print_log1p = _print_expm1 = _print_sin = _print_cos = _print_erf = _print_sinh = _print_cosh = _print_Function
    _print_atan = _print_tan = _print_asinh = _print_Function

    def condition(self, guard: sympy.Expr) -> str:
        """A guard as a condition on integers; any other number as whether it is not 0."""
        if isinstance(guard, (InRange, Delta)):
            return super().condition(guard)
        return f"sign({self._print(guard)}) != 0.0"

    def _print_Delta(self, expr: Delta) -> str:
        return f"({triple(mpmath.mpf(1))} if {self.condition(expr)} else {triple(mpmath.mpf(0))})"

    _print_InRange = _print_Delta

    def _print_floor(self, expr: Any) -> str:
        if not all(s.is_integer for s in expr.free_symbols):
            return self._print_not_supported(expr)
        return f"wide({self.integer(expr)})"

    def _print_not_supported(self, expr: Any) -> NoReturn:
        super()._print_not_supported(expr)


class WideAccumulator(Accumulator):
    """What an innermost loop adds up, in the order of the loop."""

    def before(self) -> list[str]:
        return [f"{self.name} = {self.home}"] if self.home else []

    def step(self, value: str) -> list[str]:
        return [f"{self.name} = {_OPERATIONS[self.op]}({self.name}, {value})"]

    def after(self) -> list[str]:
        return [f"{self.home} = {self.name}"] if self.home else []


_OPERATIONS = {"sum": "plus", "max": "larger", "prod": "times"}


class WideEmitter(Emitter):
    """Emits one function in wide numbers."""

    taken = NAMES

    def __init__(self, plan: Plan, dtype: str) -> None:
        super().__init__(plan, dtype)
        self.printer = WidePrinter(dtype, self.text)
        arrays = [b for b in plan.buffers if b.tensor.rank]
        self.made = {b.name for b in arrays if b.kind in ("work", "output")}
        self.given = {n: self.arrays[n] for n in (*(t.name for t in plan.inputs), *plan.definition.outputs)}
        for name in self.made & set(self.given):
            self.given[name] = self.names.new(f"{name}_out")
        for tensor in plan.inputs:
            if is_number(tensor):
                self.given[tensor.name] = self.names.new(f"{tensor.name}_number")

    def function(self, name: str) -> Function:
        """The function `name(inputs…, outputs…, work)`, which returns nothing and leaves the work space alone."""
        plan = self.plan
        inputs = tuple(t.name for t in plan.inputs)
        outputs = tuple(dict.fromkeys(t.name for t in plan.outputs if t.name not in inputs))
        items = [(item, self._item(item)) for item in plan.items]
        constants = self.invariants.lines(self.printer)
        head = [*self._extents(), *self._scalar_inputs(), *self._new_arrays()]
        head += ["# what no loop changes", *constants] if constants else []
        body = [line for _, (notes, lines) in items for line in (*notes, *lines)]
        lines = [*head, *body, *self._results(outputs)]
        arguments = ", ".join([*(self.given[n] for n in (*inputs, *outputs)), "work"])
        sized = ", ".join(self.given[n] for n in inputs)
        return Function(
            name,
            inputs,
            outputs,
            (f"def {name}({arguments}):", *indented(lines or ["pass"])),
            (f"def {name}_size({sized}):", *indented(["return 0"])),
        )

    def _scalar_inputs(self) -> list[str]:
        lines = []
        for t in (t for t in self.plan.inputs if t.rank == 0):
            text = self.given[t.name] if is_number(t) else f"{self.arrays[t.name]}[0]"
            lines.append(f"{self.locals[t.element()]} = {text if t.integer else f'wide({text})'}")
        return lines

    def _new_arrays(self) -> list[str]:
        kept = [b for b in self.plan.buffers if b.name in self.made]
        return [f"{self.arrays[b.name]} = np.empty(({', '.join(self.shape_of(b.tensor))}, 3))" for b in kept]

    def _results(self, outputs: tuple[str, ...]) -> list[str]:
        lines = []
        for tensor in (self.plan.definition.tensors[n] for n in outputs):
            if tensor.rank == 0:
                lines.append(f"{self.arrays[tensor.name]}[0] = narrow({self.locals[tensor.element()]})")
            else:
                lines.append(f"narrowed({self.arrays[tensor.name]}, {self.given[tensor.name]})")
        return lines

    def access(self, element: Element) -> str:
        if element.name not in self.made:
            text = super().access(element)
            return text if element.tensor.integer else f"wide({text})"
        inside = ", ".join(self._place(s) for s in element.subscripts)
        return f"({', '.join(f'{self.arrays[element.name]}[{inside}, {k}]' for k in range(3))})"

    def _scalar(self, body: sympy.Expr, known: dict[Element, str]) -> sympy.Expr:
        body = computed(body, self.printer.named)
        guards = {g: sympy.Dummy() for g in body.atoms(InRange, Delta)}  # what they compare are whole numbers
        texts = {e: self._read(e, known) for e in body.atoms(Element)}
        numbers = {e: f"wide({text})" if e.tensor.integer else text for e, text in texts.items()}
        made = body.xreplace(guards).xreplace({e: sympy.Symbol(t, real=True) for e, t in numbers.items()})
        return made.xreplace({d: self._gathered(g) for g, d in guards.items()})

    def _accumulator(self, statement: Statement, around: tuple[Index, ...], known: dict[Element, str]) -> Accumulator:
        made = super()._accumulator(statement, around, known)
        return WideAccumulator(made.name, made.op, made.home)

    def _assignment(self, statement: Statement, target: str, value: str) -> list[str]:
        running = self.running.get(statement.out)
        if running is not None:
            return running.step(value)
        return [f"{target} = {_OPERATIONS[statement.op]}({target}, {value})" if statement.op else f"{target} = {value}"]
