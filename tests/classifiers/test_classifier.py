"""``Classifier``: its normalisation, features, digest and labels; and the small network."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from explorer.classifiers import Classifier, ClassifierError, load
from explorer.classifiers.small_net import CIFAR_NET, TINY_NET, SmallNet, whiten_stem
from explorer.experiments.evaluation.robust_accuracy import is_correct
from explorer.experiments.one_image.attack_image import attack_image, predict
from explorer.experiments.one_image.recipe import Recipe


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
    [
        ({"std": (0.5, 0.5, 0.0)}, "std above 0"),
        ({"mean": (0.5, 0.5)}, "three numbers"),
        ({"mean": (0.5,), "std": (0.5,) * 3}, "three numbers"),
        ({"mean": (0.5,) * 3, "channels": 1}, "one number each for grey"),
    ],
)
def test_impossible_normalisation_is_refused(options, words):
    with pytest.raises(ClassifierError, match=words):
        sums(**options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"labels": {"a", "b"}}, "labels can't be of type set; give a list of names in the order"),
        ({"labels": {0: "a", 2: "b"}}, "indices must be 0 to 1, each once"),
        ({"labels": {"a": "b", "c": "d"}}, "must map an index to each name"),
        ({"labels": {}}, "at least two labels; 0 given"),
        ({"labels": "labels.txt"}, "there is no file of labels labels.txt"),
        ({"channels": 2}, "channels can't be 2; give 3 for colour or 1"),
        ({"outputs": "softmax"}, "outputs can't be 'softmax'; give logits or probabilities"),
        ({"labels": "ab"}, "labels can't be of type str"),
        ({"labels": 2}, "labels can't be of type int"),
        ({"labels": ["a", None]}, "a label can't be of type NoneType"),
        ({"labels": ["a"]}, "at least two labels; 1 given"),
        ({"input_size": 32}, r"input_size can't be 32; give \(height, width\)"),
        ({"input_size": (3, 32, 32)}, "two whole numbers"),
        ({"input_size": (32.5, 32)}, "two whole numbers"),
        ({"input_size": (0, 32)}, "from 1 to 4096"),
        ({"input_size": (32, 4097)}, "from 1 to 4096"),
        ({"mean": 0.5}, "three numbers"),
        ({"std": (1, 1, float("nan"))}, "finite"),
        ({"mean": "123"}, "three numbers"),
        ({"interpolation": "nearest"}, "can't be 'nearest'; give bilinear or bicubic"),
        ({"resize": 4.5}, "resize can't be 4.5; give a whole number"),
        ({"resize": 3}, "from 4, the larger side of input_size, to 8192"),
        ({"resize": 9000}, "to 8192"),
        ({"name": 3}, "name must be text; it is of type int"),
        ({"title": ["x"]}, "title must be text"),
    ],
)
def test_arguments_that_cannot_be_used_are_one_sentence(options, words):
    with pytest.raises(ClassifierError, match=words):
        Classifier(Sums(), **{"labels": ["a", "b"], "input_size": (4, 4)} | options)


def test_numbers_of_numpy_and_torch_are_as_good_as_those_of_python():
    size, labels = np.array([4, 5]), np.arange(2)
    mean, std = torch.tensor([0.5, 0.25, 0.0]), np.full(3, 0.5)
    classifier = Classifier(Sums(), labels=labels, input_size=size, mean=mean, std=std, resize=5)
    assert (classifier.labels, classifier.input_size) == (("0", "1"), (4, 5))
    assert (classifier.mean, classifier.std) == ((0.5, 0.25, 0.0), (0.5, 0.5, 0.5))
    assert classifier.with_module(Sums()).mean == classifier.mean


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


def test_the_digest_follows_weights_that_were_written_through_data():
    classifier = load("cifar10-standard")
    before = classifier.digest
    for parameter in classifier.parameters():
        parameter.data.mul_(0.5)
    assert classifier.digest != before


@pytest.mark.parametrize(
    "labels",
    [
        {0: "cat", 1: "dog", 2: "owl"},
        {"1": "dog", "0": "cat", "2": "owl"},
        {"cat": 0, "owl": 2, "dog": 1},
        {np.int64(2): "owl", np.int64(0): "cat", np.int64(1): "dog"},
        np.array(["cat", "dog", "owl"]),
        ("cat", "dog", "owl"),
    ],
)
def test_labels_come_as_people_have_them(labels):
    module = nn.Sequential(nn.Flatten(), nn.Linear(48, 3))
    assert Classifier(module, labels=labels, input_size=(4, 4)).labels == ("cat", "dog", "owl")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.txt", "\ufeffcat\ndog\n\nowl\n"),
        ("labels.json", '["cat", "dog", "owl"]'),
        ("labels.json", '{"0": "cat", "1": "dog", "2": "owl"}'),
        ("config.json", '{"id2label": {"0": "cat", "1": "dog", "2": "owl"}, "depth": 3}'),
        ("index.json", '{"0": ["n1", "cat"], "1": ["n2", "dog"], "2": ["n3", "owl"]}'),
    ],
)
def test_labels_come_from_files(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    module = nn.Sequential(nn.Flatten(), nn.Linear(48, 3))
    for labels in (path, str(path)):
        assert Classifier(module, labels=labels, input_size=(4, 4)).labels == ("cat", "dog", "owl")
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ClassifierError, match="UTF-8"):
        Classifier(module, labels=path, input_size=(4, 4))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_another_type_does_not_round_the_normalisation(dtype):
    module = nn.Sequential(nn.Flatten(), nn.Linear(48, 3))
    labels = ["a", "b", "c"]
    classifier = Classifier(module, labels=labels, input_size=(4, 4), mean=(0.4914,) * 3)
    images = torch.rand(2, 3, 4, 4)
    expected = images - torch.tensor(0.4914)
    classifier.to(dtype)
    assert next(module.parameters()).dtype == dtype
    assert {buffer.dtype for buffer in classifier.buffers()} == {torch.float32}
    assert torch.equal(classifier.normalised(images), expected.to(dtype))
    assert classifier(images).dtype == torch.float32
    classifier.to("meta")
    assert classifier.device == torch.device("meta")


def test_predictions_leave_batch_norms_and_the_mode_as_they_were():
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.9), nn.Flatten(), nn.Linear(16, 3)
    )
    module[2].eval()
    classifier = Classifier(module, labels=["a", "b", "c"], input_size=(4, 4))
    state = copy.deepcopy(module.state_dict())
    images = torch.rand(8, 3, 4, 4)
    first = predict(classifier, images)
    is_correct(classifier, images, torch.zeros(8, dtype=torch.int64))
    attack_image(classifier, images[0], Recipe("x", "y", norm="linf", epsilon=0.1, steps=2))
    for before, after in zip(first, predict(classifier, images), strict=True):
        assert torch.equal(before.probabilities, after.probabilities)
    assert all(torch.equal(value, state[name]) for name, value in module.state_dict().items())
    parts = (classifier, module, module[1], module[2])
    assert [part.training for part in parts] == [True, True, True, False]
