r"""LaTeX formulas as people write them, read into a tree.

`parse` reads a formula whole or raises `UnreadError`; `latex` writes a tree as LaTeX again, `unicode` on one line.
What a notation leaves open stays open: f(x) is f next to (x), x^T has a T above it, and a scope decides.

>>> tree = parse(r"\hat{y}_i = \sigma(w_0 + \mathbf{w}^\top \mathbf{x}_i)")
>>> unicode(tree)
'ŷᵢ = σ(w₀ + 𝐰ᵀ𝐱ᵢ)'
>>> parse(latex(tree)) == tree
True
"""

from symdl.verification.notation.latex import latex
from symdl.verification.notation.parser import parse
from symdl.verification.notation.tree import Node
from symdl.verification.notation.unicode import unicode
from symdl.verification.notation.unread import UnreadError

__all__ = ["Node", "UnreadError", "latex", "parse", "unicode"]
