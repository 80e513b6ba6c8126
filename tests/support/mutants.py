"""Right derivations, and what small slips make of them: each slip that changes a value has to be found.

Whether it changes one is decided by `support.formulas`, a second reader that works in numbers at random points.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import mpmath
from mpmath import mpf

from support.formulas import Numbers, Unknown
from symdl.verification.judging.edits import edits, scaled
from symdl.verification.judging.links import Judge
from symdl.verification.meaning.rounding import rounding_of
from symdl.verification.meaning.statements import Meaning, Place, Reading
from symdl.verification.meaning.usage import usage_of
from symdl.verification.notation import UnreadError, latex, parse, tree
from symdl.verification.verdict import Verdict, Witness

SIZES = {"i": 3, "j": 2, "k": 2}
#: Values closer than this are taken for equal; derivatives by differences are good to about half of 50 digits.
CLOSE = mpf(10) ** -15


@dataclass(frozen=True)
class Lesson:
    """Definitions, and claims that follow from them.

    Args:
        definitions: LaTeX, in order.
        shapes: of the names that are given: () for a number, (3,) for a list.
        defined: the same definitions in Python: from what is given so far to the value.
        claims: LaTeX, all right.
        axes: the letters that subscript each list.
    """

    definitions: tuple[str, ...]
    shapes: dict[str, tuple[int, ...]]
    defined: dict[str, Callable[[dict[str, Any]], Any]]
    claims: tuple[str, ...]
    axes: dict[str, str] = field(default_factory=dict)


def _function(f):
    f.of_one = True
    return f


def _sigmoid(x):
    return 1 / (1 + mpmath.exp(-x))


LESSONS = (
    Lesson(
        (r"a(x) = \frac{1}{1 + e^{-x}}",),
        {"x": (), "y": ()},
        {"a": lambda g: _function(_sigmoid)},
        (
            r"a'(x) = a(x) (1 - a(x))",
            r"a'(x) = \frac{e^{-x}}{(1 + e^{-x})^2}",
            r"a''(x) = a(x) (1 - a(x)) (1 - 2 a(x))",
            r"\frac{da}{dx} = a(x) - a(x)^2",
            r"a(-x) = 1 - a(x)",
            r"a(x) = \frac{1 + \tanh(\frac{x}{2})}{2}",
            r"\frac{d}{dx} \log(1 + e^x) = a(x)",
            r"a(x) = \frac{e^x}{e^x + 1}",
            r"\tanh x = 2 a(2 x) - 1",
        ),
    ),
    Lesson(
        (r"g(x) = x \tanh(\log(1 + e^x))",),
        {"x": (), "y": ()},
        {"g": lambda g: _function(lambda x: x * mpmath.tanh(mpmath.log(1 + mpmath.exp(x))))},
        (
            r"g'(x) = \tanh(\log(1 + e^x)) + x (1 - \tanh^2(\log(1 + e^x))) \frac{e^x}{1 + e^x}",
            r"\frac{dg}{dx} = \frac{g(x)}{x} + x (1 - \frac{g(x)^2}{x^2}) \frac{1}{1 + e^{-x}}",
        ),
    ),
    Lesson(
        (r"s = w x + b", r"h = \tanh(s)", r"L = \frac{1}{2} (h - t)^2"),
        {"w": (), "x": (), "b": (), "t": ()},
        {
            "s": lambda g: lambda: g["w"]() * g["x"]() + g["b"](),
            "h": lambda g: lambda: mpmath.tanh(g["s"]()),
            "L": lambda g: lambda: (g["h"]() - g["t"]()) ** 2 / 2,
        },
        (
            r"\frac{\partial L}{\partial h} = h - t",
            r"\frac{\partial h}{\partial s} = 1 - h^2",
            r"\frac{\partial L}{\partial s} = (h - t)(1 - h^2)",
            r"\frac{\partial L}{\partial w} = (h - t)(1 - h^2) x",
            r"\frac{\partial L}{\partial b} = (h - t)(1 - h^2)",
            r"\frac{\partial L}{\partial x} = (h - t)(1 - h^2) w",
            r"\frac{\partial L}{\partial t} = t - h",
        ),
    ),
    Lesson(
        (r"z_j = \sum_i w_{ji} x_i + b_j", r"h_j = \tanh(z_j)", r"L = \frac{1}{2} \sum_j (h_j - t_j)^2"),
        {"w": (2, 3), "x": (3,), "b": (2,), "t": (2,)},
        {
            "z": lambda g: (
                lambda: [sum(g["w"]()[j][i] * g["x"]()[i] for i in range(3)) + g["b"]()[j] for j in range(2)]
            ),
            "h": lambda g: lambda: [mpmath.tanh(z) for z in g["z"]()],
            "L": lambda g: lambda: sum((h - t) ** 2 for h, t in zip(g["h"](), g["t"](), strict=True)) / 2,
        },
        (
            r"\frac{\partial L}{\partial h_j} = h_j - t_j",
            r"\frac{\partial L}{\partial z_j} = (h_j - t_j)(1 - h_j^2)",
            r"\frac{\partial L}{\partial w_{ji}} = (h_j - t_j)(1 - h_j^2) x_i",
            r"\frac{\partial L}{\partial b_j} = (h_j - t_j)(1 - h_j^2)",
            r"\frac{\partial L}{\partial x_i} = \sum_j (h_j - t_j)(1 - h_j^2) w_{ji}",
            r"\frac{\partial L}{\partial t_j} = t_j - h_j",
        ),
        {"w": "ji", "x": "i", "b": "j", "t": "j"},
    ),
    Lesson(
        (r"p_j = \frac{e^{z_j}}{\sum_k e^{z_k}}", r"L = -\sum_j t_j \log p_j"),
        {"z": (2,), "t": (2,)},
        {
            "p": lambda g: lambda: [mpmath.exp(z) / sum(map(mpmath.exp, g["z"]())) for z in g["z"]()],
            "L": lambda g: lambda: -sum(t * mpmath.log(p) for t, p in zip(g["t"](), g["p"](), strict=True)),
        },
        (
            r"\frac{\partial L}{\partial p_j} = -\frac{t_j}{p_j}",
            r"\frac{\partial L}{\partial z_j} = p_j \sum_k t_k - t_j",
            r"\frac{\partial L}{\partial t_j} = -\log p_j",
            r"L = \log(\sum_k e^{z_k}) \sum_j t_j - \sum_j t_j z_j",
        ),
        {"z": "j", "t": "j"},
    ),
    Lesson(
        (r"m = \frac{1}{3} \sum_{i=1}^{3} x_i", r"v = \frac{1}{3} \sum_{i=1}^{3} (x_i - m)^2"),
        {"x": (3,)},
        {
            "m": lambda g: lambda: sum(g["x"]()) / 3,
            "v": lambda g: lambda: sum((x - g["m"]()) ** 2 for x in g["x"]()) / 3,
        },
        (r"v = \frac{1}{3} \sum_{i=1}^{3} x_i^2 - m^2",),
        {"x": "i"},
    ),
    Lesson(
        (),
        {"x": (), "y": ()},
        {},
        (
            r"(x + y)^2 = x^2 + 2 x y + y^2",
            r"(x - y)(x + y) = x^2 - y^2",
            r"\frac{d}{dx} (3 x^2 - 4 x + 5) = 6 x - 4",
            r"\frac{d}{dx} \sin(x^2) = 2 x \cos(x^2)",
            r"\sin^2 x + \cos^2 x + y = 1 + y",
            r"\cosh^2 x - \sinh^2 x + x = 1 + x",
            r"\frac{d}{dx} \frac{x}{1 + x^2} = \frac{1 - x^2}{(1 + x^2)^2}",
            r"\frac{d}{dx} e^{-\frac{x^2}{2}} = -x e^{-\frac{x^2}{2}}",
            r"\frac{d^2}{dx^2} e^{3 x} = 9 e^{3 x}",
            r"\log(e^x (1 + y^2)) = x + \log(1 + y^2)",
            r"\max(x, y) = \frac{x + y + |x - y|}{2}",
            r"(12 + 34) \cdot 56 = 2576",
            r"0.5 \cdot 1.25 + 2.125 = 2.75",
        ),
    ),
)


def point(lesson: Lesson, seed: int) -> Numbers:
    """Random numbers for what is given."""
    draw = random.Random(seed)

    def drawn(shape: tuple[int, ...]) -> Any:
        if not shape:
            return mpf(draw.randint(-2000, 2000)) / 1009
        return [drawn(shape[1:]) for _ in range(shape[0])]

    return _at(lesson, {name: drawn(shape) for name, shape in lesson.shapes.items()}, SIZES)


def _at(lesson: Lesson, names: dict[str, Any], sizes: dict[str, int]) -> Numbers:
    numbers = Numbers(names, {}, sizes)
    reach: dict[str, Any] = {name: (lambda n=name: numbers.names[n]) for name in lesson.shapes}
    for name, made in lesson.defined.items():
        reach[name] = lambda n=name: numbers.defined[n]()
        numbers.defined[name] = made(reach)
    return numbers


def differs(lesson: Lesson, chain: tree.Chain) -> bool | None:
    """Whether two sides differ at one of three points; None where the second reader does not work them out."""
    letters = sorted({n.name for n in tree.walk(chain) if isinstance(n, tree.Symbol) and n.name in SIZES})
    with mpmath.workdps(50):
        for seed in range(3):
            numbers = point(lesson, seed)
            numbers.letters = {letter: 1 + (seed + k) % SIZES[letter] for k, letter in enumerate(letters)}
            try:
                left, right = (numbers.value(side) for side in chain.sides)
            except (Unknown, ZeroDivisionError, KeyError, AttributeError, TypeError, ValueError, OverflowError):
                return None
            if abs(left - right) > CLOSE * (1 + abs(left)):
                return True
    return False


def witnessed(lesson: Lesson, chain: tree.Chain, witness: Witness) -> bool | None:
    """Whether the two sides have at the witness' point the values that it tells; None where that is not worked out."""
    sizes: dict[str, int] = {}
    for name in witness.point:
        found = re.fullmatch(r"(\w+)\[(.+)\]", name)
        for letter, place in zip(lesson.axes.get(found[1], ""), found[2].split(", "), strict=True) if found else ():
            sizes[letter] = max(sizes.get(letter, 0), int(place))
    sizes["k"] = sizes.get("j", 0)
    for name, told in witness.point.items():
        found = re.fullmatch(r"n_([ijk])(\.\d+)?", name)
        if found and int(told) != sizes.get(found[1]):
            return None  # two sums over one letter with two ends: more than one size a letter
    names: dict[str, Any] = {}
    for name, shape in lesson.shapes.items():
        letters = lesson.axes.get(name, "")
        names[name] = _listed(name, [sizes.get(x, 0) for x in letters], witness.point) if shape else None
        names[name] = _number(witness.point.get(name, "0")) if not shape else names[name]
    with mpmath.workdps(50):
        numbers = _at(lesson, names, sizes)
        numbers.letters = {n: 1 + int(v) for n, v in witness.point.items() if n in SIZES}
        try:
            values = [numbers.value(side) for side in chain.sides]
        except (Unknown, ZeroDivisionError, KeyError, AttributeError, TypeError, ValueError, OverflowError, IndexError):
            return None
        told = [mpf(re.sub(r"[\[\] ]|\+/-.*", "", t) or 0) for t in (witness.left, witness.right)]
        return all(abs(v - t) <= mpf(10) ** -9 * (1 + abs(t)) for v, t in zip(values, told, strict=True))


def _listed(name: str, sizes: list[int], point: Mapping[str, str], before: tuple[int, ...] = ()) -> Any:
    if not sizes:
        return _number(point.get(f"{name}[{', '.join(map(str, before))}]", "0"))
    return [_listed(name, sizes[1:], point, (*before, place)) for place in range(1, sizes[0] + 1)]


def _number(text: str) -> mpf:
    over, _, under = text.partition("/")
    return mpf(over) / mpf(under or 1)


def mutants(claim: str) -> Iterator[tuple[str, tree.Chain]]:
    """A claim with one slip on its right side, and then with two."""
    chain = parse(claim)
    letters = [n for n in SIZES if any(isinstance(x, tree.Symbol) and x.name == n for x in tree.walk(chain))]
    seen = {chain.sides[1]}
    once = []
    for kind, right in [*scaled(chain.sides[1]), *edits(chain.sides[1], letters)]:
        if right not in seen and _is_written(right):
            seen.add(right)
            once.append((kind, right))
            yield kind, replace(chain, sides=(chain.sides[0], right))
    for kind, right in once:
        for second, both in edits(right, letters):
            if both not in seen and _is_written(both):
                seen.add(both)
                yield f"{kind}, {second}", replace(chain, sides=(chain.sides[0], both))


def _is_written(node: tree.Node) -> bool:
    """Whether a slip leaves something that can be written down: 2 5 is one number or none."""
    try:
        return parse(latex(node)) == node
    except UnreadError:
        return False


def verdict(lesson: Lesson, chain: tree.Chain, budget: float = 1.0) -> tuple[Verdict, Meaning]:
    """What the checker says of a claim after the definitions of its lesson; of a chain of two sides."""
    text = [parse(d) for d in lesson.definitions]
    written = parse(latex(chain))  # as it would stand in a document
    usage, rounding = usage_of([*text, *map(parse, lesson.claims)]), rounding_of([*text, written])
    reading = Reading(usage, rounding=rounding)
    for definition in text:
        reading.statement(definition, Place())
    reading.finish()
    (link,) = reading.statement(written, Place())
    return Judge(reading, budget=budget).verdict(link), link
