"""Definitions, equations, derivations and worked examples as documents: what a reader is shown, and in which order."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

import sympy

from symdl.core.definitions import Definition
from symdl.core.equations import Equation, unused
from symdl.core.indices import Index
from symdl.core.recurrence import Group, groups
from symdl.core.tensors import Element, Reduction, outermost_reductions
from symdl.derivation.steps import Cost, Derivation, Step
from symdl.derivation.worked import Worked, WorkedLine
from symdl.rendering.document import Block, Document, Formula, Heading, Items, Lead, Paragraph, Row, visible_length
from symdl.rendering.indexmaps import Piece, index_map
from symdl.rendering.legend import bars, brackets, conventions, last, quantities
from symdl.rendering.mathprinter import Derivative, MathPrinter
from symdl.rendering.matrixform import matrix_form, recognise
from symdl.rendering.matrixtree import Named, matrix_latex, named_in, tensor_name
from symdl.rendering.names import parse_name
from symdl.rendering.numerals import decimal
from symdl.rendering.ordering import factors_of
from symdl.rendering.seeds import told_apart

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
    "F": "slopes times rates",
    "R7": "backpropagation through time",
    "Z": "a sum that vanishes",
    "S": "put in what is known",
}
_WAY = {
    "chain": "the gradient by the chain rule",
    "expand": "the gradient by expansion",
    "forward": "rates of change, forward mode",
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
    blocks: list[Block] = list(system(printer, definition.equations, notation))
    legend = (*quantities(definition), *conventions(definition), *brackets(blocks))
    if legend:
        blocks += [Heading("Legend"), Items(legend)]
    return Document(_spoken(definition.name), tuple(blocks))


def describe_derivation(derivation: Derivation, notation: str = "index", derivative: Derivative = "bar") -> Document:
    """A derivation from the definition to the gradients: equations, legend, steps, result, cost."""
    derivation = told_apart(derivation)
    printer = MathPrinter(derivative, tensors=derivation.gradient.tensors)
    source = derivation.source
    backward = [e for e in derivation.gradient.equations if e.name not in source.by_name]
    chains = list(_chains(printer, derivation.steps))
    legend = (*quantities(source), *bars(derivation, derivative), *conventions(source), *brackets(chains))
    blocks: list[Block] = [
        Heading("The definition"),
        *system(printer, source.equations),
        Items(legend),
        Heading("The derivation, step by step"),
        *chains,
        Heading("The result"),
        *system(printer, backward, wanted=derivation.names.values()),
    ]
    matrix = _matrix_section(printer, derivation)
    if notation == "matrix" and not matrix:
        blocks.append(Paragraph("No matrix form was recognised; the index form above is complete."))
    blocks += matrix
    blocks += [Heading("What it cost"), Paragraph(_cost(derivation.cost))]
    return Document(f"{_spoken(source.name)}: {_WAY[derivation.via]}", tuple(blocks))


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


def system(
    printer: MathPrinter,
    equations: Sequence[Equation],
    notation: str = "index",
    wanted: Collection[str] = (),
    plain: Collection[str] = (),
) -> Iterator[Block]:
    """Equations in order; those of a recurrence stand together under the times for which they are evaluated."""
    for direction, members in groupby(_timed(equations), key=lambda pair: pair[0]):
        if direction is not None:
            yield Lead(_times(direction))
        rows = [_result_rows(printer, e, "index" if e.name in plain else notation, wanted) for _, e in members]
        yield Formula(tuple(row for some in rows for row in some))


def _timed(equations: Sequence[Equation]) -> Iterator[tuple[Group | None, Equation]]:
    """Each equation with the recurrence that it belongs to."""
    for group in groups(equations):
        for eq in group.equations:
            yield (group if group.direction else None), eq


def _times(group: Group) -> str:
    """In which order a recurrence is evaluated: for t = 0, …, T − 1, or backwards."""
    letter, end = MathPrinter().math(Index(group.index(group.equations[0]).name)), last(group.extent)
    order = rf"0, 1, \dots, {end}" if group.direction > 0 else rf"{end}, \dots, 1, 0"
    return f"For ${letter} = {order}$, one after the other:"


def _result_rows(printer: MathPrinter, eq: Equation, notation: str, wanted: Collection[str]) -> Iterator[Row]:
    """The rows of an equation; what was asked for stands on the left as the ∂L/∂w that it is."""
    rows = list(equation_rows(printer, eq, notation))
    if eq.name not in wanted:
        yield from rows
        return
    for row, piece in zip(rows, _pieces(eq), strict=True):
        yield replace(row, left=_fractions(printer).sides(piece.lhs, piece.body)[0])


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
    whys = ["", "", *(_why(printer, s) for s in steps)]
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


def _why(printer: MathPrinter, step: Step) -> str:
    words = _WHY.get(step.rule, step.rule)
    if step.rule == "Z":
        gone = ", ".join(f"${printer.math(r)} = 0$" for r in _vanished(step))
        return f"{words}: {gone}" if gone else words
    return f"{words}: {_in_formulas(step.note)}" if step.note else words


def _vanished(step: Step) -> Iterator[sympy.Expr]:
    """The sums that the note of a step says are zero, without the numbers in front of them."""
    said = step.note.split("; ")
    for total in dict.fromkeys(outermost_reductions(step.before)):
        if f"{total} = 0" in said:
            yield from (f for f in factors_of(total).over if isinstance(f, Reduction))


def _in_formulas(note: str) -> str:
    """`Σ_k y[n, k] = 1` in words is set as a formula."""
    return _STATED.sub(
        lambda m: rf"$\sum_{{{m[1]}}} {parse_name(m[2], layered=True).tex(*m[3].split(', '))} = 1$", note
    )


# ── matrix form, cost, worked numbers ────────────────────────────────────────────────────────────────────────────────


def _matrix_section(printer: MathPrinter, derivation: Derivation) -> list[Block]:
    """The equations in matrix form, where at least half of them have one; the others stay as they are."""
    again = _letters_apart(derivation.gradient)
    equations = derivation.gradient.renamed(again).equations
    plain = _otherwise_labelled(equations)
    forms = [matrix_form(eq) if eq.name not in plain else None for eq in equations]
    if not any(t.rank for t in derivation.gradient.tensors.values()):
        return []
    if derivation.via != "chain" or 2 * sum(f is not None for f in forms) < len(forms):
        return []
    called = "".join(
        f"; ${_letter(old)}$ is ${_letter(new)}$ here" for old, new in again.items() if not new.endswith("_bar")
    )
    rest = "" if all(forms) else " What has no such form stands as it is."
    return [
        Heading("In matrix form"),
        Paragraph(f"Recognised in the equations above; {', '.join(_symbols(equations))}{called}.{rest}"),
        *system(printer, equations, "matrix", plain=plain),
    ]


def _otherwise_labelled(equations: Iterable[Equation]) -> set[str]:
    """The names of equations that would read a tensor with other axes as labels than before: U_ngq and U_qhw."""
    layouts: dict[str, tuple[bool, ...]] = {}
    found: set[str] = set()
    for eq in equations:
        if (form := recognise(eq)) is None:
            continue
        mine = {}
        for node in (*named_in(form.left), *named_in(form.right)):
            mine[node.tensor.name] = tuple(a is None for a in node.at) or (True,) * node.tensor.rank
        if any(layouts.get(name, layout) != layout for name, layout in mine.items()):
            found.add(eq.name)
        else:
            layouts |= mine
    return found


def _letter(name: str) -> str:
    return parse_name(name, layered=True).tex()


def _letters_apart(gradient: Definition) -> dict[str, str]:
    """New names for what would share a bold letter with something before it: the column S_n with the column s_n."""
    letters = {tensor_name(t).tex(): t.name for t in gradient.inputs}
    again: dict[str, str] = {}
    for eq in gradient.equations:
        form = recognise(eq)
        rank = form.left.rank if form and isinstance(form.left, Named) else eq.out.rank
        made = eq.out.cotangent_of
        if made and eq.name == f"{made[1]}_bar":
            if made[1] in again:
                again[eq.name] = f"{again[made[1]]}_bar"
        elif rank and letters.setdefault(tensor_name(eq.out, rank).tex(), eq.name) != eq.name:
            taken = {*gradient.tensors, *again.values(), f"{eq.name}_"}
            again[eq.name] = unused(f"{eq.name}_", taken)
    return again


def _symbols(equations: Iterable[Equation]) -> Iterator[str]:
    """What a reader has to know of the matrix formulas of these equations."""
    known: dict[str, str] = {}
    text = ""
    for eq in equations:
        if (form := recognise(eq)) is None:
            continue
        text += matrix_latex(form.right)
        if isinstance(form.left, Named) and (labels := [a for a in form.left.at if a is not None]) and form.left.rank:
            kind = "matrix" if form.left.rank == 2 else "column"
            names = ", ".join(f"${MathPrinter().math(a)}$" for a in labels)
            known.setdefault(kind, f"${matrix_latex(form.left)}$ is one {kind} for every {names}")
    yield from known.values()
    yield r"$\mathbf{1}$ is a column of ones, $\odot$ multiplies entry by entry, functions act entry by entry"
    if r"\oslash" in text:
        yield r"$\oslash$ divides entry by entry"
    if r"{tril}" in text:
        yield r"$\operatorname{tril}$ keeps what is on and below the diagonal"
    if r"{triu}" in text:
        yield r"$\operatorname{triu}$ keeps what is on and above the diagonal"


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
