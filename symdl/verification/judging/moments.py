"""What words say of distributions: w_i are independent of each other, with zero mean and variance σ².

E[w_i x_i] is E[w_i] E[x_i] of independent ones, and E[(Σ_i u_i)²] is Σ_i E[u_i²] + (Σ_i E[u_i])² − Σ_i E[u_i]² of
terms that are. Both are put in, with the means and variances that are stated; what then is equal is proved for every
distribution of which that is so, as the scope tells, and nothing is refuted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import sympy

from symdl.core.indices import Index
from symdl.core.tensors import Element, Reduction
from symdl.errors import SymdlError
from symdl.verification.documents import Document
from symdl.verification.judging.rules import Judging
from symdl.verification.judging.worded import ASSERTED, NAMED, said
from symdl.verification.meaning.expectation import NOISE, VARIANCES, is_mean, mean, means_opened
from symdl.verification.meaning.moments import Moments, Said
from symdl.verification.meaning.names import is_bold
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.statements import Reading
from symdl.verification.meaning.telling import moment_of
from symdl.verification.meaning.unknown import UnknownFunction
from symdl.verification.meaning.values import opened
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk
from symdl.verification.verdict import Verdict

#: Words between a name and what is said of it, in one sentence that denies nothing.
_GAP = r"(?:i\.i\.d\.|(?!\bnot\b|\bif\b|\bunless\b)[^.;$])"
_ZERO = r"(?:zero[- ]mean|mean (?:of )?(?:zero|0|\$0\$))"
_HAS = rf"\b(?:ha(?:s|ve|ving)|with|of) (?:a |an )?{_ZERO}"
_VARIANCE = rf"(?:,? and (?:a |with )?(?:unit variance|variance (?:of )?{NAMED}))?"
#: What they have themselves, or the distribution that they are drawn from by the sentence before.
_MOMENTS = (
    re.compile(rf"{ASSERTED}{NAMED}{_GAP}{{0,120}}?{_HAS}{_VARIANCE}", re.IGNORECASE),
    re.compile(
        rf"{NAMED}{_GAP}{{0,80}}?\bdistribution\. {_GAP}{{0,60}}?\b(?:this|the|that) distribution {_HAS}{_VARIANCE}",
        re.IGNORECASE,
    ),
)
#: Of single entries: each is independent of all others of its name.
_EACH = (
    re.compile(
        rf"{ASSERTED}{NAMED}(?:,? and {NAMED})? {_GAP}{{0,60}}?\b(?:mutually independent"
        r"|independent and identically distributed|(?:drawn|sampled|chosen|initiali[sz]ed) independently"
        r"|independently (?:drawn|sampled|chosen|initiali[sz]ed)|i\.i\.d\.|iid\b)",
        re.IGNORECASE,
    ),
    re.compile(rf"\b(?:i\.i\.d\.|iid|mutually independent) (?:[\w-]+ ){{0,3}}{NAMED}", re.IGNORECASE),
    # of $x$ alone "each other" says so, of "$x$ and $y$" that these two are
    re.compile(
        rf"{ASSERTED}(?<!and ){NAMED}(?! and \$){_GAP}{{0,60}}?\bindependent of (?:each other|one another)",
        re.IGNORECASE,
    ),
    re.compile(
        rf"{NAMED}(?:{_GAP}|\$[^$]*\$){{0,160}}?\bthey are independent of \$[^$]*\$,? and (?:independent )?of"
        r" (?:each other|one another)",
        re.IGNORECASE,
    ),
)
#: Letters that are drawn uniformly: "we uniformly sample an index $i$".
_UNIFORM = (
    re.compile(
        rf"\buniformly (?:at random )?(?:sample|draw|pick|choose|select){_GAP}{{0,30}}?"
        r"\b(?:index|example)\w* \$([a-z])\b",
        re.IGNORECASE,
    ),
    re.compile(rf"\bindex {NAMED}{_GAP}{{0,60}}?\buniform(?:ly)?\b", re.IGNORECASE),
)
#: Names that are independent of others.
_OTHERS = (
    re.compile(rf"{NAMED}(?:{_GAP}|\$[^$]*\$){{0,160}}?\b(?:and|that) they are independent of {NAMED}", re.IGNORECASE),
)


def moments_of(document: Document) -> Moments:
    r"""One pass over the words around formulas.

    >>> from symdl.verification.documents import read_text
    >>> from symdl.verification.notation import unicode
    >>> text = "The $w_i$ are mutually independent, with zero mean and variance $s^2$. Not so $x_i$: they are not iid."
    >>> found = moments_of(read_text(text, "markdown"))
    >>> [unicode(w) for w, _ in found.each], [(unicode(w), unicode(v)) for w, v, _ in found.variances]
    (['wᵢ'], [('wᵢ', 's²')])
    """
    means, variances = list[Said](), list[Said]()
    for (name, *values), section in said(document, _MOMENTS):
        if name is not None and None not in values:
            means.append((name, tree.Number("0"), section))
            variances += [(name, value, section) for value in values if value is not None]
    each = [(n, section) for nodes, section in said(document, _EACH) for n in nodes if n is not None]
    others = [(nodes, section) for nodes, section in said(document, _OTHERS) if None not in nodes]
    pairs = [(a, b, section) for (a, b, *_), section in others if a is not None and b is not None]
    uniform = {n.name for nodes, _ in said(document, _UNIFORM) for n in nodes if isinstance(n, tree.Symbol)}
    return Moments(means, variances, each, pairs, frozenset(uniform))


def drawn(node: Node, section: tuple[int, ...]) -> Iterator[tuple[Said, Said]]:
    """The means and variances of numbers that are normally distributed: ε ∼ N(0, σ²).

    >>> from symdl.verification.notation import parse, unicode
    >>> formulas = [parse(text) for text in (r"e \\sim \\mathcal{N}(0, s^2)", r"x \\sim \\mathcal{N}(0, I)")]
    >>> [(unicode(m[1]), unicode(v[1])) for formula in formulas for m, v in drawn(formula, ())]
    [('0', 's²')]
    """
    for chain in (n for n in walk(node) if isinstance(n, tree.Chain) and n.relations[:1] == ("∼",)):
        name, law = chain.sides[:2]
        base = name.base if isinstance(name, tree.Scripted) else name
        normal = isinstance(law, tree.Product) and law.ops == ("",) and law.factors[0] == tree.Symbol("N", "cal")
        if not normal or not isinstance(law, tree.Product) or not isinstance(base, tree.Symbol) or is_bold(base):
            continue
        body = law.factors[1].body if isinstance(law.factors[1], tree.Group) else None
        items = body.items if isinstance(body, tree.List) and body.separators == "," else ()
        arrays = any(is_bold(n) or n == tree.Symbol("I") for item in items for n in walk(item))
        if len(items) == 2 and not arrays:
            yield (name, items[0], section), (name, items[1], section)


def by_moments(judge: Judging, link: Meaning) -> Verdict | None:
    """The proof of a link about means with what is said of distributions; None where there is none."""
    if link.values is None or link.relation not in ("=", "≡") or any(v.axes for v in link.values):
        return None
    scope, facts = judge.reading.scope, _facts(judge.reading)
    if not (facts.means or facts.variances or facts.each or facts.groups):
        return None
    sides = [means_opened(opened(scope, scope.settled(v.body))) for v in link.values]
    if not any(is_mean(c) for side in sides for c in side.atoms(UnknownFunction)):
        return None
    left, right = (facts.put_in(facts.with_parameters(side)) for side in sides)
    if not facts.used or [left, right] == sides:
        return None
    found = judge.decided(link, scope.settled(left), scope.settled(right))
    if not found.proved:
        return None
    return replace(found, scope=f"{found.scope}; {', '.join(dict.fromkeys(facts.used))}")


@dataclass
class _Facts:
    """What is said, by names.

    Args:
        means, variances: of entries, with the indices of each name as they stand there.
        used: what was put in so far, in words.
    """

    means: dict[str, tuple[Element, sympy.Expr]]
    variances: dict[str, tuple[Element, sympy.Expr]]
    each: frozenset[str]
    groups: list[frozenset[str]]
    used: list[str] = field(default_factory=list)

    def with_parameters(self, expr: sympy.Expr) -> sympy.Expr:
        """E[μ + σ ε] as μ + σ E[ε]: of a distribution that is said, Greek letters beside it are parameters."""
        mapping = {}
        for call in (c for c in expr.atoms(UnknownFunction) if is_mean(c)):
            factors = sympy.Mul.make_args(call.args[0])
            known = [f for f in factors if f.atoms(Element) and all(self._is_parameter(e) for e in f.atoms(Element))]
            others = [e for f in factors if f not in known for e in f.atoms(Element)]
            if known and all(e.name in self.means for e in others):
                names = sorted({e.name for f in known for e in f.atoms(Element)})
                self.used.append(f"{', '.join(names)} fixed")
                rest = sympy.Mul(*[f for f in factors if f not in known])
                mapping[call] = sympy.Mul(*known) * (mean(rest, type(call).__name__) if others else rest)
        return expr.xreplace(mapping)

    def _is_parameter(self, e: Element) -> bool:
        return len(e.name) == 1 and "α" <= e.name <= "ω" and e.name not in NOISE and e.name not in self.means

    def put_in(self, expr: sympy.Expr) -> sympy.Expr:
        """An expression with as few means of products as there are."""
        for _ in range(8):
            calls = {c for c in expr.atoms(UnknownFunction) if is_mean(c)}
            mapping = {c: new for c in calls if (new := self._of(c)) != c}
            if not mapping:
                break
            expr = expr.xreplace(mapping)
        return expr

    def _of(self, call: UnknownFunction) -> sympy.Expr:
        inner, name = call.args[0], type(call).__name__
        if name != "E":
            return call
        constant = sympy.Mul(*[f for f in sympy.Mul.make_args(inner) if not f.atoms(Element)])  # 1/n
        if constant != 1:
            rest = mean(inner / constant)
            return constant * (self.put_in(rest) if rest != call else rest)
        if (whole := _squared(inner)) is not None:
            return self._of_squared_sum(call, whole)
        factors = sympy.Mul.make_args(inner)
        if not all(self._is_power(f) for f in factors):
            return call
        names = sorted({e.name for e in inner.atoms(Element)})
        if len(names) > 1:
            return self._parted(call, factors, names)
        entries = inner.atoms(Element)
        return self._stated(call, *entries) if len(entries) == 1 else call

    @staticmethod
    def _is_power(factor: sympy.Expr) -> bool:
        base = factor.base if factor.is_Pow and factor.exp.is_Integer and factor.exp > 0 else factor
        return isinstance(base, Element)

    def _apart(self, names: list[str]) -> bool:
        pairs = [{a, b} for k, a in enumerate(names) for b in names[:k]]
        return all(any(pair <= g or (len(g) == 1 and g & pair) for g in self.groups) for pair in pairs)

    def _parted(self, call: UnknownFunction, factors: tuple[sympy.Expr, ...], names: list[str]) -> sympy.Expr:
        """E[w² x²] as E[w²] E[x²]."""
        if len(names) != 2 or not self._apart(names):
            return call  # three that are so two by two are not so together
        self.used.append(f"{' and '.join(names)} independent")
        own = (sympy.Mul(*[f for f in factors if {e.name for e in f.atoms(Element)} == {n}]) for n in names)
        return sympy.Mul(*[mean(product) for product in own])

    def _of_squared_sum(self, call: UnknownFunction, whole: Reduction) -> sympy.Expr:
        """E[(Σ_i u_i)²] of independent terms."""
        factors = sympy.Mul.make_args(whole.body)
        if whole.op != "sum" or len(whole.bound) != 1 or not all(self._is_power(f) for f in factors):
            return call
        (index,) = whole.bound
        entries = whole.body.atoms(Element)
        names = sorted({e.name for e in entries})
        own = all(any(_is_at(s, index) for s in e.subscripts) for e in entries)
        if not own or len(entries) != len(names) or not self.each.issuperset(names):
            return call
        if len(names) > 2 or not self._apart(names):
            return call
        self.used.append(f"entries of {' and '.join(names)} independent of each other")

        def over(body: sympy.Expr) -> sympy.Expr:
            return Reduction(whole.args[0], body, *whole.args[2:])

        each = mean(whole.body)
        return over(mean(whole.body**2)) + over(each) ** 2 - over(each**2)

    def _stated(self, call: UnknownFunction, entry: Element) -> sympy.Expr:
        """E[w] and E[w²] by what is said of them."""
        inner, told = call.args[0], []
        if entry.name not in self.means or inner not in (entry, entry**2):
            return call
        value = _placed(self.means[entry.name], entry)
        told.append(f"E[{entry.name}] = {self.means[entry.name][1]}")
        if inner == entry**2:
            if entry.name not in self.variances:
                return call
            value = None if value is None else value**2
            variance = _placed(self.variances[entry.name], entry)
            value = None if value is None or variance is None else value + variance
            told.append(f"Var({entry.name}) = {self.variances[entry.name][1]}")
        if value is None:
            return call
        self.used += told
        return value


def _squared(inner: sympy.Expr) -> Reduction | None:
    """Σ_i u_i of its square, also where the sum is over another letter the second time."""
    factors = (inner.base, inner.base) if inner.is_Pow and inner.exp == 2 else sympy.Mul.make_args(inner)
    if len(factors) != 2 or not all(isinstance(f, Reduction) and len(f.bound) == 1 for f in factors):
        return None
    first, other = factors
    same = other.xreplace({other.bound[0]: first.bound[0]}) == first
    found: Reduction | None = first if same else None
    return found


def _is_at(subscript: sympy.Expr, index: Index) -> bool:
    return bool((subscript - index).is_Integer)


def _placed(known: tuple[Element, sympy.Expr], entry: Element) -> sympy.Expr | None:
    """What is said of w_ij, at other places; None where they are not of one kind."""
    place, value = known
    if len(place.subscripts) != len(entry.subscripts):
        return None
    mapping = dict[sympy.Basic, sympy.Expr]()
    for s, new in zip(place.subscripts, entry.subscripts, strict=True):
        indices = [i for i in s.free_symbols if isinstance(i, Index)]
        if len(indices) != 1 or not _is_at(s, indices[0]):
            return None
        mapping[indices[0]] = new - (s - indices[0])
    if len(mapping) != len(place.subscripts):
        return None
    found: sympy.Expr = value.xreplace(mapping)
    return found


def _facts(reading: Reading) -> _Facts:
    moments, chapter = reading.moments, reading.section[:1]
    means, variances = dict[str, tuple[Element, sympy.Expr]](), dict[str, tuple[Element, sympy.Expr]]()
    equations = [e.link for e in reading.equations if e.sure and e.link.relation == "="]
    stated = [
        [(name, value) for name, value, section in told if section[:1] == chapter]
        for told in (moments.means, moments.variances)
    ]
    for link in equations:
        name = moment_of(link.left)
        if name is not None:
            stated[_is_variance(link.left)].append((name, link.right))
    for found, pairs in zip((means, variances), stated, strict=True):
        for node, value in pairs:
            known = _valued(reading, node, value)
            if known is not None:
                found[known[0].name] = known
    both = [frozenset(_names(reading, (a, b))) for a, b, section in moments.apart if section[:1] == chapter]
    apart = [pair for pair in both if len(pair) == 2]
    each = frozenset(_names(reading, tuple(n for n, section in moments.each if section[:1] == chapter)))
    return _Facts(means, variances, each, [*reading.independent, *apart])


def _is_variance(node: Node) -> bool:
    return isinstance(node, tree.Applied) and isinstance(node.function, tree.Symbol) and node.function.name in VARIANCES


def _names(reading: Reading, nodes: tuple[Node, ...]) -> Iterator[str]:
    reader = reading.reader()
    yield from (p.name for p in map(reader.parts, nodes) if p is not None)


def _valued(reading: Reading, node: Node, value: Node) -> tuple[Element, sympy.Expr] | None:
    """w_ij and σ² of Var(w_ij) = σ²; None where either is anything else, or a mean itself."""
    reader = reading.reader()
    try:
        name, found = reader.value(node), reader.value(value)
    except SymdlError:
        return None
    entry = name.body
    if name.axes or found.axes or not isinstance(entry, Element) or found.body.has(UnknownFunction):
        return None
    return entry, found.body
