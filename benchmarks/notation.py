"""The share of real formulas that is read, beside the readers of LaTeX of SymPy and latex2sympy2_extended.

The peers run in an environment of their own (see `benchmarks.peers`),

    python -m venv peers && peers/bin/pip install -r requirements/peers.txt
    SYMDL_PEERS=peers/bin/python python -m benchmarks notation

and the formulas come from the reference material beside the repository (`SYMDL_REFERENCE`). Every reader gets the rows
that symdl.verification.documents makes of the displays, labels and alignment marks removed, and five seconds for each.
Accepted is not understood: a reader that stops in the middle, or takes gamma for Euler's constant, counts as well as
one that does not.
"""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

from benchmarks import peers
from symdl.verification.documents import read_text
from symdl.verification.notation import UnreadError, parse

ROOT = Path(__file__).resolve().parent.parent

#: Runs in the peers' environment: reads rows from standard input, writes for each reader the rows that it accepts.
PEERS = r"""
import json, signal, sys, time
from importlib.metadata import version

def stop(*_):
    raise TimeoutError

signal.signal(signal.SIGALRM, stop)
rows = json.load(sys.stdin)
from sympy.parsing.latex import parse_latex
from sympy.parsing.latex.lark import parse_latex_lark
from latex2sympy2_extended import latex2sympy

readers = {
    f"SymPy {version('sympy')} parse_latex, antlr": lambda text: parse_latex(text, backend="antlr"),
    f"SymPy {version('sympy')} parse_latex, antlr, strict": lambda text: parse_latex(text, True, "antlr"),
    f"SymPy {version('sympy')} parse_latex, lark": parse_latex_lark,
    f"latex2sympy2_extended {version('latex2sympy2_extended')}": latex2sympy,
}
found = {}
for name, reader in readers.items():
    reader("x")
    accepted, begun = [], time.process_time()
    for row in rows:
        signal.alarm(5)
        try:
            accepted.append(reader(row) is not None)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            accepted.append(False)
        finally:
            signal.alarm(0)
    found[name] = {"accepted": accepted, "seconds": time.process_time() - begun}
json.dump(found, sys.stdout)
"""


def rows() -> dict[str, str]:
    """Each different row of the reference formulas, with its kind: "inline" or "display".

    Nothing where the reference material is absent.
    """
    folder = Path(os.environ.get("SYMDL_REFERENCE", ROOT.parent / "shared" / "reference"))
    file = folder / "equations" / "equations.jsonl"
    found: dict[str, str] = {}
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else []:
        entry = json.loads(line)
        text, inline = entry["latex"], entry["kind"] == "inline"
        if inline:
            text = f"${' '.join(text.split())}$"
        elif entry["kind"] == "display":
            text = f"$$\n{text}\n$$"
        for span in read_text(text, "latex" if entry["kind"] == "env" else "markdown").spans:
            found.setdefault(span.latex, "inline" if inline else "display")
    return found


def measure() -> dict[str, Any]:
    """Accepted rows and processor seconds of each reader that is there."""
    texts = rows()
    parse("x")
    begun, accepted = time.process_time(), []
    for text in texts:
        try:
            parse(text)
        except UnreadError:
            accepted.append(False)
        else:
            accepted.append(True)
    found: dict[str, Any] = {"symdl": {"accepted": accepted, "seconds": time.process_time() - begun}}
    if python := peers.python():
        done = subprocess.run(
            [python, "-W", "ignore", "-c", PEERS],
            input=json.dumps(list(texts)),
            capture_output=True,
            text=True,
            check=True,
        )
        found |= json.loads(done.stdout[done.stdout.index("{") :])
    return {"kinds": list(texts.values()), "readers": found}


def report(found: dict[str, Any]) -> str:
    """A table in Markdown: the share of displayed rows and of inline formulas, and milliseconds a formula."""
    kinds = found["kinds"]
    if not kinds:
        return "Not measured: set SYMDL_REFERENCE to the folder of the reference material."
    lines = [
        f"Measured {datetime.date.today().isoformat()} on {kinds.count('display')} different rows of displays and "
        f"{kinds.count('inline')} different inline formulas.",
        "",
        "| reader | displayed rows accepted | inline accepted | ms each |",
        "|---|---|---|---|",
    ]
    for name, result in found["readers"].items():
        shares = [_share(result["accepted"], kinds, kind) for kind in ("display", "inline")]
        lines.append(f"| {name} | {shares[0]} | {shares[1]} | {1000 * result['seconds'] / len(kinds):.2f} |")
    if len(found["readers"]) == 1:
        lines += ["", f"No peers: {peers.NONE}."]
    return "\n".join(lines)


def _share(accepted: list[bool], kinds: list[str], kind: str) -> str:
    those = [a for a, k in zip(accepted, kinds, strict=True) if k == kind]
    return f"{100 * sum(those) / len(those):.1f} %"
