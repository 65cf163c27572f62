"""The app on a machine where it can write nothing."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.sessions.client import Session, run
from tests.sessions.server import ROOT, running

PAGES = {"": "", "attack": "steps=2", "models": "", "datasets": "match_steps=2&attack_steps=2"}


async def errors_on_all_pages(address: str) -> list[str]:
    async with Session(address) as session:
        for page, query in PAGES.items():
            await session.open(page, query)
            assert session.of_kind("heading"), page
        return session.errors


def can_close_folders() -> bool:
    """Whether the system lets this user have disks of its own that can only be read."""
    command = ["unshare", "--mount", "mount", "--bind", str(ROOT), str(ROOT)]
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        return False


@pytest.mark.skipif(not can_close_folders(), reason="no disk can be closed here")
def test_all_pages_work_where_nothing_can_be_written(tmp_path: Path) -> None:
    """Neither beside the program nor in the cache, the weights' folder or a home."""
    folder = tmp_path / "closed"
    folder.mkdir()
    settings = {name: str(folder / name) for name in ("EXPLORER_CACHE", "EXPLORER_WEIGHTS")}
    program = ("tests/faults/closed_app.py", str(ROOT), str(folder), "--")
    with running(tmp_path / "log.txt", program, HOME="/proc/none", **settings) as server:
        assert run(errors_on_all_pages(server.address)) == []
    assert "Traceback" not in (tmp_path / "log.txt").read_text()
    assert list(folder.iterdir()) == []
