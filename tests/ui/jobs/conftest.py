"""A worker that is closed after the test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from explorer.ui.jobs.worker import Worker


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker("test")
    yield worker
    worker.close()
