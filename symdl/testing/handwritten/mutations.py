"""Mistakes that people make in one equation of a gradient, each with what it is in words."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import sympy

from symdl.core.definitions import Definition
from symdl.core.equations import Equation, Term
from symdl.core.functions import Delta, InRange, Switch
from symdl.core.tensors import Element, Head, Role, elements_in
from symdl.derivation.derive import derive
from symdl.derivation.seeds import seeded
from symdl.errors import SymdlError
from symdl.testing.handwritten.subject import Subject

#: So many gradients with constants are derived.
MOST = 16


@dataclass(frozen=True)
class Mutation:
    """An equation with a mistake.

    Args:
        equation: that replaces the one of its name.
        words: what the mistake is.
        square: it can only be tried where axes are of one length.
    """

    equation: Equation
    words: str
    square: bool = False


def mutations(subject: Subject, equation: Equation) -> Iterator[Mutation]:
    """The mistakes that are tried in an equation, the most likely ones first."""
    yield from _terms(subject, equation)
    for k, term in enumerate(equation.terms):
        yield from _factors(subject, equation, k, term)
    yield from _parts(equation)
    for k, term in enumerate(equation.terms):
        for words, body, square in _bodies(subject, equation, term):
            yield Mutation(_with(equation, k, replace(term, body=body)), words, square)


def readable(expr: sympy.Expr) -> str:
    """An expression with steps as conditions.

    >>> x = sympy.Symbol("x", real=True)
    >>> readable(2 * Switch(x, 0, 1, 0))
    '2*[x > 0]'
    """
    steps = {
        s: sympy.Symbol(f"[{s.args[0]} > 0]" if s.args[3] == 0 else f"[{s.args[0]} ≥ 0]")
        for s in expr.atoms(Switch)
        if s.args[1:3] == (0, 1)
    }
    return str(expr.xreplace(steps))


def _with(equation: Equation, k: int, term: Term) -> Equation:
    terms = list(equation.terms)
    terms[k] = term
    return replace(equation, terms=tuple(terms))


def _terms(subject: Subject, equation: Equation) -> Iterator[Mutation]:
    """Terms that are missing, or have the wrong sign."""
    several = len(equation.terms) > 1
    for k, term in enumerate(equation.terms):
        if several:
            rest = (*equation.terms[:k], *equation.terms[k + 1 :])
            words = f"the term {readable(term.expr)} of {equation.lhs} is missing{_way(subject, term)}"
            yield Mutation(replace(equation, terms=rest), words)
        words = f"the term {readable(term.expr)} of {equation.lhs}" if several else f"{equation.lhs}"
        yield Mutation(_with(equation, k, replace(term, body=-term.body)), f"{words} has the wrong sign")
    if len(equation.terms) > 2:
        for term in equation.terms:
            yield Mutation(
                replace(equation, terms=(term,)),
                f"of {equation.lhs} only the term {readable(term.expr)} is there, the others miss",
            )


def _parts(equation: Equation) -> Iterator[Mutation]:
    """One of the summands of a term is missing."""
    for k, term in enumerate(equation.terms):
        parts = sympy.Add.make_args(sympy.expand_mul(term.body))
        for part in parts if 1 < len(parts) <= 4 else ():
            body = sympy.expand_mul(term.body)
            yield Mutation(
                _with(equation, k, replace(term, body=body - part)),
                f"the part {readable(part)} of {equation.lhs} is missing",
            )


def _way(subject: Subject, term: Term) -> str:
    """Which way back a term is."""
    bars = [e.tensor.cotangent_of[1] for e in elements_in(term.body) if e.tensor.cotangent_of]
    forward = [b for b in bars if b in subject.definition.by_name and b not in subject.upstream]
    return f": {forward[0]} is taken for a constant" if len(forward) == 1 else ""


def _factors(subject: Subject, equation: Equation, k: int, term: Term) -> Iterator[Mutation]:
    """Factors that are missing, too many, or inverted; a mean where a sum should be."""
    part = f"the term {readable(term.expr)} of {equation.lhs}" if len(equation.terms) > 1 else f"{equation.lhs}"
    for factor in sympy.Mul.make_args(term.body):
        if factor.is_number or isinstance(factor, Delta | InRange):
            continue
        base, power = factor.as_base_exp()
        if factor.has(Element) and len(sympy.Mul.make_args(term.body)) > 1:
            yield Mutation(
                _with(equation, k, replace(term, body=term.body / factor)),
                f"the factor {readable(factor)} is missing in {part}",
            )
        if power != 1 and base.has(Element):
            for other in (1, power - 1, power + 1, -power, sympy.Rational(1, 2)):
                if other not in (power, 0):
                    wrong = base**other
                    yield Mutation(
                        _with(equation, k, replace(term, body=term.body / factor * wrong)),
                        f"{wrong} stands in the place of {factor} in {part}",
                    )
        elif isinstance(factor, Element) and factor.tensor.cotangent_of is None:
            yield Mutation(
                _with(equation, k, replace(term, body=term.body * factor)),
                f"the factor {factor} is there once too often in {part}",
            )
    extents = dict.fromkeys(i for i in (*term.bound, *equation.indices) if not i.extent.is_number)
    numbers: dict[sympy.Expr, str] = {sympy.Integer(2): "2"}
    numbers |= {i.extent: f"{i.extent} (the extent of {i.name})" for i in extents}
    numbers |= {sympy.sqrt(i.extent): f"√{i.extent}" for i in extents}
    for number, words in numbers.items():
        for body, says in ((term.body * number, "large"), (term.body / number, "small")):
            yield Mutation(_with(equation, k, replace(term, body=body)), f"{part} is too {says} by the factor {words}")


def _bodies(subject: Subject, equation: Equation, term: Term) -> Iterator[tuple[str, sympy.Expr, bool]]:
    """Another tensor, an axis turned, a place beside, a slope at the wrong argument."""
    body, where = term.body, f"in {equation.lhs}"
    for element in elements_in(body):
        forward = subject.definition.by_name.get(element.name)
        if forward is not None and (twice := _again(forward, element)) is not None:
            words = f"the slope is taken at {element} instead of {_argument(forward)} {where}"
            yield words, body.xreplace({element: twice}), False
        for other in _alike(subject, element):
            yield f"{other} stands in the place of {element} {where}", body.xreplace({element: other}), False
        subscripts = element.subscripts
        for a in range(len(subscripts)):
            for b in range(a + 1, len(subscripts)):
                turned = list(subscripts)
                turned[a], turned[b] = subscripts[b], subscripts[a]
                other = Element(element.args[0], *turned)
                if turned[a] != turned[b]:
                    which = f": {other} stands in the place of {element}" if str(other) != str(element) else ""
                    words = f"{element.name} is transposed {where}{which}"
                    yield words, body.xreplace({element: other}), True
        for a, subscript in enumerate(subscripts):
            for step in (1, -1):
                if subscript.is_Symbol or subscript.is_number:
                    continue
                moved = list(subscripts)
                moved[a] = subscript + step
                other = Element(element.args[0], *moved)
                yield (
                    f"off by one {where}: {other} stands in the place of {element}",
                    body.xreplace({element: other}),
                    False,
                )
    for switch in body.atoms(Switch):
        x, below, above, share = switch.args
        yield (
            f"both sides of the kink at {x} = 0 are exchanged {where}",
            body.xreplace({switch: Switch(x, above, below, share)}),
            False,
        )
        yield f"the kink at {x} = 0 is left out {where}", body.xreplace({switch: above}), False


def _again(forward: Equation, element: Element) -> sympy.Expr | None:
    """For h = f(s), f(h): what a slope f'(h), written in terms of f(h), has."""
    if not forward.pointwise or len(forward.terms) != 1 or element.subscripts is None:
        return None
    inner = elements_in(forward.terms[0].body)
    if len(inner) != 1 or inner[0].subscripts != forward.indices:
        return None
    put = dict(zip(forward.indices, element.subscripts, strict=True))
    return (
        forward.terms[0]
        .body.xreplace({inner[0]: sympy.Dummy("x")})
        .replace(lambda e: isinstance(e, sympy.Dummy) and e.name == "x", lambda _: element)
        .xreplace(put)
    )


def _argument(forward: Equation) -> sympy.Expr:
    return elements_in(forward.terms[0].body)[0]


def _alike(subject: Subject, element: Element) -> Iterator[Element]:
    """Other tensors with axes of the same extents, at the same place."""
    extents = [i.extent for i in element.tensor.indices]
    slopes = element.tensor.cotangent_of is not None
    for tensor in subject.gradient.tensors.values():
        same = [i.extent for i in tensor.indices] == extents and tensor.name != element.name
        if same and tensor.rank and not tensor.integer and (tensor.cotangent_of is not None) == slopes:
            yield tensor[element.subscripts]


def downstream(gradient: Definition, name: str) -> tuple[str, ...]:
    """The equations that read an equation, over others too, in order; itself first."""
    reached = {name}
    grown = True
    while grown:  # a recurrence reads what stands after it
        new = {e.name for e in gradient.equations if e.used_names & reached} - reached
        grown = bool(new)
        reached |= new
    return tuple(e.name for e in gradient.equations if e.name in reached)


def readers(gradient: Definition, slopes: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """For each equation, which slopes depend on it."""
    found: dict[str, set[str]] = {e.name: set() for e in gradient.equations}
    for source, slope in slopes.items():
        for eq in gradient.only([slope]).equations:
            found[eq.name].add(source)
    return {n: frozenset(s) for n, s in found.items()}


def constants(subject: Subject) -> Iterator[tuple[str, Definition]]:
    """Gradients of those who forget that a forward value depends on what is differentiated by: one value, or two."""
    definition = subject.definition
    named = list(subject.upstream)
    frozen = [e.name for e in definition.equations if e.name not in (*named, definition.outputs[0])]
    choices = [(n,) for n in frozen] + list(itertools.combinations(frozen, 2))
    for chosen in choices[:MOST]:
        gradient = _frozen(definition, subject.wrt, tuple(named), chosen)
        if gradient is not None:
            words = " and ".join(chosen)
            yield f"{words} {'is taken for a constant' if len(chosen) == 1 else 'are taken for constants'}", gradient


@lru_cache(maxsize=64)
def _frozen(
    definition: Definition, wrt: tuple[str, ...], upstream: tuple[str, ...], chosen: tuple[str, ...]
) -> Definition | None:
    """The gradient with some forward values as inputs; None where there is none."""
    try:
        cut = _cut(definition, chosen)
        derivation = derive(seeded(cut, upstream) if upstream else cut, wrt)
    except SymdlError:
        return None
    return derivation.gradient


def _cut(definition: Definition, names: tuple[str, ...]) -> Definition:
    """The definition with some of what it computes as inputs."""
    given = tuple(replace(definition[n], role=Role.INPUT) for n in names)
    put = {Head(definition[t.name]): Head(t) for t in given}
    kept = tuple(e.map(lambda body: body.xreplace(put)) for e in definition.equations if e.name not in names)
    return replace(
        definition,
        equations=kept,
        inputs=(*definition.inputs, *given),
        outputs=tuple(o for o in definition.outputs if o not in names),
        kinks=(),
        general=None,
    )


def inputs_left_out(subject: Subject) -> tuple[str, ...]:
    """Hyperparameters and parameters that are numbers: ε, λ, a bias."""
    return tuple(t.name for t in subject.definition.inputs if t.rank == 0 and not t.integer)


def miscounted(equation: Equation) -> Iterator[Mutation]:
    """N − 1 in the place of N, as in an unbiased variance."""
    for index in dict.fromkeys(i for t in equation.terms for i in t.bound):
        extent = index.extent
        if extent.is_Symbol and any(t.body.has(extent) for t in equation.terms):
            changed = equation.map(lambda body, s=extent: body.xreplace({s: s - 1}))  # type: ignore[misc]
            yield Mutation(changed, f"{extent} - 1 stands in the place of {extent} in {equation.lhs}")
