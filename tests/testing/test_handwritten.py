"""`check_code`: right backward functions are consistent, wrong ones refuted with the first wrong element."""

from __future__ import annotations

import inspect
import textwrap
from typing import Any

import numpy as np
import pytest
from support import backward
from support.backward import CASES

import symdl as sd
from symdl.testing import assert_gradient

#: (function, text, what it is replaced by, a part of the guess; "" where no guess is asked for)
MUTANTS = (
    ("dense_tanh", "-2 *", "2 *", "wrong sign"),
    ("dense_tanh", "-2 *", "-1 *", "too small by the factor 2"),
    ("dense_tanh", " / N", "", "too large by the factor N (the extent of n)"),
    ("dense_tanh", " / N", " / t.size", "too small by the factor"),
    ("dense_tanh", "(t - h)", "(h - t)", "wrong sign"),
    ("dense_tanh", "h**2", "(x @ W.T + b) ** 2", "s[n, k] stands in the place of y_hat[n, k]"),
    ("dense_tanh", "h**2", "np.tanh(h) ** 2", "the slope is taken at y_hat[n, k] instead of s[n, k]"),
    ("dense_tanh", "h**2", "h", ""),
    ("dense_tanh", " * (1 - h**2)", "", "the factor 1 - y_hat[n, k]**2 is missing"),
    ("dense_tanh", "ds.sum(axis=0)", "ds.mean(axis=0)", "b_bar is too small by the factor N"),
    ("dense_tanh", "ds.sum(axis=0)", "ds", "the sum over n is missing in b_bar"),
    ("dense_tanh", "ds.sum(axis=0)", "ds.sum(axis=0, keepdims=True)", "keepdims"),
    ("dense_tanh", "ds.T @ x", "x.T @ ds", "W_bar is transposed"),
    ("dense_tanh", "ds @ W", "ds @ W.T", "W is transposed in x_bar"),
    ("dense_tanh", "ds.T @ x", "dh.T @ x", "y_hat_bar[n, k] stands in the place of s_bar[n, k] in W_bar"),
    (
        "dense_tanh",
        "return ds @ W, ds.T @ x, ds.sum(axis=0)",
        "return ds.T @ x, ds @ W, ds.sum(axis=0)",
        "another order",
    ),
    ("dense_tanh", "ds @ W,", "None,", ""),
    ("dense_tanh", "ds.T @ x", "ds.T.astype(np.float32) @ x.astype(np.float32)", "float32 only"),
    ("dense_tanh", "    ds =", "    dh = np.clip(dh, -5, 5)\n    ds =", ""),
    ("dense_tanh", "ds.T @ x", "np.clip(ds.T @ x, -1, 1)", "W_bar is clipped"),
    ("softmax_cross_entropy", "p - y", "y - p", "wrong sign"),
    ("softmax_cross_entropy", "p - y", "p", ""),
    ("softmax_cross_entropy", "L_bar * ", "", "the factor L_bar is missing"),
    ("softmax_cross_entropy", "len(z)", "z.size", "too small by the factor K"),
    ("softmax_cross_entropy", " / len(z)", "", "too large by the factor N"),
    ("softmax_cross_entropy", "e.sum(axis=1", "e.sum(axis=0", ""),
    ("softmax_cross_entropy", "(p - y)", "(p - y) * p * (1 - p)", ""),
    ("batch_norm", "dy * gamma", "dy", "the factor gamma[c] is missing"),
    ("batch_norm", " - dxh.mean(axis=0)", "", "mu is taken for a constant"),
    ("batch_norm", " - xh * (dxh * xh).mean(axis=0)", "", "sigma2 is taken for a constant"),
    ("batch_norm", "dxh - dxh.mean(axis=0) - xh * (dxh * xh).mean(axis=0)", "dxh", "mu and sigma2"),
    ("batch_norm", "r * (dxh -", "(dxh -", "the factor r[c] is missing"),
    ("batch_norm", "dxh.mean(axis=0)", "dxh.sum(axis=0)", "is too large by the factor N"),
    ("batch_norm", "(dxh * xh).mean", "(dxh * xh).sum", "is too large by the factor N"),
    ("batch_norm", "- xh * (dxh", "+ xh * (dxh", "has the wrong sign"),
    ("batch_norm", " + eps", "", "eps is left out"),
    ("batch_norm", "(dy * xh).sum", "(dy * x).sum", "x[n, c] stands in the place of x_hat[n, c]"),
    ("batch_norm", "dy.sum(axis=0)", "dxh.sum(axis=0)", "beta_bar is multiplied by gamma[c] once too often"),
    ("batch_norm", "** 2).mean(axis=0)", "** 2).sum(axis=0) / (len(x) - 1)", "N - 1 stands in the place of N"),
    ("batch_norm", "    dxh =", "    dy *= gamma\n    dy /= gamma\n    dy += 1\n    dxh =", ""),
    ("layer_norm", "dvar * 2", "dvar", ""),
    ("layer_norm", " + dmu / I", "", "mu is taken for a constant"),
    ("layer_norm", "-0.5", "0.5", "has the wrong sign"),
    ("layer_norm", "** -1.5", "** -0.5", ""),
    ("layer_norm", "(dy * xh).sum(axis=0)", "(dy * xh).sum(axis=1)", ""),
    ("layer_norm", "dy * gamma", "dy * gamma**2", ""),
    ("layer_norm", "dmu = -dxh", "dmu = dxh", "has the wrong sign"),
    ("layer_norm", "mean(axis=1, keepdims=True)", "mean(axis=0, keepdims=True)", ""),
    ("attention", "dz, k) * scale", "dz, k)", "too large by the factor √E"),
    ("attention", "dz, q) * scale", "dz, q) * scale * scale", ""),
    ("attention", " - (dp * p).sum(axis=-1, keepdims=True)", "", "S is taken for a constant"),
    ("attention", "dz = p *", "dz =", ""),
    ("attention", '"nhts,nhse->nhte"', '"nhst,nhse->nhte"', ""),
    ("attention", '"nhts,nhtd->nhsd", p', '"nhst,nhtd->nhsd", p', "p is transposed in v_bar"),
    ("attention", "sum(axis=-1, keepdims=True))", "sum(axis=-2, keepdims=True))", ""),
    ("attention", "p, dy)", "z, dy)", "z[n, h, t, s] stands in the place of p[n, h, t, s] in v_bar"),
    ("lstm_step", "dc + dh * o", "dh * o", ""),
    ("lstm_step", " * (1 - tc**2)", "", ""),
    ("lstm_step", "(1 - tc**2)", "(1 - c**2)", ""),
    ("lstm_step", "dh * tc", "dh * c", ""),
    ("lstm_step", "dc_all * c0", "dc_all * c", ""),
    ("lstm_step", "dc0 = dc_all * f", "dc0 = dc_all", ""),
    ("lstm_step", "dc0 = dc_all * f", "dc0 = dc * f", ""),
    ("lstm_step", "f * (1 - f)", "(1 - f)", ""),
    ("lstm_step", "dg * (1 - g**2)", "dg * g * (1 - g)", ""),
    ("lstm_step", '"ngj,gjk->nk"', '"ngk,gjk->nj"', "U is transposed"),
    ("lstm_step", "da, h0)", "da, dh0)", ""),
    ("conv2d", "s : s + 2 * v : 2] +=", "s : s + 2 * v : 2] =", ""),
    ("conv2d", "K[:, :, r, s])", "K[:, :, 2 - r, 2 - s])", ""),
    ("conv2d", "K[:, :, r, s])", "K[:, :, s, r])", "K is transposed"),
    ("conv2d", "axis=(0, 2, 3)", "axis=(2, 3)", "the sum over n is missing in b_bar"),
    ("conv2d", "dy.sum(axis=(0, 2, 3))", "dy.mean(axis=(0, 2, 3))", "of the extents of n, u, v"),
    ("conv2d", "for s in range(3)", "for s in range(2)", ""),
    ("conv2d", "1:-1, 1:-1], dK", ":-2, :-2], dK", ""),
    ("embedding", "np.add.at(dE, tok, dy)", "dE[tok] = dy", "not accumulated"),
    ("embedding", "np.add.at(dE, tok, dy)", "dE[tok] += dy", "not accumulated"),
    ("embedding", "np.zeros_like(E)", "E.copy()", ""),
    ("embedding", "np.zeros_like(E)", "np.zeros((E.shape[0], E.shape[1]), int)", ""),
    ("relu", "da * (s > 0)", "(s > 0) * 1.0", "the factor a_bar[n] is missing"),
    ("relu", "s > 0", "s < 0", "sides of the kink"),
    ("relu", "da * (s > 0)", "da * np.maximum(s, 0)", ""),
    ("relu", "da * (s > 0)", "da * np.maximum(s, 0) / s", ""),
    ("relu", "da * (s > 0)", "da * (da > 0)", ""),
    ("relu", "da * (s > 0)", "da", "the factor [s[n] > 0] is missing"),
    ("relu", "s > 0", "s > 1e-3", ""),
    ("max_pool1d", "m * dy", "2 * m * dy", "too large by the factor 2"),
    ("max_pool1d", "m * dy", "m / len(x) * dy", "too small by the factor N"),
    ("max_pool1d", "window.max", "window.min", ""),
    ("max_pool1d", " / m.sum(axis=-1, keepdims=True).astype(x.dtype)", "", ""),
    ("max_pool1d", "range(dy.shape[-1])", "range(dy.shape[-1] - 1)", ""),
    ("maxout", " / m.sum(axis=-1, keepdims=True)", "", "the factor 1/S[n, j] is missing"),
    ("maxout", "m * dy[..., None]", "dy[..., None] * np.ones_like(s)", ""),
    ("maxout", "s.max(axis=-1", "s.min(axis=-1", ""),
)


def mutant(name: str, old: str, new: str) -> Any:
    """The function with one edit of its text."""
    text = textwrap.dedent(inspect.getsource(getattr(backward, name)))
    assert text.count(old) >= 1, f"{old!r} is not in {name}"
    space: dict[str, Any] = {"np": np}
    exec(text.replace(old, new), space)
    return space[name]


@pytest.fixture(scope="module")
def definitions() -> dict[str, Any]:
    return {name: case.definition() for name, case in CASES.items()}


@pytest.mark.parametrize("name", CASES)
def test_right_functions_are_consistent(name: str, definitions: dict[str, Any]) -> None:
    case = CASES[name]
    found = assert_gradient(case.function, definitions[name], case.wrt, **case.options)
    assert found.consistent and found.status != sd.Status.PROVED
    assert found.points >= 20 and len(found.shapes) >= 3 and set(found.dtypes) == {"float64", "float32"}
    assert found.wrong is None and not found.guess
    assert 0 <= found.worst <= 256


@pytest.mark.parametrize("seed", [1])
@pytest.mark.parametrize("name", ["dense_tanh", "maxout"])
def test_right_functions_are_consistent_whatever_is_drawn(name: str, seed: int, definitions: dict[str, Any]) -> None:
    case = CASES[name]
    assert_gradient(case.function, definitions[name], case.wrt, seed=seed, **case.options)


@pytest.mark.parametrize(("name", "old", "new", "guess"), MUTANTS)
def test_mutants_are_refuted(name: str, old: str, new: str, guess: str, definitions: dict[str, Any]) -> None:
    case = CASES[name]
    function = mutant(name, old, new)
    found = sd.check_code(function, definitions[name], case.wrt, explain=bool(guess), **case.options)
    assert found.status is sd.Status.REFUTED, found
    assert found.verdict.reason
    assert guess in found.guess, found


def test_the_table_is_long_enough() -> None:
    assert len(set(MUTANTS)) == len(MUTANTS) >= 60
