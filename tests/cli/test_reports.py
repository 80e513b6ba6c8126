"""The formats of `symdl check`, each held to what its readers ask for; expectations are written by hand."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import given, strategies as st
from support.reports import chain, claim, of, of_text

from symdl.cli.reports import BY_SUFFIX, FORMATS, writer
from symdl.cli.reports.formulas import formula
from symdl.cli.reports.regions import pages
from symdl.verification.documents import Document, read_text
from symdl.verification.verdict import Status, Verdict

ALL = ("fine", "near", "wrong", "open", "unread", "if", "name")
EVIL = "a\x1b[31mb\u202ec\x00<script>alert(1)</script>&\"'%0A::error::x"


def written(form, report, strict=False):
    return writer(form)(report, strict)


@pytest.fixture
def report():
    return of(*(claim(word, line=n) for n, word in enumerate(ALL, 1)), chain(line=9), problems=("notes.md:8:1: odd",))


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_survives_anything(form):
    odd = Verdict(Status.REFUTED, EVIL, EVIL, None, EVIL)
    judged = [claim("wrong", text=EVIL, suggestion=EVIL), claim("wrong", text="\ud800")]
    judged += [type(judged[0])(EVIL, 1, 1, EVIL, EVIL, odd, suggestion=EVIL, cell=2)]
    text = written(form, of(*judged, files=("notes.md", EVIL), problems=(EVIL,)))
    assert text.endswith("\n") and text.encode("utf-8")
    assert not set(text) & {"\x1b", "\u202e", "\x00"} or form == "json"


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_of_nothing(form):
    assert written(form, of())


def test_suffixes_name_formats():
    assert set(BY_SUFFIX.values()) == set(FORMATS) - {"github"}


# ── text ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

TEXT = """\
notes.md:1:1  ✓ proved       fine  (normal form; all real x)
notes.md:2:1  ≈ consistent   near  (points; all real x; agrees at 32 points)
notes.md:3:1  ✗ refuted      wrong
    it is 4; at x = 2: left 4, right 5
notes.md:4:1  ? undecided    open
    no way is known
notes.md:5:1  … unread       unread
    column 3: an arrow
notes.md:6:1  ! conditional  if
    needs x >= 0; at x = -1: left 1, right -1
notes.md:7:1  ≔ definition   name
    binds x
notes.md:9:1  ✗ refuted      2 + 2 + 6 + 4 = 10 + 4 = 15
    ✗ 10 + 4 = 15: the sum is 14; left 14, right 15
      did you mean 10 + 4 = 14
notes.md:8:1: odd

8 claims: 2 refuted, 1 conditional, 1 unread, 1 undecided, 1 consistent, 1 proved, 1 definition
"""


def test_text(report):
    assert written("text", report) == TEXT


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_json_has_the_keys_that_were_promised(report):
    made = json.loads(written("json", report))
    assert set(made) == {"claims", "summary"} and len(made["claims"]) == 8
    keys = ["file", "line", "status", "method", "scope", "reason", "witness", "text", "suggestion", "links"]
    assert all(list(c) == keys for c in made["claims"])
    wrong = made["claims"][2]
    assert (wrong["file"], wrong["line"], wrong["status"], wrong["text"]) == ("notes.md", 3, "refuted", "wrong")
    assert wrong["witness"] == {"point": {"x": "2"}, "left": "4", "right": "5"} and wrong["reason"] == "it is 4"
    last = made["claims"][-1]
    assert last["status"] == "refuted" and [link["status"] for link in last["links"]] == ["proved", "refuted"]
    assert last["links"][1]["suggestion"] == "10 + 4 = 14" and last["suggestion"] is None
    assert made["summary"]["refuted"] == 2 and made["summary"]["claims"] == 8
    assert made["summary"]["problems"] == ["notes.md:8:1: odd"]


def test_json_of_a_notebook_tells_the_cell():
    (told,) = json.loads(written("json", of(claim("fine", cell=3))))["claims"]
    assert told["cell"] == 3 and told["line"] == 1


# ── JUnit ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("strict", "failures", "skipped"), [(False, 2, 3), (True, 5, 0)])
def test_junit(report, strict, failures, skipped):
    top = ElementTree.fromstring(written("junit", report, strict))
    assert top.tag == "testsuites" and [s.get("name") for s in top] == ["notes.md"]
    for element in (top, top[0]):
        assert [element.get(k) for k in ("tests", "failures", "errors", "skipped")] == [
            "8",
            f"{failures}",
            "0",
            f"{skipped}",
        ]
    assert len(top.findall(".//failure")) == failures and len(top.findall(".//skipped")) == skipped
    case = top[0][2]
    assert case.get("name") == "3:1 wrong" and case.get("line") == "3" and case[0].get("type") == "refuted"
    assert "left 4, right 5" in case[0].get("message")


# ── SARIF ────────────────────────────────────────────────────────────────────────────────────────────────────────────

#: Of the published schema, version 2.1.0: what each object must have, and what it may have of what is written here.
REQUIRED = {
    "log": ({"version", "runs"}, {"$schema"}),
    "run": ({"tool"}, {"results", "artifacts", "columnKind", "invocations"}),
    "tool": ({"driver"}, set()),
    "driver": ({"name"}, {"version", "semanticVersion", "rules"}),
    "rule": ({"id"}, {"name", "shortDescription", "defaultConfiguration"}),
    "result": ({"message"}, {"ruleId", "ruleIndex", "kind", "level", "locations", "properties"}),
    "invocation": ({"executionSuccessful"}, {"exitCode", "toolExecutionNotifications"}),
    "notification": ({"message"}, {"level"}),
}


def fits(kind, made):
    required, allowed = REQUIRED[kind]
    assert required <= set(made) <= required | allowed, kind


@pytest.mark.parametrize("strict", [False, True])
def test_sarif_has_the_structure_of_the_standard(report, strict):
    log = json.loads(written("sarif", report, strict))
    fits("log", log)
    assert log["version"] == "2.1.0" and log["$schema"].endswith("sarif-schema-2.1.0.json")
    (run,) = log["runs"]
    fits("run", run)
    fits("tool", run["tool"])
    fits("driver", run["tool"]["driver"])
    assert run["columnKind"] in {"utf16CodeUnits", "unicodeCodePoints"}
    rules = run["tool"]["driver"]["rules"]
    for rule in rules:
        fits("rule", rule)
        assert rule["defaultConfiguration"]["level"] in {"none", "note", "warning", "error"}
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in run["results"]:
        fits("result", result)
        assert result["message"]["text"] and rules[result["ruleIndex"]]["id"] == result["ruleId"]
        # a result that does not fail has no level: section 3.27.10 of the standard
        assert result["kind"] in {"fail", "open"} and (result["kind"] == "fail") == (result["level"] != "none")
        (location,) = result["locations"]
        region = location["physicalLocation"]["region"]
        assert region["startLine"] >= 1 and region["startColumn"] >= 1
    for invocation in run["invocations"]:
        fits("invocation", invocation)
        for notification in invocation["toolExecutionNotifications"]:
            fits("notification", notification)
    assert [r["level"] for r in run["results"]] == (
        ["error"] * 5 if strict else ["error", "none", "none", "warning", "error"]
    )


def test_sarif_places():
    judged = [
        claim("wrong", file=f, **more) for f, more in [("a b/ü#.md", {}), ("/x/y.md", {}), ("n.ipynb", {"cell": 2})]
    ]
    results = json.loads(written("sarif", of(*judged)))["runs"][0]["results"]
    places = [r["locations"][0]["physicalLocation"] for r in results]
    assert [p["artifactLocation"]["uri"] for p in places] == ["a%20b/%C3%BC%23.md", "file:///x/y.md", "n.ipynb"]
    assert "region" not in places[2] and results[2]["locations"][0]["logicalLocations"][0]["name"] == "cell 2"


# ── GitHub ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_github():
    judged = [claim("wrong", file="a,b:c.md", line=4, column=7, text="5 % = 4\n:: x", suggestion="y")]
    lines = written("github", of(*judged, claim("if"), claim("open"), claim("fine"))).splitlines()
    assert lines[0] == (
        "::error file=a%2Cb%3Ac.md,line=4,col=7,title=symdl%3A refuted::"
        "5 %25 = 4 :: x: it is 4; at x = 2: left 4, right 5; did you mean y"
    )
    assert [line.split(" ")[0] for line in lines[1:3]] == ["::warning", "::notice"] and len(lines) == 4
    assert lines[3] == "4 claims: 1 refuted, 1 conditional, 1 undecided, 1 proved"


def test_github_shows_ten_of_a_type_and_says_how_many_more():
    report = of(*[claim("wrong", line=n) for n in range(1, 24)], *[claim("open", line=n) for n in range(1, 13)])
    lines = written("github", report).splitlines()
    assert sum(line.startswith("::error") for line in lines) == 10
    assert sum(line.startswith("::notice") for line in lines) == 10
    assert "13 more of type error are not shown" in lines and "2 more of type notice are not shown" in lines
    strict = written("github", report, strict=True).splitlines()
    assert sum(line.startswith("::error") for line in strict) == 10 and "25 more of type error are not shown" in strict


# ── HTML ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

NOTES = r"""# On neurons

The value $s = 14 \;fine$ and *the loss* $L = 15 \;wrong$ of `$code$` and $x$.

$$
\begin{aligned}
a &= b \;name \\
b &= c \;open
\end{aligned}
$$

| $q \;near$ | 3 |
|---|---|

- item $u \;if$ goes
  on, **bold**
"""

LATEX = r"""\documentclass{article}
\title{x} % never shown
\begin{document}
\section{Backward pass}
The slope is \emph{this}: % a remark
\begin{align}
  a &= b \;fine \label{eq:a} \\
  b &= c \;wrong
\end{align}
and \(k = 3 \;open\), about 5\% of it.
\end{document}
"""


class Reader(HTMLParser):
    """Elements, identities, links and text of a page; it fails where elements do not nest."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.ids, self.links, self.attributes, self.words, self.open = [], [], [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.attributes += attrs
        self.ids += [value for name, value in attrs if name == "id"]
        self.links += [value for name, value in attrs if name == "href"]
        if tag not in {"meta", "br", "mspace"} or (tag == "mspace" and "/" not in self.get_starttag_text()):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self):
        return " ".join("".join(self.words).split())


def read_page(report):
    page = Reader(written("html", report))
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    assert all(link.startswith("#") for link in page.links), "a page on its own leads nowhere"
    assert not {"script", "img", "iframe", "link", "object", "form"} & set(page.elements)
    assert not any(name.startswith("on") or name in {"src", "style"} for name, _ in page.attributes)
    return page


def test_html_shows_the_document_with_its_verdicts():
    report = of_text(NOTES)
    assert [str(j.status) for j in report] == [
        *("proved", "refuted", "definition", "undecided", "consistent", "conditional"),
    ]
    page = read_page(report)
    assert set(page.ids) == {f"{sign}{n}" for sign in "cv" for n in range(1, 7)}
    assert page.elements.count("aside") == 4 and page.elements.count("tr") == 1
    assert {"main", "header", "nav", "h1", "h2", "em", "strong", "code", "math"} <= set(page.elements)
    for words in ("On neurons", "$code$", "it is 4; at x = 2: left 4, right 5", "6 claims", "needs x >= 0", "the loss"):
        assert words in page.text
    assert "$$" not in page.text and "aligned" not in page.text and "\\" not in page.text
    labels = [value for name, value in page.attributes if name == "aria-label"]
    assert "refuted: go to the verdict" in labels and "Verdicts" in labels


def test_html_of_latex():
    page = read_page(of_text(LATEX, "latex", "notes.tex"))
    assert "Backward pass" in page.text and "h3" in page.elements and "about 5% of it" in page.text
    for gone in ("documentclass", "never shown", "a remark", "align", "label", "\\"):
        assert gone not in page.text
    assert {"c1", "c2", "c3"} <= set(page.ids)


def test_html_of_a_notebook():
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Title\n", "with $a = b \\;fine$\n"]},
        {"cell_type": "code", "metadata": {}, "source": "x = '<b>'", "outputs": [], "execution_count": None},
        {"cell_type": "markdown", "metadata": {}, "source": "and $c = d \\;wrong$"},
    ]
    text = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    page = read_page(of_text(text, "notebook", "notes.ipynb"))
    assert "x = '<b>'" in page.text and "Cell 3" in page.text and {"c1", "c2"} <= set(page.ids)


def test_html_of_plain_text():
    document = Document("notes.txt", "plain", "two < three\n\nand <b>so</b> on\n", ())
    page = read_page(of(documents=(document,)))
    assert "two < three" in page.text and "<b>so</b> on" in page.text


def test_html_shows_what_stands_nowhere_in_the_text():
    report = of_text("nothing here\n")
    page = read_page(of(claim("wrong", line=40, text="x = y"), documents=report.documents))
    assert "c1" in page.ids and "it is 4" in page.text


def test_html_of_a_strangers_document_runs_nothing():
    evil = r"""<script>alert(1)</script> <img src=x onerror=alert(1)> [click](javascript:alert(1)) ![x](http://x/y.png)

# <svg onload=alert(1)>

$\text{<script>alert(2)</script>} = 1 \;fine$ $\href{javascript:alert(1)}{x} \;wrong$
$\color{red" onclick="x}{y} \;near$ $\class{x}{y} \;if$ $\style{background:url(http://x)}{y} \;open$
$\textcolor{"><script>}{x} \;name$

`</code><script>` **<b>** | <i> |
"""
    page = read_page(of_text(evil))
    assert "<script>alert(1)</script>" in page.text and "click" in page.text


FORMULAS = [
    r"\text{<script>alert(1)</script>}",
    r"\text{</math><img src=x onerror=alert(1)>}",
    r"\href{javascript:alert(1)}{x}",
    r"\color{red\" onclick=\"x}{y}",
    r"\textcolor{\"><script>}{x}",
    r"\rule{1px}{\"><b onclick=x>}",
    r"\tag{<!-- }",
    r"\hbox{<style>*{display:none}</style>}",
    r"\text{<![CDATA[ <b> ]]>}",
    r"\text{<mi onclick=alert(1)>x}",
    r"\frac{1}{" * 300 + "x" + "}" * 300,
    "x^{" * 10_000 + "2" + "}" * 10_000,
    "^",
    "",
]


@pytest.mark.parametrize("latex", FORMULAS, ids=lambda latex: latex[:30])
def test_formulas_hold_nothing_but_mathematics(latex):
    page = Reader(formula(latex, block=True))
    assert not [e for e in page.elements if e not in {"math", "code"} and not e.startswith("m")]
    assert not any(name.startswith("on") or name in {"href", "style", "class"} for name, _ in page.attributes)


REGIONS = [
    ("a $x$ b", "$x$"),
    ("a $$x$$ b", "$$x$$"),
    (r"a \(x\) b", r"\(x\)"),
    (r"a \\(x\\) b", r"\\(x\\)"),
    ("a\n\n\\[\nx\n\\]\n", "\\[\nx\n\\]"),
    ("a\n\n```math\nx\n```\nb", "```math\nx\n```"),
    ("$$\n\\begin{aligned}\nx\n\\end{aligned}\n$$", "$$\n\\begin{aligned}\nx\n\\end{aligned}\n$$"),
    ("\\begin{align*}\n  x \\label{a}\n\\end{align*}", "\\begin{align*}\n  x \\label{a}\n\\end{align*}"),
]


@pytest.mark.parametrize(("text", "expected"), REGIONS)
def test_formulas_are_found_with_their_delimiters(text, expected):
    ((region,),) = [page.regions for page in pages(read_text(text, "markdown"))]
    assert text[region.start : region.end] == expected


def test_prose_of_any_size_is_fast():
    """No pattern of the page goes wild on long input."""
    text = "*a " * 3000 + "[b](" * 3000 + "`" * 999 + "| " * 3000 + "<!-- " * 2000 + "\n- " * 2000
    assert re.search("Checked", written("html", of_text(text)))


TOKENS = st.sampled_from(
    [
        *(
            "$",
            "$$",
            r"\(",
            r"\)",
            r"\[",
            r"\]",
            "```math\n",
            "```",
            "`",
            "\n",
            "\n\n",
            " ",
            "x",
            "= 1",
            "a < b",
            "&",
            r"\\",
        ),
        *(r"\begin{align}", r"\end{align}", r"\begin{aligned}", r"\end{aligned}", r"\;wrong", r"\;fine", r"\text{<b>}"),
        *(
            "# ",
            "- ",
            "| ",
            "**",
            "*",
            "<!--",
            "-->",
            "<script>",
            "</div>",
            "[a](b)",
            r"\section{s}",
            "%",
            "\ue0000\ue001",
            "\ue002",
        ),
        *(r"\newcommand{\e}{\epsilon}", r"\frac{1}{2}", "x^{2}", "\u202e", "\x00", "é"),
    ]
)


@given(st.lists(TOKENS, max_size=40).map("".join), st.sampled_from(["markdown", "latex"]))
def test_any_document_makes_a_page(text, kind):
    read_page(of_text(text, kind))
