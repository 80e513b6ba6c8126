"""Derived properties against published constants, 50-digit arithmetic, PyTorch on a grid, and planted faults."""

from __future__ import annotations

import json
from functools import cache

import mpmath
import pytest
import sympy
import torch

import symdl as sd
from symdl.cli import main
from symdl.library.activations import ACTIVATIONS
from symdl.verification import limits
from symdl.verification.terms import UndecidedError, Work
from symdl.verification.waves import Wave
from symdl.verification.zeros import signs

s = sympy.Symbol("s", real=True)
F = torch.nn.functional
PEERS = {
    "sigmoid": torch.sigmoid,
    "log_sigmoid": F.logsigmoid,
    "tanh": torch.tanh,
    "tanhshrink": F.tanhshrink,
    "softsign": F.softsign,
    "softplus": F.softplus,
    "elu": F.elu,
    "celu": F.celu,
    "selu": F.selu,
    "silu": F.silu,
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "mish": F.mish,
    "relu": F.relu,
    "relu6": F.relu6,
    "leaky_relu": F.leaky_relu,
    "hard_sigmoid": F.hardsigmoid,
    "hard_tanh": F.hardtanh,
    "hard_swish": F.hardswish,
    "softshrink": F.softshrink,
    "hardshrink": F.hardshrink,
    "threshold": lambda x: F.threshold(x, 1.0, 0.0),
}
#: Constants that papers and textbooks give, to the digits that they give.
LIPSCHITZ = {"sigmoid": "1/4", "tanh": "1", "relu": "1", "softplus": "1", "hard_sigmoid": "1/6", "hard_swish": "3/2"}
ROUNDED = {"silu": "1.0998", "gelu": "1.1289", "mish": "1.0884", "selu": "1.7580", "gelu_tanh": "1.1289"}


@cache
def found(name: str) -> sd.Properties:
    return sd.properties(name, alpha=sympy.Rational(1, 4)) if name == "prelu" else sd.properties(name)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_all_of_the_library_is_decided(name: str) -> None:
    assert {n: f.how for n, f in found(name).facts() if not f} == {}


@pytest.mark.parametrize("name", PEERS)
def test_no_value_of_pytorch_is_outside_and_the_bounds_are_reached(name: str) -> None:
    x = torch.linspace(-30, 30, 240_001, dtype=torch.float64, requires_grad=True)
    y = PEERS[name](x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    made = found(name)
    spans, value = made.range.value, y.detach()
    for span in spans:
        ends = [float(v) for v in (span.low, span.high)]
        for end, near in zip(ends, (value - ends[0], value - ends[1]), strict=True):
            assert abs(end) == float("inf") or near.abs().min() < 0.05  # softsign is 1/31 away from 1 at 30
    inside = [(value >= float(z.low) - 1e-9) & (value <= float(z.high) + 1e-9) for z in spans]
    assert torch.stack(inside).any(0).all()
    falls, rises = bool((value.diff() < -1e-12).any()), bool((value.diff() > 1e-12).any())
    word = made.monotone.value.word
    assert (word == "neither") == (falls and rises) and (word in ("increasing", "non-decreasing")) == (not falls)
    if made.lipschitz.value is not None:
        assert float(slope.abs().max()) == pytest.approx(float(made.lipschitz.value), abs=1e-6)
    else:
        assert value.diff().abs().max() > 0.4
    fixed, _ = made.fixed_points.value
    beside = (value - x.detach()).sign()
    at, side = x.detach()[beside != 0], beside[beside != 0]
    crossed = [at[1:][side.diff() != 0].tolist(), at[:-1][side.diff() != 0].tolist()]
    for low, high in zip(crossed[1], crossed[0], strict=True):
        assert any(low <= float(p.high) and float(p.low) <= high for p in fixed)
    for alone in (p for p in fixed if p.single):
        there = torch.tensor(float(alone.low), dtype=torch.float64)
        assert float(PEERS[name](there)) == pytest.approx(float(there), abs=1e-12)


@pytest.mark.parametrize("name", LIPSCHITZ)
def test_constants_with_a_name_are_exact(name: str) -> None:
    assert found(name).lipschitz.value.exact == sympy.Rational(LIPSCHITZ[name])


@pytest.mark.parametrize("name", ROUNDED)
def test_published_constants(name: str) -> None:
    assert str(found(name).lipschitz.value.digits).startswith(ROUNDED[name])


def test_digits_agree_with_fifty_digit_arithmetic() -> None:
    with mpmath.workdps(50):
        swish = lambda x: x / (1 + mpmath.exp(-x))  # noqa: E731
        lowest = swish(mpmath.findroot(lambda x: mpmath.diff(swish, x), -1.28))
        steepest = mpmath.diff(swish, mpmath.findroot(lambda x: mpmath.diff(swish, x, 2), 2.4))
        bell = lambda x: x * (1 + mpmath.erf(x / mpmath.sqrt(2))) / 2  # noqa: E731
        low = bell(mpmath.findroot(lambda x: mpmath.diff(bell, x), -0.75))
        rest = mpmath.findroot(lambda x: 1 / (1 + mpmath.exp(-x)) - x, 0.66)
        expected = [mpmath.nstr(abs(v), 20) for v in (lowest, steepest, low, rest)]
    silu, gelu, sigmoid = found("silu"), found("gelu"), found("sigmoid")
    texts = [
        silu.range.value[0].low,
        silu.lipschitz.value,
        gelu.range.value[0].low,
        sigmoid.fixed_points.value[0][0].low,
    ]
    for text, digits in zip(map(str, texts), expected, strict=True):
        assert digits.startswith(text.strip("−…")) and len(text) >= 14
    assert gelu.lipschitz.value.exact == sympy.S.Half + sympy.erf(1) / 2 + sympy.exp(-1) / sympy.sqrt(sympy.pi)


def test_ends_are_open_where_they_are_not_reached() -> None:
    told = {name: str(found(name).range) for name in ("tanh", "relu", "relu6", "hard_tanh", "gaussian", "binary_step")}
    assert told == {
        "tanh": "(−1, 1)",
        "relu": "[0, ∞)",
        "relu6": "[0, 6]",
        "hard_tanh": "[−1, 1]",
        "gaussian": "(0, 1]",
        "binary_step": "{0} ∪ {1}",
    }
    assert str(found("hardshrink").range) == "(−∞, −1/2) ∪ {0} ∪ (1/2, ∞)"


def test_waves() -> None:
    """By hand: sin 3s turns at odd multiples of π/6; 1 + sin 2s only touches 0."""
    wave = sd.properties("sine", omega=3)
    turns = wave.monotone.value.turns
    assert {t.at.exact for t in turns} == {-sympy.pi / 6, sympy.pi / 6} and wave.lipschitz.value.exact == 3
    assert wave.monotone.value.period == 2 * sympy.pi / 3 and wave.limits.value.at_plus is None
    assert found("snake").monotone.value.word == "increasing" and found("snake").lipschitz.value.exact == 2
    assert Wave.of(1 + sympy.sin(2 * s), s).zeros == (-sympy.pi / 4,)


@pytest.mark.filterwarnings("ignore::symdl.testing.digits.DigitsWarning")
def test_ones_own_by_hand() -> None:
    """s³ − s turns at ±1/√3 and stays where s = 0, ±√2; s/√(1 + s²) is steepest, with 1, at 0."""
    cubic = sd.properties(sd.activation("cubic_shape", lambda s: s**3 - s))
    assert [t.at.exact for t in cubic.monotone.value.turns] == [-sympy.sqrt(3) / 3, sympy.sqrt(3) / 3]
    assert cubic.lipschitz.value is None and cubic.symmetry.value == "odd" and cubic.bounded.value == "unbounded"
    assert [p.low.exact for p in cubic.fixed_points.value[0]] == [-sympy.sqrt(2), 0, sympy.sqrt(2)]
    round_one = sd.properties(sd.activation("isru_shape", lambda s: s / sympy.sqrt(1 + s**2)))
    assert str(round_one.range) == "(−1, 1)" and round_one.lipschitz.value.exact == 1
    assert str(round_one.fixed_points) == "{0}" and round_one.monotone.value.word == "increasing"


@pytest.mark.filterwarnings("ignore::symdl.testing.digits.DigitsWarning")
def test_places_that_mirror_each_other_have_the_same_value() -> None:
    """s³/(1 + s⁴) is largest at ⁴√3, with 3^(3/4)/4, and smallest at −⁴√3; it is steepest at two places as well."""
    odd = sd.properties(sd.activation("mirror_shape", lambda s: s**3 / (1 + s**4)))
    (span,) = odd.range.value
    assert float(span.high) == pytest.approx(3**0.75 / 4, abs=1e-14) and float(span.low) == -float(span.high)
    x = torch.linspace(-3, 3, 600_001, dtype=torch.float64)
    steepest = ((3 * x**2 - x**6) / (1 + x**4) ** 2).abs().max()
    assert float(odd.lipschitz.value) == pytest.approx(float(steepest), abs=1e-9)


def test_a_function_that_only_touches_0_does_not_change_its_sign() -> None:
    """eˢ ≥ 1 + s, with equality at 0."""
    touching = signs(sympy.exp(s) - 1 - s, s, -sympy.oo, sympy.oo, Work())
    assert touching.signs == (1, 1) and [z.exact for z in touching.zeros] == [0]
    near = signs(sympy.exp(s) - 1 - s - sympy.Rational(1, 10**12), s, -sympy.oo, sympy.oo, Work())
    assert near.signs == (1, -1, 1)
    assert signs(sympy.exp(s) - 1 - s + sympy.Rational(1, 10**12), s, -sympy.oo, sympy.oo, Work()).zeros == ()


@pytest.mark.parametrize("expr", [sympy.tan(s), 1 / s, sympy.gamma(s), sympy.Abs(s) - 1, sympy.log(s), s**s])
def test_poles_and_kinks_are_not_overlooked(expr: sympy.Expr) -> None:
    with pytest.raises(UndecidedError):
        signs(expr, s, -sympy.oo, sympy.oo, Work(5))


@pytest.mark.filterwarnings("ignore::symdl.testing.digits.DigitsWarning")
def test_a_wrong_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted fault: a limit that SymPy gets wrong, as versions of it have."""
    monkeypatch.setattr(limits.sympy, "limit", lambda *a: sympy.Rational(9, 10))
    made = sd.properties(sd.activation("wrong_limit", sympy.erf))
    assert not made.range and not made.limits and "values are not near" in made.limits.how
    assert str(made.range).startswith("undecided: ") and made.to_json()["range"]["is"] is None


@pytest.mark.parametrize(
    ("name", "steepest"), [("prelu", "max(1, |alpha|)"), ("leaky_relu", "max(1, |alpha|)"), ("elu", "max(1, |alpha|)")]
)
def test_a_lipschitz_constant_for_every_parameter(name: str, steepest: str) -> None:
    """Slopes α and 1 by hand, and α eˢ up to its limit α; one parameter at a time gives the same."""
    found = sd.properties(sd.activation(name, alpha=None))
    assert str(found.lipschitz) == steepest and str(found.at_zero) == "0" and "depends on alpha" in str(found.range)
    for alpha in (sympy.Rational(1, 4), sympy.Integer(-3)):
        bound = sd.properties(name, alpha=alpha).lipschitz.value.exact
        assert found.lipschitz.value.subs(sympy.Symbol("alpha", real=True), alpha) == bound


def test_a_lipschitz_constant_that_hangs_on_parameters_otherwise_is_undecided() -> None:
    assert "no product" in str(sd.properties(sd.activation("snake", a=None)).lipschitz)
    jumping = sd.activation("jumping", lambda s, a: sd.switch(s, a, s, kink="left"))
    assert "whether it jumps" in str(sd.properties(jumping).lipschitz)


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["properties", "relu", "leaky_relu", "--set", "alpha=2"]) == 2  # relu has no α
    capsys.readouterr()
    assert main(["properties", "leaky_relu", "--set", "alpha=2", "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert told["lipschitz"]["is"] == "2" and told["lipschitz"]["status"] == "proved"
    assert main(["properties", "tanh"]) == 0 and "(−1, 1)" in capsys.readouterr().out
    assert (
        main(["properties"]) == 2
        and main(["properties", "prelu"]) == 1
        and main(["properties", "elu", "--set", "a"]) == 2
    )
