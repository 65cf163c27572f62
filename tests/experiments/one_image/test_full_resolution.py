"""The change at the full size of a photograph, with a real ImageNet classifier."""

from __future__ import annotations

import pytest
from PIL import Image

from explorer.classifiers import load
from explorer.experiments.one_image.attack_image import attack_image
from explorer.experiments.one_image.full_resolution import apply_at_full_resolution
from explorer.experiments.one_image.recipe import Recipe
from explorer.images.geometry import Crop, preprocess
from explorer.images.read import read_image

GIBBON, PANDA = 368, 388


@pytest.fixture
def classifier(squeezenet):
    return load("torchvision:squeezenet1_1", squeezenet)


@pytest.mark.parametrize("crop", [Crop(), Crop(0.2, 0.9, 1.25)])
def test_the_full_photograph_fools_the_classifier_like_the_crop(classifier, panda, crop):
    photo = read_image(panda).image
    recipe = Recipe(str(panda), classifier.name, "linf", 4 / 255, 40, target=GIBBON, crop=crop)
    report = attack_image(classifier, preprocess(photo, classifier, crop), recipe)
    full = apply_at_full_resolution(photo, classifier, report)
    assert report.success
    assert full.success
    assert full.full_resolution.photo.size == photo.size
    assert (full.centre is None) == (crop == Crop())
    # Scaling averages pixels, so that single pixels change by more than ε, within reason.
    assert report.linf < full.full_resolution.linf < 0.25


def test_the_photograph_is_classified_again(classifier, panda):
    """Another photograph, changed to give the panda's crop, is classified as a panda."""
    photo = read_image(panda).image
    recipe = Recipe(str(panda), classifier.name, "linf", 0.0, 1)
    report = attack_image(classifier, preprocess(photo, classifier), recipe)
    grey = apply_at_full_resolution(Image.new("RGB", photo.size, "grey"), classifier, report)
    assert not report.success
    assert grey.after.index == PANDA
