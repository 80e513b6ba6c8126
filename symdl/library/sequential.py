"""Layers and networks: `sequential` writes the equations of a network, one definition for any depth.

Weights are w_ji, "to unit j from unit i", as in the lecture.

>>> net = sequential(dense(3, "tanh"), dense(2), loss="softmax_cross_entropy", inputs=4)
>>> net.name, [t.name for t in net.parameters], net.target.name
('network', ['W1', 'b1', 'W2', 'b2'], 'L')
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import sympy

from symdl.core.builder import Builder, Declared
from symdl.core.define import Sum, writing
from symdl.core.definitions import Definition
from symdl.core.indices import Index
from symdl.core.tensors import Role, Tensor
from symdl.errors import DefinitionError, one_of
from symdl.library.activations import ACROSS, Across, Activation, activation, softmax
from symdl.library.activations.record import shown
from symdl.library.losses import LOSSES, Family, Loss
from symdl.library.spelling import known


@dataclass(frozen=True)
class Dropout:
    """Units left out at random in training: y = m·x/keep, with a mask m that is 1 with probability `keep`."""

    keep: sympy.Rational


def dropout(rate: float) -> Dropout:
    """Leave out every unit with probability `rate`, anew in each batch of training; in prediction do nothing.

    Raises:
        DefinitionError: a rate that is not from 0 to below 1.
    """
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate < 1:
        raise DefinitionError(f"rate = {rate!r}", where="dropout", why="it is from 0 to below 1", remedy="try 0.2")
    return Dropout(1 - sympy.Rational(str(rate)))


@dataclass(frozen=True)
class Dense:
    """A fully connected layer: s_nj = Σ_i W_ji x_ni + b_j, then the activation."""

    units: int | None
    activation: Activation | Across
    bias: bool = True


def dense(units: int | None = None, act: str | Activation | Across = "identity", *, bias: bool = True) -> Dense:
    """A fully connected layer of `units` units (None: a symbolic number) with an activation by name or of one's own.

    A parameter that the activation learns (the slope of "prelu") becomes a parameter of the layer, one for all units.

    Raises:
        DefinitionError: units below 1, an unknown activation, or one with a parameter that has no value.
    """
    if units is not None and (not isinstance(units, int) or units < 1):
        raise DefinitionError(f"a layer can't have {units!r} units", remedy="give 1 or more")
    if isinstance(act, str):
        across = known(act, ACROSS)
        act = ACROSS[across] if across in ACROSS else activation(act)
    if isinstance(act, Activation):
        _refuse_open(act)
    return Dense(units, act, bias)


def _refuse_open(chosen: Activation) -> None:
    """Raise a DefinitionError for a parameter of an activation that has no value and is not learned."""
    for name in chosen.declared():
        if name not in chosen.learned:
            raise DefinitionError(
                f"parameter {name} of activation {chosen.name} has no value",
                where="a dense layer",
                remedy=f"write sd.activation('{chosen.name}', …, {name}=1), or {name}=1, learned='{name}' to train it",
            )


def sequential(
    *layers: Dense | Dropout, loss: str | Loss = "l2", inputs: int | None = None, name: str = "network"
) -> Definition:
    """A feed-forward network with its loss.

    Args:
        layers: from the first hidden layer to the output; dropout between them.
        loss: by name, or from `sd.loss`; "softmax_cross_entropy" puts a softmax after the last layer. By name it is the
            mean over the examples of the sum over the outputs ("batchmean"); `sd.loss(name, reduction="mean")` divides
            by the number of outputs as well.
        inputs: number of input units; None: symbolic.
        name: of the definition.

    Returns:
        A definition with inputs x[n,i] and the target y[n,k] (y[n] where it is the number of a class), parameters
        W1[j,i], b1[j], …, hyperparameters of the loss that have no number, outputs: the loss L, and the prediction (`p`
        for probabilities, `y_hat` otherwise).

    Raises:
        DefinitionError: no layer, dropout after the last one, or an unknown loss.
    """
    if not layers or not isinstance(layers[-1], Dense):
        raise DefinitionError("a network needs a layer at its end", remedy="sd.sequential(…, sd.dense(10))")
    chosen = _fitting(loss if isinstance(loss, Loss) else replace(_family(loss).chosen(), reduction="batchmean"))
    builder = Builder(name)
    n = builder.index("n")
    signal = builder.declare("x", Declared(f"n i{f'={inputs}' if inputs else ''}", Role.INPUT))
    depth = sum(isinstance(layer, Dense) for layer in layers)
    _unit_index(builder, depth, depth, layers[-1].units)
    target = builder.declare("y", _per_output(chosen.target, chosen))
    number = 0
    for layer in layers:
        if isinstance(layer, Dropout):
            signal = _write_dropout(builder, layer, signal, number)
            continue
        number += 1
        unit = _unit_index(builder, number, depth, layer.units)
        signal = _write_dense(builder, layer, signal, n, unit, number, depth, chosen)
    k = signal.indices[1]
    if chosen.probabilities:
        signal = builder.let(f"p[n,{k.name}]", softmax(signal[n, k], k))
    extra = [builder.declare(given, _per_output(declared, chosen)) for given, declared in chosen.extra.items()]
    with writing(builder):
        chosen.write(target, signal, *extra)
    return builder.build(["L", signal.name])


def _family(name: str) -> Family:
    name = known(name, LOSSES)
    if name not in LOSSES:
        raise DefinitionError(f"no loss '{name}'", remedy=one_of(name, LOSSES, f"sd.loss('{name}', …)"))
    return LOSSES[name]


def _fitting(loss: Loss) -> Loss:
    """The loss, if it is a number that compares one output of a network with a target.

    Raises:
        DefinitionError: it needs further data, or it is not reduced to a number.
    """
    more = [name for name, declared in loss.extra.items() if declared.role is Role.INPUT]
    if more or loss.between_examples:
        raise DefinitionError(
            f"loss {loss.name} is not one of a target and an output",
            where="sequential",
            why=f"it needs {', '.join(loss.inputs)}" if more else "it compares outputs with each other",
            remedy=f"write the network with sd.define and sd.layers, and end it in sd.loss('{loss.name}').write(…)",
        )
    if loss.reduction == "none":
        raise DefinitionError(
            f"loss {loss.name} is not a number", where="sequential", why="its reduction is 'none'", remedy="take 'mean'"
        )
    return loss


def _per_output(declared: Declared, loss: Loss) -> Declared:
    """What a loss declares, by the letters of a network: n for the examples, k for its outputs."""
    if loss.pointwise and declared.role is Role.INPUT:
        return replace(declared, axes="n k")
    letters = [axis.split("=")[0] for axis in loss.prediction.axes.split()]
    known = dict(zip(letters, ("n", "k"), strict=False))  # a pointwise loss may be declared for one axis
    return replace(declared, axes=" ".join(known[axis.split("=")[0]] for axis in declared.axes.split()))


def _unit_index(builder: Builder, number: int, depth: int, units: int | None) -> Index:
    """j, k for one or two layers; j1, j2, …, k for more: the last layer is always k."""
    letter = "k" if number == depth else ("j" if depth == 2 else f"j{number}")
    return builder.index(letter, units)


def _write_dropout(builder: Builder, layer: Dropout, signal: Tensor, number: int) -> Tensor:
    """m1, d1 after the first dense layer, and so on; m0, d0 on the inputs."""
    axes = [i.name for i in signal.indices]
    mask = builder.declare(f"m{number}", Declared(" ".join(axes), Role.INPUT, mask=float(layer.keep)))
    return builder.let(f"d{number}[{','.join(axes)}]", mask.element() * signal.element() / layer.keep)


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
    if isinstance(layer.activation, Across):
        return builder.let(f"{out}[n,{unit.name}]", layer.activation.function(sums[n, unit], unit))
    own = {name: builder.declare(f"{shown(name)}{suffix}", made) for name, made in layer.activation.declared().items()}
    values = {name: tensor.element() for name, tensor in own.items()}
    return builder.let(f"{out}[n,{unit.name}]", layer.activation(sums[n, unit], **values))
