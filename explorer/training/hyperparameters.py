"""The numbers that decide what a training does with its data."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.classifiers.small_net import NetworkConfig


@dataclass(frozen=True)
class Hyperparameters:
    """Everything that decides the weights except the data and the constants of the trainer.

    ``learning_rate`` is the peak of the schedule, for the mean loss of a batch; biases learn
    ``bias_scale`` times as fast. ``crop`` is the largest random shift in pixels; without it and
    without ``flip`` images are not augmented. For the fraction ``small_until`` of the epochs images
    are shrunk to ``small_size`` pixels a side, which costs less. ``frozen_stem`` keeps the
    whitening filters as they are. ``average`` is the decay of the moving average of the weights.

    ``epsilon`` 0 is standard training. Otherwise it is the radius of the L2 ball in which each
    batch is attacked: with one step before the fraction ``strong_from`` of the epochs, with two
    steps from there on.
    """

    network: NetworkConfig
    epochs: int
    batch: int = 500
    learning_rate: float = 0.75
    bias_scale: float = 64.0
    crop: int = 2
    flip: bool = True
    small_size: int | None = None
    small_until: float = 0.0
    frozen_stem: bool = True
    epsilon: float = 0.0
    strong_from: float = 0.67
    average: float = 0.99
    seed: int = 0
