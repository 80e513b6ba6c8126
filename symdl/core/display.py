"""How a result record shows itself, without knowing who prints it.

Records live below the rendering package, and imports run downward only. The package root names the parts
(`symdl.rendering`, loaded when first asked for); a record hands itself over to it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_ROOT = __name__.partition(".")[0]


class Displayed:
    """Gives a frozen record `.latex()`, `.markdown()`, `.html()` and its looks in a notebook."""

    def latex(self, **options: Any) -> str:
        """LaTeX of this record; `notation="matrix"` where a matrix form is recognised."""
        return str(_render("latex", self, options))

    def markdown(self, **options: Any) -> str:
        """Markdown with `$$…$$` blocks."""
        return str(_render("markdown", self, options))

    def html(self, **options: Any) -> str:
        """One self-contained HTML page, with MathML and no network."""
        return str(_render("html", self, options))

    def _repr_markdown_(self) -> str:
        return self.markdown()


def _render(verb: str, record: Displayed, options: dict[str, Any]) -> Any:
    return getattr(import_module(_ROOT).rendering, verb)(record, **options)
