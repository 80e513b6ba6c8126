"""The code cache: one folder for each compiled definition, private to the user, checked by hash before it is loaded.

    <folder>/<key>/program.py     the emitted source
    <folder>/<key>/program.bin    its machine code
    <folder>/<key>/record.json    hashes of every file, signatures, the report of the cross-check

What programs share has entries of its own: machine code (see `shared`), and the forms of functions that keep their
digits, each as a file of data in place of the program (see `searches`).

A folder is built under another name and renamed as a whole, so that two processes at once cannot mix their files.
Anything that does not fit its record is built anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from symdl.errors import OutputError

VARIABLE = "SYMDL_CACHE_DIR"
PROGRAM, MACHINE, RECORD = "program.py", "program.bin", "record.json"
_SOURCES = ("core", "derivation", "library", "compilation")


def cache_folder() -> Path:
    """$SYMDL_CACHE_DIR, or `symdl` in the user's cache folder; made with mode 0700 where it does not exist.

    Raises:
        OutputError: it cannot be made, belongs to someone else, or others may write to it.
    """
    folder = Path(os.environ.get(VARIABLE) or _user_cache() / "symdl")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
    except OSError as error:
        raise OutputError(
            f"cannot use the code cache {str(folder)!r}",
            why=error.strerror or str(error),
            remedy=f"set {VARIABLE} to a folder of yours",
        ) from error
    if not _private(status):
        raise OutputError(
            f"the code cache {str(folder)!r} is not private",
            why="code that others may write is not loaded",
            remedy=f"run chmod 700 on it, or set {VARIABLE} to a folder of yours",
        )
    return folder


def _user_cache() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _private(status: os.stat_result) -> bool:
    """Owned by this user and not writable by others (access rights of Windows are not looked at)."""
    if not hasattr(os, "getuid"):
        return True
    return status.st_uid == os.getuid() and not stat.S_IMODE(status.st_mode) & 0o022


@cache
def environment() -> str:
    """What compiled code depends on beside the definition: sources of symdl, versions, the processor."""
    root = Path(__file__).resolve().parent.parent
    sources = hashlib.sha256()
    for file in sorted(f for package in _SOURCES for f in (root / package).rglob("*.py")):
        sources.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    versions = [f"{p} {version(p)}" for p in ("numba", "numpy", "sympy", "llvmlite")]
    return "\n".join([sources.hexdigest(), *versions, sys.version, _processor()])


def _processor() -> str:
    import llvmlite.binding  # type: ignore[import-untyped]

    return f"{llvmlite.binding.get_host_cpu_name()} {llvmlite.binding.get_host_cpu_features().flatten()}"


def key_of(parts: Mapping[str, Any]) -> str:
    """The key of a compiled definition: a hash of what it is made from and of the environment."""
    text = json.dumps({**parts, "environment": environment()}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Entry:
    """A checked folder of the cache."""

    folder: Path
    source: str
    record: Mapping[str, Any]

    def machine(self) -> bytes | None:
        """The machine code; None where it is not what was recorded, or there is none."""
        try:
            data = (self.folder / MACHINE).read_bytes()
        except OSError:
            return None
        return data if hashlib.sha256(data).hexdigest() == self.record["files"].get(MACHINE) else None


def find(key: str, text: str = PROGRAM) -> Entry | None:
    """The entry of that key; None where there is none, or where it does not fit its record.

    Args:
        key: from `key_of`.
        text: the file that is the source of the entry.

    Raises:
        OutputError: the cache as a whole is not private.
    """
    folder = cache_folder() / key
    try:
        if not all(_private(f.lstat()) for f in (folder, folder / text, folder / RECORD)):
            return None
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        if record["key"] != key or record["files"] != _hashes(folder):
            return None
        source = (folder / text).read_bytes()
        if hashlib.sha256(source).hexdigest() != record["files"][text]:
            return None
        return Entry(folder, source.decode(), record)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _hashes(folder: Path) -> dict[str, str]:
    """The hash of every file of an entry but its record."""
    return {
        f.relative_to(folder).as_posix(): hashlib.sha256(f.read_bytes()).hexdigest()
        for f in sorted(folder.rglob("*"))
        if f.is_file() and f.name != RECORD
    }


@contextlib.contextmanager
def building(source: str, text: str = PROGRAM) -> Any:
    """A folder of its own with the source in a file of that name; deleted again unless `publish` takes it."""
    folder = cache_folder() / f".build-{os.getpid()}-{secrets.token_hex(6)}"
    try:
        folder.mkdir(mode=0o700)
        (folder / text).write_bytes(source.encode())
    except OSError as error:
        raise OutputError(f"cannot write to the code cache {str(folder.parent)!r}", why=str(error.strerror)) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(folder: Path, key: str, record: Mapping[str, Any], text: str = PROGRAM) -> Path:
    """Record the files of a built folder and give it its key as name; what stood there before goes."""
    full = {**record, "key": key, "files": _hashes(folder)}
    (folder / RECORD).write_text(json.dumps(full, indent=1, sort_keys=True), encoding="utf-8")
    target = folder.parent / key
    for _ in range(3):
        try:
            os.rename(folder, target)
            return target
        except OSError:
            if find(key, text) is not None:  # another process was faster; it may be loading its files now
                return target
            old = folder.parent / f".old-{secrets.token_hex(6)}"
            with contextlib.suppress(OSError):
                os.rename(target, old)
            shutil.rmtree(old, ignore_errors=True)
    raise OutputError(f"cannot write the entry {str(target)!r} of the code cache", remedy="delete it")
