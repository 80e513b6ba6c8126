"""Source of sums of teams whose threads hand each other their parts: within a warp, then over the warps of a block.

Parts are put together pair by pair in float64, in an order that depends on nothing but the number of threads.
"""

from __future__ import annotations

import re

#: What puts two parts together, and how the whole is told.
_OPERATIONS = {
    "sum": ("The sum", "found + other", "real(found)"),
    "prod": ("The product", "found*other", "real(found)"),
    "max": ("The largest", "larger(found, other)", "real(found)"),
    "squares": ("The sum, in float64,", "found + other", "found"),
}

_WARP = '''
if config.ENABLE_CUDASIM:  # where no thread sees what another one holds

    @device
    def warp_NAME(part, lane, team, parts):
        """DOC of the parts of a team, for each of its threads."""
        at_own = cuda.threadIdx.x
        cuda.syncthreads()
        parts[at_own] = part
        cuda.syncthreads()
        found = parts[at_own - lane]
        for k in range(1, team):
            other = parts[at_own - lane + k]
            found = COMBINED
        cuda.syncthreads()
        return WHOLE

else:

    @device
    def warp_NAME(part, lane, team, parts):
        """DOC of the parts of a team of a warp, for each of its threads."""
        if team == 1:
            return part
        found = np.float64(part)
        half = team//2
        while half > 0:
            other = cuda.shfl_xor_sync(0xFFFFFFFF, found, half)
            found = COMBINED
            half //= 2
        return WHOLE
'''

_BLOCK = '''
@device
def block_NAME(part, thread, parts):
    """DOC of the parts of all threads of a block, for each of them."""
    team = min(THREADS, 32)
    whole = warp_NAME(part, remainder(thread, team), team, parts)
    if team == THREADS:
        return whole
    if remainder(thread, team) == 0:
        parts[quotient(thread, team)] = whole
    cuda.syncthreads()
    found = np.float64(parts[0])
    for k in range(1, THREADS//32):
        other = parts[k]
        found = COMBINED
    cuda.syncthreads()
    return WHOLE
'''


def sources(text: str, threads: int) -> list[str]:
    """The functions that code for blocks of so many threads calls."""
    found: list[str] = []
    for op, (doc, combined, whole) in _OPERATIONS.items():
        of_block = re.search(rf"\bblock_{op}\(", text) is not None
        made = [_WARP] if of_block or re.search(rf"\bwarp_{op}\(", text) else []
        for source in [*made, *([_BLOCK] if of_block else [])]:
            replaced = source.replace("NAME", op).replace("DOC", doc).replace("COMBINED", combined)
            replaced = replaced.replace("WHOLE", whole).replace("THREADS", str(threads))
            found.append(replaced.strip())
    return found
