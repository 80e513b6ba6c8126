"""Source of functions that carry more digits than their dtype, at the head of an emitted module that uses them.

A pair is a number and what rounding it left out: two numbers of the dtype, the second half an ulp of the first at most.
Error-free sums and products are Knuth's and Dekker's (The Art of Computer Programming, volume 2, 4.2.2; Numerische
Mathematik 18, 1971). They are compiled without contraction: a fused multiply-add would take their errors away.
"""

from __future__ import annotations

import re

_PAIR_SUM = '''
def pair_sum(a, b):
    """a + b of two pairs."""
    total = a[0] + b[0]
    part = total - a[0]
    left = (a[0] - (total - part)) + (b[0] - part)
    return total, left + (a[1] + b[1])
'''

_PAIR_PRODUCT = '''
def pair_product(a, b):
    """a·b of two pairs: each is cut into halves of few digits, whose products are exact."""
    product = a[0]*b[0]
    part = SPLIT*a[0]
    high = part - (part - a[0])
    low = a[0] - high
    part = SPLIT*b[0]
    top = part - (part - b[0])
    rest = b[0] - top
    left = ((high*top - product) + high*rest + low*top) + low*rest
    return product, left + (a[0]*b[1] + a[1]*b[0])
'''

_SCALED64 = '''
def scaled_exp(a, u):
    """a·e**u of a number and a pair, as exp does it; the power of two comes after the factor."""
    x = 1400.0 if u[0] > 1400.0 else (-1400.0 if u[0] < -1400.0 else u[0])
    a = 0.0*a if u[0] < -1400.0 else a
    n = np.floor(1.4426950408889634*x + 0.5)
    n = n if n == n else 0.0
    r = (x - n*0.693145751953125) - n*1.42860682030941723212e-6
    r = r + (u[1] if abs(u[0]) < 1400.0 else 0.0)
    z = r*r
    p = r*((1.26177193074810590878e-4*z + 3.02994407707441961300e-2)*z + 1.0)
    q = ((3.00198505138664455042e-6*z + 2.52448340349684104192e-3)*z + 2.27265548208155028766e-1)*z + 2.0
    k = np.int64(n)
    half = k >> 1
    first, second = np.int64((half + 1023) << 52), np.int64((k - half + 1023) << 52)
    return (a + a*(2.0*(p/(q - p))))*first.view(np.float64)*second.view(np.float64)
'''

_SCALED32 = '''
def scaled_exp(a, u):
    """a·e**u of a number and a pair, as exp does it; the power of two comes after the factor."""
    x = real(170.0) if u[0] > real(170.0) else (real(-170.0) if u[0] < real(-170.0) else u[0])
    a = real(0.0)*a if u[0] < real(-170.0) else a
    n = np.floor(real(1.4426950408889634)*x + real(0.5))
    n = n if n == n else real(0.0)
    r = (x - n*real(0.693359375)) + n*real(2.12194440e-4)
    r = r + (u[1] if abs(u[0]) < real(170.0) else real(0.0))
    p = (real(1.9875691500e-4)*r + real(1.3981999507e-3))*r + real(8.3334519073e-3)
    p = ((p*r + real(4.1665795894e-2))*r + real(1.6666665459e-1))*r + real(5.0000001201e-1)
    k = np.int32(n)
    half = np.int32(k >> np.int32(1))
    first = np.int32(np.int32(half + np.int32(127)) << np.int32(23))
    second = np.int32(np.int32(k - half + np.int32(127)) << np.int32(23))
    return (a + a*(p*r*r + r))*first.view(np.float32)*second.view(np.float32)
'''

# (1 + 2x) e^{x²} erfc(x) in t = (x − k)/(x + k), after M. M. Shepherd and J. G. Laframboise, Mathematics of Computation
# 36 (1981); the coefficients interpolate at Chebyshev nodes in 60 digits, and leave out 1e-17 and 3e-9.
_ERFCX64 = '''
def erfcx(x):
    """e**x² erfc(x) for x >= 0."""
    t = (x - 4.0)/(x + 4.0)
    p = ((-2.76412003174114122e-10*t + 9.29762546530450859e-10)*t + 3.23239723838201002e-9)*t - 1.23387315097152211e-8
    p = ((p*t - 2.07258022467135171e-8)*t + 1.06318176179173444e-7)*t + 7.77194320990597437e-8
    p = ((p*t - 8.21064793640927734e-7)*t + 2.91734255982506067e-7)*t + 5.70657829949185279e-6
    p = ((p*t - 0.0000112211356660975787)*t - 0.0000243977311431547042)*t + 0.000150621426086564348
    p = ((p*t - 0.00019925715247260697)*t - 0.00075777324359426738)*t + 0.00503197006910224605
    p = ((p*t - 0.0161977340629347693)*t + 0.0371675155263380049)*t - 0.0663303658118605826
    p = ((p*t + 0.0937328349991126394)*t - 0.101039066036318116)*t + 0.0680970542546683824
    p = ((p*t + 0.0153796521026199743)*t - 0.139621116840562284)*t + 1.23299511862555251
    return p/(1.0 + 2.0*x)
'''

_ERFCX32 = '''
def erfcx(x):
    """e**x² erfc(x) for x >= 0."""
    t = (x - real(3.0))/(x + real(3.0))
    p = ((real(3.891751557e-6)*t + real(7.720413938e-5))*t - real(0.0001042211771))*t - real(0.0007261608012)
    p = ((p*t + real(0.001888215701))*t + real(0.002498822611))*t - real(0.02377038871)
    p = ((p*t + real(0.06831669729))*t - real(0.1192736784))*t + real(0.129644091)
    p = ((p*t - real(0.04756229383))*t - real(0.1356210682))*t + real(1.253008058)
    return p/(real(1.0) + real(2.0)*x)
'''

_SPLIT = {"float64": "134217729.0", "float32": "real(4097.0)"}

#: By dtype and name, in an order in which they can be defined.
SOURCES = {
    dtype: {
        "pair_sum": _PAIR_SUM.strip(),
        "pair_product": _PAIR_PRODUCT.strip().replace("SPLIT", _SPLIT[dtype]),
        "scaled_exp": scaled.strip(),
        "erfcx": erfcx.strip(),
    }
    for dtype, scaled, erfcx in (("float64", _SCALED64, _ERFCX64), ("float32", _SCALED32, _ERFCX32))
}
#: Compiled without contraction.
EXACT = ("pair_sum", "pair_product")


def used(source: str) -> list[str]:
    """The functions of this module that a source calls.

    >>> used("y = scaled_exp(x, (x, 0.0))")
    ['scaled_exp']
    """
    return [n for n in SOURCES["float64"] if re.search(rf"(?<![\w.]){n}\(", source)]
