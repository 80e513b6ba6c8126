"""`symdl check` from starting Python: seconds to the first verdict, and for a document of about 1,000 claims."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.timing import summary

LECTURE = Path(__file__).resolve().parents[1] / "derivations" / "lecture-corrected.md"

#: How often the lecture's claims are repeated, each time in a chapter of its own.
CHAPTERS = 16


def document(chapters: int = CHAPTERS) -> str:
    """The lecture's right statements again and again: values, chains, slopes, sums, functions."""
    chapter = LECTURE.read_text(encoding="utf-8").lstrip("#").replace("\n#", "\n##")
    return "\n\n".join(f"# Chapter {number}\n\n{chapter}" for number in range(1, chapters + 1))


def measure(rounds: int = 5) -> dict[str, Any]:
    """Wall seconds, and how many claims there are; nothing may be refuted."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chapters.md"
        path.write_text(document(), encoding="utf-8")
        taken = [_seconds(path) for _ in range(rounds)]
    firsts, wholes, told = zip(*taken, strict=True)
    return {"told": told[0], "first verdict": summary(list(firsts)), "whole document": summary(list(wholes))}


def _seconds(path: Path) -> tuple[float, float, str]:
    started = time.monotonic()
    command = [sys.executable, "-m", "symdl", "check", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        child.stdout.readline()
        first = time.monotonic() - started
        rest = child.stdout.read().rstrip().splitlines()
    if child.returncode:
        raise RuntimeError(f"right statements were refuted: {rest[-1]}")
    return first, time.monotonic() - started, rest[-1]


def report(found: dict[str, Any]) -> str:
    """A Markdown table."""
    lines = [f"{found['told']}.", "", "| from starting Python | median, s | range |", "| --- | ---: | --- |"]
    for name in ("first verdict", "whole document"):
        s = found[name]
        lines.append(f"| {name} | {s['median']:.2f} | {s['least']:.2f} to {s['most']:.2f} |")
    return "\n".join(lines)
