"""Coq accepts what is right and nothing else; skipped, and said so, where there is no Coq."""

from __future__ import annotations

import json
import time

import pytest
import sympy

import symdl as sd
from symdl.cli import main
from symdl.errors import MissingDependencyError
from symdl.library.activations import gelu, mish, relu, sigmoid, tanh
from symdl.verification.coq import runner
from symdl.verification.coq.files import File
from symdl.verification.coq.runner import Checked, check, check_all
from symdl.verification.coq.theorems import slope
from symdl.verification.coq.writer import Writer

needs_coq = pytest.mark.skipif(not runner.coqc(), reason="there is no coqc: proofs are not checked here")

X, Y = sympy.symbols("x y", real=True)
TRUE = "From Coq Require Import Reals. Open Scope R_scope.\n"


def file_of(f: sympy.Expr, derivative: sympy.Expr, *domain: sympy.Basic) -> tuple[str, dict[str, str]]:
    writer = Writer()
    made = File(slope("claim", f, X, derivative, domain, writer), writer)
    return made.text, made.statements


#: f, its slope, and a slope that is wrong in one place.
SLOPES = {
    "sigmoid": (sigmoid(X), sigmoid(X) * (1 - sigmoid(X)), sigmoid(X) * (1 + sigmoid(X))),
    "tanh": (tanh(X), 1 - sympy.tanh(X) ** 2, 1 + sympy.tanh(X) ** 2),
    "mish": (mish(X), mish(X).diff(X), mish(X).diff(X) + X / 1000),
    "gelu": (gelu(X), gelu(X).diff(X), gelu(X).diff(X).subs(sympy.pi, 3)),
    "relu": (relu(X), relu(X).diff(X), relu(X).diff(X) + sd.switch(X, 1, 0, kink="left")),
    "square": ((10 - X) ** 2, -2 * (10 - X), 2 * (10 - X)),
    "log": (sympy.log(X), 1 / X, 1 / (2 * X)),
    "power": (X**Y, Y * X ** (Y - 1), X ** (Y - 1)),
    "root": (sympy.sqrt(2 * X - 27), 1 / sympy.sqrt(2 * X - 27), 2 / sympy.sqrt(2 * X - 27)),
    "bent_tanh": (relu(sympy.tanh(X)), relu(sympy.tanh(X)).diff(X), 2 * relu(sympy.tanh(X)).diff(X)),
    "wave": (sympy.sin(2 * X), 2 - 4 * sympy.sin(X) ** 2, 2 - 2 * sympy.sin(X) ** 2),
}


@pytest.fixture(scope="module")
def answers() -> dict[str, Checked]:
    """All right and wrong slopes, in one go."""
    files = {}
    for name, (f, right, wrong) in SLOPES.items():
        files[f"right_{name}"], files[f"wrong_{name}"] = file_of(f, right), file_of(f, wrong)
    return check_all(files, jobs=2)


@needs_coq
@pytest.mark.parametrize("name", SLOPES)
def test_a_right_slope_is_accepted(name: str, answers: dict[str, Checked]) -> None:
    answer = answers[f"right_{name}"]
    assert answer.accepted, answer.reason
    assert set(answer.axioms) <= set(runner.STANDARD) and answer.axioms


@needs_coq
@pytest.mark.parametrize("name", SLOPES)
def test_a_wrong_slope_is_not(name: str, answers: dict[str, Checked]) -> None:
    """The planted fault: one sign, factor, summand or constant."""
    answer = answers[f"wrong_{name}"]
    assert not answer.accepted and "Error" in answer.reason and not answer.axioms


#: Files that end well for coqc, or look as if they did, and prove nothing.
FRAUDS = {
    "admitted": "Theorem claim : 0 = 1. Admitted.",
    "admit": "Theorem claim : 0 = 1. Proof. admit. Admitted.",
    "axiom": "Axiom easy : 0 = 1. Theorem claim : 0 = 1. Proof. exact easy. Qed.",
    "variable": "Section S. Variable easy : 0 = 1. Theorem claim : 0 = 1. Proof. exact easy. Qed. End S.",
    "another statement": "Theorem claim : 0 = 0. Proof. reflexivity. Qed.",
    "another equality": 'Definition eq (a b : R) := True. Notation "a = b" := (eq a b). '
    "Theorem claim : 0 = 1. Proof. exact I. Qed.",
    "a comment without end": "Theorem claim : 0 = 1. Admitted. (*",
    "the name of a standard axiom": "Module Classical_Prop. Axiom classic : 0 = 1. End Classical_Prop. "
    "Theorem claim : 0 = 1. Proof. exact Classical_Prop.classic. Qed.",
    "no proof": "Theorem claim : 0 = 1. Proof. Abort. Theorem claim : 0 = 1. Proof.",
    "nothing": "",
}


@needs_coq
def test_frauds_are_refused() -> None:
    files = {f"f{k}": (TRUE + text, {"claim": "0 = 1"}) for k, text in enumerate(FRAUDS.values())}
    for fraud, answer in zip(FRAUDS, check_all(files, jobs=2).values(), strict=True):
        assert not answer.accepted and answer.reason, fraud


@needs_coq
def test_frauds_are_refused_by_the_kernel_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the list of words that are refused: what is printed of axioms alone tells."""
    monkeypatch.setattr(runner, "_REFUSED", runner.re.compile(r"(?!)"))
    names = ("admitted", "axiom", "the name of a standard axiom")
    files = {f"f{k}": (TRUE + FRAUDS[name], {"claim": "0 = 1"}) for k, name in enumerate(names)}
    files["good"] = TRUE + "Theorem claim : 1 = 1. Proof. reflexivity. Qed.", {"claim": "1 = 1"}
    answers = check_all(files, jobs=2)
    assert [a.accepted for a in answers.values()] == [False, False, False, True]
    assert all("no axiom of the real numbers" in answers[f"f{k}"].reason for k in range(3))


@needs_coq
def test_time_is_limited() -> None:
    endless = TRUE + "Ltac again := idtac; again.\nTheorem claim : 0 = 1. Proof. again. Qed."
    started = time.monotonic()
    answer = check(endless, {"claim": "0 = 1"}, seconds=2)
    assert not answer.accepted and "longer than 2 s" in answer.reason and time.monotonic() - started < 10


@needs_coq
def test_memory_is_limited() -> None:
    answer = check(TRUE + "Theorem claim : 0 = 0. Proof. reflexivity. Qed.", {"claim": "0 = 0"}, memory=40 << 20)
    assert not answer.accepted and answer.reason


@needs_coq
def test_verdicts() -> None:
    verdict = sd.proved_by_coq(sympy.Max(X, Y), (X + Y + sympy.Abs(X - Y)) / 2)
    assert verdict.proved and verdict.scope == "all real x, y" and verdict.method == f"Coq {runner.version()}"
    verdict = sd.derivative_by_coq(relu(X), X, sympy.Heaviside(X))
    assert verdict.proved and verdict.scope == "all real x with x < 0 or x > 0"
    verdict = sd.proved_by_coq(sympy.sqrt(X**2), X)
    assert verdict.status is sd.Status.UNDECIDED  # false for x < 0; failing to prove refutes nothing


@needs_coq
def test_command(capsys: pytest.CaptureFixture[str], tmp_path: object) -> None:
    assert main(["prove", "silu", "hinge", "--json", "--jobs", "2", "-o", str(tmp_path)]) == 0
    silu, bounds, hinge = json.loads(capsys.readouterr().out)
    assert silu["status"] == hinge["status"] == "proved" and silu["method"].startswith("Coq ")
    assert bounds["status"] == "proved" and bounds["theorems"][0]["scope"] == "all real x with x ≥ -8 and x ≤ 8"
    assert [t["name"] for t in hinge["theorems"]] == ["hinge_slope_1", "hinge_slope_2"]


def test_command_without_coq(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(runner, "coqc", lambda: "")
    runner.version.cache_clear()
    try:
        assert main(["prove", "silu"]) == 2
        assert "install Coq" in capsys.readouterr().err
        with pytest.raises(MissingDependencyError):
            runner.version()
        verdict = sd.proved_by_coq(X, X)
        assert verdict.status is sd.Status.UNDECIDED and "no coqc" in verdict.reason
    finally:
        runner.version.cache_clear()


def test_command_says_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove"]) == 2 and main(["prove", "nothing_of_that_name"]) == 2
    assert main(["prove", "--list"]) == 0
    assert "gelu_tanh" in capsys.readouterr().out
