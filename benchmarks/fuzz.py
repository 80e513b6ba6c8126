"""Random texts through the whole judge: nothing may crash, hang past its budget, or be run.

    python -m benchmarks.fuzz --count 1000000 --seed 0

Texts are judged in documents of fifty, as `symdl check` judges them: in a process of their own that is killed beyond
its budget. Prints counts by kind of text and verdict, and exits with 1 where the checker failed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from support.fuzzing import SIZE, document, failures, file, judged

#: Documents that one process judges.
TOGETHER = 40


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, help="texts (default 10,000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="the document to begin with")
    parser.add_argument("--budget", type=float, default=10.0, help="seconds for one formula (default 10)")
    arguments = parser.parse_args()
    started, counts, failed = time.perf_counter(), Counter[str](), 0
    numbers = range(arguments.first, arguments.first + -(-arguments.count // SIZE))
    for start in range(0, len(numbers), TOGETHER):
        some = numbers[start : start + TOGETHER]
        made = [document(arguments.seed, n) for n in some] + [file(arguments.seed, n) for n in some]
        for step in judged([d for d, _ in made], arguments.budget):
            pages, kinds = made[step.place[0]]
            kind, text = kinds[step.place[1]], pages.spans[step.place[1]].latex
            status = str(step.judged[0].status) if step.judged else "states nothing"
            if step.judged and "out of" in step.judged[0].verdict.reason:
                status = "undecided, killed" if "it takes more" in step.judged[0].verdict.reason else status
                print("SLOW", pages.file, step.place[1], repr(text), step.judged[0].verdict.reason, flush=True)
            counts[f"{kind:>7}: {status}"] += 1
            for reason in failures(step):
                failed += 1
                print("FAILED", pages.file, step.place[1], repr(text), reason, flush=True)
        if (start // TOGETHER) % 25 == 24:
            print(f"… {sum(counts.values()):,} in {time.perf_counter() - started:.0f} s", flush=True)
    for name, number in sorted(counts.items()):
        print(f"{number:9,d}  {name}")
    print(f"{sum(counts.values()):9,d}  in {time.perf_counter() - started:.0f} s; {failed} failures")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
