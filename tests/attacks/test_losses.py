from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from explorer.attacks.losses import LOSSES, cross_entropy, dlr, margin

LOGITS = torch.randn(16, 7, generator=torch.Generator().manual_seed(0)) * 3
LABELS = torch.arange(16) % 7
TARGETS = (torch.arange(16) + 3) % 7


def test_cross_entropy_is_torchs():
    assert torch.allclose(
        cross_entropy(LOGITS, LABELS).value,
        F.cross_entropy(LOGITS, LABELS, reduction="none"),
        atol=1e-5,
    )
    targeted = cross_entropy(LOGITS, LABELS, TARGETS).value
    assert torch.allclose(targeted, -F.cross_entropy(LOGITS, TARGETS, reduction="none"), atol=1e-5)


@pytest.mark.parametrize("targets", [None, TARGETS])
def test_cross_entropys_gradient_is_scale_times_direction(targets):
    loss_value = cross_entropy(LOGITS, LABELS, targets)
    reference = LOGITS.clone().requires_grad_()
    loss = F.cross_entropy(reference, LABELS if targets is None else targets, reduction="sum")
    (theirs,) = torch.autograd.grad(loss if targets is None else -loss, reference)
    assert torch.allclose(loss_value.scale[:, None] * loss_value.logit_direction, theirs, atol=1e-6)


@pytest.mark.parametrize("gap", [20.0, 105.0, 500.0])
def test_cross_entropys_direction_survives_any_margin(gap):
    """Torch's own gradient is about e^-gap, which is 0 in float32 at 105."""
    direction = cross_entropy(torch.tensor([[gap, 0.0, -1.0]]), torch.tensor([0])).logit_direction
    expected = torch.tensor([[-1.0, *torch.softmax(torch.tensor([0.0, -1.0]), dim=0)]])
    assert torch.allclose(direction, expected, atol=1e-6)


def test_margin_is_positive_exactly_on_success():
    assert torch.equal(margin(LOGITS, LABELS).value > 0, LOGITS.argmax(1) != LABELS)
    assert torch.equal(margin(LOGITS, LABELS, TARGETS).value > 0, LOGITS.argmax(1) == TARGETS)


def test_dlr_by_hand_and_invariant_to_shift_and_scale():
    logits = torch.tensor([[5.0, 3.0, 2.0, 1.0]])
    assert torch.allclose(
        dlr(logits, torch.tensor([0])).value, torch.tensor([-(5.0 - 3.0) / (5.0 - 2.0)])
    )
    targeted = dlr(logits, torch.tensor([0]), torch.tensor([3])).value
    assert torch.allclose(targeted, torch.tensor([-(5.0 - 1.0) / (5.0 - (2.0 + 1.0) / 2)]))
    for targets in (None, TARGETS):
        assert torch.allclose(
            dlr(LOGITS, LABELS, targets).value,
            dlr(4 * LOGITS + 2, LABELS, targets).value,
            atol=1e-4,
        )


@pytest.mark.parametrize("loss", LOSSES)
def test_each_sample_has_its_own_value(loss):
    whole = LOSSES[loss](LOGITS, LABELS, None).value
    single = torch.cat(
        [LOSSES[loss](LOGITS[i : i + 1], LABELS[i : i + 1], None).value for i in range(16)]
    )
    assert torch.allclose(whole, single, atol=1e-5)
