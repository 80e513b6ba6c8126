"""The same training in TensorFlow: one `tf.function` of the epoch, by TensorFlow's own kernels or by XLA."""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.workloads.by_hand import Trained, batches
from benchmarks.workloads.models import GATES, NORM_EPS, Characters, LeNet, Recurrent
from benchmarks.workloads.networks import BETAS, EPS, Arrays, Network, Pointwise, Training

Loss = Callable[[Any, Any, Any], Any]


def _linear(x: Any, W: Any, b: Any) -> Any:
    return tf.matmul(x, W, transpose_b=True) + b


def _cross_entropy(z: Any, ids: Any) -> Any:
    """Of scores z[…, k] and whole numbers."""
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=ids, logits=z))


@singledispatch
def loss_of(work: Training) -> Loss:
    """The loss of a batch as a function of the parameters."""
    raise NotImplementedError(type(work))


@loss_of.register
def _(work: Network) -> Loss:
    act = {"tanh": tf.tanh, "relu": tf.nn.relu}[work.activation]
    last = len(work.sizes) - 1

    def loss(p: Any, x: Any, y: Any) -> Any:
        for k in work.layers:
            x = _linear(x, p[f"W{k}"], p[f"b{k}"][..., None, :] if work.models else p[f"b{k}"])
            x = act(x) if k < last else x
        if work.loss == "mse":
            return tf.reduce_sum((y - x) ** 2) / work.batch
        return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=y, logits=x))

    return loss


@loss_of.register
def _(work: LeNet) -> Loss:
    """Channels last, which is what TensorFlow convolves on a CPU: images, kernels and W3 as `arranged` leaves them."""

    def convolved(x: Any, K: Any, b: Any, padding: str) -> Any:
        return tf.nn.max_pool2d(tf.nn.relu(tf.nn.conv2d(x, K, 1, padding) + b), 2, 2, "VALID")

    def loss(p: Any, x: Any, y: Any) -> Any:
        x = convolved(convolved(x, p["K1"], p["b1"], "SAME"), p["K2"], p["b2"], "VALID")
        x = tf.nn.relu(_linear(tf.reshape(x, (work.batch, -1)), p["W3"], p["b3"]))
        x = tf.nn.relu(_linear(x, p["W4"], p["b4"]))
        return _cross_entropy(_linear(x, p["W5"], p["b5"]), y)

    return loss


@loss_of.register
def _(work: Recurrent) -> Loss:
    """Time written out."""

    def loss(p: Any, x: Any, y: Any) -> Any:
        a = tf.unstack(tf.tensordot(x, p["W"], [[2], [1]]) + p["b"], axis=1)
        h = c = tf.zeros((work.batch, work.hidden), x.dtype)
        for t in range(work.time):
            i, f, g, o = tf.split(a[t] + tf.matmul(h, p["U"], transpose_b=True), 4, axis=1)
            c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
            h = tf.sigmoid(o) * tf.tanh(c)
        return tf.reduce_sum((_linear(h, p["V"], p["d"]) - y) ** 2) / work.batch

    return loss


@loss_of.register
def _(work: Characters) -> Loss:
    n, t, width, heads = work.batch, work.time, work.width, work.heads

    def norm(x: Any, gamma: Any, beta: Any) -> Any:
        centred = x - tf.reduce_mean(x, -1, keepdims=True)
        return centred * tf.math.rsqrt(tf.reduce_mean(centred**2, -1, keepdims=True) + NORM_EPS) * gamma + beta

    def attended(q: Any, k: Any, v: Any) -> Any:
        z = tf.matmul(q, k, transpose_b=True) / np.sqrt(width // heads).astype(q.dtype.as_numpy_dtype)
        hidden = tf.constant(np.triu(np.full((t, t), -np.inf), 1), z.dtype)
        return tf.matmul(tf.nn.softmax(z + hidden), v)

    def loss(p: Any, x: Any, y: Any) -> Any:
        x = tf.reshape(tf.gather(p["E"], x) + p["P"], (n * t, width))
        u = _linear(norm(x, p["gamma1_a"], p["beta1_a"]), p["W_qkv"], p["b_qkv"])
        q, k, v = tf.unstack(tf.transpose(tf.reshape(u, (n, t, 3, heads, -1)), (2, 0, 3, 1, 4)))
        o = tf.reshape(tf.transpose(attended(q, k, v), (0, 2, 1, 3)), (n * t, width))
        h = x + _linear(o, p["W1_o"], p["b1_o"])
        u = _linear(norm(h, p["gamma1_b"], p["beta1_b"]), p["W1_u"], p["b1_u"])
        h = h + _linear(tf.nn.gelu(u, approximate=False), p["W1_d"], p["b1_d"])
        z = tf.matmul(norm(h, p["gamma"], p["beta"]), p["E"], transpose_b=True)
        return _cross_entropy(z, tf.reshape(y, (-1,)))

    return loss


def arranged(work: Training, p: Arrays) -> Arrays:
    """Parameters as TensorFlow likes them: side by side what is multiplied at once, channels last."""
    p = dict(p)
    if isinstance(work, Recurrent):
        return {n: np.concatenate([p[f"{n}_{g}"] for g in GATES]) for n in "WUb"} | {n: p[n] for n in "Vd"}
    if isinstance(work, LeNet):
        last = {"K1": (2, 3, 1, 0), "K2": (2, 3, 1, 0), "W3": (0, 2, 3, 1)}
        p |= {k: np.ascontiguousarray(p[k].transpose(axes)) for k, axes in last.items()}
        return p | {"W3": p["W3"].reshape(len(p["W3"]), -1)}
    if isinstance(work, Characters):
        W, b = (np.concatenate([p.pop(f"{n}1_{g}") for g in "qkv"]) for n in "Wb")
        p |= {"W_qkv": W.reshape(-1, work.width), "b_qkv": b.reshape(-1)}
        return p | {"W1_o": p["W1_o"].reshape(work.width, -1)}
    return p


def training(work: Training, dtype: str, xla: bool) -> Trained:
    """Batches in a loop inside the function; parameters are variables, whose values are set before each epoch."""
    parts = [np.stack(p) for p in zip(*batches(work, dtype, work.steps), strict=True)]
    if isinstance(work, LeNet):
        parts[0] = np.ascontiguousarray(parts[0].transpose(0, 1, 3, 4, 2))
    xs, ys = map(tf.constant, parts)
    pure, first = loss_of(work), arranged(work, work.parameters(dtype))
    p = {k: tf.Variable(a) for k, a in first.items()}
    m, v = ({k: tf.Variable(tf.zeros_like(a)) for k, a in first.items()} if work.adam else {} for _ in range(2))

    def update(k: str, g: Any, t: Any) -> None:
        if not work.adam:
            p[k].assign_sub(work.rate * g)
            return
        m[k].assign(BETAS[0] * m[k] + (1 - BETAS[0]) * g)
        v[k].assign(BETAS[1] * v[k] + (1 - BETAS[1]) * g**2)
        rate, scale = work.rate / (1 - BETAS[0] ** t), 1 / (1 - BETAS[1] ** t)
        p[k].assign_sub(rate * m[k] / (tf.sqrt(v[k] * scale) + EPS))

    @tf.function(jit_compile=xla)
    def epoch() -> Any:
        losses = tf.TensorArray(dtype, work.steps, element_shape=())
        for s in tf.range(work.steps):
            with tf.GradientTape() as tape:
                value = pure(p, xs[s], ys[s])
            for k, g in tape.gradient(value, p, unconnected_gradients="zero").items():
                update(k, tf.convert_to_tensor(g), tf.cast(s + 1, dtype))
            losses = losses.write(s, value)
        return losses.stack()

    def run(arrays: Arrays) -> Any:
        for k, a in arranged(work, arrays).items():
            p[k].assign(a)
        for state in (*m.values(), *v.values()):
            state.assign(tf.zeros_like(state))
        return epoch().numpy()

    return run


def pointwise(work: Pointwise, dtype: str, xla: bool) -> Callable[[], Any]:
    """The activation and its slope in one function."""
    x, up = map(tf.constant, work.arrays(dtype))
    act = {
        "mish": lambda s: s * tf.tanh(tf.nn.softplus(s)),
        "gelu": lambda s: tf.nn.gelu(s, approximate=False),
    }[work.activation]

    @tf.function(jit_compile=xla)
    def both(x: Any, up: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = act(x)
        return y, tape.gradient(y, x, output_gradients=up)

    return lambda: both(x, up)[1].numpy()
