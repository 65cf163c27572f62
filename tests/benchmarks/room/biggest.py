"""One visitor asks the biggest question while another one goes on working."""

from __future__ import annotations

import asyncio
import statistics
from pathlib import Path

import torch
from safetensors.torch import save_file
from torchvision.models import resnet50

from tests.benchmarks.room.people import Outcome, people_for
from tests.sessions.client import Session

# The page's own maximum.
BIGGEST = "model=torchvision:resnet50&steps=200&restarts=10"
MOVES, EVERY = 10, 3.0  # seconds


def write_weights(folder: Path) -> None:
    """A ResNet-50 with random weights, which cost the same time as trained ones."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    save_file(resnet50().state_dict(), folder / "resnet50-random.safetensors")


async def compare(address: str, model: str) -> str:
    """A person's times alone, and beside the biggest question of another visitor."""
    alone = await _moves(address, model, 0)
    async with Session(address) as visitor:
        opening = asyncio.create_task(visitor.open("attack", BIGGEST))
        while not any("step" in getattr(bar, "text", "") for bar in visitor.of_kind("progress")):
            await asyncio.sleep(0.1)
            assert not visitor.errors, visitor.errors
        beside = await _moves(address, model, 1)
        assert not opening.done(), "the biggest question was answered meanwhile"
        opening.cancel()
    ratios = statistics.median(beside.seconds) / statistics.median(alone.seconds)
    return (
        f"beside the biggest question: first sign within {max(beside.first_signs):.2f} s, result "
        f"median {statistics.median(beside.seconds):.2f} s, at most {max(beside.seconds):.2f} s; "
        f"alone {statistics.median(alone.seconds):.2f} s and {max(alone.seconds):.2f} s; ratio of "
        f"medians {ratios:.2f}; {beside.replaced + beside.unanswered} of {MOVES} without an answer"
    )


async def _moves(address: str, model: str, number: int) -> Outcome:
    """Each person attacks another picture: the answers to the first are in the cache."""
    person = people_for(address, number + 1, model)[number]
    return await person.move_for(MOVES * EVERY, EVERY)
