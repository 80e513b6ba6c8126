"""What a training loop decides on the validation loss: when to stop, and when a learning rate has to drop."""

from __future__ import annotations

import math
from dataclasses import dataclass

from symdl.errors import DataError
from symdl.library.schedules import Plateau


@dataclass(frozen=True)
class EarlyStopping:
    """Stop once the validation loss has not fallen for `patience` epochs; keep the parameters of the best epoch.

    Args:
        patience: epochs without a better loss after which training stops.
        min_delta: a loss is better if it is below the best one by more than this.
    """

    patience: int
    min_delta: float = 0.0


def early_stopping(patience: int = 10, *, min_delta: float = 0.0) -> EarlyStopping:
    """Stop early, and keep the parameters of the epoch with the lowest validation loss.

    Raises:
        DataError: a patience that is not a whole number from 1, or a negative min_delta.
    """
    if isinstance(patience, bool) or not isinstance(patience, int) or patience < 1:
        raise DataError(f"patience = {patience!r}", where="early stopping", why="it is a whole number from 1")
    if not (isinstance(min_delta, int | float) and 0 <= min_delta < math.inf):
        raise DataError(f"min_delta = {min_delta!r}", where="early stopping", why="it is a finite number from 0")
    return EarlyStopping(patience, min_delta)


class Best:
    """Follows a loss: which epoch was the best, and for how long there has been no better one."""

    def __init__(self, rule: EarlyStopping) -> None:
        self.rule = rule
        self.loss, self.epoch, self.epochs = math.inf, 0, 0

    def note(self, loss: float) -> bool:
        """Take in the loss of an epoch; whether it is the best so far. NaN never is."""
        self.epochs += 1
        if not loss < self.loss - self.rule.min_delta:
            return False
        self.loss, self.epoch = loss, self.epochs
        return True

    @property
    def over(self) -> bool:
        """Whether it is time to stop."""
        return self.epochs - self.epoch >= self.rule.patience


class Watch:
    """Follows a loss for a schedule that reacts to plateaus, as PyTorch's ReduceLROnPlateau does.

    >>> watch = Watch(Plateau("drops", patience=1, threshold=0.0, cooldown=0))
    >>> [watch.note(loss) for loss in (3.0, 2.0, 2.0, 2.0, 2.0)]
    [False, False, False, True, False]
    """

    def __init__(self, rule: Plateau) -> None:
        self.rule = rule
        self.best, self.bad, self.cooling = math.inf, 0, 0

    def note(self, loss: float) -> bool:
        """Take in the loss of an epoch; whether the value has to drop now."""
        better = loss < self.best * (1 - self.rule.threshold)
        self.best = loss if better else self.best
        self.bad = 0 if better else self.bad + 1
        if self.cooling:
            self.cooling, self.bad = self.cooling - 1, 0
        if self.bad <= self.rule.patience:
            return False
        self.cooling, self.bad = self.rule.cooldown, 0
        return True
