"""People who move ε on the attack page, each in a session of Streamlit's own protocol.

A move is answered when the triptych with that ε arrives, or replaced by the person's next move.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from explorer.images.gallery import samples
from tests.sessions.client import Session

LONGEST_WAIT = 60.0  # seconds for the last move of each person
OPENING = 120.0  # seconds for the first picture of each, when all open the page at once
STEPS = 40
QUARTERS = range(4, 65)  # the values of ε that people choose, in quarters of 1/255


def shown_epsilon(levels: float) -> str:
    """What stands before the perturbation of this ε, in levels of 255."""
    return f"+ {levels:g}/255 ×"


def sha256(text: str) -> str:
    """The SHA-256 of a text, as hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Answer:
    """What a person saw: SHA-256 of the adversarial image's data, for what was asked."""

    picture: str
    levels: float
    digest: str
    seed: int
    steps: int


@dataclass
class Outcome:
    """What one or all people have met: seconds of answered moves, and numbers of the others."""

    seconds: list[float] = field(default_factory=list)
    first_signs: list[float] = field(default_factory=list)  # seconds to progress or result
    answers: list[Answer] = field(default_factory=list)
    replaced: int = 0
    unanswered: int = 0
    runs: int = 0
    errors: list[str] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        self.seconds += other.seconds
        self.first_signs += other.first_signs
        self.answers += other.answers
        self.replaced += other.replaced
        self.unanswered += other.unanswered
        self.runs += other.runs
        self.errors += other.errors


class Person:
    """One session that attacks one sample picture."""

    def __init__(
        self, address: str, picture: str, model: str, seed: int, steps: int = STEPS
    ) -> None:
        self.session = Session(address)
        self.picture, self.steps, self.outcome = picture, steps, Outcome()
        self._query = f"model={model}&image={picture.replace(' ', '+')}&steps={steps}"
        self._random = random.Random(seed)
        self._seed = 0  # of the attacks' random starts
        self._deck: list[int] = []  # the values of ε that are left for this seed

    async def open(self) -> None:
        """Open the page and wait for its first picture; others' moves may delay the ladder long."""
        await self.session.open("attack", self._query, wait=False)
        first = await self.session.until(lambda: self.triptych()["operators"][0] != "", OPENING)
        assert first, f"no picture within {OPENING:g} s of opening the page"

    async def move_for(self, seconds: float, every: float) -> Outcome:
        """Move ε every so many seconds, each time to another value, in a session of its own."""
        async with self.session as session:
            await self.open()
            await asyncio.sleep(self._random.uniform(0, every))
            first_run, moves = session.runs, max(1, round(seconds / every))
            # Each ε once: a repeated one would be answered from the cache.
            for number, quarters in enumerate(self._random.sample(QUARTERS, moves), start=1):
                await self.move(quarters / 4, every, last=number == moves)
            self.outcome.runs = session.runs - first_run
            self.outcome.errors = session.errors
        return self.outcome

    async def move_until(self, answers: int) -> None:
        """Move ε as soon as the last move was answered, until so many were, in an open session.

        Raises ``AssertionError`` where a move gets no answer or the page shows an error.
        """
        while len(self.outcome.answers) < answers:
            if not self._deck:  # each ε had its turn: another seed makes them new questions
                self._seed += 1
                await self.session.set("seed", wait=False, double_value=float(self._seed))
                shown = self.triptych()["operators"][0]
                self._deck = [q for q in QUARTERS if shown != shown_epsilon(q / 4)]
                self._random.shuffle(self._deck)
            await self.move(self._deck.pop() / 4, 0, last=True)
            assert not self.outcome.unanswered, f"no answer within {LONGEST_WAIT:g} s"
            assert not self.session.errors, self.session.errors

    async def move(self, levels: float, every: float, last: bool = False) -> None:
        """One move, and the wait until it is answered or the next one is due."""
        started = time.monotonic()
        patience = LONGEST_WAIT if last else every
        await self.session.set("linf", wait=False, double_array_value=[levels])
        wanted = shown_epsilon(levels)

        def answered() -> bool:
            return bool(self.triptych()["operators"][0] == wanted)

        def signs() -> bool:
            return answered() or bool(self.session.of_kind("progress"))

        if await self.session.until(signs, patience):
            self.outcome.first_signs.append(time.monotonic() - started)
        await self.session.until(answered, max(0.0, started + patience - time.monotonic()))
        took = time.monotonic() - started
        if answered():
            digest = sha256(self.triptych()["pictures"][2]["src"])
            answer = Answer(self.picture, levels, digest, self._seed, self.steps)
            self.outcome.answers.append(answer)
            self.outcome.seconds.append(took)
            if not last:
                await asyncio.sleep(max(0.0, every - took))
        elif last:
            self.outcome.unanswered += 1
        else:
            self.outcome.replaced += 1

    def triptych(self) -> dict[str, Any]:
        """The data of the triptych on the page."""
        for proto in self.session.of_kind("bidi_component"):
            if getattr(proto, "component_name", "") == "explorer.triptych":
                data: dict[str, Any]
                (data,) = json.loads(getattr(proto, "json", ""))
                return data
        return {"operators": [""], "pictures": [{"src": ""}] * 3}


def people_for(address: str, number: int, model: str, steps: int = STEPS) -> list[Person]:
    """So many people, with different pictures as far as there are any."""
    pictures = [sample.title for sample in samples("cifar10" if "cifar" in model else "tiny12")]
    return [
        Person(address, pictures[seed % len(pictures)], model, seed, steps)
        for seed in range(number)
    ]


async def collect(address: str, number: int, answers: int, steps: int, model: str) -> Outcome:
    """So many answers, by all people together, each of whom moves once the last one came."""
    outcome = Outcome()
    people = people_for(address, number, model, steps)

    async def take_part(person: Person) -> None:
        async with person.session:
            await person.open()
            await person.move_until(answers // number)

    await asyncio.gather(*map(take_part, people))
    for person in people:
        outcome.add(person.outcome)
    return outcome


async def measure(address: str, number: int, seconds: float, every: float, model: str) -> Outcome:
    """All people at once."""
    outcome = Outcome()
    people = people_for(address, number, model)
    for each in await asyncio.gather(*(person.move_for(seconds, every) for person in people)):
        outcome.add(each)
    return outcome


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of ``values`` does not exceed; NaN without any."""
    ordered = sorted(values) or [float("nan")]
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def report(number: int, outcome: Outcome) -> str:
    """One line for so many people."""
    moves = len(outcome.seconds) + outcome.replaced + outcome.unanswered
    median = statistics.median(outcome.seconds) if outcome.seconds else float("nan")
    return (
        f"{number:3d} people: {moves} moves, ε to result median {median:.2f} s, "
        f"95 % within {percentile(outcome.seconds, 0.95):.2f} s, "
        f"{outcome.replaced} replaced by a newer move, {outcome.unanswered} unanswered, "
        f"{outcome.runs / max(1, moves):.1f} script runs per move, {len(outcome.errors)} errors"
    )
