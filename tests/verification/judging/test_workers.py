"""One claim that takes all time or memory costs its own budget, and nothing else."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time

import pytest
from support import judges

from symdl.verification.documents import read_text
from symdl.verification.judging import process, workers
from symdl.verification.judging.process import Task
from symdl.verification.judging.workers import verdicts
from symdl.verification.verdict import Status


def task(*words, judge=judges.obedient, seconds=0.5, megabytes=200, **more):
    """A document of these formulas, one a line; several documents where the words are tuples."""
    pages = words if words and isinstance(words[0], tuple) else (words,)
    texts = ["\n\n".join(f"$$\n{word}\n$$" for word in page) + "\n" for page in pages]
    documents = tuple(read_text(text, "markdown", f"{n}.md") for n, text in enumerate(texts))
    return Task(documents, judge, seconds=seconds, megabytes=megabytes, **more)


def statuses(job, jobs=2):
    """The status of each formula in order; '-' where nothing is claimed."""
    steps = list(verdicts(job, jobs=jobs))
    assert [s.place for s in steps] == [(d, k) for d, doc in enumerate(job.documents) for k in range(len(doc.spans))]
    return [str(s.judged[0].status) if s.judged else "-" for s in steps]


def reasons(job, jobs=2):
    return [j.verdict.reason for s in verdicts(job, jobs=jobs) for j in s.judged]


@pytest.fixture(params=["fork", "spawn"])
def method(request, monkeypatch):
    """Both ways to begin a worker."""
    if request.param == "spawn":
        monkeypatch.setattr(process, "forks", lambda: False)
    elif not sys.platform.startswith("linux"):
        pytest.skip("workers are forked on Linux only")
    return request.param


def test_verdicts_come_in_order(method):
    words = ("fine", "wrong", "word", "name", "open", "near") * 5
    expected = ["proved", "refuted", "-", "definition", "undecided", "consistent"] * 5
    assert statuses(task(*words)) == expected
    assert statuses(task(*words), jobs=1) == expected


def test_a_bomb_costs_its_own_budget(method):
    begin = time.monotonic()
    assert statuses(task("fine", "bomb", "fine", "wrong", "fine")) == [
        "proved",
        "undecided",
        "proved",
        "refuted",
        "proved",
    ]
    assert time.monotonic() - begin < 15


DEADLY = {
    "bomb": "out of time: it takes more than 0.5 s",
    "swallow": "out of time: it takes more than 0.5 s",
    "sleep": "out of time: it takes more than 0.5 s",
    "memory": "out of memory: it takes more than 200 MB",
    "abort": "SIGABRT",
    "segv": "SIGSEGV",
    "exit": "its process ended with 7",
    "fail": "the checker fails here: KeyError: 'planted'",
}


@pytest.mark.parametrize("jobs", [1, 2])
def test_whatever_ends_a_worker_leaves_that_formula_undecided(jobs, monkeypatch):
    monkeypatch.setattr(workers, "_GRACE", 0.1)
    words = [w for deadly in DEADLY for w in ("fine", deadly, "wrong")]
    steps = list(verdicts(task(*words), jobs=jobs))
    found = [s.judged[0] for s in steps]
    assert [str(j.status) for j in found] == ["proved", "undecided", "refuted"] * len(DEADLY)
    for word, why, judged in zip(DEADLY, DEADLY.values(), found[1::3], strict=True):
        assert why in judged.verdict.reason, word
        assert judged.verdict.status is Status.UNDECIDED and judged.latex == word


@pytest.mark.parametrize("word", ["bomb", "memory", "abort", "fail"])
def test_what_kills_when_it_is_read_is_stepped_over(word):
    found = statuses(task("fine", f"read-{word}", "fine", "wrong", "fine", "fine"))
    assert found == ["proved", "undecided", "proved", "refuted", "proved", "proved"]


def test_a_judge_that_does_not_step_over_gives_up_the_document_only():
    job = task(("fine", "read-abort", "fine"), ("fine", "wrong"), judge=judges.stubborn)
    assert statuses(job, jobs=1) == ["proved", "undecided", "undecided", "proved", "refuted"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_document_that_nobody_gets_into(jobs):
    job = task(("fine", "wrong"), ("broken", "fine"), ("fine", "wrong"), judge=judges.broken)
    assert statuses(job, jobs=jobs) == ["proved", "refuted", "undecided", "undecided", "proved", "refuted"]


def test_a_worker_that_cannot_begin_does_not_hang(monkeypatch):
    monkeypatch.setattr(process, "forks", lambda: False)
    monkeypatch.setattr(process, "_BOOT", "raise SystemExit(5)")
    assert set(reasons(task("fine", "fine"))) == {"its process ended with 5"}


def test_work_is_shared_and_the_seed_arrives():
    told = [r.split() for r in reasons(task(*["x"] * 40, judge=judges.pids, seed=7))]
    processes = {pid for pid, _ in told}
    assert len(processes) == 2 and str(os.getpid()) not in processes and {seed for _, seed in told} == {"7"}
    assert min(sum(pid == p for pid, _ in told) for p in processes) >= 5


def test_verdicts_stream():
    """The first is there while the second still takes its time."""
    begin = time.monotonic()
    steps = verdicts(task("fine", "bomb", seconds=5), jobs=1)
    assert next(steps).judged[0].status is Status.PROVED
    assert time.monotonic() - begin < 3
    steps.close()


linux = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks at processes in /proc")


def state(pid):
    """Parent and state of a process, as the system tells them; None where there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            told = file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if told[0] == "Z" else (int(told[1]), told[0])


def children():
    running = {int(name): state(name) for name in os.listdir("/proc") if name.isdigit()}
    return {pid for pid, told in running.items() if told and told[0] == os.getpid()}


@linux
def test_no_process_is_left():
    before = children()
    steps = verdicts(task("fine", "bomb", "bomb", seconds=30), jobs=2)
    next(steps)
    running = children() - before
    steps.close()
    assert len(running) == 2 and not children() & running


def heirs():
    """Programs that workers have started."""
    found = set()
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/cmdline", "rb") as file:
            found |= {name} if judges.HEIR.encode() in file.read() and state(name) else set()
    return found


@linux
def test_what_a_worker_has_started_ends_with_it(method, monkeypatch):
    monkeypatch.setattr(workers, "_GRACE", 0.1)
    assert statuses(task("fine", "heir", "wrong"), jobs=1) == ["proved", "undecided", "refuted"]
    assert not heirs()


@linux
def test_a_worker_ends_when_its_parent_is_gone():
    """The parent is killed and can't tidy up; a worker sees the end of its channel, or its own clock."""
    program = (
        "import os, sys\n"
        "from support import judges\n"
        "from symdl.verification.documents import read_text\n"
        "from symdl.verification.judging.process import Task\n"
        "from symdl.verification.judging.workers import verdicts\n"
        "page = read_text('\\n\\n'.join(['$x$'] * 60 + ['$bomb$']), 'markdown', 'a.md')\n"
        "steps = verdicts(Task((page,), judges.pids, seconds=1), jobs=2)\n"
        "seen = set()\n"
        "while len(seen) < 2:\n"
        "    seen.add(next(steps).judged[0].verdict.reason.split()[0])\n"
        "print(*seen, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )
    pids = [int(p) for p in ended.stdout.split()]
    assert len(pids) == 2, ended.stderr
    deadline = time.monotonic() + 20
    while any(map(state, pids)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(state, pids))


def test_threads_in_the_parent_mean_a_new_interpreter():
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        assert not process.forks()
    finally:
        stop.set()
        thread.join()


def test_memory_is_watched_where_the_system_does_not(monkeypatch):
    """As on macOS: no RLIMIT_AS, the parent asks ps."""
    monkeypatch.setattr(workers, "keeps_memory", lambda: False)
    monkeypatch.setattr(workers, "resident", lambda pid: 10**12)
    assert reasons(task("sleep", seconds=30)) == ["out of memory: it takes more than 200 MB"]


def test_short_documents_get_one_worker():
    assert workers._Pool(task("fine"), None).jobs == 1
    assert workers._Pool(task(*["fine"] * 400), None).jobs == workers.cores()


def test_nothing_to_judge():
    assert statuses(task()) == []
