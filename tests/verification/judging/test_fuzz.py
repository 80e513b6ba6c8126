"""Random texts through the whole judge: `python -m benchmarks.fuzz` does the same with a million of them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from support.fuzzing import SIZE, document, failures, file, judged

from symdl.verification.documents.spans import Document, Span


def test_no_text_makes_the_checker_fail():
    made = [document(7, n) for n in range(8)] + [file(7, n) for n in range(40)]
    steps = list(judged([d for d, _ in made], 10.0))
    assert len(steps) == sum(len(kinds) for _, kinds in made) > 8 * SIZE
    assert [reason for step in steps for reason in failures(step)] == []


GROWING = [rf"{a} = {b} + \sin({b})" for a, b in pairwise("abcdghklmpqrstuvwxyz")]
ONCE = {
    "a subscript with a point": [r"{\theta}_{0.5} \le A^T"],
    "the slope of a floor": [r"y = \lfloor x \rfloor^2", r"\frac{dy}{dx} > 1"],
    "a division by 0 at a point": [r"\sum_{i=0}^{n-1} x_i \le \lfloor \frac{x_0}{m} \rfloor \min(0, \log(f(x)))"],
    "a condition without a value": [r"x_i < \log(\nabla_w \sin 3)", r"f(x) := f(\eta, 2) \approx \frac{m^3}{3}"],
    "definitions that grow": [*GROWING, r"\frac{\partial a}{\partial z} \le 1"],
}


@pytest.mark.parametrize("texts", ONCE.values(), ids=ONCE)
def test_what_made_it_fail_once(texts):
    spans = tuple(Span("a.md", k + 1, 1, "display", text, text, block=k) for k, text in enumerate(texts))
    steps = list(judged([Document("a.md", "markdown", "", spans)], 10.0))
    assert [reason for step in steps for reason in failures(step)] == []
