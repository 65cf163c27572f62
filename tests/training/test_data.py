"""Training on a constructed set takes the set of its recipe, and measures on other images."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from explorer.classifiers import load
from explorer.datasets.constructed.build import build
from explorer.datasets.constructed.constructions import CONSTRUCTIONS
from explorer.datasets.constructed.plan import load_or_write_plan, make_plan
from explorer.datasets.labelled import DataError, LabelledImages
from explorer.images.gallery import samples
from explorer.images.geometry import resize_and_crop, to_uint8
from explorer.training.data import read_constructed
from explorer.training.recipes import TRAINING_RECIPES


@pytest.fixture(scope="module")
def d_det_set(tmp_path_factory):
    """D_det of a few gallery pictures, one step."""
    classifier = load("cifar10-standard")
    pictures = samples("cifar10")[:6]
    arrays = [to_uint8(resize_and_crop(sample.read(), (32, 32))) for sample in pictures]
    images = torch.stack([torch.from_numpy(array) for array in arrays])
    labels = torch.tensor([sample.label for sample in pictures])
    data = LabelledImages(images.permute(0, 3, 1, 2).contiguous(), labels, classifier.labels)
    folder = tmp_path_factory.mktemp("d_det")
    plan = load_or_write_plan(
        make_plan(replace(CONSTRUCTIONS["d_det"], steps=1), classifier, data, source="gallery"),
        folder,
        automatic=True,
    )
    assert build(plan, classifier, data, folder)
    return folder, labels


def test_the_labels_trained_on_are_those_of_the_set(d_det_set):
    folder, labels = d_det_set
    recipe = TRAINING_RECIPES["cifar10-d_det"]
    train, test, about = read_constructed(recipe, str(folder), str(folder))
    assert torch.equal(train.labels, (labels + 1) % 10)
    assert about["construction"]["steps"] == 1
    assert about["model"] == "cifar10-standard"
    assert len(test) == len(train)


def test_a_limit_takes_the_first_images(d_det_set):
    folder = str(d_det_set[0])
    recipe = replace(TRAINING_RECIPES["cifar10-d_det"], limit=2)
    train, _, _ = read_constructed(recipe, folder, folder)
    assert len(train) == 2


def test_another_set_is_refused(d_det_set):
    folder = str(d_det_set[0])
    with pytest.raises(DataError, match=r"trained on d_rand; .* holds d_det"):
        read_constructed(TRAINING_RECIPES["cifar10-d_rand"], folder, folder)


def test_each_set_has_a_classifier_and_d_det_is_trained_without_augmentation():
    constructions = {recipe.construction for recipe in TRAINING_RECIPES.values()}
    assert constructions == {None, *CONSTRUCTIONS}
    settings = TRAINING_RECIPES["cifar10-d_det"].hyperparameters
    assert (settings.crop, settings.flip) == (0, False)
