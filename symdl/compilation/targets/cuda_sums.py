"""Source of sums that blocks of threads put together: first each block what its rows have, then the last one to come
what all blocks have, in an order that their numbers say. Two runs give the same bits, whichever block is the last.
"""

from __future__ import annotations

#: Threads that stand side by side in a block, for sums of columns: a whole line of memory, or the least that is read.
WIDE, NARROW = 32, 8

_COLUMNS = '''
@device
def columns_NAME(part, width, parts):
    """DOC of the parts of those threads of a block that stand below each other in rows of so many."""
    own = cuda.threadIdx.x
    parts[own] = part
    half = cuda.blockDim.x//2
    while half >= width:
        cuda.syncthreads()
        if own < half:
            parts[own] = COMBINED
        half //= 2
    cuda.syncthreads()
    found = parts[own % width]
    cuda.syncthreads()
    return real(found)
'''

_BLOCKS = '''
@device
def blocks_NAME(part, mine, entry, count, width, parts, meet, tickets):
    """DOC of the parts of all blocks below each other, and whether it is this thread that has it: one of the last."""
    if cuda.gridDim.y == 1:
        return part, mine
    last = cuda.shared.array(1, np.int64)
    if mine:
        meet[cuda.blockIdx.y*count + entry] = part
    cuda.threadfence()
    cuda.syncthreads()
    if cuda.threadIdx.x == 0:
        # it counts to the number of blocks less one and begins again with 0
        last[0] = cuda.atomic.inc(tickets, cuda.blockIdx.x, cuda.gridDim.y - 1)
    cuda.syncthreads()
    if last[0] != cuda.gridDim.y - 1:
        return part, False
    cuda.threadfence()
    whole = START
    for block in range(cuda.threadIdx.x//width, cuda.gridDim.y, cuda.blockDim.x//width):
        other = meet[block*count + entry]
        whole = TOGETHER
    return columns_NAME(whole, width, parts), mine
'''

_LAST = '''
@device
def last_block(tickets):
    """Whether this is the last block of a grid to come here, for its first thread: what others wrote it sees."""
    cuda.threadfence()
    cuda.syncthreads()
    if cuda.threadIdx.x != 0 or cuda.atomic.inc(tickets, 0, cuda.gridDim.x - 1) != cuda.gridDim.x - 1:
        return False
    cuda.threadfence()
    return True
'''

_OPERATIONS = {
    "sum": ("The sum", "parts[own] + parts[own + half]", "whole + other", "0.0"),
    "prod": ("The product", "parts[own]*parts[own + half]", "whole*other", "1.0"),
    "max": ("The largest", "larger(parts[own], parts[own + half])", "larger(whole, other)", "-math.inf"),
    "squares": ("The sum, in float64,", "parts[own] + parts[own + half]", "whole + other", "0.0"),
}
#: What it adds to the names of an emitted module.
NAMES = frozenset(("last_block", *(f"{who}_{op}" for who in ("columns", "blocks") for op in _OPERATIONS)))


def sources(text: str) -> list[str]:
    """The functions that a text calls."""
    found = [_LAST.strip()] if "last_block(" in text else []
    for op, (doc, combined, together, start) in _OPERATIONS.items():
        for who, source in (("columns", _COLUMNS), ("blocks", _BLOCKS)):
            if f"{who}_{op}(" in text:
                made = source.replace("NAME", op).replace("DOC", doc)
                made = made.replace("COMBINED", combined).replace("TOGETHER", together).replace("START", start)
                if op == "squares":
                    made = made.replace("real(found)", "found")
                found.append(made.strip())
    return found
