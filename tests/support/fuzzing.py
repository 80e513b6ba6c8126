"""Documents of random texts for the judge, and what must never be said of them."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator

from support.texts import KINDS, file_of
from symdl.errors import SymdlError
from symdl.verification.documents import read_text
from symdl.verification.documents.spans import Document, Span
from symdl.verification.judging.judge import judge
from symdl.verification.judging.process import Task
from symdl.verification.judging.workers import Step, verdicts

#: Formulas of one document.
SIZE = 50
#: What is beyond the checker is undecided, with its reason; SymPy's own errors are looked at one by one, but for this.
_FAILED = re.compile(r"the checker fails here|its process ended|SymPy gave up: (?!Exceeds the limit)")


def document(seed: int, number: int) -> tuple[Document, list[str]]:
    """Document `number`, with the kind of each of its texts."""
    draw = random.Random(f"{seed}/{number}")
    kinds = draw.choices(list(KINDS), [share for _, share in KINDS.values()], k=SIZE)
    texts = [KINDS[kind][0](draw) for kind in kinds]
    spans = tuple(
        Span(f"{number}", k + 1, 1, "display", text, text, section=(1 + k // 20,), block=k)
        for k, text in enumerate(texts)
    )
    return Document(f"{number}", "markdown", "", spans), kinds


def file(seed: int, number: int) -> tuple[Document, list[str]]:
    """A document that was written as a file, in any of the four formats, or none where it is refused."""
    draw = random.Random(f"{seed}/file {number}")
    kind = draw.choice(("markdown", "latex", "notebook", "plain"))
    text = file_of(draw)
    if kind == "notebook" and draw.random() < 0.7:
        cell = {"cell_type": "markdown", "metadata": {}, "source": text.splitlines(keepends=True)}
        text = json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    try:
        document = read_text(text, kind, f"file {number}")
    except SymdlError:
        document = Document(f"file {number}", kind, text, ())
    return document, [kind] * len(document.spans)


def judged(documents: list[Document], budget: float) -> Iterator[Step]:
    """What the checker says of some documents, formula by formula."""
    return verdicts(Task(tuple(documents), judge, seconds=budget), jobs=1)


def failures(step: Step) -> list[str]:
    """Why the checker did not get through a formula that is within its budget."""
    return [j.verdict.reason for j in step.judged if _FAILED.search(j.verdict.reason)]
