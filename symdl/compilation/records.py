"""What is kept in the cache beside an emitted module, so that it can be called by another process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from symdl.compilation.targets.emit import Function
from symdl.compilation.targets.epoch import EpochArguments


def record_of(
    functions: Mapping[str, Function], epoch: EpochArguments | None, gradients: Mapping[str, str]
) -> dict[str, Any]:
    """The record of a module, as JSON can hold it.

    >>> from symdl.compilation.runtime import signatures_of
    >>> record = record_of({}, EpochArguments(("x",), (), ("w",), (("w", "v"),), ("lr",)), {})
    >>> signatures_of(record)[1].states
    (('w', 'v'),)
    """
    return {
        "functions": {n: {"inputs": f.inputs, "outputs": f.outputs} for n, f in functions.items()},
        "epoch": asdict(epoch) if epoch else None,
        "gradients": dict(gradients),
    }
