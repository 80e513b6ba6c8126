"""A report made by hand: verdicts put to the formulas of a text by their words (see `judges`), no worker needed."""

from __future__ import annotations

from support.judges import VERDICTS, judged
from symdl.verification.documents import read_text
from symdl.verification.judging.report import Judged, Link, Report, worst
from symdl.verification.verdict import Status, Verdict, Witness


def link(latex, verdict, suggestion=""):
    return Link(latex, latex, verdict, suggestion)


def of_text(text, kind="markdown", file="notes.md", **verdicts):
    """The report on a text: a formula that ends in % and a word of `VERDICTS` gets that verdict."""
    document = read_text(text, kind, file)
    found = []
    for k, span in enumerate(document.spans):
        for word, verdict in (VERDICTS | verdicts).items():
            if span.latex.endswith(rf"\;{word}"):
                found.append(judged(document, k, verdict))
    return Report((file,), tuple(found), 1.25, (), (document,))


def chain(file="notes.md", line=3):
    """s = 2 + 2 + 6 + 4 = 10 + 4 = 15: the last link is wrong."""
    fine = Verdict(Status.PROVED, "exact arithmetic", "these numbers")
    wrong = Verdict(Status.REFUTED, "exact arithmetic", "these numbers", Witness({}, "14", "15"), "the sum is 14")
    links = (link("2 + 2 + 6 + 4 = 10 + 4", fine), link("10 + 4 = 15", wrong, "10 + 4 = 14"))
    latex = "2 + 2 + 6 + 4 = 10 + 4 = 15"
    return Judged(file, line, 1, latex, latex, worst(links).verdict, links)


def of(*judged, files=("notes.md",), **more):
    return Report(files, judged, 1.25, **more)


def claim(word, file="notes.md", line=1, column=1, text=None, **more):
    text = word if text is None else text
    return Judged(file, line, column, text, text, VERDICTS[word], **more)
