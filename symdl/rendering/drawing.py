"""The computation graph of a small network, drawn: one layout, as SVG and as TikZ."""

from __future__ import annotations

import math
from dataclasses import dataclass

from symdl.rendering.graph import RADIUS, Edge, Layout, Node
from symdl.rendering.labels import Label, svg_spans


@dataclass(frozen=True)
class _Wire:
    """The line of an edge, shortened to the circles, with the place and the slant of its labels."""

    x1: float
    y1: float
    x2: float
    y2: float
    cx: float
    cy: float
    x: float
    y: float
    angle: float


def _wire(plan: Layout, edge: Edge) -> _Wire:
    a = plan.nodes[edge.source]
    if edge.target is None:
        x, y = a.x + RADIUS[a.kind], a.y
        return _Wire(x, y, x + 66, y, x + 33, y, x + 30, y, 0.0)
    b = plan.nodes[edge.target]
    angle = math.atan2(b.y - a.y, b.x - a.x)
    cos, sin = math.cos(angle), math.sin(angle)
    x1, y1 = a.x + RADIUS[a.kind] * cos, a.y + RADIUS[a.kind] * sin
    x2, y2 = b.x - RADIUS[b.kind] * cos, b.y - RADIUS[b.kind] * sin
    upward = a.kind == "bias"
    cx, cy = (x1 + x2) / 2, (y1 + y2) / 2 + 2 * edge.bend
    x, y = x1 + edge.share * (x2 - x1), y1 + edge.share * (y2 - y1) + (edge.bend if edge.bend else 0.0)
    return _Wire(x1, y1, x2, y2, cx, cy, x, y, 0.0 if upward else math.degrees(angle))


def svg(plan: Layout) -> str:
    """The layout as SVG; lines and names take the colour of the text around, values are blue, slopes red."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {plan.width:.0f} {plan.height:.0f}" '
        f'width="{plan.width:.0f}" height="{plan.height:.0f}" '
        f'style="width: max({0.6 * plan.width:.0f}px, min(100%, {plan.width:.0f}px)); height: auto" '
        'role="img" aria-label="computation graph" '
        'font-family="Georgia, \'Times New Roman\', serif" font-size="16" fill="currentColor">',
        '<defs><marker id="symdl-arrow" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" markerHeight="8" '
        'orient="auto"><path d="M0 0.8 L8 4 L0 7.2 z" fill="currentColor"/></marker></defs>',
    ]
    parts += [_svg_edge(plan, edge) for edge in plan.edges]
    parts += [_svg_node(node) for node in plan.nodes]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _svg_edge(plan: Layout, edge: Edge) -> str:
    w = _wire(plan, edge)
    middle = f"Q{w.cx:.1f} {w.cy:.1f} " if edge.bend else "L"
    line = (
        f'<path d="M{w.x1:.1f} {w.y1:.1f} {middle}{w.x2:.1f} {w.y2:.1f}" fill="none" stroke="currentColor" '
        'stroke-width="1.2" marker-end="url(#symdl-arrow)"/>'
    )
    if edge.target is not None and plan.nodes[edge.source].kind == "bias":
        return (
            line
            + _svg_text(edge.above, w.x + 8, w.y + 1, "forward", "start")
            + _svg_text(edge.below, w.x - 8, w.y + 1, "backward", "end")
        )
    turn = f' transform="rotate({w.angle:.1f} {w.x:.1f} {w.y:.1f})"' if abs(w.angle) > 0.5 and not edge.bend else ""
    above = _svg_text(edge.above, w.x, w.y - 7, "forward", turn=turn)
    return line + above + _svg_text(edge.below, w.x, w.y + 17, "backward", turn=turn)


_COLOURS = {"forward": "#2670cf", "backward": "#cf3b2f", "quiet": "#7a828c", "": ""}


def _svg_text(label: Label | None, x: float, y: float, kind: str = "", anchor: str = "middle", turn: str = "") -> str:
    if label is None:
        return ""
    fill = f' class="symdl-{kind}" fill="{_COLOURS[kind]}"' if kind else ""
    return f'\n<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{fill}{turn}>{svg_spans(label)}</text>'


def _svg_node(node: Node) -> str:
    radius = RADIUS[node.kind]
    circle = (
        f'<circle cx="{node.x:.1f}" cy="{node.y:.1f}" r="{radius:.0f}" fill="none" '
        f'stroke="currentColor" stroke-width="{1.0 if node.kind == "bias" else 1.6}"/>'
    )
    drop = 1.0 if node.sign else 5.5
    text = _svg_text(node.label, node.x, node.y + drop)
    sign = _svg_text(node.sign, node.x, node.y + 17, "quiet").replace("<text ", '<text font-size="13" ')
    if node.kind == "input":
        value = _svg_text(node.value, node.x - radius - 8, node.y - 3, "forward", "end")
        slope = _svg_text(node.slope, node.x - radius - 8, node.y + 15, "backward", "end")
    else:
        value = _svg_text(node.value, node.x, node.y - radius - 8, "forward")
        slope = _svg_text(node.slope, node.x, node.y + radius + 18, "backward")
    return circle + text + sign + value + slope


_SCALE = 50.0  # pixels to a centimetre


def tikz(plan: Layout) -> str:
    """The layout as a TikZ picture; needs the libraries arrows.meta and the package xcolor."""
    parts = [
        r"\begin{tikzpicture}[>={Stealth[length=2mm]}, line width=0.5pt, font=\small]",
        r"\definecolor{forward}{HTML}{2670CF}\definecolor{backward}{HTML}{CF3B2F}",
    ]
    parts += [_tikz_edge(plan, edge) for edge in plan.edges]
    parts += [_tikz_node(node) for node in plan.nodes]
    return "\n".join([*parts, r"\end{tikzpicture}"]) + "\n"


def _at(x: float, y: float) -> str:
    return f"({x / _SCALE:.3f},{-y / _SCALE:.3f})"


def _tikz_text(label: Label | None, x: float, y: float, options: str) -> str:
    return f"\\node[inner sep=2pt, {options}] at {_at(x, y)} {{${label.tex}$}};\n" if label else ""


def _tikz_edge(plan: Layout, edge: Edge) -> str:
    w = _wire(plan, edge)
    if edge.bend:
        first, second = _thirds(w)
        line = f"\\draw[->] {_at(w.x1, w.y1)} .. controls {first} and {second} .. {_at(w.x2, w.y2)};\n"
    else:
        line = f"\\draw[->] {_at(w.x1, w.y1)} -- {_at(w.x2, w.y2)};\n"
    if edge.target is not None and plan.nodes[edge.source].kind == "bias":
        above = _tikz_text(edge.above, w.x + 3, w.y, "text=forward, anchor=west")
        return line + above + _tikz_text(edge.below, w.x - 3, w.y, "text=backward, anchor=east").rstrip()
    turn = f", rotate={-w.angle:.1f}" if not edge.bend else ""
    above = _tikz_text(edge.above, w.x, w.y, f"text=forward, anchor=south{turn}")
    return (line + above + _tikz_text(edge.below, w.x, w.y, f"text=backward, anchor=north{turn}")).rstrip()


def _thirds(w: _Wire) -> tuple[str, str]:
    """The control points of the cubic curve that is the quadratic one of the SVG."""
    first = _at(w.x1 + 2 / 3 * (w.cx - w.x1), w.y1 + 2 / 3 * (w.cy - w.y1))
    return first, _at(w.x2 + 2 / 3 * (w.cx - w.x2), w.y2 + 2 / 3 * (w.cy - w.y2))


def _tikz_node(node: Node) -> str:
    radius = RADIUS[node.kind]
    pen = 0.5 if node.kind == "bias" else 0.8
    text = f"\\draw[line width={pen}pt] {_at(node.x, node.y)} circle ({radius / _SCALE:.2f});\n"
    text += _tikz_text(node.label, node.x, node.y - (6 if node.sign else 0), "anchor=center")
    if node.sign:
        text += (
            f"\\node[inner sep=0, text=gray, font=\\scriptsize] at {_at(node.x, node.y + 11)} {{${node.sign.tex}$}};\n"
        )
    if node.kind == "input":
        text += _tikz_text(node.value, node.x - radius, node.y - 9, "text=forward, anchor=east")
        text += _tikz_text(node.slope, node.x - radius, node.y + 9, "text=backward, anchor=east")
    else:
        text += _tikz_text(node.value, node.x, node.y - radius, "text=forward, anchor=south")
        text += _tikz_text(node.slope, node.x, node.y + radius, "text=backward, anchor=north")
    return text.rstrip()
