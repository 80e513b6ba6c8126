"""Polynomials as source: by Estrin's scheme, whose steps depend on few others.

Horner's rule waits for each product before it begins with the next, four cycles for each coefficient; a processor that
can begin with two of them in every cycle waits most of the time. Here neighbours are put together in pairs, pairs in
fours and so on (G. Estrin, Proceedings of the Western Joint Computer Conference, 1960).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_CALL = re.compile(r"( *)p = polynomial(_up_to_1)?\((\w+),([^)]*)\)")


def expanded(source: str) -> str:
    """A source with `p = polynomial(x, constant, …)` written out; `polynomial_up_to_1` where |x| may be 1, and pairs
    would round at full size: its last two steps are Horner's.

    >>> print(expanded("    p = polynomial(r, 0.5, 0.25)"))
        p = 0.5 + 0.25*r
    >>> print(expanded("p = polynomial_up_to_1(t, 0.5, -0.25, 0.125, 2.0)"))
    p = 0.125 + 2.0*t
    p = (p*t - 0.25)*t + 0.5
    """

    def lines(call: re.Match[str]) -> str:
        coefficients, x = [c.strip() for c in call[4].split(",")], call[3]
        if not call[2]:
            made = estrin(coefficients, x)
        else:
            first, second, *rest = coefficients
            made = [*estrin(rest, x), f"p = (p*{x}{_added(second)})*{x}{_added(first)}"]
        return "\n".join(call[1] + line for line in made)

    return _CALL.sub(lines, source)


def estrin(coefficients: Sequence[str], x: str) -> list[str]:
    """Lines that set `p` to Σ_k coefficients[k] x^k, given as numbers in the program's dtype, the constant first.

    >>> print(*estrin(["1.0", "-0.5", "0.25", "2.0", "-3.0"], "t"), sep="\\n")
    t2 = t*t
    t4 = t2*t2
    p = 1.0 - 0.5*t
    p1 = 0.25 + 2.0*t
    p = p + p1*t2
    p = p - 3.0*t4
    """
    count = len(coefficients)
    lines: list[str] = []
    power, size = x, 1
    while 2 * size < count:
        lines.append(f"{x}{2 * size} = {power}*{power}")
        power, size = f"{x}{2 * size}", 2 * size
    terms = list(coefficients)
    power, size = x, 1
    while len(terms) > 1:
        joined = []
        for k in range(0, len(terms) - 1, 2):
            name = f"p{k // 2}" if k else "p"
            lines.append(f"{name} = {terms[k]}{_added(terms[k + 1])}*{power}")
            joined.append(name)
        terms = [*joined, *terms[len(joined) * 2 :]]
        size *= 2
        power = f"{x}{size}"
    return lines if count > 1 else [f"p = {terms[0]}"]


def _added(term: str) -> str:
    return f" - {term[1:]}" if term.startswith("-") else f" + {term}"
