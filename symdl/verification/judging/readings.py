"""Other readings of a link that is undecided in the first one: each of them proves it, or says nothing."""

from __future__ import annotations

from dataclasses import replace

import sympy

from symdl.core.indices import Index
from symdl.verification.judging.approximate import APPROXIMATE, to_an_order
from symdl.verification.judging.arguments import at_its_place, of_its_argument, with_its_parameter, with_its_subscript
from symdl.verification.judging.chains import by_graph
from symdl.verification.judging.convention import summed
from symdl.verification.judging.convex import by_convexity
from symdl.verification.judging.customs import with_identity, with_means, with_normal_distribution
from symdl.verification.judging.densities import with_densities
from symdl.verification.judging.designs import with_designs
from symdl.verification.judging.diagonals import in_full, on_the_diagonal
from symdl.verification.judging.doubts import Pair
from symdl.verification.judging.entrywise import summed_over_entries
from symdl.verification.judging.expansions import expanded, without_quotient
from symdl.verification.judging.graphs import (
    Judging,
    as_chapters_before,
    as_once_named,
    by_graphs,
    for_every_loss,
    with_entry_by_entry,
)
from symdl.verification.judging.increments import by_definition, first_order_change
from symdl.verification.judging.introduced import as_the_slope_says
from symdl.verification.judging.lastlayer import at_the_last_layer
from symdl.verification.judging.lengths import at_three
from symdl.verification.judging.manyfunctions import of_many_functions
from symdl.verification.judging.moments import by_moments
from symdl.verification.judging.onward import over_entries, through_names
from symdl.verification.judging.places import same_place
from symdl.verification.judging.rules import at_every_place
from symdl.verification.judging.shorter import with_shorter_arguments
from symdl.verification.judging.sizes import at_small_sizes
from symdl.verification.judging.solved import by_equations, without_an_inverse
from symdl.verification.judging.steps import by_steps
from symdl.verification.judging.symmetric import where_symmetric
from symdl.verification.judging.symmetry import by_symmetry
from symdl.verification.judging.taylor import expanded_in_entries
from symdl.verification.judging.vectorsteps import by_vector_steps
from symdl.verification.meaning.errors import BEYOND
from symdl.verification.meaning.functions import objective
from symdl.verification.meaning.generic import replaced, without_inverses
from symdl.verification.meaning.interpret import Interpreter
from symdl.verification.meaning.letters import letters_of
from symdl.verification.meaning.names import function_letter
from symdl.verification.meaning.naming import applied_names
from symdl.verification.meaning.scope import Formula
from symdl.verification.meaning.stated import DEFINITIONS, EQUALITIES, Meaning
from symdl.verification.meaning.statements import Reading
from symdl.verification.notation import tree, unicode
from symdl.verification.notation.tree import walk
from symdl.verification.verdict import Status, Verdict


def otherwise_proved(judge: Judging, link: Meaning) -> Verdict | None:
    """The first proof that another reading gives, else what is so in one on a condition; None where none says either.

    Of an edit, only the quick ones are tried.
    """
    otherwise: Verdict | None = None
    for reading in _QUICK if judge.quick else (*_QUICK, *_SLOW):
        try:
            found = reading(judge, link)
        except BEYOND:  # what is too large in one reading may be small in the next
            continue
        if found is not None and found.proved:
            return found
        if found is not None and found.status is Status.CONDITIONAL and not judge.quick:
            otherwise = otherwise or found
    return otherwise


def without_what_is_over(judge: Judging, link: Meaning) -> Verdict | None:
    """The verdict with those names left open that were defined in sections that are over; None where none were."""
    scope = judge.reading.scope.reduced(judge.reading.section)
    told = "names of sections that are over"
    return None if scope is None else judge.read_in(replace(judge.reading, scope=scope), link, told)


def _as_long_as_before(judge: Judging, link: Meaning) -> Verdict | None:
    """The verdict with vectors as long as in the chapter before that defined them; None where none did."""
    scope = judge.reading.scope.as_before()
    return None if scope is None else judge.read_in(replace(judge.reading, scope=scope), link)


def under_what_was_said(judge: Judging, link: Meaning) -> Verdict | None:
    """The verdict on what holds under the condition that the words before spoke of; None where it does not either.

    "If i = j:" may be said of all the formulas that follow it at once. Further on nobody knows.
    """
    reading = judge.reading.under_what_was_said()
    found = None if reading is None else judge.read_in(reading, link)
    if found is None or not found.proved:
        return None
    told = ", ".join(map(unicode, judge.reading.lately))
    if judge.reading.near:
        return replace(found, scope=f"{found.scope}, where {told}")
    reason = f"so where {told}, of which the words before spoke"
    return replace(found, status=Status.UNDECIDED, method="none", reason=reason)


def _as_long_as_written(judge: Judging, link: Meaning) -> Verdict | None:
    """The verdict with n = 3, where a list of three stands for a vector that has n entries elsewhere."""
    scope = judge.reading.scope
    if link.values is None or any(v.rank != 1 for v in link.values):
        return None
    lengths = [scope.root(v.axes[0].extent) for v in link.values]
    for number, count in (lengths, lengths[::-1]):
        if number.is_Integer and isinstance(count, sympy.Symbol) and count not in scope.made:
            made = scope.copy()
            made.merged[count] = number
            found = judge.read_in(replace(judge.reading, scope=made), link)
            return replace(found, scope=f"{found.scope}; {count} = {number}")
    return None


def _with_nested_functions(judge: Judging, link: Meaning) -> Verdict | None:
    """The verdict with u for u(a, b) in f(u, v); None where nothing is nested so."""
    functions = judge.reading.scope.functions
    if not any(p in functions for f in functions.values() for p in f.parameters):
        return None
    scope = judge.reading.scope.copy()
    scope.nested = True
    return judge.read_in(replace(judge.reading, scope=scope), link)


def _nearly(judge: Judging, link: Meaning) -> Verdict | None:
    """The proof that both sides agree up to an order of a small number."""
    return _to_an_order(judge, judge.reading, link)


def _to_an_order(judge: Judging, reading: Reading, link: Meaning) -> Verdict | None:
    exactly = replace(link, relation="=")

    def decide(pair: Pair) -> Verdict:
        return judge.decided(exactly, *pair)

    return to_an_order(reading, link, decide) or first_order_change(reading, link, decide)


def _summed(judge: Judging, link: Meaning) -> Verdict | None:
    """The verdict with a sum over each index that stands twice in a product, where the words say that it is meant."""
    reading = judge.reading
    if not reading.summing or link.relation != "=":
        return None
    reader = reading.reader()
    kept = reading.heads | letters_of(reader, link.left, heads_only=True)
    left, right = (summed(reader, side, kept) for side in (link.left, link.right))
    if (left, right) == (link.left, link.right):
        return None
    found = judge.read_in(reading, replace(link, left=left, right=right))
    return replace(found, scope=f"{found.scope}; indices that stand twice are summed over, as the document does")


def _for_any(judge: Judging, link: Meaning) -> Verdict | None:
    """The verdict for every function f, where f was defined before: so it is for that one."""
    reader = judge.reading.reader()
    names = {n for n in applied_names(reader, (link.left, link.right)) if function_letter(n)}
    scope = judge.reading.scope
    states = {n for n, rank in scope.formulas if rank} | {n for n, _ in scope.entries}  # h of h_t is no function
    known = {n for n in names - states if reader.known(n) or n in scope.opaque}
    losses = {n for n in _applied_alone(reader, link) if objective(n)} - states
    if not known | losses:
        return None
    usage = judge.reading.usage
    usage = replace(usage, applied=usage.applied | losses, bare=usage.bare - losses) if losses else usage
    reading = replace(judge.reading, scope=judge.reading.scope.where_open(known | losses), usage=usage)
    found = judge.read_in(reading, link)
    return found if found.proved else _to_an_order(judge, reading, link)


def _applied_alone(reader: Interpreter, link: Meaning) -> set[str]:
    """The names that stand before brackets in a link, and nowhere else in it: L of L(x + ε) − L(x)."""
    nodes = [n for side in (link.left, link.right) for n in walk(side)]
    pairs = (pair for p in nodes if isinstance(p, tree.Product) for pair in zip(p.factors, p.factors[1:], strict=False))
    before = {id(f) for f, g in pairs if isinstance(f, tree.Symbol) and isinstance(g, tree.Group)}
    applied = {n.name for n in nodes if id(n) in before and isinstance(n, tree.Symbol)}
    others = {n.name for n in nodes if isinstance(n, tree.Symbol) and id(n) not in before}
    worked = any(isinstance(n, (tree.Derivative, tree.Gradient)) for n in nodes)
    return set() if worked else (applied - others) & applied_names(reader, (link.left, link.right))


def _with_open_gradients(judge: Judging, link: Meaning) -> Verdict | None:
    """The verdict on ∇C as a vector of which nothing is known, whatever C was before."""
    reader = judge.reading.reader()
    listed = by_definition(reader, link)
    if listed is not None:
        return listed
    every = (n for side in (link.left, link.right) for n in walk(side))
    parts = (reader.parts(n.of) for n in every if isinstance(n, tree.Gradient) and n.by is None)
    names = {p.name for p in parts if p is not None and objective(p.name) and reader.known(p.name)}
    if not names:
        return None
    reading = replace(judge.reading, scope=judge.reading.scope.where_open(names))
    found = judge.read_in(reading, link)
    return found if found.proved else _to_an_order(judge, reading, link)


def _with_its_index(judge: Judging, link: Meaning) -> Verdict | None:
    """The verdict with the i of u = −z_i as the i of what is claimed."""
    scope, here = judge.reading.scope, {i.name: i for i in link.free}

    def same(formula: Formula) -> Formula:
        own = [s for s in formula.value.body.free_symbols if isinstance(s, Index) and s not in formula.value.axes]
        mapping = {i: here[i.name] for i in own if i.name in here and scope.fit(here[i.name].extent, i.extent)}
        body = formula.value.body.xreplace(mapping)
        return replace(formula, value=replace(formula.value, body=body)) if mapping else formula

    formulas = {key: same(f) for key, f in scope.formulas.items()}
    functions = {name: same(f) for name, f in scope.functions.items()}
    if formulas == scope.formulas and functions == scope.functions:
        return None
    made = replace(scope.copy(), formulas=formulas, functions=functions)
    return judge.read_in(replace(judge.reading, scope=made, reused=here), link)


def _loss_in_words(judge: Judging, link: Meaning) -> Verdict | None:
    """∂L/∂w where "Loss = …" is the one loss that the document has defined by then, and nobody said what L is."""
    reader, scope = judge.reading.reader(), judge.reading.scope
    words = {n for n, rank in scope.formulas if n.lower() in _LOSSES and not rank and n in judge.reading.usage.spelled}
    slopes = [n for side in (link.left, link.right) for n in walk(side) if isinstance(n, tree.Derivative)]
    letters = {n.of for n in slopes if isinstance(n.of, tree.Symbol) and n.of.name.lower() in "lℓ"}
    if len(words) != 1 or len(letters) != 1 or any(reader.known(letter.name) for letter in letters):
        return None
    letter, loss = letters.pop(), judge.reading.usage.spelled[words.pop()]
    sides = [replaced(side, letter, loss) for side in (link.left, link.right)]
    found = judge.read_in(judge.reading, replace(link, left=sides[0], right=sides[1]))
    return replace(found, scope=f"{found.scope}; {letter.name} stands for the {unicode(loss)}")


def _in_script(judge: Judging, link: Meaning) -> Verdict | None:
    """∂L/∂w where the document has defined 𝓛, and nobody said what L is; and the other way round."""
    reader = judge.reading.reader()
    slopes = [n for side in (link.left, link.right) for n in walk(side) if isinstance(n, tree.Derivative)]
    of = {n.of for n in slopes if isinstance(n.of, tree.Symbol) and n.of.face in ("", "cal", "scr")}
    if len(of) != 1:
        return None
    letter = of.pop()
    for face in ("", "cal", "scr"):
        other = replace(letter, face=face)
        known = [reader.parts(each) for each in (letter, other)]
        if known[0] is None or known[1] is None or known[0].name == known[1].name:
            continue
        if not reader.known(known[0].name) and reader.known(known[1].name):
            sides = [replaced(side, letter, other) for side in (link.left, link.right)]
            found = judge.read_in(judge.reading, replace(link, left=sides[0], right=sides[1]))
            return replace(found, scope=f"{found.scope}; {unicode(letter)} stands for {unicode(other)}")
    return None


def _expanded(judge: Judging, link: Meaning) -> Verdict | None:
    """The proof of a Taylor polynomial about a point, and of a quotient of small differences."""
    exactly = replace(link, relation="=")

    def decide(pair: Pair) -> Verdict:
        return judge.decided(exactly, *pair)

    plain = without_quotient(link) if link.relation in APPROXIMATE else None
    change = first_order_change(judge.reading, plain, decide) if plain is not None else None
    return change or expanded(judge.reading, link, decide)


def _with_second_derivatives(judge: Judging, link: Meaning) -> Verdict | None:
    """H f(a, b) as the matrix of the second derivatives of f there, where nothing is said of H."""
    reader = judge.reading.reader()

    def put(node: tree.Node) -> tree.Node:
        node = tree.mapped(node, put)
        if not isinstance(node, tree.Product) or len(node.factors) != 3 or node.ops != ("", ""):
            return node
        parts = reader.parts(node.factors[0])
        named = parts is not None and parts.name == "H" and not parts.subscripts and parts.power is None
        return tree.Gradient(tree.Product(node.factors[1:], ("",)), order=2) if named else node

    sides = put(link.left), put(link.right)
    if reader.known("H") or sides == (link.left, link.right):
        return None
    found = judge.read_in(judge.reading, replace(link, left=sides[0], right=sides[1]))
    return replace(found, scope=f"{found.scope}; H for the matrix of second derivatives")


def _over_entries(judge: Judging, link: Meaning) -> Verdict | None:
    """The verdict on a slope of a loss that is a sum over the entries of its vectors."""
    return summed_over_entries(judge.reading, link, judge.read_in)


def _with_the_last_layer(judge: Judging, link: Meaning) -> Verdict | None:
    """The verdict with a^L for a."""
    return at_the_last_layer(judge.reading, link, judge.read_in)


def _at_one_place(judge: Judging, link: Meaning) -> Verdict | None:
    """The proof that two lists are largest at one place."""
    exactly = replace(link, relation="=")
    return same_place(judge.reading, exactly, lambda pair: judge.decided(exactly, *pair))


def _through_names(judge: Judging, link: Meaning) -> Verdict | None:
    """The chain rule of names that have no formulas."""
    return through_names(judge.reading, link) or over_entries(judge.reading, link)


def _symmetric(judge: Judging, link: Meaning) -> Verdict | None:
    """Derivatives by the same names in another order."""
    return by_symmetry(link)


def _without_inverses(judge: Judging, link: Meaning) -> Verdict | None:
    """f⁻¹(f(x)) = x and f(f⁻¹(y)) = y, with f⁻¹ as the inverse, which is what it is then."""
    sides = [without_inverses(side) for side in (link.left, link.right)]
    if sides == [link.left, link.right]:
        return None
    found = judge.read_in(judge.reading, replace(link, left=sides[0], right=sides[1]))
    return replace(found, scope=f"{found.scope}; every function that has an inverse")


def _in_entries(judge: Judging, link: Meaning) -> Verdict | None:
    """The proof of C(w + Δw) ≈ C(w) + ∇C·Δw for three entries of w."""
    exactly = replace(link, relation="=")
    return expanded_in_entries(judge.reading, link, lambda pair: judge.decided(exactly, *pair))


def _of_many_functions(judge: Judging, link: Meaning) -> Verdict | None:
    """The proof for all functions f_i."""
    exactly = replace(link, relation="=")
    return of_many_functions(judge.reading, link, lambda pair: judge.decided(exactly, *pair))


def _at_steps(judge: Judging, link: Meaning) -> Verdict | None:
    """The proof at the third step of a recurrence."""
    exactly = replace(link, relation="=")
    if link.relation not in EQUALITIES | DEFINITIONS:
        return None
    found = by_steps(judge.reading, link, lambda pair: judge.decided(exactly, *pair))
    return found or by_vector_steps(judge.reading, link, lambda pair: judge.decided(exactly, *pair))


def _at_three_entries(judge: Judging, link: Meaning) -> Verdict | None:
    """The proof for vectors of three entries, and every function of them."""
    exactly = replace(link, relation="=")
    if link.relation not in EQUALITIES | DEFINITIONS:
        return None
    return at_three(judge.reading, link, lambda pair: judge.decided(exactly, *pair))


def _with_diagonals(judge: Judging, link: Meaning) -> Verdict | None:
    """∂h/∂z = h ⊙ (1 − h), and ∂L/∂h ⊙ ∂h/∂z, with the entries on the diagonal of ∂h/∂z, beside which all are 0."""
    sides = on_the_diagonal(judge.reading, (link.left, link.right))
    if sides is None or link.relation not in EQUALITIES | DEFINITIONS:
        return None
    again = replace(link, left=sides[0], right=sides[1])
    found = judge.read_in(judge.reading, again)
    if not found.proved and link.relation in ("=", "≡"):
        found = by_graph(judge.reading, again, judge.seed, judge.seconds / 2, every=True) or found
    return replace(found, scope=f"{found.scope}; slopes entry by entry stand for their diagonals")


def _with_slopes_in_full(judge: Judging, link: Meaning) -> Verdict | None:
    """The proof with ∂L/∂h for δ in δ ∂h/∂w, which is the chain rule."""
    sides = in_full(judge.reading, (link.left, link.right))
    if sides is None or link.relation not in ("=", "≡"):
        return None
    return by_graphs(judge, judge.reading, replace(link, left=sides[0], right=sides[1]))


#: Words that a loss has for a name.
_LOSSES = frozenset({"loss", "cost", "error", "mse", "bce"})
_QUICK = (
    by_convexity,
    without_what_is_over,
    _as_long_as_before,
    _as_long_as_written,
    _with_nested_functions,
    _nearly,
    _summed,
    _for_any,
    at_every_place,
    with_its_parameter,
    of_its_argument,
    at_its_place,
    _expanded,
    _with_second_derivatives,
    _symmetric,
    _over_entries,
    _at_one_place,
    with_identity,
    with_means,
    with_normal_distribution,
    _with_the_last_layer,
    _through_names,
    _without_inverses,
    _loss_in_words,
    _in_script,
    _with_its_index,
    where_symmetric,
    with_shorter_arguments,
    by_moments,
    with_densities,
    with_designs,
    as_the_slope_says,
)
#: What takes graphs, or formulas written out.
_SLOW = (
    by_equations,
    without_an_inverse,
    for_every_loss,
    as_once_named,
    as_chapters_before,
    _with_open_gradients,
    _with_diagonals,
    _with_slopes_in_full,
    with_entry_by_entry,
    with_its_subscript,
    _at_three_entries,
    _of_many_functions,
    _at_steps,
    _in_entries,
    at_small_sizes,
)
