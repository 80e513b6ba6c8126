"""Names that a statement defines: which they are, and what they are bound to."""

from __future__ import annotations

import sympy

from symdl.core.indices import Index
from symdl.core.tensors import Element
from symdl.verification.meaning.arrays import Array, scalar
from symdl.verification.meaning.errors import MeaningError
from symdl.verification.meaning.interpret import Interpreter
from symdl.verification.meaning.names import Parts, is_transpose, letter_of, text_of
from symdl.verification.meaning.naming import head, names_in
from symdl.verification.meaning.newness import bound_to, is_number
from symdl.verification.meaning.scope import CHAPTER, Formula, Scope, count, element
from symdl.verification.meaning.substitution import substituted
from symdl.verification.meaning.usage import cells_of, range_of
from symdl.verification.meaning.values import valued
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk


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
    arrays = any(_stands_as_an_array(reader, name, value) for name in names) or _has_stated(reader, names, value)
    if arrays or any(p is None or p.subscripts for p in named) or _is_dependence(reader, parts, named):
        whole = reader.value(value)  # L(w₀, w₁) says what L hangs on
        starts = (scope.base(parts.name),) * whole.rank
        places = _numbered(reader, arguments, named)
        scope.bind(parts.name, Formula(whole.fresh(), starts, tuple(names), places, section=section, line=line))
        return parts.name
    outer = dict(reader.arguments)
    reader.arguments.update({name: scalar(element(name)) for name in names})
    try:
        whole = reader.value(value)
    except MeaningError:
        reader.arguments = outer
        if not any(1 in reader.usage.ranks.get(name, ()) for name in names):
            raise
        reader.arguments = {name: given for name, given in outer.items() if name not in names}
        whole = reader.value(value)  # L(y, t) = Σ_i t_i log y_i is a number that hangs on y and t
        starts = (scope.base(parts.name),) * whole.rank
        scope.bind(parts.name, Formula(whole.fresh(), starts, tuple(names), section=section, line=line))
        return parts.name
    finally:
        reader.arguments = outer
    scope.bind_function(parts.name, Formula(whole, parameters=tuple(names), section=section, line=line))
    return f"{parts.name}({', '.join(names)})"


def _numbered(reader: Interpreter, arguments: tuple[Node, ...], named: list[Parts | None]) -> tuple[Element, ...]:
    """x_1 and x_2 of f(x_1, x_2); nothing where other arguments stand there."""
    if any(p is None or not p.subscripts or not all(map(is_number, p.subscripts)) for p in named):
        return ()
    found = [reader.value(a).body for a in arguments]
    places = tuple(e for e in found if isinstance(e, Element))
    return places if len(set(places)) == len(arguments) else ()


def _stands_as_an_array(reader: Interpreter, name: str, value: Node) -> bool:
    """Whether w is transposed in what f(w) is, or stands in a norm: then f hangs on a vector.

    So it does where w, which is a vector elsewhere, stands in it only as the θ of h_θ(x).
    """
    if not reader.usage.shaped(name):
        return False
    if name not in names_in(reader, [value]):
        return True
    for node in walk(value):
        inner = node.body if isinstance(node, tree.Norm) else node
        parts = reader.parts(inner) if isinstance(inner, (tree.Symbol, tree.Scripted)) else None
        if parts is not None and parts.name == name and (parts.transposed or inner is not node):
            return True
        if isinstance(node, tree.Product) and any(_lies_before(reader, *pair, name) for pair in node.neighbours):
            return True
    return False


def _lies_before(reader: Interpreter, first: Node, second: Node, op: str, name: str) -> bool:
    """Whether w stands behind a vector that lies down: vᵀ w."""
    parts, own = reader.parts(first), reader.parts(second)
    lying = parts is not None and parts.transposed and parts.name[:1].islower() and op == ""
    return lying and own is not None and own.name == name and not own.subscripts and own.power is None


def _has_stated(reader: Interpreter, names: list[str], value: Node) -> bool:
    """Whether f(w) is made of vectors of which the shapes were stated, and can be: (y − t)² is of their entries."""
    if not any(map(reader.scope.is_stated, names)):
        return False
    try:
        reader.value(value)
    except MeaningError:
        return False
    return True


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
    before = scope.formulas.get((parts.name, len(places) + whole.rank))
    several = before is not None and not before.value.body.atoms(Element) and not scope.chapter_over(before.section)
    in_places = bool(whole.body.atoms(Index) & {i for p in places for i in p.atoms(Index)})
    given = not whole.body.atoms(Element) and (several or not in_places)  # of several a_n nobody knows which is meant
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
    begins = _first_state(scope, parts.name, len(axes), section) if recurrent else {}
    scope.bind(parts.name, Formula(array, first, given=given, recurrent=recurrent, section=section, line=line))
    scope.entries |= begins
    return text


def over_ranges(reader: Interpreter, side: Node, ranges: tuple[tree.Chain, ...]) -> None:
    """y_i = …, for i = 1, …, n: so many entries y has."""
    parts = reader.parts(side)
    for chain in ranges if parts is not None else ():
        ends = range_of(chain)
        letters = chain.sides[0].items if isinstance(chain.sides[0], tree.List) else chain.sides[:1]
        for axis, sub in enumerate(parts.subscripts if parts is not None else ()):
            if parts is None or ends is None or sub not in letters or len(reader.usage.ranges.get(sub, ())) > 1:
                continue
            first, last = map(reader.subscript, ends)
            if first == reader.scope.base(parts.name):
                extent = reader.scope.extent(parts.name, axis, len(parts.subscripts))
                reader.scope.fit(extent, sympy.expand(last - first + 1))


def _first_state(
    scope: Scope, name: str, rank: int, section: tuple[int, ...]
) -> dict[tuple[str, tuple[sympy.Expr, ...]], Formula]:
    """m_0 = 0, the one entry that this section has given a number, from which m_t = β m_{t−1} + … goes on."""
    own = {k: f for k, f in scope.entries.items() if k[0] == name and len(k[1]) == rank}
    stated = all(f.given and section[: len(f.section)] == f.section for f in own.values())
    return own if len(own) == 1 and stated else {}


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
        known = bound_to(reader, parts)
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
    """W ∈ ℝ^{m×d}: the shape of a name, or of each in a list, in words; empty where it says something else."""
    if isinstance(side, tree.List):
        return "; ".join(told for item in side.items if (told := declared(reader, item, kind)))
    found = head(reader, side)
    if found is None or found[1] is not None or found[0].subscripts:
        return ""
    name = found[0].name
    extents = _space(reader, kind)
    if extents is None:
        return ""
    if name in reader.scope.declared and not reader.scope.is_stated(name):  # of another chapter
        reader.scope.ranks[name] = set()
        del reader.scope.declared[name]
    reader.scope.ranks.setdefault(name, set()).add(len(extents))
    (reader.scope.declared if extents else reader.scope.numbers)[name] = reader.scope.section
    for k, extent in enumerate(extents):
        key = (name, k, len(extents))
        here = key in reader.scope.extents and reader.scope.where.get(key) in ((), reader.scope.section[:CHAPTER])
        if here and len(extents) == 1 and not extent.is_Integer:
            # so long it was in the formula before these words too; a matrix may be turned since, W x before and X W now
            reader.scope.fit(reader.scope.extents[key], extent)
        reader.scope.extents[key] = extent
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


def _last_place(node: Node, first: int) -> str:
    """n, and p of p − 1 where the first place is 0."""
    terms = node.terms if isinstance(node, tree.Sum) else ()
    less = first == 0 and len(terms) == 2 and terms[1] == ("-", tree.Number("1"))
    return letter_of(terms[0][1] if less else node)


def own_entries(reader: Interpreter, side: Node, value: Node) -> str:
    """𝐰 = (w_1, w_2)ᵀ and 𝐱 = (x_1, …, x_d)ᵀ say how many entries a name has, and how they are called.

    Returns:
        What it says, in words; empty where it says something else.
    """
    turned = isinstance(side, tree.Scripted) and side.sub is None and is_transpose(side.sup)
    found = head(reader, side.base if isinstance(side, tree.Scripted) and turned else side)
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
    length = str(len(parts))
    if last is not None:
        length = _last_place(last.subscripts[0], first) if last.name == name and len(last.subscripts) == 1 else ""
        if not length:
            return ""
    extent = scope.extent(name, 0, 1)
    if isinstance(extent, sympy.Symbol) and last is None:
        scope.sizes[extent] = len(parts)
    scope.declared[name] = scope.section
    scope.ranks.setdefault(name, set()).add(1)
    return f"{name}, a vector of {length} entries"


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
