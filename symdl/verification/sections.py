"""What is so of a loss, and of an activation of several numbers: along one number, the others staying as they are.

A loss of one entry is a function of y − t, t·y, y/t or y alone where it can be, and so for every target at once; else
of y for each target that counts. Anything else is looked at along the line of `symdl.library.lines`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import sympy

from symdl.core.definitions import Definition
from symdl.core.functions import ScalarFunction, Switch
from symdl.core.tensors import Fact as Stated, Role
from symdl.core.text import plain_text
from symdl.errors import DefinitionError
from symdl.library.definitions import definition as entry
from symdl.library.lines import LINES, MORE, Line
from symdl.library.losses import Loss, loss as named
from symdl.library.losses.reduced import X, in_numbers, of_one_number
from symdl.verification.bending import bend_of, least_of, smoothness
from symdl.verification.convexity import convex_by_rules
from symdl.verification.facts import LIMITS, ZEROS, Fact, Limits, fact, monotone, of_curve, spans, steep
from symdl.verification.instances import instance
from symdl.verification.pieces import pieces_of
from symdl.verification.shape import Curve, limits_of, lipschitz, range_of
from symdl.verification.terms import Work
from symdl.verification.truth import opened
from symdl.verification.verdict import Status

#: Seconds for each property.
PATIENCE = 9.0
S = sympy.Symbol("s", real=True)
#: Targets that a loss is looked at for, by what is stated of them, where they can't be done away with.
_TARGETS = {Stated.BINARY: (0, 1), Stated.FRACTION: (0, 1), Stated.SIGN: (1, -1), Stated.POSITIVE: (1, 2)}
_ANY = (0, 1)


@dataclass(frozen=True)
class Section:
    """The properties of a function of one number s, each a `Fact`.

    Args:
        of: what s is, and what stays.
        formula: the function, written out.
        range: a tuple of intervals (`Span`).
        minimum: `Least`: the least value, and where it is reached.
        bend: `Bend`: convex, concave, straight or neither, and where that changes.
        monotone: `Monotone`.
        limits, slope_limits: `Limits` at both ends.
        lipschitz: a `Value`, the least bound of the slope's size; None where there is none.
        smoothness: that of the slope's slope: the Lipschitz constant of the gradient; None where there is none.
        ends: between which s lies.
    """

    of: str
    formula: sympy.Expr
    range: Fact
    minimum: Fact
    bend: Fact
    monotone: Fact
    limits: Fact
    slope_limits: Fact
    lipschitz: Fact
    smoothness: Fact
    ends: tuple[sympy.Expr, sympy.Expr] = (-sympy.oo, sympy.oo)

    def facts(self) -> Iterator[tuple[str, Fact]]:
        """Name and fact, in the order of the table."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Fact):
                yield field.name, value


@dataclass(frozen=True)
class FieldProperties:
    """What is so of a function of several numbers.

    Args:
        name: of the loss or of the activation.
        convex: of a loss, whether it is convex in the whole prediction; None of an activation.
        sections: along one number each.
    """

    name: str
    convex: Fact | None
    sections: tuple[Section, ...]

    def facts(self) -> Iterator[tuple[str, Fact]]:
        """Name and fact, section by section."""
        if self.convex is not None:
            yield "convex", self.convex
        for section in self.sections:
            yield from section.facts()

    def _shown(self, section: Section) -> str:
        """The function, written out where it is no more than a name."""
        formula = section.formula
        alone = isinstance(formula, ScalarFunction) and type(formula).__name__ == self.name
        return plain_text(formula.defined() if alone else formula)

    def to_json(self) -> dict[str, Any]:
        """A dictionary of text."""

        def told(facts: Iterator[tuple[str, Fact]]) -> dict[str, Any]:
            return {n: {"is": f.text or None, "status": str(f.status), "how": f.how} for n, f in facts}

        made: dict[str, Any] = {"name": self.name}
        if self.convex is not None:
            made |= told(iter([("convex", self.convex)]))
        parts = [{"of": s.of, "formula": self._shown(s), **told(s.facts())} for s in self.sections]
        return made | {"sections": parts}

    def __str__(self) -> str:
        lines = [self.name] if self.convex is None else [f"{self.name}: convex in the prediction: {self.convex}"]
        for section in self.sections:
            lines += [f"{self.name}, s = {section.of}: {self._shown(section)}"]
            lines += [f"  {name.replace('_', ' '):<13} {fact}" for name, fact in section.facts()]
        return "\n".join(lines)


def loss_properties(which: str | Loss, **options: Any) -> FieldProperties:
    """Those of a loss, whose numbers are the usual ones unless `options` say otherwise.

    >>> found = loss_properties("huber", delta=2)
    >>> print(found.convex, found.sections[0].minimum, found.sections[0].lipschitz, sep="; ")
    yes; 0 at {0}; 2
    """
    made = named(which, **options) if isinstance(which, str) else which
    found = in_numbers(made)
    # where nothing is said of its numbers, they are those of the line
    whole = entry(which, reduction="none") if isinstance(which, str) and not options else made.entries()
    along = (_along(line, whole) for line in _lines(made)) if found is None else _of_numbers(made, *found)
    sections = tuple(along)
    return FieldProperties(made.name, _convex(made, sections, found), sections)


def field_properties(name: str) -> FieldProperties:
    """Those of an activation of several numbers.

    >>> print(field_properties("glu").sections[0].range)
    (0, 1)
    """
    line = LINES[name]
    return FieldProperties(name, None, (_along(line, entry(name, **line.options)),))


def section(of: str, formula: sympy.Expr, s: sympy.Symbol, low: Any = -sympy.oo, high: Any = sympy.oo) -> Section:
    """The properties of a function of s between two ends."""
    low, high = (sympy.sympify(end, strict=True) for end in (low, high))
    curve = fact(lambda: Curve.of(pieces_of(_tidied(formula, s), s, low, high), s, Work(PATIENCE)), lambda c: "", "")
    ends = tuple(str(e).replace("-oo", "−∞").replace("oo", "∞") for e in (low, high))

    def limits(slope: bool) -> Fact:
        return of_curve(curve, lambda c: Limits(*limits_of(c, slope=slope), ends=(ends[0], ends[1])), str, LIMITS)

    return Section(
        of,
        formula,
        range=of_curve(curve, range_of, spans, f"{ZEROS}; {LIMITS}"),
        minimum=of_curve(curve, least_of, str, ZEROS),
        bend=of_curve(curve, bend_of, str, "every zero of the slope's slope, by Rolle's theorem"),
        monotone=of_curve(curve, monotone, str, ZEROS),
        limits=limits(slope=False),
        slope_limits=limits(slope=True),
        lipschitz=of_curve(curve, lipschitz, steep, f"every zero of the slope's slope; {LIMITS}"),
        smoothness=of_curve(curve, smoothness, steep, f"every zero of the third derivative; {LIMITS}"),
        ends=(low, high),
    )


def _of_numbers(made: Loss, expr: sympy.Expr, symbols: list[sympy.Symbol]) -> Iterator[Section]:
    """A loss of one entry: one section for all targets, or one for each."""
    t, y, *others = symbols
    stay = {o: sympy.Integer(1 if {Stated.POSITIVE} & set(made.inputs[o.name].facts) else 0) for o in others}
    expr, also = expr.subs(stay), "".join(f"; {o} = {v}" for o, v in stay.items())
    single = of_one_number(expr, t, y)
    low, high = _ends(made.inputs[y.name].facts)
    if single is not None and (low, high) == (-sympy.oo, sympy.oo):
        u, function = single
        shown = {y - t: f"{y} − {t}", t * y: f"{t}·{y}", y / t: f"{y}/{t}"}.get(u, str(y))
        yield section(_hats(f"{shown}, for every target{also}"), function.xreplace({X: S}), S)
        return
    for target in next((v for k, v in _TARGETS.items() if k in made.target.facts), _ANY):
        function = _at(expr, t, sympy.Integer(target)).xreplace({y: S})
        yield section(_hats(f"{y}, where {t} = {target}{also}"), function, S, low, high)


def _hats(words: str) -> str:
    return words.replace("y_hat", "ŷ").replace("-", "−")


def _ends(facts: Any) -> tuple[Any, Any]:
    """Where the prediction lies."""
    if Stated.FRACTION in facts:
        return sympy.S.Zero, sympy.S.One
    return (sympy.S.Zero, sympy.oo) if {Stated.POSITIVE, Stated.NONNEGATIVE} & set(facts) else (-sympy.oo, sympy.oo)


def _along(line: Line, definition: Definition) -> Section:
    wanted = {t.name: t for t in definition.inputs}
    given = {n: v for n, v in line.given(S).items() if n in wanted}
    formula = instance(definition, given, line.value, together=line.together)
    numbers = "".join(f"; {n} = {v}" for n, v in given.items() if wanted[n].role is Role.HYPERPARAMETER)
    low = -sympy.oo if line.low is None else line.low
    return section(line.told + numbers, formula, S, low, sympy.oo if line.high is None else line.high)


def _tidied(formula: sympy.Expr, s: sympy.Symbol) -> sympy.Expr:
    """A smooth function as one fraction, log u − s as log(u e^{−s}): fewer derivatives are needed then.

    >>> s = sympy.Symbol("s", real=True)
    >>> _tidied(sympy.log(sympy.exp(s) + 1) - s, s)
    log(1 + exp(-s))
    """
    plain = opened(formula)
    if plain.has(Switch) or not (plain.has(sympy.exp) and plain.has(sympy.log)):
        return formula
    plain = sympy.expand_log(plain)

    def joined(node: sympy.Expr) -> sympy.Expr:
        logs = [a for a in node.args if isinstance(a.as_coeff_Mul()[1], sympy.log)]
        slope = node.coeff(s, 1)
        if len(logs) != 1 or not slope.is_Number or slope == 0:
            return node
        factor, log = logs[0].as_coeff_Mul()
        inside = sympy.expand(log.args[0] * sympy.exp(slope * s / factor))
        return node - logs[0] - slope * s + factor * sympy.log(inside)

    plain = plain.replace(lambda node: node.is_Add, joined)
    return sympy.factor(sympy.together(plain))


def _at(expr: sympy.Expr, t: sympy.Symbol, value: sympy.Expr) -> sympy.Expr:
    """The expression for one target, its switches first: [t > 0]·t·log t is 0 for t = 0."""

    def chosen(node: sympy.Expr) -> sympy.Expr:
        where = node.args[0].subs(t, value)
        if not where.is_number:
            return node
        weight = sympy.S.One if where.is_positive else sympy.S.Zero if where.is_negative else node.args[3]
        return node.args[1 if weight == 0 else 2] if weight in (0, 1) else node

    return expr.replace(lambda node: isinstance(node, Switch), chosen).subs(t, value)


def _lines(made: Loss) -> Iterator[Line]:
    """The lines along which a loss of vectors is looked at.

    Raises:
        DefinitionError: there is none.
    """
    if made.name not in LINES:
        raise DefinitionError(
            f"there is no line along which {made.name} is known",
            why="it is no function of one entry",
            remedy=f"one of {', '.join(LINES)}",
        )
    yield from (LINES[made.name], *MORE.get(made.name, ()))


def _convex(made: Loss, sections: tuple[Section, ...], found: Any) -> Fact:
    """Whether the loss is convex in the whole prediction: refuted by a section, or proved by rules or by sections."""
    bent = next((s for s in sections if s.bend and not s.bend.value.convex), None)
    if bent is not None:
        return Fact(False, f"no: for {bent.of} it is {bent.bend}", Status.PROVED, bent.bend.how)
    by_rules = fact(lambda: convex_by_rules(made), lambda yes: "yes", "rules for sums, compositions and log Σ exp")
    if by_rules or found is None or not all(s.bend for s in sections):
        return by_rules
    expr, (t, *_) = found
    ends = {Stated.BINARY, Stated.SIGN} & set(made.target.facts)
    mixed = Stated.FRACTION in made.target.facts and sympy.expand(opened(expr).diff(t, 2)) == 0
    if len(sections) == 1 or ends or mixed:
        how = "a mean of both ends of the target, each of which is" if mixed else "every entry is"
        return Fact(True, "yes", Status.PROVED, f"{how}: {sections[0].bend.how}")
    return by_rules
