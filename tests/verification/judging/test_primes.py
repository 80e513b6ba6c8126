r"""\tanh'(x) is the derivative of tanh, and not tanh: slopes from tables of derivatives."""

from __future__ import annotations

import pytest

from symdl.verification.documents import read_text
from symdl.verification.judging.judge import judge

SLOPES = [
    (r"\tanh'(x) = 1 - \tanh(x)^2", "proved"),
    (r"\sin' x = \cos x", "proved"),
    (r"\exp'(2x) = \exp(2x)", "proved"),
    (r"\tanh''(x) = -2\tanh(x)(1 - \tanh^2(x))", "proved"),
    (r"\log_2'(x) = \frac{1}{x \log 2}", "proved"),
    (r"\sin'(x) = \sin(x)", "refuted"),
    (r"\cos'(x) = \sin(x)", "refuted"),
    (r"\exp'(2x) = 2\exp(2x)", "refuted"),
    (r"\operatorname{softmax}'(x) = x", "undecided"),
]


@pytest.mark.parametrize(("latex", "status"), SLOPES)
def test_primes_of_named_operators(latex, status):
    ((_, judged),) = judge(read_text(f"$$\n{latex}\n$$\n", "markdown"))
    assert judged.status == status
