"""Curves over one axis, drawn like the graphs of networks: one layout, as SVG and as TikZ, both to scale.

Lines and numbers take the colour of the text around them; a closed dot belongs to its curve, an open one does not.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from symdl.rendering.document import Figure
from symdl.rendering.labels import Label, svg_spans

COLOURS = {"forward": "#2670cf", "backward": "#cf3b2f"}
#: Pixels to a unit, and around the drawing; pixels to a centimetre.
UNIT, MARGIN, _SCALE = 44.0, 18.0, 50.0

Point = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """One curve.

    Args:
        label: its name.
        kind: "forward" (blue) or "backward" (red).
        runs: unbroken parts, each as points from left to right.
        dots: (x, y, closed) at jumps.
    """

    label: Label
    kind: str
    runs: tuple[tuple[Point, ...], ...]
    dots: tuple[tuple[float, float, bool], ...] = ()


@dataclass(frozen=True)
class Window:
    """What is seen, in whole units around 0; `stretch` of them are one of the horizontal axis."""

    left: int
    right: int
    bottom: int
    top: int
    stretch: int = 1

    @classmethod
    def around(cls, lines: Sequence[Line], lowest: int = -3, highest: int = 4, stretch: int = 1) -> Window:
        """As high as the curves, within limits, and never flat."""
        xs = [x for line in lines for run in line.runs for x, _ in run]
        ys = [y for line in lines for run in line.runs for _, y in run]
        bottom = max(math.floor(min(ys) - 0.3), lowest)
        top = max(min(math.ceil(max(ys)), highest), 2)
        return cls(math.floor(min(xs)), math.ceil(max(xs)), min(bottom, -1), top, stretch)

    def at(self, x: float, y: float) -> Point:
        """Pixels from the upper left corner."""
        return MARGIN + UNIT * (x - self.left), MARGIN + UNIT * (self.top - y)

    @property
    def size(self) -> Point:
        return 2 * MARGIN + UNIT * (self.right - self.left), 2 * MARGIN + UNIT * (self.top - self.bottom)


def plot_figure(lines: Sequence[Line], caption: str = "", link: str = "", highest: int = 4, stretch: int = 1) -> Figure:
    """Curves in one picture.

    Args:
        lines: from back to front.
        caption: under it.
        link: the file that Markdown points to.
        highest: where curves that grow are cut.
        stretch: units of the picture, in which the lines are given, for a unit of the horizontal axis.

    >>> figure = plot_figure([Line(Label("a", (("a", "", True),)), "forward", (((-1.0, -1.0), (1.0, 1.0)),))])
    >>> figure.svg.startswith("<svg") and figure.tikz.startswith(r"\\begin{tikzpicture}")
    True
    """
    window = Window.around(lines, highest=highest, stretch=stretch)
    return Figure(svg(lines, window), tikz(lines, window), caption, link)


def within(run: Sequence[Point], window: Window) -> Iterator[list[Point]]:
    """The parts of a line that are seen, cut where it leaves the window above or below.

    >>> list(within([(0.0, 0.0), (2.0, 8.0)], Window(-1, 2, -1, 4)))
    [[(0.0, 0.0), (1.0, 4.0)]]
    """
    part: list[Point] = []
    for a, b in pairwise(run):
        seen = _seen(a, b, window)
        if seen is None:
            if part:
                yield part
            part = []
            continue
        if part and part[-1] != seen[0]:
            yield part
            part = []
        part = [*(part or [seen[0]]), seen[1]]
    if part:
        yield part


def _seen(a: Point, b: Point, window: Window) -> tuple[Point, Point] | None:
    """The part of a segment between the lower and the upper edge."""
    (low, high), ends = (window.bottom, window.top), []
    for p, q in ((a, b), (b, a)):
        y = min(max(p[1], low), high)
        if y == p[1]:
            ends.append(p)
        elif (q[1] - y) * (p[1] - y) >= 0:
            return None
        else:
            ends.append((p[0] + (q[0] - p[0]) * (y - p[1]) / (q[1] - p[1]), float(y)))
    return ends[0], ends[1]


def svg(lines: Sequence[Line], window: Window) -> str:
    """The picture as SVG."""
    width, height = window.size
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" style="max-width: 100%; height: auto" role="img" aria-label="a function and its slope" '
        'font-family="Georgia, \'Times New Roman\', serif" font-size="13" fill="currentColor">'
    ]
    parts += _svg_axes(window)
    for line in lines:
        colour = COLOURS[line.kind]
        for run in line.runs:
            for part in within(run, window):
                path = " ".join("{:.1f} {:.1f}".format(*window.at(x, y)) for x, y in part)
                parts.append(
                    f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-linejoin="round"/>'
                )
    for line in lines:
        for x, y, closed in line.dots:
            cx, cy = window.at(x, y)
            fill = COLOURS[line.kind] if closed else "var(--symdl-paper, white)"
            parts.append(
                f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="3.6" stroke="{COLOURS[line.kind]}" stroke-width="1.6" '
                f'style="fill: {fill}"/>'
            )
    for number, line in enumerate(lines):
        y = MARGIN + 8 + 22 * number
        colour = COLOURS[line.kind]
        parts.append(
            f'<path d="M{MARGIN:.0f} {y:.0f} h24" stroke="{colour}" stroke-width="2"/>'
            f'<text x="{MARGIN + 31:.0f}" y="{y + 5:.0f}" font-size="16" fill="{colour}">{svg_spans(line.label)}</text>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _svg_axes(window: Window) -> Iterator[str]:
    pen = 'fill="none" stroke="currentColor" stroke-width="1"'
    (x0, y0), (left, top), (right, bottom) = (
        window.at(x, y) for x, y in ((0, 0), (window.left, window.top), (window.right, window.bottom))
    )
    end, head = right + 12, top - 12
    yield f'<path d="M{left:.0f} {y0:.0f} H{end:.0f} m-6 -3.5 l6 3.5 l-6 3.5" {pen}/>'
    yield f'<path d="M{x0:.0f} {bottom:.0f} V{head:.0f} m-3.5 6 l3.5 -6 l3.5 6" {pen}/>'
    yield f'<text x="{end - 2:.0f}" y="{y0 + 17:.0f}" text-anchor="middle" font-style="italic" font-size="15">s</text>'
    for x in _ticks(window.left, window.right):
        px = window.at(x, 0)[0]
        yield f'<path d="M{px:.0f} {y0 - 3:.0f} v6" {pen}/>'
        yield f'<text x="{px:.0f}" y="{y0 + 17:.0f}" text-anchor="middle">{_number(x, window.stretch)}</text>'
    for y in _ticks(window.bottom, window.top):
        py = window.at(0, y)[1]
        yield f'<path d="M{x0 - 3:.0f} {py:.0f} h6" {pen}/>'
        yield f'<text x="{x0 - 7:.0f}" y="{py + 4.5:.1f}" text-anchor="end">{_number(y)}</text>'


def _ticks(low: int, high: int) -> list[int]:
    """Whole numbers but 0; every second one where there are many, and none at the tip of an axis."""
    step = 2 if high - low > 8 else 1
    return [n for n in range(low, high + 1) if n and n % step == 0]


def _number(value: int, stretch: int = 1) -> str:
    return f"{value / stretch:g}".replace("-", "\N{MINUS SIGN}")


def tikz(lines: Sequence[Line], window: Window) -> str:
    """The picture for LaTeX; needs the libraries and the package that the graphs need."""
    unit = UNIT / _SCALE
    parts = [
        rf"\begin{{tikzpicture}}[>={{Stealth[length=2mm]}}, x={unit:.2f}cm, y={unit:.2f}cm, font=\small]",
        r"\definecolor{forward}{HTML}{2670CF}\definecolor{backward}{HTML}{CF3B2F}",
        rf"\draw[->] ({window.left},0) -- ({window.right}.3,0) node[below] {{$s$}};",
        rf"\draw[->] (0,{window.bottom}) -- (0,{window.top}.3);",
    ]
    parts += [
        rf"\draw ({x},2pt) -- ({x},-2pt) node[below] {{${x / window.stretch:g}$}};"
        for x in _ticks(window.left, window.right)
    ]
    parts += [rf"\draw (2pt,{y}) -- (-2pt,{y}) node[left] {{${y}$}};" for y in _ticks(window.bottom, window.top)]
    for line in lines:
        for run in line.runs:
            for part in within(run, window):
                path = " -- ".join(f"({x:.3f},{y:.3f})" for x, y in part)
                parts.append(rf"\draw[{line.kind}, line width=1pt, line join=round] {path};")
    for line in lines:
        for x, y, closed in line.dots:
            fill = line.kind if closed else "white"
            parts.append(rf"\draw[{line.kind}, fill={fill}] ({x:.3f},{y:.3f}) circle (1.8pt);")
    for number, line in enumerate(lines):
        height = f"{window.top - 0.2 - 0.5 * number:.2f}"
        start = f"\\draw[{line.kind}, line width=1pt] ({window.left},{height}) -- +(0.5,0)"
        parts.append(rf"{start} node[right] {{${line.label.tex}$}};")
    return "\n".join([*parts, r"\end{tikzpicture}"]) + "\n"
