"""Coq's kernel as the judge: `coqc` on a file in a temporary folder, with limits of time and memory.

A file is accepted if coqc ends with 0, every theorem is exactly the statement that was asked for, and `Print
Assumptions` names nothing but the four axioms that Coq's real numbers are built on. Nothing else is looked at.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import secrets
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from symdl.errors import MissingDependencyError

#: Seconds and bytes for one file.
SECONDS, MEMORY = 120.0, 3 << 30
#: What Coq's library of real numbers assumes, with the statements: a name alone could be taken by another axiom.
STANDARD: Mapping[str, str] = {
    "ClassicalDedekindReals.sig_forall_dec": (
        "forall P : nat -> Prop, (forall n : nat, {P n} + {~ P n}) -> {n : nat | ~ P n} + {forall n : nat, P n}"
    ),
    "ClassicalDedekindReals.sig_not_dec": "forall P : Prop, {~ ~ P} + {~ P}",
    "FunctionalExtensionality.functional_extensionality_dep": (
        "forall (A : Type) (B : A -> Type) (f g : forall x : A, B x), (forall x : A, f x = g x) -> f = g"
    ),
    "Classical_Prop.classic": "forall P : Prop, P \\/ ~ P",
}
#: Commands that no proof here needs: they assume something, leave a proof open, read files or turn checks off.
_REFUSED = re.compile(
    r"\b(Axioms?|Parameters?|Conjecture|Hypothes[ie]s|Variables?|Context|Admitted|[Aa]dmit|give_up|Abort|Undo|Restart"
    r"|Unset|Set|Declare|Load|Redirect|Extraction|Drop|Cd|Add|Primitive|Register|Obligations?|Program|bypass_check"
    r"|Local|Global|Notation|Infix|Print|Reset|Back|Quit|Fail|Succeed|Include)\b"
)
_REMEDY = "install Coq with Coquelicot and Interval (Debian and Ubuntu: coq libcoq-coquelicot libcoq-interval)"


@dataclass(frozen=True)
class Checked:
    """What coqc said of a file.

    Args:
        accepted: whether every theorem is proved from the standard axioms.
        version: of Coq.
        reason: why not, where it is not accepted.
        seconds: how long it took.
        axioms: what the theorems rest on.
    """

    accepted: bool
    version: str
    reason: str
    seconds: float
    axioms: tuple[str, ...] = ()


@functools.cache
def coqc() -> str:
    """The path of coqc, or nothing where there is none."""
    return shutil.which("coqc") or ""


@functools.cache
def version() -> str:
    """The version of Coq.

    Raises:
        MissingDependencyError: there is no Coq.
    """
    if not coqc():
        raise MissingDependencyError("there is no coqc", where="proofs by Coq", remedy=_REMEDY)
    said = subprocess.run([coqc(), "--version"], capture_output=True, text=True, timeout=30, check=False).stdout
    found = re.search(r"version (\d[\w.+-]*)", said)
    return found[1] if found else "of unknown version"


def check(
    text: str, theorems: Mapping[str, str], *, seconds: float = SECONDS, memory: int = MEMORY, nice: int = 0
) -> Checked:
    """Have coqc check a file.

    Args:
        text: the file.
        theorems: the statement of each theorem that has to be proved in it, by name.
        seconds, memory: after which it is ended.
        nice: how much less important than other programs it is.

    Raises:
        MissingDependencyError: there is no Coq.
    """
    return check_all({"proof": (text, theorems)}, seconds=seconds, memory=memory, nice=nice)["proof"]


def check_all(
    files: Mapping[str, tuple[str, Mapping[str, str]]],
    *,
    seconds: float = SECONDS,
    memory: int = MEMORY,
    nice: int = 0,
    jobs: int = 1,
    told: Callable[[str, Checked], None] = lambda name, checked: None,
) -> dict[str, Checked]:
    """Have coqc check several files; what they rest on is asked of many of them at once, which takes as long as of one.

    Args:
        files: text and statements of each, by its name: letters, digits and underscores.
        seconds, memory, nice: of each, as for `check`.
        jobs: how many are checked at a time.
        told: is called with each file as soon as coqc has ended, before the axioms are known.

    Raises:
        MissingDependencyError: there is no Coq.
    """
    version()
    limits = _Limits(seconds, memory, nice)
    with (
        tempfile.TemporaryDirectory(prefix="symdl-coq-") as folder,
        ThreadPoolExecutor(jobs) as pool,
        _ended_with_us(pool, limits.running),
    ):
        waiting = {
            name: pool.submit(_compiled, Path(folder), name, text, theorems, limits)
            for name, (text, theorems) in files.items()
        }
        found = {}
        for name, future in waiting.items():
            found[name] = future.result()
            told(name, found[name])
        good = {name: files[name][1] for name, checked in found.items() if checked.accepted}
        asked: dict[str, Checked] = {}
        for some in pool.map(lambda names: _axioms(Path(folder), names, limits), _shared(good, jobs)):
            asked |= some
        if len(good) > 1 and not all(checked.accepted for checked in asked.values()):
            asked = {n: _axioms(Path(folder), {n: theorems}, limits)[n] for n, theorems in good.items()}
    return found | {n: replace(c, seconds=c.seconds + found[n].seconds) for n, c in asked.items()}


def _shared(files: Mapping[str, Mapping[str, str]], jobs: int) -> list[dict[str, Mapping[str, str]]]:
    """The files in as many parts as there are processes."""
    return [{name: files[name] for name in list(files)[k::jobs]} for k in range(min(jobs, len(files)))]


def _compiled(folder: Path, name: str, text: str, theorems: Mapping[str, str], limits: _Limits) -> Checked:
    """Whether coqc takes the file, and each theorem is the statement that was asked for."""
    if not re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII):
        return Checked(False, version(), f"{name!r} is no name of a file", 0.0)
    refused = _REFUSED.search(re.sub(r"\(\*.*?\*\)", "", text, flags=re.DOTALL))
    if refused:
        return Checked(False, version(), f"the command {refused[0]} is not accepted in a proof", 0.0)
    if not theorems:
        return Checked(False, version(), "it states nothing", 0.0)
    asked = [f"Goal {statement}. Proof. exact {theorem}. Qed." for theorem, statement in theorems.items()]
    started = time.monotonic()
    status, _, complaint = _run(folder, name, "\n".join([text, *asked, ""]), limits)
    return Checked(status == 0, version(), complaint if status else "", time.monotonic() - started)


def _axioms(folder: Path, files: Mapping[str, Mapping[str, str]], limits: _Limits) -> dict[str, Checked]:
    """The axioms that all theorems of files in the folder rest on, if they are the standard ones."""
    if not files:
        return {}
    mark = f"mark{secrets.token_hex(16)}"
    theorems = [f"{name}.{theorem}" for name, some in files.items() for theorem in some]
    text = "\n".join(
        [
            f"Require {' '.join(files)}.",
            f"Definition everything := ({', '.join(['I', *theorems])}).",
            f'Goal True. idtac "{mark}". exact I. Qed.',
            "Print Assumptions everything.",
            "",
        ]
    )
    started = time.monotonic()
    status, said, complaint = _run(folder, mark, text, limits)
    reason, axioms = complaint, []
    if status == 0:
        try:
            axioms, reason = sorted(_assumed(said, mark)), ""
        except ValueError as error:
            reason = str(error)
    took = (time.monotonic() - started) / len(files)
    accepted = status == 0 and not reason
    return {name: Checked(accepted, version(), reason, took, tuple(axioms)) for name in files}


def _assumed(said: str, mark: str) -> Iterator[str]:
    """The axioms that are printed after a mark, which no file can know.

    Raises:
        ValueError: one is not a standard axiom, or the answer is not understood.
    """
    after = said.split(f"{mark}\n")
    if len(after) != 2:
        raise ValueError("coqc did not answer what the theorems rest on")
    answer = after[1].strip()
    if answer == "Closed under the global context":
        return
    head, _, rest = answer.partition("\n")
    if head != "Axioms:":
        raise ValueError(f"it rests on more than axioms: {head}")
    for entry in re.split(r"\n(?=\S)", rest):
        name, _, statement = " ".join(entry.split()).partition(" : ")
        if STANDARD.get(name) != statement:
            raise ValueError(f"it rests on {name}, which is no axiom of the real numbers")
        yield name


class _Running:
    """The coqc that run now; once they are ended, no other one lives."""

    def __init__(self) -> None:
        self.lock, self.over = threading.Lock(), False
        self.processes: set[subprocess.Popen[str]] = set()

    def add(self, process: subprocess.Popen[str]) -> None:
        with self.lock:
            self.processes.add(process)
            if self.over:
                process.kill()

    def remove(self, process: subprocess.Popen[str]) -> None:
        with self.lock:
            self.processes.discard(process)

    def end(self) -> None:
        with self.lock:
            self.over = True
            for process in self.processes:
                process.kill()


@contextlib.contextmanager
def _ended_with_us(pool: ThreadPoolExecutor, running: _Running) -> Iterator[None]:
    """An interrupt while we wait for coqc ends what runs, and nothing else begins."""
    try:
        yield
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        running.end()
        raise


@dataclass(frozen=True)
class _Limits:
    """Of one run of coqc, and those that run."""

    seconds: float
    memory: int
    nice: int
    running: _Running = field(default_factory=_Running)


def _run(folder: Path, name: str, text: str, limits: _Limits) -> tuple[int, str, str]:
    """Exit code, standard output, and the complaint in short."""
    shell = 'ulimit -v "$1" && ulimit -t "$2" && ulimit -c 0 && shift 2 && exec "$@"'
    (folder / f"{name}.v").write_text(text, encoding="ascii")
    command = ["sh", "-c", shell, "sh", str(limits.memory // 1024), str(int(limits.seconds) + 5)]
    command += ["nice", "-n", str(limits.nice)] if limits.nice else []
    command += [coqc(), "-q", "-w", "none", "-noglob", "-R", ".", "", f"{name}.v"]
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), "LC_ALL": "C"}
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    limits.running.add(process)
    try:
        said, complaint = process.communicate(timeout=limits.seconds)
    except subprocess.TimeoutExpired:
        return -1, "", f"coqc took longer than {limits.seconds:.0f} s"
    finally:
        _end(process)
        limits.running.remove(process)
    if process.returncode < 0 or "out of memory" in complaint.lower():
        return process.returncode or -1, "", f"coqc needed more than {limits.memory >> 20} MB or was ended"
    return process.returncode, said, " ".join(complaint.split())[-600:]


def _end(process: subprocess.Popen[str]) -> None:
    """End the process, which starts no others; it is in our group, so that whoever ends that ends it as well."""
    if process.poll() is None:
        process.kill()
        process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
