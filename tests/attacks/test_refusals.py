"""Settings, inputs and models with which no attack is possible: one sentence each."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from explorer.attacks import PGD, AttackError, Threat
from explorer.classifiers import Classifier
from explorer.engine import NoGradientError
from tests.small_models import any_images, linear_classifier


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"steps": 0}, "from 1 to"),
        ({"steps": 1_000_000}, "from 1 to 10,000"),
        ({"steps": 2.5}, "whole number"),
        ({"restarts": 0}, "restarts"),
        ({"restarts": 3, "random_start": False}, "random start"),
        ({"step_size": -0.1}, "at least 0"),
        ({"step_size": float("nan")}, "at least 0"),
        ({"loss": "mse"}, "ce, cw, dlr"),
        ({"keep": "first"}, "best, last"),
        ({"precision": "int8"}, "auto, float32"),
    ],
)
def test_impossible_settings_are_refused(options, words):
    with pytest.raises(AttackError, match=words):
        PGD(Threat("linf", 0.1), **options)


def test_impossible_inputs_are_refused():
    classifier, images = linear_classifier(), any_images(2)
    labels = torch.tensor([0, 1])
    attack = PGD(Threat("linf", 0.1), steps=1)
    for bad, words in (
        ((images * 255, labels), r"\[0, 1\]"),
        ((images[0], labels), "N, 3, H, W"),
        ((images, labels.float()), "int64"),
        ((images, torch.tensor([0, 7])), "0 to 1"),
        ((images, labels, torch.tensor([0])), "targets"),
    ):
        with pytest.raises(AttackError, match=words):
            attack(classifier, *bad)
    with pytest.raises(AttackError, match="more classes"):
        PGD(Threat("linf", 0.1), loss="dlr")(classifier, images, labels)
    with pytest.raises(AttackError, match="3 values for 2"):
        PGD(Threat("linf", torch.ones(3) / 9))(classifier, images, labels)


def test_a_model_without_a_gradient_or_with_broken_logits_is_one_sentence():
    class Hard(nn.Module):
        def forward(self, images):
            return images.flatten(1)[:, :3].detach().round()

    class Broken(nn.Module):
        def forward(self, images):
            return images.flatten(1)[:, :3] * float("nan")

    images, labels = any_images(2), torch.tensor([0, 1])
    attack = PGD(Threat("linf", 0.1))
    for module, error, words in (
        (Hard(), NoGradientError, "not differentiable"),
        (Broken(), AttackError, "not finite"),
    ):
        classifier = Classifier(module, labels=["a", "b", "c"], input_size=(6, 6))
        with pytest.raises(error, match=words):
            attack(classifier, images, labels)
