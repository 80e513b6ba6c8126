"""Deriving gradients: by full expansion and by the chain rule, as re-checkable steps."""

from symdl.derivation.derive import derive
from symdl.derivation.steps import RULES, Cost, Derivation, Partial, Step

__all__ = ["RULES", "Cost", "Derivation", "Partial", "Step", "derive"]
