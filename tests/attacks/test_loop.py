"""Walks that end early, and what they leave behind."""

import pytest
import torch
from torch import nn

from explorer.attacks import PGD
from explorer.attacks.threat import Threat
from explorer.classifiers import load


@pytest.mark.parametrize("restarts", [1, 3])
def test_a_walk_ends_only_where_the_classifier_itself_is_fooled(monkeypatch, restarts):
    """A copy that calls everything fooled from the start: the walk goes on until the classifier says so."""
    classifier = load("cifar10-standard")
    images = torch.rand(6, 3, 32, 32, generator=torch.Generator().manual_seed(3))
    labels = classifier(images).argmax(dim=1)

    class Lying(nn.Module):
        def forward(self, normalised):
            logits = classifier.module(normalised)
            return (
                logits - 100 * nn.functional.one_hot(labels.repeat(len(logits)), 10)[: len(logits)]
            )

    from explorer.attacks import pgd

    copied = classifier.with_module(nn.Sequential(Lying()))
    monkeypatch.setattr(
        pgd,
        "at_precision",
        lambda chosen, precision: (
            (chosen, precision) if precision == "float32" else (copied, "bfloat16")
        ),
    )
    attack = PGD(Threat("linf", 4 / 255), steps=5, until="fooled", restarts=restarts)
    result = attack(classifier, images, labels)
    assert result.success.all()
    assert torch.equal(result.success, classifier(result.adversarial).argmax(dim=1) != labels)
    assert (result.trace.kept > 0).any()  # the start did fool the copy
    assert torch.equal(result.trace.success_at_kept, result.success)
