"""Activations in layers, with parameters that are given, learned or open, and an author's own."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
import torch

import symdl as sd
from symdl.compilation.targets.reference import evaluate
from symdl.library.activations import ACROSS, ACTIVATIONS
from symdl.training.initial import initial_parameters

S = sympy.Symbol("s", real=True)
PEERS = {
    "elu": torch.nn.functional.elu,
    "mish": torch.nn.functional.mish,
    "hard_swish": torch.nn.functional.hardswish,
    "softmax": lambda x: torch.softmax(x, -1),
    "log_softmax": lambda x: torch.log_softmax(x, -1),
    "softmin": lambda x: torch.nn.functional.softmin(x, -1),
}


def snake(**options):
    return sd.activation("snake_by_hand", lambda s, a: s + sd.sin(a * s) ** 2 / a, **options)


def numbers_of(net, rng):
    shapes = {"x": (4, 3), "y": (4, 2), "W1": (3, 3), "b1": (3,), "W2": (2, 3), "b2": (2,), "alpha1": (), "a1": ()}
    return {t.name: rng.normal(size=shapes[t.name]) for t in net.inputs}


def torch_loss(values, act):
    t = {name: torch.tensor(value, requires_grad=True) for name, value in values.items()}
    h = act(t["x"] @ t["W1"].T + t["b1"], t)
    loss = ((h @ t["W2"].T + t["b2"] - t["y"]) ** 2).sum() / 4
    loss.backward()
    return {name: value.grad.numpy() for name, value in t.items()}


def gradients_agree(net, values, act):
    made = sd.derive(net)
    got = evaluate(made.gradient, values)
    want = torch_loss(values, act)
    for parameter in net.parameters:
        ours = np.array(got[made.names[parameter.name]].tolist(), float)
        np.testing.assert_allclose(ours, want[parameter.name], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", PEERS)
def test_a_layer_by_name(name, rng):
    net = sd.sequential(sd.dense(3, name), sd.dense(2), inputs=3)
    gradients_agree(net, numbers_of(net, rng), lambda s, t: PEERS[name](s))


def test_a_learned_slope_is_a_parameter_of_the_layer(rng):
    net = sd.sequential(sd.dense(3, "prelu"), sd.dense(2), inputs=3)
    assert [t.name for t in net.parameters] == ["W1", "b1", "alpha1", "W2", "b2"]
    gradients_agree(net, numbers_of(net, rng), lambda s, t: torch.nn.functional.prelu(s, t["alpha1"]))


def test_a_learned_slope_that_is_given_is_none():
    net = sd.sequential(sd.dense(3, sd.activation("prelu", alpha=0.1)), sd.dense(2))
    assert "alpha1" not in [t.name for t in net.inputs]


def test_training_starts_from_the_value_of_a_learned_parameter():
    net = sd.sequential(sd.dense(3, "prelu"), sd.dense(3, snake(a=2, learned="a")), sd.dense(2), inputs=3)
    start = initial_parameters(net, {}, np.random.default_rng(0))
    assert (float(start["alpha1"]), float(start["a2"])) == (0.25, 2.0)  # He et al. 2015 start from 0.25
    assert float(initial_parameters(net, {}, np.random.default_rng(0), given={"alpha1": 0.5})["alpha1"]) == 0.5


def test_an_authors_own_learned_parameter(rng):
    net = sd.sequential(sd.dense(3, snake(a=2, learned="a")), sd.dense(2), inputs=3)
    gradients_agree(net, numbers_of(net, rng), lambda s, t: s + torch.sin(t["a1"] * s) ** 2 / t["a1"])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_stands_in_a_layer(name, rng):
    """Both ways give the same numbers; for all extents they are proved equal for a few (tests/derivation)."""
    net = sd.sequential(sd.dense(3, name), sd.dense(2), inputs=3)
    values = numbers_of(net, rng)
    made = [sd.derive(net, via=via) for via in ("expand", "chain")]
    full, chain = (evaluate(m.gradient, values) for m in made)
    for parameter in net.parameters:
        ours, theirs = (found[m.names[parameter.name]] for found, m in zip((full, chain), made, strict=True))
        np.testing.assert_allclose(ours.astype(float), theirs.astype(float), rtol=1e-14)


def test_parameters_have_usual_values_and_others():
    own = snake()
    assert own.chosen(a=2)(S) == own(S, 2) == own(S, a=2)
    assert sd.activation("elu").parameters == {"alpha": 1}
    assert sd.activation("elu", alpha=0.5).defined(-sympy.log(2)) == sympy.Rational(-1, 4)
    own = sd.activation("bent_by_hand", lambda s, a=0.1: a * s)
    assert own.defined(S) == S / 10
    assert sd.activation("softplus", beta=None).declared().keys() == {"beta"}


def test_it_prints_as_its_definition():
    assert str(snake()) == "snake_by_hand(s, a) = sin(a*s)**2/a + s"
    assert r"\sin^{2}\left(a s\right)" in snake().latex()
    assert "snake" in snake().markdown()
    assert sd.latex(sd.activation("hardshrink")(S)) == r"\operatorname{hardshrink}\left(s, \frac{1}{2}\right)"
    assert r"\lambda" in sd.latex(sd.definition("softshrink"))


def test_a_definition_has_its_parameters_as_inputs_or_as_numbers():
    assert [t.name for t in sd.definition("elu").inputs] == ["s", "alpha"]
    assert [t.name for t in sd.definition("elu", alpha=1).inputs] == ["s"]
    assert [t.name for t in sd.definition("prelu").parameters] == ["alpha"]
    assert [t.name for t in sd.definition("hardshrink").inputs] == ["s", "lambda"]


def test_what_the_author_claims_can_be_decided():
    own = sd.activation("square_by_hand", lambda s: s**2, slope=lambda s: 3 * s)
    assert sd.check_function(own.call)["slope"].status is sd.Status.REFUTED


WRONG = {
    "name taken": (lambda: sd.activation("relu", lambda s: s), "activation 'relu' is in the library"),
    "name of a vector activation taken": (lambda: sd.activation("softmax", lambda s: s), "is in the library"),
    "no name": (lambda: sd.activation("my act", lambda s: s), "'my act' is not a name"),
    "unknown": (lambda: sd.activation("cosine"), "no activation 'cosine'"),
    "of several numbers": (lambda: sd.activation("softmax"), "softmax is no function of one number"),
    "no function": (lambda: sd.activation("own", 3), "3 is no function"),
    "no variable": (lambda: sd.activation("own", lambda: 3), "it takes no number"),
    "nameless": (lambda: sd.activation("own", lambda *s: s[0]), r"it takes \*s"),
    "nothing": (lambda: sd.activation("own", lambda s: None), "its function gives None"),
    "text": (lambda: sd.activation("own", lambda s: "s"), "its function gives 's'"),
    "a comparison": (lambda: sd.activation("own", lambda s: s > 0), "its function gives x > 0"),
    "a stranger": (lambda: sd.activation("own", lambda s: S**2 * s), "s has no value"),
    "it fails": (lambda: sd.activation("own", lambda s: np.exp(s)), "its function fails"),
    "absolute": (lambda: sd.activation("own", lambda s: abs(s)), "has a kink and no policy"),
    "kink": (lambda: sd.activation("own", lambda s: sd.maximum(s, 0)), "has a kink and no policy"),
    "unknown parameter": (lambda: snake(b=1), "activation snake_by_hand has no parameter 'b'"),
    "learned from nothing": (lambda: snake(learned="a"), "learned parameter a of .* has no value to start from"),
    "start": (lambda: sd.Param("j", start="x"), "start = 'x'"),
    "unknown learned parameter": (lambda: snake(learned="b"), "activation snake_by_hand has no parameter 'b'"),
    "unknown parameter of the library": (
        lambda: sd.activation("elu", beta=1),
        "activation elu has no parameter 'beta'",
    ),
    "no number": (lambda: sd.activation("elu", alpha="x"), "alpha of activation elu is 'x'"),
    "infinite": (lambda: sd.activation("elu", alpha=float("inf")), "alpha of activation elu is inf"),
    "not positive": (lambda: sd.activation("celu", alpha=0), "alpha of activation celu is 0"),
    "negative": (lambda: sd.activation("softshrink", lambda_=-1), "lambda_ of activation softshrink is -1"),
    "bounds exchanged": (lambda: sd.activation("hard_tanh", min_val=2, max_val=1), "min_val = 2 is above max_val = 1"),
    "bounds exchanged in a call": (lambda: sd.activation("hard_tanh")(S, 3), "min_val = 3 is above max_val = 1"),
    "slopes exchanged": (lambda: sd.activation("rrelu", lower=1, upper=0.5), "lower = 1 is above upper = 1/2"),
    "open in a call": (lambda: snake()(S), "parameter a of activation snake_by_hand has no value"),
    "open in a layer": (lambda: sd.dense(3, snake()), "parameter a of activation snake_by_hand has no value"),
    "learned in a call": (lambda: sd.activation("prelu")(S), "parameter alpha of activation prelu has no value"),
    "too many": (lambda: sd.activation("elu")(S, 1, 2), "elu is given 2 parameters"),
    "option of a definition": (lambda: sd.definition("elu", beta=1), "elu has no option 'beta'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_odd_gets_a_clear_error(case):
    wrong, match = WRONG[case]
    with pytest.raises(sd.DefinitionError, match=match) as caught:
        wrong()
    assert caught.value.remedy or caught.value.why


# ── of several numbers ───────────────────────────────────────────────────────────────────────────────────────────────

SCORES = np.array([[1.0, -2.0, 0.5], [800.0, -800.0, 1e4], [-1e4, -1e4, -1e4 + 1], [0.0, -0.0, 1e-300]])
VECTORS = {
    "softmax": lambda z: torch.softmax(z, -1),
    "log_softmax": lambda z: torch.log_softmax(z, -1),
    "softmin": lambda z: torch.nn.functional.softmin(z, -1),
    "maxout": lambda s: torch.amax(s, -1),
    "glu": torch.nn.functional.glu,
    "swiglu": lambda x, W, V: torch.nn.functional.silu(x @ W.T) * (x @ V.T),
    "geglu": lambda x, W, V: torch.nn.functional.gelu(x @ W.T) * (x @ V.T),
}


def inputs_of(name, rng):
    if name in ACROSS:
        return {"z": SCORES}
    if name == "maxout":
        return {"s": np.stack([SCORES, [[1, 1, 0], [2, 2, 2], [3, 1, 3], [-1, -1, -1]]], 1)}
    if name == "glu":
        return {"x": np.concatenate([SCORES, rng.normal(size=(4, 3))], 1)}
    return {"x": rng.normal(size=(4, 3)), "W": rng.normal(size=(2, 3)), "V": rng.normal(size=(2, 3))}


@pytest.mark.parametrize("name", VECTORS)
def test_vector_activations_are_those_of_torch(name, rng):
    made, values = sd.definition(name), inputs_of(name, rng)
    given = {n: torch.tensor(v, requires_grad=True) for n, v in values.items()}
    y = VECTORS[name](*given.values())
    seed = rng.normal(size=y.shape)
    y.backward(torch.tensor(seed))
    back = sd.vjp(made, wrt=list(values))
    output = made.outputs[0]
    found = evaluate(back.gradient, {**values, f"{output}_bar": seed}, keep=True)
    np.testing.assert_allclose(np.array(found[output].tolist(), float), y.detach().numpy(), rtol=1e-9, atol=1e-300)
    for n, tensor in given.items():
        ours = np.array(found[back.names[n]].tolist(), float)
        np.testing.assert_allclose(ours, tensor.grad.numpy(), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", VECTORS)
def test_vector_activations_both_ways(name):
    made = sd.definition(name)
    sd.equal(*(sd.vjp(made, wrt=[t.name for t in made.inputs], via=via) for via in ("chain", "expand"))).require()


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin", "maxout"])
def test_compiled_vector_activations_keep_their_digits(name, rng):
    made, ((given, numbers),) = sd.definition(name), inputs_of(name, rng).items()
    x = torch.tensor(numbers, requires_grad=True)
    y = VECTORS[name](x)
    seed = rng.normal(size=y.shape)
    y.backward(torch.tensor(seed))
    back, output = sd.vjp(made, wrt=[given]), made.outputs[0]
    program = sd.compile(back.gradient.only([output, back.names[given]]))
    got = program(**{given: numbers, f"{output}_bar": seed})
    np.testing.assert_allclose(got[output], y.detach().numpy(), rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(got[back.names[given]], x.grad.numpy(), rtol=1e-12, atol=1e-15)
