"""Weights of architectures whose first or last layer people have replaced."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torchvision import models

from explorer.classifiers import ClassifierError, load
from explorer.classifiers.user_model_card import UserModelCard
from explorer.classifiers.user_models import UserModels

MEAN, STD = (0.1307,), (0.3081,)


def resnet(head=None, channels=3):
    torch.manual_seed(0)
    network = models.resnet18(num_classes=4)
    if channels == 1:
        network.conv1 = nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False)
    if head is not None:
        network.fc = head
    return network.eval()


def card(name="mine", architecture="resnet18", **options):
    return UserModelCard(name, architecture, input_size=32, resize=32, **options)


def added(folder, network, **options):
    """The classifier on the CPU, after it was stored."""
    torch.save(network.state_dict(), folder / "w.pth")
    store = UserModels(folder / "models")
    store.add(card(**options), folder / "w.pth")
    return store.load("mine", torch.device("cpu"))


@pytest.mark.parametrize(
    "head",
    [
        nn.Sequential(nn.Dropout(0.5), nn.Linear(512, 3)),
        nn.Sequential(nn.Linear(512, 3), nn.Softmax(dim=1)),
    ],
)
def test_a_head_of_one_linear_layer_fits_whatever_stands_around_it(tmp_path, head):
    network = resnet(head)
    images = torch.rand(2, 3, 32, 32)
    classifier = added(tmp_path, network)
    assert classifier.labels == ("class 0", "class 1", "class 2")
    own = network((images - classifier._mean) / classifier._std)
    probabilities = own if isinstance(head[-1], nn.Softmax) else own.softmax(dim=1)
    assert torch.allclose(classifier(images).softmax(dim=1), probabilities, atol=1e-5)


def test_a_sequential_head_that_became_one_layer(tmp_path):
    network = models.mobilenet_v2(num_classes=4)
    network.classifier = nn.Linear(1280, 5)
    classifier = added(tmp_path, network, architecture="mobilenet_v2")
    assert torch.equal(classifier.module.classifier[1].weight, network.classifier.weight)


def test_a_head_of_two_linear_layers_does_not_fit(tmp_path):
    head = nn.Sequential(nn.Linear(512, 8), nn.ReLU(), nn.Linear(8, 3))
    with pytest.raises(ClassifierError, match=r"do not fit resnet18: tensors are missing .* fc"):
        added(tmp_path, resnet(head))


def test_a_first_layer_for_grey_images(tmp_path):
    network = resnet(channels=1)
    classifier = added(tmp_path, network, mean=MEAN, std=STD)
    images = torch.rand(2, 1, 32, 32)
    assert classifier.channels == 1
    own = network((images - MEAN[0]) / STD[0])
    assert torch.allclose(classifier(images), own, atol=1e-5)
    (entry,) = UserModels(tmp_path / "models").entries()
    assert entry.data == "4 classes of your own, 32×32, grey"


@pytest.mark.parametrize(
    ("channels", "options", "words"),
    [
        (1, {}, "these weights take grey images: give one number as mean"),
        (3, {"mean": MEAN, "std": STD}, "these weights take images in colour: give three numbers"),
    ],
)
def test_the_normalisation_must_be_for_as_many_channels(tmp_path, channels, options, words):
    with pytest.raises(ClassifierError, match=words):
        added(tmp_path, resnet(channels=channels), **options)


def test_a_published_name_has_no_normalisation_for_grey_images(tmp_path):
    network = models.resnet18()
    network.conv1 = nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False)
    torch.save(network.state_dict(), tmp_path / "w.pth")
    with pytest.raises(ClassifierError, match="take grey images, whose mean and standard deviat"):
        load("torchvision:resnet18", tmp_path / "w.pth", "cpu")


@pytest.mark.parametrize(("channels", "expected"), [(1, (0.5,)), (3, (0.5, 0.5, 0.5))])
def test_one_number_in_the_file_normalises_every_channel(tmp_path, channels, expected):
    state = {f"1.{name}": value for name, value in resnet(channels=channels).state_dict().items()}
    state |= {"0.mean": torch.tensor([0.5]), "0.std": torch.tensor([0.25])}
    torch.save(state, tmp_path / "w.pth")
    store = UserModels(tmp_path / "models")
    stored = store.add(card(), tmp_path / "w.pth")
    assert stored.mean == expected
    assert store.load("mine", torch.device("cpu")).mean == expected
