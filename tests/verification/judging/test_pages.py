"""Pages as people write them, each formula with the verdict that it deserves in a comment behind it.

The verdicts were worked out by hand and with NumPy before the page was shown to the checker.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from symdl.verification.documents import read
from symdl.verification.judging.judge import judge

PAGES = sorted((Path(__file__).parent / "pages").glob("*.md"))
_EXPECTED = re.compile(r"<!-- (proved|consistent|refuted|undecided|conditional|definition) -->\s*$")


@pytest.mark.parametrize("page", PAGES, ids=[p.stem for p in PAGES])
def test_each_formula_of_a_page_gets_its_verdict(page):
    lines = page.read_text(encoding="utf-8").splitlines()
    expected = {k: m[1] for k, line in enumerate(lines, 1) if (m := _EXPECTED.search(line))}
    # several formulas in one line: the verdict is said of the last one
    found = {j.line: j for _, j in judge(read(page)) if j.line in expected}
    told = {k: str(j.status) for k, j in found.items()}
    assert told == expected, [(k, lines[k - 1], found[k].verdict) for k in expected if told.get(k) != expected[k]]
