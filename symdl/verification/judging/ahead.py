"""Formulas that explain the one before them: "…, where $\\phi(x) = …$" is read before the formula that needs φ."""

from __future__ import annotations

import re

from symdl.verification.documents import Document
from symdl.verification.judging.conditions import SENTENCE_END

_EXPLAINS = re.compile(r"^[\s,]*(?:where|with|here|in which)\b", re.IGNORECASE)
_FORMULA = re.compile(r"\$[^$]+\$")


def explained(document: Document) -> dict[int, tuple[int, ...]]:
    """For each formula the numbers of those that its sentence explains it by.

    >>> from symdl.verification.documents import read_text
    >>> explained(read_text("$$g(x) = x p(x)$$ where $p(x) = x^2$ and $x$ is a number. So $a = 1$.", "markdown"))
    {0: (1, 2)}
    """
    found = {}
    for k, span in enumerate(document.spans):
        sentence = SENTENCE_END.split(span.after)[0]
        if _EXPLAINS.match(sentence):
            count = len(_FORMULA.findall(sentence))
            last = min(k + count, len(document.spans) - 1)
            found[k] = tuple(m for m in range(k + 1, last + 1) if document.spans[m].section == span.section)
    return found
