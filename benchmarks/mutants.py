"""Thousands of slips in right statements: does the checker find them all, and refute nothing that is right?

    python -m benchmarks.mutants [--most 60] [--seed 0]

Each slip is planted in a document of its own, behind the definitions that its statement needs. Prints a table by kind
of slip and verdict, and exits with 1 where one passed, where something right was refuted, or where a witness is wrong.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from support.lessons import LESSONS, Lesson
from support.mutants import differs, slips_of, verdict, witnessed

from symdl.verification import Status
from symdl.verification.notation import latex, tree

PASSES = (Status.PROVED, Status.CONSISTENT)


class Run:
    """What was found so far."""

    def __init__(self, shown: frozenset[str]) -> None:
        self.verdicts, self.witnesses, self.kinds = Counter[str](), Counter[str](), Counter[str]()
        self.bad: list[str] = []
        self.shown = shown

    def slip(self, lesson: Lesson, kind: str, chain: tree.Chain) -> None:
        """Judge one slip."""
        changed = differs(lesson, chain)
        if changed is None:
            self.verdicts["not worked out by the second reader"] += 1
            return
        text = latex(chain)
        found = verdict(lesson, text)
        word = f"{'wrong' if changed else 'right'}: {found.status}"
        self.verdicts[word] += 1
        self.kinds[kind] += changed
        held = None
        witness = found.verdict.witness
        if found.status is Status.REFUTED and witness is not None:
            held = witnessed(lesson, chain, witness)
            self.witnesses[{True: "confirmed", False: "WRONG", None: "not worked out"}[held]] += 1
            if held is None and "witness" in self.shown:
                print("WITNESS", text, witness, flush=True)
        if word in self.shown:
            print(word, kind, text, "—", found.verdict.reason, flush=True)
        # a witness that holds shows that the statement is wrong, wherever the second reader looked
        if (changed and found.status in PASSES) or (not changed and found.status is Status.REFUTED and not held):
            self.bad.append(f"{word} ({kind}) {text} — {found.verdict}")
        if held is False:
            self.bad.append(f"witness ({kind}) {text} — {witness}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=60, help="slips for each claim (default 60)")
    parser.add_argument("--seed", type=int, default=0, help="which slips")
    parser.add_argument("--show", action="append", default=[], help='print them: "wrong: definition", "witness", …')
    parser.add_argument("--lessons", default=":", help="which lessons, as 3:5")
    arguments = parser.parse_args()
    run, started = Run(frozenset(arguments.show)), time.perf_counter()
    first, _, last = arguments.lessons.partition(":")
    for lesson in LESSONS[int(first or 0) : int(last) if last else None]:
        for claim in (*lesson.claims, *lesson.others):
            for kind, chain in slips_of(lesson, claim, arguments.most, arguments.seed):
                run.slip(lesson, kind, chain)
    for title, counts in (("kinds of slips", run.kinds), ("verdicts", run.verdicts), ("witnesses", run.witnesses)):
        print(title)
        for name, number in sorted(counts.items()):
            print(f"{number:7d}  {name}")
    print(f"{sum(run.verdicts.values()):7d}  slips in {time.perf_counter() - started:.0f} s, {len(run.bad)} bad")
    for line in run.bad:
        print("BAD", line)
    return 1 if run.bad else 0


if __name__ == "__main__":
    sys.exit(main())
