"""LeNet-5 on scikit-learn's digits, scaled from 8×8 to 28×28: training time, test accuracy, and PyTorch beside it."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import numpy.typing as npt

import symdl as sd

EPOCHS, BATCH, SEED = 12, 32, 0
Array = npt.NDArray[Any]


def images() -> tuple[Array, Array]:
    """The digits as float32 [n, 1, 28, 28] with values from 0 to 1, bilinear between the pixels, and their labels."""
    from scipy.ndimage import zoom

    X, y = sd.load_digits()
    small = np.asarray(X, np.float32).reshape(-1, 8, 8)
    small = small / small.max()
    return zoom(small, (1, 3.5, 3.5), order=1)[:, None].astype(np.float32), y


def measure(epochs: int = EPOCHS) -> dict[str, Any]:
    """Compile and train once; seconds, steps and accuracies."""
    X, y = images()
    parts = sd.split(X.reshape(len(X), -1), y, train=0.8, validation=0.1, test=0.1, seed=SEED, stratify=True)
    shaped = {n: getattr(parts, f"X_{n}").reshape(-1, 1, 28, 28) for n in ("train", "validation", "test")}
    network = sd.definition("lenet5", act="relu", pool="max")
    started = time.perf_counter()
    code = sd.compile(network, optimizer=sd.adam(lr=1e-3), dtype="float32", extents={"n": BATCH, "h": 28, "w": 28})
    compiled = time.perf_counter() - started
    fit = sd.train(
        code,
        shaped["train"],
        parts.y_train,
        validation=(shaped["validation"], parts.y_validation),
        epochs=epochs,
        batch_size=BATCH,
        seed=SEED,
    )
    return {
        "compile": compiled,
        "cached": code.from_cache,
        "seconds": fit.seconds,
        "steps": fit.history.steps,
        "epochs": epochs,
        "loss": float(fit.history.training_loss[-1]),
        "accuracy": sd.accuracy(parts.y_test, fit.labels(shaped["test"])),
        "rows": len(parts.y_test),
        "worst": fit.report.worst,
    }


def report(found: dict[str, Any]) -> str:
    """A sentence or two in Markdown."""
    return (
        f"LeNet-5 (ReLU, max pooling, float32): {found['accuracy']:.1%} of {found['rows']} test images are read right "
        f"after {found['epochs']} epochs, {found['steps']} steps of {BATCH} in {found['seconds']:.1f} s "
        f"({1e3 * found['seconds'] / found['steps']:.2f} ms a step, measuring included). "
        f"Deriving, compiling and checking took {found['compile']:.1f} s"
        f"{' (from the cache)' if found['cached'] else ''}."
    )
