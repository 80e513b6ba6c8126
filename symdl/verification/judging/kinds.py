"""Links that are judged by what they are about: a slope at one step, a largest value, an integral without limits,
a quantity that grows with another one."""

from __future__ import annotations

from symdl.verification.judging.antiderivatives import antiderivative
from symdl.verification.judging.extremes import extreme
from symdl.verification.judging.graphs import Judging
from symdl.verification.judging.infinity import at_infinity
from symdl.verification.judging.onestep import wrong_at_one_step
from symdl.verification.judging.proportions import proportional
from symdl.verification.meaning.stated import Meaning
from symdl.verification.verdict import Verdict

_WAYS = (wrong_at_one_step, extreme, antiderivative, proportional, at_infinity)


def of_its_kind(judge: Judging, link: Meaning) -> Verdict | None:
    """The first verdict that one of them gives, for the link or against it; None where it is of none of these kinds."""
    return next((found for way in _WAYS if (found := way(judge, link)) is not None), None)
