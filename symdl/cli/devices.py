"""`symdl devices`: what compiled code can run on here, and why it can't where it can't."""

from __future__ import annotations

import argparse
import json
from typing import Any

import symdl as sd


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser("devices", help="list what compiled code can run on, and why not")
    command.add_argument("--json", action="store_true", help="as JSON")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print each device with its target; of one that can't be used the reason and the remedy."""
    found = sd.devices()
    if arguments.json:
        print(json.dumps([d.to_json() for d in found], indent=2))
        return 0
    for device in found:
        details = ", ".join(f"{name} {told(name, value)}" for name, value in device.details)
        state = "usable" if device.usable else f"not usable: {device.why}"
        print(f"{device.target}: {device.name}{f' ({details})' if details else ''}: {state}")
        if device.remedy:
            print(f"  remedy: {device.remedy}")
    return 0


def told(name: str, value: Any) -> str:
    """A detail; memory in GiB.

    >>> told("memory", 3 * 2**30), told("cores", 2)
    ('3.0 GiB', '2')
    """
    return f"{value / 2**30:.1f} GiB" if name in ("memory", "free") else str(value)
