"""Judges that do as the formulas of a document say: what a worker may meet, for the tests of workers.

`fine`, `wrong`, `open`, `name`: verdicts; any other word: no claim. `bomb`, `memory`, `abort` and the rest of
`act`: each takes its process with it when it is judged, and with `read-` before it even when it is only read.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time

from symdl.verification.judging.report import Judged
from symdl.verification.verdict import Status, Verdict, Witness

VERDICTS = {
    "fine": Verdict(Status.PROVED, "normal form", "all real x"),
    "near": Verdict(Status.CONSISTENT, "points", "all real x", reason="agrees at 32 points"),
    "wrong": Verdict(Status.REFUTED, "balls", "all real x", Witness({"x": "2"}, "4", "5"), reason="it is 4"),
    "open": Verdict(Status.UNDECIDED, "none", "all real x", reason="no way is known"),
    "unread": Verdict(Status.UNREAD, "none", "nothing", reason="column 3: an arrow"),
    "if": Verdict(Status.CONDITIONAL, "signs", "x >= 0", Witness({"x": "-1"}, "1", "-1"), reason="needs x >= 0"),
    "name": Verdict(Status.DEFINITION, "none", "nothing", reason="binds x"),
}

#: Seconds for which a program sleeps that a worker has started; no other program has this number.
HEIR = "1000.0625"


def act(word):
    """Do what the formula says, which may be the last thing that this process does."""
    match word:
        case "bomb":
            return 9**9**9**9
        case "memory":
            return [bytes(2**26) for _ in range(2**12)]
        case "abort":
            os.abort()
        case "segv":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "exit":
            os._exit(7)
        case "fail":
            raise KeyError("planted")
        case "heir":
            subprocess.run(["sleep", HEIR], check=True)
        case "sleep":
            time.sleep(1000)
        case "swallow":
            while True:
                try:
                    return 9**9**9**9
                except BaseException:
                    continue
        case _:
            return None


def judged(document, k, verdict, **more):
    span = document.spans[k]
    text = span.latex.replace("\\;", " ")
    return Judged(span.file, span.line, span.column, span.latex, text, verdict, block=span.block, **more)


def obedient(document, *, only, skip=(), seed=0, prove=False, budget=10.0):
    """The judge as it should be."""
    for k, span in enumerate(document.spans):
        mine = only(k)
        if k in skip:
            continue
        word = span.latex.split("#")[0].strip()
        if word.startswith("read-"):
            act(word.removeprefix("read-"))
        if mine:
            act(word)
            if (verdict := VERDICTS.get(word)) is not None:
                yield k, judged(document, k, verdict)


def stubborn(document, *, only, skip=(), seed=0, prove=False, budget=10.0):
    """A judge that reads what it was told to step over."""
    yield from obedient(document, only=only, skip=(), seed=seed)


def broken(document, *, only, skip=(), seed=0, prove=False, budget=10.0):
    """A judge that does not get into documents that say so."""
    if "broken" in document.text:
        act("fail")
    yield from obedient(document, only=only, skip=skip, seed=seed)


def pids(document, *, only, skip=(), seed=0, prove=False, budget=10.0):
    """A judge that tells the process it runs in, and the seed."""
    for k, _ in enumerate(document.spans):
        if only(k):
            time.sleep(0.02)
            reason = f"{os.getpid()} {seed}"
            yield k, judged(document, k, Verdict(Status.PROVED, "none", "nothing", reason=reason))
