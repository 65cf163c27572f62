"""What people pass to an attack: a value where it is exact, else one sentence."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from explorer.attacks import PGD, AttackError, Threat
from explorer.classifiers import Classifier
from tests.small_models import any_images, labels_of, smooth_classifier

N = 4


@pytest.fixture
def attacked():
    """A classifier, images and labels, and the adversarial images of the attack below."""
    classifier, images = smooth_classifier(), any_images(N)
    labels = labels_of(classifier, images)
    return classifier, images, labels, attack()(classifier, images, labels).adversarial


def attack(epsilon=8 / 255, **settings):
    return PGD(Threat("linf", epsilon), **{"steps": 5, **settings})


@pytest.mark.parametrize("whole", [np.int64, np.int8, np.uint16, torch.tensor, np.array])
def test_whole_numbers_of_other_libraries_are_whole_numbers(attacked, whole):
    classifier, images, labels, expected = attacked
    settings = attack(steps=whole(5), restarts=whole(1), seed=whole(0))
    assert type(settings.steps) is type(settings.restarts) is type(settings.seed) is int
    assert torch.equal(settings(classifier, images, labels).adversarial, expected)


@pytest.mark.parametrize(
    "convert",
    [
        lambda images: images.numpy(),
        lambda images: images.numpy()[::-1][::-1],
        lambda images: list(images),
        lambda images: list(images.numpy()),
        lambda images: tuple(images),
        lambda images: images.tolist(),
    ],
    ids=["array", "strided array", "tensors", "arrays", "tuple", "lists"],
)
def test_arrays_and_lists_are_images(attacked, convert):
    classifier, images, labels, expected = attacked
    result = attack()(classifier, convert(images), labels, initial=convert(images))
    plain = attack()(classifier, images, labels, initial=images)
    assert torch.equal(result.adversarial, plain.adversarial)
    result = attack()(classifier, convert(images), labels)
    assert torch.equal(result.adversarial, expected)


@pytest.mark.parametrize(
    "convert",
    [
        lambda labels: labels.int(),
        lambda labels: labels.to(torch.uint8),
        lambda labels: labels.numpy(),
        lambda labels: labels.numpy().astype(np.uint16),
        lambda labels: labels.tolist(),
        lambda labels: list(labels),
    ],
    ids=["int32", "uint8", "array", "uint16 array", "numbers", "tensors"],
)
def test_whole_numbers_of_any_kind_are_labels(attacked, convert):
    classifier, images, labels, expected = attacked
    assert torch.equal(attack()(classifier, images, convert(labels)).adversarial, expected)
    targets = (labels + 1) % len(classifier.labels)
    expected = attack()(classifier, images, labels, targets).adversarial
    result = attack()(classifier, images, labels, convert(targets))
    assert torch.equal(result.adversarial, expected)


@pytest.mark.parametrize(
    "epsilon",
    [Fraction(8, 255), np.float64(8 / 255), np.array(8 / 255), torch.tensor(8 / 255)],
    ids=["fraction", "float64", "array", "tensor"],
)
def test_numbers_of_other_libraries_are_a_radius(attacked, epsilon):
    classifier, images, labels, expected = attacked
    assert torch.equal(attack(epsilon)(classifier, images, labels).adversarial, expected)


@pytest.mark.parametrize(
    "convert", [np.array, lambda values: np.array(values, dtype=np.float32), list, tuple]
)
def test_a_list_is_a_radius_and_a_step_size_for_each_image(attacked, convert):
    classifier, images, labels, _ = attacked
    values = [0.0, 0.01, 0.02, 0.03]
    for options in ({"epsilon": values}, {"step_size": values}):
        ((name, value),) = options.items()
        expected = attack(**{name: torch.tensor(value)})(classifier, images, labels)
        result = attack(**{name: convert(value)})(classifier, images, labels)
        assert torch.equal(result.adversarial, expected.adversarial)


@pytest.mark.parametrize(
    ("threat", "words"),
    [
        (("linf", "8/255"), "epsilon must be a number .*; write 8/255 and not '8/255'"),
        (("linf", None), "epsilon must be a number .* it is None of type NoneType"),
        (("linf", True), "epsilon must be a number"),
        (("linf", 1j), "epsilon must be a number"),
        (("linf", ["8/255"]), "epsilon can't be"),
        (("linf", []), r"not of shape \[0\]"),
        (("linf", [[0.1], [0.2, 0.3]]), "epsilon can't be"),
        (("linf", [True]), "epsilon must be numbers; they are bool"),
        (
            ("linf", 8),
            "must not exceed 255/255, .* it is 8, or 2040/255; 8 levels of 8 bits are 8/255",
        ),
        (("linf", 10**400), "epsilon"),
        ((8 / 255, "linf"), "unknown norm 0.03.*: it is 'linf' or 'l2', and epsilon follows it"),
        ((np.inf, 0.1), "unknown norm inf"),
        ((torch.ones(2), 0.1), "unknown norm tensor"),
    ],
)
def test_an_error_says_what_a_threat_is(threat, words):
    with pytest.raises(AttackError, match=words):
        Threat(*threat)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"steps": 5.0}, "steps must be a whole number from 1 to 10,000; it is 5.0"),
        ({"steps": "5"}, "it is '5'"),
        ({"steps": True}, "it is True"),
        ({"steps": None}, "it is None"),
        ({"steps": np.array([5, 6])}, "steps must be a whole number"),
        ({"steps": 10**5000}, "steps must be a whole number"),
        ({"seed": 0.5}, "seed must be a whole number; it is 0.5"),
        ({"seed": None}, "seed must be a whole number"),
        ({"random_start": "no"}, "random_start must be True or False; it is 'no'"),
        ({"stop_on_success": 1}, "stop_on_success must be True or False"),
        ({"step_size": "1/255"}, "step_size must be a number .*; write 8/255"),
        ({"step_size": torch.ones(2, 1)}, r"not of shape \[2, 1\]"),
        ({"step_size": float("inf")}, "at least 0"),
        ({"loss": nn.CrossEntropyLoss()}, "unknown loss .*: it is one of ce"),
        ({"precision": torch.float32}, "unknown precision torch.float32"),
    ],
)
def test_an_error_says_what_a_setting_is(settings, words):
    with pytest.raises(AttackError, match=words) as raised:
        attack(**settings)
    assert len(str(raised.value)) < 200


def test_an_error_says_that_a_radius_is_no_threat():
    with pytest.raises(AttackError, match=r"a Threat, such as Threat\('linf', 8/255\); it is 0.03"):
        PGD(8 / 255)


@pytest.mark.parametrize(
    ("convert", "words"),
    [
        (lambda x: x.permute(0, 2, 3, 1), r"colours last: use images.permute\(0, 3, 1, 2\)"),
        (lambda x: x.permute(0, 2, 3, 1).numpy(), r"use images.transpose\(0, 3, 1, 2\)"),
        (lambda x: x[0], r"one image is \[3, 6, 6\]: use image\[None\]"),
        (lambda x: x[0].permute(1, 2, 0), r"use image.permute\(2, 0, 1\)\[None\]"),
        (lambda x: x.flatten(1), r"N, 3, H, W\]; they are \[4, 108\]"),
        (lambda x: x[:, :2], r"N, 3, H, W\]; they are \[4, 2, 6, 6\]"),
        (lambda x: x[:0], "no images to attack"),
        (lambda x: (x * 255).byte(), r"uint8: divide them by 255, images.float\(\) / 255"),
        (lambda x: (x * 255).byte().numpy(), r'uint8: .*images.astype\("float32"\) / 255'),
        (lambda x: (x * 255).long(), r"int64: use images.float\(\)"),
        (lambda x: x.double(), r"float64: use images.float\(\)"),
        (lambda x: x.double().numpy(), r'float64: use images.astype\("float32"\)'),
        (lambda x: x.half(), r"float16: use images.float\(\)"),
        (lambda x: x * 255, r"in \[0, 1\], .*; divide them by 255"),
        (lambda x: x * 2 - 1, r"in \[0, 1\], as the classifier normalises them itself"),
        (lambda x: x * float("nan"), r"in \[0, 1\]"),
        (lambda x: [x[0], x[1, :, :3]], "can't be joined"),
        (lambda x: [x[0].numpy(), x[1, :, :3].numpy()], "can't be joined"),
        (lambda x: [Image.new("RGB", (6, 6))], "can't be joined"),
        (lambda x: x.numpy().astype(object), "can't be joined"),
        (lambda x: [], r"they are \[0\]"),
        (lambda x: None, "can't be of type NoneType"),
        (lambda x: "panda.jpg", "can't be of type str"),
    ],
)
def test_an_error_says_what_images_are(attacked, convert, words):
    classifier, images, labels, _ = attacked
    with pytest.raises(AttackError, match=words) as raised:
        attack()(classifier, convert(images), labels)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("convert", "words"),
    [
        (lambda y: y.float(), r"class indices, int64; they are float32: use labels.long\(\)"),
        (lambda y: y.bool(), "int64; they are bool"),
        (lambda y: [0.0] * N, "int64; they are float64: use whole numbers"),
        (lambda y: nn.functional.one_hot(y, 5), r"\[4\]; they are \[4, 5\]; for one-hot rows use"),
        (lambda y: y[:2], r"class indices \[4\]; they are \[2\]"),
        (lambda y: 0, r"class indices \[4\]; they are \[\]"),
        (lambda y: ["cat"] * N, r"texts; classifier.find_label\(name\)"),
        (lambda y: "cat", "can't be texts"),
        (lambda y: None, "labels can't be None"),
        (lambda y: [[1], [1, 2]], "labels can't be"),
        (lambda y: [2**70] * N, "labels can't be"),
        (lambda y: y - 100, "class indices from 0 to"),
        (lambda y: np.full(N, 2**63, dtype=np.uint64), "class indices from 0 to"),
    ],
)
def test_an_error_says_what_labels_are(attacked, convert, words):
    classifier, images, labels, _ = attacked
    with pytest.raises(AttackError, match=words) as raised:
        attack()(classifier, images, convert(labels))
    assert "\n" not in str(raised.value)


def test_an_error_says_what_the_first_point_is(attacked):
    classifier, images, labels, _ = attacked
    for initial, words in (
        (images[:2], r"the images' shape \[4, 3, 6, 6\]; it is \[2, 3, 6, 6\]"),
        (images * float("nan"), "not finite"),
        (images[0], r"image\[None\]"),
    ):
        with pytest.raises(AttackError, match=words):
            attack()(classifier, images, labels, initial=initial)


def test_an_error_says_that_a_module_is_no_classifier(attacked):
    _, images, labels, _ = attacked
    module = nn.Sequential(nn.Flatten(), nn.Linear(108, 5))
    with pytest.raises(AttackError, match=r"takes a Classifier, not .*Classifier\(module, labels="):
        attack()(module, images, labels)


def test_an_error_names_the_size_that_a_network_cannot_take(attacked):
    _, images, labels, _ = attacked
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 9, 5))
    classifier = Classifier(module, labels=list("abcde"), input_size=(8, 9), name="mine")
    with pytest.raises(AttackError, match="mine can't take images of 6 × 6; resize them to 8 × 9"):
        attack()(classifier, images, labels)
