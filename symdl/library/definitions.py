"""Whole definitions by name: what `symdl list` shows and `symdl derive NAME` derives."""

from __future__ import annotations

from typing import Any

from symdl.core.define import Input, Param, Sum, define, let
from symdl.core.definitions import Definition
from symdl.errors import DefinitionError, one_of
from symdl.library.activations import ENTRIES as ACTIVATIONS, Activation, identity
from symdl.library.attention import ENTRIES as ATTENTION
from symdl.library.composition import ENTRIES as COMPOSITION
from symdl.library.convolution import ENTRIES as CONVOLUTION
from symdl.library.entries import Entry
from symdl.library.linear import ENTRIES as LINEAR
from symdl.library.losses import ENTRIES as LOSSES, l2
from symdl.library.networks import ENTRIES as NETWORKS
from symdl.library.normalisation import ENTRIES as NORMALISATION
from symdl.library.pooling import ENTRIES as POOLING
from symdl.library.recurrent import ENTRIES as RECURRENT
from symdl.library.sequential import dense, sequential
from symdl.library.spelling import known
from symdl.library.transformer import ENTRIES as TRANSFORMER


def unit(activation: Activation = identity, name: str = "neuron") -> Definition:
    """A neural network unit with its squared loss: ŷ = a(Σ_i w_i x_i + b), L = (1/N) Σ_n (t − ŷ)² (L1, L3).

    >>> unit().at(n=1, i=3).by_name["s"]
    s[n] = b + Sum_{i}(w[i]*x[n, i])
    """

    def body(x: Any = Input("n i"), t: Any = Input("n"), w: Any = Param("i"), b: Any = Param()) -> Any:
        n, i = x.indices
        s = let("s[n]", Sum(w[i] * x[n, i], i) + b)
        y = let("y_hat[n]", activation(s[n]))
        return let("L", l2(t[n], y[n], n))

    body.__name__ = name
    made: Definition = define(body)
    return made


#: The lecture's worked example (L2 to L11).
LECTURE_VALUES = {"x": [[1, 1, 3]], "t": [10], "w": [2, 2, 2], "b": 4}
LECTURE_RATE = 0.04

_ENTRIES = (
    Entry("neuron", "unit", "the lecture's unit, identity activation, squared loss", lambda: unit(), LECTURE_VALUES),
    Entry(
        "dense",
        "layer",
        "a fully connected layer, tanh, squared loss",
        lambda: sequential(dense(None, "tanh"), name="dense"),
    ),
    Entry(
        "network",
        "network",
        "two fully connected layers, tanh, softmax and cross-entropy",
        lambda: sequential(dense(None, "tanh"), dense(None), loss="softmax_cross_entropy"),
    ),
    *ACTIVATIONS,
    *LOSSES,
    *LINEAR,
    *CONVOLUTION,
    *NORMALISATION,
    *ATTENTION,
    *RECURRENT,
    *TRANSFORMER,
    *POOLING,
    *COMPOSITION,
    *NETWORKS,
)

DEFINITIONS = {e.name: e for e in _ENTRIES}


def definition(name: str, **options: Any) -> Definition:
    """The library's definition of that name, with options where it has some (`symdl list` shows them).

    >>> definition("sigmoid")
    sigmoid(s) -> a:
        a = 1/(1 + exp(-s))
    >>> definition("conv1d", kernel=3, padding=1)
    conv1d(x[n, i, h], K[o, i, r], b[o]) -> y:
        y[n, o, u] = b[o] + Sum_{i, r}(InRange(r + u - 1, H)*K[o, i, r]*x[n, i, r + u - 1])

    Raises:
        DefinitionError: there is none, or it has no such option; the message lists what there is.
    """
    name = known(name, DEFINITIONS)
    if name not in DEFINITIONS:
        raise DefinitionError(f"no definition '{name}'", remedy=one_of(name, DEFINITIONS, "see symdl list"))
    return DEFINITIONS[name].definition(**options)


def definitions() -> tuple[Entry, ...]:
    """Every entry of the library, in the order in which `symdl list` shows them.

    >>> [e.name for e in definitions() if e.kind == "loss"][:4]
    ['l1', 'l2', 'huber', 'smooth_l1']
    """
    return _ENTRIES
