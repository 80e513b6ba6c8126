"""Decimal commas: what 1{,}052 is, a document shows elsewhere."""

from __future__ import annotations

import re
from dataclasses import replace

from symdl.verification.documents.spans import Document

#: 0{,}5 and 2{,}25 have no thousands, and 1{,}000{,}000 has no decimals.
_DECIMALS = re.compile(r"(?<![\d,}.])(?:0\{,\}\d+|\d+\{,\}(?:\d{1,2}|\d{4,}))(?![\d{.])")
_THOUSANDS = re.compile(r"\d\{,\}\d{3}(?:\{,\}\d{3}|\.\d)")
_EITHER = re.compile(r"(\d)\{,\}(?=\d{3}(?!\d))")


def with_decimal_points(document: Document) -> Document:
    r"""The document with 1.052 for 1{,}052, where 0{,}5 stands in it and no number of thousands does.

    >>> from symdl.verification.documents import read_text
    >>> [s.latex for s in with_decimal_points(read_text("$a = 0{,}5$ und $b = 1{,}052$", "markdown")).spans]
    ['a = 0{,}5', 'b = 1.052']
    >>> [s.latex for s in with_decimal_points(read_text("$a = 60{,}000$", "markdown")).spans]
    ['a = 60{,}000']
    """
    texts = [span.latex for span in document.spans if "{,}" in span.latex]
    if not any(map(_DECIMALS.search, texts)) or any(map(_THOUSANDS.search, texts)):
        return document
    spans = (replace(s, latex=_EITHER.sub(r"\1.", s.latex)) if "{,}" in s.latex else s for s in document.spans)
    return replace(document, spans=tuple(spans))
