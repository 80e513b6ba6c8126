"""derivations/ is what its sources say, down to the letter, and what it claims is proved."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

import symdl as sd
from derivations import generate
from derivations.activation import Entry
from derivations.drawn import Drawn
from derivations.lesson import Lesson
from derivations.proof import Claim, Proof
from symdl.cli import main
from symdl.library.activations import ACTIVATIONS
from symdl.library.losses import LOSSES
from symdl.testing.sweep import ACROSS

SOURCES = generate.sources()


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.parent.name)
def test_entry_is_up_to_date_and_its_claims_are_proved(source: Path) -> None:
    """Making the texts decides every claim anew, and stops at one that is not proved (see the tests below)."""
    for path, text in generate.texts(source).items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is out of date: make gallery"
        if path.suffix == ".md":
            assert re.search(r"\bproved for ", text)
            assert not re.search(r"\b(refuted|undecided|consistent|conditional)\b", text)


def test_every_family_has_an_entry() -> None:
    families = {"linear", "convolution", "pooling", "normalisation", "attention", "recurrent", "composition"}
    families |= {"losses", "dense_network", "transformer", "optimisers", "initialisers", "regularisers"}
    assert families <= {source.parent.name for source in SOURCES}


def test_every_activation_of_one_number_has_an_entry_with_a_plot() -> None:
    pages = "".join(p.read_text(encoding="utf-8") for p in (generate.HERE / "activations").glob("*.md"))
    for name in ACTIVATIONS:
        assert f"\n## {name.replace('_', ' ')}\n" in pages and f"]({name}.svg)" in pages


def test_every_loss_and_every_activation_of_several_numbers_has_an_entry_with_a_plot() -> None:
    pages = "".join(p.read_text(encoding="utf-8") for p in generate.HERE.glob("*/*.md"))
    for name in (*LOSSES, *ACROSS, "glu", "swiglu", "geglu", "maxout"):
        assert f"\n## {name.replace('_', ' ')}\n" in pages and f"]({name}.svg)" in pages


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("sigmoid", r"&= a \left(1 - a\right)"),
        ("tanh", "&= 1 - a^{2}"),
        ("softplus", r"\sigma\left(\beta s\right)"),
        ("sine", r"\omega \cos\left(\omega s\right)"),
    ],
)
def test_the_simplest_closed_form_is_on_the_page(name: str, form: str) -> None:
    entry = Entry(ACTIVATIONS[name], {}, "")
    text = sd.markdown(generate.of_lessons("One", [entry]))
    closed = text.partition("### The slope in closed form")[2].partition("### Properties")[0]
    assert form in closed and "follows from the definition: proved for" in closed
    assert "](../accuracy/accuracy.md)" in text


def test_the_index_is_up_to_date() -> None:
    files = {
        p.relative_to(generate.HERE).as_posix(): p.read_text(encoding="utf-8")
        for pattern in ("*/*.*", "*.md")
        for p in generate.HERE.glob(pattern)
        if "__pycache__" not in p.parts
    }
    page = generate.INDEX.read_text(encoding="utf-8")
    assert generate.index_page(files) == page, "index.html is out of date: make gallery"
    drawn = [name for name in LOSSES if (generate.HERE / "losses" / f"{name}.svg").exists()]
    several = [p for p in (generate.HERE / "activations").glob("*.svg") if p.stem not in ACTIVATIONS]
    assert page.count("<figure>") == len(ACTIVATIONS) + len(several) + len(drawn) and len(drawn) == len(LOSSES)
    assert len(several) == 7


def test_a_form_that_differs_from_its_definition_stops_the_page() -> None:
    """The planted fault: 3 s for the slope of s²."""
    wrong = sd.activation("wrong_slope", lambda s: s**2, slope=lambda s: 3 * s)
    with pytest.raises(sd.NotProvedError, match="refuted"):
        list(Entry(wrong, {}, "wrong.svg").blocks())


def test_a_jump_has_an_open_and_a_closed_dot() -> None:
    """A step by hand: 0 is not reached from the right, 1 is; the slope is 0 everywhere and has no dot."""
    svg = Entry(ACTIVATIONS["binary_step"], {}, "").figure.svg
    assert svg.count("<circle") == 2 and svg.count("var(--symdl-paper, white)") == 1


def test_derive_all_needs_a_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    written: list[Path | None] = []
    monkeypatch.setattr(generate, "run", lambda folder: written.append(folder) or 0)
    assert main(["derive", "--all", "-o", str(tmp_path)]) == 0 and written == [tmp_path]
    monkeypatch.setattr(sd, "__file__", str(tmp_path / "symdl" / "__init__.py"))
    assert main(["derive", "--all"]) == 2 and main(["derive"]) == 2 and len(written) == 1


def test_the_list_of_layers_is_up_to_date() -> None:
    page = generate.LAYERS.read_text(encoding="utf-8")
    assert generate.layers_page(page) == page, "docs/layers.md is out of date: make gallery"
    summaries = {entry.name: entry.summary.replace("|", r"\|") for entry in sd.definitions()}
    assert all(f"| `{name}` | {summary} | " in page for name, summary in summaries.items())
    assert "`kernel=None`, `stride=1`" in page


def test_the_page_of_activations_is_up_to_date() -> None:
    page = generate.ACTIVATIONS.read_text(encoding="utf-8")
    assert generate.activations_page(page) == page, "docs/activations.md is out of date: make gallery"
    assert r"a'(s) &= \sigma\left(s\right) \left(1 - \sigma\left(s\right)\right)" in page


def test_the_page_of_losses_is_up_to_date() -> None:
    page = generate.LOSSES.read_text(encoding="utf-8")
    assert generate.losses_page(page) == page, "docs/losses.md is out of date: make gallery"
    assert all(f"### `{entry.name}`" in page for entry in sd.definitions() if entry.kind == "loss")


def squared(x, y_bar):  # type: ignore[no-untyped-def]
    (n,) = x.indices
    return sd.let("x_bar[n]", 2 * x[n] * y_bar[n])


def cubed(x, y_bar):  # type: ignore[no-untyped-def]
    (n,) = x.indices
    return sd.let("x_bar[n]", 3 * x[n] * y_bar[n])


@sd.define
def square(x=sd.Input("n")):  # type: ignore[no-untyped-def]
    (n,) = x.indices
    return sd.let("y[n]", x[n] ** 2)


def test_a_lesson_shows_the_closed_form_and_what_is_proved() -> None:
    lesson = Lesson("A square", square, closed=squared, values={"x": [3], "y_bar": [2]})
    text = sd.markdown(generate.of_lessons("Squares.\n\nOne line.", [lesson]))
    assert text.startswith("# Squares\n\nOne line.\n\n## A square\n")
    assert all(verdict.proved for verdict in lesson.claims.values())
    assert r"\bar{x}_{n} = 2 \bar{y}_{n} x_{n}" in text
    assert r"\bar{x}_{0} = 2 \bar{y}_{0} x_{0} = 2 \cdot 2 \cdot 3 = 12" in text


def test_a_wrong_closed_form_stops_the_page() -> None:
    """The planted fault: 3 x for the slope of x²."""
    with pytest.raises(sd.NotProvedError, match="refuted"):
        generate.of_lessons("Squares.", [Lesson("A square", square, closed=cubed)])


def test_a_claim_that_is_not_proved_stops_the_page() -> None:
    """The planted fault: expansion and chain rule would not be decided."""
    lesson = Lesson("A square", square)
    claims = lesson.claims  # decided once, and kept
    for claim, verdict in claims.items():
        claims[claim] = replace(verdict, status=sd.Status.CONSISTENT)
    with pytest.raises(sd.NotProvedError, match="consistent"):
        list(lesson.blocks())


def test_a_proof_shows_both_sides_and_the_verdict() -> None:
    x = sd.symbol("x")
    claims = [Claim("Since", sd.tanh(x), 2 * sd.sigmoid(2 * x) - 1), Claim("it is", square, square)]
    text = sd.markdown(generate.of_lessons("Two.", [Proof("A title", "Words.", [("First:", square)], claims, "End.")]))
    assert r"\tanh\left(x\right) = 2 \sigma\left(2 x\right) - 1" in text and text.count("y_{n} = x_{n}^{2}") == 2
    assert text.count("- Both sides are equal: proved for ") == 2 and text.index("Words.") < text.index(
        "First:"
    ) < text.index("End.")


@pytest.mark.parametrize("other", [sd.symbol("x") + 1, 2 * sd.symbol("x") ** 2])
def test_a_wrong_claim_stops_the_page(other: object) -> None:
    with pytest.raises(sd.NotProvedError, match="refuted"):
        list(Proof("A title", claims=[Claim("It is", sd.symbol("x") ** 2, other)]).blocks())


def test_every_optimiser_stands_in_its_page() -> None:
    page = (Path(generate.HERE) / "optimisers" / "optimisers.md").read_text(encoding="utf-8")
    names = {"adam": "Adam", "adamw": "AdamW", "amsgrad": "AMSGrad", "nadam": "NAdam", "radam": "RAdam", "sgd": "SGD"}
    names |= {"rmsprop": "RMSprop", "lbfgs": "L-BFGS"}
    for name in (*sd.optimisers.OPTIMISERS, "lbfgs"):
        assert names.get(name, name.capitalize()) in page


def test_every_regulariser_has_an_entry_with_its_source() -> None:
    page = (Path(generate.HERE) / "regularisers" / "regularisers.md").read_text(encoding="utf-8")
    sections = page.split("\n## ")[1:]
    titles = ["L2", "L1", "Elastic net", "Label smoothing", "Dropout", "Gradient clipping by value"]
    titles += ["Gradient clipping by the norm", "Early stopping"]
    assert [s.partition(":")[0] for s in sections] == titles and all("\n- Source: " in s for s in sections)
    for name in ("l1_penalty", "l2_penalty", "elastic_net", "clipped"):
        assert f"]({name}.svg)" in page


def test_a_property_that_is_not_decided_stops_the_page() -> None:
    drawn = Drawn(Proof("A wave", "Words."), "the test", "beat", lambda w: w * sd.sin(w) + sd.exp(w))
    with pytest.raises(sd.NotProvedError, match="of beat"):
        list(drawn.rows())
