"""A process that compiles units of a program for another one (see `symdl.compilation.helpers`).

It is told a module, then the names of units one by one, and answers with their machine code. It ends when nobody is at
the other end any more.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Mapping
from typing import IO, Any

from numba.core.registry import cpu_target

from symdl.compilation import shared  # noqa: F401 - what modules import, while nothing is to be done yet
from symdl.compilation.helpers import ROOT
from symdl.compilation.machine import compiling, lanes, making, parts, slides, tiles, vectors  # noqa: F401
from symdl.compilation.messages import receive, send
from symdl.compilation.runtime import load_source


def serve(given: IO[bytes], answers: IO[bytes]) -> None:
    """Do what is asked until nothing is asked any more."""
    space: Mapping[str, Any] = {}
    while (message := receive(given)) is not None:
        asked, data = message
        if (name := asked.get("unit")) is None:
            space = load_source(data.decode(), asked["path"], asked["key"])
            send(answers, {"symdl": ROOT})
            continue
        try:
            with compiling.types_remembered():
                made = making.compiled(space[name])
        except Exception as error:  # whoever asked compiles it, and sees the same error
            send(answers, {"failed": repr(error)})
            continue
        send(answers, {"defined": made.defined, "needed": made.needed}, made.data)


def main() -> None:
    """Answer on the standard output; what anything prints goes where errors go."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    gc.disable()  # nearly all that is made stays, and the process is short
    context: Any = cpu_target.target_context
    context.refresh()
    cpu_target.typing_context.refresh()
    try:
        serve(sys.stdin.buffer, answers)
    except BrokenPipeError:
        os._exit(0)  # nobody wants the answer


if __name__ == "__main__":
    main()
