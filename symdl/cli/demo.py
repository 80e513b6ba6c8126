"""`symdl demo`: the main job from end to end, on the lecture's example and on real data, with a short account."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import symdl as sd
from symdl.cli import cost, train


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser("demo", help="derive, check, draw, compile and train; leaves HTML and LaTeX")
    command.add_argument("-o", "--output", default="out", metavar="FOLDER", help="default: out")
    command.add_argument("--epochs", type=int, default=60, help="of the digits network (default: 60)")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run every stage; 1 where something that has to be proved or reached was not."""
    started = time.perf_counter()
    folder = sd.ensure_folder(arguments.output)
    stages = (lecture, mistakes, growth, lambda f: digits(f, arguments.epochs))
    good = [stage(folder) for stage in stages]
    print(f"\nAll of it took {time.perf_counter() - started:.0f} s and is in {folder}/ ; begin with neuron.html.")
    return 0 if all(good) else 1


def heading(text: str) -> None:
    """A heading of the account."""
    print(f"\n{text}\n{'─' * len(text)}")


def lecture(folder: Path) -> bool:
    """The lecture's neuron: derived both ways, proved equal, worked with numbers, drawn, compiled."""
    heading("1. The lecture's neuron, derived both ways")
    entry = next(e for e in sd.definitions() if e.name == "neuron")
    neuron, values = entry.make(), dict(entry.values or {})
    chain, full = sd.derive(neuron), sd.derive(neuron, via="expand")
    verdict = sd.equal(full, chain)
    print(f"expansion and chain rule are equal: {verdict}")
    first = chain.at(values, update=sd.sgd(lr=0.04))
    new = {"w": [str(first[f"w_new[{k}]"]) for k in range(3)], "b": str(first["b_new"])}
    second = chain.at({**values, **new})
    gradients = ", ".join(str(first[e]) for e in ("w_bar[0]", "w_bar[1]", "w_bar[2]", "b_bar"))
    weights = ", ".join(f"{float(first[f'w_new[{k}]']):g}" for k in range(3))
    print("x = (1, 1, 3), w = (2, 2, 2), b = 4, target 10, learning rate 0.04:")
    print(f"  prediction {first['y_hat[0]']}, loss {first['L']}, gradients {gradients}")
    print(f"  after one step w = ({weights}), b = {float(first['b_new']):g}")
    print(f"  second pass: prediction {float(second['y_hat[0]']):g}, loss {float(second['L']):g}")
    figure = sd.graph_figure(chain, values)
    numbers = {"With numbers: first pass and update": first, "With numbers: second pass": second}
    document = sd.report([chain, full], worked=numbers, verdict=verdict, figures=[figure], title="A neuron")
    for suffix in (".html", ".tex", ".md"):
        sd.write(document, folder / f"neuron{suffix}")
    compiled = sd.compile(neuron, wrt=["w", "b"])
    print(f"compiled with Numba and checked against 50 digits: at most {compiled.report.worst:.2g} ulps off")
    return bool(verdict) and first["L"] == 16


def mistakes(folder: Path) -> bool:
    """The lecture's printed sigmoid and tanh (L12, L14), which are wrong, and the functions they should be."""
    heading("2. What the lecture prints, checked")
    x = sd.symbol("x")
    claims = (
        ("a(x) = 1 − 1/(1 + e^(−x)) is the sigmoid", 1 - 1 / (1 + sd.exp(-x)), sd.sigmoid(x), False),
        ("a(x) = 1/(1 + e^(−x)) is the sigmoid", 1 / (1 + sd.exp(-x)), sd.sigmoid(x), True),
        ("a(x) = 1 − 1/(e^(2x) + 1) is tanh", 1 - 1 / (sd.exp(2 * x) + 1), sd.tanh(x), False),
        ("a(x) = 1 − 2/(e^(2x) + 1) is tanh", 1 - 2 / (sd.exp(2 * x) + 1), sd.tanh(x), True),
        ("(1 − a(x)) a(x) is the sigmoid's slope", (1 - sd.sigmoid(x)) * sd.sigmoid(x), sd.sigmoid(x).diff(x), True),
        ("1 − a(x)² is the slope of tanh", 1 - sd.tanh(x) ** 2, sd.tanh(x).diff(x), True),
    )
    as_expected = True
    for words, left, right, true in claims:
        verdict = sd.equal(left, right)
        as_expected &= verdict.status == ("proved" if true else "refuted")
        witness = f" {verdict.witness}" if verdict.witness else ""
        print(f"  {verdict.status:<8} {words}{witness}")
    return as_expected


def growth(folder: Path) -> bool:
    """How quickly the first possibility gets complex."""
    heading("3. How quickly expansion gets complex")
    measured = cost.measure(4, 8)
    cost.write(folder, measured)
    for r in measured.rows:
        if r.width == 8:
            print(f"  width 8, {r.depth} layers: {r.expand_operations:>13,} operations expanded, "
                  f"{r.chain_operations:>6,} by the chain rule")  # fmt: skip
    return bool(measured.rows[-1].chain_operations < measured.rows[-1].expand_operations)


def digits(folder: Path, epochs: int) -> bool:
    """64-32-10 on scikit-learn's digits, compiled from the symbolic gradient."""
    heading("4. A 64-32-10 network, trained on handwritten digits")
    X, y = sd.load_digits()
    parts = sd.split(X, y, train=0.8, validation=0.1, test=0.1, seed=0, stratify=True)
    net = sd.sequential(sd.dense(32, "tanh"), sd.dense(10), loss="softmax_cross_entropy", inputs=64)
    fit = sd.train(
        net,
        parts.X_train,
        parts.y_train,
        validation=(parts.X_validation, parts.y_validation),
        epochs=epochs,
        batch_size=32,
        optimizer=sd.sgd(lr=0.5),
        seed=0,
    )
    figures = train.measure(fit, parts, 10)
    train.write(folder / "digits", fit, parts, 10, figures)
    print(f"  compiled gradient against 50 digits: at most {fit.report.worst:.2g} ulps off")
    print(f"  {fit.history.steps} steps in {fit.seconds:.2f} s; {figures['test_accuracy']:.1%} of "
          f"{figures['rows']['test']} test images are read right")  # fmt: skip
    return bool(figures["test_accuracy"] >= 0.97)
