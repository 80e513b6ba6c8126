"""`prove`: the entries of the library, each with a file of theorems that Coq has checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from symdl.verification.coq.files import File
from symdl.verification.coq.library import files_of, proof_file
from symdl.verification.coq.runner import SECONDS, Checked, check_all
from symdl.verification.coq.verdicts import scope
from symdl.verification.verdict import Status, Verdict


@dataclass(frozen=True)
class Proof:
    """What Coq says of one entry.

    Args:
        name: of the entry.
        file: its theorems and the text that Coq has read.
        verdict: proved, or undecided with Coq's complaint; one for all theorems of the file.
        axioms: what the theorems rest on, which is never more than the axioms of the real numbers.
    """

    name: str
    file: File
    verdict: Verdict
    axioms: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """A dictionary of text and numbers."""
        parts = [{"name": t.name, "statement": t.statement, "scope": scope((t,))} for t in self.file.parts]
        return {"name": self.name, **self.verdict.to_json(), "theorems": parts, "axioms": list(self.axioms)}

    def __str__(self) -> str:
        how = f"{self.verdict.status} ({self.verdict.method})"
        count = "1 theorem" if len(self.file.parts) == 1 else f"{len(self.file.parts)} theorems"
        why = f": {self.verdict.reason}" if self.verdict.reason else ""
        lines = [f"{self.name}: {how}, {count}, {self.verdict.seconds:.1f} s{why}"]
        return "\n".join([*lines, *(f"  {t.name}, {scope((t,))}" for t in self.file.parts)])


def prove(
    names: Iterable[str],
    *,
    seconds: float = SECONDS,
    jobs: int = 1,
    told: Callable[[str], None] = lambda name: None,
) -> list[Proof]:
    """Have Coq check what the library says of entries: slopes, stable forms, complements, logarithms, bounds.

    Args:
        names: of activations of one number, and of losses with a value for each element.
        seconds: for each file.
        jobs: how many files are checked at a time.
        told: is called with each name when its file has been read by Coq.

    Raises:
        DefinitionError, UnsupportedError: an entry that there is not, or that has no proof.
        MissingDependencyError: there is no Coq.
    """
    files = {file: proof_file(file) for name in names for file in files_of(name)}
    asked = {name: (file.text, file.statements) for name, file in files.items()}
    found = check_all(asked, seconds=seconds, jobs=jobs, told=lambda name, checked: told(name))
    return [_proof(name, file, found[name]) for name, file in files.items()]


def _proof(name: str, file: File, checked: Checked) -> Proof:
    status = Status.PROVED if checked.accepted else Status.UNDECIDED
    method = f"Coq {checked.version}"
    verdict = Verdict(status, method, scope(file.parts), None, checked.reason, round(checked.seconds, 3))
    return Proof(name, file, verdict, checked.axioms)
