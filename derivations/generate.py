"""Write the gallery anew, or check that it is what its sources say: `symdl derive --all`, or
`python -m derivations.generate [--check]`.

Each folder holds source.py and what is made of it: NAME.md, NAME.tex, and NAME.svg for a graph. A source has either

- a `definition` (optionally `wrt`, `values`, `optimizer`): both derivations, the verdict on their equality, numbers; or
- `pages`, several of them: a title with an introduction and lessons, by name; or
- `lessons`, about several definitions of one family: see `derivations.lesson` and `derivations.proof`. Its docstring is
  the introduction.

index.html shows the plots and leads to the pages. proofs/ holds a file for Coq for each activation and loss of single
numbers, which `symdl prove` has checked. The table of docs/layers.md, which is the library's own list, and
the losses of docs/losses.md are written as well.

Whatever an entry claims is proved anew each time; one that is not proved stops the run.
"""

from __future__ import annotations

import argparse
import difflib
import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import symdl as sd
from derivations.activation import Entry
from derivations.activations_page import activations_list
from derivations.index import index_page
from derivations.lesson import Lesson
from derivations.losses_page import losses_list
from derivations.proof import Proof
from symdl.core.files import write_text_atomic
from symdl.rendering.document import Block, Document, Paragraph

HERE = Path(__file__).resolve().parent
ACTIVATIONS, LAYERS, LOSSES = (HERE.parent / "docs" / f"{name}.md" for name in ("activations", "layers", "losses"))
INDEX = HERE / "index.html"
PROOFS = HERE / "proofs"
TABLE_BEGINS = "<!-- made by `make gallery` from sd.definitions() -->"
TABLE_ENDS = "<!-- end -->"
#: Pages that take more than ten seconds.
LONG = ("transformer", "recurrent")


def sources() -> list[Path]:
    """Every source of the gallery."""
    return sorted(HERE.glob("*/source.py"))


def load(source: Path) -> Any:
    """Run one source file as a module."""
    spec = importlib.util.spec_from_file_location(f"derivations_{source.parent.name}", source)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def document(source: Path) -> Any:
    """The document of one entry.

    Raises:
        NotProvedError: the entry claims what is not proved.
    """
    entry = load(source)
    if hasattr(entry, "lessons"):
        return of_lessons(entry.__doc__, entry.lessons)
    wrt = getattr(entry, "wrt", None)
    ways = [sd.derive(entry.definition, wrt, via=via) for via in ("chain", "expand")]
    verdict = sd.equal(*ways).require()
    values = getattr(entry, "values", None)
    worked, figures = {}, []
    if values is not None:
        worked = {"With numbers": ways[0].at(values, update=getattr(entry, "optimizer", None))}
        figures = [sd.graph_figure(ways[0], values, link=f"{source.parent.name}.svg")]
    return sd.report(ways, worked=worked, verdict=verdict, figures=figures)


def of_lessons(introduction: str, lessons: Sequence[Lesson | Proof | Entry]) -> Document:
    """The title is the first line of the introduction."""
    title, *paragraphs = introduction.strip().split("\n\n")
    blocks: list[Block] = [Paragraph(" ".join(p.split())) for p in paragraphs]
    for lesson in lessons:
        blocks += lesson.blocks()
    return Document(title.rstrip("."), tuple(blocks))


def texts(source: Path) -> dict[Path, str]:
    """What the folder of one source has to hold."""
    return {path: text for name in pages(source) for path, text in page(source, name).items()}


def pages(source: Path) -> list[str]:
    """The names of the documents of one folder: its own, or those of several `pages`."""
    return list(getattr(load(source), "pages", None) or [source.parent.name])


def page(source: Path, name: str) -> dict[Path, str]:
    """One document, in both formats, and its pictures."""
    several = getattr(load(source), "pages", None)
    made = document(source) if several is None else of_lessons(*several[name])
    files = {source.with_name(f"{name}.md"): sd.markdown(made), source.with_name(f"{name}.tex"): sd.to_tex(made)}
    return files | {source.with_name(b.link): b.svg for b in made.blocks if getattr(b, "link", "")}


def layers_page(old: str) -> str:
    """docs/layers.md with the table of the library as it is now."""
    return _with_part(old, layers_table())


def activations_page(old: str) -> str:
    """docs/activations.md with the activations of the library as they are now."""
    return _with_part(old, activations_list())


def losses_page(old: str) -> str:
    """docs/losses.md with the losses of the library as they are now."""
    return _with_part(old, losses_list())


def _with_part(page: str, made: str) -> str:
    before, rest = page.split(TABLE_BEGINS)
    after = rest.split(TABLE_ENDS)[1]
    return f"{before}{TABLE_BEGINS}\n{made}\n{TABLE_ENDS}{after}"


def layers_table() -> str:
    """Every definition of the library, family by family, with its options."""
    kinds: dict[str, list[str]] = {}
    for entry in sd.definitions():
        options = ", ".join(f"`{name}={default!r}`" for name, default in entry.options.items())
        summary = entry.summary.replace("|", r"\|")
        kinds.setdefault(entry.kind, []).append(f"| `{entry.name}` | {summary} | {options} |")
    rows = []
    for kind, lines in kinds.items():
        page = HERE / kind / f"{kind}.md"
        shown = f"[{kind}](../derivations/{kind}/{kind}.md)" if page.exists() else kind
        rows += [f"| **{shown}** | | |", *lines]
    return "\n".join(["| name | what it is | options, with their defaults |", "| --- | --- | --- |", *rows])


def unmade() -> dict[Path, str]:
    """The pages that are not written here: that of `python -m derivations.accuracy`, which hangs on the processor, and
    the lecture, which is written by hand for `symdl check` to judge."""
    pages = [HERE / "accuracy" / "accuracy.md", *sorted(HERE.glob("*.md"))]
    return {page: page.read_text(encoding="utf-8") for page in pages}


def proofs() -> dict[Path, str]:
    """The files for Coq."""
    return {PROOFS / f"{name}.v": sd.proof_file(name).text for name in sd.provable()}


def lists() -> dict[Path, str]:
    """The pages of docs/ that list what the library has."""
    made = ((ACTIVATIONS, activations_page), (LAYERS, layers_page), (LOSSES, losses_page))
    return {path: write(path.read_text(encoding="utf-8")) for path, write in made}


def wanted() -> Iterator[tuple[Path, str]]:
    """Every file that is made, with what it has to hold: pages are made side by side, by one process for each core, and
    those that take longest are begun first."""
    jobs = [partial(page, source, name) for source in sources() for name in pages(source)]
    jobs = sorted(jobs, key=lambda job: job.args[0].parent.name not in LONG)
    made: dict[Path, str] = {}
    workers = min(cores(), len(jobs))
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        running = [pool.submit(job) for job in (*jobs, proofs, lists)]
        try:
            for done in as_completed(running):
                made.update(done.result())
                yield from done.result().items()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    here = {p: t for p, t in (unmade() | made).items() if p.is_relative_to(HERE)}
    yield INDEX, index_page({p.relative_to(HERE).as_posix(): t for p, t in sorted(here.items())})


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def main() -> int:
    """Write or check every entry, as `symdl derive --all` does; 1 where a check finds a difference."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--check", action="store_true", help="change nothing; exit 1 where a file differs")
    return run(check=arguments.parse_args().check)


def run(folder: Path | None = None, *, check: bool = False) -> int:
    """Write or check every file of the gallery.

    Args:
        folder: where to; by default each file stands beside its source.
        check: change nothing; 1 where a file differs.
    """
    differs = False
    for place, text in wanted():
        path = folder / place.relative_to(HERE.parent) if folder else place
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        if old == text:
            continue
        differs = True
        if check:
            sys.stdout.writelines(difflib.unified_diff(old.splitlines(True), text.splitlines(True), str(path), "new"))
        else:
            write_text_atomic(path, text, parents=True)
            print(f"wrote {path if folder else path.relative_to(HERE.parent)}", flush=True)
    return int(check and differs)


if __name__ == "__main__":
    sys.exit(main())
