"""The legend of a document: what the letters stand for, how far indices run, and what was decided or stated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import sympy

from symdl.core.definitions import Definition
from symdl.core.functions import Switch, switches_in
from symdl.core.indices import Index
from symdl.core.tensors import Fact, Tensor
from symdl.derivation.steps import Derivation
from symdl.rendering.document import Block, Formula
from symdl.rendering.mathprinter import Derivative, MathPrinter
from symdl.rendering.names import parse_name


def quantities(definition: Definition) -> Iterator[str]:
    """Which letters are data and which are parameters, and how far the indices run."""
    for words, tensors in (("Data", definition.data), ("Parameters", definition.parameters)):
        if tensors:
            names = ", ".join(f"${MathPrinter().math(t.element())}$" for t in tensors)
            yield f"{words}: {names}"
    for mask in definition.masks:
        share = mask.mask if isinstance(mask.mask, float) else MathPrinter().math(definition[str(mask.mask)].element())
        entry = MathPrinter().math(mask.element())
        yield f"${entry}$ is 1 with probability ${share}$ and else 0, drawn anew in training"
    if definition.extents:
        together: dict[sympy.Expr, list[str]] = {}
        for name, extent in definition.extents.items():
            together.setdefault(extent, []).append(MathPrinter().math(Index(name)))
        yield "Indices: " + "; ".join(_range(letters, extent) for extent, letters in together.items())


def _range(letters: list[str], extent: sympy.Expr) -> str:
    """Indices with one extent are named together: j, k = 0, …, J − 1."""
    low = f"{', '.join(letters)} = 0"
    return rf"${low}, \dots, {last(extent)}$" if extent != 1 else f"${low}$"


def last(extent: sympy.Expr) -> str:
    """The last value of an index: N − 1."""
    return MathPrinter().math(extent - 1)


def bars(derivation: Derivation, derivative: Derivative) -> Iterator[str]:
    """What a bar means; where one derivation stands on another, which target each name belongs to."""
    for tensor in derivation.source.inputs:
        if tensor.cotangent_of:
            yield _given_slope(tensor, tensor.cotangent_of)
    if derivation.via == "forward":
        yield "A dot is the rate at which what stands under it changes, when the inputs change at the given rates"
    if derivation.via != "chain" or derivative != "bar":
        return
    bars = [e.out for e in derivation.gradient.equations if e.out.cotangent_of]
    targets = dict.fromkeys(t.cotangent_of[0] for t in bars if t.cotangent_of)
    first = next(iter(targets), derivation.of.name)
    letter = parse_name(first, layered=False).tex()
    yield rf"A bar is the slope of ${letter}$ by what stands under it: $\bar{{u}} = \partial {letter} / \partial u$"
    bar, slope = (MathPrinter(d, tensors=derivation.gradient.tensors) for d in ("bar", "fraction"))
    for tensor in bars:
        left, right = bar.math(tensor.element()), slope.math(tensor.element())
        if tensor.cotangent_of and tensor.cotangent_of[0] != first and left != right:
            yield f"${left} = {right}$"


def _given_slope(tensor: Tensor, of: tuple[str, str]) -> str:
    """L = Σ ȳ y is any loss, as far as its gradient goes."""
    bar, (loss, name) = MathPrinter().math(tensor.element()), of
    what = MathPrinter().math(replace(tensor, name=name, cotangent_of=None).element())
    return rf"${parse_name(loss, layered=False).tex()}$ is any loss whose slope by ${what}$, ${bar}$, is given"


def conventions(definition: Definition) -> Iterator[str]:
    """Facts about the data, and what was decided where a function has no slope."""
    for tensor in definition.inputs:
        yield from (_fact(tensor, fact) for fact in sorted(tensor.facts))
    seen: dict[str, None] = {}
    for eq in definition.equations:
        if eq.out.cotangent_of:
            continue
        for term in eq.terms:
            for node in switches_in(term.body):
                seen[_kink(*node)] = None
            if term.op == "max" and term.ties:
                seen[f"Ties of the maximum in ${MathPrinter().math(eq.lhs)}$: {term.ties} the slope"] = None
    yield from seen


def brackets(blocks: Iterable[Block]) -> Iterator[str]:
    """What [t ≥ 1] means, where there is one."""
    rows = (row for b in blocks if isinstance(b, Formula) for row in b.rows)
    if any(r"\left[" in row.right for row in rows):
        yield "A bracket is 1 where what stands in it holds, else 0; what it multiplies by 0 is never read"


_FACTS = {
    Fact.POSITIVE: "> 0",
    Fact.NONNEGATIVE: r"\ge 0",
    Fact.FRACTION: r"\in (0, 1)",
    Fact.BINARY: r"\in \{0, 1\}",
    Fact.SIGN: r"\in \{-1, 1\}",
}


def _fact(tensor: Tensor, fact: Fact) -> str:
    name = MathPrinter().math(tensor.element())
    if fact is Fact.SUMS_TO_ONE:
        return rf"Stated of the data: $\sum_{{{MathPrinter().math(tensor.indices[-1])}}} {name} = 1$"
    if fact is Fact.BOX:
        return f"Stated of the data: ${name}$ is {fact}"
    return f"Stated of the data: ${name} {_FACTS[fact]}$"


def _kink(shown: sympy.Expr, node: Switch) -> str:
    printer = MathPrinter()
    side = {sympy.S.Zero: "the slope from the left", sympy.S.One: "the slope from the right"}.get(node.weight)
    side = side or (
        "the mean of both slopes"
        if node.weight == sympy.Rational(1, 2)
        else f"the slope from the right counts ${printer.math(node.weight)}$, that from the left the rest"
    )
    return f"Decided for ${printer.math(shown)}$ at ${printer.math(node.args[0])} = 0$: {side}"
