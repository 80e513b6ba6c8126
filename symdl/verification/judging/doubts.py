"""Why a witness does not always show that a statement is wrong: what else the text may mean (docs/adr/0018)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

import sympy

from symdl.core.indices import Index
from symdl.core.tensors import Element
from symdl.errors import SymdlError
from symdl.verification.meaning.cotangents import is_slope, loss_of, slope_of
from symdl.verification.meaning.functions import objective
from symdl.verification.meaning.interpret import Interpreter
from symdl.verification.meaning.letters import letters_of, repeated_letters
from symdl.verification.meaning.names import function_letter
from symdl.verification.meaning.naming import applied_names, head, names_in
from symdl.verification.meaning.stated import ORDERS, Meaning
from symdl.verification.meaning.statements import Reading
from symdl.verification.meaning.sums import REST
from symdl.verification.meaning.usage import is_list
from symdl.verification.meaning.values import valued
from symdl.verification.notation import UnreadError, parse, tree, unicode
from symdl.verification.notation.tree import Node, walk

Pair = tuple[sympy.Expr, sympy.Expr]

_SOME = "so for some values only: read as a condition"
_NEARLY = "nearly so for some values only: read as a condition"
#: Doubts that say that nothing is claimed at all.
CONDITIONS = frozenset({_SOME, _NEARLY})


def doubt_of_values(reading: Reading, link: Meaning) -> str:
    """Why numbers that differ do not show that a link is wrong; empty: they do."""
    if reading.wished:
        return "what is wished for, or assumed"
    if reading.unclear:
        return "its sentence puts it under a condition that is not understood"
    doubled = _namesakes(reading, link)
    if doubled:
        return f"{doubled} may be meant"
    scope, shown = reading.scope, {e for v in link.values or () for e in v.body.atoms(Element)}
    unknown = {e.name for e in shown if e.name in reading.scope.opaque}
    unknown |= {o for o in reading.scope.opaque for e in shown if scope.depends(e.name, len(e.subscripts), o)}
    if unknown:
        return f"what {', '.join(sorted(unknown))} stands for is not understood here"
    reader = reading.reader()
    for node in _in_full(reading, (link.left, link.right)):
        # the text knows of a way from w to L that its formulas do not show
        if isinstance(node, (tree.Derivative, tree.Gradient)) and valued(scope, reader.value(node).body) == 0:
            return f"{unicode(node)} is 0 by the formulas here"
    return ""


def _in_full(reading: Reading, sides: Iterable[Node]) -> Iterator[Node]:
    """The nodes of some sides, and of what names in them were set to, as it was written."""
    waiting, seen = list(sides), set[Node]()
    while waiting:
        for node in walk(waiting.pop()):
            yield node
            if node in reading.sources and node not in seen:
                seen.add(node)
                waiting.append(reading.sources[node])


def doubt(reading: Reading, link: Meaning, forms: Pair, *, never: Callable[[], bool] = lambda: False) -> str:
    """Why a witness does not show that the link is wrong; empty: it does.

    Args:
        never: whether the sides are two numbers whatever the names in them stand for, so that no values make it so.
    """
    sides = [{(e.name, len(e.subscripts)) for e in f.atoms(Element)} for f in forms]
    if any(name.startswith(REST) for side in sides for name, _ in side):
        return "a sum over quantities, of which one is looked at here"
    if link.free and any(name.startswith("∈") for side in sides for name, _ in side):
        return "an index of a set, of which nobody says here whether it is one of its own"
    if reading.unclear:
        return "its sentence puts it under a condition that is not understood"
    spoken = names_in(reading.reader(), (link.left, link.right))
    unknown = sorted(({n for side in sides for n, _ in side} | spoken) & reading.scope.opaque.keys())
    unknown = unknown or sorted(_made_of_opaque(reading, spoken))
    if unknown:
        return f"what {', '.join(unknown)} stands for is not understood here"
    if hanging := sorted(name for name in spoken if _hangs_on_an_index(reading, name)):
        return f"{', '.join(hanging)} hangs on an index here that does not stand below it"
    if stray := _left_open(reading, spoken):
        return f"the index {', '.join(stray)} of a definition stands for nothing here"
    slopes = [{n for n, _ in side if is_slope(n)} for side in sides]
    losses = sorted({loss_of(n) for n in slopes[0] | slopes[1]})
    if slopes[0] != slopes[1] or any(not objective(name) for name in losses):
        return f"{', '.join(losses)} {'is' if len(losses) == 1 else 'are'} not defined here"
    shown = [name for name in losses if reading.scope.all_of(name, 0)]
    if shown:
        return f"{', '.join(shown)} hangs here on what its formulas do not show"
    when = link.relation not in ORDERS and (link.condition or _is_zero(link.right))
    if when or (link.relation in ORDERS and defined_by_others(link, forms)):
        set_so = link.equated is not None or only_given(reading, link) or not _worked(link)
        return _SOME if when and set_so else f"{_SOME}, or wrong"
    if link.relation in ("≈", "≃", "≅", "≐"):
        if any(isinstance(side, tree.Number) for side in (link.left, link.right)):
            return _NEARLY
        return "an approximation, of which is not said how good it is"
    doubled = _namesakes(reading, link)
    if doubled:
        return f"{doubled} may be meant"
    if at := sorted(n for side in (link.left, link.right) for n in _maybe_at_a_place(reading, side)):
        return f"the value of {', '.join(at)} at the place in brackets may be meant, and no product"
    if any(_is_norm_of_a_number(reading, n) for side in (link.left, link.right) for n in walk(side)):
        return "a norm of what has no shape here"
    both = sides[0] | sides[1]
    shaped = reading.scope.declared.keys() - {n for n, s in reading.scope.numbers.items() if s == reading.scope.section}
    if late := sorted(n for n, rank in both if not rank and n in shaped):
        return f"{', '.join(late)} stands in a formula before its shape is said"
    counted = {n for n, rank in both if rank}
    if any(isinstance(n, tree.Big) and isinstance(n.sub, tree.Chain) for s in (link.left, link.right) for n in walk(s)):
        counted = {slope_of(n) if is_slope(n) else n for n in counted}  # Σ_{i=1}^{n−1} ∂L/∂y_i may leave y_0 out
    mixed = sorted(n for n in counted if reading.usage.mixed(n))
    if mixed:
        return f"entries of {', '.join(mixed)} are counted from 0 and from 1"
    numbers = [not f.atoms(Element) for f in forms]
    one_sided = any(numbers) and not all(numbers) and not _is_argument(link, forms[numbers.index(False)])
    if one_sided and not never():
        names = sorted({n for side in sides for n, _ in side})
        return f"the values of {', '.join(names[:4])} are not stated"
    indices = [{s for s in f.free_symbols if isinstance(s, Index)} & set(link.free) for f in forms]
    lone = sorted({i.name for i in indices[0] ^ indices[1]})
    if lone and not all(i.name not in lone for i in link.free):
        return f"the index {', '.join(lone)} stands on one side only"
    if _summed_silently(reading.reader(), link, reading.heads):
        return "an index stands twice in a product: read as the summation convention"
    different = sides[0] ^ sides[1]
    if _determined(reading, link):
        different -= reading.scope.used()
    if different and not never():
        names = sorted({n for n, _ in different})
        return f"{', '.join(names)} {'stands' if len(names) == 1 else 'stand'} on one side only"
    named = {name for name, _ in reading.symmetric}
    of_others = reading.facts == "symmetric" and named and named.isdisjoint(spoken) and all(r < 2 for _, r in both)
    if any(rank for side in sides for _, rank in side) and reading.facts and not of_others:
        return f"the words say something of {reading.facts} that is not in a formula"
    return ""


#: Axes of vectors and matrices, which have no letters.
_AXIS = re.compile(r"a\d+")
#: What is no name in the text of a formula.
_TOKEN = re.compile(r"\\[A-Za-z]+|[^\W\d_]")
#: A name, in bold type or with accents.
_LONE = re.compile(r"[\s&]*((?:\\[A-Za-z]+\s*(?:\{\s*)?)*[^\W\d_]?)[\s}]*")
#: Scripts and arguments.
_BESIDE = re.compile(r"[_^]\s*(?:\{[^{}]*\}|\\[A-Za-z]+|.)|\([^()]*\)")
_RELATION = re.compile(r"&?\s*(?:=|:=|≡|←|→|\\(?:equiv|leftarrow|gets|rightarrow|to|triangleq|coloneqq)\b)")


def names_set_by(text: str) -> set[str]:
    """The names that stand alone left of the relations of a formula that takes too long: it may say what they are.

    >>> sorted(names_set_by(r"\\hat{y}_i &= 9^{9^9} \\\\ \\sigma(x) &= x"))
    ['y', 'σ']
    """
    found = set()
    for row in text.split("\\\\"):
        head = _RELATION.split(row, maxsplit=1)
        lone = _LONE.fullmatch(_BESIDE.sub("", head[0])) if len(head) > 1 else None
        for token in _TOKEN.findall(lone[1]) if lone is not None else ():
            try:
                node = parse(token)
            except UnreadError:
                continue
            found |= {node.name} if isinstance(node, tree.Symbol) else set()
    return found


def unheard(reading: Reading, link: Meaning) -> str:
    """Why nothing is known of a link: a formula before it was not read, and may say something else of its names."""
    if not reading.unheard:
        return ""
    scope, spoken = reading.scope, names_in(reading.reader(), (link.left, link.right))
    made = {(e.name, len(e.subscripts)) for v in link.values or () for e in v.body.atoms(Element)}
    made |= {(name, rank) for name in spoken for rank in scope.ranks.get(name, {0})}
    every = spoken | {name for name, _ in made}
    while made:
        formulas = [f for key in made for f in scope.all_of(*key)]
        used = {(e.name, len(e.subscripts)) for f in formulas for e in f.value.body.atoms(Element)}
        made = {key for key in used if key[0] not in every}
        every |= {name for name, _ in made}
    touched = sorted(name for name in every if _letter_of(name) in reading.unheard)
    return f"what {', '.join(touched)} stands for is in a formula that took too long" if touched else ""


def _letter_of(name: str) -> str:
    """ŷ, W_1 and z^l by their letters: y, W, z."""
    return re.split(r"[_^]", name.partition(":")[2] or name)[0][:1]


def _hangs_on_an_index(reading: Reading, name: str) -> bool:
    """Whether a name was set to something with an index of the statement it was set in: u of u = −z_i."""
    whole = reading.scope.formulas.get((name, 0))
    formulas = [whole] if whole is not None and not whole.value.axes else []
    function = reading.scope.functions.get(name)
    formulas += [function] if function is not None else []
    return any(isinstance(s, Index) and s not in f.value.axes for f in formulas for s in f.value.body.free_symbols)


def _left_open(reading: Reading, names: set[str]) -> list[str]:
    """The letters that definitions leave open: k of S_{ij} = Q_i K_j / √d_k, where d_k may be no entry at all."""
    scope, seen, ahead, found = reading.scope, set[str](), sorted(names), set[str]()
    while ahead:
        name = ahead.pop()
        if name in seen:
            continue
        seen.add(name)
        for f in (f for rank in scope.ranks.get(name, ()) if rank for f in scope.all_of(name, rank)):
            own = {i.name for i in f.value.axes}
            if own and not f.recurrent:
                found |= {s.name for s in f.value.body.free_symbols if isinstance(s, Index)} - own
            ahead += [e.name for e in f.value.body.atoms(Element)]
    return sorted(name for name in found if not _AXIS.fullmatch(name))


def _is_norm_of_a_number(reading: Reading, node: tree.Node) -> bool:
    """‖f‖ of an f of which nobody said that it is a vector: of a number all norms are one."""
    try:
        return isinstance(node, tree.Norm) and not reading.reader().value(node.body).axes
    except SymdlError:
        return False


def _maybe_at_a_place(reading: Reading, side: tree.Node) -> set[str]:
    """L of L(w + ε), where L = w² was said of no L(w): what stands in the brackets is made of what L is made of.

    Of losses, and of y, which texts write as functions when they have said what they are.
    """
    reader, scope = reading.reader(), reading.scope
    found = set()
    for product in (n for n in walk(side) if isinstance(n, tree.Product)):
        for first, group, op in product.neighbours:
            parts = reader.parts(first) if op == "" and isinstance(first, (tree.Symbol, tree.Accented)) else None
            body = group.body if isinstance(group, tree.Group) and group.open == "(" else None
            formula = None if parts is None else scope.formulas.get((parts.name, 0))
            if parts is None or formula is None or not isinstance(body, (tree.Sum, tree.Product)):
                continue
            if formula.given or formula.parameters or not (objective(parts.name) or parts.name == "y"):
                continue  # e (1 − a) is a product
            inside = names_in(reader, [body])
            made = {e.name for e in formula.value.body.atoms(Element)}
            found |= {parts.name} if parts.name not in inside and not made.isdisjoint(inside) else set()
    return found


def _made_of_opaque(reading: Reading, names: set[str]) -> set[str]:
    """Names of which the formulas that count here are made of something that is not understood, or doubted."""
    scope = reading.scope
    ranked = [(name, rank) for name in names for rank in scope.ranks.get(name, ())]
    return {name for name, rank in ranked if any(scope.depends(name, rank, o) for o in scope.opaque)}


def defined_by_others(link: Meaning, forms: Pair) -> bool:
    """Whether definitions went into a link."""
    return {e.name for f in forms for e in f.atoms(Element)} != _shown(link)


def _shown(link: Meaning) -> set[str]:
    return {e.name for v in link.values or () for e in v.body.atoms(Element)}


def _is_argument(link: Meaning, form: sympy.Expr) -> bool:
    """Whether names that are open are arguments of a function, and no quantities that have a value somewhere."""
    shown = _shown(link)
    return {e.name for e in form.atoms(Element)} <= shown and not any(e.subscripts for e in form.atoms(Element))


def says_when(link: Meaning) -> bool:
    """f'(x) = 0 and λ > 0 say of which x or λ the text speaks, more often than that it is so."""
    return link.relation in ORDERS or _is_zero(link.right)


def says_which_function(reading: Reading, link: Meaning) -> bool:
    """Whether f′(x) ≠ 0 and |f(x) − g(x)| < ε say of which f the text speaks: of functions that nobody defines.

    Beside them stands nothing but 0 or a name of which nothing was said.
    """
    reader = reading.reader()
    names = applied_names(reader, (link.left, link.right)) | _primed(reader, (link.left, link.right))
    open_ = {n for n in names if function_letter(n) and not reader.known(n) and n not in reading.scope.opaque}
    if isinstance(link.left, tree.Gradient) and link.relation == "=" and link.values is None:
        return _is_zero(link.right)  # ∇f = 0 says at which points
    if link.relation not in ORDERS or not open_ or (link.values is None and not _primed_alone(link)):
        return False
    alone = reader.parts(link.right)
    return _is_zero(link.right) or (alone is not None and alone.power is None and not reader.known(alone.name))


def _primed_alone(link: Meaning) -> bool:
    """Whether f″ stands in a link without what it is of."""
    every = [n for side in (link.left, link.right) for n in walk(side)]
    pairs = (pair for p in every if isinstance(p, tree.Product) for pair in zip(p.factors, p.factors[1:], strict=False))
    applied = {id(f) for f, g in pairs if isinstance(g.base if isinstance(g, tree.Scripted) else g, tree.Group)}
    return any(isinstance(n, tree.Scripted) and n.primes and id(n) not in applied for n in every)


def _primed(reader: Interpreter, sides: tuple[tree.Node, tree.Node]) -> set[str]:
    """f of f′ > 0."""
    every = (n for side in sides for n in walk(side) if isinstance(n, tree.Scripted) and n.primes)
    return {parts.name for n in every if (parts := reader.parts(n)) is not None}


def _worked(link: Meaning) -> bool:
    """Whether there is something in a link that is worked out: a sum, or a derivative."""
    kinds = (tree.Derivative, tree.Gradient, tree.Big)
    return any(isinstance(n, kinds) for side in (link.left, link.right) for n in walk(side))


def only_given(reading: Reading, link: Meaning) -> bool:
    """Whether nothing that a link shows was worked out: names are open, or were given numbers."""
    shown = {e for v in link.values or () for e in v.body.atoms(Element)}
    formulas = [reading.scope.formula_of(e) for e in shown]
    return bool(shown) and all(f is None or f.given for f in formulas)


def of_lists(reading: Reading, link: Meaning) -> bool:
    """Whether a link shows nothing but vectors and matrices of given numbers: wᵀx = vᵀx of such ones."""
    shown = {e for v in link.values or () for e in v.body.atoms(Element)}
    formulas = [reading.scope.formula_of(e) for e in shown]
    return bool(shown) and all(f is not None and f.given and f.value.axes for f in formulas)


def _determined(reading: Reading, link: Meaning) -> bool:
    """Whether the left side is worked out from definitions: what stands there is known then."""
    if any(isinstance(n, (tree.Derivative, tree.Gradient)) for n in walk(link.left)):
        return True
    found = head(reading.reader(), link.left)
    if found is None:
        return False
    parts, _ = found
    return parts.name in reading.scope.functions or bool(reading.scope.all_of(parts.name, len(parts.subscripts)))


def _namesakes(reading: Reading, link: Meaning) -> str:
    """A function f_c beside f, where df/dx is spoken of: texts leave the subscript out."""
    for node in walk(link.left):
        of = node.of if isinstance(node, tree.Derivative) else None
        name = of.name if isinstance(of, tree.Symbol) else ""
        found = sorted(n for n in reading.scope.functions if name and n.startswith(f"{name}_"))
        if found:
            return found[-1]
    return ""


def _summed_silently(reader: Interpreter, link: Meaning, heads: set[str]) -> bool:
    """x_i a_{ij} x_j with no Σ and no i or j on the left: Einstein's convention."""
    told = heads | letters_of(reader, link.left, heads_only=True)
    free = {i.name for i in link.free} - told
    return any(letter in free for side in (link.left, link.right) for letter in repeated_letters(reader, side))


def across(link: Meaning) -> bool:
    """Whether a row is said to be a column; a slope may be either, and so may numbers that are written out."""
    if link.values is None:
        return False
    a, b = link.values
    if not a.rank == b.rank == 1 or a.row == b.row or any(is_list(side) for side in (link.left, link.right)):
        return False
    if any(is_slope(e.name) for v in link.values for e in v.body.atoms(Element)):
        return False
    nodes = (n for side in (link.left, link.right) for n in walk(side))
    return not any(isinstance(n, (tree.Derivative, tree.Gradient)) for n in nodes)


def _is_zero(node: tree.Node) -> bool:
    return isinstance(node, tree.Number) and not node.text.strip("0.")
