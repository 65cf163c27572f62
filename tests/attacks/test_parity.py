"""Step for step the same as other libraries on a real network, and by our defaults no weaker."""

from __future__ import annotations

import pytest
import torch

from explorer.attacks import PGD, Threat
from tests.small_models import fgsm

EPSILON = {"linf": 4 / 255, "l2": 0.25}
STEP = {"linf": 1 / 255, "l2": 0.1}


def textbook(norm, steps):
    return PGD(
        Threat(norm, EPSILON[norm]),
        steps=steps,
        step_size=STEP[norm],
        random_start=False,
        keep="last",
        precision="float32",
    )


def _foolbox(bundled_classifier, norm, images, labels, steps, step_size, random_start=False):
    foolbox = pytest.importorskip("foolbox")
    model = foolbox.PyTorchModel(bundled_classifier, bounds=(0, 1), device="cpu")
    kind = foolbox.attacks.LinfPGD if norm == "linf" else foolbox.attacks.L2PGD
    attack = kind(steps=steps, abs_stepsize=step_size, random_start=random_start)
    _, clipped, success = attack(model, images, labels, epsilons=EPSILON[norm])
    return clipped, success


def _torchattacks(bundled_classifier, norm, images, labels, steps, step_size, random_start=False):
    torchattacks = pytest.importorskip("torchattacks")
    kind = torchattacks.PGD if norm == "linf" else torchattacks.PGDL2
    attack = kind(
        bundled_classifier,
        eps=EPSILON[norm],
        alpha=step_size,
        steps=steps,
        random_start=random_start,
    )
    return attack(images, labels)


def _close(ours, theirs, norm):
    """Libraries round differently: a sign flips where a gradient is zero to the last bit."""
    differing = ((ours - theirs).abs() > 1e-4).float().mean()
    assert differing < (0.02 if norm == "linf" else 0.005), f"{differing:.2%} of the values differ"


@pytest.mark.parametrize("norm", EPSILON)
@pytest.mark.parametrize("steps", [1, 5])
@pytest.mark.parametrize("baseline", [_foolbox, _torchattacks])
def test_textbook_settings_match_other_libraries(
    bundled_classifier, gallery_images, norm, steps, baseline
):
    images, labels = gallery_images
    result = textbook(norm, steps)(bundled_classifier, images, labels)
    theirs = baseline(bundled_classifier, norm, images, labels, steps, STEP[norm])
    # torchattacks adds a constant to the gradient's norm: its steps shrink where that is as small.
    steep = result.trace.gradient_norm.amin(dim=0) > 1e-4
    assert steep.sum() >= 10
    _close(
        result.adversarial[steep], (theirs[0] if isinstance(theirs, tuple) else theirs)[steep], norm
    )


def test_fgsm_matches_foolbox(bundled_classifier, gallery_images):
    foolbox = pytest.importorskip("foolbox")
    images, labels = gallery_images
    model = foolbox.PyTorchModel(bundled_classifier, bounds=(0, 1), device="cpu")
    _, theirs, _ = foolbox.attacks.LinfFastGradientAttack(random_start=False)(
        model, images, labels, epsilons=2 / 255
    )
    _close(
        fgsm(Threat("linf", 2 / 255))(bundled_classifier, images, labels).adversarial,
        theirs,
        "linf",
    )


@pytest.mark.parametrize("norm", EPSILON)
@pytest.mark.parametrize("share", [0.3, 0.6])
def test_our_defaults_leave_no_more_robust_than_other_libraries_do(
    bundled_classifier, gallery_images, norm, share
):
    images, labels = gallery_images
    steps = 10
    epsilon = EPSILON[norm] * share
    ours = PGD(Threat(norm, epsilon), steps=steps)(bundled_classifier, images, labels)
    torch.manual_seed(0)
    for step in (epsilon / 4, epsilon / 10):
        foolbox = pytest.importorskip("foolbox")
        model = foolbox.PyTorchModel(bundled_classifier, bounds=(0, 1), device="cpu")
        kind = foolbox.attacks.LinfPGD if norm == "linf" else foolbox.attacks.L2PGD
        _, _, success = kind(steps=steps, abs_stepsize=step)(
            model, images, labels, epsilons=epsilon
        )
        assert ours.success.sum() >= success.sum()
