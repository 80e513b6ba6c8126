"""For reading: the document with each formula marked and the verdicts beside it, as one file that fetches nothing."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import TYPE_CHECKING

import symdl as sd
from symdl.cli.reports.formulas import formula
from symdl.cli.reports.prose import blocks, filled, numbers
from symdl.cli.reports.regions import Page, Region, pages
from symdl.cli.reports.style import STYLE
from symdl.cli.reports.words import MARKS, clean, reason

if TYPE_CHECKING:
    from symdl.verification.documents import Document, Span

__all__ = ["write"]

_PASSED = ("consistent", "proved", "definition")

#: A claim and its number on the page.
Numbered = tuple[int, "sd.Judged"]
Place = tuple[str, int, int, int]


def write(report: sd.Report, strict: bool) -> str:
    """The page: the sum, a list of what did not pass, and the documents."""
    claims: dict[Place, list[Numbered]] = {}
    for number, judged in enumerate(report, 1):
        claims.setdefault((judged.file, judged.cell, judged.line, judged.column), []).append((number, judged))
    title = f"Checked: {', '.join(clean(file) for file in report.files)}"
    parts = [f"<header>\n<h1>{html.escape(title)}</h1>", *_summary(report), "</header>", "<main>"]
    for document in report.documents:
        parts += [f'<section aria-label="{html.escape(clean(document.file))}">']
        if len(report.documents) > 1:
            parts.append(f'<h2 class="file">{html.escape(clean(document.file))}</h2>')
        parts += [*_document(document, claims), "</section>"]
    return str(sd.rendering.page(title, "\n".join([*parts, "</main>"]), STYLE))


# ── above the document ───────────────────────────────────────────────────────────────────────────────────────────────


def _summary(report: sd.Report) -> Iterator[str]:
    yield f'<p class="sum">{html.escape(str(report))}</p>'
    yield from (f'<p class="problem">{html.escape(clean(problem))}</p>' for problem in report.problems)
    bad = [(number, judged) for number, judged in enumerate(report, 1) if judged.status not in _PASSED]
    if bad:
        yield '<nav aria-label="What did not pass">\n<ul class="bad">'
        yield from (f"<li>{_entry(number, judged)}</li>" for number, judged in bad)
        yield "</ul>\n</nav>"


def _entry(number: int, judged: sd.Judged) -> str:
    place = html.escape(clean(judged.place))
    return f'{_status(judged.status)} <a href="#c{number}">{place}</a> {html.escape(clean(judged.text))}'


# ── the document ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _document(document: Document, claims: dict[Place, list[Numbered]]) -> Iterator[str]:
    left = {place: found for place, found in claims.items() if place[0] == document.file}
    for page in pages(document):
        if page.cell:
            yield f'<h3 class="cell">Cell {page.cell}</h3>'
        yield from _page(page, left)
    if left:  # a claim that stands nowhere in the text is shown all the same
        rest = [numbered for found in left.values() for numbered in found]
        shown = "".join(_marked(formula(judged.latex, block=True), [(n, judged)], "div") for n, judged in rest)
        yield _row(f"<div>{shown}</div>", rest)


def _page(page: Page, left: dict[Place, list[Numbered]]) -> Iterator[str]:
    shown: list[str] = []
    found: list[list[Numbered]] = []
    for region in page.regions:
        taken = [left.pop((span.file, span.cell, span.line, span.column), []) for span in region.spans]
        shown.append(_region(region, taken))
        found.append([numbered for some in taken for numbered in some])
    for block in blocks(page):
        inside = [numbered for number in numbers(block.text) for numbered in found[number]]
        body = filled(block.text, shown)
        if block.tag == "table":
            body = f'<div class="data" tabindex="0"><table>\n{body}\n</table></div>'
        elif block.tag == "li":
            body = f'<p class="item">{body}</p>'
        elif block.tag == "pre":
            body = f'<pre tabindex="0">{body}</pre>'
        else:
            body = f"<{block.tag}>{body}</{block.tag}>"
        yield _row(body, inside)


def _region(region: Region, taken: list[list[Numbered]]) -> str:
    if not region.display:
        return _marked(formula(region.spans[0].latex), taken[0], "span")
    rows = [_marked(_display(span), claims, "div") for span, claims in zip(region.spans, taken, strict=True)]
    return f'<div class="formula" tabindex="0">{"".join(rows)}</div>'


def _display(span: Span) -> str:
    return formula(span.latex, block=True)


def _marked(shown: str, claims: list[Numbered], tag: str) -> str:
    """A formula with a mark for each of its claims; the mark leads to the verdict."""
    if not claims:
        return f"<{tag}>{shown}</{tag}>" if tag == "div" else shown
    worst = min((judged.status for _, judged in claims), key=list(MARKS).index)
    marks = "".join(
        f'<a class="mark" id="c{number}" href="#v{number}" aria-label="{judged.status}: go to the verdict">'
        f'<span aria-hidden="true">{MARKS[judged.status]}</span></a>'
        for number, judged in claims
    )
    return f'<{tag} class="claim {worst}">{shown}{marks}</{tag}>'


def _row(body: str, claims: list[Numbered]) -> str:
    cards = "\n".join(_card(number, judged, named=len(claims) > 1) for number, judged in claims)
    aside = f'\n<aside aria-label="Verdicts">\n{cards}\n</aside>' if cards else ""
    return f'<div class="row">\n<div class="said">{body}</div>{aside}\n</div>'


# ── verdicts ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _card(number: int, judged: sd.Judged, named: bool) -> str:
    """The verdict; `named` has the formula with it, where several verdicts stand beside one paragraph."""
    line = f"line {judged.line}"
    shown = f" {formula(judged.latex)}" if named else ""
    parts = [f'<p>{_status(judged.status)} <a href="#c{number}">{line}</a>{shown}</p>']
    if judged.status in ("consistent", "proved"):
        parts.append(f'<p class="how">{_words(judged.verdict.method)}; {_words(judged.verdict.scope)}</p>')
    parts += [f"<p>{html.escape(why)}</p>" for why in [reason(judged.verdict)] if why]
    if len(judged.links) > 1:
        parts.append('<ul class="links">' + "".join(f"<li>{_link(link)}</li>" for link in judged.links) + "</ul>")
    if judged.suggestion and not any(link.suggestion for link in judged.links):
        parts.append(f"<p>Did you mean {formula(judged.suggestion)}?</p>")
    return f'<div class="card {judged.status}" id="v{number}">{"".join(parts)}</div>'


def _link(link: sd.Link) -> str:
    text = f"{_status(link.verdict.status)} {formula(link.latex)}"
    if link.verdict.status not in _PASSED:
        text += f"<br>{html.escape(reason(link.verdict))}"
    return text + (f"<br>Did you mean {formula(link.suggestion)}?" if link.suggestion else "")


def _status(status: str) -> str:
    return f'<span class="status {status}"><span aria-hidden="true">{MARKS[status]}</span> {status}</span>'


def _words(text: str) -> str:
    return html.escape(clean(text))
