r"""`unicode`: a tree on one line, as people read it.

>>> from symdl.verification.notation.parser import parse
>>> unicode(parse(r"\frac{\partial L}{\partial w_0} = \sum_{i=1}^n x_i^2"))
'∂L/∂w₀ = ∑ᵢ₌₁ⁿ xᵢ²'
"""

from __future__ import annotations

import unicodedata
from functools import singledispatch

from symdl.verification.notation import symbols as sym, tree
from symdl.verification.notation.tree import Node

_ABOVE = {v: k for k, v in reversed(sym.SUPERSCRIPTS.items())} | {"⊤": "ᵀ", "*": "*", "−": "⁻", "′": "′"}
_BELOW = {v: k for k, v in reversed(sym.SUBSCRIPTS.items())} | {"−": "₋"}
_COMBINING = {
    "hat": "\u0302",
    "bar": "\u0304",
    "tilde": "\u0303",
    "vec": "\u20d7",
    "dot": "\u0307",
    "ddot": "\u0308",
    "dddot": "\u20db",
    "check": "\u030c",
    "breve": "\u0306",
    "acute": "\u0301",
    "grave": "\u0300",
    "ring": "\u030a",
    "underline": "\u0332",
}
#: Where the letters A and a of each face begin, and the digit 0.
_STARTS = {"bf": (0x1D400, 0x1D41A, 0x1D7CE), "bb": (0x1D538, 0x1D552, 0x1D7D8), "cal": (0x1D4D0, 0x1D4EA, 0)} | {
    "scr": (0x1D4D0, 0x1D4EA, 0),
    "frak": (0x1D56C, 0x1D586, 0),
}
_DOUBLE = {"C": "ℂ", "H": "ℍ", "N": "ℕ", "P": "ℙ", "Q": "ℚ", "R": "ℝ", "Z": "ℤ"}
_GREEK_BOLD = (0x1D6A8, 0x1D6C2)
_BIG = {"sum": "∑", "prod": "∏", "int": "∫", "iint": "∬", "iiint": "∭", "oint": "∮", "E": "𝔼", "bigcup": "⋃"} | {
    "bigcap": "⋂",
    "bigoplus": "⨁",
    "bigotimes": "⨂",
    "coprod": "∐",
    "bigvee": "⋁",
    "bigwedge": "⋀",
    "argmax": "arg max",
    "argmin": "arg min",
}
_ATOMS = (tree.Symbol, tree.Number, tree.Scripted, tree.Group, tree.Abs, tree.Norm, tree.Floor, tree.Ceil, tree.Dots)


def unicode(node: Node) -> str:
    """A tree on one line."""
    return " ".join(_text(node).split())


@singledispatch
def _text(node: Node) -> str:
    raise TypeError(f"no text for {type(node).__name__}")


@_text.register
def _(node: tree.Empty) -> str:
    return ""


@_text.register
def _(node: tree.Number) -> str:
    return node.text


@_text.register
def _(node: tree.Percent) -> str:
    return f"{_text(node.body)} %"


@_text.register
def _(node: tree.Symbol) -> str:
    text = "".join(_faced(char, node.face) for char in node.name)
    for accent in node.accents:
        text += _COMBINING.get(accent, "")
    return unicodedata.normalize("NFC", text)


def _faced(char: str, face: str) -> str:
    """A letter in a typeface, where there is one."""
    if face == "bb" and char in _DOUBLE:
        return _DOUBLE[char]
    if face == "bf" and "Α" <= char <= "ω" and char.isalpha():
        return chr(_GREEK_BOLD[char.islower()] + ord(char) - ord("α" if char.islower() else "Α"))
    if face not in _STARTS or not char.isascii() or not char.isalnum():
        return char
    upper, lower, digit = _STARTS[face]
    if char.isdigit():
        return chr(digit + int(char)) if digit else char
    return chr(upper + ord(char) - ord("A")) if char.isupper() else chr(lower + ord(char) - ord("a"))


@_text.register
def _(node: tree.Accented) -> str:
    return f"({_text(node.body)}){_COMBINING.get(node.accent, '')}"


@_text.register
def _(node: tree.Scripted) -> str:
    base = _text(node.base) if isinstance(node.base, (*_ATOMS, tree.Applied, tree.Empty)) else f"({_text(node.base)})"
    return base + "′" * node.primes + _scripts(node.sub, node.sup)


def _scripts(sub: Node | None, sup: Node | None) -> str:
    return _script(sub, _BELOW, "_") + _script(sup, _ABOVE, "^")


def _script(node: Node | None, table: dict[str, str], mark: str) -> str:
    """Small characters where all of it has them, else _(…) and ^(…)."""
    if node is None:
        return ""
    text = unicode(node)
    small = text.replace(" ", "")
    if small and all(char in table for char in small) and len(small) <= 9:
        return "".join(table[char] for char in small)
    bare = isinstance(node, (tree.Symbol, tree.Number, tree.Group))
    return f"{mark}{text}" if bare else f"{mark}({text})"


@_text.register
def _(node: tree.Sum) -> str:
    (sign, first), *rest = node.terms
    plain = sign == "+" and rest and not isinstance(first, tree.Sum)
    text = ("" if plain else _sign(sign)) + _text(first)
    return text + "".join(f" {_sign(s)} {_text(term)}" for s, term in rest)


def _sign(sign: str) -> str:
    return "−" if sign == "-" else sign


@_text.register
def _(node: tree.Product) -> str:
    text = _text(node.factors[0])
    for i, op in enumerate(node.ops):
        before, after = node.factors[i], node.factors[i + 1]
        text += f" {op} " if op else "" if _touching(before, after) else " "
        text += _text(after)
    return text


def _touching(before: Node, after: Node) -> bool:
    """Whether two factors read as two with nothing between them: 2x, wx, f(x)."""
    first = before.base if isinstance(before, tree.Scripted) else before
    second = after.base if isinstance(after, tree.Scripted) else after
    if isinstance(second, tree.Group):
        return not isinstance(first, (tree.Big, tree.Text, tree.Quotient, tree.Derivative))
    short = isinstance(first, (tree.Number, tree.Group)) or (isinstance(first, tree.Symbol) and len(first.name) == 1)
    return short and isinstance(second, tree.Symbol) and len(second.name) == 1


@_text.register
def _(node: tree.Quotient) -> str:
    return f"{_part(node.over)}/{_part(node.under, under=True)}"


def _part(node: Node, *, under: bool = False) -> str:
    """A numerator or denominator; in brackets unless it reads as one thing."""
    plain = (*_ATOMS, tree.Percent, tree.Factorial, tree.Root, tree.Applied)
    if isinstance(node, plain) or (not under and isinstance(node, tree.Product) and _simple(node)):
        return _text(node)
    if isinstance(node, tree.Product) and _called(node):
        return _text(node)
    return f"({_text(node)})"


def _called(node: tree.Product) -> bool:
    """f(x) and nothing else."""
    first, *rest = node.factors
    return isinstance(first, (tree.Symbol, tree.Scripted)) and len(rest) == 1 and isinstance(rest[0], tree.Group)


def _simple(node: tree.Product) -> bool:
    return not any(node.ops) and all(isinstance(factor, _ATOMS) for factor in node.factors)


@_text.register
def _(node: tree.Root) -> str:
    index = "" if node.index is None else _script(node.index, _ABOVE, "^")
    bare = isinstance(node.body, _ATOMS) and not (isinstance(node.body, tree.Scripted) and node.body.sup is not None)
    return f"{index}√{_text(node.body)}" if bare else f"{index}√({_text(node.body)})"


@_text.register
def _(node: tree.Binomial) -> str:
    return f"C({_text(node.over)}, {_text(node.under)})"


@_text.register
def _(node: tree.Factorial) -> str:
    return f"{_text(node.body)}!" if isinstance(node.body, _ATOMS) else f"({_text(node.body)})!"


@_text.register
def _(node: tree.Group) -> str:
    return f"{node.open}{_text(node.body)}{node.close}"


@_text.register
def _(node: tree.List) -> str:
    text = _text(node.items[0])
    for separator, item in zip(node.separators, node.items[1:], strict=True):
        text += {"|": " | ", "‖": " ‖ ", ":": ":"}.get(separator, f"{separator} ") + _text(item)
    return text


@_text.register
def _(node: tree.Applied) -> str:
    between = "" if isinstance(node.argument, (tree.Group, tree.Abs, tree.Norm)) else " "
    return f"{_text(node.function)}{between}{_text(node.argument)}"


@_text.register
def _(node: tree.Big) -> str:
    between = "" if node.op == "E" and isinstance(node.body, tree.Group) else " "
    return f"{_BIG.get(node.op, node.op)}{_scripts(node.sub, node.sup)}{between}{_text(node.body)}"


@_text.register
def _(node: tree.Derivative) -> str:
    if node.below and node.of is not None:
        return f"∂{_script(node.by[0][0], _BELOW, '_')} {_text(node.of)}"
    order = sum(times for _, times in node.by)
    letter = "" if node.letter is None else _script(node.letter, _ABOVE, "^")
    top = node.kind + (_script(tree.Number(str(order)), _ABOVE, "^") if order > 1 else letter)
    under = " ".join(
        node.kind + _part(v) + (_script(tree.Number(str(times)), _ABOVE, "^") if times > 1 else letter)
        for v, times in node.by
    )
    if len(node.by) > 1:
        under = f"({under})"
    if node.of is None:
        return f"{top}/{under}"
    if isinstance(node.of, _ATOMS) or (isinstance(node.of, tree.Product) and _simple(node.of)):
        return f"{top}{_text(node.of)}/{under}"
    return f"{top}/{under} [{_text(node.of)}]"


@_text.register
def _(node: tree.Gradient) -> str:
    order = "²" if node.order == 2 else ""
    return f"∇{_script(node.by, _BELOW, '_')}{order}{' ' if node.by is not None else ''}{_text(node.of)}"


@_text.register
def _(node: tree.Evaluated) -> str:
    return f"{_text(node.body)} at {_text(node.at)}"


@_text.register
def _(node: tree.Norm) -> str:
    return f"‖{_text(node.body)}‖"


@_text.register
def _(node: tree.Abs) -> str:
    return f"|{_text(node.body)}|"


@_text.register
def _(node: tree.Floor) -> str:
    return f"⌊{_text(node.body)}⌋"


@_text.register
def _(node: tree.Ceil) -> str:
    return f"⌈{_text(node.body)}⌉"


@_text.register
def _(node: tree.Matrix) -> str:
    rows = "; ".join(", ".join(_text(cell) for cell in row) for row in node.rows)
    return {"vmatrix": f"|{rows}|", "Vmatrix": f"‖{rows}‖", "pmatrix": f"({rows})"}.get(node.kind, f"[{rows}]")


@_text.register
def _(node: tree.Cases) -> str:
    rows = (f"{_text(v)} {'otherwise' if c is None else 'if ' + _text(c)}" for v, c in node.rows)
    return "{" + "; ".join(rows) + "}"


@_text.register
def _(node: tree.Noted) -> str:
    return _text(node.body)


@_text.register
def _(node: tree.Text) -> str:
    return f" {node.text} "


@_text.register
def _(node: tree.Dots) -> str:
    return "…"


@_text.register
def _(node: tree.Chain) -> str:
    text = _text(node.sides[0])
    for relation, side in zip(node.relations, node.sides[1:], strict=True):
        text += f" {relation} {_text(side)}"
    return text


@_text.register
def _(node: tree.Statements) -> str:
    text = _text(node.items[0])
    for separator, item in zip(node.separators, node.items[1:], strict=True):
        between = {" ": ";  ", "\n": ";  "}.get(separator, f"{separator} " if separator in ",;" else f" {separator} ")
        text += between + _text(item)
    return text
