"""For code scanning: SARIF 2.1.0 (OASIS), a result for each claim that did not pass.

A refuted claim has kind `fail` and level `error`, one that needs an assumption `warning`. What is open has kind `open`,
which the standard has for "no answer", and level `none`; with `--strict` it fails as well.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import symdl
from symdl.cli.reports.words import clean, told

if TYPE_CHECKING:
    import symdl as sd

__all__ = ["write"]

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_RULES = {
    "refuted": ("RefutedClaim", "A formula or figure is wrong: there is a point where its sides differ.", "error"),
    "conditional": ("ConditionalClaim", "A formula holds under an assumption that is not stated.", "warning"),
    "undecided": ("UndecidedClaim", "A formula was neither proved nor refuted.", "none"),
    "unread": ("UnreadFormula", "A formula was not understood.", "none"),
}


def write(report: sd.Report, strict: bool) -> str:
    """One run with all documents."""
    run = {
        "tool": {
            "driver": {
                "name": "symdl",
                "version": symdl.__version__,
                "semanticVersion": symdl.__version__,
                "rules": [_rule(status, strict) for status in _RULES],
            }
        },
        "columnKind": "unicodeCodePoints",
        "artifacts": [{"location": {"uri": _uri(file)}} for file in dict.fromkeys(report.files)],
        "results": [_result(judged, strict) for judged in report if str(judged.status) in _RULES],
        "invocations": [
            {
                "executionSuccessful": True,
                "exitCode": report.exit_code(strict),
                "toolExecutionNotifications": [
                    {"level": "warning", "message": {"text": clean(problem)}} for problem in report.problems
                ],
            }
        ],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _level(status: str, strict: bool) -> str:
    return "error" if strict else _RULES[status][2]


def _rule(status: str, strict: bool) -> dict[str, Any]:
    identity, words, _ = _RULES[status]
    return {
        "id": f"symdl/{status}",
        "name": identity,
        "shortDescription": {"text": words},
        "defaultConfiguration": {"level": _level(status, strict)},
    }


def _result(judged: sd.Judged, strict: bool) -> dict[str, Any]:
    status = str(judged.status)
    level = _level(status, strict)
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(judged.file)}}
    location: dict[str, Any] = {"physicalLocation": place}
    if judged.cell:  # a line within a cell is none of the file's lines
        location["logicalLocations"] = [{"name": f"cell {judged.cell}", "kind": "module"}]
    else:
        place["region"] = {"startLine": judged.line, "startColumn": judged.column}
    words = f"{clean(judged.text)}: {told(judged) or status}"
    return {
        "ruleId": f"symdl/{status}",
        "ruleIndex": list(_RULES).index(status),
        "kind": "open" if level == "none" else "fail",
        "level": level,
        "message": {"text": words},
        "locations": [location],
        "properties": {key: judged.to_json()[key] for key in ("method", "scope", "witness", "suggestion")},
    }


def _uri(file: str) -> str:
    """A relative path as it is, an absolute one as file:."""
    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
