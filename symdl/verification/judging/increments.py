"""ΔC ≈ ∂C/∂v_1 Δv_1 + ∂C/∂v_2 Δv_2: the change of a number to first order in the changes of what it is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import sympy

from symdl.core.indices import Index
from symdl.core.tensors import Element, Reduction, reduction
from symdl.errors import SymdlError
from symdl.verification.judging.approximate import APPROXIMATE
from symdl.verification.judging.doubts import Pair
from symdl.verification.meaning import calculus
from symdl.verification.meaning.arrays import scalar
from symdl.verification.meaning.increments import DELTA
from symdl.verification.meaning.interpret import Interpreter
from symdl.verification.meaning.names import letter_of, letters_apart
from symdl.verification.meaning.scope import element
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.statements import Reading
from symdl.verification.meaning.sums import new_index
from symdl.verification.meaning.usage import cells_of
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node
from symdl.verification.verdict import Status, Verdict

Decide = Callable[[Pair], Verdict]


def first_order_change(reading: Reading, link: Meaning, decide: Decide) -> Verdict | None:
    """The proof that a change is the sum of slopes times changes; None where there is none.

    Where the document says nothing of how C hangs on what changes, this holds for every C.
    """
    of = _unchanged(link.left)
    if of is None or link.relation not in APPROXIMATE:
        return None
    for every in (False, True):
        try:
            found = _judged(_where_open(reading, of) if every else reading, of, link.right, decide)
        except SymdlError:
            continue
        if found is not None:
            return found
    return None


def _unchanged(node: Node) -> Node | None:
    """C of ΔC."""
    base = node.base if isinstance(node, tree.Scripted) else node
    if not isinstance(base, tree.Symbol) or not base.name.startswith(DELTA) or len(base.name) == 1:
        return None
    plain = replace(base, name=base.name.removeprefix(DELTA))
    return replace(node, base=plain) if isinstance(node, tree.Scripted) else plain


def _where_open(reading: Reading, of: Node) -> Reading:
    parts = reading.reader().parts(of)
    scope = reading.scope.copy()
    if parts is not None:
        scope.forget(parts.name)
        scope.opaque = {k: v for k, v in scope.opaque.items() if k != parts.name}
    return replace(reading, scope=scope)


def _judged(reading: Reading, of: Node, right: Node, decide: Decide) -> Verdict | None:
    reader = reading.reader()
    changed, total = reader.value(of), reader.value(right)
    if changed.axes or total.axes:
        return None
    changes = {e for e in total.body.atoms(Element) if e.name.startswith(DELTA) and len(e.name) > 1}
    along = None if changes else _along_the_gradient(reader, changed.body, total.body)
    if along is not None and decide((reader.scope.settled(along), reader.scope.settled(total.body))).proved:
        return Verdict(Status.PROVED, "total differential", "to first order, along the step that was set")
    none = total.body.xreplace(dict.fromkeys(changes, sympy.S.Zero))
    if not changes or not decide((none, sympy.S.Zero)).proved:
        return None
    for change in _each(reader, changes):
        slope = calculus.slope(total.body, change)
        gradient = _of_the_gradient(changed.body, change)
        if gradient is not None and total.body.has(Reduction) and decide((slope, gradient)).proved:
            continue  # ∇C · Δv, whatever v is
        if any(e.name.startswith(DELTA) for e in slope.atoms(Element)):
            return None
        place = element(change.name.removeprefix(DELTA), change.subscripts)
        wanted = calculus.derived(reader, scalar(changed.body), place).body
        if not decide((reading.scope.settled(slope), reading.scope.settled(wanted))).proved:
            return None
    names = ", ".join(sorted({e.name.removeprefix(DELTA) for e in changes}))
    return Verdict(Status.PROVED, "total differential", f"to first order, where {names} changes and nothing else")


def _of_the_gradient(changed: sympy.Expr, change: Element) -> sympy.Expr | None:
    """The entry of ∇C that stands at the place of a change in ∇C · Δv."""
    if not isinstance(changed, Element) or len(change.subscripts) != 1 or change.subscripts[0].is_Integer:
        return None
    return element(f"∇{changed.name}", (*changed.subscripts, *change.subscripts))


def _along_the_gradient(reader: Interpreter, changed: sympy.Expr, total: sympy.Expr) -> sympy.Expr | None:
    """∇C · Δv of the one Δv that the document has set to something, where none stands on the right side."""
    steps = [
        (n, f) for (n, rank), f in reader.scope.formulas.items() if n.startswith(DELTA) and rank == 1 and len(n) > 1
    ]
    if len(steps) != 1 or not isinstance(changed, Element) or steps[0][1].given:
        return None
    (_, formula), step = steps[0], steps[0][1].value.fresh()
    place = step.axes[0] + formula.starts[0]
    gradient = element(f"∇{changed.name}", (*changed.subscripts, place))
    return reduction("sum", gradient * step.body, list(step.axes)) if gradient in step.body.atoms(Element) else None


def _each(reader: Interpreter, changes: set[Element]) -> list[Element]:
    """The changes one by one, those that are summed over with an index that is free."""
    free = set(reader.free.values())
    found: dict[tuple[str, int], Element] = {}
    single: list[Element] = []
    for e in sorted(changes, key=str):
        if all({s for s in sub.free_symbols if isinstance(s, Index)} <= free for sub in e.subscripts):
            single.append(e)
            continue
        axes = [new_index(f"k{k}", reader.scope.extent(e.name, k, len(e.subscripts))) for k in range(len(e.subscripts))]
        found[e.name, len(axes)] = element(e.name, [i + reader.scope.base(e.name) for i in axes])
    return [*single, *found.values()]


def by_definition(reader: Interpreter, link: Meaning) -> Verdict | None:
    """∇C = (∂C/∂v_1, …, ∂C/∂v_m)ᵀ, which is what ∇C is; None of anything else."""
    for side, other in ((link.left, link.right), (link.right, link.left)):
        if _is_entry_of(reader, side, other):
            return Verdict(Status.PROVED, "definition of ∇", "each entry, of every function")
        cells = [c for c in cells_of(other) if not isinstance(c, tree.Dots)]
        if not isinstance(side, tree.Gradient) or side.by is not None or side.order != 1 or len(cells) < 2:
            continue
        if not all(isinstance(c, tree.Derivative) and c.of == side.of and len(c.by) == 1 for c in cells):
            continue
        named = [reader.parts(c.by[0][0]) for c in cells if isinstance(c, tree.Derivative) and c.by[0][1] == 1]
        ends = [p.subscripts[0] for p in named if p is not None and len(p.subscripts) == 1]
        one = {p.name for p in named if p is not None}
        numbers = [int(e.text) for e in ends[:-1] if isinstance(e, tree.Number) and e.text.isdigit()]
        begins = numbers and numbers[0] in (0, 1) and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        if len(one) == 1 and len(ends) == len(cells) == len(numbers) + 1 and begins and _goes_on(cells_of(other), ends):
            return Verdict(Status.PROVED, "definition of ∇", f"by the entries of {one.pop()}")
    return None


def _is_entry_of(reader: Interpreter, side: Node, slope: Node) -> bool:
    """(∇_x f)_i = ∂f/∂x_i."""
    inner = side.base.body if isinstance(side, tree.Scripted) and isinstance(side.base, tree.Group) else None
    if (
        not isinstance(inner, tree.Gradient)
        or inner.order != 1
        or inner.by is None
        or not isinstance(side, tree.Scripted)
    ):
        return False
    if side.sub is None or side.sup is not None or not isinstance(slope, tree.Derivative) or slope.of != inner.of:
        return False
    name = slope.by[0][0] if len(slope.by) == 1 and slope.by[0][1] == 1 else None
    whole, entry = reader.parts(inner.by), None if name is None else reader.parts(name)
    if whole is None or entry is None or whole.subscripts or whole.name != entry.name or entry.power is not None:
        return False
    places = [letter_of(s) for s in entry.subscripts]
    return all(places) and places == [letter_of(s) for s in letters_apart(side.sub, len(places))]


def _goes_on(cells: tuple[Node, ...], ends: list[Node]) -> bool:
    """Whether the last one is the next one, or is the end of what the dots leave out."""
    dots, last, before = any(isinstance(c, tree.Dots) for c in cells), ends[-1], ends[-2]
    if isinstance(last, tree.Number) and last.text.isdigit() and isinstance(before, tree.Number):
        return int(last.text) == int(before.text) + 1 or (dots and int(last.text) > int(before.text))
    return dots and isinstance(last, tree.Symbol)
