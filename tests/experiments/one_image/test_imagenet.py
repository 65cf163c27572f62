"""Real photographs, a real ImageNet classifier: what falls, what becomes a gibbon, and what survives the way back into the photograph."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from PIL import Image

from explorer.attacks import PGD
from explorer.attacks.threat import Threat
from explorer.classifiers import load
from explorer.experiments.one_image.attack_image import attack_image, predict
from explorer.experiments.one_image.full_photo import attack_full_photo
from explorer.experiments.one_image.recipe import Recipe
from explorer.images.decode import read
from explorer.images.geometry import Crop, resize_and_crop, view
from explorer.images.open import open_source
from tests.conftest import shared

GIBBON, PANDA = 368, 388


@pytest.fixture(scope="module")
def classifier():
    return load(
        "torchvision:squeezenet1_1", shared("weights", "squeezenet1_1-imagenet1k.safetensors")
    )


@pytest.fixture(scope="module")
def right(classifier):
    """The photographs it gets right: pixels and labels."""
    paths = sorted(shared("data", "imagenet-samples").glob("*.jpg"))
    images = torch.stack(
        [
            resize_and_crop(read(path).image, classifier.input_size, classifier.resize)
            for path in paths
        ]
    )
    labels = torch.tensor([int(path.name[:4]) for path in paths])
    correct = torch.tensor([each.index for each in predict(classifier, images)]) == labels
    return images[correct], labels[correct]


def attacked(classifier, images, labels, attack, target=None):
    """Rate of success over batches of eight."""
    fallen = 0
    for some, right in zip(images.split(8), labels.split(8), strict=True):
        targets = None if target is None else torch.full_like(right, target)
        fallen += int(attack(classifier, some, right, targets).success.sum())
    return fallen / len(images)


def test_most_photographs_are_right(right):
    assert len(right[0]) >= 40  # of 64


def test_untargeted_at_4_levels_at_least_95_percent_fall(classifier, right):
    assert attacked(classifier, *right, PGD(Threat("linf", 4 / 255), steps=20)) >= 0.95


def test_targeted_at_8_levels_they_become_gibbons(classifier, right, record_property):
    images, labels = right
    others = labels != GIBBON
    rate = attacked(
        classifier, images[others], labels[others], PGD(Threat("linf", 8 / 255), steps=40), GIBBON
    )
    record_property("gibbon rate", rate)
    assert rate >= 0.95


def test_the_panda_at_its_own_epsilon(classifier, panda):
    photo = read(panda).image
    recipe = Recipe(str(panda), classifier.name, "linf", 0.007, 40, target=GIBBON)
    pixels = resize_and_crop(photo, classifier.input_size, classifier.resize)
    pgd, fgsm = (
        attack_image(classifier, pixels, recipe),
        attack_image(classifier, pixels, recipe.fgsm()),
    )
    assert pgd.before.index == PANDA
    assert (pgd.after.index, pgd.success) == (GIBBON, True)
    assert pgd.linf <= 0.007 + 1e-6
    assert fgsm.linf == pytest.approx(0.007, abs=1e-6)  # one full step
    assert float(pgd.after.probabilities[GIBBON]) >= float(fgsm.after.probabilities[GIBBON])


@pytest.mark.parametrize("crop", [Crop(), Crop(0.2, 0.9, 1.25)])
def test_the_whole_photograph_fools_with_what_was_found_for_a_part(classifier, panda, crop):
    photo = read(panda).image
    recipe = Recipe(str(panda), classifier.name, "linf", 4 / 255, 40, target=GIBBON, crop=crop)
    report = attack_image(
        classifier, resize_and_crop(photo, classifier.input_size, classifier.resize, crop), recipe
    )
    found = attack_full_photo(photo, classifier, report)
    assert report.success
    assert found.success
    assert found.pasted.photo.size == photo.size
    assert (found.centre is None) == (crop == Crop())
    assert (
        report.linf < found.pasted.linf < 0.25
    )  # averaging takes more than ε of single pixels, and not without end


def test_the_answer_is_about_the_photograph_that_is_given(classifier, panda):
    """Not about the one the report came from: another photograph takes the change too, and is asked anew."""
    photo = read(panda).image
    recipe = Recipe(str(panda), classifier.name, "linf", 0.0, 1)
    report = attack_image(
        classifier, resize_and_crop(photo, classifier.input_size, classifier.resize), recipe
    )
    grey = attack_full_photo(Image.new("RGB", photo.size, "grey"), classifier, report)
    assert not report.success
    assert grey.after.index == PANDA  # its view became the panda's, whose pixels the report carries


def test_two_people_who_attack_different_classifiers_at_once_both_get_right_answers(classifier):
    """At once in two threads, and one after the other: the same bits. Each answer names its own classes."""
    small = load("cifar10-standard")
    jobs = {
        "photograph": (
            classifier,
            Recipe("gallery:panda", classifier.name, "linf", 2 / 255, 8, seed=3),
        ),
        "small": (small, Recipe("gallery:cifar10-00", small.name, "l2", 0.5, 60, seed=3)),
    }

    def run(name):
        model, recipe = jobs[name]
        return attack_image(model, view(open_source(recipe.image).image, model), recipe)

    alone = {name: run(name) for name in jobs}
    with ThreadPoolExecutor(max_workers=4) as pool:
        together = [(name, pool.submit(run, name)) for _ in range(3) for name in jobs]
        for name, found in together:
            report = found.result(timeout=120)
            assert report.recipe.result_digest == alone[name].recipe.result_digest
            assert report.names == jobs[name][0].labels
            assert report.success == alone[name].success
