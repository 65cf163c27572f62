"""A universal perturbation where the best one is known, and on real images."""

from __future__ import annotations

import pytest
import torch

from explorer.attacks import AttackError
from explorer.classifiers import load
from explorer.datasets.labelled import DataError, LabelledImages
from explorer.engine import gradient_model
from explorer.errors import Cancelled
from explorer.experiments.fitting_images import ImageSource, read_fitting_images
from explorer.experiments.sweep.image_set import gallery_set
from explorer.experiments.universal import (
    FIRST_STEP,
    LOSS_LIMIT,
    UniversalAttack,
    clipped_gradient,
    fit_universal,
    random_change,
    universal,
)
from explorer.experiments.universal_recipe import UniversalRecipe, universal_rows
from explorer.files import shared_folder
from tests.small_models import SIDE, linear_classifier, smooth_classifier

LOSSLESS = shared_folder() / "data" / "cifar10" / "train-lossless-2000.parquet"


def images_of(classifier, label: int, count: int = 12) -> LabelledImages:
    """Images near mid-grey that a linear classifier gives this label with little confidence."""
    generator = torch.Generator().manual_seed(3)
    noise = torch.randn(40 * count, 3, SIDE, SIDE, generator=generator)
    levels = (127.5 + noise).round().clamp(0, 255).to(torch.uint8)
    chosen = levels[classifier(levels.float() / 255).argmax(dim=1) == label][:count]
    assert len(chosen) == count
    return LabelledImages(chosen, torch.full((count,), label), classifier.labels)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_on_a_linear_model_every_step_goes_the_known_way(norm):
    """The gradient of all images of a class points along the difference of two rows of W."""
    classifier = linear_classifier(scale=0.02)
    data = images_of(classifier, label=0)
    attack = UniversalAttack(norm, 0.05, steps=8, batch=5, precision="float32")
    delta = fit_universal(classifier, data, attack)
    weight = classifier.module.layer.weight
    towards = (weight[1] - weight[0]).reshape(delta.shape)
    unit = towards.sign() if norm == "linf" else towards / towards.norm()
    # The steps 0.25 ε (1 − t/8), t = 0 … 7, add up to more than ε: they end on the ball.
    assert sum(FIRST_STEP * (1 - step / 8) for step in range(8)) > 1
    torch.testing.assert_close(delta, 0.05 * unit, atol=1e-6, rtol=1e-5)


def test_an_image_whose_loss_is_at_the_limit_gives_no_gradient():
    classifier = linear_classifier(scale=60.0)
    data = images_of(classifier, label=0)
    pixels = data.images.float() / 255
    wrong = 1 - data.labels
    leaf = pixels.clone().requires_grad_(True)
    loss = torch.nn.functional.cross_entropy(classifier(leaf), wrong, reduction="none")
    loss.clamp(max=LOSS_LIMIT).sum().backward()
    assert bool((loss > LOSS_LIMIT).any())
    surrogate, _ = gradient_model(classifier, "float32")
    torch.testing.assert_close(clipped_gradient(surrogate, pixels, wrong), leaf.grad)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_it_is_in_the_ball_and_the_same_every_time(norm):
    classifier = smooth_classifier()
    data = LabelledImages(
        torch.randint(0, 256, (9, 3, SIDE, SIDE), generator=torch.Generator().manual_seed(0)).to(
            torch.uint8
        ),
        torch.arange(9) % 5,
        classifier.labels,
    )
    attack = UniversalAttack(norm, 0.1, steps=6, batch=4, seed=7)
    first = fit_universal(classifier, data, attack)
    torch.manual_seed(1)
    assert torch.equal(first, fit_universal(classifier, data, attack))
    noise = random_change(attack, first.shape)
    for change in (first, noise):
        size = change.abs().max() if norm == "linf" else change.norm()
        assert float(size) <= 0.1 + 1e-6
    assert float(noise.abs().max() if norm == "linf" else noise.norm()) == pytest.approx(0.1)


def test_it_can_be_cancelled_and_says_how_far_it_is():
    classifier = linear_classifier()
    data = images_of(classifier, 0, count=2)
    with pytest.raises(Cancelled):
        fit_universal(classifier, data, UniversalAttack("l2", 0.1), cancelled=lambda: True)
    steps: list[tuple[int, int]] = []
    universal(
        {"one": classifier, "two": classifier},
        data,
        {"one": data, "two": data},
        UniversalAttack("l2", 0.1, steps=3),
        on_step=lambda *step: steps.append(step),
    )
    assert steps == [(done, 7) for done in range(1, 8)]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"epsilon": 2.0}, "must not exceed 255/255"),
        ({"epsilon": -0.1}, "at least 0"),
        ({"steps": 0}, "steps must be"),
        ({"batch": 10**6}, "batch must be"),
    ],
)
def test_settings_that_can_not_be_used_are_refused(settings, words):
    with pytest.raises(AttackError, match=words):
        UniversalAttack(**{"norm": "linf", "epsilon": 0.1, **settings})


def test_classifiers_of_other_sizes_are_refused():
    classifier = linear_classifier()
    data = images_of(classifier, 0, count=2)
    models = {"linear": classifier, "other": load("cifar10-standard", device="cpu")}
    with pytest.raises(AttackError, match="another size"):
        universal(models, data, {"linear": data}, UniversalAttack("l2", 0.1))


def test_the_images_to_score_on_are_others_than_those_to_fit_to(tmp_path):
    classifiers = {"cifar10-standard": load("cifar10-standard", device="cpu")}
    whole = gallery_set(*classifiers.values(), "cifar10").data
    fit, others = read_fitting_images(ImageSource("gallery", fit=8), classifiers)
    rest = others["cifar10-standard"]
    assert torch.equal(fit.images, whole.images[:8])
    assert torch.equal(rest.images, whole.images[8:])
    half, _ = read_fitting_images(ImageSource("gallery"), classifiers)
    assert len(half) == len(whole) // 2
    with pytest.raises(DataError, match="lower --fit"):
        read_fitting_images(ImageSource("gallery", fit=len(whole)), classifiers)


def test_one_perturbation_of_the_bundled_images_fools_more_than_noise():
    """250 images of D_NR, made from noise, are enough to fool it on photographs."""
    classifiers = {"cifar10-standard": load("cifar10-standard", device="cpu")}
    source = ImageSource()
    attack = UniversalAttack("linf", 16 / 255, steps=20, batch=40)
    result = universal(classifiers, *read_fitting_images(source, classifiers), attack)
    assert result.fitted == 250
    (share,), (noise,) = result.shares, result.noise
    assert share.n == noise.n > 10
    assert share.fooled > noise.fooled
    recipe = UniversalRecipe(tuple(classifiers), attack, source).with_surroundings(classifiers)
    words = recipe.command().split()
    assert words[3:6] == ["universal", "--model", "cifar10-standard"]
    assert "16/255" in words
    assert universal_rows(result)[0]["n"] == share.n


@pytest.mark.skipif(not LOSSLESS.is_file(), reason=f"{LOSSLESS} is missing: real CIFAR-10 images")
def test_fitted_to_real_images_it_changes_the_answer_on_half_of_the_others():
    """The full measure is in assets/perturbations; here fewer images and steps suffice."""
    classifiers = {"cifar10-standard": load("cifar10-standard", device="cpu")}
    source = ImageSource(str(LOSSLESS), fit=300, limit=200)
    attack = UniversalAttack("linf", 8 / 255, steps=16, batch=40)
    result = universal(classifiers, *read_fitting_images(source, classifiers), attack)
    (share,) = result.shares
    assert share.n > 150
    assert share.rate is not None
    assert share.rate >= 0.5
