"""torchvision's architectures with random weights have the logits that torchvision's have."""

from __future__ import annotations

import re
from collections import OrderedDict

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn
from torchvision.models import get_model, get_model_weights

from explorer.classifiers import load
from explorer.classifiers.checkpoint import Checkpoint
from explorer.classifiers.imagenet import IMAGENET_MEAN, IMAGENET_STD, TORCHVISION
from explorer.classifiers.torchvision_models import BUILD_OPTIONS, build_untrained
from explorer.classifiers.user_model_card import UserModelCard
from explorer.classifiers.user_models import machine_models
from explorer.engine.optimized_copy import optimized_copy
from explorer.images.geometry import preprocess

FEATURES = {
    "googlenet": 1024,
    "squeezenet1_1": 512,
    "mobilenet_v3_large": 1280,
    "resnet18": 512,
    "resnet50": 2048,
    "convnext_tiny": 768,
    "vit_b_16": 768,
    "swin_t": 768,
}
MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.3, 0.25)
CLOSE = {"rtol": 0, "atol": 1e-5}


def random_network(architecture):
    """An untrained network with batch norms and a head that are not trivial."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = (
            get_model(architecture, weights=None, **BUILD_OPTIONS.get(architecture, {}))
            .eval()
            .requires_grad_(False)
        )
        for part in network.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.running_mean.normal_(std=0.1)
                part.running_var.uniform_(0.5, 1.5)
                part.weight.uniform_(0.5, 1.5)
            elif isinstance(part, nn.Linear) and part.out_features == 1000:
                part.weight.normal_(std=0.05)
    return network


def photograph(width=400, height=301):
    rough = np.random.default_rng(3).integers(0, 256, (height // 7, width // 7, 3), dtype=np.uint8)
    return Image.fromarray(rough).resize((width, height), Image.Resampling.BICUBIC)


def photograph_pixels(classifier):
    return preprocess(photograph(), classifier)[None]


@pytest.fixture(scope="module", params=TORCHVISION)
def model(request, tmp_path_factory):
    """An architecture, and a classifier from a small file (in float16) of random weights."""
    path = tmp_path_factory.mktemp("weights") / f"{request.param}.safetensors"
    state = random_network(request.param).state_dict()
    save_file(
        {
            name: value.half() if value.is_floating_point() else value
            for name, value in state.items()
        },
        path,
    )
    yield request.param, load(f"torchvision:{request.param}", path, "cpu")
    path.unlink(missing_ok=True)


def test_its_logits_gradient_and_labels(model):
    architecture, classifier = model
    pixels = photograph_pixels(classifier).requires_grad_(True)
    logits = classifier(pixels)
    assert logits.shape == (1, 1000)
    (gradient,) = torch.autograd.grad(logits[0, 388] - logits[0, 1], pixels)
    assert bool(torch.isfinite(gradient).all())
    assert float((gradient != 0).float().mean()) > 0.9
    assert classifier.labels == tuple(get_model_weights(architecture).DEFAULT.meta["categories"])
    assert (len(classifier.labels), classifier.labels[388]) == (1000, "giant panda")


def test_its_preprocessing_is_torchvisions(model):
    architecture, classifier = model
    assert (classifier.interpolation == "bicubic") == (architecture == "swin_t")
    expected = get_model_weights(architecture).DEFAULT.transforms()(photograph())[None]
    if architecture == "googlenet":
        expected = transform_input(expected)
    normalised = classifier.normalised(photograph_pixels(classifier))
    assert torch.allclose(normalised, expected, atol=1e-5)


def test_its_optimized_copy_has_the_same_logits(model):
    _, classifier = model
    pixels = photograph_pixels(classifier)
    with torch.no_grad():
        logits, optimized = classifier(pixels), optimized_copy(classifier, torch.float32)(pixels)
    assert float((optimized - logits).abs().max()) <= 1e-3 * float(logits.abs().max())


def test_its_features_feed_its_head(model):
    architecture, classifier = model
    pixels = photograph_pixels(classifier)
    with torch.no_grad():
        features, logits = classifier.features(pixels), classifier(pixels)
    assert features.shape == (1, FEATURES[architecture])
    if architecture == "squeezenet1_1":
        # A convolution, a ReLU and a mean: at least the ReLU of the convolution at the mean.
        convolution = classifier.module.classifier[1]
        linear = (convolution.weight.flatten(1) @ features[0] + convolution.bias)[None]
        assert bool((logits >= linear.clamp(min=0) - 1e-4).all())
    else:
        head = [part for part in classifier.module.modules() if isinstance(part, nn.Linear)][-1]
        assert torch.allclose(head(features), logits, atol=1e-4)


@pytest.fixture(scope="module")
def resnet18():
    return random_network("resnet18")


def robust_layout(network, prefix="module."):
    """A checkpoint of the robustness library, which has network and normalisation twice."""
    state = OrderedDict()
    for normaliser, place in (
        ("normalizer.", "model."),
        ("attacker.normalize.", "attacker.model."),
    ):
        state[f"{prefix}{normaliser}new_mean"] = torch.tensor(MEAN).view(3, 1, 1)
        state[f"{prefix}{normaliser}new_std"] = torch.tensor(STD).view(3, 1, 1)
        state |= {f"{prefix}{place}{name}": value for name, value in network.state_dict().items()}
    return {
        "model": state,
        "optimizer": {"param_groups": [{"lr": np.float64(0.1)}]},
        "epoch": 90,
        "schedule": None,
    }


@pytest.mark.parametrize("zipped", [True, False])
def test_a_robust_checkpoint_brings_its_normalisation(resnet18, tmp_path, monkeypatch, zipped):
    monkeypatch.setenv("EXPLORER_WEIGHTS", str(tmp_path))
    torch.save(
        robust_layout(resnet18),
        tmp_path / "resnet18_l2_eps3.ckpt",
        _use_new_zipfile_serialization=zipped,
    )
    classifier = load("madry:resnet18_l2_eps3", device="cpu")
    pixels = torch.rand(1, 3, 224, 224)
    mean, std = (torch.tensor(each).view(1, 3, 1, 1) for each in (MEAN, STD))
    with torch.no_grad():
        assert torch.allclose(classifier(pixels), resnet18((pixels - mean) / std), atol=1e-4)
    assert (classifier.robust, classifier.input_size, classifier.resize) == (True, (224, 224), 256)
    assert classifier.labels[388] == "giant panda"
    assert classifier.features(pixels).shape == (1, 512)
    optimized = optimized_copy(classifier, torch.float32)(pixels)
    assert torch.allclose(optimized, classifier(pixels), rtol=1e-3, atol=1e-3)


def test_robust_weights_without_a_wrapper_have_imagenets_normalisation(resnet18, tmp_path):
    save_file(resnet18.state_dict(), tmp_path / "w.safetensors")
    plain = load("madry:resnet18_linf_eps4.0", tmp_path / "w.safetensors", "cpu")
    expected = get_model_weights("resnet18").DEFAULT.transforms()(photograph())[None]
    assert torch.allclose(plain.normalised(photograph_pixels(plain)), expected, atol=1e-5)


def transform_input(images):
    """torchvision's conversion of images normalised for ImageNet into [−1, 1]."""
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    return images * (std / 0.5) + (mean - 0.5) / 0.5


@pytest.fixture(scope="module", params=["googlenet", "inception_v3"])
def inception(request):
    """An architecture, and its network of random weights that transforms its input."""
    options = BUILD_OPTIONS[request.param] | {"transform_input": True}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return request.param, get_model(request.param, weights=None, **options).eval()


def normalised(pixels, mean=IMAGENET_MEAN, std=IMAGENET_STD):
    return (pixels - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)


@pytest.mark.parametrize("auxiliary", [True, False])
def test_transform_input_is_part_of_the_normalisation(inception, tmp_path, auxiliary):
    architecture, module = inception
    state = {
        name: value
        for name, value in module.state_dict().items()
        if auxiliary or not name.startswith(("aux", "AuxLogits"))
    }
    save_file(state, tmp_path / "w.safetensors")
    classifier = load(f"torchvision:{architecture}", tmp_path / "w.safetensors", "cpu")
    assert not classifier.module.transform_input
    pixels = torch.rand(1, 3, *classifier.input_size)
    with torch.no_grad():
        torch.testing.assert_close(classifier(pixels), module(normalised(pixels)), **CLOSE)


def test_transform_input_with_a_normalisation_in_the_checkpoint(inception, tmp_path):
    architecture, module = inception
    torch.save(robust_layout(module), tmp_path / "w.pth")
    classifier = load(f"torchvision:{architecture}", tmp_path / "w.pth", "cpu")
    pixels = torch.rand(1, 3, *classifier.input_size)
    with torch.no_grad():
        expected = module(normalised(pixels, MEAN, STD))
        torch.testing.assert_close(classifier(pixels), expected, **CLOSE)


def test_transform_input_of_a_model_that_a_person_added(inception, tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "cache"))
    architecture, module = inception
    save_file(module.state_dict(), tmp_path / "w.safetensors")
    card = UserModelCard("mine", architecture, input_size=80, resize=80, mean=MEAN, std=STD)
    assert machine_models().add(card, tmp_path / "w.safetensors").mean == MEAN
    classifier, pixels = load("user:mine", device="cpu"), torch.rand(1, 3, 80, 80)
    with torch.no_grad():
        expected = module(normalised(pixels, MEAN, STD))
        torch.testing.assert_close(classifier(pixels), expected, **CLOSE)


def test_an_inception_that_was_trained_from_scratch(inception, tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "cache"))
    architecture, published = inception
    module = get_model(architecture, weights=None, **BUILD_OPTIONS[architecture]).eval()
    module.load_state_dict(published.state_dict())
    save_file(module.state_dict(), tmp_path / "w.safetensors")
    card = UserModelCard("mine", architecture, input_size=80, resize=80, transform_input=False)
    machine_models().add(card, tmp_path / "w.safetensors")
    (entry,) = machine_models().entries()
    assert entry.training == f"{architecture} without transform_input, standard"
    classifier, pixels = load("user:mine", device="cpu"), torch.rand(1, 3, 80, 80)
    with torch.no_grad():
        torch.testing.assert_close(classifier(pixels), module(normalised(pixels)), **CLOSE)
    assert (classifier.mean, classifier.std) == (IMAGENET_MEAN, IMAGENET_STD)


def older_names(name):
    """As in the files that torchvision published before it changed its modules."""
    name = re.sub(r"(denselayer\d+\.(?:norm|conv))([12])\.", r"\1.\2.", name)
    return re.sub(r"\.mlp\.([03])\.", lambda m: f".mlp.linear_{1 + int(m[1]) // 3}.", name)


@pytest.mark.parametrize("architecture", ["densenet121", "vit_b_32", "mnasnet0_5"])
@pytest.mark.parametrize("prefix", ["", "backbone._orig_mod."])
def test_published_files_with_older_names_and_without_versions(tmp_path, architecture, prefix):
    module = random_network(architecture)
    state = {prefix + older_names(name): value for name, value in module.state_dict().items()}
    renamed = {prefix + name for name in module.state_dict()} - state.keys()
    assert bool(renamed) == (architecture != "mnasnet0_5")
    save_file({name: value.contiguous() for name, value in state.items()}, tmp_path / "w.st")
    classifier = load(f"torchvision:{architecture}", tmp_path / "w.st", "cpu")
    pixels = torch.rand(1, 3, 224, 224)
    with torch.no_grad():
        expected = module(normalised(pixels))
        torch.testing.assert_close(classifier(pixels), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("positions", "side"), [(577, 384), (1025, 512), (197, 224), (None, 224), (200, 224)]
)
def test_a_vision_transformer_has_the_size_of_its_positions(positions, side):
    state = {} if positions is None else {"encoder.pos_embedding": torch.empty(1, positions, 768)}
    with torch.device("meta"):
        module = build_untrained("vit_b_16", Checkpoint(state), 10)
    assert module.image_size == side
