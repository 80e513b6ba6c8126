"""Nothing of a document is ever run: code stands in every field of every format, and a trap watches."""

from __future__ import annotations

import ast
import builtins
import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest import mock

import pytest
import sympy

import symdl
from symdl.cli import main
from symdl.errors import SymdlError
from symdl.verification.documents import read
from symdl.verification.judging.judge import judge

#: Found again in whatever text is compiled, evaluated or handed to a shell.
TOKEN = "planted_here"
CODES = (
    f"__import__('os').system('touch {TOKEN}')",
    f"().__class__.__base__.__subclasses__()[0]({TOKEN!r})",
    f"exec(bytes.fromhex('70617373'))or {TOKEN}",
    f"$(touch {TOKEN}) `touch {TOKEN}` | touch {TOKEN}",
    rf"\write18{{touch {TOKEN}}} \input{{|touch {TOKEN}}}",
    f"{{{{ {TOKEN}.__init__.__globals__ }}}} %({TOKEN})s {{0.{TOKEN}}}",
)

MARKDOWN = r"""---
title: ①
---
# ① {#①}

<!-- symdl: assume ① -->
<!-- symdl: assume x > ① -->
<!-- symdl: let ① = 2 -->
<!-- symdl: let a = ① -->
<!-- symdl: shape ①: m × n -->
<!-- symdl: shape W: ① × n -->
<!-- ① -->
The ① is $a(x) = ①$, with a learning rate of ① and $\eta = ①$, for ① where $①$ is the ① of ①. Let $x = ①$.

| name | ① | $①$ |
|------|---|-----|
| ① | 2 | ① |
| $w_①$ | ① | $①$ |

$$ ① $$
$$ x = ① \tag{①} \label{①} $$
$$ \text{①} = 1, \quad \mathrm{①}(x) = \operatorname{①}(x) = x_{①}^{①} $$
$$ \begin{①} x = 1 \end{①} \qquad \begin{array}{①} x = 2 \end{array} $$
$$ \newcommand{\①}[1]{①} \newcommand{\m}[1][①]{#1 ①} \def\d{①} \m{①} \d = 1 $$
$$ \frac{\partial ①}{\partial ①} = \sum_{① = 1}^{①} ① + \left. ① \right|_{x = ①} $$
$$ \color{①} x = \textcolor{①}{1} + \hspace{①} \underbrace{x}_{①} + \href{①}{x} $$

[①](① "①") ![①](①) <b onclick="①">①</b>

```python ①
①
```

```math ①
x = ①
```
"""
LATEX = r"""\documentclass[①]{①}
\usepackage[①]{①}
\newcommand{\①}[2][①]{①}
\newcommand{\m}[1]{①}
\DeclareMathOperator{\o}{①}
\def\d#1{①}
% symdl: assume ①
% symdl: let b = ①
\title{①}
\begin{document}
\section[①]{①} \input{①} \include{①}
\begin{equation}\label{①} \m{①} = \o(x) = \d{①} \tag{①} \end{equation}
\begin{align*} x &= ① \\ &= ① \end{align*}
\begin{①} x = 1 \end{①} \verb|①| \begin{verbatim} ① \end{verbatim}
Text ① with $x = ①$ and \(①\) and \[①\] % ①
\end{document}
"""
PLAIN = "①\nL = (10 − 14)² = ①\n① = 2\nwith ① of 0.5 and x₁ = ①\n$x = ①$\n"


def notebook(code: str) -> str:
    """Every field of a notebook."""
    cells = [
        {"cell_type": kind, "id": code, "metadata": {code: code}, "source": source, "outputs": [{"text": [code]}]}
        for kind in ("markdown", "code", "raw", code)
        for source in (MARKDOWN.replace("①", code).splitlines(keepends=True), code, [f"$x = {code}$"])
    ]
    spec = {"kernelspec": {"name": code, "language": code}, "language_info": {"name": code}, code: code}
    return json.dumps({"cells": cells, "metadata": spec, "nbformat": 4, "nbformat_minor": 5})


FORMATS = {
    "notes.md": lambda code: MARKDOWN.replace("①", code),
    "paper.tex": lambda code: LATEX.replace("①", code),
    "notes.txt": lambda code: PLAIN.replace("①", code),
    "book.ipynb": notebook,
}


WATCHED = [
    *((builtins, name) for name in ("eval", "exec", "compile", "__import__")),
    *((os, name) for name in ("system", "popen", "execvp", "posix_spawn")),
    (subprocess, "Popen"),
]


@contextmanager
def trap() -> Iterator[list[str]]:
    """What was called with a text in which the token stands: compiled, evaluated, or handed to a shell."""
    caught: list[str] = []

    def watching(name, real):
        def call(*arguments, **more):
            if any(TOKEN in str(a) for a in (*arguments, *more.values())):
                caught.append(name)
                raise PermissionError(f"{name} of what stands in a document")
            return real(*arguments, **more)

        return call

    with ExitStack() as stack:
        for owner, name in WATCHED:
            stack.enter_context(mock.patch.object(owner, name, watching(name, getattr(owner, name))))
        yield caught


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    yield
    assert not Path(TOKEN).exists()


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("name", FORMATS)
def test_nothing_of_a_document_is_run(name, code):
    Path(name).write_text(FORMATS[name](code), encoding="utf-8")
    with trap() as caught:
        document = read(name)
        list(judge(document))
    assert caught == []
    if name != "notes.txt":
        assert any(TOKEN in span.latex for span in document.spans) and document.pragmas


@pytest.mark.parametrize("code", CODES[:3])
def test_nothing_of_an_option_or_of_the_name_of_a_file_is_run(code, capsys):
    named = code.replace("/", "_") + ".md"
    Path(named).write_text("$2 + 2 = 5$\n", encoding="utf-8")
    with trap() as caught:
        for option in ("--seed", "--budget", "--jobs", "--memory", "--format"):
            with pytest.raises(SystemExit):
                main(["check", named, option, code])
        assert main(["check", code]) == 2
        for form in ("text", "json", "junit", "sarif", "github", "html"):
            assert main(["check", named, "--format", form, "--jobs", "1"]) == 1
    capsys.readouterr()
    assert caught == []


@pytest.mark.parametrize("code", CODES[:2])
def test_a_text_is_no_expression(code):
    with trap() as caught:
        for call in (lambda: symdl.equal(code, 1), lambda: symdl.equal(sympy.Symbol("x"), 1, domain=[code])):
            with pytest.raises(SymdlError):
                call()
    assert caught == []


@pytest.mark.parametrize("reader", [sympy.sympify, lambda text: eval(text), lambda text: os.system(text)])
def test_the_trap_closes(reader):
    """A parser that runs what it reads is found out, SymPy's among them."""
    with trap() as caught, contextlib.suppress(PermissionError, sympy.SympifyError):
        reader(CODES[0])
    assert caught


def test_no_text_can_reach_a_parser_of_python():
    """Nothing in the verifier calls what would evaluate a text."""
    builtin, anywhere = {"eval", "exec", "compile"}, {"parse_expr", "lambdify", "Unpickler", "parse_latex", "S"}
    found = []
    for path in sorted(Path(symdl.__file__).parent.joinpath("verification").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            strict = any(k.arg == "strict" and getattr(k.value, "value", None) is True for k in node.keywords)
            plain = isinstance(node.func, ast.Name) and name in builtin
            if plain or name in anywhere or (name == "sympify" and not strict):
                found.append(f"{path.name}:{node.lineno}: {name}")
    assert found == []
