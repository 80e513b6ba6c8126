"""The same training in PyTorch: eager with `torch.optim`, as people write it, or one compiled function for a step."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import singledispatch
from typing import Any

import torch
from torch.nn import functional as F

from benchmarks.workloads.by_hand import Trained, batches
from benchmarks.workloads.models import GATES, NORM_EPS, Characters, LeNet, Recurrent
from benchmarks.workloads.networks import BETAS, EPS, Arrays, Network, Pointwise, Training

Tensors = dict[str, torch.Tensor]
Loss = Callable[[Tensors, torch.Tensor, torch.Tensor], torch.Tensor]


def missing_compiler() -> str:
    """Why `torch.compile` can't be used, or nothing."""
    known = ("g++", "clang++", "c++")
    return "" if any(map(shutil.which, known)) else f"no C++ compiler ({', '.join(known)})"


@singledispatch
def loss_of(work: Training) -> Loss:
    """The loss of a batch as a function of the parameters."""
    raise NotImplementedError(type(work))


@loss_of.register
def _(work: Network) -> Loss:
    """One `baddbmm` a layer for several models."""
    act = {"tanh": torch.tanh, "relu": torch.relu}[work.activation]
    last = len(work.sizes) - 1

    def loss(p: Tensors, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        for k in work.layers:
            W, b = p[f"W{k}"], p[f"b{k}"]
            x = torch.baddbmm(b[:, None], x, W.mT) if work.models else F.linear(x, W, b)
            x = act(x) if k < last else x
        return ((y - x) ** 2).sum() / work.batch if work.loss == "mse" else F.cross_entropy(x, y)

    return loss


@loss_of.register
def _(work: LeNet) -> Loss:
    def loss(p: Tensors, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(F.relu(F.conv2d(x, p["K1"], p["b1"], padding=work.kernel // 2)), 2)
        x = F.max_pool2d(F.relu(F.conv2d(x, p["K2"], p["b2"])), 2).flatten(1)
        x = F.relu(F.linear(x, p["W3"].flatten(1), p["b3"]))
        x = F.relu(F.linear(x, p["W4"], p["b4"]))
        return F.cross_entropy(F.linear(x, p["W5"], p["b5"]), y)

    return loss


@loss_of.register
def _(work: Recurrent) -> Loss:
    """Time written out, for compilers: parameters as `stacked` leaves them."""

    def loss(p: Tensors, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        a = F.linear(x, p["W"], p["b"])
        h = c = x.new_zeros(x.shape[0], work.hidden)
        for t in range(work.time):
            i, f, g, o = (a[:, t] + h @ p["U"].T).chunk(4, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return ((F.linear(h, p["V"], p["d"]) - y) ** 2).sum() / work.batch

    return loss


@loss_of.register
def _(work: Characters) -> Loss:
    """Queries, keys and values by one product, PyTorch's own attention."""
    size, heads = (work.width,), work.heads

    def loss(p: Tensors, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        n, t = x.shape
        x = F.embedding(x, p["E"]) + p["P"]
        u = F.layer_norm(x, size, p["gamma1_a"], p["beta1_a"], NORM_EPS)
        q, k, v = F.linear(u, p["W_qkv"], p["b_qkv"]).view(n, t, 3, heads, -1).permute(2, 0, 3, 1, 4)
        o = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(n, t, work.width)
        h = x + F.linear(o, p["W1_o"].flatten(1), p["b1_o"])
        u = F.layer_norm(h, size, p["gamma1_b"], p["beta1_b"], NORM_EPS)
        h = h + F.linear(F.gelu(F.linear(u, p["W1_u"], p["b1_u"])), p["W1_d"], p["b1_d"])
        z = F.linear(F.layer_norm(h, size, p["gamma"], p["beta"], NORM_EPS), p["E"])
        return F.cross_entropy(z.flatten(0, 1), y.flatten())

    return loss


def stacked(work: Training, arrays: Arrays) -> Tensors:
    """Parameters, those side by side that PyTorch multiplies at once."""
    p = {n: torch.tensor(a) for n, a in arrays.items()}
    if isinstance(work, Recurrent):
        return {n: torch.cat([p[f"{n}_{g}"] for g in GATES]) for n in "WUb"} | {n: p[n] for n in "Vd"}
    if isinstance(work, Characters):
        W, b = ([p.pop(f"{n}1_{g}") for g in "qkv"] for n in "Wb")
        return p | {"W_qkv": torch.cat(W).flatten(0, 1), "b_qkv": torch.cat(b).flatten()}
    return p


def _module(work: Recurrent, p: Tensors) -> tuple[list[torch.Tensor], Callable[..., torch.Tensor]]:
    """`nn.LSTM` and the linear layer: what is trained, and the loss of a batch."""
    layer = torch.nn.LSTM(work.inputs, work.hidden, batch_first=True, dtype=p["W"].dtype)
    values = {"weight_ih_l0": p["W"], "weight_hh_l0": p["U"], "bias_ih_l0": p["b"], "bias_hh_l0": 0 * p["b"]}
    layer.load_state_dict(values)
    layer.bias_hh_l0.requires_grad_(False)
    V, d = (p[n].requires_grad_() for n in "Vd")

    def loss(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        _, (h, _) = layer(x)
        return ((F.linear(h[0], V, d) - y) ** 2).sum() / work.batch

    return [*(w for w in layer.parameters() if w.requires_grad), V, d], loss


def eager(work: Training, dtype: str, threads: int) -> Trained:
    """A step as people write it: loss, `backward`, `torch.optim`."""
    cut = [(torch.tensor(x), torch.tensor(y)) for x, y in batches(work, dtype, work.few)]
    pure = loss_of(work)

    def run(arrays: Arrays) -> Any:
        torch.set_num_threads(threads)
        p = stacked(work, arrays)
        if isinstance(work, Recurrent):
            leaves, loss = _module(work, p)
        else:
            leaves, loss = [a.requires_grad_() for a in p.values()], lambda x, y: pure(p, x, y)
        optimizer = (torch.optim.Adam if work.adam else torch.optim.SGD)(leaves, lr=work.rate)
        losses = []
        for x, y in cut:
            value = loss(x, y)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            losses.append(value.detach())
        return torch.stack(losses).numpy()

    return run


def compiled(work: Training, dtype: str, threads: int) -> Trained:
    """Loss, gradient and update as one function under `torch.compile`."""
    cut = [(torch.tensor(x), torch.tensor(y)) for x, y in batches(work, dtype, work.few)]
    loss = loss_of(work)

    def step(p: Tensors, m: Tensors, v: Tensors, t: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> Any:
        g, value = torch.func.grad_and_value(loss)(p, x, y)
        if not work.adam:
            return {k: p[k] - work.rate * g[k] for k in p}, m, v, t, value
        m = {k: BETAS[0] * m[k] + (1 - BETAS[0]) * g[k] for k in p}
        v = {k: BETAS[1] * v[k] + (1 - BETAS[1]) * g[k] ** 2 for k in p}
        t = t + 1
        rate, scale = work.rate / (1 - BETAS[0] ** t), 1 / (1 - BETAS[1] ** t)
        return {k: p[k] - rate * m[k] / (torch.sqrt(v[k] * scale) + EPS) for k in p}, m, v, t, value

    torch._inductor.config.cpp.threads = threads
    torch.set_num_threads(threads)
    torch._dynamo.config.recompile_limit = 64  # each workload and number of threads is a case of the same function
    made = torch.compile(step, fullgraph=True, dynamic=False)

    def run(arrays: Arrays) -> Any:
        torch.set_num_threads(threads)
        p = stacked(work, arrays)
        m, v = ({k: torch.zeros_like(a) for k, a in p.items()} if work.adam else {} for _ in range(2))
        t, losses = torch.zeros((), dtype=p[next(iter(p))].dtype), []
        with torch.no_grad():
            for x, y in cut:
                p, m, v, t, value = made(p, m, v, t, x, y)
                losses.append(value)
        return torch.stack(losses).numpy()

    return run


def pointwise(work: Pointwise, dtype: str, threads: int) -> Callable[[], Any]:
    """The activation and its slope by autograd."""
    x, up = (torch.tensor(a) for a in work.arrays(dtype))
    act = {"mish": F.mish, "gelu": F.gelu}[work.activation]

    def run() -> Any:
        torch.set_num_threads(threads)
        leaf = x.detach().requires_grad_()
        act(leaf).backward(up)
        return leaf.grad.numpy()

    return run
