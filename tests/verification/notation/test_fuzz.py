"""Whatever comes in: a tree that comes back as itself, or `UnreadError`, in bounded time; nothing is run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st
from support.clocks import processor_seconds
from support.texts import FRAMES, NAMES, PIECES, SIGNS, apart

from symdl.verification.notation import UnreadError, latex, parse, unicode
from symdl.verification.notation.reader import LENGTH

#: What goes on without an end.
ENDLESS = apart(r"""
    {  (  \mathbf{  \text{$  x^{  \frac  |  |x  \sum  -  2*-  a/  a,  \log  \nabla  '  x_  \hat  \sqrt[
    \begin{cases}  \left(  \text{if}  \frac{d}{dx}  a=  a\over  \\  9  1e  \stackrel{a}  w1  \,  &  !  ²  \big
    a\quad  \partial_x
""")
#: Every place that takes a text.
PLANTED = apart(r"""
    ①  \text{①}  \mathrm{①}  \operatorname{①}(x)  x_{①}  \frac{①}{2}  \begin{①}x\end{①}  \color{①}x  \hspace{①}  x=①
    \begin{array}{①}x\end{array}  \textcolor{①}{x}  \①  \left①  \sqrt[①]{x}  \text{$①$}  \underbrace{x}_{①}
""")


def read(text: str) -> None:
    """Read a text; what is read is whole, and comes back as itself."""
    try:
        tree = parse(text)
    except UnreadError as error:
        assert 0 <= error.column <= len(text)
        assert error.construct
        return
    assert isinstance(unicode(tree), str)
    written = latex(tree)
    if len(written) <= LENGTH:
        assert parse(written) == tree, written


@settings(max_examples=400)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map(" ".join))
def test_random_pieces(text: str) -> None:
    read(text)


@given(st.binary(max_size=60).map(lambda raw: raw.decode("utf-8", "replace")))
def test_random_bytes(text: str) -> None:
    read(text)


@given(st.text(alphabet=SIGNS, max_size=40))
def test_random_signs(text: str) -> None:
    read(text)


def formulas() -> st.SearchStrategy[str]:
    """Formulas as people write them, from a grammar of their own."""

    def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        made = st.tuples(st.sampled_from(FRAMES), inner, inner)
        return made.map(lambda parts: parts[0].replace("①", parts[1]).replace("②", parts[2]))

    return st.recursive(st.sampled_from(NAMES), larger, max_leaves=8)


@settings(max_examples=400)
@given(formulas())
def test_formulas_come_back_as_themselves(text: str) -> None:
    read(text)


@pytest.mark.parametrize("part", ENDLESS)
def test_what_is_endless_costs_a_bounded_time(part: str) -> None:
    def work() -> None:
        read((part * (LENGTH // len(part)))[:LENGTH])
        read(part * 150 + "x" + "}" * 150)

    assert processor_seconds(work) < 5


def test_a_text_too_long_is_refused() -> None:
    with pytest.raises(UnreadError, match="characters"):
        parse("x" * (LENGTH + 1))


@pytest.mark.parametrize("frame", PLANTED)
def test_no_text_is_run(frame: str, tmp_path: Path) -> None:
    marker = tmp_path / "run"
    for planted in (f"__import__('os').system('touch {marker}')", f"$(touch {marker})", f"\\write18{{touch {marker}}}"):
        read(frame.replace("①", planted))
    assert not marker.exists()


def test_most_formulas_of_real_documents_are_read(reference: Path) -> None:
    lines = (reference / "equations" / "equations.jsonl").read_text(encoding="utf-8").splitlines()
    spans = [_without_labels(json.loads(line)["latex"]) for line in lines[::4]]
    unread = 0
    for span in spans:
        try:
            tree = parse(span)
        except UnreadError:
            unread += 1
        else:
            assert parse(latex(tree)) == tree, span
    assert unread < 0.02 * len(spans)


def _without_labels(text: str) -> str:
    """Labels and tags are removed with the display that holds them, before its formulas are read."""
    for command in (r"\label", r"\tag"):
        while (start := text.find(command)) >= 0:
            rest = text[start + len(command) :].lstrip(" *")
            text = text[:start] + (rest[rest.index("}") + 1 :] if rest.startswith("{") else rest[1:])
    return text
