"""Initialisers: data. One entry is a distribution: its variance as a formula, and how it is drawn.

The variance follows from what it is for (derivations/initialisers): a sum of n products w·x has the variance
n·Var(w)·E[x²], so that Var(w) = gain²/n keeps the size of a signal from layer to layer.

>>> n, m = sympy.symbols("n m", positive=True)
>>> glorot_uniform().variance(n, m), he_normal().variance(n, m)
(2/(m + n), 2/n)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symdl.errors import DefinitionError, ShapeError
from symdl.library.numbers import above_zero
from symdl.library.weights import Use

Array = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, ...], Use], Array]


@dataclass(frozen=True)
class Initialiser:
    """How the entries of a parameter are drawn before training.

    Args:
        name: of the distribution.
        variance: of an entry, from the fan in (how many entries a sum adds up) and the fan out (in how many sums an
            input stands).
        drawn: from a generator, a shape and what the definition does with the parameter.
        fans: whether it needs those two numbers, which a bias does not have.
        source: where it is from.
    """

    name: str
    variance: Callable[[Any, Any], sympy.Expr]
    drawn: Draw
    fans: bool = True
    source: str = ""

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...], use: Use) -> Array:
        """The entries, float64; the same state of the generator gives the same ones.

        Raises:
            ShapeError: a parameter that is not summed over, where the fan in decides.
        """
        if self.fans and not use.summed:
            raise ShapeError(
                f"{self.name} needs a weight",
                why="no sum runs over this parameter, so that it has no fan in",
                remedy="draw it by sd.initialisers.normal or uniform, or start it at zeros()",
            )
        return self.drawn(rng, shape, use)


def zeros() -> Initialiser:
    """0 everywhere: for biases. Weights of one layer that start alike stay alike."""
    return Initialiser("zeros", lambda n, m: sympy.S.Zero, lambda rng, shape, use: np.zeros(shape), fans=False)


def uniform(limit: float = 0.05) -> Initialiser:
    """Evenly from −limit to limit: variance limit²/3.

    Raises:
        DefinitionError: a limit that is not a finite number above 0.
    """
    a = above_zero("limit", limit, where=_WHERE)
    return Initialiser("uniform", lambda n, m: _exact(a) ** 2 / 3, lambda rng, s, use: rng.uniform(-a, a, s), False)


def normal(std: float = 0.05) -> Initialiser:
    """The normal distribution around 0: variance std².

    Raises:
        DefinitionError: a standard deviation that is not a finite number above 0.
    """
    sigma = above_zero("std", std, where=_WHERE)
    return Initialiser("normal", lambda n, m: _exact(sigma) ** 2, lambda rng, s, use: rng.normal(0, sigma, s), False)


def glorot_uniform(*, gain: float = 1.0) -> Initialiser:
    """±gain·√(6/(fan in + fan out)): variance 2·gain²/(fan in + fan out), between what both directions want.

    Raises:
        DefinitionError: a gain that is not a finite number above 0.
    """
    return _uniform("glorot_uniform", lambda n, m: 2 * _gain(gain) ** 2 / (n + m), _GLOROT)


def glorot_normal(*, gain: float = 1.0) -> Initialiser:
    """Normal with the variance 2·gain²/(fan in + fan out).

    Raises:
        DefinitionError: a gain that is not a finite number above 0.
    """
    return _normal("glorot_normal", lambda n, m: 2 * _gain(gain) ** 2 / (n + m), _GLOROT)


def he_uniform(*, gain: float | None = None, mode: str = "fan_in") -> Initialiser:
    """±gain·√(3/fan): variance gain²/fan, with the gain √2 of ReLU where none is given.

    Args:
        gain: what the activation makes smaller, `gain("tanh")` for instance.
        mode: "fan_in" keeps the size of the signal, "fan_out" that of the slopes.

    Raises:
        DefinitionError: a gain that is not a finite number above 0, or an unknown mode.
    """
    return _uniform("he_uniform", _of_one_fan(gain, mode), _HE)


def he_normal(*, gain: float | None = None, mode: str = "fan_in") -> Initialiser:
    """Normal with the variance gain²/fan; arguments as for `he_uniform`."""
    return _normal("he_normal", _of_one_fan(gain, mode), _HE)


def orthogonal(*, gain: float = 1.0) -> Initialiser:
    """A random matrix with orthonormal rows or columns, whichever are fewer: variance gain²/max(rows, columns).

    Its columns are the axes that are summed over. It keeps lengths, ‖Wx‖ = gain·‖x‖, where there are as many rows.

    Raises:
        DefinitionError: a gain that is not a finite number above 0.
    """
    factor = _gain(gain)

    def drawn(rng: np.random.Generator, shape: tuple[int, ...], use: Use) -> Array:
        columns = sorted(use.summed)
        order = [a for a in range(len(shape)) if a not in use.summed] + columns
        width = math.prod(shape[a] for a in columns)
        matrix = float(factor) * _orthonormal(rng, math.prod(shape) // width, width)
        return np.ascontiguousarray(matrix.reshape([shape[a] for a in order]).transpose(np.argsort(order)))

    source = "Saxe, McClelland and Ganguli 2014 (arXiv 1312.6120); uniform over all such matrices: Mezzadri 2007"
    return Initialiser("orthogonal", lambda n, m: factor**2 / sympy.Max(n, m), drawn, source=source)


def _orthonormal(rng: np.random.Generator, rows: int, columns: int) -> Array:
    """By QR of a normal matrix; the signs of R's diagonal make it uniform over all orthonormal ones."""
    q, r = np.linalg.qr(rng.normal(size=(max(rows, columns), min(rows, columns))))
    q = q * np.sign(np.diagonal(r))
    return np.asarray(q if rows >= columns else q.T)


def gain(activation: str, slope: float = 0.01) -> float:
    """By what weights have to be larger for what an activation makes smaller (torch.nn.init.calculate_gain).

    For ReLU it is √2, since E[ReLU(z)²] = E[z²]/2 for symmetric z; the one of tanh is a rule of thumb.

    Args:
        activation: "identity", "sigmoid", "tanh", "relu", "leaky_relu" or "selu".
        slope: of the leaky ReLU below 0.

    Raises:
        DefinitionError: an activation without one.

    >>> round(gain("relu") ** 2, 12), round(gain("leaky_relu", 1.0), 12)
    (2.0, 1.0)
    """
    if activation == "leaky_relu":
        return math.sqrt(2 / (1 + slope**2))
    if activation not in _GAINS:
        known = ", ".join([*_GAINS, "leaky_relu"])
        raise DefinitionError(f"no gain of '{activation}'", remedy=f"give a number, or one of {known}")
    return _GAINS[activation]


_WHERE = "an initialiser"
_GAINS = {"identity": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 3 / 4}
_GLOROT = "Glorot and Bengio 2010, equation 16"
_HE = "He, Zhang, Ren and Sun 2015 (arXiv 1502.01852), equations 10 and 14"


def _uniform(name: str, variance: Callable[[Any, Any], sympy.Expr], source: str) -> Initialiser:
    def drawn(rng: np.random.Generator, shape: tuple[int, ...], use: Use) -> Array:
        limit = math.sqrt(3 * variance(*map(sympy.Integer, use.fans(shape))))
        return rng.uniform(-limit, limit, shape)

    return Initialiser(name, variance, drawn, source=source)


def _normal(name: str, variance: Callable[[Any, Any], sympy.Expr], source: str) -> Initialiser:
    def drawn(rng: np.random.Generator, shape: tuple[int, ...], use: Use) -> Array:
        return rng.normal(0, math.sqrt(variance(*map(sympy.Integer, use.fans(shape)))), shape)

    return Initialiser(name, variance, drawn, source=source)


def _of_one_fan(given: float | None, mode: str) -> Callable[[Any, Any], sympy.Expr]:
    if mode not in ("fan_in", "fan_out"):
        raise DefinitionError(f"no mode '{mode}'", where="an initialiser", remedy="one of fan_in, fan_out")
    square = sympy.Integer(2) if given is None else _gain(given) ** 2
    return lambda n, m: square / (n if mode == "fan_in" else m)


def _gain(value: float) -> sympy.Expr:
    return _exact(above_zero("gain", value, where=_WHERE))


def _exact(value: float) -> sympy.Expr:
    return sympy.Integer(int(value)) if value == int(value) else sympy.Float(value)


INITIALISERS = {
    made.__name__: made
    for made in (zeros, uniform, normal, glorot_uniform, glorot_normal, he_uniform, he_normal, orthogonal)
}
