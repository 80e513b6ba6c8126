"""Simplifications with a name: R5 reuse of forward values, R6 facts about data, and putting in what is known.

Each returns an expression equal to what it was given; the verifier can re-check every one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import sympy

from symdl.core.equations import Equation
from symdl.core.functions import Delta, ScalarFunction, Switch
from symdl.core.indices import Index
from symdl.core.tensors import Element, Fact, Reduction, elements_in, outermost_reductions, reduction
from symdl.derivation.deltas import contract

#: What a call of a transcendental function weighs against an addition, when two forms are compared.
FUNCTION_WEIGHT = 10


def weight(expr: sympy.Expr) -> int:
    """How heavy an expression is to read and to compute: operations, with functions counted as ten.

    >>> weight(sympy.Symbol("x") + 1), weight(sympy.exp(sympy.Symbol("x")))
    (1, 10)
    """
    total = 0
    for node in sympy.preorder_traversal(expr, keys=None):
        if isinstance(node, Element):
            continue
        if isinstance(node, (sympy.Add, sympy.Mul)):
            total += len(node.args) - 1 + sum(1 for a in node.args if a.is_Rational and abs(a) != 1)
        elif isinstance(node, sympy.Pow) and node.base != sympy.E:
            total += 1
        elif isinstance(node, Reduction):
            total += 2
        elif isinstance(node, (sympy.exp, sympy.Function)) and not isinstance(node, Switch):
            total += FUNCTION_WEIGHT
    return total


def divisions(expr: sympy.Expr) -> int:
    """How often an expression divides by a computed value, which may underflow to zero.

    >>> from symdl.core.tensors import Tensor
    >>> p, N = Tensor("p")._sympy_(), sympy.Symbol("N")
    >>> divisions(1 / (N * p)), divisions(1 / N)
    (1, 0)
    """
    powers = (node for node in sympy.preorder_traversal(expr) if isinstance(node, sympy.Pow))
    return sum(1 for node in powers if node.exp.could_extract_minus_sign() and node.base.has(Element))


def reuse(expr: sympy.Expr, equations: Iterable[Equation]) -> sympy.Expr:
    """R5: a subexpression that is the right-hand side of a pointwise equation becomes the tensor it defines.

    >>> from symdl.core.define import define, Input, let
    >>> @define
    ... def d(s=Input("n")):
    ...     (n,) = s.indices
    ...     return let("h[n]", sympy.tanh(s[n]))
    >>> n = d["s"].indices[0]
    >>> reuse(1 - sympy.tanh(d["s"][n]) ** 2, d.equations)
    1 - h[n]**2
    """
    present = {e.name for e in elements_in(expr)}
    for eq in equations:
        if not eq.used_names <= present or not eq.pointwise or not _worth_reusing(eq.rhs):
            continue
        for mapping in matches(eq, expr):
            body = eq.rhs.xreplace(mapping)
            expr = _replace(expr, body, eq.lhs.xreplace(mapping))
    return expr


def _worth_reusing(body: sympy.Expr) -> bool:
    return bool(body.has(sympy.exp, sympy.Function) or body.is_Mul or body.is_Pow)


def _replace(expr: sympy.Expr, old: sympy.Expr, new: sympy.Expr) -> sympy.Expr:
    """`subs` that also finds `old` as a part of a product, reductions included."""
    if isinstance(expr, Reduction):
        body = _replace(expr.body, old, new)
        return expr if body == expr.body else Reduction(expr.args[0], body, *expr.args[2:])
    inner = {r: _replace(r, old, new) for r in outermost_reductions(expr)}
    result: sympy.Expr = expr.xreplace({r: v for r, v in inner.items() if r != v}).subs(old, new)
    return result


def matches(eq: Equation, expr: sympy.Expr) -> Iterator[dict[Index, sympy.Expr]]:
    """Ways to rename the free indices of `eq` so that each of its elements stands in `expr`."""
    wanted = sorted(elements_in(eq.rhs), key=lambda e: -len(e.subscripts))
    present = elements_in(expr)

    def extend(rest: list[Element], mapping: dict[Index, sympy.Expr]) -> Iterator[dict[Index, sympy.Expr]]:
        if not rest:
            if set(eq.indices) <= set(mapping):
                yield dict(mapping)
            return
        head, *tail = rest
        for candidate in present:
            if candidate.tensor != head.tensor:
                continue
            unified = _unify(head, candidate, mapping, eq.indices)
            if unified is not None:
                yield from extend(tail, unified)

    yield from extend(wanted, {})


def _unify(
    pattern: Element, element: Element, mapping: dict[Index, sympy.Expr], free: tuple[Index, ...]
) -> dict[Index, sympy.Expr] | None:
    found = dict(mapping)
    for a, b in zip(pattern.subscripts, element.subscripts, strict=True):
        if a in free:
            if found.setdefault(a, b) != b:
                return None
        elif a != b:
            return None
    return found


def apply_facts(expr: sympy.Expr) -> tuple[sympy.Expr, tuple[str, ...]]:
    """R6: Σ_k y_k · r → r where Σ_k y_k = 1 is stated and r does not depend on k. Returns the conditions used."""
    used: dict[str, None] = {}

    def visit(node: sympy.Expr) -> sympy.Expr:
        if not node.has(Reduction) or isinstance(node, Element):
            return node
        node = node.func(*[visit(a) if isinstance(a, sympy.Expr) else a for a in node.args])
        return _sum_of_fact(node, used) if isinstance(node, Reduction) and node.op == "sum" else node

    return visit(expr), tuple(used)


def _sum_of_fact(node: Reduction, used: dict[str, None]) -> sympy.Expr:
    for index in node.bound:
        with_index = [f for f in sympy.Mul.make_args(node.body) if f.has(index)]
        if len(with_index) != 1 or not isinstance(with_index[0], Element):
            continue
        element = with_index[0]
        if Fact.SUMS_TO_ONE in element.tensor.facts and element.subscripts[-1] == index:
            used[f"Σ_{index.name} {element} = 1"] = None
            rest = [i for i in node.bound if i != index]
            return reduction("sum", node.body / element, rest)
    return node


def settled_sums(expr: sympy.Expr, equations: Iterable[Equation]) -> tuple[sympy.Expr, tuple[str, ...]]:
    """Σ_k q_k · r → c · r where q is made of δs or shares, so that its definition gives c without a sign of summation.

    Returns the conditions used, as `apply_facts` does.

    >>> from symdl.core.define import delta
    >>> from symdl.core.equations import equation
    >>> from symdl.core.tensors import Tensor
    >>> k = Index("k"); q, c = Tensor("q", (k,)), Tensor("c", integer=True)
    >>> smoothed = equation(q, sympy.Rational(1, 2) * delta(k, c) + 1 / (2 * k.extent))
    >>> settled_sums(reduction("sum", q[k], [k]), [smoothed])
    (1, ())
    """
    known = {e.name: e for e in equations if e.pointwise and (e.rhs.has(Delta) or _of_shares(e.rhs))}
    found, used = {}, dict[str, None]()
    for node in [n for n in expr.atoms(Reduction) if n.op == "sum"] if known else []:
        mine = {e: known[e.name].at(e.subscripts) for e in elements_in(node) if e.name in known}
        if not mine:
            continue
        opened, conditions = apply_facts(contract(_summand_by_summand(node.xreplace(mine))))
        if not opened.has(Reduction):
            found[node] = collect(opened)
            used |= dict.fromkeys(conditions)
    return expr.xreplace(found), tuple(used)


def _of_shares(body: sympy.Expr) -> bool:
    return any(Fact.SUMS_TO_ONE in e.tensor.facts for e in elements_in(body))


def _summand_by_summand(node: Reduction) -> sympy.Expr:
    """The sum of each summand, times the extents of the indices that it is free of."""
    made = []
    for part in sympy.Add.make_args(sympy.expand_mul(node.body)):
        used = [i for i in node.bound if part.has(i)]
        made.append(sympy.Mul(*[i.extent for i in node.bound if i not in used]) * reduction("sum", part, used))
    return sympy.Add(*made)


def put_in(expr: sympy.Expr, equations: Iterable[Equation]) -> sympy.Expr:
    """Replace elements by their equations, sums included, the latest equation first."""
    known = {e.name: e for e in equations}
    order = {name: k for k, name in enumerate(known)}
    while mine := [e for e in elements_in(expr) if e.name in known]:
        latest = max({e.name for e in mine}, key=order.__getitem__)
        expr = expr.xreplace({e: known[latest].at(e.subscripts) for e in mine if e.name == latest})
    return expr


def cancel_exponentials(expr: sympy.Expr) -> sympy.Expr:
    """e^a · e^(−a) → 1 in products, where SymPy leaves them because a is a sum.

    >>> a, b = sympy.symbols("a b")
    >>> cancel_exponentials(sympy.exp(a + b) * sympy.exp(-a - b) * a)
    a
    """
    if not expr.has(sympy.exp) or isinstance(expr, Element):
        return expr
    expr = expr.func(*[cancel_exponentials(a) if isinstance(a, sympy.Expr) else a for a in expr.args])
    if not expr.is_Mul:
        return expr
    left: list[sympy.Expr] = []
    for factor in expr.args:
        opposite = next((f for f in left if _opposite(f, factor)), None)
        if opposite is None:
            left.append(factor)
        else:
            left.remove(opposite)
    return sympy.Mul(*left)


def _opposite(a: sympy.Expr, b: sympy.Expr) -> bool:
    return isinstance(a, sympy.exp) and isinstance(b, sympy.exp) and bool(a.args[0] == -b.args[0])


def collect(expr: sympy.Expr) -> sympy.Expr:
    """Common factors of a sum in front; whatever else SymPy does on construction."""
    if expr.has(Reduction) or not (expr.is_Add or expr.is_Mul):
        return expr
    atoms = {e: sympy.Dummy(real=True) for e in expr.atoms(Element)}
    calls = {f: sympy.Dummy(real=True) for f in expr.xreplace(atoms).atoms(ScalarFunction, Switch)}
    plain = expr.xreplace(atoms).xreplace(calls)
    forms = [plain, sympy.factor_terms(plain)]
    if expr.is_Add and weight(plain) < 60 and not plain.has(sympy.Function):
        forms.append(sympy.factor_terms(sympy.cancel(plain)))
    best = min(forms, key=weight)
    back = {d: e for e, d in atoms.items()}
    result: sympy.Expr = best.xreplace({d: f for f, d in calls.items()}).xreplace(back)
    return result
