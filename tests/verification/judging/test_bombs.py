"""A formula that would take all time costs its own budget, and the formulas around it nothing."""

from __future__ import annotations

import pytest
from support.bombs import BOMBS, LONG, MACROS

from symdl.verification.documents import read_text
from symdl.verification.judging.judge import judge
from symdl.verification.judging.process import Task
from symdl.verification.judging.workers import verdicts
from symdl.verification.verdict import Status

#: These take what they are given; the others are given up, or decided, at once.
QUICK = {name: text for name, text in BOMBS.items() if name not in LONG}


def judged(text, seconds):
    document = read_text(text, "markdown")
    steps = verdicts(Task((document,), judge, seconds=seconds, megabytes=512), jobs=1)
    return [judged for step in steps for judged in step.judged]


def page(texts):
    """Each formula between a definition and a claim of its own."""
    parts = (f"$$ y_{{{k}}} = {k} x $$\n\n$$ {t} $$\n\n$$ y_{{{k}}} - x = {k - 1} x $$" for k, t in enumerate(texts, 2))
    return "\n\n".join(parts)


def test_bombs_cost_their_own_budget():
    texts = [*QUICK.values(), LONG["products"], LONG["functions of functions"]]
    found = judged(page(texts), 0.4)
    assert len(found) == 3 * len(texts)
    assert {j.status for j in found[0::3]} == {Status.DEFINITION}
    assert {j.status for j in found[2::3]} == {Status.PROVED}
    for bomb in found[1::3]:
        assert bomb.status not in (Status.PROVED, Status.CONSISTENT), bomb
        assert "the checker fails here" not in bomb.verdict.reason, bomb
    out_of_time = [j for j in found[1::3] if "out of time" in j.verdict.reason]
    assert len(out_of_time) <= 6, [j.latex[:60] for j in out_of_time]


@pytest.mark.parametrize("kind", ["markdown", "latex"])
def test_macros_without_an_end_cost_what_they_stand_in(kind):
    document = read_text(MACROS + r"$x + x = 2 x$, $\h = 1$, $\r = 1$, $\s{x} = 1$ and $3 x - x = 2 x$", kind)
    found = {judged.latex: judged.status for _, judged in judge(document)}
    assert found["x + x = 2 x"] is found["3 x - x = 2 x"] is Status.PROVED
    assert max(map(len, found)) < 100_000
    assert document.problems
