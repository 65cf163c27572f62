"""Suggested target classes: the most and least probable ones, those most alike, and random ones."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from explorer.classifiers import Classifier, ClassifierError


def most_confusing(probabilities: Tensor, label: int, k: int = 4) -> list[int]:
    """The ``k`` most probable classes other than ``label``, from ``probabilities`` float32 [C]."""
    return _first_others(probabilities.argsort(descending=True, stable=True).tolist(), label, k)


def least_likely(probabilities: Tensor, label: int, k: int = 4) -> list[int]:
    """The ``k`` least probable classes other than ``label``, from ``probabilities`` float32 [C].

    They are the hardest targets of Kurakin et al. 2017 (arXiv 1607.02533).
    """
    return _first_others(probabilities.argsort(stable=True).tolist(), label, k)


def nearest(classifier: Classifier, label: int, k: int = 4) -> list[int]:
    """The ``k`` classes whose last-layer weights are most similar to those of ``label``.

    Similarity is the cosine after subtracting the mean over all classes, which is common to them.
    Returns an empty list for a classifier whose last layer does not have one row per class.
    """
    weights = head_weights(classifier)
    if weights is None:
        return []
    rows = nn.functional.normalize(weights - weights.mean(dim=0), dim=1)
    order = (rows @ rows[label]).argsort(descending=True, stable=True)
    return _first_others(order.tolist(), label, k)


def random_classes(classes: int, label: int, seed: int, k: int = 4) -> list[int]:
    """``k`` of ``classes`` classes other than ``label``, uniform, determined by ``seed``."""
    order = torch.randperm(classes, generator=torch.Generator().manual_seed(seed))
    return _first_others(order.tolist(), label, k)


def head_weights(classifier: Classifier) -> Tensor | None:
    """The last layer's weights, float32 [C, D] on the CPU, or None where no layer has C rows.

    The layer is linear, or a 1 × 1 convolution as in SqueezeNet.
    """
    try:
        weights = classifier.head().weight.detach().float().cpu().flatten(1)
    except ClassifierError:
        return None
    return weights if len(weights) == len(classifier.labels) else None


def _first_others(order: list[int], label: int, k: int) -> list[int]:
    return [index for index in order if index != label][:k]
