"""Pauses between the chunks of an evaluation, by which jobs share a device."""

from __future__ import annotations

from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from explorer.engine import batching, map_chunks, pausing
from explorer.engine.gradient_model import AutogradModel
from explorer.errors import Cancelled
from tests.small_models import smooth_classifier


class Logits(NamedTuple):
    logits: Tensor


@pytest.fixture
def chunks_of_eight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "UNMEASURED", 0)
    monkeypatch.setattr(batching, "QUICKEST_ON_CPU", 1)


def evaluate(n: int, log: list[str]) -> Tensor:
    classifier = smooth_classifier()
    model, images = AutogradModel(classifier), torch.rand(n, 3, *classifier.input_size)

    def compute(rows: slice) -> Logits:
        log.append("chunk")
        return Logits(model.logits(images[rows]))

    return map_chunks(model, images, compute, "logits").logits


@pytest.mark.usefixtures("chunks_of_eight")
def test_a_pause_between_two_chunks_and_none_outside_of_the_block() -> None:
    log: list[str] = []
    with pausing(lambda: log.append("pause")):
        evaluate(24, log)
    assert log == ["chunk", "pause", "chunk", "pause", "chunk"]
    log.clear()
    evaluate(24, log)
    assert log == ["chunk"] * 3


@pytest.mark.usefixtures("chunks_of_eight")
def test_an_exception_of_the_pause_ends_the_evaluation() -> None:
    def stop() -> None:
        raise Cancelled

    log: list[str] = []
    with pytest.raises(Cancelled), pausing(stop):
        evaluate(24, log)
    assert log == ["chunk"]


def test_blocks_nest() -> None:
    from explorer.engine.pauses import pause

    log: list[str] = []
    with pausing(lambda: log.append("outer")):
        with pausing(lambda: log.append("inner")):
            pause()
        pause()
    pause()
    assert log == ["inner", "outer"]
