"""A budget is kept, whichever part of a decision is what takes the time."""

from __future__ import annotations

import pytest
import sympy

from symdl.core.deadlines import in_time, now, until
from symdl.core.define import Sum, tanh
from symdl.core.functions import Delta
from symdl.core.indices import Index
from symdl.core.tensors import Tensor
from symdl.derivation.canonical import canonical
from symdl.errors import BudgetError
from symdl.verification import Status, equal

#: Seconds past its budget in which an answer has to be there; today's machines need a tenth of a second. They are
#: those of this process: what others do on the machine is not its fault.
PATIENCE = 2.0


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
def test_a_heavy_claim_ends_within_its_budget(claim):
    left, right = claim()
    started = now()
    verdict = equal(left, right, budget=1.0, points=3)  # agreement at three points is not worth a word
    assert verdict.status is Status.UNDECIDED, verdict
    assert now() - started < 1.0 + PATIENCE


@pytest.mark.parametrize("claim", [_many_monomials, _many_equations, _many_symmetries])
def test_the_canonical_form_alone_keeps_a_deadline(claim):
    left, _ = claim()
    started = now()
    with pytest.raises(BudgetError, match="out of time"), until(now() + 0.3):
        canonical(left)
    assert now() - started < 0.3 + PATIENCE


def test_deadlines_inside_deadlines_and_none():
    in_time()
    with until(now() + 60):
        in_time()
        with pytest.raises(BudgetError), until(now() - 1):
            in_time()
        in_time()
    with pytest.raises(BudgetError), until(now() - 1), until(now() + 60):
        in_time()
