"""Source of what emitted device functions call: barriers, sums of teams of threads, matrix products, functions.

A sum of a team is put together pair by pair in float64, in an order that depends on nothing but the number of threads:
two runs give the same bits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from symdl.compilation.plan import Plan
from symdl.compilation.targets import cuda_forms, cuda_functions, formcode, helpers, waves

#: Who runs a device function together: the threads of one block, or those of the whole grid.
BARRIERS = {
    "block": '''
@device
def barrier():
    """Wait for all threads, and see what they wrote."""
    cuda.syncthreads()
''',
    "grid": '''
@device
def barrier():
    """Wait for all threads of the grid, and see what they wrote."""
    cuda.cg.this_grid().sync()
''',
}

_TEAM_OF = '''
@device
def team_of(count, terms, threads):
    """How many threads add up one of `count` sums of so many terms: a power of two."""
    team = 1
    while 2*team <= cuda.blockDim.x and 2*team*count <= threads and 4*team <= terms:
        team *= 2
    return team
'''

#: Rows are read several times: so few at a time as the caches hold. On an H100 512 threads for rows of 10,000 numbers,
#: 32 for those of 1,000 and 8 for those of 100 were best of all (softmax in float32).
_TEAM_OF_ROWS = '''
@device
def team_of_rows(count, terms, threads):
    """The same for terms that lie side by side."""
    team = 1
    while 2*team <= cuda.blockDim.x and 4*team <= terms:
        if team >= 8 and 32*team > terms and 2*team*count > threads:
            break
        team *= 2
    return team
'''

_LARGER = '''
@device
def larger(a, b):
    """The larger one; NaN where one is."""
    return b if b > a or b != b else a
'''

_TEAM = '''
@device
def team_NAME(part, lane, team, parts):
    """DOC of the parts of a team, for each of its threads."""
    if team == 1:
        return part
    at_own = cuda.threadIdx.x
    if WARPS:
        found = np.float64(part)
        half = min(team, 32)//2
        while half > 0:
            other = cuda.shfl_xor_sync(0xFFFFFFFF, found, half)
            found = BOTH
            half //= 2
        if team > 32:
            if at_own % 32 == 0:
                parts[at_own//32] = found
            cuda.syncthreads()
            begin = (at_own - lane)//32
            found = parts[begin]
            for k in range(1, team//32):
                other = parts[begin + k]
                found = BOTH
            cuda.syncthreads()
        return real(found)
    parts[at_own] = part
    half = team//2
    while half > 0:
        cuda.syncthreads()
        if lane < half:
            parts[at_own] = COMBINED
        half //= 2
    cuda.syncthreads()
    found = parts[at_own - lane]
    cuda.syncthreads()
    return real(found)
'''

_WARPS = "WARPS = not config.ENABLE_CUDASIM  # threads of a warp hand each other numbers, but not in the simulator"

_ALL = {
    "block": '''
@device
def all_NAME(part, thread, threads, parts, meet):
    """DOC of the parts of all threads, for each of them."""
    return team_NAME(part, thread, threads, parts)
''',
    "grid": '''
@device
def all_NAME(part, thread, threads, parts, meet):
    """DOC of the parts of all threads, for each of them: within each block, then over the blocks in order."""
    whole = team_NAME(part, cuda.threadIdx.x, cuda.blockDim.x, parts)
    if cuda.threadIdx.x == 0:
        meet[cuda.blockIdx.x] = whole
    cuda.cg.this_grid().sync()
    whole = real(meet[0])
    for block in range(1, cuda.gridDim.x):
        whole = COMBINED_ALL
    cuda.cg.this_grid().sync()
    return whole
''',
}
_OPERATIONS = {
    "sum": ("The sum", "found + other", "parts[at_own] + parts[at_own + half]", "real(whole + meet[block])"),
    "prod": ("The product", "found*other", "parts[at_own]*parts[at_own + half]", "real(whole*meet[block])"),
    "max": (
        "The largest",
        "larger(found, other)",
        "larger(parts[at_own], parts[at_own + half])",
        "larger(whole, real(meet[block]))",
    ),
    "squares": ("The sum, in float64,", "found + other", "parts[at_own] + parts[at_own + half]", "whole + meet[block]"),
}
#: At most so many threads in a block, and registers in each of them.
THREADS, REGISTERS = 512, 128
#: Blocks of a grid, for what is decided before one is at hand.
MANY_BLOCKS = 128
#: How many numbers a thread computes of a matrix product, by the least number for each thread of a block.
TILES = ((16, 4, 4), (2, 2, 2), (0, 1, 1))
#: The same for a thread of a grid, whose blocks compute a part of the product at a time; the largest first.
TILES_OF_BLOCKS = ((8, 2), (4, 2), (2, 1), (1, 1))


def arranged(threads: int) -> tuple[int, int]:
    """In how many rows and columns the threads of a block stand where it computes a part of a matrix product.

    >>> arranged(512), arranged(4)
    ((16, 32), (2, 2))
    """
    along = 1
    while along < 32 and along * along < threads:
        along *= 2
    return threads // along, along


def _team(kind: str, op: str, scope: str) -> str:
    text = _TEAM if kind == "team" else _ALL[scope]
    doc, both, combined, over_blocks = _OPERATIONS[op]
    text = text.replace("NAME", op).replace("DOC", doc).replace("COMBINED_ALL", over_blocks)
    text = text.replace("COMBINED", combined).replace("BOTH", both)
    return text.replace("real(found)", "found").replace("real(meet[0])", "meet[0]") if op == "squares" else text


def _head(name: str, doc: str) -> list[str]:
    return [
        "@device",
        f"def {name}(",
        "    thread, threads, rows, columns, terms, left, at_left, row_left, step_left, right, at_right, step_right,",
        "    column_right, out, at_out,",
        "):",
        f'    """{doc}"""',
    ]


def _tile(height: int, width: int) -> str:
    """Source of a matrix product in which a thread computes `height` by `width` numbers at a time."""
    rows, columns = range(height), range(width)
    lines = [
        *_head(
            f"product_{height}_{width}",
            f"A matrix product, {height} by {width} numbers at a time; those of a thread lie far apart.",
        ),
        f"    high, wide = (rows + {height - 1})//{height}, (columns + {width - 1})//{width}",
        "    for tile in range(thread, high*wide, threads):",
        "        row, column = tile//wide, tile % wide",
    ]
    lines += [f"        left{r} = left[at_left + min(row{_times(r, 'high')}, rows - 1)*row_left:]" for r in rows]
    lines += [
        f"        right{c} = right[at_right + min(column{_times(c, 'wide')}, columns - 1)*column_right:]"
        for c in columns
    ]
    lines += [f"        s{r}{c} = real(0.0)" for r in rows for c in columns]
    lines += [
        "        # columns that lie apart would meet in one bank of shared memory: each begins with another term",
        "        k = column % terms if column_right != 1 and step_right == 1 else 0",
        "        x, y = k*step_left, k*step_right",
        "        for _ in range(terms):",
        *(f"            a{r} = left{r}[at(x)]" for r in rows),
        *(f"            b{c} = right{c}[at(y)]" for c in columns),
        *(f"            s{r}{c} += a{r}*b{c}" for r in rows for c in columns),
        "            k, x, y = k + 1, x + step_left, y + step_right",
        "            if k == terms:",
        "                k, x, y = 0, 0, 0",
    ]
    for r in rows:
        for c in columns:
            row, column = f"row{_times(r, 'high')}", f"column{_times(c, 'wide')}"
            target = f"out[at(at_out + ({row})*columns + {column})] = s{r}{c}"
            test = f"{row} < rows and {column} < columns"
            lines += [f"        if {test}:", f"            {target}"] if (r or c) else [f"        {target}"]
    return "\n".join(lines)


def _staged(height: int, width: int, dtype: str, threads: int) -> str:
    """Source of a matrix product whose blocks compute parts of it, `height` by `width` numbers a thread."""
    across, along = arranged(threads)
    # all parts of a module stay within the shared memory that a kernel has unasked
    high, wide, deep = height * across, width * along, min(along, 8 if dtype == "float64" else 16)
    rows, columns = range(height), range(width)
    lines = [
        *_head(
            f"product_of_blocks_{height}_{width}",
            f"A matrix product, {high} by {wide} numbers of it in a block, whose shared memory both factors pass.",
        ),
        f"    lefts = cuda.shared.array(({deep}, {high + 1}), types.{dtype})",
        f"    rights = cuda.shared.array(({deep}, {wide + 1}), types.{dtype})",
        f"    above, beside = (rows + {high - 1})//{high}, (columns + {wide - 1})//{wide}",
        "    own, team = cuda.threadIdx.x, cuda.blockDim.x",
        f"    across, along = own//{along}, own % {along}",
        f"    steps_of_left = {deep} if step_left == 1 else {high}  # neighbours read what lies side by side",
        f"    steps_of_right = {wide} if column_right == 1 else {deep}",
        "    for tile in range(cuda.blockIdx.x, above*beside, cuda.gridDim.x):",
        f"        row, column = tile//beside*{high}, tile % beside*{wide}",
        *(f"        s{r}{c} = real(0.0)" for r in rows for c in columns),
        f"        for begin in range(0, terms, {deep}):",
        f"            for entry in range(own, {deep * high}, team):",
        "                fast, slow = entry % steps_of_left, entry//steps_of_left",
        "                k, r = (fast, slow) if step_left == 1 else (slow, fast)",
        "                inside = row + r < rows and begin + k < terms",
        "                place = at_left + (row + r)*row_left + (begin + k)*step_left",
        "                lefts[k, r] = left[at(place)] if inside else real(0.0)",
        f"            for entry in range(own, {deep * wide}, team):",
        "                fast, slow = entry % steps_of_right, entry//steps_of_right",
        "                k, c = (slow, fast) if column_right == 1 else (fast, slow)",
        "                inside = column + c < columns and begin + k < terms",
        "                place = at_right + (begin + k)*step_right + (column + c)*column_right",
        "                rights[k, c] = right[at(place)] if inside else real(0.0)",
        "            cuda.syncthreads()",
        f"            for k in range({deep}):",
        *(f"                a{r} = lefts[k, across + {r * across}]" for r in rows),
        *(f"                b{c} = rights[k, along + {c * along}]" for c in columns),
        *(f"                s{r}{c} += a{r}*b{c}" for r in rows for c in columns),
        "            cuda.syncthreads()",
    ]
    for r in rows:
        for c in columns:
            at_row, at_column = f"row + across + {r * across}", f"column + along + {c * along}"
            lines.append(f"        if {at_row} < rows and {at_column} < columns:")
            lines.append(f"            out[at(at_out + ({at_row})*columns + {at_column})] = s{r}{c}")
    return "\n".join(lines)


def _times(number: int, step: str) -> str:
    """A multiple of a step, as a summand."""
    return "" if number == 0 else f" + {step}" if number == 1 else f" + {number}*{step}"


def product_for(rows: int, columns: int, scope: str, threads: int) -> str:
    """The function that computes a product of that size: how many numbers a thread or a block takes at a time."""
    if scope == "grid":
        across, along = arranged(threads)
        enough = (
            (h, w) for h, w in TILES_OF_BLOCKS if -(-rows // (h * across)) * -(-columns // (w * along)) >= MANY_BLOCKS
        )
        return "product_of_blocks_{}_{}".format(*next(enough, TILES_OF_BLOCKS[-1]))
    tile = next((height, width) for least, height, width in TILES if rows * columns >= least * threads)
    return "product_{}_{}".format(*tile)


def _products(text: str, dtype: str, threads: int) -> list[str]:
    found = [_tile(h, w) for _, h, w in TILES if f"product_{h}_{w}(" in text]
    return found + [_staged(h, w, dtype, threads) for h, w in TILES_OF_BLOCKS if f"product_of_blocks_{h}_{w}(" in text]


#: Whole numbers below 2**32 are divided in a fraction of the time that wider ones take.
_DIVIDED = '''
@device
def quotient(a, b):
    """a//b of numbers from 0 to 2**32 − 1."""
    return np.int64(np.uint32(a)//np.uint32(b))


@device
def remainder(a, b):
    """a % b of numbers from 0 to 2**32 − 1."""
    return np.int64(np.uint32(a) % np.uint32(b))
'''

#: On a GPU a call of the library is no call: its functions are compiled into the loop, and off by 2 ulps at most.
_OF_THE_LIBRARY = {
    **{
        name: f"def {name}(x):\n    return real(math.{name}(x))\n" for name in ("tanh", "log1p", "expm1", "erf", "erfc")
    },
    "log": '''
def log(x):
    """log x; no number below 0."""
    return real(math.log(x)) if x > real(0.0) else (-real(math.inf) if x == real(0.0) else real(math.nan))
''',
}

_FLOOR = '''
@device
def floor(x):
    """The whole number below x, for |x| below 2**31."""
    n = real(np.int32(x if x == x else real(0.0)))
    return x if x != x else (n - real(1.0) if n > x else n)
'''

#: The error of a product is what a fused multiply-add leaves: the cut into halves would not survive its contraction,
#: nor would a plain product that is added to another number.
_PAIR_PRODUCT = '''
@device
def pair_product(a, b):
    """a·b of two pairs."""
    product = rounded_product(a[0], b[0])
    left = cuda.fma(a[0], b[0], -product)
    return product, left + (a[0]*b[1] + a[1]*b[0])
'''

_PAIR_OF_PRODUCT = '''
@device
def pair_of_product(a, b):
    """a·b of two numbers, as a pair."""
    product = rounded_product(a, b)
    return product, cuda.fma(a, b, -product)
'''

#: The same under the name that `waves` calls it by.
_EXACT_PRODUCT = _PAIR_OF_PRODUCT.replace("pair_of_product", waves.EXACT)


def sources(text: str, plans: Iterable[Plan], dtype: str, scope: str, threads: int) -> list[str]:
    """The functions that emitted code calls, those first that others call.

    Args:
        text: of the device functions.
        plans: that they were emitted from.
        dtype: "float64" or "float32".
        scope: "block" or "grid".
        threads: of a block.
    """
    forms = [cuda_forms.source(f.__name__, f.form, dtype) for f in formcode.forms_in(plans)]
    called = "\n".join(forms)
    sources = helpers.SOURCES[dtype] | _OF_THE_LIBRARY | cuda_functions.SOURCES[dtype]
    sources |= {"pair_product": _PAIR_PRODUCT, "pair_of_product": _PAIR_OF_PRODUCT}
    used = helpers.used(f"{text}\n{called}", sources, cuda_functions.NAMES)
    found = [sources[n] for n in used]
    found += [_EXACT_PRODUCT if n == waves.EXACT else s for n, s in waves.used(called, dtype).items()]
    found = [_for_device(f) for f in (*found, *forms)]
    if any("floor(" in f for f in found):
        found.insert(0, _FLOOR.strip())
    shared = [BARRIERS[scope].strip()] if scope in BARRIERS else []
    teams = _teams(text, scope)
    if "quotient(" in text:
        shared.append(_DIVIDED.strip())
    if "team_of(" in text:
        shared.append(_TEAM_OF.strip())
    if "team_of_rows(" in text:
        shared.append(_TEAM_OF_ROWS.strip())
    if "larger(" in "\n".join([text, *teams]):
        shared.append(_LARGER.strip())
    if teams:
        shared.append(_WARPS)
    return [*shared, *teams, *_products(text, dtype, threads), *found]


#: What emitted code takes from `machine`.
_INSTRUCTIONS = ("aligned", "put", "reciprocal", "rounded_product", "vector")


def instructions(parts: Iterable[str]) -> list[str]:
    """The line that imports what the parts of a module take from `machine`, if they take anything."""
    text = "\n".join(parts)
    found = [n for n in _INSTRUCTIONS if re.search(rf"(?<![\w.]){n}\(", text)]
    return [f"from symdl.compilation.machine.gpu import {', '.join(found)}"] if found else []


def _teams(text: str, scope: str) -> list[str]:
    found = []
    for op in _OPERATIONS:
        of_all = f"all_{op}(" in text
        if of_all or f"team_{op}(" in text:
            found.append(_team("team", op, scope).strip())
        if of_all:
            found.append(_team("all", op, scope).strip())
    return found


def _for_device(source: str) -> str:
    source = source.strip().replace("np.floor(", "floor(")
    return source if source.startswith("@device") else f"@device\n{source}"


def uses_grid(source: str) -> bool:
    """Whether a module has barriers of the whole grid."""
    return re.search(r"this_grid\(\)\.sync\(\)", source) is not None
