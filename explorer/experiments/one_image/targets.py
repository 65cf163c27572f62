"""Classes worth aiming at: what a classifier nearly said, what it keeps closest to the label, and what came by lot."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from explorer.classifiers import Classifier, ClassifierError


def most_confusing(probabilities: Tensor, label: int, k: int = 4) -> list[int]:
    """The ``k`` classes the classifier finds most probable besides the label; ``probabilities`` float32 [C]."""
    return _besides(probabilities.argsort(descending=True, stable=True).tolist(), label, k)


def least_likely(probabilities: Tensor, label: int, k: int = 4) -> list[int]:
    """The ``k`` least probable ones: the hardest targets of Kurakin et al. 2017 (arXiv 1607.02533)."""
    return _besides(probabilities.argsort(stable=True).tolist(), label, k)


def nearest(classifier: Classifier, label: int, k: int = 4) -> list[int]:
    """The ``k`` classes whose weights in the last layer point most nearly the way of the label's (cosine, after taking away the mean
    of all classes, which tells none apart). Empty where no layer has one row per class."""
    weights = head_weights(classifier)
    if weights is None:
        return []
    rows = nn.functional.normalize(weights - weights.mean(dim=0), dim=1)
    return _besides((rows @ rows[label]).argsort(descending=True, stable=True).tolist(), label, k)


def by_lot(classes: int, label: int, seed: int, k: int = 4) -> list[int]:
    """``k`` classes, all as likely as each other, that depend on ``seed`` alone."""
    return _besides(
        torch.randperm(classes, generator=torch.Generator().manual_seed(seed)).tolist(), label, k
    )


def head_weights(classifier: Classifier) -> Tensor | None:
    """The last layer's weights, float32 [C, D] on the CPU: of a linear layer, or of a 1 × 1 convolution as SqueezeNet has."""
    try:
        weights = classifier.head().weight.detach().float().cpu().flatten(1)
    except ClassifierError:
        return None
    return weights if len(weights) == len(classifier.labels) else None


def _besides(order: list[int], label: int, k: int) -> list[int]:
    return [index for index in order if index != label][:k]
