"""The memory that an attack takes."""

from __future__ import annotations

import ctypes
import time
from types import SimpleNamespace

import pytest
import torch

from explorer.benchmarks import memory
from explorer.benchmarks.memory import PeakMemory, measure_memory
from tests.benchmarks.tiny import SETTING, tiny_classifier

CPU = torch.device("cpu")


@pytest.fixture
def resident(monkeypatch):
    """Bytes of resident memory that a process claims to have, one value a reading."""
    values: list[int] = []

    def read() -> SimpleNamespace:
        return SimpleNamespace(rss=values.pop(0) if len(values) > 1 else values[0])

    process = SimpleNamespace(memory_info=read)
    monkeypatch.setattr(memory.psutil, "Process", lambda: process)
    return values


def test_memory_is_listed_by_batch():
    rows = measure_memory(tiny_classifier(), SETTING, [4, 1])
    assert [row.batch for row in rows] == [1, 4]
    assert all(row.at_once == row.batch and row.per_sample > 0 and row.peak >= 0 for row in rows)


def test_the_peak_is_the_largest_reading_in_the_block(resident):
    resident[:] = [100, 150, 400, 120]
    with PeakMemory(CPU) as peak:
        deadline = time.monotonic() + 60
        while peak.bytes < 300 and time.monotonic() < deadline:
            time.sleep(0.001)
    assert peak.bytes == 300


def test_memory_at_the_end_of_the_block_counts(resident, monkeypatch):
    monkeypatch.setattr(memory, "SAMPLING_INTERVAL", 60.0)
    resident[:] = [100, 350]
    with PeakMemory(CPU) as peak:
        pass
    assert peak.bytes == 250


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="needs glibc")
def test_memory_that_was_freed_before_the_block_does_not_hide_what_the_block_takes():
    def block() -> list[torch.Tensor]:
        return [torch.ones(2**20) for _ in range(24)]  # 4 MiB each

    def measured() -> int:
        with PeakMemory(CPU) as peak:
            tensors = block()
        assert len(tensors) == 24
        return peak.bytes

    block()  # freed at once; the process may keep its pages
    assert measured() > 80 * 2**20
    assert measured() > 80 * 2**20
