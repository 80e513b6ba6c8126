"""The generated part of docs/activations.md: every activation with its formula, its proved slope, kink and source."""

from __future__ import annotations

import re
from collections.abc import Iterator

import sympy

import symdl as sd
from symdl.core.functions import ScalarFunction
from symdl.library.activations import ACTIVATIONS, Activation, gated, vectors
from symdl.library.activations.record import shown
from symdl.library.entries import Entry
from symdl.rendering.mathprinter import MathPrinter


def activations_list() -> str:
    """One section for each activation, in the order of `symdl list`; those of several numbers last."""
    one = [line for act in ACTIVATIONS.values() for line in _section(act)]
    several = [line for entry in (*vectors.ENTRIES, *gated.ENTRIES) for line in _layer(entry)]
    return "\n".join([*one, "## All activations of several numbers", "", *several])


def _layer(entry: Entry) -> Iterator[str]:
    """What is computed, and the slopes by the inputs where those of the output are given."""
    definition = entry.definition()
    inputs = [t.name for t in definition.inputs]
    back, full = (sd.vjp(definition, wrt=inputs, via=via) for via in ("chain", "expand"))
    sd.equal(back, full).require()
    rows = back.gradient.only([*definition.outputs, *back.names.values()])
    yield from (f"### `{entry.name}`", "", f"{_sentence(entry.summary)}.", "", "$$", sd.latex(rows), "$$", "")


def _section(act: Activation) -> Iterator[str]:
    s = sympy.Symbol("s", real=True)
    values = {name: _symbol(name, act.facts.get(name, "")) for name in act.parameters}
    value, called = act.defined(s, **values), act(s, **values)
    slope = called.diff(s)
    sd.equal(value.diff(s), slope).require()
    math = MathPrinter().math
    yield from (f"### `{act.name}`", "", f"{_sentence(act.summary)}.", "")
    rows = [f"a(s) &= {math(value)}", f"a'(s) &= {math(slope)}"]
    if isinstance(called, ScalarFunction) and type(called).stable is not None:
        stable = called.computed()
        sd.equal(value, stable).require()
        rows.append(rf"a(s) &= {math(stable)} && \text{{as it is computed}}")
    yield from ("$$", r"\begin{aligned}", " \\\\\n".join(rows), r"\end{aligned}", "$$", "")
    usual = [
        f"`{n}`, learned, {_number(act.learned[n])} at first" if n in act.learned else f"`{n}` = {_number(v)}"
        for n, v in act.parameters.items()
    ]
    yield from (f"- Parameters: {', '.join(usual)}" for _ in [0] if usual)
    yield from (f"- Kink: {act.kink}" for _ in [0] if act.kink)
    yield from (f"- Source: {act.source}", "")


def _symbol(name: str, facts: str) -> sympy.Symbol:
    return sympy.Symbol(shown(name), real=True, **dict.fromkeys(facts.split(), True))


def _sentence(words: str) -> str:
    """With a capital letter, unless it begins with a formula."""
    return f"{words[0].upper()}{words[1:]}" if re.match(r"[a-z]{2,} ", words) or words.startswith("a ") else words


def _number(value: sympy.Expr) -> str:
    return str(value) if len(str(value)) < 9 else f"{float(value)!r}…"
