"""Teams of threads for tests of compiled code that shares work."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from symdl.compilation import team


@pytest.fixture
def two_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two threads for whatever is shared; none of them is left."""
    monkeypatch.setenv(team.VARIABLES[0], "2")
    yield
    for made in team._TEAMS.values():
        made.stop()
