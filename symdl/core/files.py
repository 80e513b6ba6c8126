"""Writing files whole or not at all.

A file is first written beside its target under a name of its own and then renamed over it, so a reader (and a run that
is broken off) sees the old file or the new one, never half of one. Whatever goes wrong with the file system comes out
as one `OutputError`, and the temporary file is gone.

There is no fsync: this guards against errors and interrupts, not against loss of power.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from pathlib import Path

from symdl.errors import OutputError

__all__ = ["ensure_folder", "write_bytes_atomic", "write_text_atomic"]

# errno → (why, remedy); what is not here is told in the system's own words
_REASONS = {
    errno.EACCES: ("permission is denied", "choose a folder that you may write to, or change its permissions"),
    errno.EPERM: ("the system does not permit it", "choose a folder that you may write to"),
    errno.EROFS: ("the file system is read-only", "choose a folder on another file system"),
    errno.ENOENT: ("the folder does not exist", "create the folder first"),
    errno.ENOTDIR: ("a part of the path is a file, not a folder", "choose a path whose parents are all folders"),
    errno.EEXIST: ("a file of that name is in the way", "choose another name, or move that file away"),
    errno.EISDIR: ("the path is a folder", "add a file name to it"),
    errno.ENOSPC: ("the disk is full", "free some space, or choose another disk"),
    errno.EDQUOT: ("the disk quota is used up", "free some space, or choose another disk"),
    errno.EFBIG: ("the file would exceed the size limit", "raise the limit (ulimit -f), or write less"),
    errno.ENAMETOOLONG: ("the name is too long", "choose a shorter name"),
    errno.ELOOP: ("its symbolic links run in a circle", "choose another path, or repair the links"),
}


def write_text_atomic(path: str | os.PathLike[str], text: str, *, parents: bool = False) -> Path:
    r"""Write `text` to `path` as UTF-8, line ends as they are, whole or not at all.

    Args:
        path: the file; an existing one is replaced and keeps its permissions, a symbolic link is followed.
        text: the content.
        parents: create the folders above `path` that are missing.

    Returns:
        `path` as a `Path`.

    Raises:
        OutputError: the file cannot be written; what was there before is left in place.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = write_text_atomic(f"{folder}/out/neuron.tex", "s = w·x + b\n", parents=True)
    ...     print(file.name, file.read_text(encoding="utf-8"), end="")
    neuron.tex s = w·x + b
    """
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise OutputError(
            f"cannot write {os.fspath(path)!r}",
            why=f"character {error.start} of the text is half of a surrogate pair, which UTF-8 has no code for",
            remedy="remove that character",
        ) from error
    return write_bytes_atomic(path, data, parents=parents)


def write_bytes_atomic(path: str | os.PathLike[str], data: bytes, *, parents: bool = False) -> Path:
    r"""Write `data` to `path`, whole or not at all.

    Args:
        path: the file; an existing one is replaced and keeps its permissions, a symbolic link is followed. A device or
            a pipe (/dev/stdout) is written to directly, since there is nothing in it to preserve.
        data: the content.
        parents: create the folders above `path` that are missing.

    Returns:
        `path` as a `Path`.

    Raises:
        OutputError: the file cannot be written; what was there before is left in place.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = write_bytes_atomic(f"{folder}/graph.png", b"\x89PNG")
    ...     file.read_bytes()
    b'\x89PNG'
    """
    path = Path(path)
    if parents:
        ensure_folder(path.parent)
    try:
        mode = _mode(path)
        if (mode is not None and not stat.S_ISREG(mode)) or path.is_relative_to("/dev"):
            # Renaming over a device would destroy it, and /dev/stdout may lead to the file that a shell redirects into.
            # A folder ends here as well: opening it raises EISDIR.
            with path.open("ab") as device:
                device.write(data)
        else:
            _replace(Path(os.path.realpath(path)), data, mode)
    except (OSError, ValueError) as error:
        raise _refusal("cannot write", path, error) from error
    return path


def ensure_folder(path: str | os.PathLike[str]) -> Path:
    """Create the folder `path`, and those above it, where they are missing.

    Returns:
        `path` as a `Path`.

    Raises:
        OutputError: it cannot be created, or a file of that name is in the way.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     ensure_folder(f"{folder}/out/figures").is_dir()
    True
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise _refusal("cannot create the folder", path, error) from error
    return path


def _mode(path: Path) -> int | None:
    """The mode of the file that `path` leads to; None where there is none yet."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


def _replace(target: Path, data: bytes, mode: int | None) -> None:
    if mode is not None and not os.access(target, os.W_OK):
        # a rename needs only the folder's permission: a file made read-only by its owner must stay
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    # the name does not contain the target's, which may already be as long as names may be
    temporary = target.with_name(f".symdl-{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(data)
        if mode is not None:
            temporary.chmod(stat.S_IMODE(mode))
        os.replace(temporary, target)
    except BaseException:  # Ctrl-C too
        temporary.unlink(missing_ok=True)
        raise


def _refusal(what: str, path: Path, error: OSError | ValueError) -> OutputError:
    """One line from an error of the file system (or ValueError: a NUL in the name)."""
    number = error.errno if isinstance(error, OSError) else None
    words = (error.strerror if isinstance(error, OSError) else None) or str(error)
    why, remedy = _REASONS.get(number or 0, (words, "choose another path"))
    return OutputError(f"{what} {str(path)!r}", why=why, remedy=remedy)
