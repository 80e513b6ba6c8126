"""How names are printed: tensors, symbols and indices, each as the field writes it.

`W1` is the W of layer 1, `y_hat` wears a hat, `eta` is Greek, `lr` is upright, and a bound index never shares its
visible name with another index of its formula.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import sympy

from symdl.core.indices import Index, indices_in
from symdl.core.tensors import Element

# fmt: off
GREEK = frozenset((
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu",
    "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Gamma", "Delta", "Theta",
    "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega",
))
# fmt: on
_LETTERS = {**{name: f"\\{name}" for name in GREEK}, "eps": r"\varepsilon", "ell": r"\ell", "lam": r"\lambda"}
#: Accents over one letter, and over a word or a square.
_ACCENTS = {
    "hat": (r"\hat", r"\widehat"),
    "bar": (r"\bar", r"\overline"),
    "tilde": (r"\tilde", r"\widetilde"),
    "dot": (r"\dot", r"\dot"),
}
#: Names with a digit that is a power, not a layer.
_SQUARES = frozenset(("sigma2",))
_STEM = re.compile(r"(.*?)([0-9]*)")


@dataclass(frozen=True)
class Name:
    """A printed name in its parts: accents are in the stem."""

    stem: str
    superscript: str = ""
    subscript: str = ""

    def tex(self, *subscripts: str) -> str:
        """The name with its subscripts."""
        inside = joined([s for s in (self.subscript, *subscripts) if s])
        return f"{self.stem}{_raised(self.superscript)}" + (f"_{{{inside}}}" if inside else "")


def parse_name(name: str, *, layered: bool, letters: Callable[[str], str] | None = None) -> Name:
    r"""The printed name of `name`.

    Where indices follow (`layered`), digits and words after the first are set above in parentheses, so that nobody
    takes them for an index: the layer of W1, the gate of W_f. Else they are a subscript.

    Args:
        name: as in code.
        layered: True for a tensor with indices.
        letters: how the first word is set; by default one letter as it is, a word upright.

    >>> parse_name("W1_bar", layered=True).tex("j", "i"), parse_name("beta1", layered=False).tex()
    ('\\bar{W}^{(1)}_{ji}', '\\beta_{1}')
    >>> parse_name("W_f", layered=True).tex("j", "i"), parse_name("sigma2_bar", layered=True).tex("n")
    ('W^{(f)}_{ji}', '\\overline{\\sigma^{2}}_{n}')
    >>> parse_name("y_hat", layered=True).tex("n"), parse_name("weight_decay", layered=False).tex()
    ('\\hat{y}_{n}', '\\mathrm{weight}_{\\mathrm{decay}}')
    """
    first, *suffixes = name.strip("_").split("_") if name.strip("_") else [name]
    word, digits = _split(first)
    stem, above = (letters or letter)(word), ""
    if first in _SQUARES:
        above, digits = "2", ""
    wide = above != "" or (len(word) > 1 and word not in _LETTERS)
    labels = [digits] if digits else []
    for suffix in suffixes:
        if suffix == "prime":
            above += r"\prime"
        elif suffix in _ACCENTS:
            stem, above = f"{_ACCENTS[suffix][wide]}{{{stem + _raised(above)}}}", ""
        else:
            labels += [letter(part) for part in _split(suffix) if part]
    if not layered:
        return Name(stem, above, joined(labels))
    return Name(stem, above + (f"({','.join(labels)})" if labels else ""))


def _raised(above: str) -> str:
    return f"^{{{above}}}" if above else ""


def _split(text: str) -> tuple[str, str]:
    match = _STEM.fullmatch(text)
    return (match[1], match[2]) if match and match[1] else (text, "")


def letter(word: str) -> str:
    r"""One letter as it is, a Greek name as its letter, a word upright.

    >>> letter("w"), letter("eta"), letter("lr")
    ('w', '\\eta', '\\mathrm{lr}')
    """
    if word in _LETTERS:
        return _LETTERS[word]
    return word if len(word) <= 1 else rf"\mathrm{{{word}}}"


def joined(parts: list[str]) -> str:
    """Subscripts side by side where that can be read, else with commas: `ji`, `10,j`, `n,u+r`."""
    if len(parts) > 1 and any(not re.fullmatch(r"([A-Za-z0-9]|\\[A-Za-z]+)'*", p) for p in parts):
        return ",".join(parts)
    text = ""
    for part in parts:
        text += (" " if re.search(r"\\[A-Za-z]+$", text) and part[0].isalpha() else "") + part
    return text


@dataclass(frozen=True)
class Scope:
    """The visible names of the indices at one place of a formula."""

    names: dict[Index, str] = field(default_factory=dict)

    @classmethod
    def of(cls, *expressions: sympy.Basic) -> Scope:
        """The scope of a formula made of `expressions`: its free indices, those of the left side first."""
        scope = cls()
        for expression in expressions:
            subscripts = expression.subscripts if isinstance(expression, Element) else ()
            found = dict.fromkeys(i for s in (*subscripts, expression) for i in indices_in(s))
            scope = scope.bind(i for i in found if i not in scope.names)
        return scope

    def bind(self, indices: Iterable[Index]) -> Scope:
        """The scope inside a reduction over `indices`, each with a name that no other index of the scope has."""
        names = dict(self.names)
        for index in indices:
            names[index] = _unused(index.name, set(names.values()))
        return Scope(names)

    def tex(self, index: Index) -> str:
        """The printed name of an index."""
        name = str(self.names.get(index, index.name))
        bare = name.rstrip("'")
        letters, digits = _split(bare)
        return letter(letters) + (f"_{{{digits}}}" if digits else "") + name[len(bare) :]


def _unused(name: str, taken: set[str]) -> str:
    """The name with as many primes as it takes: i, i', i''."""
    while name in taken:
        name += "'"
    return name
