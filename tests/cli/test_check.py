"""`symdl check` as a user meets it, with a judge that does as the formulas say (`support.judges`)."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support import judges

import symdl as sd
from symdl.cli import main
from symdl.verification.judging import process

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def planted(monkeypatch, tmp_path):
    monkeypatch.setattr("symdl.verification.judging.check.judge", judges.obedient)
    monkeypatch.chdir(tmp_path)


def page(*words, name="notes.md"):
    Path(name).write_text("".join(f"$$\n{word}\n$$\n\n" for word in words), encoding="utf-8")
    return name


def run(capsys, *arguments):
    code = main(["check", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out, err


EXITS = [
    (("fine", "near", "name", "word"), 0, 0),
    (("fine", "open"), 0, 3),
    (("fine", "unread"), 0, 3),
    (("fine", "if"), 0, 3),
    (("wrong", "open"), 1, 1),
    (("wrong", "fine"), 1, 1),
    ((), 0, 0),
]


@pytest.mark.parametrize(("words", "code", "strict"), EXITS)
def test_exit_codes(capsys, words, code, strict):
    name = page(*words)
    assert run(capsys, name)[0] == code
    assert run(capsys, name, "--strict")[0] == strict


def test_text_on_the_terminal(capsys):
    code, out, err = run(capsys, page("fine", "wrong", "word", "open"))
    assert code == 1 and not err
    assert out == (
        "notes.md:2:1  ✓ proved       fine  (normal form; all real x)\n"
        "notes.md:6:1  ✗ refuted      wrong\n"
        "    it is 4; at x = 2: left 4, right 5\n"
        "notes.md:14:1  ? undecided    open\n"
        "    no way is known\n"
        "\n"
        "3 claims: 1 refuted, 1 undecided, 1 proved\n"
    )


def test_a_bomb_costs_its_own_budget(capsys):
    begin = time.monotonic()
    code, out, _ = run(capsys, page("fine", "bomb", "fine"), "--budget", 0.5)
    assert code == 0 and out.count("proved ") == 2 and "out of time: it takes more than 0.5 s" in out
    assert time.monotonic() - begin < 20


def test_several_documents_in_order(capsys):
    names = [page("fine", name="b.md"), page("wrong", name="a.md")]
    code, out, _ = run(capsys, *names)
    assert code == 1 and [line.split(":")[0] for line in out.splitlines()[:2]] == ["b.md", "a.md"]


@pytest.mark.parametrize("form", ["json", "junit", "sarif", "github", "html", "text"])
def test_formats_and_files(capsys, form):
    name = page("fine", "wrong")
    code, out, err = run(capsys, name, "--format", form)
    assert code == 1 and "wrong" in out
    code, nothing, err = run(capsys, name, "--format", form, "-o", "report")
    assert code == 1 and not nothing and "wrote report" in err
    assert _timeless(Path("report").read_text(encoding="utf-8")) == _timeless(out)


def _timeless(text):
    return re.sub(r'time="[0-9.]+"', "", text)


def test_json_for_short(capsys):
    words = page("proved", "refuted")
    assert run(capsys, words, "--json") == run(capsys, words, "--format", "json")


def test_the_suffix_names_the_format(capsys):
    run(capsys, page("wrong"), "-o", "report.json")
    (claim,) = json.loads(Path("report.json").read_text(encoding="utf-8"))["claims"]
    assert claim["status"] == "refuted" and claim["line"] == 2
    run(capsys, "notes.md", "-o", "report.html")
    assert Path("report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_bad_input_leaves_the_report_that_is_there(capsys):
    page("fine")
    Path("bytes.md").write_bytes(b"\xff\xfe$x$")
    Path("out.html").write_text("old", encoding="utf-8")
    for arguments in (
        ["no.md"],
        ["notes.md", "no.md"],
        ["bytes.md"],
        ["notes.docx"],
        ["."],
        ["notes.md", "--budget", "0"],
        ["notes.md", "--budget", "nan"],
        ["notes.md", "--jobs", "0"],
        ["notes.md", "--memory", "-5"],
    ):
        code, out, err = run(capsys, *arguments, "-o", "out.html")
        assert code == 2 and not out and err.startswith("symdl: ") and err.count("\n") == 1, arguments
        assert Path("out.html").read_text(encoding="utf-8") == "old"
    assert os.listdir() and not [name for name in os.listdir() if name.endswith(".tmp")]


def test_usage(capsys):
    page("fine")
    assert run(capsys, "notes.md", "-o", "report.docx")[0] == 2
    before = Path("notes.md").read_bytes()
    assert run(capsys, "notes.md", "-o", "notes.md", "--format", "json")[0] == 2
    assert Path("notes.md").read_bytes() == before
    assert run(capsys, "notes.md", "-o", "nowhere/at/all.json")[0] == 2
    with pytest.raises(SystemExit) as stop:
        main(["check"])
    assert stop.value.code == 2


def test_from_python():
    seen = []
    report = sd.check(
        Path(page("fine", "wrong", "word")), progress=lambda done, total, judged: seen.append((done, total))
    )
    assert len(report) == 2 and not report and report.files == ("notes.md",)
    assert seen[-1] == (3, 3) and sorted(seen) == seen
    with pytest.raises(sd.errors.NotProvedError, match=r"1 of 2 claims did not pass.*refuted: wrong.*notes\.md:6:1"):
        report.require()
    report = sd.check([page("fine", "open")])
    assert report.require() is report and not report
    with pytest.raises(sd.errors.NotProvedError):
        report.require(strict=True)
    with pytest.raises(sd.errors.DataError, match="there is no document"):
        sd.check([])


def test_the_verdicts_do_not_depend_on_the_processes(monkeypatch):
    name = page(*("fine", "wrong", "open", "word", "near") * 4)
    first = sd.check(name, jobs=1)
    assert sd.check(name, jobs=3) == first
    monkeypatch.setattr(process, "forks", lambda: False)
    assert sd.check(name, jobs=2) == first


DRIVER = """
import sys
sys.path[:0] = {path!r}
import symdl.verification.judging.check as check
from support import judges
check.judge = judges.obedient
from symdl.cli import main
sys.exit(main({arguments!r}))
"""


def driver(*arguments):
    return [sys.executable, "-c", DRIVER.format(path=[str(ROOT), str(ROOT / "tests")], arguments=["check", *arguments])]


def test_progress_and_colours_on_a_terminal():
    """Both streams are one terminal: lines come out whole, and the bar leaves nothing behind."""
    page(*("fine", "wrong") * 5)
    ours, theirs = pty.openpty()
    child = subprocess.Popen(driver("notes.md"), stdout=theirs, stderr=theirs, env=os.environ | {"TERM": "xterm"})
    os.close(theirs)
    seen = b""
    while True:
        try:
            some = os.read(ours, 2**16)
        except OSError:
            break
        if not some:
            break
        seen += some
    text = seen.decode()
    assert child.wait(timeout=60) == 1
    assert "checking" in text and "\x1b[" in text and "10/10" in text
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    assert plain.count("✗ refuted") == 5 and "10 claims: 5 refuted, 5 proved" in plain


def test_without_unicode_and_into_a_closed_pipe():
    page(*("wrong", "fine") * 20)
    ascii_only = os.environ | {"PYTHONIOENCODING": "ascii"}
    ended = subprocess.run(driver("notes.md"), capture_output=True, text=True, timeout=60, env=ascii_only)
    assert ended.returncode == 1 and r"\u2717 refuted" in ended.stdout and not ended.stderr
    child = subprocess.Popen(driver("notes.md"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    child.stdout.readline()
    child.stdout.close()
    assert child.wait(timeout=60) == 0 and b"Traceback" not in child.stderr.read()


def test_interrupted():
    """Ctrl-C ends it at once, with the workers."""
    page("fine", "bomb")
    child = subprocess.Popen(
        driver("notes.md", "--budget", "60"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # what a shell starts in the background ignores Ctrl-C, and hands that on
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert "proved" in child.stdout.readline()
    begin = time.monotonic()
    child.send_signal(2)
    assert child.wait(timeout=60) == 130 and time.monotonic() - begin < 10
    assert child.stderr.read() == "symdl: interrupted\n"


def test_the_shadowed_index_of_the_lecture_is_told(capsys, monkeypatch):
    """With the judge as it is: a definition can have something to be told, and it is."""
    monkeypatch.undo()
    path = ROOT / "derivations" / "lecture.md"
    code, out, _ = run(capsys, path)
    assert code == 1 and "    the bound index i shadows a free one of the same name\n" in out
