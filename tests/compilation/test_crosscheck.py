"""The gate fails closed: faults planted in emitted code, in the training loop and in the tolerance are refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy

from symdl.compilation import building, cache, compile, crosscheck
from symdl.compilation.accuracy import deviation, ulp
from symdl.compilation.extents import Axes, small_shapes
from symdl.compilation.report import Report
from symdl.compilation.targets.numba import Module
from symdl.core.define import Input, Param, Sum, define, exp, let, log, mean, tanh
from symdl.core.definitions import Definition
from symdl.derivation.derive import derive
from symdl.errors import CrossCheckError
from symdl.library.definitions import definition
from symdl.library.layers import dense, sequential
from symdl.library.optimisers import adam, clip_norm, nadam, sgd


def network(name: str) -> Definition:
    return sequential(dense(4, "tanh"), dense(3), loss="softmax_cross_entropy", inputs=2, name=name)


FAULTS: dict[str, tuple[str, str]] = {
    "a sign": (r"-y\[n, k\] \+ s2_bar", r"y[n, k] + s2_bar"),
    "an index": (r"h1\[n, j\] = tanh", r"h1[n, 0] = tanh"),
    "a start value": (r"S_n = 0\.0", r"S_n = 1.0"),
    "a function": (r"= tanh\(", r"= math.sin("),
    "a constant, in its ninth digit": (r"\*s1_slope", r"*1.00000001*s1_slope"),
    "a short loop": (r"for k in range\(K\)", r"for k in range(K - 1)"),
    "a transposed product": (r"W2\[k, j\]\*s2_bar", r"W2[k, 0]*s2_bar"),
    "the update": (r"theta_new = (.*)lr", r"theta_new = \1(1.0001*lr)"),
    "the rows": (r"order\[start \+ row\]", r"order[row]"),
    "the last batch": (r"while start < rows:", r"while start + 1 < rows:"),
    "an entry that is not changed": (r"view\(b1, 0, \(b1\.size,\)", r"view(b1, 0, (b1.size - 1,)"),
    "a parameter that is updated by the slopes of another": (r"view\(b1_bar, 0", r"view(W1_bar, 0"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_emitted_code_is_refused(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pattern, replacement = FAULTS[fault]
    emit: Callable[..., Module] = building.emit_module

    def faulty(*arguments: Any, **options: Any) -> Module:
        module = emit(*arguments, **options)
        source, count = re.subn(pattern, replacement, module.source)
        assert count, f"the pattern of this test no longer occurs: {pattern}"
        return replace(module, source=source)

    monkeypatch.setattr(building, "emit_module", faulty)
    subject = network(f"faulty {fault}")
    with pytest.raises(CrossCheckError):
        compile(subject, optimizer=sgd(0.1), extents={"n": 2})
    monkeypatch.undo()


def test_refused_code_leaves_nothing_in_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    emit: Callable[..., Module] = building.emit_module

    def faulty(*arguments: Any, **options: Any) -> Module:
        module = emit(*arguments, **options)
        return replace(module, source=module.source.replace("= tanh(", "= math.sin("))

    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))
    with monkeypatch.context() as patched:
        patched.setattr(building, "emit_module", faulty)
        with pytest.raises(CrossCheckError):
            compile(network("never kept"))
    assert list(tmp_path.iterdir()) == []
    assert not compile(network("never kept")).from_cache


def test_a_wrong_rule_of_an_optimiser_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    emit: Callable[..., Module] = building.emit_module

    def faulty(*arguments: Any, **options: Any) -> Module:
        module = emit(*arguments, **options)
        assert "first_step + done + 1" in module.source
        return replace(module, source=module.source.replace("first_step + done + 1", "first_step + done + 2"))

    monkeypatch.setattr(building, "emit_module", faulty)
    with pytest.raises(CrossCheckError, match="training loop"):
        compile(network("late"), optimizer=adam())


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (
            "gg += np.float64(entry)*np.float64(entry)",
            "gg = np.float64(entry)*np.float64(entry)",
        ),  # the last alone
        ("product[0] = ", "product[0] = product[0] + 0*"),
    ],
)
def test_wrong_equations_of_the_step_are_refused(monkeypatch: pytest.MonkeyPatch, right: str, wrong: str) -> None:
    emit: Callable[..., Module] = building.emit_module

    def faulty(*arguments: Any, **options: Any) -> Module:
        module = emit(*arguments, **options)
        assert right in module.source
        return replace(module, source=module.source.replace(right, wrong))

    monkeypatch.setattr(building, "emit_module", faulty)
    with pytest.raises(CrossCheckError, match="training loop"):
        compile(network("clipped"), optimizer=clip_norm(nadam(0.1), 0.2))


def shifted_softmax(name: str) -> Definition:
    """All scores are shifted by b·x, which softmax does not see: the slope by b is zero."""

    @define
    def made(z=Input("n k"), x=Input("n"), y=Input("n k"), b=Param(), w=Param("k")):  # type: ignore[no-untyped-def]
        n, k = z.indices
        s = let("s[n,k]", w[k] * z[n, k] + b * x[n])
        p = let("p[n,k]", exp(s[n, k]) / Sum(exp(s[n, k]), k))
        return let("L", mean((y[n, k] - p[n, k]) ** 2, n, k))

    return made.renamed({}, name)


def test_a_slope_of_zero_is_a_gradient() -> None:
    code = compile(shifted_softmax("unseen"), optimizer=sgd(0.1))
    rng = np.random.default_rng(3)
    arrays = {"z": rng.normal(size=(3, 4)), "x": rng.normal(size=3), "y": rng.normal(size=(3, 4))}
    slopes = code.gradient(**arrays, b=np.array(0.3), w=rng.normal(size=4))
    assert abs(slopes["b"]) < 1e-15 < abs(slopes["w"]).max()


def test_a_slope_that_is_claimed_to_be_zero_is_refused() -> None:
    """The planted fault: a gradient that is left out, as a rule that drops a term would leave it."""
    subject = network("dropped")
    derivation = derive(subject)
    name = derivation.names["b2"]
    empty = [e.map(lambda body: 0 * body) if e.name == name else e for e in derivation.gradient.equations]
    wrong = replace(derivation.gradient, equations=tuple(empty))
    shapes = {"x": (3, 2), "y": (3, 3), "W1": (4, 2), "b1": (4,), "W2": (3, 4), "b2": (3,)}
    with pytest.raises(CrossCheckError, match="the gradient by b2 is not the derivative"):
        crosscheck.check_gradient(subject, wrong, {"b2": name}, shapes, crosscheck.Findings("float64"))


def test_a_small_slope_beside_a_steep_one_is_not_hidden() -> None:
    """The planted fault: the slope by a, a millionth of that by b, is off by a thousandth of itself."""

    @define
    def steep(x=Input("n"), a=Param(), b=Param()):  # type: ignore[no-untyped-def]
        (n,) = x.indices
        return let("L", Sum(tanh(x[n] * (a / 1000 + 1000 * b)), n))

    derivation = derive(steep)
    name = derivation.names["a"]
    off = [e.map(lambda body: body * sympy.Rational(1001, 1000)) if e.name == name else e for e in
           derivation.gradient.equations]  # fmt: skip
    wrong, shapes = replace(derivation.gradient, equations=tuple(off)), {"x": (3,), "a": (), "b": ()}
    with pytest.raises(CrossCheckError, match="the gradient by a is not the derivative"):
        crosscheck.check_gradient(steep, wrong, derivation.names, shapes, crosscheck.Findings("float64"))
    found = crosscheck.Findings("float64")
    crosscheck.check_gradient(steep, derivation.gradient, derivation.names, shapes, found)
    assert found.gradient_error is not None and found.gradient_error < 1e-15


def test_a_mean_over_a_given_extent() -> None:
    """Its gradient relies on that extent, which the check may then not make smaller: Σ (x − mean) is 0 for 8 only."""

    @define
    def centred(x=Input("n i=8"), w=Param("i")):  # type: ignore[no-untyped-def]
        n, i = x.indices
        m = let("m[n]", mean(x[n, i] * w[i], i))
        v = let("v[n]", mean((x[n, i] * w[i] - m[n]) ** 2, i))
        return let("L", Sum(v[n] ** 2, n))

    assert small_shapes(Axes(centred))["x"][1] == 8
    rng = np.random.default_rng(5)
    x, w = rng.normal(size=(3, 8)), rng.normal(size=8)
    found = compile(centred, wrt="w").gradient(x=x, w=w)
    s = x * w
    v = s.var(axis=1, keepdims=True)
    np.testing.assert_allclose(found["w"], (4 * v * (s - s.mean(1, keepdims=True)) * x / 8).sum(0), rtol=1e-12)


def test_what_is_normalised_has_more_than_two_entries() -> None:
    """Of two entries the normalised ones are 1 and −1, and every slope cancels."""
    shapes = small_shapes(Axes(definition("layer_norm")))
    assert shapes["x"][-1] > 2


def test_the_report_says_what_was_checked() -> None:
    report = compile(network("reported"), optimizer=adam()).report
    found = {(c.function, c.output) for c in report.checked}
    assert found >= {("evaluate", "L"), ("gradient", "W1_bar"), ("predict", "p"), ("epoch", "W1"), ("epoch", "W1.m")}
    assert report.gradient_error is not None and report.gradient_error < 1e-15
    assert report.worst < 1000
    assert "ulps" in str(report)
    assert Report.from_json(report.to_json()) == report


def test_code_that_overflows_needlessly_is_reported_or_refused() -> None:
    @define
    def unstable(x=Input("n"), w=Param()):
        (n,) = x.indices
        s = let("s[n]", log(1 + exp(20 * w * x[n])) / 20)
        return let("L", mean(s[n], n))

    report = compile(unstable).report
    assert all("not finite" in o for o in report.overflows)


def test_saturated_units_are_compared_by_what_rounding_does() -> None:
    @define
    def deep(x=Input("n"), w=Param(), v=Param()):
        (n,) = x.indices
        h = let("h[n]", tanh(w * x[n]))
        g = let("g[n]", tanh(v * h[n]))
        return let("L", Sum(g[n] ** 2, n))

    assert compile(deep, wrt=["w", "v"]).report.gradient_error is not None


def test_ulps() -> None:
    exact = np.array([mpmath.mpf(1), mpmath.mpf(3)], dtype=object)
    off = deviation(np.array([1.0, 3.0 + 2**-51]), exact, "float64")
    assert (off.elementwise, off.normwise, off.position) == (1.0, 1.0, (1,))
    assert not deviation(np.array([1.0, np.nan]), exact, "float64").finite
    huge = np.array([mpmath.mpf(10) ** 40], dtype=object)
    assert deviation(np.array([np.inf], np.float32), huge, "float32").normwise == 0
    assert deviation(np.array([-np.inf], np.float32), huge, "float32").normwise == np.inf
    assert ulp(mpmath.mpf(0), "float32") > 0


def test_tolerances_would_notice_float32_in_float64_code() -> None:
    assert crosscheck.TOLERANCES["float64"].ulps * np.finfo(np.float64).eps < 1e-6 * np.finfo(np.float32).eps
