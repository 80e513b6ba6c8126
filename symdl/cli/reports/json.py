"""For programs: `{"claims": […], "summary": {…}}`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import symdl as sd

__all__ = ["write"]


def write(report: sd.Report, strict: bool) -> str:
    """One object, indented, in the order of the documents."""
    text = json.dumps(report.to_json(), indent=2, ensure_ascii=False) + "\n"
    # half of a surrogate pair, which a document may hold as an escape, has no code in UTF-8
    return text.encode("utf-8", "replace").decode("utf-8")
