"""Many sessions at once on one real server: they share a process and must not change it."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sessions.client import Session, run
from tests.sessions.screen import mark
from tests.sessions.server import ROOT, Server, running

PAGES = {
    "": "",
    "attack": "model=cifar10-standard&steps=5",
    "models": "",
    "datasets": "match_steps=10&attack_steps=5",
}
# The last page computes its pictures anew for each session: a quarter of the sessions visit it.
ORDERS = (("", "attack"), ("attack", "models"), ("models", ""), ("datasets", "models"))
# What not even the imports may change.
UNTOUCHED = ("working directory", "locale", "umask", "recursion limit", "garbage collection")


def process_state(server: Server, path: Path) -> dict[str, Any]:
    """What :func:`tests.sessions.observed_app.process_state` says in the server's process."""
    path.unlink(missing_ok=True)
    server.process.send_signal(signal.SIGUSR1)
    deadline = time.monotonic() + 10
    while not path.exists():
        assert time.monotonic() < deadline, "the server did not write its state"
        time.sleep(0.02)
    state: dict[str, Any] = json.loads(path.read_text())
    return state


async def visit(address: str, pages: tuple[str, ...], reruns: int) -> list[str]:
    """Open these pages one after the other in one session; returns the errors on screen."""
    async with Session(address) as session:
        for page in pages:
            await session.open(page, PAGES[page])
            for _ in range(reruns):
                await session.rerun()
            assert session.of_kind("heading")
        return session.errors


async def visit_at_once(address: str, *orders: tuple[str, ...], reruns: int = 0) -> list[str]:
    """One session for each order of pages, all at the same time."""
    visits = await asyncio.gather(*(visit(address, pages, reruns) for pages in orders))
    return [error for errors in visits for error in errors]


@pytest.fixture(scope="module")
def state_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server") / "state.json"


@pytest.fixture(scope="module")
def server(state_file: Path) -> Iterator[Server]:
    program = ("tests/sessions/observed_app.py", str(state_file))
    with running(state_file.with_name("log.txt"), program) as server:
        yield server


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="needs the signal SIGUSR1")
def test_sessions_leave_the_process_as_it_was(server: Server, state_file: Path) -> None:
    start = process_state(server, state_file)
    # Several first runs at once. They alone import, and tune the process.
    assert run(visit_at_once(server.address, *ORDERS)) == []
    while (before := process_state(server, state_file))["importing"]:
        time.sleep(0.1)
    assert run(visit_at_once(server.address, *ORDERS * 2, reruns=1)) == []
    after = process_state(server, state_file)

    root, package = str(ROOT), str(ROOT / "explorer")
    others = [entry for entry in start["sys.path"] if entry not in (root, package)]
    assert before["sys.path"] == [root, *others, package]
    assert before["environment"].items() >= start["environment"].items()
    assert {key: before[key] for key in UNTOUCHED} == {key: start[key] for key in UNTOUCHED}
    assert after == before


def test_a_widget_changes_the_page_of_its_session_alone(server: Server) -> None:
    async def predictions() -> tuple[list[str], list[str]]:
        async with Session(server.address) as one, Session(server.address) as other:
            await asyncio.gather(
                *(s.open("attack", f"{PAGES['attack']}&linf=0") for s in (one, other))
            )
            await one.set("linf", double_array_value=[8.0])
            await other.rerun()
            assert "linf=8" in one.query_string
            return one.errors + other.errors, [mark(one), mark(other)]

    errors, marks = run(predictions())
    assert errors == []
    assert marks == ["fooled", "held"]
