"""Free memory, and the settings of the process that only its entry points may choose."""

from __future__ import annotations

import ctypes
import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_MMAP_THRESHOLD, _TRIM_THRESHOLD, _ARENA_MAX = -3, -1, -8  # names of glibc's mallopt
_is_tuned = False  # by tune_process
_MEMORY_CHOICES = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")


def tune_process() -> None:
    """Set OpenMP, malloc and logging up for short attacks; to be called before torch is imported.

    Only the command line and the app call it: a program that imports the explorer as a library
    keeps its own settings. Settings in the environment are kept.
    """
    # OpenMP reads both when torch is first imported. Threads that spin while they wait for each
    # other slow a busy machine down: an attack of ten steps took 3 to 17 s instead of 0.5 s.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # A short spin pays off: on two idle cores, each of ten steps on a photograph took 24 ms without
    # it and 12 ms with 3000. With 20000 it took no less, and 138 ms beside a second process.
    os.environ.setdefault("GOMP_SPINCOUNT", "3000")
    # cuBLAS reads it when it is first used: without it, two streams may add up in another order.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    global _is_tuned
    _is_tuned = True
    _keep_freed_memory()
    # Where no folder of the user can be written, it would say so beside the one line of an error.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)


def make_cuda_repeatable() -> None:
    """Let CUDA give the same bytes every time, and multiply float32 as float32, not as TF32.

    It changes nothing in a program that imports the explorer as a library. Measured on an H200:
    without it, one gradient of ResNet-50 in float32 had other last bits at every call.
    """
    if not _is_tuned:
        return
    import torch

    torch.use_deterministic_algorithms(True, warn_only=True)  # a person's module may have no such
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False


def _keep_freed_memory() -> None:
    """Let glibc keep what one attack step frees for the next step, up to 256 MiB.

    Memory that is returned to the system must be faulted in again: each of ten steps on eight
    photographs took 61 ms instead of 54.
    """
    if any(name in os.environ for name in _MEMORY_CHOICES):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library
        return
    mallopt(_MMAP_THRESHOLD, 32 * 2**20)
    # With an arena per thread, every new thread must fault in its own: 64 photographs took 430 ms
    # instead of 380.
    mallopt(_ARENA_MAX, 1)
    mallopt(_TRIM_THRESHOLD, 256 * 2**20)


def return_freed_memory() -> None:
    """Give memory that Python has freed back to the system, where glibc keeps it.

    Call it between large pieces of work: without it, a process that checked forty networks one
    after the other had grown to 11 GB.
    """
    with suppress(AttributeError, OSError, TypeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)


def free_memory(device: torch.device) -> int:
    """The free memory of ``device`` in bytes; for the CPU, within the limit of its container."""
    if device.type in ("cuda", "xpu"):
        import torch

        return int(torch.get_device_module(device).mem_get_info(device)[0])
    import psutil

    return min(int(psutil.virtual_memory().available), left_in_container())


def left_in_container(folder: Path = Path("/sys/fs/cgroup")) -> int:
    """The bytes left by a container's memory limit (cgroup v2); 2⁶² if there is none."""
    try:
        limit = (folder / "memory.max").read_text().strip()
        used = int((folder / "memory.current").read_text())
        return 2**62 if limit == "max" else max(0, int(limit) - used)
    except (OSError, ValueError):
        return 2**62
