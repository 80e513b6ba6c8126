"""Closed forms: what a person arrives at when the statistics of a layer are put in.

The chain rule alone leaves layer normalisation as ten cotangents, r̄, v̄, μ̄, …, most of which belong to statistics of a
row. Put into the one that is wanted, sums vanish (Σ(x − μ) = 0, by the definition of μ), factors meet
((x − μ)·r is x̂), and x̄ = r (x̂̄ − mean x̂̄ − x̂ · mean(x̂̄ x̂)) is left. Every rewriting is an identity with a name, and is
kept only where the program that results has less to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import sympy

from symdl.core.equations import Equation
from symdl.core.functions import Delta, InRange, Switch
from symdl.core.indices import Index, indices_in
from symdl.core.tensors import Element, Reduction, elements_in, reduction
from symdl.derivation.canonical import is_zero
from symdl.derivation.deltas import nominal
from symdl.derivation.products import gathered, reuse_products
from symdl.derivation.tidy import FUNCTION_WEIGHT, put_in
from symdl.errors import UnsupportedError

#: Sums with more summands than this are not tried for zero.
LARGEST_TRIED = 4


@lru_cache(maxsize=65536)
def work(expr: sympy.Expr) -> float:
    """About how many operations it takes to compute an expression for all values of its free indices.

    Every operation counts once for each value of the indices that it depends on, so a factor or a sum that a loop does
    not change counts outside of it; a function counts as ten, and an extent without a number as 32.

    >>> from symdl.core.tensors import Tensor
    >>> n, i = Index("n", 10), Index("i", 10)
    >>> x, y = Tensor("x", (n, i)), Tensor("y", (n,))
    >>> work(x[n, i] * y[n]), work(reduction("sum", x[n, i], [i]) * y[n])
    (100.0, 110.0)
    """
    if expr.is_Atom or isinstance(expr, (Element, Delta, InRange)):
        return 0.0
    total = sum(work(a) for a in expr.args if isinstance(a, sympy.Expr))
    if isinstance(expr, Reduction):
        return total + _times(expr.body)
    if isinstance(expr, (sympy.Add, sympy.Mul)):
        return total + _combined(expr)
    if isinstance(expr, sympy.Pow) and expr.base != sympy.E:
        return total + (_times(expr) if indices_in(expr) or expr.atoms(Element) else 0.0)
    if isinstance(expr, Switch):
        return total + _times(expr)
    return total + FUNCTION_WEIGHT * _times(expr)


def _times(expr: sympy.Expr) -> float:
    """For how many values of its free indices an expression has to be computed."""
    count = 1.0
    for index in indices_in(expr):
        count *= nominal(index.extent)
    return count


def _combined(expr: sympy.Expr) -> float:
    """Operations that join the arguments of a sum or product, those with few indices first."""
    held: list[set[Index]] = []
    total = 0.0
    parts = [a for a in expr.args if a != -1]
    for part in sorted(parts, key=lambda a: len(indices_in(a))):
        own = set(indices_in(part))
        constant = not own and not part.atoms(Element)
        if held and not constant:
            joined = held.pop() | own
            count = 1.0
            for index in joined:
                count *= nominal(index.extent)
            total += count
            held.append(joined)
        elif not constant or not held:
            held.append(own)
    return total


def closed_form(
    plain: sympy.Expr, subject: Element, earlier: Sequence[Equation], forward: Sequence[Equation]
) -> list[Rewriting]:
    """The rewritings from the value of a cotangent to its closed form; none where that is no lighter.

    Args:
        plain: the value.
        subject: the element whose value it is.
        earlier: the cotangents that are known.
        forward: the equations of the definition.
    """
    statistics = _statistics(plain, set(indices_in(subject)), earlier)
    if not statistics:
        return []
    near = _products_near(plain, statistics, earlier)
    known = [e for e in earlier if e in statistics or e in near]
    best, least = list[Rewriting](), program(plain, known)
    for chosen in (statistics, known) if near else (statistics,):
        steps = _rewritten(plain, chosen, forward)
        cost = program(steps[-1].after, known) if steps else least
        if cost < least:
            best, least = steps, cost
    return best


#: How many equations away from a value those are that its cost is counted with.
NEAR = 4


def neighbourhood(value: sympy.Expr, earlier: Sequence[Equation]) -> list[Equation]:
    """The equations that the value needs, directly or through few others: the same ones whatever the depth is."""
    by_name = {e.name: e for e in earlier}
    names = {e.name for e in elements_in(value)}
    for _ in range(NEAR):
        names |= set().union(*[by_name[n].used_names for n in names if n in by_name])
    return [e for e in earlier if e.name in names]


def _statistics(plain: sympy.Expr, free: set[Index], earlier: Sequence[Equation]) -> list[Equation]:
    """The equations of what the value needs and what only some of its free indices subscript: a row's mean, say."""
    known = {e.name: e for e in earlier}
    found: dict[str, Equation] = {}
    pending = elements_in(plain)
    while pending:
        element = pending.pop()
        if element.name in known and element.name not in found and set(element.subscripts) < free:
            found[element.name] = known[element.name]
            pending.extend(elements_in(known[element.name].at(element.subscripts)))
    return [e for e in earlier if e.name in found]


def _products_near(plain: sympy.Expr, statistics: Sequence[Equation], earlier: Sequence[Equation]) -> list[Equation]:
    """Pointwise products (g = γ ȳ) that the value or its statistics are made of; sums would only breed summands."""
    mentioned = {e.name for e in elements_in(plain)}.union(*[e.used_names for e in statistics])
    return [e for e in earlier if e.name in mentioned and e not in statistics and e.pointwise and not e.rhs.is_Add]


def program(expr: sympy.Expr, equations: Sequence[Equation]) -> float:
    """The work of an expression and of those equations that it still needs."""
    total, pending, seen = work(expr), {e.name for e in elements_in(expr)}, set[str]()
    by_name = {e.name: e for e in equations}
    while pending:
        name = pending.pop()
        if name in seen or name not in by_name:
            continue
        seen.add(name)
        total += work(by_name[name].rhs)
        pending |= by_name[name].used_names
    return total


@dataclass(frozen=True)
class Rewriting:
    """One rewriting of a value, by a rule of `RULES`."""

    rule: str
    after: sympy.Expr
    note: str = ""


def _rewritten(plain: sympy.Expr, equations: Sequence[Equation], forward: Sequence[Equation]) -> list[Rewriting]:
    opened = put_in(plain, equations)
    if opened == plain:
        return []
    kept, zeros = without_vanishing(opened, forward)
    reused = gathered([reuse_products(p, forward) for p in kept])
    shown = [Rewriting("S", opened)]
    if zeros:
        shown.append(Rewriting("Z", sympy.Add(*kept), "; ".join(zeros)))
    return [*shown, Rewriting("R5", reused)]


def summands(expr: sympy.Expr, zero: Callable[[Reduction], bool] = lambda node: False) -> list[sympy.Expr]:
    """The expression as summands, multiplied out where a sum over an index is among them; x − μ stays a factor.

    Sums that `zero` tells to vanish are left out, before they are taken apart.

    >>> from symdl.core.tensors import Tensor
    >>> i = Index("i", 3); x, y = Tensor("x", (i,)), Tensor("y")
    >>> summands(y * reduction("sum", x[i] + 1, [i]))
    [3*y, y*Sum_{i}(x[i])]
    """
    found: list[sympy.Expr] = []
    for part in _terms(expr):
        factors = sympy.Mul.make_args(part)
        position = next((k for k, f in enumerate(factors) if isinstance(f, Reduction) and f.op == "sum"), None)
        if position is None:
            found.append(part)
            continue
        node = factors[position]
        rest = sympy.Mul(*[f for k, f in enumerate(factors) if k != position])
        front, inside = _outside(node.body, node.bound)
        if zero(Reduction(node.args[0], inside, *node.args[2:])):
            continue
        for inner in summands(inside, zero):
            more, left = _outside(inner, node.bound)
            for other in summands(rest * front * more, zero):  # a second sum among the other factors
                found.append(other * _summed(left, node.bound))
    return found


def _summed(body: sympy.Expr, bound: Sequence[Index]) -> sympy.Expr:
    """Σ body over the indices that are in it; the others count."""
    used = [i for i in bound if i in body.free_symbols]
    return sympy.Mul(*[i.extent for i in bound if i not in used]) * reduction("sum", body, used)


def _terms(expr: sympy.Expr) -> Iterator[sympy.Expr]:
    for part in sympy.Add.make_args(expr):
        mixed = next((f for f in sympy.Mul.make_args(part) if f.is_Add and f.has(Reduction)), None)
        if mixed is None:
            yield part
        else:
            for term in mixed.args:
                yield from _terms(part / mixed * term)


def _outside(body: sympy.Expr, bound: Sequence[Index]) -> tuple[sympy.Expr, sympy.Expr]:
    """A product as the factors that no bound index is in, and the others."""
    own = set(bound)
    factors = sympy.Mul.make_args(body)
    inside = sympy.Mul(*[f for f in factors if f.free_symbols & own])
    return sympy.Mul(*[f for f in factors if not f.free_symbols & own]), inside


def without_vanishing(expr: sympy.Expr, forward: Sequence[Equation]) -> tuple[list[sympy.Expr], tuple[str, ...]]:
    """The summands, without those that hold a sum which is zero by the definitions of what is in it; and these sums."""
    zeros: dict[str, None] = {}

    def zero(node: Reduction) -> bool:
        if vanishes(node, forward):
            zeros[f"{node} = 0"] = None
            return True
        return False

    return summands(expr, zero), tuple(zeros)


def vanishes(node: Reduction, forward: Sequence[Equation]) -> bool:
    """Whether Σ f is zero once the sums that f is made of are written out: Σ_i (x_i − μ) is, where μ is the mean."""
    by_name = {e.name: e for e in forward}
    body = node.body
    mentioned = [e for e in elements_in(body) if e.name in by_name]
    if not mentioned or body.is_Mul or body.has(sympy.Function, sympy.exp) or len(body.args) > LARGEST_TRIED:
        return False
    try:
        return any(is_zero(reduction("sum", opened, node.bound)) for opened in _with_means(node, by_name))
    except UnsupportedError:
        return False


def _with_means(node: Reduction, by_name: dict[str, Equation]) -> Iterator[sympy.Expr]:
    """The body with the means put in that it is made of, as it is and with pointwise definitions put in before."""
    pointwise = {n: e for n, e in by_name.items() if e.pointwise}
    sums = {n: e for n, e in by_name.items() if not e.pointwise and all(t.op in ("", "sum") for t in e.terms)}
    for first in (node.body, _defined(node.body, pointwise)):
        means = _defined(first, sums, without=frozenset(node.bound))
        if means != node.body:
            yield means


def _defined(body: sympy.Expr, by_name: dict[str, Equation], without: frozenset[Index] = frozenset()) -> sympy.Expr:
    """The equations put in, of those elements that none of the indices `without` subscript."""
    mine = [e for e in elements_in(body) if e.name in by_name and not e.free_symbols & without]
    return body.xreplace({e: by_name[e.name].at(e.subscripts) for e in mine}) if mine else body
