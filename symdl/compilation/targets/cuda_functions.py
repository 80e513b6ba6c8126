"""Source of elementary functions for a GPU, without branches, off by no more than those of CUDA's library.

The library's division and exponentials test for rare cases and branch. Here powers of e are a polynomial on a reduced
interval, as in `elementary`, and a product of two powers of two; and where a divisor is known to lie within bounds, a
quotient by its reciprocal takes what is left.
"""

from __future__ import annotations

from symdl.compilation.targets import helpers
from symdl.compilation.targets.elementary import single
from symdl.compilation.targets.polynomials import expanded

_CORE32 = '''
def exp_core(x, tail):
    """e**(x + tail) = (1 + q)·2**n, as (q, t), where the low bits of t have n; the tail is a small part of x."""
    tail = tail if abs(x) < 170.0 else -0.0
    x = 170.0 if x > 170.0 else (-170.0 if x < -170.0 else x)
    t = 1.4426950408889634*x + 12582912.0
    n = t - 12582912.0
    r = ((x - n*0.693359375) + n*2.12194440e-4) + tail
    p = 2.50348123666e-5*r + 2.00747078216e-4
    p = p*r + 1.38883267319e-3
    p = p*r + 8.33277050966e-3
    p = p*r + 4.16666700511e-2
    p = p*r + 1.66666700554e-1
    p = p*r + 5.0e-1
    return p*(r*r) + r, t
'''
_RAISED32 = '''
def raised(value, t):
    """value·2**n for the n that the low bits of t have."""
    n = np.int32(np.int32(real(t).view(np.int32)) - np.int32(1262485504))
    half = np.int32(n >> np.int32(1))
    a = np.int32(np.int32(half + np.int32(127)) << np.int32(23)).view(np.float32)
    b = np.int32(np.int32(n - half + np.int32(127)) << np.int32(23)).view(np.float32)
    return value*a*b
'''
_CORE64 = '''
def exp_core(x, tail):
    """e**(x + tail) = (1 + q)·2**n, as (q, t), where the low bits of t have n; the tail is a small part of x."""
    tail = tail if abs(x) < 1400.0 else -0.0
    x = 1400.0 if x > 1400.0 else (-1400.0 if x < -1400.0 else x)
    t = 1.4426950408889634*x + 6755399441055744.0
    n = t - 6755399441055744.0
    r = ((x - n*6.93147180369123816490e-1) - n*1.90821492927058770002e-10) + tail
    p = polynomial(r,
        0.5, 0.1666666666666667101, 0.04166666666666666977, 0.008333333333326112053, 0.001388888888888373183,
        0.0001984126987490125923, 0.00002480158732560532278, 2.755725529796964439e-6, 2.755727357010213967e-7,
        2.510525953844849342e-8, 2.091471734171637595e-9)
    return p*r*r + r, t
'''
_RAISED64 = '''
def raised(value, t):
    """value·2**n for the n that the low bits of t have."""
    n = np.int32(np.int64(real(t).view(np.int64)) - np.int64(4843621399236968448))
    half = np.int32(n >> np.int32(1))
    a = np.int64(np.int64(half + np.int32(1023)) << np.int64(52)).view(np.float64)
    b = np.int64(np.int64(n - half + np.int32(1023)) << np.int64(52)).view(np.float64)
    return value*a*b
'''
_SCALED = '''
def scaled(a, x):
    """a·e**x; the power of two comes after the factor."""
    q, t = exp_core(x, -0.0)
    a = 0.0*a if x < -LIMIT else a
    return raised(a + a*q, t)
'''
_OVER = '''
def over(a, b):
    """a/b for 2**−60 <= |b| <= 2**60 alone: what the first quotient leaves of a is divided too."""
    r = reciprocal(b)
STEP    q = a*r
    left = cuda.fma(-b, q, a)
    return cuda.fma(left if abs(q) < math.inf else 0.0, r, q)
'''
_FAR_OVER = '''
def far_over(a, b):
    """a/b for b from 1 to infinity: what is large is divided as a small part of it."""
    far = b > 1.152921504606847e18
    part = b*8.673617379884035e-19
    value = over(a, part if far else b)
    small = value*8.673617379884035e-19
    value = small if far else value
    return 0.0 if b == math.inf else value
'''
_SECH2 = '''
def sech2(x):
    """4t/(1 + t)² with t = e**−2|x|."""
    t = exp(-2.0*abs(x))
    return over(4.0*t, cuda.fma(t, t + 2.0, 1.0))
'''
_LIMITS = {"float64": "1400.0", "float32": "170.0"}
#: The reciprocal of float64 has 20 bits: a step of Newton's method doubles them.
_STEPS = {"float64": "    r = cuda.fma(r, cuda.fma(-b, r, 1.0), r)\n", "float32": ""}


def _sources(dtype: str) -> dict[str, str]:
    double = dtype == "float64"
    found = {
        "exp_core": _CORE64 if double else _CORE32,
        "raised": _RAISED64 if double else _RAISED32,
        "scaled": _SCALED.replace("LIMIT", _LIMITS[dtype]),
        "over": _OVER.replace("STEP", _STEPS[dtype]),
        "far_over": _FAR_OVER,
        "sech2": _SECH2,
    }
    found = {n: expanded(s) for n, s in found.items()}
    made = {n: (s if double else single(s)).strip() for n, s in found.items()}
    two = "2.0" if double else "real(2.0)"
    return made | {"erfcx": helpers.SOURCES[dtype]["erfcx"].replace(f"{two}/d", f"far_over({two}, d)")}


#: By dtype and name.
SOURCES = {dtype: _sources(dtype) for dtype in ("float64", "float32")}
#: Those of `helpers` too, in an order in which they can be defined.
NAMES = (
    "over",
    "far_over",
    *helpers.NAMES[: helpers.NAMES.index("exp") + 1],
    "scaled",
    *helpers.NAMES[helpers.NAMES.index("exp") + 1 :],
)
