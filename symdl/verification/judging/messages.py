"""Verdicts on their way between processes, as JSON: nothing that was read from a document is ever unpickled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from symdl.verification.judging.report import Judged, Link
from symdl.verification.verdict import Status, Verdict, Witness

__all__ = ["judged_from", "line_of", "message_of", "packed"]


def line_of(*parts: Any) -> bytes:
    r"""A message as one line.

    >>> line_of("at", 0, 3)
    b'["at", 0, 3]\n'
    """
    return json.dumps(parts).encode("ascii") + b"\n"


def message_of(line: bytes) -> list[Any]:
    """What `line_of` has written."""
    message = json.loads(line)
    assert isinstance(message, list)
    return message


def packed(judged: Judged) -> dict[str, Any]:
    """All that there is in it, as dictionaries, lists, text and numbers."""
    return vars(judged) | {
        "verdict": judged.verdict.to_json(),
        "links": [vars(link) | {"verdict": link.verdict.to_json()} for link in judged.links],
    }


def judged_from(made: Mapping[str, Any]) -> Judged:
    """What `packed` was given.

    >>> verdict = Verdict(Status.REFUTED, "balls", "all real x", Witness({"x": "2"}, "[4 +/- 0]", "[2 +/- 0]"))
    >>> judged = Judged("a.md", 1, 2, "x^2 = x", "x² = x", verdict, (Link("x² = x", "x^2 = x", verdict),), block=3)
    >>> judged_from(message_of(line_of(packed(judged)))[0]) == judged
    True
    """
    links = tuple(Link(**{**link, "verdict": _verdict(link["verdict"])}) for link in made["links"])
    return Judged(**{**made, "verdict": _verdict(made["verdict"]), "links": links})


def _verdict(made: Mapping[str, Any]) -> Verdict:
    witness = Witness(**made["witness"]) if made["witness"] else None
    return Verdict(**{**made, "status": Status(made["status"]), "witness": witness})
