"""Names that Coq can take, made from names that people write: never the text of a name itself, unless it is harmless.

>>> names = Names()
>>> [names.of(sympy.Symbol(n, real=True)) for n in ("x", "λ", "y_hat", "lambda_", "exp", "x). Admitted. (*")]
['x', 'lambda', 'y_hat', 'v1', 'v2', 'v3']
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import sympy

_GREEK = dict(
    zip(
        "αβγδεζηθικλμνξπρστυφχψω",
        (
            *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu"),
            *("nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega"),
        ),
        strict=True,
    )
)
#: Names of variables that stay: no word of Coq's language, and no constant that the writer uses, is among them.
_VARIABLE = re.compile(r"[a-z][0-9]?|[a-z]_[a-z]+")
_WORDS = frozenset(_GREEK.values()) | {"lower", "upper", "value", "margin", "threshold"}
_FUNCTION = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
#: What a file uses beside its own functions, and words of Coq's language.
_TAKEN = frozenset(
    {
        *("exp", "ln", "sqrt", "sin", "cos", "erf", "tanh", "sinh", "cosh", "switch", "R", "PI", "INR", "IZR", "pow"),
        *("Derive", "RInt", "Rabs", "is_derive", "ex_derive", "locally", "pos", "same", "algebra", "switches"),
        *("as", "at", "cofix", "else", "end", "exists", "exists2", "fix", "for", "forall", "fun", "if", "IF", "in"),
        *("let", "match", "mod", "Prop", "return", "SProp", "Set", "then", "Type", "using", "where", "with", "by"),
        *("True", "False", "and", "or", "not", "eq", "nat", "Z", "bool", "true", "false", "relation", "named"),
    }
)


@dataclass
class Names:
    """The names of one file's variables; each symbol keeps the name that it was given first."""

    known: dict[sympy.Expr, str] = field(default_factory=dict)

    def of(self, symbol: sympy.Expr) -> str:
        """The name of a variable."""
        if symbol not in self.known:
            wanted = variable(str(getattr(symbol, "name", "")))
            used = set(self.known.values())
            fresh = (f"v{k}" for k in range(1, len(used) + 2))
            self.known[symbol] = wanted if wanted and wanted not in used else next(n for n in fresh if n not in used)
        return self.known[symbol]


def variable(name: str) -> str:
    """The name if it is harmless, a Greek letter by its word, and else nothing.

    >>> variable("β"), variable("alpha"), variable("R"), variable("in")
    ('beta', 'alpha', '', '')
    """
    plain = _GREEK.get(name, name.removesuffix("_"))
    return plain if plain in _WORDS or _VARIABLE.fullmatch(plain) else ""


def function(name: str, used: set[str]) -> str:
    """A name for a function that nothing else has.

    >>> function("sigmoid", set()), function("exp", set()), function("x", {"x_1"}), function("Admitted.", set())
    ('sigmoid', 'exp_1', 'x_2', 'function_1')
    """
    plain = name if _FUNCTION.fullmatch(name) else "function"
    if plain == name and plain not in _TAKEN | used and len(plain) > 2 and not variable(plain):
        return plain
    return next(n for k in range(1, len(used) + 2) if (n := f"{plain}_{k}") not in used)
