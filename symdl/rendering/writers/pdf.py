"""LaTeX to PDF with the TeX that is on the machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from symdl.errors import MissingDependencyError, OutputError

ENGINES = ("pdflatex", "lualatex", "xelatex")
_SECONDS = 120


def to_pdf(source: str) -> bytes:
    """The PDF of a complete LaTeX document, made in a folder of its own without shell escape.

    Raises:
        MissingDependencyError: no TeX on this machine.
        OutputError: TeX stopped; the message holds its own words.
    """
    engine = next((found for name in ENGINES if (found := shutil.which(name))), None)
    if engine is None:
        raise MissingDependencyError(
            "no TeX is installed",
            where="writing a PDF",
            why=f"none of {', '.join(ENGINES)} is on the PATH",
            remedy="install TeX Live (apt install texlive-latex-recommended texlive-pictures lmodern), "
            "or write .html or .tex instead",
        )
    with tempfile.TemporaryDirectory(prefix="symdl-tex-") as folder:
        Path(folder, "document.tex").write_text(source, encoding="utf-8")
        command = [engine, "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "document.tex"]
        # paranoid: TeX may read and write in its own folder only
        environment = {**os.environ, "openout_any": "p", "max_print_line": "1000"}
        try:
            done = subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, timeout=_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise OutputError(
                f"{Path(engine).name} did not end within {_SECONDS} s", remedy="write .tex or .html"
            ) from None
        made = Path(folder, "document.pdf")
        if done.returncode != 0 or not made.exists():
            raise OutputError(
                f"{Path(engine).name} could not set the document",
                why=_excerpt(done.stdout.decode("utf-8", "replace")),
                remedy="write .tex and look at it, or write .html",
            )
        return made.read_bytes()


def _excerpt(log: str) -> str:
    """The lines of the log from the first error on."""
    lines = log.splitlines()
    start = next((k for k, line in enumerate(lines) if line.startswith("!") or re.search(r"Error", line)), -6)
    return " | ".join(line.strip() for line in lines[start:][:6] if line.strip())
