r"""Read a document: its formulas with their places, sections and the words around them.

>>> document = read_text("The loss is $L = (10 - 14)^2$.\n\n$$\nL = 16\n$$\n", "markdown")
>>> [(span.line, span.column, span.latex) for span in document.spans]
[(1, 14, 'L = (10 - 14)^2'), (4, 1, 'L = 16')]
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from os import PathLike, fspath
from pathlib import Path

from symdl.errors import DataError
from symdl.verification.documents.assembling import Assembly
from symdl.verification.documents.markdown import scan_markdown
from symdl.verification.documents.notebook import markdown_cells
from symdl.verification.documents.plain import scan_plain
from symdl.verification.documents.regions import Region, Scan, blanked
from symdl.verification.documents.shares import shares
from symdl.verification.documents.spans import Document, DocumentKind
from symdl.verification.documents.tex import scan_latex

KINDS: dict[str, DocumentKind] = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".mdx": "markdown",
    ".qmd": "markdown",
    ".rmd": "markdown",
    ".tex": "latex",
    ".latex": "latex",
    ".ltx": "latex",
    ".ipynb": "notebook",
    ".txt": "plain",
    ".text": "plain",
}
"""What a file is by the end of its name."""
LARGEST = 16 * 2**20
"""Bytes of a file."""
_SCANNERS: dict[DocumentKind, Callable[[str], Scan]] = {
    "markdown": scan_markdown,
    "latex": scan_latex,
    "notebook": scan_markdown,
    "plain": scan_plain,
}


def read(path: str | PathLike[str]) -> Document:
    """Read one file; what it is, its name says.

    Args:
        path: a file that ends in one of KINDS.

    Raises:
        DataError: no such file, another kind of file, or one whose text is broken.
    """
    name = fspath(path)
    kind = KINDS.get(Path(name).suffix.lower())
    if kind is None:
        raise DataError(
            "what kind of document this is cannot be told from its name",
            where=name,
            remedy=f"use a file that ends in {', '.join(sorted(KINDS))}",
        )
    return read_text(_text(name), kind, name)


def read_text(text: str, kind: DocumentKind, file: str = "<text>") -> Document:
    """Read a text.

    Args:
        text: the whole document, for a notebook its JSON.
        kind: what it is written in.
        file: the name that spans and errors show.

    Raises:
        DataError: the document is broken as a whole, such as a notebook that is no JSON.
    """
    text = normal(text)
    assembly = Assembly(file, markdown=kind != "latex")
    for cell, part, scan in scanned(text, kind, file):
        assembly.add(part, scan, cell)
    return Document(
        file,
        kind,
        text,
        tuple(assembly.spans),
        tuple(assembly.pragmas),
        tuple(assembly.sections),
        tuple(assembly.problems),
    )


def scanned(text: str, kind: DocumentKind, file: str) -> Iterator[tuple[int, str, Scan]]:
    """Each cell with its number, or the whole text as 0, and what lies where in it.

    Raises:
        DataError: as for `read_text`.
    """
    cells = [(0, text)]
    if kind == "notebook":
        cells = [(number, normal(source)) for number, source in markdown_cells(text, file)]
    for number, part in cells:
        scan = _SCANNERS[kind](part)
        scan.regions = sorted([*scan.regions, *_in_words(part, scan)], key=lambda region: region.start)
        yield number, part, scan


def _in_words(text: str, scan: Scan) -> Iterator[Region]:
    """What words claim that are no formula; where a formula or a comment lies in them, nothing."""
    taken = [*((region.start, region.end) for region in scan.regions), *scan.hidden, *scan.definitions]
    words = blanked(text, taken)
    for start, end, claim in shares(words):
        if "\1" not in words[start:end]:
            yield Region(start, start, end, end, "inline", meant=claim)


_HALVES = re.compile("[\ud800-\udfff]")


def normal(text: str) -> str:
    r"""With line ends `\n`, and without marks that are no characters: a byte order mark, half of a surrogate pair."""
    return _HALVES.sub("\ufffd", text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"))


def _text(name: str) -> str:
    try:
        data = Path(name).read_bytes()
    except OSError as error:
        raise DataError("the document cannot be read", where=name, why=str(error.strerror or error)) from None
    if len(data) > LARGEST:
        raise DataError("the document is too large", where=name, why=f"{len(data):,} bytes of at most {LARGEST:,}")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            "the document is not UTF-8 text",
            where=name,
            why=f"line {line} holds the byte 0x{data[error.start]:02x}",
            remedy="save it as UTF-8",
        ) from None
