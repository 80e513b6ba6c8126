"""Convexity in the whole prediction, for all extents and parameters, by rules of composition.

Each expression is affine, convex, concave or none of them in the prediction, has a sign, and may be so in its logarithm
as well. Sums of convex expressions are convex, and so are convex non-decreasing functions of them, log Σ e^{affine} and
the length of an affine vector (Boyd and Vandenberghe 2004, sections 3.2 and 3.5); a summand of one entry only is where
its second slope has no negative value. The rules prove, they never refute.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import sympy

from symdl.core.definitions import Definition
from symdl.core.functions import Delta, InRange, ScalarFunction, Switch
from symdl.core.tensors import Element, Fact, Reduction
from symdl.library.losses import Loss
from symdl.verification.terms import UndecidedError

_SIGNED = {Fact.POSITIVE, Fact.NONNEGATIVE, Fact.FRACTION, Fact.BINARY, Fact.SUMS_TO_ONE}


@dataclass(frozen=True)
class Shape:
    """What is known of an expression as a function of the prediction.

    Args:
        up, down: convex, concave; both: affine.
        constant: it does not depend on the prediction.
        sign: 1 where it is never negative, −1 where it is never positive, 0 otherwise.
        log_up, log_down: its logarithm is convex, concave.
        squares: a sum of squares of affine expressions, whose root is the length of a vector.
    """

    up: bool = False
    down: bool = False
    constant: bool = False
    sign: int = 0
    log_up: bool = False
    log_down: bool = False
    squares: bool = False

    @property
    def affine(self) -> bool:
        return self.up and self.down


def convex_by_rules(made: Loss) -> bool:
    """Whether the rules prove a loss to be convex in its prediction; True, or no answer.

    Raises:
        UndecidedError: they don't.

    >>> from symdl.library.losses import loss
    >>> convex_by_rules(loss("softmax_cross_entropy"))
    True
    """
    definition = made.entries()
    prediction = "z" if made.probabilities else list(made.inputs)[1]
    shapes = _Shapes(definition, prediction)
    if not shapes.of_output().up:
        raise UndecidedError("the rules for convex functions don't reach it")
    return True


class _Shapes:
    def __init__(self, definition: Definition, prediction: str) -> None:
        self.prediction = prediction
        self.tensors = definition.tensors
        self.target = definition.outputs[0]
        self.known: dict[str, Shape] = {}
        for equation in definition.equations:
            self.known[equation.name] = self.of(equation.rhs)

    def of_output(self) -> Shape:
        return self.known[self.target]

    def of(self, expr: sympy.Expr) -> Shape:
        """The shape of an expression, from those of its parts."""
        if isinstance(expr, Element):
            return self._element(expr)
        if isinstance(expr, (Delta, InRange)):
            return _constant(1)
        if not any(isinstance(n, Element) for n in sympy.preorder_traversal(expr)):
            return _constant(1 if expr.is_nonnegative else -1 if expr.is_nonpositive else 0)
        if isinstance(expr, Reduction):
            return self._reduction(expr)
        if expr.is_Add:
            return _constant(1) if self._share(1 - expr) else _sum([self.of(a) for a in expr.args])
        if expr.is_Mul:
            return self._product(expr)
        if isinstance(expr, sympy.exp):
            inner = self.of(expr.args[0])
            return Shape(inner.up, False, inner.constant, 1, inner.up, inner.down)
        if isinstance(expr, sympy.log):
            inner = self.of(expr.args[0])
            return Shape(inner.log_up, inner.log_down or inner.down, inner.constant)
        if expr.is_Pow:
            return self._power(expr)
        if isinstance(expr, Switch):
            return self._switch(expr)
        if isinstance(expr, ScalarFunction):
            return self.of(expr.defined())
        constant = all(self.of(a).constant for a in expr.args)
        return _constant(0) if constant else Shape()

    def _share(self, expr: sympy.Expr) -> bool:
        """Whether it is a constant between 0 and 1."""
        if isinstance(expr, (Delta, InRange)):
            return True
        if not isinstance(expr, Element) or expr.name == self.prediction or expr.name in self.known:
            return False
        return bool({Fact.FRACTION, Fact.BINARY, Fact.SUMS_TO_ONE} & set(self.tensors[expr.name].facts))

    def _element(self, element: Element) -> Shape:
        if element.name in self.known:
            return self.known[element.name]
        tensor = self.tensors[element.name]
        sign = 1 if _SIGNED & set(tensor.facts) else 0
        if element.name != self.prediction:
            return _constant(sign)
        # a positive affine expression is log-concave
        return Shape(True, True, False, sign, False, sign == 1)

    def _reduction(self, node: Reduction) -> Shape:
        inner = self.of(node.body)
        if inner.constant:
            return _constant(inner.sign)
        if node.op == "sum":
            up = inner.up or self._bends_up(node.body)
            return Shape(up, inner.down, False, inner.sign, inner.log_up, False, inner.squares)
        return Shape(inner.up, False, False, inner.sign) if node.op == "max" else Shape()

    def _bends_up(self, body: sympy.Expr) -> bool:
        """Whether a summand of one entry of the prediction has no negative second slope, whatever the rest is."""
        elements = sorted((n for n in body.atoms(Element)), key=sympy.default_sort_key)
        moving = [e for e in elements if e.name == self.prediction]
        if len(moving) != 1 or any(e.name in self.known for e in elements):
            return False
        symbols = {e: sympy.Dummy(positive=self._element(e).sign == 1 or None, real=True) for e in elements}
        second = sympy.simplify(body.xreplace(symbols).diff(symbols[moving[0]], 2))
        return bool(second.is_nonnegative)

    def _product(self, expr: sympy.Expr) -> Shape:
        shapes = [self.of(a) for a in expr.args]
        moving = [s for s in shapes if not s.constant]
        factor = 1
        for s in shapes:
            factor *= s.sign
        if not moving:
            return _constant(factor)
        fixed = 1
        for s in shapes:
            fixed *= s.sign if s.constant else 1
        if len(moving) == 1:
            return _scaled(moving[0], fixed)
        if fixed > 0 and all(s.sign == 1 for s in moving):
            log_up, log_down = all(s.log_up for s in moving), all(s.log_down for s in moving)
            return Shape(log_up, False, False, 1, log_up, log_down)
        return Shape(sign=factor)

    def _power(self, expr: sympy.Expr) -> Shape:
        base, exponent = self.of(expr.base), expr.exp
        if base.constant and self.of(exponent).constant:
            return _constant(base.sign)
        if not exponent.is_Number:
            return Shape()
        if exponent.is_negative:  # 1/u: log-convex where u is log-concave
            log_up, log_down = base.log_down, base.log_up
            positive = base.sign == 1
            return Shape(positive and (log_up or base.down), False, False, 1 if positive else 0, log_up, log_down)
        if exponent == sympy.S.Half and base.squares:
            return Shape(True, False, False, 1)
        if exponent.is_Integer and exponent.is_even:
            up = base.affine or (base.up and base.sign == 1) or (base.down and base.sign == -1)
            return Shape(up, False, False, 1, squares=exponent == 2 and base.affine)
        if exponent >= 1 and base.sign == 1:
            return Shape(base.up, exponent == 1 and base.down, False, 1, base.log_up, base.log_down)
        return Shape()

    def _switch(self, expr: Switch) -> Shape:
        """max(a, b), |a| and what is put together of them: the side that is larger where the condition is positive."""
        where, below, above, _ = expr.args
        low, high = self.of(below), self.of(above)
        if self.of(where).constant and low.constant and high.constant:
            return _constant(1 if low.sign == high.sign == 1 else 0)
        if self.of(where).constant:  # one of both, whatever the prediction is
            sign = low.sign if low.sign == high.sign else 0
            return Shape(low.up and high.up, low.down and high.down, False, sign)
        ratio = sympy.cancel((above - below) / where) if where != 0 else sympy.S.Zero
        if ratio.is_number and ratio.is_positive and low.up and high.up:  # below + max(0, ratio·where)
            sign = 1 if 1 in (low.sign, high.sign) or below == -above else 0
            return Shape(True, False, False, sign)
        if ratio.is_number and ratio.is_negative and low.down and high.down:
            return Shape(False, True, False, -1 if -1 in (low.sign, high.sign) else 0)
        return Shape()


def _constant(sign: int) -> Shape:
    return Shape(True, True, True, sign, True, True)


def _sum(parts: list[Shape]) -> Shape:
    sign = parts[0].sign if len({p.sign for p in parts}) == 1 else 0
    positive = all(p.sign == 1 for p in parts)
    return Shape(
        all(p.up for p in parts),
        all(p.down for p in parts),
        all(p.constant for p in parts),
        sign,
        positive and all(p.log_up for p in parts),
        positive and all(p.down for p in parts),
        all(p.squares or (p.constant and p.sign == 1) for p in parts),
    )


def _scaled(shape: Shape, sign: int) -> Shape:
    if sign == 0:
        return shape if shape.affine and not shape.constant and not _logs(shape) else Shape(shape.affine, shape.affine)
    if sign > 0:
        return replace(shape, squares=False)
    return Shape(shape.down, shape.up, False, -shape.sign)


def _logs(shape: Shape) -> bool:
    return shape.log_up or shape.log_down or shape.sign != 0
