"""`equal`: the verdict on two scalars, index expressions, definitions or derivations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from symdl.core.deadlines import now
from symdl.core.definitions import Definition
from symdl.core.tensors import Element, Reduction, Tensor
from symdl.derivation.steps import Derivation
from symdl.errors import DefinitionError
from symdl.verification.indexed import decide_definitions, decide_indexed
from symdl.verification.scalars import ALL_POINTS, decide_scalars
from symdl.verification.verdict import Status, Verdict, weakest

#: Seconds for one claim.
BUDGET = 20.0
#: SymPy and this checker recurse: what is nested deeper than this is not decided.
DEEPEST = 120


def equal(
    left: Any,
    right: Any,
    *,
    domain: Sequence[Any] | None = None,
    points: int = ALL_POINTS,
    seed: int = 0,
    budget: float = BUDGET,
) -> Verdict:
    """Decide whether two things are equal for all real values.

    Args:
        left, right: two scalar expressions (numbers, symbols, tensor elements, sums over indices), two `Definition`s
            (outputs of the same name are compared, or in order where no name is shared; inputs go by name), or two
            `Derivation`s (their gradients).
        domain: relations between scalars that the claim may assume, such as `[x > 0]`.
        points: how many points are tried where there is no proof.
        seed: of the points.
        budget: seconds for each compared output.

    Returns:
        `proved`, `consistent`, `refuted` (with a witness), `conditional` or `undecided`; see `Verdict`.

    >>> x = sympy.Symbol("x")
    >>> print(equal(1 / (1 + sympy.exp(-x)), (1 + sympy.tanh(x / 2)) / 2))
    proved for all real x (normal form)
    >>> equal(1 - 1 / (1 + sympy.exp(-x)), 1 / (1 + sympy.exp(-x))).status
    <Status.REFUTED: 'refuted'>
    >>> print(equal(sympy.sqrt(sympy.Symbol("x", real=True) ** 2), x).reason)
    equal where x ≥ 0, which is not stated
    """
    started = now()
    options = {"seed": seed, "points": points, "budget": budget}
    if isinstance(left, (Definition, Derivation)) or isinstance(right, (Definition, Derivation)):
        return _equal_outputs(left, right, started, options)
    first, second = _scalar(left), _scalar(right)
    conditions = tuple(_relation(c) for c in domain or ())
    deadline = started + budget
    too_deep = next((e for e in (first, second) if depth_of(e) > DEEPEST), None)
    if too_deep is not None:
        reason = f"an expression is nested more than {DEEPEST} deep"
        return Verdict(Status.UNDECIDED, "none", "the expressions as given", None, reason, now() - started)
    if _indexed(first) or _indexed(second):
        return decide_indexed(
            first, second, domain=conditions, seed=seed, points=points, deadline=deadline, started=started
        )
    return decide_scalars(
        first, second, domain=conditions, seed=seed, points=points, deadline=deadline, started=started
    )


def depth_of(expr: sympy.Basic) -> int:
    """How deep an expression is nested, without recursion."""
    depth, row = 0, [expr]
    while row and depth <= DEEPEST:
        depth += 1
        row = list({a for node in row for a in node.args})
    return depth


def _scalar(value: Any) -> sympy.Expr:
    if isinstance(value, Tensor):
        return value._sympy_()
    if isinstance(value, str):
        raise DefinitionError("text is not compared", why="it would have to be parsed", remedy="pass expressions")
    expr = sympy.sympify(value, strict=True)
    if not isinstance(expr, sympy.Expr):
        raise DefinitionError(f"{type(value).__name__} is no scalar expression", remedy="compare expressions")
    return expr


def _relation(condition: Any) -> Any:
    if not isinstance(condition, sympy.core.relational.Relational):
        raise DefinitionError(f"{condition} is no domain", remedy="give relations such as x > 0")
    return condition


def _indexed(expr: sympy.Expr) -> bool:
    return (
        bool(expr.has(Reduction))
        or any(not s.is_Integer for e in expr.atoms(Element) for s in e.subscripts)
        or any(True for _ in expr.atoms(sympy.Dummy))
    )


def _equal_outputs(left: Any, right: Any, started: float, options: dict[str, Any]) -> Verdict:
    a, outputs_a = _outputs(left)
    b, outputs_b = _outputs(right)
    shared = [(name, name) for name in outputs_a if name in outputs_b]
    if len(outputs_a) != len(outputs_b) and not shared:
        raise DefinitionError(
            "the two sides have no output in common",
            why=f"{', '.join(outputs_a)} against {', '.join(outputs_b)}",
            remedy="rename the outputs, or cut the definitions down with .only(…)",
        )
    longest = max(len(outputs_a), len(outputs_b))
    pairs = shared if len(shared) == longest else list(zip(outputs_a, outputs_b, strict=False))
    if len(pairs) < longest:
        raise DefinitionError(
            "one side has more outputs than the other",
            why=f"{', '.join(outputs_a)} against {', '.join(outputs_b)}",
            remedy="cut the longer one down with .only(…)",
        )
    verdicts = decide_definitions(a, b, pairs, **options)
    return weakest(verdicts, now() - started)


def _outputs(side: Any) -> tuple[Definition, list[str]]:
    if isinstance(side, Derivation):
        return side.gradient, [side.names[name] for name in side.wrt]
    if isinstance(side, Definition):
        return side, list(side.outputs)
    raise DefinitionError(
        f"a {type(side).__name__} is compared with a definition", remedy="compare two definitions, or two expressions"
    )
