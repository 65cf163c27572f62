"""oneDNN's operators for layers whose weights are prepacked."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import torch
from torch import Tensor


class _Operators:
    """Looked up on first use: torch lacks them where it is built without oneDNN."""

    @cached_property
    def convolution(self) -> Callable[..., Tensor]:
        return torch.ops.mkldnn._convolution_pointwise.default

    @cached_property
    def convolution_plus(self) -> Callable[..., Tensor]:
        return torch.ops.mkldnn._convolution_pointwise.binary

    @cached_property
    def linear(self) -> Callable[..., Tensor]:
        return torch.ops.mkldnn._linear_pointwise.default

    @cached_property
    def linear_plus(self) -> Callable[..., Tensor]:
        return torch.ops.mkldnn._linear_pointwise.binary

    @cached_property
    def prepack_linear(self) -> Callable[..., Tensor]:
        return torch.ops.mkldnn._reorder_linear_weight.default


OPERATORS = _Operators()
