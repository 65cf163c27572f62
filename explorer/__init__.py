"""The Adversarial Explorer: attack images live, and see which features a classifier has learned."""

import ctypes
import os

__version__ = "0.1.0"

# Read by OpenMP when torch is first imported. Without it torch's threads spin while they wait for each other, and on a machine
# whose cores are busy a ten-step attack was measured at 3 to 17 s instead of 0.5 s.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# A little spinning pays: with none ten steps on a photograph took 24 ms each on two idle cores, with 1000 14 to 19, with this 12. With
# 20000 it is no less, and beside a second process that attacks 138 ms; attacks/crew.py sees to it that nobody waits long.
os.environ.setdefault("GOMP_SPINCOUNT", "3000")


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
    # One arena for all threads: one that comes and goes would fault in an arena of its own; 64 photographs took 430 ms in place of 380.
    mallopt(-8, 1)  # M_ARENA_MAX
    mallopt(-1, 256 * 2**20)  # M_TRIM_THRESHOLD: so much of it is held


_keep_memory()
