"""Source of what shares a large product out to threads, and of what those threads do.

A product is cut into parts by rows or by columns of its result. Every entry is added up by one thread, in the order in
which it would be without the others, so that the bits do not depend on who took which part, or on how many there are.
Parts are taken one after the other by whoever is free: a thread that the system does not run at the moment keeps nobody
waiting, unless it has a part. A product that finds the team busy is done by its own thread.

On a machine that is busy with other work, threads with a part are kept waiting, by whole time slices. Whoever leads
notices that by its own waiting, and goes on alone for a while.

Threads of a team wait for work in a loop for a while after the last one, and then sleep until they are woken.
"""

from __future__ import annotations

import sys

from symdl.compilation.targets.products import ALIASED, ARGUMENTS, PRODUCT, VECTORS, tiles

#: In emitted code: what gives it a product that is shared.
SHARING = "team_product"
#: What a thread of a team does.
SERVE = "serve"
#: Multiplications and additions from which a product is shared: 4 µs of one core. What it takes to share one is below
#: half a microsecond where the others are awake.
LARGE = 1 << 19
#: The same for each thread from which there are twice as many parts as threads.
PART = 1 << 26
#: How often a thread looks for work before it sleeps: about 0.3 ms.
PATIENCE = 8000
#: The words of a team that several threads change stand in cache lines of their own: so many bytes.
LINE = 128
#: Where they are, in bytes: what there is to do (its number, how many parts, how many are taken), parts that are
#: finished, whether someone leads, how many threads there are and how many sleep, whether they shall end, whether some
#: were missed; the arguments; a semaphore; until when the leader goes on alone, and how long that was; to how many
#: products nobody else came.
TICKET, FINISHED, BUSY, THREADS, SLEEPING, STOP, MISSED, GIVEN, SEMAPHORE, UNTIL, PENALTY, MISSES = (
    LINE * k for k in range(12)
)
BYTES = 12 * LINE
#: Where the leader waits for longer than it took for its own parts, or nobody comes to so many products, another
#: process has the other core. The leader goes on alone for so many times what that took, at first and at most; twice as
#: long each time, half as long after a product that went well.
PATIENT, FEWEST, MOST = 2, 16, 256

_SOURCE = '''
"""Large products in {dtype} shared with the threads of a team; written by symdl for this processor."""

from numba import cfunc, njit
from numba.core.types import ExternalFunction, int32, int64, void

from symdl.compilation.machine.atomics import added, cell, cycles, exchanged, load, pause, store

multiply = ExternalFunction("{multiply}", void({arguments}))
semaphore_wait = ExternalFunction("sem_wait", int32(int64))
semaphore_post = ExternalFunction("sem_post", int32(int64))


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
        given = team + {given}
        a, a_row, b, b_column = load(given), load(given + 8), load(given + 24), load(given + 40)
        c, c_row, rows, columns = load(given + 48), load(given + 56), load(given + 64), load(given + 72)
        by_rows = load(given + 88)
        whole, unit = (rows, {lanes}) if by_rows else (columns, {wide})
        size = (whole + parts*unit - 1)//(parts*unit)*unit
        first = min(number*size, whole)
        count = min(size, whole - first)
        if by_rows:
            a, c, rows = a + first*a_row, c + first*c_row, count
        else:
            b, c, columns = b + first*b_column, c + first*{size}, count
        multiply(a, a_row, load(given + 16), b, load(given + 32), b_column, c, c_row, rows, columns, load(given + 80))
        added(team + {finished}, 1)
        done += 1


@cfunc("void(int64)", error_model="numpy")
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


@cfunc("void({arguments})", error_model="numpy")
def {product}(a, a_row, a_inner, b, b_inner, b_column, c, c_row, rows, columns, inner):
    """c[rows, columns] = Σ a[rows, inner] b[inner, columns]; where `rows` is −1, `a` says where the team is, or 0."""
    if rows == -1:
        store(cell(), a)
        return
    team = load(cell())
    large = team != 0 and rows*columns*inner >= {large}
    threads = load(team + {threads}) if large else 1
    if large and threads == 1:
        store(team + {missed}, 1)
    begun = cycles()
    if threads > 1 and begun < load(team + {until}):
        threads = 1
    if threads == 1 or not exchanged(team + {busy}, 0, 1):
        multiply(a, a_row, a_inner, b, b_inner, b_column, c, c_row, rows, columns, inner)
        return
    # what is packed and not cut is packed for every part
    for_rows = columns if b_column != {size} or b_inner % {aliased} == 0 else 0
    for_columns = rows if a_row % {aliased} == 0 or a_inner % {aliased} == 0 else 0
    by_rows = for_rows < for_columns or (for_rows == for_columns and rows >= columns)
    parts = threads*(2 if rows*columns*inner >= {several}*threads else 1)
    given = (a, a_row, a_inner, b, b_inner, b_column, c, c_row, rows, columns, inner, int64(by_rows))
    for k, value in enumerate(given):
        store(team + {given} + 8*k, value)
    store(team + {finished}, 0)
    store(team + {ticket}, ((load(team + {ticket}) >> 32) + 1 << 32) + (parts << 16))
    for _ in range(load(team + {sleeping})):
        semaphore_post(team + {semaphore})
    misses = load(team + {misses}) + 1 if take(team) == parts else 0
    alone = cycles() - begun
    while load(team + {finished}) != parts:
        pause()
    ended = cycles()
    waited = ended - begun - alone
    penalty = load(team + {penalty})
    if waited > alone or misses > {patient}:
        misses = 0
        penalty = min(max(2*penalty, {fewest}), {most})
        store(team + {until}, ended + penalty*max(waited, alone))
    else:
        penalty = penalty//2
    store(team + {penalty}, penalty)
    store(team + {misses}, misses)
    store(team + {busy}, 0)
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
        size=4 if dtype == "float32" else 8, aliased=ALIASED, large=LARGE, several=PART, patience=PATIENCE,
        ticket=TICKET, finished=FINISHED, busy=BUSY, threads=THREADS, sleeping=SLEEPING, stop=STOP, missed=MISSED,
        given=GIVEN, semaphore=SEMAPHORE, until=UNTIL, penalty=PENALTY, misses=MISSES, patient=PATIENT,
        fewest=FEWEST, most=MOST, serve=SERVE, product=PRODUCT,
    )  # fmt: skip
