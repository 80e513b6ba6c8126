"""Contestants that want other versions of what symdl depends on: they live in an environment of their own."""

from __future__ import annotations

from functools import partial

from benchmarks.workloads import in_pytensor, in_tensorflow
from benchmarks.workloads.calls import Maker, from_start, repeated
from benchmarks.workloads.models import WORK, Recurrent
from benchmarks.workloads.networks import Network, Pointwise


def of_process(name: str, dtype: str) -> dict[str, Maker]:
    """TensorFlow with its kernels and by XLA; PyTensor for dense layers and pointwise functions.

    XLA takes minutes for an LSTM whose time is written out. PyTensor has no pooling.
    """
    work = WORK[name]
    kinds = {"TensorFlow": False} | ({} if isinstance(work, Recurrent) else {"TensorFlow XLA": True})
    if isinstance(work, Pointwise):
        made: dict[str, Maker] = {
            who: lambda xla=xla: repeated(work, in_tensorflow.pointwise(work, dtype, xla)) for who, xla in kinds.items()
        }
        return made | {"PyTensor": lambda: repeated(work, in_pytensor.pointwise(work, dtype))}
    trained = {who: partial(in_tensorflow.training, work, dtype, xla) for who, xla in kinds.items()}
    if isinstance(work, Network):
        trained["PyTensor"] = partial(in_pytensor.training, work, dtype)
    return {who: partial(from_start, work, dtype, make) for who, make in trained.items()}
