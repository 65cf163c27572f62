"""Copies of a classifier made for gradients: batch norms folded, channels last, in another type."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from explorer.classifiers import Classifier
from explorer.classifiers.classifier import has_features
from explorer.engine.folding import fold_batch_norms, fold_scale


class ChannelsLast(nn.Module):
    """A module that receives its images channels last."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.module(channels_last(images))
        return logits


class _ChannelsLastWithFeatures(ChannelsLast):
    """The same for a module with a ``features`` method."""

    def features(self, images: Tensor) -> Tensor:
        features: Tensor = self.module.features(channels_last(images))  # type: ignore[operator]
        return features


class Features(nn.Module):
    """A module's ``features`` method as a module."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.module.features(images)  # type: ignore[operator]
        return features


def channels_last(images: Tensor) -> Tensor:
    """``images`` with their channels last in memory."""
    return images.contiguous(memory_format=torch.channels_last)


def optimized_copy(classifier: Classifier, dtype: torch.dtype) -> Classifier:
    """A frozen copy of ``classifier`` in ``dtype``.

    Batch norms are folded into the convolutions before them, and the division by the standard
    deviation into the first convolutions. The original stays as it is. Raises what the module
    raises where it can't be copied.
    """
    module = copy.deepcopy(classifier.module).eval().requires_grad_(False)
    fold_batch_norms(module)
    variants = (module, Features(module)) if has_features(module) else (module,)
    folded = fold_scale(variants, classifier.std)
    std = (1.0,) * classifier.channels if folded else classifier.std
    module = module.to(dtype).to(memory_format=torch.channels_last)
    return classifier.with_module(module, std=std)


def with_channels_last(optimized: Classifier) -> Classifier:
    """The same copy, which receives its images channels last."""
    wrap = _ChannelsLastWithFeatures if has_features(optimized.module) else ChannelsLast
    return optimized.with_module(wrap(optimized.module))


def noise(classifier: Classifier, n: int) -> Tensor:
    """Images [n, C, H, W] of uniform noise, always the same."""
    generator = torch.Generator().manual_seed(0)
    images = torch.rand((n, classifier.channels, *classifier.input_size), generator=generator)
    return images.to(classifier.device)
