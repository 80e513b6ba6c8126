"""`symdl check FILE…`: a verdict for every formula of documents that defines or claims something."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import symdl as sd
from symdl.cli.reports import BY_SUFFIX, FORMATS, text, writer

if TYPE_CHECKING:
    from rich.console import Console

_EPILOG = (
    "Exit codes: 0 nothing is refuted, 1 something is, 2 bad input (nothing is judged or written then), "
    "3 with --strict: something is undecided, unread or conditional."
)


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser("check", help="judge every formula and figure of documents", epilog=_EPILOG)
    command.add_argument("files", metavar="FILE", nargs="+", help="Markdown, LaTeX, a Jupyter notebook or plain text")
    command.add_argument("--format", choices=FORMATS, help="default: by the suffix of -o, else text")
    command.add_argument("--json", dest="format", action="store_const", const="json", help="the same as --format json")
    command.add_argument(
        "-o", "--output", metavar="FILE", help="write the report there; .html, .json, .sarif, .xml, .txt"
    )
    command.add_argument("--strict", action="store_true", help="exit with 3 where something stays open")
    command.add_argument("--prove", action="store_true", help="have Coq check what is proved")
    command.add_argument("--budget", type=float, default=10.0, metavar="S", help="seconds for a formula (default: 10)")
    command.add_argument("--memory", type=int, default=1024, metavar="MB", help="for a formula (default: 1024)")
    command.add_argument("--jobs", type=int, metavar="N", help="processes (default: one for each core)")
    command.add_argument("--seed", type=int, default=0, help="of the random points (default: 0)")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Judge, showing each verdict as it comes, and write the report."""
    form = _form(arguments)
    streams = form == "text" and not arguments.output
    out = _console(sys.stdout) if streams else None
    with _bar() as bar:

        def progress(done: int, total: int, judged: tuple[sd.Judged, ...]) -> None:
            if judged and out is not None:
                with bar.hidden():
                    for one in judged:
                        _print(out, text.entry(one))
            bar.show(done, total)

        report = sd.check(
            arguments.files,
            budget=arguments.budget,
            memory=arguments.memory,
            jobs=arguments.jobs,
            seed=arguments.seed,
            prove=arguments.prove,
            progress=progress,
        )
    if out is not None:
        _print(out, text.summary(report))
    else:
        _deliver(writer(form)(report, arguments.strict), arguments.output)
    if out is None and form != "github":
        print(report, file=sys.stderr)
    return int(report.exit_code(arguments.strict))


def _form(arguments: argparse.Namespace) -> str:
    """The format that was asked for, by name or by the suffix of the file.

    Raises:
        DataError: neither says it, or the report would take the place of a document.
    """
    output = arguments.output
    if (
        output
        and os.path.exists(output)
        and any(os.path.exists(f) and os.path.samefile(f, output) for f in arguments.files)
    ):
        raise sd.DataError(
            f"the report would take the place of the document {output}", where="-o", remedy="choose another file"
        )
    if arguments.format or not output:
        return arguments.format or "text"
    form = BY_SUFFIX.get(Path(output).suffix.lower())
    if form is None:
        raise sd.DataError(
            f"the name {output} does not say which format is meant", where="-o", remedy="add --format, or use .html"
        )
    return form


def _deliver(written: str, output: str | None) -> None:
    if output:
        print(f"wrote {sd.write_text_atomic(output, written)}", file=sys.stderr)
    else:
        sys.stdout.write(written)


# ── the terminal ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _console(stream: Any) -> Console:
    from rich.console import Console

    if hasattr(stream, "reconfigure"):  # a terminal without Unicode shows codes instead of failing
        stream.reconfigure(errors="backslashreplace")
    return Console(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=True)


def _print(console: Console, pieces: Iterator[tuple[str, str]]) -> None:
    from rich.text import Text

    # by way of a text, since rich answers a reader that has gone away by an exit code of its own
    with console.capture() as shown:
        console.print(Text.assemble(*((words, style) for style, words in pieces)), end="", soft_wrap=True)
    console.file.write(shown.get())
    console.file.flush()


class _Bar:
    """Progress on standard error, where that is a terminal; it steps aside while lines are printed.

    It has no thread of its own, since a process with threads can not fork its workers.
    """

    def __init__(self, progress: Any) -> None:
        self.progress = progress
        self.task = progress.add_task("checking", total=None)

    def show(self, done: int, total: int) -> None:
        self.progress.update(self.task, completed=done, total=total)
        self.progress.refresh()

    @contextmanager
    def hidden(self) -> Iterator[None]:
        if self.progress.disable:
            yield
            return
        self.progress.stop()
        try:
            yield
        finally:
            self.progress.start()


@contextmanager
def _bar() -> Iterator[_Bar]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    progress = Progress(*columns, console=console, auto_refresh=False, transient=True, disable=not console.is_terminal)
    with progress:
        yield _Bar(progress)
