"""Random expressions: a rewritten copy is never refuted, a different one never proved."""

from __future__ import annotations

import sympy
from flint import fmpq
from hypothesis import assume, given, strategies as st

from symdl.core.define import maximum, minimum
from symdl.core.functions import Switch
from symdl.errors import SymdlError
from symdl.library.activations import relu, sigmoid
from symdl.verification import Status, equal
from symdl.verification.balls import evaluate
from symdl.verification.proofs import Claim, prove

x, y, z = sympy.symbols("x y z", real=True)
NUMBERS = st.sampled_from([sympy.Integer(k) for k in (-2, -1, 1, 2, 3)] + [sympy.Rational(1, 2), sympy.Rational(-2, 3)])
LEAVES = st.one_of(st.sampled_from([x, y, z]), NUMBERS)
FUNCTIONS = st.sampled_from(
    [
        sympy.exp,
        sympy.tanh,
        sigmoid,
        relu,
        sympy.Abs,
        sympy.sin,
        sympy.cos,
        sympy.erf,
        sympy.cosh,
        lambda e: sympy.log(1 + sympy.exp(e)),
        lambda e: sympy.sqrt(1 + e**2),
        lambda e: 1 / (1 + e**2),
        lambda e: maximum(e, y, kink="mid"),
        lambda e: sympy.log(sympy.Abs(e) + 1),
        lambda e: sympy.sqrt(sympy.Abs(e)),
        lambda e: Switch(e, 0, 1, sympy.Rational(1, 2)),
    ]
)


def _grown(inner):
    return st.one_of(
        st.builds(lambda a, b: a + b, inner, inner),
        st.builds(lambda a, b: a * b, inner, inner),
        st.builds(lambda a: a**2, inner),
        st.builds(lambda f, a: f(a), FUNCTIONS, inner),
    )


EXPRESSIONS = st.recursive(LEAVES, _grown, max_leaves=5)

#: True identities of one expression, for every real value of it.
REWRITES = [
    lambda e: sympy.expand(e),
    lambda e: (e + 1) ** 2 - e**2 - e - 1,
    lambda e: e * sympy.exp(y) * sympy.exp(-y - x) * sympy.exp(x),
    lambda e: e * (1 + x**2) / (1 + x**2),
    lambda e: relu(e) - relu(-e),
    lambda e: sympy.log(sympy.exp(e) * sympy.exp(x)) - x,
    lambda e: e * (sigmoid(z) + sigmoid(-z)),
    lambda e: e * (sympy.sin(x) ** 2 + sympy.cos(x) ** 2),
    lambda e: maximum(e, x, kink="left") + minimum(e, x, kink="left") - x,
    lambda e: sympy.Piecewise((e, x < y), (e, True)),
    lambda e: e.replace(sympy.cosh, lambda u: (sympy.exp(u) + sympy.exp(-u)) / 2),
    lambda e: e.replace(sympy.tanh, lambda u: 2 * sigmoid(2 * u) - 1),
    lambda e: e.replace(lambda n: hasattr(n, "defined"), lambda n: n.defined()),
    lambda e: e * sympy.sqrt(2) * sympy.sqrt(8, evaluate=False) / 4,
]


@given(EXPRESSIONS, st.sampled_from(REWRITES))
def test_a_rewritten_copy_is_never_refuted(expr, rewrite) -> None:
    verdict = equal(expr, rewrite(expr), budget=3, points=16)
    assert verdict.status in (Status.PROVED, Status.CONSISTENT, Status.UNDECIDED), str(verdict)


POLYNOMIALS = st.lists(
    st.tuples(st.integers(-3, 3), st.integers(0, 2), st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=5
).map(lambda terms: sympy.Add(*[c * x**a * y**b * z**d for c, a, b, d in terms]))


@given(POLYNOMIALS, POLYNOMIALS)
def test_polynomials_are_decided(first, second) -> None:
    verdict = equal(first, second)
    assert verdict.status is (Status.PROVED if sympy.expand(first - second) == 0 else Status.REFUTED)


@given(EXPRESSIONS, EXPRESSIONS, st.lists(st.fractions(-3, 3, max_denominator=9), min_size=3, max_size=3))
def test_what_differs_at_a_point_has_no_proof(first, second, numbers) -> None:
    """The prover alone, without the points that `equal` tries first."""
    point = {s: fmpq(n.numerator, n.denominator) for s, n in zip((x, y, z), numbers, strict=True)}
    try:
        differ = not (evaluate(first, point) - evaluate(second, point)).contains(0)
    except SymdlError:
        return
    assume(differ)
    try:
        proof = prove(Claim(first, second))
    except SymdlError:
        return
    assert proof is None


@given(EXPRESSIONS, st.sampled_from(["sign", "factor", "term", "square"]))
def test_a_planted_fault_is_refuted(expr, fault) -> None:
    assume(expr.free_symbols)
    wrong = {"sign": -expr, "factor": 2 * expr, "term": expr + x, "square": expr**2}[fault]
    assume(sympy.simplify(expr - wrong) != 0)
    verdict = equal(expr, wrong, budget=5)
    # relu(−3) or a product with zero may make them equal after all; then nothing may be said against it
    if verdict.status is Status.PROVED:
        assert fault in ("square", "sign", "factor")
    else:
        assert verdict.status in (Status.REFUTED, Status.CONDITIONAL), str(verdict)
        assert verdict.witness is not None
