"""The links of a chain as claims: the values of both sides, and what may keep them from being claims."""

from __future__ import annotations

from typing import Protocol

from symdl.core.tensors import Element
from symdl.errors import SymdlError
from symdl.verification.meaning import binding, naming
from symdl.verification.meaning.arrays import Array
from symdl.verification.meaning.errors import KindsError, ShapesError
from symdl.verification.meaning.interpret import Interpreter
from symdl.verification.meaning.scope import Scope
from symdl.verification.meaning.stated import Meaning, links
from symdl.verification.meaning.substitution import with_slopes
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk


class Context(Protocol):
    """`symdl.verification.meaning.statements.Reading`, as far as claims need it."""

    scope: Scope
    section: tuple[int, ...]
    wished: bool
    worth: dict[Node, Node]
    sources: dict[Node, Node]


def claims_of(context: Context, reader: Interpreter, sides: list[Node], relations: tuple[str, ...]) -> list[Meaning]:
    """What each link of a chain claims."""
    changed: dict[int, list[str]] = {}
    meant = _with_slopes(context, reader, sides)
    for k, (a, b, relation) in enumerate(links(meant, relations)):
        if relation == "=":
            # z = 2 · 3 + 4 of a z that was w x + b says what w, x and b are
            changed[k] = binding.put_in(reader, context.sources.get(a, a), b, context.section)
    values: list[Array | None] = []
    problems: list[str] = []
    unfit: set[int] = set()
    misfit: set[int] = set()
    for k, side in enumerate(meant):
        try:
            values.append(reader.value(side))
            problems.append("")
        except SymdlError as error:
            values.append(None)
            problems.append(str(error))
            unfit |= {k} if isinstance(error, ShapesError) else set()
            misfit |= {k} if isinstance(error, KindsError) else set()
    made = []
    for k, (a, b, relation) in enumerate(links(sides, relations)):
        first, second = values[k], values[k + 1]
        both = (first, second) if first is not None and second is not None else None
        reason = problems[k] or problems[k + 1] or "; ".join(changed.get(k, ()))
        both = None if changed.get(k) else both
        condition = both is not None and (
            context.wished or _is_condition(context, reader, (meant[k], meant[k + 1]), both)
        )
        made.append(
            Meaning(
                a,
                b,
                relation,
                both,
                reason=reason,
                free=tuple(reader.free.values()),
                starts=tuple(reader.bases.get(letter, 0) for letter in reader.free),
                notes=tuple(dict.fromkeys(reader.notes)),
                condition=condition,
                unfit=first is not None and k + 1 in unfit,
                misfit=k + 1 in misfit,
            )
        )
    return made


def _with_slopes(context: Context, reader: Interpreter, sides: list[Node]) -> list[Node]:
    """w − η ∂L/∂w beside numbers: with the value that the document has worked out for the slope."""
    figures = any(not isinstance(s, tree.Number) and not naming.names_in(reader, [s]) for s in sides)
    return [with_slopes(side, context.worth) for side in sides] if figures else sides


def _is_condition(context: Context, reader: Interpreter, sides: tuple[Node, Node], values: tuple[Array, Array]) -> bool:
    """wᵀx + b = 0 with x open says which x are meant."""
    numbers = [not v.body.atoms(Element) for v in values]
    if all(numbers) or not any(numbers):
        return False
    other = values[numbers.index(False)]
    formulas = [context.scope.formula_of(e) for e in other.body.atoms(Element)]
    is_open = None in formulas and all(f is None or f.given for f in formulas)
    return is_open and not _is_worked_out(reader, sides, values)


def _is_worked_out(reader: Interpreter, sides: tuple[Node, Node], values: tuple[Array, Array]) -> bool:
    """Whether ∂y/∂β = γ says of a slope that is a number what it is, in names that y is made of.

    A name that y does not have may be one for the slope.
    """
    for side, value, other in (*zip(sides, values, values[::-1], strict=True),):
        slopes = [n for n in walk(side) if isinstance(n, (tree.Derivative, tree.Gradient)) and n.of is not None]
        if slopes and not value.body.atoms(Element):
            made_of = {name for n in slopes if n.of is not None for name in _names_of(reader, n.of)}
            return {e.name for e in other.body.atoms(Element)} <= made_of
    return False


def _names_of(reader: Interpreter, node: Node) -> set[str]:
    """The names in a value, with all definitions put in."""
    try:
        body = reader.value(node).body
    except SymdlError:
        return set()
    return {e.name for e in reader.scope.expanded(body, lambda e, formula: not formula.given).atoms(Element)}
