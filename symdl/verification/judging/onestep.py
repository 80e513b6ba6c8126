"""∂L/∂W = ∂L/∂h_t x_tᵀ of h_t = σ(W x_t + …) and an L of which nothing is known: what is wrong at one step is wrong.

Where T is 1 and each vector has one entry, sums over time, transposes and both products of vectors are all the same. So
a slope that is made from one other slope alone, and is not so there, is so in no reading. It is looked at only where
what it is a slope by goes, name by name, into nothing else; where no other name stands in what is claimed; and where
all that the document says of the other slope is so at one step, since else ∂L/∂h may be short for another slope.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise

import sympy

from symdl.core.functions import Delta
from symdl.core.indices import Index
from symdl.core.tensors import Element, Reduction
from symdl.errors import SymdlError
from symdl.verification.decide import equal
from symdl.verification.judging.graphs import Judging
from symdl.verification.meaning.functions import objective
from symdl.verification.meaning.interpret import Interpreter
from symdl.verification.meaning.names import FUNCTION_LETTERS, is_transpose
from symdl.verification.meaning.restated import step_of
from symdl.verification.meaning.scope import Scope
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.statements import Reading
from symdl.verification.meaning.unknown import UnknownFunction
from symdl.verification.meaning.usage import Usage
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk
from symdl.verification.verdict import Status, Verdict

#: What the slope is called that stands in a claim.
_SLOPE = "∂"
_NAMES = (tree.Symbol, tree.Accented, tree.Scripted)

#: What each name is made from at its own step, in numbers.
Numbers = dict[str, sympy.Expr]


def wrong_at_one_step(judge: Judging, link: Meaning) -> Verdict | None:
    """The refutation of such a slope; None where it is so at one step, or where more may be meant."""
    reading = judge.reading
    if link.relation != "=" or reading.unclear or reading.unheard:
        return None
    claim = _claim(reading, link.left, link.right)
    if claim is None or any(_found(judge, other) is not True for other in _of_the_other(reading, claim)):
        return None
    found = _refuted(judge, claim)
    if found is None:
        return None
    u, v = claim.way[0], claim.way[-1]
    reason = f"by the chain rule it is the slope by {v} times ∂{v}/∂{u}"
    return replace(
        found, scope=f"numbers, at the last step, for every loss that hangs on {u} through {v}", reason=reason
    )


@dataclass(frozen=True)
class _Claim:
    """∂L/∂u as a multiple of ∂L/∂v: what it is, from u to v, and what is claimed, in names."""

    way: list[str]
    made: Numbers
    claimed: sympy.Expr


def _claim(reading: Reading, left: Node, right: Node) -> _Claim | None:
    """The claim that a link makes; None where it is no such claim."""
    reader, scope = reading.reader(), reading.scope
    slopes = {n for n in walk(right) if isinstance(n, tree.Derivative)}
    u = _by(reader, left)
    v = _by(reader, next(iter(slopes))) if len(slopes) == 1 else None
    if u is None or v is None or not _is_open(reader, scope, {left, *slopes}):
        return None
    try:
        made = _formulas(scope)
        if not _at_one_place(reader, made, left, *slopes):
            return None
        way = _way(reading, made, u, v)
        claimed = None if way is None else _Namer(reader).number(right)
    except SymdlError:
        return None
    return None if way is None or claimed is None or not _is_multiple(claimed) else _Claim(way, made, claimed)


def _of_the_other(reading: Reading, claim: _Claim) -> list[_Claim | None]:
    """What the document says of the slope that is claimed to be part of another one, wherever it does."""
    return [_claim(reading, left, right) for left, right in reading.slopes_said.get(claim.way[-1], ())]


def _found(judge: Judging, claim: _Claim | None) -> bool | None:
    """Whether a claim is so at one step; None where it is not clear."""
    sides = None if claim is None else _sides(claim.made, claim)
    if sides is None:
        return None
    return equal(*sides, seed=judge.seed, budget=judge.seconds / 4).proved


def _refuted(judge: Judging, claim: _Claim) -> Verdict | None:
    """The refutation of a claim whose sides differ by more than a number: a factor may be a matter of convention."""
    # σ is the sigmoid by custom only, where the document does not say so
    others = [] if judge.reading.reader().known("σ") else [{n: _with_tanh(body) for n, body in claim.made.items()}]
    found: Verdict | None = None
    for formulas in (*others, claim.made):
        sides = _sides(formulas, claim)
        if sides is None or 0 in sides:
            return None
        found = equal(*sides, seed=judge.seed, budget=judge.seconds / 4)
        if found.status is not Status.REFUTED or not _in_no_proportion(judge, *sides):
            return None
    return found


def _in_no_proportion(judge: Judging, left: sympy.Expr, right: sympy.Expr) -> bool:
    """Whether one is no constant times the other: with other numbers for all names, both change by other factors."""
    names = sorted((s for s in left.free_symbols | right.free_symbols), key=str)
    others = {s: sympy.Symbol(f"other {s}", real=True) for s in names}
    crossed = left * right.xreplace(others), right * left.xreplace(others)
    return equal(*crossed, seed=judge.seed, budget=judge.seconds / 4).status is Status.REFUTED


def _with_tanh(body: sympy.Expr) -> sympy.Expr:
    """An expression with another function for the sigmoid."""
    found: sympy.Expr = body.replace(lambda e: type(e).__name__ == "sigmoid", lambda e: sympy.tanh(*e.args))
    return found


def _sides(made: Numbers, claim: _Claim) -> tuple[sympy.Expr, sympy.Expr] | None:
    """The slope along the way, and what is claimed, in names that are made of no others; None where there are more."""
    slopes = [sympy.diff(made[b], _symbol(a)) for a, b in pairwise(claim.way)]
    right, claimed = _symbol(_SLOPE) * sympy.Mul(*slopes), claim.claimed
    if not _names(claimed) <= _names(right) | {claim.way[0], claim.way[-1]} | made.keys():
        return None
    shown = {name: body for name, body in made.items() if name != claim.way[0]}  # what it is a slope by may stand there
    left = _names(_in_full(shown, right))
    if not _names(_in_full(shown, claimed)) <= left | {claim.way[0]}:
        return None
    return _in_full(made, right), _in_full(made, claimed)


def _is_multiple(claimed: sympy.Expr) -> bool:
    """Whether an expression is a multiple of the slope in it."""
    g = _symbol(_SLOPE)
    return not sympy.diff(claimed, g).has(g) and claimed.subs(g, 0) == 0


def _names(expr: sympy.Expr) -> set[str]:
    return {s.name for s in expr.free_symbols if isinstance(s, sympy.Symbol)}


def _symbol(name: str) -> sympy.Symbol:
    return sympy.Symbol(name, real=True)


def _in_full(made: Numbers, expr: sympy.Expr) -> sympy.Expr:
    """An expression with formulas put in for names, as deep as they go."""
    for _ in range(len(made)):
        mapping = {s: made[s.name] for s in expr.free_symbols if s.name in made}
        if not mapping:
            break
        expr = expr.xreplace(mapping)
    return expr


# ── which slopes ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _by(reader: Interpreter, node: Node) -> str | None:
    """u of ∂L/∂u and ∂L/∂u_t."""
    if not isinstance(node, tree.Derivative) or len(node.by) != 1 or node.by[0][1] != 1:
        return None
    parts = reader.parts(node.by[0][0])
    plain = parts is not None and parts.power is None and not parts.primes and not parts.transposed
    return parts.name if plain and parts is not None and len(parts.subscripts) <= 1 else None


def _is_open(reader: Interpreter, scope: Scope, slopes: set[Node]) -> bool:
    """Whether all slopes are of one loss, of which nothing is said."""
    of = {n.of for n in slopes if isinstance(n, tree.Derivative)}
    parts = [None if node is None else reader.parts(node) for node in of]
    names = {p.name for p in parts if p is not None and objective(p.name) and not p.subscripts}
    return len(of) == len(names) == 1 and not any(
        reader.known(n) or n in scope.opaque or scope.all_of(n, 0) for n in names
    )


def _at_one_place(reader: Interpreter, made: Numbers, *slopes: Node) -> bool:
    """Whether what is differentiated by stands at one step, where it stands at any: i of W_i is no step beside i_t."""
    parts = [reader.parts(n.by[0][0]) for n in slopes if isinstance(n, tree.Derivative)]
    steps = {p.subscripts for p in parts if p is not None and p.subscripts}
    return len([s for s in steps if not (isinstance(s[0], tree.Symbol) and s[0].name in made)]) <= 1


def _way(reading: Reading, made: Numbers, u: str, v: str) -> list[str] | None:
    """From u to v, name by name, where each goes into the next one alone; None where it does not."""
    scope, way = reading.scope, [u]
    used = {name: _names(body) for name, body in made.items()}
    for (name, _), formula in (*scope.formulas.items(), *(((n, 0), f) for (n, _), f in scope.entries.items())):
        if name not in made:
            used.setdefault(name, set()).update(e.name for e in formula.value.body.atoms(Element))
    for name, function in scope.functions.items():
        used.setdefault(name, set()).update(e.name for e in function.value.body.atoms(Element))
    for name, inside in reading.hidden.items():
        used.setdefault(name, set()).update(inside)
    while way[-1] != v:
        users = [name for name, inside in used.items() if way[-1] in inside and name != way[-1]]
        if len(users) != 1 or users[0] in way or users[0] not in made:
            return None
        way += users
    return way if len(way) > 1 else None


# ── in numbers ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _formulas(scope: Scope) -> Numbers:
    """What each name is made from at its own step, as numbers: h of the step before is a name apart.

    Names that are made of anything else are left out.
    """
    found: Numbers = {}
    for (name, _), formula in scope.formulas.items():
        if formula.given or name in scope.opaque or name in found:
            continue
        body = _as_numbers(scope, formula.value.body)
        if body is not None:
            found[name] = body
    return found


def _as_numbers(scope: Scope, body: sympy.Expr) -> sympy.Expr | None:
    """An expression where each axis has one entry; None where it is made of anything but quantities and sums."""
    if body.has(UnknownFunction, sympy.Piecewise):
        return None
    if isinstance(body, Reduction):
        return _as_numbers(scope, body.body) if body.op == "sum" else None
    if isinstance(body, Element):
        steps = [_step(scope, body.name, sub) for sub in body.subscripts]
        if None in steps:
            return None
        step = next((s for s in steps if s), 0)
        return _symbol(_at(body.name, step))
    if isinstance(body, Delta):
        return sympy.S.One
    if not body.args:
        return sympy.S.One if isinstance(body, sympy.Symbol) and body.is_integer else body
    inner = [_as_numbers(scope, arg) for arg in body.args]
    return None if None in inner else body.func(*inner)


def _step(scope: Scope, name: str, sub: sympy.Expr) -> int | None:
    """How many steps from its own one an entry stands; None where it is a certain entry."""
    indices = sub.atoms(Index)
    apart = sub - sum(indices) - scope.base(name)
    return int(apart) if len(indices) == 1 and apart.is_Integer else None


def _at(name: str, step: int) -> str:
    return name if step == 0 else f"{name}[{step:+d}]"


@dataclass
class _Namer:
    """Reads a formula with a number for each name, whatever it is in the document."""

    reader: Interpreter
    called: dict[str, str] = field(default_factory=dict)

    def number(self, node: Node) -> sympy.Expr | None:
        """Its value in `_symbol`s; None where a name in it stands for a certain entry."""
        plain = Interpreter(Scope(), Usage())
        value = plain.value(self.of(node))
        if value.axes or value.body.has(UnknownFunction, Reduction):
            return None
        back = {own: name for name, own in self.called.items()}
        elements = value.body.atoms(Element)
        if any(e.name not in back for e in elements):
            return None
        found: sympy.Expr = value.body.xreplace({e: _symbol(back[e.name]) for e in elements})
        return found

    def of(self, node: Node) -> Node:
        """The formula with such names, without transposes, and with one product for all."""
        if isinstance(node, tree.Derivative):
            return self._name(_SLOPE)
        if isinstance(node, tree.Scripted) and is_transpose(node.sup):
            return self.of(node.base if node.sub is None else replace(node, sup=None))
        if isinstance(node, tree.Product):
            pairs = zip(node.factors, (*node.factors[1:], None), strict=True)
            factors = tuple(a if _is_function(a, b) else self.of(a) for a, b in pairs)
            ops = tuple("" if _is_function(a, b) else "·" for a, b in pairwise(node.factors))
            return replace(node, factors=factors, ops=ops)
        if isinstance(node, tree.Applied):
            return replace(node, argument=self.of(node.argument))
        parts = self.reader.parts(node) if isinstance(node, _NAMES) else None
        if parts is None or parts.primes:
            return tree.mapped(node, self.of)
        steps = [step_of(s) for s in parts.subscripts]
        if None in steps:
            raise SymdlError("an entry of its own")
        step = next((s[1] for s in steps if s is not None and s[1]), 0)
        named = self._name(_at(parts.name, step))
        return named if parts.power is None else tree.Scripted(named, sup=parts.power)

    def _name(self, name: str) -> tree.Symbol:
        return tree.Symbol(self.called.setdefault(name, f"u{len(self.called)}"))


def _is_function(node: Node, behind: Node | None) -> bool:
    """σ and σ′ of σ(z)."""
    base = node.base if isinstance(node, tree.Scripted) and node.primes else node
    letter = isinstance(base, tree.Symbol) and base.name in FUNCTION_LETTERS
    return letter and isinstance(behind, tree.Group)
