"""Derivation time by depth: the chain rule to 64 layers, expansion beside it."""

from __future__ import annotations

import time
from typing import Any

import symdl as sd

DEPTHS = (1, 2, 4, 8, 16, 32, 64)
EXPANDED = (1, 2, 4, 8)


def network(depth: int) -> Any:
    """A tanh network with symbolic extents."""
    return sd.sequential(*[sd.dense(act="tanh")] * depth, sd.dense(1), loss="l2")


def measure() -> dict[str, Any]:
    """Seconds by depth, best of three for the chain rule."""
    sd.derive(network(1))  # imports and SymPy's caches
    chain = {d: min(_seconds(d, "chain") for _ in range(3)) for d in DEPTHS}
    expand = {d: _seconds(d, "expand") for d in EXPANDED}
    return {"chain": chain, "expand": expand}


def _seconds(depth: int, via: Any) -> float:
    definition = network(depth)
    started = time.perf_counter()
    sd.derive(definition, via=via)
    return time.perf_counter() - started


def report(found: dict[str, Any]) -> str:
    """A Markdown table."""
    lines = ["| hidden layers | chain rule, s | s a layer | expansion (with Σ), s |", "| ---: | ---: | ---: | ---: |"]
    for depth, seconds in found["chain"].items():
        other = found["expand"].get(depth)
        lines.append(
            f"| {depth} | {seconds:.3f} | {seconds / int(depth):.4f} | {'' if other is None else f'{other:.2f}'} |"
        )
    return "\n".join(lines)
