"""What emitted functions have in common: heads compiled once for all modules, and no references that are counted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symdl.compilation import machine
from symdl.compilation.functions import Functions, units_of
from symdl.compilation.helpers import Crew
from symdl.compilation.machine import sharing
from symdl.compilation.runtime import load_source

HEAD = """
import math
import numpy as np
from symdl.compilation.machine.addresses import carray, stack
from symdl.compilation.machine.arithmetic import fma
from symdl.compilation.machine.compiling import njit
from symdl.compilation.machine.units import entry_point

real = np.float64


@njit(forceinline=True, error_model="numpy")
def cubed(x):
    return x*x*x


@njit(error_model="numpy")
def shifted(x):
    return fma(real(2.0), cubed(x), math.sqrt(real(9.0)))
"""

ENTRY = """

@entry_point("void(float64[::1], float64[::1])")
def applied(x, out):
    for i in range(x.size):
        out[i] = shifted(x[i])
"""


def load(source: str, key: str) -> dict[str, Any]:
    return load_source(source, f"{key}.py", key)


def called(space: dict[str, Any], *given: Any) -> None:
    Functions(space, crew(space))["applied"](*given)


def crew(space: dict[str, Any]) -> Crew:
    made = Crew([])
    made.start(("", "", ""), units_of(space))
    return made


def test_modules_share_the_functions_that_they_have_in_common() -> None:
    one, other = load(HEAD, "shares_a"), load("# a comment\n\n" + HEAD, "shares_b")
    assert one["cubed"] is other["cubed"]
    assert one["shifted"] is other["shifted"]


@pytest.mark.parametrize(
    ("right", "wrong", "kept"),
    [
        ("real(9.0)", "real(9.5)", True),
        ("real(9.0)", "real(9)", True),
        ("math.sqrt", "math.exp", True),
        ("np.float64", "np.float32", True),
        ("import fma", "import ldexp as fma", True),
        ("def shifted(x):\n", "def shifted(x):\n    x = x + x\n", True),
        ("x*x*x", "x*x", False),
        ('forceinline=True, error_model="numpy"', 'error_model="numpy"', False),
    ],
)
def test_another_function_is_not_taken_for_it(right: str, wrong: str, kept: bool) -> None:
    """Whatever differs, also in what it calls; `cubed` is the same where nothing of it differs."""
    assert right in HEAD
    one, other = load(HEAD, "differs_a"), load(HEAD.replace(right, wrong, 1), "differs_b")
    assert one["shifted"] is not other["shifted"]
    assert (one["cubed"] is other["cubed"]) == kept


def test_what_its_text_does_not_settle_is_not_shared() -> None:
    """Here a function of another module that is known by nothing but the object that it is."""
    source = HEAD.replace("real = np.float64", "real = (lambda: lambda x: x)()")
    one, other = load(source, "apart_a"), load(source, "apart_b")
    assert one["shifted"] is not other["shifted"]
    assert one["cubed"] is other["cubed"]


def test_the_machine_code_is_the_same_whoever_compiled_the_head(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where another module, with a function more in its head, was first."""
    made = []
    for first in (None, HEAD.replace("def cubed", "def other(x):\n    return x\n\n\n@njit()\ndef cubed") + ENTRY):
        monkeypatch.setattr(sharing, "_KNOWN", {})
        if first is not None:
            machine.making.compiled(load(first, "first")["applied"])
        space = load(HEAD + ENTRY, "second")
        made.append(machine.making.compiled(space["applied"]))
    assert made[0] == made[1]
    out = np.empty(2)
    called(space, np.array([1.0, -2.0]), out)
    np.testing.assert_array_equal(out, [5.0, -13.0])  # 2x³ + 3


VIEWS = """

@entry_point("void(float64[::1], float64[::1])")
def applied(x, out):
    room = ROOM
    row = x[1:]
    for i in range(2):
        for j in range(3):
            room[i, j] = row[3*i + j]
    for i in range(2):
        out[i] = room[i, 2] - room[1, i]
"""


@pytest.mark.parametrize(("room", "counts"), [("carray(stack(48), (2, 3), real)", False), ("np.empty((2, 3))", True)])
def test_references_are_counted_where_arrays_are_made(room: str, counts: bool) -> None:
    space = load(HEAD + VIEWS.replace("ROOM", room), f"counts_{counts}")
    out = np.empty(2)
    called(space, np.arange(7.0), out)
    np.testing.assert_array_equal(out, [3.0 - 4.0, 6.0 - 5.0])
    needed = machine.making.compiled(space["applied"]).needed
    assert any(symbol.startswith("NRT_") for symbol in needed) == counts
