"""`symdl check --prove`: what was proved is put to Coq's kernel, and Coq can only confirm."""

from __future__ import annotations

import pytest

import symdl as sd
from symdl.cli import main
from symdl.verification import Status, Verdict
from symdl.verification.coq import runner
from symdl.verification.documents import read_text
from symdl.verification.judging import machine
from symdl.verification.judging.judge import judge

needs_coq = pytest.mark.skipif(not runner.coqc(), reason="there is no coqc: proofs are not checked here")

NOTES = r"""
Let $a(x) = \frac{1}{1 + e^{-x}}$. Then $a'(x) = (1 - a(x)) a(x)$ and $\tanh(x) = 2 a(2x) - 1$, with

$$
\frac{\partial}{\partial w} (t - w x)^2 = -2 (t - w x) x
$$

and $\sum_{i=1}^n y_i = \sum_{k=1}^n y_k$ and $2 + 2 = 4$ and $a'(x) = a(x)$.
"""


@needs_coq
def test_slopes_and_equalities_are_proved_by_coq(tmp_path):
    (tmp_path / "notes.md").write_text(NOTES)
    report = sd.check(tmp_path / "notes.md", prove=True)
    coq = f"Coq {runner.version()}"
    assert [(str(j.status), j.verdict.method == coq) for j in report] == [
        ("definition", False),
        ("proved", True),
        ("proved", True),
        ("proved", True),
        ("proved", False),
        ("proved", False),
        ("refuted", False),
    ]
    assert report.judged[1].verdict.scope == "all real x"
    assert "not checked by Coq" in report.judged[4].verdict.reason and not report.judged[5].verdict.reason


def asked(monkeypatch, latex, answer=None):
    """What Coq is asked about a formula, and the verdict where it answers so."""
    calls = []

    def slope(f, x, claimed, domain, *, seconds):
        calls.append(("slope", str(f), str(x), str(claimed), seconds))
        return answer

    def equality(left, right, domain, *, seconds):
        calls.append(("equal", str(left), str(right), [str(d) for d in domain], seconds))
        return answer

    monkeypatch.setattr(machine.coq, "derivative_by_coq", slope)
    monkeypatch.setattr(machine.coq, "proved_by_coq", equality)
    found = [judged for _, judged in judge(read_text(latex, "markdown"), prove=True)]
    return calls, found[-1].verdict


def test_what_coq_is_asked(monkeypatch):
    no = Verdict(Status.UNDECIDED, "Coq", "the claim", reason="no tactic ends it")
    calls, verdict = asked(monkeypatch, r"$f(x) = x^3$ so that $f'(x) = 3 x^2$", no)
    assert [c[:4] for c in calls] == [("slope", "x**3", "x", "3*x**2")] and calls[0][-1] <= machine.RUN
    assert verdict.status is Status.PROVED and verdict.reason.endswith("not checked by Coq: no tactic ends it")
    calls, _ = asked(monkeypatch, r"For $x > 0$, $\log(2 x) = \log 2 + \log x$.", no)
    assert calls[0][0] == "equal" and calls[0][3] == ["x > 0"]
    calls, _ = asked(monkeypatch, r"$f(x) = x^3$ so that $f''(x) = 6 x$", no)
    assert calls[0][:3] == ("equal", "6*x", "6*x")


@pytest.mark.parametrize("latex", ["$x + x = 3 x$", "$2 + 2 = 5$", "$2 + 2 = 4$", "$x^2 < -1$"])
def test_what_is_not_put_to_coq(monkeypatch, latex):
    yes = Verdict(Status.PROVED, "Coq", "all real x")
    calls, verdict = asked(monkeypatch, latex, yes)
    assert not calls and verdict.method != "Coq"


def test_out_of_time(monkeypatch):
    monkeypatch.setattr(machine, "SECONDS", 0.0)
    calls, verdict = asked(monkeypatch, "$x + x = 2 x$")
    assert not calls and verdict.status is Status.PROVED and "not checked by Coq: out of time" in verdict.reason


def test_without_coq_nothing_is_judged(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(runner, "coqc", lambda: "")
    runner.version.cache_clear()
    path = tmp_path / "notes.md"
    path.write_text("$1 + 1 = 2$\n")
    assert main(["check", str(path), "--prove"]) == 2
    out, err = capsys.readouterr()
    runner.version.cache_clear()
    assert not out and "no coqc" in err and "libcoq-coquelicot" in err
