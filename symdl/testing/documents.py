"""Documents as tests: what is refuted fails with its reason, what is open is skipped, definitions are no tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from symdl.errors import SymdlError
from symdl.verification.documents.reading import KINDS
from symdl.verification.judging.check import check
from symdl.verification.judging.report import Judged
from symdl.verification.verdict import Status

__all__ = ["Claim", "ClaimError", "Page", "pytest_collect_file"]

_PASSED = (Status.PROVED, Status.CONSISTENT)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> Page | None:
    """Markdown, LaTeX and notebooks; plain text only where it is named itself, since folders hold much of it."""
    kind = KINDS.get(file_path.suffix.lower())
    if kind is None or (kind == "plain" and not parent.session.isinitpath(file_path)):
        return None
    return Page.from_parent(parent, path=file_path)


class ClaimError(Exception):
    """A claim that did not pass."""


class Page(pytest.File):
    """A document. It is judged when it is collected: only then is it known which of its formulas claim something."""

    def collect(self) -> Iterator[Claim]:
        """One item for each claim, in the order of the document."""
        path = os.path.relpath(self.path)
        try:
            report = check(path, budget=self.config.getoption("--symdl-budget"))
        except SymdlError as error:
            raise self.CollectError(str(error)) from None
        for judged in report:
            if judged.status is not Status.DEFINITION:
                place = judged.place.removeprefix(f"{judged.file}:")
                yield Claim.from_parent(self, name=f"{place} {judged.text}", judged=judged)


class Claim(pytest.Item):
    """One formula that claims something."""

    def __init__(self, *, judged: Judged, **options: Any) -> None:
        super().__init__(**options)
        self.judged = judged

    def runtest(self) -> None:
        """Fail what is refuted, skip what is open, or fail it with `--symdl-strict`."""
        if self.judged.status in _PASSED:
            return
        told = f"{self.judged.status}: {self.judged.text}"
        verdict = self.judged.verdict
        told += "".join(f"\n  {part}" for part in (verdict.reason, verdict.witness) if part)
        told += "".join(f"\n  {link.verdict.status}: {link.text}" for link in self.judged.links)
        told += f"\n  did you mean {self.judged.suggested}" if self.judged.suggested else ""
        if self.judged.status is Status.REFUTED or self.config.getoption("--symdl-strict"):
            raise ClaimError(told)
        pytest.skip(" ".join(told.split()))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *arguments: Any, **options: Any) -> Any:
        """The reason, without a traceback through symdl."""
        if isinstance(excinfo.value, ClaimError):
            return f"{self.judged.place}: {excinfo.value}"
        return super().repr_failure(excinfo, *arguments, **options)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the formula begins."""
        return self.path, self.judged.line - 1, self.name
