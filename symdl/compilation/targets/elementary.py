"""Source of elementary functions that LLVM can vectorise, put at the head of an emitted module that uses them.

The C library's functions are calls, one for each entry, and a loop with a call in it stays scalar. These have no
branches: a number is reduced to a short interval (e**x = 2**n e**r, log x = n log 2 + log m), where a polynomial that
interpolates at Chebyshev nodes in 60 digits takes over; tanh in float32 and float64 next to 0 are those of Moshier's
Cephes library (1984–1992), log in float64 divides once, as Sun's fdlibm does (1993). Errors measured against 50 digits
are below 1.5 ulps (expm1: 2, sech2: 3.5), in float64 and float32 (tests/compilation/test_elementary.py). NaN,
infinities, zeros of both signs and subnormal numbers are as the C library has them.
"""

from __future__ import annotations

import re

from symdl.compilation.targets.polynomials import expanded

_NUMBER = re.compile(r"(?<![\w.])(\d+(?:\.\d*(?:e[+-]?\d+)?|e[+-]?\d+))")


def single(source: str) -> str:
    """A source with its numbers in float32, and its whole numbers of 32 bits.

    >>> single("y = 2.0*x + 1.5e-3")
    'y = real(2.0)*x + real(1.5e-3)'
    """
    return _NUMBER.sub(r"real(\1)", source)


#: So large that adding it rounds to whole numbers, which then stand in the low bits of the sum: no number is converted,
#: and NaN needs no case.
ROUNDING = {"float64": "6755399441055744.0", "float32": "12582912.0"}

#: e**r − 1 is r + r² p(r) for |r| ≤ ln(2)/2. What is beyond ±1400 (float32: ±170) is taken for that: twice as far as
#: powers reach, for the sake of factors.
_CORE = '''
def exp_core(x, tail):
    """e**(x + tail) = (1 + q)·2**n, as (q, t), with n in the low bits of t; the tail is a small part of x, or −0."""
    tail = tail if abs(x) < LIMIT else -0.0
    x = LIMIT if x > LIMIT else (-LIMIT if x < -LIMIT else x)
    t = 1.4426950408889634*x + ROUNDING
    n = t - ROUNDING
    r = ((x - n*HIGH) REST) + tail
    p = polynomial(r, COEFFICIENTS)
    return p*r*r + r, t
'''

#: log 2 in two parts, the first of few bits.
_CORES = {
    "float64": {
        "LIMIT": "1400.0",
        "HIGH": "0.693145751953125",
        "REST": "- n*1.42860682030941723212e-6",
        "COEFFICIENTS": """
            0.5, 0.1666666666666667101, 0.04166666666666666977, 0.008333333333326112053, 0.001388888888888373183,
            0.0001984126987490125923, 0.00002480158732560532278, 2.755725529796964439e-6, 2.755727357010213967e-7,
            2.510525953844849342e-8, 2.091471734171637595e-9""",
    },
    "float32": {
        "LIMIT": "170.0",
        "HIGH": "0.693359375",
        "REST": "+ n*2.12194440e-4",
        "COEFFICIENTS": """
            5.0000001201e-1, 1.6666665459e-1, 4.1665795894e-2, 8.3334519073e-3, 1.3981999507e-3, 1.9875691500e-4""",
    },
}

# 2**n in two factors, so that subnormals come out
_RAISED64 = '''
def raised(value, t):
    """value·2**n for the n that the low bits of t have, |n| ≤ 2044."""
    k = np.int64(real(t).view(np.int64) - 0x4338000000000000)
    half = k >> 1
    a, b = np.int64((half + 1023) << 52), np.int64((k - half + 1023) << 52)
    return value*a.view(np.float64)*b.view(np.float64)
'''

_RAISED32 = '''
def raised(value, t):
    """value·2**n for the n that the low bits of t have, |n| ≤ 252."""
    k = np.int32(real(t).view(np.int32) - np.int32(0x4b400000))
    half = np.int32(k >> np.int32(1))
    a = np.int32(np.int32(half + np.int32(127)) << np.int32(23))
    b = np.int32(np.int32(k - half + np.int32(127)) << np.int32(23))
    return value*a.view(np.float32)*b.view(np.float32)
'''

#: On a processor that has an instruction for it.
_AT_ONCE = '''
def raised(value, t):
    """value·2**n for the n that the low bits of t have."""
    return ldexp(value, np.int32(BITS))
'''.strip()
RAISED_AT_ONCE = {
    "float64": _AT_ONCE.replace("BITS", "real(t).view(np.int64) - 0x4338000000000000"),
    "float32": _AT_ONCE.replace("BITS", "real(t).view(np.int32) - np.int32(0x4b400000)"),
}

_EXP = '''
def exp(x):
    """e**x."""
    q, t = exp_core(x, -0.0)
    return raised(q + 1.0, t)
'''

_EXPM1 = '''
def expm1(x):
    """e**x − 1: 2**n (e**r − 1) + (2**n − 1), both exact to the last digit or so."""
    q, t = exp_core(x, -0.0)
    power = raised(1.0, t)
    value = raised(q + 1.0, t) if t > 80.0 + ROUNDING else q*power + (power - 1.0)
    return value if x != 0.0 else x
'''

_EXP_GAP = '''
def exp_gap(a, b):
    """e**(a − b), with what the rounding of a − b leaves out (Knuth, TAOCP 2, 4.2.2)."""
    x = a - b
    part = x - a
    left = (a - (x - part)) - (b + part)
    q, t = exp_core(x, left if abs(left) < 1.0 else 0.0)
    return raised(q + 1.0, t)
'''

_GAP = '''
def twice_gap(a):
    """2(1 − tanh a) = 4E/(1 + E) with E = e**−2a, for a ≥ 0; 4E is as small as what comes of it."""
    q, t = exp_core(-2.0*a, -0.0)
    power = raised(4.0, t)
    above = power*q + power
    return 4.0*above/(power*q + (power + 4.0))
'''

_SECH2 = '''
def sech2(x):
    """1 − tanh(x)² = (1 − tanh|x|)(1 + tanh|x|)."""
    gap = twice_gap(abs(x))
    return gap*(1.0 - 0.25*gap)
'''

_TANH64 = '''
def tanh(x):
    """By what it is less than 1, and near 0, where that cancels, a rational function."""
    a = abs(x)
    large = 1.0 - 0.5*twice_gap(a)
    z = a*a
    p = (-9.64399179425052238628e-1*z - 9.92877231001918586564e1)*z - 1.61468768441708447952e3
    q = ((z + 1.12811678491632931402e2)*z + 2.23548839060100448583e3)*z + 4.84406305325125486048e3
    return math.copysign(a + a*(z*(p/q)) if a < 0.625 else large, x)
'''

_TANH32 = '''
def tanh(x):
    """By what it is less than 1, and near 0, where that cancels, a polynomial."""
    a = abs(x)
    large = 1.0 - 0.5*twice_gap(a)
    z = a*a
    p = (-5.70498872745e-3*z + 2.06390887954e-2)*z - 5.37397155531e-2
    p = ((p*z + 1.33314422036e-1)*z - 3.33332819422e-1)*z*a + a
    return math.copysign(p if a < 0.625 else large, x)
'''

# m = 1 + f lies between √½ and √2; its bits are those of x, the exponent set apart
_PARTS64 = '''
def log_parts(u):
    """A normal number as 2**n·m, as (n, m, 2**−n), the last for n < 1023."""
    bits = np.float64(u).view(np.int64) - 0x3fe6a09e667f3bcd
    n = bits >> 52
    m = np.int64((bits & 0x000fffffffffffff) + 0x3fe6a09e667f3bcd)
    back = np.int64((1023 - n if n < 1023 else 0) << 52)
    return np.float64(n), m.view(np.float64), back.view(np.float64)
'''

_PARTS32 = '''
def log_parts(u):
    """A normal number as 2**n·m, as (n, m, 2**−n), the last for n < 127."""
    bits = np.int32(np.float32(u).view(np.int32) - np.int32(0x3f3504f3))
    n = np.int32(bits >> np.int32(23))
    m = np.int32(np.int32(bits & np.int32(0x007fffff)) + np.int32(0x3f3504f3))
    back = np.int32((np.int32(127) - n if n < np.int32(127) else np.int32(0)) << np.int32(23))
    return np.float32(n), m.view(np.float32), back.view(np.float32)
'''

_LOG_OF64 = '''
def log_of(n, f):
    """n·log 2 + log(1 + f): with s = f/(2 + f) the last is 2s + 2s³/3 + …"""
    s = f/(2.0 + f)
    z = s*s
    p = polynomial(z,
        0.6666666666666666646, 0.4000000000000087698, 0.2857142857080361181, 0.2222222239171391744,
        0.1818179564013290628, 0.1538623970281465819, 0.1326877313865688518, 0.1308662614784010214)
    half = 0.5*f*f
    return n*6.93147180369123816490e-1 - ((half - (s*(half + p*z) + n*1.90821492927058770002e-10)) - f)
'''

_LOG_OF32 = '''
def log_of(n, f):
    """n·log 2 + log(1 + f)."""
    p = polynomial(f,
        0.333333332812, -0.24999990275, 0.200000100397, -0.166680015231, 0.142865245478, -0.124507433209,
        0.110377833591, -0.106461916382, 0.105308647389, -0.0620150011902)
    z = f*f
    p = p*f*z - n*2.12194440e-4
    return n*0.693359375 + (f + (p - 0.5*z))
'''

_LOG = '''
def log(x):
    """log x, subnormal numbers after a multiplication."""
    small = x < TINY
    n, m, _ = log_parts(x*SCALE if small else x)
    value = log_of(n - SHIFT if small else n, m - 1.0)
    value = value if x < math.inf else x
    return value if x > 0.0 else (-math.inf if x == 0.0 else math.nan)
'''

_LOG1P = '''
def log1p(x):
    """log(1 + x): what the sum leaves out is put in where it is reduced."""
    u = 1.0 + x
    left = 1.0 - (u - x) if x > 1.0 else x - (u - 1.0)
    n, m, back = log_parts(u)
    value = log_of(n, (m - 1.0) + left*back)
    value = value if x < math.inf else x
    value = value if x != 0.0 else x
    return value if x > -1.0 else (-math.inf if x == -1.0 else math.nan)
'''

_LIMITS = {
    "float64": {"TINY": "2.2250738585072014e-308", "SCALE": "18014398509481984.0", "SHIFT": "54.0"},
    "float32": {"TINY": "1.1754943508222875e-38", "SCALE": "33554432.0", "SHIFT": "25.0"},
}


def _filled(source: str, dtype: str) -> str:
    """A source with the constants of a dtype."""
    for name, value in (_LIMITS[dtype] | _CORES[dtype] | {"ROUNDING": ROUNDING[dtype]}).items():
        source = source.replace(name, value)
    return expanded(source).replace("math.inf", "real(math.inf)").replace("math.nan", "real(math.nan)")


_BOTH = {"exp_core": _CORE, "exp": _EXP, "exp_gap": _EXP_GAP, "expm1": _EXPM1, "log": _LOG, "log1p": _LOG1P}
_BOTH |= {"twice_gap": _GAP, "sech2": _SECH2}
_DOUBLE = {"raised": _RAISED64, "tanh": _TANH64, "log_parts": _PARTS64, "log_of": _LOG_OF64}
_SINGLE = {"raised": _RAISED32, "tanh": _TANH32, "log_parts": _PARTS32, "log_of": _LOG_OF32}

#: In an order in which they can be defined.
NAMES = (
    "exp_core",
    "raised",
    "exp",
    "exp_gap",
    "expm1",
    "twice_gap",
    "sech2",
    "tanh",
    "log_parts",
    "log_of",
    "log",
    "log1p",
)

#: By dtype and name.
SOURCES = {
    "float64": {n: _filled({**_BOTH, **_DOUBLE}[n], "float64").strip() for n in NAMES},
    "float32": {n: single(_filled({**_BOTH, **_SINGLE}[n], "float32")).strip() for n in NAMES},
}
