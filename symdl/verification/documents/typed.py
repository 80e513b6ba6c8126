"""Formulas as they are typed in plain text → LaTeX: x₁w₁, ∂L/∂w₀, (10 − 14)², w0 <= 2, e^-x, Σ_i, sqrt(x).

>>> latex_of("L = (10 − 14)² = 16")
'L = ( 10 - 14 )^{2} = 16'
>>> latex_of("∂L/∂w₀ = 2*sqrt(x1) - ŷ")
'\\\\frac{\\\\partial L}{\\\\partial w_{0}} = 2 * \\\\sqrt{x_{1}} - \\\\hat{y}'
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator


def _words(text: str) -> list[str]:
    return text.split()


DEEPEST = 20
_GREEK = dict(
    zip(
        "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩϵϑϕ",
        _words(
            "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau "
            "upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega epsilon vartheta phi"
        ),
        strict=True,
    )
)
_SIGNS = {
    "·": r"\cdot", "⋅": r"\cdot", "×": r"\times", "⊙": r"\odot", "∘": r"\circ", "⊗": r"\otimes", "÷": "/", "−": "-",
    "–": "-", "±": r"\pm", "∓": r"\mp", "≈": r"\approx", "≤": r"\le", "≥": r"\ge", "≠": r"\ne", "≡": r"\equiv",
    "∈": r"\in", "∼": r"\sim", "∝": r"\propto", "←": r"\leftarrow", "→": r"\to", "∞": r"\infty", "…": r"\dots",
    "∑": r"\sum", "∏": r"\prod", "∫": r"\int", "∂": r"\partial", "∇": r"\nabla", "ℝ": r"\mathbb{R}", "ℓ": r"\ell",
    "⊤": r"\top", "′": "'", "″": "''", "‖": r"\|", "⌊": r"\lfloor", "⌋": r"\rfloor", "⌈": r"\lceil", "⌉": r"\rceil",
    "½": r"\frac{1}{2}", "¼": r"\frac{1}{4}", "⅓": r"\frac{1}{3}", "%": r"\%", "<=": r"\le", ">=": r"\ge",
    "!=": r"\ne", "==": "=", ":=": ":=", "<-": r"\leftarrow", "~=": r"\approx", "**": "^", "...": r"\dots",
    "{": r"\{", "}": r"\}",
}  # fmt: skip
_LOW = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", "0123456789+-=()aehijklmnoprstuvx", strict=True))
_HIGH = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁱⁿˡᵏˣʸᵗⁿ", "0123456789+-=()inlkxytn", strict=True)) | {"ᵀ": r"\top"}
_ACCENTS = {"\u0302": "hat", "\u0303": "tilde", "\u0304": "bar", "\u0305": "bar", "\u0307": "dot", "\u20d7": "vec"}
FUNCTIONS = frozenset(_words("exp log ln sin cos tan sinh cosh tanh max min det lim argmax argmin"))
"""Names that LaTeX has a command for."""
NAMED = frozenset(_words("sigmoid softmax softplus relu ReLU sign sgn var Var mean std tr diag norm"))
"""Names of functions that are set upright."""
GREEK_NAMES = frozenset(_GREEK.values())

_MARKS = "".join(_ACCENTS)
_LOWS, _HIGHS = "".join(_LOW), "".join(_HIGH)
LETTER = rf"(?![{_LOWS}{_HIGHS}])[^\W\d_](?:[{_MARKS}])*"
TOKEN = re.compile(
    rf"""
      (?P<command>\\[A-Za-z]+|\\.)
    | (?P<number>(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?(?![A-Za-z]*\()|\.?\d+)
    | (?P<low>[{_LOWS}]+)
    | (?P<high>[{_HIGHS}]+)
    | (?P<word>(?:{LETTER})+\d*)
    | (?P<sign><=|>=|!=|==|:=|<-|~=|\*\*|\.\.\.|[^\s\w])
    | (?P<under>_)
    | (?P<space>\s+)
    """,
    re.VERBOSE,
)
DERIVATIVE = re.compile(
    rf"(?P<d>[d∂])(?P<order>[²³]|\^[23])?(?P<of>(?:{LETTER})?(?:[{_LOWS}]+|_\w+|\d+)?)\s*/\s*"
    rf"(?P=d)(?P<by>{LETTER}(?:[{_LOWS}]+|_[^\W²³]+|\d+)?)(?(order)(?P=order))(?!\w)"
)
"""∂L/∂w₀ and d²L/dw²."""


def latex_of(typed: str, depth: int = 0) -> str:
    """The formula in LaTeX, a blank between its parts; `depth` is how many brackets it stands in."""
    if depth > DEEPEST:
        return typed
    return " ".join(" ".join(_parts(_apart(typed), depth)).split()).replace(" _", "_").replace(" ^", "^")


def _apart(text: str) -> str:
    """With ŷ as y and a mark, and so for each mark that LaTeX has a command for."""
    letters = (unicodedata.normalize("NFD", one) for one in unicodedata.normalize("NFC", text))
    return "".join(
        one if all(mark in _ACCENTS for mark in one[1:]) else unicodedata.normalize("NFC", one) for one in letters
    )


def _parts(text: str, depth: int) -> Iterator[str]:
    at = 0
    while at < len(text):
        if derivative := DERIVATIVE.match(text, at):
            d = r"\partial " if derivative["d"] == "∂" else "d"
            order = (derivative["order"] or "").lstrip("^")
            power = f"^{{{_HIGH.get(order, order)}}}" if order else ""
            first = f"{d.strip()}{power} " if power else d
            yield rf"\frac{{{first}{_name(derivative['of'])}}}{{{d}{_name(derivative['by'])}{power}}}"
            at = derivative.end()
            continue
        found = TOKEN.match(text, at)
        if found is None:  # such as a mark without a letter below it, for the reader of LaTeX to refuse
            yield text[at]
            at += 1
            continue
        part, at = _part(found, text, depth)
        yield part


def _part(found: re.Match[str], text: str, depth: int) -> tuple[str, int]:
    """One token, with what belongs to it, and where that ends."""
    word, end = found[0], found.end()
    match found.lastgroup:
        case "low":
            return _script("_", "".join(_LOW[c] for c in word)), end
        case "high":
            return _script("^", "".join(_HIGH[c] for c in word)), end
        case "under":
            return _typed_script("_", text, end, depth)
        case "sign" if word in {"^", "**"}:
            return _typed_script("^", text, end, depth)
        case "sign" if word == "√":
            return _root(text, end, depth)
        case "sign":
            return _SIGNS.get(word, word), end
        case "word" if word in {"sqrt", "abs"} and text.startswith("(", end):
            inner, stop = _bracketed(text, end)
            shown = latex_of(inner, depth + 1)
            return rf"\sqrt{{{shown}}}" if word == "sqrt" else rf"\left| {shown} \right|", stop
        case "word" if word in {"Σ", "Π"} and re.match(rf"\s*[_({_LOWS}]|\s+\w", text[end : end + 3]):
            return r"\sum" if word == "Σ" else r"\prod", end
        case "word" if word in {"sum", "prod"}:
            return f"\\{word}", end
        case "word":
            return _name(word), end
    return word, end


def _name(word: str) -> str:
    """A name: x, x1, ŷ, θ, exp, lr."""
    plain = re.match(rf"((?:{LETTER})*)(?:_?(\w*))\Z", word)
    letters, script = (plain[1], plain[2]) if plain else (word, "")
    script = "".join(_LOW.get(c, c) for c in script)
    if letters in FUNCTIONS or letters in GREEK_NAMES:
        shown = f"\\{letters}"
    elif len(unicodedata.normalize("NFC", letters)) <= 1 or letters == "":
        shown = _letter(letters)
    elif letters in NAMED:
        shown = rf"\operatorname{{{letters}}}"
    elif letters.isascii():
        shown = rf"\mathrm{{{letters}}}"
    else:  # several letters with marks, or Greek: a product of them
        shown = " ".join(_letter(one[0]) for one in re.finditer(LETTER, letters))
    return shown + (_script("_", script) if script else "")


def _letter(letter: str) -> str:
    base, marks = letter[:1], letter[1:]
    shown = f"\\{_GREEK[base]}" if base in _GREEK else _SIGNS.get(base, base)
    for mark in marks:
        shown = rf"\{_ACCENTS[mark]}{{{shown}}}"
    return shown


def _script(sign: str, inner: str) -> str:
    if sign == "_" and len(inner) > 2 and inner.isalpha() and inner.isascii():
        inner = rf"\mathrm{{{inner}}}"
    return f"{sign}{{{inner}}}"


def _typed_script(sign: str, text: str, at: int, depth: int) -> tuple[str, int]:
    """What follows a ^ or _ that was typed: a bracket, or one number or name with its sign."""
    while text.startswith(" ", at):
        at += 1
    if text.startswith(("(", "{"), at):
        inner, end = _bracketed(text, at)
        # W^(1) is a layer, e^(-x) a power: brackets around a number or a letter are meant
        kept = sign == "^" and text[at] == "(" and re.fullmatch(r"\d+|[a-zA-Z]", inner) and not text[:at].endswith("e^")
        return f"{sign}{{{f'({inner})' if kept else latex_of(inner, depth + 1)}}}", end
    found = re.compile(rf"[-−]?(?:\d+(?:\.\d+)?|\w(?:[{_MARKS}])*\w*|\*)").match(text, at)
    if not found:
        return "", at
    inner, end = found[0], found.end()
    if sign == "^" and inner in {"T", "*"}:
        return f"^{inner}", end
    if sign == "_" and inner.isalnum() and inner.isascii():
        return _script("_", inner), end
    return f"{sign}{{{latex_of(inner, depth + 1)}}}", end


def _root(text: str, at: int, depth: int) -> tuple[str, int]:
    if text.startswith("(", at):
        inner, end = _bracketed(text, at)
        return rf"\sqrt{{{latex_of(inner, depth + 1)}}}", end
    found = TOKEN.match(text, at)
    return (rf"\sqrt{{{latex_of(found[0], depth + 1)}}}", found.end()) if found else (r"\sqrt{}", at)


def _bracketed(text: str, at: int) -> tuple[str, int]:
    """The inside of the bracket that opens at `at`, and where it ends; the rest of the text if it never does."""
    closing = {"(": ")", "{": "}"}[text[at]]
    depth = 0
    for place in range(at, len(text)):
        depth += (text[place] == text[at]) - (text[place] == closing)
        if depth == 0:
            return text[at + 1 : place], place + 1
    return text[at + 1 :], len(text)
