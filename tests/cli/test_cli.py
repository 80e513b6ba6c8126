"""The command line as a user meets it: what it writes, what it says, and its exit codes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from symdl.cli import main


def run(capsys, *arguments):
    code = main(list(arguments))
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def values(tmp_path):
    path = tmp_path / "values.json"
    path.write_text(json.dumps({"x": [[1, 1, 3]], "t": [10], "w": [2, 2, 2], "b": 4}))
    return str(path)


def test_list(capsys):
    code, out, _ = run(capsys, "list")
    assert code == 0 and "neuron" in out and "softmax_cross_entropy" in out
    listed = json.loads(run(capsys, "list", "--json")[1])
    names = [e["name"] for e in listed]
    assert {"sd.radam", "sd.lbfgs", "sd.schedules.one_cycle", "sd.initialisers.orthogonal", "sd.f1"} <= set(names)
    assert all(e["summary"] for e in listed) and {"optimiser", "metric"} <= {e["kind"] for e in listed}
    assert names[0] == "neuron" and len(names) == len(set(names)) > 8


def test_derive_both_ways_with_numbers(capsys, values):
    code, out, _ = run(capsys, "derive", "neuron", "--via", "both", "--values", values, "--lr", "0.04")
    assert code == 0
    assert "proved" in out and "N \\ge 1" not in out
    for figure in ("= 14", "= 16", "= 8", "= 24", "1.68", "1.04", "3.68"):
        assert figure in out


def test_written_out_without_numbers(capsys):
    code, out, _ = run(capsys, "derive", "neuron", "--at", "i=3", "n=1")
    assert code == 0 and r"w_{0} x_{00} + w_{1} x_{01} + w_{2} x_{02} + b" in out


def test_json_has_the_verdict_and_the_figures(capsys, values):
    code, out, _ = run(capsys, "derive", "neuron", "--via", "both", "--values", values, "--json")
    found = json.loads(out)
    assert code == 0 and found["verdict"]["status"] == "proved"
    assert found["values"][0]["w_bar[2]"] == "24"
    assert [d["via"] for d in found["derivations"]] == ["chain", "expand"]


@pytest.mark.parametrize("suffix", ["tex", "md", "html"])
def test_output_files(capsys, tmp_path, suffix):
    path = tmp_path / f"out.{suffix}"
    code, out, err = run(capsys, "derive", "network", "--matrix", "-o", str(path))
    assert code == 0 and not out and str(path) in err
    text = path.read_text(encoding="utf-8")
    assert {"tex": r"\documentclass", "md": "$$", "html": "<math"}[suffix] in text
    if suffix == "html":
        assert 'name="viewport"' in text
        for fetched in ("src=", "href=", "@import", "url("):
            assert fetched not in text, "an offline page fetches nothing"


@pytest.mark.skipif(not any(map(shutil.which, ("pdflatex", "lualatex", "xelatex"))), reason="no TeX here")
def test_pdf(capsys, tmp_path):
    path = tmp_path / "out.pdf"
    assert run(capsys, "derive", "neuron", "-o", str(path))[0] == 0
    assert path.read_bytes().startswith(b"%PDF")


def test_pdf_without_tex(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    path = tmp_path / "out.pdf"
    code, _, err = run(capsys, "derive", "neuron", "-o", str(path))
    assert code == 2 and "TeX" in err and err.count("\n") == 1 and not path.exists()


def test_the_gradient_of_a_layer_is_for_any_loss(capsys):
    code, out, _ = run(capsys, "derive", "linear", "--wrt", "W", "--matrix")
    assert code == 0 and r"\bar{\mathbf{W}} &= \bar{\mathbf{Y}}^{\top} \mathbf{X}" in out


def test_a_definition_of_ones_own(capsys, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "import symdl as sd\n"
        "@sd.define\n"
        "def mine(x=sd.Param('i')):\n"
        "    (i,) = x.indices\n"
        "    return sd.let('L', sd.Sum(x[i]**2, i))\n"
        "other = 3\n"
    )
    code, out, _ = run(capsys, "derive", f"{path}:mine")
    assert code == 0 and r"\bar{x}_{i}" in out
    for what in (f"{path}:other", f"{path}:nothing", str(path), f"{tmp_path}/no.py:x"):
        assert run(capsys, "derive", what)[0] == 2


BAD = {
    "unknown definition": (["derive", "neuro"], "no definition 'neuro'"),
    "unknown parameter": (["derive", "neuron", "--wrt", "q"], "no tensor 'q'"),
    "unknown index": (["derive", "neuron", "--at", "q=3"], "no index 'q'"),
    "bad extent": (["derive", "neuron", "--at", "i=x"], "'i=x' is no extent"),
    "target is no scalar": (["derive", "neuron", "--of", "s"], "does not fit s[n]"),
    "unknown suffix": (["derive", "neuron", "-o", "out.docx"], "no writer for '.docx'"),
    "no such folder": (["derive", "neuron", "-o", "/nowhere/at/all/out.md"], "/nowhere/at/all"),
    "no values file": (["derive", "neuron", "--values", "nothing.json"], "can't read nothing.json"),
    "lr alone": (["derive", "neuron", "--lr", "0.1"], "--lr needs --values"),
    "split": (["train", "digits", "--split", "80,20,20"], "120"),
    "layers": (["train", "digits", "--layers", "many"], "'many' is no layer"),
    "activation": (["train", "digits", "--layers", "8:cosine"], "no activation 'cosine'"),
    "no data": (["train", "nothing.csv"], "nothing.csv"),
    "epochs": (["train", "digits", "--epochs", "0"], "epochs"),
    "learning rate": (["train", "digits", "--lr", "-1"], "lr"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_exit_code_2(capsys, tmp_path, monkeypatch, case):
    monkeypatch.chdir(tmp_path)
    arguments, text = BAD[case]
    code, out, err = run(capsys, *arguments)
    assert code == 2 and text in err and err.count("\n") == 1 and "Traceback" not in err
    assert not out and not list(tmp_path.iterdir()), "nothing is half-written"


CSV = {
    "text": ("a,b\n1,2\n3,cat\n", ["line 3", "'cat'"]),
    "ragged": ("a,b\n1,2\n3\n", ["line 3"]),
    "empty": ("", ["empty"]),
    "header only": ("a,b\n", ["no"]),
    "nan": ("a,b\n1,nan\n", ["line 2"]),
}


@pytest.mark.parametrize("case", CSV)
def test_bad_tables(capsys, tmp_path, case):
    content, texts = CSV[case]
    path = tmp_path / "data.csv"
    path.write_text(content)
    code, _, err = run(capsys, "train", str(path))
    assert code == 2 and err.count("\n") == 1
    for text in texts:
        assert text in err


def test_train_on_a_table_writes_everything(capsys, tmp_path, rng):
    x = rng.normal(size=(60, 2))
    y = (3 * x[:, 0] - x[:, 1]).round(6)
    table = tmp_path / "data.csv"
    table.write_text("a,b,c\n" + "\n".join(f"{p},{q},{r}" for (p, q), r in zip(x, y, strict=True)))
    folder = tmp_path / "out"
    code, out, _ = run(
        capsys, "train", str(table), "--epochs", "30", "--lr", "0.05", "--layers", "8:tanh", "--json", "-o", str(folder)
    )
    figures = json.loads(out)
    assert code == 0 and figures["test_mse"] < 0.5 and sum(figures["rows"].values()) == 60
    assert {p.name for p in folder.iterdir()} == {
        "parameters.safetensors", "parameters.json", "figures.json", "curves.svg",
    }  # fmt: skip


def test_divergence_keeps_the_last_finite_parameters(capsys, tmp_path, rng):
    x = rng.normal(size=(60, 2)) * 10
    table = tmp_path / "data.csv"
    table.write_text("a,b,c\n" + "\n".join(f"{p},{q},{p * q}" for p, q in x))
    folder = tmp_path / "out"
    code, _, err = run(
        capsys, "train", str(table), "--epochs", "9", "--lr", "100", "--layers", "4:relu", "-o", str(folder)
    )
    assert code == 2 and "not finite at step" in err and "smaller --lr" in err
    from symdl.training.fit import load_parameters

    assert all((abs(v) < float("inf")).all() for v in load_parameters(folder / "parameters.safetensors").values())


def test_cost(capsys, tmp_path):
    code, out, _ = run(capsys, "cost", "--depth", "2", "--width", "2", "-o", str(tmp_path / "c"))
    assert code == 0 and "| 2 | 2 | 1,099 |" in out
    assert {p.name for p in (tmp_path / "c").iterdir()} == {"growth.json", "growth.md", "growth.svg"}


def test_a_reader_that_leaves(tmp_path):
    done = subprocess.run(
        f"{sys.executable} -m symdl derive neuron | head -n 1", shell=True, capture_output=True, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"}, check=False,
    )  # fmt: skip
    assert done.stdout.startswith("# neuron") and "Traceback" not in done.stderr


@pytest.fixture
def table(tmp_path, rng):
    path = tmp_path / "classes.csv"
    x = rng.normal(size=(90, 3))
    labels = (x @ [1.0, -2.0, 0.5] > 0).astype(int) + (x[:, 0] > 1)
    rows = [",".join(map(str, (*row, label))) for row, label in zip(x.round(4), labels, strict=True)]
    path.write_text("\n".join(["a,b,c,kind", *rows]))
    return str(path)


def test_train_with_everything(capsys, table):
    options = """
        --layers 8:relu --epochs 20 --optimizer adamw --lr 0.02 --schedule cosine --warmup 5 --weight-decay 0.01
        --clip-norm 5 --clip-value 1 --l2 0.001 --dropout 0.1 --init he_normal --patience 8 --metrics f1,roc_auc
        --split 60,20,20 --json
    """
    code, out, _ = run(capsys, "train", table, *options.split())
    figures = json.loads(out)
    assert code == 0 and 1 <= figures["best_epoch"] <= 20
    for name in ("validation_f1", "training_roc_auc", "test_f1", "test_accuracy"):
        assert 0 <= figures[name] <= 1


def test_train_on_all_rows_at_once(capsys, table):
    code, out, _ = run(capsys, *f"train {table} --layers 4:tanh --epochs 15 --optimizer lbfgs --l2 0.01 --json".split())
    figures = json.loads(out)
    assert code == 0 and figures["training_accuracy"] > 0.85


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--optimizer lbfgs --lr 0.1", "L-BFGS has no --lr"),
        ("--optimizer lbfgs --schedule cosine", "L-BFGS has no --schedule"),
        ("--optimizer lbfgs --batch 8", "L-BFGS takes no batches"),
        ("--schedule cosine --lr -1", "lr = -1"),
        ("--warmup 0", "steps = 0"),
        ("--l1 0 --l2 0", "share = 0"),
        ("--dropout 1", "rate = 1"),
        ("--metrics fun", "no metric 'fun'"),
        ("--patience 0", "patience = 0"),
        ("--clip-norm 0", "limit = 0"),
    ],
)
def test_options_of_train_out_of_range(capsys, table, options, says):
    code, out, err = run(capsys, "train", table, *options.split())
    assert code == 2 and not out and says in err and err.count("\n") == 1


def test_the_options_of_train_are_those_of_the_library():
    import symdl as sd
    from symdl.cli import settings

    assert set(settings.OPTIMISERS) == {*sd.optimisers.OPTIMISERS, "lbfgs"}
    assert set(settings.SCHEDULES) == set(sd.schedules.SCHEDULES) - {"warmup"}
    assert set(settings.INITIALISERS) <= set(sd.initialisers.INITIALISERS)
