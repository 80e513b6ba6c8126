"""A reader of what the writer of Coq text writes, of its own: terms are evaluated by mpmath as Coq means them.

Precedences are those of Coq's scope of real numbers: ^ binds tighter than unary −, that tighter than * and /, and
these tighter than + and −; application binds tightest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import mpmath

_TOKEN = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*|\d+|[-+*/^()])")
_DEFINITION = re.compile(r"^Definition (\w+) \(([\w ]+) : R\) : R := (.*)\.$", re.MULTILINE)
_ERF = "2 / sqrt PI * RInt (fun t : R => exp (- t ^ 2)) 0 x"

Function = Callable[..., Any]


def functions(text: str) -> dict[str, Function]:
    """The functions that the definitions of a file make; switch and erf by what their definitions say."""
    known: dict[str, Function] = {
        "exp": mpmath.exp,
        "ln": mpmath.log,
        "sqrt": mpmath.sqrt,
        "sin": mpmath.sin,
        "cos": mpmath.cos,
        "switch": lambda c, b, a, w: b if c < 0 else a if c > 0 else (1 - w) * b + w * a,
    }
    for name, heads, body in _DEFINITION.findall(text):
        if name == "erf":
            assert body == _ERF
            known[name] = mpmath.erf
        elif name != "switch":
            known[name] = _function(heads.split(), body, known)
    return known


def _function(heads: list[str], body: str, known: Mapping[str, Function]) -> Function:
    return lambda *values: value(body, dict(zip(heads, values, strict=True)), known)


def value(text: str, numbers: Mapping[str, Any], known: Mapping[str, Function]) -> Any:
    """The number that a term stands for."""
    tokens, at = [], 0
    while at < len(text.rstrip()):
        found = _TOKEN.match(text, at)
        assert found, f"{text[at:]!r} is no token"
        tokens.append(found[1])
        at = found.end()
    reader = _Reader(tokens, numbers, known)
    result = reader.sum()
    assert not reader.tokens, reader.tokens
    return result


class _Reader:
    def __init__(self, tokens: list[str], numbers: Mapping[str, Any], known: Mapping[str, Function]) -> None:
        self.tokens, self.numbers, self.known = tokens, numbers, known

    def next_is(self, *tokens: str) -> bool:
        return bool(self.tokens) and self.tokens[0] in tokens

    def sum(self) -> Any:
        total = self.product()
        while self.next_is("+", "-"):
            sign, term = self.tokens.pop(0), self.product()
            total = total + term if sign == "+" else total - term
        return total

    def product(self) -> Any:
        total = self.opposite()
        while self.next_is("*", "/"):
            sign, factor = self.tokens.pop(0), self.opposite()
            total = total * factor if sign == "*" else total / factor
        return total

    def opposite(self) -> Any:
        if self.next_is("-"):
            self.tokens.pop(0)
            return -self.opposite()
        return self.power()

    def power(self) -> Any:
        base = self.application()
        if self.next_is("^"):
            self.tokens.pop(0)
            return base ** int(self.tokens.pop(0))
        return base

    def application(self) -> Any:
        if self.tokens[0] in self.known and self.tokens[0] not in self.numbers:
            function, arguments = self.known[self.tokens.pop(0)], []
            while self.tokens and not self.next_is("+", "-", "*", "/", "^", ")"):
                arguments.append(self.atom())
            return function(*arguments)
        return self.atom()

    def atom(self) -> Any:
        token = self.tokens.pop(0)
        if token == "(":
            inner = self.sum()
            assert self.tokens.pop(0) == ")"
            return inner
        if token.isdigit():
            return mpmath.mpf(int(token))
        return mpmath.pi if token == "PI" else self.numbers[token]
