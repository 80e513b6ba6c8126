"""A character-level GPT: how long its gradient takes to derive, by blocks, and what it learns from our own docs."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

import symdl as sd
from benchmarks import corpus

BLOCKS = (1, 2, 4, 8, 12)
WIDTH, HEADS, CONTEXT = 64, 4, 64
EPOCHS, BATCH, RATE, SEED = 4, 16, 3e-3, 0


def derivation(blocks: tuple[int, ...] = BLOCKS) -> dict[int, float]:
    """Seconds to derive the gradient by all parameters, by number of blocks."""
    sd.derive(sd.definition("gpt", blocks=1))  # imports, and SymPy's caches
    found = {}
    for count in blocks:
        network = sd.definition("gpt", blocks=count)
        started = time.perf_counter()
        sd.derive(network)
        found[count] = time.perf_counter() - started
    return found


def training(blocks: int = 2, epochs: int = EPOCHS) -> dict[str, Any]:
    """Train on the documentation; nats per character on rows that are trained on and on rows that are not."""
    characters = corpus.text()
    ids, vocabulary = corpus.encoded(characters)
    X, y = corpus.windows(ids, CONTEXT)
    rows = np.random.default_rng(SEED).permutation(len(X))
    held, rest = rows[: len(rows) // 20], rows[len(rows) // 20 :]
    network = sd.definition("gpt", blocks=blocks, heads=HEADS, width=WIDTH, context=CONTEXT, vocabulary=len(vocabulary))
    started = time.perf_counter()
    code = sd.compile(network, optimizer=sd.adam(lr=RATE), dtype="float32", extents={"n": BATCH})
    compiled = time.perf_counter() - started
    fit = sd.train(
        code,
        X[rest],
        y[rest],
        validation=(X[held], y[held]),
        epochs=epochs,
        batch_size=BATCH,
        hyper={"eps": 1e-5},
        seed=SEED,
    )
    return {
        "bytes": len(characters.encode()),
        "vocabulary": len(vocabulary),
        "blocks": blocks,
        "compile": compiled,
        "cached": code.from_cache,
        "seconds": fit.seconds,
        "steps": fit.history.steps,
        "loss": [float(v) for v in fit.history.training_loss],
        "held_out": [float(v) for v in np.asarray(fit.history.validation_loss)],
    }


def measure() -> dict[str, Any]:
    """Both."""
    return {"derivation": derivation(), "training": training()}


def report(found: dict[str, Any]) -> str:
    """A Markdown table, and a paragraph on training."""
    lines = ["| blocks | derived in, s | s a block |", "| ---: | ---: | ---: |"]
    lines += [f"| {n} | {s:.2f} | {s / n:.2f} |" for n, s in found["derivation"].items()]
    made = found["training"]
    curve = ", ".join(f"{a:.2f} ({b:.2f})" for a, b in zip(made["loss"], made["held_out"], strict=True))
    return "\n".join(lines) + (
        f"\n\nTraining: {made['blocks']} blocks, width {WIDTH}, {HEADS} heads, context {CONTEXT}, "
        f"{made['vocabulary']} characters, on {made['bytes']:,} bytes of documentation, float32, Adam: "
        f"{made['steps']} steps of {BATCH} rows in {made['seconds']:.0f} s; nats per character after each epoch, on "
        f"rows trained on (held out): {curve}. Deriving, compiling and checking took {made['compile']:.0f} s"
        f"{' (from the cache)' if made['cached'] else ''}."
    )
