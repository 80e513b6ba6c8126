"""Contestants in a process of their own: with one thread, which a process reads when it starts, or of another
environment, which has what symdl's own can't have.

A line of JSON asks for one to be made or to run, and a line of JSON answers.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.timing import Seconds

#: What OpenMP, OpenBLAS, MKL, XLA, symdl and TensorFlow ask.
ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NPROC",
        "SYMDL_THREADS",
        "TF_NUM_INTRAOP_THREADS",
        "TF_NUM_INTEROP_THREADS",
    ),
    "1",
)
#: What TensorFlow does not tell of itself on standard error.
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3"}


class Apart:
    """The other process.

    Args:
        module: whose `of_process` makes the contestants.
        python: the interpreter of their environment.
        one_thread: whether they have one thread, or as many as they like.
    """

    def __init__(
        self, module: str = "contestants", *, python: str | Path = sys.executable, one_thread: bool = True
    ) -> None:
        self.suffix = " 1T" if one_thread else ""
        self.process = subprocess.Popen(
            [python, "-m", "benchmarks.workloads.apart", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | QUIET | (ONE_THREAD if one_thread else {}),
            text=True,
        )

    def __enter__(self) -> Apart:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()

    def _ask(self, **question: Any) -> Any:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"a process of contestants ended (exit {self.process.wait()}): see above")
        return json.loads(answer)

    def start(self, name: str, dtype: str) -> list[str]:
        """Forget the workload before; the names of those that can be made for this one."""
        return list(self._ask(start=name, dtype=dtype))

    def made(self, who: str) -> tuple[Any, Callable[[], Seconds]]:
        """What a contestant returned when it was made and run; a function that runs it and tells its seconds."""
        return np.asarray(self._ask(make=who)), lambda: Seconds(self._ask(run=who))


def serve() -> None:
    """Answer until there are no more questions."""
    contestants = importlib.import_module(f"benchmarks.workloads.{sys.argv[1]}")

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    makers: dict[str, Any] = {}
    made: dict[str, Callable[[], Any]] = {}
    for line in sys.stdin:
        question = json.loads(line)
        if "start" in question:
            makers, made = contestants.of_process(question["start"], question["dtype"]), {}
            answer: Any = list(makers)
        elif "make" in question:
            made[question["make"]] = makers[question["make"]]()
            answer = np.asarray(made[question["make"]](), float).tolist()
        else:
            begun = time.perf_counter()
            made[question["run"]]()
            answer = time.perf_counter() - begun
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    serve()
