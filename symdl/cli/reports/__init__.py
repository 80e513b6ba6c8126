"""The formats of `symdl check`, each a module with a function `write`, which is loaded when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import symdl as sd

__all__ = ["BY_SUFFIX", "FORMATS", "writer"]

FORMATS = ("text", "json", "junit", "sarif", "github", "html")

#: What `-o FILE` means where no format is named.
BY_SUFFIX = {".txt": "text", ".json": "json", ".xml": "junit", ".sarif": "sarif", ".html": "html", ".htm": "html"}


def writer(form: str) -> Callable[[sd.Report, bool], str]:
    """From a report, and whether `--strict` was given, to the whole text, with a line end at its end."""
    module: Any = importlib.import_module(f"symdl.cli.reports.{form}")
    write: Callable[[sd.Report, bool], str] = module.write
    return write
