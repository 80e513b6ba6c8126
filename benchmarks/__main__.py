"""`python -m benchmarks [NAME …]`: run the benchmarks, print Markdown, and with -o write it to a file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks import attention, checking, claims, derivation, digits, gpt, gpu, lenet, notation, startup
from benchmarks.timing import machine

PARTS = {
    "checking": lambda: checking.report(checking.measure()),
    "claims": lambda: claims.report(claims.measure()),
    "derivation": lambda: derivation.report(derivation.measure()),
    "startup": lambda: startup.report(startup.measure()),
    "lenet": lambda: lenet.report(lenet.measure()),
    "notation": lambda: notation.report(notation.measure()),
    "gpu": lambda: gpu.report(gpu.measure()),
    "attention": lambda: attention.report(attention.measure()),
    "gpt": lambda: gpt.report(gpt.measure()),
    "digits": lambda: "\n\n".join(digits.report(digits.measure(d)) for d in ("float64", "float32")),
}


def main() -> int:
    """Run what is asked for."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("names", nargs="*", help=f"any of {', '.join(PARTS)} (default: all but those for a GPU)")
    arguments.add_argument("-o", "--output", type=Path, help="write the Markdown there too")
    options = arguments.parse_args()
    unknown = [n for n in options.names if n not in PARTS]
    if unknown:
        print(f"benchmarks: no benchmark '{unknown[0]}'; one of {', '.join(PARTS)}", file=sys.stderr)
        return 2
    parts = [f"Measured on {machine()}."]
    for name in options.names or [n for n in PARTS if n not in ("gpu", "attention")]:
        text = f"## {name}\n\n{PARTS[name]()}"
        print(text + "\n", flush=True)
        parts.append(text)
    if options.output:
        options.output.write_text("# Benchmarks\n\n" + "\n\n".join(parts) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
