"""Source of sin(kx) and cos(kx) for a constant k, right to the last digits for every x, at the head of a module.

The product k·x has to be known to far more digits than it has in a dtype, since a wave does not care for whole turns.
With c = 2k/π, what counts of c·x is its distance from the nearest whole number, and that number modulo 4. Where c·x is
not large, c has twice the digits; elsewhere it is multiplied in whole numbers, x = m·2ᵉ by those 192 bits of c·2ᵉ that
are worth less than 4 (Payne and Hanek, ACM SIGNUM Newsletter 18, 1983, with c in place of 2/π). So k·x may be beyond
the largest number. All of it is done in float64, whatever the dtype.
"""

from __future__ import annotations

import re

import mpmath
import sympy

#: e of the largest numbers m·2ᵉ of a dtype as numbers of float64, where m has 53 bits.
LAST = {"float64": 971, "float32": 75}
#: Bits of c·2ᵉ that are multiplied, in words of 32 bits, and those of them that are worth less than 1.
BITS, BELOW, WORD = 192, 190, 32
#: Constants beyond are left alone.
SMALLEST, LARGEST = 1e-60, 1e60

_PRODUCT = '''
def exact_product(a, b):
    """a·b and what rounding it leaves out."""
    product = a*b
    part = 134217729.0*a
    high = part - (part - a)
    low = a - high
    part = 134217729.0*b
    top = part - (part - b)
    rest = b - top
    return product, ((high*top - product) + high*rest + low*top) + low*rest
'''

_NEARBY = '''
def nearby(x, constant):
    """x·c for x ≥ 0 less the nearest whole number, as a pair, and that number modulo 4; c is in three parts."""
    h, first = exact_product(x, constant[0])
    second, third = exact_product(x, constant[1])
    n = np.int64(h + 0.5)
    f = h - np.float64(n)
    l = first + second
    part = l - first
    left = (first - (l - part)) + (second - part)
    s = f + l
    part = s - f
    l = (f - (s - part)) + (l - part)
    return s, l + (left + (third + x*constant[2])), n & 3
'''


def _distant() -> str:
    """Products of words, written out: neither kind of module has small arrays of its own to loop over."""
    count = BITS // WORD
    lines = [
        "def distant(x, words):",
        '    """The same by the words of the constant, the lowest first, for x from 1 on."""',
        "    mask, word = np.uint64(4294967295), np.uint64(32)",
        "    bits = np.float64(x).view(np.int64)",
        "    shift = LAST - ((bits >> 52) - 1075)",
        "    m = np.uint64((bits & 4503599627370495) | 4503599627370496)",
        "    k, off = shift >> 5, np.uint64(shift & 31)",
        "    low, high = m & mask, m >> word",
    ]
    for j in range(count):
        lines.append(
            f"    t{j} = (((np.uint64(words[k + {j + 1}]) << word) | np.uint64(words[k + {j}])) >> off) & mask"
        )
    for j in range(count):
        lines.append(f"    s = t{j}*low" + (" + (s >> word)" if j else ""))
        lines.append(f"    p{j} = s & mask")
    for j in range(1, count):
        lines.append(f"    s = p{j} + t{j - 1}*high" + (" + (s >> word)" if j > 1 else ""))
        lines.append(f"    p{j} = s & mask")
    top = f"p{count - 1}"
    lines += [
        f"    half = ({top} >> np.uint64(29)) & np.uint64(1)",
        f"    n = np.int64((({top} >> np.uint64(30)) + half) & np.uint64(3))",
        "    if half:",
        "        s = (mask - p0) + np.uint64(1)",
        "        p0 = s & mask",
    ]
    for j in range(1, count):
        lines += [f"        s = (mask - p{j}) + (s >> word)", f"        p{j} = s & mask"]
    lines += [f"    h, l = np.float64({top} & np.uint64(1073741823))*{2.0**-30!r}, 0.0"]
    for j in range(count - 2, 0, -1):
        size = 2.0 ** (WORD * j - BELOW)
        lines += [f"    l = l + np.float64(p{j})*{size!r}", "    f = h + l", "    h, l = f, l - (f - h)"]
    return "\n".join([*lines, "    return (-h, -l, n) if half else (h, l, n)"])


_WAVE = '''
def wave(x, k, constant, words, ahead):
    """sin(k·x), or cos(k·x) where `ahead` is 1; 2k/π in three parts and in words."""
    size = abs(np.float64(x))
    turns = size*constant[0]
    if not size < math.inf:
        return x - x
    if turns < 1e-10:
        return real(1.0) if ahead else real(k*np.float64(x))
    if turns < 1073741824.0 and size < 1e290:
        h, l, n = nearby(size, constant)
    else:
        h, l, n = distant(size, words)
    r, left = exact_product(h, 1.5707963267948966)
    l = left + (h*6.123233995736766e-17 + l*1.5707963267948966)
    n = n + ahead
    value = math.cos(r) - l*math.sin(r) if n & 1 else math.sin(r) + l*math.cos(r)
    value = -value if n & 2 else value
    return real(-value if x < 0.0 and not ahead else value)
'''


#: What has to be compiled without contraction.
EXACT = "exact_product"


def used(source: str, dtype: str) -> dict[str, str]:
    """The functions that a source needs by name, in an order in which they can be defined.

    >>> list(used("y = wave(x, 2.0, (1.0, 0.0, 0.0), (0,), 0)", "float64"))
    ['exact_product', 'nearby', 'distant', 'wave']
    """
    if not re.search(r"(?<![\w.])wave\(", source):
        return {}
    distant = _distant().replace("LAST", str(LAST[dtype]))
    return {"exact_product": _PRODUCT.strip(), "nearby": _NEARBY.strip(), "distant": distant, "wave": _WAVE.strip()}


def arguments(k: sympy.Expr, dtype: str) -> str:
    """What `wave` needs of a constant: itself, 2k/π in three parts, and in words.

    >>> arguments(sympy.Integer(1), "float32")[:49]
    '1.0, (0.6366197723675814, -3.935735335036497e-17,'
    """
    scale = LAST[dtype] + BELOW
    with mpmath.workprec(scale + 400):
        exact = sympy.sympify(k).evalf(int((scale + 400) * 0.302))._to_mpmath(scale + 400)
        c = 2 * exact / mpmath.pi
        whole = int(mpmath.floor(mpmath.ldexp(c, scale)))
        parts = []
        for _ in range(3):
            parts.append(float(c))
            c -= parts[-1]
    words = [(whole >> (WORD * j)) & (2**WORD - 1) for j in range(whole.bit_length() // WORD + 4)]
    return f"{float(exact)!r}, ({', '.join(map(repr, parts))}), ({', '.join(map(str, words))})"
