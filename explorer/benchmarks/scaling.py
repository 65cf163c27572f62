"""What an attack costs as it grows: more ε, restarts, steps, images or pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.attacks import PGD, Threat
from explorer.benchmarks.baselines import Attack, Setting
from explorer.benchmarks.rounds import Quartiles, gallery_images, ratio_quartiles, run_interleaved
from explorer.classifiers import Classifier

EPSILONS, RESTARTS = 12, 5
STEPS = (5, 10, 20, 40)
SIDE_FACTORS = (0.5, 1.0, 1.5)
SIDE = "side"


@dataclass(frozen=True)
class Cost:
    """Median ``seconds`` of an attack with ``value`` of ``what``.

    ``ratio`` has the quartiles of its time over that of the first value.
    """

    what: str
    value: float
    seconds: float
    ratio: Quartiles


def measure_costs(
    classifier: Classifier, setting: Setting, rounds: int, batches: Sequence[int]
) -> tuple[Cost, ...]:
    """The costs of every quantity, the attacks with its values interleaved round by round."""
    images, labels = gallery_images(classifier, max(batches))
    image, label = images[:1], labels[:1]
    return tuple(
        cost
        for what, attacks in _attacks(classifier, setting, images, labels, batches).items()
        for cost in _costs(what, attacks, image, label, rounds)
    )


def _attacks(
    classifier: Classifier,
    setting: Setting,
    images: Tensor,
    labels: Tensor,
    batches: Sequence[int],
) -> dict[str, dict[float, Attack]]:
    """By quantity and value the attack to time."""

    def attack(images: Tensor, labels: Tensor, epsilon: Any = None, **options: Any) -> Attack:
        threat = Threat("linf", setting.epsilon if epsilon is None else epsilon)
        pgd = PGD(threat, **{"steps": setting.steps, **options})
        return lambda *_: pgd(classifier, images, labels).adversarial

    image, label = images[:1], labels[:1]
    copies, copied_labels = image.expand(EPSILONS, -1, -1, -1), label.expand(EPSILONS)
    epsilons = torch.linspace(setting.epsilon / EPSILONS, setting.epsilon, EPSILONS)
    quantities: dict[str, dict[float, Attack]] = {}
    for stop, suffix in ((False, ""), (True, ", until fooled")):
        quantities[f"epsilons{suffix}"] = {
            1: attack(image, label),
            EPSILONS: attack(copies, copied_labels, epsilons, stop_on_success=stop),
        }
    for stop, suffix in ((False, ""), (True, ", until fooled")):
        quantities[f"restarts{suffix}"] = {
            1: attack(image, label),
            RESTARTS: attack(image, label, restarts=RESTARTS, stop_on_success=stop),
        }
    quantities["steps"] = {n: attack(image, label, steps=n) for n in STEPS}
    quantities["batch"] = {n: attack(images[:n], labels[:n]) for n in batches}
    quantities[SIDE] = {
        round(classifier.input_size[0] * factor): attack(_resized(image, factor), label)
        for factor in SIDE_FACTORS
    }
    return quantities


def _resized(images: Tensor, factor: float) -> Tensor:
    return F.interpolate(images, scale_factor=factor, mode="bilinear").clamp(0, 1)


def _costs(
    what: str, attacks: dict[float, Attack], image: Tensor, label: Tensor, rounds: int
) -> list[Cost]:
    """A cost per value; a network that takes images of one size only has none at other sides."""
    named = {str(value): attack for value, attack in attacks.items()}
    result = run_interleaved(named, image, label, rounds)
    if result.errors and what != SIDE:
        raise next(iter(result.errors.values()))
    times = {value: result.seconds[str(value)] for value in attacks if str(value) in result.seconds}
    first = next(iter(times.values()), [])
    return [
        Cost(what, value, median(seconds), ratio_quartiles(seconds, first))
        for value, seconds in times.items()
    ]
