"""Sums, definitions and derivations: proved for all extents, refuted with extents that can't hide a mistake."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sympy

import symdl.core.define as sd
from symdl.core.functions import Delta, InRange, Switch
from symdl.core.indices import Index
from symdl.core.tensors import Fact, Tensor
from symdl.derivation.derive import derive
from symdl.derivation.seeds import vjp
from symdl.errors import DefinitionError, ShapeError
from symdl.library.activations import sigmoid
from symdl.library.definitions import definition
from symdl.library.layers import dense, sequential
from symdl.library.losses import softmax
from symdl.verification import Status, equal, recheck
from symdl.verification.verdict import Verdict, weakest

n, i, j, k = Index("n"), Index("i"), Index("j"), Index("k")
m, l = j.fresh(), k.fresh()
x, W, V = Tensor("x", (n, i)), Tensor("W", (j, i)), Tensor("V", (k, j))
z = Tensor("z", (n, k))
y = Tensor("y", (n, k), facts=frozenset({Fact.SUMS_TO_ONE}))
free = Tensor("t", (n, k))
S, exp, log, tanh = sd.Sum, sympy.exp, sympy.log, sympy.tanh
p = exp(z[n, k]) / S(exp(z[n, k]), k)
top = sd.amax(z[n, k], k)

PROVED = {
    "a square of a sum": (S(W[j, i] * x[n, i], i) ** 2, S(S(W[j, i] * x[n, i], i) * W[j, i] * x[n, i], i)),
    "order of summation": (
        S(V[k, j] * S(W[j, i] * x[n, i], i), j),
        S(S(V[k, j] * W[j, i], j) * x[n, i], i),
    ),
    "δ picks": (S(Delta(k, l) * z[n, l], l), z[n, k]),
    "δ in two sums": (S(Delta(j, m) * W[j, i] * W[m, i], j, m), S(W[j, i] ** 2, j)),
    "δ commutes with what it ties": (Delta(j, m) * W[j, i], Delta(j, m) * W[m, i]),
    "constants": (S(z[n, k] + 3, k), S(z[n, l], l) + 3 * k.extent),
    "mean of a mean": (sd.mean(z[n, k] - sd.mean(z[n, k], k), k), sympy.Integer(0)),
    "variance": (
        sd.mean((z[n, k] - sd.mean(z[n, k], k)) ** 2, k),
        sd.mean(z[n, k] ** 2, k) - sd.mean(z[n, k], k) ** 2,
    ),
    "softmax sums to one": (S(p, k), sympy.Integer(1)),
    "softmax shifted by its maximum": (
        exp(z[n, k] - top) / S(exp(z[n, k] - top), k),
        p,
    ),
    "log softmax": (log(p), z[n, k] - log(S(exp(z[n, k]), k))),
    "p − y": (
        S(-y[n, l] * (Delta(l, k) - p), l),
        p - y[n, k],
    ),
    "tanh in a sum": (S(tanh(z[n, k]), k), S(2 * sigmoid(2 * z[n, k]) - 1, k)),
    "relu in a sum": (S(Switch(z[n, k], 0, z[n, k], 0), k), S((z[n, k] + sympy.Abs(z[n, k])) / 2, k)),
    "darknet #29: a term that is zero": (S(x[n, i] - sd.mean(x[n, i], n), n) * W[j, i], sympy.Integer(0)),
    "a product": (sd.prod(z[n, k], k), sd.prod(z[n, l], l)),
    "f/f": (S(1 / (1 + exp(z[n, k])), k) + S(1 / (1 + exp(-z[n, k])), k), k.extent),
}

REFUTED = {
    "the fact Σ y = 1 is needed": (S(-free[n, l] * (Delta(l, k) - p), l), p - free[n, k]),
    "a sum for a mean": (S(z[n, k], k), sd.mean(z[n, k], k)),
    "an index": (S(W[j, i] * x[n, i], i), S(W[j, i] * x[n, i], i) + W[j, 0]),
    "softmax' off the diagonal": (S(-y[n, l] * p, l), -p * y[n, k]),
    "independent sums for one": (S(z[n, k] ** 2, k), S(z[n, k], k) ** 2),
    "δ or nothing": (Delta(j, m) * W[j, i], W[j, i]),
    "a guard": (S(InRange(k - 1, k.extent) * z[n, k], k), S(z[n, k], k)),
    "a maximum": (sd.amax(z[n, k], k), S(z[n, k], k)),
    "an extent": (k.extent * i.extent, k.extent + i.extent + S(sympy.Integer(0), k)),
}


@pytest.mark.parametrize("name", PROVED)
def test_index_identities_are_proved_for_all_extents(name: str) -> None:
    left, right = PROVED[name]
    verdict = equal(left, right)
    assert verdict.status is Status.PROVED, str(verdict)
    assert "all extents" in verdict.scope


@pytest.mark.parametrize("name", REFUTED)
def test_index_mistakes_are_refuted(name: str) -> None:
    verdict = equal(*REFUTED[name])
    assert verdict.status is Status.REFUTED, str(verdict)


def test_small_extents_prove_for_these_extents_only() -> None:
    """What no canonical form of sums finds is still decided where it is written out, and the scope says so."""
    a = Index("a", 2)
    u = Tensor("u", (a,))
    symmetric = S(u[a], a) ** 2 - S(u[a] ** 2, a)
    verdict = equal(symmetric, 2 * u[0] * u[1])
    assert verdict.proved
    open_extent = equal(S(z[n, k], k) ** 2, S(z[n, k] ** 2, k) + 2 * z[n, 0] * z[n, 1])
    assert open_extent.status is not Status.PROVED or "K = 2" in open_extent.scope


@sd.define
def neuron(x=sd.Input("n i"), t=sd.Input("n"), w=sd.Param("i"), b=sd.Param()):
    n, i = x.indices
    s = sd.let("s[n]", sd.Sum(w[i] * x[n, i], i) + b)
    a = sd.let("a[n]", sigmoid(s[n]))
    return sd.let("L", sd.mean((t[n] - a[n]) ** 2, n))


def _both(definition, *wrt):
    return (derive(definition, wrt=list(wrt), via=via) for via in ("expand", "chain"))


NETWORKS = {
    "neuron": (neuron, ("w", "b")),
    "softmax cross-entropy": (
        sequential(dense(None, "tanh"), dense(), loss="softmax_cross_entropy"),
        ("W1", "b1", "W2", "b2"),
    ),
    "relu and l1": (sequential(dense(None, "relu"), dense(), loss="l1"), ("W1", "b1", "W2", "b2")),
    "leaky relu, sigmoid and l2": (
        sequential(dense(None, "leaky_relu"), dense(None, "sigmoid"), loss="l2"),
        ("W1", "W2"),
    ),
    "written-out extents": (sequential(dense(2, "tanh"), dense(3), loss="l2", inputs=2), ("W1", "b2")),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_both_possibilities_agree_for_all_extents(name: str) -> None:
    definition, wrt = NETWORKS[name]
    full, chain = _both(definition, *wrt)
    verdict = equal(full, chain).require()
    assert "all extents" in verdict.scope
    assert all(f"{w}_bar" in verdict.scope for w in wrt)


@pytest.mark.parametrize("name", ["neuron", "relu and l1", "softmax cross-entropy"])
def test_every_step_is_proved(name: str) -> None:
    definition, wrt = NETWORKS[name]
    for derivation in _both(definition, *wrt):
        for step, verdict in recheck(derivation):
            assert verdict.proved, f"{step.rule} {step.subject}: {step.before} = {step.after}: {verdict}"


FAULTS = {
    "sign": lambda e: -e,
    "factor": lambda e: 2 * e,
    "lost term": lambda e: e.args[0] if e.is_Add else sympy.Integer(0),
    "batch size": lambda e: e / sympy.Symbol("N", integer=True, positive=True),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", ["neuron", "softmax cross-entropy"])
def test_a_fault_in_any_equation_is_refuted(name: str, fault: str) -> None:
    definition, wrt = NETWORKS[name]
    chain = derive(definition, wrt=[wrt[0]], via="chain")
    for position, eq in enumerate(chain.gradient.equations):
        if not eq.name.endswith("_bar"):
            continue
        equations = list(chain.gradient.equations)
        equations[position] = eq.map(FAULTS[fault])
        wrong = replace(chain.gradient, equations=tuple(equations), kinks=())
        verdict = equal(chain.gradient, wrong, points=10)
        assert verdict.status is Status.REFUTED, f"{eq}: {verdict}"
        assert verdict.witness is not None


def test_a_wrong_step_is_refuted() -> None:
    _, chain = _both(neuron, "w")
    steps = [replace(s, after=-s.after) if s.rule == "R3" else s for s in chain.steps]
    assert any(s.rule == "R3" for s in steps)
    verdicts = recheck(replace(chain, steps=tuple(steps)))
    assert any(v.status is Status.REFUTED for s, v in verdicts if s.rule == "R3")


def test_definitions_are_compared_by_the_names_of_inputs() -> None:
    @sd.define
    def first(a=sd.Input("r c"), b=sd.Input("c")):
        r, c = a.indices
        return sd.let("o[r]", sd.Sum(a[r, c] * tanh(b[c]), c))

    @sd.define
    def second(b=sd.Input("q"), a=sd.Input("s q")):
        s, q = a.indices
        h = sd.let("h[q]", 2 * sigmoid(2 * b[q]) - 1)
        return sd.let("o[s]", sd.Sum(h[q] * a[s, q], q))

    @sd.define
    def transposed(a=sd.Input("c r"), b=sd.Input("c")):
        c, r = a.indices
        return sd.let("o[r]", sd.Sum(a[c, r] * tanh(b[c]), c))

    assert equal(first, second).proved
    with pytest.raises(ShapeError):
        equal(first, transposed)
    square = transposed.at(c=3, r=3)
    assert equal(first.at(r=3, c=3), square).status is Status.REFUTED


def test_outputs_that_do_not_correspond_are_an_error() -> None:
    @sd.define
    def two(a=sd.Input()):
        u = sd.let("u", a**2)
        v = sd.let("v", a**3)
        return u, v

    @sd.define
    def one(a=sd.Input()):
        return sd.let("u", a * a)

    with pytest.raises(DefinitionError):
        equal(two, one)
    assert equal(two.only(["u"]), one).proved
    with pytest.raises(DefinitionError):
        equal(two, sympy.Integer(1))


def test_softmax_of_the_library() -> None:
    assert equal(softmax(z[n, k], k), p).proved


def test_gathered_rows() -> None:
    v, d, t = Index("v"), Index("d"), Index("t")
    table, token = Tensor("E", (v, d)), Tensor("tok", (t,), integer=True)
    one_hot = S(Delta(v, token[t]) * table[v, d], v)
    assert equal(one_hot, table[token[t], d]).status in (Status.PROVED, Status.CONSISTENT)
    assert equal(one_hot, 2 * table[token[t], d]).status is Status.REFUTED


def test_a_sum_of_one_says_nothing_about_signs():
    """y = (2, −1) sums to 1, so √(y²) = y and |y| = y need y ≥ 0 to be stated."""
    k = Index("k")
    any_sign = Tensor("y", (k,), facts=frozenset({Fact.SUMS_TO_ONE}))[k]
    for claim in (sd.sqrt(any_sign**2), sd.absolute(any_sign, kink="mid")):
        verdict = equal(claim, any_sign)
        assert verdict.status in (Status.REFUTED, Status.CONDITIONAL) and verdict.witness is not None
    stated = Tensor("y", (k,), facts=frozenset({Fact.SUMS_TO_ONE, Fact.NONNEGATIVE}))[k]
    assert equal(sd.sqrt(stated**2), stated).proved
    assert equal(sd.absolute(stated, kink="mid"), stated).status in (Status.PROVED, Status.CONSISTENT)


def test_extents_that_are_differences_stay_above_zero():
    """H − R + 1 places of a window: numbers for H and R are chosen so that there is at least one."""
    h = Index("h", sympy.Symbol("H", integer=True, positive=True))
    r = Index("r", sympy.Symbol("R", integer=True, positive=True))
    u = Index("u", h.extent - r.extent + 1)
    x, w = Tensor("x", (h,)), Tensor("K", (r,))
    y = S(w[r] * x[u + r], r)
    assert equal(y**2, y * y + 0 * u).proved
    assert equal(S(y, u), S(w[r] * x[u + r], u, r)).proved
    assert equal(S(y, u), S(w[r] * x[u + r] + 1, u, r)).status is Status.REFUTED


def test_the_scope_tells_integers_and_where_they_stay():
    v, d, t = Index("v"), Index("d"), Index("t")
    table, token = Tensor("E", (v, d)), Tensor("tok", (t,), integer=True)
    picked = table[token[t], d]
    assert str(equal(picked + 0 * d, picked).scope) == (
        "all real E[v, d] and all integer tok[t] with 0 ≤ tok < V and all extents"
    )
    gradient = vjp(definition("embedding"), ["E"])
    both = equal(gradient, gradient)
    assert "all real y_bar[n, t, d] and all integer tok[n, t]" in both.scope


def test_unknowns_of_two_outputs_are_told_together_beside_integers():
    rest = " and all integer tok[t] with 0 ≤ tok < V and all extents"
    verdicts = [(n, Verdict(Status.PROVED, "m", f"all real {n}{rest}")) for n in "ab"]
    assert weakest(verdicts, 0.0).scope == f"a and b, all real a, b{rest}"
