"""Names that a statement defines: which they are, and what they are bound to."""

from __future__ import annotations

import re

import sympy

from symdl.core.indices import Index
from symdl.core.tensors import Element
from symdl.errors import SymdlError
from symdl.verification.meaning.anew import body_of
from symdl.verification.meaning.arrays import Array, scalar
from symdl.verification.meaning.errors import MeaningError
from symdl.verification.meaning.expectation import VARIANCES
from symdl.verification.meaning.functions import CUSTOMARY, VECTORS, library_name, named as is_named
from symdl.verification.meaning.interpret import Interpreter
from symdl.verification.meaning.names import Parts, letter_of, text_of
from symdl.verification.meaning.naming import head, names_in
from symdl.verification.meaning.scope import Formula, Scope, count, element
from symdl.verification.meaning.substitution import substituted
from symdl.verification.meaning.usage import cells_of, is_list
from symdl.verification.meaning.values import valued
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node

#: Words before an equation by which it introduces a name, even one that is in use.
_LET = re.compile(r"\b(let|define|denote|set|put|take|now)\b[^.]{0,60}$", re.IGNORECASE)


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
        library = is_named(parts.name) is not None  # of PReLU the document has to say what its parameter is called
        named = library or parts.name.lower() in VECTORS or parts.name in VARIANCES
        taken = known is None and named and len(parts.name) > 1
        if taken or (known is None and not _own_arguments(reader, arguments)):
            return False
    else:
        known = _bound(reader, parts) or _next_of(reader, parts, sides)
    slope = scope.slopes.get((parts.name, len(parts.subscripts)))
    if slope is not None and not scope.chapter_over(slope.section) and not all(map(_is_number, parts.subscripts)):
        return False  # S̄ = ∂L/∂S is what S̄ is said to be in the result
    if known is None:
        return True
    vector = arguments is not None and any(p is not None and p.bold for p in map(reader.parts, arguments))
    if vector or bool(_LET.search(before)) or section[: len(known.section)] != known.section:
        return True
    set_to = known.given or (parts.name in reader.usage.settings and _is_open(reader, known))
    return arguments is None and set_to and _only_numbers(reader, sides, parts)


def _is_open(reader: Interpreter, formula: Formula) -> bool:
    """Whether the stated values do not say what a formula comes to."""
    return bool(valued(reader.scope, formula.value.body).atoms(Element))


def _is_number(node: Node) -> bool:
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
        return _bound(reader, parts) is None and parts.name not in reader.scope.counts
    named = parts.name in CUSTOMARY or library_name(parts.name) is not None or parts.name.lower() in VECTORS
    return not reader.known(parts.name) and not named and _own_arguments(reader, arguments)


def is_open(reader: Interpreter, side: Node) -> bool:
    """Whether a side is a name of which the document has said nothing, or a function of such a name: P(y = i)."""
    if isinstance(side, tree.Product) and len(side.factors) == 2 and isinstance(side.factors[1], tree.Group):
        side = side.factors[0]
    parts = reader.parts(side)
    if parts is None or parts.power is not None:
        return False
    return _bound(reader, parts) is None and parts.name not in reader.scope.functions


def is_lone_function(reader: Interpreter, value: Node) -> bool:
    """Whether a side is f(a, b) and no more, with an a and b of which neither is made of the other one."""
    value = _of_means(reader, value)
    if not isinstance(value, tree.Product) or value.ops != ("",) or not isinstance(value.factors[1], tree.Group):
        return False
    body = value.factors[1].body
    parts = [reader.parts(item) for item in (body.items if isinstance(body, tree.List) else (body,))]
    names = {p.name for p in parts if p is not None}
    made = [n for n in names if any(reader.scope.depends(n, r, o) for r in range(3) for o in names - {n})]
    return None not in parts and not made


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
        values = [_bound(reader, parts) for parts in plain]
        return len(plain) == len(names) and not names_in(reader, numbers) and all(v is None or v.given for v in values)
    found = head(reader, side)
    if found is None or found[1] is not None or not _only_numbers(reader, sides, found[0]):
        return False
    known = _bound(reader, found[0])
    return found[0].name in reader.scope.counts or (known is not None and known.given)


def _own_arguments(reader: Interpreter, arguments: tuple[Node, ...]) -> bool:
    """f(x) defines f where x is no number: f(2) = 4 is a claim."""
    return all(reader.parts(a) is not None for a in arguments)


def _bound(reader: Interpreter, parts: Parts) -> Formula | None:
    scope, name = reader.scope, parts.name
    if not parts.subscripts:
        found = [f for (n, _), f in scope.formulas.items() if n == name]
        return found[-1] if found else scope.functions.get(name)
    rank = len(parts.subscripts)
    whole = scope.formulas.get((name, rank))
    if all(isinstance(s, tree.Number) and s.text.isdigit() for s in parts.subscripts):
        places = tuple(sympy.Integer(s.text) for s in parts.subscripts if isinstance(s, tree.Number))
        if whole is not None and whole.recurrent and _is_first(scope, name, places):
            return scope.entries.get((name, places))
        return scope.entries.get((name, places)) or whole
    return whole


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
    known = _bound(reader, parts) is not None or (parts.name, len(parts.subscripts)) in reader.scope.slopes
    return known and (is_list(value) or bool(names_in(reader, [value])))


def says_where(reader: Interpreter, side: Node, value: Node) -> bool:
    """Whether σ(z) = y says of which z the text speaks: what stands there is not made of z."""
    found = head(reader, side)
    if found is None or found[1] is None or is_example(reader, side):
        return False
    return names_in(reader, found[1]).isdisjoint(names_in(reader, [value]))


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


def defined(reader: Interpreter, side: Node, value: Node, section: tuple[int, ...], line: int) -> str:
    """Bind the name on a left side; what was bound, in words. A name may be set from its own value.

    Raises:
        MeaningError: the value is not understood.
    """
    if isinstance(side, tree.Group) and isinstance(side.body, tree.List):
        return _pairwise(reader, side.body, value, section, line)
    found = head(reader, side)
    if found is None:
        raise MeaningError("the left side is no name")
    parts, arguments = found
    if arguments is not None:
        return _function(reader, parts, arguments, value, section, line)
    if parts.subscripts:
        return _entries(reader, parts, value, section, line)
    whole = reader.value(value)
    whole = _before_update(reader, whole, parts.name)
    given = not whole.body.atoms(Element)
    starts = (reader.scope.base(parts.name),) * whole.rank
    for k, axis in enumerate(whole.axes):
        if given and axis.extent.is_Integer:
            length = reader.scope.extent(parts.name, k, whole.rank)
            if length.is_Symbol:
                reader.scope.sizes[length] = int(axis.extent)
        else:
            reader.scope.fit(reader.scope.extent(parts.name, k, whole.rank), axis.extent)
    reader.scope.bind(parts.name, Formula(whole.fresh(), starts, given=given, section=section, line=line))
    return parts.name


def _pairwise(reader: Interpreter, names: tree.List, value: Node, section: tuple[int, ...], line: int) -> str:
    inner = value.body if isinstance(value, tree.Group) else value
    if not isinstance(inner, tree.List) or len(inner.items) != len(names.items):
        raise MeaningError(f"{len(names.items)} names are not given as many values")
    return ", ".join(defined(reader, n, v, section, line) for n, v in zip(names.items, inner.items, strict=True))


def _function(
    reader: Interpreter, parts: Parts, arguments: tuple[Node, ...], value: Node, section: tuple[int, ...], line: int
) -> str:
    scope = reader.scope
    named = [reader.parts(a) for a in arguments]
    names = [p.name for p in named if p is not None]
    if any(p is None or p.subscripts for p in named) or _is_dependence(reader, parts, named):
        whole = reader.value(value)  # L(w₀, w₁) says what L hangs on
        starts = (scope.base(parts.name),) * whole.rank
        scope.bind(parts.name, Formula(whole.fresh(), starts, tuple(names), section=section, line=line))
        return parts.name
    outer = dict(reader.arguments)
    reader.arguments.update({name: scalar(element(name)) for name in names})
    try:
        whole = reader.value(value)
    except MeaningError:
        reader.arguments = outer
        if len(names) == 1 or not any(1 in reader.usage.ranks.get(name, ()) for name in names):
            raise
        whole = reader.value(value)  # L(y, t) = Σ_i t_i log y_i is a number that hangs on y and t
        scope.bind(parts.name, Formula(whole.fresh(), (), tuple(names), section=section, line=line))
        return parts.name
    finally:
        reader.arguments = outer
    scope.bind_function(parts.name, Formula(whole, parameters=tuple(names), section=section, line=line))
    return f"{parts.name}({', '.join(names)})"


def _is_dependence(reader: Interpreter, parts: Parts, named: list[Parts | None]) -> bool:
    """Whether f(x) is a value and no function: its arguments are vectors, or names of the document with values."""
    if any(p is not None and p.bold for p in named):
        return True
    return all(p is not None and (p.name, 0) in reader.scope.formulas for p in named) and len(named) > 1


def _entries(reader: Interpreter, parts: Parts, value: Node, section: tuple[int, ...], line: int) -> str:
    scope = reader.scope
    places = tuple(reader.subscript(s) for s in parts.subscripts)
    whole = reader.value(value)
    if whole.axes and (whole.row or all(p.is_Integer for p in places)):
        raise MeaningError(f"{parts.name} with subscripts is {whole.kind}")
    if parts.name in reader.usage.whole:
        whole = whole.mapped(lambda x: x - reader.usage.base)
    text = f"{parts.name}[{', '.join(text_of(s) for s in parts.subscripts)}]"
    recurrent = is_recurrence(reader, whole, parts.name, places)
    whole = whole if recurrent else _before_update(reader, whole, parts.name)
    given = not whole.body.atoms(Element)
    if all(p.is_Integer for p in places):
        scope.bind_entry(parts.name, places, Formula(whole, given=given, section=section, line=line))
        return text
    indices = [next(iter(p.atoms(Index)), p) for p in places]
    starts = [p - i for p, i in zip(places, indices, strict=True)]
    whole_axes = all(isinstance(i, Index) for i in indices) and all(s.is_Integer for s in starts)
    if not whole_axes or len(set(indices)) != len(indices):
        raise MeaningError(f"{text} is no name for all entries", remedy="subscribe it with different letters")
    axes = (*(i for i in indices if isinstance(i, Index)), *whole.axes)
    starts += [sympy.Integer(scope.base(parts.name))] * whole.rank
    for k, i in enumerate(axes):
        scope.fit(i.extent, scope.extent(parts.name, k, len(axes)))
    array, first = Array(axes, whole.body).fresh(), tuple(map(int, starts))
    scope.bind(parts.name, Formula(array, first, given=given, recurrent=recurrent, section=section, line=line))
    return text


def is_recurrence(reader: Interpreter, whole: Array, name: str, places: tuple[sympy.Expr, ...]) -> bool:
    """Whether a value is made of other entries of the name itself, directly or not: h_t of h_{t−1}."""
    if all(p.is_Integer for p in places):
        return False
    scope = reader.scope
    used = {(e.name, len(e.subscripts)) for e in whole.body.atoms(Element)}
    if not any(n == name or scope.depends(n, rank, name) for n, rank in used):
        return False
    # the name itself is open while its formula is read
    inner = scope.expanded(whole.body, lambda e, formula: e.name != name and not formula.given)
    own = [e for e in inner.atoms(Element) if e.name == name]
    return all(any((s - p).is_Integer and s != p for s, p in zip(e.subscripts, places, strict=False)) for e in own)


def _before_update(reader: Interpreter, whole: Array, name: str) -> Array:
    """A value that hangs on the name itself, worked out with what the name stood for so far."""
    scope = reader.scope
    used = {(e.name, len(e.subscripts)) for e in whole.body.atoms(Element)}
    own = (name, whole.rank) if (name, whole.rank) in used or not any(n == name for n, _ in used) else None
    one_of_many = own is None and whole.rank == 0  # C of C = C_0 + s
    if one_of_many or not any(n == name or scope.depends(n, rank, name) for n, rank in used):
        return whole
    worked_out = whole.mapped(lambda x: valued(scope, x))
    if any(e.name == name for e in worked_out.body.atoms(Element)):
        raise MeaningError(f"{name} is set from its own value, which is not known")
    return worked_out


def put_in(reader: Interpreter, left: Node, right: Node, section: tuple[int, ...]) -> list[str]:
    """w x = 2 · 3 says what w and x are, where nothing else in this section does.

    Returns:
        The names that were something else in a section that is still open, each with both numbers.
    """
    changed = []
    for node, number in (substituted(reader, left, right) or {}).items():
        parts = reader.parts(node)
        if parts is None or not all(isinstance(s, tree.Number) for s in parts.subscripts):
            continue
        known = _bound(reader, parts)
        if known is not None and (not known.given or known.section == section):
            continue
        places = tuple(reader.subscript(s, parts.name) for s in parts.subscripts)
        before = None if known is None else known.value.at(places) if known.value.axes else known.value.body
        open_ = known is not None and section[: len(known.section)] == known.section
        if open_ and before is not None and before != number:
            changed.append(f"{text_of(node)} was {before} before and is {number} here")
        formula = Formula(scalar(number), given=True, section=section)
        if places:
            reader.scope.bind_entry(parts.name, places, formula)
        else:
            reader.scope.bind(parts.name, formula)
    return changed


def declared(reader: Interpreter, side: Node, kind: Node) -> str:
    """W ∈ ℝ^{m×d}: the shape of a name, in words; empty where it says something else."""
    found = head(reader, side)
    if found is None or found[1] is not None or found[0].subscripts:
        return ""
    name = found[0].name
    extents = _space(reader, kind)
    if extents is None:
        return ""
    reader.scope.ranks.setdefault(name, set()).add(len(extents))
    if extents:
        reader.scope.declared[name] = reader.scope.section
    for k, extent in enumerate(extents):
        reader.scope.extents[name, k, len(extents)] = extent
    return f"{name}, " + (f"of shape {' × '.join(map(str, extents))}" if extents else "a number")


def _space(reader: Interpreter, kind: Node) -> list[sympy.Expr] | None:
    base = kind.base if isinstance(kind, tree.Scripted) else kind
    if not (isinstance(base, tree.Symbol) and base.name == "R" and base.face == "bb"):
        return None
    sup = kind.sup if isinstance(kind, tree.Scripted) else None
    if sup is None:
        return []
    factors = sup.factors if isinstance(sup, tree.Product) else (sup,)
    found = []
    for factor in factors:
        if isinstance(factor, tree.Number) and factor.text.isdigit():
            found.append(sympy.Integer(factor.text))
            continue
        parts = reader.parts(factor)
        if parts is None or parts.subscripts or parts.power is not None:
            return None
        reader.scope.counts.add(parts.name)
        found.append(count(parts.name))
    return found


def own_entries(reader: Interpreter, side: Node, value: Node) -> str:
    """𝐰 = (w_1, w_2)ᵀ and 𝐱 = (x_1, …, x_d)ᵀ say how many entries a name has, and how they are called.

    Returns:
        What it says, in words; empty where it says something else.
    """
    found = head(reader, side)
    cells = cells_of(value)
    last = reader.parts(cells[-1]) if len(cells) > 2 and isinstance(cells[-2], tree.Dots) else None
    parts = [reader.parts(cell) for cell in (cells if last is None else cells[:-2])]
    if found is None or found[1] is not None or found[0].subscripts or len(cells) < 2:
        return ""
    name, scope = found[0].name, reader.scope
    first = scope.base(name)
    for k, p in enumerate(parts):
        number = p.subscripts[0] if p is not None and p.name == name and len(p.subscripts) == 1 else None
        if not isinstance(number, tree.Number) or number.text != str(first + k):
            return ""
    if last is not None and (last.name != name or len(last.subscripts) != 1 or not letter_of(last.subscripts[0])):
        return ""
    extent = scope.extent(name, 0, 1)
    if isinstance(extent, sympy.Symbol) and last is None:
        scope.sizes[extent] = len(parts)
    scope.declared[name] = scope.section
    scope.ranks.setdefault(name, set()).add(1)
    length = str(len(parts)) if last is None else letter_of(last.subscripts[0])
    return f"{name}, a vector of {length} entries"


def applied_to_one(reader: Interpreter, side: Node) -> bool:
    """Whether a side is f(x)."""
    found = head(reader, side)
    return found is not None and found[1] is not None and len(found[1]) == 1


def summing_to_one(reader: Interpreter, left: Node, right: Node) -> str:
    """The name of which Σ_k y_k = 1 says that it sums to 1; empty where it says something else."""
    if not (isinstance(right, tree.Number) and right.text == "1" and isinstance(left, tree.Big) and left.op == "sum"):
        return ""
    parts = reader.parts(left.body)
    sub = left.sub.sides[0] if isinstance(left.sub, tree.Chain) else left.sub
    plain = parts is not None and parts.power is None and bool(parts.subscripts)
    if parts is None or not plain or sub is None or not letter_of(sub):
        return ""
    return parts.name if letter_of(parts.subscripts[-1]) == letter_of(sub) else ""
