"""An evaluator of the LaTeX that the printer emits, which knows nothing of SymPy.

It reads strictly: a sum, a maximum or a bare logarithm takes everything to its right up to the next + or −, so a
missing parenthesis changes the value.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Mapping

SIZES = {"n": 2, "i": 3, "j": 2}
PRINTED = {
    "x": "x",
    "t": "t",
    "W^{(1)}": "W1",
    "b": "b",
    "s^{(2)}": "s2",
    r"\hat{y}": "y_hat",
    r"\bar{t}": "t_bar",
    r"\eta": "eta",
}
REDUCE: dict[str, Callable[[list[float]], float]] = {
    "sum": math.fsum,
    "max": lambda values: max(values, default=-math.inf),
    "prod": math.prod,
}


def entry(name: str, at: tuple[int, ...]) -> float:
    """A fixed positive number for every element; the number t of L is never needed."""
    seed = sum(ord(c) * (k + 3) for k, c in enumerate(name)) + sum((k + 2) * 7 * (a + 1) for k, a in enumerate(at))
    return 0.4 + (seed * 37 % 101) / 80


TOKEN = re.compile(r"\\,|\\(?:left|right)\\?.|\\[A-Za-z]+|\\\\|[0-9]+(?:\.[0-9]+)?|'+|\S")
FUNCTIONS: dict[str, Callable[[float], float]] = {
    r"\log": math.log,
    r"\tanh": math.tanh,
    r"\exp": math.exp,
    r"\sigma": lambda x: 1 / (1 + math.exp(-x)),
    "sign": lambda x: (x > 0) - (x < 0),
}
RELATIONS: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "=": lambda a, b: a == b,
    r"\le": lambda a, b: a <= b,
    r"\ge": lambda a, b: a >= b,
}


class Reader:
    """A recursive descent over the LaTeX that the printer emits."""

    def __init__(self, text: str, at: Mapping[str, int]) -> None:
        self.tokens, self.place, self.at = TOKEN.findall(text), 0, dict(at)

    @property
    def next(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def take(self, expected: str = "") -> str:
        token = self.next
        assert token and (not expected or token == expected), f"{expected!r} expected, {token!r} found"
        self.place += 1
        return token

    def whole(self) -> float:
        value = self.sum()
        assert not self.next, f"left over: {self.tokens[self.place :]}"
        return value

    def sum(self) -> float:
        negative = self.next == "-" and bool(self.take())
        total = -self.product() if negative else self.product()
        while self.next in ("+", "-"):
            sign = -1 if self.take() == "-" else 1
            total += sign * self.product()
        return total

    def product(self) -> float:
        total = self.power()
        while (
            self.next
            and self.next not in ("+", "-", "}", ",", "&", "/", r"\\", r"\end", *RELATIONS)
            and not self.next.startswith(r"\right")
        ):
            dotted = self.next == r"\cdot" and bool(self.take())
            assert dotted or not self.next[0].isdigit(), "two numbers side by side"
            total *= self.power()
        return total

    def power(self) -> float:
        base = self.atom()
        return base ** self.group() if self.next == "^" and self.take() else base

    def group(self) -> float:
        """{…}, where 3/2 stands for a fraction."""
        self.take("{")
        value = self.sum()
        if self.next == "/":
            self.take()
            value /= self.sum()
        self.take("}")
        return value

    def raw(self) -> str:
        """The text of a {…} group."""
        self.take("{")
        depth, text = 1, ""
        while depth:
            token = self.take()
            depth += (token == "{") - (token == "}")
            text += token + (" " if token[0] == "\\" else "") if depth else ""
        return text.strip()

    def atom(self) -> float:
        token = self.take()
        if token[0].isdigit():
            return float(token)
        if token == r"\left(":
            value = self.sum()
            self.take(r"\right)")
            return value
        if token == r"\left|":
            value = abs(self.sum())
            self.take(r"\right|")
            return value
        if token == r"\left[":
            value = self.relation()
            self.take(r"\right]")
            return value
        if token == r"\frac":
            upper = self.group()
            return upper / self.group()
        if token == r"\sqrt":
            return math.sqrt(self.group())
        if token == "e":
            assert self.next == "^"
            return math.e
        if token in (r"\sum", r"\prod", r"\max") and self.next == "_":
            return self.reduce(token)
        if token == r"\max" or token == r"\min":
            return self.several(max if token == r"\max" else min)
        if token == r"\begin":
            return self.cases()
        if token == r"\operatorname":
            return self.call(FUNCTIONS[self.raw()])
        if token in FUNCTIONS:
            return self.call(FUNCTIONS[token])
        if token == r"\delta":
            self.take("_")
            a, b = self.subscripts(self.raw())
            return float(a == b)
        return self.name(token)

    def call(self, function: Callable[[float], float]) -> float:
        power = self.group() if self.next == "^" and self.take() else 1
        if self.next != r"\left(":  # a bare logarithm reaches to the end of its product
            assert power == 1
            return function(self.product())
        self.take()
        value = self.sum()
        self.take(r"\right)")
        return function(value) ** power

    def several(self, function: Callable[..., float]) -> float:
        self.take(r"\left(")
        values = [self.sum()]
        while self.next == ",":
            self.take()
            values.append(self.sum())
        self.take(r"\right)")
        return function(values)

    def relation(self) -> float:
        values, holds = [self.sum()], True
        while self.next in RELATIONS:
            test = RELATIONS[self.take()]
            values.append(self.sum())
            holds &= test(values[-2], values[-1])
        return float(holds)

    def cases(self) -> float:
        self.take("{")
        while self.take() != "}":
            pass
        chosen, more = 0.0, True
        while more:
            value = self.sum()
            self.take("&")
            chosen += value * self.relation()
            more = self.next == r"\\" and bool(self.take())
        self.take(r"\end")
        self.raw()
        return chosen

    def reduce(self, operator: str) -> float:
        self.take("_")
        names, conditions = beneath(self.raw())
        start, values = self.place, []
        outer = dict(self.at)
        assert not set(names) & set(outer), "a bound index shadows another"
        for point in itertools.product(*[range(SIZES[n.rstrip("'")]) for n in names]):
            self.place = start
            self.at = {**outer, **dict(zip(names, point, strict=True))}
            value = self.product()
            if all(Reader(c, self.at).relation() for c in conditions):
                values.append(value)
        self.at = outer
        return REDUCE[operator[1:]](values)

    def name(self, token: str) -> float:
        primes = self.take() if self.next.startswith("'") else ""
        if token + primes in self.at:
            return float(self.at[token + primes])
        if token.lower() in SIZES and token.isupper():
            return float(SIZES[token.lower()])
        stem = token + ("{" + self.raw() + "}" if token in (r"\hat", r"\bar") else "")
        if self.next == "^" and self.tokens[self.place + 2] == "(":
            self.take()
            stem += "^{" + self.raw() + "}"
        at: tuple[int, ...] = ()
        if self.next == "_":
            self.take()
            at = self.subscripts(self.raw())
        return entry(PRINTED[stem], at)

    def subscripts(self, text: str) -> tuple[int, ...]:
        parts = text.split(",") if "," in text else re.findall(r"[a-z]'*|[0-9]", text)
        return tuple(
            sum(
                (-1 if sign == "-" else 1) * (int(p) if p.isdigit() else self.at[p])
                for sign, p in re.findall(r"([+-]?)([a-z]'*|[0-9]+)", part)
            )
            for part in parts
        )


def beneath(text: str) -> tuple[list[str], list[str]]:
    """The indices and the conditions under an operator: `n,s \\le t` or `n,s:\\,2 s = t`, or these on lines."""
    if text.startswith(r"\substack"):
        first, *conditions = text.removeprefix(r"\substack {").removesuffix("}").split(r"\\")
    else:
        first, *conditions = text.split(r":\,")
    names = []
    for item in first.split(","):
        names.append(re.split(r"\\[lg]e|[<>=]", item)[0].strip())
        conditions += [item] if item.strip() != names[-1] else []
    return names, conditions


def read(text: str, at: Mapping[str, int]) -> float:
    return Reader(text, at).whole()
