"""What is written for Coq means what SymPy's tree means, and holds nothing but our own words."""

from __future__ import annotations

import re
from pathlib import Path

import mpmath
import pytest
import sympy
from support.coq_reader import functions, value

import symdl as sd
from derivations import generate
from symdl.core.functions import scalar_function
from symdl.errors import DefinitionError, UnsupportedError
from symdl.library.activations import ACTIVATIONS
from symdl.library.losses import LOSSES
from symdl.verification.coq.library import proof_file
from symdl.verification.coq.names import Names
from symdl.verification.coq.theorems import equality, slope
from symdl.verification.coq.writer import Writer
from symdl.verification.truth import Truth

X = sympy.Symbol("x", real=True)
EVIL = [
    "x). Admitted. (*",
    "__import__('os').system('touch /tmp/planted')",
    'x."\nRedirect "f" Print x.',
    "exp",
    "PI",
    "R",
    "forall",
    "switch",
]


def test_files_are_up_to_date_and_every_entry_has_one() -> None:
    made = {name: sd.proof_file(name).text for name in sd.provable()}
    assert {p.stem for p in generate.PROOFS.glob("*")} == set(made)
    for name, text in made.items():
        written = (generate.PROOFS / f"{name}.v").read_text(encoding="ascii")
        assert written == text, f"{name}.v is out of date: make gallery"


def test_every_activation_and_every_loss_of_single_elements_has_a_slope() -> None:
    assert set(ACTIVATIONS) <= set(sd.provable())
    elementwise = {"l1", "l2", "huber", "smooth_l1", "log_cosh", "quantile", "poisson_nll", "gaussian_nll", "hinge"}
    elementwise |= {"binary_cross_entropy", "binary_cross_entropy_logits", "focal", "squared_hinge", "hinge_embedding"}
    assert elementwise <= set(sd.provable()) & set(LOSSES)
    for name in (n for n in sd.provable() if not n.endswith("_bounds")):
        assert any(re.fullmatch(rf"{name}_slope(_\d+)?", theorem) for theorem in sd.proof_file(name).theorems)


@pytest.mark.parametrize("name", ["gelu", "mish", "selu", "hard_swish", "squareplus", "snake", "softsign", "gelu_tanh"])
def test_definitions_in_coq_have_the_values_of_the_definitions_here(name: str) -> None:
    """Read back by a reader that shares no code with the writer, against balls of the definition."""
    activation = ACTIVATIONS[name]
    known = functions(sd.proof_file(name).text)
    parameters = [sympy.Rational(v) for v in activation.parameters.values()]
    truth = Truth(activation.defined(X, *parameters), X)
    with mpmath.workdps(30):
        for at in (sympy.Rational(-7, 2), sympy.Rational(-1, 3), sympy.S.Zero, sympy.Rational(5, 4), sympy.Integer(4)):
            numbers = [mpmath.mpf(v.p) / v.q for v in (at, *parameters)]
            exact = truth(at, lambda ball: ball.rad() < 1e-25)
            assert abs(known[name](*numbers) - mpmath.mpf(exact.mid().str(28, radius=False))) < 1e-20


#: From the literature, as far as it states them: the minimum of x σ(x), the largest slope of x σ(x), of e^−x².
BOUNDS = {
    "sigmoid_bounds": ("0 < sigmoid x < 1", "<= 1 / 4"),
    "tanh_bounds": ("- 1 < tanh x < 1", "<= 1"),
    "silu_bounds": ("- 557 / 2000 <= silu x", "<= 10999 / 10000"),
    "gaussian_bounds": ("0 <= gaussian x <= 1", "<= 4289 / 5000"),
    "relu6_bounds": ("0 <= relu6 x <= 6", "<= 1"),
    "hard_swish_bounds": ("- 3 / 8 <= hard_swish x", "<= 3 / 2"),
}


@pytest.mark.parametrize("name", BOUNDS)
def test_bounds_are_those_that_are_known(name: str) -> None:
    values, steepness = sd.proof_file(name).statements.values()
    assert values.endswith(BOUNDS[name][0]) and steepness.endswith(BOUNDS[name][1])


def test_terms_keep_their_brackets() -> None:
    y = sympy.Symbol("y", real=True)
    terms = [
        X - (y - X * y) / (X - 3) ** 2,
        -((X + y) ** 3) / (2 * X) - sympy.Rational(3, 7) * y,
        1 / (1 / X + 1 / sympy.exp(-X * y)),
        (-X) ** 3 * sympy.sqrt(X**2 + 1) ** 3 / sympy.sqrt(2),
        sympy.exp(-(X**2) / 2) * -sympy.Rational(1, 2),
        sympy.log(X**2 + 1) ** 2 - sympy.cos(X - y) / sympy.sin(y) ** 2,
        X ** sympy.Rational(2, 3) * y**-2,
        sympy.Pow(X * y - 1, -3) - (X - 1) * (y - 1) * (2 - X),
    ]
    known = functions("")
    with mpmath.workdps(30):
        at = {"x": mpmath.mpf(5) / 3, "y": mpmath.mpf(-7) / 4}
        for term in terms:
            expected = term.subs({X: sympy.Rational(5, 3), y: sympy.Rational(-7, 4)}).evalf(30)
            assert abs(value(Writer().text(term), at, known) - mpmath.mpf(str(expected))) < 1e-24, term


@pytest.mark.parametrize("evil", EVIL)
def test_no_text_of_a_name_reaches_coq(evil: str) -> None:
    """Planted in the name of a variable, and in the name of a function."""
    symbol = sympy.Symbol(evil, real=True)
    assert Names().of(symbol) == "v1"
    writer = Writer()
    cls = scalar_function("planted", lambda x: x**2)
    cls.__name__ = evil
    text = "\n".join([t.text for t in slope("claim", cls(symbol), symbol, 2 * symbol, [], writer)])
    text += writer.definitions()
    assert re.fullmatch(r"[\w\s.:;(){}\[\]=>,^*+/?|<\\-]+", text) and "Admitted" not in text and "system" not in text
    assert not re.search(r"\bv1\b.*\bexp v1\b", text) and f"({evil} : R)" not in text


def test_two_variables_never_share_a_name() -> None:
    names = Names()
    symbols = [sympy.Symbol(n, real=True) for n in ("λ", "lambda", "lambda_", "v1", "X", "Y", "x")]
    symbols += [sympy.Symbol("x", positive=True)]
    assert len({names.of(s) for s in symbols}) == len(symbols)


def test_what_can_not_be_written_is_said() -> None:
    with pytest.raises(UnsupportedError, match="gamma"):
        equality("claim", sympy.gamma(X), X, [], Writer())
    with pytest.raises(UnsupportedError, match="no policy"):
        equality("claim", sd.switch(X, 0, X), X, [], Writer())
    with pytest.raises(UnsupportedError, match="meets the hypotheses"):
        equality("claim", X, X + 1, [X > 1, X < 0], Writer())
    with pytest.raises(UnsupportedError, match="meets the hypotheses"):
        equality("claim", sympy.log(-1 - X**2), sympy.S.Zero, [], Writer())
    with pytest.raises(DefinitionError):
        sd.proof_file("no_such_thing")
    with pytest.raises(UnsupportedError, match="sums over an index"):
        sd.proof_file("cross_entropy")


def test_a_name_that_is_none_is_told_the_one_that_was_meant() -> None:
    with pytest.raises(DefinitionError, match=r"no activation or loss .tanhh.\. Remedy: did you mean .tanh.\?"):
        proof_file("tanhh")


def test_text_is_not_taken_for_a_formula(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="text"):
        sd.proved_by_coq("x", X)


def test_where_formulas_need_a_value_is_part_of_the_statement() -> None:
    made = equality("claim", 2 * sympy.log(X), sympy.log(X**2), [], Writer())
    assert made.statement == "forall (x : R), 0 < x -> 2 * ln x = ln (x ^ 2)"
    (made,) = slope("claim", sympy.sqrt(X), X, 1 / (2 * sympy.sqrt(X)), [], Writer())
    assert made.statement.startswith("forall (x : R), 0 < x -> is_derive ")
