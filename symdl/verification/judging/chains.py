"""Links of a backpropagation, judged by the graph of its names (`meaning.graph`): no more is put in than has to be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import sympy

from symdl.core.deadlines import now
from symdl.core.indices import Index
from symdl.core.tensors import Element
from symdl.errors import SymdlError
from symdl.verification.decide import equal
from symdl.verification.judging.abstraction import without_functions
from symdl.verification.judging.assumptions import domain
from symdl.verification.meaning.arrays import Array
from symdl.verification.meaning.functions import objective
from symdl.verification.meaning.graph import Graph, GraphReader
from symdl.verification.meaning.interpret import Interpreter
from symdl.verification.meaning.primes import primes_opened
from symdl.verification.meaning.scope import Formula, Scope
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.statements import Reading
from symdl.verification.notation import tree
from symdl.verification.notation.tree import walk
from symdl.verification.verdict import Verdict

#: Points at which the two sides have to agree before a proof is looked for: here something is proved, or nothing said.
POINTS = 1

#: How often names of slopes are put in: by what their own slopes are made from, and so on.
DEEPEST = 3

Pair = tuple[sympy.Expr, sympy.Expr]


def by_graph(reading: Reading, link: Meaning, seed: int, seconds: float, *, every: bool = False) -> Verdict | None:
    """The proof of a link in which slopes have names, with ∂v/∂u read as what u does in the formula of v alone.

    Args:
        every: for every number that hangs on what goes into nothing else, whatever the document says that it is.

    Returns:
        None where there is none: the link may still be right in another reading.
    """
    graphs = _graphs(reading, link, every)
    if not graphs:
        return None
    scope, reader = reading.scope, GraphReader(**{**vars(reading.reader()), "graphs": graphs})
    try:
        a, b = reader.value(link.left), reader.value(link.right)
        if a.rank != b.rank:
            return None
        started = now()
        pair, told_of = _before_the_last(reading, graphs, _aligned(reading, a, b))
        for left, right in _opened(reading, graphs, pair):
            if now() - started > seconds:
                return None
            left, right = without_functions((primes_opened(scope, left), primes_opened(scope, right)))
            found = equal(left, right, domain=domain(reading, (left, right)), seed=seed, budget=seconds, points=POINTS)
            if found.proved:
                told = f"; every {' and '.join(f'{t} that hangs on {_names(g)} only' for t, g in graphs.items())}"
                told = (told if every else "") + told_of + "; ∂ with all other names held fixed"
                return replace(found, scope=found.scope + told)
    except (SymdlError, RecursionError):
        return None
    return None


def slopes_alone(reading: Reading) -> Interpreter:
    """A reader of ∂v/∂u as what u does in the formula of v, with all other names held fixed."""
    try:
        graph = Graph(reading.scope, "", every=True)
    except SymdlError:
        return reading.reader()
    return GraphReader(**{**vars(reading.reader()), "graphs": {"": graph}})


def _names(graph: Graph) -> str:
    """On what an open number hangs, in words."""
    return ", ".join(sorted(graph.ends or {n for n, _ in graph.slopes}))


def _graphs(reading: Reading, link: Meaning, every: bool) -> dict[str, Graph]:
    """The graphs of the numbers whose slopes have names, where the link is about such slopes."""
    scope = reading.scope
    slopes = {bar: s.target for (bar, _), s in scope.named_slopes().items()}
    reader = reading.reader()
    parts = (reader.parts(n) for side in (link.left, link.right) for n in walk(side) if isinstance(n, _NAMES))
    used = {p.name for p in parts if p is not None}
    targets = {t for bar, t in slopes.items() if bar in used or t in used}
    if every:
        of = (n.of for side in (link.left, link.right) for n in walk(side) if isinstance(n, _SLOPES))
        named = (reader.parts(node) for node in of if node is not None)
        targets |= {p.name for p in named if p is not None and objective(p.name) and not p.subscripts}
    found = {}
    for target in sorted(targets):
        try:
            graph = Graph(scope, target, every)
        except SymdlError:
            continue
        # where its own formulas lead there, they were followed before
        if not every or not graph.shown(used | {s.name for (bar, _), s in scope.named_slopes().items() if bar in used}):
            found[target] = graph
    return found


_SLOPES = (tree.Derivative, tree.Gradient)
_NAMES = (tree.Symbol, tree.Accented, tree.Scripted)


def _aligned(reading: Reading, a: Array, b: Array) -> Pair:
    for i, j in zip(a.axes, b.axes, strict=True):
        reading.scope.fit(i.extent, j.extent)
    return a.body, b.at(a.axes)


def _before_the_last(reading: Reading, graphs: dict[str, Graph], pair: Pair) -> tuple[Pair, str]:
    """Both sides for the steps t of which they speak of t + 1 as well, and that in words."""
    bars = {bar: key for graph in graphs.values() if graph.in_time() for key, bar in graph.slopes.items()}
    further: dict[Index, int] = {}
    for e in {e for side in pair for e in side.atoms(Element) if e.name in bars}:
        for s in e.subscripts:
            found = [i for i in s.free_symbols if isinstance(i, Index)]
            step = s - found[0] - reading.scope.base(bars[e.name][0]) if len(found) == 1 else sympy.S.Zero
            if step.is_Integer and step > 0:
                further[found[0]] = max(further.get(found[0], 0), int(step))
    mapping = {i: i.with_extent(i.extent - k) for i, k in further.items()}
    told = "".join(f"; for {i.name} up to {reading.scope.root(i.extent)} − {k}" for i, k in further.items())
    return (pair[0].xreplace(mapping), pair[1].xreplace(mapping)), told


def _opened(reading: Reading, graphs: dict[str, Graph], pair: Pair) -> Iterator[Pair]:
    """Both sides with more and more put in: formulas of names, states by one step, then slopes by their own."""
    scope = reading.scope
    bars = {bar for graph in graphs.values() for bar in graph.slopes.values()}

    def wanted(e: Element, formula: Formula) -> bool:
        return not (formula.given or formula.recurrent or e.name in bars)

    deeper = [pair]
    for _ in range(DEEPEST):
        one, other = deeper[-1]
        if not any(e.name in bars for e in (*one.atoms(Element), *other.atoms(Element))):
            break
        deeper.append((_slopes_put_in(graphs, one), _slopes_put_in(graphs, other)))
    mixed = [(deeper[1][0], pair[1]), (pair[0], deeper[1][1])] if len(deeper) > 1 else []
    named = [(_in_those_of(graphs, a, b), _in_those_of(graphs, b, a)) for a, b in (pair, *mixed)]
    if mixed:
        named += [(_in_those_of(graphs, deeper[1][0], pair[1]), pair[1])]
        named += [(pair[0], _in_those_of(graphs, deeper[1][1], pair[0]))]
    every = list(dict.fromkeys([pair, *mixed, *named, *deeper[1:]]))
    slopes = {each: [{e.name for e in side.atoms(Element)} & bars for side in each] for each in every}
    # where the same slopes stand on both sides, they may agree
    for each in sorted(every, key=lambda each: len(slopes[each][0] ^ slopes[each][1])):
        opened = [scope.expanded(e, wanted) for e in each]
        yield scope.settled(opened[0]), scope.settled(opened[1])
        for names in _steps(scope, each):
            opened = [scope.expanded(_stepped(scope, e, names), wanted) for e in each]
            yield scope.settled(opened[0]), scope.settled(opened[1])


def _steps(scope: Scope, pair: Pair) -> list[frozenset[str]]:
    """Names of states to put one step in for: all of them, and each by itself, since h_t of a_t and a_t of h_{t−1}."""
    elements = (e for side in pair for e in side.atoms(Element))
    formulas = {e.name: scope.formulas.get((e.name, len(e.subscripts))) for e in elements}
    names = sorted(name for name, formula in formulas.items() if formula is not None and formula.recurrent)
    every = [frozenset(names)] if names else []
    return [*every, *(frozenset({name}) for name in names)] if len(names) > 1 else every


def _slopes_put_in(graphs: dict[str, Graph], expr: sympy.Expr) -> sympy.Expr:
    for graph in graphs.values():
        expr = graph.put_in(expr)
    return expr


def _in_those_of(graphs: dict[str, Graph], expr: sympy.Expr, other: sympy.Expr) -> sympy.Expr:
    """One side in the slopes of the other one: ∂L/∂h_t in δ_t and δ_{t+1}, of what is made of h_t."""
    kept = {e.name for e in other.atoms(Element)}
    for _ in range(DEEPEST):
        before = expr
        for graph in graphs.values():
            expr = graph.put_in(expr, kept)
        if expr == before:
            break
    return expr


def _stepped(scope: Scope, expr: sympy.Expr, names: frozenset[str]) -> sympy.Expr:
    """With some states by what they are made from at their own time."""
    mapping: dict[sympy.Basic, sympy.Expr] = {}
    for e in expr.atoms(Element):
        formula = scope.formulas.get((e.name, len(e.subscripts)))
        if formula is not None and formula.recurrent and e.name in names:
            places = tuple(s - start for s, start in zip(e.subscripts, formula.starts, strict=True))
            mapping[e] = formula.value.at(places)
    return scope.replaced(expr, mapping)
