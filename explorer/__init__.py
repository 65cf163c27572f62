"""The Adversarial Explorer: attack images live, and see which features a classifier has learned."""

import ctypes
import os

__version__ = "0.1.0"

# Read by OpenMP when torch is first imported. Without it torch's threads spin while they wait for each other, and on a machine
# whose cores are busy a ten-step attack was measured at 3 to 17 s instead of 0.5 s.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# A little spinning pays: with none a photograph's step took 14.1 ms on two idle cores, with this 9.5; two people at once 15.0 and
# 13.8; beside two other busy processes 27 and 19.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def _keep_memory() -> None:
    """Have glibc hold on to what a step frees for the next one: given back, it comes as fresh pages, and ten steps on eight photographs
    took 61 ms each in place of 54. Up to 256 MiB stay with the process."""
    if any(name in os.environ for name in ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")):
        return  # somebody has chosen
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # no glibc
        return
    mallopt(-3, 32 * 2**20)  # M_MMAP_THRESHOLD: blocks up to this size come from what is held
    mallopt(-1, 256 * 2**20)  # M_TRIM_THRESHOLD: so much of it is held


_keep_memory()
