"""What is known of a document: what its names stand for so far, and what its words and later formulas say of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import sympy

from symdl.core.indices import Index
from symdl.verification.meaning import binding
from symdl.verification.meaning.arrays import scalar
from symdl.verification.meaning.bycases import Told
from symdl.verification.meaning.connections import slopes_ahead
from symdl.verification.meaning.convexity import Bent
from symdl.verification.meaning.equations import Equation
from symdl.verification.meaning.evidence import columns
from symdl.verification.meaning.interpret import Interpreter
from symdl.verification.meaning.moments import Moments
from symdl.verification.meaning.rounding import Rounding
from symdl.verification.meaning.scope import Scope, element
from symdl.verification.meaning.stated import Place
from symdl.verification.meaning.usage import Usage
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk


@dataclass
class Known:
    """What is known of a document where a statement of it is read.

    `merged`: which extents were known to be one before the statement that is read now. `hidden`: the names in formulas
    that are not understood, by the name that they say something of. `solved`: names that equations were solved for,
    with the line. `slopes_said`: by each name, what a document says that slopes by it are. `shown`: by left sides of
    equations, the figures with decimals that they end in, from which the document may go on. `at_values`: letters
    below names are the numbers that were given for them. `apart`: which numbers indices are not, k ≠ 0
    or k ≥ 1, in the statement that is read now. `symmetric_cases`: matrices that the words call symmetric in
    some sentence only, `symmetric_here`: in the one that is read now. `told_by_cases`: what was told of names case by
    case. `unread`: formulas of names that are not understood; `anew`: of those that are made of themselves.
    """

    usage: Usage
    scope: Scope = field(default_factory=Scope)
    facts: str = ""
    section: tuple[int, ...] = ()
    wished: bool = False
    summing: bool = False
    unheard: set[str] = field(default_factory=set)
    heads: set[str] = field(default_factory=set)
    pending: list[tuple[Node, Node, Place]] = field(default_factory=list)
    updates: list[tuple[Node, Node, Place]] = field(default_factory=list)
    deeper: list[tuple[Node, Node, Place]] = field(default_factory=list)
    through: list[tuple[Node, Node, Place]] = field(default_factory=list)
    under: list[sympy.Basic] = field(default_factory=list)
    pairs: list[tuple[str, str, bool]] = field(default_factory=list)
    apart: list[tuple[str, str, int]] = field(default_factory=list)
    unclear: bool = False
    conditions: tuple[tree.Chain, ...] = ()
    lately: tuple[tree.Chain, ...] = ()
    near: bool = False
    one_hot: set[str] = field(default_factory=set)
    differentiated: set[tuple[str, str]] = field(default_factory=set)
    worked_out: dict[Node, Node] = field(default_factory=dict)
    worth: dict[Node, Node] = field(default_factory=dict)
    sources: dict[Node, Node] = field(default_factory=dict)
    unread: dict[Node, Node] = field(default_factory=dict)
    anew: dict[Node, Node] = field(default_factory=dict)
    rounding: Rounding = field(default_factory=Rounding)
    formal: set[str] = field(default_factory=set)
    indices: dict[str, str] = field(default_factory=dict)
    reused: dict[str, Index] = field(default_factory=dict)
    equations: list[Equation] = field(default_factory=list)
    independent: list[frozenset[str]] = field(default_factory=list)
    moments: Moments = field(default_factory=Moments)
    columns: dict[str, bool] = field(default_factory=dict)
    bent: list[tuple[Bent, tuple[int, ...]]] = field(default_factory=list)
    fractions: frozenset[str] = frozenset()
    symmetric: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    symmetric_cases: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    symmetric_here: set[str] = field(default_factory=set)
    arrays: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    merged: dict[sympy.Symbol, sympy.Expr] = field(default_factory=dict)
    hidden: dict[str, set[str]] = field(default_factory=dict)
    solved: set[tuple[str, int]] = field(default_factory=set)
    slopes_said: dict[str, list[tuple[Node, Node]]] = field(default_factory=dict)
    shown: dict[Node, tuple[Node, ...]] = field(default_factory=dict)
    at_values: bool = False
    told_by_cases: dict[Node, Told] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.scope.base = self.usage.base_of
        self.scope.counts |= self.usage.counts
        for name, length in self.usage.lengths.items():
            extent = self.scope.extent(name, 0, 1)
            if isinstance(extent, sympy.Symbol):
                self.scope.sizes[extent] = length

    def foresee(
        self,
        formulas: Iterable[Node],
        one_hot: Iterable[Node],
        independent: Iterable[tuple[Node, ...]] = (),
        symmetric: Iterable[tuple[Node, tuple[int, ...]]] = (),
        symmetric_cases: Iterable[tuple[Node, tuple[int, ...]]] = (),
        arrays: Iterable[tuple[Node, tuple[int, ...]]] = (),
    ) -> None:
        """What a document says of its names behind the place where it is used: "since Σ_k y_k = 1"."""
        reader = self.reader()
        formulas = list(formulas)
        self.columns = columns(n for formula in formulas for n in walk(formula))
        for node in (n for formula in formulas for n in walk(formula)):
            if isinstance(node, tree.Derivative) and node.of is not None:
                named = [reader.parts(n) for n in (node.of, *(name for name, _ in node.by))]
                names = [p.name for p in named if p is not None]
                self.differentiated |= {(names[0], by) for by in names[1:]} if named[0] is not None else set()
            if isinstance(node, tree.Chain) and isinstance(node.sides[0], tree.Derivative):
                self._foresee_slope(reader, node)
            if isinstance(node, tree.Chain) and len(node.sides) == 2 and node.relations == ("=",):
                self.scope.sums_to_one |= {binding.summing_to_one(reader, *node.sides)} - {""}
        for node in one_hot:
            parts = reader.parts(node)
            self.one_hot |= {parts.name} if parts is not None else set()
        for nodes in independent:
            apart = frozenset(p.name for p in map(reader.parts, nodes) if p is not None)
            self.independent += [apart] if len(apart) == len(nodes) else []
        found = ((symmetric, self.symmetric), (symmetric_cases, self.symmetric_cases), (arrays, self.arrays))
        for told, said in found:
            for node, section in told:
                parts = reader.parts(node)
                said += [(parts.name, section)] if parts is not None and not parts.subscripts else []

    def _foresee_slope(self, reader: Interpreter, chain: tree.Chain) -> None:
        slope = chain.sides[0]
        parts = reader.parts(slope.by[0][0]) if isinstance(slope, tree.Derivative) and len(slope.by) == 1 else None
        if parts is not None:
            self.slopes_said.setdefault(parts.name, []).extend((slope, side) for side in chain.sides[1:])

    def reader(self) -> Interpreter:
        """An interpreter for one statement; in a(x), of a function that takes a number x, x is that number."""
        arguments = {name: scalar(element(name)) for name in self.formal}
        free, indices = dict(self.reused), dict(self.indices)
        return Interpreter(
            self.scope, self.usage, arguments=arguments, indices=indices, free=free, at_values=self.at_values
        )

    def foresee_slopes(self, chains: Iterable[tuple[tree.Chain, tuple[int, ...]]]) -> None:
        """Which names will be given to slopes, in which sections."""
        self.scope.ahead += slopes_ahead(self.reader(), chains)
