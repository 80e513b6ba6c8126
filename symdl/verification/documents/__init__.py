r"""Documents as people write them → formulas with their places, sections and words; nothing of them is understood yet.

>>> read_text("with $w_0 = 2$", "markdown").spans[0].latex
'w_0 = 2'
"""

from symdl.verification.documents.reading import read, read_text
from symdl.verification.documents.spans import Document, Pragma, Problem, Section, Span
from symdl.verification.documents.values import Stated, stated

__all__ = ["Document", "Pragma", "Problem", "Section", "Span", "Stated", "read", "read_text", "stated"]
