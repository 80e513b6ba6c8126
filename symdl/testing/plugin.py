"""The pytest plugin: `pytest --symdl notes.md` collects documents, one test for each claim.

This module holds the options only, since pytest loads it in every run; the rest comes with `--symdl`.
"""

from __future__ import annotations

import pytest

__all__ = ["pytest_addoption", "pytest_configure"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--symdl`, `--symdl-strict` and `--symdl-budget`."""
    group = parser.getgroup("symdl", "documents whose formulas are judged by symdl")
    group.addoption(
        "--symdl", action="store_true", help="collect documents: each formula that claims something is a test"
    )
    group.addoption("--symdl-strict", action="store_true", help="what is undecided, unread or conditional fails")
    group.addoption("--symdl-budget", type=float, default=10.0, metavar="S", help="seconds for a formula (default: 10)")


def pytest_configure(config: pytest.Config) -> None:
    """Load what collects documents, where that is asked for."""
    if config.getoption("--symdl"):
        config.pluginmanager.import_plugin("symdl.testing.documents")
