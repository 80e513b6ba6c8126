"""Rules of calculus in functions without their arguments: (fg)′ = f′g + fg′ says so of f(x) and g(x) at every x."""

from __future__ import annotations

from symdl.verification.meaning.names import function_letter
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk

#: Names of functions in the rules of calculus, beside those that usually mean one.
_FUNCTIONS = frozenset("uv")
#: What stands for a number there.
_CONSTANTS = frozenset({"c", "k", "α", "β", "λ", "e", "π"})


def at_a_place(
    sides: tuple[Node, Node], place: str, known: frozenset[str] = frozenset()
) -> tuple[tuple[Node, Node], set[str]] | None:
    """Both sides with every function applied to `place`, and the names of the functions; None where they are none.

    Brackets have to be primed, and every name has to be that of a function or of a constant; or a name is primed, and
    all of them are those of `known` functions, as in σ′ = σ(1 − σ).

    >>> from symdl.verification.notation import latex, parse
    >>> chain = parse("(f g)' = f' g + f g'")
    >>> found = at_a_place(chain.sides, "x")
    >>> [latex(side) for side in found[0]], sorted(found[1])
    (['\\\\frac{d ((f (x)) (g (x)))}{d x}', "(f' (x)) (g (x)) + (f (x)) (g' (x))"], ['f', 'g'])
    >>> at_a_place(parse("(a g)' = a g'").sides, "x") is None, at_a_place(parse("f' = g'").sides, "x") is None
    (True, True)
    >>> latex(at_a_place(parse("s' = s(1 - s)").sides, "x", frozenset("s"))[0][1])
    '(s (x)) (1 - (s (x)))'
    """
    nodes = [n for side in sides for n in walk(side)]
    primed = [n.base for n in nodes if isinstance(n, tree.Scripted) and n.primes]
    names = {n.name for n in nodes if isinstance(n, tree.Symbol)}
    if any(isinstance(base, tree.Group) for base in primed):
        functions = {n for n in names if function_letter(n) or n in _FUNCTIONS}
    else:
        functions = names & known if primed else set()
    if not functions or names - functions - _CONSTANTS:
        return None
    applied = _applied(sides[0], functions, place), _applied(sides[1], functions, place)
    return applied, functions


def _applied(node: Node, functions: set[str], place: str) -> Node:
    if isinstance(node, tree.Symbol):
        return _of(node, place) if node.name in functions else node
    if isinstance(node, tree.Scripted) and node.sub is None and node.primes:
        if isinstance(node.base, tree.Symbol) and node.base.name in functions:
            call = _of(tree.Scripted(node.base, primes=node.primes), place)
        else:
            inner = _applied(node.base, functions, place)
            call = tree.Derivative("d", inner, ((tree.Symbol(place), node.primes),))
        return call if node.sup is None else tree.Scripted(tree.Group(call), sup=node.sup)
    return tree.mapped(node, lambda inner: _applied(inner, functions, place))


def _of(function: Node, place: str) -> Node:
    return tree.Group(tree.Product((function, tree.Group(tree.Symbol(place))), ("",)))
