"""The smallest ε: closed forms, what it promises, and other libraries' minimum-norm attacks."""

from __future__ import annotations

import warnings

import pytest
import torch

from explorer.attacks.threat import flat_norm
from explorer.datasets.labelled import LabelledImages
from explorer.engine import logits_of
from explorer.errors import Cancelled
from explorer.experiments.sweep import boundary_walk
from explorer.experiments.sweep import smallest_epsilon as module
from explorer.experiments.sweep.set_attack import SetAttack, pixels_of
from explorer.experiments.sweep.smallest_epsilon import smallest_epsilons
from explorer.ranks import Ranks
from tests.small_models import SIDE, grey_images, labels_of, linear_classifier

DUAL = {"linf": 1, "l2": 2}  # the norm of the weights that a distance is divided by


def labelled(images, labels) -> LabelledImages:
    return LabelledImages((images.clamp(0, 1) * 255).round().to(torch.uint8), labels, ())


def linear_problem(count: int, classes: int = 2):
    classifier = linear_classifier(classes=classes)
    data = labelled(grey_images(count), torch.zeros(count, dtype=torch.int64))
    return classifier, LabelledImages(
        data.images, labels_of(classifier, pixels_of(data.images)), classifier.labels
    )


def distances(classifier, data, norm):
    """min over the other classes of (z_y − z_j) / ‖w_y − w_j‖_dual."""
    logits = classifier(pixels_of(data.images)).detach()
    weight = classifier.module.layer.weight.detach()
    rows = []
    for row, label in zip(logits, data.labels, strict=True):
        slope = (weight[label] - weight).norm(p=DUAL[norm], dim=1)
        ratio = (row[label] - row) / slope
        rows.append(ratio[torch.arange(len(row)) != label].min())
    return torch.stack(rows)


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("classes", [2, 12])
def test_a_linear_models_smallest_epsilon_is_its_closed_form_to_one_percent(norm, classes):
    classifier, data = linear_problem(8, classes)
    result = smallest_epsilons(classifier, data, SetAttack(norm))
    exact = distances(classifier, data, norm)
    assert (result.epsilon / exact).tolist() == pytest.approx([1.0] * 8, abs=0.01)
    assert (result.epsilon >= exact * (1 - 1e-4)).all()  # it is an upper bound


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_each_epsilon_is_the_distance_of_an_image_that_is_misclassified(
    bundled_classifier, gallery_images, norm, monkeypatch
):
    monkeypatch.setattr(boundary_walk, "STEPS", 10)  # what holds of it holds after any number
    images, labels = gallery_images
    data = labelled(images[:2], labels[:2])
    result = smallest_epsilons(bundled_classifier, data, SetAttack(norm, steps=4))
    pixels = pixels_of(data.images)
    assert torch.equal(flat_norm(result.adversarial - pixels, norm), result.epsilon)
    predicted = logits_of(bundled_classifier, result.adversarial).argmax(dim=1)
    assert torch.equal(predicted, result.after)
    assert (predicted != data.labels).all()
    assert torch.equal(result.before, labels_of(bundled_classifier, pixels))
    assert result.adversarial.min() >= 0
    assert result.adversarial.max() <= 1


def test_a_misclassified_image_needs_nothing_and_a_constant_classifier_gives_in_to_nothing():
    classifier, data = linear_problem(3)
    wrong = LabelledImages(data.images, 1 - data.labels, data.names)
    result = smallest_epsilons(classifier, wrong, SetAttack("l2"))
    assert result.values == [0.0] * 3
    assert torch.equal(result.adversarial, pixels_of(data.images))
    constant = linear_classifier(scale=0.0)
    constant.module.layer.bias.data[:] = torch.tensor([1.0, 0.0])
    right = LabelledImages(data.images, torch.zeros(3, dtype=torch.int64), data.names)
    result = smallest_epsilons(constant, right, SetAttack("linf", steps=2))
    assert result.values == [None] * 3
    assert result.median is None


def test_the_median_counts_images_that_no_attack_fools_as_far_away():
    epsilon = torch.tensor([0.3, float("inf"), 0.1])
    result = module.SmallestEpsilons(epsilon, epsilon.long(), epsilon.long(), torch.zeros(0))
    assert result.median == pytest.approx(0.3)
    assert result.values[1] is None
    pair = torch.tensor([0.19, 0.23])
    assert module.SmallestEpsilons(pair, pair.long(), pair.long(), pair).median == pytest.approx(
        0.21
    )


def test_an_image_alone_has_the_result_that_it_has_among_others():
    classifier, data = linear_problem(4, classes=5)
    together = smallest_epsilons(classifier, data, SetAttack("l2"))
    alone = smallest_epsilons(classifier, data.take(torch.tensor([3])), SetAttack("l2"))
    assert float(alone.epsilon) == pytest.approx(float(together.epsilon[3]), rel=1e-5)


def test_several_ranks_have_the_batches_of_one_process(monkeypatch):
    from explorer.experiments.sweep import set_attack

    classifier, data = linear_problem(5)
    monkeypatch.setattr(set_attack, "BATCH_VALUES", 2 * 3 * 3 * SIDE * SIDE)
    alone = smallest_epsilons(classifier, data, SetAttack("l2", steps=3))
    shares: list[object] = []
    monkeypatch.setattr(Ranks, "gather", lambda self, value: shares.append(value) or [*shares])
    smallest_epsilons(classifier, data, SetAttack("l2", steps=3), ranks=Ranks(0, 2))
    both = smallest_epsilons(classifier, data, SetAttack("l2", steps=3), ranks=Ranks(1, 2))
    assert torch.equal(both.epsilon, alone.epsilon)
    assert torch.equal(both.adversarial, alone.adversarial)


def test_progress_ends_at_the_total_and_the_search_can_be_cancelled():
    classifier, data = linear_problem(2)
    calls: list[tuple[int, int]] = []
    smallest_epsilons(
        classifier, data, SetAttack("l2", steps=3), on_progress=lambda *call: calls.append(call)
    )
    assert calls[-1] == (module.MAX_ROUNDS, module.MAX_ROUNDS)
    assert calls == sorted(calls)
    with pytest.raises(Cancelled):
        smallest_epsilons(classifier, data, SetAttack("l2"), cancelled=lambda: True)


def test_no_larger_in_the_median_than_foolboxs_ddn_of_100_steps(bundled_classifier, gallery_images):
    """The same with FMN, with adversarial-library and on 100 images was measured once."""
    foolbox = pytest.importorskip("foolbox")
    images, labels = gallery_images[0][:3], gallery_images[1][:3]
    model = foolbox.PyTorchModel(bundled_classifier, bounds=(0, 1), device="cpu")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, theirs, success = foolbox.attacks.DDNAttack(steps=100)(
            model, images, labels, epsilons=None
        )
    assert bool(success.all())
    result = smallest_epsilons(bundled_classifier, labelled(images, labels), SetAttack("l2"))
    # Another processor rounds in another way, which moved single images by 0.1 %.
    ratios = result.epsilon / flat_norm(theirs - images, "l2")
    assert float(ratios.median()) <= 1.01
