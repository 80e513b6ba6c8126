"""Source of what shares work out to threads, and of what those threads do: large products, and nests of large arrays.

Work is cut into parts: a product by rows or by columns of its result, a nest by the values of one of its loops. Every
entry is computed by one thread, as it would be without the others, so that the bits do not depend on who took which
part, or on how many there are. Parts are taken one after the other by whoever is free: a thread that the system does
not run at the moment keeps nobody waiting, unless it has a part. Work that finds the team busy is done by its own
thread.

The thread that leads takes the first parts, as far as it gets, and others the last ones. So what is cut alike is mostly
computed where it already is in the cache: another core's takes longer to read than a sum takes to compute.

On a machine that is busy with other work, threads with a part are kept waiting, by whole time slices. Whoever leads
notices that by its own waiting, and goes on alone for a while.

Threads of a team wait for work in a loop for a while after the last one, and then sleep until they are woken.
"""

from __future__ import annotations

import sys

from symdl.compilation.targets.products import ALIASED, ARGUMENTS, PRODUCT, VECTORS, tiles

#: In emitted code: what gives it a product that is shared, and what shares out anything else.
SHARING, SHARING_ANY = "team_product", "team_share"
#: In emitted code: shares work out.
SHARE = "share"
#: Its arguments: the addresses of a function and of what it is given, how many parts (0: as many as threads, or twice
#: as many, see `PART`), and about how many operations it is. Where the number of parts is −1, the first says where the
#: team is, or 0.
SHARE_ARGUMENTS = ("int64",) * 4
#: What a thread of a team does.
SERVE = "serve"
#: What programs and teams call of the module, in this order.
FUNCTIONS = (SERVE, PRODUCT, SHARE)
#: Multiplications and additions from which a product is shared: 4 µs of one core. What it takes to share one is below
#: half a microsecond where the others are awake.
LARGE = 1 << 19
#: Of how many there is a part of a product, up to so many parts for each thread, or half as many where each of them
#: packs an operand that is not cut by strides (what it takes to turn one is little): cores are not equally fast at
#: every moment, and whoever is quicker takes more of them.
PIECE, PIECES = 1 << 22, 8
#: Operations of a nest for each thread from which there are twice as many parts as threads.
PART = 1 << 26
#: Operations from which a nest is shared: it takes no longer alone, but what it reads is in the cache of several cores.
NEST = 1 << 14
#: How often a thread looks for work before it sleeps: about 0.3 ms.
PATIENCE = 8000
#: The words of a team that several threads change stand in cache lines of their own: so many bytes.
LINE = 128
#: Where they are, in bytes: what there is to do (its number, how many parts, how many are taken), parts that are
#: finished, whether someone leads, how many threads there are and how many sleep, whether they shall end, whether some
#: were missed; the function and what it is given; a semaphore; until when the leader goes on alone, and how long that
#: was; to how much work nobody else came; from how many operations on a nest is shared.
TICKET, FINISHED, BUSY, THREADS, SLEEPING, STOP, MISSED, GIVEN, SEMAPHORE, UNTIL, PENALTY, MISSES, LEAST = (
    LINE * k for k in range(13)
)
BYTES = 13 * LINE
#: Where the leader waits for longer than it took for its own parts, or nobody comes to so many pieces of work, another
#: process has the other core. The leader goes on alone for so many times what that took, at first and at most; twice as
#: long each time, half as long after a piece that went well.
PATIENT, FEWEST, MOST = 2, 2, 256
#: Cycles, about a tenth of a millisecond, that the leader may wait at any rate, and below which it does not matter who
#: comes: time slices are longer, and small pieces of work would have large ones behind them done alone.
MOMENT = 1 << 18
#: Source of what says which values of a loop a part has; few of them are cut where there are enough for everyone.
PART_OF = """
@njit(forceinline=True, error_model="numpy")
def part_of(size, unit, number, parts):
    \"\"\"The first value of a loop that a part has, and the one after its last; whole units if there are enough.\"\"\"
    unit = unit if size >= parts*unit else 1
    step = (size + parts*unit - 1)//(parts*unit)*unit
    first = min(number*step, size)
    return first, min(first + step, size)
""".strip()

_SOURCE = '''
"""Work shared with the threads of a team, products in {dtype} among it; written by symdl for this processor."""

from numba.core.types import ExternalFunction, int32, int64, void

from symdl.compilation.machine.atomics import added, cell, cycles, exchanged, load, pause, store
from symdl.compilation.machine.compiling import njit
from symdl.compilation.machine.units import kernel, routine
from symdl.compilation.machine.parts import called, work_of

multiply = ExternalFunction("{multiply}", void({arguments}))
semaphore_wait = ExternalFunction("sem_wait", int32(int64))
semaphore_post = ExternalFunction("sem_post", int32(int64))


{part_of}


@njit(error_model="numpy")
def take(team):
    """Parts of what there is to do, until all are taken; how many. Where the ticket has not changed, nothing has."""
    done = 0
    while True:
        ticket = load(team + {ticket})
        number, parts = ticket & 65535, ticket >> 16 & 65535
        if number >= parts:
            return done
        if not exchanged(team + {ticket}, ticket, ticket + 1):
            continue
        threads = load(team + {given} + 16)
        if parts % threads == 0:
            number = number % threads*(parts//threads) + number//threads
        called(load(team + {given}), load(team + {given} + 8), number, parts)
        added(team + {finished}, 1)
        done += 1


@routine("void(int64)")
def {serve}(team):
    """What a thread of a team does until it shall end."""
    idle = 0
    while load(team + {stop}) == 0:
        ticket = load(team + {ticket})
        if ticket & 65535 < ticket >> 16 & 65535:
            take(team)
            idle = 0
        elif idle < {patience}:
            pause()
            idle += 1
        else:  # whoever has something to do asks who sleeps after saying so: one of the two sees the other
            added(team + {sleeping}, 1)
            ticket = load(team + {ticket})
            if ticket & 65535 >= ticket >> 16 & 65535 and load(team + {stop}) == 0:
                semaphore_wait(team + {semaphore})
            added(team + {sleeping}, -1)
            idle = 0


@njit(error_model="numpy")
def all_parts(code, given, parts):
    for number in range(parts):
        called(code, given, number, parts)


@njit(error_model="numpy")
def shared_out(team, code, given, threads, parts):
    """All parts of some work, by those who are there; whether that was tried."""
    begun = cycles()
    if begun < load(team + {until}) or not exchanged(team + {busy}, 0, 1):
        return False
    store(team + {given}, code)
    store(team + {given} + 8, given)
    store(team + {given} + 16, threads)
    store(team + {finished}, 0)
    store(team + {ticket}, ((load(team + {ticket}) >> 32) + 1 << 32) + (parts << 16))
    for _ in range(load(team + {sleeping})):
        semaphore_post(team + {semaphore})
    came = take(team) < parts
    alone = cycles() - begun
    misses = 0 if came else load(team + {misses}) + int64(alone > {moment})
    while load(team + {finished}) != parts:
        pause()
    ended = cycles()
    waited = ended - begun - alone
    penalty = load(team + {penalty})
    if waited > alone + {moment} or misses > {patient}:
        misses = 0
        penalty = min(max(2*penalty, {fewest}), {most})
        store(team + {until}, ended + penalty*max(waited, alone))
    else:
        penalty = penalty//2
    store(team + {penalty}, penalty)
    store(team + {misses}, misses)
    store(team + {busy}, 0)
    return True


@njit(error_model="numpy")
def threads_for(team, large):
    """How many threads share something; that some are missed is noted."""
    threads = load(team + {threads}) if large else 1
    if large and threads == 1:
        store(team + {missed}, 1)
    return threads


@routine("void({share_arguments})")
def {share}(code, given, parts, work):
    """All parts of some work; where `parts` is −1, `code` says where the team is, or 0."""
    if parts == -1:
        store(cell(), code)
        return
    team = load(cell())
    threads = threads_for(team, work >= load(team + {least})) if team != 0 else 1
    several = threads*(2 if work >= {several}*threads else 1)
    if threads == 1 or not shared_out(team, code, given, threads, parts if parts else several):
        all_parts(code, given, max(parts, 1))


@kernel("void({part_arguments})")
def product_part(number, parts, by_rows, a, a_row, a_inner, b, b_inner, b_column, c, c_row, rows, columns, inner):
    first, last = part_of(rows if by_rows else columns, {lanes} if by_rows else {wide}, number, parts)
    if by_rows:
        a, c, rows = a + first*a_row, c + first*c_row, last - first
    else:
        b, c, columns = b + first*b_column, c + first*{size}, last - first
    multiply(a, a_row, a_inner, b, b_inner, b_column, c, c_row, rows, columns, inner)


@routine("void({arguments})")
def {product}(a, a_row, a_inner, b, b_inner, b_column, c, c_row, rows, columns, inner):
    """c[rows, columns] = Σ a[rows, inner] b[inner, columns]; where `rows` is −1, `a` says where the team is, or 0."""
    if rows == -1:
        store(cell(), a)
        return
    team = load(cell())
    threads = threads_for(team, rows*columns*inner >= {large}) if team != 0 else 1
    if threads > 1:
        parts = threads*min(max(rows*columns*inner//({piece}*threads), 1), {pieces})
        # what is packed and not cut is packed for every part
        for_rows = columns if b_column != {size} or b_inner % {aliased} == 0 else 0
        for_columns = rows if a_row % {aliased} == 0 or a_inner % {aliased} == 0 else 0
        if for_rows == for_columns:  # gradients of weights as weights are updated, other things as biases are added
            by_rows = a_row == {size}
        else:
            by_rows = for_rows < for_columns
        by_rows = rows >= parts*{lanes} if by_rows else columns < parts*{wide} and rows > columns
        if (for_rows > 0 and b_column == {size}) if by_rows else (for_columns > 0 and a_row == {size}):
            parts = min(parts, threads*{pieces}//2)
        given = (int64(by_rows), a, a_row, a_inner, b, b_inner, b_column, c, c_row, rows, columns, inner)
        code, place = work_of(product_part, given)
        if shared_out(team, code, place, threads, parts):
            return
    multiply(a, a_row, a_inner, b, b_inner, b_column, c, c_row, rows, columns, inner)
'''


def shares() -> bool:
    """Whether products can be shared here: by the semaphores of Linux."""
    return sys.platform == "linux"


def source(dtype: str, multiply: str) -> str:
    """The module for a dtype, around the product of one thread, whose symbol is `multiply`."""
    made = tiles(dtype)
    assert made is not None, "BLAS multiplies here"
    return _SOURCE.lstrip().format(
        dtype=dtype, multiply=multiply, lanes=made.lanes, wide=VECTORS * made.lanes, arguments=", ".join(ARGUMENTS),
        size=4 if dtype == "float32" else 8, aliased=ALIASED, large=LARGE, several=PART,
        piece=PIECE, pieces=PIECES, patience=PATIENCE, ticket=TICKET, finished=FINISHED, busy=BUSY,
        threads=THREADS, sleeping=SLEEPING, stop=STOP, missed=MISSED,
        given=GIVEN, semaphore=SEMAPHORE, until=UNTIL, penalty=PENALTY, misses=MISSES, patient=PATIENT, least=LEAST,
        fewest=FEWEST, most=MOST, moment=MOMENT, serve=SERVE, product=PRODUCT, share=SHARE, part_of=PART_OF,
        share_arguments=", ".join(SHARE_ARGUMENTS), part_arguments=", ".join(("int64",) * 3 + ARGUMENTS),
    )  # fmt: skip
