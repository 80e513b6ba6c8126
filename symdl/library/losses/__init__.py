"""Losses: one definition each, with options; `sd.loss` is one for a network, `sd.definition` one by itself."""

from symdl.library.losses.lecture import cross_entropy as cross_entropy, l1 as l1, l2 as l2, softmax as softmax
from symdl.library.losses.record import REDUCTIONS as REDUCTIONS, Family as Family, Loss as Loss
from symdl.library.losses.registry import ENTRIES as ENTRIES, LOSSES as LOSSES, loss as loss
