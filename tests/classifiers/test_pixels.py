"""What people pass to a classifier: images, or one sentence that says what they are instead."""

from __future__ import annotations

import pytest
import torch

from explorer.classifiers import ClassifierError
from tests.small_models import any_images, smooth_classifier


def test_arrays_and_lists_have_the_logits_of_the_tensor():
    classifier, images = smooth_classifier(), any_images(3)
    for same in (images.numpy(), list(images), list(images.numpy()), images.tolist()):
        assert torch.equal(classifier(same), classifier(images))
        assert torch.equal(classifier.features(same), classifier.features(images))


@pytest.mark.parametrize(
    ("convert", "words"),
    [
        (lambda x: x.permute(0, 2, 3, 1), r"use images.permute\(0, 3, 1, 2\)"),
        (lambda x: x.permute(0, 2, 3, 1).numpy(), r"use images.transpose\(0, 3, 1, 2\)"),
        (lambda x: x[0], r"use image\[None\]"),
        (lambda x: (x * 255).byte(), "divide them by 255"),
        (lambda x: (x * 255).int(), "they are int32"),
        (lambda x: "panda.jpg", "type str"),
    ],
)
def test_an_error_says_what_images_are(convert, words):
    classifier, images = smooth_classifier(), any_images(3)
    for call in (classifier, classifier.features):
        with pytest.raises(ClassifierError, match=words):
            call(convert(images))
