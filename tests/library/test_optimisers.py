"""Optimisers beside PyTorch's, step by step in compiled epochs; Lion beside its paper's update in NumPy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from symdl.core.define import Hyper, Input, Param, Sum, define, let, mean, sqrt, tanh
from symdl.errors import DefinitionError
from symdl.library import optimisers as library, schedules
from symdl.library.optimisers import OPTIMISERS, Optimizer, clip_norm, clip_value
from symdl.training.loop import train

torch = pytest.importorskip("torch")

STEPS, BATCH = 60, 4
ROWS = STEPS * BATCH


@define
def unit(x=Input("n i"), t=Input("n"), w=Param("i"), b=Param()):
    n, i = x.indices
    y = let("y[n]", tanh(Sum(w[i] * x[n, i], i) + b))
    return let("L", mean((t[n] - y[n]) ** 2, n))


rng = np.random.default_rng(5)
X = rng.normal(size=(ROWS, 3))
T = np.tanh(X @ [1.0, -2.0, 0.5] - 0.3) + 0.1 * rng.normal(size=ROWS)
START = {"w": np.array([0.3, 0.2, -0.4]), "b": np.array(0.1)}


def ours(optimizer: Optimizer, dtype: Any = "float64") -> tuple[Any, Any]:
    """The losses of all steps, and the parameters at the end."""
    fit = train(
        unit,
        X,
        T,
        epochs=1,
        batch_size=BATCH,
        optimizer=optimizer,
        initial=START,
        shuffle=False,
        dtype=dtype,
        progress=False,
    )
    assert fit.diverged_at is None
    return fit.history.step_loss, np.append(fit.parameters["w"], fit.parameters["b"])


def batches() -> Iterator[tuple[Any, Any]]:
    for at in range(0, ROWS, BATCH):
        yield torch.tensor(X[at : at + BATCH]), torch.tensor(T[at : at + BATCH])


def theirs(
    make: Callable[..., Any], before: Callable[[Any], Any] = lambda p: None, after: Callable[[], Any] = lambda: None
) -> tuple[Any, Any]:
    """The same with a PyTorch optimiser; `before` and `after` are called around each of its steps.

    It keeps the product of NAdam in its default dtype, float32, whatever that of the parameters.
    """
    before_it = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        return steps_of(make, before, after)
    finally:
        torch.set_default_dtype(before_it)


def steps_of(make: Callable[..., Any], before: Callable[[Any], Any], after: Callable[[], Any]) -> tuple[Any, Any]:
    w, b = (torch.tensor(START[n], requires_grad=True) for n in ("w", "b"))
    optimizer = make([w, b])
    losses = []
    for x, t in batches():
        loss = torch.mean((t - torch.tanh(x @ w + b)) ** 2)
        optimizer.zero_grad()
        loss.backward()
        before([w, b])
        optimizer.step()
        after()
        losses.append(loss.item())
    return np.array(losses), np.append(w.detach().numpy(), b.item())


def assert_same(one: tuple[Any, Any], other: tuple[Any, Any]) -> None:
    for mine, peer in zip(one, other, strict=True):
        np.testing.assert_allclose(mine, peer, rtol=1e-10, atol=1e-12)


@dataclass(frozen=True)
class Case:
    """An optimiser with its options, and what PyTorch calls it."""

    made: Optimizer
    peer: str
    options: dict[str, Any]


o = library
CASES = {
    "sgd": Case(o.sgd(0.3, weight_decay=0.01), "SGD", {"lr": 0.3, "weight_decay": 0.01}),
    "momentum": Case(
        o.momentum(0.1, 0.8, dampening=0.3, weight_decay=0.01),
        "SGD",
        {"lr": 0.1, "momentum": 0.8, "dampening": 0.3, "weight_decay": 0.01},
    ),
    "nesterov": Case(o.nesterov(0.1, 0.9), "SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    "adagrad": Case(
        o.adagrad(0.2, lr_decay=0.05, initial=0.1),
        "Adagrad",
        {"lr": 0.2, "lr_decay": 0.05, "initial_accumulator_value": 0.1},
    ),
    "adadelta": Case(o.adadelta(0.9, 0.8), "Adadelta", {"lr": 0.9, "rho": 0.8}),
    "rmsprop": Case(o.rmsprop(0.02, 0.9, weight_decay=0.1), "RMSprop", {"lr": 0.02, "alpha": 0.9, "weight_decay": 0.1}),
    "rmsprop, both": Case(
        o.rmsprop(0.02, 0.9, centered=True, mu=0.5),
        "RMSprop",
        {"lr": 0.02, "alpha": 0.9, "centered": True, "momentum": 0.5},
    ),
    "adam": Case(o.adam(0.05, 0.8, 0.95, weight_decay=0.1), "Adam",
                 {"lr": 0.05, "betas": (0.8, 0.95), "weight_decay": 0.1}),
    "adamw": Case(o.adamw(0.05, 0.8, 0.95, weight_decay=0.1), "AdamW",
                  {"lr": 0.05, "betas": (0.8, 0.95), "weight_decay": 0.1}),
    "amsgrad": Case(o.amsgrad(0.05, 0.8, 0.7), "Adam", {"lr": 0.05, "betas": (0.8, 0.7), "amsgrad": True}),
    "nadam": Case(o.nadam(0.05, 0.8, 0.95, psi=0.02), "NAdam",
                  {"lr": 0.05, "betas": (0.8, 0.95), "momentum_decay": 0.02}),
    "radam": Case(o.radam(0.05, 0.8, 0.95), "RAdam", {"lr": 0.05, "betas": (0.8, 0.95)}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_pytorch_takes_the_same_steps(name: str) -> None:
    case = CASES[name]
    assert_same(ours(case.made), theirs(lambda p: getattr(torch.optim, case.peer)(p, **case.options)))


def test_every_optimiser_is_compared() -> None:
    assert {case.made.name for case in CASES.values()} | {"lion"} == set(OPTIMISERS)


def test_the_largest_v_and_the_late_rate_matter_here() -> None:
    """Otherwise the cases above would not tell amsgrad from adam, nor radam's two branches apart."""
    adam = theirs(lambda p: torch.optim.Adam(p, 0.05, (0.8, 0.7)))
    assert np.abs(adam[1] - ours(CASES["amsgrad"].made)[1]).max() > 1e-3
    longest = 2 / 0.05 - 1
    lengths = [longest - 2 * t * 0.95**t / (1 - 0.95**t) for t in range(1, STEPS + 1)]
    assert lengths[0] < 5 < lengths[-1]


def test_lion_takes_the_steps_of_its_paper() -> None:
    lr, beta1, beta2, decay = 0.01, 0.9, 0.95, 0.1
    theta, m, losses = np.append(START["w"], START["b"]), np.zeros(4), []
    for x, t in ((x.numpy(), t.numpy()) for x, t in batches()):
        y = np.tanh(x @ theta[:3] + theta[3])
        losses.append(np.mean((t - y) ** 2))
        s_bar = -2 / BATCH * (t - y) * (1 - y**2)
        g = np.append(s_bar @ x, s_bar.sum())
        theta = theta - lr * (np.sign(beta1 * m + (1 - beta1) * g) + decay * theta)
        m = beta2 * m + (1 - beta2) * g
    assert_same(ours(library.lion(lr, beta1, beta2, weight_decay=decay)), (np.array(losses), theta))


def test_gradients_are_clipped_as_pytorch_clips_them() -> None:
    """By the norm over all parameters first, then by value; both happen."""
    seen: list[tuple[float, float]] = []

    def clip(parameters: Any) -> None:
        norm = float(torch.nn.utils.clip_grad_norm_(parameters, 0.4))
        seen.append((norm, max(float(p.grad.abs().max()) for p in parameters)))
        torch.nn.utils.clip_grad_value_(parameters, 0.3)

    mine = ours(clip_norm(clip_value(library.momentum(0.3, 0.5), 0.3), 0.4))
    assert_same(mine, theirs(lambda p: torch.optim.SGD(p, 0.3, momentum=0.5), before=clip))
    norms, largest = map(np.array, zip(*seen, strict=True))
    assert (norms > 0.4).any() and (norms < 0.4).any() and (largest > 0.3).any() and (largest < 0.3).any()
    with pytest.raises(DefinitionError, match="the norm is that of the gradient before"):
        clip_value(clip_norm(library.sgd(), 1.0), 1.0)


def test_float32_keeps_the_numbers_of_a_step_wide() -> None:
    """ρ_t of RAdam cancels, up to the third digit in float32; in float64 that does not matter."""
    case = CASES["radam"]
    peer = theirs(lambda p: torch.optim.RAdam(p, **case.options))
    np.testing.assert_allclose(ours(case.made, "float32")[1], peer[1], rtol=2e-5)


def test_schedules_run_inside_the_epoch() -> None:
    """Learning rate, momentum and decay at once, each as PyTorch's schedulers have it."""
    rate = schedules.warmup(schedules.cosine(0.3, steps=40, end=0.01), steps=10, share=0.1)
    made = library.momentum(
        rate,
        schedules.one_cycle(0.85, steps=STEPS, start=0.95, end=0.95),
        weight_decay=schedules.step(0.1, size=7, factor=0.5),
    )
    t_optim, t_sched = torch.optim, torch.optim.lr_scheduler
    group: dict[str, Any] = {}
    twin = t_optim.SGD([torch.zeros(1, requires_grad=True)], 0.1)
    decays = t_sched.StepLR(twin, 7, 0.5)
    cycle_of = t_optim.SGD([torch.zeros(1, requires_grad=True)], 1.0, momentum=0.9)
    cycle = t_sched.OneCycleLR(cycle_of, 1.0, total_steps=STEPS)
    schedule: list[Any] = []

    def make(parameters: Any) -> Any:
        optimizer = t_optim.SGD(parameters, 0.3, momentum=0.9)
        group.update(it=optimizer.param_groups[0])
        parts = [
            t_sched.LinearLR(optimizer, 0.1, 1.0, 10),
            t_sched.CosineAnnealingLR(optimizer, 40, 0.01),
        ]
        schedule.append(t_sched.SequentialLR(optimizer, parts, [10]))
        return optimizer

    def before(parameters: Any) -> None:
        group["it"]["momentum"] = cycle_of.param_groups[0]["momentum"]
        group["it"]["weight_decay"] = twin.param_groups[0]["lr"]

    def after() -> None:
        for stepped in (twin, cycle_of):
            stepped.step()
        decays.step()
        if len(group) and cycle.last_epoch < STEPS - 1:
            cycle.step()
        if schedule[0].last_epoch < 49:  # PyTorch's cosine turns up again after its last step
            schedule[0].step()

    mine, peer = ours(made), theirs(make, before, after)
    assert_same((mine[0][:50], mine[1][:0]), (peer[0][:50], peer[1][:0]))


def test_one_of_ones_own() -> None:
    """Gradient descent whose rate falls with the root of the number of the step, by a state of the step."""

    @define
    def slower(theta=Param(), g=Input(), rate=Hyper()):
        return let("theta_new", theta - rate * g)

    @define
    def counted(steps=Input(), lr=Hyper()):
        steps_new = let("steps_new", steps + 1)
        return let("rate", lr / sqrt(steps_new)), steps_new

    mine = Optimizer(slower, {"lr": 0.3}, step=counted, step_state={"steps": "steps_new"}, start={"steps": 2.0})
    schedule: list[Any] = []

    def make(parameters: Any) -> Any:
        optimizer = torch.optim.SGD(parameters, 0.3)
        schedule.append(torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: (k + 3) ** -0.5))
        return optimizer

    assert_same(ours(mine), theirs(make, after=lambda: schedule[0].step()))
    with pytest.raises(DefinitionError, match="no equation gives the number 'theta_new'"):
        Optimizer(counted, {"lr": 0.3}, state={"steps": "steps_new"})
    with pytest.raises(DefinitionError, match="no equation gives the number 'v_new'"):
        Optimizer(slower, {"rate": 0.3}, state={"v": "v_new"})
    with pytest.raises(DefinitionError, match="'rate' has no value"):
        Optimizer(slower)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: library.sgd(0), "lr = 0"),
        (lambda: library.sgd(float("nan")), "lr = nan"),
        (lambda: library.sgd("fast"), "lr = 'fast'"),
        (lambda: library.momentum(0.1, 1.0), "mu = 1.0"),
        (lambda: library.momentum(0.1, dampening=-1), "dampening = -1"),
        (lambda: library.adam(beta2=1), "beta2 = 1"),
        (lambda: library.adamw(weight_decay=-0.1), "weight_decay = -0.1"),
        (lambda: library.rmsprop(eps=0), "eps = 0"),
        (lambda: library.adagrad(lr_decay=-1), "lr_decay = -1"),
        (lambda: clip_norm(library.sgd(), 0), "limit = 0"),
        (lambda: clip_value(library.sgd(), float("inf")), "limit = inf"),
        (lambda: clip_value(library.lbfgs(), 1.0), "lbfgs has no gradient to clip"),
        (lambda: clip_norm(library.lbfgs(), 1.0), "lbfgs has no gradient to clip"),
    ],
)
def test_numbers_out_of_range(make: Any, says: str) -> None:
    with pytest.raises(DefinitionError, match=re.escape(says)) as caught:
        make()
    assert "Remedy: " in str(caught.value) or "has to be" in str(caught.value)
