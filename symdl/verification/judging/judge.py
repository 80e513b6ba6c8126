"""From a document to verdicts, formula by formula: what each one says, and whether it is so."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace

from symdl.core.pauses import collection_paused
from symdl.verification.documents import Document
from symdl.verification.documents.commas import with_decimal_points
from symdl.verification.documents.spans import Span
from symdl.verification.judging.ahead import explained
from symdl.verification.judging.alone import Alone, Trees
from symdl.verification.judging.called import called_arrays
from symdl.verification.judging.conditions import Lasting, names_of, one_hot
from symdl.verification.judging.convention import plainly_used
from symdl.verification.judging.convex import bent
from symdl.verification.judging.doubts import names_set_by
from symdl.verification.judging.hence import condition_of_zero
from symdl.verification.judging.independence import independent
from symdl.verification.judging.induction import INDUCTION
from symdl.verification.judging.links import SECONDS, SHAPES, Judge
from symdl.verification.judging.machine import Machine
from symdl.verification.judging.moments import drawn, moments_of
from symdl.verification.judging.report import Judged, Link, worst
from symdl.verification.judging.running import Running
from symdl.verification.judging.said import Said
from symdl.verification.judging.suggestions import in_its_place, suggestion
from symdl.verification.judging.symmetric import here, in_some_case, symmetric
from symdl.verification.judging.twice import held, proved, undecided, with_proofs_of
from symdl.verification.judging.unrolling import UNROLLING
from symdl.verification.judging.within import claims, last_side
from symdl.verification.meaning import anew, newness
from symdl.verification.meaning.convexity import fractions
from symdl.verification.meaning.errors import BEYOND, reason_of
from symdl.verification.meaning.increments import changes_joined, changes_named, stands_alone
from symdl.verification.meaning.probabilities import binary, events_named
from symdl.verification.meaning.rounding import rounding_of
from symdl.verification.meaning.softmaxes import softmaxes_named, softmaxes_written
from symdl.verification.meaning.spellings import spellings_of
from symdl.verification.meaning.stated import ORDERS, Meaning, Place
from symdl.verification.meaning.statements import Reading
from symdl.verification.meaning.typeset import otherwise_typeset
from symdl.verification.meaning.usage import Usage, range_of, usage_of
from symdl.verification.notation import UnreadError, latex, parse, tree, unicode
from symdl.verification.notation.tree import Node, walk
from symdl.verification.verdict import Status, Verdict

#: What makes a formula a claim, where it could not be read.
_RELATION = re.compile(r"[=<>≈≤≥≠]|\\(approx|leq?|geq?|neq?|equiv|lt|gt|simeq)\b")

#: What is no prose in a display: a row that is "repeat until convergence {" claims nothing.
_PROSE, _SAYS = re.compile(r"\\text(?:bf|it|rm)?\s*\{[^{}]*\}|\\[a-zA-Z]+"), re.compile(r"[^\W_]")

#: Words that say of vectors and matrices what no formula says.
_FACTS = re.compile(
    r"orthogonal|orthonormal|unitary|symmetric|identity matrix|invertible|inverse|positive definite"
    # on the diagonal of a matrix stand entries as elsewhere
    r"|diagonal(?=ized|ised|i[sz]able| (?:[\w-]+ )?(?:matri|covarianc|hessian))"
    r"|(?<=is |be |re )diagonal\b|(?<!the )diagonal(?= \$)"
    r"|stochastic|idempotent|projection|rotation",
    re.IGNORECASE,
)

#: Words by which indices that stand twice are summed over.
_SUMMING = re.compile(r"einstein|summation convention|repeated (index|indices)|sum\w* over repeated", re.IGNORECASE)

#: Relations that stand before a number: about, more or less than so much.
_ABOUT = frozenset({"≈", "∼", "<", ">", "≤", "≥"})

#: Subscripts with which an axis is named that is no letter of the document.
_AXES = re.compile(r"\[a\d+(?: \+ \d+)?(?:, a\d+(?: \+ \d+)?)*\]")


def judge(
    document: Document,
    *,
    only: Callable[[int], bool] = lambda k: True,
    skip: Collection[int] = (),
    seed: int = 0,
    prove: bool = False,
    budget: float = SECONDS,
) -> Iterator[tuple[int, Judged]]:
    """The verdicts on a document, in order.

    Args:
        document: as `symdl.verification.documents.read` gives it.
        only: asked before anything is done with formula k; where it says no, the formula is read for what it defines.
        skip: formulas that are not even read.
        seed: of the random points.
        prove: have Coq check what was proved.
        budget: seconds of processor time for each formula; what is not decided by then stays undecided.

    Yields:
        The number of the formula, and what is to be said of it; nothing for a formula that states nothing.

    >>> from symdl.verification.documents import read_text
    >>> text = "Let $a = 2$ and $b = 3$. Then $a b = 6$ and $a + b = 6$."
    >>> [str(judged.status) for _, judged in judge(read_text(text, "markdown"))]
    ['definition', 'definition', 'proved', 'refuted']
    """
    document = with_decimal_points(document)
    with collection_paused():  # all of this stays
        trees = _trees(document, skip)
        other = otherwise_typeset([t for t in trees.values() if isinstance(t, Node)])
    first = _walked(document, trees, None, only=only, skip=skip, seed=seed, prove=prove, budget=budget)

    def walk(part: Document, trees: Trees, only: Callable[[int], bool]) -> Iterator[tuple[int, Judged | None]]:
        return _walked(part, trees, None, only=only, skip=(), seed=seed, prove=False, budget=budget, helps=False)

    alone = Alone(document, trees, walk)
    if other is None:
        yield from ((k, alone.confirmed(k, judged)) for k, judged in first if judged is not None)
        return
    with collection_paused():
        again = {k: other.of(t) if isinstance(t, Node) else t for k, t in trees.items()}
    wanted = False  # of the formula that both walks are at
    second = _walked(
        document, again, other.usage, only=lambda k: wanted, skip=skip, seed=seed, prove=False, budget=budget
    )
    taken_wrongly = False
    for k, judged in first:
        found = trees.get(k)
        told = isinstance(found, Node) and other.introduces(found)
        doubtful = judged is not None and held(judged) and isinstance(found, Node) and other.shapes(found)
        wanted = told or doubtful or (judged is not None and undecided(judged))
        _, better = next(second)
        taken_wrongly |= told and not proved(better)
        if judged is None:
            continue
        rests = taken_wrongly and isinstance(found, Node) and other.rests_on_it(found)
        found_out = judged if better is None else with_proofs_of(judged, better, other.told, proofs=not rests)
        yield k, alone.confirmed(k, found_out)


def _walked(
    document: Document,
    trees: Trees,
    usage: Usage | None,
    *,
    only: Callable[[int], bool],
    skip: Collection[int],
    seed: int,
    prove: bool,
    budget: float,
    helps: bool = True,
) -> Iterator[tuple[int, Judged | None]]:
    """Every formula with its verdict, from the first to the last; None of one that states nothing, or is not asked for.

    Args:
        usage: how the document uses its names; None: as its formulas show.
        helps: whether what would be right is looked for where that changes no verdict.
    """
    with collection_paused():
        facts = _facts(document)
        said = Said(document)
        read = [t for t in trees.values() if isinstance(t, Node)]
        rounding = rounding_of([*read, *(node for _, node in said.ahead)])
        reading = Reading(usage or usage_of(read), rounding=rounding)
        symmetries = symmetric(document), in_some_case(document)
        reading.foresee(read, one_hot(document), independent(document), *symmetries, called_arrays(document))
        sections = ((document.spans[k].section, t) for k, t in trees.items() if isinstance(t, Node))
        reading.foresee_slopes((claim.chain, section) for section, t in sections for claim in claims(t))
        reading.moments, reading.bent = moments_of(document), list(bent(document))
        for k, t in trees.items():
            for middle, width in drawn(t, document.spans[k].section) if isinstance(t, Node) else ():
                reading.moments.means.append(middle)
                reading.moments.variances.append(width)
        reading.fractions = frozenset(fractions(read))
    judging = Judge(reading, seed)
    running, lasting = Running(), Lasting([] if document.kind == "notebook" else document.text.splitlines())
    ahead, early = explained(document), dict[int, list[Link]]()
    for k, span in enumerate(document.spans):
        wanted = only(k)
        if k in skip or k not in trees:
            reading.unheard |= names_set_by(span.latex)
            yield k, None
            continue
        found = trees[k]
        if isinstance(found, UnreadError):
            formula = span.kind == "display" and _SAYS.search(_PROSE.sub("", span.latex))
            claims_something = wanted and (formula or _RELATION.search(span.latex))
            yield k, _judged(span, span.latex, [_unread(found)]) if claims_something else None
            continue
        for statement in said.until(span):
            list(_told(statement, reading, judging, Place(span.section, span.line), None, False, None))
        place = said.place(span)
        reading.summing |= bool(_SUMMING.search(span.before))
        reading.summing |= any(plainly_used(reading.reader(), claim.chain) for claim in claims(found))
        told_here = map(reading.reader().parts, here(span))
        reading.symmetric_here = {parts.name for parts in told_here if parts is not None}
        reading.facts = facts.get(span.section[:1], "")
        judging.begin(budget)
        machine = Machine(judging) if prove else None
        for m in ahead.get(k, ()):
            explaining = trees.get(m)
            if m not in early and isinstance(explaining, tree.Chain) and reading.introduces(explaining):
                where = said.place(document.spans[m])
                early[m] = list(_told(explaining, reading, judging, where, None, True, None))

        def judged(
            before: Node | None,
            found: Node = found,
            place: Place = place,
            wanted: bool = wanted,
            machine: Machine | None = machine,
        ) -> Iterator[Link]:
            return _told(found, reading, judging, place, before, wanted, machine, helps)

        lasting.before(span, place)
        reading.lately, reading.near = lasting.conditions, lasting.near
        told = early.pop(k, None) or running.told(span, found, judged)
        running.read(span, place, found)
        lasting.read(span, place, found)
        yield k, _judged(span, unicode(found), told) if told and wanted else None


def _facts(document: Document) -> dict[tuple[int, ...], str]:
    """What the words of each chapter say of its vectors and matrices."""
    words: dict[tuple[int, ...], set[str]] = {}
    for span in document.spans:
        words.setdefault(span.section[:1], set()).update(m.lower() for m in _FACTS.findall(span.before))
    return {chapter: ", ".join(sorted(found)[:3]) for chapter, found in words.items()}


def _trees(document: Document, skip: Collection[int]) -> dict[int, Node | UnreadError]:
    """The tree of each formula; what is written twice, as names are, is parsed once."""
    known: dict[str, Node | UnreadError] = {}
    for k, span in enumerate(document.spans):
        if k not in skip and span.latex not in known:
            known[span.latex] = _tree(span.latex)
    spellings = spellings_of(t for t in known.values() if isinstance(t, Node))
    known = {text: spellings.of(t) if isinstance(t, Node) else t for text, t in known.items()}
    read = [t for t in known.values() if isinstance(t, Node)]
    changes = changes_named(read) if stands_alone(read) else None
    known = {text: changes_joined(t, changes) if isinstance(t, Node) else t for text, t in known.items()}
    softmaxes = softmaxes_named(read)
    known = {text: softmaxes_written(t, softmaxes) if isinstance(t, Node) else t for text, t in known.items()}
    either = binary(read)
    known = {text: events_named(t, either) if isinstance(t, Node) else t for text, t in known.items()}
    return {k: known[span.latex] for k, span in enumerate(document.spans) if k not in skip}


def _tree(text: str) -> Node | UnreadError:
    try:
        return parse(text)
    except UnreadError as error:
        return error


def _told(
    node: Node,
    reading: Reading,
    judging: Judge,
    place: Place,
    previous: Node | None,
    wanted: bool,
    machine: Machine | None,
    helps: bool = True,
) -> Iterator[Link]:
    stated = [*claims(node)]
    ranges = (*place.ranges, *(c.chain for c in stated if range_of(c.chain) is not None))
    for claim in stated:
        chain = claim.chain
        if previous is None and _amount(chain):
            continue
        beside = claim.beside and not names_of(chain).isdisjoint(place.varying)
        passing = place.passing or claim.passing or beside
        before = "let" if claim.introduced else place.before
        where = replace(place, before=before, under=(*place.under, *claim.under), passing=passing, ranges=ranges)
        try:
            meanings = reading.statement(chain, where, previous)
        except BEYOND as error:
            verdict = Verdict(Status.UNDECIDED, "none", "the formula as it stands", reason=reason_of(error))
            yield Link(unicode(chain), latex(chain), verdict)
            previous = last_side(chain)
            continue
        through = len(meanings) > 1 and bool(meanings[0].defines) and _derives(chain)
        for meaning in meanings:
            if not (wanted or meaning.redefines or through):
                reading.assume(meaning, place)
                continue
            merged = dict(reading.scope.merged)
            verdict = judging.verdict(meaning)
            reading.assume(meaning, place)
            wrong = verdict.status is Status.REFUTED or verdict.method == SHAPES
            asked = wrong and (helps or meaning.redefines or verdict.method == SHAPES)
            edit = _meant(suggestion, judging, meaning) if asked else ""
            if edit and verdict.method == SHAPES:
                # shapes that can't be, and one slip away a formula that is so
                verdict = replace(verdict, status=Status.REFUTED, scope="the shapes that are stated")
            # what a verdict takes for equal stays with it, so that no other one hangs on which process judges it
            reading.scope.merged = merged
            if meaning.redefines and not edit and verdict.status not in (Status.PROVED, Status.CONSISTENT):
                # one slip away from what the name stands for is a slip; anything else may be another meaning
                verdict = _again(judging, meaning, place, verdict)
            elif meaning.redefines and verdict.proved and _for_all(verdict):
                reading.deepen(meaning, place)
            if wanted and helps and not edit and verdict.status is Status.REFUTED:
                right = _meant(in_its_place, judging, meaning)
                verdict = replace(verdict, reason="; ".join(part for part in (verdict.reason, right) if part))
            if through and verdict.status is Status.UNDECIDED:
                reading.doubt(meanings[0])
            if (zero := condition_of_zero(meaning, verdict)) is not None:
                judging.zeros.append(zero)
            if wanted and machine is not None:
                verdict = machine.confirmed(meaning, verdict)
            yield Link(
                _text(meaning, unicode),
                _text(meaning, latex),
                _plain(verdict),
                edit,
                chained=len(meanings) > 1 and meaning.relation in ORDERS,
            )
        reading.finish()
        if not (passing or claim.aside):
            previous = last_side(chain)


def _meant(guess: Callable[[Judge, Meaning], str], judging: Judge, link: Meaning) -> str:
    """What may have been meant; nothing where that is beyond the checker."""
    try:
        return guess(judging, link)
    except BEYOND:
        return ""


def _again(judging: Judge, link: Meaning, place: Place, found: Verdict) -> Verdict:
    """A name that is not what it was: f(x) of the next example, and any name that is made of other names now, has
    another meaning; of the same names, it is that or a slip."""
    try:
        return _another_meaning(judging, link, place, found)
    except BEYOND as error:
        judging.reading.doubt(link)
        return replace(found, status=Status.UNDECIDED, reason=reason_of(error))


def _another_meaning(judging: Judge, link: Meaning, place: Place, found: Verdict) -> Verdict:
    reading, sides = judging.reading, (link.left, link.right)
    if found.method == INDUCTION:  # it speaks of how the name begins
        return found
    if found.method == SHAPES or link.misfit:  # what can't be is no meaning
        reading.doubt(link)
        return found
    if found.status is Status.CONDITIONAL or reading.unclear:
        return found
    if newness.made_of_own_values(link.left, [link.right]):  # D(p, q) = D(q, p) gives D no other meaning
        undecided_yet = replace(found, status=Status.UNDECIDED, method="none")
        return found if found.status is Status.REFUTED else undecided_yet
    if found.status in (Status.UNDECIDED, Status.DEFINITION) and newness.is_restated(reading.reader(), *sides):
        reason = f"{found.reason}; not what {unicode(link.left)} stands for so far, as it is written"
        return Verdict(Status.UNDECIDED, "none", found.scope, reason=reason.removeprefix("; "))
    if found.status is Status.REFUTED and reading.is_slope(link.left):
        reading.doubt(link)
        return replace(
            found, status=Status.UNDECIDED, reason=f"not what {unicode(link.left)} was said to be a slope of"
        )
    if found.status is Status.REFUTED and newness.is_instance(reading.reader(), *sides):
        return found
    circular = anew.made_of_head(reading.reader(), *sides)
    example = newness.is_example(reading.reader(), link.left)
    if circular and not example:
        reason = found.reason or f"not what {unicode(link.left)} stands for so far"
        return replace(found, status=Status.UNDECIDED, reason=reason)
    another = example or anew.of_other_functions(reading.reader(), *sides) or judging.of_one_example(link)
    if found.status is Status.REFUTED and not another:
        reading.doubt(link)
        reason = f"not what {unicode(link.left)} stands for so far: a slip, or another meaning of the name"
        return replace(found, status=Status.UNDECIDED, reason=reason)
    if found.status is Status.UNDECIDED and reading.is_slope(link.left):
        reading.doubt(link)  # δ = ∂C/∂z stays that, whatever is said of it
        return found
    if found.status is Status.UNDECIDED and newness.says_where(reading.reader(), link.left, link.right):
        return found
    reading.redefine(link, place)
    return Verdict(Status.DEFINITION, "definition", "another meaning of the name", reason="it stood for something else")


def _for_all(verdict: Verdict) -> bool:
    """Whether a proof is one for all values: numbers may agree where formulas do not; v_t stays made of v_{t−1}."""
    return verdict.method != UNROLLING and verdict.scope.startswith("all real") and "stated values" not in verdict.scope


def _amount(chain: tree.Chain) -> bool:
    """≈ 3 and < 5 %, of nothing that stands before: words that claim no more than a number does."""
    return len(chain.sides) == 2 and isinstance(chain.sides[0], tree.Empty) and chain.relations[0] in _ABOUT


def _plain(verdict: Verdict) -> Verdict:
    """With names alone, where the axes have names that the document does not know."""
    return replace(verdict, scope=_AXES.sub("", verdict.scope), reason=_AXES.sub("", verdict.reason))


def _derives(chain: tree.Chain) -> bool:
    """Whether a chain has a derivative in it, of which what follows has to know whether it is as the formulas say."""
    return any(isinstance(n, tree.Derivative) for n in walk(chain))


def _text(meaning: Meaning, write: Callable[[Node], str]) -> str:
    return write(tree.Chain((meaning.left, meaning.right), (meaning.relation,)))


def _unread(error: UnreadError) -> Link:
    reason = f"column {error.column + 1}: {error.construct}"
    return Link("", "", Verdict(Status.UNREAD, "none", "the text as it stands", reason=reason))


def _judged(span: Span, text: str, links: list[Link]) -> Judged:
    decisive = worst(links)
    return Judged(
        span.file,
        span.line,
        span.column,
        span.latex,
        text,
        decisive.verdict,
        tuple(links) if len(links) > 1 else (),
        decisive.suggestion,
        span.block,
        span.row,
        span.cell,
    )
