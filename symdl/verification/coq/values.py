"""What an expression is in terms of named values: exp x is G, exp(−2x) is 1/G², ln(1 + exp x) is L.

An equality of two such expressions is one of fractions of polynomials, which Coq's `field` decides. The naming is
found here and proved in Coq, line by line: nothing that is computed here is trusted.

>>> x = sympy.Symbol("x", real=True)
>>> found = named_values([sympy.exp(-2 * x) + sympy.exp(x)], Writer(), {})
>>> found.results, found.folds
([G1 + G1**(-2)], [('exp', 'EG1'), ('exp', 'E1')])
>>> print(found.lines[-1])
assert (E1 : exp (- x + - x) = 1 / G1 ^ 2) by (rewrite ?exp_plus, ?exp_Ropp, ?EG1; same).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import sympy

from symdl.core.functions import ScalarFunction, Switch
from symdl.core.tensors import Element
from symdl.errors import UnsupportedError
from symdl.verification.coq.writer import Writer, formal, plain

#: exp(12 x) is written as a product of 12 factors, and no larger ones are.
LARGEST_MULTIPLE = 12

_HALF = sympy.Rational(1, 2)
Environment = Mapping[sympy.Expr, sympy.Expr]
#: A multiple of what has a name: how often, how it is written, the fact about it, and its value.
Part = tuple[int, str, str, sympy.Expr]


def named_values(expressions: Sequence[sympy.Expr], writer: Writer, symbols: Environment) -> Values:
    """Name the values that the expressions are made of.

    Args:
        expressions: without switches; named functions are written out.
        writer: of the file; it learns the new names.
        symbols: variables by symbols of the same name that know their sign.

    Raises:
        UnsupportedError: a function that has no value here.
    """
    units: dict[tuple[str, sympy.Expr], sympy.Rational] = {}
    for _ in range(3):  # at first to see by which steps exponents and angles go
        values = Values(writer, symbols, units, fractions={})
        values.results = [values.of(e, {}) for e in expressions]
        units = {key: _common(steps) for key, steps in values.fractions.items()}
    return values


@dataclass
class Values:
    """The names, the lines of a proof that introduce them, and the rewritings that follow.

    Args:
        writer, symbols: see `named_values`.
        units: by "exp" or "angle" and a monomial, the step by which it goes.
        fractions: the multiples of each that were met.
        lines: of the proof.
        folds: a function of Coq's, and the name of the fact that says what it is at one argument.
    """

    writer: Writer
    symbols: Environment
    units: Mapping[tuple[str, sympy.Expr], sympy.Rational]
    fractions: dict[tuple[str, sympy.Expr], list[sympy.Rational]]
    lines: list[str] = field(default_factory=list)
    folds: list[tuple[str, str]] = field(default_factory=list)
    results: list[sympy.Expr] = field(default_factory=list)
    _known: dict[tuple[str, sympy.Expr], sympy.Expr] = field(default_factory=dict)
    _powers: dict[sympy.Expr, Part] = field(default_factory=dict)
    _units_of: dict[sympy.Expr, tuple[str, str, sympy.Expr]] = field(default_factory=dict)
    _exponents: dict[sympy.Expr, tuple[str, str, sympy.Expr]] = field(default_factory=dict)
    _count: dict[str, int] = field(default_factory=dict)

    def of(self, expr: sympy.Expr, environment: Environment) -> sympy.Expr:
        """The value of an expression, its variables taken from the environment."""
        node = plain(expr)
        if node.is_Symbol or isinstance(node, Element):
            return environment.get(node, self.symbols.get(node, node))
        if node.is_Rational or node is sympy.pi:
            return node
        if node.is_Add or node.is_Mul:
            return node.func(*[self.of(a, environment) for a in node.args])
        if node.is_Pow and not isinstance(node, sympy.exp):
            return self._power(self.of(node.base, environment), node.exp)
        if isinstance(node, ScalarFunction):
            inner = dict(zip(formal(type(node)), [self.of(a, environment) for a in node.args], strict=True))
            return self.of(sympy.sympify(type(node).definition(*inner), strict=True), inner)
        if isinstance(node, Switch):
            return self._switch(node, environment)
        return self._call(node, [self.of(a, environment) for a in node.args])

    def _switch(self, node: Switch, environment: Environment) -> sympy.Expr:
        """The side on which a switch lies, where the sign of its argument is known."""
        turn, below, above, weight = node.args
        at = sympy.expand(self.of(turn, environment))
        if at.is_zero:
            return self.of((1 - weight) * below + weight * above, environment)
        if at.is_positive or at.is_negative:
            return self.of(above if at.is_positive else below, environment)
        raise UnsupportedError(f"on which side of 0 {turn} lies is not known")

    def _call(self, node: sympy.Expr, arguments: list[sympy.Expr]) -> sympy.Expr:
        if len(arguments) != 1:
            raise UnsupportedError(f"'{node}' has no value here")
        (u,) = arguments
        if isinstance(node, sympy.exp):
            return self._exp(u)
        if isinstance(node, sympy.log):
            return self._ln(u)
        if isinstance(node, sympy.sin):
            return self._wave(u)[0]
        if isinstance(node, sympy.cos):
            return self._wave(u)[1]
        if isinstance(node, sympy.erf):
            return self._erf(u)
        if isinstance(node, (sympy.tanh, sympy.sinh, sympy.cosh)):
            up, down = self._exp(u), self._exp(-u)
            if isinstance(node, sympy.tanh):
                return (up - down) / (up + down)
            return (up - down if isinstance(node, sympy.sinh) else up + down) / 2
        raise UnsupportedError(f"'{type(node).__name__}' has no proof in Coq here")

    def _power(self, base: sympy.Expr, exponent: sympy.Rational) -> sympy.Expr:
        if exponent.is_Integer:
            return base**exponent
        key = ("sqrt", base)
        over, under = sympy.fraction(sympy.together(base))
        if key not in self._known and (root := _root(under)) is not None:
            self._known[key] = value = self._power(over, _HALF) / root
            self._fact("sqrt", self.writer.text(base), value, "apply root_is; [ sign | same ]")
        if key not in self._known:
            positive, known = base.is_positive is True, base.is_nonnegative is True
            root = self._new("S", "sqrt", base, positive=positive or None, nonnegative=True)
            text, argument = root.name, self.writer.text(base)
            facts = [
                (positive, f"P{text} : 0 < {text}", f"rewrite H{text}; apply sqrt_lt_R0; sign"),
                (known, f"Q{text} : {text} * {text} = {argument}", f"rewrite H{text}; apply sqrt_sqrt; sign"),
                (known, f"R{text} : relation ({text} ^ 2) ({argument})", f"unfold relation; rewrite <- Q{text}; ring"),
            ]
            for sure, fact, proof in facts:  # what is not sure may follow from hypotheses
                line = f"assert ({fact}) by ({proof})"
                self.lines.append(f"{line}." if sure else f"try ({line}).")
            self._known[key] = root
        return self._known[key] ** (2 * exponent)

    def _exp(self, u: sympy.Expr) -> sympy.Expr:
        key = ("exp", u)
        if key not in self._known:
            parts = [self._exponential(m, q) for m, q in _terms(u)]
            value = sympy.Mul(*[v**k for k, _, _, v in parts])
            self._known[key] = value
            if [k for k, *_ in parts] != [1]:
                facts = "".join(f", ?{fact}" for _, _, fact, _ in parts)
                proof = f"rewrite ?exp_plus, ?exp_Ropp{facts}; same" if parts else "exact exp_0"
                self._fact("exp", _multiples(parts), value, proof)
            elif parts[0][2].startswith("X"):
                self.folds.append(("exp", parts[0][2]))
        return self._known[key]

    def _exponential(self, monomial: sympy.Expr, times: sympy.Rational) -> Part:
        """exp(times · monomial) as a whole power of what has a name."""
        if monomial in self._powers and times.is_Integer:
            _, text, fact, value = self._powers[monomial]
            return int(times), text, fact, value
        steps, unit = self._step("exp", monomial, times)
        if monomial * unit not in self._units_of:
            name = self._new("G", "exp", monomial * unit, positive=True)
            self.lines.append(f"assert (P{name} : 0 < {name}) by (rewrite H{name}; apply exp_pos).")
            self._units_of[monomial * unit] = self.writer.text(monomial * unit), f"E{name}", name
            self._exponents[name] = self.writer.text(monomial * unit), f"E{name}", monomial * unit
        text, fact, name = self._units_of[monomial * unit]
        return steps, text, fact, name

    def _step(self, kind: str, monomial: sympy.Expr, times: sympy.Rational) -> tuple[int, sympy.Rational]:
        self.fractions.setdefault((kind, monomial), []).append(times)
        unit = self.units.get((kind, monomial), times)
        steps = times / unit
        if not steps.is_Integer:
            steps, unit = sympy.S.One, times
        if abs(steps) > LARGEST_MULTIPLE:
            raise UnsupportedError(f"{times}·{monomial} beside {unit}·{monomial}", why="the multiple is too large")
        return int(steps), unit

    def _ln(self, u: sympy.Expr) -> sympy.Expr:
        key = ("ln", u)
        if key not in self._known:
            parts = self._logarithms(u)
            if parts is None:
                self._known[key] = self._new("L", "ln", u, real=True)
            else:
                self._known[key] = sympy.Add(*[k * v for k, _, _, v in parts])
                if [(k, f) for k, _, f, _ in parts] != [(1, self._fact_of(u))]:
                    facts = "".join(f", ?{fact}" for _, _, fact, _ in parts)
                    proof = f"apply exp_inv; rewrite exp_ln by sign; rewrite ?exp_plus, ?exp_Ropp, ?exp_0{facts}; same"
                    self._fact("ln", self.writer.text(u), _Text(_multiples(parts)), proof)
        return self._known[key]

    def _logarithms(self, u: sympy.Expr) -> list[Part] | None:
        """ln u as a sum of multiples of logarithms that have a name; None where signs are not known."""
        over, under = (sympy.factor_list(part) for part in sympy.fraction(sympy.together(u)))
        ratio = over[0] / under[0]
        factors = [*over[1], *((p, -k) for p, k in under[1])]
        for place, (p, k) in enumerate(factors):
            if p.is_positive:
                continue
            if not (-p).is_positive:
                if u.is_positive or not u.atoms(sympy.Symbol) - set(self.symbols.values()) - set(self.symbols):
                    return [self._logarithm(u, 1)] if u.is_positive else None
                return None
            factors[place] = -p, k
            ratio *= (-1) ** k
        if not (ratio.is_Rational and ratio > 0):
            return [self._logarithm(u, 1)] if u.is_positive else None
        factors += [*sympy.factorint(ratio.p).items(), *((p, -k) for p, k in sympy.factorint(ratio.q).items())]
        return [self._logarithm(sympy.sympify(p, strict=True), int(k)) for p, k in factors if p != 1]

    def _logarithm(self, p: sympy.Expr, times: int) -> Part:
        if p in self._exponents:
            return times, *self._exponents[p]
        if ("log", p) not in self._known:
            name = self._new("L", "ln", p, real=True)
            fact, text = f"X{name}", self.writer.text(p)
            self.lines.append(f"assert ({fact} : exp {name} = {text}) by (rewrite H{name}; apply exp_ln; sign).")
            self._powers[name] = 1, str(name), fact, p
            self._known["log", p] = name
        name = self._known["log", p]
        return times, str(name), f"X{name}", name

    def _fact_of(self, p: sympy.Expr) -> str:
        """The fact that says what ln p is, if that has a name of its own."""
        return f"X{self._known['log', p]}" if ("log", p) in self._known else ""

    def _wave(self, u: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
        """sin u and cos u."""
        if ("sin", u) not in self._known:
            parts = [self._angle(m, q) for m, q in _terms(u)]
            sine, cosine = sympy.S.Zero, sympy.S.One
            for times, _, _, (s, c) in parts:
                for _ in range(abs(times)):
                    turned = s if times > 0 else -s
                    sine, cosine = sine * c + cosine * turned, cosine * c - sine * turned
            self._known["sin", u], self._known["cos", u] = sympy.expand(sine), sympy.expand(cosine)
            if [k for k, *_ in parts] != [1]:
                facts = "".join(f", ?EA{n}, ?EB{n}" for _, _, n, _ in parts)
                proof = (
                    "repeat first [rewrite sin_plus | rewrite cos_plus | rewrite sin_neg | rewrite cos_neg]; "
                    f"rewrite ?sin_0, ?cos_0{facts}; same"
                )
                for name in ("sin", "cos"):
                    self._fact(name, _multiples(parts), self._known[name, u], proof)
        return self._known["sin", u], self._known["cos", u]

    def _angle(self, monomial: sympy.Expr, times: sympy.Rational) -> tuple[int, str, str, tuple[sympy.Expr, ...]]:
        steps, unit = self._step("angle", monomial, times)
        angle = monomial * unit
        if ("A", angle) not in self._known:
            sine, cosine = self._new("A", "sin", angle, real=True), self._new("B", "cos", angle, real=True)
            text = self.writer.text(angle)
            self.lines.append(
                f"assert (R{sine} : relation ({cosine} ^ 2) (1 - {sine} ^ 2)) by (unfold relation; "
                f"rewrite H{sine}, H{cosine}; generalize (sin2_cos2 ({text})); unfold Rsqr; nra)."
            )
            self._known["A", angle], self._known["B", angle] = sine, cosine
        sine, cosine = self._known["A", angle], self._known["B", angle]
        return steps, self.writer.text(angle), str(sine)[1:], (sine, cosine)

    def _erf(self, u: sympy.Expr) -> sympy.Expr:
        u = sympy.expand(u)
        if ("erf", u) not in self._known:
            if u == 0:
                self._known["erf", u] = u
                self._fact("erf", "0", u, "exact erf_at_0")
            elif u.could_extract_minus_sign():
                self._known["erf", u] = -self._erf(-u)
            else:
                value = self._known["erf", u] = self._new("F", "erf", u, real=True)
                proof = f"rewrite erf_odd; rewrite ?E{value}; reflexivity"
                self._fact("erf", f"- ({self.writer.text(u)})", -value, proof)
                self._power(sympy.pi, _HALF)
                self._exp(sympy.expand(-self._reduced(u**2)))
        return self._known["erf", u]

    def _reduced(self, expr: sympy.Expr) -> sympy.Expr:
        """Squares of roots by what is under the root."""
        roots = {root: base for (kind, base), root in self._known.items() if kind == "sqrt"}
        return sympy.expand(expr).replace(
            lambda n: n.is_Pow and n.base in roots and n.exp.is_Integer and n.exp % 2 == 0,
            lambda n: roots[n.base] ** (n.exp / 2),
        )

    def _new(self, letter: str, function: str, argument: sympy.Expr, **assumptions: bool | None) -> sympy.Symbol:
        """A name for one value of a function."""
        self._count[letter] = self._count.get(letter, 0) + 1
        known = {k: v for k, v in assumptions.items() if v is not None}
        name = sympy.Symbol(f"{letter}{self._count[letter]}", **known)
        self.writer.names.known[name] = name.name
        text = self.writer.text(argument)
        self.lines += [
            f"destruct (named ({function} ({text}))) as [{name} H{name}].",
            f"assert (E{name} : {function} ({text}) = {name}) by (symmetry; exact H{name}).",
        ]
        self.folds.append((function, f"E{name}"))
        return name

    def _fact(self, function: str, argument: str, value: sympy.Expr | _Text, proof: str) -> None:
        self._count["E"] = self._count.get("E", 0) + 1
        name = f"E{self._count['E']}"
        right = value.text if isinstance(value, _Text) else self.writer.text(value)
        self.lines.append(f"assert ({name} : {function} ({argument}) = {right}) by ({proof}).")
        self.folds.append((function, name))


@dataclass(frozen=True)
class _Text:
    """A value that is written already."""

    text: str


def _root(expr: sympy.Expr) -> sympy.Expr | None:
    """The positive root of what is a square by its form, such as (x + 1)² with x > 0; None where it is none, or 1."""
    number, factors = sympy.factor_list(expr)
    root = sympy.sqrt(number)
    if not root.is_Rational:
        return None
    for p, k in factors:
        if k % 2 or not (p.is_positive or p.is_negative):
            return None
        root *= (p if p.is_positive else -p) ** (k // 2)
    return None if root == 1 else root


def _terms(u: sympy.Expr) -> list[tuple[sympy.Expr, sympy.Rational]]:
    """A sum as monomials with rational factors."""
    split = (term.as_coeff_Mul() for term in sympy.Add.make_args(sympy.expand(u)) if term != 0)
    return [(m, q) if q.is_Rational else (q * m, sympy.S.One) for q, m in split]


def _multiples(parts: Sequence[tuple[int, str, str, object]]) -> str:
    """What is written as often as it counts: x + x + - y."""
    texts: list[str] = []
    for times, text, *_ in parts:
        inner = text if text.isalnum() else f"({text})"
        opposite = f"Ropp {inner}" if text.isdigit() else f"- {inner}"  # - 1 is one number to Coq
        texts += [inner if times > 0 else opposite] * abs(times)
    return " + ".join(texts) or "0"


def _common(steps: Iterable[sympy.Rational]) -> sympy.Rational:
    """The largest step of which all are whole multiples."""
    found = [abs(s) for s in steps]
    over = sympy.gcd_list([s.p for s in found])
    under = sympy.lcm_list([s.q for s in found])
    return sympy.Rational(sympy.gcd_list([s.p * (under // s.q) for s in found]), under) if over else sympy.S.One
