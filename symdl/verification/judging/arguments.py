"""Functions that are written without what they are of, or without a part of it: ∂σ/∂w, df/dx of f_c, LeakyReLU(x)."""

from __future__ import annotations

from dataclasses import replace

from symdl.core.tensors import Element
from symdl.library.activations import ACTIVATIONS
from symdl.verification.judging.rules import Judging
from symdl.verification.meaning.functions import ELEMENTARY, library_name
from symdl.verification.meaning.generic import replaced
from symdl.verification.meaning.naming import names_in
from symdl.verification.meaning.stated import DEFINITIONS, EQUALITIES, Meaning
from symdl.verification.notation import tree
from symdl.verification.notation.tree import walk
from symdl.verification.verdict import Verdict


def with_its_subscript(judge: Judging, link: Meaning) -> Verdict | None:
    """df/dx where f_c(x) was defined, and nothing else that is called f is of x alone: of f_c."""
    functions, reader = judge.reading.scope.functions, judge.reading.reader()
    for node in (n for side in (link.left, link.right) for n in walk(side)):
        of = node.of if isinstance(node, tree.Derivative) else None
        if not isinstance(of, tree.Symbol):
            continue
        named = [(f.line, n) for n, f in functions.items() if n.startswith(f"{of.name}_")]
        own = functions.get(of.name)
        if not named or (reader.known(of.name) if own is None else len(own.parameters) == 1):
            continue
        last = max(named)[1]
        meant = tree.Scripted(of, sub=tree.Text(last.partition("_")[2]))
        sides = [replaced(side, of, meant) for side in (link.left, link.right)]
        found = judge.read_in(judge.reading, replace(link, left=sides[0], right=sides[1]))
        return replace(found, scope=f"{found.scope}; {of.name} stands for {last}, the last one defined")
    return None


def with_its_parameter(judge: Judging, link: Meaning) -> Verdict | None:
    """LeakyReLU(x) = max(0, x) + α min(0, x): the activation with α as its parameter, whatever the usual one is."""
    reader, left = judge.reading.reader(), link.left
    if (
        link.relation not in EQUALITIES | DEFINITIONS
        or not isinstance(left, tree.Applied)
        or not isinstance(left.function, tree.Symbol)
    ):
        return None
    known = library_name(left.function.name)
    argument = left.argument.body if isinstance(left.argument, tree.Group) else left.argument
    if known is None or len(ACTIVATIONS[known].parameters) != 1 or isinstance(argument, tree.List):
        return None
    symbols = {n for n in walk(link.right) if isinstance(n, tree.Symbol) and reader.parts(n) is not None}
    taken = names_in(reader, [argument]) | ELEMENTARY.keys() | {"e", "π"}
    own = sorted((s for s in symbols if s.name in names_in(reader, [link.right]) - taken), key=lambda s: s.name)
    if len({s.name for s in own}) != 1:
        return None
    both = tree.Group(tree.List((argument, own[0]), ","))
    found = judge.read_in(judge.reading, replace(link, left=replace(left, argument=both)))
    return replace(found, scope=f"{found.scope}; with {own[0].name} as its parameter")


def at_its_place(judge: Judging, link: Meaning) -> Verdict | None:
    """L(w + ε) as the value of L = w² there, where the brackets hold one of the names that L is made of."""
    reader, scope = judge.reading.reader(), judge.reading.scope
    made, told = scope.copy(), list[str]()
    for product in (n for side in (link.left, link.right) for n in walk(side) if isinstance(n, tree.Product)):
        for first, group, op in product.neighbours:
            parts = reader.parts(first) if op == "" and isinstance(first, (tree.Symbol, tree.Accented)) else None
            formula = None if parts is None else scope.formulas.get((parts.name, 0))
            if parts is None or formula is None or formula.given or not isinstance(group, tree.Group):
                continue
            own = {e.name for e in formula.value.body.atoms(Element)} & names_in(reader, [group])
            if formula.parameters or len(own) != 1 or isinstance(group.body, (tree.List, tree.Symbol)):
                continue
            made.formulas[parts.name, 0] = replace(formula, parameters=tuple(own))
            told.append(parts.name)
    if not told:
        return None
    found = judge.read_in(replace(judge.reading, scope=made), link)
    return replace(found, scope=f"{found.scope}; {', '.join(sorted(set(told)))} at the place in brackets")


def of_its_argument(judge: Judging, link: Meaning) -> Verdict | None:
    """∂σ/∂w for ∂σ(z)/∂w, where σ stands before z in the same formula and before nothing else."""
    sides, reader = (link.left, link.right), judge.reading.reader()
    every = [n for side in sides for n in walk(side)]
    products = [n for n in every if isinstance(n, tree.Product)]
    pairs = [pair for p in products for pair in zip(p.factors, p.factors[1:], strict=False)]
    mapping: dict[tree.Node, tree.Node] = {}
    for node in every:
        of = node.of if isinstance(node, tree.Derivative) else None
        if not isinstance(of, tree.Symbol) or not isinstance(node, tree.Derivative):
            continue
        groups = {g for f, g in pairs if f == of and isinstance(g, tree.Group) and not isinstance(g.body, tree.List)}
        if judge.reading.scope.all_of(of.name, 0) or not names_in(reader, groups):
            continue  # p (1 − p) is a product where p is a number, and so is p (+0)
        if len(groups) == 1:
            mapping[node] = replace(node, of=tree.Product((of, *groups), ("",)))
    if not mapping:
        return None
    for old, new in mapping.items():
        sides = replaced(sides[0], old, new), replaced(sides[1], old, new)
    return judge.read_in(judge.reading, replace(link, left=sides[0], right=sides[1]))
