"""Deriving gradients: by full expansion and by the chain rule, as re-checkable steps."""
