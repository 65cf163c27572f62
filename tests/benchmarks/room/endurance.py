"""What the server keeps of many moves and many visitors, and what it costs while nobody moves."""

from __future__ import annotations

import asyncio
import time

import psutil

from tests.benchmarks.room.people import Person, people_for
from tests.sessions.client import Session

QUICK = "model=cifar10-standard&steps=5"
PAGES = {"attack": QUICK, "": "", "datasets": "match_steps=10&attack_steps=5", "models": ""}
MB = 2**20


async def memory_of_moves(address: str, process: psutil.Process, moves: int) -> str:
    """Growth of the server's memory over so many moves of one session, after as many tenths."""
    (person,) = people_for(address, 1, "cifar10-standard", steps=5)
    async with person.session:
        await person.open()
        await person.move_until(moves // 10)
        before = process.memory_info().rss
        await person.move_until(moves // 10 + moves)
        after = process.memory_info().rss
    return f"{moves} moves in one session: memory {(after - before) / MB:+.0f} MB"


async def memory_of_sessions(address: str, process: psutil.Process, sessions: int) -> str:
    """Growth of the server's memory over so many sessions, opened and closed ten at a time."""

    async def visit(page: str) -> None:
        async with Session(address) as session:
            await session.open(page, PAGES[page])

    async def visit_all(number: int) -> None:
        pages = list(PAGES)
        for first in range(0, number, 10):
            await asyncio.gather(*(visit(pages[n % len(pages)]) for n in range(first, first + 10)))

    await visit_all(20)
    await asyncio.sleep(2)
    before = process.memory_info().rss
    await visit_all(sessions)
    await asyncio.sleep(2)
    after = process.memory_info().rss
    return f"{sessions} sessions opened and closed: memory {(after - before) / MB:+.0f} MB"


async def jobs_of_closed_sessions(address: str, process: psutil.Process) -> str:
    """How busy the server is from one second after a visitor with a long attack has left."""
    (person,) = people_for(address, 1, "cifar10-standard")
    async with person.session as session:
        await session.open("attack", "model=cifar10-standard&steps=5")
        await session.set("restarts", wait=False, double_value=10.0)
        await session.set("steps", wait=False, int_array_value=[200])
        assert await session.until(lambda: _attacking(person), 30)
        busy = await _load(process, 0.5)
    await asyncio.sleep(1)
    return (
        f"an attack of 200 steps and 10 restarts: {busy:.0f} % of a core; from one second after "
        f"its visitor left: {await _load(process, 2):.0f} %"
    )


async def idle(address: str, process: psutil.Process, sessions: int) -> str:
    """The server's load by so many sessions at rest."""
    visitors = [Session(address) for _ in range(sessions)]
    pages = list(PAGES)
    for number, session in enumerate(visitors):
        await session.__aenter__()
        page = pages[number % len(pages)]
        await session.open(page, PAGES[page])
    await asyncio.sleep(5)
    load = await _load(process, 20)
    for session in visitors:
        await session.__aexit__(None, None, None)
    return f"{sessions} idle sessions: {load:.1f} % of a core"


def _attacking(person: Person) -> bool:
    return any("step" in getattr(bar, "text", "") for bar in person.session.of_kind("progress"))


async def _load(process: psutil.Process, seconds: float) -> float:
    """Per cent of one core."""
    started, before = time.monotonic(), process.cpu_times()
    await asyncio.sleep(seconds)
    after = process.cpu_times()
    used = after.user + after.system - before.user - before.system
    return 100 * used / (time.monotonic() - started)
