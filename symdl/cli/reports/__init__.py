"""The formats of `symdl check`: each a function from a report to text, none of which loads more than it writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from symdl.cli.reports import github, html, json, junit, sarif, text

if TYPE_CHECKING:
    import symdl as sd

__all__ = ["BY_SUFFIX", "WRITERS"]

#: Each takes the report and whether `--strict` was given, and returns the whole text, with a line end at its end.
WRITERS: dict[str, Callable[[sd.Report, bool], str]] = {
    "text": text.write,
    "json": json.write,
    "junit": junit.write,
    "sarif": sarif.write,
    "github": github.write,
    "html": html.write,
}

#: What `-o FILE` means where no format is named.
BY_SUFFIX = {".txt": "text", ".json": "json", ".xml": "junit", ".sarif": "sarif", ".html": "html", ".htm": "html"}
