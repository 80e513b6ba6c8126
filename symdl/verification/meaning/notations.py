"""f′(x) = dy/dx = D_x f = f_x: one slope in several notations, which says how slopes are written and claims nothing."""

from __future__ import annotations

from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node

#: What is differentiated, and by what, as far as the notation says it, and the letter of its order where it has one.
_Slope = tuple[str, Node | None, Node | None]
#: How many sides it takes: of two, one may be claimed of the other.
_SIDES = 3


def of_one_slope(chain: tree.Chain) -> bool:
    """Whether all sides are one slope, of f and of the y that is f(x), by one name.

    >>> from symdl.verification.notation import parse
    >>> texts = ("f'(x) = y' = D_x f = f_x", r"\\frac{df}{dx} = f' = 2 x", "f'(x) = g' = h'", "f'(x) = f_x = f_z")
    >>> [of_one_slope(parse(text)) for text in texts]
    [True, False, False, False]
    >>> of_one_slope(parse(r"f^{(n)}(x) = \\frac{d^n f}{dx^n} = (\\frac{d}{dx})^n f"))
    True
    """
    found = [_of_a_letter(side) or _slope(side) for side in chain.sides]
    if len(chain.sides) < _SIDES or set(chain.relations) != {"="} or None in found:
        return False
    slopes = [slope for slope in found if slope is not None]
    names = {name for name, _, _ in slopes}
    places = {by for _, by, _ in slopes if by is not None}
    if len({order for _, _, order in slopes}) > 1:
        return False
    forms = {type(side) for side in chain.sides}
    short = {by.sub for by in places if isinstance(by, tree.Scripted)}  # ∂_i f for ∂f/∂x_i
    return len(names - {"y"}) == 1 and len(places - short) <= 1 and len(forms) > 1


def _of_a_letter(side: Node) -> _Slope | None:
    """dⁿf/dxⁿ, (d/dx)ⁿ f and f⁽ⁿ⁾(x)."""
    if isinstance(side, tree.Derivative) and side.letter is not None and side.of is not None:
        return (_name(side.of), side.by[0][0], side.letter) if _name(side.of) else None
    factors = side.factors if isinstance(side, tree.Product) and set(side.ops) == {""} else (side,)
    first = factors[0]
    if not isinstance(first, tree.Scripted) or first.sub is not None or first.primes:
        return None
    if isinstance(first.base, tree.Symbol) and isinstance(first.sup, tree.Group) and len(factors) <= 2:
        applied = len(factors) == 1 or isinstance(factors[1], tree.Group)
        return (first.base.name, None, first.sup.body) if applied else None
    operator = first.base.body if isinstance(first.base, tree.Group) else None
    if not isinstance(operator, tree.Derivative) or operator.of is not None or len(factors) != 2:
        return None
    plain = len(operator.by) == 1 and operator.by[0][1] == 1 and isinstance(first.sup, tree.Symbol)
    return (_name(factors[1]), operator.by[0][0], first.sup) if plain and _name(factors[1]) else None


def _slope(side: Node) -> _Slope | None:
    if isinstance(side, tree.Derivative):
        of = _name(side.of) if side.of is not None else ""
        return (of, side.by[0][0], None) if of and len(side.by) == 1 and side.by[0][1] == 1 else None
    if isinstance(side, tree.Gradient):
        return (_name(side.of), side.by, None) if _name(side.of) and side.order == 1 else None
    if isinstance(side, tree.Scripted) and isinstance(side.base, tree.Symbol) and side.sup is None:
        if side.primes:
            return (side.base.name, None, None) if side.primes == 1 and side.sub is None else None
        return (side.base.name, side.sub, None) if side.sub is not None else None
    if not isinstance(side, tree.Product) or set(side.ops) != {""}:
        return None
    first, *rest = side.factors
    if isinstance(first, tree.Scripted) and first.primes == 1 and len(rest) == 1 and isinstance(rest[0], tree.Group):
        return _slope(first)
    operator = first.base if isinstance(first, tree.Scripted) else first
    of = _name(tree.Product(tuple(rest), ("",) * (len(rest) - 1)) if len(rest) > 1 else rest[0])
    if not isinstance(operator, tree.Symbol) or operator.name != "D" or not of:
        return None
    return of, first.sub if isinstance(first, tree.Scripted) else None, None


def _name(node: Node) -> str:
    """f of f and of f(x)."""
    if isinstance(node, tree.Product) and len(node.factors) == 2 and isinstance(node.factors[1], tree.Group):
        node = node.factors[0]
    return node.name if isinstance(node, tree.Symbol) else ""
