"""Step for step the same as other libraries on a real network, and by our defaults no weaker."""

from __future__ import annotations

import pytest
import torch

from explorer.attacks import PGD, fgsm
from explorer.attacks.threat import Threat

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


def _foolbox(real, norm, images, labels, steps, step_size, random_start=False):
    foolbox = pytest.importorskip("foolbox")
    model = foolbox.PyTorchModel(_module(real), bounds=(0, 1), device="cpu")
    kind = foolbox.attacks.LinfPGD if norm == "linf" else foolbox.attacks.L2PGD
    attack = kind(steps=steps, abs_stepsize=step_size, random_start=random_start)
    _, clipped, success = attack(model, images, labels, epsilons=EPSILON[norm])
    return clipped, success


def _torchattacks(real, norm, images, labels, steps, step_size, random_start=False):
    torchattacks = pytest.importorskip("torchattacks")
    kind = torchattacks.PGD if norm == "linf" else torchattacks.PGDL2
    attack = kind(
        _module(real), eps=EPSILON[norm], alpha=step_size, steps=steps, random_start=random_start
    )
    return attack(images, labels)


def _module(real):
    """torchattacks wants a module with parameters that takes pixels."""

    class Pixels(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = real.module

        def forward(self, images):
            return real(images)

    return Pixels().eval()


def _close(ours, theirs, norm):
    """Libraries round differently; a sign flips where a gradient is zero to the last bit, and that pixel then differs."""
    differing = ((ours - theirs).abs() > 1e-4).float().mean()
    assert differing < (0.02 if norm == "linf" else 0.005), f"{differing:.2%} of the values differ"


@pytest.mark.parametrize("norm", EPSILON)
@pytest.mark.parametrize("steps", [1, 5])
@pytest.mark.parametrize("peer", [_foolbox, _torchattacks])
def test_textbook_settings_match_peers(real, pictures, norm, steps, peer):
    images, labels = pictures
    result = textbook(norm, steps)(real, images, labels)
    theirs = peer(real, norm, images, labels, steps, STEP[norm])
    # Where cross-entropy's gradient is about as small as the constant torchattacks adds to its norm, its steps shrink.
    steep = result.trace.gradient_norm.amin(dim=0) > 1e-4
    assert steep.sum() >= 10
    _close(
        result.adversarial[steep], (theirs[0] if isinstance(theirs, tuple) else theirs)[steep], norm
    )


def test_fgsm_matches_foolbox(real, pictures):
    foolbox = pytest.importorskip("foolbox")
    images, labels = pictures
    model = foolbox.PyTorchModel(_module(real), bounds=(0, 1), device="cpu")
    _, theirs, _ = foolbox.attacks.LinfFastGradientAttack(random_start=False)(
        model, images, labels, epsilons=2 / 255
    )
    _close(fgsm(Threat("linf", 2 / 255))(real, images, labels).adversarial, theirs, "linf")


@pytest.mark.parametrize("norm", EPSILON)
@pytest.mark.parametrize("share", [0.3, 0.6])
def test_our_defaults_leave_no_more_robust_than_peers_do(real, pictures, norm, share):
    images, labels = pictures
    steps = 10
    EPS = {k: v * share for k, v in EPSILON.items()}
    ours = PGD(Threat(norm, EPS[norm]), steps=steps)(real, images, labels)
    torch.manual_seed(0)
    for step in (EPS[norm] / 4, EPS[norm] / 10):
        foolbox = pytest.importorskip("foolbox")
        model = foolbox.PyTorchModel(_module(real), bounds=(0, 1), device="cpu")
        kind = foolbox.attacks.LinfPGD if norm == "linf" else foolbox.attacks.L2PGD
        _, _, success = kind(steps=steps, abs_stepsize=step)(
            model, images, labels, epsilons=EPS[norm]
        )
        assert ours.success.sum() >= success.sum()
