"""`symdl check` from starting Python: seconds to the first verdict, and for documents of 1,000 claims and more."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.timing import summary

DERIVATIONS = Path(__file__).resolve().parents[1] / "derivations"
LECTURE = DERIVATIONS / "lecture-corrected.md"

#: How often the lecture's claims are repeated, each time in a chapter of its own.
CHAPTERS = 16


def document(chapters: int = CHAPTERS) -> str:
    """The lecture's right statements again and again: values, chains, slopes, sums, functions."""
    chapter = LECTURE.read_text(encoding="utf-8").lstrip("#").replace("\n#", "\n##")
    return "\n\n".join(f"# Chapter {number}\n\n{chapter}" for number in range(1, chapters + 1))


def gallery() -> list[Path]:
    """The pages of derivations: no two claims alike, and harder ones, which networks with two layers are among."""
    return sorted(DERIVATIONS.glob("*/*.md"))


def measure(rounds: int = 5) -> dict[str, Any]:
    """Seconds by the clock and of processors, and how many claims there are; nothing may be refuted."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chapters.md"
        path.write_text(document(), encoding="utf-8")
        return {"the lecture, 16 times": _measured([path], rounds), "the gallery": _measured(gallery(), 1)}


def _measured(paths: list[Path], rounds: int) -> dict[str, Any]:
    firsts, wholes, spent, told = zip(*[_seconds(paths) for _ in range(rounds)], strict=True)
    named = ("first verdict", firsts), ("whole", wholes), ("processors", spent)
    return {"told": told[0]} | {name: summary(list(taken)) for name, taken in named}


def _seconds(paths: list[Path]) -> tuple[float, float, float, str]:
    started, before = time.monotonic(), _spent()
    command = [sys.executable, "-m", "symdl", "check", *map(str, paths)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        child.stdout.readline()
        first = time.monotonic() - started
        rest = child.stdout.read().rstrip().splitlines()
    if child.returncode:
        raise RuntimeError(f"right statements were refuted: {rest[-1]}")
    return first, time.monotonic() - started, _spent() - before, rest[-1]


def _spent() -> float:
    """Processor seconds of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def report(found: dict[str, Any]) -> str:
    """A Markdown table for each workload."""
    return "\n\n".join(_table(name, part) for name, part in found.items())


def _table(title: str, found: dict[str, Any]) -> str:
    lines = [f"{title}: {found['told']}.", "", "| from starting Python | median, s | range |", "| --- | ---: | --- |"]
    for name in ("first verdict", "whole", "processors"):
        s = found[name]
        lines.append(f"| {name} | {s['median']:.2f} | {s['least']:.2f} to {s['most']:.2f} |")
    return "\n".join(lines)
