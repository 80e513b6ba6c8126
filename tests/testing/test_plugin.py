"""`pytest --symdl notes.md`: documents as tests, loaded as an installed symdl is: by its entry point."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENTRY_POINTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]

#: The judge of `support.judges` in place of the real one, in the run that is tested.
CONFTEST = (
    "import symdl.verification.judging.check as check\nfrom support import judges\ncheck.judge = judges.obedient\n"
)

NOTES = "".join(f"$$\n{word}\n$$\n\n" for word in ("name", "fine", "wrong", "word", "near", "open", "if"))


@pytest.fixture
def folder(tmp_path):
    """A project with a document and a test, beside an installed symdl."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "notes.md").write_text(NOTES)
    (tmp_path / "test_one.py").write_text("def test_one(): pass\n")
    site = tmp_path / "site"
    installed = site / "symdl_as_installed-1.0.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: symdl-as-installed\nVersion: 1.0\n")
    lines = [f"{name} = {value}" for name, value in ENTRY_POINTS["pytest11"].items()]
    (installed / "entry_points.txt").write_text("\n".join(["[pytest11]", *lines, ""]))
    return tmp_path


def run(folder, *arguments):
    path = [str(folder / "site"), str(ROOT), str(ROOT / "tests")]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "-rs", *arguments]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    return subprocess.run(
        command,
        cwd=folder,
        env=environment | {"PYTHONPATH": os.pathsep.join(path)},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_each_claim_is_a_test(folder):
    ended = run(folder, "--symdl", "-v", "notes.md")
    assert ended.returncode == 1
    for line in (
        "notes.md::6:1 fine PASSED",
        "notes.md::10:1 wrong FAILED",
        "notes.md::18:1 near PASSED",
        "notes.md::22:1 open SKIPPED",
        "notes.md::26:1 if SKIPPED",
        "notes.md:10:1: refuted: wrong",
        "it is 4",
        "at x = 2: left 4, right 5",
        "1 failed, 2 passed, 2 skipped",
    ):
        assert line in ended.stdout, ended.stdout
    assert "name" not in ended.stdout and "Traceback" not in ended.stdout


def test_one_claim_by_its_name_and_strictly(folder):
    ended = run(folder, "--symdl", "--symdl-strict", "notes.md::22:1 open", "notes.md::6:1 fine")
    assert ended.returncode == 1 and "1 failed, 1 passed" in ended.stdout and "no way is known" in ended.stdout


def test_a_folder_with_documents_and_tests(folder):
    (folder / "words.txt").write_text("a = b\n")
    ended = run(folder, "--symdl", "-q")
    assert ended.returncode == 1 and "1 failed, 3 passed, 2 skipped" in ended.stdout


def test_without_the_option_nothing_is_collected_or_loaded(folder):
    (folder / "conftest.py").write_text("import sys\ndef pytest_unconfigure(): assert 'sympy' not in sys.modules\n")
    ended = run(folder, "-q", "-p", "symdl.testing.plugin")  # named as well as installed: loaded once
    assert ended.returncode == 0 and "1 passed" in ended.stdout, ended.stdout + ended.stderr


def test_a_broken_document_is_an_error_of_collection(folder):
    (folder / "bytes.md").write_bytes(b"\xff\xfe")
    ended = run(folder, "--symdl", "bytes.md")
    assert ended.returncode == 2 and "not UTF-8" in ended.stdout and "Traceback" not in ended.stdout


def test_the_hook_of_pre_commit_names_the_command():
    text = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    hook = dict(line.strip("- \n").split(": ", 1) for line in text.splitlines() if ": " in line and line[0] != "#")
    assert hook["id"] == "symdl-check" and hook["entry"] == "symdl check" and hook["language"] == "python"
    assert hook["types_or"] == "[markdown, tex, jupyter]"
