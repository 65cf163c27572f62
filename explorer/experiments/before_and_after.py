"""A few pictures before and after a change, and what a classifier says of both."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.classifiers import Classifier
from explorer.datasets.labelled import LabelledImages
from explorer.engine import logits_of
from explorer.experiments.fooled_share import Change
from explorer.experiments.sweep.set_attack import pixels_of


@dataclass(frozen=True, eq=False)
class ChangedPicture:
    """``image`` float32 [C, H, W] after the change.

    The classifier says ``before`` of the original and ``after`` of the image, with this
    ``confidence``; ``label`` is the true class. All three are names.
    """

    image: Tensor
    label: str
    before: str
    after: str
    confidence: float


def changed_pictures(
    classifier: Classifier, data: LabelledImages, change: Change, count: int
) -> tuple[ChangedPicture, ...]:
    """The first ``count`` pictures of ``data``, changed."""
    originals = pixels_of(data.images[:count])
    images = change(originals, torch.arange(len(originals)))
    device = classifier.device
    before = logits_of(classifier, originals.to(device)).argmax(dim=1).tolist()
    confidences, after = logits_of(classifier, images.to(device)).softmax(dim=1).max(dim=1)
    names = classifier.labels
    return tuple(
        ChangedPicture(image, names[label], names[first], names[second], confidence)
        for image, label, first, second, confidence in zip(
            images, data.labels.tolist(), before, after.tolist(), confidences.tolist(), strict=False
        )
    )
