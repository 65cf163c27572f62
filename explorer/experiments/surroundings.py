"""What an experiment ran with, beside its settings: weights, precision, device and versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from explorer.classifiers import Classifier
from explorer.engine import gradient_model
from explorer.experiments.one_image.attack_image import versions


@dataclass(frozen=True)
class Surroundings:
    """``weights`` are the SHA-256 of each classifier's, by name; ``precision`` is the gradients'.

    ``threads`` are those of a CPU, None elsewhere: in float32 they can change the last bits.
    """

    weights: Mapping[str, str]
    precision: str
    device: str
    threads: int | None
    versions: Mapping[str, str]


def surroundings_of(classifiers: Mapping[str, Classifier], precision: str) -> Surroundings:
    """Those of ``classifiers`` by name; the first one is attacked, with this ``precision``."""
    attacked = next(iter(classifiers.values()))
    return Surroundings(
        weights={name: each.digest for name, each in classifiers.items()},
        precision=gradient_model(attacked, precision)[1],
        device=str(attacked.device),
        threads=torch.get_num_threads() if attacked.device.type == "cpu" else None,
        versions=versions(),
    )
