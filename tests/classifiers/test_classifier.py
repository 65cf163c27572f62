"""``Classifier``: its normalisation, features, digest and labels; and the small network."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from explorer.classifiers import Classifier, ClassifierError
from explorer.classifiers.small_net import CIFAR_NET, TINY_NET, SmallNet, whiten_stem


class Sums(nn.Module):
    """Two logits: the sum of the normalised input, and its negative."""

    def forward(self, x):
        total = x.flatten(1).sum(dim=1)
        return torch.stack([total, -total], dim=1)


def sums(**options):
    return Classifier(Sums(), labels=["light", "dark"], input_size=(4, 4), **options)


def test_the_classifier_normalises_its_images():
    classifier = sums(mean=(0.5, 0.25, 0.0), std=(0.5, 0.5, 2.0))
    image = torch.ones(1, 3, 4, 4) * torch.tensor([1.0, 0.5, 1.0]).view(1, 3, 1, 1)
    # 16 pixels of (0.5 / 0.5, 0.25 / 0.5, 1 / 2)
    assert torch.allclose(classifier(image), torch.tensor([[32.0, -32.0]]))


def test_features_are_the_input_of_the_last_linear_layer():
    module = nn.Sequential(nn.Flatten(), nn.Linear(48, 7), nn.ReLU(), nn.Linear(7, 2))
    classifier = Classifier(module, labels=["a", "b"], input_size=(4, 4))
    images = torch.rand(5, 3, 4, 4)
    features = classifier.features(images)
    assert features.shape == (5, 7)
    assert torch.allclose(module[3](features), classifier(images))


def test_features_of_the_small_network_feed_its_head():
    net = SmallNet(CIFAR_NET).eval()
    classifier = Classifier(net, labels=list("abcdefghij"), input_size=(32, 32))
    images = torch.rand(2, 3, 32, 32)
    assert classifier.features(images).shape == (2, 256)
    assert torch.allclose(net.head(classifier.features(images)) / 9, classifier(images), atol=1e-6)


def test_features_without_a_linear_layer_are_refused():
    with pytest.raises(ClassifierError, match="no linear layer"):
        sums().features(torch.rand(1, 3, 4, 4))


def test_labels_that_do_not_fit_the_network_are_an_error():
    with pytest.raises(ClassifierError, match=r"returned \[1, 2\] for 1 images; its 3 labels need"):
        Classifier(Sums(), labels=["a", "b", "c"], input_size=(4, 4))(torch.rand(1, 3, 4, 4))


@pytest.mark.parametrize(
    ("options", "words"),
    [({"std": (0.5, 0.5, 0.0)}, "std above 0"), ({"mean": (0.5,)}, "three numbers")],
)
def test_impossible_normalisation_is_refused(options, words):
    with pytest.raises(ClassifierError, match=words):
        sums(**options)


def test_the_digest_depends_on_every_weight_and_on_nothing_else():
    a, b = nn.Linear(3, 2), nn.Linear(3, 2)
    b.load_state_dict(a.state_dict())
    first = Classifier(a, labels=["a", "b"], input_size=(1, 1), mean=(0.5,) * 3, name="first")
    second = Classifier(b, labels=["c", "d"], input_size=(2, 2))
    assert first.digest == second.digest
    with torch.no_grad():
        b.weight[1, 2] += 1e-3
    assert first.digest != second.digest


def test_the_digest_follows_weights_that_change():
    classifier = Classifier(nn.Linear(3, 2), labels=["a", "b"], input_size=(1, 1))
    digest, state = classifier.digest, copy.deepcopy(classifier.state_dict())
    digests = [digest]
    for change in (
        lambda: classifier.load_state_dict({name: -v for name, v in state.items()}),
        lambda: classifier.to(torch.float64),
        lambda: classifier.half().float(),
        lambda: setattr(classifier.module, "weight", nn.Parameter(torch.ones(2, 3))),
    ):
        change()
        digests.append(classifier.digest)
    assert len(set(digests)) == len(digests)
    classifier.load_state_dict(state)
    assert classifier.digest == digest


def test_a_label_is_found_by_name_or_index():
    classifier = sums()
    assert (classifier.find_label("Dark"), classifier.find_label(0)) == (1, 0)
    with pytest.raises(ClassifierError, match="custom has no class 'zebra'"):
        classifier.find_label("zebra")


@pytest.mark.parametrize(("config", "size"), [(CIFAR_NET, 32), (TINY_NET, 64), (TINY_NET, 48)])
def test_the_shape_of_small_networks(config, size):
    net = SmallNet(config).eval()
    assert net(torch.rand(2, 3, size, size)).shape == (2, config.classes)


def test_whitening_makes_the_stems_outputs_uncorrelated_with_variance_one():
    generator = torch.Generator().manual_seed(0)
    base = torch.randn(200, 1, 32, 32, generator=generator)
    images = torch.cat(
        [base + 0.5 * torch.randn(200, 1, 32, 32, generator=generator) for _ in range(3)], dim=1
    )
    net = SmallNet(CIFAR_NET)
    whiten_stem(net, images, epsilon=0.0)
    with torch.no_grad():
        out = net.stem(images)[:, :12, ::2, ::2].permute(0, 2, 3, 1).reshape(-1, 12)
    assert torch.allclose(torch.cov(out.T), torch.eye(12), atol=0.05)
    assert torch.equal(net.stem.weight[12:], -net.stem.weight[:12])
