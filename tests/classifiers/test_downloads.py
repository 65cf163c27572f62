"""Published ImageNet classifiers: each architecture with random weights is what torchvision makes of it; files put by hand are found."""

from __future__ import annotations

import subprocess
import sys
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn
from torchvision.models import get_model, get_model_weights

from explorer.classifiers import ClassifierError, catalogue, load
from explorer.classifiers.checkpoint import read_checkpoint
from explorer.classifiers.downloads import local_file, local_imagenet, remote_weights
from explorer.classifiers.imagenet import ROBUST, TORCHVISION, TORCHVISION_FILES
from explorer.classifiers.torchvision_models import CONSTRUCTION
from explorer.engine.optimized_copy import prepare
from explorer.files import weights_folder
from explorer.images.geometry import view

ROOT = Path(__file__).resolve().parents[2]
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


def random_network(architecture):
    """With heads that say something and batch norms that do something."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = (
            get_model(architecture, weights=None, **CONSTRUCTION.get(architecture, {}))
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


class Listener(nn.Module):
    """A network that keeps what it is given."""

    def forward(self, x):
        self.seen = x
        return torch.zeros(len(x), 1000)


def seen_by(classifier, photo):
    listener = Listener()
    classifier.with_module(listener)(view(photo, classifier)[None])
    return listener.seen[0]


@pytest.fixture(scope="module", params=TORCHVISION)
def loaded(request, tmp_path_factory):
    """The architecture, and the classifier from a file with random weights, at half precision to keep the file small."""
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


def test_its_logits_gradient_and_labels(loaded):
    architecture, classifier = loaded
    pixels = view(photograph(), classifier)[None].requires_grad_(True)
    logits = classifier(pixels)
    assert logits.shape == (1, 1000)
    (gradient,) = torch.autograd.grad(logits[0, 388] - logits[0, 1], pixels)
    assert bool(torch.isfinite(gradient).all())
    assert float((gradient != 0).float().mean()) > 0.9
    assert classifier.labels == tuple(get_model_weights(architecture).DEFAULT.meta["categories"])
    assert (len(classifier.labels), classifier.labels[388]) == (1000, "giant panda")


def test_its_preprocessing_is_torchvisions_own(loaded):
    architecture, classifier = loaded
    preset = get_model_weights(architecture).DEFAULT.transforms()
    assert (classifier.interpolation == "bicubic") == (architecture == "swin_t")
    assert torch.allclose(seen_by(classifier, photograph()), preset(photograph()), atol=1e-5)


def test_its_copy_with_folded_batch_norms_says_the_same(loaded):
    _, classifier = loaded
    pixels = view(photograph(), classifier)[None]
    with torch.no_grad():
        logits, folded = classifier(pixels), prepare(classifier, torch.float32)(pixels)
    assert float((folded - logits).abs().max()) <= 1e-3 * float(logits.abs().max())


def test_its_features_feed_its_head(loaded):
    architecture, classifier = loaded
    pixels = view(photograph(), classifier)[None]
    with torch.no_grad():
        features, logits = classifier.features(pixels), classifier(pixels)
    assert features.shape == (1, FEATURES[architecture])
    if (
        architecture == "squeezenet1_1"
    ):  # a convolution, a ReLU, then the mean: bounded by what it makes of the mean features
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
    """As the robustness library saves it: the network twice, its normalisation twice, and the training around it."""
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
def test_a_robust_checkpoint_is_the_network_with_its_own_normalisation(
    resnet18, tmp_path, monkeypatch, zipped
):
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
    folded = prepare(classifier, torch.float32)(pixels)
    assert torch.allclose(folded, classifier(pixels), rtol=1e-3, atol=1e-3)


def test_robust_weights_without_a_wrapper_are_normalised_as_imagenet_is(resnet18, tmp_path):
    save_file(resnet18.state_dict(), tmp_path / "w.safetensors")
    plain = load("madry:resnet18_linf_eps4.0", tmp_path / "w.safetensors", "cpu")
    assert torch.allclose(
        seen_by(plain, photograph()),
        get_model_weights("resnet18").DEFAULT.transforms()(photograph()),
        atol=1e-5,
    )


A = {"a": torch.ones(2), "b.weight": torch.zeros(1)}
NORMALISER = {
    "normalizer.new_mean": torch.tensor([0.5, 0.25, 0.75]),
    "normalizer.new_std": torch.ones(3),
}


def prefixed(prefix, state=A):
    return {prefix + name: value for name, value in state.items()}


@pytest.mark.parametrize(
    ("saved", "normalised"),
    [
        (A, False),
        (prefixed("module."), False),
        ({"state_dict": prefixed("module.module."), "arch": "x"}, False),
        ({"state_dict": {"a": torch.zeros(2)}, "state_dict_ema": A}, False),
        (
            {
                "model": {"a": torch.zeros(2)},
                "model_ema": {"n_averaged": torch.tensor(7), **prefixed("module.")},
            },
            False,
        ),
        ({"model": A, "model_ema": None}, False),
        ({"model": {"state_dict": prefixed("model.")}}, False),
        (
            {
                **NORMALISER,
                **prefixed("model."),
                **prefixed("attacker.model."),
                "attacker.normalize.new_mean": torch.ones(3),
            },
            True,
        ),
        ({"state_dict": prefixed("module.", {**NORMALISER, **prefixed("attacker.model.")})}, True),
        ({"model": A, "best": np.float32(0.5), "when": np.int64(3)}, False),
    ],
)
def test_the_wrappers_around_a_network_are_taken_off(tmp_path, saved, normalised):
    torch.save(saved, tmp_path / "w.pth")
    found = read_checkpoint(tmp_path / "w.pth")
    assert found.state.keys() == A.keys()
    assert all(torch.equal(found.state[name], A[name]) for name in A)
    assert (found.mean, found.std) == (
        ((0.5, 0.25, 0.75), (1.0, 1.0, 1.0)) if normalised else (None, None)
    )


def test_what_could_run_code_is_still_refused_and_nothing_stays_allowed(tmp_path):
    before = set(torch.serialization.get_safe_globals())
    torch.save({"model": A, "history": np.zeros(2)}, tmp_path / "w.pth")
    with pytest.raises(
        ClassifierError, match=r"holds more than weights \(numpy.*_reconstruct\).*Save it again"
    ):
        read_checkpoint(tmp_path / "w.pth")
    torch.save({"model": A, "best": np.float64(0.5)}, tmp_path / "w.pth")
    read_checkpoint(tmp_path / "w.pth")
    assert set(torch.serialization.get_safe_globals()) == before


def test_a_normalisation_that_is_not_one_of_colours_is_said(tmp_path):
    torch.save(
        {
            **prefixed("model."),
            "normalizer.new_mean": torch.ones(1),
            "normalizer.new_std": torch.ones(3),
        },
        tmp_path / "w.pth",
    )
    with pytest.raises(
        ClassifierError, match="normalises by 1 values of mean; there must be three"
    ):
        read_checkpoint(tmp_path / "w.pth")


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("resnet18-f37072fd.pth", "torchvision:resnet18"),
        ("resnet18-5c106cde.pth", "torchvision:resnet18"),
        ("resnet18.pth", "torchvision:resnet18"),
        ("squeezenet1_1-imagenet1k.safetensors", "torchvision:squeezenet1_1"),
        ("vit_b_16.safetensors", "torchvision:vit_b_16"),
        ("resnet18_l2_eps3.ckpt", "madry:resnet18_l2_eps3"),
        ("resnet18_l2_eps3-converted.safetensors", "madry:resnet18_l2_eps3"),
        ("resnet50_linf_eps4.0.pth", "madry:resnet50_linf_eps4.0"),
        ("vit_b_16_swag-9ac1b537.pth", None),
        ("resnet18_l2_eps5.ckpt", None),
        ("resnet50.ckpt", None),
        ("googlenet-1378be20.pth.part", None),
        ("googlenet-1378be20.txt", None),
    ],
)
def test_a_file_put_by_hand_is_found_by_its_name(tmp_path, monkeypatch, file, name):
    monkeypatch.setenv("EXPLORER_WEIGHTS", str(tmp_path))
    (tmp_path / "swin_t.safetensors").mkdir()
    (tmp_path / file).write_bytes(b"")
    assert local_imagenet() == ((name,) if name else ())
    if name:
        assert local_file(name) == tmp_path / file
        entry = next(entry for entry in catalogue(torchvision=True) if entry.name == name)
        assert (entry.available, entry.where, entry.bytes) == (True, tmp_path / file, 0)


def test_the_published_file_comes_before_others(tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_WEIGHTS", str(tmp_path))
    for file in ("resnet50-0676ba61.pth", "resnet50-11ad3fa6.pth", "resnet50-a.safetensors"):
        (tmp_path / file).write_bytes(b"")
    assert local_file("torchvision:resnet50") == tmp_path / "resnet50-11ad3fa6.pth"


def test_an_earlier_version_of_the_weights_has_its_own_figures_and_preprocessing(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("EXPLORER_WEIGHTS", str(tmp_path))
    torch.save(
        random_network("mobilenet_v3_large").state_dict(),
        tmp_path / "mobilenet_v3_large-8738ca79.pth",
    )
    entry = next(
        entry
        for entry in catalogue(torchvision=True)
        if entry.name == "torchvision:mobilenet_v3_large"
    )
    assert entry.accuracy == pytest.approx(0.74042)
    assert load(entry.name, device="cpu").resize == 256  # the later one has 232


def test_weights_lie_in_torchs_cache_or_where_one_says(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("EXPLORER_WEIGHTS", "")
    assert weights_folder() == tmp_path / "hub" / "checkpoints"
    monkeypatch.setenv("EXPLORER_WEIGHTS", "~/weights")
    assert weights_folder() == Path.home() / "weights"


def test_the_file_names_known_without_torchvision_are_its_own():
    assert set(FEATURES) == set(TORCHVISION)
    for architecture, file in TORCHVISION_FILES.items():
        remote = remote_weights(f"torchvision:{architecture}")
        assert remote.url == get_model_weights(architecture).DEFAULT.url
        assert remote.url.endswith(f"/{file}")
        assert file.removesuffix(".pth").endswith(f"-{remote.digest}")


def test_asking_what_is_here_does_not_import_torchvision():
    program = (
        "import sys\n"
        "from explorer.classifiers import catalogue\n"
        "from explorer.classifiers.catalogue import local_imagenet\n"
        "catalogue(), local_imagenet()\n"
        "assert 'torchvision' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_the_catalogue_says_whose_figures_it_has(tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_WEIGHTS", str(tmp_path))
    entries = {entry.name: entry for entry in catalogue(torchvision=True)}
    assert [name for name, entry in entries.items() if entry.group == "robust"] == [
        f"madry:{name}" for name in ROBUST
    ]
    linf = entries["madry:resnet50_linf_eps4.0"]
    assert (linf.accuracy, linf.parameters, linf.bytes, linf.available) == (
        0.6386,
        25_557_032,
        None,
        False,
    )
    assert linf.where == tmp_path / "resnet50_linf_eps4.0.ckpt"
    assert linf.remote.url.endswith(
        "/robust-imagenet-models/resolve/main/resnet50_linf_eps4.0.ckpt"
    )
    (reported,) = linf.robust_accuracy
    assert (reported.value, reported.source) == (0.3496, "RobustBench, Salman2020Do_R50")
    assert entries["madry:resnet18_l2_eps3"].remote.digest.startswith("b4315784")
    for entry in entries.values():
        assert entry.accuracy_source
        assert entry.robust == ("robust" in entry.name or entry.group == "robust")
        assert (entry.remote is None) == (entry.group == "bundled")
