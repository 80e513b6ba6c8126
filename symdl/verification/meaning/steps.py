"""Recurrences at numbered steps: h_t = f(x_t, h_{t−1}, w) as h_1, h_2 and h_3, which are names of their own then.

A derivative through all steps is an ordinary one there, and Σ and Π over the steps are written out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import sympy

from symdl.core.tensors import Element
from symdl.verification.meaning.arrays import scalar
from symdl.verification.meaning.errors import MeaningError
from symdl.verification.meaning.scope import Formula, Scope, element, resized
from symdl.verification.meaning.values import written_out
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node

#: The step that a letter stands for, and the number of all steps. Formulas are put in for so many of them.
STEP, STEPS = 3, 4


def at_steps(node: Node, numbers: Mapping[str, int]) -> Node:
    """A formula with numbers for letters, its sums and products over numbers written out.

    Raises:
        MeaningError: a subscript below 0, or limits that are no numbers.

    >>> from symdl.verification.notation import parse, unicode
    >>> unicode(at_steps(parse(r"\\sum_{i=1}^{t-1} (\\prod_{j=i+1}^t c_j) b_i"), {"t": 3}))
    '(((c₂ · c₃))b₁ + ((c₃))b₂)'
    """
    if isinstance(node, tree.Symbol) and node.name in numbers and not node.face:
        return tree.Number(str(numbers[node.name]))
    if isinstance(node, tree.Big) and node.op in ("sum", "prod") and node.sup is not None:
        return _written_out(node, numbers)
    if isinstance(node, tree.Scripted) and node.sub is not None:
        node = replace(node, sub=_worked_out(at_steps(node.sub, numbers)))
        return tree.mapped(node, lambda inner: at_steps(inner, numbers), but="sub")
    return tree.mapped(node, lambda inner: at_steps(inner, numbers))


def _written_out(node: tree.Big, numbers: Mapping[str, int]) -> Node:
    sub = node.sub
    if not (isinstance(sub, tree.Chain) and sub.relations == ("=",) and isinstance(sub.sides[0], tree.Symbol)):
        raise MeaningError("limits that are no numbers")
    assert node.sup is not None
    first, last = (_number(at_steps(n, numbers)) for n in (sub.sides[1], node.sup))
    if last - first > 2 * STEPS:
        raise MeaningError("too many steps")
    bodies = [at_steps(node.body, {**numbers, sub.sides[0].name: k}) for k in range(first, last + 1)]
    if not bodies:
        return tree.Number("0" if node.op == "sum" else "1")
    if node.op == "sum":
        return tree.Group(tree.Sum(tuple(("+", body) for body in bodies)))
    grouped = tuple(tree.Group(b) if isinstance(b, tree.Sum) else b for b in bodies)
    return tree.Group(tree.Product(grouped, ("·",) * (len(bodies) - 1)) if len(bodies) > 1 else grouped[0])


def _worked_out(sub: Node) -> Node:
    if isinstance(sub, tree.List):
        return replace(sub, items=tuple(map(_worked_out, sub.items)))
    try:
        return tree.Number(str(_number(sub)))
    except ValueError:
        return sub


def _number(node: Node) -> int:
    """Raises ValueError where it is none, and MeaningError where it is below 0."""
    if isinstance(node, tree.Number):
        return int(node.text)
    if isinstance(node, tree.Group):
        return _number(node.body)
    if not isinstance(node, tree.Sum):
        raise ValueError("no number")
    found = sum(_number(term) * (-1 if sign == "-" else 1) for sign, term in node.terms)
    if found < 0:
        raise MeaningError("a step before the first one")
    return found


def stepped(scope: Scope, last: int, counts: Mapping[sympy.Expr, sympy.Expr]) -> tuple[Scope, set[str]]:
    """The scope with names of one subscript as names of their own up to some number, and what they are called.

    Args:
        counts: numbers for numbers of things.
    """
    made = scope.copy()
    timed = {name for (name, rank), f in scope.formulas.items() if rank == 1 and not f.given}
    timed |= {e.name for n in timed for e in scope.formulas[n, 1].value.body.atoms(Element) if len(e.subscripts) == 1}
    made.formulas = {k: f for k, f in scope.formulas.items() if k[0] not in timed}
    made.entries = {k: f for k, f in scope.entries.items() if k[0] not in timed}
    for name in sorted(timed):
        formula = scope.formulas.get((name, 1))
        for k in range(last + 1):
            entry = scope.entries.get((name, (sympy.Integer(k),)))
            body = _entry(formula, k) if entry is None else entry.value.body
            if body is not None and (entry is None or not entry.value.axes):
                _bind(made, f"{name}_{k}", _renamed(body, timed), entry or formula)
    for (name, rank), formula in scope.formulas.items():
        if rank == 0 and not formula.given:
            body = written_out(resized(scope.settled(formula.value.body), lambda s: counts.get(s, s)))
            _bind(made, name, _renamed(body, timed), formula)
    return made, {f"{mark}{name}_{k}" for name in timed for k in range(last + 1) for mark in ("", "Δ")}


def _entry(formula: Formula | None, k: int) -> sympy.Expr | None:
    """The value at a number; None where there is none, or it needs what is before the first one."""
    if formula is None or k < formula.starts[0]:
        return None
    body = formula.value.at((sympy.Integer(k - formula.starts[0]),))
    before = any(s.is_Integer and s < 0 for e in body.atoms(Element) for s in e.subscripts)
    return None if before else body


def _renamed(body: sympy.Expr, timed: set[str]) -> sympy.Expr:
    own = (e for e in body.atoms(Element) if e.name in timed and len(e.subscripts) == 1 and e.subscripts[0].is_Integer)
    return body.xreplace({e: element(f"{e.name}_{e.subscripts[0]}") for e in own})


def _bind(scope: Scope, name: str, body: sympy.Expr, formula: Formula | None) -> None:
    assert formula is not None
    scope.formulas[name, 0] = replace(formula, value=scalar(body), starts=(), recurrent=False)
    scope.ranks = {**scope.ranks, name: {0}}
