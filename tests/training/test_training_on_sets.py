"""Training on a constructed set takes the set it is named after, and is measured on something else."""

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
from explorer.training.recipes import TRAINING_RECIPES, read_built


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """D_det of a few gallery pictures, one step."""
    classifier = load("cifar10-standard")
    chosen = samples("cifar10")[:6]
    pictures = [
        torch.from_numpy(to_uint8(resize_and_crop(sample.read(), (32, 32)))) for sample in chosen
    ]
    labels = torch.tensor([sample.label for sample in chosen])
    data = LabelledImages(
        torch.stack(pictures).permute(0, 3, 1, 2).contiguous(), labels, classifier.labels
    )
    folder = tmp_path_factory.mktemp("d_det")
    plan = load_or_write_plan(
        make_plan(replace(CONSTRUCTIONS["d_det"], steps=1), classifier, data, source="gallery"),
        folder,
        automatic=True,
    )
    assert build(plan, classifier, data, folder)
    return folder, labels


def test_the_labels_trained_on_are_those_of_the_set(built):
    folder, labels = built
    train, test, about = read_built(TRAINING_RECIPES["cifar10-d_det"], str(folder), str(folder))
    assert torch.equal(train.labels, (labels + 1) % 10)
    assert about["construction"]["steps"] == 1
    assert about["model"] == "cifar10-standard"
    assert len(test) == len(train)


def test_a_limit_takes_the_first_images(built):
    train, _, _ = read_built(
        replace(TRAINING_RECIPES["cifar10-d_det"], limit=2), str(built[0]), str(built[0])
    )
    assert len(train) == 2


def test_another_set_is_refused(built):
    with pytest.raises(DataError, match=r"trained on d_rand; .* holds d_det"):
        read_built(TRAINING_RECIPES["cifar10-d_rand"], str(built[0]), str(built[0]))


def test_each_set_has_a_classifier_and_d_det_is_trained_without_augmentation():
    assert {bundle.built for bundle in TRAINING_RECIPES.values()} == {None, *CONSTRUCTIONS}
    recipe = TRAINING_RECIPES["cifar10-d_det"].recipe
    assert (recipe.crop, recipe.flip) == (0, False)
