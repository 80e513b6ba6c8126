"""Random networks of everything the calculus carries: their gradients against differences of the forward equations.

The differences are taken in 50-digit arithmetic, of the equations as they are written; derivation has no part in them.
"""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st

import symdl as sd
from symdl.compilation.targets.reference import evaluate

EPS = 0.3


class Network:
    """Writes random stages, x[n,t,i] → [n,t,i], and remembers the parameters that they need."""

    def __init__(self, builder, x):
        self.builder, self.x, self.count = builder, x, 0

    def name(self, stem):
        self.count += 1
        return f"{stem}{self.count}"

    def learned(self, axes):
        from symdl.core.builder import Declared
        from symdl.core.tensors import Role

        return self.builder.declare(self.name("w"), Declared(axes, Role.PARAMETER))

    def write(self, body):
        n, t, i = self.x.indices
        self.x = self.builder.let(f"{self.name('x')}[{n.name},{t.name},{i.name}]", body)

    def dense(self):
        n, t, i = self.x.indices
        W = self.learned(f"i {self.name('j')}=i")
        _, j = W.indices
        self.write(sd.Sum(W[i, j] * self.x[n, t, j], j))

    def bent(self):
        self.write(sd.tanh(self.x.element()))

    def normed(self):
        n, t, i = self.x.indices
        mu = self.builder.let(f"{self.name('mu')}[n,t]", sd.mean(self.x[n, t, i], i))
        var = self.builder.let(f"{self.name('v')}[n,t]", sd.mean((self.x[n, t, i] - mu[n, t]) ** 2, i))
        self.write((self.x[n, t, i] - mu[n, t]) / sd.sqrt(var[n, t] + EPS) * self.learned("i")[i])

    def batch_normed(self):
        n, t, i = self.x.indices
        mu = self.builder.let(f"{self.name('mu')}[i]", sd.mean(self.x[n, t, i], n, t))
        var = self.builder.let(f"{self.name('v')}[i]", sd.mean((self.x[n, t, i] - mu[i]) ** 2, n, t))
        self.write((self.x[n, t, i] - mu[i]) / sd.sqrt(var[i] + EPS))

    def attended(self):
        n, t, i = self.x.indices
        s = self.builder.index(self.name("s"), t.extent)
        z = self.builder.let(f"{self.name('z')}[n,t,{s.name}]", sd.Sum(self.x[n, t, i] * self.x[n, s, i], i))
        seen = sd.exp(z.element()) * sd.in_range(t - s, t.extent)
        p = self.builder.let(f"{self.name('p')}[n,t,{s.name}]", seen / sd.Sum(seen, s))
        self.write(sd.Sum(p.element() * self.x[n, s, i], s))

    def convolved(self):
        n, t, i = self.x.indices
        w = self.learned(f"{self.name('r')}=3")
        (r,) = w.indices
        self.write(sd.Sum(w[r] * self.x[n, t + r - 1, i] * sd.in_range(t + r - 1, t.extent), r))

    def pooled(self):
        n, t, i = self.x.indices
        r = self.builder.index(self.name("r"), 3)
        inside = sd.in_range(t + r - 1, t.extent)
        self.write(sd.amax(self.x[n, t + r - 1, i], r, ties="share", where=inside))

    def recurrent(self, step):
        n, t, i = self.x.indices
        a = self.learned("i")
        name = self.name("h")
        h = self.builder.state(f"{name}[n,t,i]", backwards=step > 0)
        before = h[n, t + step, i] * sd.in_range(t + step, t.extent)
        self.builder.let(f"{name}[n,t,i]", sd.tanh(self.x[n, t, i] + a[i] * before))
        self.x = h

    def remembered(self):
        self.recurrent(-1)

    def foreseen(self):
        self.recurrent(1)

    def shuffled(self):
        """Flattened and read in another order: an index map of two axes."""
        n, t, i = self.x.indices
        k = self.builder.index(self.name("k"), t.extent * i.extent)
        flat = self.builder.let(
            f"{self.name('f')}[n,{k.name}]", sd.Sum(self.x[n, t, i] * sd.delta(k, i * t.extent + t), t, i)
        )
        self.write(flat[n, t * i.extent + i] ** 2)

    def skipped(self):
        before = self.x
        self.bent()
        self.write(self.x.element() + before.element())


STAGES = [
    "dense",
    "bent",
    "normed",
    "batch_normed",
    "attended",
    "convolved",
    "pooled",
    "remembered",
    "foreseen",
    "shuffled",
    "skipped",
]


def network(stages, embedded):
    from symdl.core.builder import Builder
    from symdl.core.define import Input, Param, writing

    with writing(Builder("random", time="t")) as builder:
        if embedded:
            tok = builder.declare("tok", Input("n t", integer=True))
            E = builder.declare("E", Param("v i"))
            (n, t), (_, i) = tok.indices, E.indices
            x = builder.let("x[n,t,i]", E[tok[n, t], i])
        else:
            x = builder.declare("x", Input("n t i"))
        made = Network(builder, x)
        for stage in stages:
            getattr(made, stage)()
        n, t, i = made.x.indices
        builder.let("L", sd.mean(sd.Sum(made.x[n, t, i] ** 2, i), n, t))
        return builder.build(["L"])


def arrays_for(definition, rng):
    sizes = {"N": 2, "T": int(rng.integers(1, 4)), "I": int(rng.integers(1, 4)), "V": 3}
    shape = {t.name: tuple(sizes.get(str(e), e) for e in t.shape) for t in definition.inputs}
    real = {t.name: rng.normal(size=[int(s) for s in shape[t.name]]) for t in definition.inputs if not t.integer}
    return real | {t.name: rng.integers(0, 3, size=shape[t.name]) for t in definition.inputs if t.integer}


def directional(definition, output, arrays, directions, step):
    """Central difference of an output along a direction of the inputs."""
    sides = []
    for sign in (1, -1):
        moved = dict(arrays)
        for name, direction in directions.items():
            exact = np.empty(direction.size, object)
            pairs = zip(arrays[name].ravel(), direction.ravel(), strict=True)
            exact[:] = [mpmath.mpf(float(a)) + sign * step * mpmath.mpf(float(d)) for a, d in pairs]
            moved[name] = exact.reshape(direction.shape)
        sides.append(evaluate(definition, moved)[output])
    return np.asarray((sides[0] - sides[1]) / (2 * step), dtype=object)


@settings(max_examples=40, deadline=None)
@example(["batch_normed", "shuffled", "batch_normed"], False, 12911803)  # a loss that is constant
@given(st.lists(st.sampled_from(STAGES), min_size=1, max_size=4), st.booleans(), st.integers(0, 2**32 - 1))
def test_gradients_of_random_networks(stages, embedded, seed):
    rng = np.random.default_rng(seed)
    definition = network(stages, embedded)
    wrt = [t.name for t in definition.inputs if not t.integer]
    arrays = arrays_for(definition, rng)
    derivation = sd.derive(definition, wrt)
    slopes = evaluate(derivation.gradient, arrays)
    directions = {n: rng.normal(size=arrays[n].shape) for n in wrt}
    with mpmath.workdps(50):
        step = mpmath.mpf(10) ** -16
        want = directional(definition, "L", arrays, directions, step)[()]
        parts = [
            g * mpmath.mpf(float(d))
            for n in wrt
            for g, d in zip(slopes[derivation.names[n]].ravel(), directions[n].ravel(), strict=True)
        ]
        # where nothing moves the loss, a difference of 50-digit numbers over 1e-16 is still rounding, below 1e-34
        limit = mpmath.mpf(10) ** -20 * (mpmath.fsum([abs(p) for p in parts]) + abs(want)) + mpmath.mpf(10) ** -34
        assert abs(mpmath.fsum(parts) - want) <= limit
        # forward mode gives the same slope along the direction
        forward = sd.jvp(definition, wrt)
        rates = {forward.gradient[f"{n}_dot"].name: directions[n] for n in wrt}
        moving = evaluate(forward.gradient, {**arrays, **rates})["L_dot"][()]
        assert abs(moving - want) <= limit


@settings(max_examples=8, deadline=None)
@given(st.lists(st.sampled_from(STAGES), min_size=1, max_size=2), st.integers(0, 2**32 - 1))
def test_hessians_of_random_networks_times_a_direction(stages, seed):
    rng = np.random.default_rng(seed)
    definition = network(stages, embedded=True)
    arrays = arrays_for(definition, rng)
    gradient = sd.derive(definition, "E").gradient
    direction = rng.normal(size=arrays["E"].shape)
    product = evaluate(sd.hvp(definition, "E").gradient, {**arrays, "E_dot": direction})["E_bar_dot"]
    with mpmath.workdps(50):
        want = directional(gradient, "E_bar", arrays, {"E": direction}, mpmath.mpf(10) ** -16)
        size = max(abs(v) for v in want.ravel()) + 1
        assert max(abs(v) for v in (product - want).ravel()) <= mpmath.mpf(10) ** -20 * size


@pytest.mark.parametrize(
    "before,after",
    [("normed", "convolved"), ("attended", "convolved"), ("convolved", "convolved"), ("dense", "pooled")],
)
def test_an_expansion_keeps_the_guards_of_a_window(before, after):
    """What stands before a padded window is read beside its guard, sums within sums and within a maximum included."""
    definition = network([before, after], embedded=False).at(t=3)
    rng = np.random.default_rng(3)
    arrays = {"x": rng.normal(size=(2, 3, 2))}
    arrays |= {t.name: rng.normal(size=[2 if e.is_Symbol else int(e) for e in t.shape]) for t in definition.parameters}
    wrt = list(arrays)
    full, chain = (sd.derive(definition, wrt, via=via) for via in ("expand", "chain"))
    found, wanted = (evaluate(way.gradient, arrays) for way in (full, chain))
    for name in wrt:
        got, want = found[full.names[name]].astype(float), wanted[chain.names[name]].astype(float)
        np.testing.assert_allclose(got, want, rtol=1e-12)


def test_a_sum_within_a_maximum_is_named_by_the_place_that_it_is_read_at():
    """Not by the place of the window and the one within it: it is computed once for each place."""
    definition = network(["dense", "pooled"], embedded=False)
    full = sd.derive(definition, "x", via="expand").gradient
    named = [eq for eq in full.equations if eq.name not in definition.tensors and eq.name != "x_bar"]
    assert {eq.name: len(eq.indices) for eq in named} == {"S": 3, "m": 3, "S2": 3}


def test_a_planted_fault_is_found(monkeypatch):
    """A rule that forgets to reverse time must not pass."""
    from symdl.core.functions import InRange
    from symdl.derivation import chain

    honest = chain.contract
    monkeypatch.setattr(chain, "contract", lambda e: honest(e).replace(InRange, lambda a, b: InRange(a + 1, b)))
    with pytest.raises((AssertionError, sd.SymdlError)):
        test_gradients_of_random_networks.hypothesis.inner_test(["remembered", "bent"], False, 3)
