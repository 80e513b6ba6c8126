"""Run in a process of its own, with NUMBA_ENABLE_CUDASIM=1: compile definitions for the target "cuda", check included.

Arguments: `name:dtype:scope[:ordered][:broken]`, with the name of a definition of tests/conformance, which has to be on
the path, as tests has. Prints a line of JSON for each: what the cross-check found, or what it refused.
"""

from __future__ import annotations

import json
import sys

import constructs
import definitions
import products

from symdl.compilation import compile, cuda_build
from symdl.compilation.targets import cuda_helpers
from symdl.errors import CrossCheckError, DefinitionError, UnsupportedError
from symdl.library.optimisers import adam

EVERY = {d.name: d for d in (*definitions.EVERY, *products.EVERY, *(made for made, _ in constructs.PEERS.values()))}
TREE = cuda_helpers._TEAM


def main() -> None:
    for argument in sys.argv[1:]:
        name, dtype, scope, *options = argument.split(":")
        cuda_build.SMALL = 2**62 if scope == "block" else -1
        # a fault in how a team adds up its parts: the last pair of them is left out
        cuda_helpers._TEAM = TREE.replace("while half > 0", "while half > 1") if "broken" in options else TREE
        print(json.dumps({"case": argument, **checked(name, dtype, "ordered" in options)}), flush=True)


def checked(name: str, dtype: str, ordered: bool) -> dict[str, object]:
    definition = EVERY[name]
    options = {"dtype": dtype, "target": "cuda", "deterministic": ordered}
    try:
        try:
            code = compile(definition, optimizer=adam(0.01), **options)
        except (DefinitionError, UnsupportedError):  # nothing to take batches of
            code = compile(definition, wrt=[p.name for p in definition.parameters], **options)
    except CrossCheckError as error:
        return {"refused": str(error)}
    source = {"atomic": "cuda.atomic.add" in code.source, "grid": "this_grid" in code.source}
    return {"ulps": code.report.worst, "trains": code.optimizer is not None, **source}


if __name__ == "__main__":
    main()
