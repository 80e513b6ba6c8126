"""Recurrent layers over a sequence: Elman's network, LSTM, GRU. Backpropagation through time is their chain rule.

The state before the first time is an input, h0; the outputs are the states at all times and the last one. To truncate
backpropagation, cut a sequence into segments and give each the last state of the one before as h0: a number then, that
nothing is differentiated through.

>>> from symdl.core.define import Input, Param, define
>>> @define(time="t")
... def net(x=Input("n t i"), h0=Input("n j"), W=Param("j i"), U=Param("j k=j"), b=Param("j")):
...     return elman(x, h0, W, U, b)
>>> net
net(x[n, t, i], h0[n, j], W[j, i], U[j, k], b[j]) -> h, h_last:
    a[n, t, j] = b[j] + Sum_{i}(W[j, i]*x[n, t, i])
    h_before[n, t, k] = Delta(0, t)*h0[n, k] + InRange(t - 1, T)*h[n, t - 1, k]
    s[n, t, j] = a[n, t, j] + Sum_{k}(U[j, k]*h_before[n, t, k])
    h[n, t, j] = tanh(s[n, t, j])
    h_last[n, j] = h[n, T - 1, j]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy

from symdl.core.define import Input, Param, Sum, delta, in_range, state
from symdl.core.definitions import Definition
from symdl.core.indices import Index
from symdl.core.tensors import Tensor
from symdl.errors import DefinitionError, ShapeError
from symdl.library.activations import Activation, activation, sigmoid, tanh
from symdl.library.entries import Entry, written
from symdl.library.naming import Scribe, labelled, left


def elman(
    x: Tensor,
    h0: Tensor,
    W: Tensor,
    U: Tensor,
    b: Tensor | None = None,
    *,
    activation: Activation = tanh,
    backwards: bool = False,
    label: str = "",
) -> tuple[Tensor, Tensor]:
    """Elman's network: h[n,t] = tanh(W x[n,t] + U h[n,t−1] + b).

    Args:
        x: [n, t, i], real; t is time (`@define(time="t")`).
        h0: [n, j], the state before the first time.
        W, U: [j, i] and [j, k], k of the extent of j.
        b: [j], or None.
        activation: of the library, or one of the author's own.
        backwards: run from the last time to the first; h0 is then what stands behind the last time.
        label: what the names of all that it writes bear, for a second layer ("2": `h2`).

    Returns:
        The states [n, t, j] and the last one, `h_last` [n, j] (backwards: that of the first time).

    Raises:
        ShapeError: axes that do not fit.
        DefinitionError: no index of x is time.
    """
    write, run = Scribe(label), _Run(x, U, backwards, label)
    n, t, j = run.indices
    a = run.projected("a", W, b)
    h = run.announced("h")
    before = run.before("h", h, h0)
    s = write("s", (n, t, j), a.element() + run.recalled(U, before))
    h = write("h", (n, t, j), activation(s.element()))
    return h, run.last("h", h)


def lstm(
    x: Tensor,
    h0: Tensor,
    c0: Tensor,
    W: Mapping[str, Tensor],
    U: Mapping[str, Tensor],
    b: Mapping[str, Tensor] | None = None,
    *,
    label: str = "",
) -> tuple[Tensor, Tensor, Tensor]:
    """LSTM: c[t] = f c[t−1] + i g and h[t] = o tanh(c[t]), the gates i, f, o and the candidate g of x[t] and h[t−1].

    Args:
        x: [n, t, i], real; t is time.
        h0, c0: [n, j], state and cell before the first time.
        W, U: [j, i] and [j, k] for each of "i", "f", "o" (gates) and "c" (candidate).
        b: [j] for each, or None.
        label: as for `elman`.

    Returns:
        The states [n, t, j], the last state `h_last` and the last cell `c_last`, both [n, j].

    Raises:
        ShapeError, DefinitionError: as for `elman`.
    """
    write, run = Scribe(label), _Run(x, U["i"], False, label)
    n, t, j = run.indices
    a = {gate: run.projected(f"a_{gate}", W[gate], b[gate] if b else None) for gate in LSTM_GATES}
    h, c = run.announced("h"), run.announced("c")
    h_before, c_before = run.before("h", h, h0), run.before("c", c, c0, j)
    s = {
        gate: write(f"s_{gate}", (n, t, j), a[gate].element() + run.recalled(U[gate], h_before)) for gate in LSTM_GATES
    }
    g = {
        gate: write(f"g_{gate}", (n, t, j), (tanh if gate == "c" else sigmoid)(s[gate].element()))
        for gate in LSTM_GATES
    }
    kept = g["f"].element() * c_before.element()
    c = write("c", (n, t, j), kept + g["i"].element() * g["c"].element())
    c_tanh = write("c_tanh", (n, t, j), tanh(c.element()))
    h = write("h", (n, t, j), g["o"].element() * c_tanh.element())
    return h, run.last("h", h), run.last("c", c)


def gru(
    x: Tensor,
    h0: Tensor,
    W: Mapping[str, Tensor],
    U: Mapping[str, Tensor],
    b: Mapping[str, Tensor] | None = None,
    d: Tensor | None = None,
    *,
    label: str = "",
) -> tuple[Tensor, Tensor]:
    """GRU: h[t] = (1 − z) ĥ + z h[t−1] with ĥ = tanh(W x[t] + b + r (U h[t−1] + d)), the gates r and z of x and h[t−1].

    The reset gate acts on U h + d, as in cuDNN and PyTorch (Cho et al. 2014 let it act on h).

    Args:
        x, h0, label: as for `elman`.
        W, U: [j, i] and [j, k] for each of "r", "z" (gates) and "h" (candidate).
        b: [j] for each, or None.
        d: [j], the candidate's second bias, within the reset gate; or None.

    Returns:
        The states [n, t, j] and the last one, `h_last` [n, j].

    Raises:
        ShapeError, DefinitionError: as for `elman`.
    """
    write, run = Scribe(label), _Run(x, U["r"], False, label)
    n, t, j = run.indices
    a = {gate: run.projected(f"a_{gate}", W[gate], b[gate] if b else None) for gate in GRU_GATES}
    h = run.announced("h")
    before = run.before("h", h, h0)
    recalled = {gate: run.recalled(U[gate], before) for gate in GRU_GATES}
    s = {gate: write(f"s_{gate}", (n, t, j), a[gate].element() + recalled[gate]) for gate in "rz"}
    r, z = (write(f"g_{gate}", (n, t, j), sigmoid(s[gate].element())) for gate in "rz")
    m = write("m_h", (n, t, j), recalled["h"] if d is None else recalled["h"] + d[j])
    s_h = write("s_h", (n, t, j), a["h"].element() + r.element() * m.element())
    new = write("g_h", (n, t, j), tanh(s_h.element()))
    h = write("h", (n, t, j), (1 - z.element()) * new.element() + z.element() * before[n, t, j])
    return h, run.last("h", h)


#: Input, forget and output gate, and the candidate cell; reset and update gate, and the candidate state.
LSTM_GATES = ("i", "f", "o", "c")
GRU_GATES = ("r", "z", "h")


class _Run:
    """One layer's way through time: its indices, and the equations that every recurrent layer has."""

    def __init__(self, x: Tensor, U: Tensor, backwards: bool, label: str) -> None:
        if x.rank != 3 or not x.indices[1].sequential:
            raise DefinitionError(
                f"{x.element()} is no sequence: its second axis is not time",
                where="a recurrent layer",
                remedy="declare x as 'n t i' under @sd.define(time='t')",
            )
        self.x, self.backwards, self.label, self.write = x, backwards, label, Scribe(label)
        n, t, _ = x.indices
        j, self.k = U.indices
        if j.extent != self.k.extent:
            raise ShapeError(
                f"{U.element()} is not square",
                where="a recurrent layer",
                why=f"it maps a state of {self.k.extent} entries to one of {j.extent}",
                remedy=f"declare it as '{j.name} {self.k.name}={j.name}'",
            )
        self.indices = (n, t, j)

    def projected(self, name: str, W: Tensor, b: Tensor | None) -> Tensor:
        """Σ_i W[j,i] x[n,t,i] + b[j]: what of a sum needs no state, for all times at once."""
        n, t, j = self.indices
        i = W.indices[1]
        if i == j:  # of a square matrix: the sum needs an index of its own
            i = i.fresh()
        total = Sum(W[j, i] * self.x[n, t, i], i)
        return self.write(name, self.indices, total if b is None else total + b[j])

    def announced(self, name: str) -> Tensor:
        return state(left(labelled(name, self.label), self.indices), backwards=self.backwards)

    def before(self, name: str, h: Tensor, h0: Tensor, j: Index | None = None) -> Tensor:
        """h[n,t−1,k], and h0[n,k] at the first time."""
        n, t, _ = self.indices
        k = j or self.k
        earlier, first = (t + 1, t.extent - 1) if self.backwards else (t - 1, sympy.S.Zero)
        body = h[n, earlier, k] * in_range(earlier, t.extent) + h0[n, k] * delta(t, first)
        return self.write(f"{name}_before", (n, t, k), body)

    def recalled(self, U: Tensor, before: Tensor) -> sympy.Expr:
        """Σ_k U[j,k] h[n,t−1,k]."""
        return Sum(U[self.indices[2], self.k] * before.element(), self.k)

    def last(self, name: str, h: Tensor) -> Tensor:
        n, t, j = self.indices
        time = sympy.S.Zero if self.backwards else t.extent - 1
        return self.write(f"{name}_last", (n, j), h[n, time, j])


def _elman(*, units: int | None = None, bias: bool = True, act: str = "tanh", backwards: bool = False) -> Definition:
    j, chosen = _units(units, "elman"), activation(act)
    declared = {
        "x": Input("n t i"),
        "h0": Input(f"n j{j}"),
        "W": Param(f"j{j} i"),
        "U": Param("j k=j"),
        "b": Param("j") if bias else None,
    }

    def body(x: Tensor, h0: Tensor, W: Tensor, U: Tensor, b: Tensor | None) -> Any:
        return elman(x, h0, W, U, b, activation=chosen, backwards=backwards)

    return written("elman", declared, body, time="t")


def _lstm(*, units: int | None = None, bias: bool = True) -> Definition:
    j = _units(units, "lstm")
    declared = {"x": Input("n t i"), "h0": Input(f"n j{j}"), "c0": Input("n j"), **_gates(LSTM_GATES, bias)}

    def body(x: Tensor, h0: Tensor, c0: Tensor, *rest: Any) -> Any:
        W, U, b = by_gate(LSTM_GATES, rest)
        return lstm(x, h0, c0, W, U, b)

    return written("lstm", declared, body, time="t")


def _gru(*, units: int | None = None, bias: bool = True) -> Definition:
    j = _units(units, "gru")
    declared = {"x": Input("n t i"), "h0": Input(f"n j{j}"), **_gates(GRU_GATES, bias)}

    def body(x: Tensor, h0: Tensor, *rest: Any) -> Any:
        *gates, d = rest
        W, U, b = by_gate(GRU_GATES, gates)
        return gru(x, h0, W, U, b, d)

    return written("gru", {**declared, "d_h": Param("j") if bias else None}, body, time="t")


def _units(units: int | None, where: str) -> str:
    if units is not None and (not isinstance(units, int) or units < 1):
        raise DefinitionError(f"units={units!r}", where=where, remedy="a whole number from 1")
    return "" if units is None else f"={units}"


def _gates(gates: tuple[str, ...], bias: bool) -> dict[str, Any]:
    declared: dict[str, Any] = {f"W_{g}": Param("j i") for g in gates}
    declared |= {f"U_{g}": Param("j k=j") for g in gates}
    return declared | {f"b_{g}": Param("j") if bias else None for g in gates}


def by_gate(gates: tuple[str, ...], tensors: Any) -> tuple[Any, Any, Any]:
    """W, U and b as mappings from the gates; None for b where there is none."""
    count = len(gates)
    W, U, b = (dict(zip(gates, tensors[k * count : (k + 1) * count], strict=True)) for k in range(3))
    return W, U, None if b[gates[0]] is None else b


def _entry(name: str, summary: str, make: Any) -> Entry:
    return Entry(name, "recurrent", summary, make)


#: Elman 1990; Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000; Cho et al. 2014.
ENTRIES = (
    _entry("elman", "Elman's recurrent network over a sequence, forwards or backwards in time", _elman),
    _entry("lstm", "LSTM over a sequence: input, forget and output gate, cell and state", _lstm),
    _entry("gru", "GRU over a sequence: reset and update gate", _gru),
)
