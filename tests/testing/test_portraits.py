"""One page with all that is known of an activation or a loss, of one's own too."""

from __future__ import annotations

import re

import pytest

import symdl as sd
from symdl.cli import main
from symdl.rendering.document import Code, Figure, Heading, Paragraph


def headings(page):
    return [b.text for b in page.blocks if isinstance(b, Heading) and b.level == 2]


def test_an_own_activation_gets_what_the_library_s_have():
    with pytest.warns(sd.DigitsWarning):
        made = sd.activation("portrayed", lambda s: sd.log(1 + sd.exp(s)), source="by hand")
    page = sd.portrait(made, points=60)
    assert headings(page)[-4:] == ["Value and slope", "Properties", "Digits", "Accuracy"]
    text = sd.markdown(page)
    assert "proved for" in text and "(0, \\infty)" in text and "increasing" in text and "Source: by hand" in text
    assert "log1p(exp(x))" in text  # the form that was found
    (figure,) = (b for b in page.blocks if isinstance(b, Figure))
    # the slope runs from 0 to 1: no point of its curve, in the last path but one, is outside of the picture
    assert figure.svg.startswith("<svg") and figure.svg.count("<path") >= 2
    sweep = [b.text for b in page.blocks if isinstance(b, Code)][-1]
    assert re.search(r"portrayed +slope +float32", sweep)


def test_an_own_loss_and_its_kink():
    made = sd.loss("portrayed_loss", lambda t, y: sd.absolute(t - y, kink="mid") ** 3, kink="none in the slope")
    page = sd.portrait(made, points=0)
    text = sd.markdown(page)
    assert headings(page)[-3:] == ["Value and slope", "Properties", "Digits"]
    assert "Kink: none in the slope" in text and "Convex in the prediction: yes" in text and "y − t" in text


def test_a_loss_of_probabilities_is_drawn_between_its_poles():
    page = sd.portrait("BCE", points=0)
    assert sum(isinstance(b, Figure) for b in page.blocks) == 2  # t = 0 and t = 1
    assert not any(isinstance(b, Paragraph) and "No plot" in b.text for b in page.blocks)


def test_on_the_command_line(tmp_path, capsys):
    out = tmp_path / "huber.html"
    assert main(["portrait", "huber", "--points", "0", "-o", str(out)]) == 0
    assert "<svg" in out.read_text(encoding="utf-8") and "Lipschitz" in out.read_text(encoding="utf-8")
    capsys.readouterr()
    assert main(["portrait", "nothing"]) == 2 and "no activation 'nothing'" in capsys.readouterr().err
