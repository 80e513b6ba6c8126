"""Numbers as people write them: exact decimals where they end, six significant digits where they do not."""

from __future__ import annotations

from typing import Any

import sympy

#: Significant digits of a rounded number.
DIGITS = 6


def decimal(value: Any, digits: int = DIGITS, longest: int = 0) -> tuple[str, bool]:
    r"""The number as a decimal, and whether that is exact.

    A number whose decimals end is written out, unless it has more than `longest` characters (0: no limit).

    >>> decimal(sympy.Rational(42, 25)), decimal(sympy.Rational(1, 3)), decimal(-4.0)
    (('1.68', True), ('0.333333', False), ('-4', True))
    >>> decimal(sympy.Float("1.5e-9")), decimal(sympy.sqrt(2))
    (('1.5 \\cdot 10^{-9}', True), ('1.41421', False))
    """
    number = sympy.sympify(value)
    if number is sympy.S.NaN or number.is_infinite:
        return {sympy.oo: r"\infty", -sympy.oo: r"-\infty"}.get(number, r"\mathrm{NaN}"), True
    exact = _exact(number)
    if exact is not None and not 0 < longest < len(exact.strip("-")):
        return exact, True
    return _rounded(number, digits)


def is_decimal(number: sympy.Expr) -> bool:
    """True for a rational that people write as a decimal: 0.01, 0.04, 0.044715, but 1/2, 2/5, 1/8 are fractions."""
    if not number.is_Rational or number.q == 1:
        return False
    ends = number.q >= 20 and number.q % 5 == 0 and _exact(number) is not None
    return bool(ends or (set(str(number.q)[1:]) == {"0"} and str(number.q)[0] == "1"))


def _exact(number: sympy.Expr) -> str | None:
    """A number whose decimal expansion ends soon."""
    if number.is_Float:
        number = sympy.Rational(repr(float(number)))  # what the author typed: 0.1, not its binary neighbour
    if not number.is_Rational:
        return None
    twos, fives, rest = 0, 0, int(number.q)
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    places = max(twos, fives)
    whole = abs(int(number.p)) * 10**places // int(number.q)
    if rest != 1 or len(str(whole).rstrip("0")) > DIGITS + 4 or places > DIGITS + 2:
        return None
    text = str(whole).rjust(places + 1, "0")
    text = f"{text[:-places]}.{text[-places:]}" if places else text
    return ("-" if number < 0 else "") + text


def _rounded(number: sympy.Expr, digits: int) -> tuple[str, bool]:
    value = float(number)
    text = f"{value:.{digits}g}"
    exact = bool(number.is_Float) and float(text) == value
    mantissa, _, exponent = text.partition("e")
    if exponent:
        return rf"{mantissa} \cdot 10^{{{int(exponent)}}}", exact
    return mantissa, exact
