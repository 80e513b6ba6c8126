r"""Names in LaTeX: w, w_0, \hat{y}_i, \mathbf{W}^{(1)}; and the names that functions are known by."""

from __future__ import annotations

import re

from symdl.library.activations import ACTIVATIONS

_GREEK = (
    "alpha|beta|gamma|delta|(?:var)?epsilon|zeta|eta|(?:var)?theta|iota|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|upsilon"
    "|(?:var)?phi|chi|psi|omega|Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Phi|Psi|Omega|ell"
)
_LETTER = rf"(?:\\(?:{_GREEK})(?![A-Za-z])|[A-Za-z])"
_FACE = r"\\(?:math(?:bf|rm|cal|sf|it|bb)|boldsymbol|bm|hat|tilde|bar|vec|widehat|widetilde|operatorname|text)"
_BASE = rf"(?:{_FACE}\s*\{{(?:[^{{}}]|\{{[^{{}}]*\}})*\}}|{_FACE}\s+{_LETTER}|{_LETTER})"
_SCRIPT = r"(?:\s*[_^]\s*(?:\{(?:[^{}]|\{[^{}]*\})*\}|[A-Za-z0-9*]|\\[A-Za-z]+)|')"
NAME = rf"{_BASE}{_SCRIPT}{{0,4}}"
"""A pattern for a name with its marks and scripts."""
_NAME = re.compile(NAME)

_SPOKEN = {
    "rectified linear unit": "relu",
    "rectifier": "relu",
    "logistic": "sigmoid",
    "logistic sigmoid": "sigmoid",
    "hyperbolic tangent": "tanh",
    "exponential linear unit": "elu",
    "sigmoid linear unit": "silu",
}
SPOKEN = {name.replace("_", " "): name for name in ACTIVATIONS} | {name: name for name in ACTIVATIONS} | _SPOKEN
"""Entry of the library by the words for it, in small letters."""
FUNCTION = "|".join(sorted(map(re.escape, SPOKEN), key=len, reverse=True))
"""A pattern for those words."""


def is_name(latex: str) -> bool:
    r"""Whether it is a name and nothing else.

    >>> is_name(r"\hat{y}_i"), is_name("w x"), is_name("f(x)")
    (True, False, False)
    """
    return len(latex) < 80 and _NAME.fullmatch(latex) is not None
