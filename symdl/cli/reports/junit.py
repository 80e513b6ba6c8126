"""For continuous integration: JUnit's XML, a suite for each document and a case for each claim."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from symdl.cli.reports.words import clean, told

if TYPE_CHECKING:
    import symdl as sd

__all__ = ["write"]

#: What XML 1.0 can not hold.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_OPEN = ("unread", "undecided", "conditional")


def write(report: sd.Report, strict: bool) -> str:
    """Refuted claims are failures; what is open is skipped, and a failure with `--strict`."""
    top = Element("testsuites", name="symdl check")
    totals: Counter[str] = Counter()
    for file in dict.fromkeys(report.files):
        suite = SubElement(top, "testsuite", name=_legal(clean(file)))
        counts = Counter(_case(suite, judged, strict) for judged in report if judged.file == file)
        _count(suite, counts)
        totals += counts
    _count(top, totals)
    top.set("time", f"{report.seconds:.3f}")
    indent(top)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(top, encoding="unicode") + "\n"


def _case(suite: Element, judged: sd.Judged, strict: bool) -> str:
    """Add the case of a claim; returns what it counts as."""
    status = str(judged.status)
    case = SubElement(
        suite,
        "testcase",
        name=_legal(clean(f"{judged.place.removeprefix(judged.file + ':')} {judged.text}")),
        classname=_legal(clean(judged.file)),
        file=_legal(clean(judged.file)),
        line=str(judged.line),
        time=f"{judged.verdict.seconds:.3f}",
    )
    words = _legal(told(judged)) or status
    if status == "refuted" or (strict and status in _OPEN):
        SubElement(case, "failure", message=words, type=status).text = _legal(clean(judged.latex))
        return "failures"
    if status in _OPEN:
        SubElement(case, "skipped", message=f"{status}: {words}")
        return "skipped"
    return "passed"


def _count(element: Element, counts: Counter[str]) -> None:
    element.set("tests", str(counts.total()))
    element.set("failures", str(counts["failures"]))
    element.set("errors", "0")
    element.set("skipped", str(counts["skipped"]))


def _legal(text: str) -> str:
    return _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text)
