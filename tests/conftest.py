"""What every test can rely on: seeds that are printed, a cache of its own, golden files, the reference material.

Environment:
    SYMDL_TEST_SEED           seed of the `rng` fixture (default 20261123)
    SYMDL_HYPOTHESIS_PROFILE  dev, ci or thorough (default: ci where CI is set, else dev)
    SYMDL_REFERENCE           folder of the reference material (default: ../shared/reference beside the repository)

Options: `--update` writes the golden files anew, `--hypothesis-seed=N` repeats a thorough run of Hypothesis; under the
other profiles each test draws the same examples every time.
"""

from __future__ import annotations

import difflib
import gc
import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# Before NumPy, PyTorch or Matplotlib are imported: one thread for each test process, and no windows.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ["MPLBACKEND"] = "Agg"
os.environ.setdefault("SYMPY_CACHE_SIZE", "10000")  # as on the command line
# Test processes are as many as there are cores.
os.environ["SYMDL_HELPERS"] = "0"

import hypothesis
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden"
SEED = int(os.environ.get("SYMDL_TEST_SEED", "20261123"))
PROFILE = os.environ.get("SYMDL_HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev")

# No deadline: the first example of a test often pays for an import or a compilation. A run of the suite is the same
# every time, so that it says something about the change at hand; `make fuzz` draws anew, and more.
hypothesis.settings.register_profile("dev", deadline=None, max_examples=30, derandomize=True)
hypothesis.settings.register_profile("ci", deadline=None, max_examples=60, print_blob=True, derandomize=True)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=1000, print_blob=True)
hypothesis.settings.load_profile(PROFILE)

CACHE_DIR = pytest.StashKey[Path]()
#: Under this name pytest-xdist hands the folder of the code cache to its workers.
CACHE_INPUT = "symdl_cache_dir"

# Nearly all that SymPy and Numba make in a module of tests stays as long as the module (see `settled`): the collector
# finds little, however often it goes through all of it.
gc.set_threshold(20_000, 20, 50)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="write the golden files anew instead of comparing with them")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Draw Hypothesis' seed, so that it can be printed, and turn symdl's cache away from the user's.

    Both come before collection, since doctests outside tests/ see no fixture of this file. pytest-xdist hands the
    options, and with them the seed, to its workers, which share one cache: what programs share is compiled once.
    """
    if config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = random.SystemRandom().randrange(2**32)
    given = getattr(config, "workerinput", {}).get(CACHE_INPUT)
    config.stash[CACHE_DIR] = Path(given or tempfile.mkdtemp(prefix="symdl-test-cache-"))
    os.environ["SYMDL_CACHE_DIR"] = str(config.stash[CACHE_DIR])


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Called for each worker of pytest-xdist before it starts."""
    node.workerinput[CACHE_INPUT] = str(node.config.stash[CACHE_DIR])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Delete the cache; workers leave that to the process that made it."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(config.stash[CACHE_DIR], ignore_errors=True)


def pytest_report_header(config: pytest.Config) -> str:
    return (
        f"seeds: SYMDL_TEST_SEED={SEED} --hypothesis-seed={config.option.hypothesis_seed}; "
        f"hypothesis profile {PROFILE}; numpy {np.__version__}"
    )


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers, the same ones in every run with the same SYMDL_TEST_SEED."""
    return np.random.default_rng(SEED)


@pytest.fixture(scope="session", autouse=True)
def cache_dir(pytestconfig: pytest.Config) -> Path:
    """The code cache of this run of the tests: an empty folder at first, never the user's."""
    return pytestconfig.stash[CACHE_DIR]


@pytest.fixture(scope="module", autouse=True)
def settled() -> Iterator[None]:
    """What a module of tests has left in caches is not gone through again by each later collection of garbage."""
    yield
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of reference material outside the repository; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("SYMDL_REFERENCE", ROOT.parent / "shared" / "reference"))
    if not folder.is_dir():
        pytest.skip("the reference material is absent: set SYMDL_REFERENCE to its folder")
    return folder


@pytest.fixture
def golden(pytestconfig: pytest.Config) -> Callable[[str, str], None]:
    """`golden(name, text)` compares `text` with tests/golden/NAME; under --update it writes the file."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if pytestconfig.option.update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
            return
        if not path.exists():
            pytest.fail(f"{path.relative_to(ROOT)} does not exist: look at the text, then run pytest with --update")
        expected = path.read_text(encoding="utf-8")
        if text != expected:
            lines = difflib.unified_diff(
                expected.splitlines(), text.splitlines(), f"golden/{name}", "this run", lineterm=""
            )
            diff = "\n".join(lines) or "they differ only in line ends or in the newline at the end"
            pytest.fail(f"{name} differs from its golden file; if that is meant, run pytest with --update\n{diff}")

    return compare
