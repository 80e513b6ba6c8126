"""Slopes that are computed beside their functions: where that is done, and where it must not be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import symdl as sd
from symdl.compilation.extents import Axes
from symdl.compilation.gradients import programs_for
from symdl.compilation.lowering import lower
from symdl.compilation.slopes import with_slopes_kept
from symdl.compilation.statements import Recurrence
from symdl.core.define import Input, Param, Sum, define, in_range, let, state, tanh
from symdl.core.definitions import Definition
from symdl.derivation.accurate.calls import with_forms, with_twins
from symdl.derivation.derive import derive
from symdl.library.activations import ACTIVATIONS


def layer(name: str, more: Any = lambda s, a, n: 0) -> Definition:
    """L = Σ v f(w x) + Σ more."""

    def body(x: Any = Input("n"), w: Any = Param(), v: Any = Param()) -> Any:
        (n,) = x.indices
        s = let("s[n]", w * x[n])
        a = let("a[n]", ACTIVATIONS[name](s[n]))
        return let("L", Sum(v * a[n] + more(s, a, n), n))

    return with_forms(derive(with_twins(define(body)), wrt=["w", "v"]).gradient)


def slopes(definition: Definition) -> list[str]:
    return [e.name for e in with_slopes_kept(definition).equations if e.name.endswith("_slope")]


@pytest.mark.parametrize("name", ["gelu", "gelu_tanh", "silu", "mish"])
def test_slopes_stand_behind_their_functions(name: str) -> None:
    gradient = layer(name)
    changed = with_slopes_kept(gradient)
    names = [e.name for e in changed.equations]
    assert slopes(gradient) == ["s_slope"]
    assert names.index("s_slope") == names.index("a") + 1 < names.index("s_bar")
    assert "s" not in {e.name for eq in changed.equations[names.index("L") :] for e in eq.uses}


@pytest.mark.parametrize(
    "gradient",
    [layer("tanh"), layer("relu"), layer("softsign"), layer("gaussian")],
    ids=["by the value", "cheap", "no form", "nothing in common"],
)
def test_slopes_stay_where_nothing_is_saved(gradient: Definition) -> None:
    assert slopes(gradient) == []
    assert with_slopes_kept(gradient) is gradient


def gated() -> Definition:
    """c_t = σ(s_t)·c_{t−1} + tanh(r_t) with r_t = w c_{t−1} + x_t and s_t = v c_{t−1} + x_t; its gradient."""

    @define(time="t")
    def cell(x: Any = Input("n t"), w: Any = Param(), v: Any = Param()) -> Any:
        n, t = x.indices
        c = state("c[n,t]")
        before = let("before[n,t]", c[n, t - 1] * in_range(t - 1, t.extent))
        r = let("r[n,t]", w * before[n, t] + x[n, t])
        s = let("s[n,t]", v * before[n, t] + x[n, t])
        h = let("h[n,t]", tanh(r[n, t]))
        g = let("g[n,t]", sd.sigmoid(s[n, t]))
        let("c[n,t]", g[n, t] * before[n, t] + h[n, t])
        return let("L", Sum(c[n, t] ** 2, n, t))

    return programs_for(cell, ("w", "v"), False).stable["gradient"]


def test_slopes_in_time_are_computed_at_the_moment_of_their_functions() -> None:
    """They stand behind the recurrence, which they are no part of, and are computed in its loop."""
    changed = with_slopes_kept(gated())
    later = changed.equations[[e.name for e in changed.equations].index("L") :]
    assert {"s_slope", "r_slope"} <= {e.name for e in changed.equations} - {e.name for e in later}
    assert not {"s", "r"} & {e.name for eq in later for e in eq.uses}
    first, *_ = [u for u in lower(changed, Axes(changed), lambda i: 8) if isinstance(u, Recurrence)]
    written = [u.out.name for u in first.units]
    assert written.index("s") < written.index("s_slope")
    assert written.index("r") < written.index("r_slope")


def test_what_needs_another_moment_is_computed_behind_the_recurrence() -> None:
    @define(time="t")
    def steps(x: Any = Input("n t")) -> Any:
        n, t = x.indices
        c = state("c[n,t]")
        let("c[n,t]", tanh(x[n, t] + c[n, t - 1] * in_range(t - 1, t.extent)))
        up = let("up[n,t]", c[n, t] - c[n, t - 1] * in_range(t - 1, t.extent))
        return let("L", Sum(up[n, t] ** 2, n, t))

    (loop,) = [u for u in lower(steps, Axes(steps), lambda i: 8) if isinstance(u, Recurrence)]
    assert [u.out.name for u in loop.units] == ["c"]


def test_values_stay_those_of_autograd(rng: np.random.Generator) -> None:
    net = sd.sequential(sd.dense(7, "gelu"), sd.dense(5, "silu"), sd.dense(1), loss="l2", inputs=4)
    code = sd.compile(net, wrt=[p.name for p in net.parameters])
    assert code.source.count("_slope[") > 2
    t = next(d.name for d in net.data if d.name != "x")
    shapes = {"x": (6, 4), t: (6, 1), "W1": (7, 4), "b1": (7,), "W2": (5, 7), "b2": (5,), "W3": (1, 5), "b3": (1,)}
    arrays = {n: rng.normal(size=shape) for n, shape in shapes.items()}
    tensors = {n: torch.tensor(a, requires_grad=True) for n, a in arrays.items()}
    h = F.gelu(tensors["x"] @ tensors["W1"].T + tensors["b1"])
    h = F.silu(h @ tensors["W2"].T + tensors["b2"])
    y = h @ tensors["W3"].T + tensors["b3"]
    F.mse_loss(y, tensors[t]).backward()  # type: ignore[no-untyped-call]
    got = code.gradient(**arrays)
    for p in net.parameters:
        np.testing.assert_allclose(got[p.name], tensors[p.name].grad, rtol=1e-11, atol=1e-13)
