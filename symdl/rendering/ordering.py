"""The order in which people write terms and factors, which is not the order in which SymPy keeps them.

Factors: numbers and extents, guards, groups, functions before a cotangent, cotangents, parameters, intermediates,
inputs, other functions, and last what reaches to the right (log, Σ). Terms: positive before negative, numbers first,
sums before a bias.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import sympy

from symdl.core.functions import Delta, InRange, Switch
from symdl.core.tensors import Element, Reduction, Role, Tensor
from symdl.rendering.piecewise import as_product

_ROLES = {Role.HYPERPARAMETER: 1, Role.PARAMETER: 6, Role.INTERMEDIATE: 8, Role.INPUT: 9}
_FUNCTION, _BEHIND = 3, 10
NOWHERE: Mapping[str, int] = {}


@dataclass
class Factors:
    """A product taken apart: sign · number · extents · over / under, the number positive."""

    negative: bool = False
    number: sympy.Expr = sympy.S.One
    above: list[sympy.Expr] = field(default_factory=list)  # extents
    below: list[sympy.Expr] = field(default_factory=list)
    over: list[sympy.Expr] = field(default_factory=list)
    under: list[sympy.Expr] = field(default_factory=list)


def factors_of(expr: sympy.Expr, places: Mapping[str, int] = NOWHERE) -> Factors:
    """Take a product apart; what does not depend on the index of a sum stands in front of the sum.

    Args:
        expr: any expression.
        places: of the tensors of a definition, in which order they are declared; without, the alphabet decides.
    """
    found = Factors()
    parts = list(_flat(expr))
    number = sympy.Mul(*[p for p in parts if p.is_Rational or p.is_Float])
    for factor in (f for part in parts for f in _without_content(part, number)):
        if factor.is_Rational or factor.is_Float:
            found.negative ^= bool(factor < 0)
            found.number *= abs(factor)
            continue
        base, exponent = _as_power(factor)
        falling = (base.is_number or isinstance(base, Element)) and exponent.could_extract_minus_sign()  # 10000^{−2d/D}
        inverse = exponent.is_negative if exponent.is_number else falling
        plain = base ** (-exponent) if inverse else factor
        if is_extent(base):
            (found.below if inverse else found.above).append(plain)
        else:
            (found.under if inverse else found.over).append(plain)
    found.over, found.under = _merged(found.over), _merged(found.under)
    _gather_roots(found)
    behind = not any(f.is_Add or (isinstance(f, Element) and f.tensor.cotangent_of) for f in found.over)
    for part in (found.above, found.below, found.over, found.under):
        part.sort(key=lambda f: factor_key(f, places, behind))
    found.over = _paired(found.over)
    return found


def _gather_roots(found: Factors) -> None:
    """√2/(2√π), as SymPy keeps it, as 1/√(2π)."""
    roots = [f for f in (*found.over, *found.under) if isinstance(f, sympy.Pow) and f.is_number and f.exp.q == 2]
    if len(roots) < 2 or not any(f.has(sympy.pi) for f in roots):
        return
    upper = sympy.Mul(*[f for f in found.over if f in roots])
    square = (found.number * upper / sympy.Mul(*[f for f in found.under if f in roots])) ** 2
    found.over = [f for f in found.over if f not in roots]
    found.under = [f for f in found.under if f not in roots]
    found.number = sympy.S.One
    above, below = sympy.fraction(square)
    if above == 1 or below == 1:
        root = sympy.Pow(above * below, sympy.Rational(1, 2), evaluate=False)
        (found.under if above == 1 else found.over).append(root)
    else:
        found.over.append(sympy.Pow(square, sympy.Rational(1, 2), evaluate=False))


def _merged(factors: list[sympy.Expr]) -> list[sympy.Expr]:
    """σ σ as σ², where one of them came out of a sum."""
    bases = [_as_power(f)[0] for f in factors]
    if len(set(bases)) == len(bases):
        return factors
    product = sympy.Mul(*factors)
    return list(sympy.Mul.make_args(product))


def _paired(factors: list[sympy.Expr]) -> list[sympy.Expr]:
    """a (1 − a) and p (p̄ − Σ p̄ p): a value stands before the group that it is in."""
    for group in [f for f in factors if f.is_Add]:
        for own in [f for f in factors if f != group and _belongs(f, group)]:
            factors.remove(own)
            factors.insert(factors.index(group), own)
    return factors


def _belongs(factor: sympy.Expr, group: sympy.Expr) -> bool:
    if isinstance(factor, Element):
        return not factor.tensor.cotangent_of and factor.tensor in _in_view(group)
    if factor.is_Symbol:
        return factor in group.free_symbols
    same = factor.atoms(Element) == group.atoms(Element)
    return isinstance(factor, sympy.Function) and same and bool(group.has(factor))


def _in_view(expr: sympy.Expr, inside: bool = False) -> set[Tensor]:
    """The tensors of a group, but for those of a Σ that stands in a function."""
    if isinstance(expr, Element):
        return {expr.tensor}
    if isinstance(expr, Reduction):
        return set() if inside else _in_view(expr.body)
    function = inside or isinstance(expr, sympy.Function)
    return {t for part in expr.args if isinstance(part, sympy.Expr) for t in _in_view(part, function)}


def _without_content(factor: sympy.Expr, number: sympy.Expr) -> tuple[sympy.Expr, ...]:
    """c·(…) for a sum of terms that all have the coefficient ±c, as SymPy multiplies 2·(t − a) out.

    The sign is drawn out too where that puts the target first, −2 (t − a), unless no number stands before: p − y.
    """
    if not factor.is_Add:
        return (factor,)
    coefficients = [a.as_coeff_Mul()[0] for a in factor.args]
    size = abs(coefficients[0])
    if not size.is_Rational or any(abs(c) != size for c in coefficients) or all(a.is_number for a in factor.args):
        size = sympy.S.One
    negative = [a.as_coeff_Mul()[1] for a, c in zip(factor.args, coefficients, strict=True) if c.is_negative]
    mixed = 0 < len(negative) < len(coefficients)
    if abs(number * size) != 1 and (_has_target(negative) if mixed else negative):
        size = -size
    return (factor,) if size == 1 else (size, sympy.Add(*[a / size for a in factor.args]))


def _has_target(terms: list[sympy.Expr]) -> bool:
    return any(isinstance(t, Element) and t.tensor.role is Role.INPUT for t in terms)


def _as_power(factor: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
    return (factor.base, factor.exp) if isinstance(factor, sympy.Pow) else (factor, sympy.S.One)


def is_extent(expr: sympy.Expr) -> bool:
    """A symbol for an extent, or arithmetic of such symbols: it has no value of a tensor in it."""
    return (
        bool(expr.free_symbols)
        and all(s.is_Symbol and not s.is_Dummy and s.is_integer and s.is_positive for s in expr.free_symbols)
        and not expr.has(Element, Reduction)
    )


def _flat(expr: sympy.Expr) -> Iterator[sympy.Expr]:
    """The factors of a product, with the constants of its sums pulled out of them."""
    for factor in sympy.Mul.make_args(expr):
        if isinstance(factor, Reduction) and factor.op == "sum":
            bound, inside = set(factor.bound), []
            for part in (p for f in _flat(factor.body) for p in _without_content(f, sympy.S.One)):
                if part.free_symbols & bound:
                    inside.append(part)
                else:
                    yield part
            yield Reduction(factor.args[0], sympy.Mul(*inside), *factor.args[2:])
        elif isinstance(factor, Switch) and (written := as_product(factor)) is not None:
            yield from _flat(written)
        else:
            yield factor


@lru_cache(maxsize=8192)
def _text(expr: sympy.Expr) -> str:
    """SymPy's text, remembered: what is written out holds the same parts many times."""
    return str(expr)


def factor_key(factor: sympy.Expr, places: Mapping[str, int] = NOWHERE, behind: bool = False) -> tuple[Any, ...]:
    """Where a factor stands in its product; `behind`: functions follow the elements, as in o tanh(c)."""
    base, _ = _as_power(factor)
    if isinstance(base, Element):
        kind = 4 if base.tensor.cotangent_of else _ROLES[base.tensor.role]
        return (kind, places.get(base.name, len(places)), *element_key(base))
    falling = isinstance(base, sympy.exp) and base.args[0].could_extract_minus_sign()  # e^s before e^{-s}
    kind = _kind(base)
    if behind and kind == _FUNCTION:
        kind = _BEHIND
    return (kind, 0, ("~" if falling else "") + _text(base))


def _kind(base: sympy.Expr) -> int:
    if base.is_number:
        return 0
    if isinstance(base, InRange | Delta):
        return 1
    if isinstance(base, sympy.Add) and any(e.tensor.cotangent_of for e in base.atoms(Element)):
        return _BEHIND  # what comes back, after the slopes that it is multiplied by
    if isinstance(base, sympy.Add | Switch):
        return 2
    if isinstance(base, sympy.log):
        return 11
    if isinstance(base, Reduction):
        return 12
    if isinstance(base, sympy.Function):
        return _FUNCTION if not base.has(Reduction) else 7  # W_kj tanh(Σ …): what is long stands behind
    return 5


def element_key(element: Element) -> tuple[Any, ...]:
    """By name, then by subscripts, numbers in their order."""
    return (
        element.name,
        tuple((0, int(s), "") if s.is_Integer else (1, 0, str(s)) for s in element.subscripts),
    )


def term_key(term: sympy.Expr, factors: Factors, places: Mapping[str, int] = NOWHERE) -> tuple[Any, ...]:
    """Where a term stands in its sum."""
    everything = [*factors.over, *factors.under]
    alone = everything[0] if len(everything) == 1 and isinstance(everything[0], Element) else None
    if not everything:
        kind = 0
    elif alone is not None and alone.tensor.cotangent_of:  # what comes from outside before what comes back
        kind = 1
    elif any(isinstance(f, Reduction) for f in factors.over):
        kind = 2
    else:
        kind = 3
    guarded = any(isinstance(f, InRange | Delta) for f in factors.over)
    degree = sum(_degree(f) for f in factors.over)
    bias = alone is not None and alone.tensor.role in (Role.PARAMETER, Role.HYPERPARAMETER)
    return (factors.negative, kind, guarded, -degree, bias, [factor_key(f, places) for f in everything], _text(term))


def _degree(factor: sympy.Expr) -> int:
    base, exponent = _as_power(factor)
    return int(exponent) if exponent.is_Integer and not base.is_number else 1
