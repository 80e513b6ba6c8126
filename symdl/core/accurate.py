"""Nodes of forms that are meant to be computed: each is an exact function, computed in a way that keeps its digits.

They stand in stable forms only; nothing differentiates or prints them for readers.
"""

from __future__ import annotations

from typing import Any

import sympy

from symdl.core.functions import scalar_function

#: a·eᵘ: u is computed with twice the digits, and the power of two is put in last, after the factor a: neither the
#: rounding of u nor a subnormal eᵘ costs digits of the product.
scaled_exp: Any = scalar_function("scaled_exp", lambda a, u: a * sympy.exp(u), source="a·eᵘ")

#: eᵘ as a number of its own: its powers are products, where SymPy makes e^{2u} of the square of eᵘ.
kept_exp: Any = scalar_function("kept_exp", lambda u: sympy.exp(u), source="eᵘ")

#: e^{x²} erfc(x), the scaled complementary error function, for x ≥ 0.
erfcx: Any = scalar_function("erfcx", lambda x: sympy.exp(x**2) * sympy.erfc(x), source="e^{x²} erfc(x)")

#: a/b as a division of its own: a/b/b where b² would overflow.
quotient: Any = scalar_function("quotient", lambda a, b: a / b, source="a/b")

#: √(x² + y²) without overflow.
hypot: Any = scalar_function("hypot", lambda x, y: sympy.sqrt(x**2 + y**2), source="√(x² + y²)")

#: a − b as a subtraction of its own, before anything else is added to it.
gap: Any = scalar_function("gap", lambda a, b: a - b, slope=lambda a, b: sympy.S.One, source="a − b")

#: e^{a − b}, with what the rounding of a − b leaves out put in.
exp_gap: Any = scalar_function("exp_gap", lambda a, b: sympy.exp(a - b), source="e^{a − b}")

#: sin kx and cos kx for a number k: what counts of k·x is what it is beyond whole turns, to all digits.
sin_of: Any = scalar_function("sin_of", lambda x, k: sympy.sin(k * x), source="sin kx")
cos_of: Any = scalar_function("cos_of", lambda x, k: sympy.cos(k * x), source="cos kx")

#: Those that stand in equations, not only in forms.
PRINTED = (quotient, gap, exp_gap)

#: All of them: none is replaced by its definition in what is computed.
NODES = (scaled_exp, kept_exp, erfcx, hypot, sin_of, cos_of, *PRINTED)
