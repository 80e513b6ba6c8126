"""Recurrences of vectors at numbered steps: 𝐡_t = f(W 𝐡_{t−1} + U 𝐱_t) as vectors of their own, 𝐡_1, 𝐡_2 and 𝐡_3."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import sympy

from symdl.core.tensors import Element
from symdl.verification.meaning.arrays import Array, scalar
from symdl.verification.meaning.names import is_transpose
from symdl.verification.meaning.scope import Formula, Scope, element, resized
from symdl.verification.meaning.steps import at_steps
from symdl.verification.meaning.values import written_out
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node

_Key = tuple[str, int]


def timed(scope: Scope) -> set[_Key]:
    """Names that are counted by steps, with their numbers of subscripts: states that are vectors, and all beside them.

    Nothing where no vector is made of itself at the step before.
    """
    states = {key for key, f in scope.formulas.items() if key[1] == 2 and f.recurrent and _in_time(key[0], f)}
    found = set(states)
    while states:
        more = {key for key, f in scope.formulas.items() if key not in found and _with_time(f, found)}
        more |= {key for name in found for key in _read_at_a_step(scope, name)} - found
        if not more:
            break
        found |= more
    return found


def _in_time(name: str, formula: Formula) -> bool:
    """Whether the first subscript alone is another one in what a name is made of."""
    time, *others = formula.value.axes
    own = [e for e in formula.value.body.atoms(Element) if e.name == name and len(e.subscripts) == len(others) + 1]
    return all((e.subscripts[0] - time).is_Integer for e in own)


def _with_time(formula: Formula, known: set[_Key]) -> bool:
    if not formula.value.axes or formula.given:
        return False
    time = formula.value.axes[0]
    read = [e for e in formula.value.body.atoms(Element) if (e.name, len(e.subscripts)) in known]
    return bool(read) and all((e.subscripts[0] - time).is_Integer for e in read)


def _read_at_a_step(scope: Scope, key: _Key) -> set[_Key]:
    """x_t of what is made of it."""
    formula = scope.formulas.get(key)
    if formula is None:
        return set()
    time = formula.value.axes[0]
    read = (e for e in formula.value.body.atoms(Element) if e.subscripts)
    return {(e.name, len(e.subscripts)) for e in read if (e.subscripts[0] - time).is_Integer}


def stepped_vectors(
    scope: Scope, names: set[_Key], last: int, counts: Mapping[sympy.Expr, sympy.Expr]
) -> tuple[Scope, set[str]]:
    """The scope with such names as vectors of their own up to some number, and what they are called."""
    made = scope.copy()
    made.formulas = {k: f for k, f in scope.formulas.items() if k not in names}
    made.entries = {k: f for k, f in scope.entries.items() if (k[0], len(k[1])) not in names}
    made.ranks = dict(scope.ranks)
    bases = {f"{name}_{k}": scope.base(name) for name, _ in names for k in range(last + 1)}
    made.base = lambda name: bases[name] if name in bases else scope.base(name)
    for name, rank in sorted(names):
        for k in range(last + 1):
            called = f"{name}_{k}"
            made.ranks[called] = {rank - 1}
            for axis in range(rank - 1):
                made.extents[called, axis, rank - 1] = scope.extent(name, axis + 1, rank)
                made.where[called, axis, rank - 1] = scope.section[:2]
            value = _at(scope.formulas.get((name, rank)), k, names)
            if value is not None:
                formula = scope.formulas[name, rank]
                made.formulas[called, rank - 1] = replace(
                    formula, value=value, starts=formula.starts[1:], recurrent=False
                )
    for (name, rank), formula in scope.formulas.items():
        if rank == 0 and not formula.given:
            body = written_out(resized(scope.settled(formula.value.body), lambda s: counts.get(s, s)))
            made.formulas[name, 0] = replace(formula, value=scalar(_renamed(body, names)))
    return made, set(bases)


def _at(formula: Formula | None, k: int, names: set[_Key]) -> Array | None:
    """The value at a number; None where there is none, or it needs what is before the first one."""
    if formula is None or k < formula.starts[0]:
        return None
    value = formula.value.fresh()
    body = value.body.xreplace({value.axes[0]: sympy.Integer(k - formula.starts[0])})
    read = (e for e in body.atoms(Element) if (e.name, len(e.subscripts)) in names)
    if any(not e.subscripts[0].is_Integer or e.subscripts[0] < 0 for e in read):
        return None
    return Array(value.axes[1:], _renamed(body, names))


def _renamed(body: sympy.Expr, names: set[_Key]) -> sympy.Expr:
    read = (e for e in body.atoms(Element) if (e.name, len(e.subscripts)) in names and e.subscripts[0].is_Integer)
    return body.xreplace({e: element(f"{e.name}_{e.subscripts[0]}", e.subscripts[1:]) for e in read})


def at_vector_steps(node: Node, numbers: Mapping[str, int]) -> Node:
    """A formula with numbers for letters, and powers of matrices as products.

    Raises:
        MeaningError: a subscript below 0, or limits that are no numbers.

    >>> from symdl.verification.notation import parse, unicode
    >>> unicode(at_vector_steps(parse(r"\\sum_{i=2}^T (W^T)^{T-i} a_i"), {"T": 4}))
    '(((Wᵀ) · (Wᵀ)a₂) + ((Wᵀ)a₃) + a₄)'
    """
    return _without_powers(at_steps(_turned(node), numbers))


def _turned(node: Node) -> Node:
    """Wᵀ with a sign that is no letter."""
    if isinstance(node, tree.Scripted) and is_transpose(node.sup):
        return replace(node, base=_turned(node.base), sup=tree.Symbol("⊤"))
    return tree.mapped(node, _turned)


def _without_powers(node: Node) -> Node:
    node = tree.mapped(node, _without_powers)
    if not isinstance(node, tree.Product):
        return node
    factors, ops = list[Node](), list[str]()
    for op, factor in zip(("", *node.ops), node.factors, strict=True):
        count = _power(factor)
        times = [factor] if count is None else [_without_sup(factor)] * count
        for each in times:
            ops += ["·" if count is not None and op == "" else op] if factors else []
            factors.append(each)
    if not factors:
        return tree.Number("1")
    return factors[0] if len(factors) == 1 else tree.Group(tree.Product(tuple(factors), tuple(ops)))


def _is_matrix(base: Node) -> bool:
    """Whether W or (Wᵀ) stands there."""
    inner = base.body if isinstance(base, tree.Group) else base
    name = inner.base if isinstance(inner, tree.Scripted) else inner
    return isinstance(name, tree.Symbol) and name.name[:1].isupper()


def _without_sup(node: Node) -> Node:
    assert isinstance(node, tree.Scripted)
    return node.base if node.sub is None else replace(node, sup=None)


def _power(node: Node) -> int | None:
    """3 of W³, and of W⁴⁻¹."""
    if not isinstance(node, tree.Scripted) or node.primes or not _is_matrix(node.base):
        return None
    terms = node.sup.terms if isinstance(node.sup, tree.Sum) else (("+", node.sup),)
    if not all(isinstance(n, tree.Number) and n.text.isdigit() for _, n in terms):
        return None
    found = sum(int(n.text) * (-1 if sign == "-" else 1) for sign, n in terms if isinstance(n, tree.Number))
    return found if 0 <= found <= 8 else None
