"""Processes that compile functions of a program beside this one, as long as it is built.

Numba compiles in Python, so that a second core takes a second process. Emitted functions know each other by symbols and
nothing else (`machine.units`), so each may be compiled anywhere, with the same bytes. Whoever is free takes the longest
that is left. Nothing depends on a helper: what it does not answer in the time that it would take here is compiled here.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from symdl.compilation import machine, team
from symdl.compilation.messages import receive, send
from symdl.errors import DefinitionError

#: Where symdl is.
ROOT = str(Path(__file__).resolve().parent.parent)
#: Says how many helpers there are; none where it is 0.
VARIABLE = "SYMDL_HELPERS"
#: More than so many have little left to do.
MOST = 3
#: Seconds that a helper may take for anything.
PATIENCE = 1.0


def count() -> int:
    """How many helpers a build has: one for each core that is idle; on a busy machine they would only cost.

    Raises:
        DefinitionError: SYMDL_HELPERS is not a number.
    """
    text = os.environ.get(VARIABLE, "").strip()
    if text and not text.isdecimal():
        raise DefinitionError(f"{VARIABLE} is {text!r}", remedy="set it to a number of processes, such as 0 or 1")
    if text:
        return int(text)
    cores = team.cores()
    wanted = min(MOST, cores - 1, (team.stated() or cores) - 1)
    return max(0, min(wanted, (os.cpu_count() or 1) - running())) if wanted > 0 else 0


def running() -> int:
    """How many threads run on this machine, this one among them: now, or else on average over the last minute."""
    try:
        found = re.search(r"^procs_running (\d+)$", Path("/proc/stat").read_text(), re.MULTILINE)
    except OSError:
        found = None
    if found is not None:
        return int(found[1])
    return max(1, round(os.getloadavg()[0])) if hasattr(os, "getloadavg") else 1


class Helper:
    """A process that compiles, and a thread here that hands it one function after the other.

    Raises:
        OSError: no process can be started.
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "symdl.compilation.helper"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p or os.getcwd() for p in sys.path)},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # on Windows
        )
        self._changed = threading.Condition()
        self._made: dict[str, Any] = {}
        self._doing: str | None = None
        self._thread: threading.Thread | None = None

    def start(self, module: tuple[str, str, str], waiting: deque[str]) -> None:
        """Take functions of a module, which is told as source, path and key, from those that wait."""
        self._thread = threading.Thread(target=self._serve, args=(module, waiting), daemon=True)
        self._thread.start()

    def _serve(self, module: tuple[str, str, str], waiting: deque[str]) -> None:
        source, path, key = module
        try:
            assert self._process.stdin is not None and self._process.stdout is not None
            send(self._process.stdin, {"path": path, "key": key}, source.encode())
            ready = receive(self._process.stdout)
            if ready is None or ready[0].get("symdl") != ROOT:  # it has found another symdl than this one
                return
            while (name := self._next(waiting)) is not None:
                send(self._process.stdin, {"unit": name})
                answer = receive(self._process.stdout)
                if answer is None or "failed" in answer[0]:
                    return
                told, data = answer
                made = machine.making.Made(data, tuple(told["defined"]), tuple(told["needed"]))
                with self._changed:
                    self._made[name] = made
        except (OSError, ValueError):  # it has ended, or was ended
            return
        finally:
            with self._changed:
                self._doing = None
                self._changed.notify_all()

    def _next(self, waiting: deque[str]) -> str | None:
        with self._changed:
            try:
                self._doing = waiting.popleft()
            except IndexError:
                return None
            return self._doing

    def made(self, seconds: Mapping[str, float]) -> dict[str, Any]:
        """What it has compiled once none wait: the last one too, if that comes before so many seconds have passed."""
        with self._changed:
            limit = max(seconds.get(self._doing, 0.0), PATIENCE) if self._doing is not None else 0.0
            self._changed.wait_for(lambda: self._doing is None, limit)
            return dict(self._made)

    def end(self) -> None:
        """The process is gone after this."""
        self._process.kill()
        self._process.wait()
        if self._thread is not None:
            self._thread.join()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with suppress(OSError):  # what was on its way to a process that is gone
                stream.close()


class Crew:
    """This process and its helpers."""

    def __init__(self, helpers: list[Helper]) -> None:
        self._helpers = helpers
        self._units: Mapping[str, Any] = {}
        self._waiting: deque[str] = deque()
        self._lengths: dict[str, int] = {}
        self._made: dict[str, Any] = {}

    def start(self, module: tuple[str, str, str], units: Mapping[str, Any]) -> None:
        """Have helpers begin with the functions of a module, told as source, path and key, which is loaded here too."""
        self._units = units
        self._lengths = {name: len(unit.function.__code__.co_code) for name, unit in units.items()}
        self._waiting.extend(sorted(units, key=lambda name: -self._lengths[name]))
        for helper in self._helpers:
            helper.start(module, self._waiting)

    def made(self, name: str) -> Any:
        """The machine code of a function; with helpers, all functions are compiled before this returns."""
        if self._helpers and name not in self._made:
            self._together()
        if name not in self._made:
            self._made[name] = machine.making.compiled(self._units[name])
        return self._made[name]

    def _together(self) -> None:
        """Take what is longest, as helpers do, until nothing is left; then wait for what they have."""
        begun, length = time.perf_counter(), 0
        while (name := self._next()) is not None:
            self._made[name] = machine.making.compiled(self._units[name])
            length += self._lengths[name]
        rate = (time.perf_counter() - begun) / max(length, 1)
        for helper in self._helpers:
            self._made |= helper.made({name: rate * length for name, length in self._lengths.items()})

    def _next(self) -> str | None:
        try:
            return self._waiting.popleft()
        except IndexError:
            return None


@contextmanager
def crew(size: int) -> Iterator[Crew]:
    """A crew of so many helpers, which start at once and are gone afterwards whatever happens."""
    helpers: list[Helper] = []
    try:
        with suppress(OSError):  # all is compiled here then
            for _ in range(size if _runs_python() else 0):
                helpers.append(Helper())
        yield Crew(helpers)
    finally:
        for helper in helpers:
            helper.end()


def _runs_python() -> bool:
    """Whether this is Python itself, and no program with Python inside of it."""
    name = Path(sys.executable or "").stem.lower()
    return name.startswith(("python", "pypy")) and not hasattr(sys, "frozen")
