"""Sine and cosine: of sums by the addition formulas, of multiples by turning, with sin² = 1 − cos²."""

from __future__ import annotations

import sympy

from symdl.verification.generators import Frac, Generator, Table
from symdl.verification.normaliser import Normaliser


def circular(self: Normaliser, argument: Frac) -> tuple[Frac, Frac]:
    """(cos, sin) of Σ c_k m_k by the addition formulas."""
    total = (self.table.number(1), self.table.number(0))
    for coefficient, key in self.parts(self.reduced(argument)):
        total = _turned(self.table, total, _circular_of(self, coefficient, key))
    return total


def _turned(table: Table, a: tuple[Frac, Frac], b: tuple[Frac, Frac]) -> tuple[Frac, Frac]:
    t = table
    return (
        t.add(t.mul(a[0], b[0]), t.neg(t.mul(a[1], b[1]))),
        t.add(t.mul(a[0], b[1]), t.mul(a[1], b[0])),
    )


def _circular_of(self: Normaliser, coefficient: sympy.Rational, key: Frac) -> tuple[Frac, Frac]:
    expr = self.table.to_expr(key)
    if expr == sympy.pi:
        cosine, sine = sympy.cos(coefficient * sympy.pi), sympy.sin(coefficient * sympy.pi)
        if not (cosine.has(sympy.cos, sympy.sin) or sine.has(sympy.cos, sympy.sin)):
            return self.form(cosine), self.form(sine)
    fine = self.table.memory.refine(("angle", str(expr)), int(coefficient.q))
    names = (str(key.num), str(key.den))
    cosine_form, _ = self.table.generator(("cos", *names), lambda: Generator("cos", sympy.cos(expr / fine)))
    square = self.table.add(self.table.number(1), self.table.neg(self.table.power(cosine_form, 2)))
    sine_form, _ = self.table.generator(
        ("sin", *names), lambda: Generator("sin", sympy.sin(expr / fine), relation=(2, square))
    )
    turns = int(coefficient * fine)
    if abs(turns) > 64:
        whole = self.table.mul(self.table.number(coefficient), key)
        return self.opaque(sympy.cos, [whole]), self.opaque(sympy.sin, [whole])
    step = (cosine_form, sine_form if turns > 0 else self.table.neg(sine_form))
    total = (self.table.number(1), self.table.number(0))
    for _ in range(abs(turns)):
        cosine_now, sine_now = _turned(self.table, total, step)
        total = self.reduced(cosine_now), self.reduced(sine_now)
    return total
