"""The state of a training run: epochs in compiled code, and what is measured between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from symdl.compilation.compiled import Compiled
from symdl.compilation.runtime import Training, prepared
from symdl.training.history import History
from symdl.training.measures import Metric, measured
from symdl.training.parts import computed
from symdl.training.rows import Rows, expected, kept
from symdl.training.stopping import Best, EarlyStopping, Watch

Array = npt.NDArray[Any]


@dataclass
class Run:
    """A training run from its start; `epoch` and `measure` go on with it.

    Args:
        code: with a training loop.
        parameters: changed in place.
        hyper: values of the definition's hyperparameters.
        data: the rows to train on.
        held_out: the rows for validation.
        masks: draws the masks.
        metrics: measured after every epoch beside the loss.
        stopping: on the validation loss.
    """

    code: Compiled
    parameters: dict[str, Array]
    hyper: dict[str, float]
    data: Rows
    held_out: Rows | None
    masks: np.random.Generator
    metrics: Sequence[Metric] = ()
    stopping: EarlyStopping | None = None
    steps: int = 0
    step_loss: list[Array] = field(default_factory=list)
    curves: dict[str, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        tensors = {t.name: t for t in self.code.definition.inputs}
        fixed = {n: prepared(tensors[n], v, self.code.dtype) for n, v in self.hyper.items()}
        self.shares = kept(self.code.definition, self.hyper)
        self.given = {**self.parameters, **fixed}
        self.drawn = expected(self.code, self.shares, {**self.given, **self.data.arrays})
        self.arrays = {**self.data.arrays, **self.given, **self.drawn}
        self.code.check(self.arrays)
        if self.held_out is not None:
            self.code.check(self._held_out(self.held_out))
        if optimizer := self.code.optimizer:
            self.states = self.code.start(self.parameters)
            self.settings = dict(optimizer.hyper)
            self.watches = [Watch(rule) for rule in optimizer.plateaus]
        self.best = Best(self.stopping) if self.stopping is not None else None
        self.kept: dict[str, Array] = {}
        self.session: Training | None = None  # on a GPU, of epochs of so many rows in batches of that size
        self.sizes = (0, 0)

    def _held_out(self, rows: Rows) -> dict[str, Any]:
        known = {**self.given, **rows.arrays}
        return {**known, **expected(self.code, self.shares, known)}

    def epoch(self, rows: npt.NDArray[np.int64], batch_size: int) -> bool:
        """One epoch and its measurements; False where it diverged."""
        for name, mask in self.drawn.items():
            mask[...] = self.masks.random(mask.shape) < self.shares[name]
        size = min(batch_size, len(rows))
        done, losses = self._trained(rows, size)
        self.steps += done
        self.step_loss.append(losses)
        if done < -(-len(rows) // size):
            return False
        self.measure()
        return True

    def _trained(self, rows: npt.NDArray[np.int64], size: int) -> tuple[int, Array]:
        """An epoch by compiled code; on a GPU all epochs are one session, which data and states are sent to once."""
        program, given = self.code.program, (self.arrays, self.states, self.settings)
        if self.session is None or self.sizes != (len(rows), size):
            self.session, self.sizes = program.training(*given, len(rows), size, self.steps), (len(rows), size)
            if self.session is None:
                return program.run_epoch(*given, rows, size, self.steps)
        else:
            self.session.renew(self.arrays, self.drawn)
            for name, value in self.settings.items():
                self.session.batch.hyper[name][...] = value
        done, losses = self.session.epoch(rows[None])
        self.session.finish()
        return int(done[0]), losses[0, : min(int(done[0]) + 1, losses.shape[1])]

    def measure(self) -> None:
        """Losses and metrics as they are now, without dropout; and what the schedules make of the validation loss."""
        for name, mask in self.drawn.items():
            mask.fill(self.shares[name])
        self._measure("training", self.data, self.arrays)
        if self.held_out is None:
            return
        loss = self._measure("validation", self.held_out, self._held_out(self.held_out))
        for watch in self.watches if self.code.optimizer else ():
            self.settings[watch.rule.counted] += watch.note(loss)
        if self.best is not None and self.best.note(loss):
            self.kept = {n: np.array(a) for n, a in self.parameters.items()}

    def _measure(self, part: str, rows: Rows, arrays: dict[str, Any]) -> float:
        results = computed(self.code, arrays)
        outputs = self.code.definition.outputs
        loss = float(results[outputs[0]])
        self._note(f"{part}_loss", loss)
        prediction = results[outputs[1]] if len(outputs) > 1 else None
        if rows.labels is not None and prediction is not None and prediction.ndim == rows.labels.ndim + 1:
            # as `metrics.accuracy` has it; scikit-learn would take longer to load than a small network to train
            self._note(f"{part}_accuracy", float(np.mean(np.argmax(prediction, axis=-1) == rows.labels)))
        if prediction is not None and not np.isfinite(prediction).all():
            found = {m.name: np.nan for m in self.metrics}
        else:
            found = measured(self.metrics, rows.target, rows.labels, prediction)
        for name, value in found.items():
            self._note(f"{part}_{name}", value)
        return loss

    def _note(self, curve: str, value: float) -> None:
        self.curves.setdefault(curve, []).append(value)

    @property
    def over(self) -> bool:
        """Whether early stopping says so."""
        return self.best is not None and self.best.over

    def restore(self) -> int | None:
        """Put the best parameters back, where early stopping watched; the number of their epoch, from 1."""
        if self.best is None or not self.best.epoch:
            return None
        for name, array in self.kept.items():
            self.parameters[name][...] = array
        return self.best.epoch

    def history(self, seconds: float) -> History:
        curves = {n: np.array(v) for n, v in self.curves.items()}
        named = ("training_loss", "validation_loss", "training_accuracy", "validation_accuracy")
        if self.held_out is not None:
            curves.setdefault("validation_loss", np.empty(0))
        return History(
            step_loss=np.concatenate([*self.step_loss, np.empty(0)]).astype(np.float64),
            training_loss=curves.get("training_loss", np.empty(0)),
            validation_loss=curves.get("validation_loss"),
            training_accuracy=curves.get("training_accuracy"),
            validation_accuracy=curves.get("validation_accuracy"),
            metrics={n: v for n, v in curves.items() if n not in named},
            seconds=seconds,
        )
