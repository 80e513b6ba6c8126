"""Kinds of functions that `check_code` takes, mistakes of known programs, and what it finds besides wrong numbers."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

import symdl as sd
from symdl.cli import main
from symdl.testing import assert_gradient


def refuted(function: Any, definition: Any, wrt: Any = None, **options: Any) -> sd.CodeVerdict:
    found = sd.check_code(function, definition, wrt, **options)
    assert found.status is sd.Status.REFUTED and not found, found
    with pytest.raises(sd.NotProvedError):
        found.require()
    json.dumps(found.to_json(), allow_nan=False)
    return found


@pytest.fixture(scope="module")
def linear() -> Any:
    return sd.definition("linear")


# ── mistakes of programs that were published, each beside what is right ───────────────────────────────────────────────


@sd.define
def sine_times(x=sd.Input("n"), y=sd.Input("n")):
    (n,) = x.indices
    return sd.let("f[n]", sd.sin(x[n]) * y[n])


@sd.define
def product(x=sd.Input("n i")):
    n, i = x.indices
    return sd.let("p[n]", sd.prod(x[n, i], i))


@sd.define
def squared_difference(x1=sd.Input("n"), x2=sd.Input("n")):
    (n,) = x1.indices
    return sd.let("y[n]", (x1[n] - x2[n]) ** 2)


@sd.define
def log_prior(W=sd.Param("j i"), L2=sd.Hyper(facts=["positive"])):
    j, i = W.indices
    return sd.let("p", -L2 * sd.Sum(W[j, i] ** 2, j, i))


def _others(x: Any) -> Any:
    left = np.cumprod(np.concatenate([np.ones_like(x[:, :1]), x[:, :-1]], axis=1), axis=1)
    right = np.cumprod(np.concatenate([np.ones_like(x[:, :1]), x[:, :0:-1]], axis=1), axis=1)[:, ::-1]
    return left * right


def _sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def _softmax(z: Any) -> Any:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


PUBLISHED = {
    "the sign of ∂/∂y": (
        sine_times,
        ["x", "y"],
        lambda x, y, g: (np.cos(x) * g * y, np.sin(x) * g),
        lambda x, y, g: (np.cos(x) * g * y, -np.sin(x) * g),
    ),
    "a product divided by its factor": (
        product,
        ["x"],
        lambda x, g: g[:, None] * _others(x),
        lambda x, g: (g * x.prod(axis=1))[:, None] / x,
    ),
    "the upstream slope is dropped": (
        squared_difference,
        ["x1", "x2"],
        lambda x1, x2, g: (2 * g * (x1 - x2), -2 * g * (x1 - x2)),
        lambda x1, x2, g: (2 * (x1 - x2), -2 * (x1 - x2)),
    ),
    "sigmoid of the wrong thing": (
        sd.definition("sigmoid"),
        ["s"],
        lambda s, next_dz: next_dz * _sigmoid(s) * (1 - _sigmoid(s)),
        lambda s, next_dz: _sigmoid(1 - _sigmoid(next_dz)),
    ),
    "called instead of multiplied": (
        sd.definition("tanh"),
        ["s"],
        lambda s, next_dz: next_dz * (1 - np.square(np.tanh(s))),
        lambda s, next_dz: next_dz(1 - np.square(np.tanh(s))),
    ),
    "y − p": (
        sd.definition("softmax_cross_entropy"),
        ["z"],
        lambda z, y: (_softmax(z) - y) / len(z),
        lambda z, y: (y - _softmax(z)) / len(z),
    ),
    "the sign of a log prior": (log_prior, ["W"], lambda W, L2: -2 * L2 * W, lambda W, L2: 2 * L2 * W),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_mistakes(name: str) -> None:
    definition, wrt, right, wrong = PUBLISHED[name]
    assert_gradient(right, definition, wrt)
    refuted(wrong, definition, wrt, explain=False)


def test_a_product_with_zeros_divides_by_zero() -> None:
    found = refuted(PUBLISHED["a product divided by its factor"][3], product, "x")
    assert found.wrong is not None and math.isnan(found.wrong.returned) and "entries 0" in found.wrong.point


# ── batch norm: degenerate tests accept wrong code ────────────────────────────────────────────────────────────────────


def _norm(x: Any, eps: Any) -> Any:
    r = 1 / np.sqrt(((x - x.mean(axis=0)) ** 2).mean(axis=0) + eps)
    return (x - x.mean(axis=0)) * r, r


def all_terms(x: Any, gamma: Any, eps: Any, dy: Any) -> Any:
    xh, r = _norm(x, eps)
    d = dy * gamma
    return r * (d - d.mean(axis=0) - xh * (d * xh).mean(axis=0))


def statistics_constant(x: Any, gamma: Any, eps: Any, dy: Any) -> Any:
    _, r = _norm(x, eps)
    d = dy * gamma
    return r * d


def mean_left_out(x: Any, gamma: Any, eps: Any, dy: Any) -> Any:
    xh, r = _norm(x, eps)
    d = dy * gamma
    return r * (d - xh * (d * xh).mean(axis=0))


def variance_left_out(x: Any, gamma: Any, eps: Any, dy: Any) -> Any:
    _, r = _norm(x, eps)
    d = dy * gamma
    return r * (d - d.mean(axis=0))


def gamma_left_out(x: Any, gamma: Any, eps: Any, dy: Any) -> Any:
    xh, r = _norm(x, eps)
    return r * (dy - dy.mean(axis=0) - xh * (dy * xh).mean(axis=0))


def gamma_in_one_term(x: Any, gamma: Any, eps: Any, dy: Any) -> Any:
    xh, r = _norm(x, eps)
    d = dy * gamma
    return r * (dy - d.mean(axis=0) - xh * (d * xh).mean(axis=0))


def test_batch_norm_that_degenerate_tests_accept() -> None:
    norm = sd.definition("batch_norm")
    wrong = (statistics_constant, mean_left_out, variance_left_out, gamma_left_out, gamma_in_one_term)
    # what a test with ones upstream, or with γ = 1, would say of them
    rng = np.random.default_rng(0)
    x, ones = rng.normal(size=(5, 3)), np.ones(3)
    upstream = np.ones((5, 3))
    accepted = [f for f in wrong if np.allclose(f(x, ones, 0.1, upstream), all_terms(x, ones, 0.1, upstream))]
    assert variance_left_out in accepted and gamma_left_out in accepted and gamma_in_one_term in accepted
    assert_gradient(all_terms, norm, "x")
    for function in wrong:
        refuted(function, norm, "x", explain=False)


# ── how a function is called ──────────────────────────────────────────────────────────────────────────────────────────


def test_returns_by_name_and_caches(linear: Any) -> None:
    def by_name(x: Any, W: Any, dy: Any) -> Any:
        return {"db": dy.sum(axis=0), "dW": dy.T @ x, "dx": dy @ W}

    def cached(dout: Any, cache: Any) -> Any:
        x, _ = cache
        return dout.T @ x, dout.sum(axis=0)

    assert_gradient(by_name, linear, ["x", "W", "b"])
    assert_gradient(cached, linear, mapping={"cache": ("x", "W")})
    assert_gradient(lambda x, dy, training: (dy.T @ x, dy.sum(axis=0)), linear, mapping={"training": True})


def test_forward_values_among_what_is_returned() -> None:
    dense = sd.definition("dense")

    def loss_and_slope(x: Any, W: Any, b: Any, y: Any) -> Any:
        h = np.tanh(x @ W.T + b)
        ds = 2 * (h - y) * (1 - h**2) / len(x)
        return ((y - h) ** 2).sum() / len(x), ds.T @ x

    assert_gradient(loss_and_slope, dense, returns=["L", "W"])
    half = sd.check_code(
        lambda x, W, b, y: (loss_and_slope(x, W, b, y)[0] / 2, loss_and_slope(x, W, b, y)[1]), dense, returns=["L", "W"]
    )
    assert not half and half.wrong is not None and half.wrong.output == "L" and "factor 2" in half.guess


def test_numbers_in_the_text_of_a_function() -> None:
    norm = sd.definition("layer_norm")

    def backward(x: Any, gamma: Any, dy: Any, eps: float = 1e-5) -> Any:
        mu, var = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
        return (dy * (x - mu) / np.sqrt(var + 1e-5)).sum(axis=0)

    assert_gradient(lambda x, gamma, dy: backward(x, gamma, dy), norm, "gamma", values={"eps": 1e-5})
    refuted(lambda x, gamma, dy: backward(x, gamma, dy), norm, "gamma", values={"eps": 1e-6}, explain=False)
    with pytest.raises(sd.DataError, match=r"does not get eps.*values=\{'eps'"):
        sd.check_code(lambda x, gamma, dy: backward(x, gamma, dy), norm, "gamma")


def test_the_wrong_element_can_be_looked_at_again(linear: Any) -> None:
    def wrong(x: Any, dy: Any) -> Any:
        return dy.T @ x * 2

    for dtypes in (["float64"], ["float32"]):
        element = refuted(wrong, linear, "W", dtypes=dtypes, explain=False).wrong
        assert element is not None and list(element.arguments) == ["x", "y_bar"]
        x, dy = element.arguments.values()
        assert x.dtype == dtypes[0] and float(wrong(x, dy)[element.index]) == element.returned
        exact = sum(float(a) * float(b) for a, b in zip(dy[:, element.index[0]], x[:, element.index[1]], strict=True))
        assert math.isclose(exact, float(element.exact), rel_tol=1e-12)


def test_functions_of_plain_numbers() -> None:
    def slope(s: float, da: float) -> float:
        return da * (1 - math.tanh(s) ** 2)

    assert_gradient(slope, sd.definition("tanh"), "s")
    refuted(lambda s, da: da * (1 - math.tanh(s)), sd.definition("tanh"), "s", explain=False)


def test_what_is_not_recognised_is_an_error_of_the_call(linear: Any) -> None:
    with pytest.raises(sd.DataError, match=r"what is the parameter 'u'.*it is none of x, W, b, y, y_bar.*mapping"):
        sd.check_code(lambda x, u: x, linear)
    with pytest.raises(sd.DataError, match="returns 2 things, not 3"):
        sd.check_code(lambda x, W, dy: (dy @ W, dy.T @ x), linear, ["x", "W", "b"])
    with pytest.raises(sd.DataError, match=r"nothing for b.*keys are dW"):
        sd.check_code(lambda x, dy: {"dW": dy.T @ x}, linear)
    with pytest.raises(sd.DataError, match="gets no slope by y"):
        sd.check_code(lambda x, W: x, linear, "W")
    with pytest.raises(sd.DataError, match="no parameter 'v'"):
        sd.check_code(lambda x, dy: x, linear, "W", mapping={"v": "x"})
    with pytest.raises(sd.DataError, match="is no tensor of linear"):
        sd.check_code(lambda x, g: x, linear, "W", mapping={"g": "q"})
    with pytest.raises(sd.DefinitionError, match="no tensor 'V'"):
        sd.check_code(lambda x, dy: x, linear, "V")
    with pytest.raises(sd.DefinitionError, match="is no input"):
        sd.check_code(lambda x, dy: x, linear, "W", values={"eps": 1})
    with pytest.raises(sd.DataError, match="dtype"):
        sd.check_code(lambda x, dy: x, linear, "W", dtypes=["float16"])


# ── what is found besides wrong numbers ───────────────────────────────────────────────────────────────────────────────


def test_what_a_function_raises_is_the_verdict(linear: Any) -> None:
    found = refuted(lambda x, W, dy: dy @ x, linear, "W")
    assert "raises ValueError" in found.verdict.reason and "x (3, 5)" in found.verdict.reason

    def stops(x: Any, dy: Any) -> Any:
        raise SystemExit(3)

    assert "SystemExit" in refuted(stops, linear, "W").verdict.reason

    def not_for_one(x: Any, dy: Any) -> Any:
        assert len(x) > 1, "a batch of one"
        return dy.T @ x

    assert "x (1, 1)" in refuted(not_for_one, linear, "W").verdict.reason
    assert_gradient(not_for_one, linear, "W", extents={"n": 4})


def test_writing_into_arguments_is_found(linear: Any) -> None:
    def writes(x: Any, dy: Any) -> Any:
        found = dy.T @ x
        dy *= 2
        return found

    assert "writes into its argument: y_bar[0, 0]" in refuted(writes, linear, "W").verdict.reason

    def writes_and_undoes(x: Any, dy: Any) -> Any:
        dy *= 2
        dy /= 2
        return dy.T @ x

    assert "read-only" in refuted(writes_and_undoes, linear, "W").verdict.reason


def test_memory_layouts_are_tried(linear: Any) -> None:
    def by_memory(x: Any, dy: Any) -> Any:
        flat = np.lib.stride_tricks.as_strided(x, shape=x.shape, strides=(x.shape[1] * x.itemsize, x.itemsize))
        return dy.T @ flat

    found = refuted(by_memory, linear, "W", explain=False)
    assert found.wrong is not None and ("Fortran" in found.wrong.point or "non-contiguous" in found.wrong.point)
    good = assert_gradient(lambda x, dy: dy.T @ x, linear, "W")
    assert set(good.layouts) == {"C", "Fortran-ordered", "non-contiguous", "read-only"}


def test_what_is_kept_between_calls_is_found(linear: Any) -> None:
    total: dict[tuple[int, ...], Any] = {}

    def accumulates(x: Any, dy: Any) -> Any:
        key = (dy.shape[1], x.shape[1])
        total[key] = total.get(key, 0) + dy.T @ x
        return total[key]

    refuted(accumulates, linear, "W", explain=False)


def test_kinks_are_notes_and_nan_there_is_not() -> None:
    relu = sd.definition("relu")
    strict = assert_gradient(lambda s, da: da * (s > 0), relu, "s")
    assert not strict.notes
    other = assert_gradient(lambda s, da: da * (s >= 0), relu, "s")
    half = assert_gradient(lambda s, da: da * 0.5 * (1 + np.sign(s)), relu, "s")
    assert "at kinks s_bar" in other.notes[0] and "at kinks s_bar" in half.notes[0]
    refuted(lambda s, da: da * (s > 0) + 2 * da * (s == 0), relu, "s", explain=False)
    with np.errstate(all="ignore"):
        found = refuted(lambda s, da: da * (np.abs(s) / s + 1) / 2, relu, "s", explain=False)
    assert found.wrong is not None and math.isnan(found.wrong.returned)

    def first(s: Any, dy: Any) -> Any:
        out = np.zeros_like(s)
        np.put_along_axis(out, s.argmax(axis=-1)[..., None], dy[..., None], axis=-1)
        return out

    assert "at kinks" in assert_gradient(first, sd.definition("maxout"), "s").notes[0]


def test_kinks_of_several_slopes_and_numbers() -> None:
    def one_sided(t: Any, y_hat: Any) -> Any:
        slope = np.where(y_hat > t, 1.0, -1.0).astype(t.dtype) / len(t)
        return -slope, slope

    found = assert_gradient(one_sided, sd.definition("l1"), ["t", "y_hat"])
    assert "t_bar" in found.notes[0] and "y_hat_bar" in found.notes[1]


def test_huge_numbers_are_notes_unless_strict() -> None:
    loss = sd.definition("softmax_cross_entropy")

    def unshifted(z: Any, y: Any) -> Any:
        e = np.exp(z)
        return (e / e.sum(axis=1, keepdims=True) - y) / len(z)

    found = assert_gradient(unshifted, loss, "z")
    assert "not finite" in found.notes[0] and len(found.notes) == 1
    assert_gradient(lambda z, y: unshifted(np.array(z, float), y), loss, "z")
    assert "nan" in refuted(unshifted, loss, "z", strict=True, explain=False).verdict.reason


def test_lost_digits_are_no_wrong_formula() -> None:
    norm = sd.definition("layer_norm")

    def one_pass(x: Any, eps: Any, dy: Any) -> Any:
        mu = x.mean(axis=1, keepdims=True)
        var = (x**2).mean(axis=1, keepdims=True) - mu**2
        return (dy * (x - mu) / np.sqrt(var + eps)).sum(axis=0)

    assert_gradient(one_pass, norm, "gamma", values={"eps": 1e-5})

    def guarded(x: Any, eps: Any, dy: Any) -> Any:
        mu, var = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
        return (dy * (x - mu) / (np.sqrt(var + eps) + 1e-8)).sum(axis=0)

    refuted(guarded, norm, "gamma", explain=False)


def test_single_precision(linear: Any) -> None:
    found = sd.check_code(lambda x, dy: (dy.T @ x).astype(np.float64), linear, "W", dtypes=["float32"])
    assert found and found.dtypes == ("float32",) and "returns float64" in found.notes[0]
    narrow = refuted(lambda x, dy: (dy.T @ x).astype(np.float16), linear, "W", dtypes=["float32"], explain=False)
    assert narrow.wrong is not None and narrow.wrong.dtype == "float32"
    refuted(lambda x, dy: 1.001 * (dy.T @ x), linear, "W", dtypes=["float32"], explain=False)


def test_digits_that_cancel_in_any_formula() -> None:
    # 1 − (1 − tanh²) of tiny numbers; x − μ of one number
    assert_gradient(lambda s, da: da - da * (1 - np.tanh(s) ** 2), sd.definition("tanhshrink"), "s")

    def norm(x: Any, gamma: Any, eps: Any, dy: Any) -> Any:
        r = 1 / np.sqrt(x.var(axis=1, keepdims=True) + eps)
        x_hat = x * r - x.mean(axis=1, keepdims=True) * r
        d = dy * gamma
        dx = r * d - r * d.mean(axis=1, keepdims=True) - x_hat * r * (d * x_hat).mean(axis=1, keepdims=True)
        return dx, (dy * x_hat).sum(axis=0)

    assert_gradient(norm, sd.definition("layer_norm"), ["x", "gamma"])


def test_large_extents_are_checked_in_extended_precision() -> None:
    @sd.define
    def layer(x=sd.Input("n i=220"), W=sd.Param("j=40 i")):
        (n, i), (j, _) = x.indices, W.indices
        s = sd.let("s[n,j]", sd.Sum(W[j, i] * x[n, i], i))
        return sd.let("y[n,j]", sd.relu(s[n, j]))

    def right(x: Any, W: Any, dy: Any) -> Any:
        ds = dy * (x @ W.T > 0)
        return ds @ W, ds.T @ x

    def nearly(x: Any, W: Any, dy: Any) -> Any:
        dx, dW = right(x, W, dy)
        dW[30, 200] *= 1 + 1e-9
        return dx, dW

    found = assert_gradient(right, layer, ["x", "W"])
    assert "extended precision" in found.verdict.method and found.worst < 50
    wrong = refuted(nearly, layer, ["x", "W"], dtypes=["float64"], explain=False).wrong
    assert wrong is not None and wrong.element == "W_bar[30, 200]"
    assert not assert_gradient(right, layer, ["x", "W"], dtypes=["float64"]).notes
    with pytest.raises(sd.SymdlError, match="smaller extents"):
        sd.check_code(right, layer, ["x", "W"], extents={"n": 4000})


def test_arrays_among_the_values(linear: Any) -> None:
    data = np.arange(12.0).reshape(4, 3)
    found = assert_gradient(lambda dy: dy.T @ data, linear, "W", values={"x": data})
    assert all(shapes["y_bar"][0] == 4 for shapes in found.shapes)
    with pytest.raises(sd.ShapeError, match="has 1 axes, not 2"):
        sd.check_code(lambda dy: dy.T @ data, linear, "W", values={"x": data[0]})


# ── PyTorch and Numba ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_autograd_functions(linear: Any) -> None:
    torch = pytest.importorskip("torch")

    class Linear(torch.autograd.Function):  # type: ignore[misc,name-defined]
        @staticmethod
        def forward(ctx: Any, x: Any, W: Any, b: Any) -> Any:
            ctx.save_for_backward(x, W)
            return x @ W.T + b

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            x, W = ctx.saved_tensors
            return dy @ W, dy.T @ x, dy.sum(0)

    class Halved(Linear):
        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            x, W = ctx.saved_tensors
            return dy @ W, dy.T @ x / 2, dy.sum(0)

    class Forgetful(Linear):
        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            x, W = ctx.saved_tensors
            return dy @ W, dy.T @ x, None

    class Writing(Linear):
        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            x, W = ctx.saved_tensors
            found = dy @ W, dy.T @ x, dy.sum(0)
            dy.mul_(2)
            return found

    class WrongForward(Linear):
        @staticmethod
        def forward(ctx: Any, x: Any, W: Any, b: Any) -> Any:
            ctx.save_for_backward(x, W)
            return x @ W.T - b

    class Tanh(torch.autograd.Function):  # type: ignore[misc,name-defined]
        @staticmethod
        def forward(s: Any) -> Any:
            return torch.tanh(s)

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            ctx.save_for_backward(output)

        @staticmethod
        def backward(ctx: Any, da: Any) -> Any:
            (a,) = ctx.saved_tensors
            return da * (1 - a * a)

    found = assert_gradient(Linear, linear)
    assert found.wrt == ("x", "W", "b") and set(found.dtypes) == {"float64", "float32"}
    assert "W_bar is too small by the factor 2" in refuted(Halved, linear).guess
    assert "nothing (None) for b_bar" in refuted(Forgetful, linear).verdict.reason
    assert "writes into its argument: y_bar" in refuted(Writing, linear).verdict.reason
    wrong = refuted(WrongForward, linear, explain=False).wrong
    assert wrong is not None and wrong.output == "y"
    assert_gradient(Tanh, sd.definition("tanh"))


def test_numba_functions() -> None:
    numba = pytest.importorskip("numba")

    @numba.njit
    def backward(dy: Any) -> Any:
        out = np.zeros(dy.shape[1], dtype=dy.dtype)
        for n in range(dy.shape[0]):
            out += dy[n]
        return out

    @numba.njit("float64[:,::1](float64[:,::1], float64[:,::1])")
    def declared(W: Any, dy: Any) -> Any:
        return 2 * dy @ W

    linear = sd.definition("linear")
    found = assert_gradient(backward, linear, "b")
    assert set(found.dtypes) == {"float64", "float32"} and "read-only" in found.layouts

    @numba.njit("float32[:](float32[:], float32[:])")
    def of_vectors(W: Any, dy: Any) -> Any:
        return W

    with pytest.raises(sd.DataError, match="declared for others"):
        sd.check_code(of_vectors, linear, "x")
    only = refuted(declared, linear, "x")
    assert only.dtypes == ("float64",) and "factor 2" in only.guess


# ── the command line ──────────────────────────────────────────────────────────────────────────────────────────────────

FILE = """
import numpy as np
print("imported")

def right(dout, cache):
    xh, gamma, r = cache
    d = dout * gamma
    return r * (d - d.mean(0) - xh * (d * xh).mean(0)), (dout * xh).sum(0)

def wrong(dout, cache):
    xh, gamma, r = cache
    d = dout * gamma
    return r * (d - d.mean(0) - xh * (d * xh).mean(0)), (d * xh).sum(0)
"""


def test_command_line(tmp_path: Any, capsys: Any) -> None:
    path = tmp_path / "norm.py"
    path.write_text(FILE)
    rest = ["batch_norm", "--wrt", "x,gamma", "--map", "cache=x_hat,gamma,r"]
    assert main(["check-code", f"{path}:right", *rest]) == 0
    assert "consistent" in capsys.readouterr().out
    assert main(["check-code", f"{path}:wrong", *rest, "--set", "spatial=0", "n=4", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["status"] == "refuted" and said["wrong"]["output"] == "gamma_bar"
    assert "gamma_bar is multiplied by gamma[c] once too often" in said["guess"]
    for bad in (
        [f"{path}:none", *rest],
        [f"{path}x:right", *rest],
        [f"{path}:right", "batch_norms"],
        [f"{path}:right", *rest, "--set", "=3"],
        [f"{path}:right", *rest, "--map", "cache"],
        [f"{path}:right", "batch_norm"],
    ):
        assert main(["check-code", *bad]) == 2
        assert "Remedy" in capsys.readouterr().err
    broken = tmp_path / "broken.py"
    broken.write_text("1 / 0")
    assert main(["check-code", f"{broken}:f", "linear"]) == 2
    assert "ZeroDivisionError" in capsys.readouterr().err
