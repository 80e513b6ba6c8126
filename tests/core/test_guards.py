"""Guards: what ranges decide, and that no subscript can leave its axis without one."""

from __future__ import annotations

import itertools

import pytest
import sympy
from hypothesis import given, strategies as st

import symdl as sd
from symdl.core.functions import Delta, InRange
from symdl.core.guards import decided, guarded, settled, stays_within
from symdl.core.indices import Index, provably_nonnegative
from symdl.core.tensors import Tensor

small = st.integers(1, 4)


@given(small, small, st.integers(-3, 3), st.integers(-3, 3), st.integers(-4, 4), st.integers(1, 8))
def test_decided_agrees_with_counting(size_u, size_r, a, b, c, extent):
    u, r = Index("u", size_u), Index("r", size_r)
    values = {a * x + b * y + c for x, y in itertools.product(range(size_u), range(size_r))}
    inside = [0 <= v < extent for v in values]
    want = True if all(inside) else False if not any(inside) else None
    found = decided(InRange(a * u + b * r + c, sympy.Integer(extent)))
    assert found is None or found is want
    if want is True:  # the bounds of an affine form are exact
        assert found is True
    equal = decided(Delta(a * u + b * r + c, sympy.Integer(0)))
    assert equal is None or equal is (set(values) == {0})


@given(st.integers(1, 30), st.integers(1, 5), st.integers(0, 6), st.integers(1, 4))
def test_floors_are_bounded_from_the_right_side(h, step, padding, kernel):
    """Whatever is proved of ⌊(H + 2p − R)/s⌋ for all H holds for every one of them."""
    H = sympy.Symbol("H", integer=True, positive=True)
    count = sympy.floor((H + 2 * padding - kernel) / step)
    for claim in (H + 2 * padding - kernel - step * count, step * count - H, H - count, count):
        if provably_nonnegative(claim):
            assert claim.subs(H, h) >= 0


def test_a_strided_window_stays_inside():
    """s·u + r ≤ H − 1 with U = ⌊(H − R)/s⌋ + 1: what a convolution without padding needs."""
    H, R = sympy.symbols("H R", integer=True, positive=True)
    for step in (1, 2, 3):
        u, r = Index("u", sympy.floor((H - R) / step) + 1), Index("r", R)
        assert stays_within(step * u + r, H)
        assert not stays_within(step * u + r + 1, H)


@given(st.data(), small, small, small)
def test_what_stays_within_under_guards_does(data, size_p, size_r, size_q):
    p, r, q = Index("p", size_p), Index("r", size_r), Index("q", size_q)
    extent, bound = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 6))
    shift = data.draw(st.integers(-2, 2))
    guard, subscript = InRange(p - r + shift, sympy.Integer(bound)), p - r + q
    if stays_within(subscript, sympy.Integer(extent), [guard]):
        for x, y, z in itertools.product(range(size_p), range(size_r), range(size_q)):
            if 0 <= x - y + shift < bound:
                assert 0 <= x - y + z < extent


def test_a_guard_protects_its_own_product_only():
    u = Index("u", 5)
    x = Tensor("x", (u,))
    inside = InRange(u - 1, sympy.Integer(5))
    assert all(inside in g for _, g in guarded(inside * sympy.exp(x[u - 1])))
    assert any(inside not in g for _, g in guarded(inside * x[u] + x[u - 1]))
    with pytest.raises(sd.ShapeError, match="can leave axis u"):

        @sd.define
        def beside(x=sd.Input("u")):
            (u,) = x.indices
            return sd.let("y[u]", x[u - 1] + x[u] * sd.in_range(u - 1, u.extent))


def test_a_sum_whose_guard_is_never_one_is_zero():
    u = Index("u", 5)
    x = Tensor("x", (u,))
    total = sd.Sum(x[u] * InRange(u + sympy.Symbol("k", integer=True), sympy.Integer(3)), u)
    assert settled(total.xreplace({sympy.Symbol("k", integer=True): sympy.Integer(3)})) == 0


def test_a_mask_belongs_under_a_maximum():
    with pytest.raises(sd.DefinitionError, match="outside a maximum"):

        @sd.define
        def odd(x=sd.Input("u")):
            (u,) = x.indices
            from symdl.core.functions import Masked

            return sd.let("y[u]", Masked(x[u], sd.in_range(u - 1, u.extent)))
