"""A budget is kept, whichever part of a decision is what takes the time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sympy
from support.clocks import WorkClock, counting_work

from symdl.core import deadlines
from symdl.core.deadlines import in_time, now, until
from symdl.core.define import Sum, tanh
from symdl.core.functions import Delta
from symdl.core.indices import Index
from symdl.core.tensors import Tensor
from symdl.derivation.canonical import canonical
from symdl.errors import BudgetError
from symdl.verification import Status, equal

#: Seconds of work past its budget in which an answer has to be there: a tenth is needed.
PATIENCE = 0.4


@pytest.fixture
def clock(monkeypatch) -> Iterator[WorkClock]:
    with counting_work() as clock:
        monkeypatch.setattr(deadlines, "_clock", clock)
        yield clock


def _many_monomials():
    n = Index("n")
    parts = [tanh(Tensor(f"x{k}", (n,))[n]) for k in range(9)]
    return Sum(sympy.Add(*parts) ** 7, n), Sum(sympy.Add(*parts) ** 3 * sympy.Add(*reversed(parts)) ** 4, n)


def _many_equations():
    b = [Index(f"b{k}") for k in range(9)]
    between = [Delta(2 * b[k] + 3 * b[k + 1] - 5 * b[k + 2], b[k + 3] + 1) for k in range(5)]
    body = sympy.Mul(*[Tensor(f"T{k}", (i,))[i] for k, i in enumerate(b)], *between)
    return Sum(body, *b), Sum(body, *reversed(b))


def _many_symmetries():
    n = Index("n")
    b = [Index(f"i{k}", n.extent) for k in range(7)]
    table = Tensor("A", (n, Index("m", n.extent)))
    pairs = [(i, j) for k, i in enumerate(b) for j in b[k + 1 :]]
    body = sympy.Mul(*[table[i, j] + table[j, i] for i, j in pairs[:14]])
    return Sum(body, *b), Sum(body.xreplace({b[0]: b[1], b[1]: b[0]}), *b)


@pytest.mark.parametrize("claim", [_many_monomials, _many_equations, _many_symmetries])
def test_a_heavy_claim_ends_within_its_budget(claim, clock):
    left, right = claim()
    started = clock()
    verdict = equal(left, right, budget=1.0, points=3)  # agreement at three points is not worth a word
    assert verdict.status is Status.UNDECIDED, verdict
    assert clock() - started < 1.0 + PATIENCE


@pytest.mark.parametrize("claim", [_many_monomials, _many_equations, _many_symmetries])
def test_the_canonical_form_alone_keeps_a_deadline(claim, clock):
    left, _ = claim()
    started = clock()
    with pytest.raises(BudgetError, match="out of time"), until(now() + 0.3):
        canonical(left)
    assert clock() - started < 0.3 + PATIENCE


def test_deadlines_inside_deadlines_and_none():
    in_time()
    with until(now() + 60):
        in_time()
        with pytest.raises(BudgetError), until(now() - 1):
            in_time()
        in_time()
    with pytest.raises(BudgetError), until(now() - 1), until(now() + 60):
        in_time()
