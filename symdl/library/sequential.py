"""Layers and networks: `sequential` writes the equations of a network, one definition for any depth.

Weights are w_ji, "to unit j from unit i", as in the lecture.

>>> net = sequential(dense(3, "tanh"), dense(2), loss="softmax_cross_entropy", inputs=4)
>>> net.name, [t.name for t in net.parameters], net.target.name
('network', ['W1', 'b1', 'W2', 'b2'], 'L')
"""

from __future__ import annotations

from dataclasses import dataclass

from symdl.core.builder import Builder, Declared
from symdl.core.define import Sum
from symdl.core.definitions import Definition
from symdl.core.indices import Index
from symdl.core.tensors import Fact, Role, Tensor
from symdl.errors import DefinitionError
from symdl.library.activations import Activation, activation
from symdl.library.losses import LOSSES, Loss, softmax


@dataclass(frozen=True)
class Dense:
    """A fully connected layer: s_nj = Σ_i W_ji x_ni + b_j, then the activation."""

    units: int | None
    activation: Activation
    bias: bool = True


def dense(units: int | None = None, act: str | Activation = "identity", *, bias: bool = True) -> Dense:
    """A fully connected layer of `units` units (None: a symbolic number) with an activation by name or of one's own.

    Raises:
        DefinitionError: units below 1, or an unknown activation.
    """
    if units is not None and (not isinstance(units, int) or units < 1):
        raise DefinitionError(f"a layer can't have {units!r} units", remedy="give 1 or more")
    return Dense(units, act if isinstance(act, Activation) else activation(act), bias)


def sequential(*layers: Dense, loss: str | Loss = "l2", inputs: int | None = None, name: str = "network") -> Definition:
    """A feed-forward network with its loss.

    Args:
        layers: from the first hidden layer to the output.
        loss: by name; "softmax_cross_entropy" puts a softmax after the last layer.
        inputs: number of input units; None: symbolic.
        name: of the definition.

    Returns:
        A definition with inputs x[n,i] and the target y[n,k], parameters W1[j,i], b1[j], …, outputs: the loss L, and
        the prediction (`p` for probabilities, `y_hat` otherwise).

    Raises:
        DefinitionError: no layer, or an unknown loss.
    """
    if not layers:
        raise DefinitionError("a network needs a layer", remedy="sd.sequential(sd.dense(10), …)")
    chosen = loss if isinstance(loss, Loss) else _loss(loss)
    builder = Builder(name)
    n = builder.index("n")
    signal = builder.declare("x", Declared(f"n i{f'={inputs}' if inputs else ''}", Role.INPUT))
    facts = frozenset({Fact.SUMS_TO_ONE}) if chosen.probabilities else frozenset()
    last_axis = _unit_index(builder, len(layers), len(layers), layers[-1].units)
    target = builder.declare("y", Declared(f"n {last_axis.name}", Role.INPUT, facts=facts))
    for number, layer in enumerate(layers, start=1):
        unit = _unit_index(builder, number, len(layers), layer.units)
        signal = _write_dense(builder, layer, signal, n, unit, number, len(layers), chosen)
    k = signal.indices[1]
    if chosen.probabilities:
        signal = builder.let(f"p[n,{k.name}]", softmax(signal[n, k], k))
    builder.let("L", chosen.expression(target[n, k], signal[n, k], n, [k]))
    return builder.build(["L", signal.name])


def _loss(name: str) -> Loss:
    if name not in LOSSES:
        raise DefinitionError(f"no loss '{name}'", remedy=f"one of {', '.join(LOSSES)}")
    return LOSSES[name]


def _unit_index(builder: Builder, number: int, depth: int, units: int | None) -> Index:
    """j, k for one or two layers; j1, j2, …, k for more: the last layer is always k."""
    letter = "k" if number == depth else ("j" if depth == 2 else f"j{number}")
    return builder.index(letter, units)


def _write_dense(
    builder: Builder, layer: Dense, signal: Tensor, n: Index, unit: Index, number: int, depth: int, loss: Loss
) -> Tensor:
    suffix = str(number) if depth > 1 else ""
    source = signal.indices[1]
    weight = builder.declare(f"W{suffix}", Declared(f"{unit.name} {source.name}", Role.PARAMETER))
    total = Sum(weight[unit, source] * signal[n, source], source)
    if layer.bias:
        total += builder.declare(f"b{suffix}", Declared(unit.name, Role.PARAMETER))[unit]
    last = number == depth
    is_output = last and not loss.probabilities
    if layer.activation.name == "identity":
        return builder.let(f"{'y_hat' if is_output else f's{suffix}'}[n,{unit.name}]", total)
    sums = builder.let(f"s{suffix}[n,{unit.name}]", total)
    out = "y_hat" if is_output else f"h{suffix}"
    return builder.let(f"{out}[n,{unit.name}]", layer.activation(sums[n, unit]))
