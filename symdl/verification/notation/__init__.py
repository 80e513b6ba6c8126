"""LaTeX formulas as people write them, read into a tree.

>>> parse("w_0 = 2").sides[0].base.name
'w'
"""

from symdl.verification.notation.parser import parse
from symdl.verification.notation.tree import Node
from symdl.verification.notation.unread import UnreadError

__all__ = ["Node", "UnreadError", "parse"]
