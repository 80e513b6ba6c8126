"""What is kept in the cache beside an emitted module, so that it can be called by another process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from symdl.compilation.runtime import EpochSignature, Signature
from symdl.compilation.targets.emit import Function
from symdl.compilation.targets.epoch import EpochArguments


def record_of(
    functions: Mapping[str, Function], epoch: EpochArguments | None, gradients: Mapping[str, str]
) -> dict[str, Any]:
    """The record of a module, as JSON can hold it."""
    return {
        "functions": {n: {"inputs": f.inputs, "outputs": f.outputs} for n, f in functions.items()},
        "epoch": asdict(epoch) if epoch else None,
        "gradients": dict(gradients),
    }


def signatures_of(record: Mapping[str, Any]) -> tuple[dict[str, Signature], EpochSignature | None]:
    """The functions of a record and its training loop, if it has one.

    >>> record = record_of({}, EpochArguments(("x",), (), ("w",), (("w", "v"),), ("lr",)), {})
    >>> signatures_of(record)[1].states
    (('w', 'v'),)
    """
    functions = {n: Signature(tuple(f["inputs"]), tuple(f["outputs"])) for n, f in record["functions"].items()}
    epoch = record["epoch"]
    if epoch is None:
        return functions, None
    return functions, EpochSignature(
        tuple(epoch["data"]),
        tuple(epoch["fixed"]),
        tuple(epoch["parameters"]),
        tuple((p, s) for p, s in epoch["states"]),
        tuple(epoch["hyper"]),
        {n: tuple(shape) for n, shape in epoch["sizes"].items()},
    )
