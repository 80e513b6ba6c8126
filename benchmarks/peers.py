"""Where the peers are that want other versions of what symdl depends on: an environment of their own.

`make bench` makes it beside symdl's. Made by hand, with `requirements/peers.txt`, it is what `SYMDL_PEERS` names the
Python of.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

#: What is told where there are none.
NONE = "set SYMDL_PEERS to the Python of an environment that has requirements/peers.txt"


def python() -> str | None:
    """The interpreter of their environment, if there is one: what SYMDL_PEERS names.

    Raises:
        SystemExit: it names nothing that can be run.
    """
    named = os.environ.get("SYMDL_PEERS")
    if named and not shutil.which(named):
        sys.exit(f"benchmarks: SYMDL_PEERS: no interpreter at {Path(named)}. Remedy: {NONE}")
    return named or None


def versions() -> dict[str, str]:
    """Of the packages that are trained with there; none where there is no environment."""
    if not (interpreter := python()):
        return {}
    asked = "import json; from importlib.metadata import version as v; print(json.dumps({n: v(n) for n in %r}))"
    names = ("tensorflow_cpu", "pytensor", "numba")
    done = subprocess.run([interpreter, "-c", asked % (names,)], capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found
