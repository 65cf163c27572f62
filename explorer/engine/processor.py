"""What computes: a CPU or a GPU, and whether arithmetic in bfloat16 pays on it."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

CPU_INFO = Path("/proc/cpuinfo")
AMD = "AuthenticAMD"
AMX, AVX512_BF16, AVX512, AVX2 = "amx_tile", "avx512_bf16", "avx512f", "avx2"


@dataclass(frozen=True)
class Processor:
    """A CPU or a GPU; ``features`` are those that matter for the choice of a precision."""

    name: str
    vendor: str
    features: tuple[str, ...]
    has_fast_bfloat16: bool
    reason: str

    @property
    def description(self) -> str:
        """Equal for processors on which the same form is quickest."""
        return f"{self.name} ({self.vendor}; {', '.join(self.features) or 'no extensions'})"


def processor(device: torch.device) -> Processor:
    """The processor behind ``device``."""
    if device.type == "cpu":
        return _cpu()
    return _gpu(device.index or 0) if device.type == "cuda" else _other(device.type)


@cache
def _gpu(index: int) -> Processor:
    fast = bool(torch.cuda.is_bf16_supported(including_emulation=False))
    major, minor = torch.cuda.get_device_capability(index)
    return Processor(
        name=torch.cuda.get_device_name(index),
        vendor="cuda",
        features=(f"compute capability {major}.{minor}",),
        has_fast_bfloat16=fast,
        reason="the GPU has bfloat16 units" if fast else "the GPU has no bfloat16 units",
    )


def _other(kind: str) -> Processor:
    """An accelerator of a kind that nothing has been measured on."""
    return Processor(kind, kind, (), False, f"nothing was measured on {kind} yet")


@cache
def _cpu() -> Processor:
    info = _cpu_info()
    vendor = info.get("vendor_id", "")
    if not vendor and AMD in platform.processor():  # as Windows writes it
        vendor = AMD
    supported = (
        (AMX, torch.cpu._is_amx_tile_supported()),
        (AVX512_BF16, torch.cpu._is_avx512_bf16_supported()),
        (AVX512, torch.cpu._is_avx512_supported()),
        (AVX2, torch.cpu._is_avx2_supported()),
    )
    features = tuple(name for name, has in supported if has)
    fast, reason = cpu_bfloat16(vendor, features)
    name = info.get("model name") or platform.processor() or platform.machine()
    return Processor(name, vendor or platform.machine(), features, fast, reason)


def cpu_bfloat16(vendor: str, features: tuple[str, ...]) -> tuple[bool, str]:
    """Whether bfloat16 pays on a CPU, and why.

    The instruction set alone does not say it. AMD's processors with AVX512-BF16 (Zen 4 and later)
    multiply twice as many numbers in bfloat16 as in float32. An Intel Xeon with AVX512-BF16 in a
    virtual machine that hides its AMX tiles multiplied matrices at 86 GFLOP/s in bfloat16 and at
    153 in float32, and computed convolutions at 80 and 144.
    """
    if AMX in features:
        return True, "the processor has AMX tiles"
    if AVX512_BF16 not in features:
        return False, "the processor has no bfloat16 units"
    if vendor == AMD:
        return True, "AMD's AVX512-BF16 is twice as fast as its float32"
    return False, "AVX512-BF16 without AMX tiles is slower than float32 on other than AMD's"


def _cpu_info() -> dict[str, str]:
    """The first processor's entries in Linux's list; none on other systems."""
    try:
        text = CPU_INFO.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    lines = (line.partition(":") for line in text.partition("\n\n")[0].splitlines())
    return {name.strip(): value.strip() for name, _, value in lines}
