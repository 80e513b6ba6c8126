"""Source of arithmetic with twice the digits of float64 and with no overflow, at the head of modules that ask for it.

A wide number is three numbers of float64, (h, l, e): its value is (h + l)·2**e, where h is 0 or ½ ≤ |h| < 1, l is half
an ulp of h at most, and e is whole. Sums, products and quotients are off by about 2**-104 of themselves.
Error-free sums and products are Knuth's and Dekker's (see `compensated`), the accurate sum of two pairs is that of
Li et al., ACM Transactions on Mathematical Software 28 (2002). NaN and infinities stand in h.
"""

from __future__ import annotations

import re

import mpmath

#: Bits after which a summand is too small to be seen.
UNSEEN = 200

_BASIC = '''
def two_to(k):
    """2**k of a whole number from −1022 to 1023."""
    bits = np.int64(np.int64(k + 1023) << 52)
    return bits.view(np.float64)


def normal(h, l, e):
    """(h + l)·2**e as a wide number."""
    if h == 0.0:
        h, l = l, 0.0
    if h == 0.0 or not math.isfinite(h):
        return h, 0.0, 0.0
    if 0.5 <= abs(h) < 1.0:
        return h, l, e
    m, k = math.frexp(h)
    return m, l*two_to(-k) if abs(k) < 1000 else math.ldexp(l, -k), e + k


def wide(x):
    """A number as a wide one."""
    return normal(np.float64(x), 0.0, 0.0)


def number(x):
    """A wide number that is not large in float64."""
    return math.ldexp(x[0], np.int64(max(x[2], -1000.0)))


def narrow(a):
    """The number of the dtype next to a wide one."""
    h, e = a[0], a[2]
    e = 1100.0 if e > 1100.0 else (-1200.0 if e < -1200.0 else e)
    return real(math.ldexp(h, np.int64(e)))


def narrowed(found, out):
    """The wide numbers of `found` in the dtype of `out`."""
    numbers, to = found.reshape(-1, 3), out.reshape(-1)
    for k in range(to.size):
        to[k] = narrow((numbers[k, 0], numbers[k, 1], numbers[k, 2]))


def sign(a):
    """−1, 0, 1 or NaN."""
    return 1.0 if a[0] > 0.0 else (-1.0 if a[0] < 0.0 else a[0])


def minus(a):
    """−a."""
    return -a[0], -a[1], a[2]


def magnitude(a):
    """|a|."""
    return minus(a) if a[0] < 0.0 else a


def plus(a, b):
    """a + b."""
    if not (math.isfinite(a[0]) and math.isfinite(b[0])):
        return a[0] + b[0], 0.0, 0.0
    if a[0] == 0.0:
        return b
    if b[0] == 0.0:
        return a
    if a[2] < b[2]:
        a, b = b, a
    if b[2] < a[2] - UNSEEN:
        return a
    unit = two_to(np.int64(b[2] - a[2]))
    h, l = b[0]*unit, b[1]*unit
    s = a[0] + h
    part = s - a[0]
    t = (a[0] - (s - part)) + (h - part)
    u = a[1] + l
    part = u - a[1]
    v = (a[1] - (u - part)) + (l - part)
    t += u
    total = s + t
    t = (t - (total - s)) + v
    s = total + t
    return normal(s, t - (s - total), a[2])


def total(terms):
    """The sum of several, the larger ones first, so that what cancels has done so before a small one comes."""
    result, last, place = (0.0, 0.0, 0.0), math.inf, -1
    for _ in range(len(terms)):
        chosen, most = place, -math.inf
        for k in range(len(terms)):
            size = terms[k][2] if terms[k][0] != 0.0 else -1e300
            if size > most and (size < last or (size == last and k > place)):
                chosen, most = k, size
        result, last, place = plus(result, terms[chosen]), most, chosen
    return result


def times(a, b):
    """a·b."""
    p = a[0]*b[0]
    if p == 0.0 or not math.isfinite(p):
        return p, 0.0, 0.0
    part = 134217729.0*a[0]
    high = part - (part - a[0])
    low = a[0] - high
    part = 134217729.0*b[0]
    top = part - (part - b[0])
    rest = b[0] - top
    t = ((high*top - p) + high*rest + low*top) + low*rest
    t += a[0]*b[1] + a[1]*b[0]
    s = p + t
    return normal(s, t - (s - p), a[2] + b[2])


def over(a, b):
    """a/b."""
    q = a[0]/b[0]
    if q == 0.0 or not math.isfinite(q) or not math.isfinite(b[0]):
        return q, 0.0, 0.0
    first = normal(q, 0.0, a[2] - b[2])
    rest = plus(a, minus(times(first, b)))
    first = plus(first, normal(rest[0]/b[0], 0.0, rest[2] - b[2]))
    rest = plus(a, minus(times(first, b)))
    return plus(first, normal(rest[0]/b[0], 0.0, rest[2] - b[2]))


def root(a):
    """√a."""
    if a[0] <= 0.0 or not math.isfinite(a[0]):
        return math.sqrt(a[0]), 0.0, 0.0
    half = np.floor(a[2]/2.0)
    inside = normal(a[0], a[1], a[2] - 2.0*half)
    y = normal(math.sqrt(math.ldexp(inside[0], np.int64(inside[2]))), 0.0, 0.0)
    rest = plus(inside, minus(times(y, y)))
    y = plus(y, normal(rest[0]/(2.0*y[0]), 0.0, rest[2] - y[2]))
    return y[0], y[1], y[2] + half


def power(a, n):
    """aⁿ for a whole number n from 1."""
    result, square, left = (0.5, 0.0, 1.0), a, n
    while left:
        if left & 1:
            result = times(result, square)
        left >>= 1
        if left:
            square = times(square, square)
    return result


def chosen(x, below, above, at):
    """Below 0, above 0 and at 0; NaN as it is."""
    return below if x[0] < 0.0 else (above if x[0] > 0.0 else (at if x[0] == 0.0 else x))


def larger(a, b):
    """The larger one; NaN where one is."""
    if a[0] != a[0] or (math.isfinite(a[0]) != math.isfinite(b[0])) or not math.isfinite(a[0]):
        return b if b[0] > a[0] or b[0] != b[0] else a
    return b if plus(b, minus(a))[0] > 0.0 else a


def power_of_e_less_1(r):
    """eʳ − 1 for |r| ≤ 0.4: the first terms of its series at r/64, doubled six times as e²ˣ − 1 = (eˣ − 1)(eˣ + 1)."""
    if r[0] == 0.0 or r[2] < -110.0:
        return r
    x = (r[0], r[1], r[2] - 6.0)
    result = INVERSE[12]
    for k in range(11, 0, -1):
        result = plus(INVERSE[k], times(x, result))
    result = times(x, result)
    for _ in range(6):
        result = times(result, plus(result, (0.5, 0.0, 2.0)))
    return result


def in_halves(x):
    """A whole number n and x − n·log 2, which is at most 0.35, for |x| below 2**50."""
    n = np.floor(1.4426950408889634*number(x) + 0.5)
    return n, plus(x, minus(times(wide(n), LOG2)))


def exp(x):
    """eˣ."""
    if not math.isfinite(x[0]):
        return math.exp(x[0]), 0.0, 0.0
    if x[2] > 50.0:
        e = 1.4426950408889634*x[0]*(2.0**min(x[2], 996.0))
        return 0.5, 0.0, e
    n, r = in_halves(x)
    result = plus(power_of_e_less_1(r), (0.5, 0.0, 1.0))
    return result[0], result[1], result[2] + n


def expm1(x):
    """eˣ − 1."""
    return power_of_e_less_1(x) if x[2] < -1.0 else plus(exp(x), (-0.5, 0.0, 1.0))


def tanh(x):
    """(e²ˣ − 1)/(e²ˣ + 1)."""
    t = expm1((magnitude(x)[0], magnitude(x)[1], x[2] + 1.0))
    y = over(t, plus(t, (0.5, 0.0, 2.0)))
    return minus(y) if x[0] < 0.0 else y


def twice_artanh(s):
    """log((1 + s)/(1 − s)) for |s| ≤ 0.2."""
    z = times(s, s)
    result = ODD[24]
    for k in range(23, -1, -1):
        result = plus(ODD[k], times(z, result))
    result = times(s, result)
    return result[0], result[1], result[2] + 1.0


def log(x):
    """log x."""
    if x[0] <= 0.0 or not math.isfinite(x[0]):
        return math.log(x[0]), 0.0, 0.0
    k = 0.0 if x[0] < 0.70710678118654757 else 1.0
    m = normal(x[0], x[1], 1.0 - k)
    s = over(plus(m, (-0.5, 0.0, 1.0)), plus(m, (0.5, 0.0, 1.0)))
    return plus(times(wide(x[2] - 1.0 + k), LOG2), twice_artanh(s))


def log1p(x):
    """log(1 + x)."""
    if x[2] > -2.0 or not math.isfinite(x[0]):
        return log(plus(x, (0.5, 0.0, 1.0)))
    return twice_artanh(over(x, plus(x, (0.5, 0.0, 2.0))))


def powered(a, b):
    """aᵇ."""
    if a[0] == 0.0 or b[0] == 0.0 or not (math.isfinite(a[0]) and math.isfinite(b[0])):
        return normal(math.pow(a[0], b[0]), 0.0, 0.0)
    if a[0] > 0.0:
        return exp(times(b, log(a)))
    n = math.ldexp(b[0], np.int64(min(b[2], 1000.0)))
    result = exp(times(b, log(minus(a))))
    return (math.nan, 0.0, 0.0) if n != np.floor(n) else (minus(result) if n % 2.0 == 1.0 else result)


def erfc(x):
    """1 − erf x: by its series where x is small, by its continued fraction where it is not."""
    if not math.isfinite(x[0]):
        return math.erfc(x[0]), 0.0, 0.0
    if x[0] < 0.0:
        return plus((0.5, 0.0, 2.0), minus(erfc_above(minus(x))))
    return erfc_above(x)


def erfc_above(x):
    """erfc x for x ≥ 0."""
    if x[2] > 12.0:
        return exp(minus(times(x, x)))
    size, square = number(x), times(x, x)
    growth = exp(minus(square))
    if size < 4.0:
        term, result = x, x
        for k in range(1, 140):
            term = over(times(term, (square[0], square[1], square[2] + 1.0)), wide(2.0*k + 1.0))
            result = plus(result, term)
        part = times(times(growth, result), (ROOT_OF_PI[0], ROOT_OF_PI[1], ROOT_OF_PI[2] + 1.0))
        return plus((0.5, 0.0, 1.0), minus(part))
    result = x
    for k in range(90, 0, -1):
        result = plus(x, over(wide(0.5*k), result))
    return over(times(growth, ROOT_OF_PI), result)
'''


def triple(value: mpmath.mpf) -> tuple[float, float, float]:
    """A number as a wide one.

    >>> triple(mpmath.mpf(3))
    (0.75, 0.0, 2.0)
    """
    if value == 0 or not mpmath.isfinite(value):
        return float(value), 0.0, 0.0
    with mpmath.workdps(60):
        m, k = mpmath.frexp(value)
        first = float(m)
        if abs(first) == 1.0:
            first, k = first / 2, k + 1
        return first, float(mpmath.ldexp(value, -k) - first), float(k)


def constants() -> str:
    """The numbers that the functions need."""
    with mpmath.workdps(60):
        inverse = [mpmath.mpf(1), *[1 / mpmath.factorial(k) for k in range(1, 13)]]
        odd = [mpmath.mpf(1) / (2 * k + 1) for k in range(25)]
        lines = [
            f"LOG2 = {triple(mpmath.log(2))}",
            f"ROOT_OF_PI = {triple(1 / mpmath.sqrt(mpmath.pi))}  # its inverse",
            f"INVERSE = {_tuple(inverse)}",
            f"ODD = {_tuple(odd)}",
        ]
    return "\n".join(lines)


def _tuple(values: list[mpmath.mpf]) -> str:
    return f"({', '.join(str(triple(v)) for v in values)})"


_FUNCTIONS = {
    f[4 : f.index("(")]: f for f in re.split(r"\n\n\n(?=def )", _BASIC.strip().replace("UNSEEN", f"{UNSEEN}.0"))
}
NAMES = frozenset(_FUNCTIONS)


def used(text: str, decorator: str, inlined: str) -> list[str]:
    """The constants and the functions that emitted code calls, with those that they call."""
    wanted = {n for n in NAMES if re.search(rf"(?<![\w.]){n}\(", text)}
    while more := {n for w in wanted for n in NAMES if re.search(rf"(?<![\w.]){n}\(", _FUNCTIONS[w])} - wanted:
        wanted |= more
    kept = [f"{inlined if n in SHORT else decorator}\n{f}" for n, f in _FUNCTIONS.items() if n in wanted]
    return [constants(), *kept] if kept else []


#: Functions of a line or two, which are compiled into their callers.
SHORT = frozenset(("two_to", "sign", "minus", "magnitude", "chosen"))
