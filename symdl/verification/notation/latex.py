r"""`latex`: a tree as LaTeX again, such that `parse(latex(tree)) == tree` for whatever `parse` returned.

>>> from symdl.verification.notation.parser import parse
>>> latex(parse(r"\tfrac12 \left(x_1+x_2\right)^2"))
'\\frac{1}{2} (x_{1} + x_{2})^{2}'
"""

from __future__ import annotations

from functools import singledispatch

from symdl.verification.notation import symbols as sym, tree
from symdl.verification.notation.layout import CONCLUDING
from symdl.verification.notation.tree import Node


def _reversed(*tables: dict[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for table in tables:
        for command, value in table.items():
            found.setdefault(value, f"\\{command}")
    return found


_NAMES = _reversed(sym.GREEK, sym.NAMES) | {"′": "\\prime", "↑": "\\uparrow", "↓": "\\downarrow"}
_OPS = {"*": "*", "/": "/", "·": "\\cdot", "∘": "\\circ", "⊙": "\\odot"} | {
    value: command for value, command in _reversed(sym.OPERATOR_COMMANDS).items() if value not in "*/·∘⊙"
}
_RELATIONS = {"=": "=", "<": "<", ">": ">", ":=": ":=", ":": ":", "=:": "=:"} | _reversed(sym.RELATION_COMMANDS)
_NEGATED = {value: key for key, value in sym.NEGATED.items() if value not in _RELATIONS}
_SIGNS = {"±": "\\pm", "∓": "\\mp"}
_FACES = {"bf": "mathbf", "rm": "mathrm", "it": "mathit", "cal": "mathcal", "bb": "mathbb", "sf": "mathsf"} | {
    "tt": "mathtt",
    "frak": "mathfrak",
    "scr": "mathscr",
}
_ACCENTS = {"ring": "mathring"}
_BRACKETS = {"{": "\\{", "}": "\\}", "⟨": "\\langle", "⟩": "\\rangle"}
_SEPARATORS = {"|": " \\mid ", "‖": " \\parallel ", ":": " : ", " ": " \\quad ", "\n": " \\\\ "}


def latex(node: Node) -> str:
    """A tree as LaTeX."""
    return _latex(node)


@singledispatch
def _latex(node: Node) -> str:
    raise TypeError(f"no LaTeX for {type(node).__name__}")


@_latex.register
def _(node: tree.Empty) -> str:
    return ""


@_latex.register
def _(node: tree.Number) -> str:
    return node.text


@_latex.register
def _(node: tree.Percent) -> str:
    return f"{latex(node.body)}\\%"


@_latex.register
def _(node: tree.Symbol) -> str:
    text = _name(node)
    for accent in node.accents:
        text = f"\\{_ACCENTS.get(accent, accent)}{{{text}}}"
    return text


def _name(node: tree.Symbol) -> str:
    name, face = node.name, node.face
    if face == "rm" and name in sym.WORDS:
        return (
            f"\\{name}"
            if name in sym.FUNCTIONS | sym.LIMITED and not name.startswith("argm")
            else f"\\mathrm{{{name}}}"
        )
    known = _NAMES.get(name) or _OPS.get(name) or _SIGNS.get(name) or _relation(name)
    if face in _FACES:
        return f"\\{_FACES[face] if not known else 'boldsymbol' if face == 'bf' else _FACES[face]}{{{known or name}}}"
    return known or name


def _relation(value: str) -> str:
    return _RELATIONS.get(value) or (f"\\not {_RELATIONS[_NEGATED[value]]}" if value in _NEGATED else "")


@_latex.register
def _(node: tree.Accented) -> str:
    command = {"bar": "overline", "hat": "widehat", "tilde": "widetilde", "vec": "overrightarrow"}.get(node.accent)
    return f"\\{command or _ACCENTS.get(node.accent, node.accent)}{{{latex(node.body)}}}"


@_latex.register
def _(node: tree.Scripted) -> str:
    base = latex(node.base)
    if isinstance(node.base, tree.Scripted) or (isinstance(node.base, tree.Noted) and node.base.kind.endswith("brace")):
        base = f"{{{base}}}"
    if isinstance(node.base, tree.Empty):
        base = "{}"
    if node.primes:
        base += "'" * node.primes
        base = f"{{{base}}}" if node.sup is not None else base
    return base + _scripts(node.sub, node.sup)


def _scripts(sub: Node | None, sup: Node | None) -> str:
    return (f"_{{{latex(sub)}}}" if sub is not None else "") + (f"^{{{latex(sup)}}}" if sup is not None else "")


@_latex.register
def _(node: tree.Sum) -> str:
    (sign, first), *rest = node.terms
    plain = sign == "+" and rest and not isinstance(first, tree.Sum)
    text = ("" if plain else _sign(sign)) + latex(first)
    return text + "".join(f" {_sign(s)} {latex(term)}" for s, term in rest)


def _sign(sign: str) -> str:
    return f"{_SIGNS[sign]} " if sign in _SIGNS else sign


@_latex.register
def _(node: tree.Product) -> str:
    parts = [latex(node.factors[0])]
    for op, factor in zip(node.ops, node.factors[1:], strict=True):
        parts += ([_OPS[op]] if op else []) + [latex(factor)]
    return " ".join(parts)


@_latex.register
def _(node: tree.Quotient) -> str:
    if node.slash:
        return f"{latex(node.over)} / {latex(node.under)}"
    return f"\\frac{{{latex(node.over)}}}{{{latex(node.under)}}}"


@_latex.register
def _(node: tree.Root) -> str:
    index = f"[{latex(node.index)}]" if node.index is not None else ""
    return f"\\sqrt{index}{{{latex(node.body)}}}"


@_latex.register
def _(node: tree.Binomial) -> str:
    return f"\\binom{{{latex(node.over)}}}{{{latex(node.under)}}}"


@_latex.register
def _(node: tree.Factorial) -> str:
    return f"{latex(node.body)}!"


@_latex.register
def _(node: tree.Group) -> str:
    return _bracketed(node.open, latex(node.body), node.close)


def _bracketed(first: str, inner: str, last: str) -> str:
    if first == "":
        return f"\\left. {inner} \\right{_BRACKETS.get(last, last)}"
    opening = _BRACKETS.get(first, first) + (" " if first == "⟨" else "")
    return opening + inner + (" " if last == "⟩" else "") + _BRACKETS.get(last, last)


@_latex.register
def _(node: tree.List) -> str:
    text = latex(node.items[0])
    for separator, item in zip(node.separators, node.items[1:], strict=True):
        text += _SEPARATORS.get(separator, f"{separator} ") + latex(item)
    return text


@_latex.register
def _(node: tree.Applied) -> str:
    return f"{_operator(node.function)}{'' if isinstance(node.argument, tree.Group) else ' '}{latex(node.argument)}"


def _operator(node: Node) -> str:
    if isinstance(node, tree.Scripted):
        primes = "'" * node.primes
        return _operator(node.base) + primes + _scripts(node.sub, node.sup)
    if isinstance(node, tree.Symbol) and node.face == "rm" and node.name not in sym.WORDS:
        return f"\\operatorname{{{node.name}}}"
    return latex(node)


@_latex.register
def _(node: tree.Big) -> str:
    command = {"E": "\\mathbb{E}"}.get(node.op) or (
        f"\\operatorname{{{node.op}}}" if node.op.startswith("argm") else f"\\{node.op}"
    )
    return f"{command}{_scripts(node.sub, node.sup)} {latex(node.body)}".rstrip()


@_latex.register
def _(node: tree.Derivative) -> str:
    sign = {"∂": "\\partial"}.get(node.kind, node.kind)
    if node.below and node.of is not None:
        return f"\\partial_{{{latex(node.by[0][0])}}} {latex(node.of)}"
    order = sum(times for _, times in node.by)
    letter = "" if node.letter is None else f"^{{{latex(node.letter)}}}"
    top = sign + (f"^{{{order}}}" if order > 1 else letter)
    under = " ".join(f"{sign} {latex(v)}" + (f"^{{{times}}}" if times > 1 else letter) for v, times in node.by)
    if node.of is None:
        return f"\\frac{{{top}}}{{{under}}}"
    if (isinstance(node.of, tree.Quotient) and node.of.slash) or (
        isinstance(node.of, tree.Product) and _sloped(node.of)
    ):
        return f"\\frac{{{top}}}{{{under}}} {latex(node.of)}"
    return f"\\frac{{{top} {latex(node.of)}}}{{{under}}}"


def _sloped(node: tree.Product) -> bool:
    """Whether a/b stands in a product: d before it would join the numerator."""
    return any(isinstance(factor, tree.Quotient) and factor.slash for factor in node.factors)


@_latex.register
def _(node: tree.Gradient) -> str:
    return f"\\nabla{_scripts(node.by, tree.Number('2') if node.order == 2 else None)} {latex(node.of)}"


@_latex.register
def _(node: tree.Evaluated) -> str:
    return f"\\left. {latex(node.body)} \\right|_{{{latex(node.at)}}}"


@_latex.register
def _(node: tree.Norm) -> str:
    return f"\\left\\| {latex(node.body)} \\right\\|"


@_latex.register
def _(node: tree.Abs) -> str:
    return f"\\left| {latex(node.body)} \\right|"


@_latex.register
def _(node: tree.Floor) -> str:
    return f"\\lfloor {latex(node.body)} \\rfloor"


@_latex.register
def _(node: tree.Ceil) -> str:
    return f"\\lceil {latex(node.body)} \\rceil"


@_latex.register
def _(node: tree.Matrix) -> str:
    rows = " \\\\ ".join(" & ".join(latex(cell) for cell in row) for row in node.rows)
    columns = f"{{{'c' * max(len(row) for row in node.rows)}}}" if node.kind == "array" else ""
    return f"\\begin{{{node.kind}}}{columns} {rows} \\end{{{node.kind}}}"


@_latex.register
def _(node: tree.Cases) -> str:
    rows = (f"{latex(value)} & {_condition(condition)}" for value, condition in node.rows)
    return "\\begin{cases} " + " \\\\ ".join(rows) + " \\end{cases}"


def _condition(node: Node | None) -> str:
    return "\\text{otherwise}" if node is None else f"\\text{{if }} {latex(node)}"


@_latex.register
def _(node: tree.Noted) -> str:
    body, note = latex(node.body), latex(node.note) if node.note is not None else ""
    if node.kind in ("underset", "overset"):
        return f"\\{node.kind}{{{note}}}{{{body}}}"
    if node.kind == "color" and isinstance(node.note, tree.Text):
        return f"\\textcolor{{{node.note.text}}}{{{body}}}"
    mark = {"underbrace": "_", "overbrace": "^"}.get(node.kind, "")
    return f"\\{node.kind}{{{body}}}" + (f"{mark}{{{note}}}" if note else "")


@_latex.register
def _(node: tree.Text) -> str:
    return f"\\text{{ {node.text} }}" if " " not in node.text else f"\\text{{{node.text}}}"


@_latex.register
def _(node: tree.Dots) -> str:
    return "\\dots"


@_latex.register
def _(node: tree.Chain) -> str:
    text = latex(node.sides[0])
    for relation, side in zip(node.relations, node.sides[1:], strict=True):
        text += f" {_relation(relation)} {latex(side)}"
    return text.strip()


@_latex.register
def _(node: tree.Statements) -> str:
    text = latex(node.items[0])
    for separator, item in zip(node.separators, node.items[1:], strict=True):
        between = _SEPARATORS.get(separator) or (f"{separator} " if separator in ",;" else f" {_between(separator)} ")
        text += between + latex(item)
    return text


def _between(separator: str) -> str:
    """The words between claims; two that met each get their own text."""
    if separator in _RELATIONS:
        between = _RELATIONS[separator]
        return between if separator in CONCLUDING else f"\\quad {between} \\quad"
    words = separator.split()
    if words[0] in _RELATIONS and len(words) > 1:
        return f"{_between(words[0])} {_between(' '.join(words[1:]))}"
    for cut in range(len(words), 0, -1):
        first = " ".join(words[:cut])
        if first.lower() in sym.CONNECTIVES | sym.OTHERWISE or cut == 1:
            rest = " ".join(words[cut:])
            return f"\\text{{ {first} }}" + (f" {_between(rest)}" if rest else "")
    return ""


__all__ = ["latex"]
