"""Scatters, conditions and bounds of loops: worked by hand, and against counting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import sympy
from hypothesis import given, strategies as st
from support.strict import MeetingError, OutOfRangeError, run_strictly, strands, strict

from symdl.compilation.fusion import Loop, statements_in
from symdl.compilation.places import never_meet, parts
from symdl.compilation.plan import Plan, make_plan
from symdl.compilation.plan_check import check_plan
from symdl.compilation.statements import Statement, loop_order
from symdl.compilation.targets.conditions import bounds
from symdl.compilation.targets.together import strands_of
from symdl.core.define import Input, Param, Sum, define, delta, in_range, index, let, state, tanh
from symdl.core.equations import Equation, Term
from symdl.core.functions import Delta, InRange, Masked
from symdl.core.indices import Index
from symdl.core.tensors import Tensor
from symdl.errors import CrossCheckError

P, Q, U, R, N = Index("p", 9), Index("q", 9), Index("u", 4), Index("r", 3), Index("n")
y, y2, x, w = Tensor("y", (P,)), Tensor("y2", (P, Q)), Tensor("x", (U,)), Tensor("w", (R,))
tok = Tensor("tok", (N,), integer=True)


def only(out: Tensor, body: sympy.Expr, *bound: Index) -> object:
    (found,) = parts(Equation(out, ()), Term(body, bound, "sum" if bound else ""))
    return found


def test_a_place_within_the_axis_needs_no_condition() -> None:
    part = only(y, x[U] * w[R] * Delta(P, 2 * U + R), U, R)
    assert (part.place, part.body, part.free, part.guards) == ((2 * U + R,), w[R] * x[U], (), ())


def test_a_place_that_can_leave_the_axis_is_tested() -> None:
    part = only(y, x[U] * w[R] * Delta(P, 2 * U + R - 1), U, R)
    assert part.guards == (InRange(2 * U + R - 1, sympy.Integer(9)),)


def test_two_places_at_once() -> None:
    part = only(y2, x[U] * w[R] * Delta(P, 2 * U) * Delta(Q, R), U, R)
    assert (part.place, part.free) == ((2 * U, R), ())


def test_data_says_where() -> None:
    part = only(y, Delta(P, tok[N]), N)
    assert (part.place, part.body, part.guards) == ((tok[N],), 1, (InRange(tok[N], sympy.Integer(9)),))


def test_what_stands_at_the_place_is_read_there() -> None:
    part = only(y, y.element() * x[U] * Delta(P, 2 * U), U)
    assert part.body == y[2 * U] * x[U]


def test_deltas_that_are_no_place_stay_conditions() -> None:
    part = only(y, x[U] * w[R] * Delta(U, R), U, R)
    assert (part.place, part.guards) == ((P,), (Delta(U, R),))
    twice = only(y, x[U] * Delta(2 * P, U), U)
    assert (twice.place, twice.guards) == ((P,), (Delta(2 * P, U),))


def test_summands_with_and_without_places_part() -> None:
    term = Term(x[U] * Delta(P, U) + x[U] ** 2 + w[0] * x[U], (U,), "sum")
    found = parts(Equation(y, (term,)), term)
    assert [(p.place, p.body) for p in found] == [((U,), x[U]), ((P,), x[U] ** 2 + w[0] * x[U])]


def test_a_masked_maximum_is_conditional() -> None:
    inside = InRange(U - 1, sympy.Integer(4))
    (part,) = parts(Equation(y, ()), Term(Masked(x[U], inside), (U,), "max"))
    assert (part.op, part.body, part.guards) == ("max", x[U], (inside,))


@given(
    slope=st.integers(-4, 4).filter(bool),
    start=st.integers(-9, 9),
    extent=st.integers(1, 9),
    length=st.integers(1, 9),
)
def test_bounds_are_where_the_guard_holds(slope: int, start: int, extent: int, length: int) -> None:
    i = Index("i", length)
    guard = InRange(slope * i + start, sympy.Integer(extent))
    if not isinstance(guard, InRange):
        return
    found = bounds(guard, i)
    assert found is not None
    first, after = (int(e) for e in found)
    wanted = [v for v in range(length) if 0 <= slope * v + start < extent]
    assert list(range(max(0, first), min(length, after))) == wanted


@given(steps=st.tuples(st.integers(1, 5), st.integers(1, 5)), rests=st.tuples(st.integers(-6, 6), st.integers(-6, 6)))
def test_places_never_meet_where_counting_finds_none(steps: tuple[int, int], rests: tuple[int, int]) -> None:
    i, j = Index("i"), Index("j")
    first, second = ([step * v + rest for v in range(60)] for step, rest in zip(steps, rests, strict=True))
    places = [(step * k + rest,) for step, k, rest in zip(steps, (i, j), rests, strict=True)]
    assert never_meet(*places) is not bool(set(first) & set(second))
    assert never_meet((N, *places[0]), (N, *places[1])) is never_meet(*places)
    assert not never_meet((tok[N],), (tok[N] + 1,)), "two rows may have tokens beside each other"


def test_loops_of_a_convolution_end_along_the_row() -> None:
    n, o, c, u, r = Index("n"), Index("o"), Index("c"), Index("u", 5), Index("r", 3)
    k, z = Tensor("k", (o, c, r)), Tensor("z", (n, c, Index("h", 7)))
    assert loop_order((n, o, u), (n, o, u), (c, r), k[o, c, r] * z[n, c, u + r]) == (n, o, c, r, u)
    assert loop_order((n, o, u), (n, o, u), (c, r), k[o, c, r] * z[n, c, 2 * u + r])[-1] == u
    slope = Tensor("slope", (n, o, u))
    lengths = {n: 32, o: 16, c: 6, u: 26, r: 3}
    order = loop_order((o, c, r), (o, c, r), (n, u), slope[n, o, u] * z[n, c, u + r], lengths.__getitem__)
    assert order[-1] == u  # a kernel of 3 is too short to go along


# ── planted faults ───────────────────────────────────────────────────────────────────────────────────────────────────


@define
def spread(x=Input("n u"), tok=Input("n", integer=True), E=Param("v")):
    """A place that can leave the axis, a place that is data, and a reader of both."""
    n, u = x.indices
    (v,) = E.indices
    p = index("p", 2 * u.extent - 2)
    y = let("y[n,p]", Sum(x[n, u] * delta(p, 2 * u - 1), u))
    z = let("z[v]", Sum(E[v] * x[n, 0] * delta(v, tok[n]), n))
    return let("L", Sum(y[n, p] ** 2, n, p) + Sum(z[v] ** 2, v)), y


@define(time="t")
def recurrent(x=Input("n t"), a=Param()):
    n, t = x.indices
    h = state("h[n,t]")
    s = let("s[n,t]", x[n, t] + a * h[n, t - 1] * in_range(t - 1, t.extent))
    return let("h[n,t]", tanh(s[n, t])), s


def changed(plan: Plan, change: Callable[[Statement], Statement]) -> Plan:
    def visit(node: object) -> object:
        if isinstance(node, Loop):
            return replace(node, children=tuple(visit(c) for c in node.children))
        return change(node) if isinstance(node, Statement) else node

    return replace(plan, items=tuple(visit(i) for i in plan.items))  # type: ignore[misc]


def without_conditions(plan: Plan) -> Plan:
    return changed(plan, lambda s: replace(s, guards=()))


def stored_at_a_place(plan: Plan) -> Plan:
    return changed(plan, lambda s: replace(s, op="", guards=()) if s.guards else s)


def conditions_of_another_axis(plan: Plan) -> Plan:
    def wider(guard: sympy.Expr) -> sympy.Expr:
        return InRange(guard.args[0], guard.args[1] + 1)

    return changed(plan, lambda s: replace(s, guards=tuple(wider(g) for g in s.guards)))


def without_start(plan: Plan) -> Plan:
    def kept(item: object) -> bool:
        return not (isinstance(item, Loop) and all(not s.op and s.out.name == "z" for s in statements_in(item)))

    return replace(plan, items=tuple(i for i in plan.items if kept(i)))


@pytest.mark.parametrize(
    "fault",
    [without_conditions, stored_at_a_place, conditions_of_another_axis, without_start],
    ids=lambda f: f.__name__,
)
def test_a_corrupted_scatter_is_refused(fault: Callable[[Plan], Plan]) -> None:
    plan = make_plan(spread)
    check_plan(plan)
    with pytest.raises(CrossCheckError):
        check_plan(fault(plan))


@define
def pooled(x=Input("n p"), q=Input("n u")):
    """What windows of two places beside each other send back."""
    (n, p), (_, u) = x.indices, q.indices
    r = index("r", 2)
    y = let("y[n,p]", Sum(x[n, p] * q[n, u] * delta(p, 2 * u + r) * in_range(2 * u + r, p.extent), u, r))
    return let("L", Sum(y[n, p] ** 2, n, p)), y


def reads_what_it_adds_to(plan: Plan) -> Plan:
    """y[2u] += … y[2v + 1]: which of both comes first is not told."""
    other = next(s.out for i in plan.items for s in statements_in(i) if s.op and s.out.name == "y")
    beside = other.tensor[other.subscripts[0], other.subscripts[1] + 1]
    return changed(plan, lambda s: replace(s, body=s.body * beside) if s.out == other else s)


def test_windows_beside_each_other_are_one_loop() -> None:
    plan = make_plan(pooled, {"n": 8, "p": 16, "u": 8}, windows=True)
    check_plan(plan)
    nest, *others = (i for i in plan.items if any(s.op and s.out.name == "y" for s in statements_in(i)))
    assert isinstance(nest, Loop) and not others
    assert [len(group) for group in strands_of(nest)] == [2]
    with pytest.raises(CrossCheckError, match="y"):
        check_plan(reads_what_it_adds_to(plan))


def test_windows_that_meet_are_no_strands() -> None:
    """Of three places by two, the last one is the first one of the next window."""
    u, k = Index("u", 4), Index("k", 4)
    out = Tensor("out", (Index("p", 12),))
    meeting = [Statement(out[2 * i + r], x[i], "sum", (i,), "") for i, r in ((u, 0), (u, 1), (u, 2))]
    assert strands_of(Loop(u, (*meeting[:2],))) == [[out[2 * u], out[2 * u + 1]]]
    assert strands_of(Loop(u, tuple(meeting))) == []
    assert strands_of(Loop(u, (meeting[0], replace(meeting[0], body=2 * x[u])))) == []
    assert not never_meet(out[2 * u].subscripts, out[2 * k].subscripts)


def loop_in_time(plan: Plan) -> Loop:
    (found,) = [i for i in plan.items if isinstance(i, Loop) and i.direction]
    return found


def against_time(plan: Plan) -> Plan:
    loop = loop_in_time(plan)
    return replace(plan, items=tuple(replace(i, direction=-1) if i is loop else i for i in plan.items))  # type: ignore[misc]


def in_any_order(plan: Plan) -> Plan:
    loop = loop_in_time(plan)
    return replace(plan, items=tuple(replace(i, direction=0) if i is loop else i for i in plan.items))  # type: ignore[misc]


def never_stored(plan: Plan) -> Plan:
    return changed(plan, lambda s: replace(s, op="sum") if s.out.name == "h" else s)


@pytest.mark.parametrize(
    "fault", [against_time, in_any_order, never_stored, without_conditions], ids=lambda f: f.__name__
)
def test_a_corrupted_recurrence_is_refused(fault: Callable[[Plan], Plan]) -> None:
    plan = make_plan(recurrent)
    check_plan(plan)
    broken = fault(plan)
    if fault is without_conditions and broken == plan:
        broken = changed(plan, lambda s: s.renamed({}) if s.op else replace(s, body=s.body.replace(InRange, _one)))
    with pytest.raises(CrossCheckError):
        check_plan(broken)


def _one(*arguments: sympy.Expr) -> sympy.Expr:
    return sympy.S.One


def test_strands_that_meet_would_be_noticed() -> None:
    strand, array = strands(), strict(np.zeros(6))
    even, odd = strand(array, 0, 0, 2), strand(array, 0, 1, 2)
    for k in range(3):
        even[2 * k] += 1
        odd[2 * k + 1] += 2
    assert array.tolist() == [1, 2, 1, 2, 1, 2]
    with pytest.raises(MeetingError):
        odd[2] += 1


def test_code_that_leaves_its_arrays_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = {"x": np.ones((2, 3)), "tok": np.array([0, 9]), "E": np.ones(2)}
    found = run_strictly(spread, arrays)
    assert found["y"].tolist() == [[0, 1, 0, 1], [0, 1, 0, 1]]
    assert float(found["L"]) == 5.0
    monkeypatch.setattr("support.strict.check_plan", lambda plan: None)
    monkeypatch.setattr("support.strict.make_plan", lambda *a, **more: without_conditions(make_plan(*a, **more)))
    with pytest.raises((OutOfRangeError, OverflowError)):
        run_strictly(spread, arrays)
