"""Whether a left side is a name that a statement defines, and what else may be asked of it before."""

from __future__ import annotations

import re
from collections.abc import Collection

import sympy

from symdl.core.tensors import Element
from symdl.errors import SymdlError
from symdl.verification.decide import equal
from symdl.verification.meaning.anew import body_of
from symdl.verification.meaning.expectation import COVARIANCES, VARIANCES
from symdl.verification.meaning.functions import CUSTOMARY, VECTORS, library_name, named as is_named
from symdl.verification.meaning.interpret import Interpreter
from symdl.verification.meaning.names import Parts
from symdl.verification.meaning.naming import head, names_in
from symdl.verification.meaning.scope import Formula, Scope
from symdl.verification.meaning.usage import is_list
from symdl.verification.meaning.values import opened, valued
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk

#: Seconds of processor time to see whether a name is given what it stands for.
_SECONDS = 0.5
_LOGARITHMS = frozenset({"log", "ln"})
_PROBABILITIES = frozenset(tree.Symbol(name) for name in ("p", "P", "q", "Pr"))

#: Words before an equation by which it introduces a name, even one that is in use.
_LET = re.compile(r"\b(let|(?:re-?)?define|redefining|denote|(?:re)?set|put|take|now)\b[^.]{0,60}$", re.IGNORECASE)


#: Words by which numbers are supposed of names, one or several.
_WITH = re.compile(
    r"\b(?:with|for|if|given|suppose|say|at)\s*(?:\$[^$]*\$(?:\s*,\s*(?:and\b)?|\s+and\b)\s*)*$", re.IGNORECASE
)


def is_new(reader: Interpreter, side: Node, sides: list[Node], section: tuple[int, ...], before: str) -> bool:
    """Whether a left side is a name that this statement defines."""
    if isinstance(side, tree.Group) and isinstance(side.body, tree.List):
        return all(is_new(reader, i, sides, section, before) for i in side.body.items)
    found = head(reader, side)
    if found is None:
        return False
    parts, arguments = found
    scope = reader.scope
    if parts.name in scope.counts and not parts.bold and not parts.subscripts and arguments is None:
        return _only_numbers(reader, sides, parts)
    if arguments is not None:
        known = scope.functions.get(parts.name) or scope.formulas.get((parts.name, 0))
        said = known is not None or parts.name in scope.opaque
        if said and len(arguments) > 1 and made_of_own_values(side, sides[1:]):
            return False  # H(p, q) = H(p) + D(p ‖ q) says no more of what H(p, q) is
        library = is_named(parts.name) is not None  # of PReLU the document has to say what its parameter is called
        named = (
            library
            or parts.name.lower() in VECTORS
            or parts.name in VARIANCES | COVARIANCES
            or _is_worked_out(reader, side)
        )
        taken = known is None and named and len(parts.name) > 1
        if taken or (known is None and not _own_arguments(reader, arguments)):
            return False
    else:
        known = bound_to(reader, parts) or _next_of(reader, parts, sides)
    slope = scope.slopes.get((parts.name, len(parts.subscripts)))
    if slope is not None and not scope.chapter_over(slope.section) and not all(map(is_number, parts.subscripts)):
        return False  # S̄ = ∂L/∂S is what S̄ is said to be in the result
    if known is None:
        return arguments is not None or not _goes_into(reader, parts, sides[1:])
    if arguments is None and (_is_of_places(parts, known) or _at_another_place(reader, parts, known)):
        return True
    vector = arguments is not None and any(p is not None and p.bold for p in map(reader.parts, arguments))
    if vector or bool(_LET.search(before)) or section[: len(known.section)] != known.section:
        return True
    if arguments is None and _WITH.search(before) and _only_numbers(reader, sides, parts) and _is_open(reader, known):
        return True  # "with $z = 0.25$", of a z that is σ(a)
    set_to = known.given or (parts.name in reader.usage.settings and _is_open(reader, known))
    return arguments is None and set_to and _only_numbers(reader, sides, parts)


def _goes_into(reader: Interpreter, parts: Parts, sides: list[Node]) -> bool:
    """Whether ε of ε = (x_t − a x_0)/b is one of the names that x_t was made of: then that follows, and sets nothing.

    So it is with x_0 of x_0 = (x_t − b ε)/a.
    """
    scope, names = reader.scope, names_in(reader, sides[:1])
    if parts.subscripts:
        return (parts.name, len(parts.subscripts)) in scope.formulas and parts.name in names
    return any(scope.depends(n, rank, parts.name) for n in names for rank in scope.ranks.get(n, ()))


def made_of_own_values(side: Node, values: list[Node]) -> bool:
    """Whether the f of f(a, b) stands before other arguments in what it is set equal to: f(b, a), or f(a)."""
    name, own = _applied(side)
    if name in _PROBABILITIES:  # P(𝐘 | 𝐗) = ∏_i P(𝐲_i | 𝐱_i) says how examples go together
        return False
    calls = (_applied(n) for value in values for n in walk(value))
    return len(own) > 1 and any(other == name and items != own for other, items in calls if items)


def _applied(node: Node) -> tuple[Node, tuple[Node, ...]]:
    if not isinstance(node, tree.Product) or len(node.factors) != 2 or not isinstance(node.factors[1], tree.Group):
        return node, ()
    return node.factors[0], node.factors[1].items


def _is_of_places(parts: Parts, known: Formula) -> bool:
    """Whether a_n was set to a formula in n alone, 1/n, and is again: texts give one example after the other."""
    letters = bool(parts.subscripts) and not any(map(is_number, parts.subscripts))
    return letters and known.value.rank > 0 and not known.value.body.atoms(Element)


def _at_another_place(reader: Interpreter, parts: Parts, known: Formula) -> bool:
    """Whether t = 2 was set since m_t was given its formula, at t = 1: of a t that is set to several numbers."""
    letters = [s.name for s in parts.subscripts if isinstance(s, tree.Symbol) and s.name in reader.usage.settings]
    places = [reader.scope.formulas.get((letter, 0)) for letter in letters if reader.counts_places(letter)]
    return any(place is not None and place.section == known.section and place.line >= known.line for place in places)


def _is_worked_out(reader: Interpreter, side: Node) -> bool:
    """Whether a side is the determinant of a matrix that the document has written out."""
    if not isinstance(side, tree.Applied) or side.function != tree.Symbol("det", "rm"):
        return False
    try:
        return not reader.value(side).axes
    except SymdlError:
        return False


def _is_open(reader: Interpreter, formula: Formula) -> bool:
    """Whether the stated values do not say what a formula comes to."""
    return bool(valued(reader.scope, formula.value.body).atoms(Element))


def is_number(node: Node) -> bool:
    """Whether a figure stands there."""
    return isinstance(node, tree.Number)


def is_unbound(reader: Interpreter, side: Node) -> bool:
    """Whether a side is a name, or f(x), that the document has not said anything of."""
    if isinstance(side, tree.Group) and isinstance(side.body, tree.List):
        return all(is_unbound(reader, i) for i in side.body.items)
    found = head(reader, side)
    if found is None:
        return False
    parts, arguments = found
    if arguments is None:
        return bound_to(reader, parts) is None and parts.name not in reader.scope.counts
    named = parts.name in CUSTOMARY or library_name(parts.name) is not None or parts.name.lower() in VECTORS
    return not reader.known(parts.name) and not named and _own_arguments(reader, arguments)


def is_open(reader: Interpreter, side: Node) -> bool:
    """Whether a side is a name of which the document has said nothing, or a function of such a name: P(y = i)."""
    if isinstance(side, tree.Product) and len(side.factors) == 2 and isinstance(side.factors[1], tree.Group):
        side = side.factors[0]
    parts = reader.parts(side)
    if parts is None or parts.power is not None:
        return False
    return bound_to(reader, parts) is None and parts.name not in reader.scope.functions


def is_lone_function(reader: Interpreter, value: Node) -> bool:
    """Whether a side is f(a, b) and no more, with an a and b of which neither is made of the other one."""
    value = _of_means(reader, value)
    if not isinstance(value, tree.Product) or value.ops != ("",) or not isinstance(value.factors[1], tree.Group):
        return False
    body = value.factors[1].body
    items = [i for i in (body.items if isinstance(body, tree.List) else (body,)) if not isinstance(i, tree.Dots)]
    parts = [reader.parts(item) for item in map(_outer_name, items)]
    names = {p.name for p in parts if p is not None}
    made = [n for n in names if any(reader.scope.depends(n, r, o) for r in range(3) for o in names - {n})]
    return None not in parts and not made


def _outer_name(node: Node) -> Node:
    """g of g(x)."""
    call = tree.called(node)
    return node if call is None else call[0]


def hangs_on(reader: Interpreter, value: Node) -> set[str]:
    """The names that a side hangs on directly: g of f(g(x)), all names of anything else."""
    if not is_lone_function(reader, value) or not isinstance(value, tree.Product):
        return names_in(reader, [value])
    body = value.factors[1].body if isinstance(value.factors[1], tree.Group) else value
    items = body.items if isinstance(body, tree.List) else (body,)
    return names_in(reader, [value.factors[0], *map(_outer_name, items)])


def _of_means(reader: Interpreter, value: Node) -> Node:
    """l(o_t, y_t) of (1/T) Σ_t l(o_t, y_t): of a mean no more is known than of what it is one of."""
    while True:
        if isinstance(value, tree.Big) and value.op == "sum":
            value = value.body
            continue
        factors = value.factors if isinstance(value, tree.Product) else ()
        inside = [f for f in factors if not names_in(reader, [f]) <= reader.scope.counts]
        if len(factors) < 2 or len(inside) != 1:
            return value
        value = inside[0]


def is_given(reader: Interpreter, side: Node, sides: list[Node]) -> bool:
    """Whether a side is a name that numbers were given for, which is given numbers here; or a list of such names."""
    if isinstance(side, tree.Group) and isinstance(side.body, tree.List):
        numbers = sides[sides.index(side) + 1 :]
        names = [head(reader, item) for item in side.body.items]
        plain = [parts for parts, arguments in filter(None, names) if arguments is None]
        values = [bound_to(reader, parts) for parts in plain]
        return len(plain) == len(names) and not names_in(reader, numbers) and all(v is None or v.given for v in values)
    found = head(reader, side)
    if found is None or found[1] is not None or not _only_numbers(reader, sides, found[0]):
        return False
    known = bound_to(reader, found[0])
    return found[0].name in reader.scope.counts or (known is not None and known.given)


def _own_arguments(reader: Interpreter, arguments: tuple[Node, ...]) -> bool:
    """f(x) defines f where x is no number: f(2) = 4 is a claim."""
    return all(reader.parts(a) is not None for a in arguments)


def bound_to(reader: Interpreter, parts: Parts) -> Formula | None:
    """What a name, or the entry of it that is written, stands for so far."""
    scope, name = reader.scope, parts.name
    if not parts.subscripts:
        found = [f for (n, _), f in scope.formulas.items() if n == name]
        return found[-1] if found else scope.functions.get(name)
    rank = len(parts.subscripts)
    whole = scope.formulas.get((name, rank))
    if all(isinstance(s, tree.Number) and s.text.isdigit() for s in parts.subscripts):
        places = tuple(sympy.Integer(s.text) for s in parts.subscripts if isinstance(s, tree.Number))
        if whole is not None and (whole.recurrent or whole.made_of(name, places)) and _is_first(scope, name, places):
            return scope.entries.get((name, places))
        return scope.entries.get((name, places)) or whole
    return whole


def solved_again(reader: Interpreter, sides: list[Node], solved: Collection[tuple[str, int]]) -> bool:
    """Whether b = ȳ − a x̄ says again what equations of a chapter before were solved for.

    Args:
        solved: names that were, with the lines where.
    """
    parts = reader.parts(sides[0])
    known = None if parts is None else bound_to(reader, parts)
    if parts is None or known is None or (parts.name, known.line) not in solved or known.value.axes:
        return False
    try:
        said = reader.value(sides[1]).body
    except SymdlError:
        return False
    return equal(opened(reader.scope, said), opened(reader.scope, known.value.body), budget=_SECONDS).proved


def _next_of(reader: Interpreter, parts: Parts, sides: list[Node]) -> Formula | None:
    """The recurrence that z_2 = w_2 a_1 + b_2 states of one step, where it is said of all: z_j = w_j a_{j−1} + b_j."""
    whole = reader.scope.formulas.get((parts.name, len(parts.subscripts)))
    numbers = [s for s in parts.subscripts if isinstance(s, tree.Number) and s.text.isdigit()]
    if whole is None or not whole.recurrent or len(numbers) != len(parts.subscripts) or len(sides) < 2:
        return None
    places = tuple(int(s.text) - start for s, start in zip(numbers, whole.starts, strict=True))
    if min(places) < 0:
        return None
    step = whole.value.at(tuple(map(sympy.Integer, places)))
    return whole if sympy.expand(step - body_of(reader, sides[1])) == 0 else None


def is_instance(reader: Interpreter, side: Node, value: Node) -> bool:
    """Whether m_1 = … is made of the very entries that the recurrence for m_t and its stated beginning make m_1 of."""
    parts, scope = reader.parts(side), reader.scope
    if parts is None or not parts.subscripts or not all(map(is_number, parts.subscripts)):
        return False
    whole = scope.formulas.get((parts.name, len(parts.subscripts)))
    if whole is None or not whole.recurrent or whole.section != scope.section:
        return False
    try:
        own, made = reader.value(side).body, reader.value(value).body.atoms(Element)
    except SymdlError:
        return False
    found = valued(scope, own).atoms(Element)
    return bool(found) and found == made and not any(e.name == parts.name for e in found)


def is_restated(reader: Interpreter, side: Node, value: Node) -> bool:
    """Whether w_{t+1} = w_t + g_t is made of no other names than those that the recurrence for w_{t+1} makes it of."""
    parts = reader.parts(side)
    whole = None if parts is None else reader.scope.formulas.get((parts.name, len(parts.subscripts)))
    if parts is None or whole is None or not whole.recurrent:
        return False
    try:
        made = reader.value(value).body
    except SymdlError:
        return False
    names = {e.name for e in made.atoms(Element)}
    return bool(names) and names <= {e.name for e in whole.value.body.atoms(Element)}


def _is_first(scope: Scope, name: str, places: tuple[sympy.Expr, ...]) -> bool:
    """Whether a recurrence begins at an entry: of the one before it nothing is known."""
    return not any(n == name and len(p) == len(places) and p < places for n, p in scope.entries)


def _only_numbers(reader: Interpreter, sides: list[Node], parts: Parts) -> bool:
    """Whether what a given name is set to is made of numbers, and of the name itself."""
    values = [s for s in sides[1:] if head(reader, s) is None]
    return bool(values) and names_in(reader, values) <= {parts.name}


def redefinable(reader: Interpreter, side: Node, value: Node) -> bool:
    """Whether an equation that is not so may give the name on its left side another meaning.

    f(x) = … may, and so may a name whose value is no lone number: that is a claim about what it was defined as.
    """
    found = head(reader, side)
    if found is None:
        return False
    parts, arguments = found
    if arguments is not None:
        # f(x, y) = log 3 says what f is at some place
        return reader.known(parts.name) and _own_arguments(reader, arguments) and not _is_constant(reader, value)
    known = bound_to(reader, parts) is not None or (parts.name, len(parts.subscripts)) in reader.scope.slopes
    return known and (is_list(value) or bool(names_in(reader, [value])))


def says_where(reader: Interpreter, side: Node, value: Node) -> bool:
    """Whether σ(z) = y says of which z the text speaks: what stands there is not made of z."""
    found = head(reader, side)
    if found is None or found[1] is None or is_example(reader, side):
        return False
    return names_in(reader, found[1]).isdisjoint(names_in(reader, [value]))


def logged(reader: Interpreter, side: Node) -> Node | None:
    """p(x) of log p(x), of a p of which nothing was said; None of anything else."""
    function = side.function if isinstance(side, tree.Applied) else None
    if not isinstance(side, tree.Applied) or not isinstance(function, tree.Symbol) or function.name not in _LOGARITHMS:
        return None
    inner = side.argument.body if isinstance(side.argument, tree.Group) else side.argument
    return inner if is_unbound(reader, inner) else None


def says_which(reader: Interpreter, sides: list[Node]) -> bool:
    """Whether f(x) = 0, of an f that nobody has defined, says which x are meant: the plane that f describes."""
    found = head(reader, sides[0]) if len(sides) == 2 and is_number(sides[1]) else None
    zero = isinstance(sides[-1], tree.Number) and not sides[-1].text.strip("0.")
    open_ = zero and found is not None and found[1] is not None and not reader.known(found[0].name)
    return open_ and not _is_worked_out(reader, sides[0])


def _is_constant(reader: Interpreter, value: Node) -> bool:
    """Whether a side is made of numbers alone."""
    try:
        return not reader.value(value).body.free_symbols | reader.value(value).body.atoms(Element)
    except SymdlError:
        return False


def is_example(reader: Interpreter, side: Node) -> bool:
    """Whether a side is f(x), g(x) or h(x), of which texts have many."""
    found = head(reader, side)
    return found is not None and found[1] is not None and found[0].name in ("f", "g", "h", "F", "G")


def applied_to_one(reader: Interpreter, side: Node) -> bool:
    """Whether a side is f(x)."""
    found = head(reader, side)
    return found is not None and found[1] is not None and len(found[1]) == 1
