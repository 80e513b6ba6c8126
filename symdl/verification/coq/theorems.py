"""Statements and their proofs, as text for Coq: the slope of a function, and the equality of two expressions.

>>> x = sympy.Symbol("x", real=True)
>>> (made,) = slope("square", x**2, x, 2 * x, [], Writer())
>>> print(made.statement)
forall (x : R), is_derive (fun x : R => x ^ 2) x (2 * x)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import sympy

from symdl.errors import UnsupportedError
from symdl.verification.coq.domains import has_switch, needed, possible, signed, stated, variables_of
from symdl.verification.coq.kinks import Side, branch_on, first_condition, pieces, resolved
from symdl.verification.coq.prelude import UNFOLDED
from symdl.verification.coq.values import Values, named_values
from symdl.verification.coq.writer import Writer

_SIGNS = {">": "0 < {0}", "<": "{0} < 0", ">=": "0 <= {0}", "<=": "{0} <= 0", "!=": "{0} <> 0", "==": "{0} = 0"}
#: Case distinctions within each other.
_DEEPEST = 12


@dataclass(frozen=True)
class Theorem:
    """A statement with its proof.

    Args:
        name, statement, proof: in Coq's language.
        variables: what it is for all real values of.
        relations: its hypotheses.
        conditions: those of them that say on which side of kinks it speaks.
    """

    name: str
    statement: str
    proof: tuple[str, ...]
    variables: tuple[sympy.Expr, ...] = ()
    relations: tuple[sympy.Basic, ...] = ()
    conditions: tuple[sympy.Basic, ...] = ()

    @property
    def text(self) -> str:
        """As it stands in a file."""
        lines = [f"Theorem {self.name} : {self.statement}.", "Proof.", *(f"  {line}" for line in self.proof), "Qed."]
        return "\n".join(lines)


def slope(
    name: str, f: sympy.Expr, x: sympy.Expr, derivative: sympy.Expr, domain: Sequence[sympy.Basic], writer: Writer
) -> tuple[Theorem, ...]:
    """df/dx is `derivative`: one theorem, or one for each open piece between kinks.

    Args:
        name: of the theorem.
        f, derivative: expressions in `x` and other variables.
        domain: what is assumed of the variables.
        writer: of the file.

    Raises:
        UnsupportedError: something that has no form in Coq here, or hypotheses that nothing was found to meet.
    """
    relations = [*stated({*variables_of(f, derivative), x}), *domain]
    if not has_switch(f):
        return (_slope(name, f, f, x, derivative, relations, (), writer),)
    made: list[Theorem] = []
    for conditions in pieces((f, derivative), relations):
        piece = resolved(f, conditions, relations)
        made.append(_slope(f"{name}_{len(made) + 1}", f, piece, x, derivative, relations, tuple(conditions), writer))
    return tuple(made)


def equality(name: str, left: sympy.Expr, right: sympy.Expr, domain: Sequence[sympy.Basic], writer: Writer) -> Theorem:
    """Both sides are equal, at kinks too; arguments as for `slope`."""
    variables = variables_of(left, right, *domain)
    relations = [*stated(variables), *domain]
    _refuse_impossible(relations)
    if not (has_switch(left) or has_switch(right)):
        relations += needed([left, right], relations)
    relations = list(dict.fromkeys(relations))
    _refuse_impossible(relations)
    scene = _Scene(writer, tuple(variables), relations)
    claim = f"{writer.text(left)} = {writer.text(right)}"
    statement = scene.quantified(claim)
    proof = [*scene.opening(), *_cases(scene, left, right, [], "")]
    return Theorem(name, statement, tuple(proof), tuple(variables), tuple(relations))


@dataclass
class _Scene:
    """The variables and hypotheses of one theorem."""

    writer: Writer
    variables: tuple[sympy.Expr, ...]
    relations: Sequence[sympy.Basic]
    names: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.names = [self.writer.names.of(v) for v in self.variables]

    def symbols(self, more: Sequence[sympy.Basic] = ()) -> dict[sympy.Expr, sympy.Expr]:
        """The variables as symbols that know their signs; they are written as the variables are."""
        made = signed(self.variables, [*self.relations, *more])
        for variable, symbol in made.items():
            self.writer.names.known[symbol] = self.writer.names.of(variable)
        return dict(made)

    def relation(self, relation: sympy.Basic) -> str:
        """A hypothesis as text."""
        left, right = relation.args
        operator = relation.rel_op
        if right == 0:
            return _SIGNS[operator].format(self.writer.text(left, 1))
        if operator in (">", ">="):
            left, right, operator = right, left, {">": "<", ">=": "<="}[operator]
        sign = {"!=": "<>", "==": "="}.get(operator, operator)
        return f"{self.writer.text(left)} {sign} {self.writer.text(right)}"

    def quantified(self, claim: str) -> str:
        """For all variables, if the hypotheses hold, the claim."""
        head = f"forall ({' '.join(self.names)} : R), " if self.names else ""
        return head + "".join(f"{self.relation(r)} -> " for r in self.relations) + claim

    def opening(self) -> list[str]:
        """Variables and hypotheses by name, and functions written out."""
        hypotheses = [f"H{k}" for k in range(1, len(self.relations) + 1)]
        return [*([f"intros {' '.join([*self.names, *hypotheses])}."] if self.names else []), self.unfold(" in *")]

    def unfold(self, where: str = "") -> str:
        names = [n for n, _ in self.writer.functions.values()] + [n for n in UNFOLDED if n in self.writer.prelude]
        return f"cbv beta delta [{' '.join(names)}]{where}." if names else f"cbv beta{where}."


def _slope(
    name: str,
    f: sympy.Expr,
    piece: sympy.Expr,
    x: sympy.Expr,
    derivative: sympy.Expr,
    domain: Sequence[sympy.Basic],
    conditions: tuple[sympy.Basic, ...],
    writer: Writer,
) -> Theorem:
    variables = tuple(dict.fromkeys([x, *variables_of(f, derivative, *domain)]))
    known = [*domain, *conditions]
    _refuse_impossible(known)
    there = resolved(derivative, conditions, known)
    more = needed([piece, there], known, strict=True)
    relations = list(dict.fromkeys([*domain, *more, *conditions]))
    _refuse_impossible(relations)
    scene = _Scene(writer, variables, relations)
    at = writer.names.of(x)
    function = f"(fun {at} : R => {writer.text(f)})"
    statement = scene.quantified(f"is_derive {function} {at} ({writer.text(derivative)})")
    values = named_values([piece, there], writer, scene.symbols())
    proof = scene.opening()
    if conditions:
        first = len(relations) - len(conditions) + 1
        proof += _localised(scene, piece, at, conditions, first)
    proof += values.lines
    proof += ["auto_derive.", *_side_conditions(values)]
    proof += [*(["switches."] if conditions else []), *_erf(values), *_folds(values), "same."]
    return Theorem(name, statement, tuple(proof), variables, tuple(relations), conditions)


def _localised(scene: _Scene, piece: sympy.Expr, at: str, conditions: Sequence[sympy.Basic], first: int) -> list[str]:
    """From the function to its piece: around a point where conditions hold, they hold."""
    lines = [f"apply (is_derive_ext_loc (fun {at} : R => {scene.writer.text(piece)}))."]
    near, unfold = [], scene.unfold().removesuffix(".")
    for place, condition in enumerate(conditions):
        lemma = "near_above" if condition.rel_op == ">" else "near_below"
        inside = f"(fun {at} : R => {scene.writer.text(condition.args[0])})"
        near.append(f"({lemma} {inside} {at} ltac:({unfold}; auto_derive; pos) H{first + place})")
    joined, pattern = near[0], "T1"
    for place, one in enumerate(near[1:], 2):
        joined, pattern = f"(filter_and (F := locally {at}) _ _ {joined} {one})", f"[{pattern} T{place}]"
    lines += [
        f"{{ generalize {joined}.",
        f"  apply near. intros T0 {pattern}.",
        f"  {scene.unfold(' in *')} switches. alike. }}",
        scene.unfold(),
    ]
    return lines


def _cases(
    scene: _Scene, left: sympy.Expr, right: sympy.Expr, conditions: list[sympy.Basic], indent: str
) -> Iterator[str]:
    """The proof of an equality, case by case where a switch turns."""
    known = [*scene.relations, *conditions]
    sides = [resolved(side, conditions, known) for side in (left, right)]
    turn = first_condition(sides)
    if turn is None:
        values = named_values(sides, scene.writer, scene.symbols(conditions))
        lines = [*(["switches."] if "switch" in scene.writer.prelude else []), *values.lines, *_folds(values), "same."]
        yield from (indent + line for line in lines)
        return
    depth = len(indent) // 2 + 1
    if depth > _DEEPEST:
        raise UnsupportedError("too many case distinctions")
    name = f"K{depth}"
    yield f"{indent}destruct (Rtotal_order ({scene.writer.text(turn)}) 0) as [{name} | [{name} | {name}]]."
    for side in (Side.BELOW, Side.AT, Side.ABOVE):
        condition = branch_on(turn, side)
        yield f"{indent}{{"
        if side is Side.AT:
            yield from _at(scene, left, right, turn, conditions, name, indent + "  ")
        else:
            yield from _cases(scene, left, right, [*conditions, condition], indent + "  ")
        yield f"{indent}}}"


def _at(
    scene: _Scene,
    left: sympy.Expr,
    right: sympy.Expr,
    turn: sympy.Expr,
    conditions: list[sympy.Basic],
    name: str,
    indent: str,
) -> Iterator[str]:
    """The case in which a switch stands at its kink: one variable is a formula of the others."""
    for variable in scene.variables:
        rate = turn.diff(variable)
        if rate.is_Number and rate != 0:
            formula = sympy.expand(variable - turn / rate)
            text, at = scene.writer.text(formula), scene.writer.names.of(variable)
            yield f"{indent}assert (V{name} : {at} = {text}) by lra. subst {at}."
            put = {variable: formula}
            rest = _Scene(scene.writer, tuple(v for v in scene.variables if v != variable), _put(scene.relations, put))
            yield from _cases(rest, left.xreplace(put), right.xreplace(put), _put(conditions, put), indent)
            return
    raise UnsupportedError(f"the place where {turn} is 0 can't be written down")


def _put(relations: Sequence[sympy.Basic], put: dict[sympy.Expr, sympy.Expr]) -> list[sympy.Basic]:
    """Relations in which a variable is replaced, without those that have become obvious."""
    return [r for r in (relation.xreplace(put) for relation in relations) if r not in (sympy.true, sympy.false)]


def _folds(values: Values) -> list[str]:
    """The rewritings, twice: an argument may be known only when what stands in it has its name."""
    once = "; ".join(f"rename_call {function} {fact}" for function, fact in values.folds)
    return [f"do 2 ({once})."] if once else []


def _erf(values: Values) -> list[str]:
    used = any(function == "erf" for function, _ in values.folds)
    return ["repeat rewrite (is_derive_unique _ _ _ (erf_slope _))."] if used else []


def _side_conditions(values: Values) -> list[str]:
    """Where the slope's rules need a sign: by the shape of the term, with names in it, or as one fraction."""
    folds = "".join(f"{line.removesuffix('.')}; " for line in _folds(values))
    return [f"{{ repeat match goal with |- _ /\\ _ => split end; first [ pos | {folds}sign ]. }}"]


def _refuse_impossible(relations: Sequence[sympy.Basic]) -> None:
    if any(r == sympy.false for r in relations) or not possible(relations):
        raise UnsupportedError(
            "no number was found that meets the hypotheses",
            why="of nothing, anything can be proved",
            remedy="state a domain where both sides have a value",
        )
