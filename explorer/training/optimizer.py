"""The optimizer of the small networks and the schedule of its learning rate."""

from __future__ import annotations

import torch
from torch import nn

from explorer.training.hyperparameters import Hyperparameters

MOMENTUM = 0.85
WEIGHT_DECAY = 1e-3
WARMUP = 0.25  # the fraction of the training in which the learning rate rises


def make_optimizer(net: nn.Module, settings: Hyperparameters) -> torch.optim.Optimizer:
    """Nesterov SGD; biases learn ``bias_scale`` times as fast and decay as much less."""
    trainable = [(name, p) for name, p in net.named_parameters() if p.requires_grad]
    biases = [p for name, p in trainable if name.endswith("bias")]
    others = [p for name, p in trainable if not name.endswith("bias")]
    scale, rate = settings.bias_scale, settings.learning_rate
    groups = [
        {"params": others, "lr": rate, "weight_decay": WEIGHT_DECAY},
        {"params": biases, "lr": rate * scale, "weight_decay": WEIGHT_DECAY / scale},
    ]
    return torch.optim.SGD(groups, momentum=MOMENTUM, nesterov=True)


def set_learning_rate(
    optimizer: torch.optim.Optimizer, settings: Hyperparameters, fraction: float
) -> None:
    """Set the learning rates for the moment when ``fraction`` of the training is done."""
    factor, rate = _rate_factor(fraction), settings.learning_rate
    others, biases = optimizer.param_groups
    others["lr"], biases["lr"] = rate * factor, rate * settings.bias_scale * factor


def _rate_factor(fraction: float) -> float:
    """Triangular schedule: 0.2 → 1 over the warm-up, then → 0.02 at the end."""
    if fraction < WARMUP:
        return 0.2 + 0.8 * fraction / WARMUP
    return 1 - 0.98 * (fraction - WARMUP) / (1 - WARMUP)
