"""Batches of products: which indices are loops around BLAS, what is copied; faults that `check_plan` must refuse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import sympy

from symdl.compilation.plan import Plan, make_plan
from symdl.compilation.plan_check import check_plan
from symdl.compilation.statements import Contraction
from symdl.core.define import Input, Param, Sum, define, let
from symdl.core.indices import Index
from symdl.errors import CrossCheckError

SIZES = {"n": 8, "h": 4, "t": 32, "e": 16}


@define
def heads(x=Input("n t i=64"), Q=Param("h e i=64")):
    n, t, i = x.indices
    h, e, _ = Q.indices
    return let("q[n,h,t,e]", Sum(Q[h, e, i] * x[n, t, i], i))


@define
def batch(q=Input("n h t e"), k=Input("n h s e")):
    n, h, t, e = q.indices
    return let("z[n,h,t,s]", Sum(q[n, h, t, e] * k[n, h, k.indices[2], e], e))


@define
def joined(o=Input("n h t e"), W=Param("i h e"), V=Param("i h e")):
    n, h, t, e = o.indices
    i = W.indices[0]
    y = let("y[n,t,i]", Sum(W[i, h, e] * o[n, h, t, e], h, e))
    return let("r[n,t,i]", Sum(V[i, h, e] * o[n, h, t, e], h, e)), y


def products(plan: Plan) -> list[Contraction]:
    return [i for i in plan.items if isinstance(i, Contraction)]


def names(indices: tuple[sympy.Expr, ...]) -> str:
    return "".join(str(i) for i in indices)


def test_indices_of_both_operands_are_loops_around_the_product() -> None:
    (call,) = products(make_plan(batch, {**SIZES, "s": 32}))
    assert [names(i) for i in (call.loops, call.rows, call.columns, call.inner)] == ["nh", "t", "s", "e"]
    assert (names(call.left.at), names(call.right.at)) == ("nh", "nh")
    assert (call.left.transposed, call.right.transposed) == (False, True)


def test_interleaved_rows_and_columns_are_one_product_and_a_copy() -> None:
    (call,) = products(make_plan(heads, SIZES))
    assert call.loops == ()
    assert call.out.name == "q_part"
    assert names(call.out.indices) == "nthe"


def test_an_operand_is_copied_once_for_all_products_that_want_it_so() -> None:
    plan = make_plan(joined, {**SIZES, "i": 64})
    assert {c.left.tensor.name for c in products(plan)} == {"o_turned"}
    assert [b.name for b in plan.buffers if "turned" in b.name] == ["o_turned"]


def test_a_matrix_times_a_vector_for_each_sample() -> None:
    @define
    def mixed(p=Input("n t s"), w=Input("n s")):
        n, t, s = p.indices
        return let("r[n,t]", Sum(p[n, t, s] * w[n, s], s))

    (call,) = products(make_plan(mixed, {"n": 8, "t": 1024, "s": 1024}))
    assert [names(i) for i in (call.loops, call.rows, call.columns, call.inner)] == ["n", "t", "", "s"]
    assert products(make_plan(mixed, {"n": 8, "t": 64, "s": 64})) == []  # loops are as fast, and share nests


def test_factors_that_the_sum_does_not_touch_stay_outside() -> None:
    @define
    def scaled(p=Input("t s"), v=Input("s e"), g=Input("t")):
        t, s = p.indices
        e = v.indices[1]
        return let("y[t,e]", Sum(p[t, s] * v[s, e] / g[t], s))

    plan = make_plan(scaled, {"t": 64, "s": 64, "e": 64})
    (call,) = products(plan)
    assert (call.left.tensor.name, call.right.tensor.name) == ("p", "v")


def test_products_of_a_few_numbers_stay_loops_however_many_there_are() -> None:
    assert products(make_plan(batch, {"n": 1000, "h": 8, "t": 4, "e": 4, "s": 4})) == []


# ── planted faults ───────────────────────────────────────────────────────────────────────────────────────────────────


def with_product(plan: Plan, change: Callable[[Contraction], Contraction]) -> Plan:
    return replace(plan, items=tuple(change(i) if isinstance(i, Contraction) else i for i in plan.items))


FAULTS: dict[str, Callable[[Contraction], Contraction]] = {
    "one loop less": lambda c: replace(c, loops=c.loops[1:]),
    "loops the other way round": lambda c: replace(c, loops=c.loops[::-1]),
    "one loop twice": lambda c: replace(c, loops=(c.loops[0], c.loops[0])),
    "a slice of a loop that is none": lambda c: replace(c, left=replace(c.left, at=(Index("q"), c.loops[1]))),
    "a slice at the wrong loops": lambda c: replace(c, right=replace(c.right, at=c.loops[::-1])),
    "a whole tensor for a slice": lambda c: replace(c, left=replace(c.left, at=())),
    "a transposed slice": lambda c: replace(c, left=replace(c.left, transposed=True)),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_corrupted_batch_of_products_is_refused(fault: Callable[[Contraction], Contraction]) -> None:
    plan = make_plan(batch, {**SIZES, "s": 32})
    check_plan(plan)
    with pytest.raises(CrossCheckError):
        check_plan(with_product(plan, fault))
