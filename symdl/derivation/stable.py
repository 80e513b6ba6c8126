"""Stable form: equations rewritten so that computing them loses no digits and overflows nowhere it need not.

Exact equality is not numerical safety, so this is a pass on equations, before and after differentiation. Each
rewriting is an exact identity:

- log of a product of positive factors becomes a sum of logs, so that log(e^z / S) is z − log S;
- a sum of exponentials S = Σ_k e^{f_k} is scaled, S = e^m S' with m = max_k f_k, wherever e^m cancels in every other
  equation; it cancels for every m, so no policy for ties is needed;
- an input that is stated to be 0 or 1 and multiplies an exponential becomes the guard [input = 1], so that m is the
  largest of what counts and an exponential that does not count is never computed;
- 1 − f(x) becomes the function's own complement (1 − σ(x) = σ(−x)), and 1 − tanh²(x) becomes sech²(x);
- log f(x) becomes the function's own logarithm (log σ(x) = min(x, 0) − log(1 + e^{−|x|}));
- u^a / u becomes u^{a−1}, which is 0 at u = 0 where a is above 1;
- log(1 + u) becomes log1p u.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import sympy
from sympy.codegen.cfunctions import log1p

from symdl.core.definitions import Definition
from symdl.core.equations import Equation, Term, unused
from symdl.core.functions import Delta, InRange, Masked, ScalarFunction, sech2
from symdl.core.indices import Index
from symdl.core.tensors import Element, Fact, Tensor, elements_in
from symdl.derivation.tidy import put_in


def stabilise(definition: Definition) -> Definition:
    """The definition with the rewritings above applied wherever they hold; equal to it for all real values.

    >>> from symdl.core.define import define, Input, Sum, let, exp, log
    >>> @define
    ... def d(z=Input("k")):
    ...     (k,) = z.indices
    ...     p = let("p[k]", exp(z[k]) / Sum(exp(z[k]), k))
    ...     return let("L", Sum(-log(p[k]), k))
    >>> stabilise(d)
    d(z[k]) -> L:
        m = Max_{k}(z[k])
        S = Sum_{k}(exp(-m + z[k]))
        L = Sum_{k}(log(S) + m - z[k])
    """
    equations = list(definition.equations)
    equations = [e.map(lambda body: _split_logs(body, equations)) for e in equations]
    equations = [e.map(lambda body: _complements(body, equations)) for e in equations]
    equations = [e.map(lambda body: _logarithms(body, equations)) for e in equations]
    equations = [e.map(_powers).map(_near_one).map(_masks) for e in equations]
    names = set(definition.tensors)
    for name in [e.name for e in equations]:
        shifted = _shift(name, equations, names, set(definition.outputs))
        if shifted is not None:
            equations = shifted
    return replace(definition, equations=tuple(equations), kinks=(), general=None).only(definition.outputs)


def _positive(equations: list[Equation]) -> dict[Element, sympy.Symbol]:
    """Stand-ins for elements, positive where every summand of their equation is."""
    signs: dict[str, bool] = {}

    def stand_in(e: Element) -> sympy.Symbol:
        return sympy.Dummy(e.name, real=True, positive=True if e.is_positive or signs.get(e.name) else None)

    found: dict[Element, sympy.Symbol] = {}
    for eq in equations:
        for element in (e for t in eq.terms for e in elements_in(t.body)):
            found.setdefault(element, stand_in(element))
        signs[eq.name] = all(bool(t.body.xreplace(found).is_positive) for t in eq.terms)
    return found


def _split_logs(body: sympy.Expr, equations: list[Equation]) -> sympy.Expr:
    logs = body.atoms(sympy.log)
    if not logs:
        return body
    stand_ins = _positive(equations)
    for node in logs:
        growths = [e for e in equations if e.pointwise and e.rhs.has(sympy.exp) and not e.rhs.is_Add]
        opened = put_in(node.args[0], growths)
        missing = {e: sympy.Dummy(real=True) for e in opened.atoms(Element) if e not in stand_ins}
        known = {**_alike(opened, stand_ins), **missing}
        split = sympy.expand_log(sympy.log(opened.xreplace(known))).xreplace({d: e for e, d in known.items()})
        if split.is_Add and not split.has(sympy.exp):
            body = body.xreplace({node: split})
    return body


def _alike(expr: sympy.Expr, stand_ins: dict[Element, sympy.Symbol]) -> dict[Element, sympy.Symbol]:
    """Stand-ins for the elements in `expr`; the sign of a tensor holds at every subscript."""
    by_tensor = {e.tensor: d for e, d in stand_ins.items() if d.is_positive}
    return {e: sympy.Dummy(e.name, real=True, positive=e.tensor in by_tensor or None) for e in expr.atoms(Element)}


def complemented(expr: sympy.Expr) -> sympy.Expr:
    """An expression outside of a definition with 1 − f(x) as f's complement.

    >>> x = sympy.Symbol("x", real=True)
    >>> complemented(1 - sympy.tanh(x) ** 2)
    sech2(x)
    """
    return _complements(expr, [])


def _complements(body: sympy.Expr, equations: list[Equation]) -> sympy.Expr:
    """1 − a[n] → f's complement at x[n], where a[n] = f(x[n])."""

    def complement(call: sympy.Expr) -> sympy.Expr | None:
        if call.is_Pow and call.exp == 2 and isinstance(tanh := _opened(call.base, equations), sympy.tanh):
            return sech2(tanh.args[0])
        call = _opened(call, equations)
        if isinstance(call, ScalarFunction) and type(call).complement is not None:
            return type(call).complement(*call.args)  # type: ignore[misc]
        return None

    found = {}
    for node in body.atoms(sympy.Add):
        for part in node.args:
            sign = next((s for s in (1, -1) if node == s + part), 0)  # 1 − f(x), or f(x) − 1
            other = complement(-sign * part) if sign else None
            if other is not None:
                found[node] = sign * other
    return body.xreplace(found)


def _logarithms(body: sympy.Expr, equations: list[Equation]) -> sympy.Expr:
    """log a[n] → f's logarithm at x[n], where a[n] = f(x[n])."""
    found = {}
    for node in body.atoms(sympy.log):
        call = _opened(node.args[0], equations)
        if isinstance(call, ScalarFunction) and type(call).logarithm is not None:
            found[node] = type(call).logarithm(*call.args)  # type: ignore[misc]
    return body.xreplace(found)


def _powers(body: sympy.Expr) -> sympy.Expr:
    """u^a u^n → u^{a + n} in every product, where a is no number."""
    found = {}
    for node in body.atoms(sympy.Mul):
        open_powers = {f.base for f in node.args if f.is_Pow and not f.exp.is_number and f.base != sympy.E}
        for base in open_powers:
            both = [f for f in node.args if f.as_base_exp()[0] == base]
            if len(both) > 1:
                rest = sympy.Mul(*[f for f in node.args if f not in both])
                found[node] = rest * base ** sympy.Add(*[f.as_base_exp()[1] for f in both])
    return body.xreplace(found) if found else body


def _near_one(body: sympy.Expr) -> sympy.Expr:
    """log(1 + u) → log1p u.

    >>> x = sympy.Symbol("x", real=True)
    >>> _near_one(sympy.log(1 - x) / x)
    log1p(-x)/x
    """
    inside = [n for n in body.atoms(sympy.log) if n.args[0].is_Add and n.args[0].as_coeff_Add()[0] == 1]
    return body.xreplace({n: log1p(n.args[0] - 1) for n in inside})


def _masks(body: sympy.Expr) -> sympy.Expr:
    """e^f b → e^f [b = 1] for a b that is stated to be 0 or 1.

    >>> b, z = Tensor("b", facts=frozenset({Fact.BINARY})), Tensor("z")
    >>> _masks(sympy.exp(z) * b)
    exp(z)*Delta(1, b)
    """
    found = {}
    for node in body.atoms(sympy.Mul):
        if any(isinstance(f, sympy.exp) for f in node.args):
            masks = [f for f in node.args if isinstance(f, Element) and Fact.BINARY in f.tensor.facts]
            found[node] = sympy.Mul(*[Delta(f, 1) if f in masks else f for f in node.args]) if masks else node
    return body.xreplace(found) if found else body


def _opened(call: sympy.Expr, equations: list[Equation]) -> sympy.Expr:
    """What an element stands for, where its equation is pointwise; any other expression as it is."""
    eq = next((e for e in equations if isinstance(call, Element) and e.name == call.name and e.pointwise), None)
    return call if eq is None else eq.at(call.subscripts)


def _shift(name: str, equations: list[Equation], names: set[str], outputs: set[str]) -> list[Equation] | None:
    """Scale S = Σ e^f by e^max f everywhere, or None where that is not possible."""
    position = next(k for k, e in enumerate(equations) if e.name == name)
    eq = equations[position]
    if name in outputs or len(eq.terms) != 1 or eq.terms[0].op != "sum":
        return None
    term = eq.terms[0]
    exponents = [f.exp for f in sympy.Mul.make_args(term.body) if isinstance(f, sympy.exp)]
    if len(exponents) != 1 or any(_is_maximum(e, equations) for e in elements_in(exponents[0])):
        return None
    peak = Tensor(unused("m", names), eq.indices)
    # only entries that count: one that is masked out and much larger would leave nothing of the others
    guards = sympy.Mul(*[f for f in sympy.Mul.make_args(term.body) if isinstance(f, (InRange, Delta))])
    largest = Equation(peak, (Term(Masked(exponents[0], guards), term.bound, "max"),), "stable: shift")
    scaled = Equation(eq.out, (replace(term, body=_merged(term.body * sympy.exp(-peak.element()))),), "stable: shifted")
    signs = _positive(equations)
    rest = _rescaled(equations[position + 1 :], eq.out, peak, exponents[0], outputs, signs)
    if rest is None:
        return None
    names.add(peak.name)
    return [*equations[:position], largest, scaled, *rest]


def _is_maximum(element: Element, equations: list[Equation]) -> bool:
    return any(e.name == element.name and e.terms[0].op == "max" for e in equations)


def _rescaled(
    equations: list[Equation],
    total: Tensor,
    peak: Tensor,
    exponent: sympy.Expr,
    outputs: set[str],
    signs: dict[Element, sympy.Symbol],
) -> list[Equation] | None:
    """Put S = e^m S' into later equations; a tensor that comes out with a bare e^{±m} is scaled in its turn."""
    scale: dict[str, int] = {total.name: 1}
    owner: dict[str, tuple[int, ...]] = {total.name: tuple(range(total.rank))}
    done: list[Equation] = []
    for eq in equations:
        if not any(t.name in scale for t in eq.uses):
            done.append(eq)
            continue
        changed = eq.map(lambda body: _substituted(body, scale, owner, peak, signs))
        if not _safe(changed, peak, exponent):
            where = _peak_indices(changed, eq, peak)
            power, changed = _scaled_itself(changed, where, peak, exponent)
            if power == 0 or where is None or eq.name in outputs:
                return None
            scale[eq.name] = power
            owner[eq.name] = tuple(eq.indices.index(i) for i in where)
        done.append(changed)
    return done


def _substituted(
    body: sympy.Expr,
    scale: dict[str, int],
    owner: dict[str, tuple[int, ...]],
    peak: Tensor,
    signs: dict[Element, sympy.Symbol],
) -> sympy.Expr:
    """The body with T = e^{±m} T' put in for every scaled T, logs and exponentials brought together."""
    stand_ins = {e: d for e, d in _alike(body, signs).items() if e.name in scale}
    mapping = {}
    for element, stand_in in stand_ins.items():
        where = tuple(element.subscripts[k] for k in owner[element.name])
        top = peak[where] if where else peak.element()
        mapping[element] = sympy.exp(scale[element.name] * top) * stand_in
    opened = body.xreplace(mapping)
    opened = opened.xreplace({node: sympy.expand_log(node) for node in opened.atoms(sympy.log)})
    return _merged(opened).xreplace({d: e for e, d in stand_ins.items()})


def _merged(expr: sympy.Expr) -> sympy.Expr:
    """e^a · e^b → e^{a+b} within each product."""
    if not expr.has(sympy.exp) or isinstance(expr, Element):
        return expr
    expr = expr.func(*[_merged(a) if isinstance(a, sympy.Expr) else a for a in expr.args])
    if not expr.is_Mul:
        return expr
    powers = [f.exp for f in expr.args if isinstance(f, sympy.exp)]
    others = [f for f in expr.args if not isinstance(f, sympy.exp)]
    return sympy.Mul(*others, sympy.exp(sympy.Add(*powers)))


def _safe(eq: Equation, peak: Tensor, exponent: sympy.Expr) -> bool:
    """Every exponential with m in it is e^{f − m}, which is at most 1; and no e^f is left without it."""
    for term in eq.terms:
        for node in term.body.atoms(sympy.exp):
            tops = [e for e in elements_in(node.exp) if e.tensor == peak]
            if tops and not _matches_shifted(node.exp, tops, exponent):
                return False
    return True


def _matches_shifted(power: sympy.Expr, tops: list[Element], exponent: sympy.Expr) -> bool:
    if len(tops) != 1:
        return False
    rest = sympy.expand(power + tops[0])
    return {e.tensor for e in elements_in(rest)} == {e.tensor for e in elements_in(exponent)} and rest != 0


def _scaled_itself(
    changed: Equation, where: list[Index] | None, peak: Tensor, exponent: sympy.Expr
) -> tuple[int, Equation]:
    """The power of e^m that the equation's own tensor takes over, and the equation without it; 0: there is none."""
    if where is None:
        return 0, changed
    top = peak[tuple(where)] if where else peak.element()
    for power in (-1, 1):
        trial = changed.map(partial(_times, sympy.exp(-power * top)))
        if _safe(trial, peak, exponent):
            return power, trial
    return 0, changed


def _times(factor: sympy.Expr, body: sympy.Expr) -> sympy.Expr:
    return _merged(sympy.expand_mul(body * factor))


def _peak_indices(changed: Equation, eq: Equation, peak: Tensor) -> list[Index] | None:
    """The subscripts of m in an equation, where they are one and the same and free there."""
    places = {e.subscripts for t in changed.terms for e in elements_in(t.body) if e.tensor == peak}
    if not places:
        return []
    (first, *more) = places
    return None if more or any(s not in eq.indices for s in first) else list(first)
