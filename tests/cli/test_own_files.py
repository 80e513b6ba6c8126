"""Activations and losses of Python files, on the command line."""

from __future__ import annotations

import json

import pytest

from symdl.cli import main

MINE = """
import warnings
import symdl as sd
warnings.simplefilter("ignore")
bent = sd.activation("cli_bent", lambda s: sd.log(1 + sd.exp(s)))
charbonnier = sd.loss("cli_charbonnier", lambda t, y: sd.sqrt((t - y) ** 2 + 1) - 1)
five = 5
"""


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(MINE)
    return str(path)


def test_properties_of_ones_own(mine, capsys):
    assert main(["properties", f"{mine}:charbonnier", "--json"]) == 0
    (made,) = json.loads(capsys.readouterr().out)
    (section,) = made["sections"]
    # its slope u/√(u² + 1) has the limits ±1, and the slope of that, (u² + 1)^{−3/2}, is at most 1
    assert made["convex"]["is"] == "yes" and section["lipschitz"]["is"] == section["smoothness"]["is"] == "1"
    assert section["minimum"]["is"] == "0 at {0}" and section["range"]["is"] == "[0, ∞)"
    assert main(["properties", f"{mine}:bent"]) == 0 and "(0, ∞)" in capsys.readouterr().out
    assert main(["properties", "huber", "--set", "delta=2"]) == 0
    assert main(["properties", f"{mine}:charbonnier", "--set", "a=1"]) == 2
    assert "give it its numbers there" in capsys.readouterr().err


def test_accuracy_of_ones_own(mine, capsys):
    assert main(["accuracy", f"{mine}:bent", "--points", "60", "--dtype", "float64"]) == 0
    assert "cli_bent" in capsys.readouterr().out
    assert main(["accuracy", "MSE", "--points", "60", "--dtype", "float64"]) == 0  # a name that people write
    assert "l2" in capsys.readouterr().out


def test_derivations_of_ones_own(mine, capsys):
    assert main(["derive", f"{mine}:charbonnier", "--wrt", "y", "--via", "both"]) == 0
    assert "proved for" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["properties", "accuracy", "derive"])
def test_what_is_no_entry(command, mine, capsys):
    for name in ("five", "none"):
        assert main([command, f"{mine}:{name}"]) == 2
        assert "mine.py has no " in capsys.readouterr().err
