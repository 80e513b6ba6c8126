"""Documents as one HTML file: MathML, inline SVG and style; no network, no script, readable on a phone."""

from __future__ import annotations

import html
import re

from symdl.rendering.document import (
    Code,
    Document,
    Figure,
    Formula,
    Heading,
    Items,
    Link,
    Paragraph,
    Row,
    Table,
    pieces,
)
from symdl.rendering.writers.mathml import mathml

_STYLE = """
:root { color-scheme: light dark; --ink: #1c1e21; --page: #fff; --quiet: #5b6470; --box: #f5f6f8; --line: #d8dce1;
        --value: #1558b0; --slope: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e8eb; --page: #15171a; --quiet: #9aa4b0; --box: #1e2126; --line: #363b42;
          --value: #8ab4f8; --slope: #f2938c; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.2rem 1rem 4rem; max-width: 62rem; color: var(--ink); background: var(--page);
       font: 1.05rem/1.55 Georgia, "Times New Roman", serif; overflow-wrap: break-word; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: .6rem 0 1rem; }
h2 { font-size: 1.25rem; margin: 2.2rem 0 .5rem; border-bottom: 1px solid var(--line); padding-bottom: .2rem; }
h3 { font-size: 1.05rem; margin: 1.5rem 0 .3rem; }
math { font-size: 1.08em; font-family: "Latin Modern Math", "STIX Two Math", "Cambria Math", "TeX Gyre Termes Math",
       "STIX Math", math; }
mtd[columnalign="left"] { text-align: left; }
.formula { overflow-x: auto; background: var(--box); border-radius: 6px; padding: .6rem .8rem; margin: .7rem 0; }
.formula table { border-collapse: collapse; margin: 0; width: 100%; }
.formula td { padding: .22rem 0; vertical-align: baseline; white-space: nowrap; }
.formula td:first-child { text-align: right; width: 1px; padding-right: .35em; }
.line { display: flex; justify-content: space-between; align-items: baseline; gap: 2rem; }
.note { color: var(--quiet); font-size: .86rem; white-space: normal; text-align: right; min-width: 9rem; }
figure { margin: 1.2rem 0; overflow-x: auto; text-align: center; }
.symdl-forward { fill: var(--value); }
.symdl-backward { fill: var(--slope); }
figcaption { color: var(--quiet); font-size: .9rem; }
.data { overflow-x: auto; }
.data table { border-collapse: collapse; }
.data th, .data td { border-bottom: 1px solid var(--line); padding: .25rem .8rem .25rem 0; text-align: left; }
pre { overflow-x: auto; background: var(--box); border-radius: 6px; padding: .6rem .8rem; font-size: .85rem; }
@media (max-width: 640px) {
  .line { flex-direction: column; gap: 0; }
  .note { text-align: left; padding-left: 1.2em; position: sticky; left: 0; }
  .formula { padding: .5rem; }
}
@media print { body { max-width: none; } .formula { background: none; padding: 0; overflow: visible; } }
""".strip()


def to_html(document: Document) -> str:
    """A complete HTML page that needs nothing beside it."""
    body = "\n".join(_block(block) for block in document.blocks)
    title = re.sub(r"\$([^$]*)\$", r"\1", document.title)
    return page(title, f"<h1>{_words(document.title)}</h1>\n{body}")


def page(title: str, body: str, style: str = "") -> str:
    """A complete HTML page in symdl's style.

    Args:
        title: plain text.
        body: HTML.
        style: CSS beside that of every page.
    """
    styles = "\n".join(part for part in (_STYLE, style) if part)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>\n{styles}\n</style>\n</head>\n<body>\n"
        f"{body}\n</body>\n</html>\n"
    )


def _block(block: object) -> str:
    match block:
        case Heading(text, level):
            return f"<h{level}>{_words(text)}</h{level}>"
        case Paragraph(text):
            return f"<p>{_words(text)}</p>"
        case Items(entries):
            return "<ul>\n" + "\n".join(f"<li>{_words(e)}</li>" for e in entries) + "\n</ul>"
        case Link(text, target):
            return f'<p><a href="{html.escape(target, quote=True)}">{_words(text)}</a></p>'
        case Formula(rows):
            body = "\n".join(_row(row) for row in rows)
            return f'<div class="formula" tabindex="0"><table>\n{body}\n</table></div>'
        case Figure(svg, _, caption):
            under = f"\n<figcaption>{_words(caption)}</figcaption>" if caption else ""
            return f"<figure>\n{re.sub(r'<[?]xml[^>]*>', '', svg).strip()}{under}\n</figure>"
        case Table(head, rows, caption):
            lines = ["<tr>" + "".join(f"<th>{_words(c)}</th>" for c in head) + "</tr>"]
            lines += ["<tr>" + "".join(f"<td>{_words(c)}</td>" for c in row) + "</tr>" for row in rows]
            under = f"<p>{_words(caption)}</p>" if caption else ""
            return '<div class="data"><table>\n' + "\n".join(lines) + f"\n</table>{under}</div>"
        case Code(text, _):
            return f"<pre><code>{html.escape(text.rstrip())}</code></pre>"
    raise AssertionError(f"no way to write {block!r}")


def _row(row: Row) -> str:
    """Left side, and relation with right side and note; each side is a formula of its own."""
    left = mathml(row.left, block=True) if row.left else ""
    note = f'<span class="note">{_words(row.note)}</span>' if row.note else ""
    right = mathml(f"{{}} {row.relation} {row.right}", block=True)
    return f'<tr><td>{left}</td><td><div class="line">{right}{note}</div></td></tr>'


def _words(text: str) -> str:
    return "".join(mathml(t) if is_math else html.escape(t) for is_math, t in pieces(text))
