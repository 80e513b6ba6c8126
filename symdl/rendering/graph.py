"""The computation graph of a small network, as a lecture draws it: units and wires, values above, slopes beneath.

A layout is computed once and drawn twice (`symdl.rendering.drawing`), as SVG and as TikZ.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import sympy

from symdl.core.definitions import Definition
from symdl.core.tensors import Element, Role, elements_in
from symdl.core.unroll import unrolled
from symdl.errors import UnsupportedError
from symdl.rendering.labels import Label, function_label, name_label, number_label, text_label

Kind = Literal["input", "unit", "bias"]

RADIUS = {"input": 22.0, "unit": 25.0, "bias": 13.0}
_COLUMN, _ROW, _LATE, _MARGIN = 190.0, 104.0, 66.0, 58.0
_DENSE_COLUMN, _DENSE_ROW = 340.0, 168.0  # where weighted wires cross, and under units with a bias each
_Point = tuple[float, float]
_SHARES = tuple(s / 100 for s in range(24, 74, 2))
_MOST = 80  # nodes that a reader can still follow


@dataclass(frozen=True)
class Node:
    """A circle with its name, the sign of what it computes, and its value and slope where no wire shows them."""

    x: float
    y: float
    kind: Kind
    label: Label
    sign: Label | None = None
    value: Label | None = None
    slope: Label | None = None


@dataclass(frozen=True)
class Edge:
    """A wire between two nodes by number; no target: it leaves to the right. Labels stand above and beneath it."""

    source: int
    target: int | None
    above: Label | None = None
    below: Label | None = None
    bend: float = 0.0
    share: float = 0.5  # where on the wire the labels stand


@dataclass(frozen=True)
class Layout:
    """Everything that is drawn, in pixels; y grows downward."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    width: float
    height: float


@dataclass
class _Unit:
    """What is known of one element before it has a place."""

    element: Element
    expr: sympy.Expr | None = None
    weighted: tuple[tuple[Element, Element], ...] = ()  # (parameter, signal)
    plain: tuple[Element, ...] = ()
    biases: tuple[Element, ...] = ()
    depth: int = 0


def layout(
    definition: Definition,
    values: Mapping[Element, Any],
    gradients: Mapping[Element, Any] | None = None,
) -> Layout:
    """Place the computation graph of a definition.

    Args:
        definition: with concrete extents; cotangent equations in it are not drawn.
        values: number by element; elements without one are drawn without a value.
        gradients: slope of the target by (forward) element; None: taken from the cotangents among `values`.

    Raises:
        UnsupportedError: symbolic extents, or more nodes than a reader can follow.
    """
    slopes = cotangents_in(definition, values) if gradients is None else dict(gradients)
    target = definition.target
    if slopes and target.rank == 0:
        slopes.setdefault(target.element(), 1)
    units = _units(definition, values)
    if len(units) > _MOST:
        raise UnsupportedError(
            f"the graph of {definition.name} has {len(units)} nodes",
            why=f"at most {_MOST} can be read",
            remedy="fewer units",
        )
    places = _places(units)
    return _drawn(units, places, values, slopes, definition)


def cotangents_in(definition: Definition, values: Mapping[Element, Any]) -> dict[Element, Any]:
    """The slopes among values, by the forward element that they belong to; those of a scalar target only."""
    slopes: dict[Element, Any] = {}
    for element, value in values.items():
        made = element.tensor.cotangent_of
        forward = definition.tensors.get(made[1]) if made else None
        if forward is not None and forward.rank == element.tensor.rank:
            slopes[forward[tuple(element.subscripts)]] = value
    return slopes


# ── what is connected with what ──────────────────────────────────────────────────────────────────────────────────────


def _units(definition: Definition, values: Mapping[Element, Any]) -> dict[Element, _Unit]:
    forward = [e for e in definition.equations if not e.out.cotangent_of]
    if any(not i.extent.is_Integer for e in forward for t in (e.out, *e.uses) for i in t.indices):
        raise UnsupportedError(
            f"the extents of {definition.name} are symbols", where="its graph", remedy="fix them: definition.at(i=3)"
        )
    target = definition.only([definition.outputs[0]])
    units: dict[Element, _Unit] = {}
    places = {e: sympy.Integer(int(v)) for e, v in values.items() if e.tensor.integer}
    for lhs, expr in unrolled(target):
        unit = _connected(lhs, expr.xreplace(places))  # E[tok[0]] is the wire of E[3]; no wire comes from tok itself
        for signal in (*(s for _, s in unit.weighted), *unit.plain):
            units.setdefault(signal, _Unit(signal))
        unit.depth = 1 + max((units[s].depth for s in (*(s for _, s in unit.weighted), *unit.plain)), default=0)
        units[lhs] = unit
    for unit in units.values():  # data that enters late stands just before the unit that uses it
        if unit.expr is None:
            users = [u.depth for u in units.values() if unit.element in (*(s for _, s in u.weighted), *u.plain)]
            unit.depth = max(0, min(users) - 1)
    return units


def _connected(lhs: Element, expr: sympy.Expr) -> _Unit:
    """Weights stand on the wires of the signals that they multiply; a parameter alone is a bias."""
    weighted: list[tuple[Element, Element]] = []
    biases: list[Element] = []
    plain: dict[Element, None] = {}
    for term in sympy.Add.make_args(expr):
        found = elements_in(term)
        parameters = [e for e in found if e.tensor.role in (Role.PARAMETER, Role.HYPERPARAMETER)]
        signals = [e for e in found if e not in parameters]
        if len(parameters) == len(signals) == 1 and term == parameters[0] * signals[0]:
            weighted.append((parameters[0], signals[0]))
        elif found == parameters and term == sympy.Add(*parameters):
            biases += parameters
        else:
            plain.update(dict.fromkeys(found))
    weighted.sort(key=lambda pair: [int(s) for s in pair[1].subscripts if s.is_Integer])
    return _Unit(lhs, expr, tuple(weighted), tuple(plain), tuple(biases))


# ── where it stands ──────────────────────────────────────────────────────────────────────────────────────────────────


def _places(units: Mapping[Element, _Unit]) -> dict[Element, tuple[float, float]]:
    """Columns by depth, wider where wires cross; each centred, and data that enters late beneath the units."""
    columns: dict[int, list[_Unit]] = {}
    for unit in units.values():
        columns.setdefault(unit.depth, []).append(unit)
    dense = any(sum(1 for u in column if u.biases) > 1 for column in columns.values())
    pitch = _DENSE_ROW if dense or any(_crosses(c) for c in columns.values()) else _ROW
    places: dict[Element, tuple[float, float]] = {}
    x = 0.0
    for depth in sorted(columns):
        column = columns[depth]
        if depth:
            x += _DENSE_COLUMN if _crosses(column) else _COLUMN
        late = [u for u in column if u.expr is None and depth > 0]
        main = [u for u in column if u not in late]
        y = -(len(main) - 1) * pitch / 2
        for unit in main:
            places[unit.element] = (x, y)
            y += pitch
        y += _ROW - pitch + (50 if main and main[-1].biases else 0)
        for unit in late:
            places[unit.element] = (x, y)
            y += _LATE
    return places


def _crosses(column: list[_Unit]) -> bool:
    """True where several units take weighted wires from several signals."""
    return sum(1 for u in column if len(u.weighted) > 1) > 1


def _drawn(
    units: Mapping[Element, _Unit],
    places: Mapping[Element, tuple[float, float]],
    values: Mapping[Element, Any],
    slopes: Mapping[Element, Any],
    definition: Definition,
) -> Layout:
    numbers = {element: k for k, element in enumerate(units)}
    edges: list[Edge] = []
    nodes: list[Node] = []
    shown: set[Element] = set()  # elements whose value and slope stand on a wire
    for element, unit in units.items():
        for parameter, signal in unit.weighted:
            bend = _bend(unit, units[signal], places)
            labels = _named(parameter, values), _number(parameter, slopes)
            edges.append(Edge(numbers[signal], numbers[element], *labels, bend))
        for signal in unit.plain:
            bend = _bend(unit, units[signal], places)
            if signal in shown or units[signal].expr is None:
                edges.append(Edge(numbers[signal], numbers[element], bend=bend))
                continue
            shown.add(signal)
            edges.append(
                Edge(numbers[signal], numbers[element], _number(signal, values), _number(signal, slopes), bend)
            )
    used = {e.source for e in edges}
    for element, number in numbers.items():
        if number not in used:
            shown.add(element)
            edges.append(Edge(number, None, _number(element, values), _number(element, slopes)))
    left, top = min(x for x, _ in places.values()), min(y for _, y in places.values())
    first = [n for n, e in zip(numbers.values(), numbers, strict=True) if places[e][0] == left and e not in shown]
    outside = [_number(e, v) for e in (list(numbers)[n] for n in first) for v in (values, slopes)]
    room = 9.0 * max((len(label.spans[0][0]) for label in outside if label), default=0)  # numbers left of the inputs
    origin = (_MARGIN + max(16.0, room) - left, _MARGIN - top)
    for element, unit in units.items():
        x, y = places[element]
        kind: Kind = "input" if unit.expr is None else "unit"
        free = element not in shown
        value, slope = (_number(element, values), _number(element, slopes)) if free else (None, None)
        nodes.append(Node(x + origin[0], y + origin[1], kind, name_label(element), _sign(unit), value, slope))
    for element, unit in units.items():
        for k, bias in enumerate(unit.biases):
            home = nodes[numbers[element]]
            nodes.append(Node(home.x - 34 * k, home.y + 78, "bias", text_label("1", "1")))
            edges.append(Edge(len(nodes) - 1, numbers[element], _named(bias, values), _number(bias, slopes)))
    width = max(n.x for n in nodes) + 108
    height = max(n.y for n in nodes) + (_MARGIN if slopes else 44)
    return Layout(tuple(nodes), tuple(_spread(nodes, edges)), width, height)


def _spread(nodes: list[Node], edges: list[Edge]) -> list[Edge]:
    """Move the labels along their wires to where they are farthest from circles, from other wires and labels."""
    taken = [(n.x, n.y) for n in nodes]
    lines = [_points(nodes, e) for e in edges]
    placed: list[Edge] = []
    for k, edge in enumerate(edges):
        movable = edge.target is not None and nodes[edge.source].kind != "bias" and not edge.bend
        if movable and (edge.above or edge.below):
            others = [p for j, line in enumerate(lines) if j != k for p in line]
            if _fans(edges, edge):
                edge = replace(edge, share=max(_SHARES, key=partial(_room, nodes, edge, taken, others)))
            taken += _spots(nodes, edge, edge.share)
        placed.append(edge)
    return placed


def _room(nodes: list[Node], edge: Edge, taken: list[_Point], others: list[_Point], share: float) -> float:
    """How much room the labels have there."""
    spots = _spots(nodes, edge, share)
    labels = min(math.dist(p, q) for p in spots for q in taken)
    wires = min((math.dist(p, q) for p in spots for q in others), default=99.0)
    return min(labels, 60.0) + 0.8 * min(wires, 25.0) - 10 * abs(share - 0.42)


def _fans(edges: list[Edge], edge: Edge) -> bool:
    """True where other wires leave the same unit: a wire alone keeps its label in the middle."""
    return sum(1 for e in edges if e.source == edge.source) > 1


def _points(nodes: list[Node], edge: Edge) -> list[_Point]:
    """Points along a wire."""
    a, b = nodes[edge.source], nodes[edge.target if edge.target is not None else edge.source]
    return [(a.x + k / 24 * (b.x - a.x), a.y + k / 24 * (b.y - a.y)) for k in range(3, 22)]


def _spots(nodes: list[Node], edge: Edge, share: float) -> list[_Point]:
    """Points of the two labels of a wire, above and beneath it, from their beginnings to their ends."""
    a, b = nodes[edge.source], nodes[edge.target if edge.target is not None else edge.source]
    angle = math.atan2(b.y - a.y, b.x - a.x)
    cos, sin = math.cos(angle), math.sin(angle)
    x, y = a.x + share * (b.x - a.x), a.y + share * (b.y - a.y)
    along = (-45, -22, 0, 22, 45)
    return [(x + t * cos - u * sin, y + t * sin + u * cos) for t in along for u in (-12, 12)]


def _bend(unit: _Unit, source: _Unit, places: Mapping[Element, tuple[float, float]]) -> float:
    """A wire that passes over a column bows around it."""
    if unit.depth - source.depth <= 1:
        return 0.0
    return -0.55 * _ROW if places[source.element][1] <= places[unit.element][1] else 0.55 * _ROW


def _number(element: Element, numbers: Mapping[Element, Any]) -> Label | None:
    return number_label(numbers[element]) if element in numbers else None


def _named(element: Element, values: Mapping[Element, Any]) -> Label:
    value = _number(element, values)
    return name_label(element) + (text_label(" = ", "\u00a0=\u00a0") + value if value else Label("", ()))


def _sign(unit: _Unit) -> Label | None:
    if unit.expr is None:
        return None
    if unit.weighted:
        return text_label(r"\Sigma", "Σ")
    if unit.expr.is_Add and all(t.as_coeff_Mul()[0] > 0 for t in unit.expr.args):
        return text_label(r"\Sigma", "Σ")
    return function_label(unit.expr)
