"""How long people wait on one server: ``python -m tests.benchmarks.load --people 1 10``.

Each person is a session of Streamlit's own protocol on the attack page. Every ``--every`` seconds
they move ε; a move is answered when the triptych with that ε arrives, or replaced by the next move.
The answer's original picture is compared with the first one seen: every person attacks another
picture, so that a picture of somebody else's result is noticed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from explorer.images.gallery import samples
from tests.sessions.client import Session
from tests.sessions.server import running

LONGEST_WAIT = 60.0  # seconds for the last move of each person


@dataclass
class Outcome:
    """What one or all people have met: seconds of answered moves, and numbers of the others."""

    seconds: list[float] = field(default_factory=list)
    replaced: int = 0
    unanswered: int = 0
    wrong: int = 0
    runs: int = 0
    errors: list[str] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        self.seconds += other.seconds
        self.replaced += other.replaced
        self.unanswered += other.unanswered
        self.wrong += other.wrong
        self.runs += other.runs
        self.errors += other.errors


class Person:
    """One session that moves ε on the attack page."""

    def __init__(self, address: str, picture: str, model: str, steps: int, seed: int) -> None:
        self._session = Session(address)
        self._query = f"model={model}&image={picture.replace(' ', '+')}&steps={steps}"
        self._random = random.Random(seed)
        self._original = ""
        self.outcome = Outcome()

    async def move_for(self, seconds: float, every: float) -> Outcome:
        async with self._session as session:
            await session.open("attack", self._query)
            self._original = self._triptych()["pictures"][0]["src"]
            await asyncio.sleep(self._random.uniform(0, every))
            first_run, moves = session.runs, max(1, round(seconds / every))
            # Each ε once: a repeated one would be answered from the cache.
            for number, quarters in enumerate(self._random.sample(range(4, 65), moves), start=1):
                await self._move(quarters / 4, every, last=number == moves)
            self.outcome.runs = session.runs - first_run
            self.outcome.errors = session.errors
        return self.outcome

    async def _move(self, levels: float, every: float, last: bool) -> None:
        started = time.monotonic()
        await self._session.set("linf", wait=False, double_array_value=[levels])
        wanted = f"+ {levels:g}/255 ×"
        answered = await self._session.until(
            lambda: self._triptych()["operators"][0] == wanted, LONGEST_WAIT if last else every
        )
        took = time.monotonic() - started
        if answered:
            self.outcome.seconds.append(took)
            self.outcome.wrong += self._triptych()["pictures"][0]["src"] != self._original
            if not last:
                await asyncio.sleep(max(0.0, every - took))
        elif last:
            self.outcome.unanswered += 1
        else:
            self.outcome.replaced += 1

    def _triptych(self) -> dict[str, Any]:
        for proto in self._session.of_kind("bidi_component"):
            if getattr(proto, "component_name", "") == "explorer.triptych":
                data: dict[str, Any]
                (data,) = json.loads(getattr(proto, "json", ""))
                return data
        return {"operators": [""], "pictures": [{"src": ""}]}


async def measure(address: str, people: int, seconds: float, every: float, model: str) -> Outcome:
    """All people at once."""
    pictures = [sample.title for sample in samples("cifar10" if "cifar" in model else "tiny12")]
    visitors = [
        Person(address, pictures[seed % len(pictures)], model, 40, seed) for seed in range(people)
    ]
    outcome = Outcome()
    for each in await asyncio.gather(*(person.move_for(seconds, every) for person in visitors)):
        outcome.add(each)
    return outcome


def report(people: int, outcome: Outcome) -> str:
    seconds = sorted(outcome.seconds) or [float("nan")]
    p95 = seconds[min(len(seconds) - 1, int(0.95 * len(seconds)))]
    moves = len(outcome.seconds) + outcome.replaced + outcome.unanswered
    return (
        f"{people:3d} people: {moves} moves, ε to result median "
        f"{statistics.median(seconds):.2f} s, 95 % within {p95:.2f} s, "
        f"{outcome.replaced} replaced by a newer move, {outcome.unanswered} unanswered, "
        f"{outcome.wrong} wrong pictures, {outcome.runs / max(1, moves):.1f} script runs per move, "
        f"{len(outcome.errors)} errors"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, nargs="+", default=[1, 10])
    parser.add_argument("--seconds", type=float, default=40.0, help="how long people move ε")
    parser.add_argument("--every", type=float, default=4.0, help="seconds between two moves")
    parser.add_argument("--model", default="cifar10-standard")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for people in options.people:
            log = Path(folder) / "server.log"
            with running(log, EXPLORER_CACHE=f"{folder}/cache") as server:
                asyncio.run(measure(server.address, 1, 4, options.every, options.model))  # warm up
                outcome = asyncio.run(
                    measure(server.address, people, options.seconds, options.every, options.model)
                )
                print(report(people, outcome), flush=True)
                for error in sorted(set(outcome.errors)):
                    print("   ", error.splitlines()[0])
            lines = log.read_text().splitlines()
            print(f"    {len(lines)} lines in the server's log")


if __name__ == "__main__":
    main()
