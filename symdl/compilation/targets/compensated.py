"""Source of functions that carry more digits than their dtype, at the head of an emitted module that uses them.

A pair is a number and what rounding it left out: two numbers of the dtype, the second half an ulp of the first at most.
Error-free sums are Knuth's (The Art of Computer Programming, volume 2, 4.2.2). They are compiled without contraction: a
fused multiply-add would take their errors away. The errors of erf, erfc and erfcx are below 2.5, 3.5 and 3 ulps
(tests/compilation/test_elementary.py).
"""

from __future__ import annotations

from symdl.compilation.targets.elementary import single
from symdl.compilation.targets.polynomials import expanded

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
    """a·b of two pairs; a fused multiply-add has what rounding the first product leaves out."""
    product = a[0]*b[0]
    return product, fma(a[0], b[0], -product) + (a[0]*b[1] + a[1]*b[0])
'''

_PAIR_OF_PRODUCT = '''
def pair_of_product(a, b):
    """a·b of two numbers, as a pair."""
    product = a*b
    return product, fma(a, b, -product)
'''

_PAIR_TIMES = '''
def pair_times(number, a):
    """A power of two times a pair."""
    return number*a[0], number*a[1]
'''

_SCALED = '''
def scaled_exp(a, u):
    """a·e**u of a number and a pair, as exp does it; the power of two comes after the factor."""
    q, t = exp_core(u[0], u[1])
    a = 0.0*a if u[0] < -LIMIT else a
    return raised(a + a*q, t)
'''

# (1 + x/2) e^{x²} erfc(x) in t = (x − 2)/(x + 2) = 2x/(x + 2) − 1, after M. M. Shepherd and J. G. Laframboise,
# Mathematics of Computation 36 (1981); the coefficients interpolate at Chebyshev nodes in 60 digits, and leave out
# 1e-17 and 1e-9.
_ERFCX = '''
def erfcx(x):
    """e**x² erfc(x) for x >= 0."""
    d = 2.0 + x
    s = 2.0/d
    t = s*x - 1.0 if x < 1e300 else 1.0
    p = polynomial_up_to_1(t, COEFFICIENTS)
    return s*p
'''

_ERF = '''
def erf(x):
    """1 − erfc|x| with the sign of x, and next to 0 a polynomial in x²."""
    a = abs(x)
    z = a*a
    p = polynomial_up_to_1(z, COEFFICIENTS)
    a = 28.0 if a > 28.0 else a
    far = 1.0 - erfcx(a)*exp(-a*a)
    return math.copysign(p*abs(x) if z < 1.0 else far, x)
'''

#: By function and dtype, the constant first.
_COEFFICIENTS = {
    ("erfcx", "float64"): """
        0.5107913526210114877, -0.3435803422069051138, 0.1397360462780273631, -0.01822111575346141675,
        -0.01075533094474321208, 0.003239592534655014057, 0.001545306029656216932, -0.0004186480443178076628,
        -0.0003315367545369410132, 0.00001718584015967363262, 0.00007223539810023321363, 0.00001707374027362626123,
        -0.00001084826617005471818, -8.057744187348090308e-6, -5.622017389294363732e-7, 1.814750230839687447e-6,
        9.996810597909121331e-7, 1.417314825680455881e-8, -2.838403336958219208e-7, -1.790827901512560581e-7,
        -3.287963622760355725e-9, 6.991599125811103111e-8, 2.999579690914985029e-8, -1.330982841170541919e-8,
        -1.007781369698743218e-8, 1.073970649060777652e-9, 1.256587226859619706e-9""",
    ("erfcx", "float32"): """
        0.51079135276, -0.34358034206, 0.13973603286, -0.018221129997, -0.01075511824, 0.0032398228163, 0.0015440560512,
        -0.00042005810253, -0.00032811550365, 2.1354872324e-5, 6.770091062e-5, 1.0600327838e-5, -8.5130912663e-6,
        -2.8520846495e-6""",
    ("erf", "float64"): """
        1.128379167095512574, -0.3761263890318375238, 0.1128379167095512024, -0.02686617064512984081,
        0.005223977625423298309, -0.0008548327021934829596, 0.0001205533290288873541, -0.00001492564756751933213,
        1.646204544146841894e-6, -1.63646421581676153e-7, 1.4792401209404813e-8, -1.216456005728345008e-9,
        8.70904512905310669e-11, -4.230945824295337817e-12""",
    ("erf", "float32"): """
        1.1283791670616, -0.37612638468, 0.11283782495, -0.026865430728, 0.0052210318079, -0.00084840804055,
        0.00011265959029, -9.667044571486996e-6""",
}

_ERFC = '''
def erfc(x):
    """e**−x² erfcx|x|, and 2 less that for x < 0; beyond 28 it is 0 or 2."""
    a = abs(x)
    a = 28.0 if a > 28.0 else a
    value = scaled_exp(erfcx(a), pair_of_product(-a, a))
    return 2.0 - value if x < 0.0 else value
'''

_LIMIT = {"float64": "1400.0", "float32": "170.0"}


def _sources(dtype: str) -> dict[str, str]:
    found = {
        "pair_sum": _PAIR_SUM,
        "pair_product": _PAIR_PRODUCT,
        "pair_of_product": _PAIR_OF_PRODUCT,
        "pair_times": _PAIR_TIMES,
        "scaled_exp": _SCALED.replace("LIMIT", _LIMIT[dtype]),
        "erfcx": _ERFCX.replace("COEFFICIENTS", _COEFFICIENTS["erfcx", dtype]),
        "erf": _ERF.replace("COEFFICIENTS", _COEFFICIENTS["erf", dtype]),
        "erfc": _ERFC,
    }
    found = {n: expanded(s) for n, s in found.items()}
    return {n: (single(s) if dtype == "float32" else s).strip() for n, s in found.items()}


#: By dtype and name, in an order in which they can be defined.
SOURCES = {dtype: _sources(dtype) for dtype in ("float64", "float32")}
#: Compiled without contraction.
EXACT = ("pair_sum", "pair_product", "pair_of_product", "pair_times")
