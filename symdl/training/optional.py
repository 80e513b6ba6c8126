"""Packages that only some commands need: imported where they are used, with a clear error where they are absent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from symdl.errors import MissingDependencyError

__all__ = ["needs"]


@contextmanager
def needs(package: str, *, extra: str, purpose: str) -> Iterator[None]:
    """Turn an import that fails inside the block into a `MissingDependencyError`.

    Args:
        package: the name under which pip knows it.
        extra: the extra of symdl that brings it.
        purpose: what it is needed for, as in "… is needed for {purpose}".

    Raises:
        MissingDependencyError: the package is absent.

    >>> with needs("no-such-package", extra="train", purpose="nothing"):
    ...     import no_such_package
    Traceback (most recent call last):
        ...
    symdl.errors.MissingDependencyError: no-such-package is not installed: it is needed for nothing.
    Remedy: pip install 'symdl[train]'.
    """
    try:
        yield
    except ImportError as error:
        raise MissingDependencyError(
            f"{package} is not installed"
            if isinstance(error, ModuleNotFoundError)
            else f"{package} cannot be imported",
            why=f"it is needed for {purpose}",
            remedy=f"pip install 'symdl[{extra}]'",
        ) from error
