"""The drawn computation graph: one layout, two drawings."""

from __future__ import annotations

import math
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from symdl.core.define import Input, Param, Sum, define, let, mean
from symdl.derivation.derive import derive
from symdl.derivation.worked import work
from symdl.errors import UnsupportedError
from symdl.library.layers import dense, sequential
from symdl.rendering.drawing import svg, tikz
from symdl.rendering.graph import RADIUS, Layout, layout


@define
def unit(x=Input("n i"), t=Input("n"), w=Param("i"), b=Param()):  # type: ignore[no-untyped-def]
    n, i = x.indices
    s = let("s[n]", Sum(w[i] * x[n, i], i) + b)
    a = let("y_hat[n]", s[n])
    return let("L", mean((t[n] - a[n]) ** 2, n))


def lecture() -> Layout:
    worked = work(derive(unit).gradient, {"x": [[1, 1, 3]], "t": [10], "w": [2, 2, 2], "b": 4})
    return layout(worked.definition, worked.values)


def network() -> Layout:
    net = sequential(dense(3, "tanh"), dense(2), loss="l2", inputs=2)
    values = {"x": [[0.5, -1]], "y": [[1, 0]], "W1": [[1, 2], [-1, 0.5], [0.3, -2]], "b1": [0.1, 0, -0.2]}
    worked = work(derive(net).gradient, {**values, "W2": [[1, 1, -1], [0.5, 2, 1]], "b2": [0, 0.25]})
    return layout(worked.definition, worked.values)


def text_of(label: object) -> str:
    return "" if label is None else str(getattr(label, "tex", label))


def test_the_lecture_example_carries_its_numbers() -> None:
    plan = lecture()
    wires = {(text_of(e.above), text_of(e.below)) for e in plan.edges}
    assert {("w_{0} = 2", "8"), ("w_{1} = 2", "8"), ("w_{2} = 2", "24"), ("b = 4", "8")} <= wires
    assert {("14", "8"), ("16", "1")} <= wires
    names = sorted(text_of(n.label) for n in plan.nodes)
    assert names == sorted(["x_{0}", "x_{1}", "x_{2}", "s", r"\hat{y}", "t", "L", "1"])


@pytest.mark.parametrize("plan", [lecture(), network()], ids=["unit", "network"])
def test_nothing_overlaps_and_signals_flow_to_the_right(plan: Layout) -> None:
    for k, a in enumerate(plan.nodes):
        assert RADIUS[a.kind] < a.x < plan.width - RADIUS[a.kind]
        assert RADIUS[a.kind] < a.y < plan.height - RADIUS[a.kind]
        for b in plan.nodes[k + 1 :]:
            assert math.dist((a.x, a.y), (b.x, b.y)) > RADIUS[a.kind] + RADIUS[b.kind] + 4
    for edge in plan.edges:
        source = plan.nodes[edge.source]
        if edge.target is not None and source.kind != "bias":
            assert source.x < plan.nodes[edge.target].x


def test_both_drawings_hold_every_node_and_wire() -> None:
    for plan in (lecture(), network()):
        root = ET.fromstring(svg(plan))
        space = "{http://www.w3.org/2000/svg}"
        assert len(root.findall(f"{space}circle")) == len(plan.nodes)
        assert len(root.findall(f"{space}path")) == len(plan.edges)
        drawn = tikz(plan)
        assert drawn.count("circle (") == len(plan.nodes)
        assert drawn.count(r"\draw[->]") == len(plan.edges)


@pytest.mark.skipif(shutil.which("rsvg-convert") is None, reason="rsvg-convert is absent")
def test_the_svg_is_drawn_by_a_renderer(tmp_path: Path) -> None:
    source = tmp_path / "graph.svg"
    source.write_text(svg(lecture()), encoding="utf-8")
    subprocess.run(["rsvg-convert", source, "-o", tmp_path / "graph.png"], check=True)
    assert (tmp_path / "graph.png").stat().st_size > 2000


def test_symbolic_extents_and_large_networks_are_refused() -> None:
    with pytest.raises(UnsupportedError, match=r"definition\.at"):
        layout(unit, {})
    with pytest.raises(UnsupportedError, match="nodes"):
        layout(sequential(dense(40, "tanh"), dense(40), loss="l2", inputs=40).at(n=1), {})
