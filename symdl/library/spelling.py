"""Names as people and other libraries write them: "Leaky ReLU", "Hardtanh", "mse", "KLDivLoss".

>>> known("Leaky ReLU", ["leaky_relu"]), known("KLDivLoss", ["kl_divergence"]), known("mse", ["l1", "l2"])
('leaky_relu', 'kl_divergence', 'l2')
>>> known("relu", ["relu"]), known("rely", ["relu"])
('relu', 'rely')
"""

from __future__ import annotations

from collections.abc import Iterable

from symdl.errors import DefinitionError

#: Other names than ours, without spaces, signs and capitals; "loss" at the end may be left out.
ALIASES = {
    "step": "binary_step",
    "heaviside": "binary_step",
    "linear": "identity",
    "logistic": "sigmoid",
    "sin": "sine",
    "gelunew": "gelu_tanh",
    "mae": "l1",
    "meanabsoluteerror": "l1",
    "mse": "l2",
    "meansquarederror": "l2",
    "pinball": "quantile",
    "bce": "binary_cross_entropy",
    "binarycrossentropywithlogits": "binary_cross_entropy_logits",
    "bcewithlogits": "binary_cross_entropy_logits",
    # PyTorch's is of scores, as Keras's `categorical_crossentropy` is of probabilities
    "crossentropyloss": "softmax_cross_entropy",
    "categoricalcrossentropy": "cross_entropy",
    "negativeloglikelihood": "nll",
    "contrastive": "info_nce",
    "kl": "kl_divergence",
    "kldiv": "kl_divergence",
    "kullbackleibler": "kl_divergence",
    "multilabelmargin": "multilabel_margin",
    "xavieruniform": "glorot_uniform",
    "xaviernormal": "glorot_normal",
    "kaiminguniform": "he_uniform",
    "kaimingnormal": "he_normal",
}


def known(name: str, names: Iterable[str]) -> str:
    """The one of `names` that is meant; `name` itself where none is."""
    by_letters = {_letters(n): n for n in names}
    if name in by_letters.values():
        return name
    bare = _letters(name)
    for form in (bare, bare.removesuffix("loss")):
        found = by_letters.get(form) or by_letters.get(_letters(ALIASES.get(form, "")))
        if form and found:
            return found
    return name


def refuse_taken(kind: str, name: str, names: Iterable[str]) -> None:
    """A new entry needs a name of its own, which is none by which the library's are found either.

    Raises:
        DefinitionError: it is the name of another.

    >>> refuse_taken("loss", "mse", ["l1", "l2"])
    Traceback (most recent call last):
    symdl.errors.DefinitionError: loss 'mse' is in the library, as l2. Remedy: choose another name.
    """
    held = list(names)
    found = known(name, held)
    if found in held:
        told = "" if found == name else f", as {found}"
        raise DefinitionError(f"{kind} '{name}' is in the library{told}", remedy="choose another name")


def _letters(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())
