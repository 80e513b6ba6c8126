"""Thousands of slips in right derivations: does the checker find them all, and refute nothing that is right?

    python -m benchmarks.mutants [--most 200]

Prints a table by kind of slip and exits with 1 where one passed, or where something right was refuted.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from support.mutants import LESSONS, differs, mutants, verdict, witnessed

from symdl.verification import Status
from symdl.verification.notation import latex


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=200, help="slips for each claim (default 200)")
    arguments = parser.parse_args()
    started, counts, bad = time.perf_counter(), Counter(), []
    for lesson in LESSONS:
        for claim in lesson.claims:
            made = list(mutants(claim))
            for kind, chain in random.Random(claim).sample(made, min(arguments.most, len(made))):
                changed = differs(lesson, chain)
                if changed is None:
                    counts["not worked out by the second reader"] += 1
                    continue
                found = verdict(lesson, chain)[0]
                status = found.status
                if found.witness is not None and status is Status.REFUTED:
                    held = witnessed(lesson, chain, found.witness)
                    counts[f"witness: {({True: 'confirmed', False: 'WRONG', None: 'not worked out'})[held]}"] += 1
                    if held is False:
                        bad.append((kind, latex(chain), f"witness {found.witness}"))
                counts[("wrong" if changed else "right") + f": {status}"] += 1
                passed = changed and status in (Status.PROVED, Status.CONSISTENT)
                if passed or (not changed and status is Status.REFUTED):
                    bad.append((kind, latex(chain), str(status)))
    for name, number in sorted(counts.items()):
        print(f"{number:7d}  {name}")
    print(f"{sum(counts.values()):7d}  in {time.perf_counter() - started:.0f} s")
    for line in bad:
        print("BAD", *line)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
