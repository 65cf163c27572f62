"""Attacks on real photographs with a real ImageNet classifier."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from explorer.attacks import PGD, Threat
from explorer.classifiers import load
from explorer.experiments.one_image.attack_image import attack_image, predict
from explorer.experiments.one_image.recipe import Recipe
from explorer.images.geometry import preprocess
from explorer.images.open import open_image
from explorer.images.read import read_image
from tests.conftest import shared

GIBBON, PANDA = 368, 388


@pytest.fixture(scope="module")
def classifier():
    weights = shared("weights", "squeezenet1_1-imagenet1k.safetensors")
    return load("torchvision:squeezenet1_1", weights)


@pytest.fixture(scope="module")
def photographs(classifier):
    """Pixels and labels of the photographs that are classified correctly."""
    paths = sorted(shared("data", "imagenet-samples").glob("*.jpg"))
    images = torch.stack([preprocess(read_image(path).image, classifier) for path in paths])
    labels = torch.tensor([int(path.name[:4]) for path in paths])
    correct = torch.tensor([each.index for each in predict(classifier, images)]) == labels
    return images[correct], labels[correct]


def success_rate(classifier, images, labels, attack, target=None):
    """The rate over these images, which are attacked eight at once."""
    successes = 0
    for pixels, truth in zip(images.split(8), labels.split(8), strict=True):
        targets = None if target is None else torch.full_like(truth, target)
        successes += int(attack(classifier, pixels, truth, targets).success.sum())
    return successes / len(images)


def test_most_photographs_are_classified_correctly(photographs):
    assert len(photographs[0]) >= 40  # of 64


def test_untargeted_attacks_of_4_levels_fool_95_percent(classifier, photographs):
    images, labels = photographs
    attack = PGD(Threat("linf", 4 / 255), steps=5)
    assert success_rate(classifier, images[::2], labels[::2], attack) >= 0.95


def test_targeted_attacks_of_8_levels_make_95_percent_gibbons(
    classifier, photographs, record_property
):
    images, labels = photographs
    others = labels != GIBBON
    attack = PGD(Threat("linf", 8 / 255), steps=15)
    rate = success_rate(classifier, images[others][::2], labels[others][::2], attack, GIBBON)
    record_property("gibbon rate", rate)
    assert rate >= 0.95


def test_the_panda_at_the_epsilon_of_the_paper(classifier, panda):
    pixels = preprocess(read_image(panda).image, classifier)
    recipe = Recipe(str(panda), classifier.name, "linf", 0.007, 40, target=GIBBON)
    pgd = attack_image(classifier, pixels, recipe)
    fgsm = attack_image(classifier, pixels, recipe.fgsm())
    assert pgd.before.index == PANDA
    assert (pgd.after.index, pgd.success) == (GIBBON, True)
    assert pgd.linf <= 0.007 + 1e-6
    assert fgsm.linf == pytest.approx(0.007, abs=1e-6)  # one full step
    assert float(pgd.after.probabilities[GIBBON]) >= float(fgsm.after.probabilities[GIBBON])


def test_attacks_on_two_classifiers_at_once_give_the_same_bits_as_one_after_the_other(classifier):
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
        return attack_image(model, preprocess(open_image(recipe.image).image, model), recipe)

    alone = {name: run(name) for name in jobs}
    with ThreadPoolExecutor(max_workers=4) as pool:
        futures = [(name, pool.submit(run, name)) for _ in range(3) for name in jobs]
        for name, future in futures:
            report = future.result(timeout=120)
            assert report.recipe.result_digest == alone[name].recipe.result_digest
            assert report.names == jobs[name][0].labels
            assert report.success == alone[name].success
