"""A definition as canonical text: the same for the same mathematics in every process, to key the code cache by.

Index objects differ from process to process, so they are numbered by where they stand; factors and summands are
sorted as text, since SymPy's own order depends on those objects.

>>> from symdl.core.define import define, Input, Param, Sum, let
>>> def make():
...     @define
...     def unit(x=Input("i=3"), w=Param("i")):
...         return let("s", Sum(w[x.indices[0]] * x[x.indices[0]], x.indices[0]))
...     return unit
>>> canonical(make()) == canonical(make())
True
"""

from __future__ import annotations

from typing import Any

import sympy

from symdl.core.definitions import Definition
from symdl.core.functions import ScalarFunction
from symdl.core.indices import Index
from symdl.core.tensors import Element, Tensor


def canonical(definition: Definition) -> str:
    """The canonical text of a definition, defining expressions of its named functions included."""
    return _Writer().definition(definition)


class _Writer:
    def __init__(self) -> None:
        self.numbers: dict[Index, int] = {}
        self.functions: dict[str, str] = {}

    def definition(self, definition: Definition) -> str:
        lines = [f"definition {definition.name} -> {', '.join(definition.outputs)}"]
        lines += [f"input {self._tensor(t)}" for t in definition.inputs]
        for eq in definition.equations:
            lines.append(f"equation {self._tensor(eq.out)}")
            for term in eq.terms:
                bound = ", ".join(self._index(i) for i in term.bound)
                lines.append(f"  {term.op}({term.ties}) [{bound}] {self.expr(term.body)}")
        lines += [f"function {name}: {text}" for name, text in sorted(self.functions.items())]
        return "\n".join(lines)

    def _tensor(self, tensor: Tensor) -> str:
        axes = ", ".join(self._index(i) for i in tensor.indices)
        facts = ", ".join(sorted(f.name for f in tensor.facts))
        drawn = "" if tensor.mask is None else " drawn"
        return f"{tensor.name}[{axes}] {tensor.role} integer={tensor.integer} facts={facts}{drawn}"

    def _index(self, index: Index) -> str:
        self.numbers.setdefault(index, len(self.numbers))
        return f"{index.name}#{self.numbers[index]}:{index.extent}{' sequential' if index.sequential else ''}"

    def expr(self, expr: sympy.Basic) -> str:
        """One expression; indices have been numbered by the tensors and sums that hold them."""
        if isinstance(expr, Index):
            return f"#{self.numbers.setdefault(expr, len(self.numbers))}"
        if isinstance(expr, Element):
            return f"{expr.name}[{', '.join(self.expr(s) for s in expr.subscripts)}]"
        if isinstance(expr, ScalarFunction):
            self._define(type(expr), len(expr.args))
        if not expr.args:
            return sympy.srepr(expr) if not isinstance(expr, sympy.Dummy) else str(expr.name)
        parts = [self.expr(a) for a in expr.args]
        if isinstance(expr, sympy.Add | sympy.Mul):
            parts.sort()
        return f"{type(expr).__name__}({', '.join(parts)})"

    def _define(self, function: Any, arity: int) -> None:
        """The forms that a named function is computed and differentiated by, written once."""
        key = f"{function.__name__}/{arity}"
        if key in self.functions:
            return
        self.functions[key] = ""
        arguments = [sympy.Symbol(f"argument{k}", real=True) for k in range(arity)]
        forms = [function.definition, function.stable, function.slope, function.complement]
        self.functions[key] = "; ".join(self.expr(sympy.sympify(f(*arguments))) if f else "-" for f in forms)
