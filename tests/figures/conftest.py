"""Attack reports made from plain tensors, without a model."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from explorer.attacks import Trace
from explorer.experiments.one_image.recipe import Recipe
from explorer.experiments.one_image.report import AttackReport, Prediction

MakeReport = Callable[..., AttackReport]


def make_report(
    *,
    size: int = 32,
    names: tuple[str, ...] = tuple(f"class {index}" for index in range(12)),
    norm: str = "linf",
    epsilon: float = 4 / 255,
    steps: int = 7,
    label: int = 3,
    target: int | None = 5,
    outcome: str = "fooled",
    loss: str = "ce",
    step_size: float | None = None,
    random_start: bool = True,
    original: torch.Tensor | None = None,
    delta: torch.Tensor | None = None,
    seed: int = 0,
) -> AttackReport:
    """A report with consistent numbers: the last point of the trace is the result."""
    generator = torch.Generator().manual_seed(seed)
    image = (
        torch.rand(3, size, size, generator=generator) * 0.6 + 0.2 if original is None else original
    )
    if delta is None:
        delta = (2 * torch.rand(image.shape, generator=generator) - 1) * min(epsilon, 0.1)
        delta.view(-1)[0] = min(epsilon, 0.1)
    adversarial = (image + delta).clamp(0, 1)
    logits = torch.randn(steps + 1, 1, len(names), generator=generator)
    ramp = torch.linspace(0, 1, steps + 1)
    wrong = (label + 1) % len(names) if target is None else target
    logits[:, 0, label] += 6 * (1 - ramp)
    logits[:, 0, wrong] += 9 * ramp
    noise = torch.randn(len(names), generator=generator).softmax(0)
    return AttackReport(
        recipe=Recipe(
            "gallery:test",
            "test-net",
            norm,
            epsilon,
            steps,
            step_size=step_size,
            random_start=random_start,
            loss=loss,
            label=label,
            target=target,
        ),
        original=image,
        adversarial=adversarial,
        label=label,
        target=target,
        before=Prediction(logits[0, 0].softmax(0), names),
        after=Prediction(logits[-1, 0].softmax(0), names),
        noise=Prediction(noise, names),
        outcome=outcome,
        success=outcome == "fooled",
        survives_8bit=outcome == "fooled",
        linf=float(delta.abs().max()),
        l2=float(delta.norm()),
        ssim=0.97,
        trace=Trace(
            loss=torch.linspace(-6, 3, steps + 1)[:, None],
            logits=logits,
            gradient_norm=torch.rand(steps, 1, generator=generator),
            distance=ramp[:, None] * epsilon,
            success=logits.argmax(2) == wrong,
            kept=torch.tensor([steps]),
        ),
        seconds=0.1,
    )


@pytest.fixture(name="make_report")
def make_report_fixture() -> MakeReport:
    return make_report


@pytest.fixture
def report() -> AttackReport:
    return make_report()
