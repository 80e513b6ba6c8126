"""The share of claims that is decided, in this repository's gallery and in formulas of other people's documents.

The gallery (`derivations/`) is checked as it stands. Of the reference material beside the repository
(`SYMDL_REFERENCE`) only the formulas are at hand, so they are put together file by file, one paragraph each, without
the words around them: no headings, no "let", no "for x > 0". Decided is what is proved, consistent or refuted;
definitions claim nothing.
"""

from __future__ import annotations

import datetime
import json
import os
import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import symdl as sd
from symdl.verification.judging.report import Report
from symdl.verification.verdict import WEAKEST_FIRST, Status

ROOT = Path(__file__).resolve().parent.parent

DECIDED = (Status.PROVED, Status.CONSISTENT, Status.REFUTED)

#: Reasons that are told apart in the report; rarer ones are left out.
REASONS = 30


def gallery() -> list[Path]:
    """The documents of this repository."""
    return sorted((ROOT / "derivations").rglob("*.md"))


def reference(folder: Path) -> list[Path]:
    """The reference formulas as Markdown documents in a folder, a file for each; none where they are absent."""
    source = Path(os.environ.get("SYMDL_REFERENCE", ROOT.parent / "shared" / "reference"))
    file = source / "equations" / "equations.jsonl"
    pages: dict[str, list[str]] = {}
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else []:
        entry = json.loads(line)
        text = entry["latex"]
        if entry["kind"] == "inline":
            text = f"${' '.join(text.split())}$"
        elif entry["kind"] == "display":
            text = f"$$\n{text}\n$$"
        pages.setdefault(f"{entry['source']}/{entry['file']}", []).append(text)
    made = []
    for name, texts in pages.items():
        path = folder / (re.sub(r"\W+", "_", name) + ".md")
        path.write_text("\n\n".join(texts) + "\n", encoding="utf-8")
        made.append(path)
    return made


def measure() -> dict[str, Report]:
    """The verdicts on both."""
    with tempfile.TemporaryDirectory() as folder:
        found = {"gallery": sd.check(gallery())}
        if others := reference(Path(folder)):
            found["reference formulas"] = sd.check(others)
    return found


def decided(report: Report) -> float:
    """The share of the claims that has a verdict."""
    claims = len(report) - len(report.of(Status.DEFINITION))
    return len(report.of(*DECIDED)) / claims


def kind(reason: str) -> str:
    """A reason without the names in it.

    >>> kind("what x̄, 𝒞:L stands for is not understood here; σ is taken for the sigmoid")
    'what … stands for is not understood here'
    """
    words = [w if re.fullmatch(r"[a-z]{2,}[,.:]?|a", w) else "…" for w in re.split(r"; |\. Remedy", reason)[0].split()]
    return " ".join(w for w, before in zip(words, ["", *words], strict=False) if (w, before) != ("…", "…")).rstrip(".")


def report(found: dict[str, Any]) -> str:
    """Tables in Markdown: the shares, and why what is open is open."""
    head = ["documents", "claims", *(str(s) for s in WEAKEST_FIRST[:-1]), "decided"]
    lines = [f"Measured {datetime.date.today().isoformat()}.", "", f"| | {' | '.join(head)} |", "|---" * 10 + "|"]
    for name, judged in found.items():
        claims = len(judged) - len(judged.of(Status.DEFINITION))
        counts = [len(judged.of(s)) for s in WEAKEST_FIRST[:-1]]
        cells = [len(judged.files), claims, *counts, f"{100 * decided(judged):.1f} %"]
        lines.append(f"| {name} | {' | '.join(map(str, cells))} |")
    for name, judged in found.items():
        reasons = Counter(kind(j.verdict.reason) for j in judged.of(Status.UNDECIDED))
        lines += ["", f"Undecided in the {name}:", ""]
        lines += [f"- {count} × {reason}" for reason, count in reasons.most_common(REASONS)]
    return "\n".join(lines)
