"""Attention: scaled dot products with masks, several heads, and positions (rotary and sinusoidal).

A mask is a guard: p = w e^z / Σ_s w e^z with w = [s ≤ t] where it is causal, times [mask[n, s] = 1] where some keys are
padding. What a guard multiplies by 0 is never read, so scores of padding may be as large as they like; and a query that
is left with no key at all has p = 0, y = 0 and slopes of 0, as it does in PyTorch's `scaled_dot_product_attention`.
Heads stand before time, q[n, h, t, e], so that each head's rows lie in memory one after the other.

>>> from symdl.core.define import Input, define
>>> @define
... def last(q=Input("n h t e"), k=Input("n h s=t e"), v=Input("n h s=t d")):
...     return attention(q, k, v, causal=True)
>>> last
last(q[n, h, t, e], k[n, h, s, e], v[n, h, s, d]) -> y:
    z[n, h, t, s] = Sum_{e}(k[n, h, s, e]*q[n, h, t, e]/sqrt(E))
    S[n, h, t] = Sum_{s}(exp(z[n, h, t, s])*InRange(-s + t, T))
    p[n, h, t, s] = exp(z[n, h, t, s])*InRange(-s + t, T)/S[n, h, t]
    y[n, h, t, d] = Sum_{s}(p[n, h, t, s]*v[n, h, s, d])
"""

from __future__ import annotations

from functools import partial
from typing import Any

import sympy

from symdl.core.define import Hyper, Input, Param, Sum, cos, delta, exp, in_range, index, sin
from symdl.core.definitions import Definition
from symdl.core.indices import Index
from symdl.core.tensors import Tensor
from symdl.errors import DefinitionError, ShapeError
from symdl.library.entries import Entry, written
from symdl.library.naming import Scribe


def attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Tensor | None = None,
    *,
    causal: bool = False,
    name: str = "y",
    label: str = "",
) -> Tensor:
    """Scaled dot-product attention: p = softmax_s(Σ_e q k/√E), y[n,h,t,d] = Σ_s p[n,h,t,s] v[n,h,s,d].

    Args:
        q: queries [n, h, t, e], real; e may be several axes (pairs of rotary positions).
        k, v: keys [n, h, s, e] and values [n, h, s, d], or without h, one for all heads (multi-query attention).
        mask: [n, s], integer: 1 for a key that counts and 0 for padding (PyTorch's `key_padding_mask` says the
            opposite: True for padding). A query that is left with no key at all has y = 0.
        causal: query t sees the keys s ≤ t only.
        name: of the output.
        label: what the names of all that it writes bear.

    Returns:
        The tensor `name`, [n, h, t, d].

    Raises:
        DefinitionError: a mask of real numbers.
        ShapeError: queries and keys whose axes do not fit, or a causal mask between different lengths.
    """
    write = Scribe(label)
    n, h, t, *features = q.indices
    s = k.indices[-len(features) - 1]
    _check(q, k, v, s, causal)
    _check_mask(mask)
    # the keys of all heads, or one key for all of them
    head = (h,) if k.rank == q.rank else ()
    size = sympy.sqrt(sympy.Mul(*[e.extent for e in features]))
    z = write("z", (n, h, t, s), Sum(q[(n, h, t, *features)] * k[(n, *head, s, *features)] / size, *features))
    seen = in_range(t - s, t.extent) if causal else sympy.S.One
    grown = exp(z.element()) * seen * (1 if mask is None else delta(mask[n, s], 1))
    S = write("S", (n, h, t), Sum(grown, s))
    p = write("p", (n, h, t, s), grown / S.element())
    return write(name, (n, h, t, v.indices[-1]), Sum(p.element() * v[(n, *head, s, v.indices[-1])], s))


def multi_head(
    x: Tensor,
    W_q: Tensor,
    W_k: Tensor,
    W_v: Tensor,
    W_o: Tensor,
    b_q: Tensor | None = None,
    b_k: Tensor | None = None,
    b_v: Tensor | None = None,
    b_o: Tensor | None = None,
    mask: Tensor | None = None,
    *,
    causal: bool = False,
    base: Any = None,
    name: str = "y",
    label: str = "",
) -> Tensor:
    """Self-attention of several heads: queries, keys and values from x, and the heads' outputs put together.

    Args:
        x: [n, t, i], real.
        W_q, W_k, W_v: [h, e, i]; W_k and W_v without h make one key and one value for all heads (multi-query). With
            rotary positions W_q and W_k are [h, m, c, i], c of extent 2.
        W_o: [i, h, e].
        b_q, b_k, b_v, b_o: biases [h, e] (or as their weights are) and [i]; None leaves them out.
        mask, causal: as for `attention`; the keys' index is s.
        base: of rotary positions (10000 in the paper), a scalar; None for none.
        name, label: as for `attention`.

    Returns:
        The tensor `name`, [n, t, i].
    """
    write = Scribe(label)
    n, t, i = x.indices
    s = index("s", t.extent)
    q = _projected(x, W_q, b_q, t, "q" if base is None else "a", write)
    k = _projected(x, W_k, b_k, s, "k" if base is None else "b", write)
    v = _projected(x, W_v, b_v, s, "v", write)
    if base is not None:
        table = rotation_table(t, q.indices[-2], base, label=label)
        q = rotary(q, *table, time=t, name="q", label=label)
        k = rotary(k, *table, time=s, name="k", label=label)
    o = attention(q, k, v, mask, causal=causal, name="o", label=label)
    _, h, _, e = o.indices
    total = Sum(W_o[i, h, e] * o[n, h, t, e], h, e)
    return write(name, (n, t, i), total if b_o is None else total + b_o[i])


def rotation_table(t: Index, m: Index, base: Any, *, label: str = "") -> tuple[Tensor, Tensor]:
    """Cosine and sine of the angles t·base^(−m/M) of M pairs of features, [t, m]: `rot_c` and `rot_s`."""
    write, angle = Scribe(label), t * base ** (-m / m.extent)
    return write("rot_c", (t, m), cos(angle)), write("rot_s", (t, m), sin(angle))


def rotary(
    x: Tensor, cosine: Tensor, sine: Tensor, *, time: Index | None = None, name: str = "y", label: str = ""
) -> Tensor:
    """Rotary positions: each pair of features is turned by an angle that grows with time.

    Args:
        x: [n, …, t, m, c], real; c of extent 2 tells the two of a pair.
        cosine, sine: of the angles, [t, m] (`rotation_table`).
        time: the index of x that is time; None: the one before m.
        name, label: as for `attention`.

    Returns:
        The tensor `name`: y[…, m, 0] = x₀ cos − x₁ sin and y[…, m, 1] = x₁ cos + x₀ sin.

    Raises:
        ShapeError: the last axis is no pair.
    """
    *_, before, m, c = x.indices
    t = before if time is None else time
    if c.extent != 2:
        raise ShapeError(
            f"axis {c.name} of {x.name} has extent {c.extent}, not 2",
            where="rotary positions",
            why="features are turned in pairs",
            remedy="declare x as 'n t m c=2'",
        )
    other = x[(*x.indices[:-1], 1 - c)]
    turned = x.element() * cosine[t, m] + (2 * c - 1) * other * sine[t, m]
    return Scribe(label)(name, x.indices, turned)


def sinusoidal(t: Index, k: Index, base: Any, *, name: str = "P", label: str = "") -> Tensor:
    """Sinusoidal positions: P[t, 2m] = sin(t·base^(−2m/D)) and P[t, 2m+1] = cos of the same angle.

    Args:
        t, k: time, and the features, whose extent D is even.
        base: 10000 in the paper.
        name, label: as for `attention`.

    Raises:
        ShapeError: D is odd, or not known to be even.
    """
    half = sympy.expand(k.extent / 2)
    if not half.is_integer:
        raise ShapeError(
            f"{k.extent} features are no pairs of sine and cosine",
            where="sinusoidal positions",
            why=f"the extent of {k.name} has to be even",
            remedy="give an even width",
        )
    m = index("m", half)
    angle = t * base ** (-2 * m / k.extent)
    return Scribe(label)(name, (t, k), Sum(sin(angle) * delta(k, 2 * m), m) + Sum(cos(angle) * delta(k, 2 * m + 1), m))


def _projected(x: Tensor, W: Tensor, b: Tensor | None, time: Index, name: str, write: Scribe) -> Tensor:
    """Σ_i W[h,e,i] x[n,t,i] as [n, h, t, e]; without h where W has none."""
    n = x.indices[0]
    *features, i = W.indices
    heads = features[:1] if features[0].name == "h" else []
    total = Sum(W[(*features, i)] * x[n, time, i], i)
    return write(name, (n, *heads, time, *features[len(heads) :]), total if b is None else total + b.element())


def _check(q: Tensor, k: Tensor, v: Tensor, s: Index, causal: bool) -> None:
    _, _, t, *features = q.indices
    where = f"attention of {q.name}, {k.name} and {v.name}"
    extents = [[i.extent for i in x.indices[-len(features) :]] for x in (q, k)]
    if k.rank not in (q.rank, q.rank - 1) or extents[0] != extents[1]:
        raise ShapeError(
            f"{q.element()} and {k.element()} do not fit",
            where=where,
            why="a query is multiplied with a key, feature by feature",
            remedy="q[n, h, t, e] and k[n, h, s, e], or k[n, s, e]",
        )
    if causal and s.extent != t.extent:
        raise ShapeError(
            f"a causal mask between {t.extent} queries and {s.extent} keys",
            where=where,
            why="it says which times come before which, so there is one time",
            remedy=f"declare the keys with '{s.name}={t.name}'",
        )


def _check_mask(mask: Tensor | None) -> None:
    if mask is not None and not mask.integer:
        raise DefinitionError(
            f"{mask.name} is real-valued",
            where="attention with padding",
            why="a key counts or it does not, and there is no slope in between",
            remedy=f"declare it as {mask.name}=sd.Input('n s', integer=True, facts=['binary'])",
        )


def head_extents(heads: int | None, width: int | None, where: str) -> tuple[str, str]:
    """The extents of h and e as in a declaration, "=4" and "=16": so many heads share the width.

    Raises:
        DefinitionError: numbers below 1, or heads that do not divide the width.

    >>> head_extents(4, 64, "gpt"), head_extents(None, None, "gpt")
    (('=4', '=16'), ('', ''))
    """
    for option, value in (("heads", heads), ("width", width)):
        if value is not None and (not isinstance(value, int) or value < 1):
            raise DefinitionError(f"{option}={value!r}", where=where, remedy="a whole number from 1")
    if heads and width and width % heads:
        raise DefinitionError(
            f"{heads} heads do not divide a width of {width}",
            where=where,
            why=f"each head has width/heads features, {width}/{heads} is no whole number",
            remedy=f"choose a width that is a multiple of {heads}",
        )
    each = f"={width // heads}" if heads and width else ""
    return (f"={heads}" if heads else ""), each


def pairs(width: int | None, where: str) -> str:
    """The extent of m, half the width, as in a declaration."""
    if width is None:
        return ""
    if not isinstance(width, int) or width < 2 or width % 2:
        raise DefinitionError(
            f"a width of {width!r} is odd" if isinstance(width, int) and width > 0 else f"width={width!r}",
            where=where,
            why="rotary positions turn features in pairs",
            remedy="give an even width",
        )
    return f"={width // 2}"


def _attention(*, causal: bool = False, padding: bool = False) -> Definition:
    s = "s=t" if causal else "s"
    declared = {"q": Input("n h t e"), "k": Input(f"n h {s} e"), "v": Input(f"n h {s} d")}
    mask = Input("n s", integer=True, facts=["binary"]) if padding else None
    return written("attention", {**declared, "mask": mask}, partial(attention, causal=causal))


def _heads(
    name: str,
    *,
    heads: int | None = None,
    width: int | None = None,
    bias: bool = False,
    causal: bool = False,
    padding: bool = False,
    rotary: bool = False,
) -> Definition:
    size, each = head_extents(heads, width, name)
    i = f"i={width}" if width else "i"
    inside = f"m{pairs(width // heads if width and heads else None, name)} c=2" if rotary else f"e{each}"
    of_key = "" if name == "multi_query" else f"h{size} "
    shapes = {"q": f"h{size} {inside}", "k": f"{of_key}{inside}", "v": f"{of_key}e{each}", "o": f"h{size} e{each}"}
    weights = {f"W_{g}": Param(f"{i} {s}" if g == "o" else f"{s} {i}") for g, s in shapes.items()}
    biases = {f"b_{g}": Param(i if g == "o" else s) if bias else None for g, s in shapes.items()}
    mask = Input("n s=t", integer=True, facts=["binary"]) if padding else None
    base = Hyper(facts=["positive"]) if rotary else None

    def body(x: Tensor, *rest: Any) -> Tensor:
        *tensors, base = rest
        return multi_head(x, *tensors, causal=causal, base=base)

    return written(name, {"x": Input(f"n t {i}"), **weights, **biases, "mask": mask, "base": base}, body)


def _rotary(*, width: int | None = None) -> Definition:
    def body(x: Tensor, base: Tensor) -> Tensor:
        _, t, m, _ = x.indices
        return rotary(x, *rotation_table(t, m, base.element()))

    declared = {"x": Input(f"n t m{pairs(width, 'rotary')} c=2"), "base": Hyper(facts=["positive"])}
    return written("rotary", declared, body)


def _sinusoidal(*, width: int | None = None) -> Definition:
    def body(x: Tensor, base: Tensor) -> Tensor:
        _, t, k = x.indices
        P = sinusoidal(t, k, base.element())
        return Scribe("")("y", x.indices, x.element() + P[t, k])

    extent = 2 * sympy.Symbol("M", integer=True, positive=True) if width is None else sympy.sympify(width)
    declared = {"x": Input("n t k"), "base": Hyper(facts=["positive"])}
    return written("sinusoidal", declared, body, {"k": extent})


def _entry(name: str, summary: str, make: Any) -> Entry:
    return Entry(name, "attention", summary, make)


#: Vaswani et al. 2017 (sections 3.2 and 3.5), Shazeer 2019, Su et al. 2021.
ENTRIES = (
    _entry("attention", "scaled dot-product attention, causal or with padding", _attention),
    _entry("multi_head", "self-attention of several heads", partial(_heads, "multi_head")),
    _entry(
        "multi_query",
        "self-attention of several heads with one key and value for all",
        partial(_heads, "multi_query"),
    ),
    _entry("rotary", "rotary positions: pairs of features turned by an angle that grows with time", _rotary),
    _entry("sinusoidal", "sinusoidal positions added to a sequence", _sinusoidal),
)
