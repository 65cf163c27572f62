"""ReLU and ReLU6 as part of a convolution, and the mask of their gradients."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

_threshold_backward: Callable[..., Tensor] = torch.ops.aten.threshold_backward.default
_hardtanh_backward: Callable[..., Tensor] = torch.ops.aten.hardtanh_backward.default


@dataclass(frozen=True)
class Rectifier:
    """min(max(x, 0), ``ceiling``): ReLU without a ceiling, ReLU6 with the ceiling 6."""

    ceiling: float = math.inf

    def __call__(self, values: Tensor) -> Tensor:
        return values.relu() if self.ceiling == math.inf else F.hardtanh(values, 0, self.ceiling)

    def masked(self, gradient: Tensor, output: Tensor) -> Tensor:
        """The gradient for the values, from that for the ``output``.

        It ends where the output is 0 or the ceiling.
        """
        if self.ceiling == math.inf:
            return _threshold_backward(gradient, output, 0)
        return _hardtanh_backward(gradient, output, 0, self.ceiling)


def onednn_activation(rectifier: Rectifier | None) -> tuple[str, list[float]]:
    """oneDNN's name of what follows a convolution, and its parameters."""
    if rectifier is None:
        return "none", []
    if rectifier.ceiling == math.inf:
        return "relu", []
    return "hardtanh", [0.0, rectifier.ceiling]
