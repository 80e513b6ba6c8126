"""Networks of attention: a transformer block, and a GPT over characters with its loss.

A block is x + attention(norm x), then + MLP(norm …), norms first (pre-norm, as in GPT-2). Names of the k-th block bear
its number: the queries' weights of the second are W2_q.

>>> gpt(blocks=1, heads=2, width=4, context=3, vocabulary=5).by_name["L"]
L = Sum_{n, t}((log(Z[n, t]) - z[n, t, next[n, t]])/(3*N))
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy

from symdl.core.builder import Builder, Declared
from symdl.core.define import Hyper, Input, Param, Sum, exp, let, log, mean, writing
from symdl.core.definitions import Definition
from symdl.core.tensors import Tensor
from symdl.errors import DefinitionError
from symdl.library.activations import Activation, activation, gelu_tanh
from symdl.library.attention import head_extents, multi_head, pairs, sinusoidal
from symdl.library.entries import Entry, written
from symdl.library.naming import Scribe, labelled
from symdl.library.normalisation import layer_norm


def transformer_block(
    x: Tensor,
    p: Mapping[str, Tensor],
    eps: Any,
    *,
    causal: bool = True,
    base: Any = None,
    activation: Activation = gelu_tanh,
    name: str = "y",
    label: str = "",
) -> Tensor:
    """One pre-norm block: h = x + heads(norm x), y = h + W_d gelu(W_u norm(h) + b_u) + b_d.

    Args:
        x: [n, t, i], real.
        p: its parameters by the names of `block_parameters`, without label.
        eps: ε of both norms.
        causal, base: as for `multi_head`.
        activation: of the MLP.
        name: of the output.
        label: what the names of all that it writes bear.

    Returns:
        The tensor `name`, [n, t, i].
    """
    write, apart = Scribe(label), f"{label}_" if label else ""
    n, t, i = x.indices
    a = layer_norm(x, p["gamma_a"], p["beta_a"], eps, name="u", label=f"{apart}a")
    weights: dict[str, Any] = {name: p.get(name) for name in (f"{kind}_{g}" for kind in "Wb" for g in "qkvo")}
    seen = multi_head(a, **weights, causal=causal, base=base, name="w", label=label)
    h = write("h", x.indices, x.element() + seen.element())
    b = layer_norm(h, p["gamma_b"], p["beta_b"], eps, name="u", label=f"{apart}b")
    j, inner = p["W_u"].indices
    f = write("f", (n, t, j), Sum(p["W_u"][j, inner] * b[n, t, inner], inner) + p["b_u"][j])
    g = write("g", (n, t, j), activation(f.element()))
    return write(name, x.indices, h.element() + Sum(p["W_d"][i, j] * g[n, t, j], j) + p["b_d"][i])


def block_parameters(
    heads: int | None = None, width: int | None = None, *, bias: bool = True, rotary: bool = False, where: str = "block"
) -> dict[str, Declared]:
    """What a block learns, by name: two norms, the heads, the MLP with four times the width.

    >>> list(block_parameters(bias=False))
    ['gamma_a', 'beta_a', 'W_q', 'W_k', 'W_v', 'W_o', 'gamma_b', 'beta_b', 'W_u', 'b_u', 'W_d', 'b_d']
    """
    size, each = head_extents(heads, width, where)
    h, e, i = f"h{size}", f"e{each}", f"i={width}" if width else "i"
    half = pairs(width // heads if width and heads else None, where) if rotary else ""
    turned = f"m{half} c=2" if rotary else e
    j = f"j={4 * width}" if width else "j"
    axes = {"gamma_a": i, "beta_a": i}
    axes |= {"W_q": f"{h} {turned} {i}", "W_k": f"{h} {turned} {i}", "W_v": f"{h} {e} {i}", "W_o": f"{i} {h} {e}"}
    if bias:
        axes |= {"b_q": f"{h} {turned}", "b_k": f"{h} {turned}", "b_v": f"{h} {e}", "b_o": i}
    axes |= {"gamma_b": i, "beta_b": i, "W_u": f"{j} {i}", "b_u": j, "W_d": f"{i} {j}", "b_d": i}
    return {name: Param(a) for name, a in axes.items()}


def gpt(
    *,
    blocks: int = 2,
    heads: int | None = 4,
    width: int | None = 64,
    context: int | None = 64,
    vocabulary: int | None = None,
    positions: str = "learned",
    tied: bool = True,
    bias: bool = True,
    act: str = "gelu_tanh",
) -> Definition:
    """A GPT over characters: token ids in, the mean cross-entropy of the next ones out, in nats.

    Args:
        blocks: how many transformer blocks.
        heads, width, context, vocabulary: extents of h, i, t and v; None leaves one a symbol.
        positions: "learned", "sinusoidal" (added to the embedding) or "rotary" (in every block).
        tied: True to read scores off by the embedding E; False for an output layer of its own, W_z.
        bias: with biases in the heads.
        act: activation of the MLPs by name; "gelu" is the one by the error function.

    Returns:
        A definition with the integer inputs tok[n,t] and next[n,t], all parameters, the hyperparameter eps of the
        norms, and the outputs L (the loss) and z[n,t,v] (the scores).

    Raises:
        DefinitionError: no block, heads that do not divide the width, an odd width for positions, an unknown option.
    """
    _check(blocks, context, vocabulary, positions)
    made = _general(blocks, positions, tied, bias, activation(act))
    sizes = {**_sizes(heads, width, positions, "gpt"), "t": context, "v": vocabulary}
    return made.at(**{name: size for name, size in sizes.items() if size is not None})


def _sizes(heads: int | None, width: int | None, positions: str, where: str) -> dict[str, int | None]:
    """The extents of a block by index name.

    They are given to a definition that holds for all extents, so that a mean stays tied to the axis that it is over.
    """
    head_extents(heads, width, where)
    each = width // heads if width and heads else None
    sizes = {"h": heads, "j": 4 * width if width else None}
    if positions == "sinusoidal":
        if width is not None:
            pairs(width, where)
        return {**sizes, "e": each, "m": width // 2 if width else None}
    if positions == "rotary":
        if each is not None:
            pairs(each, where)
        return {**sizes, "i": width, "m": each // 2 if each else None, "e": each}
    return {**sizes, "i": width, "e": each}


def _general(blocks: int, positions: str, tied: bool, bias: bool, act: Activation) -> Definition:
    """The GPT for all extents."""
    rotary = positions == "rotary"
    declared = block_parameters(bias=bias, rotary=rotary, where="gpt")
    with writing(Builder("gpt")) as builder:
        if positions == "sinusoidal":
            builder.index("i", 2 * sympy.Symbol("M", integer=True, positive=True))
        tok, after = (builder.declare(name, Input("n t", integer=True)) for name in ("tok", "next"))
        E = builder.declare("E", Param("v i"))
        P = builder.declare("P", Param("t i")) if positions == "learned" else None
        learned = [
            {name: builder.declare(labelled(name, str(k)), d) for name, d in declared.items()}
            for k in range(1, blocks + 1)
        ]
        ends = [builder.declare(name, Param("i")) for name in ("gamma", "beta")]
        W_z = E if tied else builder.declare("W_z", Param("v i"))
        eps = builder.declare("eps", Hyper(facts=["positive"]))
        base = builder.declare("base", Hyper(facts=["positive"])) if positions != "learned" else None
        x = _embedded(tok, E, P, base if positions == "sinusoidal" else None)
        for k, p in enumerate(learned, start=1):
            turned = base.element() if base and rotary else None
            x = transformer_block(x, p, eps, base=turned, activation=act, name="x", label=str(k))
        y = layer_norm(x, ends[0], ends[1], eps, name="y")
        return builder.build(_scored(y, W_z, after))


def _check(blocks: int, context: int | None, vocabulary: int | None, positions: str) -> None:
    for option, value in (("blocks", blocks), ("context", context), ("vocabulary", vocabulary)):
        if value is not None and (not isinstance(value, int) or value < 1):
            raise DefinitionError(f"{option}={value!r}", where="gpt", remedy="a whole number from 1")
    if positions not in ("learned", "sinusoidal", "rotary"):
        raise DefinitionError(f"positions={positions!r}", where="gpt", remedy="'learned', 'sinusoidal' or 'rotary'")


def _embedded(tok: Tensor, E: Tensor, P: Tensor | None, base: Tensor | None) -> Tensor:
    """x0[n,t,i] = E[tok[n,t],i] + P[t,i]."""
    (n, t), i = tok.indices, E.indices[1]
    if base is not None:
        P = sinusoidal(t, i, base.element())
    found = E[tok[n, t], i]
    return let("x0[n,t,i]", found if P is None else found + P[t, i])


def _scored(y: Tensor, W: Tensor, after: Tensor) -> list[str]:
    """The scores z[n,t,v] and the loss: mean of log Σ_v e^z − z[n,t,next[n,t]]."""
    n, t, i = y.indices
    v = W.indices[0]
    z = let("z[n,t,v]", Sum(W[v, i] * y[n, t, i], i))
    Z = let("Z[n,t]", Sum(exp(z[n, t, v]), v))
    loss = let("L", mean(log(Z[n, t]) - z[n, t, after[n, t]], n, t))
    return [loss.name, z.name]


def _block(
    *,
    heads: int | None = None,
    width: int | None = None,
    causal: bool = True,
    rotary: bool = False,
    bias: bool = True,
) -> Definition:
    declared = block_parameters(bias=bias, rotary=rotary, where="transformer_block")
    hyper = {"eps": Hyper(facts=["positive"]), "base": Hyper(facts=["positive"]) if rotary else None}

    def body(x: Tensor, *rest: Any) -> Tensor:
        *parameters, eps, base = rest
        p = dict(zip(declared, parameters, strict=True))
        return transformer_block(x, p, eps, causal=causal, base=None if base is None else base.element())

    made = written("transformer_block", {"x": Input("n t i"), **declared, **hyper}, body)
    sizes = _sizes(heads, width, "rotary" if rotary else "learned", "transformer_block")
    return made.at(**{name: size for name, size in sizes.items() if size is not None})


#: Vaswani et al. 2017; norms before, GELU and four times the width: Radford et al. 2019 (GPT-2).
ENTRIES = (
    Entry("transformer_block", "network", "pre-norm transformer block: causal heads and a GELU MLP", _block),
    Entry("gpt", "network", "a GPT over characters with its loss in nats", gpt),
)
