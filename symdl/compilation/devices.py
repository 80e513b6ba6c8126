"""Which devices code can be compiled for, and why one can't be used."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from symdl.errors import MissingDependencyError

#: What the CUDA target needs, what multiplies matrices there if it can be had, and what brings both.
PACKAGE, LIBRARY = "numba-cuda", "nvmath-python"
INSTALL = "pip install 'symdl[cuda13]' (or [cuda12] for a driver older than 580)"


@dataclass(frozen=True)
class Device:
    """Something that compiled code can run on.

    Args:
        target: what `sd.compile(…, target=…)` takes.
        name: what it calls itself.
        usable: whether code can run there.
        why: why not.
        remedy: what would change that.
        details: by name: cores or multiprocessors, memory in bytes, versions.
    """

    target: str
    name: str
    usable: bool
    why: str = ""
    remedy: str = ""
    details: tuple[tuple[str, Any], ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "details": dict(self.details)}


def devices() -> list[Device]:
    """What there is: the processor, and each GPU, or one entry that says why there is none.

    >>> [d.target for d in devices()][0]
    'numba'
    """
    return [_processor(), *_gpus()]


def _processor() -> Device:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        import llvmlite.binding  # type: ignore[import-untyped]
    except ImportError:
        remedy = "pip install 'symdl[compile]'"
        return Device("numba", "processor", False, "Numba is not installed", remedy, (("cores", cores),))
    details = (("cores", cores), ("numba", version("numba")))
    return Device("numba", str(llvmlite.binding.get_host_cpu_name()), True, details=details)


def _gpus() -> list[Device]:
    try:
        cuda = numba_cuda()
    except ImportError:
        return [Device("cuda", "GPU", False, "Numba is not installed", INSTALL)]
    if simulated():
        return [Device("cuda", "Numba's simulator", True, details=(("NUMBA_ENABLE_CUDASIM", 1),))]
    try:
        own = version(PACKAGE)
    except PackageNotFoundError:
        return [Device("cuda", "GPU", False, f"the package {PACKAGE} is not installed", INSTALL)]
    try:
        found = list(cuda.list_devices())
    except Exception as error:  # whatever a driver raises is what is wrong with it
        return [Device("cuda", "GPU", False, _first_line(error), _remedy(str(error)), ((PACKAGE, own),))]
    if not found:
        return [Device("cuda", "GPU", False, "the driver knows no GPU", "check nvidia-smi and CUDA_VISIBLE_DEVICES")]
    return [_gpu(device, own) for device in found]


def _gpu(device: Any, own: str) -> Device:
    cuda = numba_cuda()
    name = device.name.decode() if isinstance(device.name, bytes) else str(device.name)
    capability = tuple(int(c) for c in device.compute_capability)
    details: dict[str, Any] = {"compute_capability": ".".join(map(str, capability)), PACKAGE: own}
    details[LIBRARY] = _version(LIBRARY)
    details["multiprocessors"] = int(device.MULTIPROCESSOR_COUNT)
    try:
        with cuda.gpus[device.id]:
            free, total = cuda.current_context().get_memory_info()
        details |= {"memory": int(total), "free": int(free)}
    except Exception as error:  # a GPU that can't be opened is listed with the reason
        return Device("cuda", name, False, _first_line(error), _remedy(str(error)), tuple(details.items()))
    return Device("cuda", name, True, details=tuple(details.items()))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip(" :")]
    told = [line for line in lines if not line.startswith("Error at driver init")] or [type(error).__name__]
    return told[0].rstrip(".:")


def _remedy(text: str) -> str:
    if ("driver" in text.lower() and "not be found" in text) or "cannot be found" in text:
        return "install NVIDIA's driver, or use a machine with an NVIDIA GPU"
    if "insufficient" in text.lower() or "unsupported" in text.lower():
        return "update NVIDIA's driver, or install symdl[cuda12], which needs an older one"
    if "NVVM" in text or "nvvm" in text:
        return INSTALL
    return "check nvidia-smi: the driver and the GPU have to answer there"


def numba_cuda() -> Any:
    """The module `numba.cuda`, imported when it is used."""
    from numba import cuda

    return cuda


def simulated() -> bool:
    """Whether Numba simulates CUDA on the processor."""
    import numba

    return bool(getattr(numba.core.config, "ENABLE_CUDASIM", False))


def require_gpu() -> Device:
    """The first GPU that can be used.

    Raises:
        MissingDependencyError: there is none; says why and what to do.
    """
    found = _gpus()
    usable = [d for d in found if d.usable]
    if not usable:
        raise MissingDependencyError(
            "there is no GPU that the target 'cuda' can use", why=found[0].why, remedy=found[0].remedy
        )
    return usable[0]


def free_memory() -> int:
    """Bytes that are free on the current GPU; those of a simulated one are without end."""
    return 2**62 if simulated() else int(numba_cuda().current_context().get_memory_info()[0])


def event() -> Any:
    """Something that a stream notes when it comes to it, and that another one waits for; without a clock."""
    return numba_cuda().event() if simulated() else numba_cuda().event(timing=False)


def environment() -> str:
    """What code for a GPU depends on beside the definition: its kind, and what compiles for it."""
    device = require_gpu()
    details = {k: v for k, v in device.details if k != "free"}
    return f"{device.name} {sorted(details.items())}"
