"""Models that people add: stored after a trial run, or refused with one clear sentence."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torchvision.models import mobilenet_v3_small, resnet18

from explorer.classifiers import ClassifierError, load
from explorer.classifiers.user_functions import models_from_environment
from explorer.classifiers.user_model_card import UserModelCard
from explorer.classifiers.user_models import machine_models, user_entries
from tests.conftest import shared

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture(scope="module")
def small():
    """An untrained network of three classes, in evaluation mode."""
    torch.manual_seed(0)
    return mobilenet_v3_small(weights=None, num_classes=3).eval()


@pytest.fixture
def weights(tmp_path, small):
    path = tmp_path / "weights.safetensors"
    save_file(small.state_dict(), path)
    return path


CARD = UserModelCard(
    "mine",
    "mobilenet_v3_small",
    ("ant", "bee", "cat"),
    input_size=64,
    resize=72,
    mean=(0.5,) * 3,
    std=(0.25,) * 3,
)


def test_an_added_model_has_the_logits_of_the_module(weights, small):
    machine_models().add(CARD, weights)
    classifier = load("user:mine", device="cpu")
    images = torch.rand(2, 3, 64, 64)
    torch.testing.assert_close(
        classifier(images), small((images - 0.5) / 0.25), rtol=1e-4, atol=1e-5
    )
    assert classifier.labels == ("ant", "bee", "cat")
    assert (classifier.input_size, classifier.resize) == ((64, 64), 72)
    (entry,) = user_entries()
    assert (entry.name, entry.available) == ("user:mine", True)


def test_a_pickled_state_dict_without_labels_has_numbers_as_labels(tmp_path, small):
    torch.save(
        {"state_dict": {f"module.{name}": value for name, value in small.state_dict().items()}},
        tmp_path / "w.pth",
    )
    card = machine_models().add(
        UserModelCard("numbers", "mobilenet_v3_small", input_size=64, resize=64), tmp_path / "w.pth"
    )
    assert card.labels == ("class 0", "class 1", "class 2")


def test_a_thousand_classes_have_the_labels_of_imagenet(tmp_path):
    torch.manual_seed(0)
    save_file(resnet18(weights=None).state_dict(), tmp_path / "w.safetensors")
    card = machine_models().add(
        UserModelCard("thousand", "resnet18", input_size=64, resize=64), tmp_path / "w.safetensors"
    )
    assert card.labels[388] == "giant panda"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"labels": ("ant", "bee")}, "have 3 classes and there are 2 labels"),
        ({"architecture": "resnet18"}, "do not fit resnet18"),
        ({"architecture": "resnet"}, "torchvision has no classifier 'resnet'; did you mean"),
    ],
)
def test_weights_that_do_not_fit_are_refused_and_nothing_is_stored(weights, cache, change, words):
    with pytest.raises(ClassifierError, match=words):
        machine_models().add(UserModelCard(**{**vars(CARD), **change}), weights)
    assert machine_models().cards() == {}
    assert not list(cache.rglob("*.safetensors"))


def test_damaged_weights_are_refused(tmp_path, weights, small):
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ClassifierError, match="not a readable safetensors file"):
        machine_models().add(CARD, weights)
    state = small.state_dict()
    state["features.0.0.weight"] = state["features.0.0.weight"] * float("nan")
    save_file(state, tmp_path / "nan.safetensors")
    with pytest.raises(ClassifierError, match="not finite"):
        machine_models().add(CARD, tmp_path / "nan.safetensors")


def test_a_file_that_would_run_code_is_not_read(tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    torch.save({"weight": Trap()}, tmp_path / "trap.pth")
    with pytest.raises(ClassifierError, match="with which a file runs programs"):
        machine_models().add(CARD, tmp_path / "trap.pth")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["", "../up", "a b", ".hidden", "x" * 61, "a/b"])
def test_names_that_are_refused(name):
    with pytest.raises(ClassifierError, match=r"can't be its name|give it a name"):
        UserModelCard(name, "resnet18")


@pytest.mark.parametrize(("name", "reason"), [("my net", "of the space:"), ("a/b", "of '/':")])
def test_a_refused_name_has_its_reason(name, reason):
    with pytest.raises(ClassifierError, match=f"can't be its name because {reason} up to 60"):
        UserModelCard(name, "resnet18")


@pytest.mark.parametrize(
    ("sizes", "words"), [((8, 64), "from 16 to 1024"), ((64, 32), "must not be less")]
)
def test_sizes_that_are_refused(sizes, words):
    with pytest.raises(ClassifierError, match=words):
        UserModelCard("a", "resnet18", input_size=sizes[0], resize=sizes[1])


def test_a_name_is_taken_until_the_model_is_removed(weights):
    machine_models().add(CARD, weights)
    with pytest.raises(ClassifierError, match="already a classifier named mine"):
        machine_models().add(CARD, weights)
    with pytest.raises(ClassifierError, match="already a classifier named mine"):
        machine_models().add(replace(CARD, name="Mine"), weights)  # a folder on any disk
    machine_models().remove("mine")
    machine_models().add(CARD, weights)
    machine_models().remove("mine")
    with pytest.raises(ClassifierError, match="no classifier user:mine"):
        machine_models().remove("mine")
    with pytest.raises(ClassifierError, match="user:mine on this machine; those added are: none"):
        load("user:mine")


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "5",
        "{}",
        "[" * 100_000,
        '{"name": "broken"}',
        '{"name": "broken", "architecture": "resnet18", "colour": "red"}',
        *(
            json.dumps({"name": "broken", "architecture": "resnet18", **values})
            for values in (
                {"name": 5},
                {"name": "other"},
                {"architecture": ["resnet18"]},
                {"labels": 5},
                {"labels": "ab"},
                {"labels": [1, 2]},
                {"input_size": "224"},
                {"input_size": True},
                {"input_size": 8},
                {"resize": 256.5},
                {"mean": 0.5},
                {"mean": [0.5, 0.5]},
                {"std": [0.5, 0.5, "0.5"]},
                {"std": [0.5, 0.5, float("nan")]},
                {"robust": "no"},
            )
        ),
    ],
)
def test_a_broken_card_is_left_out_of_the_catalogue(cache, text):
    write_card(cache, "broken", text)
    write_card(cache, "good", UserModelCard("good", "resnet18").to_json())
    assert list(machine_models().cards()) == ["good"]
    assert [entry.name for entry in user_entries()] == ["user:good"]


def test_a_card_whose_labels_are_a_number(cache):
    write_card(cache, "x", shared("cases", "card-labels-number.json").read_text())
    assert user_entries() == ()


def write_card(cache: Path, name: str, text: str) -> None:
    """A model of that name in the cache, with empty weights."""
    folder = cache / "classifiers" / name
    folder.mkdir(parents=True)
    (folder / "classifier.json").write_text(text)
    (folder / "weights.safetensors").touch()


def test_a_card_is_read_as_it_was_written(tmp_path):
    (tmp_path / "card.json").write_text(CARD.to_json())
    assert UserModelCard.read(tmp_path / "card.json") == CARD


def test_a_cache_that_cannot_be_written(weights, cache):
    cache.write_text("a file")
    with pytest.raises(
        ClassifierError, match=r"can't write .*mine: .*; EXPLORER_CACHE chooses another folder$"
    ):
        machine_models().add(CARD, weights)


def test_a_disk_that_fills_up_leaves_nothing(weights, cache, monkeypatch):
    def full(*_args, **_options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(ClassifierError, match=r"the disk is full: .* Nothing was added"):
        machine_models().add(CARD, weights)
    assert not any((cache / "classifiers").iterdir())


def test_functions_from_the_environment(tmp_path, monkeypatch):
    path = tmp_path / "models.py"
    path.write_text(
        "import torch\nfrom explorer.classifiers import Classifier\n"
        "def make():\n"
        "    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 2))\n"
        "    return Classifier(net, labels=['a', 'b'], input_size=(8, 8))\n"
    )
    monkeypatch.setenv("EXPLORER_MODELS", f"{path}:make, /nowhere/at_all.py:make")
    assert models_from_environment() == (f"{path}:make", "/nowhere/at_all.py:make")
    assert [entry.name for entry in user_entries()] == [f"{path}:make"]
    assert load(f"{path}:make").labels == ("a", "b")


def test_a_number_in_place_of_a_bias_is_a_tensor_of_another_shape(tmp_path, small):
    state = small.state_dict() | {"classifier.3.bias": torch.tensor(1.0)}
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(ClassifierError, match=r"another shape \(1, such as classifier\.3\.bias"):
        machine_models().add(CARD, tmp_path / "w.pth")
