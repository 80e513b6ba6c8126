"""The style of a checked document, beside that of every page."""

from __future__ import annotations

__all__ = ["STYLE"]

STYLE = """
:root { --refuted: #b3261e; --open: #8a5a00; --fine: #1b6e3c; --plain: #5b6470; }
@media (prefers-color-scheme: dark) {
  :root { --refuted: #f2938c; --open: #e3b341; --fine: #6fcf97; --plain: #9aa4b0; }
}
body { max-width: 84rem; }
h1, h2, h3, h4, h5, h6 { overflow-wrap: anywhere; }
a { color: inherit; }
a:focus-visible, [tabindex]:focus-visible { outline: 3px solid var(--value); outline-offset: 2px; }
.sum { font-weight: bold; }
.bad { list-style: none; padding: 0; }
.bad li { margin: .2rem 0; }
.cell { color: var(--quiet); }
.row { margin: .6rem 0; }
.said > p, .said > h2, .said > h3, .said > h4, .said > pre { margin: 0; }
.item { padding-left: 1.4em; text-indent: -1em; }
.formula > div { display: flex; justify-content: space-between; align-items: baseline; gap: 1rem; }
.formula > div { padding: .15rem .4rem; }
.refuted { --tone: var(--refuted); }
.unread, .undecided, .conditional { --tone: var(--open); }
.proved, .consistent { --tone: var(--fine); }
.definition { --tone: var(--plain); }
.claim { border-bottom: 2px solid var(--tone); }
div.claim { border-bottom: 0; border-left: 4px solid var(--tone); }
.claim.refuted { background: color-mix(in srgb, var(--refuted) 14%, transparent); }
.claim.definition { border-color: transparent; }
.mark { color: var(--tone); text-decoration: none; font: bold .85rem/1 system-ui, sans-serif; padding: .35em .3em; }
.status { color: var(--tone); font-weight: bold; }
aside { font: .88rem/1.45 system-ui, sans-serif; margin: .3rem 0 1rem; }
.card { border-left: 3px solid var(--tone); padding: .1rem 0 .1rem .7rem; margin: 0 0 .6rem; overflow-x: auto; }
.card p { margin: 0; }
.card a, .how { color: var(--quiet); }
.card:target, .mark:target { outline: 3px solid var(--value); }
.links { margin: .2rem 0; padding-left: 1.1rem; }
@media (min-width: 64rem) {
  .row { display: grid; grid-template-columns: minmax(0, 1fr) 24rem; gap: 2rem; }
  aside { margin: 0; }
}
""".strip()
