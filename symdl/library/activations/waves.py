"""Waves and a bump: sine, snake and the Gaussian."""

from __future__ import annotations

from typing import Any

import sympy

from symdl.core.functions import scalar_function
from symdl.library.activations.record import Activation

_Snake: Any = scalar_function(
    "snake",
    lambda x, a: x + sympy.sin(a * x) ** 2 / a,
    slope=lambda x, a: 1 + sympy.sin(2 * a * x),
    latex=r"\operatorname{snake}",
    source="Liu, Hartwig and Ueda 2020 (arXiv 2006.08195)",
)

_Gaussian: Any = scalar_function(
    "gaussian",
    lambda x: sympy.exp(-(x**2)),
    slope=lambda x: -2 * x * _Gaussian(x),
    latex=r"\operatorname{gaussian}",
    source="Broomhead and Lowe 1988 (Complex Systems 2): radial basis functions",
)

sine = Activation(
    "sine",
    lambda x, omega: sympy.sin(omega * x),
    lambda x, omega: sympy.sin(omega * x),
    "Sitzmann et al. 2020 (arXiv 2006.09661), section 3.2: SIREN, where ω is 30",
    parameters={"omega": sympy.S.One},
    summary="sin(ωx)",
)
snake = Activation(
    "snake",
    _Snake.definition,
    _Snake,
    _Snake.source,
    parameters={"a": sympy.S.One},
    facts={"a": "positive"},
    summary="x + sin²(ax)/a",
)
gaussian = Activation(
    "gaussian",
    _Gaussian.definition,
    _Gaussian,
    _Gaussian.source,
    summary="the bell e^{−x²}",
)

ACTIVATIONS = (sine, snake, gaussian)
