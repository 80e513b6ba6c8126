"""Plans: what is fused, what becomes a matrix product, what shares memory; and faults that `check_plan` must refuse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import sympy
import torch
from torch.nn import functional as F

import symdl as sd
from symdl.compilation.contractions import BLAS_ABOVE
from symdl.compilation.fusion import Loop, statements_in
from symdl.compilation.plan import Plan, make_plan
from symdl.compilation.plan_check import check_plan
from symdl.compilation.statements import Contraction, Statement
from symdl.core.define import Input, Param, Sum, amax, define, exp, in_range, let, tanh
from symdl.core.functions import InRange
from symdl.core.indices import Index
from symdl.derivation.derive import derive
from symdl.derivation.stable import stabilise
from symdl.errors import CrossCheckError
from symdl.library.layers import dense, sequential

NETWORK = sequential(dense(32, "tanh"), dense(10), loss="softmax_cross_entropy", inputs=64)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return make_plan(stabilise(derive(NETWORK).gradient), {"n": 32})


@define
def layer(x=Input("n i"), W=Param("j i"), b=Param("j")):
    n, i = x.indices
    j, _ = W.indices
    s = let("s[n,j]", Sum(W[j, i] * x[n, i], i) + b[j])
    return let("h[n,j]", tanh(s[n, j]))


def products(plan: Plan) -> list[Contraction]:
    return [i for i in plan.items if isinstance(i, Contraction)]


def test_the_products_of_a_network_are_found_and_transposes_are_folded_in(plan: Plan) -> None:
    found = [(p.left.tensor.name, p.left.transposed, p.right.tensor.name, p.right.transposed) for p in products(plan)]
    assert found == [
        ("x", False, "W1", True),
        ("h1", False, "W2", True),
        ("s2_bar", False, "W2", False),
        ("s1_bar", True, "x", False),
        ("s2_bar", True, "h1", False),
    ]


def test_softmax_loss_and_their_gradients_are_one_nest(plan: Plan) -> None:
    nest = next(i for i in plan.items if isinstance(i, Loop) and any(s.out.name == "L" for s in statements_in(i)))
    assert {s.out.name for s in statements_in(nest)} >= {"s2", "m", "S", "L", "s2_bar", "b2_bar"}


def test_values_of_one_row_are_variables_and_not_arrays(plan: Plan) -> None:
    kinds = {b.name: b.kind for b in plan.buffers}
    assert kinds["m"] == kinds["S"] == "scalar"
    assert "p" not in kinds  # put into s2_bar, which keeps the exponentials in the meantime
    assert kinds["h1"] == "work"
    assert kinds["W1_bar"] == "output"


def test_dead_tensors_give_their_memory_on(plan: Plan) -> None:
    slots = [b.slot for b in plan.buffers if b.slot is not None]
    assert len(set(slots)) < len(slots)


def test_small_products_are_loops_and_large_ones_go_to_blas() -> None:
    small, large = make_plan(layer, {"n": 2, "i": 2, "j": 2}), make_plan(layer, {"n": 64, "i": 64, "j": 64})
    assert products(small) == []
    assert len(products(large)) == 1
    assert 2 * 2 * 2 < min(BLAS_ABOVE.values()) < 64**3


def test_sums_with_borders_are_products_of_matrices_with_zeros() -> None:
    """Σ K[o,c,r,s] [0 ≤ h + r − 2 < H] … x[n,c,h+r−2,w+s−2]: K times patches that are zero beside the image."""

    @define
    def bordered(x=Input("n c h w"), K=Param("o c r s")):
        (n, c, h, w), (o, _, r, s) = x.indices, K.indices
        inside = in_range(h + r - 2, h.extent) * in_range(w + s - 2, w.extent)
        return let("y[n,o,h,w]", Sum(inside * K[o, c, r, s] * x[n, c, h + r - 2, w + s - 2], c, r, s))

    sizes = {"n": 32, "c": 16, "h": 12, "w": 12, "o": 8, "r": 5, "s": 5}
    whole = make_plan(bordered, sizes)
    (product,) = products(whole)
    assert product.left.tensor.name == "K"
    assert isinstance(whole.items[0], Loop)
    assert {s.out.name for s in statements_in(whole.items[0])} == {product.right.tensor.name}
    assert products(make_plan(bordered, dict.fromkeys(sizes, 3))) == []
    rng = np.random.default_rng(8)
    given = {"x": rng.normal(size=(3, 4, 6, 5)), "K": rng.normal(size=(2, 4, 5, 5))}
    found = sd.compile(bordered, extents=sizes)(**given)["y"]
    wanted = F.conv2d(torch.from_numpy(given["x"]), torch.from_numpy(given["K"]), padding=2).numpy()
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)


# ── planted faults ───────────────────────────────────────────────────────────────────────────────────────────────────


def moved_first(plan: Plan) -> Plan:
    return replace(plan, items=(plan.items[-1], *plan.items[:-1]))


def without_an_item(plan: Plan) -> Plan:
    return replace(plan, items=plan.items[1:])


def without_the_last_product(plan: Plan) -> Plan:
    kept = [i for i in plan.items if not (isinstance(i, Contraction) and i.out.name == "W2_bar")]
    return replace(plan, items=tuple(kept))


def all_in_one_slot(plan: Plan) -> Plan:
    return replace(plan, buffers=tuple(replace(b, slot=0) if b.slot is not None else b for b in plan.buffers))


def transposed_once_more(plan: Plan) -> Plan:
    def flip(item: object) -> object:
        return replace(item, left=replace(item.left, transposed=not item.left.transposed)) if item is first else item

    first = products(plan)[0]
    return replace(plan, items=tuple(flip(i) for i in plan.items))  # type: ignore[misc]


def children_reversed(plan: Plan) -> Plan:
    def turn(item: object) -> object:
        return Loop(item.index, item.children[::-1]) if isinstance(item, Loop) else item

    return replace(plan, items=tuple(turn(i) for i in plan.items))  # type: ignore[misc]


def with_a_loop_of_another_length(plan: Plan) -> Plan:
    def change(node: object, index: Index) -> object:
        if isinstance(node, Loop):
            return Loop(index, node.children) if not isinstance(node.children[0], Loop) else node
        return node

    return replace(plan, items=tuple(change(i, Index("q", 999)) for i in plan.items))  # type: ignore[misc]


def without_a_buffer(plan: Plan) -> Plan:
    return replace(plan, buffers=tuple(b for b in plan.buffers if b.name != "h1"))


def output_in_the_work_space(plan: Plan) -> Plan:
    return replace(
        plan, buffers=tuple(replace(b, kind="work", slot=99) if b.name == "W1_bar" else b for b in plan.buffers)
    )


FAULTS = [
    moved_first,
    without_an_item,
    without_the_last_product,
    all_in_one_slot,
    transposed_once_more,
    children_reversed,
    with_a_loop_of_another_length,
    without_a_buffer,
    output_in_the_work_space,
]


def test_a_sound_plan_passes(plan: Plan) -> None:
    check_plan(plan)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.__name__)
def test_a_corrupted_plan_is_refused(plan: Plan, fault: Callable[[Plan], Plan]) -> None:
    with pytest.raises(CrossCheckError):
        check_plan(fault(plan))


def test_reading_a_sum_inside_its_own_loop_is_refused() -> None:
    @define
    def softmax(z=Input("n k")):
        n, k = z.indices
        m = let("m[n]", amax(z[n, k], k))
        return let("e[n,k]", exp(z[n, k] - m[n]))

    plan = make_plan(softmax)
    check_plan(plan)
    (nest,) = plan.items
    assert isinstance(nest, Loop)
    start, largest, after = nest.children
    assert isinstance(start, Statement) and isinstance(largest, Loop) and isinstance(after, Loop)
    (inner,) = after.children
    assert isinstance(inner, Statement)
    early = Loop(largest.index, (*largest.children, inner.renamed({after.index: largest.index})))
    with pytest.raises(CrossCheckError, match="before it is finished"):
        check_plan(replace(plan, items=(Loop(nest.index, (start, early)),)))


@define
def masked(z=Input("n k"), y=Input("n k")):
    """A softmax over what is not above the diagonal, and 0 elsewhere."""
    n, k = z.indices
    m = let("m[n]", amax(z[n, k], k, where=in_range(n - k, n.extent)))
    S = let("S[n]", Sum(exp(z[n, k] - m[n]) * in_range(n - k, n.extent), k))
    p = let("p[n,k]", exp(z[n, k] - m[n]) / S[n] * in_range(n - k, n.extent))
    return let("r[n]", Sum(p[n, k] * y[n, k], k)), p


def masked_plan() -> tuple[Plan, list[Statement]]:
    """Its plan, and the two statements that store p: what is kept under the mask, and then all of it."""
    plan = make_plan(masked, {"n": 64, "k": 64})
    return plan, [s for i in plan.items if isinstance(i, Loop) for s in statements_in(i) if s.out.name == "p"]


def test_exponentials_under_a_mask_are_computed_once() -> None:
    plan, (kept, whole) = masked_plan()
    check_plan(plan)
    assert kept.guards and kept.body.has(sympy.exp) and not whole.guards and not whole.body.has(sympy.exp)
    rng = np.random.default_rng(5)
    z, y = rng.normal(size=(2, 37, 41))
    allowed = np.arange(37)[:, None] >= np.arange(41)
    z[~allowed] = np.nan  # what nobody may look at
    wanted = F.softmax(torch.tensor(np.where(allowed, z, -np.inf)), dim=1).numpy()
    got = sd.compile(masked)(z=z, y=y)
    np.testing.assert_allclose(got["p"], wanted, rtol=1e-13)
    np.testing.assert_allclose(got["r"], (wanted * y).sum(axis=1), rtol=1e-12)


def _always(*_: sympy.Expr) -> sympy.Expr:
    return sympy.S.One


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            lambda kept, whole: (kept, replace(whole, body=whole.body.replace(InRange, _always))),
            "where it is not stored",
        ),
        (lambda kept, whole: (kept, None), "where it is not stored"),
        (lambda kept, whole: (kept, replace(whole, guards=kept.guards)), "again under conditions"),
    ],
    ids=["read without the mask", "never stored as a whole", "stored under the mask twice"],
)
def test_what_is_stored_under_a_mask_is_watched(
    change: Callable[..., tuple[Statement, Statement | None]], told: str
) -> None:
    plan, (kept, whole) = masked_plan()
    put = dict(zip((kept, whole), change(kept, whole), strict=True))

    def changed(node: object) -> object:
        if isinstance(node, Loop):
            return replace(node, children=tuple(c for c in map(changed, node.children) if c is not None))  # type: ignore[arg-type]
        return put.get(node, node)  # type: ignore[call-overload]

    with pytest.raises(CrossCheckError, match=told):
        check_plan(replace(plan, items=tuple(changed(i) for i in plan.items)))  # type: ignore[misc]
