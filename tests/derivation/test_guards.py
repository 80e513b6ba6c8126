"""δs and guards in the canonical form: one form whichever index was eliminated, and what differs stays apart."""

from __future__ import annotations

import random
from itertools import product

import numpy as np
import pytest
import sympy
from hypothesis import example, given, settings, strategies as st
from support.oracles import Floats, evaluate
from support.rewriting import nested

from symdl.core.define import Sum, exp, log, tanh
from symdl.core.functions import Delta, InRange
from symdl.core.indices import Index, extent_symbol
from symdl.core.tensors import Tensor, reduction
from symdl.core.unroll import elements, unroll
from symdl.derivation.affine import inside, row_of
from symdl.derivation.canonical import canonical, is_zero

R, U, H, C, W = map(extent_symbol, "ruhcw")
r, u, h, p = Index("r"), Index("u"), Index("h"), Index("p", U + R - 1)
s, v = Index("s", R), Index("v", H - R + 1)
w, y, x = Tensor("w", (r,)), Tensor("y", (u,)), Tensor("x", (h,))
z = Tensor("z", (Index("v", H - R + 1),))
half = Index("v", sympy.floor((H - R) / 2) + 1)
g = Tensor("g", (half,))
n, t, e, d = Index("n"), Index("t"), Index("e"), Index("d")
tok = Tensor("tok", (n, t), integer=True)
table, seen = Tensor("table", (e, d)), Tensor("seen", (n, t, d))
c, q, k = Index("c"), Index("w", W), Index("k", C * W)
image, flat = Tensor("image", (c, q)), Tensor("flat", (k,))

ONE_FORM = {
    "full convolution": [
        Sum(w[r] * y[p - r] * InRange(p - r, U), r),
        Sum(w[p - u] * y[u] * InRange(p - u, R), u),
        Sum(w[r] * y[u] * Delta(u, p - r), r, u),
        Sum(w[r] * Sum(y[u] * Delta(r + u, p), u), r),
    ],
    "stride and padding": [
        Sum(w[r] * z[v] * Delta(h, 2 * v + r - 1), r, v),
        Sum(w[h - 2 * v + 1] * z[v] * InRange(h - 2 * v + 1, R), v),
        Sum(Sum(w[s] * Delta(s, h - 2 * v + 1), s) * z[v], v),
    ],
    "no padding": [
        Sum(w[r] * x[v + r], r),
        Sum(w[h - v] * x[h] * InRange(h - v, R), h),
        Sum(w[r] * x[h] * Delta(h, v + r), r, h),
        Sum(w[r] * x[v + r] * InRange(v + r, H), r),
        Sum(w[r] * x[v + r] * InRange(H - 1 - v - r, H) * InRange(v + r, H), r),
    ],
    "an extent that is rounded down": [
        Sum(w[r] * x[2 * half + r] * g[half], r, half),
        Sum(w[r] * x[2 * half + r] * g[half] * InRange(2 * half + r, H), r, half),
        Sum(w[r] * x[h] * g[half] * Delta(h, 2 * half + r), r, half, h),
    ],
    "one subscript, read or scattered": [Sum(y[u] * Delta(u, p - 1), u), y[p - 1] * InRange(p - 1, U)],
    "gather": [table[tok[n, t], d], Sum(table[e, d] * Delta(e, tok[n, t]), e)],
    "embedding": [
        Sum(seen[n, t, d] * table[tok[n, t], d], n, t, d),
        Sum(Sum(seen[n, t, d] * Delta(e, tok[n, t]), n, t) * table[e, d], e, d),
    ],
    "flattened and back": [
        Sum(image[c, q] ** 2, c, q),
        Sum(Sum(image[c, q] * Delta(k, c * W + q), c, q) ** 2, k),
    ],
    "flattened": [
        Sum(flat[c * W + q] * image[c, q], c, q),
        Sum(flat[k] * Sum(image[c, q] * Delta(k, c * W + q), c, q), k),
    ],
    "counted by digits": [Sum(flat[k], k), Sum(flat[c * W + q], c, q)],
    "turned round": [Sum(w[R - 1 - r] * x[v + r], r), Sum(w[r] * x[v + R - 1 - r], r)],
    "under a function": [
        Sum(z[v] * Delta(h, v + r) * tanh(x[h]) * w[r], v, r, h),
        Sum(z[v] * tanh(x[v + r]) * w[r], v, r),
    ],
    "two layers": [
        Sum(Delta(p, r + u) * tanh(Sum(w[s] * y[p - s] * InRange(p - s, U), s)) * w[r] * y[u], p, r, u),
        Sum(tanh(Sum(w[s] * y[r + u - s] * InRange(r + u - s, U), s)) * w[r] * y[u], r, u),
    ],
    "free indices": [Delta(n, t) * exp(tok[n, n]), Delta(n, t) * exp(tok[t, t])],
    "apart": [Sum(y[u] * Delta(u, -1 - r), u, r), sympy.S.Zero],
    "never even": [Sum(y[u] * w[r] * Delta(2 * u, 2 * r + 1), u, r), sympy.S.Zero],
}

full, table_read = ONE_FORM["full convolution"][0], ONE_FORM["embedding"][0]
APART = {
    "a guard that is off by one": full - Sum(w[p - u] * y[u] * InRange(p - u, R - 1), u),
    "a δ that is off by one": full - Sum(w[r] * y[u] * Delta(u, p - r - 1), r, u),
    "stride on the wrong index": Sum(w[r] * z[v] * (Delta(h, 2 * v + r) - Delta(h, v + 2 * r)), r, v),
    "digits in the wrong order": Sum((flat[c * W + q] - flat[q * C + c]) * image[c, q], c, q),
    "the guard of a function's argument": InRange(p - 1, U) * exp(y[p - 1]) - exp(y[p - 1] * InRange(p - 1, U)),
    "another gather": table_read - Sum(seen[n, t, d], n, t) * Sum(table[e, d], e),
    "a lost guard inside": log(1 + exp(y[p - 1] * InRange(p - 1, U))) - log(1 + exp(y[p - 1] * InRange(p - 1, U - 1))),
}


@pytest.mark.parametrize("name", ONE_FORM)
def test_one_form(name):
    first, *others = ONE_FORM[name]
    for other in others:
        assert canonical(other) == canonical(first)


@pytest.mark.parametrize("name", APART)
def test_apart(name):
    assert not is_zero(APART[name])


def test_ten_connected_indices():
    """3-d convolution: eight bound indices in one sum, and two more for the batch."""
    names = ["n", "o", "c", "a", "b", "f", "i", "j", "l", "m"]
    bound = [Index(name, 5 if name in "abf" else 3) for name in names]
    (n_, o_, c_, a_, b_, f_, i_, j_, l_, m_) = bound
    kernel = Tensor("K", (o_, c_, i_, j_, l_))
    volume = Tensor("X", (n_, c_, Index("a", 7), Index("b", 7), Index("f", 7)))
    out = Tensor("Y", (n_, o_, m_, a_, b_, f_))
    body = kernel[o_, c_, i_, j_, l_] * volume[n_, c_, a_ + i_, b_ + j_, f_ + l_] * out[n_, o_, m_, a_, b_, f_]
    forms = set()
    for seed in range(6):
        order = random.Random(seed).sample(range(10), 10)
        fresh = [Index(f"x{k}", bound[position].extent) for position, k in enumerate(order)]
        forms.add(canonical(reduction("sum", body.xreplace(dict(zip(bound, fresh, strict=True))), fresh)))
    assert len(forms) == 1


# ── random systems of δs, written in random ways ─────────────────────────────────────────────────────────────────────

SIZES = [sympy.Integer(2), sympy.Integer(3), extent_symbol("a"), extent_symbol("b"), extent_symbol("a") + 1]


class Written:
    """A product under δs: `bound` and `free` indices, a tensor for each bound one, equations between all of them."""

    def __init__(self, rng: random.Random, sizes: list[sympy.Expr]) -> None:
        self.free = [Index(f"f{k}", rng.choice(sizes)) for k in range(rng.randint(0, 2))]
        self.bound = [Index(f"b{k}", rng.choice(sizes)) for k in range(rng.randint(2, 5))]
        self.tensors = [Tensor(f"T{k}", (i,)) for k, i in enumerate(self.bound)]
        atoms = [t[i] for t, i in zip(self.tensors, self.bound, strict=True)]
        self.factors = [tanh(a) if rng.random() < 0.25 else a for a in atoms]
        self.differences = [self._difference(rng) for _ in range(rng.randint(1, 2))]

    def _difference(self, rng: random.Random) -> sympy.Expr:
        chosen = rng.sample(self.bound + self.free, min(rng.randint(2, 4), len(self.bound + self.free)))
        # one stride or dilation an equation: what several of them say together of integers is not decided by one rule
        slopes = [
            rng.choice([1, -1]) * (2 if k == 0 and i in self.bound and rng.random() < 0.4 else 1)
            for k, i in enumerate(chosen)
        ]
        return sympy.Add(*[a * i for a, i in zip(slopes, chosen, strict=True)]) + rng.choice([0, 0, 1, -1])

    def written(self, rng: random.Random, fault: int = 0) -> sympy.Expr:
        """Σ with some δs solved for some index, indices renamed, sums nested at random; `fault` shifts one δ."""
        fresh = {i: Index(rng.choice("abcxyz"), i.extent) for i in self.bound}
        factors = [f.xreplace(fresh) for f in self.factors]
        differences = [e.xreplace(fresh) for e in self.differences]
        differences[0] += fault
        bound = list(fresh.values())
        for _ in range(len(differences)):
            k = rng.randrange(len(differences))
            units = [i for i in bound if sympy.expand(differences[k]).coeff(i, 1) in (1, -1)]
            if not units or rng.random() < 0.3:
                continue
            index = rng.choice(units)
            difference = sympy.expand(differences.pop(k))
            value = sympy.expand(index - difference / difference.coeff(index, 1))
            bound.remove(index)
            certain = inside(row_of(value), index.extent, {})
            factors.append(sympy.Integer(certain) if certain is not None else InRange(value, index.extent))
            factors = [f.xreplace({index: value}) for f in factors]
            differences = [e.xreplace({index: value}) for e in differences]
            if not differences:
                break
        factors += [Delta(e, 0) for e in differences]
        return nested(factors, bound, rng)


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1))
@example(211)  # two guards of one expression, each with an end that counts
@example(847)  # a guard of extents alone that another one implies
@example(2386)  # a guard narrowed by the range of an index that equals its own
@example(3260)  # a range of a read index that only some of the equations show
@example(3492)  # a guard of extents alone that a sum implies
def test_any_way_of_writing_has_one_form(seed):
    rng = random.Random(seed)
    system = Written(rng, SIZES)
    first, second = system.written(rng), system.written(rng)
    assert canonical(first) == canonical(second)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0, 0, 1, -1, 2]))
def test_one_form_has_one_value(seed, fault):
    rng = random.Random(seed)
    system = Written(rng, SIZES[:2])
    first, second = system.written(rng), system.written(rng, fault)
    draw = np.random.default_rng(seed).normal
    known = {e: float(draw()) for t in system.tensors for e in elements(t)}
    values = [[_value(e, known, system.free) for e in (form, canonical(form))] for form in (first, second)]
    assert values[0][0] == pytest.approx(values[0][1], rel=1e-9, abs=1e-9)
    assert values[1][0] == pytest.approx(values[1][1], rel=1e-9, abs=1e-9)
    if canonical(first) == canonical(second):
        assert values[0][0] == pytest.approx(values[1][0], rel=1e-9, abs=1e-9)
    else:
        assert fault


class Guarded(dict):
    """Values of elements; what is outside of its axis is never used, and so may be anything."""

    def __missing__(self, key):
        return 1e30


def _value(expr, known, free):
    at = [unroll(expr.xreplace(dict(zip(free, where, strict=True)))) for where in _places(free)]
    return [float(evaluate(e, Guarded(known), Floats)) for e in at]


def _places(free):
    return product(*[map(sympy.Integer, range(int(i.extent))) for i in free])
