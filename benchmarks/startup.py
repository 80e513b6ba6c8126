"""From starting Python: `import symdl`, `symdl --help`, and the first training step of the digits network."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

from benchmarks.timing import summary

FIRST_STEP = """
import symdl as sd
net = sd.sequential(sd.dense(32, "tanh"), sd.dense(10), loss="softmax_cross_entropy", inputs=64)
import numpy as np
X = np.zeros((32, 64)); y = np.zeros(32, dtype=int)
fit = sd.train(net, X, y, epochs=1, batch_size=32, optimizer=sd.sgd(0.5), progress=False)
import time
print(time.time())
assert fit.compiled.from_cache == EXPECTED, fit.compiled.from_cache
"""

COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "import symdl": ["-c", "import symdl"],
    "import symdl, derive a neuron": ["-c", "import symdl as sd; sd.derive(sd.definition('neuron'))"],
    "symdl --help": ["-c", "import sys; from symdl.cli import main; sys.argv = ['symdl']; main(['--help'])"],
    "first training step, cached": ["-c", FIRST_STEP.replace("EXPECTED", "True")],
}


def measure(rounds: int = 7) -> dict[str, Any]:
    """Wall seconds of whole processes, in turn; the first training step once without a cache, then with it.

    A training step counts from starting Python to the end of the step, without the interpreter's own shut-down.
    """
    import os
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "SYMDL_CACHE_DIR": folder}
        cold = _seconds(["-c", FIRST_STEP.replace("EXPECTED", "False")], environment)
        taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
        for _ in range(rounds):
            for name, command in COMMANDS.items():
                taken[name].append(_seconds(command, environment))
    found: dict[str, Any] = {name: summary(values) for name, values in taken.items()}
    found["first training step, nothing cached"] = summary([cold])
    return found


def _seconds(command: list[str], environment: dict[str, str]) -> float:
    started = time.time()
    done = subprocess.run([sys.executable, *command], env=environment, capture_output=True, text=True, check=False)
    ended = time.time()
    if done.returncode:
        raise RuntimeError(done.stderr)
    told = done.stdout.strip()
    return (float(told) if told.replace(".", "", 1).isdigit() else ended) - started


def report(found: dict[str, Any]) -> str:
    """A Markdown table."""
    lines = ["| from starting Python | median, s | range |", "| --- | ---: | --- |"]
    lines += [f"| {n} | {s['median']:.3f} | {s['least']:.3f} to {s['most']:.3f} |" for n, s in found.items()]
    return "\n".join(lines)
