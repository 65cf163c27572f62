"""Commands that can be killed, disks that are small or can't be written, and what to work on."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.forked import Commands
from tests.faults.work import Work, make_work
from tests.fetch.conftest import server as server


@pytest.fixture(scope="session")
def work(forks: Commands, tmp_path_factory: pytest.TempPathFactory) -> Work:
    return make_work(forks, tmp_path_factory.mktemp("work"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 64 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    _mount(folder, "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder))
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder in which nothing can be written, once it is closed by :func:`close`."""
    folder = tmp_path / "read-only"
    folder.mkdir()
    yield folder
    if os.geteuid():
        folder.chmod(0o700)
    else:
        subprocess.run(["umount", str(folder)], capture_output=True)  # it may never be closed


def close(folder: Path) -> None:
    """Let nobody write in ``folder`` from now on, not even root."""
    if os.geteuid():
        folder.chmod(0o500)
        return
    _mount(folder, "--bind", str(folder), str(folder))
    _mount(folder, "-o", "remount,bind,ro", str(folder))


def _mount(folder: Path, *options: str) -> None:
    try:
        subprocess.run(["mount", *options], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no disk can be mounted here")
