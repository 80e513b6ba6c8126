"""The text that the character model learns from: this repository's own documentation, docstrings included."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parent.parent

#: Characters that occur less often than this share one id.
RARE = 20
UNKNOWN = "\ufffd"


def text() -> str:
    """Every Markdown file outside of hidden folders, then every docstring of the package, in a fixed order."""
    pages = [p for p in sorted(ROOT.rglob("*.md")) if not _hidden(p) and "golden" not in p.parts]
    parts = [p.read_text(encoding="utf-8") for p in pages if p.parts[len(ROOT.parts)] != "out"]
    for source in sorted((ROOT / "symdl").rglob("*.py")):
        tree = ast.parse(source.read_text(encoding="utf-8"))
        holders = [n for n in ast.walk(tree) if isinstance(n, ast.Module | ast.ClassDef | ast.FunctionDef)]
        parts += [d for n in holders if (d := ast.get_docstring(n))]
    return "\n\n".join(parts)


def _hidden(path: Path) -> bool:
    return any(p.startswith(".") for p in path.relative_to(ROOT).parts)


def encoded(characters: str) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Ids of the characters, and the vocabulary; rare ones are `UNKNOWN`."""
    counts = Counter(characters)
    vocabulary = [*sorted(c for c, n in counts.items() if n >= RARE), UNKNOWN]
    place = {c: k for k, c in enumerate(vocabulary)}
    return np.array([place.get(c, len(vocabulary) - 1) for c in characters], np.int64), vocabulary


def windows(ids: npt.NDArray[Any], length: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The text cut into rows of `length` ids, and the same rows one character later."""
    rows = (len(ids) - 1) // length
    return ids[: rows * length].reshape(rows, length), ids[1 : rows * length + 1].reshape(rows, length)
