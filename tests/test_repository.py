"""The repository's promises about itself: layering, cheap imports, README that runs, locks that fit the metadata."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "symdl"
HEAVY = {"jax", "lark", "matplotlib", "mpi4py", "numba", "scipy", "sklearn", "torch"}


def run_python(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A fresh interpreter, as a user starts it."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


# ── layering ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the import contract of the package that lies in `folder`, by the pyproject.toml beside it."""
    program = "from importlinter.cli import lint_imports_command as command; command(['--no-cache', '--no-logo'])"
    return run_python("-c", program, cwd=folder, PYTHONPATH=str(folder))


@pytest.fixture
def package_copy(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(PACKAGE, tmp_path / "symdl", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_import_contract_is_kept() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout


FAULTS = {
    "upward": ({"core/planted.py": "import symdl.derivation"}, "symdl.core.planted -> symdl.derivation"),
    "upward by two": ({"core/planted.py": "from symdl import rendering"}, "symdl.core.planted -> symdl.rendering"),
    "upward inside a function": (
        {"derivation/planted.py": "def f():\n    from ..verification import x"},
        "symdl.derivation.planted -> symdl.verification",
    ),
    "sideways": (
        {"verification/planted.py": "from ..compilation import x"},
        "symdl.verification.planted -> symdl.compilation",
    ),
    "a cycle within a layer": (
        {"core/planted_a.py": "from . import planted_b", "core/planted_b.py": "from . import planted_a"},
        "planted_a",
    ),
    "a module that no layer names": ({"planted.py": ""}, "symdl.planted"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_import_contract_can_fail(fault: str, package_copy: Path) -> None:
    files, complaint = FAULTS[fault]
    for name, text in files.items():
        (package_copy / "symdl" / name).write_text(text + "\n", encoding="utf-8")
    result = lint_imports(package_copy)
    assert result.returncode != 0
    assert complaint in re.sub(r"\s+", " ", result.stdout), result.stdout + result.stderr


def own_imports(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and text of each import of symdl's own modules in `node`."""
    for child in ast.walk(node):
        if isinstance(child, ast.Import):
            own = any(alias.name.split(".")[0] == "symdl" for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            own = child.level > 0 or (child.module or "").split(".")[0] == "symdl"
        else:
            continue
        if own:
            yield child.lineno, ast.unparse(child)


def hidden_imports(source: str) -> set[tuple[int, str]]:
    """The imports of our own modules that wait inside a function, where they hide a cycle or an upward import."""
    functions = (n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    return {found for function in functions for found in own_imports(function)}


def root_imports(source: str) -> set[tuple[int, str]]:
    """The imports of the public API from inside: `symdl` leads to every layer, and the contract would not see which.

    Only the command line, which is above every layer, may do it: so it loads what a command needs, when it needs it.
    """
    layers = {path.stem for path in PACKAGE.iterdir()}
    found = set()
    for line, text in own_imports(ast.parse(source)):
        names = re.fullmatch(r"from symdl import (.+)", text)
        used = {name.split(" as ")[0] for name in names[1].split(", ")} if names else set()
        if re.search(r"^import .*\bsymdl\b(?!\.)", text) or used - layers - {"__version__"}:
            found.add((line, text))
    return found


MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_imports_openly(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert not hidden_imports(source), "imports of our own modules inside a function"
    if path.relative_to(PACKAGE).parts[0] not in {"cli", "cli.py"}:
        assert not root_imports(source), "imports the public API from inside; name the module that has it"


@pytest.mark.parametrize(
    ("source", "hidden", "root"),
    [
        ("import numpy\nfrom .core import x\nimport symdl.core", 0, 0),
        ("def f():\n    import numba", 0, 0),
        ("def f():\n    from .core import x", 1, 0),
        ("class A:\n    async def f(self):\n        if x:\n            import symdl.core", 1, 0),
        ("import symdl as sd", 0, 1),
        ("import symdl", 0, 1),
        ("import numpy, symdl", 0, 1),
        ("from symdl import derive", 0, 1),
        ("from symdl import core, errors as e, __version__", 0, 0),
        ("def f():\n    import symdl", 1, 1),
    ],
)
def test_import_scan_finds_what_it_should(source: str, hidden: int, root: int) -> None:
    assert len(hidden_imports(source)) == hidden
    assert len(root_imports(source)) == root


# ── cheap imports ────────────────────────────────────────────────────────────────────────────────────────────────────


def modules_after(program: str, folder: Path) -> set[str]:
    """Top-level names of the modules that are loaded once `program` has run, in a fresh interpreter."""
    report = folder / "modules.json"
    program += f"\nimport sys, json\njson.dump(sorted(sys.modules), open({str(report)!r}, 'w'))"
    result = run_python("-c", program, cwd=folder)
    assert result.returncode == 0, result.stderr
    return {name.split(".")[0] for name in json.loads(report.read_text())}


def test_import_of_symdl_is_light(tmp_path: Path) -> None:
    loaded = modules_after("import symdl, symdl.cli", tmp_path)
    assert "symdl" in loaded
    assert not loaded & HEAVY


def test_public_names_all_resolve_and_are_light(tmp_path: Path) -> None:
    loaded = modules_after("import symdl\nfor name in dir(symdl): getattr(symdl, name)", tmp_path)
    assert not loaded & HEAVY


def test_help_does_not_wait_for_sympy(tmp_path: Path) -> None:
    program = """
    import contextlib, io
    from symdl.cli import main
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        try:
            status = main(["--help"])
        except SystemExit as stop:
            status = stop.code
    assert not status and "derive" in text.getvalue(), (status, text.getvalue())
    """
    loaded = modules_after(textwrap.dedent(program), tmp_path)
    assert not loaded & (HEAVY | {"sympy", "numpy"})


# ── documents ────────────────────────────────────────────────────────────────────────────────────────────────────────

DOCUMENTS = ["README.md", *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("docs/*.md"))]
FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,})(?P<info>.*)$")
NOT_RUN = re.compile(r"<!-- not run: \S.* -->")


def script_of(markdown: str) -> tuple[str, int]:
    """The ```python fences of a document as one script, and how many there are.

    Every line of code keeps its line number, so an error message points into the document. A fence right below
    `<!-- not run: reason -->` is left out.
    """
    script: list[str] = []
    fences, closing, indent, running, before = 0, "", "", False, ""
    for line in markdown.splitlines():
        fence = FENCE.match(line)
        if closing:
            if line.strip() == closing:
                closing, before = "", ""
                script.append("")
            else:
                script.append(line.removeprefix(indent) if running else "")
            continue
        if fence:
            closing, indent = fence["ticks"], fence["indent"]
            language = fence["info"].strip().split(" ")[0]
            running = language == "python" and not NOT_RUN.fullmatch(before)
            fences += running
        before = line.strip() or before
        script.append("")
    assert not closing, "a fence is not closed"
    return "\n".join(script) + "\n", fences


@pytest.mark.parametrize("document", DOCUMENTS)
def test_document_snippets_run(document: str, tmp_path: Path) -> None:
    path = ROOT / document
    assert path.exists(), f"{document} does not exist"
    script, fences = script_of(path.read_text(encoding="utf-8"))
    assert fences or document != "README.md", "README.md shows no Python"
    program = tmp_path / (path.stem + ".py")
    program.write_text(script, encoding="utf-8")
    result = run_python(program.name, cwd=tmp_path)
    assert result.returncode == 0, f"{document}, run in order:\n{result.stdout}{result.stderr}"


def test_script_of_keeps_lines_and_leaves_out_what_is_marked() -> None:
    markdown = textwrap.dedent(
        """\
        ```python
        a = 1
        ```
        ```sh
        rm out
        ```
        <!-- not run: needs a GPU -->
        ```python
        b = gpu()
        ```
        - item
          ```python
          c = a + 1
          ```
        <!-- not run: -->

        ```python
        d = c
        ```
        """
    )
    script, fences = script_of(markdown)
    assert fences == 3
    assert [(number, line) for number, line in enumerate(script.splitlines(), 1) if line] == [
        (2, "a = 1"),
        (13, "c = a + 1"),
        (18, "d = c"),
    ]
    with pytest.raises(AssertionError, match="not closed"):
        script_of("```python\na = 1\n")


# ── metadata ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def pins(name: str) -> dict[str, str]:
    """Package → exact version, of a lock and those it includes; anything but `name==version` is an error."""
    found: dict[str, str] = {}
    for line in (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            found |= pins(line.removeprefix("-r "))
        elif line and not line.startswith("#"):
            pin = re.fullmatch(r"([a-z0-9-]+)==([0-9][0-9a-z.]*)", line)
            assert pin, f"requirements/{name} has a line that is not a plain pin: {line!r}"
            assert pin[1] not in found, f"{pin[1]} is pinned twice"
            found[pin[1]] = pin[2]
    return found


@pytest.mark.parametrize(("lock", "extra"), [("demo.txt", "train"), ("test.txt", "test"), ("bench.txt", "bench")])
def test_lock_has_what_the_metadata_asks_for(lock: str, extra: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras: dict[str, list[str]] = project["optional-dependencies"]

    def expanded(lines: list[str]) -> Iterator[Requirement]:
        for requirement in map(Requirement, lines):
            if requirement.name == "symdl":
                for name in requirement.extras:
                    yield from expanded(extras[name])
            else:
                yield requirement

    locked = pins(lock)
    for requirement in expanded(project["dependencies"] + extras[extra]):
        name = canonicalize_name(requirement.name)
        assert name in locked, f"requirements/{lock} lacks {name}"
        assert requirement.specifier.contains(locked[name]), f"{name} {locked[name]} is locked, not {requirement}"


def test_demo_does_not_install_what_only_tests_use() -> None:
    assert not pins("demo.txt").keys() & {"torch", "pytest", "jax", "mypy", "ruff"}
