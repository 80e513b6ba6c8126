"""Time and memory of one claim, kept by the operating system: no loop in C can outlast them.

The clock counts processor time of this process, so that a busy machine changes no verdict.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import resource
import signal
import subprocess
import sys

__all__ = ["MEGABYTE", "arm", "disarm", "keeps_memory", "resident", "secure", "spent"]

MEGABYTE = 2**20


def secure() -> None:
    """Prepare a worker: the timer ends it, an interrupt is its parent's affair, and it leaves no trace or core file."""
    faulthandler.disable()
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def arm(seconds: float, megabytes: int) -> None:
    """From now on, `seconds` of processor time end this process, and `megabytes` more memory are all it gets.

    Elsewhere than on Linux the parent looks after the memory (`resident`): macOS does not keep RLIMIT_AS.
    """
    if keeps_memory():
        with contextlib.suppress(ValueError, OSError):
            hard = resource.getrlimit(resource.RLIMIT_AS)[1]
            wanted = _address_space() + megabytes * MEGABYTE
            soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    signal.setitimer(signal.ITIMER_PROF, seconds)


def disarm() -> None:
    """Stop the clock."""
    signal.setitimer(signal.ITIMER_PROF, 0)


def keeps_memory() -> bool:
    """Whether the system ends who takes more memory than RLIMIT_AS."""
    return sys.platform == "linux"


def resident(process: int) -> int:
    """Bytes of memory that a process holds, by `ps`; 0 where that is not to be had.

    >>> resident(0)  # no such process
    0
    """
    try:
        told = subprocess.run(
            ["ps", "-o", "rss=", "-p", str(process)], capture_output=True, text=True, timeout=5, check=True
        )
        return int(told.stdout) * 1024
    except (OSError, ValueError, subprocess.SubprocessError):
        return 0


def spent(process: int) -> float:
    """Seconds of processor time of another process; 0 where the system does not tell (anywhere but on Linux).

    >>> spent(0)  # no such process
    0.0
    """
    try:
        with open(f"/proc/{process}/stat", encoding="ascii", errors="replace") as file:
            after_name = file.read().rpartition(")")[2].split()
    except OSError:
        return 0.0
    user, system = after_name[11:13]  # fields 14 and 15 of proc_pid_stat(5)
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _address_space() -> int:
    """Bytes of address space in use; the limit counts from there, since what was loaded before is not the claim's."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * resource.getpagesize()
