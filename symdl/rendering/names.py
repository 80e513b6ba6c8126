"""How names are printed: tensors, symbols and indices, each as the field writes it.

`W1` is the W of layer 1, `y_hat` wears a hat, `eta` is Greek, `lr` is upright, and a bound index never shares its
visible name with another index of its formula.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

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
_ACCENTS = {"hat": r"\hat", "bar": r"\bar", "tilde": r"\tilde", "dot": r"\dot", "prime": ""}
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
        upper = f"^{{{self.superscript}}}" if self.superscript else ""
        return f"{self.stem}{upper}" + (f"_{{{inside}}}" if inside else "")


def parse_name(name: str, *, layered: bool) -> Name:
    r"""The printed name of `name`; digits are a layer where `layered`, else a subscript.

    >>> parse_name("W1_bar", layered=True).tex("j", "i"), parse_name("beta1", layered=False).tex()
    ('\\bar{W}^{(1)}_{ji}', '\\beta_{1}')
    >>> parse_name("y_hat", layered=True).tex("n"), parse_name("weight_decay", layered=False).tex()
    ('\\hat{y}_{n}', '\\mathrm{weight}_{\\mathrm{decay}}')
    """
    first, *suffixes = name.strip("_").split("_") if name.strip("_") else [name]
    letters, digits = _split(first)
    found = Name(letter(letters), *(("(" + digits + ")", "") if layered and digits else ("", digits)))
    for suffix in suffixes:
        word, number = _split(suffix)
        if word == "prime":
            found = replace(found, superscript=found.superscript + r"\prime")
        elif word in _ACCENTS:
            found = replace(found, stem=f"{_ACCENTS[word]}{{{found.stem}}}")
        elif word:
            found = replace(found, subscript=joined([s for s in (found.subscript, letter(word)) if s]))
        if number:
            key = "superscript" if layered else "subscript"
            value = f"({number})" if layered else number
            found = replace(found, **{key: joined([s for s in (getattr(found, key), value) if s])})
    return found


def _split(text: str) -> tuple[str, str]:
    match = _STEM.fullmatch(text)
    return (match[1], match[2]) if match and match[1] else (text, "")


def letter(word: str) -> str:
    r"""One letter as it is, a Greek name as its letter, a word upright.

    >>> letter("w"), letter("eta"), letter("lr")
    ('w', '\\eta', '\\mathrm{lr}')
    """
    if word in GREEK:
        return f"\\{word}"
    if word == "eps":
        return r"\varepsilon"
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
