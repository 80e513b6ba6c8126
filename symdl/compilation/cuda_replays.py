"""A launch captured as a CUDA graph: replaying it costs a fraction of what Numba takes to launch a kernel."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from symdl.compilation.devices import numba_cuda


class Replay:
    """What `launch(stream)` puts on a stream, to be run as often as is wanted.

    Args:
        launch: puts kernels on a stream, all of which have run before.
    """

    def __init__(self, launch: Callable[[Any], None]) -> None:
        self.driver: Any = import_module("cuda.bindings.driver")
        self.stream = numba_cuda().stream()
        driver = self.driver
        self.handle = driver.CUstream(int(self.stream.handle))
        mode = driver.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED
        _checked(driver.cuStreamBeginCapture(self.handle, mode))
        try:
            launch(self.stream)
        finally:
            (graph,) = _checked(driver.cuStreamEndCapture(self.handle))
        (self.executable,) = _checked(driver.cuGraphInstantiate(graph, 0))
        _checked(driver.cuGraphDestroy(graph))

    def run(self) -> None:
        """Replay it, and wait for it."""
        _checked(self.driver.cuGraphLaunch(self.executable, self.handle))
        _checked(self.driver.cuStreamSynchronize(self.handle))


def _checked(answer: tuple[Any, ...]) -> tuple[Any, ...]:
    """What a function of the driver returns beside its error code.

    Raises:
        RuntimeError: it failed.
    """
    code, *values = answer
    if int(code):
        raise RuntimeError(f"the CUDA driver says {code.name}")
    return tuple(values)
