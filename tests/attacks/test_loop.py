"""Attacks that stop on success, and what they return."""

import pytest
import torch

from explorer.attacks import PGD, Threat
from explorer.attacks import pgd as pgd_module
from explorer.classifiers import load
from tests.networks import LyingModel


@pytest.mark.parametrize("restarts", [1, 3])
def test_an_attack_stops_only_where_the_classifier_itself_is_fooled(monkeypatch, restarts):
    """A copy sees every image fooled from the start: the attack goes on until the classifier is."""
    classifier = load("cifar10-standard", device="cpu")
    images = torch.rand(6, 3, 32, 32, generator=torch.Generator().manual_seed(3))
    labels = classifier(images).argmax(dim=1)
    lying = LyingModel(classifier, labels)
    monkeypatch.setattr(pgd_module, "gradient_model", lying.instead_of_a_copy)
    attack = PGD(Threat("linf", 4 / 255), steps=5, stop_on_success=True, restarts=restarts)
    result = attack(classifier, images, labels)
    assert result.success.all()
    assert torch.equal(result.success, classifier(result.adversarial).argmax(dim=1) != labels)
    assert (result.trace.kept > 0).any()  # the start did fool the copy
    assert torch.equal(result.trace.success_at_kept, result.success)
