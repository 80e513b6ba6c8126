"""Verdicts from Coq's kernel on an equality or a slope.

>>> x = sympy.Symbol("x", real=True)
>>> proved_by_coq(x, x + sympy.gamma(x)).reason
"'gamma' has no form in Coq here"
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import sympy
from sympy.core.relational import Relational

from symdl.errors import DefinitionError, MissingDependencyError, UnsupportedError
from symdl.verification.coq.domains import in_words
from symdl.verification.coq.files import File
from symdl.verification.coq.runner import SECONDS, check, version
from symdl.verification.coq.theorems import Theorem, equality, slope
from symdl.verification.coq.writer import Writer
from symdl.verification.verdict import Status, Verdict


def proved_by_coq(left: Any, right: Any, domain: Sequence[Any] = (), *, seconds: float = SECONDS) -> Verdict:
    """Have Coq prove that two scalar expressions are equal.

    Args:
        left, right: expressions in symbols or tensor elements, all of them real; kinked functions are compared at
            their kinks too.
        domain: relations that may be assumed, such as `[x > 0]`, beside those that symbols state of themselves.
        seconds: for coqc.

    Returns:
        `proved`, or `undecided` with the reason: failing to prove refutes nothing. The scope names what was assumed,
        and where the formulas have to have a value.

    >>> x = sympy.Symbol("x", real=True)
    >>> print(proved_by_coq(sympy.tanh(x), 1 - 2 / (1 + sympy.exp(2 * x))))  # doctest: +SKIP
    proved for all real x (Coq 8.16.1)
    """
    first, second, conditions = _scalar(left), _scalar(right), _relations(domain)
    return _verdict(lambda w: (equality("claim", first, second, conditions, w),), seconds)


def derivative_by_coq(
    f: Any, x: Any, derivative: Any, domain: Sequence[Any] = (), *, seconds: float = SECONDS
) -> Verdict:
    """Have Coq prove that the derivative of f by x is what is claimed; away from kinks where f has some.

    Args:
        f, derivative: scalar expressions.
        x: the variable.
        domain, seconds: as for `proved_by_coq`.
    """
    function, variable, claimed, conditions = _scalar(f), _scalar(x), _scalar(derivative), _relations(domain)
    return _verdict(lambda w: slope("claim", function, variable, claimed, conditions, w), seconds)


def _verdict(state: Callable[[Writer], tuple[Theorem, ...]], seconds: float) -> Verdict:
    started, writer = time.monotonic(), Writer()
    try:
        made = File(state(writer), writer)
        checked = check(made.text, made.statements, seconds=seconds)
    except (UnsupportedError, MissingDependencyError) as error:
        return Verdict(Status.UNDECIDED, "Coq", "the claim", None, error.what, time.monotonic() - started)
    took = time.monotonic() - started
    if checked.accepted:
        return Verdict(Status.PROVED, f"Coq {version()}", scope(made.parts), None, "", took)
    return Verdict(Status.UNDECIDED, f"Coq {version()}", scope(made.parts), None, checked.reason, took)


def scope(theorems: Sequence[Theorem]) -> str:
    """What theorems speak of, in words.

    >>> x = sympy.Symbol("x", real=True)
    >>> scope(slope("square", x**2, x, 2 * x, [], Writer())), scope(slope("log", sympy.log(x), x, 1 / x, [], Writer()))
    ('all real x', 'all real x with x > 0')
    """
    variables = dict.fromkeys(v for t in theorems for v in t.variables)
    names = ", ".join(map(str, variables))
    conditions = [in_words(t.relations) for t in theorems]
    with_ = " or ".join(conditions) if all(conditions) else ""
    return (f"all real {names}" if names else "these numbers") + (f" with {with_}" if with_ else "")


def _scalar(value: Any) -> sympy.Expr:
    if isinstance(value, str):
        raise DefinitionError("text is not proved", why="it would have to be parsed", remedy="pass expressions")
    expr = sympy.sympify(value, strict=True)
    if not isinstance(expr, sympy.Expr):
        raise DefinitionError(f"{type(value).__name__} is no scalar expression", remedy="pass expressions")
    return expr


def _relations(domain: Sequence[Any]) -> list[sympy.Basic]:
    for condition in domain:
        if condition not in (True, sympy.true) and not isinstance(condition, Relational):
            raise DefinitionError(f"{condition} is no domain", remedy="give relations such as x > 0")
    return [c for c in domain if isinstance(c, Relational)]
