"""``LabelledImages`` takes arrays and lists that are exact, and says what is wrong with others."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from explorer.datasets.labelled import DataError, LabelledImages

IMAGES = torch.arange(2 * 3 * 4 * 5, dtype=torch.uint8).view(2, 3, 4, 5)
LABELS = torch.tensor([1, 0])


def test_arrays_and_lists_are_the_same_images_and_labels():
    expected = LabelledImages(IMAGES, LABELS, ("a", "b"))
    for images, labels in (
        (IMAGES.numpy(), LABELS.numpy()),
        (IMAGES.flip(3).numpy()[..., ::-1], LABELS.tolist()),
        (IMAGES, LABELS.to(torch.uint8)),
        (IMAGES, LABELS.numpy().astype(np.uint16)),
    ):
        data = LabelledImages(images, labels, ("a", "b"))
        assert data.digest == expected.digest
        assert data.labels.dtype == torch.int64


def test_grey_images_have_one_channel():
    assert LabelledImages(IMAGES[:, :1], LABELS, ()).images.shape == (2, 1, 4, 5)


@pytest.mark.parametrize(
    ("images", "labels", "words"),
    [
        (IMAGES.permute(0, 2, 3, 1), LABELS, r"permute\(0, 3, 1, 2\)"),
        (IMAGES.permute(0, 2, 3, 1).numpy(), LABELS, r"permute\(0, 3, 1, 2\)"),
        (IMAGES / 255, LABELS, r"float32 \[2, 3, 4, 5\]: .*\(images \* 255\).round\(\)"),
        (IMAGES[0], LABELS, r"N, 3, H, W\]; they are uint8 \[3, 4, 5\]"),
        (None, LABELS, "images can't be of type NoneType"),
        (IMAGES, LABELS[:1], r"int64 \[2\]; they are int64 \[1\]"),
        (IMAGES, LABELS.float(), "they are float32"),
        (IMAGES, LABELS.bool(), "they are bool"),
        (IMAGES, ["cat", "dog"], "labels can't be of type list"),
    ],
)
def test_an_error_says_what_images_and_labels_are(images, labels, words):
    with pytest.raises(DataError, match=words):
        LabelledImages(images, labels, ())
