"""Messages between processes: a line of JSON that says how many bytes follow, and these."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any


def send(stream: IO[bytes], told: Mapping[str, Any], data: bytes = b"") -> None:
    """Write a message and see it on its way."""
    stream.write(json.dumps({**told, "size": len(data)}).encode() + b"\n" + data)
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[dict[str, Any], bytes] | None:
    """The next message; None at the end of the stream, or where it breaks off.

    >>> import io
    >>> stream = io.BytesIO()
    >>> send(stream, {"unit": "f"}, b"123")
    >>> stream.seek(0)
    0
    >>> receive(stream)
    ({'unit': 'f', 'size': 3}, b'123')
    >>> receive(stream) is None
    True
    """
    line = stream.readline()
    if not line.endswith(b"\n"):
        return None
    told: dict[str, Any] = json.loads(line)
    data = stream.read(told["size"])
    return (told, data) if len(data) == told["size"] else None
