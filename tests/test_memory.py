"""What a step frees serves the next one."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource
import explorer, torch

def step():
    blocks = [torch.zeros(2 * 2**20) for _ in range(3)]

for _ in range(5):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def _faults(**settings: str) -> int:
    known = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MALLOC_", "GLIBC_"))
    }
    done = subprocess.run(
        [sys.executable, "-c", FAULTS],
        env={**known, **settings},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="another C library keeps memory in its own way"
)
def test_memory_is_kept_from_step_to_step_unless_somebody_chose_otherwise():
    # Not none: what other threads ask for meanwhile may lie in the way of a block once or twice.
    given_back = _faults(MALLOC_TRIM_THRESHOLD_="131072")
    assert given_back > 10_000
    assert 5 * _faults() < given_back
