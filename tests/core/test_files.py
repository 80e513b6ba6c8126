"""Files are written whole or not at all: every fault leaves what was there, and no temporary file behind."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from symdl.core.files import ensure_folder, write_bytes_atomic, write_text_atomic
from symdl.errors import OutputError


def failing(number: int) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise OSError(number, os.strerror(number))

    return fail


def test_text_is_utf8_with_line_ends_as_they_are(tmp_path: Path) -> None:
    path = write_text_atomic(tmp_path / "a.tex", "σ\r\nδ\n")
    assert path == tmp_path / "a.tex"
    assert path.read_bytes() == b"\xcf\x83\r\n\xce\xb4\n"
    assert os.listdir(tmp_path) == ["a.tex"]


def test_a_file_is_replaced_and_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old and longer")
    path.chmod(0o640)
    write_bytes_atomic(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_new_file_gets_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    write_text_atomic(tmp_path / "ours", "")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "dangling").symlink_to("later")
    write_text_atomic(tmp_path / "link", "new")
    write_text_atomic(tmp_path / "dangling", "first")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_text() == "new"
    assert (tmp_path / "dangling").is_symlink() and (tmp_path / "later").read_text() == "first"


def test_folders_are_made_when_asked_only(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"the folder does not exist\. Remedy: create the folder"):
        write_text_atomic(tmp_path / "x" / "y" / "a", "")
    assert os.listdir(tmp_path) == []
    assert write_text_atomic(tmp_path / "x" / "y" / "a", "1", parents=True).read_text() == "1"
    assert ensure_folder(tmp_path / "x" / "y") == tmp_path / "x" / "y"


def test_the_name_may_be_as_long_as_names_may_be(tmp_path: Path) -> None:
    assert write_text_atomic(tmp_path / ("a" * 255), "1").read_text() == "1"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (".", "the path is a folder"),
        ("file/a", "a part of the path is a file"),
        ("a" * 256, "the name is too long"),
        ("circle", "symbolic links run in a circle"),
        ("a\0b", "null"),
    ],
)
def test_bad_paths(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "file").write_text("old")
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(OutputError, match=why) as caught:
        write_text_atomic(tmp_path / name, "new")
    assert "\n" not in str(caught.value) and caught.value.remedy
    assert sorted(os.listdir(tmp_path)) == ["circle", "file"] and (tmp_path / "file").read_text() == "old"


def test_a_file_in_the_way_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    with pytest.raises(OutputError, match="a file of that name is in the way"):
        ensure_folder(tmp_path / "file")
    with pytest.raises(OutputError, match="a part of the path is a file"):
        write_text_atomic(tmp_path / "file" / "sub" / "a", "new", parents=True)
    assert (tmp_path / "file").read_text() == "old"


def test_folders_and_files_without_permission(tmp_path: Path) -> None:
    (tmp_path / "fixed").write_text("old")
    (tmp_path / "fixed").chmod(0o400)
    if os.access(tmp_path / "fixed", os.W_OK):
        pytest.skip("this user (root?) may write anywhere")
    locked = ensure_folder(tmp_path / "locked")
    locked.chmod(0o500)
    try:
        for path in (tmp_path / "fixed", locked / "a"):
            with pytest.raises(OutputError, match="permission is denied"):
                write_text_atomic(path, "new")
    finally:
        locked.chmod(0o700)
    assert (tmp_path / "fixed").read_text() == "old" and os.listdir(locked) == []


@pytest.mark.parametrize(
    ("number", "why"),
    [
        (errno.EACCES, "permission is denied"),
        (errno.EROFS, "the file system is read-only"),
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "quota"),
        (errno.EIO, os.strerror(errno.EIO)),
    ],
)
@pytest.mark.parametrize("stage", ["replace", "chmod"])
def test_planted_faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str, number: int, why: str) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    monkeypatch.setattr(os if stage == "replace" else Path, stage, failing(number))
    with pytest.raises(OutputError, match=why):
        write_text_atomic(path, "new")
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["a"]


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    (tmp_path / "a").write_text("old")
    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_text_atomic(tmp_path / "a", "new")
    assert (tmp_path / "a").read_text() == "old" and os.listdir(tmp_path) == ["a"]


@pytest.mark.skipif(sys.platform == "win32", reason="no resource limits there")
def test_a_real_disk_error_in_the_middle_of_writing(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    script = (
        "import resource, signal, sys\n"
        "from symdl.core.files import write_bytes_atomic\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try: write_bytes_atomic(sys.argv[1], bytes(10**6))\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", script, str(tmp_path / "a")],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.startswith("OutputError cannot write") and "size limit" in done.stdout
    assert (tmp_path / "a").read_text() == "old" and os.listdir(tmp_path) == ["a"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_devices_are_written_to_and_never_replaced() -> None:
    before = Path("/dev/null").stat().st_ino
    write_text_atomic("/dev/null", "gone")
    with pytest.raises(OutputError, match="the disk is full"):
        write_text_atomic("/dev/full", "too much")
    assert Path("/dev/null").is_char_device() and Path("/dev/null").stat().st_ino == before
    assert Path("/dev/full").is_char_device()


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="a device of Unix")
def test_standard_output_that_a_shell_has_redirected(tmp_path: Path) -> None:
    script = (
        "from symdl.core.files import write_text_atomic\n"
        "print('before', flush=True)\n"
        "write_text_atomic('/dev/stdout', 'ours\\n')\n"
    )
    with (tmp_path / "log").open("ab") as log:
        subprocess.run([sys.executable, "-B", "-c", script], stdout=log, check=True, cwd=Path(__file__).parents[2])
    assert (tmp_path / "log").read_text() == "before\nours\n" and os.listdir(tmp_path) == ["log"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes there")
def test_a_named_pipe_is_written_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    # a reader that does not wait, so that a fault shows as a failure and not as a test that hangs
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_text_atomic(tmp_path / "pipe", "through")
        assert os.read(reader, 99) == b"through" and (tmp_path / "pipe").is_fifo()
    finally:
        os.close(reader)


def test_half_a_surrogate_pair_is_refused_before_anything_is_touched(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="character 2 of the text"):
        write_text_atomic(tmp_path / "a", "ab\ud800")
    assert os.listdir(tmp_path) == []
