"""The machine that something is measured on, as its operating system describes it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time
from pathlib import Path
from typing import Any

#: Whose versions matter for a time.
PACKAGES = ("numpy", "scipy", "numba", "llvmlite", "sympy", "torch", "jax", "jaxlib", "scikit-learn")
#: What of the processor's flags decides how wide its vectors are.
VECTORS = ("avx2", "avx512f", "avx512_bf16", "fma", "asimd", "sve")


def described() -> dict[str, Any]:
    """Processor, caches, memory, system, versions, the time and the load; what can't be found out is left out."""
    found = {
        "processor": _field("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        "family": _field("/proc/cpuinfo", "cpu family"),
        "model": _field("/proc/cpuinfo", "model"),
        "vectors": [f for f in VECTORS if f in (_field("/proc/cpuinfo", "flags") or "").split()],
        "cores": os.cpu_count(),
        "usable_cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        "caches": _caches(),
        "memory": _field("/proc/meminfo", "MemTotal"),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": _versions(),
        "time": time.strftime("%Y-%m-%d %H:%M %Z"),
        "load": os.getloadavg(),
    }
    return {name: value for name, value in found.items() if value}


def _field(file: str, name: str) -> str | None:
    """The first line 'name: value' of a file."""
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((v.strip() for k, _, v in (line.partition(":") for line in lines) if k.strip() == name), None)


def _caches() -> dict[str, str]:
    """Sizes as the system prints them, such as {"L1 Data": "48K"}."""
    found = {}
    for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        try:
            level, kind, size = ((folder / n).read_text(encoding="utf-8").strip() for n in ("level", "type", "size"))
        except OSError:
            continue
        found[f"L{level} {kind}"] = size
    return found


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
