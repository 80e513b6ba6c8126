"""Definitions, equations, derivations and worked examples as documents: what a reader is shown, and in which order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby

import sympy

from symdl.core.definitions import Definition
from symdl.core.equations import Equation
from symdl.core.functions import Switch, switches_in
from symdl.core.indices import Index
from symdl.core.tensors import Element, Fact, Tensor
from symdl.derivation.steps import Cost, Derivation, Step
from symdl.derivation.worked import Worked, WorkedLine
from symdl.rendering.document import Block, Document, Formula, Heading, Items, Paragraph, Row, visible_length
from symdl.rendering.indexmaps import Piece, index_map
from symdl.rendering.mathprinter import Derivative, MathPrinter
from symdl.rendering.matrixform import matrix_form
from symdl.rendering.names import parse_name
from symdl.rendering.numerals import decimal

#: What stands at the margin, by the key of the rule.
_WHY = {
    "D": "the target",
    "E": "every equation put in",
    "E'": "differentiate",
    "R1": "local slope",
    "R2": "chain rule",
    "R3": "δ picks one index",
    "R4": "slope of the maximum",
    "R4*": "cancels, whatever the ties",
    "R5": "reuse of a forward value",
    "R6": "facts about the data",
    "R7": "backpropagation through time",
    "S": "put in what is known",
}
_STATED = re.compile(r"Σ_(\w+) (\w+)\[([\w, ']*)\] = 1")
_SHORT = 70  # characters up to which symbols = substitution = value stand on one line


def describe_expression(expr: sympy.Expr, derivative: Derivative = "bar") -> Document:
    """A document of one formula."""
    return Document("", (Formula((Row("", MathPrinter(derivative).math(expr), relation=""),)),))


def describe_equation(eq: Equation, notation: str = "index", derivative: Derivative = "bar") -> Document:
    """A document of one equation."""
    return Document("", (Formula(tuple(equation_rows(MathPrinter(derivative), eq, notation))),))


def describe_definition(definition: Definition, notation: str = "index", derivative: Derivative = "bar") -> Document:
    """The equations of a definition, and the legend."""
    printer = MathPrinter(derivative, tensors=definition.tensors)
    rows = tuple(row for eq in definition.equations for row in equation_rows(printer, eq, notation))
    blocks: list[Block] = [Formula(rows)]
    legend = (*_quantities(definition), *_conventions(definition))
    if legend:
        blocks += [Heading("Legend"), Items(legend)]
    return Document(_spoken(definition.name), tuple(blocks))


def describe_derivation(derivation: Derivation, notation: str = "index", derivative: Derivative = "bar") -> Document:
    """A derivation from the definition to the gradients: equations, legend, steps, result, cost."""
    printer = MathPrinter(derivative, tensors=derivation.gradient.tensors)
    source = derivation.source
    backward = [e for e in derivation.gradient.equations if e.name not in source.by_name]
    blocks: list[Block] = [
        Heading("The definition"),
        Formula(tuple(row for eq in source.equations for row in equation_rows(printer, eq, "index"))),
        Items((*_quantities(source), *_bars(derivation, derivative), *_conventions(derivation.gradient))),
        Heading("The derivation, step by step"),
        *_chains(printer, derivation.steps),
        Heading("The result"),
        Formula(tuple(row for eq in backward for row in _result_rows(printer, eq, derivation.names.values()))),
    ]
    matrix = _matrix_section(derivation)
    if notation == "matrix" and not matrix:
        blocks.append(Paragraph("No matrix form was recognised; the index form above is complete."))
    blocks += matrix
    blocks += [Heading("What it cost"), Paragraph(_cost(derivation.cost))]
    way = "by the chain rule" if derivation.via == "chain" else "by expansion"
    return Document(f"{_spoken(source.name)}: the gradient {way}", tuple(blocks))


def describe_worked(worked: Worked) -> Document:
    """Symbols = substitution = value, as on paper."""
    titles = {"forward": "Forward", "backward": "Backward", "update": "Update"}
    blocks: list[Block] = []
    for section, lines in groupby(worked.lines, key=lambda line: str(line.section)):
        blocks.append(Heading(titles.get(section, section)))
        blocks.append(Formula(tuple(row for line in lines for row in _worked_rows(line, worked.values))))
    return Document(f"{_spoken(worked.name)}: the numbers", tuple(blocks))


def _spoken(name: str) -> str:
    """`layer_norm` as a title."""
    return name.replace("_", " ")


def equation_rows(printer: MathPrinter, eq: Equation, notation: str) -> Iterator[Row]:
    """One equation: in matrix form where that is asked for and recognised, else in index form.

    It is one row, but for an index map with several pieces (a concatenation).
    """
    if notation == "matrix" and (form := matrix_form(eq)) is not None:
        yield Row(*form)
        return
    for piece in _pieces(eq):
        yield Row(*printer.sides(piece.lhs, piece.body))


def _pieces(eq: Equation) -> tuple[Piece, ...]:
    return index_map(eq) or (Piece(eq.lhs, eq.rhs, {}),)


def _result_rows(printer: MathPrinter, eq: Equation, wanted: Iterable[str]) -> Iterator[Row]:
    """A line of the result; what was asked for stands on the left as the ∂L/∂w that it is."""
    for row, piece in zip(equation_rows(printer, eq, "index"), _pieces(eq), strict=True):
        left = _fractions(printer).sides(piece.lhs, piece.body)[0] if eq.name in wanted else row.left
        yield replace(row, left=left)


def _fractions(printer: MathPrinter) -> MathPrinter:
    return MathPrinter("fraction", printer.values, printer.tensors)


# ── the steps ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _chains(printer: MathPrinter, steps: Iterable[Step]) -> Iterator[Formula]:
    """Steps with one subject that continue each other, as a chain of equalities."""
    for _, group in groupby(steps, key=lambda step: step.subject):
        yield Formula(tuple(_chain(printer, list(group))))


def _chain(printer: MathPrinter, steps: list[Step]) -> Iterator[Row]:
    subject = steps[0].subject
    sides = [subject, steps[0].before, *(s.after for s in steps)]
    whys = ["", "", *(_why(s) for s in steps)]
    texts = printer.sides(*sides)
    shown = texts[0]
    left = texts[0]
    for text, why in zip(texts[1:], whys[1:], strict=True):
        if text == shown:  # a step that only changes how SymPy holds the expression
            continue
        yield Row(left, text, why)
        left, shown = "", text
    if left:
        yield Row(left, texts[-1], whys[-1])


def _why(step: Step) -> str:
    words = _WHY.get(step.rule, step.rule)
    return f"{words}: {_in_formulas(step.note)}" if step.note else words


def _in_formulas(note: str) -> str:
    """`Σ_k y[n, k] = 1` in words is set as a formula."""
    return _STATED.sub(
        lambda m: rf"$\sum_{{{m[1]}}} {parse_name(m[2], layered=True).tex(*m[3].split(', '))} = 1$", note
    )


# ── the legend ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _quantities(definition: Definition) -> Iterator[str]:
    """Which letters are data and which are parameters, and how far the indices run."""
    for words, tensors in (("Data", definition.data), ("Parameters", definition.parameters)):
        if tensors:
            names = ", ".join(f"${MathPrinter().math(t.element())}$" for t in tensors)
            yield f"{words}: {names}"
    if definition.extents:
        ranges = ", ".join(_range(name, extent) for name, extent in definition.extents.items())
        yield f"Indices: {ranges}"


def _range(name: str, extent: sympy.Expr) -> str:
    last = extent - 1
    letter = MathPrinter().math(Index(name))
    upper = MathPrinter().math(last) if not last.is_Add else MathPrinter().math(extent) + " - 1"
    return rf"${letter} = 0, \dots, {upper}$" if last != 0 else f"${letter} = 0$"


def _bars(derivation: Derivation, derivative: Derivative) -> Iterator[str]:
    """What a bar means; where one derivation stands on another, which target each name belongs to."""
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


def _conventions(definition: Definition) -> Iterator[str]:
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


def _fact(tensor: Tensor, fact: Fact) -> str:
    name = MathPrinter().math(tensor.element())
    if fact is Fact.SUMS_TO_ONE:
        return rf"Stated of the data: $\sum_{{{MathPrinter().math(tensor.indices[-1])}}} {name} = 1$"
    return rf"Stated of the data: ${name} {'>' if fact is Fact.POSITIVE else chr(92) + 'ge'} 0$"


def _kink(shown: sympy.Expr, node: Switch) -> str:
    printer = MathPrinter()
    side = {sympy.S.Zero: "the slope from the left", sympy.S.One: "the slope from the right"}.get(node.weight)
    side = side or (
        "the mean of both slopes"
        if node.weight == sympy.Rational(1, 2)
        else f"the slope from the right counts ${printer.math(node.weight)}$, that from the left the rest"
    )
    return f"Decided for ${printer.math(shown)}$ at ${printer.math(node.args[0])} = 0$: {side}"


# ── matrix form, cost, worked numbers ────────────────────────────────────────────────────────────────────────────────


def _matrix_section(derivation: Derivation) -> list[Block]:
    """The equations in matrix form, where all of the gradient is recognised."""
    rows = [matrix_form(eq) for eq in derivation.gradient.equations]
    if derivation.via != "chain" or not all(rows):
        return []
    symbols = r"$\mathbf{1}$ is a column of ones, $\odot$ multiplies entry by entry, functions act entry by entry"
    return [
        Heading("In matrix form"),
        Paragraph(f"Recognised in the equations above; {symbols}."),
        Formula(tuple(Row(*row) for row in rows if row)),
    ]


def _cost(cost: Cost) -> str:
    """Without the seconds, which are never the same twice."""
    return (
        f"{cost.operations} operations in the result as it is written, {cost.operations_shared} where common "
        "subexpressions are shared."
    )


def _worked_rows(line: WorkedLine, values: Mapping[Element, sympy.Expr]) -> Iterator[Row]:
    """Symbols = substitution = value, on one line where it is short; what is not given stays a symbol."""
    lhs, relation = line.lhs, "="
    if line.section == "update":  # w ← w − η w̄
        lhs, relation = _updated(lhs), r"\leftarrow"
    left, symbols = MathPrinter().sides(lhs, line.expr)
    numbers = MathPrinter(values=values).sides(lhs, line.expr)[1]
    if line.value.atoms(Element):
        value, exact = MathPrinter().math(line.value), True
    else:
        value, exact = decimal(line.value)
        exact = exact and all(decimal(values[e])[1] for e in line.expr.atoms(Element) if e in values)
    parts = [(relation, symbols)]
    for sign, text in (("=", numbers), ("=" if exact else r"\approx", value)):
        if text != parts[-1][1]:
            parts.append((sign, text))
    following = "".join(f" {sign} {text}" for sign, text in parts[1:])
    if visible_length(f"{left}{symbols}{following}") <= _SHORT:
        yield Row(left, symbols + following, relation=relation)
        return
    for sign, text in parts:
        yield Row(left, text, relation=sign)
        left = ""


def _updated(lhs: Element) -> Element:
    """w_new[0] as w[0]."""
    return replace(lhs.tensor, name=lhs.name.removesuffix("_new"))[tuple(lhs.subscripts)]
