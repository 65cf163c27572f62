"""AutoAttack on models whose robustness is known, and against its own evaluation loop."""

from __future__ import annotations

import pytest
import torch
from pyautoattack import AutoAttack as Library

from explorer.errors import UserError
from explorer.experiments.evaluation import auto_attack as module
from explorer.experiments.evaluation.auto_attack import (
    ATTACKS,
    NORMS,
    AutoAttack,
    auto_attack_accuracy,
)
from tests.small_models import grey_images, labels_of, linear_classifier, smooth_classifier


def bytes_of(images: torch.Tensor) -> torch.Tensor:
    return (images.clamp(0, 1) * 255).round().to(torch.uint8)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_a_linear_models_robust_accuracy_is_the_share_beyond_epsilon(norm: str) -> None:
    classifier, images = linear_classifier(classes=5), bytes_of(grey_images(30))
    pixels = images.float() / 255
    labels = labels_of(classifier, pixels)
    weight, logits = classifier.module.layer.weight.detach(), classifier(pixels).detach()
    gaps = logits.gather(1, labels[:, None]) - logits
    length = (weight[labels][:, None] - weight[None]).norm(p=2 if norm == "l2" else 1, dim=2)
    distance = (gaps / length).nan_to_num(float("inf"), float("inf")).amin(dim=1)
    epsilon = float(distance.median())
    attack = AutoAttack(norm, ATTACKS["apgd"], steps=20)
    result = auto_attack_accuracy(classifier, images, labels, attack, [epsilon, 0.0])
    expected = float((distance > epsilon).float().mean())
    attacked, clean = result.rows
    assert attacked.accuracy == pytest.approx(expected, abs=1.01 / 30)  # the one at the median
    assert clean.accuracy == 1.0
    assert sum(result.fooled.values()) == round((1 - attacked.accuracy) * 30)


def test_all_four_agree_with_the_librarys_own_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    classifier, images = smooth_classifier(), bytes_of(grey_images(12, spread=0.2))
    pixels = images.float() / 255
    labels, epsilon = labels_of(classifier, pixels), 0.05
    monkeypatch.setattr(module, "QUERIES", 300)
    state = torch.get_rng_state()
    result = auto_attack_accuracy(classifier, images, labels, AutoAttack("l2"), [epsilon])
    assert torch.equal(state, torch.get_rng_state())
    theirs = Library(classifier, eps=epsilon, norm=NORMS["l2"], seed=0)
    theirs.apgd_targeted.n_target_classes = theirs.fab.n_target_classes = 4
    theirs.square.n_queries = 300
    with torch.random.fork_rng():
        adversarial, _ = theirs.run_standard_evaluation(pixels, labels)
    robust = (labels_of(classifier, adversarial) == labels).float().mean()
    assert 0 < float(robust) < 1
    assert result.rows[0].accuracy == pytest.approx(float(robust))


def test_images_too_small_for_square_are_one_sentence() -> None:
    classifier = linear_classifier()
    images = torch.zeros(1, 3, 4, 4, dtype=torch.uint8)
    with pytest.raises(UserError, match="at least 5 × 5"):
        auto_attack_accuracy(classifier, images, torch.zeros(1).long(), AutoAttack("l2"), [0.1])


def test_few_classes_leave_the_targeted_dlr_loss_out() -> None:
    assert AutoAttack("l2").names_for(3) == ("APGD-CE", "FAB-T", "Square")
