"""What names stand for, with their subscripts: entries, transposes and powers, and the indices that a statement leaves
free."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Self

import sympy

from symdl.core.functions import Delta
from symdl.core.indices import Index
from symdl.verification.meaning import (
    application,
    arrays,
    matrices,
    sums,
)
from symdl.verification.meaning.arrays import Array, scalar
from symdl.verification.meaning.errors import MeaningError
from symdl.verification.meaning.literals import power
from symdl.verification.meaning.names import (
    FUNCTION_LETTERS,
    INDEX_LETTERS,
    Parts,
    letter_of,
    parts_of,
    square_of,
    text_of,
)
from symdl.verification.meaning.scope import Scope, count, element
from symdl.verification.meaning.usage import Usage
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node


@dataclass
class NameReader:
    """Reads the names of one statement, with what stands below and above them.

    Args:
        scope: what names stand for.
        usage: how names are used in the whole document.
        letters: indices that are bound here, with what they stand for.
        arguments: names that stand for the arguments of a function.
        free: indices that are free in the statement: it claims something for each of them.
        bases: the subscript that each of them begins with.
        indices: letters that subscript a name somewhere in the statement, with that name: they are no quantities.
        figures: where decimals are to stand for intervals, the intervals found so far.
        spreading: names that have so many subscripts elsewhere are arrays while what has subscripts outside is read.
        at_values: letters that were set to numbers are these, though they stand below names as well.
    """

    scope: Scope
    usage: Usage
    letters: dict[str, sympy.Expr] = field(default_factory=dict)
    arguments: dict[str, Array] = field(default_factory=dict)
    free: dict[str, Index] = field(default_factory=dict)
    bases: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    indices: dict[str, str] = field(default_factory=dict)
    figures: dict[sympy.Symbol, tuple[sympy.Rational, sympy.Rational]] | None = None
    spreading: int = 0
    at_values: bool = False

    def copied(self) -> Self:
        """A reader that goes on from where this one is, and leaves it there."""
        return replace(
            self,
            letters=dict(self.letters),
            arguments=dict(self.arguments),
            free=dict(self.free),
            bases=dict(self.bases),
            notes=list(self.notes),
            indices=dict(self.indices),
        )

    # ── what names.Labels asks ───────────────────────────────────────────────────────────────────────────────────────

    def bound(self, letter: str) -> bool:
        return letter in self.letters or letter in self.free or letter in self.usage.letters

    def matrix(self, name: str) -> bool:
        if name in self.usage.families.rows:  # o_t is a vector where o_{t,i} is an entry of it
            return False
        bold = name in self.usage.bold and name[:1].isupper()
        return bold or 2 in self.scope.ranks.get(name, ()) or 2 in self.usage.ranks.get(name, ())

    def has_rank(self, name: str, rank: int) -> bool:
        found = self.scope.ranks.get(name, set()) | self.usage.ranks.get(name, set())
        return rank in found or (rank == 2 and self.matrix(name))

    def labelled(self, name: str, *, bold: bool = False) -> bool:
        return self.usage.labelled(name, bold=bold)

    def layer(self, letter: str) -> bool:
        return self.usage.layer(letter)

    def last(self, name: str, letter: str) -> bool:
        return self.usage.last(name, letter)

    def label(self, name: str, letter: str) -> bool:
        return self.usage.label(name, letter)

    def squared(self, name: str) -> bool:
        return self.usage.squared(name)

    # ── what formulas stand for, which `Interpreter` reads ────────────────────────────────────────────────────────────

    def value(self, node: Node) -> Array:
        """What a node stands for."""
        raise NotImplementedError

    def number(self, node: Node) -> sympy.Expr:
        """The same, of what has to be a number.

        Raises:
            MeaningError: it is a vector or a matrix.
        """
        found = self.value(node)
        if found.axes:
            raise MeaningError(f"{found.kind} stands where a number is needed")
        return found.body

    # ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def parts(self, node: Node) -> Parts | None:
        """A symbol taken apart, by what is known here."""
        return parts_of(node, self)

    def _named(self, node: tree.Symbol | tree.Accented | tree.Scripted) -> Array:
        parts = self.parts(node)
        assert parts is not None
        if letter_of(node) in self.letters:
            return scalar(self.letters[letter_of(node)])
        if parts.name == "1" and parts.bold and not parts.subscripts:
            ones = Array((sums.new_index("i", self.scope.new_extent("n_1")),), sympy.S.One)
            return arrays.transposed(ones) if parts.transposed else ones
        parts = self.renamed(parts)
        function = self.scope.functions.get(parts.name) if parts.primes else None
        if function is not None and len(function.parameters) == 1 and parts.power is None:  # f″ is f″(x)
            own = scalar(element(function.parameters[0]))
            return application.call(self, parts.name, function, [own], parts.primes)
        if parts.primes:
            raise MeaningError(f"{parts.name}′ is not applied to anything", remedy=f"write {parts.name}'(x)")
        found = self.entry(parts)
        if parts.transposed:
            if found.rank == 0:
                found = self.as_array(parts)
            found = arrays.transposed(found)
        if parts.power is None:
            return found
        return self.raised(found, parts.power)

    def renamed(self, parts: Parts) -> Parts:
        """w′ as a name of its own, as updates have it: w is no function, nor made from anything that is said."""
        name, usage = parts.name, self.usage
        # h of h′ = h/(1 − p) stands by itself elsewhere and before no brackets: a number
        letter = name == "y" or (name[:1] in FUNCTION_LETTERS and name not in usage.bare - usage.applied)
        applied = name in usage.applied - usage.bare
        derived = name in self.scope.functions or applied or (letter and not parts.bold)
        if not parts.primes or derived or any(n == name for n, _ in self.scope.formulas):
            return parts
        return replace(parts, name=name + "′" * parts.primes, primes=0)

    def entry(self, parts: Parts) -> Array:
        """A name with its subscripts."""
        name, subs = parts.name, parts.subscripts
        if self.squared(name) and not self.known(name):
            return self.entry(replace(parts, name=square_of(name))).mapped(sympy.sqrt)
        if not subs:
            return self._whole(parts)
        if name in self.arguments:
            whole = self.arguments[name]
            if not whole.axes and all(isinstance(s, tree.Number) for s in subs):
                return scalar(element(f"{name}_{','.join(text_of(s) for s in subs)}"))  # x_0, a place of its own
            if whole.rank != len(subs):
                raise MeaningError(f"{len(subs)} subscripts of {name}, which is {whole.kind}")
            places = [self.subscript(s) for s in subs]
            return scalar(whole.at(tuple(self.placed(p, i) for p, i in zip(places, whole.axes, strict=True))))
        if len(subs) == 2 and name.upper() in self.usage.bold - {name} and 2 not in self.scope.ranks.get(name, ()):
            name = name.upper()  # a_{ij} is an entry of 𝐀
        places = [self.subscript(s, name) for s in subs]
        if name == "δ" and len(places) == 2 and 2 not in self.scope.ranks.get(name, ()):
            return self._kronecker(*places)
        if name in self.usage.counted and all(p.is_Integer for p in places) and not self.known(name):
            return scalar(count(str(element(name, places))))
        rank = len(subs) + self._inner_rank(parts)
        for axis, place in enumerate(places):
            self._range(name, axis, rank, place)
        if name in self.usage.whole:  # what chooses a place is counted from 0 here, as places are
            return scalar(element(name, places, whole=True) + self.usage.base)
        axes = tuple(sums.new_index(f"a{k}", self.scope.extent(name, k, rank)) for k in range(len(subs), rank))
        return Array(axes, element(name, [*places, *(i + self.scope.base(name) for i in axes)]))

    def _inner_rank(self, parts: Parts) -> int:
        """How many axes an entry of a name has itself: 𝐱_i is a vector, one of many."""
        name, subscripts = parts.name, len(parts.subscripts)
        deeper = [rank - subscripts for rank in self.scope.ranks.get(name, ()) if rank > subscripts]
        seen = self.usage.ranks.get(name, set())
        usual = 2 if name[:1].isupper() and name not in self.usage.families.columns else 1
        if parts.bold and name in self.usage.families.bold_rows:
            return min(deeper, default=usual)
        rows = name in self.usage.families.rows
        if rows and (name, subscripts) not in self.scope.formulas and subscripts in self.scope.ranks.get(name, ()):
            return min(deeper, default=usual)  # x = (x_1, …, x_T) of vectors
        if subscripts in self.scope.ranks.get(name, ()) or (name in self.usage.bold and not parts.bold):
            return 0
        if rows and (len(seen) < 2 or subscripts < max(seen)):
            return min(deeper, default=usual)
        return min((r for r in deeper if (name, r + subscripts) in self.scope.formulas), default=0)

    def _kronecker(self, a: sympy.Expr, b: sympy.Expr) -> Array:
        """δ_ij; the two indices run over the same."""
        both = [i for place in (a, b) for i in place.free_symbols if isinstance(i, Index)]
        if len(both) == 2 and {a - both[0], b - both[1]} <= {sympy.S.Zero, sympy.S.One}:
            self.scope.fit(both[0].extent, both[1].extent)
        return scalar(Delta(a, b))

    def _range(self, name: str, axis: int, rank: int, place: sympy.Expr) -> None:
        """An index that reads an axis as a whole is as long as the axis."""
        indices = [i for i in place.free_symbols if isinstance(i, Index)]
        if len(indices) == 1 and place - indices[0] in (0, 1):
            self.scope.fit(indices[0].extent, self.scope.extent(name, axis, rank))

    def subscript(self, node: Node, name: str = "") -> sympy.Expr:
        """A subscript of a name as a whole number; letters that nothing binds are free indices."""
        if letter_of(node) == "∞":
            return sympy.oo
        if letter_of(node):
            return self._letter(letter_of(node), name)
        if isinstance(node, tree.Sum):
            terms = [self.subscript(t, name) * (-1 if sign == "-" else 1) for sign, t in node.terms]
            return sympy.Add(*terms)
        if isinstance(node, tree.Product) and set(node.ops) <= {"", "·"}:
            return sympy.Mul(*[self.subscript(f, name) for f in node.factors])
        if isinstance(node, tree.Group):
            return self.subscript(node.body, name)
        if isinstance(node, tree.Abs):
            return count(f"|{text_of(node.body)}|")
        found = self.number(node)
        if not found.is_integer:
            raise MeaningError(f"{found} is a subscript", remedy="subscripts are indices and whole numbers")
        return found

    def _letter(self, letter: str, name: str) -> sympy.Expr:
        if letter in self.letters:
            return self.letters[letter]
        if self.at_values and (number := self._number_set(letter)) is not None:
            return number
        if letter in self.scope.counts | self.usage.doubled and letter not in self.free:
            return count(letter)
        if letter not in self.free:
            self.free[letter] = sums.new_index(letter, self.scope.new_extent(f"n_{letter}"))
        if letter not in self.bases:
            self.bases[letter] = self.usage.start_of(letter, name or self.indices.get(letter, ""))
        return self.free[letter] + self.bases[letter]

    def _whole(self, parts: Parts) -> Array:
        name = parts.name
        if name in self.arguments and (self.arguments[name].axes or not parts.bold):  # in σ(z), z is not 𝐳
            return self.arguments[name].fresh()
        if name in self.letters:
            return scalar(self.letters[name])
        if name in self.scope.counts and not parts.bold:  # 𝐡 ∈ ℝʰ is not h
            return scalar(count(name))
        if (name in self.free or name in self.indices) and (not self.known(name) or self.counts_places(name)):
            return scalar(self._letter(name, self.indices.get(name, "")))
        if name == "e" and not self.known(name):
            return scalar(sympy.E)
        if name == "π" and not self.known(name):
            return scalar(sympy.pi)
        if name == "∞":
            raise MeaningError("∞ is no number")
        ranks = self.scope.ranks.get(name, set())
        matrix = name in self.usage.bold and name[:1].isupper()
        whole = any((name, rank) in self.scope.formulas for rank in ranks if rank) or name in self.scope.declared
        whole = (whole or self.usage.shaped(name)) and self.scope.numbers.get(name) != self.scope.section
        if parts.bold or matrix or (whole and (name, 0) not in self.scope.formulas):
            return self.as_array(parts)
        if self.spreading in self.usage.ranks.get(name, ()) and not self.known(name):
            return self.as_array(parts, self.spreading)
        return scalar(element(name))

    def as_array(self, parts: Parts, rank: int | None = None) -> Array:
        """A name that stands for a vector or a matrix."""
        name = parts.name
        if rank is not None:
            return self._with_axes(name, rank)
        shown = self.usage.ranks.get(name, set()) | self.usage.ranks_by_layer(name)
        seen = set() if parts.bold else shown  # a_ij is no entry of 𝐚
        ranks = (self.scope.ranks.get(name, set()) | seen) - {0}
        usual = 2 if name[:1].isupper() else 1
        return self._with_axes(name, usual if not ranks or usual in ranks else min(ranks))

    def _with_axes(self, name: str, rank: int) -> Array:
        axes = [sums.new_index(f"a{k}", self.scope.extent(name, k, rank)) for k in range(rank)]
        lying = rank == 1 and self.usage.lying
        return Array(tuple(axes), element(name, [i + self.scope.base(name) for i in axes]), lying)

    def counts_places(self, name: str) -> bool:
        """Whether a letter that was set to a number, t = 0, is any t here, since it stands below a name."""
        return self._number_set(name) is not None and not self.at_values

    def _number_set(self, name: str) -> sympy.Integer | None:
        """The whole number that a letter which may count places was set to."""
        whole = self.scope.formulas.get((name, 0))
        lone = self.scope.ranks.get(name) == {0} and name not in self.scope.functions and name in INDEX_LETTERS
        return whole.value.body if lone and whole is not None and whole.given and whole.value.body.is_Integer else None

    def known(self, name: str) -> bool:
        """Whether the document says what a name is."""
        return name in self.scope.functions or name in self.scope.ranks

    def spread(self, node: Node, rank: int) -> Array:
        """s ⊙ t of (s ⊙ t)_j, where s_j and t_j stand elsewhere and nothing else is s or t."""
        before, self.spreading = self.spreading, rank
        try:
            return self.value(node)
        finally:
            self.spreading = before

    def placed(self, place: sympy.Expr, axis: Index) -> sympy.Expr:
        """A subscript as a place on an axis that is counted from 0."""
        for index in (i for i in place.free_symbols if isinstance(i, Index)):
            if place - index in (0, 1) and (self.scope.fit(index.extent, axis.extent) or index in self.free.values()):
                return index
        return place - self.usage.base

    def raised(self, base: Array, sup: Node) -> Array:
        """A base with a superscript: transposed, or to a power."""
        if isinstance(sup, tree.Symbol) and sup.name in ("⊤", "T"):
            return arrays.transposed(base)
        if base.rank == 2 and matrices.is_inverse(sup) and sup != matrices.MINUS_ONE:
            return arrays.transposed(matrices.inverse(self, base))
        exponent = self.number(sup)
        if base.rank == 2:
            return matrices.power(self, base, exponent)
        if base.axes:
            raise MeaningError(f"{base.kind} to the power {exponent}", remedy="write ⊙, or ‖x‖²")
        return scalar(power(base.body, exponent))

    @contextmanager
    def binding(self, letters: dict[str, sympy.Expr]) -> Iterator[None]:
        """Indices bound while a body is read; one that is in use outside is another index inside."""
        before = dict(self.letters)
        for letter in letters:
            if letter in before or letter in self.free:
                self.notes.append(f"the bound index {letter} shadows a free one of the same name")
        self.letters.update(letters)
        try:
            yield
        finally:
            self.letters = before
